"""The transport, against a server that answers what the test wrote: bytes on a real socket."""

from __future__ import annotations

import gzip
import json
import logging
import socketserver
import struct
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import pytest

from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.adapters.idosell.panel import HttpPanel
from kartoteka.adapters.idosell.whereto import checked_root
from kartoteka.errors import Halt, KartotekaError, Reject, Retry
from kartoteka.model import Done
from kartoteka.ports.exchange import SentPrice
from kartoteka.ports.panel import AccountPage, AccountUpdate, AddressWrite, KnownAccount, NewAccount, Window
from tests.fakes.limit import CountedLimit
from tests.fakes.state import FakeState

KEY = "c2VjcmV0LWNhbmFyeS1rZXk6aHVudGVyMg=="
PERSON = "Kanarek-Wróblewski"
NEW = NewAccount("K-1", "b2b-k-1", "Haslo-Kanarka-1", {"last_name": PERSON, "shops": (1,)})
UPDATE = AccountUpdate("K-1", "b2b-k-1", {"last_name": PERSON})

LAST_NAME = "clientDeliveryAddressLastName"
ADDRESS = AddressWrite("K-1", "b2b-k-1", "7", {"last_name": PERSON}, (1,))
IN, LATER = "2026-07-01 12:05:00", "2026-07-01 12:11:00"
WINDOW = Window(datetime(2026, 7, 1, 10, 0, tzinfo=UTC), datetime(2026, 7, 1, 10, 10, tzinfo=UTC))


def answer(body: Any = None, status: int = 200, content: bytes | None = None, **headers: str) -> bytes:
    raw = json.dumps(body).encode() if content is None else content
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    named = {"Content-Type": "application/json", "Content-Length": str(len(raw)), **given}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode("latin-1") + raw


RESET = b"RESET"
"""Abort the connection instead of answering."""
SILENCE = b"SILENCE"
"""Answer nothing until the test is over."""

DRIP = b"DRIP"
"""Answer a byte at a time, never to the end."""


class Server(socketserver.ThreadingTCPServer):
    """Plays its script, one answer for each request; the last one again and again."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[bytes] = []
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_answer(self) -> bytes:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.connections += 1
        with suppress(ConnectionError):
            while self.one():
                pass

    def one(self) -> bool:
        line = self.rfile.readline().decode().strip()
        if not line:
            return False
        headers = dict(
            raw.decode("latin-1").strip().split(": ", 1) for raw in iter(self.rfile.readline, b"\r\n") if raw.strip()
        )
        body = self.rfile.read(int(headers.get("Content-Length", 0)))
        self.server.requests.append((line, headers, body))
        return self.play(self.server.next_answer())

    def play(self, reply: bytes) -> bool:
        if reply == SILENCE:
            self.server.over.wait(20)
            return False
        if reply == RESET:
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if reply == DRIP:
            self.drip()
            return False
        self.wfile.write(reply)
        return b"Connection: close" not in reply

    def drip(self) -> None:
        """Answer for ever, a byte at a time."""
        self.wfile.write(answer(content=b"{", Content_Length="100000"))
        while not self.server.over.wait(0.02):
            self.wfile.write(b" ")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.over.set()
        server.shutdown()


Connect = Callable[..., PanelHttp]


@pytest.fixture
def connect(server: Server) -> Connect:
    def make(*script: bytes, **settings: Any) -> PanelHttp:
        server.script = list(script)
        limits = HttpSettings(**{"first_pause": 0.0, "read_timeout": 2.0, **settings})
        return PanelHttp(server.url, KEY, CountedLimit(), limits)

    return make


OK = answer({"time": 1})


def limit_of(http: PanelHttp) -> CountedLimit:
    assert isinstance(http._rate_limit, CountedLimit)
    return http._rate_limit


# what is sent


def test_a_call_carries_the_key_in_its_header_and_names_itself(server: Server, connect: Connect) -> None:
    http = connect(OK)
    assert http.get("system/serverTime") == {"time": 1}
    http.put("clients/clients", {"params": {"x": "żółw"}})
    (get, headers, _), (put, more, body) = server.requests
    assert get == "GET /api/admin/v8/system/serverTime HTTP/1.1"
    assert put == "PUT /api/admin/v8/clients/clients HTTP/1.1"
    assert headers["X-API-KEY"] == more["X-API-KEY"] == KEY
    assert headers["User-Agent"].startswith("kartoteka")
    assert headers["Accept"] == more["Content-Type"] == "application/json"
    assert json.loads(body) == {"params": {"x": "żółw"}}
    assert "Authorization" not in headers


def test_one_connection_serves_many_calls_and_cookies_are_not_sent_back(server: Server, connect: Connect) -> None:
    http = connect(answer({"a": 1}, Set_Cookie="PHPSESSID=abc; path=/"))
    for _ in range(5):
        http.get("system/serverTime")
    assert server.connections == 1
    assert all("Cookie" not in headers for _, headers, _ in server.requests)


def test_four_threads_keep_their_connections(server: Server, connect: Connect) -> None:
    http = connect(OK)
    barrier = threading.Barrier(4)

    def work(_: int) -> None:
        barrier.wait()
        for _ in range(10):
            http.get("system/serverTime")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert server.connections <= 4
    assert http.calls() == {"GET system/serverTime": 40}


def test_a_query_is_encoded(server: Server, connect: Connect) -> None:
    connect(OK).get("clients/clients", {"clientCodesExternal": "a&b,c d", "d[e]": "2026-01-01 10:00:00"})
    target = server.requests[0][0].split()[1]
    assert target.endswith("?clientCodesExternal=a%26b,c%20d&d%5Be%5D=2026-01-01%2010:00:00")


# where the key may go


@pytest.mark.parametrize(
    "root",
    [
        "https://shop.example.com",
        "https://shop.example.com/",
        "https://shop.example.com:8443",
        "http://127.0.0.1:80",
        "http://127.3.2.1:80",
        "http://[::1]:80",
        "http://localhost:80",
    ],
)
def test_https_and_the_loopback_are_fine(root: str) -> None:
    assert checked_root(root) == root.rstrip("/")


@pytest.mark.fault(76)
@pytest.mark.parametrize(
    "root",
    [
        "",
        "shop.example.com",
        "http://shop.example.com",
        "http://169.254.169.254",
        "http://10.0.0.1",
        "http://2130706433",
        "http://0x7f000001",
        "http://017700000001",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "https://user@shop.example.com",
        "https://user:pass@shop.example.com",
        "https://shop.example.com@evil.example.com",
        "http://localhost@evil.example.com",
        "http://localhost\\@evil.example.com",
        "http://localhost#@evil.example.com",
        "https://shop.example.com?x=1",
        "https://shop.example.com#x",
        "https://shop example.com",
        "https://shop.example.com:99999",
        "https://shop.example.com:x",
        "https://",
        "file:///etc/passwd",
        "ftp://shop.example.com",
        "https://[::1",
    ],
)
def test_other_addresses_get_no_key(root: str) -> None:
    with pytest.raises(Halt) as refusal:
        PanelHttp(root, KEY, CountedLimit())
    assert refusal.value.code == "panel_address"
    assert KEY not in str(refusal.value)


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "a\r\nX-Other: 1", "żółw", "\x00"])
def test_a_key_that_cannot_stand_in_a_header_halts(key: str) -> None:
    with pytest.raises(Halt) as refusal:
        PanelHttp("https://shop.example.com", key, CountedLimit())
    assert not key or repr(key)[1:-1] not in str(refusal.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(server: Server, connect: Connect, status: int) -> None:
    with pytest.raises(Halt) as refusal:
        connect(answer({}, status, Location=f"{server.url}/elsewhere")).get("system/serverTime")
    assert refusal.value.code == "panel_redirect"
    assert len(server.requests) == 1


def test_the_machines_proxies_and_netrc_are_not_asked(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    connect(OK).get("system/serverTime")
    assert "Authorization" not in server.requests[0][1]


@pytest.mark.fault(77)
def test_a_certificate_that_cannot_be_verified_halts() -> None:
    with TlsServer() as port, pytest.raises(Halt) as refusal:
        PanelHttp(f"https://127.0.0.1:{port}", KEY, CountedLimit()).get("system/serverTime")
    assert refusal.value.code == "panel_tls"


class TlsServer:
    """A TLS server whose certificate nobody signed; it notes whether a request came through."""

    def __enter__(self) -> int:
        import socket
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._certificate())
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, args=(context,), daemon=True)
        self.thread.start()
        return int(self.listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self.listener.close()
        self.thread.join(5)

    def _serve(self, context: Any) -> None:
        with suppress(OSError):
            connection, _ = self.listener.accept()
            with context.wrap_socket(connection, server_side=True) as wrapped:
                wrapped.recv(1000)

    @staticmethod
    def _certificate() -> tuple[str, str]:
        from datetime import UTC, datetime, timedelta
        from tempfile import mkdtemp

        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        folder = mkdtemp()
        with open(f"{folder}/cert.pem", "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
        with open(f"{folder}/key.pem", "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        return f"{folder}/cert.pem", f"{folder}/key.pem"


# what is no success


@pytest.mark.fault(14)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"<html><body>Zaloguj</body></html>",
        b'{"time": 1',
        b"[]",
        b'[{"time": 1}]',
        b'"ok"',
        b"1",
        b"null",
        b"true",
        b'{"time": NaN}',
        b'{"time": Infinity}',
        b'{"time": 1} trailing',
        b"\xff\xfe{",
        b'{"a":' * 50_000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
    ],
)
def test_a_200_that_is_no_json_object_is_no_success(connect: Connect, content: bytes) -> None:
    with pytest.raises(Retry) as refusal:
        connect(answer(content=content)).get("system/serverTime")
    assert refusal.value.code == "broken_answer"


def test_json_that_calls_itself_html_counts_and_a_byte_order_mark_is_no_harm(connect: Connect) -> None:
    http = connect(answer(content=b'\xef\xbb\xbf{"time": 1}', Content_Type="text/html"))
    assert http.get("system/serverTime") == {"time": 1}


def test_what_no_database_can_store_is_cleaned_from_texts(connect: Connect) -> None:
    http = connect(answer(content=rb'{"a": ["x\u0000y", {"b": "\ud83d\ude00 \ud800 \udc00z"}], "c": "za\u017c"}'))
    assert http.get("x") == {"a": ["x\ufffdy", {"b": "\U0001f600 � �z"}], "c": "zaż"}


@pytest.mark.fault(11)
@pytest.mark.parametrize("cut", [b"", b'{"time', b'{"time": 1}'])
def test_an_answer_cut_in_the_middle_is_no_success(connect: Connect, cut: bytes) -> None:
    broken = answer(content=cut, Connection="close", Content_Length="500")
    with pytest.raises(Retry) as refusal:
        connect(broken).get("system/serverTime")
    assert refusal.value.code in {"broken_answer", "connection"}


def test_an_answer_with_a_senseless_header_is_no_success_and_no_fault_of_the_key(connect: Connect) -> None:
    with pytest.raises(Retry) as refusal:
        connect(answer({"time": 1}, Content_Length="5, 7")).get("system/serverTime")
    assert refusal.value.code == "broken_answer"


@pytest.mark.parametrize("size", [1001, 50_000_000])
def test_an_answer_that_is_too_large_is_not_read_to_its_end(connect: Connect, size: int) -> None:
    packed = gzip.compress(b" " * size)
    http = connect(answer(content=packed, Content_Encoding="gzip"), largest_answer=1000)
    with pytest.raises(Retry) as refusal:
        http.get("system/serverTime")
    assert refusal.value.code == "answer_too_large"
    assert http.calls() == {"GET system/serverTime": 1}


@pytest.mark.fault(9)
def test_silence_is_a_time_out(connect: Connect) -> None:
    with pytest.raises(Retry) as refusal:
        connect(SILENCE, read_timeout=0.2, attempts=1).get("system/serverTime")
    assert refusal.value.code == "timeout"


def test_an_answer_that_drips_for_ever_is_a_time_out(connect: Connect) -> None:
    with pytest.raises(Retry) as refusal:
        connect(DRIP, read_timeout=0.3, attempts=1).get("system/serverTime")
    assert refusal.value.code == "timeout"


def test_chunked_and_packed_answers_are_read(connect: Connect) -> None:
    packed = gzip.compress(b'{"time": 1}')
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (packed[:7], packed[7:])) + b"0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    http = connect(head + chunks)
    assert http.get("x") == http.get("x") == {"time": 1}


@pytest.mark.fault(8)
def test_an_address_where_nobody_listens_is_tried_again() -> None:
    http = PanelHttp("http://127.0.0.1:9", KEY, CountedLimit(), HttpSettings(first_pause=0))
    with pytest.raises(Retry) as refusal:
        http.get("system/serverTime")
    assert refusal.value.code == "connection"
    assert http.calls() == {"GET system/serverTime": 3}


# repeating


@pytest.mark.parametrize("trouble", [RESET, answer({}, 503), answer(content=b"<html>"), answer({}, 429)])
def test_reads_are_repeated_quickly(connect: Connect, trouble: bytes) -> None:
    http = connect(trouble, trouble, OK)
    assert http.get("system/serverTime") == {"time": 1}
    assert http.calls() == {"GET system/serverTime": 3}


@pytest.mark.fault(9)
@pytest.mark.parametrize(
    "trouble", [RESET, answer({}, 503), answer(content=b"<html>"), answer({}, 500), answer(content=b"")]
)
def test_a_write_whose_reply_is_lost_is_not_repeated_before_a_look(connect: Connect, trouble: bytes) -> None:
    http = connect(trouble, OK)
    with pytest.raises(Retry):
        http.put("clients/clients", {})
    assert http.calls() == {"PUT clients/clients": 1}


def test_a_write_that_the_panel_has_refused_for_its_rate_is_repeated(connect: Connect) -> None:
    http = connect(answer({}, 429), answer({}, 429), OK)
    assert http.put("clients/clients", {}) == {"time": 1}
    assert http.calls() == {"PUT clients/clients": 3}


@pytest.mark.parametrize("ahead", [-3600, 0, 90])
def test_the_panels_clock_is_known_from_its_answers(connect: Connect, ahead: int) -> None:
    shown = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    http = connect(answer({"time": 1}, Date=shown))
    http.put("clients/clients", {})
    assert abs(http.clock() - datetime.now(UTC) - timedelta(seconds=ahead)) < timedelta(seconds=2)


@pytest.mark.parametrize("shown", ["", "gestern", "Fri, 99 Nov 2026 99:00:00 GMT"])
def test_a_date_that_makes_no_sense_is_no_clock(connect: Connect, shown: str) -> None:
    http = connect(answer({"time": 1}, Date=shown))
    http.put("clients/clients", {})
    assert abs(http.clock() - datetime.now(UTC)) < timedelta(seconds=2)


@pytest.mark.parametrize("trouble", [RESET, answer({}, 503), answer(content=b"<html>"), answer({}, 429)])
def test_an_opening_is_never_repeated(connect: Connect, trouble: bytes) -> None:
    http = connect(trouble, OK)
    with pytest.raises(Retry):
        http.post("clients/clients", {})
    assert http.calls() == {"POST clients/clients": 1}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_will_not_get_better_is_not_repeated(connect: Connect, status: int) -> None:
    http = connect(answer({}, status))
    with pytest.raises((Halt, Reject)):
        http.get("system/serverTime")
    assert http.calls() == {"GET system/serverTime": 1}


@pytest.mark.fault(16)
def test_a_long_wait_is_handed_on_and_slows_all_calls(connect: Connect) -> None:
    http = connect(answer({}, 429, Retry_After="60"))
    with pytest.raises(Retry) as refusal:
        http.get("system/serverTime")
    assert (refusal.value.code, refusal.value.after) == ("too_many_requests", 60.0)
    assert limit_of(http).waits == [60.0]
    assert http.calls() == {"GET system/serverTime": 1}


def test_a_429_slows_all_calls_after_a_post_too(connect: Connect) -> None:
    http = connect(answer({}, 429))
    with pytest.raises(Retry):
        http.post("clients/clients", {})
    assert limit_of(http).waits == [1.0]


def test_every_attempt_takes_a_slot_of_the_rate_limit(connect: Connect) -> None:
    http = connect(answer({}, 503))
    with pytest.raises(Retry):
        http.get("system/serverTime")
    assert limit_of(http).taken == sum(http.calls().values()) == 3


def test_without_a_slot_no_call_is_made_or_counted_and_it_is_not_asked_for_again(
    connect: Connect, server: Server
) -> None:
    http = connect(OK)
    limit_of(http).full = Retry("rate_limit")
    with pytest.raises(Retry) as refusal:
        http.get("system/serverTime")
    assert refusal.value.code == "rate_limit"
    assert limit_of(http).refusals == 1
    assert (server.requests, http.calls()) == ([], {})


# whole answers, through the adapter


def panel(connect: Connect, body: Any, status: int = 200) -> HttpPanel:
    return HttpPanel(connect(answer(body, status)))


NOTHING = {"faultCode": 2, "faultString": "x"}
COUNTED = {"resultsNumberAll": 0, "resultsNumberPage": 0, "resultsPage": 0, "resultsLimit": 100}


@pytest.mark.parametrize("body", [{"errors": NOTHING}, {"results": []}, {**COUNTED, "results": [], "errors": NOTHING}])
@pytest.mark.parametrize("status", [200, 207])
def test_an_empty_search_finds_nothing(connect: Connect, body: Any, status: int) -> None:
    found = panel(connect, body, status)
    assert found.read(["1"]) == {}
    assert found.find(["a"]) == []
    assert found.changed(WINDOW, 0, 100) == AccountPage([], 0, 0)


HOLLOW = [
    {},
    {"results": None},
    {"results": {}},
    {"results": "x"},
    {"results": [None]},
    {"resultsNumberAll": 300, "results": []},
    {"resultsNumberAll": "300", "resultsNumberPage": 3, "resultsPage": 0, "resultsLimit": 100, "results": []},
    {"resultsNumberAll": 300, "errors": NOTHING},
    {"results": [{"clientId": None}]},
]
"""Answers with status 2xx that tell nothing."""


@pytest.mark.parametrize("body", HOLLOW)
@pytest.mark.parametrize("status", [200, 207])
def test_an_answer_that_tells_nothing_is_not_taken_for_nothing_found(connect: Connect, body: Any, status: int) -> None:
    found = panel(connect, body, status)
    for ask in (
        lambda: found.read(["1"]),
        lambda: found.find(["a"]),
        lambda: found.find(["a,b"]),
        lambda: found.changed(WINDOW, 0, 100),
        lambda: found.changed(None, 0, 100),
    ):
        with pytest.raises(Retry) as refusal:
            ask()
        assert refusal.value.code == "broken_answer"


def test_pages_that_move_while_they_are_read_are_read_again(connect: Connect, server: Server) -> None:
    def page(first: int) -> bytes:
        shown = [{"clientId": n, "clientCodeExternal": "a"} for n in range(first, first + 100)]
        return answer({"results": shown, "resultsNumberAll": 200})

    found = panel(connect, {})
    server.script = [page(0), page(0), page(1)]
    with pytest.raises(Retry):
        found.find(["a"])
    server.script = [page(0), page(100)]
    assert len(found.find(["a"])) == 200


@pytest.mark.parametrize("body", HOLLOW[:-1])
def test_neither_is_one_about_addresses(connect: Connect, body: Any) -> None:
    with pytest.raises(Retry) as refusal:
        panel(connect, body).addresses(["1"])
    assert refusal.value.code == "broken_answer"


def test_pages_that_are_not_there_are_not_believed_to_be_empty(connect: Connect, server: Server) -> None:
    page = [{"clientId": n, "clientCodeExternal": "a"} for n in range(100)]
    found = panel(connect, {})
    server.script = [
        answer({"results": page, "resultsNumberAll": 200}),
        answer({"results": page, "resultsNumberAll": 200}),
        answer({"errors": NOTHING}, 207),
    ]
    with pytest.raises(Retry):
        found.find(["a"])


def test_a_panel_without_accounts_is_believed_where_two_other_searches_find_none_either(
    connect: Connect, server: Server
) -> None:
    empty = answer({"results": []})
    found = panel(connect, {})
    server.script = [empty, answer({"clientsResults": []}), empty]
    assert found.changed(None, 0, 100) == AccountPage([], 0, 0)
    asked = [line.split()[1].removeprefix("/api/admin/v8/").partition("&")[0] for line, _, _ in server.requests]
    assert [each.partition("?")[0] for each in asked] == ["clients/clients", "clients/crm/search", "clients/clients"]
    assert "clientRegistrationDate" in asked[2]
    assert "returnElements" in asked[0]


@pytest.mark.parametrize(
    ("second", "third"),
    [
        ({"clientsResults": [{"clientId": 1}]}, []),
        ({"clientsResults": []}, [{"clientId": 1}]),
        ({}, []),
        (None, [{"clientId": 1}]),
    ],
)
def test_a_panel_that_shows_somebody_when_asked_in_another_way_is_not_empty(
    connect: Connect, server: Server, second: Any, third: Any
) -> None:
    found = panel(connect, {})
    told = answer({}, 404) if second is None else answer(second)
    server.script = [answer({"results": []}), told, answer({"results": third})]
    with pytest.raises(Retry) as refusal:
        found.changed(None, 0, 100)
    assert refusal.value.code == "broken_answer"


def test_only_the_first_page_of_all_accounts_is_doubted(connect: Connect) -> None:
    found = panel(connect, {"results": []})
    assert found.changed(None, 3, 100) == AccountPage([], 300, 3)
    assert found.calls() == {"GET clients/clients": 1}


@pytest.mark.parametrize(("fault", "kind"), [(1, Halt), ("1", Halt), (4, Halt), (3, Halt), (77, Retry)])
@pytest.mark.parametrize("status", [200, 207])
def test_a_fault_in_a_search_is_no_empty_result(
    connect: Connect, fault: Any, kind: type[KartotekaError], status: int
) -> None:
    found = panel(connect, {"results": [], "errors": {"faultCode": fault, "faultString": "x"}}, status)
    with pytest.raises(kind):
        found.find(["a"])
    with pytest.raises(kind):
        found.changed(None, 0, 100)


@pytest.mark.parametrize("body", [{"time": "soon"}, {}, {"time": None}])
def test_a_clock_that_tells_no_time_is_asked_again(connect: Connect, body: Any) -> None:
    with pytest.raises(Retry):
        panel(connect, body).now()


def test_a_blocked_panel_halts_at_its_clock(connect: Connect) -> None:
    with pytest.raises(Halt):
        panel(connect, {"errors": {"faultCode": 2, "faultString": "blocked"}}, 207).now()


@pytest.mark.parametrize(("fault", "kind"), [(4, Halt), (1, Halt), (20, Reject), (None, Reject)])
def test_a_write_that_answers_with_errors_alone_has_done_nothing(
    connect: Connect, fault: Any, kind: type[KartotekaError]
) -> None:
    found = panel(connect, {"errors": {"faultCode": fault, "faultString": "x"}})
    with pytest.raises(kind):
        found.create([NEW, NEW], notify=False)
    with pytest.raises(kind):
        found.update([UPDATE, UPDATE])


def test_an_error_above_the_results_leaves_their_own_judgement(connect: Connect) -> None:
    body = {
        "results": [{"resultStatus": True, "clientsResult": {"requestReference": "K-1"}, "errors": []}],
        "errors": {"faultCode": 20, "faultString": "x"},
    }
    [outcome] = panel(connect, body, 207).update([UPDATE])
    assert not isinstance(outcome, Reject | Retry)


def test_a_write_answered_with_an_empty_object_is_no_success(connect: Connect) -> None:
    [outcome] = panel(connect, {}).update([UPDATE])
    assert isinstance(outcome, Retry)
    [outcome] = panel(connect, {}).create([NEW], notify=False)
    assert isinstance(outcome, Retry)


@pytest.mark.parametrize("trouble", [RESET, answer(status=503), answer(content=b"{")])
def test_neither_an_added_nor_a_deleted_address_is_sent_twice(connect: Connect, server: Server, trouble: bytes) -> None:
    found = HttpPanel(connect(trouble))
    for work in (found.add_addresses, found.delete_addresses):
        with pytest.raises(Retry):
            work([ADDRESS])
    assert len(server.requests) == 2
    assert found.calls() == {"POST clients/deliveryAddress": 1, "POST clients/deliveryAddress/delete": 1}


def test_the_customer_hears_nothing_of_his_addresses(connect: Connect, server: Server) -> None:
    found = panel(connect, {})
    for work in (found.add_addresses, found.update_addresses, found.delete_addresses):
        work([ADDRESS])
    assert [line.split()[:2] for line, _, _ in server.requests] == [
        ["POST", "/api/admin/v8/clients/deliveryAddress"],
        ["PUT", "/api/admin/v8/clients/deliveryAddress"],
        ["POST", "/api/admin/v8/clients/deliveryAddress/delete"],
    ]
    added, changed, deleted = (json.loads(body) for _, _, body in server.requests)
    silent = {"clientSettingSendMail": False, "clientSettingSendSms": False}
    assert added["clientsSettings"] == changed["clientsSettings"] == silent
    assert set(deleted) == {"params"}


@pytest.mark.parametrize(("fault", "kind"), [(4, Halt), (1, Halt), (20, Reject), (None, Reject)])
def test_a_write_of_addresses_that_answers_with_errors_alone_has_done_nothing(
    connect: Connect, fault: Any, kind: type[KartotekaError]
) -> None:
    found = panel(connect, {"errors": {"faultCode": fault, "faultString": "x"}})
    for work in (found.add_addresses, found.update_addresses, found.delete_addresses):
        with pytest.raises(kind):
            work([ADDRESS, ADDRESS])


@pytest.mark.parametrize("body", [{}, {"results": []}, {"results": [{}]}, {"results": [None]}])
def test_a_write_of_addresses_answered_with_nothing_is_no_success(connect: Connect, body: Any) -> None:
    found = panel(connect, body)
    for work in (found.add_addresses, found.update_addresses, found.delete_addresses):
        [outcome] = work([ADDRESS])
        assert isinstance(outcome, Retry)


def test_an_error_above_the_results_of_addresses_leaves_their_own_judgement(connect: Connect) -> None:
    done = {"resultStatus": True, "clientDeliveryAddressResult": {"clientDeliveryAddressId": 7}}
    body = {"results": [done, {"resultStatus": False}], "errors": {"faultCode": 4, "faultString": "x"}}
    found = panel(connect, body, 207)
    for work in (found.add_addresses, found.update_addresses, found.delete_addresses):
        first, second = work([ADDRESS, ADDRESS])
        assert isinstance(first, Done)
        assert isinstance(second, Reject)


SOMEBODY = {"clientId": 1, "clientDeliveryAddresses": [{"clientDeliveryAddressId": "7"}]}


def test_customers_are_asked_for_by_lists_that_fit_into_an_address(connect: Connect, server: Server) -> None:
    found = panel(connect, {"results": []})
    assert set(found.addresses([str(n) for n in range(250)] + ["", "1"])) == {str(n) for n in range(250)}
    targets = [line.split()[1] for line, _, _ in server.requests]
    assert [len(target.partition("?clientIds=")[2].split(",")) for target in targets] == [100, 100, 50]
    assert len({number for target in targets for number in target.partition("=")[2].split(",")}) == 250


@pytest.mark.parametrize("body", [{"errors": NOTHING}, {"results": []}, {"results": None, "errors": NOTHING}])
@pytest.mark.parametrize("status", [200, 207])
def test_an_empty_search_for_addresses_names_nobody(connect: Connect, body: Any, status: int) -> None:
    assert panel(connect, body, status).addresses(["1", "2"]) == {"1": None, "2": None}


@pytest.mark.parametrize(("fault", "kind"), [(1, Halt), (4, Halt), (3, Halt), (77, Retry)])
def test_a_fault_in_a_search_for_addresses_is_no_empty_result(
    connect: Connect, fault: Any, kind: type[KartotekaError]
) -> None:
    found = panel(connect, {"results": [], "errors": {"faultCode": fault, "faultString": "x"}}, 207)
    with pytest.raises(kind):
        found.addresses(["1"])


def test_an_error_above_the_addresses_leaves_those_that_were_found(connect: Connect) -> None:
    nobody = {"clientId": 2, "clientDeliveryAddresses": [], "error": {"faultCode": 77, "faultString": "x"}}
    body = {"results": [SOMEBODY, nobody], "errors": {"faultCode": 77, "faultString": "x"}}
    assert list(panel(connect, body, 207).addresses(["1", "2", "3"])) == ["1"], "who is not named is in doubt"


def test_a_refused_search_for_addresses_can_be_split(connect: Connect) -> None:
    with pytest.raises(Reject) as refusal:
        panel(connect, {"errors": {"message": "bad"}}, 422).addresses(["1", "2"])
    assert refusal.value.code == "refused_whole"


@pytest.mark.parametrize("body", [{}, {"shops": []}, {"shops": [{}]}, {"shops": None}])
def test_a_panel_of_no_shops_is_asked_again(connect: Connect, body: Any) -> None:
    with pytest.raises(Retry):
        panel(connect, body).shops()


@pytest.mark.parametrize(
    ("body", "shops"),
    [
        ({"shops": [{"shop_id": 1}]}, {1: set()}),
        ({"shops": [{"shop_id": "7", "client_edit_require_fields": []}]}, {7: set()}),
        ({"shops": [], "shop_contact": [{"shop_id": 3, "email": "x"}]}, {3: set()}),
        (
            {"shops": [{"shop_id": 1, "client_edit_require_fields": {"phone": True, "vat_number": "y", "email": "n"}}]},
            {1: {"phone", "nip"}},
        ),
        (
            {
                "shops": [{"shop_id": 1, "client_edit_require_fields": {"lastname": "1"}}],
                "shop_contact": [{"shop_id": 1}],
            },
            {1: {"last_name"}},
        ),
    ],
)
def test_shops_are_read_with_what_they_require(connect: Connect, body: Any, shops: dict[int, set[str]]) -> None:
    assert panel(connect, body).shops() == shops


@pytest.mark.parametrize(("fault", "kind"), [(2, Halt), (77, Retry)])
def test_a_fault_in_place_of_the_shops_is_told(connect: Connect, fault: int, kind: type[KartotekaError]) -> None:
    body = {"shops": [{"shop_id": 1}], "errors": {"faultCode": fault, "faultString": "x"}}
    with pytest.raises(kind):
        panel(connect, body, 207).shops()


def test_a_key_without_the_right_to_the_shops_is_told_which(connect: Connect) -> None:
    with pytest.raises(Halt) as halt:
        panel(connect, {"errors": {"message": "no"}}, 403).shops()
    assert halt.value.code == "panel_right"
    assert "SYSTEM (read)" in str(halt.value)


def test_a_refused_search_by_code_can_be_split_and_one_by_date_halts(connect: Connect) -> None:
    found = panel(connect, {"errors": {"message": "bad"}}, 422)
    with pytest.raises(Reject):
        found.find(["a", "b"])
    with pytest.raises(Halt):
        found.changed(None, 0, 100)


def test_a_panel_that_ignores_the_filter_halts_instead_of_being_read_to_its_end(connect: Connect) -> None:
    page = {"results": [{"clientId": n} for n in range(100)], "resultsNumberAll": 10**6, "resultsNumberPage": 10**4}
    found = panel(connect, page)
    with pytest.raises(Halt):
        found.find(["a"])
    assert found.calls()["GET clients/clients"] <= 50


def page_with(*dates: str, first: int = 1) -> bytes:
    return answer(
        {
            "results": [
                {"clientId": n, "clientCodeExternal": f"K-{n}", "clientsLastModificationDate": date}
                for n, date in enumerate(dates, first)
            ]
        }
    )


WHOLE = 1
"""Calls until it is known that such bare records are all that the panel shows."""


@pytest.mark.parametrize(
    "ask",
    [
        lambda found: found.read(["3"]),
        lambda found: found.find(["K-3"]),
        lambda found: found.find(["K-3", "K-2", "K-1"]),
        lambda found: found.changed(WINDOW, 0, 100),
    ],
)
def test_more_than_was_asked_for_shows_that_the_filter_was_ignored(
    connect: Connect, ask: Callable[[HttpPanel], Any]
) -> None:
    found = HttpPanel(connect(page_with(IN, IN, IN, LATER)))
    with pytest.raises(Halt) as halt:
        ask(found)
    assert halt.value.code == "panel_query"
    assert found.calls()["GET clients/clients"] == 2 + WHOLE, "the search is made again once, not read to its end"


def test_what_was_edited_while_a_page_was_made_does_not_halt(connect: Connect, server: Server) -> None:
    found = HttpPanel(connect())
    server.script = [*[page_with(IN, LATER)] * (1 + WHOLE), page_with(IN)]
    assert [account.panel_client_id for account in found.changed(WINDOW, 0, 100).found] == ["1"]


def test_a_code_in_another_letter_case_is_no_sign_of_an_ignored_filter(connect: Connect) -> None:
    found = HttpPanel(connect(page_with(IN, IN)))
    assert [account.external_code for account in found.find(["K-2", "k-1"])] == ["K-1", "K-2"]


def test_a_crm_search_that_ignores_its_filter_halts(connect: Connect, server: Server) -> None:
    found = panel(connect, {"results": [], "clientsResults": [{"clientId": 5, "clientCodeExternal": "K-5"}]})
    for ask in (lambda: found.find(["a,b"]), lambda: found.seek([KnownAccount("1", "anna", "K-1")])):
        with pytest.raises(Halt):
            ask()


# what an account that a search does not show is asked for by


def test_an_account_is_sought_by_its_code_at_two_gates_and_without_one_by_its_log_in(
    connect: Connect, server: Server
) -> None:
    found = HttpPanel(connect())
    server.script = [
        *[page_with(IN)] * (1 + WHOLE),
        answer({"clientsResults": [{"clientId": 2, "clientCodeExternal": "K-2"}]}),
        answer({"clientsResults": [{"clientId": 4, "clientLogin": "ewa"}]}),
        answer({"errors": NOTHING}, 207),
    ]
    known = [KnownAccount(str(n), f"login-{n}", f"K-{n}") for n in (1, 2, 3)]
    known += [KnownAccount("4", "ewa"), KnownAccount("5", "jan"), KnownAccount("6")]
    assert found.seek(known) == {"1", "2", "4"}
    asked = [json.loads(body)["params"] for line, _, body in server.requests if line.startswith("POST")]
    assert [{n: v for n, v in each.items() if n.startswith("client")} for each in asked] == [
        {"clientCodesExternal": ["K-2", "K-3"]},
        {"clientLogin": "ewa"},
        {"clientLogin": "jan"},
    ]
    assert all(each["settingsExactSearch"] for each in asked)


def test_seeking_nobody_costs_no_call(connect: Connect) -> None:
    found = HttpPanel(connect())
    assert found.seek([]) == found.seek([KnownAccount("6")]) == frozenset()
    assert found.calls() == {}


def test_a_panel_without_the_crm_search_is_asked_at_the_other_gate_alone(connect: Connect, server: Server) -> None:
    found = HttpPanel(connect())
    server.script = [answer({"results": []}), answer({}, 404)]
    assert found.seek([KnownAccount("1", "anna", "K-1")]) == frozenset()


# what returnElements leaves out

FLAT = {
    "clientId": 1,
    "clientLogin": "anna",
    "clientCodeExternal": "K-1",
    "clientsLastModificationDate": IN,
    "clientRegistrationDate": IN,
    "isUnregistered": "n",
    "clientEmail": "a@b.pl",
    "clientType": "firm",
    "clientActiveInShops": [],
    "clientTradeCredit": {"clientTradeCreditLimit": 1, "clientTradeCreditUsed": 0},
}
BILLING_NAMES = "FirstName LastName Nip Firm Street ZipCode City CountryId ProvinceId Phone1"
NESTED = {
    "clientBillingAddress": {f"client{name}": "x" for name in BILLING_NAMES.split()},
    "clientPreferences": dict.fromkeys(
        ("langId", "currencyId", "clientIsWholesaler", "clientGroupDiscountNumber"), "pol"
    ),
}


def elements_of(server: Server) -> list[bool]:
    return ["returnElements" in line for line, _, _ in server.requests]


@pytest.mark.parametrize(
    "flat",
    [
        FLAT,
        {**FLAT, "clientBillingAddress": {}, "clientPreferences": []},
        {**FLAT, "clientBillingAddress": [], "clientPreferences": NESTED["clientPreferences"]},
        {**FLAT, **NESTED, "clientBillingAddress": {"clientNip": "x"}},
        {name: value for name, value in {**FLAT, **NESTED}.items() if name != "clientsLastModificationDate"},
    ],
)
def test_what_returnelements_leaves_out_is_read_from_whole_records_and_remembered(
    connect: Connect, server: Server, caplog: pytest.LogCaptureFixture, flat: Any
) -> None:
    state = FakeState()
    found = HttpPanel(connect(), state)
    server.script = [answer({"results": [flat]}), answer({"results": [{**FLAT, **NESTED}]})]
    account = found.read(["1"])["1"]
    assert (account.values["street"], account.values["language"]) == ("x", "pol")
    assert account.modified_at is not None
    assert elements_of(server) == [True, False]
    assert "returnElements" in caplog.text
    assert "whole records are read now" in caplog.text
    later = HttpPanel(connect(), state)
    for panel_ in (found, later):
        server.requests.clear()
        server.script = [answer({"results": [{**FLAT, **NESTED}]})]
        assert panel_.read(["1"])["1"].values["street"] == "x"
        assert elements_of(server) == [False]


def test_a_panel_that_shows_all_that_was_asked_for_is_asked_once(connect: Connect, server: Server) -> None:
    state = FakeState()
    found = HttpPanel(connect(answer({"results": [{**FLAT, **NESTED}]})), state)
    found.read(["1"])
    assert elements_of(server) == [True]
    assert state.load("panel_elements").document is None


def test_what_whole_records_do_not_show_either_is_asked_for_no_more(
    connect: Connect, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    bare = {name: value for name, value in {**FLAT, **NESTED}.items() if name != "clientTradeCredit"}
    state = FakeState()
    found = HttpPanel(connect(answer({"results": [bare]})), state)
    assert "credit_limit" not in found.read(["1"])["1"].values
    found.read(["1"])
    assert elements_of(server) == [True, False, True]
    assert state.load("panel_elements").document is None
    assert "whole records" not in caplog.text


def test_a_page_without_records_says_nothing_of_the_elements(connect: Connect, server: Server) -> None:
    state = FakeState()
    found = HttpPanel(connect(answer({"errors": NOTHING}, 207)), state)
    found.read(["1"])
    assert elements_of(server) == [True]


def test_only_what_is_read_is_asked_for(connect: Connect, server: Server) -> None:
    panel(connect, {"results": []}).read(["1", "2"])
    target = server.requests[0][0]
    assert "clientsIds=1,2&" in target
    assert "resultsPage=0&resultsLimit=100" in target
    elements = target.partition("returnElements=")[2].partition("&")[0].split(",")
    assert "clientId" in elements
    assert "clientNip" in elements
    assert "clientBalances" not in elements


# a field that an older panel lacks

NEWER = AccountUpdate("K-1", "b2b-k-1", {"local_government": True})
OPENING = NewAccount("K-2", "b2b-k-2", "Haslo-Kanarka-1", {"local_government": True, "shops": (1,)})


@pytest.mark.parametrize(
    "trouble",
    [
        answer({"errors": {"message": "Unknown field {}"}}, 422),
        answer({"errors": [{"message": "Bad data"}, {"message": "Unknown field {}"}]}, 422),
        answer({"errors": ["Bad data", "Unknown field {}"]}, 400),
        answer({"errors": {"params.clients.0.{}": ["not allowed"]}}, 422),
        answer({"error": "Unknown field {}"}, 422),
        answer({}, 422, x_error="Nieznane pole {}"),
        answer(content=b"", status=400, x_error="{}"),
        answer({"errors": {"faultCode": 77, "faultString": "Unknown field {}"}}, 207),
        answer({"results": [], "errors": [{"faultCode": "", "faultString": "{}"}]}, 200),
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_a_call_refused_for_a_newer_field_names_it_and_is_not_one_records_refusal(
    connect: Connect, trouble: bytes, count: int
) -> None:
    for wire, call in (
        ("isLocalGovernmentUnit", lambda found: found.update([UPDATE, NEWER][-count:])),
        ("local_government_unit", lambda found: found.create([NEW, OPENING][-count:], notify=False)),
    ):
        head, _, body = trouble.replace(b"{}", wire.encode()).partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
        reply = b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])
        with pytest.raises(Reject) as refusal:
            call(HttpPanel(connect(reply)))
        assert (refusal.value.code, refusal.value.field) == ("panel_lacks_field", "local_government")
        assert wire in refusal.value.facts["panel"]


def test_a_call_that_did_not_carry_the_field_is_split_or_is_its_records_refusal(connect: Connect) -> None:
    found = panel(connect, {"errors": {"message": "Unknown field isLocalGovernmentUnit"}}, 422)
    with pytest.raises(Reject) as refusal:
        found.update([UPDATE, UPDATE])
    assert (refusal.value.code, refusal.value.field) == ("refused_whole", "")
    [alone] = found.update([UPDATE])
    assert isinstance(alone, Reject)
    assert (alone.code, alone.facts) == ("refused", {"panel": "HTTP 422: Unknown field isLocalGovernmentUnit"})


def test_a_record_that_our_own_check_keeps_back_does_not_make_a_call_carry_its_field(connect: Connect) -> None:
    bad = AccountUpdate("K-3", "b2b-k-3", {"local_government": True, "email": "x"})
    found = panel(connect, {"errors": {"message": "Unknown field isLocalGovernmentUnit"}}, 422)
    alone, refused = found.update([UPDATE, bad])
    assert [getattr(each, "code", "") for each in (alone, refused)] == ["refused", "bad_email"]


def test_records_refused_for_a_newer_field_are_told_from_those_that_went_through(connect: Connect) -> None:
    body = {
        "results": [
            {"resultStatus": True, "clientsResult": {"requestReference": "K-0"}},
            {"resultStatus": False, "errors": [{"faultCode": 109, "faultString": "isLocalGovernmentUnit?"}]},
        ],
        "errors": {"faultCode": 109, "faultString": "isLocalGovernmentUnit?"},
    }
    plain = AccountUpdate("K-0", "b2b-k-0", {"last_name": PERSON})
    done, refused = panel(connect, body, 207).update([plain, NEWER])
    assert isinstance(done, Done)
    assert isinstance(refused, Reject)
    assert (refused.code, refused.field) == ("panel_lacks_field", "local_government")


# discount groups: a 200 without a body is their success

PRICE = SentPrice("product", "7", "12.3", "PLN")
OTHER = SentPrice("menu_item", "8", "9999999999.99", "EUR")
BARE_200 = answer(content=b"")
BARE: list[tuple[str, Callable[[HttpPanel], Any]]] = [
    ("PUT discounts/groups", lambda found: found.rename_group("5", PERSON)),
    ("POST discounts/groups/delete", lambda found: found.delete_group("5")),
    ("PUT discounts/groups/products", lambda found: found.set_prices("5", [PRICE, OTHER])),
    ("POST discounts/groups/products/delete", lambda found: found.remove_prices("5", [PRICE.key, OTHER.key])),
]
"""Gate -> a call of it."""
ALONE: list[Callable[[HttpPanel], Any]] = [
    lambda found: found.create_group(PERSON),
    BARE[0][1],
    BARE[1][1],
]
"""Calls about one group."""


@pytest.mark.parametrize(
    "reply",
    [
        BARE_200,
        answer(content=b" \r\n"),
        answer(content=b"\xef\xbb\xbf"),
        answer(content=b"[]"),
        answer(content=b"null"),
        answer({}),
        answer({"errors": {"faultCode": "0", "faultString": ""}}),
        answer(content=b"", status=204),
        answer(content=b"", status=207),
        answer(content=b"[]", status=207),
        answer(content=b"true"),
        answer(content=b"true", status=207),
    ],
)
@pytest.mark.parametrize("gate", [gate for gate, _ in BARE])
def test_an_answer_that_names_no_fault_is_done_at_the_gates_that_say_so_by_saying_nothing(
    connect: Connect, reply: bytes, gate: str
) -> None:
    found = HttpPanel(connect(reply))
    outcomes = dict(BARE)[gate](found)
    assert outcomes is None or outcomes == [Done(), Done()]
    assert found.calls() == {gate: 1}


@pytest.mark.parametrize(
    "reply",
    [
        answer(content=b"false"),
        answer(content=b"1", status=207),
        answer(content=b"", Content_Length="50", Connection="close"),
        answer(content=b"<html>Zaloguj</html>"),
        answer(content=b'{"errors": {'),
        answer(content=b"[1]"),
        answer(content=b"OK"),
        answer(content=b"", status=503),
        RESET,
    ],
)
@pytest.mark.parametrize("gate", [gate for gate, _ in BARE])
def test_anything_else_without_an_object_is_no_success_there_either(connect: Connect, reply: bytes, gate: str) -> None:
    found = HttpPanel(connect(reply))
    with pytest.raises(Retry):
        dict(BARE)[gate](found)
    assert found.calls() == {gate: 1}


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{}"])
def test_a_body_is_wanted_everywhere_else(connect: Connect, content: bytes) -> None:
    found = HttpPanel(connect(answer(content=content)))
    calls: list[Callable[[], object]] = [
        lambda: found.create_group("A"),
        lambda: found.groups(0, 100),
        lambda: found.group_clients("5"),
    ]
    for call in calls:
        with pytest.raises(Retry):
            call()
    if content != b"{}":
        for post in (found.update, found.update_addresses, found.delete_addresses):
            with pytest.raises(Retry):
                post([UPDATE if post == found.update else ADDRESS])  # type: ignore[operator]
    assert found.calls()["POST discounts/groups"] == 1


@pytest.mark.parametrize("content", [b'{"result": {}}', b"{}", b"[]", b""])
def test_a_new_group_without_a_number_is_not_known_to_exist(connect: Connect, content: bytes) -> None:
    found = HttpPanel(connect(answer(content=content)))
    with pytest.raises(Retry) as refusal:
        found.create_group("A")
    assert refusal.value.code == "missing_result"
    assert found.calls() == {"POST discounts/groups": 1}


def test_a_writing_call_says_what_is_documented_and_prices_to_the_digit(connect: Connect, server: Server) -> None:
    found = HttpPanel(connect(answer({"result": {"discountGroupId": 5}})))
    assert found.create_group("żółw") == "5"
    server.script = [BARE_200]
    for _, call in BARE:
        call(found)
    assert [body for _, _, body in server.requests] == [
        '{"params":{"discountGroupName":"żółw"}}'.encode(),
        f'{{"params":{{"discountGroupId":5,"discountGroupName":"{PERSON}"}}}}'.encode(),
        b'{"params":{"discountGroupId":5}}',
        (
            b'{"params":{"discountGroupId":5,"products":[{"id":7,"price":12.30,"currency":"PLN"}],'
            b'"menuItems":[{"id":8,"price":9999999999.99,"currency":"EUR"}]}}'
        ),
        b'{"params":{"discountGroupId":5,"products":[7],"menuItems":[8]}}',
    ]
    assert [line.rpartition(" ")[0] for line, _, _ in server.requests] == [
        "POST /api/admin/v8/discounts/groups",
        *(gate.replace(" ", " /api/admin/v8/") for gate, _ in BARE),
    ]


def test_an_amount_of_credit_is_sent_to_the_digit(connect: Connect, server: Server) -> None:
    HttpPanel(connect(answer({}))).update(
        [AccountUpdate("K", "anna", {"balance": "9999999999.9", "credit_limit": "0"})]
    )
    body = server.requests[0][2]
    assert b'"clientBalanceAmountExternal":9999999999.90' in body
    assert b'"clientTradeCreditLimitExternal":0.00' in body


def test_a_search_for_groups_and_members_is_written_out(connect: Connect, server: Server) -> None:
    found = panel(connect, {"groups": [], "result": {"clientId": []}})
    found.groups(2, 50)
    found.group_clients("5")
    first, second = (line.split()[1].removeprefix("/api/admin/v8/discounts/groups") for line, _, _ in server.requests)
    assert first == "?returnElements=groupNumber,groupName&resultsPage=2&resultsLimit=50"
    assert second == "/clients?discountGroupId=5"


@pytest.mark.parametrize("status", [200, 207])
@pytest.mark.parametrize("code", [1, 4, "4", 102, None])
def test_a_refused_group_quotes_the_panel_whatever_its_number(connect: Connect, status: int, code: Any) -> None:
    found = panel(connect, {"errors": {"faultCode": code, "faultString": "są klienci"}}, status)
    for call in ALONE:
        with pytest.raises(Reject) as refusal:
            call(found)
        assert refusal.value.code == "refused"
        assert "są klienci" in refusal.value.facts["panel"]


@pytest.mark.parametrize(("body", "status"), [({"errors": {"message": "źle"}}, 422), ({"errors": "źle"}, 200)])
def test_a_refused_call_for_prices_is_one_prices_refusal_or_to_be_split(
    connect: Connect, body: Any, status: int
) -> None:
    found = panel(connect, body, status)
    calls: list[Callable[[int], Any]] = [
        lambda n: found.set_prices("5", [PRICE, OTHER][:n]),
        lambda n: found.remove_prices("5", [PRICE.key, OTHER.key][:n]),
    ]
    for call in calls:
        [alone] = call(1)
        assert isinstance(alone, Reject)
        assert (alone.code, "źle" in alone.facts["panel"]) == ("refused", True)
        with pytest.raises(Reject) as refusal:
            call(2)
        assert refusal.value.code == "refused_whole"


def test_a_refused_form_of_a_group_is_its_refusal_and_of_a_search_a_halt(connect: Connect) -> None:
    found = panel(connect, {"errors": {"message": "źle"}}, 422)
    for call in ALONE:
        with pytest.raises(Reject) as refusal:
            call(found)
        assert (refusal.value.code, "źle" in refusal.value.facts["panel"]) == ("refused", True)
    for search in (lambda: found.groups(0, 100), lambda: found.group_clients("5")):
        with pytest.raises(Halt) as halt:
            search()
        assert halt.value.code == "panel_query"
        assert "discounts/groups" in str(halt.value)


@pytest.mark.parametrize(
    ("body", "groups", "members"),
    [
        ({"errors": {"faultCode": 2, "faultString": "x"}}, 0, 0),
        ({"groups": [], "result": [], "errors": {"faultCode": "2", "faultString": "x"}}, 0, 0),
        ({"groups": [], "result": {"clientId": []}, "resultsNumberPage": 0}, 0, 0),
        (
            {
                "groups": [{"groupNumber": 5}],
                "result": {"clientId": ["7"]},
                "resultsNumberPage": "3",
                "resultsLimit": 1,
            },
            1,
            1,
        ),
    ],
)
@pytest.mark.parametrize("status", [200, 207])
def test_groups_and_members_that_are_none(connect: Connect, body: Any, groups: int, members: int, status: int) -> None:
    found = panel(connect, body, status)
    shown, pages = found.groups(0, 100)
    assert (len(shown), pages) == (groups, 3 * groups)
    assert len(found.group_clients("5")) == members


@pytest.mark.parametrize(("fault", "kind"), [(1, Halt), (4, Halt), (3, Halt), (77, Retry)])
def test_a_fault_in_a_search_for_groups_is_no_empty_result(
    connect: Connect, fault: int, kind: type[KartotekaError]
) -> None:
    body = {"groups": [], "result": {"clientId": []}, "errors": {"faultCode": fault, "faultString": "x"}}
    found = panel(connect, body, 207)
    for search in (lambda: found.groups(0, 100), lambda: found.group_clients("5")):
        with pytest.raises(kind):
            search()


def test_a_full_page_of_groups_without_counts_has_another_after_it(connect: Connect) -> None:
    found = panel(connect, {"groups": [{"groupNumber": n} for n in (1, 2)]})
    assert [found.groups(0, limit)[1] for limit in (2, 3)] == [2, 1]


def test_a_key_without_the_right_to_groups_is_told_which(connect: Connect) -> None:
    found = panel(connect, {"errors": {"message": "no"}}, 403)
    with pytest.raises(Halt) as halt:
        found.groups(0, 100)
    assert "CRM (read)" in str(halt.value)
    with pytest.raises(Halt) as halt:
        found.delete_group("5")
    assert "CRM (read and write)" in str(halt.value)


def test_what_names_no_group_makes_no_call(connect: Connect, server: Server) -> None:
    found = HttpPanel(connect(BARE_200))
    for number in ("", "0", "x"):
        assert [getattr(each, "code", "") for each in found.set_prices(number, [PRICE, OTHER])] == ["bad_group"] * 2
        assert [getattr(each, "code", "") for each in found.remove_prices(number, [PRICE.key])] == ["bad_group"]
        calls: list[Callable[[], object]] = [
            lambda number=number: found.rename_group(number, "A"),  # type: ignore[misc]
            lambda number=number: found.delete_group(number),  # type: ignore[misc]
            lambda number=number: found.group_clients(number),  # type: ignore[misc]
        ]
        for call in calls:
            with pytest.raises(Reject):
                call()
    assert server.requests == []


# the canary: neither the key nor a person in anything that is told


TROUBLES = {
    "reset": RESET,
    "html": answer(content=f"<html>{PERSON} {KEY}</html>".encode()),
    "cut": answer(content=PERSON.encode(), Content_Length="999", Connection="close"),
    **{
        str(status): answer({"errors": {"message": f"{PERSON} {KEY}"}}, status, x_error=f"{KEY} Scope: crm, level: rw")
        for status in (302, 400, 401, 403, 404, 422, 429, 500, 503)
    },
    "group": answer({"groups": [{"groupNumber": KEY, "groupName": PERSON}], "result": {"clientId": [PERSON, None]}}),
    "fault": answer({"errors": {"faultCode": 77, "faultString": f"{PERSON} {KEY}"}}),
    "address": answer(
        {"results": [{"clientId": 1, "clientDeliveryAddresses": [{"clientDeliveryAddressId": 7, LAST_NAME: PERSON}]}]}
    ),
    "record": answer({"results": [{"status": False, "errors": [{"faultCode": 12, "faultString": PERSON}]}]}),
}


@pytest.mark.fault(74)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_secret_and_no_person_is_told(connect: Connect, caplog: pytest.LogCaptureFixture, trouble: str) -> None:
    caplog.set_level(logging.DEBUG)
    http = connect(TROUBLES[trouble])
    found = HttpPanel(http)
    told = [repr(http), repr(found), str(vars(http)), str(vars(http._session)), repr(NEW), repr(UPDATE), repr(ADDRESS)]
    calls: list[Callable[[], object]] = [
        lambda: found.create([NEW, NEW], notify=False),
        lambda: found.create([NEW], notify=False),
        lambda: found.update([UPDATE]),
        lambda: found.add_addresses([ADDRESS, ADDRESS]),
        lambda: found.add_addresses([ADDRESS]),
        lambda: found.update_addresses([ADDRESS]),
        lambda: found.delete_addresses([ADDRESS]),
        lambda: found.addresses(["1"]),
        found.shops,
        lambda: found.groups(0, 100),
        lambda: found.group_clients("5"),
        lambda: found.create_group(PERSON),
        *(lambda call=call: call(found) for _, call in BARE),  # type: ignore[misc]
        lambda: found.read(["1"]),
        lambda: found.find(["K-1"]),
        found.now,
    ]
    for call in calls:
        try:
            told.append(repr(call()))
        except KartotekaError as error:
            told += [str(error), repr(error), "".join(traceback.format_exception(error))]
    everything = "\n".join([*told, caplog.text, *(str(vars(record)) for record in caplog.records)])
    assert KEY not in everything
    assert PERSON not in everything
    assert NEW.password not in everything
