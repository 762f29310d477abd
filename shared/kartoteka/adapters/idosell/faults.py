"""What each way of failing means: the one table from statuses, faults and exceptions to Retry, Reject and Halt.

A fault's number means something only at its gate: 2 is an empty search here and a bad login there. No text of the panel
goes into ``str()`` of an error, since it may quote a person; number and text stand in ``Reject.facts["panel"]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import MappingProxyType

import requests
import urllib3

from kartoteka.adapters.idosell.answers import Fault
from kartoteka.errors import Halt, KartotekaError, Reject, Retry
from kartoteka.fields.table import ACCOUNT_FIELDS, DELIVERY_ADDRESSES, FAULTS
from kartoteka.ports.panel import BROKEN_ANSWER, LACKS_FIELD, REFUSED_WHOLE

LONGEST_WAIT = 300.0
"""Seconds of ``Retry-After`` that are honoured at most."""
ABSURD_WAIT = 86_400.0
"""A ``Retry-After`` of more seconds than this is a mistake, and counts as none."""


@dataclass(frozen=True, slots=True)
class Again:
    """Row of the table: the same work may succeed later."""

    code: str


@dataclass(frozen=True, slots=True)
class Split:
    """Row of the table: this call is refused as it stands, perhaps for one record of it."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Row of the table: a person must act. ``{gate}`` and ``{right}`` are filled in."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Row of the table: the search found nothing, which is no failure."""


Action = Again | Split | Stop | Nothing

_KEY = Stop("panel_key", "the panel does not know the key ({gate}): put a valid API key into the panel's secret")
_RIGHT = Stop(
    "panel_right",
    "the panel refuses the key at {gate}: give the key the right {right} in the panel; where the key is limited to "
    "addresses of callers, add the address by which the functions leave their network",
)
_GATE = Stop("panel_gate", "the panel has no {gate}: check the panel's address and that it speaks Admin API v8")
_MOVED = Stop(
    "panel_redirect",
    "the panel redirects {gate}, where the key must not go: name the host that answers itself",
)
_UNPAID = Stop("panel_blocked", "the panel is blocked, usually for unpaid invoices to IdoSell ({gate})")
_ODD = Stop("panel_status", "the panel answers {gate} with an odd status: check its address and the key's rights")
_QUERY = Stop("panel_query", "the panel refuses the search at {gate}: it may speak another version than Admin API v8")
_IGNORED = Stop(
    "panel_query", "the panel ignores the filter {gate} and shows what was not asked for: does it speak Admin API v8?"
)
TLS = Stop("panel_tls", "the panel's certificate cannot be verified ({gate}): check its address")

STATUSES: Mapping[int, Action] = MappingProxyType(
    {
        400: Split(),
        401: _KEY,
        402: _UNPAID,
        403: _RIGHT,
        404: _GATE,
        408: Again("timeout"),
        409: Again("panel_409"),
        410: _GATE,
        413: Split(),
        414: Split(),
        422: Split(),
        425: Again("panel_425"),
        429: Again("too_many_requests"),
    }
)
CLASSES: Mapping[int, Action] = MappingProxyType({1: _ODD, 3: _MOVED, 4: _ODD, 5: Again("panel_5xx")})
"""Statuses without a row of their own, by their first digit."""

EXCEPTIONS: tuple[tuple[type[BaseException], Action], ...] = (
    (requests.exceptions.Timeout, Again("timeout")),
    (requests.exceptions.InvalidHeader, Again(BROKEN_ANSWER)),
    (requests.exceptions.InvalidURL, _GATE),
    (requests.exceptions.ChunkedEncodingError, Again(BROKEN_ANSWER)),
    (requests.exceptions.ContentDecodingError, Again(BROKEN_ANSWER)),
    (requests.exceptions.RequestException, Again("connection")),
    (urllib3.exceptions.TimeoutError, Again("timeout")),
    (urllib3.exceptions.HTTPError, Again(BROKEN_ANSWER)),
    (OSError, Again("connection")),
)
"""The first row that fits. A certificate that fails verification is told apart in ``for_exception``."""

_SEARCH: Mapping[str, Action] = MappingProxyType({"1": _KEY, "2": Nothing(), "3": _QUERY, "4": _UNPAID})
SEARCH_FAULTS: Mapping[str, Mapping[str, Action]] = MappingProxyType(
    {
        "clients": _SEARCH,
        "discounts": _SEARCH,
        "system": {"2": _UNPAID},
    }
)
"""Faults of a whole search, by the family of its gate. An unknown one is tried again."""

WRITE_FAULTS: Mapping[str, Action] = MappingProxyType({"1": _KEY, "4": _UNPAID})
"""Faults of a whole write that names no record. Its login and password are always given, so 1 and 4 mean the caller."""

RIGHTS: Mapping[str, str] = MappingProxyType({"clients": "CRM", "discounts": "CRM", "system": "SYSTEM"})


RECORD_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "1": "no_login",
        "2": "bad_login",
        "3": "login_taken",
        "4": "bad_password",
        "5": "bad_password",
        "6": "bad_password",
        "7": "bad_password",
        "8": "bad_password",
        "9": "bad_birth_date",
        "10": "no_first_name",
        "11": "no_last_name",
        "12": "bad_email.by_panel",
        "13": "no_shop.by_panel",
        "14": "bad_shop",
        "15": "bad_vat",
        "16": "no_company",
        "17": "bad_country.by_panel",
        "18": "bad_city",
        "19": "bad_address",
        "20": "bad_postcode",
        "21": "bad_phone",
    }
)
"""Fault of one record of clients POST and PUT -> its name in ``codes.CODES``."""
REFUSED = "refused"
"""Code of faults that have no number of their own: an unknown login, group or external code, most of other gates."""

NEWER: Mapping[str, str] = MappingProxyType(
    {
        wire: field.name
        for field in ACCOUNT_FIELDS.values()
        if field.since
        for wire in (field.create, field.update)
        if wire
    }
)
"""Wire name -> field, of those fields that an older panel does not know.

A refusal that names one of them is taken for a panel that lacks it. Of other fields it is not: every panel that speaks
this API knows them, so a text that names one speaks of its contents ("unknown value of clientCountryId"), and taking it
for a missing field would stop the field for all clients.
"""

LONGEST_QUOTE = 500
"""Characters of the panel's own text that are quoted."""

_FOUND_NOTHING = re.compile(r"(no|empty)_[a-z_]{1,40}", re.IGNORECASE)
"""How gates that tell faults by words say that nothing was found, such as ``no_products``."""
_SCOPE = re.compile(r"Scope:\s*([a-z]{1,20}),\s*level:\s*(rw|r)\b", re.IGNORECASE)
_LEVELS = {"r": "read", "rw": "read and write"}


def for_status(
    status: int, *, gate: str, text: str = "", after: float | None = None, sent: Iterable[str] = ()
) -> KartotekaError:
    """Return the error that this status of an answer stands for. ``sent``: wire names of the fields of the call."""
    action = STATUSES.get(status) or CLASSES.get(status // 100, _ODD)
    return _error(action, gate, f"HTTP {status}", text, sent, after)


def for_exception(error: BaseException, *, gate: str) -> KartotekaError:
    """Return the error that this exception of the HTTP library stands for."""
    if isinstance(error, requests.exceptions.SSLError) and "certificate verify failed" in str(error).casefold():
        return _error(TLS, gate)
    action = next(action for kind, action in EXCEPTIONS if isinstance(error, kind))
    return _error(action, gate)


def for_search_fault(number: str, *, gate: str) -> KartotekaError | None:
    """Return the error that a fault of a whole search stands for; None: nothing was found."""
    known = SEARCH_FAULTS.get(_family(gate), {}).get(number)
    action = known or (Nothing() if _FOUND_NOTHING.fullmatch(number) else Again("panel_fault"))
    return None if isinstance(action, Nothing) else _error(action, gate)


def for_write_fault(number: str, text: str, *, gate: str, sent: Iterable[str]) -> KartotekaError:
    """Return the error that a fault of a whole write stands for. ``sent`` as for :func:`for_status`."""
    return _error(WRITE_FAULTS.get(number, Split()), gate, number, text, sent)


def for_reasons(reasons: Sequence[Fault], *, sent: Iterable[str]) -> Reject:
    """Return the refusal of one account for all the reasons that the panel gives, one at least."""
    carried = list(sent)
    first, *others = [for_record(number, text, sent=carried) for number, text in reasons]
    first.also = tuple(others)
    return first


def for_record(number: str, text: str, *, sent: Iterable[str]) -> Reject:
    """Return the refusal of one account for one reason. ``sent``: wire names of the fields that its record carried."""
    known = RECORD_FAULTS.get(number)
    if known:
        return Reject(known, field=FAULTS.get(number, ""), panel=_quoted(number, text))
    return _lacking(number, text, sent) or Reject(REFUSED, panel=_quoted(number, text))


def for_address(reasons: Sequence[Fault], *, sent: Iterable[str]) -> Reject:
    """Return the refusal of one delivery address for all the reasons that the panel gives, one at least.

    ``sent``: wire names of the fields that its record carried. Its gates list no numbers. A field is blamed that was
    sent and that the text names as a word of its own, or else one that this number means at the accounts' gates.
    """
    carried = [name for name, field in DELIVERY_ADDRESSES.items() if field.create in frozenset(sent)]
    first, *others = [_of_address(number, text, carried) for number, text in reasons]
    first.also = tuple(others)
    return first


def _of_address(number: str, text: str, carried: Sequence[str]) -> Reject:
    quoted = _quoted(number, text)
    named = [name for name in carried if _names(text, DELIVERY_ADDRESSES[name].create)]
    blamed = named[0] if len(named) == 1 else FAULTS.get(number, "")
    known = next((RECORD_FAULTS[fault] for fault, name in FAULTS.items() if name == blamed), "")
    return Reject(known, field=blamed, panel=quoted) if known and blamed in carried else Reject(REFUSED, panel=quoted)


def for_group(number: str, text: str) -> Reject:
    """Return the refusal of a whole write of a discount group. Its gates list no numbers either."""
    return Reject(REFUSED_WHOLE, panel=_quoted(number, text))


def for_refused_search(*, gate: str) -> Halt:
    """Return the error for a search whose form the panel refuses: it would refuse it again."""
    return Halt(_QUERY.code, _QUERY.message.format(gate=gate))


def for_ignored_filter(name: str) -> Halt:
    """Return the error for a search that shows what its filter did not ask for."""
    return Halt(_IGNORED.code, _IGNORED.message.format(gate=name))


def retry_after(header: str | None, now: datetime) -> float | None:
    """Read ``Retry-After``: seconds or an HTTP date; None where there is none or it makes no sense."""
    if not header:
        return None
    try:
        seconds = _seconds(header, now)
    except (ValueError, OverflowError):
        return None
    return min(seconds, LONGEST_WAIT) if 0 <= seconds <= ABSURD_WAIT else None


def clock_ahead(header: str | None, now: datetime) -> timedelta:
    """Read ``Date``: how far the panel's clock is ahead of ours; nothing where there is none or it makes no sense."""
    try:
        return timedelta(seconds=_seconds(header, now)) if header else timedelta()
    except (ValueError, OverflowError):
        return timedelta()


def _seconds(header: str, now: datetime) -> float:
    try:
        return float(header)
    except ValueError:
        moment = parsedate_to_datetime(header)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()


def _error(
    action: Action,
    gate: str,
    number: str = "",
    text: str = "",
    sent: Iterable[str] = (),
    after: float | None = None,
) -> KartotekaError:
    match action:
        case Again(code):
            return Retry(code, after=after)
        case Stop(code, message):
            return Halt(code, message.format(gate=gate, right=_right(gate, text)))
    return _lacking(number, text, sent) or Reject(REFUSED_WHOLE, panel=_quoted(number, text))


def _lacking(number: str, text: str, sent: Iterable[str]) -> Reject | None:
    """Return the refusal where the text names, as a word of its own, a field that was sent and that is new."""
    carried = frozenset(sent)
    for wire, name in NEWER.items():
        if wire in carried and _names(text, wire):
            return Reject(LACKS_FIELD, field=name, panel=_quoted(number, text))
    return None


def _names(text: str, wire: str) -> bool:
    """Return whether a text has this name as a word of its own."""
    return re.search(rf"(?<!\w){re.escape(wire)}(?!\w)", text) is not None


def _quoted(number: str, text: str) -> str:
    """Return number and text of a refusal in one line."""
    return ": ".join(filter(None, (number, " ".join(text.split()))))[:LONGEST_QUOTE]


def _right(gate: str, text: str) -> str:
    """Name the missing right, as the panel's text does or as the gate needs it."""
    said = _SCOPE.search(text)
    if said:
        return f"{said[1].upper()} ({_LEVELS[said[2].lower()]})"
    level = "r" if gate.startswith("GET") else "rw"
    return f"{RIGHTS.get(_family(gate), 'to this gate')} ({_LEVELS[level]})"


def _family(gate: str) -> str:
    return gate.partition(" ")[2].partition("/")[0]
