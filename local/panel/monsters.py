"""Answers without an end, and answers without measure: what "drip" or "huge" gives in place of the true one."""

from __future__ import annotations

import asyncio
import itertools
import zlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from aiohttp import web

PACE = 0.02
"""Seconds between two pieces of an answer that drips."""
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


async def drip(request: web.Request, part: str) -> None:
    """Answer a little at a time, until the caller goes."""
    transport = request.transport
    for piece in _DRIPS[part]():
        if transport is None or transport.is_closing():
            return
        transport.write(piece)
        await asyncio.sleep(PACE)


def _status() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 "
    yield from itertools.repeat(b"O")


def _headers() -> Iterator[bytes]:
    yield _HEAD + b"X-Long: "
    yield from itertools.repeat(b"x")


def _interim() -> Iterator[bytes]:
    yield from itertools.repeat(_INTERIM)


def _chunks() -> Iterator[bytes]:
    """A chunk's size with ever more zeros before it."""
    yield _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    yield from itertools.repeat(b"0")


def _body() -> Iterator[bytes]:
    yield _HEAD + b"Content-Length: 100000000\r\n\r\n{"
    yield from itertools.repeat(b" ")


_DRIPS: Mapping[str, Callable[[], Iterator[bytes]]] = MappingProxyType(
    {"status": _status, "headers": _headers, "interim": _interim, "chunks": _chunks, "body": _body}
)


def huge(part: str, size: int) -> web.Response:
    """Return an answer that is JSON and more than anybody can want: of so many bytes, values or lists in each other."""
    body = _HUGE[part](size)
    headers = {"Content-Encoding": "gzip"} if part == "packed" else {}
    return web.Response(body=body, headers=headers, content_type="application/json")


def _packed(before: bytes, blanks: int, after: bytes) -> bytes:
    """Return a text with so many blanks in it, packed, without ever holding it."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    some = b" " * 65_536
    packed = [packer.compress(piece) for piece in (before, *itertools.repeat(some, blanks // len(some)), after)]
    return b"".join([*packed, packer.flush()])


_HUGE: Mapping[str, Callable[[int], bytes]] = MappingProxyType(
    {
        "bytes": lambda size: b'{"results": ["' + b"x" * size + b'"]}',
        "packed": lambda size: _packed(b'{"results": [', size, b"]}"),
        "values": lambda size: b'{"results": [' + b"{}," * (size - 1) + b"{}]}",
        "depth": lambda size: b'{"results": ' + b"[" * size + b"]" * size + b"}",
    }
)
