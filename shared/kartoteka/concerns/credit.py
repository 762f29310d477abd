"""Trade credit: limit, balance owed and days to pay, and what their age means.

An ERP writes figures with the moment at which it computed them. Older than the policy allows they are stale: the
panel's stay as they are (``freeze``), nobody buys on credit on them (``zero``), or they count nevertheless (``keep``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from kartoteka import codes
from kartoteka.codes import Status
from kartoteka.concerns import turns
from kartoteka.concerns.turns import MAKES_WAY, WAITS, ZERO, InTurn, code_of
from kartoteka.errors import Reject
from kartoteka.fields import money
from kartoteka.fields.normal import is_blank
from kartoteka.fields.table import ALLOWED, AS_OF, BALANCE, CURRENCY_FIELD, LIMIT, OVERDUE
from kartoteka.model import Forms, Note, Owner, Record, Side, Value, Values, Written
from kartoteka.policy import Credit as CreditPolicy
from kartoteka.sync.collect import ChangeLogSource, DueDates, Source
from kartoteka.sync.concern import Shown
from kartoteka.sync.merge import Step, quoted
from kartoteka.sync.plan import Act, Plan

AHEAD = timedelta(minutes=15)
"""How far ahead of our clock ``as_of`` may be."""
LOCAL_TIME = timedelta(hours=2)
"""How far ahead of UTC the clocks of the ERPs that we know are."""
STALE, TOO_LATE = "stale", "overdue"
"""The codes of limits that are 0, or as they were, since the policy wants it so."""


@dataclass(frozen=True, slots=True)
class Held:
    """Figures that do not count, or not all of them, and what is ``said``. ``zero``: the limit becomes 0 nevertheless.

    ``makes_way_for`` is the currency that the account is about to get.
    """

    said: Status
    zero: bool = False
    makes_way_for: str = ""


def stale_before(policy: CreditPolicy, now: datetime) -> datetime:
    """Return the moment before which figures are stale."""
    return now - timedelta(minutes=policy.stale_after_minutes)


class Credit(InTurn):
    """Trade credit of a client; ``Record.facts`` says why its figures do not count, None where they do."""

    name = "credit"
    other: ClassVar[str] = turns.BILLING

    def sources(self, *, everything_due: bool) -> Sequence[Source]:
        """Return what tells of changes: the log, and the moments at which figures become stale."""
        until = stale_before(self.run.policy.credit, self.run.now())
        aging = DueDates(self, self.name, until, self._outdated)
        return (aging, ChangeLogSource(self, everything_due=everything_due)) if self.is_on else ()

    def _outdated(self, since: datetime | None, until: datetime) -> Sequence[Owner]:
        return [Owner(client_id) for client_id in self.run.exchange.figures.outdated(since, until)]

    def feed_stopped(self) -> bool:
        """Return whether no figures at all were refreshed for so long that all are stale.

        A moment that is refused, since it is ahead, says nothing of when the ERP last wrote.
        """
        now = self.run.now()
        newest = self.run.exchange.figures.newest(now + AHEAD) if self.is_on else None
        return newest is not None and newest < stale_before(self.run.policy.credit, now)

    def concerned(self, owners: Collection[Owner]) -> Collection[Owner]:
        """Return the clients with figures, and those who had some: what is edited meanwhile is noted."""
        records = self.run.exchange.records
        having = set(records.having(self.name, [owner.client_id for owner in owners]))
        having |= {key.client_id for key, state in records.states([self.name], owners).items() if state.base}
        return [owner for owner in owners if owner.client_id in having]

    def due(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return all deferred owners: the limit of a client that was deleted may have to become 0."""
        return owners

    def load(self, owners: Collection[Owner]) -> list[Record]:
        """Return what is known of these owners; the limit of one whose currency is about to change makes way for it."""
        records = super().load(owners)
        asked = turns.asked(self.run, owners) if records else {}
        return [self._makes_way(record, asked.get(record.key.owner, "")) for record in records]

    def _makes_way(self, record: Record, asked: str) -> Record:
        if not asked or record.erp is None:
            return record
        return self._without(record, Held(MAKES_WAY, zero=True, makes_way_for=asked))

    def excluded(self, record: Record) -> Status | None:
        """Return that the figures of a client that was deleted stay as they are, but for a limit that becomes 0."""
        return None if record.has_client or (record.facts and record.facts.zero) else codes.status("deleted")

    def by_policy(self, record: Record) -> Record:
        """Return the figures as the panel shall have them; what it shall keep is empty. No credit is a limit of 0.

        Amounts that are none stay as they are, to be refused by name.
        """
        row, policy, base = record.erp, self.run.policy.credit, record.state.base
        sent = base is not None and not self.rules.keys().isdisjoint(base.erp)
        if row is None and not sent and record.state.intent is None:
            return record
        held = self._held(row)
        if row is None or held is not None:
            return self._without(record, held)
        late = self._overdue(row)
        limit = ZERO if late and self._stops_overdue else _limit(row)
        erp = {**row, LIMIT: limit, BALANCE: _signed(row.get(BALANCE), policy.balance_sign)}
        return replace(record, erp=erp, facts=late)

    def _without(self, record: Record, held: Held | None) -> Record:
        """Return the record of figures that do not count: the panel's stay as they are, or its limit becomes 0."""
        limit = {LIMIT: ZERO} if held and held.zero else {}
        return replace(record, erp={**(record.erp or {}), **dict.fromkeys(self.rules, None), **limit}, facts=held)

    def _held(self, row: Values | None) -> Held | None:
        """Return why a row's figures do not count. One without a moment makes no statement about their age."""
        policy, now = self.run.policy.credit, self.run.now()
        if row is None and policy.when_stale != "zero":
            return Held(codes.status("deleted_in_erp.figures"))
        as_of = _moment((row or {}).get(AS_OF))
        old = as_of is not None and as_of < stale_before(policy, now) and policy.when_stale != "keep"
        if row is None or old:
            zero = policy.when_stale == "zero"
            return Held(codes.status("stale.zero" if zero else "stale"), zero=zero)
        limit = _limit(row)
        missing = [name for name in (ALLOWED, LIMIT) if is_blank(row.get(name))]
        if isinstance(allowed := row.get(ALLOWED), str) and allowed:
            facts = {"table": self.table, "value": quoted(allowed)}
            return Held(codes.told("bad_flag", [ALLOWED], facts), zero=limit == ZERO)
        if missing and row.get(ALLOWED) is not False:
            return Held(codes.status("incomplete", missing, table=self.table), zero=limit == ZERO)
        if not is_blank(row.get(AS_OF)) and (as_of is None or as_of > now + AHEAD):
            local = as_of is not None and as_of <= now + LOCAL_TIME + AHEAD
            return Held(codes.status("bad_as_of.local_time" if local else "bad_as_of", [AS_OF]), zero=limit == ZERO)
        if limit.startswith("-"):
            facts = {"table": self.table, "value": quoted(limit)}
            return Held(codes.told("bad_amount.negative", [LIMIT], facts))
        if policy.overdue.allowed is not None and not _is_amount(row.get(OVERDUE)):
            facts = {"table": self.table, "value": quoted(row.get(OVERDUE))}
            return Held(codes.told("bad_amount", [OVERDUE], facts), zero=limit == ZERO)
        return None

    def _overdue(self, row: Values) -> Held | None:
        """Return that more is past its date than the policy allows: the limit is 0, or only told; the rest counts."""
        rule, overdue = self.run.policy.credit.overdue, row.get(OVERDUE)
        if rule.allowed is None or is_blank(overdue) or money.amount(overdue) <= rule.allowed:
            return None
        return Held(codes.status(TOO_LATE if self._stops_overdue else f"{TOO_LATE}.kept"))

    @property
    def _stops_overdue(self) -> bool:
        """Whether a limit becomes 0 where too much is past its date."""
        return self.run.policy.credit.overdue.then == "zero"

    def without_row(self, record: Record) -> Plan:
        """Return the plan of figures that were deleted before anything was sent: there is nothing to say of them."""
        return Plan(record, Act.FORGET)

    def compared(self, record: Record, shown: Shown, base: Forms | None, earlier: tuple[Written, ...]) -> Plan:
        """Return what is to be done with figures; those in another currency than the account's are a limit of 0.

        That the limit becomes 0 since the policy wants it so is nothing that the brake counts.
        """
        given, own = (code_of((some or {}).get(CURRENCY_FIELD)) for some in (record.erp, shown.values))
        held: Held | None = record.facts
        settled = held is not None and (held.said.code == STALE or held.makes_way_for)
        if given and own and given != own and not settled:
            facts = {"table": self.table, "erp_value": given, "panel_value": own}
            foreign = Held(codes.told("other_currency", [CURRENCY_FIELD], facts), zero=True)
            record = self._without(record, foreign)
            held = foreign
        plan = super().compared(record, shown, base, earlier)
        asked_for = (STALE, TOO_LATE) if self._stops_overdue else (STALE,)
        return replace(plan, by_policy=held is not None and held.said.code in asked_for)

    def believed(self, record: Record, shown: Shown, values: Values) -> Values:
        """Return what is shown, without a debt that has grown in the panel since the figures were computed.

        A panel may count what a client has ordered since: with the ERP's older figure it could be ordered once more.
        """
        base, account = record.state.base, shown.account
        sent = base.panel.get(BALANCE) if base else None
        as_of, changed = _moment((record.erp or {}).get(AS_OF)), account.modified_at if account else None
        if not (sent and values.get(BALANCE) and as_of and changed and changed > as_of):
            return values
        sign = self.run.policy.credit.balance_sign
        try:
            grown = money.amount(values[BALANCE]) * sign > money.amount(sent) * sign
        except Reject:  # what the panel shows there is no amount
            return values
        return {**values, BALANCE: sent} if grown else values

    def together(self, steps: Sequence[Step]) -> Sequence[Step]:
        """Return the steps that go together; a limit of 0 goes whatever else is refused."""
        kept = super().together(steps)
        return [step for step in steps if step in kept or (step.target is Side.PANEL and _zeroes(step))]

    def checked(self, record: Record, shown: Shown, steps: Sequence[Step]) -> tuple[tuple[Step, ...], Status | None]:
        """Note the account's currency, and for which one the limit makes way; say why figures do not count."""
        own, base = (shown.values or {}).get(CURRENCY_FIELD), record.state.base
        held: Held | None = record.facts
        forms = ((record.erp or {}).get(CURRENCY_FIELD), own)
        noted = not own or (base is not None and base.panel.get(CURRENCY_FIELD) == own)
        note = Note(WAITS, held.makes_way_for) if held and held.makes_way_for else None
        if note or not noted:
            steps = [*steps, Step(CURRENCY_FIELD, forms=None if noted else forms, note=note)]
        return tuple(steps), held.said if held else None


def _limit(row: Values) -> str:
    """Return the limit that a row asks for: none where credit is not allowed."""
    return ZERO if row.get(ALLOWED) is False else money.canonical(row.get(LIMIT))


def _zeroes(step: Step) -> bool:
    return step.field == LIMIT and step.value == ZERO


def _is_amount(figure: Value) -> bool:
    """Whether a figure can be read; none at all is read as nothing."""
    try:
        return is_blank(figure) or bool(str(money.amount(figure)))
    except Reject:
        return False


def _moment(value: Value) -> datetime | None:
    """Return ``as_of``, UTC; None for what is no moment."""
    try:
        found = datetime.fromisoformat(str(value).strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _signed(figure: Value, sign: int) -> Value:
    try:
        return figure if is_blank(figure) else str(money.rounded(money.amount(figure) * sign))
    except Reject:
        return figure
