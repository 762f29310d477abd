"""The prices of a discount group: only what differs is sent, in batches, and a crash between two of them loses nothing.

The panel shows none of them, so what was last sent stands for its side (``sync_prices``). Before a call its prices are
noted as doubtful, and after it as what they are now; a doubtful one differs from every price and is sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from kartoteka.core import messages, prices
from kartoteka.core.concerns import DISCOUNTS, GROUPS
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.model import (
    Direction,
    GroupItem,
    ItemKey,
    Reason,
    SentPrice,
    Settlement,
    Snapshot,
    Status,
    Written,
)
from kartoteka.engine.acts import Judged, Report, nothing_new
from kartoteka.engine.base import Counts, Engine, delayed

CONCERN = DISCOUNTS.name
PAGE = 1_000
"""Rows of items read with one statement."""
REMOVAL = "-"
"""How it is remembered that the panel has refused to remove a price."""
CALLS = "calls for prices"
"""The name under which a run keeps its budget."""
MOST_CALLS = 100
"""Calls for prices in one run: a larger group goes on by its queue, and survives the end of a function."""


@dataclass(slots=True)
class Budget:
    """The calls for prices that a run has left, all its chunks together: a function must not run out of time."""

    calls: int


def budget(engine: Engine) -> Budget:
    """Return the budget of this run."""
    with engine.turn:
        found: Budget = engine.asked.setdefault(CALLS, Budget(MOST_CALLS))
        return found


@dataclass(frozen=True, slots=True)
class Change:
    """A price to be set, or removed (``price`` None). ``before`` is what was sent last, None where nothing was."""

    key: ItemKey
    price: SentPrice | None
    before: SentPrice | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row of which nothing is sent. ``error`` None: the panel has refused this very price, and that has been told."""

    key: ItemKey
    error: Reject | None


def differences(engine: Engine, group_id: str) -> tuple[Iterator[Change | Refusal], bool]:
    """Return what a group asks for and was not sent, with its rows that are no price, and whether that is all.

    There may be more prices without a row than are read at once.
    """
    orphans, more = _orphans(engine, group_id)
    gone = (Refusal(s.key, None) if s.refused == REMOVAL else Change(s.key, None, s) for s in orphans)
    return chain(_of_rows(engine, group_id), gone), not more


def _of_rows(engine: Engine, group_id: str) -> Iterator[Change | Refusal]:
    after: ItemKey | None = None
    while page := engine.exchange.group_items(group_id, after, PAGE):
        for item, sent in page:
            found = _difference(engine, item, sent)
            if found is not None:
                yield found
        after = page[-1][0].key
        if len(page) < PAGE:
            break


def _orphans(engine: Engine, group_id: str) -> tuple[Sequence[SentPrice], bool]:
    """Return prices that were sent and have no row any more, and whether there are more than these.

    Those whose removal the panel has refused keep nobody waiting behind them.
    """
    limit = PAGE
    while True:
        found = engine.exchange.prices_without_item(group_id, limit)
        more = len(found) == limit
        if not more or any(sent.refused != REMOVAL for sent in found):
            return found, more
        limit *= 2


def _difference(engine: Engine, item: GroupItem, sent: SentPrice | None) -> Change | Refusal | None:
    try:
        price = prices.wanted(item, engine.now())
    except Reject as error:
        return Refusal(item.key, error)
    if price is not None and sent is not None and sent.refused == _mark(price):
        return Refusal(item.key, None)
    if price is None and sent is not None and sent.refused == REMOVAL:
        return Refusal(item.key, None)
    same = price is None and sent is None
    if price is not None and sent is not None:
        same = (price.price, price.currency) == (sent.price, sent.currency)
    return None if same else Change(item.key, price, sent)


def _mark(price: SentPrice) -> str:
    """Return how it is remembered that the panel has refused a price."""
    return f"{price.price} {price.currency}"


def differs(engine: Engine, group_id: str) -> bool:
    """Return whether anything is to be sent, or to be told of a group's rows."""
    told = _told(engine, group_id)
    wanted: dict[str, Status | None] = {}
    for found in differences(engine, group_id)[0]:
        if isinstance(found, Change):
            return True
        place = prices.place(group_id, found.key)
        wanted[place] = _held(found.error) if found.error else told.get(place)
    return wanted != told


def _told(engine: Engine, group_id: str) -> dict[str, Status]:
    """Return what is said of a group's prices; a group whose id begins with this one's is another one."""
    statuses = engine.exchange.item_statuses(group_id)
    return {place: status for place, status in statuses.items() if prices.group_of(place) == group_id}


def _held(error: Reject) -> Status:
    return messages.refused(error.code, error.message, final=True)


def send(engine: Engine, group: Snapshot, number: str, own: Settlement, budget: Budget) -> Report:
    """Send what differs, and store it with what is to be said of the group; what exceeds the budget goes on later."""
    run = _Run(engine, group.item_id, number, budget)
    run.work()
    if run.failure is not None:
        waiting = delayed(engine, group, CONCERN, run.failure)
        own = replace(own, status=waiting.status, parked=waiting.parked)
    elif run.unfinished:
        engine.queue.send(GROUPS.name, [group.item_id])
        own = replace(own, status=messages.sending_prices())
    if run.told or not nothing_new(own, group):
        engine.exchange.settle([own], run_id=engine.run_id, at=engine.now())
    halts = (str(run.failure),) if isinstance(run.failure, Halt) else ()
    return Report(Counts(written_to_panel=int(bool(run.written or own.written)), held=run.held), halts)


class _Run:
    """The sending of one group's prices.

    ``failure`` is what stopped it, ``unfinished`` that calls or time did, or that there is more than was read.
    ``told``: the group is said to be under way. ``written`` and ``held`` count prices.
    """

    def __init__(self, engine: Engine, group_id: str, number: str, budget: Budget) -> None:
        self._engine = engine
        self._group_id = group_id
        self._number = number
        self._budget = budget
        self._told = _told(engine, group_id)
        self._standing: set[str] = set()
        self.failure: Retry | Halt | None = None
        self.unfinished = False
        self.told = False
        self.written = 0
        self.held = 0

    def work(self) -> None:
        """Send all that differs, as far as calls and time go; rows that are no price are told of at the end."""
        refusals: list[Settlement] = []
        for batch in self._batches(refusals):
            self._send(batch)
            if self.failure or self.unfinished:
                return
        if self.unfinished:
            return
        gone = [self._about(place, None) for place in self._told.keys() - self._standing]
        told = [s for s in (*refusals, *gone) if self._is_news(s)]
        for start in range(0, len(told), PAGE):
            self._settle([], [], told[start : start + PAGE])

    def _batches(self, refusals: list[Settlement]) -> Iterator[list[Change]]:
        """Yield what is to be set and what is to be removed, as much as the panel takes in a call."""
        size = self._engine.policy.panel.batch_size
        waiting: dict[bool, list[Change]] = {True: [], False: []}
        found_all, complete = differences(self._engine, self._group_id)
        for found in found_all:
            if isinstance(found, Refusal):
                self._refused(found, refusals)
                continue
            batch = waiting[found.price is None]
            batch.append(found)
            if len(batch) == size:
                self._tell()
                yield batch
                waiting[found.price is None] = []
        yield from (batch for batch in waiting.values() if batch)
        self.unfinished = not complete

    def _tell(self) -> None:
        """Say that the prices are being sent: there are more than one call takes."""
        if not self.told:
            self.told = True
            sending = messages.sending_prices()
            own = Settlement("", CONCERN, sending, item_id=self._group_id, keep_intent=True, keep_parked=True)
            self._engine.exchange.settle([own], run_id=self._engine.run_id, at=self._engine.now())

    def _refused(self, found: Refusal, refusals: list[Settlement]) -> None:
        place = prices.place(self._group_id, found.key)
        self._standing.add(place)
        if found.error:
            refusals.append(self._about(place, _held(found.error)))

    def _send(self, batch: Sequence[Change]) -> None:
        """Make a call for some prices, all set or all removed, and write down what came of each.

        One that is refused as a whole is split until the culprit stands alone; each part is stored as it is judged, so
        that a function that runs out of time has not worked in vain.
        """
        if self.failure or self.unfinished:
            return
        if self._budget.calls <= 0 or not self._engine.time_left():
            self.unfinished = True
            return
        self._engine.exchange.doubt_prices(self._group_id, [change.key for change in batch])
        outcomes = self._call(batch)
        if outcomes is None:
            middle = len(batch) // 2
            self._send(batch[:middle])
            self._send(batch[middle:])
        else:
            self._judge(batch, outcomes)

    def _call(self, batch: Sequence[Change]) -> Sequence[Judged] | None:
        """Return the outcome of each price, None where the panel refuses several as a whole."""
        self._budget.calls -= 1
        panel = self._engine.panel
        try:
            if batch[0].price is None:
                return panel.remove_prices(self._number, [change.key for change in batch])
            return panel.set_prices(self._number, [change.price for change in batch if change.price])
        except Reject as error:
            return None if len(batch) > 1 else [error]
        except (Retry, Halt) as error:
            return [error] * len(batch)

    def _judge(self, batch: Sequence[Change], outcomes: Sequence[Judged]) -> None:
        sent: list[SentPrice] = []
        removed: list[ItemKey] = []
        settlements: list[Settlement] = []
        for change, outcome in zip(batch, outcomes, strict=True):
            place = prices.place(self._group_id, change.key)
            if isinstance(outcome, Retry | Halt):
                self.failure = outcome
            elif isinstance(outcome, Reject):
                self._standing.add(place)
                sent.append(_as_before(change))
                settlements.append(self._about(place, _held(outcome)))
            else:
                settlements.append(self._about(place, None, _written(change)))
                sent += [change.price] if change.price else []
                removed += [] if change.price else [change.key]
        self._settle(sent, removed, settlements)

    def _about(self, place: str, status: Status | None, written: tuple[Written, ...] = ()) -> Settlement:
        """Return what is to be stored of one price: its refusal, or that there is nothing to be said of it."""
        forget = status is None and place in self._told
        return Settlement("", CONCERN, status, item_id=place, written=written, forget=forget)

    def _is_news(self, settlement: Settlement) -> bool:
        return settlement.forget or self._told.get(settlement.item_id) != settlement.status

    def _settle(self, sent: Sequence[SentPrice], removed: Sequence[ItemKey], settlements: Sequence[Settlement]) -> None:
        self.written += sum(bool(s.written) for s in settlements)
        self.held += sum(s.status is not None for s in settlements)
        if sent or removed or settlements:
            self._engine.exchange.settle_prices(
                self._group_id, sent, removed, settlements, run_id=self._engine.run_id, at=self._engine.now()
            )


def _as_before(change: Change) -> SentPrice:
    """Return what is known of a price once the panel has refused another one in its place, or its removal."""
    before = change.before or SentPrice(*change.key, price=None)
    return replace(before, refused=_mark(change.price) if change.price else REMOVAL)


def _written(change: Change) -> tuple[Written, ...]:
    """Return the history of a price: what it was, as far as that is known, and what it is now."""
    before, after = change.before, change.price
    was = before.price if before else None
    reason = Reason.EDIT if before else Reason.CREATE
    written = [Written("price", Direction.ERP_TO_PANEL, reason, was, after.price if after else None)]
    if after and (before is None or before.currency != after.currency):
        was_in = before.currency if before else None
        written.append(Written("currency", Direction.ERP_TO_PANEL, reason, was_in, after.currency))
    return tuple(written)
