"""A time limit for a whole answer, and for a whole request, however slowly they drip.

The limits of ``requests`` and ``urllib3`` are those of one read or write of a socket: an answer that sends a byte a
second (of its headers, of a chunk's size, of interim answers) keeps to them for ever. Here the limit that a socket has
when reading or sending begins is the limit of all of it. A TLS handshake has one already: Python counts it as one step.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from functools import partial
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from kartoteka.adapters.idosell.whereto import Guarded

PIECE = 64 * 1024
"""Bytes that are sent with one look at the clock."""


class TimelyAdapter(HTTPAdapter):
    """An adapter of ``requests`` by whose connections a call is over within its time limits.

    They lead where the key may go (:mod:`.whereto`, which tells of ``near``).
    """

    def __init__(self, near: str = "", **kwargs: Any) -> None:
        self._near = near
        super().__init__(**kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_HttpPool, near=self._near),
            "https": partial(_HttpsPool, near=self._near),
        }


class _Deadline:
    """The moment at which the time limit that a socket has now is over."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        limit = sock.gettimeout()
        self._at = None if limit is None else time.monotonic() + limit

    def leave_the_rest(self) -> None:
        """Give the socket what is left of its time. Raises TimeoutError where nothing is."""
        if self._at is not None:
            left = self._at - time.monotonic()
            if left <= 0:
                raise TimeoutError("the time limit of the whole is over")
            self._sock.settimeout(left)


class _Bytes(io.RawIOBase):
    """What a socket receives, until its time is over."""

    def __init__(self, raw: io.RawIOBase, deadline: _Deadline) -> None:
        self._raw = raw
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._deadline.leave_the_rest()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer of which status, headers, chunks and body together have the time that the socket gives to one read."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Bytes(self.fp.detach(), _Deadline(sock)))


class _Timely:
    """How a connection sends, and what it makes of an answer."""

    response_class: Any = _Answer
    sock: Any

    def send(self, data: Any) -> None:
        """Send a piece of the request; all of it within the socket's time, however little the other side takes."""
        if not isinstance(data, bytes) or self.sock is None:
            super().send(data)  # type: ignore[misc]
            return
        deadline = _Deadline(self.sock)
        rest = memoryview(data)
        while rest:
            deadline.leave_the_rest()
            rest = rest[self.sock.send(rest[:PIECE]) :]


class _HttpConnection(Guarded, _Timely, HTTPConnection):
    """Over plain HTTP."""


class _HttpsConnection(Guarded, _Timely, HTTPSConnection):
    """Over TLS."""


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection
