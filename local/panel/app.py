"""The web application: the API, the control address and the pages over one state."""

from __future__ import annotations

from aiohttp import web

from local.panel import control, credit_pages, group_pages, pages, specification
from local.panel.api import Api
from local.panel.state import PanelState

MOST_BYTES = 16 * 1024 * 1024


def application(panel: PanelState, key: str) -> web.Application:
    """Everything that one port serves."""
    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_route("*", "/api/admin/{address:.+}", Api(panel, key).serve)
    app.router.add_route("*", "/_standin/{command}", control.handler(panel))
    for each in (pages, credit_pages, group_pages, specification):
        each.add_routes(app, panel)
    return app
