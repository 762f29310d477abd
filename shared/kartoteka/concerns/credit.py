"""Trade credit: limit, balance owed and days to pay, and what their age means.

An ERP writes figures with the moment at which it computed them. Older than the policy allows they are stale: the
panel's stay as they are (``freeze``), nobody buys on credit on them (``zero``), or they count nevertheless (``keep``).
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kartoteka import codes
from kartoteka.codes import Status
from kartoteka.errors import Reject
from kartoteka.fields import money
from kartoteka.fields.table import BALANCE, CURRENCY_FIELD, LIMIT
from kartoteka.model import Forms, Owner, Record, Side, Value, Values, Written
from kartoteka.policy import Credit as CreditPolicy
from kartoteka.sync.collect import ChangeLogSource, DueDates, Source
from kartoteka.sync.concern import Concern, Shown
from kartoteka.sync.merge import Step, quoted
from kartoteka.sync.plan import Act, Plan

ZERO = "0.00"
AHEAD = timedelta(minutes=15)
"""How far ahead of our clock ``as_of`` may be."""
LOCAL_TIME = timedelta(hours=2)
"""How far ahead of UTC the clocks of the ERPs that we know are."""
ALLOWED, AS_OF = "credit_allowed", "as_of"
"""Columns of ``client_credit`` that say what the figures mean."""


class Figures(enum.Enum):
    """What the age and the currency of figures mean for them."""

    FRESH = "they count"
    FROZEN = "the panel's stay as they are"
    ZEROED = "the limit is 0"
    GONE = "there is no row any more, and the panel's stay as they are"
    FOREIGN = "they are in another currency than the account, so the limit is 0"


def stale_before(policy: CreditPolicy, now: datetime) -> datetime:
    """Return the moment before which figures are stale."""
    return now - timedelta(minutes=policy.stale_after_minutes)


class Credit(Concern):
    """Trade credit of a client; ``Record.facts`` is what its figures are worth."""

    name = "credit"

    def sources(self, *, everything_due: bool) -> Sequence[Source]:
        """Return what tells of changes: the log, and the moments at which figures become stale."""
        until = stale_before(self.run.policy.credit, self.run.now())
        aging = DueDates(self, self.name, until, self._outdated)
        return (aging, ChangeLogSource(self, everything_due=everything_due)) if self.is_on else ()

    def _outdated(self, since: datetime | None, until: datetime) -> Sequence[Owner]:
        return [Owner(client_id) for client_id in self.run.exchange.figures.outdated(since, until)]

    def feed_stopped(self) -> bool:
        """Return whether no figures at all were refreshed for so long that all are stale."""
        newest = self.run.exchange.figures.newest() if self.is_on else None
        return newest is not None and newest < stale_before(self.run.policy.credit, self.run.now())

    def concerned(self, owners: Collection[Owner]) -> Collection[Owner]:
        """Return the clients with figures; where a deleted row means a limit of 0, also those who had some."""
        records = self.run.exchange.records
        having = set(records.having(self.name, [owner.client_id for owner in owners]))
        if self.run.policy.credit.when_stale == "zero":
            having |= {key.client_id for key, state in records.states([self.name], owners).items() if state.base}
        return [owner for owner in owners if owner.client_id in having]

    def due(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return all deferred owners: the limit of a client that was deleted may have to become 0."""
        return owners

    def excluded(self, record: Record) -> Status | None:
        """Return that the figures of a client that was deleted stay as they are, but for a limit that becomes 0."""
        return None if record.has_client or record.facts is Figures.ZEROED else codes.status("deleted")

    def by_policy(self, record: Record) -> Record:
        """Return the figures as the panel shall have them; what it shall keep is empty. No credit is a limit of 0.

        Amounts that are none stay as they are, to be refused by name.
        """
        policy = self.run.policy.credit
        if record.erp is None:
            if record.state.base is None and record.state.intent is None:
                return record
            return self._kept(record, Figures.ZEROED if policy.when_stale == "zero" else Figures.GONE)
        row = record.erp
        age = self._age(row)
        if age is not Figures.FRESH:
            return self._kept(record, age)
        limit = ZERO if row.get(ALLOWED) is False else money.canonical(row.get(LIMIT))
        figures = {LIMIT: limit, BALANCE: _signed(row.get(BALANCE), policy.balance_sign)}
        return replace(record, erp={**row, **figures}, facts=age)

    def _kept(self, record: Record, facts: Figures) -> Record:
        """Return the record of figures that are not carried: the panel's stay as they are, or its limit becomes 0."""
        limit = {LIMIT: ZERO} if facts in (Figures.ZEROED, Figures.FOREIGN) else {}
        return replace(record, erp={**(record.erp or {}), **dict.fromkeys(self.rules, None), **limit}, facts=facts)

    def _age(self, row: Values) -> Figures:
        """Return what the age of figures means. A row without a moment makes no statement about it."""
        policy, as_of = self.run.policy.credit, _moment(row.get(AS_OF))
        if as_of is None or as_of >= stale_before(policy, self.run.now()) or policy.when_stale == "keep":
            return Figures.FRESH
        return Figures.FROZEN if policy.when_stale == "freeze" else Figures.ZEROED

    def without_row(self, record: Record) -> Plan:
        """Return the plan of figures that were deleted before anything was sent: there is nothing to say of them."""
        return Plan(record, Act.FORGET)

    def compared(self, record: Record, shown: Shown, base: Forms | None, earlier: tuple[Written, ...]) -> Plan:
        """Return what is to be done with figures; those in another currency than the account's are a limit of 0."""
        given, own = (_code((some or {}).get(CURRENCY_FIELD)) for some in (record.erp, shown.values))
        foreign = given and own and given != own and record.facts is Figures.FRESH
        return super().compared(self._kept(record, Figures.FOREIGN) if foreign else record, shown, base, earlier)

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
        """Hold figures of which nothing may be sent, whatever their fields say; a limit of 0 is sent in any case.

        A limit that becomes 0 since the policy wants it so is not what the brake is for.
        """
        row, own, base = record.erp or {}, (shown.values or {}).get(CURRENCY_FIELD), record.state.base
        if own and (base or steps) and not (base and base.panel.get(CURRENCY_FIELD) == own):
            steps = [*steps, Step(CURRENCY_FIELD, forms=(row.get(CURRENCY_FIELD), own))]
        if record.facts is Figures.ZEROED:
            return tuple(replace(step, risky=False) for step in steps), codes.status("stale.zero")
        if record.facts is Figures.FOREIGN:
            facts = {"table": self.table, "erp_value": _code(row.get(CURRENCY_FIELD)), "panel_value": _code(own)}
            return tuple(steps), codes.told("other_currency", [CURRENCY_FIELD], facts)
        said = self._held(record)
        if said is None:
            return tuple(steps), None
        return tuple(step for step in steps if step.target is not Side.PANEL or _zeroes(step)), said

    def _held(self, record: Record) -> Status | None:
        """Return what is said of figures of which nothing but a limit of 0 is sent."""
        row = record.erp or {}
        if record.facts is Figures.GONE:
            return codes.status("deleted_in_erp.figures")
        if record.facts is Figures.FROZEN:
            return codes.status("stale")
        missing = [name for name in (ALLOWED, LIMIT) if _is_empty(row.get(name))]
        if missing and row.get(ALLOWED) is not False:
            return codes.status("incomplete", missing, table=self.table)
        as_of = _moment(row.get(AS_OF))
        if not _is_empty(row.get(AS_OF)) and (as_of is None or as_of > self.run.now() + AHEAD):
            local = as_of is not None and as_of <= self.run.now() + LOCAL_TIME + AHEAD
            return codes.status("bad_as_of.local_time" if local else "bad_as_of", [AS_OF])
        if money.canonical(row.get(LIMIT)).startswith("-"):
            facts = {"table": self.table, "value": quoted(row.get(LIMIT))}
            return codes.told("bad_amount.negative", [LIMIT], facts)
        return None


def _zeroes(step: Step) -> bool:
    return step.field == LIMIT and step.value == ZERO


def _moment(value: Value) -> datetime | None:
    """Return ``as_of``, UTC; None for what is no moment."""
    try:
        found = datetime.fromisoformat(str(value).strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _signed(figure: Value, sign: int) -> Value:
    try:
        return figure if _is_empty(figure) else str(money.rounded(money.amount(figure) * sign))
    except Reject:
        return figure


def _code(value: Value) -> str:
    return str(value or "").strip().upper()


def _is_empty(value: Value) -> bool:
    return value is None or str(value).strip() == ""
