"""The pages that people look at: the list of customers, a customer's card, what the API was asked.

A form saves the way a panel user saves: the same checks, the modification date moves, no API call is counted.
Everything is escaped by the template engine, and a form is taken from our own pages only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from multidict import MultiDictProxy

from local.panel import checks, forms_html, guards
from local.panel.clients_gates import account_values, haystack
from local.panel.model import Account
from local.panel.state import PanelState
from local.panel.words import COUNTRY_NAMES

TEMPLATES = Path(__file__).with_name("templates")
PAGE_SIZE = 20
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_routes(app: web.Application, panel: PanelState) -> None:
    """Put the pages into the application."""
    pages = Pages(panel)
    for method, path, work in (
        ("GET", "/", pages.customers),
        ("GET", "/style.css", pages.style),
        ("GET", "/clients/new", pages.blank),
        ("POST", "/clients/new", pages.register),
        ("GET", r"/clients/{id:\d+}", pages.card),
        ("POST", r"/clients/{id:\d+}", pages.save),
        ("POST", r"/clients/{id:\d+}/addresses", pages.add_address),
        ("POST", r"/clients/{id:\d+}/addresses/{address:\d+}", pages.save_address),
        (
            "POST",
            r"/clients/{id:\d+}/addresses/{address:\d+}/delete",
            pages.delete_address,
        ),
    ):
        app.router.add_route(method, path, _guarded(work))


def _guarded(work: Handler) -> Handler:
    """From this machine only; forms from our own pages only; no script whatever happens."""

    async def serve(request: web.Request) -> web.StreamResponse:
        guards.loopback_only(request)
        if request.method == "POST":
            guards.same_origin(request)
        response = await work(request)
        response.headers.update(guards.HEADERS)
        return response

    return serve


class Pages:
    """The pages over one panel."""

    def __init__(self, panel: PanelState) -> None:
        self._panel = panel
        loader = FileSystemLoader(TEMPLATES)
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._templates.globals["countries"] = COUNTRY_NAMES

    # --- looking

    async def style(self, request: web.Request) -> web.StreamResponse:
        return web.Response(
            text=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
            content_type="text/css",
        )

    async def customers(self, request: web.Request) -> web.StreamResponse:
        """The list, searched by any word of the card, the latest change first."""
        words = request.query.get("q", "").strip().lower()
        with self._panel.lock:
            self._panel.show_due_dates()
            found = [each for each in self._panel.accounts if not words or words in haystack(each)]
            found.sort(key=lambda each: (each.modified, each.id), reverse=True)
            return self._list(request, found)

    def _list(self, request: web.Request, found: list[Account]) -> web.Response:
        last = max(0, (len(found) - 1) // PAGE_SIZE)
        number = min(_number(request.query.get("page", "0")), last)
        shown = found[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]
        doubled = {each.id for each in shown if len(self._panel.accounts.by_code(each.external_code)) > 1}
        return self._page(
            "list.html", accounts=shown, found=len(found), doubled=doubled,
            query=request.query.get("q", ""), page=number, last=last,
        )  # fmt: skip

    async def card(self, request: web.Request) -> web.StreamResponse:
        with self._panel.lock:
            account = self._account(request)
            return self._card(account, {}, [], request.query.get("saved", ""))

    async def blank(self, request: web.Request) -> web.StreamResponse:
        account = Account(shops=list(self._panel.settings.shops)[:1])
        with self._panel.lock:
            return self._card(account, {}, [])

    def _card(
        self,
        account: Account,
        values: dict[str, Any],
        faults: list[str],
        saved: str = "",
        status: int = 200,
    ) -> web.Response:
        shown = {**forms_html.values_of(account), **values}
        return self._page(
            "card.html",
            status,
            account=account,
            values=shown,
            faults=faults,
            saved=saved,
        )

    def _page(self, template: str, status: int = 200, **values: Any) -> web.Response:
        common = {
            "counters": self._panel.counters,
            "total": len(self._panel.accounts),
            "wall": self._panel.clock.wall(),
        }
        values = {**common, "settings": self._panel.settings, **values}
        return web.Response(
            text=self._templates.get_template(template).render(values),
            content_type="text/html",
            status=status,
        )

    def _account(self, request: web.Request) -> Account:
        account = self._panel.accounts.get(int(request.match_info["id"]))
        if account is None:
            raise web.HTTPNotFound(text="no such customer")
        return account

    # --- saving a card

    async def save(self, request: web.Request) -> web.StreamResponse:
        """Save what has changed; a fault of the panel's checks is shown and nothing is saved."""
        form = await _form(request)
        with self._panel.lock:
            account = self._account(request)
            values = forms_html.account_form(form)
            changes = {name: value for name, value in values.items() if getattr(account, name) != value}
            faults = checks.faults_of({**account_values(account), **changes}, changes, self._panel.settings)
            if faults:
                return self._card(account, values, [fault.text for fault in faults], status=422)
            if changes:
                self._panel.write(account, changes)
        return _back(account.id, "card" if changes else "unchanged")

    async def register(self, request: web.Request) -> web.StreamResponse:
        """A customer who registers in the shop: no external code unless one is typed in."""
        values = forms_html.account_form(await _form(request))
        with self._panel.lock:
            account = Account(**values)
            everything = account_values(account)
            faults = checks.faults_of(everything, everything, self._panel.settings)
            if faults:
                return self._card(account, values, [fault.text for fault in faults], status=422)
            self._panel.open(account)
        return _back(account.id, "card")

    # --- saving delivery addresses

    async def add_address(self, request: web.Request) -> web.StreamResponse:
        lines = forms_html.address_form(await _form(request))
        with self._panel.lock:
            account = self._account(request)
            if faults := checks.address_faults({"phone": "", **lines}, lines, self._panel.settings):
                return self._refused(account, [fault.text for fault in faults])
            self._panel.put_address(account.id, lines)
        return _back(account.id, "address")

    async def save_address(self, request: web.Request) -> web.StreamResponse:
        lines = forms_html.address_form(await _form(request))
        with self._panel.lock:
            account = self._account(request)
            if faults := checks.address_faults(lines, lines, self._panel.settings):
                return self._refused(account, [fault.text for fault in faults])
            _edited(lambda: self._panel.edit_address(account.id, _address_id(request), **lines))
        return _back(account.id, "address")

    async def delete_address(self, request: web.Request) -> web.StreamResponse:
        with self._panel.lock:
            account = self._account(request)
            address = account.address(_address_id(request))
            if address is not None and address.in_use:
                return self._refused(account, ["Adres jest używany w zamówieniu"])
            _edited(lambda: self._panel.drop_address(account.id, _address_id(request)))
        return _back(account.id, "address")

    def _refused(self, account: Account, faults: list[str]) -> web.Response:
        return self._card(account, {}, faults, status=422)


async def _form(request: web.Request) -> MultiDictProxy[str]:
    """The text fields of a form."""
    posted = await request.post()
    return MultiDictProxy(forms_html.texts(posted))


def _address_id(request: web.Request) -> int:
    return int(request.match_info["address"])


def _edited(work: Callable[[], object]) -> None:
    """An address that is gone meanwhile is a 404, as a card is."""
    try:
        work()
    except KeyError:
        raise web.HTTPNotFound(text="no such address") from None


def _back(client_id: int, saved: str) -> web.Response:
    """Show the card afresh, so that a reload saves nothing twice."""
    return web.Response(status=303, headers={"Location": f"/clients/{client_id}?saved={saved}"})


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
