"""What all pages share: who may see and send them, the frame around them, and the page of an account.

Everything is escaped by the template engine, and a form is taken from our own pages only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from multidict import MultiDictProxy

from local.panel import credit, forms_html, guards
from local.panel.model import Account
from local.panel.money import written
from local.panel.state import PanelState
from local.panel.words import COUNTRY_NAMES, PROVINCES, province_shown

TEMPLATES = Path(__file__).with_name("templates")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Route = tuple[str, str, Handler]


def route(app: web.Application, routes: Iterable[Route]) -> None:
    """Put pages into the application, each behind the guards."""
    for method, path, work in routes:
        app.router.add_route(method, path, _guarded(work))


def _guarded(work: Handler) -> Handler:
    """From this machine only; forms from our own pages only; no scripts."""

    async def serve(request: web.Request) -> web.StreamResponse:
        guards.loopback_only(request)
        if request.method == "POST":
            guards.same_origin(request)
        response = await work(request)
        response.headers.update(guards.HEADERS)
        return response

    return serve


class Frame:
    """The frame of the pages over one panel."""

    def __init__(self, panel: PanelState) -> None:
        self._panel = panel
        loader = FileSystemLoader(TEMPLATES)
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._templates.globals |= {"countries": COUNTRY_NAMES, "province_shown": province_shown}
        self._templates.filters["money"] = written

    def _page(self, template: str, status: int = 200, **values: Any) -> web.Response:
        common = {
            "counters": self._panel.counters,
            "total": len(self._panel.accounts),
            "wall": self._panel.clock.wall(),
            "groups": self._panel.groups,
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
            raise web.HTTPNotFound(text="no such account")
        return account

    def _account_page(
        self,
        account: Account,
        values: dict[str, Any],
        faults: list[str],
        saved: str = "",
        status: int = 200,
    ) -> web.Response:
        shown = {**forms_html.values_of(account), **values}
        return self._page(
            "account.html",
            status,
            account=account,
            values=shown,
            provinces=PROVINCES.get(shown["country_code"], {}),
            faults=faults,
            saved=saved,
            owed=credit.owed(account, self._panel.settings),
            ordered=credit.ordered(account),
        )

    def _refused(self, account: Account, faults: list[str]) -> web.Response:
        return self._account_page(account, {}, faults, status=422)


async def read_form(request: web.Request) -> MultiDictProxy[str]:
    """The text fields of a form."""
    posted = await request.post()
    return MultiDictProxy(forms_html.texts(posted))


def back_to_account(client_id: int, saved: str) -> web.Response:
    """Show the account afresh, so that a reload saves nothing twice."""
    return see(f"/clients/{client_id}?saved={saved}")


def see(path: str) -> web.Response:
    """Go there."""
    return web.Response(status=303, headers={"Location": path})
