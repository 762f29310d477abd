"""A call of the API from the socket to the gate and back, with the ordered misbehaviour on its way."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from local.panel import gates, monsters
from local.panel.answers import Answer, Refusal, error_answer
from local.panel.calls import Call
from local.panel.faults import Rule
from local.panel.money import json_text, read_json
from local.panel.state import PanelState

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Panel</title></head><body><form>Zaloguj się</form></body></html>"
_ABORTED = 0
_ADDRESS = re.compile(r"v(\d+)/(.+)")


class Aborted(Exception):
    """The connection is to be aborted instead of answered."""


class RateLimit:
    """A bucket of tokens that fills at so many a second; the contract states no numbers, so they are a setting."""

    def __init__(self, panel: PanelState) -> None:
        self._panel = panel
        self._tokens = 0.0
        self._at: float | None = None

    def take(self) -> bool:
        """Whether this call is within the rate limit."""
        rate = self._panel.settings.requests_per_second
        if rate is None:
            return True
        most = max(1.0, float(self._panel.settings.burst))
        now = time.monotonic()
        passed = most if self._at is None else (now - self._at) * rate
        self._tokens, self._at = min(most, self._tokens + passed), now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Api:
    """Serves `/api/admin/v8/<gate>` from one panel's state. The key is compared, never logged nor shown."""

    def __init__(self, panel: PanelState, key: str) -> None:
        self._panel = panel
        self._key = key
        self._rate_limit = RateLimit(panel)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Count the call, work it, answer or abort."""
        call = await _read(request)
        status = _ABORTED
        self._arrive(call)
        try:
            response = await self._respond(request, call)
            status = response.status
            response.headers["Date"] = self._date()
            return response
        except Aborted:
            abort(request)
            return web.Response()
        finally:
            self._panel.counters.leave(call.name, status)

    def _date(self) -> str:
        """Now, as the header `Date` tells it: by the clock that the panel's dates are taken from."""
        return format_datetime(datetime.fromtimestamp(self._panel.clock.now(), UTC), usegmt=True)

    def _arrive(self, call: Call) -> None:
        self._panel.counters.arrive(call.name)
        self._panel.requests.append({"gate": call.name, "query": dict(call.query), "body": call.body})

    async def _respond(self, request: web.Request, call: Call) -> web.Response:
        with self._panel.lock:
            ordered = self._panel.faults.for_call(call)
        await _wait(self._panel.settings.latency_seconds + ordered.seconds("before"))
        if not self._rate_limit.take():
            return _too_many(self._panel.settings.retry_after)
        if ordered.fault and ordered.fault.kind == "drip":
            await monsters.drip(request, ordered.fault.part)
            raise Aborted
        response = _before(ordered.fault) or self._work(request, call, ordered.fault)
        await _wait(ordered.seconds("after"))
        return response

    def _work(self, request: web.Request, call: Call, rule: Rule | None) -> web.Response:
        """The true answer, or what an ordered fault `after` the effect makes of it."""
        try:
            gates.check_key(request.headers.get("X-API-KEY"), self._key)
            if isinstance(call.body, _NotJson):
                raise Refusal(422, "the body is not JSON")
            answer = gates.answer(self._panel, call)
        except Refusal as refusal:
            answer = refusal.answer()
        return _after(rule, answer, request) if rule else _response(answer)


class _NotJson:
    """A body that could not be read."""


async def _read(request: web.Request) -> Call:
    found = _ADDRESS.fullmatch(request.match_info["address"])
    version, gate = (int(found.group(1)), found.group(2).rstrip("/")) if found else (0, request.match_info["address"])
    raw = await request.read()
    return Call(
        request.method,
        gate,
        version,
        dict(request.query.items()),
        _json(raw) if raw else None,
    )


def _json(raw: bytes) -> Any:
    try:
        return read_json(raw)
    except ValueError:
        return _NotJson()


async def _wait(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


def _before(rule: Rule | None) -> web.Response | None:
    """The answer of a fault that is ordered before the effect, None without one."""
    if rule is None or rule.when == "after":
        return None
    return _spoiled(rule)


def _after(rule: Rule, answer: Answer, request: web.Request) -> web.Response:
    """What an ordered fault leaves of the true answer."""
    if rule.kind == "missing_result":
        return _response(_without_last(answer, rule.drop))
    if rule.kind not in ("truncated", "cut"):
        return _spoiled(rule)
    whole = _response(answer)
    body = whole.body if isinstance(whole.body, bytes) else b""
    half = body[: len(body) // 2]
    if rule.kind == "truncated":
        return web.Response(body=half, status=answer.status, content_type="application/json")
    _write_half(request, answer.status, half, len(body))
    raise Aborted


def _write_half(request: web.Request, status: int, half: bytes, length: int) -> None:
    """Announce the whole length, send half: the client sees a body that stops."""
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    if request.transport is not None:
        request.transport.write(head.encode() + half)


def _without_last(answer: Answer, count: int) -> Answer:
    if answer.results and isinstance(answer.body, dict):
        kept = answer.body[answer.results][: -count or None]
        answer.body = {**answer.body, answer.results: kept}
    return answer


def _spoiled(rule: Rule) -> web.Response:
    """The answer that an ordered fault gives in place of the true one."""
    if rule.kind == "reset":
        raise Aborted
    if rule.kind == "429":
        return _too_many(rule.retry_after)
    if rule.kind == "huge":
        return monsters.huge(rule.part, rule.size)
    if rule.kind == "html":
        return web.Response(text=LOGIN_PAGE, content_type="text/html")
    if rule.kind == "empty":
        return web.Response()
    status = rule.status if rule.kind == "5xx" else int(rule.kind)
    return _response(error_answer(status, _REASONS.get(status, "Błąd serwera")))


_REASONS = {
    401: "Błędny klucz API",
    403: "Brak uprawnień. Scope: crm, level: rw",
    422: "Błędne dane wejściowe",
    503: "Serwis chwilowo niedostępny",
}


def _too_many(retry_after: str | None) -> web.Response:
    headers = {} if retry_after is None else {"Retry-After": _retry_after(str(retry_after))}
    response = _response(error_answer(429, "Too many requests"))
    response.headers.update(headers)
    return response


def _retry_after(text: str) -> str:
    """`date:30` becomes an HTTP date 30 seconds ahead; everything else is sent as it stands."""
    if not text.startswith("date:"):
        return text
    ahead = timedelta(seconds=float(text.removeprefix("date:")))
    return format_datetime(datetime.now(UTC) + ahead, usegmt=True)


def _response(answer: Answer) -> web.Response:
    """JSON, or nothing at all for gates whose 200 has no body."""
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    body = json_text(answer.body).encode()
    return web.Response(
        body=body,
        status=answer.status,
        headers=answer.headers,
        content_type="application/json",
    )


def abort(request: web.Request) -> None:
    """Reset the connection: with a linger time of 0 the socket closes by RST instead of FIN."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
