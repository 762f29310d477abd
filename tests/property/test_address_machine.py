"""The promises of delivery addresses, as a state machine: both sides add, edit and delete, and everything goes wrong.

Every address is known by a line that nobody ever edits, and every edit writes a value that nobody ever wrote. At the
end of each history the faults stop, the machine turns until it is quiet, and then must hold:

* nothing lost: the last edit of each side reached the other side, or stands in a conflict or in the history;
* nothing doubled: no address is there twice on either side;
* nobody overwritten silently: the same sentence, for edits that the other side's edit or deletion beat;
* what was deleted stays deleted, unless the rules say that it is made anew;
* it settles: what both sides have is equal where nothing is held, and one side has nothing that the other lacks;
* quiet: a further turn writes nothing anywhere, no key reaches the queue, and a full scan would send none.

Whenever a client was worked, no address of which something is left to be carried is said to be in step.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from kartoteka import model
from kartoteka.fields.table import DELIVERY_ADDRESSES
from kartoteka.model import Side, Value, Values
from tests.address_world import CONCERN, LINES, AddressWorld, policy
from tests.property.faults import Faults
from tests.property.histories import histories

CUSTOMERS = ("C-1", "C-2")
EDITED = ("street", "city", "first_name")
BOTH, TO_PANEL, TO_ERP = "both", "erp_to_panel", "panel_to_erp"
CHOICES = [
    *itertools.product([BOTH], ["erp", "panel", "hold"], ["ignore", "propagate"]),
    *itertools.product([TO_PANEL, TO_ERP], ["hold"], ["ignore", "propagate"]),
]
"""Direction, conflict rule, what becomes of deletions."""
customers = st.sampled_from(CUSTOMERS)
fields = st.sampled_from(EDITED)
picks = st.integers(0, 5)
sides = st.sampled_from(Side)

Key = tuple[str, str]
"""Customer, and the line that an address is known by."""


class Addresses(Faults, RuleBasedStateMachine):
    """Two sides, two customers, a few addresses, and everything that can go wrong between them."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count(1)
        self.seen: dict[tuple[Side, Key, str], set[str]] = {}
        self.last: dict[tuple[Side, Key, str], str] = {}
        self.born: dict[Key, set[Side]] = {}
        self.deleted: dict[Key, set[Side]] = {}
        self.ever_deleted: set[Key] = set()
        self.moved: set[str] = set()
        self.away: dict[str, dict[str, Value]] = {}

    @initialize(choice=st.sampled_from(CHOICES), batch=st.sampled_from([1, 2, 100]))
    def begin(self, choice: tuple[str, str, str], batch: int) -> None:
        self.direction, self.conflict, self.deletes = choice
        self.world = AddressWorld(policy(*choice, batch=batch, attempts=100_000))
        brake = self.world.policy.brake.model_copy(update={"min_records": 10**6})
        self.world.policy = self.world.policy.model_copy(update={"brake": brake})
        self.accounts = {client_id: self.world.customer(client_id) for client_id in CUSTOMERS}

    # who is there

    def rows(self) -> list[tuple[str, Key]]:
        """Return id and key of each row of the ERP."""
        found = self.world.exchange.addresses.items()
        return [(item_id, (str(row["client_id"]), str(row["additional"]))) for item_id, row in found]

    def shown(self) -> list[tuple[str, Key]]:
        """Return id and key of each address of the panel."""
        owners = {account: client_id for client_id, account in self.accounts.items()}
        found = self.world.panel.delivery.items()
        return [(key, (owners[owner], str(address.values["additional"]))) for key, (owner, address) in found]

    def editable(self, side: Side) -> list[tuple[str, Key]]:
        """Return what somebody may touch on this side.

        Not in the panel an address whose adding was not answered yet, nor on either side one that both had from the
        beginning, or whose row got another id, and that was not compared yet: once the two differ, nobody could tell
        that they are the same.
        """
        exchange = self.world.exchange
        asked = {key: intent.values for key, intent in exchange.intents.items() if intent.making}
        bases = {key: base.erp for key, base in exchange.bases.items()}
        known = {key: (key.client_id, str(values.get("additional"))) for key, values in (asked | bases).items()}
        doubtful = {key for key, born in self.born.items() if born == set(Side)} - set(known.values())
        for item_id, key in self.rows():
            if key in known.values() and model.Key(key[0], "", CONCERN, item_id) not in known:
                doubtful.add(key)
        if side is Side.PANEL:
            doubtful |= {known[making] for making in asked}
        found = self.rows() if side is Side.ERP else self.shown()
        return [(item_id, key) for item_id, key in found if key not in doubtful]

    def lines(self) -> dict[str, Value]:
        return {**LINES, "street": f"new {next(self.numbers)}"}

    # the people

    @rule(customer=customers)
    def the_erp_adds(self, customer: str) -> None:
        number = next(self.numbers)
        key = customer, f"line {number}"
        self.world.exchange.insert_address(f"A-{number}", customer, **{**self.lines(), "additional": key[1]})
        self.comes(key, Side.ERP)
        self.note()

    @rule(customer=customers)
    def the_panel_adds(self, customer: str) -> None:
        key = customer, f"line {next(self.numbers)}"
        self.world.panel.add_address(self.accounts[customer], **{**self.lines(), "additional": key[1]})
        self.comes(key, Side.PANEL)
        self.note()

    @rule(customer=customers)
    def both_have_it_already(self, customer: str) -> None:
        number = next(self.numbers)
        key = customer, f"line {number}"
        values = {**self.lines(), "additional": key[1]}
        self.world.exchange.insert_address(f"A-{number}", customer, **{**values, "city": str(values["city"]).upper()})
        self.world.panel.add_address(self.accounts[customer], **values)
        for side in Side:
            self.comes(key, side)
        self.note()

    @rule(pick=picks, field=fields)
    def the_erp_edits(self, pick: int, field: str) -> None:
        if found := self.editable(Side.ERP):
            item_id, key = found[pick % len(found)]
            value = f"erp {next(self.numbers)}"
            self.world.exchange.update_address(item_id, **{field: value})
            self.last[Side.ERP, key, field] = value
            self.note()

    @rule(pick=picks, field=fields)
    def the_panel_edits(self, pick: int, field: str) -> None:
        if found := self.editable(Side.PANEL):
            address_id, key = found[pick % len(found)]
            value = f"panel {next(self.numbers)}"
            self.world.panel.edit_address(address_id, **{field: value})
            self.last[Side.PANEL, key, field] = value
            self.note()

    @rule(pick=picks)
    def the_erp_deletes(self, pick: int) -> None:
        if found := self.editable(Side.ERP):
            item_id, key = found[pick % len(found)]
            self.world.exchange.delete_address(item_id)
            self.goes(key, Side.ERP)

    @rule(pick=picks)
    def the_panel_deletes(self, pick: int) -> None:
        if found := self.editable(Side.PANEL):
            address_id, key = found[pick % len(found)]
            self.world.panel.remove_address(address_id)
            self.goes(key, Side.PANEL)

    @rule(pick=picks, loud=st.booleans())
    def the_erp_numbers_anew(self, pick: int, loud: bool) -> None:
        shown = {key: self.record(Side.PANEL, address_id) for address_id, key in self.shown()}
        rows = [(item_id, key, self.record(Side.ERP, item_id)) for item_id, key in self.editable(Side.ERP)]
        rows = [x for x in rows if x[1] in shown and x[1][1] not in self.moved]  # it might come back to two
        found = [x for x in rows if all(x[2][name] == shown[x[1]][name] for name in EDITED)]
        if found:
            item_id, key, values = found[pick % len(found)]
            self.note()
            self.world.exchange.delete_address(item_id)
            letters = {"city": str(values["city"]).upper()} if loud else {}
            renewed = {**_without_owner(values), **letters}
            self.world.exchange.insert_address(f"A-{next(self.numbers)}", key[0], **renewed)
            self.comes(key, Side.ERP)
            self.note()

    @rule(pick=picks, after=st.booleans())
    def the_run_dies_over_new_numbers(self, pick: int, after: bool) -> None:
        self.the_erp_numbers_anew(pick, loud=True)
        self.world.dies_at("update_addresses", after=after)
        self.world.look(*CUSTOMERS)
        self.note()

    @rule(pick=picks)
    def the_erp_moves_a_row(self, pick: int) -> None:
        taken = self.deletes == "propagate" and self.direction != TO_PANEL
        found = self.editable(Side.ERP)
        if found and not taken:  # a row that is made anew would need an id that the other customer's row has
            item_id, (customer, line) = found[pick % len(found)]
            other = CUSTOMERS[1 - CUSTOMERS.index(customer)]
            self.moved.add(line)
            self.world.exchange.update_address(item_id, client_id=other)
            self.goes((customer, line), Side.ERP)
            self.comes((other, line), Side.ERP)
            self.note()

    @rule()
    def the_table_is_emptied(self) -> None:
        for item_id, key in self.editable(Side.ERP):
            self.away[item_id] = dict(self.world.exchange.addresses[item_id])
            self.world.exchange.delete_address(item_id)
            self.goes(key, Side.ERP)

    @rule()
    def the_table_is_filled_again(self) -> None:
        there = {key for _, key in self.rows()}
        for item_id, values in self.away.items():
            key = str(values["client_id"]), str(values["additional"])
            if self.world.exchange.address(item_id) is None and key not in there:
                self.world.exchange.insert_address(item_id, key[0], **_without_owner(values))
                self.comes(key, Side.ERP)
                there.add(key)
        self.away.clear()
        self.note()

    @rule(side=sides)
    def a_person_decides(self, side: Side) -> None:
        for conflict_id in self.world.exchange.open_conflict_ids():
            self.world.exchange.decide(conflict_id, side.value)

    @rule(pick=picks, field=fields)
    def the_erp_edits_while_we_save(self, pick: int, field: str) -> None:
        self.world.exchange.before_save = lambda: self.once(lambda: self.the_erp_edits(pick, field))

    @rule(pick=picks)
    def the_erp_deletes_while_we_save(self, pick: int) -> None:
        self.world.exchange.before_save = lambda: self.once(lambda: self.the_erp_deletes(pick))

    def once(self, hand: Callable[[], None]) -> None:
        self.world.exchange.before_save = None
        hand()

    def comes(self, key: Key, side: Side) -> None:
        self.born.setdefault(key, set()).add(side)
        self.deleted.setdefault(key, set()).discard(side)

    def goes(self, key: Key, side: Side) -> None:
        self.deleted.setdefault(key, set()).add(side)
        self.ever_deleted.add(key)
        for field in EDITED:
            self.last.pop((side, key, field), None)

    # the machinery

    @rule()
    def collects(self) -> None:
        self.world.collect(CONCERN)

    @rule()
    def rotates(self) -> None:
        self.world.rotate()

    @rule()
    def works(self) -> None:
        self.world.work(CONCERN)
        self.note()

    @rule(customer=customers)
    def looks(self, customer: str) -> None:
        alone = self.world.exchange.before_save is None
        if self.world.look(customer) and alone:
            self.world.check_in_step(customer)
        self.note()

    @rule()
    def turns(self) -> None:
        self.world.turn()
        self.note()

    # the faults

    @rule(steps=st.integers(1, 9), after=st.booleans())
    def the_next_run_dies(self, steps: int, after: bool) -> None:
        self.world.mortal(steps, after=after)

    @rule(customer=customers)
    def a_result_is_missing(self, customer: str) -> None:
        self.world.panel.lose_result(customer)

    @rule(customer=customers)
    def the_panel_refuses(self, customer: str) -> None:
        self.world.panel.refuse(customer)

    @rule(customer=customers)
    def the_panel_accepts(self, customer: str) -> None:
        self.world.panel.accept(customer)

    @rule(pick=picks)
    def an_address_is_in_use(self, pick: int) -> None:
        if found := self.shown():
            self.world.panel.in_use ^= {found[pick % len(found)][0]}

    @rule()
    def messages_come_twice(self) -> None:
        self.world.queue.chunks.setdefault(CONCERN, []).extend(list(self.world.queue.chunks.get(CONCERN, [])))

    @rule()
    def the_cloud_forgets(self) -> None:
        self.world.state.documents.clear()
        self.world.queue.chunks.clear()

    # looking

    def note(self) -> None:
        """Remember every value that each side was ever seen with."""
        for side, found in ((Side.ERP, self.rows()), (Side.PANEL, self.shown())):
            for item_id, key in found:
                record = self.record(side, item_id)
                for field in EDITED:
                    self.seen.setdefault((side, key, field), set()).add(str(record[field]))

    def record(self, side: Side, item_id: str) -> Values:
        if side is Side.ERP:
            return self.world.exchange.addresses[item_id]
        return self.world.panel.delivery[item_id][1].values

    def writes(self) -> tuple[int, int, int]:
        calls = self.world.panel.calls()
        return (
            sum(n for gate, n in calls.items() if not gate.startswith("GET")),
            len(self.world.exchange.history),
            self.world.exchange.log_head(),
        )

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.exchange.before_save = None
        world.mortal(10**9)
        world.panel.recover()
        world.panel.in_use.clear()
        for customer in CUSTOMERS:
            world.panel.accept(customer)
        for _ in range(4):
            world.turn()
            self.note()
            self.what_is_not_deleted_is_deleted_by_hand()
        before, queued, states = self.writes(), world.counts.collected, dict(world.exchange.states)
        for _ in range(2):
            world.turn()
        assert self.writes() == before, "it is not quiet"
        assert world.counts.collected == queued, "keys still reach the queue"
        assert not world.differing(), "a full scan would send keys"
        assert world.exchange.states == states, "what is known still changes"
        self.check()

    def what_is_not_deleted_is_deleted_by_hand(self) -> None:
        for key, status in list(self.world.exchange.statuses.items()):
            if status.code == "not_deleted":
                address_id = self.world.exchange.states[key].panel_id
                self.goes(dict(self.shown())[address_id], Side.PANEL)
                self.world.panel.remove_address(address_id)

    def check(self) -> None:
        there = {Side.ERP: dict(map(reversed, self.rows())), Side.PANEL: dict(map(reversed, self.shown()))}  # type: ignore[arg-type]
        for side, found in ((Side.ERP, self.rows()), (Side.PANEL, self.shown())):
            twice = [key for key, n in Counter(key for _, key in found).items() if n > 1]
            assert not twice, f"doubled in {side}: {twice}"
        for key in self.born:
            self.check_sides(key, {side for side in Side if key in there[side]})
            if key in there[Side.ERP] and key in there[Side.PANEL]:
                self.check_equal(key, there[Side.ERP][key], there[Side.PANEL][key])
        for side, key, field in self.last:
            self.check_edit(side, key, field)

    def check_sides(self, key: Key, present: set[Side]) -> None:
        """Check which sides have an address at last."""
        gone = self.deleted[key]
        waiting = any(self.is_open(key, field) for field in EDITED)
        if self.deletes == "ignore":
            assert not gone & present, f"{key} was deleted in {gone} and brought back"
            missing = set(Side) - present - gone
        else:
            missing = set(Side) - present if present and not waiting else set()
            if self.direction == BOTH and gone and not present and not self.was_edited(key):
                return
            if self.direction == BOTH and gone == set(Side):
                assert not present or self.was_edited(key), f"{key} was deleted on both sides and is in {present}"
        if self.direction == TO_PANEL and self.born[key] == {Side.PANEL}:
            missing.discard(Side.ERP)
        if (
            self.direction == TO_ERP
            and Side.ERP in self.born[key]
            and (Side.PANEL not in self.born[key] or key in self.ever_deleted)
        ):
            missing.discard(Side.PANEL)
        if present and key not in self.ever_deleted:
            assert not missing, f"{key} is missing in {missing}"
        elif present and self.deletes == "propagate":
            assert not missing, f"{key} is in {present} only"

    def was_edited(self, key: Key) -> bool:
        return any(known == key for _, known, _ in self.last)

    def check_equal(self, key: Key, item_id: str, address_id: str) -> None:
        row, shown = self.record(Side.ERP, item_id), self.record(Side.PANEL, address_id)
        status = self.world.exchange.status(key[0], CONCERN, item_id)
        if status and status.code.startswith("deleted"):
            assert key in self.ever_deleted, f"{key} is on both sides, nobody has deleted it, and it is {status.code}"
            return
        for name, field in DELIVERY_ADDRESSES.items():
            if not self.is_open(key, name):
                assert field.normalise(row[name], row) == field.normalise(shown[name], shown), f"{key}.{name} differs"

    def is_open(self, key: Key, field: str) -> bool:
        ids = {item_id for item_id, known in self.rows() if known == key}
        bases = self.world.exchange.bases.items()
        ids |= {found.item_id for found, base in bases if base.erp.get("additional") == key[1]}
        open_ones = (c for c in self.world.exchange.conflicts if c.closed_at is None and c.client_id == key[0])
        return any(c.item_id in ids and c.field == field for c in open_ones)

    def check_edit(self, side: Side, key: Key, field: str) -> None:
        value = self.last[side, key, field]
        other = Side.PANEL if side is Side.ERP else Side.ERP
        if key in self.ever_deleted and self.deletes == "ignore":
            return
        if self.direction != BOTH and self.born[key] != {Side.ERP if self.direction == TO_PANEL else Side.PANEL}:
            return
        exchange = self.world.exchange
        told = {v for c in exchange.conflicts for v in (c.erp_value, c.panel_value)}
        told |= {v for h in exchange.history for v in (h.value_before, h.value_after)}
        assert value in self.seen.get((other, key, field), set()) or value in told, f"lost: {key}.{field} = {value!r}"


def _without_owner(values: Values) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name != "client_id"}


TestAddresses = Addresses.TestCase
TestAddresses.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

HISTORIES = histories(300)
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_many_histories(part: int) -> None:
    """Longer and denser histories than hypothesis draws, one for each seed: a failing seed can be run again alone."""
    for seed in range(part, HISTORIES, PARTS):
        live(seed)


def live(seed: int) -> None:
    """Live through the history of one seed: mostly edits, deletions and work, with a fault now and then."""
    chance = random.Random(seed)
    machine = Addresses()
    machine.begin(chance.choice(CHOICES), chance.choice([1, 100]))
    customer, pick, field = (
        (lambda: chance.choice(CUSTOMERS)),
        (lambda: chance.randint(0, 5)),
        (lambda: chance.choice(EDITED[:2])),
    )
    for begin in chance.choices([machine.the_erp_adds, machine.the_panel_adds, machine.both_have_it_already], k=2):
        begin(CUSTOMERS[0])
    steps: list[tuple[int, Callable[[], None]]] = [
        (2, lambda: machine.the_erp_adds(customer())),
        (2, lambda: machine.the_panel_adds(customer())),
        (1, lambda: machine.both_have_it_already(customer())),
        (6, lambda: machine.the_erp_edits(pick(), field())),
        (6, lambda: machine.the_panel_edits(pick(), field())),
        (2, lambda: machine.the_erp_deletes(pick())),
        (2, lambda: machine.the_panel_deletes(pick())),
        (1, lambda: machine.the_erp_numbers_anew(pick(), loud=chance.random() < 0.5)),
        (1, lambda: machine.the_run_dies_over_new_numbers(pick(), after=chance.random() < 0.5)),
        (1, lambda: machine.the_erp_moves_a_row(pick())),
        (1, machine.the_table_is_emptied),
        (3, machine.the_table_is_filled_again),
        (2, lambda: machine.a_person_decides(chance.choice(list(Side)))),
        (1, lambda: machine.the_erp_edits_while_we_save(pick(), field())),
        (1, lambda: machine.the_erp_deletes_while_we_save(pick())),
        (5, machine.collects),
        (4, machine.rotates),
        (8, machine.works),
        (4, lambda: machine.looks(customer())),
        (2, machine.turns),
        (3, lambda: machine.the_next_run_dies(chance.randint(1, 8), after=chance.random() < 0.5)),
        (3, machine.a_reply_is_lost),
        (1, lambda: machine.a_result_is_missing(customer())),
        (1, lambda: machine.the_panel_is_away(chance.randint(1, 3))),
        (1, lambda: machine.the_panel_refuses(customer())),
        (1, lambda: machine.the_panel_accepts(customer())),
        (1, lambda: machine.an_address_is_in_use(pick())),
        (1, machine.messages_come_twice),
        (1, lambda: machine.time_passes(chance.choice([1, 200, 4000]))),
    ]
    if chance.random() < 0.1:
        steps.append((1, machine.the_cloud_forgets))
    weights = [weight for weight, _ in steps]
    for _, step in chance.choices(steps, weights, k=chance.randint(10, 60)):
        step()
    try:
        machine.teardown()
    except AssertionError as exc:
        raise AssertionError(f"seed {seed}: {exc}") from exc
