"""Faults to plant into the production code, one at a time: what a simulation that is worth something must find.

Each is a context manager. ``NAIVE`` takes away what a naive script would not have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from kartoteka import entry
from kartoteka.concerns.accounts.concern import Accounts
from kartoteka.errors import Retry
from kartoteka.model import Change, Record
from kartoteka.ports.queue import read
from kartoteka.ports.state import Stored
from kartoteka.sync import collect, merge, ownership, reconcile, retry
from kartoteka.sync.concern import Concern
from kartoteka.sync.cursor import LogCursor
from kartoteka.sync.plan import Plan
from kartoteka.sync.taken import Verdict
from kartoteka.sync.window import Paging
from tests.fakes import exchange as fake_exchange
from tests.fakes.exchange import FakePrices, FakeRecords
from tests.fakes.state import FakeState
from tests.simulation.processes import current
from tests.simulation.sqs import Sqs

Plant = Callable[[], AbstractContextManager[Any]]
"""Begins the fault; it lasts until the context ends."""


def _without_gaps() -> AbstractContextManager[Any]:
    return patch.object(LogCursor, "spans", lambda _self: [])


def _without_look_up() -> AbstractContextManager[Any]:
    """Neither the panel nor the account index is asked for the client's code before an account is opened."""
    return patch.object(Accounts, "_find", lambda *_: ({}, {}))


def _loaded(change: Callable[[Record], Record]) -> AbstractContextManager[Any]:
    load = Concern.load
    return patch.object(Concern, "load", lambda self, owners: [change(record) for record in load(self, owners)])


def _without_base() -> AbstractContextManager[Any]:
    return _loaded(lambda record: replace(record, state=replace(record.state, base=None)))


def _without_intent() -> AbstractContextManager[Any]:
    announced = Plan.announced

    def silent(self: Plan) -> Change:
        change = announced(self)
        return replace(change, after=replace(change.after, intent=self.record.state.intent))

    return patch.object(Plan, "announced", silent)


def _without_one_worker() -> AbstractContextManager[Any]:
    """Any stack may write, and the messages of a group come to several workers at once."""
    stack = ExitStack()
    stack.enter_context(patch.object(ownership, "begin", lambda _run: None))
    stack.enter_context(patch.object(fake_exchange._Port, "_own", property(lambda self: self._db)))
    receive = Sqs.receive

    def unlocked(self: Sqs, *args: Any, **more: Any) -> Any:
        self.groups_lock = False
        return receive(self, *args, **more)

    stack.enter_context(patch.object(Sqs, "receive", unlocked))
    return stack


def _without_echo_stop() -> AbstractContextManager[Any]:
    """What the panel shows of our own write counts as somebody's edit."""
    verdict = merge._verdict

    def edited(*args: Any) -> Verdict | None:
        return Verdict.EDITED if verdict(*args) is not None else None

    return patch.object(merge, "_verdict", edited)


NAIVE: dict[str, Plant] = {
    "gaps": _without_gaps,
    "look-up before create": _without_look_up,
    "base": _without_base,
    "intent": _without_intent,
    "one worker": _without_one_worker,
    "echo stop": _without_echo_stop,
}


def _cursor_before_the_work() -> AbstractContextManager[Any]:
    """The cursor is saved before the queue has the keys."""

    def advance(run: Any, source: Any) -> Any:
        counts, place = collect.Counts(), collect._Place.of(run, source)
        while True:
            try:
                found = source.find(place.document)
            except Retry as error:
                found = collect.Found(failure=error)
            kept = place.move(run, found)
            for concern, owners in found.keys.items():
                if owners:
                    passes = dict.fromkeys(owners, source.found_by) | dict(found.found_by)
                    run.queue.send(concern, list(owners), passes)
                    counts.collected += len(owners)
            if found.sent:
                found.sent()
            if found.failure is not None:
                raise found.failure
            if not (kept and found.more):
                return counts

    return patch.object(entry, "advance", advance)


def _intent_forgotten() -> AbstractContextManager[Any]:
    """An intent is cleared before what became of its call is known."""
    return _loaded(lambda record: replace(record, state=replace(record.state, intent=None)))


def _no_conflict_rows() -> AbstractContextManager[Any]:
    save = FakeRecords.save

    def without(self: FakeRecords, changes: Sequence[Change], **more: Any) -> Any:
        return save(self, [replace(change, conflicts=()) for change in changes], **more)

    return patch.object(FakeRecords, "save", without)


def _first_page_only() -> AbstractContextManager[Any]:
    after = Paging.after
    return patch.object(Paging, "after", lambda self, total, pages: replace(after(self, total, pages), ended=True))


def _failed_messages_dropped() -> AbstractContextManager[Any]:
    """What could not be worked is answered as done."""
    return patch.object(entry, "_failures", lambda *_: {"batchItemFailures": []})


def _last_writer_wins() -> AbstractContextManager[Any]:
    def save(self: FakeState, name: str, document: Any, *, version: int) -> bool:
        self._maybe_fail()
        self.documents[name] = Stored(dict(document), version + 1)
        return True

    return patch.object(FakeState, "save", save)


def _empty_price_list() -> AbstractContextManager[Any]:
    """The worker reads a price list as empty."""
    items = FakePrices.items
    return patch.object(FakePrices, "items", lambda self, *args: [] if current() else items(self, *args))


def _deferrals_lost() -> AbstractContextManager[Any]:
    deferred = retry.deferred

    def lost(*args: Any, **more: Any) -> Change:
        change = deferred(*args, **more)
        return replace(change, after=replace(change.after, deferral=None))

    return patch.object(retry, "deferred", lost)


def _erp_overwritten() -> AbstractContextManager[Any]:
    """The ERP's row is written whatever it holds by now."""
    write_row = fake_exchange._write_row

    def blind(db: Any, change: Change) -> str | None:
        table, row_id = fake_exchange._row_of(change.record.key)
        row = db.tables[table].get(row_id)
        if row is not None and change.row is not None and change.row.edits:
            edits = {name: replace(edit, seen=row[name]) for name, edit in change.row.edits.items()}
            change = replace(change, row=replace(change.row, edits=edits))
        return write_row(db, change)

    return patch.object(fake_exchange, "_write_row", blind)


def _pauses_ignored() -> AbstractContextManager[Any]:
    return patch.object(entry, "_paused", lambda *_: None)


def _personal_data_logged() -> AbstractContextManager[Any]:
    once = reconcile._once

    def told(concern: Any, owners: Any) -> Any:
        for record in concern.load(owners):
            collect.logger.warning("working %s", dict(record.erp or {}))
        return once(concern, owners)

    return patch.object(reconcile, "_once", told)


def _key_dropped_from_batch() -> AbstractContextManager[Any]:
    """Of a message with several keys the last one is lost on the way."""

    def short(body: str, concern: str) -> Any:
        message = read(body, concern)
        if message and len(message.clients) > 1:
            message.clients.pop()
        return message

    return patch.object(entry, "read", short)


def _base_before_the_answer() -> AbstractContextManager[Any]:
    """What is about to be sent counts as agreed before the panel has answered."""
    announced = Plan.announced

    def early(self: Plan) -> Change:
        change = announced(self)
        settled = self.whole.after.base
        return replace(change, after=replace(change.after, base=settled, intent=None))

    return patch.object(Plan, "announced", early)


def _prices_never_doubted() -> AbstractContextManager[Any]:
    """A price is not noted as doubtful before it is sent."""
    return patch.object(FakePrices, "doubt", lambda *_: None)


OTHERS: dict[str, Plant] = {
    "cursor moved before the work is durable": _cursor_before_the_work,
    "intent cleared before it is settled": _intent_forgotten,
    "base stored before the answer": _base_before_the_answer,
    "conflict row not written": _no_conflict_rows,
    "second page skipped": _first_page_only,
    "failed message answered as done": _failed_messages_dropped,
    "key of a batch dropped": _key_dropped_from_batch,
    "price list read as empty": _empty_price_list,
    "price not doubted before it is sent": _prices_never_doubted,
    "deferral lost": _deferrals_lost,
    "ERP's row overwritten whatever it holds": _erp_overwritten,
    "pause ignored": _pauses_ignored,
    "personal data logged": _personal_data_logged,
}

HARMLESS: dict[str, Plant] = {"state written by last writer wins": _last_writer_wins}
"""What no history misses: a cursor that goes back only repeats work, since the keys are sent before it moves."""
