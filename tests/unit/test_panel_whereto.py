"""Where the key goes, over real sockets: names that lead astray, names that change, redirects, private addresses."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.adapters.idosell.whereto import checked_root, may_reach
from kartoteka.errors import Halt
from tests.fakes.limit import CountedLimit

KEY = "canary-key-of-whereto-7712"
NAME = "shop.example.com"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
Resolve = Callable[..., None]


class Listener(socketserver.ThreadingTCPServer):
    """Listens on every address of the machine, notes what was said to it, and ends each connection."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("0.0.0.0", 0), Answering)  # noqa: S104 - one test reaches it by the machine's own address
        self.heard = b""
        self.answer = OK
        self.ended = threading.Semaphore(0)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Answering(socketserver.BaseRequestHandler):
    server: Listener

    def handle(self) -> None:
        said = self.request.recv(65_536)
        self.server.heard += said
        if said:
            self.request.sendall(self.server.answer)

    def finish(self) -> None:
        self.server.ended.release()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Let names lead to these addresses, one after the other; the last one from then on."""

    def lead(*addresses: str) -> None:
        left = list(addresses)

        def found(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            address = left.pop(0) if len(left) > 1 else left[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    return lead


def panel(root: str, near: str = "") -> PanelHttp:
    return PanelHttp(root, KEY, CountedLimit(), HttpSettings(first_pause=0, read_timeout=2, near=near))


def own_address() -> str:
    """Return an address of this machine that is not its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # sends nothing
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but its loopback")
        return str(probe.getsockname()[0])


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Halt) as refusal:
        call()
    assert refusal.value.code == "panel_address"
    assert KEY not in str(refusal.value)
    return str(refusal.value)


# ---- names ----


def test_a_name_that_leads_to_the_loopback_is_told_nothing(listener: Listener, resolve: Resolve) -> None:
    """Not even a greeting of TLS."""
    http = panel(f"https://{NAME}:{listener.port}")
    resolve("127.0.0.1")
    assert "127.0.0.1" in refused(lambda: http.get("system/serverTime"))
    assert listener.ended.acquire(timeout=5)
    assert listener.heard == b""


def test_a_name_that_leads_into_a_private_network_is_told_nothing(listener: Listener, resolve: Resolve) -> None:
    http, address = panel(f"https://{NAME}:{listener.port}"), own_address()
    resolve(address)
    refused(lambda: http.post("clients/clients", {}))
    assert listener.ended.acquire(timeout=5)
    assert listener.heard == b""


@pytest.mark.fault(76)
def test_a_name_is_resolved_and_judged_anew_with_each_connection(listener: Listener, resolve: Resolve) -> None:
    http, address = panel(f"http://localhost:{listener.port}"), own_address()
    resolve("127.0.0.1", address)
    assert http.get("system/serverTime") == {}
    assert KEY.encode() in listener.heard
    listener.heard = b""
    assert address in refused(lambda: http.get("system/serverTime"))
    assert listener.heard == b""


@pytest.mark.fault(76)
def test_a_number_in_disguise_is_judged_by_where_it_leads(listener: Listener) -> None:
    for host in ("2130706433", "0x7f000001", "127.1"):
        http = panel(f"https://{host}:{listener.port}")
        refused(lambda http=http: http.get("system/serverTime"))  # type: ignore[misc]
    assert listener.heard == b""


@pytest.mark.fault(76)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_the_key_nowhere(listener: Listener, status: int) -> None:
    with Listener() as elsewhere:
        threading.Thread(target=elsewhere.serve_forever, args=(0.01,), daemon=True).start()
        head = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{elsewhere.port}/\r\nContent-Length: 0\r\n"
        listener.answer = f"{head}Connection: close\r\n\r\n".encode()
        http = panel(f"http://127.0.0.1:{listener.port}")
        for call in (lambda: http.get("system/serverTime"), lambda: http.put("clients/clients", {})):
            with pytest.raises(Halt) as refusal:
                call()
            assert refusal.value.code == "panel_redirect"
        assert elsewhere.heard == b""
        elsewhere.shutdown()


# ---- beside an emulator of AWS ----


def test_beside_an_emulator_of_aws_a_stand_in_panel_is_spoken_to_and_no_other_host(listener: Listener) -> None:
    """A container of `sam local invoke` reaches the laptop by an address of Docker's."""
    near = own_address()
    root = f"http://{near}:{listener.port}"
    assert panel(root, near=near).get("system/serverTime") == {}
    refused(lambda: panel(root))
    refused(lambda: panel(root, near="127.0.0.1"))
    refused(lambda: panel("http://10.11.12.13", near=near))
    refused(lambda: panel("https://10.11.12.13", near=near))


# ---- addresses ----


@pytest.mark.fault(76)
@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "172.17.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "169.254.170.2",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - as an address that DNS may say
        "255.255.255.255",
        "224.0.0.1",
        "::",
        "::1",
        "fd00:ec2::254",
        "fe80::1%eth0",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:a00:1::1",
        "ff0e::1",
        "no address",
    ],
)
def test_no_name_may_lead_there(address: str) -> None:
    assert not may_reach(NAME, address)
    assert may_reach("localhost", address) is (address in {"::1", "::ffff:127.0.0.1"})


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_a_name_may_lead_to_a_public_address_and_the_loopbacks_name_may_not(address: str) -> None:
    assert may_reach(NAME, address)
    assert not may_reach("localhost", address)
    assert not may_reach("127.0.0.1", address)


@pytest.mark.parametrize(
    "root", ["https://10.0.0.1", "https://169.254.169.254", "https://[fd00:ec2::254]", "https://[::ffff:10.0.0.1]"]
)
def test_a_private_address_is_refused_before_a_connection_is_made(root: str) -> None:
    refused(lambda: checked_root(root))


def test_a_public_address_and_the_loopback_are_fine_as_they_are() -> None:
    for root in ("https://8.8.8.8", "https://[2a00:1450:4001::1]:8443", "https://127.0.0.1", "https://[::1]"):
        assert checked_root(root) == root
