"""A panel that alters what it takes, now in this way and now in that, and is restored; an ERP whose trigger rewrites.

Both sides edit, also within the two seconds in which nobody can tell an edit from our own write, replies are lost, and
pages move while they are read.

At every moment: the ERP's row holds what the ERP wrote last, or what a user of the panel wrote that was not overruled
since, in the form that its trigger gives it; never a damaged form of its own text, never an older value of ours.

In the end: what is in step is equal up to forms that were noted; a field is held as ``not_taken``, with both values,
exactly where the panel shows something else than what it took, and never for a user's edit but within those two
seconds; a former value was sent again three times before, another form never; what we have overwritten in the panel is
told; the limit is what the ERP's trigger made of it; and then nothing is written any more.
"""

from __future__ import annotations

import html
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kartoteka.codes import State
from kartoteka.fields import money
from kartoteka.fields.table import BILLING
from kartoteka.fields.values import as_text
from kartoteka.model import STANDS, Key, Note, Outcome, Value
from kartoteka.policy import parse
from kartoteka.ports.panel import Account, AccountPage, AccountUpdate, Search
from kartoteka.sync.merge import quoted
from kartoteka.sync.taken import SAME_MOMENT, SENT_AGAIN
from tests.helpers import account_of, left_undone
from tests.property.faults import Deaths
from tests.property.histories import SAME_EACH_TIME, histories
from tests.world import CLIENT, World

HISTORIES = histories(200)
CLIENTS = ("C-0", "C-1")
FIELDS = ("street", "company", "first_name", "language")
TEXTS = ("Firma {} & Syn", "Żółw {} 😀 dalej {}", "Bardzo, bardzo długa nazwa firmy {}", "{}", "00{}")
LANGUAGES = ("pol", "eng", "ger")
MANNERS = (
    *("none", "cut", "escape", "three bytes", "zeros", "ignore street", "ignore company", "ignore language"),
    *("capitals", "adds", "empties"),
)
DAMAGES = (
    *(("none", "{}"), ("cut", TEXTS[2]), ("escape", TEXTS[0]), ("three bytes", TEXTS[1]), ("zeros", "00{}")),
    *(("ignore street", "{}"), ("ignore company", "{}"), ("capitals", TEXTS[0]), ("adds", "{}"), ("empties", "{}")),
)
"""A manner, and a text on which it tells."""
REWRITES: Mapping[str, Callable[[str, str], str]] = {
    "capitals": lambda field, text: text.upper() if field == "company" else text,
    "cut": lambda field, text: text.partition(" & ")[0] if field == "company" else text,
    "prefix": lambda field, text: f"ul. {text.removeprefix('ul. ')}" if field == "street" else text,
}
"""The ERP's trigger -> what it makes of a column of the row that was written."""
TRIGGERS = ("none", *REWRITES, "another column", "limit")
BACKUPS_FROM = 100
"""Of a panel of smaller pages fewer accounts are looked at to tell that it was restored."""
PLACES = tuple(itertools.product(CLIENTS, FIELDS))
clients, fields = st.sampled_from(CLIENTS), st.sampled_from(FIELDS)
texts, languages = st.sampled_from(TEXTS), st.sampled_from(LANGUAGES)


class Taking(Deaths, RuleBasedStateMachine):
    """Two customers, two editors, a panel with manners and an ERP with a trigger."""

    @initialize(
        conflict=st.sampled_from(["erp", "panel", "hold"]),
        batch=st.sampled_from([1, 2, 100, 100]),
        trigger=st.sampled_from(TRIGGERS),
    )
    def install(self, conflict: str, batch: int, trigger: str) -> None:
        one_way = '"first_name": {"direction": "erp_to_panel"}'
        billing = f'{{"conflict": "{conflict}", "fields": {{{one_way}}}}}'
        policy = f'{{"billing": {billing}, "panel": {{"batch_size": {batch}}}, "retry": {{"max_attempts": 100000}}}}'
        self.world = World(parse(policy))
        self.neighbours = [self.world.panel.register(CLIENT, guest=True) for _ in range(2)]
        self.world.panel.keeps = self.keeps
        self.world.knows_the_panel()
        self.batch, self.trigger, self.manner = batch, trigger, "none"
        self.numbers = itertools.count(1)
        self.by_erp: dict[tuple[str, str], str] = {}
        self.by_panel: set[Value] = set()
        self.typed: set[Value] = set()
        self.tied: set[Value] = set()
        self.held: dict[tuple[str, str], set[str]] = {place: set() for place in PLACES}
        self.overwritten: set[Value] = set()
        self.sent = Counter[tuple[str, Value]]()
        self.answered: dict[str, datetime] = {}
        self.last_rows: dict[str, Mapping[str, Any]] = {}
        self.world.exchange.trigger = self.erps_trigger
        for n, client in enumerate(CLIENTS):
            row = {**CLIENT, "first_name": "Jan", "nip": "", "email": f"{n}@firma.pl", "language": "pol"}
            self.last_rows[client] = row
            self.by_erp |= {(client, field): str(row[field]) for field in FIELDS}
            self.world.exchange.insert_client(client, **row)
            self.compute(client)
        self.world.tick()
        self._watch_calls()
        self.backup = self.world.panel.backup()

    # --- the two systems

    def keeps(self, name: str, value: Value, before: Value) -> Value:
        """What the panel makes of a value that it is handed."""
        kept = self._kept(name, value, before)
        self.sent[name, value] += 1
        if before in self.typed and value != before:
            self.by_panel.discard(before)
            self.overwritten.add(before)
        return kept

    def _kept(self, name: str, value: Value, before: Value) -> Value:
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
            "adds": f"(PL) {value}",
            "empties": "",
        }
        return done.get(self.manner, value)

    def erps_trigger(self, table: str, _operation: str, key: Any) -> None:
        """What the ERP's own trigger does after each write of a row."""
        exchange = self.world.exchange
        if table != "clients":
            return
        row = exchange.clients[key]
        rewritten = {field: self.rewritten(field, str(row[field])) for field in FIELDS}
        rewritten = {field: text for field, text in rewritten.items() if text != row[field]}
        if self.trigger == "another column" and row["company"] != self._before(key, "company"):
            rewritten["first_name"] = self.by_erp[key, "first_name"] = f"trigger {next(self.numbers)}"
        if self.trigger == "limit" and row["street"] != self._before(key, "street"):
            exchange.set_credit(key, credit_limit="0.00")
        if rewritten:
            exchange.update_client(key, **rewritten)
        for field in FIELDS:
            self.held[key, field].add(str(exchange.clients[key][field]))
        self.last_rows[key] = dict(exchange.clients[key])

    def rewritten(self, field: str, text: str) -> str:
        """Return what a column holds once the ERP's trigger has seen this text in it."""
        return REWRITES[self.trigger](field, text) if self.trigger in REWRITES else text

    def _before(self, client: str, field: str) -> Value:
        return self.last_rows[client][field]

    def _watch_calls(self) -> None:
        """Know when the panel has answered: an edit within two seconds cannot be told from what it took."""
        panel = self.world.panel
        update, read, changed = panel.update, panel.read, panel.changed

        def watched(updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
            self.answered |= {each.client_id: self.world.time for each in updates}
            return update(updates)

        def reading(ids: Sequence[str]) -> Mapping[str, Account]:
            self._never_answered()
            return read(ids)

        def searching(search: Search, page: int, limit: int) -> AccountPage:
            self._never_answered()
            return changed(search, page, limit)

        panel.update, panel.read, panel.changed = watched, reading, searching  # type: ignore[method-assign]

    def _never_answered(self) -> None:
        """Let what the panel made of a call that was never answered be an edit, where it looks like no damage."""
        for client in CLIENTS:
            state = self.world.exchange.states.get(Key(client, "", "billing"))
            if state and state.intent and (forms := self._unknown_forms(client)):
                self.by_panel |= forms
                self.overwritten -= {written.before for written in state.intent.written}

    @rule(manner=st.sampled_from(MANNERS))
    def behave(self, manner: str) -> None:
        self.manner = manner

    @rule(backwards=st.booleans())
    def the_panel_lists_by_date(self, backwards: bool) -> None:
        sign = -1 if backwards else 1
        self.world.panel.order = lambda account: sign * (account.modified_at.timestamp() if account.modified_at else 0)

    @rule()
    def the_panel_is_backed_up(self) -> None:
        self.backup = self.world.panel.backup()

    @rule(seconds=st.sampled_from([1, 61, 700]))
    def the_panel_is_restored(self, seconds: int) -> None:
        """Restore it, once the feed knows all of it: what happens in the very minute of the backup nobody can tell.

        One account, of nobody that is looked after, went back and is not edited before the feed has noticed.
        """
        if self.batch < BACKUPS_FROM:
            return
        panel = self.world.panel
        self.world.pass_time(minutes=4)
        if not self._feed_knows_all():
            return
        panel.edit(self.neighbours[0], phone="600700800")
        if not self._feed_knows_all():
            return
        for client, field in PLACES:
            self._typed_over(client, field)
        panel.restore(self.backup)
        rows = {str(self.world.exchange.clients[client][field]) for client, field in PLACES}
        shown = {panel.accounts[account_of(self.world, client)].values[field] for client, field in PLACES}
        self.by_panel = {v for v in self.by_panel if v in shown or self._as_row(v) & rows}
        self.world.pass_time(seconds=seconds)

    def _feed_knows_all(self) -> bool:
        self.world.follow()
        known = {key: account.modified_at for key, account in self.world.exchange.accounts.items()}
        return known == {key: account.modified_at for key, account in self.world.panel.accounts.items()}

    # --- the people

    @rule(client=clients, field=fields, text=texts, language=languages)
    def erp_edits(self, client: str, field: str, text: str, language: str) -> None:
        number = next(self.numbers)
        value = language if field == "language" else text.format(number, number)
        self.by_panel = {v for v in self.by_panel if not self._as_row(v) & self.held[client, field]}
        self.by_erp[client, field] = value
        self.world.exchange.update_client(client, **{field: value})

    @rule(client=clients, field=fields, text=texts, language=languages, seconds=st.sampled_from([0, 1, 3]))
    def panel_edits(self, client: str, field: str, text: str, language: str, seconds: int) -> None:
        self.world.pass_time(seconds=seconds)
        number = next(self.numbers)
        value = language if field == "language" else "panel " + text.format(number, number)
        at_once = self.world.time <= self.answered.get(client, self.world.time - SAME_MOMENT * 2) + SAME_MOMENT
        self.tied |= {value} if at_once else set()
        self._typed_over(client, field)
        self.typed.add(value)
        self.by_panel |= {value, *(() if at_once else self._unknown_forms(client))}
        self.world.panel.edit(account_of(self.world, client), **{field: value})

    def _typed_over(self, client: str, field: str) -> None:
        """Let an editor, or the backup, overrule what a call without an answer may have overwritten."""
        state = self.world.exchange.states[Key(client, "", "billing")]
        if state.intent:
            self.overwritten -= {written.before for written in state.intent.written if written.field == field}

    def _unknown_forms(self, client: str) -> set[Value]:
        """Return what the panel made of our text, unlike any damage, and has not shown: edited since, it is an edit."""
        state = self.world.exchange.states[Key(client, "", "billing")]
        shown = self.world.panel.accounts[account_of(self.world, client)].values
        unseen = {*(state.base.sent if state.base else ()), *(state.intent.values if state.intent else ())}
        return {shown[field] for field in unseen if str(shown.get(field)).startswith("(PL) ")}

    @rule(
        damage=st.sampled_from(DAMAGES),
        client=clients,
        pair=st.permutations(FIELDS[:2]) | st.just([FIELDS[1], FIELDS[1]]),
        seconds=st.sampled_from([1, 3]),
    )
    def an_edit_follows_ours(self, damage: tuple[str, str], client: str, pair: list[str], seconds: int) -> None:
        """Carry an edit of the ERP's; the panel's user edits before the feed has shown what was taken."""
        self.manner, text = damage
        self.erp_edits(client, pair[0], text, "pol")
        self.collect()
        self.work()
        self.panel_edits(client, pair[1], text, "pol", seconds)
        self.follow()
        self.work()

    @rule(client=clients, field=fields, text=texts, language=languages)
    def the_panel_edits_while_its_pages_are_read(self, client: str, field: str, text: str, language: str) -> None:
        def edit(_search: Search, _page: int) -> None:
            self.world.panel.while_paging = None
            self.panel_edits(client, field, text, language, 1)

        self.world.panel.while_paging = edit

    @rule(client=clients)
    def compute(self, client: str) -> None:
        """Let the ERP write the client's figures."""
        figures: dict[str, Any] = {"credit_limit": f"{next(self.numbers)}000.00", "balance": "0.00", "currency": "PLN"}
        self.world.exchange.set_credit(client, credit_allowed=True, **figures, as_of=self.world.time)

    # --- the cloud

    @rule()
    def collect(self) -> None:
        self.world.collect("billing")

    @rule()
    def work(self) -> None:
        self.world.work("billing")

    @rule()
    def credit(self) -> None:
        self.world.collect("credit")
        self.world.work("credit")

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
        carried = {text for value in self.by_panel for text in self._as_row(value)}
        for client, field in PLACES:
            value = str(self.world.exchange.clients[client][field])
            one_way = field in ("first_name", "language")
            written = value == self.rewritten(field, self.by_erp[client, field])
            assert written or (value in carried and not one_way), (client, field, value)

    def _as_row(self, value: Value) -> set[str]:
        """Return how the ERP's row may hold what was typed in the panel."""
        return {self.rewritten(field, str(value)) for field in FIELDS}

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.mortal(10**9)
        world.panel.recover()
        world.panel.while_paging = None
        for _ in range(14):
            world.tick()
            self.the_row_holds_what_somebody_wrote()
        before = self._written()
        world.tick()
        world.tick()
        assert self._written() == before, "not quiet"
        for concern in ("billing", "credit"):
            assert left_undone(world, concern) == {}
            assert left_undone(world, concern, asked=True) == {}
        for client in CLIENTS:
            self._is_equal_up_to_forms(client)
            self._limit_is_the_erps(client)
        self._what_was_overwritten_is_told()

    def _written(self) -> tuple[int, int, int]:
        calls = sum(n for gate, n in self.world.panel.calls().items() if not gate.startswith("GET"))
        return calls, len(self.world.exchange.history), self.world.counts.collected

    def _is_equal_up_to_forms(self, client: str) -> None:
        world = self.world
        status, row = world.exchange.status(client, "billing"), world.exchange.clients[client]
        state = world.exchange.states[Key(client, "", "billing")]
        shown = world.panel.accounts[account_of(world, client)].values
        open_ones = {c.field for c in world.exchange.conflicts if c.client_id == client and c.closed_at is None}
        assert status
        not_taken = set()
        for field in FIELDS:
            note = state.notes.get(field)
            erp, panel = (BILLING[field].normalise(v[field], {}) for v in (row, shown))  # type: ignore[arg-type]
            if _squeezed(erp) == _squeezed(panel):
                assert note is None, (field, note)
            elif field in open_ones:
                continue
            else:
                assert state.base
                assert (state.base.erp[field], state.base.panel.get(field)) == (row[field], shown[field]), field
                if note is None:
                    assert row[field] in self._as_row(shown[field]), (field, row[field], shown[field])
                else:
                    not_taken.add(field)
                    assert note == Note(STANDS, as_text(shown[field]) or "", code="not_taken"), note
                    self._was_not_taken(status.message_en, field, str(row[field]), shown[field])
        told = (State.HELD, "not_taken") if not_taken else (State.CONFLICT, "conflict") if open_ones else None
        assert (status.state, status.code) == (told or (State.IN_STEP, "")), status

    def _was_not_taken(self, message: str, field: str, row: str, shown: Value) -> None:
        """Check that both values are told, that it is nobody's edit, and how often the value was sent."""
        assert quoted(row) in message, message
        assert quoted(shown).strip() in message, message
        if field == "language":
            return
        if shown in self.overwritten or self.sent[field, shown] or shown == CLIENT.get(field):
            assert self.sent[field, row] > SENT_AGAIN, (field, row, "was not sent again")
        assert shown not in self.typed or shown in self.tied or shown in self.overwritten, (field, shown)

    def _limit_is_the_erps(self, client: str) -> None:
        limit = self.world.exchange.credit[client]["credit_limit"]
        shown = self.world.panel.accounts[account_of(self.world, client)].values["credit_limit"]
        assert money.amount(shown) == money.amount(str(limit)), (shown, limit)

    def _what_was_overwritten_is_told(self) -> None:
        exchange = self.world.exchange
        told: set[Value] = {h.value_before for h in exchange.history} | {c.panel_value for c in exchange.conflicts}
        held = set[str]().union(*self.held.values())
        for value in self.overwritten - {*LANGUAGES}:
            assert value in told or self._as_row(value) & held, f"overwritten silently: {value}"


def _squeezed(norm: str) -> str:
    return "".join(norm.split()).casefold()


TestTaking = Taking.TestCase
TestTaking.settings = settings(
    max_examples=HISTORIES,
    derandomize=SAME_EACH_TIME,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
