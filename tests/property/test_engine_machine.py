"""The promises, as a state machine: both sides edit, replies are lost, steps are killed, messages come twice.

Every value that is ever written is unique, so that it can be told what became of each edit. At the end of each
history the faults stop, the machine ticks until it is quiet, and then must hold:

* nothing lost: the last edit of each side reached the other side, or stands in a conflict;
* nothing doubled: no two accounts carry one code, and no mail was sent;
* nobody overwritten silently: the same sentence, for edits that the other side's edit beat;
* it settles: both sides are equal where nothing is held;
* quiet: a further tick writes nothing anywhere.

Clients are excluded from a concern and included again all the while, and all are included at the end. Of one that was
excluded when a run began nothing is written.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from kartoteka.fields.table import BILLING
from kartoteka.model import Side
from kartoteka.policy import FieldRule, parse
from kartoteka.ports.panel import Search
from tests.fakes.exchange import ErpTransaction
from tests.property.faults import Faults
from tests.property.histories import histories
from tests.world import CLIENT, CONCERNS, World

CLIENTS = ("C-1", "C-2", "C-3")
EDITED = ("street", "city", "company", "nip")
POLICIES = (
    '{"retry": {"max_attempts": 100000}}',
    '{"retry": {"max_attempts": 100000}, "billing": {"conflict": "panel"}}',
    '{"retry": {"max_attempts": 100000}, "billing": {"conflict": "hold"}}',
    (
        '{"retry": {"max_attempts": 100000}, "panel": {"batch_size": 1}, '
        '"billing": {"fields": {"city": {"conflict": "hold"}, "company": {"direction": "panel_to_erp"}}}}'
    ),
)
clients = st.sampled_from(CLIENTS)
fields = st.sampled_from(EDITED)
concerns = st.sampled_from(CONCERNS)


class Synchronisation(Faults, RuleBasedStateMachine):
    """Two sides, three customers, and everything that can go wrong between them."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count(1)
        self.seen: dict[tuple[Side, str, str], list[str]] = {}
        self.last: dict[tuple[Side, str, str], str] = {}
        self.slow: tuple[ErpTransaction, str, str, str] | None = None

    @initialize(policy=st.sampled_from(POLICIES))
    def begin(self, policy: str) -> None:
        given = parse(policy)
        fields = {"nip": FieldRule(protect=False), **given.billing.fields}
        unguarded = given.billing.model_copy(update={"check_tax_numbers": False, "fields": fields})
        self.world = World(given.model_copy(update={"billing": unguarded}))  # all edits are plain texts here

    # the people

    @rule(client=clients)
    def insert(self, client: str) -> None:
        if not self.world.exchange.has_client(self.now(client)):
            self.world.exchange.insert_client(self.now(client), **CLIENT)
            self.note()

    @rule(client=clients, field=fields)
    def erp_edits(self, client: str, field: str) -> None:
        if self.world.exchange.has_client(self.now(client)):
            value = f"erp {next(self.numbers)}"
            self.world.exchange.update_client(self.now(client), **{field: value})
            self.last[Side.ERP, client, field] = value
            self.note()

    @rule(client=clients, field=fields)
    def panel_edits(self, client: str, field: str) -> None:
        if account := self.account_of(client):
            self.note()  # it may come in the middle of a run that has just written
            self.world.pass_time(seconds=3)  # within two seconds of our write nobody could tell it from our own
            value = f"panel {next(self.numbers)}"
            self.world.panel.edit(account, **{field: value})
            self.last[Side.PANEL, client, field] = value
            self.note()

    @rule(client=clients, field=fields)
    def both_edit_alike(self, client: str, field: str) -> None:
        if account := self.account_of(client):
            self.world.pass_time(seconds=3)
            value = f"both {next(self.numbers)}"
            self.world.panel.edit(account, **{field: value})
            self.world.exchange.update_client(self.now(client), **{field: value})
            self.last[Side.ERP, client, field] = self.last[Side.PANEL, client, field] = value
            self.note()

    @rule(side=st.sampled_from(Side))
    def a_person_decides(self, side: Side) -> None:
        for conflict_id in self.world.exchange.open_conflict_ids():
            self.world.exchange.decide(conflict_id, side.value)

    @rule(client=clients, concern=concerns)
    def is_excluded(self, client: str, concern: str) -> None:
        self.world.exchange.exclude(self.now(client), concern)

    @rule(client=clients, concern=concerns)
    def is_included(self, client: str, concern: str) -> None:
        self.world.exchange.include(self.now(client), concern)

    @rule(client=clients)
    def the_row_is_touched(self, client: str) -> None:
        if self.world.exchange.has_client(self.now(client)):
            self.world.exchange.update_client(self.now(client), email=CLIENT["email"])

    @rule(client=clients, field=fields)
    def a_slow_transaction_begins(self, client: str, field: str) -> None:
        if self.slow is None and self.world.exchange.has_client(self.now(client)):
            value = f"slow {next(self.numbers)}"
            transaction = self.world.exchange.transaction()
            transaction.update_client(self.now(client), **{field: value})
            self.slow = (transaction, client, field, value)

    @rule(commits=st.booleans())
    def the_slow_transaction_ends(self, commits: bool) -> None:
        if self.slow is None:
            return
        transaction, client, field, value = self.slow
        self.slow = None
        if not commits:
            transaction.rollback()
            return
        transaction.commit()
        self.last[Side.ERP, client, field] = value
        self.note()

    @rule(client=clients, field=fields)
    def the_erp_edits_while_we_save(self, client: str, field: str) -> None:
        self.world.exchange.before_save = lambda: self.edit_once(client, field)

    @rule(client=clients, field=fields)
    def the_panel_edits_while_its_pages_are_read(self, client: str, field: str) -> None:
        def edit(_search: Search, _page: int) -> None:
            self.world.panel.while_paging = None
            self.world.pass_time(seconds=1)
            self.panel_edits(client, field)

        self.world.panel.while_paging = edit

    @rule(backwards=st.booleans())
    def the_panel_lists_by_date(self, backwards: bool) -> None:
        sign = -1 if backwards else 1
        self.world.panel.order = lambda account: sign * (account.modified_at.timestamp() if account.modified_at else 0)

    def edit_once(self, client: str, field: str) -> None:
        self.world.exchange.before_save = None
        self.erp_edits(client, field)

    # the machinery

    @rule(concern=concerns)
    def collects(self, concern: str) -> None:
        self.runs(lambda: self.world.collect(concern))

    @rule()
    def follows(self) -> None:
        self.runs(self.world.follow)

    @rule(concern=concerns)
    def works(self, concern: str) -> None:
        self.runs(lambda: self.world.work(concern))

    @rule()
    def ticks(self) -> None:
        self.runs(self.world.tick)

    def runs(self, move: Callable[[], object]) -> None:
        """Let something run; of who is excluded nothing is written, and nothing of it is in conflict."""
        written, raised = len(self.world.exchange.history), len(self.world.exchange.conflicts)
        move()
        told = [(h.client_id, h.concern) for h in self.world.exchange.history[written:]]
        told += [(c.client_id, c.concern) for c in self.world.exchange.conflicts[raised:]]
        assert not self.world.exchange.excluded.keys() & told, "of an excluded client something was written"
        self.note()

    # the faults

    @rule(steps=st.integers(1, 12), after=st.booleans())
    def the_next_run_dies(self, steps: int, after: bool) -> None:
        self.world.mortal(steps, after=after)

    @rule(client=clients)
    def a_result_is_missing(self, client: str) -> None:
        self.world.panel.lose_result(self.now(client))

    @rule(client=clients)
    def the_panel_refuses(self, client: str) -> None:
        self.world.panel.refuse(self.now(client))

    @rule(client=clients)
    def the_panel_accepts(self, client: str) -> None:
        self.world.panel.accept(self.now(client))

    @rule(client=clients)
    def look_ups_do_not_show_an_account(self, client: str) -> None:
        if link := self.world.exchange.links.get(self.now(client)):
            self.world.panel.unseen.add(link.panel_client_id)

    @rule()
    def look_ups_show_all_accounts(self) -> None:
        self.world.panel.unseen.clear()

    @rule()
    def the_key_is_wrong(self) -> None:
        self.world.panel.halt()

    @rule()
    def the_key_is_right(self) -> None:
        self.world.panel.recover()

    @rule(concern=concerns)
    def messages_come_twice(self, concern: str) -> None:
        self.world.queue.chunks.setdefault(concern, []).extend(list(self.world.queue.chunks.get(concern, [])))

    @rule()
    def the_cloud_forgets(self) -> None:
        self.world.state.documents.clear()
        self.world.queue.chunks.clear()

    # looking

    def now(self, client: str) -> str:
        """Return the code of a client."""
        return client

    def account_of(self, client: str) -> str | None:
        found = [a for a in self.world.panel.accounts.values() if a.external_code == self.now(client)]
        return found[0].panel_client_id if found else None

    def note(self) -> None:
        """Remember every value that each side was ever seen with."""
        for client in CLIENTS:
            row = self.world.exchange.client(self.now(client))
            account = self.account_of(client)
            shown = self.world.panel.accounts[account].values if account else {}
            for field in EDITED:
                for side, record in ((Side.ERP, row or {}), (Side.PANEL, shown)):
                    values = self.seen.setdefault((side, client, field), [])
                    value = str(record.get(field) or "")
                    if not values or values[-1] != value:
                        values.append(value)

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
        self.the_slow_transaction_ends(commits=True)
        world.exchange.before_save = None
        world.panel.while_paging = None
        world.mortal(10**9)
        world.panel.recover()
        for client in CLIENTS:
            world.panel.accept(self.now(client))
            for concern in CONCERNS:
                self.is_included(client, concern)
        for _ in range(6):
            world.tick()
            self.note()
        before = self.writes()
        queued = world.counts.collected
        for _ in range(2):
            world.tick()
        assert self.writes() == before, "it is not quiet"
        assert world.counts.collected == queued, "keys still reach the queues"
        self.check_nothing_doubled()
        for client in CLIENTS:
            self.check_customer(client)

    def check_nothing_doubled(self) -> None:
        codes = [a.external_code for a in self.world.panel.accounts.values()]
        assert len(codes) == len(set(codes)), "an account was doubled"
        assert not self.world.panel.notified

    def check_customer(self, client: str) -> None:
        now = self.now(client)
        row = self.world.exchange.client(now)
        if row is None:
            return
        account = self.account_of(client)
        assert account, f"{client} has no account"
        shown = self.world.panel.accounts[account].values
        told = {v for c in self.world.exchange.conflicts if c.client_id == now for v in (c.erp_value, c.panel_value)}
        held = {c.field for c in self.world.exchange.conflicts if c.client_id == now and c.closed_at is None}
        for field in EDITED:
            if field not in held:
                assert BILLING[field].normalise(row[field], row) == BILLING[field].normalise(shown[field], shown), (
                    f"{client}.{field} did not settle: {row[field]!r} / {shown[field]!r}"
                )
            self.check_edit(Side.ERP, Side.PANEL, client, field, told)
            self.check_edit(Side.PANEL, Side.ERP, client, field, told)

    def check_edit(self, side: Side, other: Side, client: str, field: str, told: set[str | None]) -> None:
        value = self.last.get((side, client, field))
        source = "erp_to_panel" if field == "nip" else self.direction(field)
        if value is None or source not in ("both", f"{side.value}_to_{other.value}"):
            return
        assert value in self.seen[other, client, field] or value in told, f"lost: {client}.{field} = {value!r} ({side})"

    def direction(self, field: str) -> str:
        rule_ = self.world.policy.billing.fields.get(field)
        return str(rule_.direction) if rule_ and rule_.direction else "both"


TestSynchronisation = Synchronisation.TestCase
TestSynchronisation.settings = settings(
    max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

HISTORIES = histories(500)
PARTS = 4


@pytest.mark.fault(1, 2, 6, 18, 26)
@pytest.mark.parametrize("part", range(PARTS))
def test_many_histories(part: int) -> None:
    """Longer and denser histories than hypothesis draws, one for each seed: a failing seed can be run again alone."""
    for seed in range(part, HISTORIES, PARTS):
        live(seed)


def live(seed: int) -> None:
    """Live through the history of one seed: mostly edits of one field and work, with a fault now and then."""
    chance = random.Random(seed)
    machine = Synchronisation()
    machine.begin(chance.choice(POLICIES))
    client, field, concern = (
        (lambda: chance.choice(CLIENTS[:2])),
        (lambda: chance.choice(EDITED[:3])),
        (lambda: chance.choice(CONCERNS)),
    )
    machine.insert(CLIENTS[0])
    steps: list[tuple[int, Callable[[], None]]] = [
        (2, lambda: machine.insert(client())),
        (8, lambda: machine.erp_edits(client(), field())),
        (8, lambda: machine.panel_edits(client(), field())),
        (1, lambda: machine.both_edit_alike(client(), field())),
        (2, lambda: machine.a_person_decides(chance.choice(list(Side)))),
        (1, lambda: machine.a_slow_transaction_begins(client(), field())),
        (1, lambda: machine.the_slow_transaction_ends(commits=chance.random() < 0.8)),
        (1, lambda: machine.the_erp_edits_while_we_save(client(), field())),
        (1, lambda: machine.the_panel_edits_while_its_pages_are_read(client(), field())),
        (1, lambda: machine.the_panel_lists_by_date(chance.random() < 0.5)),
        (8, lambda: machine.collects(concern())),
        (5, machine.follows),
        (10, lambda: machine.works(concern())),
        (2, machine.ticks),
        (3, lambda: machine.the_next_run_dies(chance.randint(1, 8), after=chance.random() < 0.5)),
        (3, machine.a_reply_is_lost),
        (1, lambda: machine.a_result_is_missing(client())),
        (1, lambda: machine.the_panel_is_away(chance.randint(1, 3))),
        (1, lambda: machine.the_panel_refuses(client())),
        (2, lambda: machine.look_ups_do_not_show_an_account(client())),
        (1, machine.look_ups_show_all_accounts),
        (1, lambda: machine.the_panel_accepts(client())),
        (1, lambda: machine.messages_come_twice(concern())),
        (2, lambda: machine.is_excluded(client(), chance.choice(["accounts", "billing", concern()]))),
        (3, lambda: machine.is_included(client(), chance.choice(["accounts", "billing", concern()]))),
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
