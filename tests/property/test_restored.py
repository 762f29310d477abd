"""A panel is restored from an older backup, whatever was edited before and after, and in whatever order it lists.

The ERP's row never receives an older value of ours, what was agreed is sent again, and edits made since the restore
travel.
"""

from __future__ import annotations

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kartoteka.sync.rebase import CHANCE
from tests.helpers import account_of, tax_number, unbraked
from tests.world import CLIENT, World

NUMBER = 6
numbers = st.sets(st.integers(0, NUMBER - 1))


def filled() -> World:
    """Return an installation of some clients in step."""
    world = World(unbraked())
    for n in range(NUMBER):
        world.exchange.insert_client(f"C-{n}", **{**CLIENT, "nip": tax_number(n), "email": f"{n}@firma.pl"})
    for _ in range(3):
        world.tick(seconds=301)
    return world


@given(changed=numbers, typed=numbers, touched=numbers, quiet=st.integers(0, 3), last_first=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_restored_panel_brings_nothing_old_back(
    changed: set[int], typed: set[int], touched: set[int], quiet: int, last_first: bool
) -> None:
    assume(changed)
    assume(changed - touched or len(changed) >= CHANCE)  # else nothing tells it from an edit
    assume(2 * len(changed & touched) >= len(touched) or changed - touched)
    world = filled()
    if last_first:
        world.panel.order = lambda account: -int(account.panel_client_id)
    for n in typed:
        world.panel.edit(account_of(world, f"C-{n}"), company=f"Przed {n}")
    for _ in range(2):
        world.tick(seconds=200)
    backup = world.panel.backup()
    for n in sorted(changed):
        world.exchange.update_client(f"C-{n}", street=f"Nowa {n}")
        world.tick(seconds=7)
    for _ in range(quiet + 1):
        world.tick(seconds=301)
    world.panel.restore(backup)
    world.pass_time(seconds=90)
    for n in touched:
        world.panel.edit(account_of(world, f"C-{n}"), city=f"Po {n}")
    for _ in range(5):
        world.tick()
    for n in range(NUMBER):
        row = world.exchange.client(f"C-{n}")
        assert row
        shown = world.panel.accounts[account_of(world, f"C-{n}")].values
        expected = {
            "street": f"Nowa {n}" if n in changed else CLIENT["street"],
            "city": f"Po {n}" if n in touched else CLIENT["city"],
            "company": f"Przed {n}" if n in typed else CLIENT["company"],
        }
        assert {name: row[name] for name in expected} == expected
        assert {name: shown[name] for name in expected} == expected
