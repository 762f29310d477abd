"""Credit figures on the way of a customer's fields, and those that have become stale without anybody writing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from kartoteka.core import check, credit, messages, money
from kartoteka.core.concerns import CREDIT
from kartoteka.core.errors import Reject
from kartoteka.core.model import Account, Record, Side, Snapshot, Status
from kartoteka.engine import dates
from kartoteka.engine.base import Engine

BALANCE, LIMIT = "balance", "credit_limit"
OF_AGE = frozenset({messages.STALE, messages.DELETED[Side.ERP]})
"""The codes of figures for which nobody vouches."""


def held(snapshot: Snapshot) -> Status | None:
    """Return what is to be said of figures of which nothing is sent: they are stale, or do not say enough."""
    row = snapshot.row or {}
    if row.get(credit.STALE) == credit.GONE:
        return messages.figures_left()
    if row.get(credit.STALE) == credit.FROZEN:
        return messages.frozen(str(row.get("as_of")))
    missing = credit.missing(row)
    return messages.incomplete("client_credit", missing) if missing else None


def without_orders(engine: Engine, snapshot: Snapshot, account: Account) -> Account:
    """Return the account with the balance that was sent, where it shows a greater debt that is newer than the figures.

    A panel may count what a customer has ordered since: with the ERP's older figure he could order it once more.
    """
    sent, shown = (snapshot.agreed or {}).get(BALANCE), account.values.get(BALANCE)
    as_of, changed = credit.moment((snapshot.row or {}).get("as_of")), account.modified_at
    if not (sent and shown and as_of and changed and changed > as_of):
        return account
    sign = engine.policy.credit.balance_sign
    try:
        more = money.amount(shown) * sign > money.amount(sent) * sign
    except Reject:  # what the panel shows there is no amount
        return account
    return replace(account, values={**account.values, BALANCE: sent}) if more else account


def refuse(engine: Engine, snapshot: Snapshot, account: Account) -> None:
    """Raise Reject for figures that cannot be this customer's."""
    credit.refuse_unfit(snapshot.row or {}, account.values.get("currency"), engine.now())


def misjudged(engine: Engine, snapshot: Snapshot, account: Account) -> bool:
    """Return whether the customer's currency in the panel has become another one than the figures', or theirs again."""
    told = snapshot.status is not None and snapshot.status.code == credit.OTHER_CURRENCY
    try:
        refuse(engine, snapshot, account)
    except Reject as error:
        return error.code == credit.OTHER_CURRENCY and not told
    return told


def no_credit_at_all(values: Record) -> frozenset[str]:
    """Return the limit's name where it is to become 0: that holds in every currency, whatever else is wrong."""
    return frozenset({LIMIT}) if values.get(LIMIT) == credit.NOTHING else frozenset()


def verdict(snapshot: Snapshot) -> Status | None:
    """Return what is to be said of a customer whose limit is 0 for want of fresh figures."""
    row = snapshot.row or {}
    return messages.no_credit(str(row.get("as_of") or "")) if row.get(credit.STALE) == credit.ZERO else None


def says_otherwise(snapshot: Snapshot) -> bool:
    """Return whether the status of these figures is not the one that their age asks for."""
    wanted = held(snapshot) or verdict(snapshot)
    code = snapshot.status.code if snapshot.status else ""
    return (wanted.code if wanted else "") != (code if code in OF_AGE or wanted else "")


def asks(engine: Engine, snapshot: Snapshot) -> bool | None:
    """Return whether figures are worth a look for what they are by now; None: their contents decide."""
    if snapshot.held and is_as_before(engine, snapshot):
        return False
    return True if says_otherwise(snapshot) else None


def is_as_before(engine: Engine, snapshot: Snapshot) -> bool:
    """Return whether held figures are what they were held for: an ERP that writes ``as_of`` anew changes nothing.

    Of a currency that is not the customer's the feed tells when it has become his. A limit that becomes 0 is carried
    whatever else is wrong, so it is never as before.
    """
    row, status = snapshot.row or {}, snapshot.status
    to_nothing = no_credit_at_all(row) and (snapshot.agreed or {}).get(LIMIT) != credit.NOTHING
    if status is None or snapshot.parked or snapshot.intent or to_nothing:
        return False
    if said := held(snapshot):
        return said == status
    try:
        credit.refuse_unfit(row, None, engine.now())
        check.check_for_panel(CREDIT.fields, {name: row.get(name) for name in CREDIT.fields})
    except Reject as error:
        return messages.refused(error.code, error.message, final=True) == status
    return status.code == credit.OTHER_CURRENCY and status.message.startswith(credit.given_in(row))


def outdated(engine: Engine) -> tuple[Sequence[str], Callable[[], None]]:
    """Return the customers whose figures have become stale, and what notes that the queue has them."""
    return dates.passed(
        engine, "credit", credit.stale_before(engine.policy.credit, engine.now()), engine.exchange.outdated_credit
    )


def has_stopped(engine: Engine) -> bool:
    """Return whether no figures at all have been refreshed for so long that all are stale."""
    newest = engine.exchange.newest_credit()
    return newest is not None and newest < credit.stale_before(engine.policy.credit, engine.now())
