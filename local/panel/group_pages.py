"""The page of the discount groups: what the API cannot read back is seen here, prices and members alike."""

from __future__ import annotations

from aiohttp import web

from local.panel.groups import Group
from local.panel.page_frame import Frame, read_form, route, see
from local.panel.state import PanelState

MOST_PRICES = 200  # of one group on the page; the control address has them all


def add_routes(app: web.Application, panel: PanelState) -> None:
    """Put the page into the application."""
    pages = GroupPages(panel)
    route(
        app,
        [
            ("GET", "/groups", pages.show),
            ("POST", "/groups", pages.make),
            ("POST", r"/groups/{id:\d+}", pages.rename),
            ("POST", r"/groups/{id:\d+}/delete", pages.delete),
        ],
    )


class GroupPages(Frame):
    """Looking at the groups, and a panel user's edits of them."""

    async def show(self, request: web.Request) -> web.StreamResponse:
        with self._panel.lock:
            return self._shown([], saved=request.query.get("saved", ""))

    def _shown(self, faults: list[str], saved: str = "") -> web.Response:
        members = {each.id: self._panel.members(each.id) for each in self._panel.groups}
        prices = {each.id: sorted(each.prices.items())[:MOST_PRICES] for each in self._panel.groups}
        status = 422 if faults else 200
        return self._page("groups.html", status, members=members, prices=prices, faults=faults, saved=saved)

    async def make(self, request: web.Request) -> web.StreamResponse:
        name = (await read_form(request)).get("name", "").strip()
        with self._panel.lock:
            if not name:
                return self._shown(["Nie podano nazwy grupy rabatowej"])
            self._panel.make_group({"name": name})
        return see("/groups?saved=group")

    async def rename(self, request: web.Request) -> web.StreamResponse:
        name = (await read_form(request)).get("name", "").strip()
        with self._panel.lock:
            group = self._group(request)
            if not name:
                return self._shown(["Nie podano nazwy grupy rabatowej"])
            self._panel.edit_group(group.id, name=name)
        return see("/groups?saved=group")

    async def delete(self, request: web.Request) -> web.StreamResponse:
        with self._panel.lock:
            group = self._group(request)
            if self._panel.members(group.id):
                return self._shown([f"Do grupy rabatowej {group.id} są przypisani klienci"])
            self._panel.drop_group(group.id)
        return see("/groups?saved=group")

    def _group(self, request: web.Request) -> Group:
        group = self._panel.groups.get(int(request.match_info["id"]))
        if group is None:
            raise web.HTTPNotFound(text="no such group")
        return group
