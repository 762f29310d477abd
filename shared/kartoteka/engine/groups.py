"""Discount groups: each row of ``discount_groups`` has its group in the panel, with the row's name and prices.

A group is known by the number that was written down when it was made, or taken over; by its name only once: at first
contact, where exactly one group of the panel has exactly this name and is no other row's. The panel gives no reference
back, so before a group is made those that have its name already are written down: where the reply is lost, the one of
this name that is not among them is it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kartoteka.core import messages, normal
from kartoteka.core.concerns import DISCOUNTS, GROUPS
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.model import (
    Announcement,
    Direction,
    Intent,
    Reason,
    Settlement,
    Snapshot,
    State,
    Status,
    Written,
)
from kartoteka.engine import price_lists
from kartoteka.engine.acts import Report, nothing_new
from kartoteka.engine.base import Counts, Engine, delayed, refused

CONCERN = DISCOUNTS.name
PAGE = 100
MOST_PAGES = 100
"""Pages of groups beyond which the panel has plainly ignored the paging."""


@dataclass(slots=True)
class _Panel:
    """The panel's groups, number -> name, and those numbers that belong to a row."""

    names: dict[str, str]
    owned: set[str]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a group: its number in the panel, if it has one, and what is to be stored of it.

    ``fresh``: the number is new to us, so its customers are to be put into it.
    """

    number: str = ""
    settlement: Settlement | None = None
    fresh: bool = False
    halts: tuple[str, ...] = field(default_factory=tuple)


def reconcile_groups(engine: Engine, keys: Sequence[str]) -> Report:
    """Bring these groups and their prices into step."""
    if not engine.carries(CONCERN):
        return Report()
    report, budget = Report(), price_lists.budget(engine)
    for snapshot, outcome in _numbered(engine, engine.exchange.groups(keys)):
        report += Report(Counts(reconciled=1), outcome.halts)
        if outcome.number and outcome.settlement:
            report += price_lists.send(engine, snapshot, outcome.number, outcome.settlement, budget)
        elif outcome.settlement:
            report += _store(engine, snapshot, outcome.settlement)
    return report


def _numbered(engine: Engine, snapshots: Sequence[Snapshot]) -> list[tuple[Snapshot, _Outcome]]:
    """Give each row its group, one by one: what was found or made for one is nobody else's.

    One worker at a time does this: all groups travel in one message group, and in one chunk after the other.
    """
    if not snapshots:
        return []
    try:
        asked = any(s.row is not None or s.panel_item_id or s.intent for s in snapshots)
        panel = _Panel(_all(engine) if asked else {}, set(engine.exchange.group_numbers().values()))
    except (Retry, Halt) as error:
        return [(s, _put_off(engine, s, error)) for s in snapshots]
    found: list[tuple[Snapshot, _Outcome]] = []
    for n, snapshot in enumerate(snapshots):
        if not engine.time_left():
            engine.queue.send(GROUPS.name, [s.item_id for s in snapshots[n:]])
            break
        try:
            outcome = _one(engine, snapshot, panel)
        except Reject as reject:
            status, parked = refused(engine, snapshot, reject)
            known = snapshot.panel_item_id if snapshot.panel_item_id in panel.names else ""  # its prices go on
            own = _own(snapshot, status, parked=parked, keep_intent=snapshot.intent is not None)
            outcome = _Outcome(known, own)
        except (Retry, Halt) as error:
            outcome = _put_off(engine, snapshot, error)
        if outcome.fresh and outcome.settlement:
            _wake_members(engine, snapshot.item_id)
            _store(engine, snapshot, outcome.settlement)
            panel.owned.add(outcome.number)
            outcome = replace(outcome, settlement=replace(outcome.settlement, status=messages.IN_STEP, written=()))
        found.append((snapshot, outcome))
    return found


def _put_off(engine: Engine, snapshot: Snapshot, error: Retry | Halt) -> _Outcome:
    halts = (str(error),) if isinstance(error, Halt) else ()
    return _Outcome(settlement=delayed(engine, snapshot, CONCERN, error), halts=halts)


def _all(engine: Engine) -> dict[str, str]:
    names: dict[str, str] = {}
    for page in range(MOST_PAGES):
        groups, pages = engine.panel.groups(page, PAGE)
        names |= {group.number: group.name for group in groups}
        if page + 1 >= pages or not groups:
            return names
    raise Halt("panel_query", "the panel seems to ignore the paging of discounts/groups: does it speak Admin API v8?")


def _one(engine: Engine, snapshot: Snapshot, panel: _Panel) -> _Outcome:
    """Treat one group; first of all, one that an unanswered call has made is its own, whatever its row says by now.

    That is written down before anything else is done to it: a rename whose reply is lost would hide it for good.
    """
    if not (made := _made_before(snapshot, panel)) or snapshot.intent is None:
        return _judged(engine, snapshot, panel)
    known = replace(snapshot, panel_item_id=made, agreed=snapshot.intent.values)
    found = replace(
        _own(snapshot, messages.sending_prices()),
        agreed=known.agreed,
        panel_item_id=made,
        written=snapshot.intent.written,
    )
    _wake_members(engine, snapshot.item_id)
    engine.exchange.settle([found], run_id=engine.run_id, at=engine.now())
    panel.owned.add(made)
    return _judged(engine, known, panel)


def _wake_members(engine: Engine, group_id: str) -> None:
    """Let the customers of a group be put into it, before its number is stored: nothing else would tell of them."""
    if members := engine.exchange.group_members([group_id]):
        engine.queue.send(CONCERN, members)


def _made_before(snapshot: Snapshot, panel: _Panel) -> str:
    """Return the number of the group that a lost call made: it has the intended name, and was not there before."""
    if snapshot.intent is None or not snapshot.intent.creating:
        return ""
    before = frozenset(snapshot.intent.login.split(","))
    free = (n for n in _named(panel, str(snapshot.intent.values["name"])) if n not in panel.owned)
    return next((n for n in free if n not in before), "")


def _named(panel: _Panel, name: str) -> list[str]:
    """Return the groups of this name, whatever the panel makes of its blanks, in the order of their numbers."""
    wanted = normal.text(name, {})
    return sorted((n for n, shown in panel.names.items() if normal.text(shown, {}) == wanted), key=_as_number)


def _judged(engine: Engine, snapshot: Snapshot, panel: _Panel) -> _Outcome:
    if snapshot.row is None:
        return _without_row(engine, snapshot, panel.names)
    name = str(snapshot.row.get("name") or "").strip()
    number = snapshot.panel_item_id
    if number in panel.names:
        return _kept(engine, snapshot, number, panel.names[number], name)
    if not name:
        return _Outcome(settlement=_own(snapshot, messages.incomplete("discount_groups", ["name"])))
    if number:
        engine.exchange.forget_prices(snapshot.item_id)  # somebody deleted the group in the panel
    elif len(adopted := _free(panel, name)) == 1:
        return _taken(snapshot, adopted[0], name, ())
    return _made(engine, snapshot, panel, name)


def _free(panel: _Panel, name: str) -> list[str]:
    """Return the groups of exactly this name that are no row's own, in the order in which they were made."""
    return sorted((n for n, shown in panel.names.items() if shown == name and n not in panel.owned), key=_as_number)


def _as_number(number: str) -> tuple[int, str]:
    return len(number), number


def _taken(snapshot: Snapshot, number: str, name: str, written: tuple[Written, ...]) -> _Outcome:
    settlement = replace(_own(snapshot, messages.sending_prices(), name=name), panel_item_id=number, written=written)
    return _Outcome(number, settlement, fresh=True)


def _made(engine: Engine, snapshot: Snapshot, panel: _Panel, name: str) -> _Outcome:
    written = (Written("name", Direction.ERP_TO_PANEL, Reason.CREATE, None, name),)
    intent = Intent(written, creating=True, login=",".join(_named(panel, name)))
    news = Announcement(snapshot.client_id, CONCERN, intent, item_id=snapshot.item_id)
    engine.exchange.announce([news], run_id=engine.run_id, at=engine.now())
    number = engine.panel.create_group(name)
    panel.names[number] = name
    return _taken(snapshot, number, name, written)


def _kept(engine: Engine, snapshot: Snapshot, number: str, shown: str, name: str) -> _Outcome:
    """Rename a group that is known where its name differs."""
    agreed = str((snapshot.agreed or {}).get("name") or "")
    if not name or normal.text(shown, {}) == normal.text(name, {}):
        return _Outcome(number, replace(_own(snapshot, messages.IN_STEP, name=name or agreed), panel_item_id=number))
    engine.panel.rename_group(number, name)
    reason = Reason.EDIT if name != agreed else Reason.DRIFT
    written = (Written("name", Direction.ERP_TO_PANEL, reason, shown, name),)
    return _Outcome(number, replace(_own(snapshot, messages.IN_STEP, name=name), panel_item_id=number, written=written))


def _without_row(engine: Engine, snapshot: Snapshot, names: Mapping[str, str]) -> _Outcome:
    """Treat a group without a row: never made, left alone, or deleted once nobody is in it."""
    number = snapshot.panel_item_id
    if not number:
        has_items = bool(engine.exchange.group_items(snapshot.item_id, None, 1))
        return _Outcome(settlement=_own(snapshot, messages.no_group()) if has_items else _forgotten(snapshot))
    if number not in names:
        return _gone(engine, snapshot)
    if engine.policy.discounts.deletes == "ignore":
        kept = replace(_own(snapshot, messages.group_left()), agreed=snapshot.agreed, panel_item_id=number)
        return _Outcome(number, kept)
    if members := engine.panel.group_clients(number):
        waiting = delayed(engine, snapshot, CONCERN, Retry("group_in_use"))
        told = replace(waiting, status=messages.group_in_use(len(members)), keep_intent=False)
        return _Outcome(number, replace(told, agreed=snapshot.agreed, panel_item_id=number))
    engine.panel.delete_group(number)
    return _gone(engine, snapshot)


def _gone(engine: Engine, snapshot: Snapshot) -> _Outcome:
    engine.exchange.forget_prices(snapshot.item_id)
    name = (snapshot.agreed or {}).get("name")
    written = (Written("name", Direction.ERP_TO_PANEL, Reason.EDIT, name, None),)
    return _Outcome(settlement=replace(_forgotten(snapshot), written=written))


def _forgotten(snapshot: Snapshot) -> Settlement:
    return Settlement(snapshot.client_id, CONCERN, None, item_id=snapshot.item_id, forget=True)


def _own(snapshot: Snapshot, status: Status, *, name: str | None = None, **more: object) -> Settlement:
    agreed = None if name is None else {"name": name}
    return Settlement(snapshot.client_id, CONCERN, status, item_id=snapshot.item_id, agreed=agreed, **more)  # type: ignore[arg-type]


def _store(engine: Engine, snapshot: Snapshot, settlement: Settlement) -> Report:
    if not nothing_new(settlement, snapshot):
        engine.exchange.settle([settlement], run_id=engine.run_id, at=engine.now())
    written = bool(settlement.written)
    held = settlement.status is not None and settlement.status.state is State.HELD
    return Report(Counts(written_to_panel=int(written), held=int(held)))
