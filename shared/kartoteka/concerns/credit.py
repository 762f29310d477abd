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
from kartoteka.codes import IN_STEP, Status
from kartoteka.errors import Reject
from kartoteka.fields import money
from kartoteka.fields.table import BALANCE, CURRENCY_FIELD, LIMIT
from kartoteka.model import Owner, Record, Side, Value, Values
from kartoteka.policy import Credit as CreditPolicy
from kartoteka.sync.collect import ChangeLogSource, DueDates, Source
from kartoteka.sync.concern import Concern, Shown
from kartoteka.sync.merge import Step, quoted
from kartoteka.sync.plan import Act, Plan

ZERO = "0.00"
AHEAD = timedelta(days=1)
"""How far ahead of our clock ``as_of`` may be: a zone forgotten is believed, another year is not."""
ALLOWED, AS_OF = "credit_allowed", "as_of"
"""Columns of ``client_credit`` that say what the figures mean."""


class Age(enum.Enum):
    """What the age of figures means for them."""

    FRESH = "they count"
    FROZEN = "the panel's stay as they are"
    ZEROED = "the limit is 0"
    GONE = "there is no row any more, and the panel's stay as they are"


def stale_before(policy: CreditPolicy, now: datetime) -> datetime:
    """Return the moment before which figures are stale."""
    return now - timedelta(minutes=policy.stale_after_minutes)


class Credit(Concern):
    """Trade credit of a client; ``Record.facts`` is the age of its figures."""

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
        """Return the clients with figures; where a deleted row means a limit of 0 it may be any."""
        if self.run.policy.credit.when_stale == "zero":
            return owners
        having = self.run.exchange.records.having(self.name, [owner.client_id for owner in owners])
        return [owner for owner in owners if owner.client_id in having]

    def due(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return all deferred owners: figures are worked whether or not the client's row is there."""
        return owners

    def by_policy(self, record: Record) -> Record:
        """Return the figures as the panel shall have them; what it shall keep is empty. No credit is a limit of 0.

        Amounts that are none stay as they are, to be refused by name.
        """
        policy = self.run.policy.credit
        if record.erp is None:
            if record.state.base is None and record.state.intent is None:
                return record
            zeroed = policy.when_stale == "zero"
            return replace(record, erp={LIMIT: ZERO} if zeroed else {}, facts=Age.ZEROED if zeroed else Age.GONE)
        row = record.erp
        age = self._age(row)
        if age is not Age.FRESH:
            kept = dict.fromkeys(self.rules, None)
            return replace(record, erp={**row, **kept, **({LIMIT: ZERO} if age is Age.ZEROED else {})}, facts=age)
        limit = ZERO if row.get(ALLOWED) is False else money.canonical(row.get(LIMIT))
        figures = {LIMIT: limit, BALANCE: _signed(row.get(BALANCE), policy.balance_sign)}
        return replace(record, erp={**row, **figures}, facts=age)

    def _age(self, row: Values) -> Age:
        """Return what the age of figures means. A row without a moment makes no statement about it."""
        policy, as_of = self.run.policy.credit, _moment(row.get(AS_OF))
        if as_of is None or as_of >= stale_before(policy, self.run.now()) or policy.when_stale == "keep":
            return Age.FRESH
        return Age.FROZEN if policy.when_stale == "freeze" else Age.ZEROED

    def without_row(self, record: Record) -> Plan:
        """Return the plan of figures that were deleted before anything was sent: there is nothing to say of them."""
        return Plan(record, Act.FORGET)

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
        zeroing = [s for s in steps if s.target is Side.PANEL and s.field == LIMIT and s.value == ZERO]
        kept = super().together(steps)
        return [*kept, *(step for step in zeroing if step not in kept)]

    def checked(self, record: Record, shown: Shown, steps: Sequence[Step]) -> tuple[tuple[Step, ...], Status | None]:
        """Hold figures of which nothing may be sent, whatever their fields say; a limit of 0 is sent in any case."""
        own = (shown.values or {}).get(CURRENCY_FIELD)
        base = record.state.base
        if own and (base or steps) and not (base and base.panel.get(CURRENCY_FIELD) == own):
            noted = Step(CURRENCY_FIELD, forms=((record.erp or {}).get(CURRENCY_FIELD), own))
            steps = [*steps, noted]
        said, anyway = self._held(record), False
        if said is None:
            said, anyway = self._refusal(record, own), True
        if said is None:
            return tuple(steps), None
        kept = (s for s in steps if s.target is not Side.PANEL or (anyway and s.field == LIMIT and s.value == ZERO))
        return tuple(kept), said

    def _held(self, record: Record) -> Status | None:
        """Return what is said of figures of which nothing is sent: they are gone, stale, or do not say enough."""
        row = record.erp or {}
        if record.facts is Age.GONE:
            return codes.status("deleted_in_erp.figures")
        if record.facts is Age.FROZEN:
            return codes.status("stale")
        if record.facts is Age.ZEROED or row.get(ALLOWED) is False:
            return None
        missing = [name for name in (ALLOWED, LIMIT) if _is_empty(row.get(name))]
        return codes.status("incomplete", missing, table=self.table) if missing else None

    def _refusal(self, record: Record, own: Value) -> Status | None:
        """Return what is said of figures that cannot be this client's: of an impossible moment, or another currency."""
        row, about = record.erp or {}, self.table
        as_of = _moment(row.get(AS_OF))
        if not _is_empty(row.get(AS_OF)) and (as_of is None or as_of > self.run.now() + AHEAD):
            return codes.status("bad_as_of", [AS_OF])
        if money.canonical(row.get(LIMIT)).startswith("-"):
            return codes.status("bad_amount.negative", [LIMIT], table=about, value=quoted(row.get(LIMIT)))
        given, has = _code(row.get(CURRENCY_FIELD)), _code(own)
        if given and has and given != has:
            return codes.status("other_currency", [CURRENCY_FIELD], table=about, erp_value=given, panel_value=has)
        return None

    def verdict(self, record: Record) -> Status | None:
        """Return what is said of a client whose limit is 0 for want of fresh figures."""
        return codes.status("stale.zero") if record.facts is Age.ZEROED else IN_STEP


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
