"""The indexes of the accounts agree with the accounts, whatever is done to them."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from local.panel.model import Account
from local.panel.state import PanelState

LOGINS = st.sampled_from(["", "a", "b", "c"])
CODES = st.sampled_from(["", "K1", "K2"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("seed"), LOGINS, CODES),
        st.tuples(st.just("edit"), st.integers(1, 4), st.one_of(LOGINS, CODES)),
        st.tuples(st.just("code"), st.integers(1, 4), CODES),
        st.tuples(st.just("remove"), st.integers(1, 4), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 9), st.none()),
    ),
    max_size=25,
)


def take(panel: PanelState, step: tuple[object, ...]) -> None:
    """One step; what the panel refuses (a taken login, an unknown account) leaves it as it was."""
    kind, first, second = step
    with contextlib.suppress(ValueError, KeyError):
        if kind == "seed":
            panel.seed({"login": first, "external_code": second, "guest": not first})
        elif kind == "edit":
            panel.edit(int(str(first)), login=second)
        elif kind == "code":
            panel.edit(int(str(first)), external_code=second)
        elif kind == "remove":
            panel.remove(panel.account(int(str(first))))
        else:
            panel.clock.advance(float(str(first)))
    panel.show_due_dates()


@given(steps=STEPS, lag=st.sampled_from([0.0, 4.0]))
def test_what_an_index_finds_is_what_a_scan_finds(steps: list[tuple[object, ...]], lag: float) -> None:
    panel = PanelState()
    panel.clock.set(1_800_000_000)
    panel.settings.date_lag_seconds = lag
    for step in steps:
        take(panel, step)
    everybody: list[Account] = list(panel.accounts)
    logins = [each.login for each in everybody if each.login]
    assert len(logins) == len(set(logins))
    assert [panel.accounts.by_login(each) for each in logins] == [each for each in everybody if each.login]
    for code in ("K1", "K2"):
        assert panel.accounts.by_code(code) == [each for each in everybody if each.external_code == code]
    for moment in {each.modified for each in everybody}:
        found = sorted(panel.accounts.ids_modified(moment, moment))
        assert found == [each.id for each in everybody if each.modified == moment]
