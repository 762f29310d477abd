"""HTTP to the panel: one call in, one JSON object out, or Retry, Reject, Halt.

Promise: the key goes to the configured address over verified TLS, if that leads to a public one (:mod:`.whereto`;
plain HTTP to the loopback only), follows no redirect, and shows in no repr, log or exception. Every attempt takes a
slot of the rate limit and is counted, and it is over within its time limit, whatever drips (:mod:`.timely`). Of an
answer no more is read than its limits allow: of its size, once unpacked, and of how many values it holds. Reading calls
are repeated here, quickly and twice at most. A writing call is repeated only where the panel has said that it did not
look at it (429): after a lost reply somebody may have edited what it wrote, so the panel is read first, which is the
queue's business.
"""

from __future__ import annotations

import logging
import threading
import time
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import requests
import stamina
import urllib3
from requests.auth import AuthBase

from kartoteka.adapters.idosell import exact_json, faults
from kartoteka.adapters.idosell.timely import TimelyAdapter
from kartoteka.adapters.idosell.whereto import checked_root
from kartoteka.errors import Halt, KartotekaError, Retry
from kartoteka.ports.panel import BROKEN_ANSWER, TOO_LARGE

API = "/api/admin/v{}/"
USER_AGENT = "kartoteka/1 (customer records between an ERP and the panel)"
WAIT_AFTER_429 = 1.0
"""Seconds of silence after a 429 that names none."""
TOO_MANY = "too_many_requests"
"""The code of a 429."""
QUICK = 5.0
"""A wait longer than this is not sat out here."""

PIECE = 16 * 1024
"""Bytes of an answer that are looked at together, as they come."""

log = logging.getLogger(__name__)


class RateLimit(Protocol):
    """How many panel calls a second all functions may make together."""

    def take(self, gate: str) -> None:
        """Wait for the moment at which a call of this gate may be made. Raises Retry where that is too far ahead."""
        ...

    def slow_down(self, wait: float) -> None:
        """Make fewer calls, and none for ``wait`` seconds: the panel said 429."""
        ...


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The API's version and the limits of one call; times in seconds, size in bytes of the decoded answer.

    ``read_timeout``: of the whole answer, to its last byte; ``connect_timeout``: of each step before it (an address,
    the TLS handshake, sending). Both together are the limit of the call. ``most_values``: numbers, texts, lists and
    objects of an answer, each of which takes some hundred bytes of memory beside its own. ``near``: the host of an
    emulator of AWS; a stand-in panel there needs neither TLS nor a public address.
    """

    api_version: int = 8
    connect_timeout: float = 5.0
    read_timeout: float = 25.0
    largest_answer: int = 8 * 1024 * 1024
    most_values: int = 250_000
    pool: int = 8
    attempts: int = 3
    first_pause: float = 0.2
    near: str = ""


@dataclass(frozen=True, slots=True)
class _Call:
    """One call. ``bare``: its gate says that all went well by a 200 without a body."""

    method: str
    path: str
    query: str = ""
    body: Mapping[str, Any] | None = None
    bare: bool = False

    @property
    def gate(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came. ``body``: its JSON, None where it is none; ``headers`` are named in small letters."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    seconds: float

    @property
    def object(self) -> dict[str, Any]:
        """The JSON object of the answer, empty where it is none."""
        return self.body if isinstance(self.body, dict) else {}


class PanelHttp:
    """Connections to one panel, kept open. Safe for several threads."""

    def __init__(self, root: str, key: str, rate_limit: RateLimit, settings: HttpSettings | None = None) -> None:
        self._settings = settings or HttpSettings()
        self._root = checked_root(root, self._settings.near)
        self._base = self._root + API.format(self._settings.api_version)
        self._limit: Any = urllib3.Timeout(
            connect=self._settings.connect_timeout,
            read=self._settings.read_timeout,
            total=self._settings.connect_timeout + self._settings.read_timeout,
        )
        self._rate_limit = rate_limit
        self._session = _session(checked_key(key), self._settings)
        self._calls: Counter[str] = Counter()
        self._ahead = timedelta()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"PanelHttp({self._base!r})"

    @property
    def root(self) -> str:
        """The panel's address."""
        return self._root

    def calls(self) -> Mapping[str, int]:
        """Return how many attempts were made, by gate."""
        with self._lock:
            return dict(self._calls)

    def clock(self) -> datetime:
        """Return the time now by the panel's clock, UTC, as the header ``Date`` of its last answer tells it."""
        return datetime.now(UTC) + self._ahead

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Call a reading gate."""
        text = urlencode(query or {}, quote_via=quote, safe=",:")
        return self._repeated(_Call("GET", path, f"?{text}" if text else ""), on=_quick_wait)

    def put(self, path: str, body: Mapping[str, Any], *, bare: bool = False) -> dict[str, Any]:
        """Call a gate that sets absolute values. ``bare``: it answers with a 200 without a body, which is ``{}``."""
        return self._repeated(_Call("PUT", path, body=body, bare=bare), on=_wait_if_not_looked_at)

    def post(self, path: str, body: Mapping[str, Any], *, bare: bool = False) -> dict[str, Any]:
        """Call a gate whose effect would be doubled by a repetition: once. ``bare`` as for :meth:`put`."""
        return self._once(_Call("POST", path, body=body, bare=bare))

    def delete(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Call a gate that removes what ``query`` names, which a repetition does not do twice; it may say nothing."""
        call = _Call("DELETE", path, f"?{urlencode(query, quote_via=quote)}", bare=True)
        return self._repeated(call, on=_wait_if_not_looked_at)

    def look(
        self, method: str, path: str, query: Mapping[str, str] | None = None, *, body: Any = None, key: str = ""
    ) -> Reply:
        """Make one call and return what came, unjudged; only where nothing came, raise as the other calls do.

        ``path`` with a leading slash starts at the panel's root. ``key``: another one than the panel's own.
        """
        text = urlencode(query or {}, quote_via=quote, safe=",:")
        call = _Call(method, path, f"?{text}" if text else "", body)
        self._rate_limit.take(call.gate)
        with self._lock:
            self._calls[call.gate] += 1
        began = time.monotonic()
        try:
            status, headers, content = self._send(call, checked_key(key) if key else "")
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as caught:
            translated = faults.for_exception(caught, gate=call.gate)
        else:
            shown = {name.lower(): value for name, value in headers.items()}
            return Reply(status, shown, self._parsed(content), time.monotonic() - began)
        raise translated

    def _repeated(self, call: _Call, on: Callable[[Exception], bool | float]) -> dict[str, Any]:
        for attempt in stamina.retry_context(
            on=on,
            attempts=self._settings.attempts,
            timeout=self._settings.read_timeout,
            wait_initial=self._settings.first_pause,
            wait_max=2.0,
            wait_jitter=self._settings.first_pause,
        ):
            with attempt:
                return self._once(call)
        raise AssertionError("stamina ends with the last attempt's own error")

    def _once(self, call: _Call) -> dict[str, Any]:
        self._rate_limit.take(call.gate)
        with self._lock:
            self._calls[call.gate] += 1
        try:
            return self._exchange(call)
        except KartotekaError as error:
            log.warning("panel call failed: %s: %s", call.gate, error)
            self._slow_down_after(error)
            raise

    def _slow_down_after(self, error: KartotekaError) -> None:
        if isinstance(error, Retry) and error.code == TOO_MANY:
            self._rate_limit.slow_down(WAIT_AFTER_429 if error.after is None else error.after)

    def _exchange(self, call: _Call) -> dict[str, Any]:
        """Make one attempt. What the library raises is translated outside its own handler, so that none is chained."""
        try:
            status, headers, content = self._send(call)
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as caught:
            translated = faults.for_exception(caught, gate=call.gate)
        else:
            self._ahead = faults.clock_ahead(headers.get("Date"), datetime.now(UTC))
            if call.bare and _says_nothing(status, content):
                return {}
            if status // 100 == 2:
                return self._object(content)
            after = faults.retry_after(headers.get("Retry-After"), datetime.now(UTC))
            sent = sent_names(call.body or {})
            said = _said(headers, self._parsed(content))
            translated = faults.for_status(status, gate=call.gate, text=said, after=after, sent=sent)
        raise translated

    def _send(self, call: _Call, key: str = "") -> tuple[int, Mapping[str, str], bytes]:
        with self._session.request(
            call.method,
            (self._root if call.path.startswith("/") else self._base) + call.path + call.query,
            auth=_KeyHeader(key) if key else None,
            data=None if call.body is None else exact_json.written(call.body).encode(),
            headers=None if call.body is None else {"Content-Type": "application/json"},
            timeout=self._limit,
            allow_redirects=False,
            stream=True,
        ) as response:
            return response.status_code, response.headers, self._content(response)

    def _content(self, response: requests.Response) -> bytes:
        """Read an answer, whatever it unpacks to, up to the limit of its size."""
        content = bytearray()
        while piece := response.raw.read1(PIECE, decode_content=True):
            content += piece
            if len(content) > self._settings.largest_answer:
                raise Retry(TOO_LARGE)
        return bytes(content)

    def _parsed(self, content: bytes) -> Any:
        """Return what the JSON says; None for what is none, or cannot be kept."""
        try:
            return exact_json.read(content, self._settings.most_values)
        except ValueError:
            return None

    def _object(self, content: bytes) -> dict[str, Any]:
        """Return the JSON object of a 2xx; anything else (HTML, nothing, half of it) is no success."""
        if exact_json.values_at_most(content) > self._settings.most_values:
            raise Retry(TOO_LARGE)
        parsed = self._parsed(content)
        if not isinstance(parsed, dict):
            raise Retry(BROKEN_ANSWER)
        return _clean(parsed) if _has_odd_escapes(content) else parsed


def sent_names(body: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the fields that the records of a bulk write carry."""
    return frozenset[str]().union(*body.get("params", {}).get("clients", ()))


def checked_key(key: str) -> str:
    """Return the key if it can stand in a header; the message of the Halt never quotes it."""
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise Halt("panel_key", "the panel's API key is empty or holds characters that no key has: correct the secret")
    return key


class _KeyHeader(AuthBase):
    """Puts the key into each request and shows it to nobody."""

    __slots__ = ("_key",)

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-API-KEY"] = self._key
        return request


def _session(key: str, settings: HttpSettings) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # neither a proxy nor a .netrc of the machine gets between the key and the panel
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # a PHP session would serialise our calls
    session.auth = _KeyHeader(key)
    session.headers.update({"Accept": "application/json", "User-Agent": USER_AGENT})
    adapter = TimelyAdapter(
        settings.near, pool_connections=1, pool_maxsize=settings.pool, pool_block=True, max_retries=0
    )
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _quick_wait(error: Exception) -> bool | float:
    """Tell stamina whether to repeat, and after how many seconds where the panel named them."""
    if not isinstance(error, Retry) or error.code in _NOT_QUICK:
        return False
    if error.after is None:
        return True
    return error.after if error.after <= QUICK else False


def _wait_if_not_looked_at(error: Exception) -> bool | float:
    """Tell stamina to repeat only what the panel has refused for its rate alone."""
    return isinstance(error, Retry) and error.code == TOO_MANY and _quick_wait(error)


_NOT_QUICK = frozenset({"rate_limit", TOO_LARGE})


def _says_nothing(status: int, content: bytes) -> bool:
    """Whether all went well, said without a body, or with what PHP writes for nothing and for yes.

    A 207 says so too where it names no fault: it has that status for any answer that may hold some.
    """
    return status in (200, 204, 207) and content.removeprefix(BOM_UTF8).strip() in (b"", b"[]", b"null", b"true")


def _said(headers: Mapping[str, str], body: Any) -> str:
    """Return the panel's own words about a 4xx or 5xx: ``errors``, ``error`` and the header ``x-error``."""
    words = _words(body.get("errors") or body.get("error")) if isinstance(body, dict) else ""
    header = headers.get("x-error", "").encode("latin-1", "replace").decode("utf-8", "replace")
    return " ".join(dict.fromkeys(filter(None, (words, header))))


def _words(error: Any) -> str:
    """Return what one error says, or all of several; an object without a message is quoted as it is."""
    match error:
        case None:
            return ""
        case list():
            return "; ".join(filter(None, map(_words, error)))
        case dict():
            return str(error.get("message") or error.get("faultString") or exact_json.written(error))
    return str(error)


def _has_odd_escapes(content: bytes) -> bool:
    return any(escape in content for escape in (b"\\u0000", b"\\ud", b"\\uD"))


def _clean(value: Any) -> Any:
    """Return the value with U+FFFD for what no database can store: NUL, and halves of surrogate pairs."""
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {name: _clean(inner) for name, inner in value.items()}
        case list():
            return [_clean(inner) for inner in value]
    return value
