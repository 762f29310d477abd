"""Undo at any moment, whatever both sides do before and after, and whatever dies: no later edit is lost; it settles.

Every edit is of a value that there was never before, so that it can be told whose value stands in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kartoteka.desk import undo
from kartoteka.errors import Retry
from kartoteka.model import Ended
from kartoteka.policy import Policy
from kartoteka.ports.exchange import Chosen, Which
from tests.property.histories import histories
from tests.world import CLIENT, World

CLIENTS = ("C-1", "C-2")
FIELDS = ("city", "company", "phone")
Place = tuple[str, str]

Act = tuple[str, int, int, int]
"""What, which client, which field, and a number."""

acts = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("erp", "panel")), st.integers(0, 1), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("tick"), st.just(0), st.just(0), st.just(0)),
        st.tuples(st.sampled_from(("die", "die_after", "lose", "out")), st.just(0), st.just(0), st.integers(1, 14)),
    ),
    max_size=8,
)


@dataclass
class History:
    """A world, and every edit that a person has made there: by place, the values in order."""

    world: World
    edits: dict[Place, list[str]] = field(default_factory=dict)
    number: int = 0

    def value(self, name: str) -> str:
        self.number += 1
        return f"60070{self.number:04}" if name == "phone" else f"Miasto {self.number}"

    def do(self, what: str, which: int, name: int, number: int) -> None:
        world, place = self.world, (CLIENTS[which], FIELDS[name])
        if what in ("erp", "panel"):
            value = self.value(place[1])
            self.edits.setdefault(place, []).append(value)
            if what == "erp":
                world.exchange.update_client(place[0], **{place[1]: value})
            else:
                world.panel.edit(str(which + 1), **{place[1]: value})
            world.pass_time(seconds=70)
        elif what == "tick":
            world.tick()
        elif what == "lose":
            world.panel.lose_reply()
        elif what == "out":
            world.panel.fail(*[Retry("timeout")] * (number % 3 + 1))
        else:
            world.collect("billing", everything_due=True)
            world.mortal(number, after=what == "die_after")
            world.work("billing")
            world.pass_time(seconds=5)  # an edit in the very second of our own write counts as the panel's form of it

    def shown(self, place: Place) -> tuple[Any, Any]:
        row = self.world.exchange.client(place[0])
        assert row is not None
        return row[place[1]], self.world.panel.accounts[str(CLIENTS.index(place[0]) + 1)].values.get(place[1])

    def approve_what_is_left(self) -> None:
        """Approve what was planned anew of records that were stale, and carry it out."""
        if self.world.exchange.plans.decide(Chosen(undo=True), "approve", "anna"):
            self.settle()

    def settle(self) -> None:
        self.world.panel.recover()
        for _ in range(5):
            self.world.tick()
            self.world.pass_time(minutes=11)


def installed(policy: dict[str, Any]) -> History:
    world = World(Policy.model_validate(policy)).knows_the_panel()
    for number, client_id in enumerate(CLIENTS):
        world.exchange.insert_client(client_id, **{**CLIENT, "email": f"{number}@firma.pl", "nip": None})
        world.tick()
    world.tick()
    return History(world)


@settings(max_examples=histories(80), deadline=None)
@given(before=acts, after=acts, chosen=st.integers(0, 7), winner=st.sampled_from(("erp", "panel")), late=acts)
@example(
    before=[("erp", 0, 0, 0), ("tick", 0, 0, 0)],
    after=[("die_after", 0, 0, 5), ("panel", 0, 0, 0)],
    chosen=0,
    winner="erp",
    late=[],
)
@example(
    before=[("erp", 0, 0, 0), ("erp", 0, 2, 0), ("tick", 0, 0, 0)],
    after=[("lose", 0, 0, 1), ("tick", 0, 0, 0), ("erp", 0, 0, 0)],
    chosen=0,
    winner="panel",
    late=[],
)
def test_no_later_edit_is_lost_and_it_settles(
    before: Sequence[Act], late: Sequence[Act], after: Sequence[Act], chosen: int, winner: str
) -> None:
    history = installed({"billing": {"conflict": winner}})
    world = history.world
    begun = {(c, name): history.shown((c, name))[0] for c in CLIENTS for name in FIELDS}
    for act in before:
        history.do(*act)
    runs = list(dict.fromkeys(row.run_id for row in world.exchange.history if row.concern == "billing"))
    if not runs:
        return
    run = runs[chosen % len(runs)]
    undone = {
        (row.client_id, row.field): (row.value_before, row.value_after)
        for row in reversed(world.exchange.history)
        if row.run_id == run and row.concern == "billing" and row.reason != "create"
    }
    known = {place: list(some) for place, some in history.edits.items()}
    for act in late:
        history.do(*act)
    undo.plan(world.exchange.ports, Which(run), world.policy, now=world.time, by="anna", yes=True)
    for act in after:
        history.do(*act)
    history.settle()
    history.approve_what_is_left()
    for place, start in begun.items():
        erp, panel = history.shown(place)
        assert erp == panel
        since = [value for value in history.edits.get(place, ()) if value not in known.get(place, ())]
        if since:  # somebody has edited since: that stays, or what the other side had edited before that
            assert erp in {*since, *known.get(place, ())} - {undone.get(place, (None, None))[0]}
        elif place in undone:
            assert erp in {*undone[place], start, *known.get(place, ())}
        else:
            assert erp == (known.get(place) or [start])[-1] or erp in known[place]
    assert not [row for row in world.exchange.planned.values() if row.outcome is None]
    moved = (list(world.exchange.history), world.panel.backup(), dict(world.exchange.clients))
    for _ in range(2):
        world.tick()
    assert (list(world.exchange.history), world.panel.backup(), dict(world.exchange.clients)) == moved


@settings(max_examples=histories(60), deadline=None)
@given(
    edits=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.booleans()), min_size=1, max_size=5),
    deaths=st.lists(st.tuples(st.integers(1, 14), st.booleans()), max_size=3),
)
def test_what_nobody_has_edited_since_is_all_restored(
    edits: Sequence[tuple[int, int, bool]], deaths: Sequence[tuple[int, bool]]
) -> None:
    history = installed({})
    world = history.world
    start = {(c, name): history.shown((c, name)) for c in CLIENTS for name in FIELDS}
    since = world.time
    for which, name, in_panel in edits:
        history.do("panel" if in_panel else "erp", which, name, 0)
        world.tick()
    undo.plan(world.exchange.ports, Which(since=since), world.policy, now=world.time, by="", yes=True)
    for step, after in deaths:
        history.do("die_after" if after else "die", 0, 0, step)
    history.settle()
    assert {place: history.shown(place) for place in start} == start
    assert {row.outcome for row in world.exchange.planned.values()} == {Ended.DONE}
