"""The panel's own description of its API, `/api/doc/admin/v8/json`; it lacks the fields that the panel lacks."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from local.panel import forms
from local.panel.state import PanelState

DESCRIPTION = Path(__file__).with_name("idosell-admin-api.openapi.yaml")


@cache
def description() -> dict[str, Any]:
    """The whole description, OpenAPI 3.1."""
    found: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    return found


def add_routes(app: web.Application, panel: PanelState) -> None:
    """Serve the description; no key is asked for."""

    async def serve(_request: web.Request) -> web.Response:
        if not panel.settings.specification:
            raise web.HTTPNotFound
        return web.json_response(_without(description(), _unknown(panel)))

    app.router.add_get("/api/doc/admin/v8/json", serve)


def _unknown(panel: PanelState) -> frozenset[str]:
    """The API's names of the fields that this panel does not know."""
    lacking = panel.settings.lacks_fields
    fields = (*forms.CREATE.items(), *forms.UPDATE.items())
    return frozenset(name for name, (attribute, _) in fields if attribute in lacking)


def _without(part: Any, names: frozenset[str]) -> Any:
    if isinstance(part, dict):
        return {name: _without(inner, names) for name, inner in part.items() if name not in names}
    return [_without(each, names) for each in part] if isinstance(part, list) else part
