"""Who may use the pages and the control address: this machine's own browser and programs, nobody through them."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def loopback_only(request: web.Request) -> None:
    """Refuse callers from elsewhere, and host names that were pointed at this machine (DNS rebinding)."""
    if not _is_loopback(request.remote or "") or not _is_loopback(urlsplit(f"//{request.host}").hostname or ""):
        raise web.HTTPForbidden(text="only from this machine")


def same_origin(request: web.Request) -> None:
    """A form is taken only from our own page: browsers name the origin of every POST."""
    if request.headers.get("Origin") != f"{request.scheme}://{request.host}":
        raise web.HTTPForbidden(text="only from the panel's own pages")


def program_only(request: web.Request) -> None:
    """The control address takes JSON from programs; a foreign web page cannot send that."""
    if "Origin" in request.headers:
        raise web.HTTPForbidden(text="not from a web page")
    if request.can_read_body and request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="JSON, please")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
