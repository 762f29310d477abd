"""`kartoteka desk`: the operator's pages, on this machine alone.

A small server on loopback hands each request to the stack's function. It decides who may ask: the address that is
printed holds a token, which becomes a cookie; another site's request, and one for another host, are refused.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import webbrowser
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import click
from botocore.exceptions import BotoCoreError, ClientError

from cli import door, show
from cli import stack as stacks
from cli.door import Behind
from cli.erp import Where, stack_name
from cli.exits import AWS_REFUSES, told
from kartoteka.desk.desk import BY, FORM

LOOPBACK = "127.0.0.1"
COOKIE = "kartoteka"
LARGEST = 1_000_000
"""Bytes of a form; no page of ours sends as many."""
TAKEN = ("accept-language", "content-type")
"""What is handed on of a browser's headers."""
PATIENCE = 30
"""Seconds in which a browser has to send what it asks."""


class Bridge(ThreadingHTTPServer):
    """The server: ``behind`` answers, ``token`` lets in, ``by`` is who decides."""

    daemon_threads = True

    def __init__(self, behind: Behind, *, port: int = 0, by: str = "") -> None:
        self.behind, self.by = behind, by
        self.token, self.form = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        super().__init__((LOOPBACK, port), Request)

    @property
    def host(self) -> str:
        """What the Host header of a request must say."""
        return f"{LOOPBACK}:{self.server_address[1]}"

    @property
    def address(self) -> str:
        """The page's address, with the token."""
        return f"http://{self.host}/?token={self.token}"


class Request(BaseHTTPRequestHandler):
    """One request."""

    server: Bridge
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "kartoteka", ""
    timeout = PATIENCE

    def do_GET(self) -> None:
        """Answer a page, or let a browser in that has the token in its address."""
        if not self._is_ours():
            return
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        if _same(query.get("token", ""), self.server.token):
            cookie = f"{COOKIE}={self.server.token}; HttpOnly; SameSite=Strict; Path=/"
            self._say(HTTPStatus.SEE_OTHER, headers={"Location": parts.path or "/", "Set-Cookie": cookie})
        elif self._is_let_in():
            self._hand_on("GET", "")

    def do_POST(self) -> None:
        """Carry out what a form, or a program, asks."""
        if not self._is_ours() or not self._is_let_in():
            return
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= LARGEST:
            self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, show.said("too large"))
            return
        self._hand_on("POST", self.rfile.read(length).decode("utf-8", "replace"))

    def _is_ours(self) -> bool:
        """Whether a request is meant for this address, and comes from no other site; else it is refused."""
        origin = self.headers.get("Origin")
        site = self.headers.get("Sec-Fetch-Site", "none")
        wrong = self.headers.get("Host") != self.server.host
        foreign = origin not in (None, f"http://{self.server.host}") or site not in ("none", "same-origin")
        if wrong or foreign:
            self._say(HTTPStatus.FORBIDDEN, show.said("refused: open the address that `kartoteka desk` printed"))
            return False
        return True

    def _is_let_in(self) -> bool:
        """Whether who asks has the token, in the cookie or as a bearer; else it is refused."""
        bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if _same(bearer, self.server.token) or _same(self._cookie(), self.server.token):
            return True
        self._say(HTTPStatus.UNAUTHORIZED, show.said("no token: open the address that `kartoteka desk` printed"))
        return False

    def _cookie(self) -> str:
        try:
            found = SimpleCookie(self.headers.get("Cookie") or "").get(COOKIE)
        except CookieError:
            return ""
        return found.value if found else ""

    def _hand_on(self, method: str, body: str) -> None:
        parts = urlsplit(self.path)
        taken = {name: self.headers[name] for name in TAKEN if self.headers.get(name)}
        headers = {**taken, BY: self.server.by, FORM: self.server.form}
        try:
            answer = self.server.behind(door.event(method, parts.path, dict(parse_qsl(parts.query)), headers, body))
        except (click.ClickException, BotoCoreError, ClientError) as error:
            told = error.message if isinstance(error, click.ClickException) else show.said(AWS_REFUSES, why=error)
            self._say(HTTPStatus.BAD_GATEWAY, told)
            return
        found = str(answer.get("body") or "")
        given = base64.b64decode(found) if answer.get("isBase64Encoded") else found.encode()
        several = {str(name): str(value) for name, value in (answer.get("headers") or {}).items()}
        self._say(int(answer["statusCode"]), given, several)

    def _say(self, status: int, body: str | bytes = "", headers: Mapping[str, str] | None = None) -> None:
        text = body.encode() if isinstance(body, str) else body
        given = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", **(headers or {})}
        self.send_response(status)
        for name, value in {**given, "Content-Length": str(len(text)), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Log nothing: addresses hold clients' codes, and the first one the token."""


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


@click.command()
@stack_name
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port on 127.0.0.1; a free one by itself.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@show.as_json
def desk(name: str | None, port: int, no_browser: bool, as_json: bool) -> None:
    """Open the operator's pages: what waits, why, and what to decide. They are there until you end this command.

    The first line printed is the address, with a token that lets this browser in.
    """
    with told():
        where = Where(None, name)
        behind, by = door.of(stacks.find(name)), door.caller(where)
    try:
        bridge = Bridge(behind, port=port, by=by)
    except OSError as error:
        raise click.ClickException(
            show.said("port {port} cannot be opened: {why}", port=port, why=error.strerror)
        ) from None
    if as_json:
        show.document({"address": bridge.address})
    else:
        click.echo(bridge.address)
    if not no_browser:
        webbrowser.open(bridge.address)
    with bridge:
        try:
            bridge.serve_forever()
        except KeyboardInterrupt:
            click.echo(show.said("ended"), err=True)
