"""Trade credit on an account's page: the limit as a panel user sets it, and orders as the customer places them."""

from __future__ import annotations

from aiohttp import web

from local.panel.money import money
from local.panel.page_frame import Frame, back_to_account, read_form, route
from local.panel.state import PanelState


def add_routes(app: web.Application, panel: PanelState) -> None:
    """Put the forms of the credit box into the application."""
    pages = CreditPages(panel)
    account = r"/clients/{id:\d+}"
    route(app, [("POST", f"{account}/credit", pages.save_limit), ("POST", f"{account}/orders", pages.order)])


class CreditPages(Frame):
    """The credit box of an account's page. The ERP's balance cannot be edited there."""

    async def save_limit(self, request: web.Request) -> web.StreamResponse:
        """A panel user's limit, and the days to pay; empty: none."""
        form = await read_form(request)
        with self._panel.lock:
            account = self._account(request)
            try:
                limit = money(_typed(form.get("credit_limit", "")))
                days = int(form["payment_days"]) if form.get("payment_days", "").strip() else None
            except ValueError:
                return self._refused(account, ["Błędny limit albo termin płatności"])
            different = (limit, days) != (account.credit_limit, account.payment_days)
            if different:
                self._panel.edit(account.id, credit_limit=limit, payment_days=days)
        return back_to_account(account.id, "account" if different else "unchanged")

    async def order(self, request: web.Request) -> web.StreamResponse:
        """An order on trade credit; a refusal is shown with its reason, and both are listed."""
        form = await read_form(request)
        with self._panel.lock:
            account = self._account(request)
            try:
                order = self._panel.order(account.id, _typed(form.get("amount", "")))
            except ValueError:
                return self._refused(account, ["Błędna kwota zamówienia"])
            if not order.accepted:
                return self._refused(account, [f"Zamówienie nr {order.id} odrzucone. {order.reason}"])
        return back_to_account(account.id, "order")


def _typed(text: str) -> str:
    """As people type it in Poland: with a comma, thousands apart."""
    return text.replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace(",", ".")
