"""The control address `/_standin/...`: JSON, from this machine only, no key.

GET    /_standin/status      counts by gate, statuses, mails that would have gone out, peaks, number of accounts
GET    /_standin/accounts    every account in plain words (`?login=`, `?external_code=`, `?id=` narrow it)
POST   /_standin/seed        {"accounts": [{...}]} or {"count": 1000, "seed": 1}; answers {"ids": [...]}
                             {"groups": [{"name": "Hurt", "prices": [{"kind": "product", "id": 7, "price": "9.90",
                             "currency": "PLN"}]}]} alone or beside: {"group_ids": [...]}
POST   /_standin/edit        {"client_id": 1, "changes": {"street": "..."}}: a panel user's edit
POST   /_standin/addresses   {"client_id": 1, "add": {...}} | {..., "address_id": 2, "changes": {...}}
                             | {..., "address_id": 2, "delete": true}; {"in_use": true} among the changes: it stays
GET    /_standin/groups      every discount group with its prices (as text) and its members; `?id=` narrows it
POST   /_standin/backup      {"name": "monday"}: keep accounts and groups as they are; the name may be left out
POST   /_standin/restore     {"name": "monday"}: put back what was kept, as a panel is restored from an older backup:
                             dates go back, and numbers given since are given again
POST   /_standin/order       {"client_id": 1, "amount": "100.00"}: an order on trade credit; answers {"accepted",
                             "reason", "amount", "limit", "balance", "ordered", "id"}, amounts as text
POST   /_standin/reset       {"what": ["settings", "accounts", "calls", "faults", "clock"]}, by default all; with the
                             accounts go the groups, but for those that the settings name
GET    /_standin/faults      the ordered misbehaviour with its hits
POST   /_standin/faults      one rule, or {"rules": [...]}: see local.panel.faults
DELETE /_standin/faults      no more misbehaviour
GET    /_standin/settings    every setting; POST changes some
GET    /_standin/clock       POST {"set": "2026-03-29T01:59:00+01:00" or seconds, "advance": s, "skew": s, "run": true}
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from local.panel import credit, guards
from local.panel.faults import Rule
from local.panel.sample import sample_accounts
from local.panel.settings import Settings
from local.panel.state import PanelState

Command = Callable[[PanelState, dict[str, Any]], Any]


def status(panel: PanelState, given: dict[str, Any]) -> Any:
    return {
        **panel.counters.as_dict(),
        "accounts": len(panel.accounts),
        "groups": len(panel.groups),
        "faults_ordered": len(panel.faults.rules),
    }


def accounts(panel: PanelState, given: dict[str, Any]) -> Any:
    panel.show_due_dates()
    if "login" in given:
        found = panel.accounts.by_login(given["login"])
        return [found.as_dict()] if found else []
    if "external_code" in given:
        return [each.as_dict() for each in panel.accounts.by_code(given["external_code"])]
    if "id" in given:
        return [panel.account(int(given["id"])).as_dict()]
    return [each.as_dict() for each in panel.accounts]


def seed(panel: PanelState, given: dict[str, Any]) -> Any:
    """Seed groups and accounts; groups first, so that accounts may be in them."""
    made = {"group_ids": [panel.make_group(each).id for each in given["groups"]]} if "groups" in given else {}
    plain = given.get("accounts", [] if made else None)
    if plain is None:
        plain = sample_accounts(int(given["count"]), int(given.get("seed", 1)))
    return {"ids": [panel.seed(each).id for each in plain], **made}


def edit(panel: PanelState, given: dict[str, Any]) -> Any:
    return panel.edit(int(given["client_id"]), **given["changes"]).as_dict()


def addresses(panel: PanelState, given: dict[str, Any]) -> Any:
    client_id = int(given["client_id"])
    if "add" in given:
        panel.put_address(client_id, given["add"])
    elif given.get("delete"):
        panel.drop_address(client_id, int(given["address_id"]))
    else:
        panel.edit_address(client_id, int(given["address_id"]), **given["changes"])
    return panel.account(client_id).as_dict()


def groups(panel: PanelState, given: dict[str, Any]) -> Any:
    found = [panel.group(int(given["id"]))] if "id" in given else list(panel.groups)
    return [{**each.as_dict(), "members": panel.members(each.id)} for each in found]


def order(panel: PanelState, given: dict[str, Any]) -> Any:
    account = panel.account(int(given["client_id"]))
    return credit.told(account, panel.order(account.id, given["amount"]))


def backup(panel: PanelState, given: dict[str, Any]) -> Any:
    panel.back_up(given.get("name", ""))
    return {}


def restore(panel: PanelState, given: dict[str, Any]) -> Any:
    panel.restore(given.get("name", ""))
    return {}


def reset(panel: PanelState, given: dict[str, Any]) -> Any:
    wanted = given.get("what", list(_RESETS))
    for what in sorted(wanted, key=lambda each: each != "settings"):  # they say which groups there are at the start
        _RESETS[what](panel)
    return {}


def _reset_calls(panel: PanelState) -> None:
    panel.counters.reset()
    panel.requests.clear()


def _reset_clock(panel: PanelState) -> None:
    panel.clock.run()
    panel.clock.skew = 0.0


_RESETS: dict[str, Callable[[PanelState], None]] = {
    "accounts": PanelState.empty,
    "calls": _reset_calls,
    "faults": lambda panel: panel.faults.clear(),
    "settings": lambda panel: panel.settings.change(**Settings().as_dict()),
    "clock": _reset_clock,
}


def list_faults(panel: PanelState, given: dict[str, Any]) -> Any:
    return [rule.as_dict() for rule in panel.faults.rules]


def add_faults(panel: PanelState, given: dict[str, Any]) -> Any:
    rules = [Rule(**each) for each in given.get("rules", [given])]
    return {"ids": [panel.faults.add(rule).id for rule in rules]}


def clear_faults(panel: PanelState, given: dict[str, Any]) -> Any:
    panel.faults.clear()
    return {}


def settings(panel: PanelState, given: dict[str, Any]) -> Any:
    panel.settings.change(**given)
    return panel.settings.as_dict()


def clock(panel: PanelState, given: dict[str, Any]) -> Any:
    if given.get("run"):
        panel.clock.run()
    if "set" in given:
        moment = given["set"]
        panel.clock.set(datetime.fromisoformat(moment) if isinstance(moment, str) else moment)
    if "advance" in given:
        panel.clock.advance(float(given["advance"]))
    panel.clock.skew = float(given.get("skew", panel.clock.skew))
    return {
        "now": panel.clock.now(),
        "wall": panel.clock.wall(),
        "skew": panel.clock.skew,
    }


COMMANDS: dict[tuple[str, str], Command] = {
    ("GET", "status"): status,
    ("GET", "accounts"): accounts,
    ("POST", "seed"): seed,
    ("POST", "edit"): edit,
    ("POST", "addresses"): addresses,
    ("GET", "groups"): groups,
    ("POST", "order"): order,
    ("POST", "backup"): backup,
    ("POST", "restore"): restore,
    ("POST", "reset"): reset,
    ("GET", "faults"): list_faults,
    ("POST", "faults"): add_faults,
    ("DELETE", "faults"): clear_faults,
    ("GET", "settings"): lambda panel, given: panel.settings.as_dict(),
    ("POST", "settings"): settings,
    ("GET", "clock"): lambda panel, given: clock(panel, {}),
    ("POST", "clock"): clock,
}


def handler(panel: PanelState) -> Callable[[web.Request], Any]:
    """The aiohttp handler of the control address."""

    async def serve(request: web.Request) -> web.Response:
        guards.loopback_only(request)
        guards.program_only(request)
        command = COMMANDS.get((request.method, request.match_info["command"]))
        if command is None:
            return web.json_response({"error": "no such command"}, status=404)
        return _run(panel, command, await request.text() or "{}", dict(request.query))

    return serve


def _run(panel: PanelState, command: Command, text: str, query: dict[str, str]) -> web.Response:
    """A mistake of the caller is a 400 or 404 that says which."""
    try:
        given = json.loads(text)
        if not isinstance(given, dict):
            raise TypeError("an object, please")
        with panel.lock:
            return web.json_response(command(panel, {**query, **given}), dumps=_dumps)
    except KeyError as error:
        return web.json_response({"error": f"not found or missing: {error.args[0]}"}, status=404)
    except (ValueError, TypeError) as error:
        return web.json_response({"error": str(error)}, status=400)


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
