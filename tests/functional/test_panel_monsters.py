"""A panel whose answers have no end or no measure: a call is over in its time, and takes no more memory than it may."""

from __future__ import annotations

import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from kartoteka.adapters.idosell import exact_json
from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.adapters.idosell.panel import HttpPanel
from kartoteka.adapters.idosell.timely import TimelyAdapter
from kartoteka.errors import KartotekaError, Retry
from kartoteka.ports.panel import AccountUpdate, Window
from local.panel import StandinPanel
from local.panel.faults import PARTS
from tests.fakes.limit import CountedLimit
from tests.fakes.state import FakeState
from tests.unit.test_panel_http import TlsServer

READ, CONNECT = 0.4, 0.3
SLACK = 1.5
"""Seconds by which a busy machine may be late."""
MOST_MEMORY = 100 * 1024 * 1024
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
PARTS_OF = [(kind, part) for kind, parts in PARTS.items() for part in parts]
SIZES = {"bytes": 12_000_000, "packed": 300_000_000, "values": 1_000_000, "depth": 20_000}


@pytest.fixture(scope="module")
def panel() -> Iterator[StandinPanel]:
    with StandinPanel(key="k") as running:
        running.seed(login="anna")
        yield running


def http_of(url: str, **limits: Any) -> PanelHttp:
    settings = {"attempts": 1, "first_pause": 0.0, "read_timeout": READ, "connect_timeout": CONNECT, **limits}
    return PanelHttp(url, "k", CountedLimit(), HttpSettings(**settings))


def read(panel: HttpPanel) -> object:
    return panel.changed(Window(NOON, NOON), 0, 100)


def ask_for_one(panel: HttpPanel) -> object:
    return panel.read(["1"])


def write(panel: HttpPanel) -> object:
    return panel.update([AccountUpdate("K-1", "anna", {"city": "Gdynia"})])


CALLS: list[Callable[[HttpPanel], object]] = [read, ask_for_one, write]


@pytest.mark.fault(79)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("part", PARTS["drip"])
def test_whatever_drips_the_call_is_over_in_its_time(
    panel: StandinPanel, part: str, call: Callable[[HttpPanel], object]
) -> None:
    panel.misbehave("drip", part=part)
    began = time.monotonic()
    with pytest.raises(Retry) as failure:
        call(HttpPanel(http_of(panel.url), FakeState()))
    assert failure.value.code == "timeout"
    assert READ / 2 < time.monotonic() - began < READ + SLACK
    call(HttpPanel(http_of(panel.url, read_timeout=5), FakeState()))


@pytest.mark.fault(79)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("part", PARTS["huge"])
def test_an_answer_without_measure_takes_no_memory_to_speak_of(
    panel: StandinPanel, part: str, call: Callable[[HttpPanel], object]
) -> None:
    panel.misbehave("huge", part=part, size=SIZES[part])
    asked = HttpPanel(http_of(panel.url, read_timeout=20), FakeState())
    served, peak = peak_of(lambda: failure_of(lambda: call(asked)))
    assert isinstance(served, Retry)
    assert served.code == ("broken_answer" if part == "depth" else "answer_too_large")
    assert peak < MOST_MEMORY
    call(asked)


@pytest.mark.parametrize("status", [400, 500, 207])
@pytest.mark.parametrize("error", ['"x",', "[],", "1e999999999,", '{"message": "x"},'])
def test_what_a_refusal_says_has_limits_too(status: int, error: str) -> None:
    body = ('{"errors": [' + error * 500_000)[:7_000_000] + "1]}"
    for shown in (body, '{"errors": ' + "[" * 900 + "]" * 900 + "}"):
        with answering(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(shown)) + shown.encode()) as url:
            http = http_of(url, read_timeout=20)
            failed, peak = peak_of(lambda asked=http: failure_of(lambda: asked.get("clients/clients")))  # type: ignore[misc]
            assert isinstance(failed, KartotekaError)
            assert peak < MOST_MEMORY


@pytest.mark.fault(79)
@pytest.mark.parametrize(
    "value", [b"[[]]", b'{"a":{}}', b'{"a":0.5}', b"1234567.25", b'"x"', b'"' + b"x" * 25 + b'"', '["😀"]'.encode()]
)
def test_the_worst_answer_that_is_read_fits_four_times_into_a_function(value: bytes) -> None:
    limits = HttpSettings()
    most = min(limits.largest_answer // (len(value) + 1), limits.most_values // exact_json.values_at_most(value))
    content = b"[" + b",".join([value] * (most - 1)) + b"]"
    found, peak = peak_of(lambda: exact_json.read(content, limits.most_values))
    assert len(found) == most - 1
    assert 4 * (peak + limits.largest_answer) < 350 * 1024 * 1024


def failure_of(call: Callable[[], object]) -> KartotekaError | None:
    try:
        call()
    except KartotekaError as error:
        return error
    return None


def peak_of(work: Callable[[], Any]) -> tuple[Any, int]:
    """Return what this work gives, and the most memory that it had at a time, beyond what there was before.

    Of this process, which the stand-in shares: an answer of its own is in it too.
    """
    tracemalloc.start()
    try:
        return work(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- what no stand-in can do: below HTTP


@contextmanager
def answering(
    *pieces: bytes, pause: float = 0.0, reads: bool = True, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve one connection: these pieces, the last one again and again where there is a pause between them."""
    over = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection, tls.wrap_socket(connection, server_side=True) if tls else connection as wrapped:
                while reads and b"\r\n\r\n" not in wrapped.recv(65_536):
                    pass
                for piece in pieces:
                    wrapped.sendall(piece)
                while pause and not over.wait(pause):
                    wrapped.sendall(pieces[-1])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join(5)


@pytest.fixture(scope="module")
def certificate() -> tuple[str, str]:
    return TlsServer._certificate()


@pytest.fixture
def tls(certificate: tuple[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def trusting(url: str) -> PanelHttp:
    """Return a panel's connections that believe any certificate: the test's server has none that is signed."""
    http = http_of(url)
    http._session.verify = False
    return http


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 ", b"O"],
        [b"HTTP/1.1 200 OK\r\nX: ", b"x"],
        [b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b" "],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X: y\r\n"],
    ],
    ids=["status", "header", "headers", "interim", "body", "chunk", "trailers"],
)
def test_what_drips_through_tls_is_over_in_its_time(pieces: list[bytes], tls: ssl.SSLContext) -> None:
    with answering(*pieces, pause=0.03, tls=tls) as url:
        assert seconds_until_it_failed(trusting(url)) < READ + CONNECT + SLACK


def test_a_tls_handshake_that_drips_is_over_in_its_time() -> None:
    """A record that announces 8 KB of a server's greeting, a byte at a time."""
    with answering(b"\x16\x03\x03\x20\x00\x02\x00\x1f\xfc", b"\x00", pause=0.03, reads=False) as url:
        assert seconds_until_it_failed(http_of(url.replace("http:", "https:"))) < READ + CONNECT + SLACK


def seconds_until_it_failed(http: PanelHttp) -> float:
    began = time.monotonic()
    with pytest.raises(Retry) as failure:
        http.get("system/serverTime")
    assert failure.value.code in ("timeout", "broken_answer")
    return time.monotonic() - began


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_a_panel_that_takes_a_request_in_sips_is_left_in_time(over_tls: bool, tls: ssl.SSLContext) -> None:
    over = threading.Event()

    def sip() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with tls.wrap_socket(connection, server_side=True) if over_tls else connection as wrapped:
                while not over.wait(0.005):
                    wrapped.recv(65_536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=sip, daemon=True)
        thread.start()
        http = trusting(f"http{'s' if over_tls else ''}://127.0.0.1:{listener.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(Retry) as failure:
            http.post("clients/clients", {"params": "x" * 40_000_000})
        over.set()
        thread.join(5)
    assert failure.value.code in ("timeout", "connection")
    assert time.monotonic() - began < READ + CONNECT + SLACK


def test_a_slow_answer_within_its_time_is_read_and_its_connection_serves_again(panel: StandinPanel) -> None:
    http = http_of(panel.url, read_timeout=5)
    for _ in range(3):
        panel.misbehave("slow", seconds=0.1)
        assert http.get("clients/clients", {"clientsIds": "1"})["results"]


def test_every_connection_of_a_panel_is_a_timely_one() -> None:
    http = http_of("https://panel.example.com")
    assert all(isinstance(adapter, TimelyAdapter) for adapter in http._session.adapters.values())
