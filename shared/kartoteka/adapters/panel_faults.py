"""What each way of failing means: the one table from statuses, faults and exceptions to Retry, Reject and Halt.

Sources: Admin API v8, chapter of answers (statuses, ``errors`` inside 2xx, faults of searches) and the code list of
clients POST/PUT. A fault code means something only at its gate: 2 is an empty search here and a bad login there.
No text of the panel goes into ``str()`` of an error: it may quote a person. It stands in ``Reject.message`` alone.
"""

from __future__ import annotations

import email.utils
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

import requests
import urllib3

from kartoteka.core.errors import Halt, KartotekaError, Reject, Retry

LONGEST_WAIT = 300.0
"""Seconds of ``Retry-After`` that are honoured at most."""
ABSURD_WAIT = 86_400.0
"""A ``Retry-After`` of more seconds than this is a mistake, and counts as none."""

WHOLE = "refused_whole"
"""Code of the Reject that says: the call is refused as it stands, split it."""


@dataclass(frozen=True, slots=True)
class Again:
    """Row of the table: the same work may succeed later."""

    code: str


@dataclass(frozen=True, slots=True)
class Split:
    """Row of the table: the content of this call is refused, perhaps for one record of it."""

    code: str = WHOLE


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
_RIGHT = Stop("panel_right", "the panel refuses the key at {gate}: give the key the right {right} in the panel")
_GATE = Stop("panel_gate", "the panel has no {gate}: check the panel's address and that it speaks Admin API v8")
_MOVED = Stop("panel_redirect", "the panel redirects {gate}, and the key does not follow: correct its address")
_UNPAID = Stop("panel_blocked", "the panel is blocked, usually for unpaid invoices to IdoSell ({gate})")
_ODD = Stop("panel_status", "the panel answers {gate} with an odd status: check its address and the key's rights")
_QUERY = Stop("panel_query", "the panel refuses the search at {gate}: it may speak another version than Admin API v8")
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
    (requests.exceptions.InvalidHeader, Again("broken_answer")),
    (requests.exceptions.InvalidURL, _GATE),
    (requests.exceptions.ChunkedEncodingError, Again("broken_answer")),
    (requests.exceptions.ContentDecodingError, Again("broken_answer")),
    (requests.exceptions.RequestException, Again("connection")),
    (urllib3.exceptions.TimeoutError, Again("timeout")),
    (urllib3.exceptions.HTTPError, Again("broken_answer")),
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


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one record: our code, our field, and what to tell a person."""

    code: str
    field: str = ""
    polish: str = "panel odrzucił dane"
    english: str = "the panel refused the data"


RECORD_FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "1": Fault("no_login", "", "brak loginu", "no login"),
        "2": Fault("bad_login", "", "login musi być pisany małymi literami", "the login must be in small letters"),
        "3": Fault("login_taken", "", "login jest zajęty", "the login is taken"),
        "4": Fault("bad_password", "", "brak hasła", "no password"),
        "5": Fault("bad_password", "", "hasło jest za krótkie", "the password is too short"),
        "6": Fault("bad_password", "", "hasło jest za długie", "the password is too long"),
        "7": Fault("bad_password", "", "hasło jest takie jak login", "the password equals the login"),
        "8": Fault("bad_password", "", "niedozwolone hasło", "the password is not allowed"),
        "9": Fault("bad_birth_date", "", "błędna data urodzenia", "wrong date of birth"),
        "10": Fault("no_first_name", "first_name", "brak imienia", "no first name"),
        "11": Fault("no_last_name", "last_name", "brak nazwiska", "no last name"),
        "12": Fault("bad_email", "email", "błędny adres e-mail", "wrong e-mail address"),
        "13": Fault("no_shop", "shops", "nie podano sklepu", "no shop given"),
        "14": Fault("bad_shop", "shops", "panel nie zna tego sklepu", "the panel does not know this shop"),
        "15": Fault("bad_vat", "nip", "numer NIP jest błędny dla tego kraju", "wrong tax number for this country"),
        "16": Fault("no_company", "company", "brak nazwy firmy", "no company name"),
        "17": Fault("bad_country", "country_code", "błędny kraj", "wrong country"),
        "18": Fault("bad_city", "city", "błędna miejscowość", "wrong city"),
        "19": Fault("bad_address", "street", "błędny adres", "wrong street"),
        "20": Fault("bad_postcode", "zip_code", "błędny kod pocztowy", "wrong postcode"),
        "21": Fault("bad_phone", "phone", "błędny numer telefonu", "wrong telephone number"),
    }
)
UNKNOWN = Fault("refused")
"""Faults beyond the list: unknown login, group or code have no number of their own."""

_SCOPE = re.compile(r"Scope:\s*([a-z]{1,20}),\s*level:\s*(rw|r)\b", re.IGNORECASE)
_LEVELS = {"r": "read", "rw": "read and write"}


def for_status(status: int, *, gate: str, text: str = "", after: float | None = None) -> KartotekaError:
    """Return the error that this status of an answer stands for."""
    action = STATUSES.get(status) or CLASSES.get(status // 100, _ODD)
    return _error(action, gate, text, after)


def for_exception(error: BaseException, *, gate: str) -> KartotekaError:
    """Return the error that this exception of the HTTP library stands for."""
    if isinstance(error, requests.exceptions.SSLError) and "certificate verify failed" in str(error).casefold():
        return _error(TLS, gate)
    action = next(action for kind, action in EXCEPTIONS if isinstance(error, kind))
    return _error(action, gate)


def for_search_fault(fault: str, *, gate: str) -> KartotekaError | None:
    """Return the error that a fault of a whole search stands for; None: nothing was found."""
    family = _family(gate)
    action = SEARCH_FAULTS.get(family, {}).get(fault, Again("panel_fault"))
    return None if isinstance(action, Nothing) else _error(action, gate)


def for_write_fault(fault: str, text: str, *, gate: str) -> KartotekaError:
    """Return the error that a fault of a whole write stands for."""
    return _error(WRITE_FAULTS.get(fault, Split()), gate, text)


def for_record(fault: str, text: str) -> Reject:
    """Return the refusal of one record, the panel's own text quoted in its message."""
    return _refusal(RECORD_FAULTS.get(fault, UNKNOWN), fault, text)


def for_address(fault: str, text: str) -> Reject:
    """Return the refusal of one delivery address. Its gates list no codes, so the number is quoted and not read."""
    return _refusal(UNKNOWN, fault, text)


def for_group(fault: str, text: str) -> Reject:
    """Return the refusal of a whole write of a discount group. Its gates list no codes either."""
    return Reject(WHOLE, _refusal(UNKNOWN, fault, text).message)


def for_refused_search(*, gate: str) -> Halt:
    """Return the error for a search whose form the panel refuses: it will refuse it again."""
    return Halt(_QUERY.code, _QUERY.message.format(gate=gate))


def _refusal(known: Fault, fault: str, text: str) -> Reject:
    number = f" ({fault})" if fault else ""
    quoted = f" Panel{number}: {_one_line(text)}" if text or number else ""
    return Reject(known.code, f"{known.polish}. / {known.english}.{quoted}", field=known.field)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Read ``Retry-After``: seconds or an HTTP date; None where there is none or it makes no sense."""
    if not header:
        return None
    seconds = _seconds(header.strip(), now)
    if seconds is None or not 0 <= seconds <= ABSURD_WAIT:
        return None
    return min(seconds, LONGEST_WAIT)


def _seconds(header: str, now: datetime) -> float | None:
    try:
        seconds = float(header)
        return seconds if math.isfinite(seconds) else None
    except ValueError:
        return _until(header, now)


def _until(header: str, now: datetime) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(header)
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, OverflowError):
        return None


def _error(action: Action, gate: str, text: str = "", after: float | None = None) -> KartotekaError:
    match action:
        case Again(code):
            return Retry(code, after=after)
        case Stop(code, message):
            return Halt(code, message.format(gate=gate, right=_right(gate, text)))
    quoted = f" Panel: {_one_line(text)}" if text else ""
    return Reject(WHOLE, f"panel odrzucił dane. / the panel refused the data.{quoted}")


def _right(gate: str, text: str) -> str:
    """Name the missing right, as the panel's text does or as the gate needs it."""
    said = _SCOPE.search(text)
    if said:
        return f"{said[1].upper()} ({_LEVELS[said[2].lower()]})"
    level = "r" if gate.startswith("GET") else "rw"
    return f"{RIGHTS.get(_family(gate), 'to this gate')} ({_LEVELS[level]})"


def _family(gate: str) -> str:
    return gate.partition(" ")[2].partition("/")[0]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
