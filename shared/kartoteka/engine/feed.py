"""The panel's feed: what changed in the panel, read once for all concerns.

Each account in the feed is compared with what was last agreed, by the very merge that would act on it: where the merge
would do nothing (an echo of our own write, a change of something we do not carry) no key reaches a queue.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from kartoteka.core import messages, normal
from kartoteka.core.concerns import ACCOUNTS, BILLING, CREDIT, DELIVERY_ADDRESSES, DISCOUNTS, SHOPS, Concern
from kartoteka.core.errors import Halt, Retry
from kartoteka.core.merge import carries_nothing, idle
from kartoteka.core.model import Account, Record, Snapshot, Window
from kartoteka.core.window import SAVE_AFTER, FeedCursor, FirstPass
from kartoteka.engine import directory, incoming, particulars
from kartoteka.engine.addresses import differing
from kartoteka.engine.base import Counts, Engine, decide
from kartoteka.engine.collect import collect_keys
from kartoteka.engine.directory import FEED_DOCUMENT
from kartoteka.ports import AccountPage, Stored

MOST_PAGES = 100
"""A window of more pages is halved until it holds fewer, so that each run gets somewhere."""
SHORTEST = timedelta(seconds=2)
FIRST_PASS_PAGES = 500
"""Pages of the first pass read in one run; the next run goes on from there."""


@dataclass(slots=True)
class _Reading:
    """What came of reading a window: how far it went, whether it held more than a page, and anything new."""

    window: Window
    crowded: bool
    counts: Counts = field(default_factory=Counts)
    news: bool = False


@dataclass(frozen=True, slots=True)
class _News:
    """What a page of accounts tells: those that look otherwise in our directory, and the ids that it knows at all."""

    fresh: Mapping[str, Account]
    known: frozenset[str]


def follow_panel(engine: Engine) -> Counts:
    """Read what changed in the panel since the last time, and hand the keys that differ to the concerns' queues."""
    stored = engine.state.load(FEED_DOCUMENT)
    try:
        cursor = _measured(engine, stored)
        if cursor.first:
            return _first_pass(engine, cursor, cursor.first, stored.version)
        return _follow(engine, cursor, stored)
    except (Retry, Halt) as error:
        if not directory.is_complete(engine):
            directory.tell_waiting(engine, messages.outage(error.code, halted=isinstance(error, Halt)))
        raise


def _measured(engine: Engine, stored: Stored) -> FeedCursor:
    """Return the cursor, with the panel's clock measured where that was long ago."""
    now = engine.now()
    if stored.document is None:
        begun = engine.panel.now()
        return FeedCursor(begun, begun - now, now, first=FirstPass(0, begun))
    cursor = FeedCursor.from_document(stored.document)
    if cursor.clock_is_old(now):
        cursor = replace(cursor, offset=engine.panel.now() - now, measured_at=now)
    return cursor


def _first_pass(engine: Engine, cursor: FeedCursor, first: FirstPass, version: int) -> Counts:
    counts = Counts()
    upcoming: FirstPass | None = first
    for _ in range(FIRST_PASS_PAGES):
        if upcoming is None:
            break
        answer = _page(engine, None, upcoming.page)
        counts += _handle(engine, answer.accounts, _news(engine, answer.accounts), complete=False)
        upcoming = upcoming.next(answer.total, answer.pages)
        cursor = replace(cursor, first=upcoming)
        if not engine.state.save(FEED_DOCUMENT, cursor.to_document(), version=version):
            return counts  # another run of the feed is ahead of this one
        version += 1
    if upcoming is not None:
        directory.tell_waiting(engine, messages.outage("first_pass"))
        return counts
    incoming.list_all(engine)
    if ACCOUNTS.name in engine.state.paused():
        return counts
    return counts + collect_keys(engine, ACCOUNTS.name)


def _follow(engine: Engine, cursor: FeedCursor, stored: Stored) -> Counts:
    if stored.document and FeedCursor.from_document(stored.document).measured_at != cursor.measured_at:
        incoming.list_all(engine)
    reading = _read(engine, cursor.next_window(engine.now()))
    counts, news = reading.counts, reading.news
    moved = cursor.after(reading.window, crowded=reading.crowded)
    if zone := moved.zone_to_confirm():
        counts += _confirm(engine, zone)
        moved = replace(moved, zone=None)
    before = FeedCursor.from_document(stored.document)
    if news or moved.zone != before.zone or moved.until - before.until >= SAVE_AFTER or cursor != before:
        engine.state.save(FEED_DOCUMENT, moved.to_document(), version=stored.version)
    return counts


def _read(engine: Engine, window: Window) -> _Reading:
    """Read a window, or as much of it, from its begin, as one run can read."""
    answer = _page(engine, window, 0)
    while answer.pages > MOST_PAGES and window.end - window.begin > SHORTEST:
        window = Window(window.begin, window.begin + (window.end - window.begin) / 2)
        answer = _page(engine, window, 0)
    reading = _Reading(window, crowded=answer.pages > 1)
    for page in range(max(1, answer.pages)):
        answer = answer if page == 0 else _page(engine, window, page)
        news = _news(engine, answer.accounts)
        reading.counts += _handle(engine, answer.accounts, news)
        reading.news |= bool(news.fresh)
    return reading


def _confirm(engine: Engine, zone: Window) -> Counts:
    """Read a zone again where the panel counts more or fewer accounts in it than we have seen."""
    total = engine.panel.changed(zone, 0, 1).total
    if total == engine.exchange.count_remembered(zone.begin, zone.end):
        return Counts()
    counts, rest = Counts(), zone
    while rest.begin < zone.end:
        reading = _read(engine, rest)
        counts += reading.counts
        rest = Window(reading.window.end, zone.end)
    return counts


def _page(engine: Engine, window: Window | None, page: int) -> AccountPage:
    return engine.panel.changed(window, page, engine.policy.panel.batch_size)


def _news(engine: Engine, accounts: Sequence[Account]) -> _News:
    known = engine.exchange.remembered([a.panel_client_id for a in accounts]) if accounts else {}
    fresh = {a.panel_client_id: a for a in accounts if known.get(a.panel_client_id) != directory.seen(a)}
    return _News(fresh, frozenset(known))


def _handle(engine: Engine, accounts: Sequence[Account], news: _News, *, complete: bool = True) -> Counts:
    """Hand on the keys that one page asks for. Before the directory is ``complete`` nobody is a stranger yet."""
    if not accounts:
        return Counts()
    fresh = news.fresh
    owners = engine.exchange.owners([a.panel_client_id for a in accounts])
    linked = {owners[a.panel_client_id]: a for a in accounts if a.panel_client_id in owners}
    keys = {
        ACCOUNTS.name: _unlinked(engine, accounts, owners),
        **{concern.name: _moved(engine, concern, linked, fresh) for concern in (BILLING, SHOPS, DISCOUNTS, CREDIT)},
        DELIVERY_ADDRESSES.name: _addresses(engine, linked, news),
    }
    if fresh and complete:
        keys[ACCOUNTS.name] = sorted({*keys[ACCOUNTS.name], *_waiting_cards(engine, list(fresh.values()))})
    for concern, found in keys.items():
        if found:
            engine.queue.send(concern, found)
    if fresh:
        engine.exchange.remember([directory.seen(a) for a in fresh.values()], at=engine.now())
    return Counts(collected=sum(len(found) for found in keys.values()))


def _waiting_cards(engine: Engine, fresh: Sequence[Account]) -> Sequence[str]:
    """Keep the list of strangers true; return the cards without an account to which one of these may be the answer."""
    hit = incoming.note(engine, fresh)
    if not engine.carries(ACCOUNTS.name):
        return ()
    return [*hit, *engine.exchange.contenders([a.panel_client_id for a in fresh])]


def _addresses(engine: Engine, linked: Mapping[str, Account], news: _News) -> list[str]:
    """Return the customers among those who moved whose delivery addresses ask for something.

    A linked account that was never seen before is the echo of its own opening: its addresses are our own work, or none.
    """
    ids = news.fresh.keys() & news.known
    moved = {key: a.panel_client_id for key, a in linked.items() if a.panel_client_id in ids}
    return differing(engine, moved, moved=True) if moved and engine.carries(DELIVERY_ADDRESSES.name) else []


def _unlinked(engine: Engine, accounts: Sequence[Account], owners: Mapping[str, str]) -> list[str]:
    """Return the cards whose code an account carries that is not linked yet."""
    if not engine.carries(ACCOUNTS.name):
        return []
    codes = [a.external_code for a in accounts if a.external_code and a.panel_client_id not in owners and not a.guest]
    return sorted(engine.exchange.existing_cards(codes)) if codes else []


def _moved(engine: Engine, concern: Concern, linked: Mapping[str, Account], fresh: Mapping[str, Account]) -> list[str]:
    """Return the customers for whom the merge of this concern would do something."""
    if not linked or not engine.carries(concern.name):
        return []
    snapshots = engine.look(concern.name, _concerned(engine, concern, linked))
    return [s.client_id for s in snapshots if _would_act(engine, concern, s, linked[s.client_id], fresh)]


def _concerned(engine: Engine, concern: Concern, linked: Collection[str]) -> Collection[str]:
    """Return the customers whose concern is to be compared at all: a page of the feed may hold none."""
    withdrawn = concern is CREDIT and engine.policy.credit.when_stale == "zero"  # of a deleted row the limit stays 0
    return engine.concerned(concern.name, linked) if concern in (DISCOUNTS, CREDIT) and not withdrawn else linked


def _would_act(
    engine: Engine, concern: Concern, snapshot: Snapshot, account: Account, fresh: Mapping[str, Account]
) -> bool:
    another = not normal.same_code(account.external_code, snapshot.client_id)
    told = snapshot.status is not None and snapshot.status.code == messages.ANOTHER_ACCOUNT
    if another or told:
        return another is not told
    if concern is SHOPS and not (snapshot.row or {}).get("shops"):
        return False
    if snapshot.row is None:
        edited = snapshot.agreed is not None and _asks(engine, concern, snapshot, snapshot.agreed, account)
        return edited and not snapshot.parked
    if account.panel_client_id not in fresh and (snapshot.parked or snapshot.held):
        return False  # it comes back by its due time, by a person's hand, or when one side changes
    if snapshot.intent or snapshot.agreed is None:
        return bool(snapshot.intent) or not carries_nothing(concern, engine.rules(concern.name), snapshot.row)
    return _asks(engine, concern, snapshot, snapshot.row, account)


def _asks(engine: Engine, concern: Concern, snapshot: Snapshot, row: Record, account: Account) -> bool:
    """Return whether the merge of this row and this account would do something."""
    own = particulars.of(concern)
    believed = own.believe(engine, snapshot, own.read(engine, account))
    decision = decide(engine, concern, snapshot, believed, base=snapshot.agreed, row=row)
    return not idle(decision, snapshot.agreed) or own.misjudged(engine, snapshot, account)
