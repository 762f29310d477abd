"""A panel that alters what it takes, now in this way and now in that, while both sides edit and replies are lost.

At every moment: the ERP's row holds what the ERP wrote last, or what a user of the panel wrote; never a damaged form of
its own text, never an older value of ours. In the end: what is in step is equal up to forms that were noted, what was
not taken is held, and then nothing is written any more.
"""

from __future__ import annotations

import html
import itertools
import os

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kartoteka.codes import State
from kartoteka.fields.table import BILLING
from kartoteka.model import Key, Value
from kartoteka.policy import parse
from tests.helpers import left_undone
from tests.property.faults import Deaths
from tests.world import CLIENT, World

HISTORIES = int(os.environ.get("KARTOTEKA_HISTORIES", "200"))
CLIENTS = ("C-0", "C-1")
FIELDS = ("street", "company", "first_name", "language")
TEXTS = ("Firma {} & Syn", "Żółw {} 😀 dalej {}", "Bardzo, bardzo długa nazwa firmy {}", "{}", "00{}")
LANGUAGES = ("pol", "eng", "ger")
MANNERS = ("none", "cut", "escape", "three bytes", "zeros", "ignore street", "ignore language", "capitals")
clients, fields = st.sampled_from(CLIENTS), st.sampled_from(FIELDS)


class Taking(Deaths, RuleBasedStateMachine):
    """Two customers, two editors, and a panel with manners."""

    @initialize(conflict=st.sampled_from(["erp", "panel", "hold"]), batch=st.sampled_from([1, 100]))
    def install(self, conflict: str, batch: int) -> None:
        one_way = '"first_name": {"direction": "erp_to_panel"}'
        billing = f'{{"conflict": "{conflict}", "fields": {{{one_way}}}}}'
        policy = f'{{"billing": {billing}, "panel": {{"batch_size": {batch}}}, "retry": {{"max_attempts": 100000}}}}'
        self.world = World(parse(policy)).knows_the_panel()
        self.world.panel.keeps = self.keeps
        self.manner = "none"
        self.numbers = itertools.count(1)
        self.by_erp: dict[tuple[str, str], Value] = {}
        self.by_panel: set[Value] = set()
        for n, client in enumerate(CLIENTS):
            row = {**CLIENT, "first_name": "Jan", "nip": "", "email": f"{n}@firma.pl", "language": "pol"}
            self.world.exchange.insert_client(client, **row)
            self.by_erp |= {(client, field): row[field] for field in FIELDS}
        self.world.tick()

    def keeps(self, name: str, value: Value, before: Value) -> Value:
        """What the panel makes of a value that it is handed."""
        if f"ignore {name}" == self.manner:
            return before
        if not isinstance(value, str) or name not in FIELDS[:3]:
            return value
        done = {
            "cut": value[:20],
            "escape": html.escape(value),
            "three bytes": value.partition("😀")[0],
            "zeros": value.lstrip("0") if value.isdigit() else value,
            "capitals": value.upper(),
        }
        return done.get(self.manner, value)

    @rule(manner=st.sampled_from(MANNERS))
    def behave(self, manner: str) -> None:
        self.manner = manner

    # --- the people

    @rule(client=clients, field=fields, text=st.sampled_from(TEXTS), language=st.sampled_from(LANGUAGES))
    def erp_edits(self, client: str, field: str, text: str, language: str) -> None:
        number = next(self.numbers)
        value = language if field == "language" else text.format(number, number)
        self.by_erp[client, field] = value
        self.world.exchange.update_client(client, **{field: value})

    @rule(client=clients, field=fields, text=st.sampled_from(TEXTS), language=st.sampled_from(LANGUAGES))
    def panel_edits(self, client: str, field: str, text: str, language: str) -> None:
        if link := self.world.exchange.links.get(client):
            self.world.pass_time(seconds=3)
            value = language if field == "language" else "panel " + text.format(next(self.numbers), "")
            self.by_panel.add(value)
            self.world.panel.edit(link.panel_client_id, **{field: value})

    # --- the cloud

    @rule()
    def collect(self) -> None:
        self.world.collect("billing")

    @rule()
    def work(self) -> None:
        self.world.work("billing")

    @rule()
    def follow(self) -> None:
        self.world.follow()

    @rule(seconds=st.sampled_from([3, 61, 600]))
    def wait(self, seconds: int) -> None:
        self.world.pass_time(seconds=seconds)

    # --- what must hold

    @invariant()
    def the_row_holds_what_somebody_wrote(self) -> None:
        if not hasattr(self, "world"):
            return
        for client, field in itertools.product(CLIENTS, FIELDS):
            value = self.world.exchange.clients[client][field]
            one_way = field in ("first_name", "language")
            written = value == self.by_erp[client, field]
            assert written or (value in self.by_panel and not one_way), (client, field, value)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.mortal(10**9)
        world.panel.recover()
        for _ in range(14):
            world.tick()
            self.the_row_holds_what_somebody_wrote()
        before = self._written()
        world.tick()
        world.tick()
        assert self._written() == before, "not quiet"
        assert left_undone(world, "billing") == {}
        assert left_undone(world, "billing", asked=True) == {}
        for client in CLIENTS:
            self._is_equal_up_to_forms(client)

    def _written(self) -> tuple[int, int, int]:
        calls = sum(n for gate, n in self.world.panel.calls().items() if not gate.startswith("GET"))
        return calls, len(self.world.exchange.history), self.world.counts.collected

    def _is_equal_up_to_forms(self, client: str) -> None:
        world = self.world
        status, row = world.exchange.status(client, "billing"), world.exchange.clients[client]
        base = world.exchange.bases[Key(client, "", "billing")]
        shown = world.panel.accounts[world.exchange.links[client].panel_client_id].values
        held = {c.field for c in world.exchange.conflicts if c.client_id == client and c.closed_at is None}
        assert status
        assert status.code in ("", "not_taken", "conflict"), status
        for field in FIELDS:
            erp, panel = (BILLING[field].normalise(v[field], {}) for v in (row, shown))  # type: ignore[arg-type]
            noted = (base.erp[field], base.panel.get(field)) == (row[field], shown[field])
            assert erp == panel or noted or field in held, (field, row[field], shown[field], base)
            damaged = "".join(erp.split()).casefold() != "".join(panel.split()).casefold() and field not in held
            assert not damaged or status.state is not State.IN_STEP, (field, erp, panel)


TestTaking = Taking.TestCase
TestTaking.settings = settings(
    max_examples=HISTORIES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
