"""Trade credit: what the panel shall have of a customer's figures, and when nobody vouches for them any more.

An ERP writes figures with the moment at which it computed them. Older than the policy allows, they are stale: the
panel's stay as they are (``freeze``), or nobody buys on credit on them (``zero``), or they count nevertheless
(``keep``).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kartoteka.core import money
from kartoteka.core.errors import Reject
from kartoteka.core.model import Record, Value
from kartoteka.core.policy import Credit

NOTHING = "0.00"
OTHER_CURRENCY = "other_currency"
AHEAD = timedelta(days=1)
"""How far ahead of our clock a moment may be: a zone forgotten is believed, another year is not."""
FRESH, FROZEN, ZERO, GONE = "", "freeze", "zero", "gone"
STALE = "stale"
"""The name under which figures carry what their age means: ``FRESH``, ``FROZEN``, ``ZERO``, or ``GONE``: no row."""


def stale_before(policy: Credit, now: datetime) -> datetime:
    """Return the moment before which figures are stale."""
    return now - timedelta(minutes=policy.stale_after_minutes)


def effective(row: Record, policy: Credit, now: datetime) -> Record:
    """Return a row of ``client_credit`` as the panel shall have it; what it shall keep is empty.

    No credit is a limit of 0. Amounts that are none stay as they are, to be refused by name.
    """
    age = _age(row, policy, now)
    if age == FROZEN:
        return {**row, "credit_limit": None, "balance": None, "payment_days": None, STALE: age}
    if age == ZERO:
        return {**row, "credit_limit": NOTHING, "balance": None, "payment_days": None, STALE: age}
    limit = NOTHING if row.get("credit_allowed") is False else money.canonical(row.get("credit_limit"))
    return {**row, "credit_limit": limit, "balance": _signed(row.get("balance"), policy.balance_sign), STALE: age}


def withdrawn(policy: Credit) -> Record:
    """Return what the panel shall have of a customer whose row is gone: nobody vouches for his figures any more."""
    return {"credit_limit": NOTHING, STALE: ZERO} if policy.when_stale == "zero" else {STALE: GONE}


def missing(row: Record) -> list[str]:
    """Return the columns without which it is not known how much credit a customer has."""
    if row.get(STALE) or row.get("credit_allowed") is False:
        return []
    return [name for name in ("credit_allowed", "credit_limit") if _is_empty(row.get(name))]


def refuse_unfit(row: Record, currency: Value, now: datetime) -> None:
    """Raise Reject where figures cannot be this customer's: in another currency, or of a moment that cannot be."""
    as_of = moment(row.get("as_of"))
    if not _is_empty(row.get("as_of")) and (as_of is None or as_of > now + AHEAD):
        raise Reject(
            "bad_as_of",
            f"as_of ({row['as_of']!r}): to nie jest miniony moment UTC. / is no moment of the past, UTC.",
            field="as_of",
        )
    limit = row.get("credit_limit")
    if money.canonical(limit).startswith("-"):
        raise Reject(
            "bad_amount",
            f"credit_limit ({limit!r}): kwota ujemna. / is negative.",
            field="credit_limit",
        )
    given, own = (_code(value) for value in (row.get("currency"), currency))
    if given and own and given != own:
        raise Reject(
            OTHER_CURRENCY,
            f"{given_in(row)}, a klient ma w panelu {own}; popraw currency. / "
            f"the figures in client_credit are in {given}, and the customer's currency in the panel is {own}; "
            "correct currency.",
            field="currency",
        )


def given_in(row: Record) -> str:
    """Return how the refusal of a currency begins, by which it is known again."""
    return f"currency: kwoty w client_credit są w {_code(row.get('currency'))}"


def moment(value: Value) -> datetime | None:
    """Return ``as_of``, UTC; None for what is no moment."""
    try:
        found = datetime.fromisoformat(str(value).strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _age(row: Record, policy: Credit, now: datetime) -> str:
    """Return what the age of these figures means. A row without a moment makes no statement about it."""
    as_of = moment(row.get("as_of"))
    if as_of is None or as_of >= stale_before(policy, now) or policy.when_stale == "keep":
        return FRESH
    return FROZEN if policy.when_stale == "freeze" else ZERO


def _signed(balance: Value, sign: int) -> Value:
    try:
        return balance if _is_empty(balance) else str(money.rounded(money.amount(balance) * sign))
    except Reject:
        return balance


def _code(value: Value) -> str:
    return str(value or "").strip().upper()


def _is_empty(value: Value) -> bool:
    return value is None or str(value).strip() == ""
