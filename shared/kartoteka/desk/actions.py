"""What a person decides. Each action writes one word where the exchange database has a place for it.

An action takes what was given by name, each a list of texts, and returns how many rows it was ``done`` to. A request
that says ``once`` is carried out once: the same one again, of a repeated invoke or a page that was sent twice, is
answered and does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from kartoteka.desk import forget, overview, owning, plans, redrive, resync, tick, undo
from kartoteka.desk.desk import Data, Desk, WrongRequest
from kartoteka.fields.table import CONCERNS
from kartoteka.model import Decision, MatchDecision, Side
from kartoteka.ports.desk import Asked
from kartoteka.ports.exchange import Chosen, Renamed, Which
from kartoteka.sentences import some_of
from kartoteka.sync.feed import PAUSED_AS
from kartoteka.sync.planned import APPROVE, REJECT
from kartoteka.sync.retry import BRAKE

Given = Mapping[str, Sequence[str]]

REMEMBERED = 200
"""Requests whose ``once`` is known; a repeated invoke comes within minutes."""
NAMED = 5
"""Unknown numbers that a message names."""
MEMORY = "desk"
"""The name of that document in the state."""


def carry_out(desk: Desk, name: str, given: Given) -> Data:
    """Carry out an action, unless this very request was carried out before. Raises WrongRequest."""
    action = ACTIONS.get(name)
    if action is None:
        raise WrongRequest("no_such_page", 404)
    once = _one(given, "once", "")
    if once and (before := _before(desk, once)) is not None:
        return {"action": name, "done": before, "again": True}
    done = action(desk, given)
    if once:
        _remember(desk, once, int(done["done"]))
    return {"action": name, **done}


def decide_conflicts(desk: Desk, given: Given) -> Data:
    """Settle open conflicts (``id``, one or many): the value of this ``side`` goes to the other one."""
    side = _word(given, "side", [str(side) for side in Side])
    ids = _numbers(given, "id")
    done = desk.tables.decide_conflicts(ids, side, by=desk.by, at=desk.now())
    if not done and len(ids) == 1:
        known = desk.tables.conflict(ids[0])
        raise WrongRequest("conflict_closed" if known else "no_conflict", 409 if known else 404, id=str(ids[0]))
    if not done:
        raise WrongRequest("nothing_chosen", 409)
    one = desk.tables.conflict(ids[0]) if len(ids) == 1 else None
    return {"done": done, "ids": ids, "decision": side, **({"conflict": one, "concern": one["concern"]} if one else {})}


def link_question(desk: Desk, given: Given) -> Data:
    """Link a client to one of the accounts that it may be."""
    client, account = _one(given, "client_id"), _one(given, "panel_client_id")
    return _answered(desk.tables.decide_match(client, account, MatchDecision.LINK, by=desk.by), client)


def create_question(desk: Desk, given: Given) -> Data:
    """Open a new account for a client, whatever accounts it may be."""
    client = _one(given, "client_id")
    return _answered(desk.tables.decide_match(client, "", MatchDecision.CREATE, by=desk.by), client)


def _answered(done: int, client: str) -> Data:
    if not done:
        raise WrongRequest("no_question", 404, id=client)
    return {"done": done, "client_id": client, "concern": "accounts"}


def decide_held(desk: Desk, given: Given) -> Data:
    """Say a ``word`` about records: ``retry``, ``done`` or ``send``.

    ``record`` names each as ``client|group|concern|item``; or ``client_id`` (``group_id``) with ``concern`` and
    ``item_id`` names all of an owner that wait.
    """
    word = _word(given, "word", [str(word) for word in Decision])
    done, concerns = 0, {_one(given, "concern", "")}
    for record in given.get("record", ()):
        client, group, concern, item = (record.split("|", 3) + [""] * 3)[:4]
        done += _say(desk, word, Asked(concern, client, group), item)
        concerns.add(concern)
    if "record" not in given:
        asked = Asked(_one(given, "concern", ""), _one(given, "client_id", ""), _one(given, "group_id", ""))
        done = _say(desk, word, asked, _one(given, "item_id", "") if given.get("item_id") else None)
    if not done:
        raise WrongRequest("nothing_waits", 404)
    known = concerns - {""}
    return {"done": done, "decision": word, "concern": known.pop() if len(known) == 1 else ""}


def _say(desk: Desk, word: str, asked: Asked, item: str | None) -> int:
    if not asked.client_id and not asked.group_id:
        raise WrongRequest("lacks", name="client_id")
    return desk.tables.decide_status(word, asked, by=desk.by, item_id=item)


def link_incoming(desk: Desk, given: Given) -> Data:
    """Say which client a customer of the shop is."""
    account, client = _one(given, "panel_client_id"), _one(given, "client_id")
    if client not in desk.tables.clients([client]):
        raise WrongRequest("no_client", 404, id=client)
    done = desk.tables.answer_incoming(account, client)
    if not done:
        raise WrongRequest("no_incoming", 404, id=account)
    return {"done": done, "panel_client_id": account, "client_id": client}


def approve(desk: Desk, given: Given) -> Data:
    """Approve planned records: those of these rows (``id``), or all (``all``) of a ``concern``, up to ``as_of``.

    Of all, a ``client_id`` and an ``action`` choose some. ``undo``: of those that an undo has planned.
    """
    return _decide_plan(desk, given, APPROVE)


def reject(desk: Desk, given: Given) -> Data:
    """Reject planned records, named in the same way."""
    return _decide_plan(desk, given, REJECT)


def _decide_plan(desk: Desk, given: Given, word: str) -> Data:
    ids = [] if _one(given, "all", "") else _numbers(given, "id")
    as_of, only_undo = moment(_one(given, "as_of", "")), True if _one(given, "undo", "") else None
    concern, client_id, action = (_one(given, name, "") for name in ("concern", "client_id", "action"))
    chosen = Chosen(concern, client_id, ids=ids, as_of=as_of, undo=only_undo, action=action)
    found = plans.decide(desk.exchange.plans, chosen, word, desk.by)
    if found["missing"]:
        raise WrongRequest("nothing_planned", 404, id=some_of([str(each) for each in found["missing"]], NAMED))
    return {"done": found["decided"], "decision": word}


def undo_written(desk: Desk, given: Given) -> Data:
    """Plan the undo of what a run (``run_id``) has written, or a span of time (``since``, ``until``).

    Of a ``concern``, of a ``client_id``; ``yes``: approved at once. Raises WrongRequest for a run that never was.
    """
    run, since, until = (_one(given, name, "") for name in ("run_id", "since", "until"))
    if bool(run) == bool(since) or (until and not since):
        raise WrongRequest("run_or_span")
    concern = _word(given, "concern", [*CONCERNS]) if _one(given, "concern", "") else ""
    span = moment(since), moment(until)
    if span[0] and span[1] and span[0] >= span[1]:
        raise WrongRequest("run_or_span")
    if run and not undo.is_known(desk.exchange, run):
        raise WrongRequest("no_run", 404, id=run)
    which = Which(run, *span, concern=concern, client_id=_one(given, "client_id", ""))
    yes = bool(_one(given, "yes", ""))
    return undo.plan(desk.exchange, which, desk.policy, now=desk.now(), by=desk.by, yes=yes)


def moment(text: str) -> datetime | None:
    """Return the moment that a text says, None for no text. Raises WrongRequest."""
    try:
        return plans.moment(text) if text else None
    except ValueError:
        raise WrongRequest("bad_moment", text=text) from None


def exclude(desk: Desk, given: Given) -> Data:
    """Leave a client alone in a ``concern``, for a ``reason``, until ``include``."""
    client, concern = _one(given, "client_id"), _word(given, "concern", [*CONCERNS])
    if client not in desk.tables.clients([client]):
        raise WrongRequest("no_client", 404, id=client)
    desk.tables.exclude(client, concern, _one(given, "reason", ""))
    return {"done": 1, "client_id": client, "concern": concern}


def include(desk: Desk, given: Given) -> Data:
    """Look after a client in a ``concern`` again. ``record`` names both as in a list: ``client|group|concern|item``."""
    if record := _one(given, "record", ""):
        client, _group, concern = (record.split("|", 3) + [""] * 2)[:3]
        given = {**given, "client_id": [client], "concern": [concern]}
    client, concern = _one(given, "client_id"), _word(given, "concern", [*CONCERNS])
    done = desk.tables.include(client, concern)
    if not done:
        raise WrongRequest("no_exclusion", 404, id=client, name=concern)
    return {"done": done, "client_id": client, "concern": concern}


def rename(desk: Desk, given: Given) -> Data:
    """Give all that is kept of a client (``client_id``) to its new code (``new_id``), and its account the code."""
    client, new = _one(given, "client_id"), _one(given, "new_id")
    found = desk.exchange.records.rename(client, new)
    if found is not Renamed.DONE:
        status = {Renamed.UNKNOWN: 404, Renamed.OPENING: 423}.get(found, 409)
        raise WrongRequest(str(found), status, id=client, name=new)
    return {"done": 1, "client_id": client, "new_id": new}


def pause(desk: Desk, given: Given) -> Data:
    """Stop a concern until ``resume``. One that the brake has stopped stays the brake's."""
    concern, reason = _word(given, "concern", [*CONCERNS, PAUSED_AS]), _one(given, "reason", "operator")
    if reason.strip().casefold() == BRAKE:
        raise WrongRequest("brakes_word")
    if desk.exchange.pauses.paused().get(concern) == BRAKE:
        raise WrongRequest("braked_already", 409, id=concern)
    desk.exchange.pauses.pause(concern, reason, at=desk.now())
    return {"done": 1, "concern": concern, "reason": reason}


def resume(desk: Desk, given: Given) -> Data:
    """Let a concern go on; what the brake has stopped only with ``confirm``."""
    concern = _word(given, "concern", [*CONCERNS, PAUSED_AS])
    reason = desk.exchange.pauses.paused().get(concern)
    if reason == BRAKE and not _one(given, "confirm", ""):
        raise WrongRequest(
            "confirm", 409, id=concern, **{k: str(v) for k, v in overview.stopped(desk, concern).items()}
        )
    desk.exchange.pauses.resume(concern, released_at=desk.now() if reason == BRAKE else None)
    return {"done": int(reason is not None), "concern": concern, "was_paused": reason is not None, "reason": reason}


def compare_again(desk: Desk, given: Given) -> Data:
    """Compare clients (``client_id``) and discount groups (``group_id``) again, or all that a ``concern`` has.

    Where the answer has a ``next``, the same request with it as ``start`` goes on.
    """
    clients, groups = (list(dict.fromkeys(filter(None, given.get(name, ())))) for name in ("client_id", "group_id"))
    wanted = resync.Wanted(_word(given, "concern", [*CONCERNS]), clients, groups)
    found = resync.send(desk, wanted, _one(given, "start", ""))
    if len(clients) == 1 and found.get("skipped"):
        raise WrongRequest("no_account", 409, id=clients[0])
    return found


def bring_back(desk: Desk, given: Given) -> Data:
    """Bring a ``concern``'s dead letters back to its queue, as many as one request can, or up to ``most``."""
    most = _numbers(given, "most") if "most" in given else [redrive.AT_ONCE]
    return redrive.bring_back(desk, _word(given, "concern", [*CONCERNS]), most[0])


def synchronise(desk: Desk, given: Given) -> Data:
    """Wake the functions that synchronise, or those named (``function``); ``later``: without their answers."""
    wanted = list(filter(None, given.get("function", ())))
    for name in wanted:
        _word({"function": [name]}, "function", [PAUSED_AS, *CONCERNS])
    return tick.fire(desk, wanted, wait=not _one(given, "later", ""))


def take_over(desk: Desk, given: Given) -> Data:
    """Make the exchange database this installation's own (``confirm``: though it is another one's)."""
    return owning.take_over(desk, confirmed=bool(_one(given, "confirm", "")))


def forget_client(desk: Desk, given: Given) -> Data:
    """Erase a client (``confirm``: its code once more); ``account``: what becomes of the panel's account."""
    client = _one(given, "client_id")
    if _one(given, "confirm", "") != client:
        raise WrongRequest("not_confirmed", id=client)
    account = _word(given, "account", forget.CHOICES) if given.get("account") else forget.KEEP
    return forget.carry_out(desk, client, account)


def allow_client(desk: Desk, given: Given) -> Data:
    """Let a client that was erased be synchronised again."""
    return forget.allow(desk, _one(given, "client_id"))


ACTIONS: Mapping[str, Callable[[Desk, Given], Data]] = {
    "conflicts/decide": decide_conflicts,
    "questions/link": link_question,
    "questions/create": create_question,
    "held/decide": decide_held,
    "incoming/link": link_incoming,
    "plan/approve": approve,
    "plan/reject": reject,
    "undo": undo_written,
    "exclude": exclude,
    "include": include,
    "rename": rename,
    "pause": pause,
    "resume": resume,
    "resync": compare_again,
    "redrive": bring_back,
    "tick": synchronise,
    "takeover": take_over,
    "forget": forget_client,
    "forget/allow": allow_client,
}
"""Name in an address -> the action."""


# --- what was given


def _one(given: Given, name: str, default: str | None = None) -> str:
    found = next((each.strip() for each in given.get(name, ()) if each.strip()), default)
    if found is None:
        raise WrongRequest("lacks", name=name)
    return found


def _word(given: Given, name: str, words: Sequence[str]) -> str:
    found = _one(given, name)
    if found not in words:
        raise WrongRequest("no_word", name=name, words=", ".join(words))
    return found


def _numbers(given: Given, name: str) -> list[int]:
    try:
        found = sorted({int(each) for each in given.get(name, ())})
    except ValueError:
        raise WrongRequest("bad_figure") from None
    if not found:
        raise WrongRequest("nothing_chosen")
    return found


# --- once


def _before(desk: Desk, once: str) -> int | None:
    """Return how many rows this request was done to, None where it is new."""
    document = desk.state.load(MEMORY).document if desk.state else None
    return next((done for each, done in (document or {}).get("done", ()) if each == once), None)


def _remember(desk: Desk, once: str, done: int) -> None:
    """Note that a request was carried out. Where two are noted at a time, one is not: what it wrote says the same."""
    if desk.state is None:
        return
    stored = desk.state.load(MEMORY)
    before = list((stored.document or {}).get("done", ()))[-REMEMBERED:]
    desk.state.save(MEMORY, {"done": [*before, [once, done]]}, version=stored.version)
