"""The prices of a discount group: only what differs is sent, in batches, and a crash between two of them loses nothing.

The panel shows none of them, so what was last sent stands for its side (``sync_prices``). Before a call its prices are
noted as unknown, and after it as what they are now; an unknown one differs from every price and is sent again.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import chain
from types import MappingProxyType

from kartoteka import codes
from kartoteka.codes import Status
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields import money, risk
from kartoteka.fields.normal import is_blank
from kartoteka.fields.table import CURRENCY, CURRENCY_FIELD
from kartoteka.model import (
    Change,
    Decision,
    Deferral,
    Direction,
    Done,
    Key,
    Line,
    Outcome,
    Planned,
    Reason,
    Record,
    RecordState,
    Values,
    Written,
)
from kartoteka.pieces import pieces
from kartoteka.ports.exchange import GroupItem, PriceKey, SentPrice
from kartoteka.sync import retry
from kartoteka.sync.brake import Brake
from kartoteka.sync.decisions import BAD_DECISION
from kartoteka.sync.merge import quoted
from kartoteka.sync.plan import joined
from kartoteka.sync.planned import as_json, held_line
from kartoteka.sync.reconcile import begins_to_wait
from kartoteka.sync.retry import BRAKE, status_of_refusal
from kartoteka.sync.run import Run

KINDS = ("product", "producer", "series", "category", "menu_item")
"""What a group may have a price for: ``item_type``."""
LONGEST_ITEM_ID = 100
"""Characters of ``item_id`` in the tables of ours."""
DIGEST = 16
MOST_DIGITS = 10
"""Digits of a panel's id, at most."""
PAGE = 1_000
"""Rows of items read with one statement."""
REMOVAL = "-"
"""How it is remembered that the panel has refused to remove a price."""
MOST_CALLS = 100
"""Calls for prices in one run: a larger group goes on by its queue, and survives the end of a function."""
TABLE = "discount_group_items"
REFUSED = "refused"
GATES = {False: "prices", True: "removal of prices"}
"""Whether prices are removed -> the gate."""
FREE = "0.00"
ZERO_PRICE = "zero_price"
PRICE, REBATE, BASE_PRICE = "price", "rebate_percent", "base_price"


def item_id(key: PriceKey) -> str:
    """Return the item id of a price in the tables of ours, ``type/id``: no two rows share one.

    A row that names nothing of the panel's may hold any text: its slashes are escaped, and what is longer than the
    column ends in a digest.
    """
    text = "/".join(part.replace("%", "%25").replace("/", "%2F") for part in key)
    if len(text) <= LONGEST_ITEM_ID:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:DIGEST]
    return f"{text[: LONGEST_ITEM_ID - DIGEST - 1]}~{digest}"


# --- what a row asks for


def wanted(item: GroupItem, now: datetime) -> SentPrice | None:
    """Return the price that the panel shall have of this item now, None for none (not yet, or no longer).

    Raises Reject naming what is wrong with the row.
    """
    if item.item_type not in KINDS:
        raise Reject("bad_item_type", field="item_type", value=quoted(item.item_type))
    if not (item.item_id.isascii() and item.item_id.isdecimal() and len(item.item_id) <= MOST_DIGITS):
        raise Reject("bad_item", field="item_id", value=quoted(item.item_id))
    if item.unreadable:
        raise Reject("bad_date", field=item.unreadable)
    if item.valid_from and item.valid_to and item.valid_to <= item.valid_from:
        raise Reject("bad_date.order", field="valid_from")
    price = _price(item)
    try:
        currency = CURRENCY.codec.to_panel((item.currency or "").strip()) or None
    except Reject:
        currency = None
    if currency is None:
        raise Reject("bad_currency", field=CURRENCY_FIELD, value=quoted(item.currency or ""))
    begun = item.valid_from is None or item.valid_from <= now
    holds = begun and (item.valid_to is None or now < item.valid_to)
    return SentPrice(item.item_type, item.item_id, str(price), currency) if holds else None


def _price(item: GroupItem) -> Decimal:
    """Return the fixed price, or the one that the rebate leaves of the base price: exact, half-up to 0.01."""
    fixed = is_blank(item.rebate_percent)
    if is_blank(item.price) == fixed:
        raise Reject("bad_item.price", field=PRICE)
    if fixed:
        return _amount(PRICE, item.price)
    percent = _amount(REBATE, item.rebate_percent)
    if percent > 100:
        raise Reject("bad_amount.percent", field=REBATE, value=quoted(item.rebate_percent))
    return money.discounted(_amount(BASE_PRICE, item.base_price), percent)


def _amount(name: str, text: str | None) -> Decimal:
    if is_blank(text):
        raise Reject("incomplete", field=name)
    try:
        found = money.amount(text)
    except Reject as reject:
        raise Reject(reject.code, field=name, value=quoted(text)) from None
    if found < 0:
        raise Reject("bad_amount.negative", field=name, value=quoted(text))
    return found


# --- what differs


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price to be set, or removed (``price`` None). ``before`` is what was sent last, None where nothing was."""

    key: PriceKey
    price: SentPrice | None
    before: SentPrice | None

    @property
    def rewrites(self) -> bool:
        """Whether the brake counts it: what the panel holds is known, and becomes something else."""
        return self.before is not None and self.before.price is not None

    @property
    def risky(self) -> bool:
        """Whether it takes something away: a price is removed, or cut to less than half; never in another currency."""
        if self.before is None or (self.price is not None and self.price.currency != self.before.currency):
            return False
        return risk.cut(self.before.price, self.price.price if self.price else None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row of which nothing is sent. ``error`` None: the panel has refused this very price, and that has been told."""

    key: PriceKey
    error: Reject | None


@dataclass(frozen=True, slots=True)
class Asking(Refusal):
    """A change that is not made without a person's word: a price becomes 0."""

    change: PriceChange


@dataclass(frozen=True, slots=True)
class Settled:
    """A price that a person has settled by hand: what the row asks for now (None: no price) counts as sent."""

    key: PriceKey
    price: SentPrice | None


@dataclass(frozen=True, slots=True)
class Approved:
    """The prices, by item id, that a person has approved, and what becomes of their rows in ``sync_plan``."""

    keys: Collection[str]
    settled: Callable[[Change], Change]


Difference = PriceChange | Refusal | Settled
NONE: Mapping[str, str] = MappingProxyType({})


def word_of(words: Mapping[str, str], key: PriceKey) -> str:
    """Return a person's word about a price, as one reads it; empty where there is none."""
    return words.get(item_id(key), "").strip().lower() if words else ""


class PriceLists:
    """The prices of all groups in one run, which share its budget of calls."""

    def __init__(self, run: Run, concern: str, brake: Brake) -> None:
        self.run = run
        self._concern = concern
        self._lock = threading.Lock()
        self._calls = MOST_CALLS
        self.brake = brake

    def differ(self, group_id: str) -> bool:
        """Return whether anything is to be sent, or to be told of a group's rows."""
        told, words = self.told(group_id)
        standing: dict[str, Status | None] = {}
        for found in self.differences(group_id, in_force(told, words))[0]:
            if not isinstance(found, Refusal) or word_of(words, found.key) == Decision.RETRY:
                return True
            key = item_id(found.key)
            standing[key] = said_of(found, told.get(key), word_of(words, found.key))
        return standing != told

    def told(self, group_id: str) -> tuple[Mapping[str, Status], Mapping[str, str]]:
        """Return what is said of a group's prices, and what a person has answered to it, by item id."""
        told = self.run.exchange.prices.statuses(group_id)
        return told, self.run.exchange.prices.decisions(group_id) if told else NONE

    def differences(self, group_id: str, words: Mapping[str, str] = NONE) -> tuple[Iterator[Difference], bool]:
        """Return what a group asks for and was not sent, with its rows that are no price, and whether that is all.

        ``words``: what a person has answered. There may be more prices without a row than are read at once.
        """
        orphans, more = self._orphans(group_id)
        gone = (self._judged(sent.key, None, sent, word_of(words, sent.key)) for sent in orphans)
        return chain(self._of_rows(group_id, words), filter(None, gone)), not more

    def _of_rows(self, group_id: str, words: Mapping[str, str]) -> Iterator[Difference]:
        after: PriceKey | None = None
        while page := self.run.exchange.prices.items(group_id, after, PAGE):
            for item, sent in page:
                found = self._difference(item, sent, word_of(words, item.key))
                if found is not None:
                    yield found
            after = page[-1][0].key
            if len(page) < PAGE:
                break

    def _orphans(self, group_id: str) -> tuple[Sequence[SentPrice], bool]:
        """Return prices that were sent and have no row any more, and whether there are more than these.

        Those whose removal the panel has refused keep nobody waiting behind them.
        """
        limit = PAGE
        while True:
            found = self.run.exchange.prices.without_item(group_id, limit)
            more = len(found) == limit
            if not more or any(sent.refused != REMOVAL for sent in found):
                return found, more
            limit *= 2

    def _difference(self, item: GroupItem, sent: SentPrice | None, word: str) -> Difference | None:
        try:
            price = wanted(item, self.run.now())
        except Reject as error:
            return Refusal(item.key, error)
        found = self._judged(item.key, price, sent, word)
        if not isinstance(found, PriceChange) or word == Decision.SEND or not _gives_away(found):
            return found
        field = PRICE if is_blank(item.rebate_percent) else REBATE
        return Asking(item.key, Reject(ZERO_PRICE, field=field), found)

    @staticmethod
    def _judged(key: PriceKey, price: SentPrice | None, sent: SentPrice | None, word: str) -> Difference | None:
        """Return what is to be done where this price shall be, and that one was sent."""
        refused = _refused(price, sent)
        same = price is None and sent is None
        if price is not None and sent is not None:
            same = (price.price, price.currency) == (sent.price, sent.currency)
        if word == Decision.DONE and (refused or not same):
            return Settled(key, price)
        if refused and word != Decision.RETRY:
            return Refusal(key, None)
        return None if same else PriceChange(key, price, sent)

    def lines(self, group_id: str) -> dict[Key, list[Line]]:
        """Return what would be done with the prices of a group, as ``sync_plan`` tells it."""
        told, words = self.told(group_id)
        found: dict[Key, list[Line]] = {}
        for difference in self.differences(group_id, in_force(told, words))[0]:
            key = Key("", group_id, self._concern, item_id(difference.key))
            if isinstance(difference, PriceChange):
                found[key] = _lines(key, difference)
            elif isinstance(difference, Refusal):
                found[key] = held_line(key, said_of(difference, told.get(key.item_id), ""))
        return found

    def send(
        self,
        group_id: str,
        number: str,
        *,
        confirmed: bool = False,
        deferral: Deferral | None = None,
        approved: Approved | None = None,
    ) -> PriceList:
        """Send what differs of a group, as far as calls, time and the brake go; return what came of it.

        ``confirmed``: a person lets it pass. ``deferral``: how the group was deferred. ``approved``: these alone.
        """
        sending = PriceList(
            self, self._concern, group_id, number, confirmed=confirmed, deferral=deferral, approved=approved
        )
        sending.work()
        return sending

    def may_call(self) -> bool:
        """Take one of the calls that are left; False where none is, or no time."""
        with self._lock:
            self._calls -= 1
            return self._calls >= 0 and self.run.time_left()


class PriceList:
    """The sending of one group's prices.

    Those of a group whose last call failed go in smaller and smaller parts, as :func:`kartoteka.sync.retry.apart` sends
    records: each time the panel fails over one alone, the group counts an attempt, and at the last this price is held.

    ``failure`` is what stopped it, or kept a price from being sent, ``unfinished`` that calls or time did, or that
    there is more than was read. ``written`` and ``held`` count prices.
    """

    def __init__(  # noqa: PLR0913 - all that is known of the sending, each by its name
        self,
        lists: PriceLists,
        concern: str,
        group_id: str,
        number: str,
        *,
        confirmed: bool,
        deferral: Deferral | None,
        approved: Approved | None,
    ) -> None:
        self._approved = approved
        self._lists = lists
        self._run = run = lists.run
        self._concern = concern
        self._group_id = group_id
        self._number = number
        self._confirmed = confirmed
        self._told, self._words = lists.told(group_id)
        self._standing: set[str] = set()
        self._asking: list[PriceChange] = []
        self._size = retry.size_of_part(run, deferral)
        self._last_try = (deferral.attempts if deferral else 0) + 1 >= run.policy.retry.max_attempts
        self._failed_calls = 0
        self.failure: Retry | Halt | None = None
        self.unfinished = False
        self.written = 0
        self.held = 0

    def work(self) -> None:
        """Send all that differs; rows that are no price are told of at the end."""
        refusals: dict[str, Change] = {}
        for batch in self._batches(refusals):
            if not self._confirmed and not self._brake_lets(batch):
                self.failure = Retry(BRAKE)
                return
            self._send(batch)
            if self._stopped or self.unfinished:
                return
        if self.failure or self.unfinished:
            return
        if not self._brake_lets([]):
            self.failure = Retry(BRAKE)
            return
        if self._approved is not None:
            self._standing |= self._told.keys()
            refusals = {key: change for key, change in refusals.items() if key in self._approved.keys}
        gone = [self._about(key, None) for key in self._told.keys() - self._standing]
        told = [change for change in (*refusals.values(), *gone) if change]
        for page in pieces(told, PAGE):
            self._store([], [], page)

    def _brake_lets(self, batch: Sequence[PriceChange]) -> bool:
        """Ask the brake about what is to be sent, and what would be if a person had said so: a mass is told as one."""
        changes, self._asking = [*batch, *self._asking], []
        keys = {Key("", self._group_id, self._concern, item_id(c.key)) for c in changes if c.rewrites}
        return not changes or self._lists.brake.lets_prices(keys, sum(change.risky for change in changes))

    def _batches(self, refusals: dict[str, Change]) -> Iterator[list[PriceChange]]:
        """Yield what is to be set and what is to be removed, as much as the panel takes in a call."""
        size = self._size
        waiting: dict[bool, list[PriceChange]] = {True: [], False: []}
        differences, complete = self._lists.differences(self._group_id, in_force(self._told, self._words))
        for found in map(self._asked, differences):
            if isinstance(found, Refusal):
                key = item_id(found.key)
                self._standing.add(key)
                told, word = self._told.get(key), word_of(self._words, found.key)
                refusals[key] = self._about(key, said_of(found, told, word), bad=word not in ("", Decision.RETRY))
                continue
            if self._approved is not None and item_id(found.key) not in self._approved.keys:
                continue
            if isinstance(found, Settled):
                self._settle(found)
                continue
            batch = waiting[found.price is None]
            batch.append(found)
            if len(batch) == size:
                yield batch
                waiting[found.price is None] = []
        yield from (batch for batch in waiting.values() if batch)
        self.unfinished = not complete

    def _asked(self, found: Difference) -> Difference:
        """Return what is to be done: a price that becomes 0 asks, unless a person lets what the brake stopped pass."""
        if not isinstance(found, Asking) or not found.change.rewrites or self._approved is not None:
            return found
        if self._confirmed:
            return found.change
        told = self._told.get(item_id(found.key))
        if told is None or told.code != ZERO_PRICE:
            self._asking.append(found.change)
        return found

    def _send(self, batch: Sequence[PriceChange]) -> None:
        """Make a call for some prices, all set or all removed, and store what came of each.

        One that is refused as a whole is split until the culprit stands alone; each part is stored as it is judged, so
        that a function that runs out of time has not worked in vain.
        """
        if self._stopped or self.unfinished:
            return
        if not self._lists.may_call():
            self.unfinished = True
            return
        self._run.exchange.prices.doubt(self._group_id, [change.key for change in batch])
        outcomes = self._call(batch)
        if outcomes is None:
            middle = len(batch) // 2
            self._send(batch[:middle])
            self._send(batch[middle:])
        else:
            self._judge(batch, outcomes)

    @property
    def _stopped(self) -> bool:
        """Whether no more calls are made: the panel takes none now."""
        own = isinstance(self.failure, Retry) and self.failure.code in retry.OWN_FAULTS
        return self.failure is not None and not (own and self._failed_calls < retry.FAILED_CALLS)

    def _call(self, batch: Sequence[PriceChange]) -> Sequence[Outcome | Halt] | None:
        """Return the outcome of each price, None where the panel refuses several as a whole."""
        panel = self._run.panel
        try:
            if batch[0].price is None:
                return panel.remove_prices(self._number, [change.key for change in batch])
            return panel.set_prices(self._number, [change.price for change in batch if change.price])
        except Reject as error:
            return None if len(batch) > 1 else [error]
        except (Retry, Halt) as error:
            return [error] * len(batch)

    def _judge(self, batch: Sequence[PriceChange], outcomes: Sequence[Outcome | Halt]) -> None:
        sent: list[SentPrice] = []
        removed: list[PriceKey] = []
        changes: list[Change] = []
        for change, outcome in zip(batch, self._blamed(batch, outcomes), strict=True):
            key = item_id(change.key)
            if isinstance(outcome, Retry | Halt):
                self.failure = outcome
            elif isinstance(outcome, Reject):
                self._standing.add(key)
                sent.append(_as_before(change))
                changes.append(self._about(key, held(outcome)))
            else:
                changes.append(self._about(key, None, _written(change, confirmed=self._confirmed)))
                sent += [change.price] if change.price else []
                removed += [] if change.price else [change.key]
        self._store(sent, removed, changes)

    def _blamed(self, batch: Sequence[PriceChange], outcomes: Sequence[Outcome | Halt]) -> Sequence[Outcome | Halt]:
        """Return the outcomes of a call; a price over which the panel has failed alone too often is refused."""
        gate = GATES[batch[0].price is None]
        failed = isinstance(outcomes[0], Retry | Halt)
        self._failed_calls = self._failed_calls + 1 if failed else 0
        if any(isinstance(outcome, Done) for outcome in outcomes):
            self._run.passed.add(gate)
        if len(batch) > 1:
            return outcomes
        outcome = retry.blamed(self._run, gate, outcomes[0])
        if isinstance(outcome, Retry) and outcome.alone and self._last_try:
            return [retry.own_fault(outcome)]
        return [outcome]

    def _settle(self, found: Settled) -> None:
        sent, removed = ([found.price], []) if found.price else ([], [found.key])
        self._store(sent, removed, [self._about(item_id(found.key), None)])

    def _about(
        self, key: str, status: Status | None, written: tuple[Written, ...] = (), *, bad: bool = False
    ) -> Change:
        """Return what is stored of one price: its refusal, or that there is nothing to be said of it.

        A person's word is taken with it, unless it means nothing (``bad``).
        """
        word = self._words.get(key, "")
        before = RecordState(status=self._told.get(key), decision=word)
        of_price = Key("", self._group_id, self._concern, key)
        record = Record(of_price, state=before, found_by=self._run.found_by.get(of_price.owner, ""))
        change = Change(record, RecordState(status=status, decision=word if bad else ""), written=written)
        return self._approved.settled(change) if self._approved else change

    def _store(self, sent: Sequence[SentPrice], removed: Sequence[PriceKey], changes: Sequence[Change]) -> None:
        self.written += sum(bool(change.written) for change in changes)
        self.held += sum(map(begins_to_wait, changes))
        worth = [change for change in changes if change]
        if sent or removed or worth:
            run = self._run
            run.exchange.prices.store(self._group_id, sent, removed, worth, run_id=run.run_id, at=run.now())


def _lines(key: Key, change: PriceChange) -> list[Line]:
    """Return what is planned of a price."""
    way, before, after = Direction.ERP_TO_PANEL, change.before, change.price
    if after is None:
        assert before is not None
        return [Line(key, Planned.REMOVE, "", way, as_json(_figures(before)), None, Reason.EDIT)]
    if before is None:
        return [Line(key, Planned.ADD, "", way, None, as_json(_figures(after)), Reason.CREATE)]
    lines = [Line(key, Planned.UPDATE, PRICE, way, before.price, after.price, Reason.EDIT)]
    if before.currency != after.currency:
        lines.append(Line(key, Planned.UPDATE, CURRENCY_FIELD, way, before.currency, after.currency, Reason.EDIT))
    return lines


def _figures(price: SentPrice) -> Values:
    return {PRICE: price.price, CURRENCY_FIELD: price.currency}


def said_of(found: Refusal, told: Status | None, word: str) -> Status | None:
    """Return what is said of a price that is not sent, with a person's ``word`` about it; ``told``: what was said.

    What the panel has said of a price that it refused is told once, and cannot be said again.
    """
    own = held(found.error) if found.error else told
    if word in ("", Decision.RETRY):
        return held(Reject(REFUSED)) if found.error is None and told and told.code == BAD_DECISION else own
    if own is not None and meant_nothing(own, word):
        return own
    bad = codes.status(BAD_DECISION, value=word)
    return joined([bad, own]) if own and own.code != BAD_DECISION else bad


def meant_nothing(told: Status, word: str) -> bool:
    """Return whether it is told of this very word that it means nothing."""
    return told.code == BAD_DECISION and told.message_en.startswith(codes.status(BAD_DECISION, value=word).message_en)


def in_force(told: Mapping[str, Status], words: Mapping[str, str]) -> Mapping[str, str]:
    """Return the words without those that meant nothing when they were given: they settle no later price."""
    return {k: word for k, word in words.items() if k in told and not meant_nothing(told[k], word.strip().lower())}


def held(error: Reject) -> Status:
    """Return the status of a price that was refused, by us or by the panel."""
    return status_of_refusal(error, TABLE)


def _gives_away(change: PriceChange) -> bool:
    """Whether a price becomes 0, and the panel has not refused that already: then it was meant once."""
    return change.price is not None and change.price.price == FREE and not _refused(change.price, change.before)


def _refused(price: SentPrice | None, sent: SentPrice | None) -> bool:
    """Whether the panel has refused this very price, or the removal where there shall be none."""
    return sent is not None and sent.refused != "" and sent.refused == (_mark(price) if price else REMOVAL)


def _mark(price: SentPrice) -> str:
    """Return how it is remembered that the panel has refused a price."""
    return f"{price.price} {price.currency}"


def _as_before(change: PriceChange) -> SentPrice:
    """Return what is known of a price once the panel has refused another one in its place, or its removal."""
    before = change.before or SentPrice(*change.key, price=None)
    return replace(before, refused=_mark(change.price) if change.price else REMOVAL)


def _written(change: PriceChange, *, confirmed: bool) -> tuple[Written, ...]:
    """Return the history of a price: what it was, as far as that is known, and what it is now."""
    passed = confirmed or not change.rewrites
    counts = change.risky and not passed
    before, after = change.before, change.price
    was = before.price if before else None
    reason = Reason.EDIT if before else Reason.CREATE
    now = after.price if after else None
    written = [Written(PRICE, Direction.ERP_TO_PANEL, reason, was, now, counts, passed)]
    if after and (before is None or before.currency != after.currency):
        was_in = before.currency if before else None
        written.append(Written(CURRENCY_FIELD, Direction.ERP_TO_PANEL, reason, was_in, after.currency, passed=passed))
    return tuple(written)
