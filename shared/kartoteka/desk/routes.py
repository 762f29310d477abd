"""The desk's addresses: pages for people at ``/``, the same data as JSON for programs under ``/api``.

A route says which question or action it is, and nothing else. Who calls is known to whoever invoked the function: the
bridge says so in headers that it takes from no browser (``cli/desk.py``).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from kartoteka.desk import (
    actions,
    client,
    forget,
    lists,
    overview,
    owning,
    pages,
    plans,
    spreadsheet,
    texts,
    tick,
    undo,
    when,
)
from kartoteka.desk.desk import FORM, Data, Desk, WrongRequest, plain
from kartoteka.desk.remedies import cause_of
from kartoteka.errors import Halt, KartotekaError
from kartoteka.ports.desk import Row
from kartoteka.ports.exchange import Chosen

Answer = dict[str, Any]
UNDO = "undo"
app = APIGatewayHttpResolver(serializer=lambda data: json.dumps(plain(data)))


def answer(event: Mapping[str, Any], context: Any, desk: Desk) -> Answer:
    """Answer a request, an event of an HTTP API (payload 2.0)."""
    app.append_context(desk=desk)  # type: ignore[no-untyped-call]
    return dict(app.resolve(dict(event), context))


def refused(event: Mapping[str, Any], error: KartotekaError) -> Answer:
    """Answer a request that could not be asked anything: a setting is wrong, or nothing answers."""
    lang = _spoken(event)
    text = _failure(error, lang)
    status = 500 if isinstance(error, Halt) else 503
    kind, body = "text/plain; charset=utf-8", text
    if str(event.get("rawPath", "")).startswith("/api/"):
        kind, body = "application/json", json.dumps({"error": str(error), "message": text})
    return {"statusCode": status, "headers": {**pages.HEADERS, "Content-Type": kind}, "body": body}


def _failure(error: KartotekaError, lang: str) -> str:
    name = "halted" if isinstance(error, Halt) else "unavailable"
    return texts.say(name, lang, code=cause_of(str(error), lang))


# --- for programs


@app.get("/api/overview")
def api_overview() -> Response[str]:
    """Answer where it stands."""
    return _json(overview.overview(_desk(), lists.asked_for(_query(), 20, overview.MOST).limit))


@app.get("/api/pauses")
def api_pauses() -> Response[str]:
    """Answer what is paused, and why."""
    return _json(overview.pauses(_desk()))


@app.get("/api/ownership")
def api_ownership() -> Response[str]:
    """Answer whose the exchange database is."""
    return _json(owning.told(_desk()))


@app.get("/api/work")
def api_work() -> Response[str]:
    """Answer how much is under way, and what was done ``since`` a moment."""
    return _json(tick.work(_desk(), actions.moment(_query().get("since", "")) or _desk().now()))


@app.get("/api/clients/<client_id>")
def api_client(client_id: str) -> Response[str]:
    """Answer everything of one client."""
    return _json(client.client(_desk(), client_id, fresh=bool(_query().get("fresh"))))


@app.get("/api/clients/<client_id>/forget")
def api_forget(client_id: str) -> Response[str]:
    """Answer what would be erased of a client, and what others keep."""
    return _json(forget.preview(_desk(), client_id))


@app.get("/api/conflicts")
def api_conflicts() -> Response[str]:
    """Answer conflicts, closed ones too where ``all`` is asked for."""
    return _json(lists.conflicts(_desk(), lists.asked_for(_query()), closed_too=bool(_query().get("all"))))


@app.get("/api/plan/rows")
def api_plan_rows() -> Response[str]:
    """Answer rows of the plan behind an id (``start``), without the figures of all; ``ended``: also what is over."""
    given, asked = _query(), lists.asked_for(_query(), lists.MOST)
    chosen = Chosen(asked.concern, asked.client_id, ended=bool(given.get("ended")))
    return _json(plans.page(_desk().exchange.plans, chosen, asked.start, max(1, asked.limit)))


@app.get("/api/<name>")
def api_list(name: str) -> Response[str]:
    """Answer a page of a list."""
    return _json(_listed(name))


@app.post("/api/<name>")
def api_action(name: str) -> Response[str]:
    """Carry out an action of one word, such as ``pause``."""
    return _json(actions.carry_out(_desk(), name, _given()))


@app.post("/api/<name>/<verb>")
def api_action_on(name: str, verb: str) -> Response[str]:
    """Carry out an action on something, such as ``conflicts/decide``."""
    return _json(actions.carry_out(_desk(), f"{name}/{verb}", _given()))


# --- for people


@app.get("/style.css")
def style() -> Response[str]:
    """Answer the style sheet."""
    return _asset("style.css", "text/css; charset=utf-8")


@app.get("/icon.svg")
def icon() -> Response[str]:
    """Answer the icon."""
    return _asset("icon.svg", "image/svg+xml")


def _asset(name: str, kind: str) -> Response[str]:
    return Response(200, kind, pages.asset(name), {**pages.HEADERS, "Cache-Control": "max-age=300"})


@app.get("/")
def page_overview() -> Response[str]:
    """Show where it stands."""
    found = overview.overview(_desk())
    return _page(
        "overview",
        found,
        pauses=when.dated(found["paused"], found["since"]),
        stopped=_spoken_of(found["ownership"]),
        found=found,
        lines=pages.by_concern(found),
        unseen=pages.unseen(found),
        written=pages.bars(
            pages.by_the_clock(found["activity"], _desk().policy.panel.time_zone), ("to_panel", "to_erp"), "hour"
        ),
        by_day=pages.bars(pages.by_day(found, _desk().now()), ("calls",), "day"),
    )


@app.get("/csv/<name>")
def spreadsheet_of(name: str) -> Response[str]:
    """Answer a list for a spreadsheet, from its beginning."""
    if name not in lists.COLUMNS:
        raise WrongRequest("no_such_page", 404)
    asked = lists.asked_for(_query(), lists.IN_A_FILE, lists.IN_A_FILE)
    body = spreadsheet.text(lists.COLUMNS[name], lists.LISTS[name](_desk(), asked)["rows"])
    headers = {**pages.HEADERS, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(200, "text/csv; charset=utf-8", body, headers)


@app.get("/clients/<client_id>")
def page_client(client_id: str) -> Response[str]:
    """Show one client."""
    found = client.client(_desk(), client_id, fresh=bool(_query().get("fresh")))
    return _page(
        "client",
        pauses=found["paused"],
        title=client_id,
        found=found,
        waiting=client.waiting(found),
        undoable=_undoable(found["history"]["rows"]),
    )


@app.get("/clients/<client_id>/forget")
def page_forget(client_id: str) -> Response[str]:
    """Show what would be erased of a client, and ask for its code."""
    found, names = forget.preview(_desk(), client_id), _desk().tables.names([client_id])
    return _page("forget", title=client_id, found=found, names=names, lines=forget.lines(found), choices=forget.CHOICES)


@app.get("/<name>")
def page_list(name: str) -> Response[str]:
    """Show a list."""
    found = _listed(name)
    more = {"undoable": _undoable(found["rows"])} if name == "history" else {}
    return _page(name, found=found, asked=lists.asked_for(_query()), **_around(name, found["rows"]), **more)


def _around(name: str, rows: Sequence[Row]) -> Data:
    """Return what stands beside the codes of a page of rows: one question to the database for all of them."""
    tables = _desk().tables
    if name == "clients":
        return {"states_of": tables.worst_states([row["id"] for row in rows])}
    if name == "incoming":
        return {"resembling": tables.resembling([row["panel_client_id"] for row in rows])}
    clients = {row["client_id"] for row in rows if row.get("client_id")}
    names = tables.names(clients)
    return {"names": names, "reasons": tables.reasons(clients)} if name == "excluded" else {"names": names}


def _undoable(rows: Sequence[Row]) -> frozenset[str]:
    """Return the runs that the page of these rows of the history offers to undo."""
    return undo.offered(_desk().exchange, rows, _desk().policy, now=_desk().now())


@app.post("/<name>")
def page_action(name: str) -> Response[str]:
    """Carry out an action of one word, and show the page it was sent from."""
    return _acted(name)


@app.post("/<name>/<verb>")
def page_action_on(name: str, verb: str) -> Response[str]:
    """Carry out an action on something, and show the page it was sent from."""
    return _acted(f"{name}/{verb}")


def _acted(name: str) -> Response[str]:
    given = _given()
    carried, wanted = (given.get("form") or [""])[0], _header(FORM)
    if not wanted or not hmac.compare_digest(carried.encode(), wanted.encode()):
        raise WrongRequest("forbidden", HTTPStatus.FORBIDDEN)
    if one := given.pop("one", None):  # the button of one row stands for its id and its word
        number, _, side = one[0].partition(":")
        given = {**given, "id": [number], "side": [side]}
    done = actions.carry_out(_desk(), name, given)
    back, asked = _local((given.get("back") or ["/"])[0])
    told = {"of": done.get("concern", ""), "word": done.get("decision", "")}
    where = pages.link(back, **{**asked, "did": name, "n": done["done"], **told})
    if name == UNDO:  # what would be undone is shown, to be approved
        told = {"left": done.get("left_alone", 0), "why": undo.spelled(done)}
        where = pages.link("/plan", did=name, n=done["done"], code=UNDO, **told)
    return Response(HTTPStatus.SEE_OTHER, "text/plain", "", {**pages.HEADERS, "Location": where})


def _local(path: str) -> tuple[str, Mapping[str, str]]:
    """Return a path of ours and what its list was asked for; the first page for anything else."""
    parts = urlsplit(path)
    if not path.startswith("/") or path.startswith("//") or "\\" in path or parts.netloc:
        return "/", {}
    asked = {name: value for name, value in parse_qsl(parts.query) if name in lists.FILTERS}
    return quote(parts.path, safe="/%"), asked


# --- what went wrong


@app.exception_handler(WrongRequest)  # type: ignore[untyped-decorator]
def wrong(error: WrongRequest) -> Response[str]:
    """Say what was asked for wrongly."""
    lang = _spoken(app.current_event.raw_event)
    text = texts.say(error.code, lang, **error.facts)
    return _told(error.status, error.code, text, error.facts)


@app.exception_handler(KartotekaError)  # type: ignore[untyped-decorator]
def failed(error: KartotekaError) -> Response[str]:
    """Say what stands in the way."""
    status = 500 if isinstance(error, Halt) else 503
    return _told(status, str(error), _failure(error, _spoken(app.current_event.raw_event)), {})


@app.not_found
def nowhere(_error: NotFoundError) -> Response[str]:
    """Say that there is no such page."""
    text = texts.say("no_such_page", _spoken(app.current_event.raw_event))
    return _told(404, "no_such_page", text, {})


def _told(status: int, code: str, text: str, facts: Mapping[str, str]) -> Response[str]:
    if app.current_event.path.startswith("/api/"):
        return _json({"error": code, "message": text, "facts": dict(facts)}, status)
    html = pages.page("problem", _desk(), _spoken(app.current_event.raw_event), "", text=text, **_frame("problem"))
    return Response(status, "text/html; charset=utf-8", html, dict(pages.HEADERS))


# --- the works


def _desk() -> Desk:
    found: Desk = app.context["desk"]
    return found


def _listed(name: str) -> Data:
    found = lists.LISTS.get(name)
    if found is None:
        raise WrongRequest("no_such_page", 404)
    return found(_desk(), lists.asked_for(_query()))


def _query() -> Mapping[str, str]:
    return app.current_event.query_string_parameters or {}


def _header(name: str) -> str:
    return str(app.current_event.headers.get(name) or "")


def _given() -> dict[str, list[str]]:
    """Return what was posted, by name: a form, or one JSON object of texts, numbers and lists of these."""
    body = app.current_event.decoded_body or ""
    if not _header("content-type").startswith("application/json"):
        return parse_qs(body)
    try:
        found = json.loads(body or "{}")
    except ValueError:
        raise WrongRequest("lacks", name="JSON") from None
    if not isinstance(found, dict):
        raise WrongRequest("lacks", name="JSON")
    given = {str(name): value if isinstance(value, list) else [value] for name, value in found.items()}
    return {name: [str(v) for v in values] for name, values in given.items() if values not in ([None], [False])}


def _json(data: Any, status: int = 200) -> Response[str]:
    return Response(status, "application/json", json.dumps(plain(data)), dict(pages.HEADERS))


def _page(name: str, waiting: Data | None = None, /, **data: Any) -> Response[str]:
    """Show a page; ``waiting``: what waits for a person, where that was asked already, as in ``data`` what is paused.

    And ``stopped``: what stops everything, whatever else stands on a page: the database is another installation's.
    """
    lang, desk = _spoken(app.current_event.raw_event), _desk()
    data["badges"] = pages.badges(waiting or overview.waiting(desk))
    if "pauses" not in data:
        data["pauses"] = when.paused(desk)
    if "stopped" not in data:
        data["stopped"] = _spoken_of(owning.told(desk))
    html = pages.page(name, desk, lang, _header(FORM), **{**_frame(name), **data})
    return Response(200, "text/html; charset=utf-8", html, {**pages.HEADERS, "Content-Language": lang})


def _frame(name: str) -> Data:
    """Return what every page shows around its own matter, as far as the database is not asked: one may have failed."""
    query = _query()
    at = pages.link(app.current_event.path, **{name: query.get(name) for name in lists.FILTERS})
    did = query.get("did", "")
    said = f"did.{did}" if f"did.{did}" in texts.TEXTS else ""
    return {
        "here": name,
        "stopped": "",
        "title": "",
        "at": at,
        "query": dict(query),
        "said": said,
        "badges": {},
        "n": query.get("n", "0"),
        "of": query.get("of", ""),
        "said_word": query.get("word", ""),
        "pauses": {},
        "left": query.get("left", "0"),
        "refusals": undo.read(query.get("why", ""), _spoken(app.current_event.raw_event)),
    }


def _spoken_of(cause: Data) -> str:
    """Return the message of a cause in the language of who asks."""
    return str(cause[f"message_{_spoken(app.current_event.raw_event)}"])


def _spoken(event: Mapping[str, Any]) -> str:
    headers = {str(k).lower(): str(v) for k, v in (event.get("headers") or {}).items()}
    return texts.chosen(headers.get("accept-language", ""))
