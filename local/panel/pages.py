"""The pages of the accounts: their list with what the API was asked, and an account with its addresses.

A form saves the way a panel user saves: the same checks, the modification date moves, no API call is counted.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from local.panel import checks, forms_html
from local.panel.clients_gates import account_values
from local.panel.model import Account
from local.panel.page_frame import TEMPLATES, Frame, back_to_account, read_form, route
from local.panel.state import PanelState

PAGE_SIZE = 20


def add_routes(app: web.Application, panel: PanelState) -> None:
    """Put the pages into the application."""
    pages = Pages(panel)
    account = r"/clients/{id:\d+}"
    address = rf"{account}/addresses/{{address:\d+}}"
    route(
        app,
        [
            ("GET", "/", pages.accounts),
            ("GET", "/style.css", pages.style),
            ("GET", "/clients/new", pages.blank),
            ("POST", "/clients/new", pages.register),
            ("GET", account, pages.account),
            ("POST", account, pages.save),
            ("POST", f"{account}/addresses", pages.add_address),
            ("POST", address, pages.save_address),
            ("POST", f"{address}/delete", pages.delete_address),
        ],
    )


class Pages(Frame):
    """Looking at accounts, and a panel user's edits of them."""

    # --- looking

    async def style(self, request: web.Request) -> web.StreamResponse:
        return web.Response(
            text=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
            content_type="text/css",
        )

    async def accounts(self, request: web.Request) -> web.StreamResponse:
        """The list, searched by any of the texts, the latest change first."""
        words = request.query.get("q", "").strip().lower()
        with self._panel.lock:
            self._panel.show_due_dates()
            found = [each for each in self._panel.accounts if not words or words in _searchable(each)]
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

    async def account(self, request: web.Request) -> web.StreamResponse:
        with self._panel.lock:
            account = self._account(request)
            return self._account_page(account, {}, [], request.query.get("saved", ""))

    async def blank(self, request: web.Request) -> web.StreamResponse:
        account = Account(shops=list(self._panel.settings.shops)[:1])
        with self._panel.lock:
            return self._account_page(account, {}, [])

    # --- saving an account

    async def save(self, request: web.Request) -> web.StreamResponse:
        """Save what has changed; a fault of the panel's checks is shown and nothing is saved."""
        form = await read_form(request)
        with self._panel.lock:
            account = self._account(request)
            values = forms_html.account_form(form)
            changes = {name: value for name, value in values.items() if getattr(account, name) != value}
            faults = checks.faults_of({**account_values(account), **changes}, changes, self._panel.settings)
            faults += checks.group_faults(changes, self._panel.groups)
            if faults:
                return self._account_page(account, values, [fault.text for fault in faults], status=422)
            if changes:
                self._panel.write(account, changes)
        return back_to_account(account.id, "account" if changes else "unchanged")

    async def register(self, request: web.Request) -> web.StreamResponse:
        """A customer who registers in the shop: no external code unless one is typed in."""
        values = forms_html.account_form(await read_form(request))
        with self._panel.lock:
            account = Account(**values)
            everything = account_values(account)
            faults = checks.faults_of(everything, everything, self._panel.settings)
            faults += checks.group_faults(everything, self._panel.groups)
            if faults:
                return self._account_page(account, values, [fault.text for fault in faults], status=422)
            self._panel.open(account)
        return back_to_account(account.id, "account")

    # --- saving delivery addresses

    async def add_address(self, request: web.Request) -> web.StreamResponse:
        lines = forms_html.address_form(await read_form(request))
        with self._panel.lock:
            account = self._account(request)
            if faults := checks.address_faults({"phone": "", **lines}, lines, self._panel.settings):
                return self._refused(account, [fault.text for fault in faults])
            self._panel.put_address(account.id, lines)
        return back_to_account(account.id, "address")

    async def save_address(self, request: web.Request) -> web.StreamResponse:
        lines = forms_html.address_form(await read_form(request))
        with self._panel.lock:
            account = self._account(request)
            if faults := checks.address_faults(lines, lines, self._panel.settings):
                return self._refused(account, [fault.text for fault in faults])
            _edited(lambda: self._panel.edit_address(account.id, _address_id(request), **lines))
        return back_to_account(account.id, "address")

    async def delete_address(self, request: web.Request) -> web.StreamResponse:
        with self._panel.lock:
            account = self._account(request)
            address = account.address(_address_id(request))
            if address is not None and address.in_use:
                return self._refused(account, ["Adres jest używany w zamówieniu"])
            _edited(lambda: self._panel.drop_address(account.id, _address_id(request)))
        return back_to_account(account.id, "address")


def _searchable(account: Account) -> str:
    """All the text that the search of the list looks through."""
    names = ("id", "login", "external_code", "email", "first_name", "last_name", "company", "nip", "city", "street")
    return " ".join(str(getattr(account, name)) for name in (*names, "phone")).lower()


def _address_id(request: web.Request) -> int:
    return int(request.match_info["address"])


def _edited(work: Callable[[], object]) -> None:
    """An address that is gone meanwhile is a 404, as an account is."""
    try:
        work()
    except KeyError:
        raise web.HTTPNotFound(text="no such address") from None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
