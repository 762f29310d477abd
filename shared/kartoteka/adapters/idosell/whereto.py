"""Where the panel's key may go: to https at a public address, and on this machine to the loopback.

A name is judged by the address that a connection was made to, and before a byte is sent over it: a name whose address
has changed since (DNS rebinding) is judged anew with each connection.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import SplitResult, urlsplit

from kartoteka.errors import Halt

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Its addresses end with the IPv4 address that a gateway leads to (RFC 6052)."""


def checked_root(root: str, near: str = "") -> str:
    """Return the panel's root without a trailing slash; Halt where the key must not go there.

    ``near``: the host of an emulator of AWS, empty in an account: a stand-in panel beside it is spoken to as one on
    the loopback is.
    """
    address = root.strip()
    try:
        parts = urlsplit(address)
        fine = _is_plain(address, parts) and (parts.scheme == "https" or _may_be_plain_http(parts, near))
    except ValueError:
        fine = False
    if not fine:
        raise Halt("panel_address", "the panel's address must be https://host, without user, query or fragment")
    literal = _address(parts.hostname or "")
    if literal is not None and not may_reach(parts.hostname or "", str(literal), near):
        raise _private(str(literal))
    return address.rstrip("/")


def may_reach(host: str, reached: str, near: str = "") -> bool:
    """Return whether a connection for this host may be used that leads to this IP address."""
    address = _address(reached)
    if address is None:
        return False
    if _is_loopback(host):
        return address.is_loopback
    return _is_public(address) or _is_near(host, near)


class Guarded:
    """A connection of urllib3 that says nothing to an address where the key must not go."""

    host: str

    def __init__(self, *args: Any, near: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._near = near

    def _new_conn(self) -> socket.socket:
        """Connect, and raise Halt where the name has led astray."""
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        reached = str(sock.getpeername()[0])
        if not may_reach(self.host, reached, self._near):
            sock.close()
            raise _private(reached)
        return sock


def _private(reached: str) -> Halt:
    return Halt("panel_address", f"the panel's address leads to {reached}, which is not public: no key goes there")


def _is_plain(address: str, parts: SplitResult) -> bool:
    odd = any(c in address for c in "\\@?#") or any(c.isspace() or ord(c) < 32 for c in address)
    return bool(parts.hostname) and not odd and (parts.port is None or parts.port > 0)


def _may_be_plain_http(parts: SplitResult, near: str) -> bool:
    host = parts.hostname or ""
    return parts.scheme == "http" and (_is_loopback(host) or _is_near(host, near))


def _is_near(host: str, near: str) -> bool:
    return bool(near) and host.lower() == near.lower()


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _address(text: str) -> Address | None:
    """Return the IP address that this text is, of one that stands for an IPv4 address that one; None for a name."""
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast
