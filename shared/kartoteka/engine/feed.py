"""The panel's feed: what changed in the panel, read once for all concerns.

Each account in the feed is compared with what was last agreed, by the very merge that would act on it: where the merge
would do nothing (an echo of our own write, a change of something we do not carry) no key reaches a queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from kartoteka.core import messages, normal
from kartoteka.core.concerns import BILLING, Concern
from kartoteka.core.merge import idle
from kartoteka.core.model import (
    Account,
    Direction,
    Record,
    SeenAccount,
    Snapshot,
    State,
    Window,
)
from kartoteka.core.window import SAVE_AFTER, FeedCursor, FirstPass
from kartoteka.engine.base import Counts, Engine, decide
from kartoteka.ports import AccountPage, Stored

NAME = "feed"
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


def follow_panel(engine: Engine) -> Counts:
    """Read what changed in the panel since the last time, and hand the keys that differ to the concerns' queues."""
    stored = engine.state.load(NAME)
    cursor = _measured(engine, stored)
    if cursor.first:
        return _first_pass(engine, cursor, cursor.first, stored.version)
    return _follow(engine, cursor, stored)


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
    for page in range(first.page, first.page + FIRST_PASS_PAGES):
        answer = _page(engine, None, page)
        counts += _handle(engine, answer.accounts)
        done = page + 1 >= answer.pages
        cursor = replace(cursor, first=None if done else FirstPass(page + 1, first.begun))
        if not engine.state.save(NAME, cursor.to_document(), version=version):
            break  # another run of the feed is ahead of this one
        version += 1
        if done:
            break
    return counts


def _follow(engine: Engine, cursor: FeedCursor, stored: Stored) -> Counts:
    reading = _read(engine, cursor.next_window(engine.now()))
    counts, news = reading.counts, reading.news
    moved = cursor.after(reading.window, crowded=reading.crowded)
    if zone := moved.zone_to_confirm():
        counts += _confirm(engine, zone)
        moved = replace(moved, zone=None)
    before = FeedCursor.from_document(stored.document)
    if news or moved.zone != before.zone or moved.until - before.until >= SAVE_AFTER or cursor != before:
        engine.state.save(NAME, moved.to_document(), version=stored.version)
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
        fresh = _news(engine, answer.accounts)
        reading.counts += _handle(engine, answer.accounts, fresh)
        reading.news |= bool(fresh)
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


def _news(engine: Engine, accounts: Sequence[Account]) -> Mapping[str, Account]:
    """Return the accounts that look otherwise in our directory, by id."""
    known = engine.exchange.remembered([a.panel_client_id for a in accounts]) if accounts else {}
    return {a.panel_client_id: a for a in accounts if known.get(a.panel_client_id) != _seen(a)}


def _seen(account: Account) -> SeenAccount:
    return SeenAccount(
        account.panel_client_id,
        account.login,
        account.external_code,
        nip=normal.tax_number(account.values.get("nip"), account.values),
        email=normal.email(account.values.get("email"), account.values),
        modified_at=account.modified_at,
        guest=account.guest,
    )


def _handle(engine: Engine, accounts: Sequence[Account], fresh: Mapping[str, Account] | None = None) -> Counts:
    if not accounts:
        return Counts()
    fresh = _news(engine, accounts) if fresh is None else fresh
    owners = engine.exchange.owners([a.panel_client_id for a in accounts])
    linked = {owners[a.panel_client_id]: a for a in accounts if a.panel_client_id in owners}
    keys = {"accounts": _unlinked(engine, accounts, owners), "billing": _moved(engine, BILLING, linked, fresh)}
    for concern, found in keys.items():
        if found:
            engine.queue.send(concern, found)
    if fresh:
        engine.exchange.remember([_seen(a) for a in fresh.values()], at=engine.now())
    return Counts(collected=sum(len(found) for found in keys.values()))


def _unlinked(engine: Engine, accounts: Sequence[Account], owners: Mapping[str, str]) -> list[str]:
    """Return the cards whose code an account carries that is not linked yet."""
    if engine.policy.accounts.direction is Direction.OFF:
        return []
    codes = [a.external_code for a in accounts if a.external_code and a.panel_client_id not in owners and not a.guest]
    return sorted(engine.exchange.existing_cards(codes)) if codes else []


def _moved(engine: Engine, concern: Concern, linked: Mapping[str, Account], fresh: Mapping[str, Account]) -> list[str]:
    """Return the customers for whom the merge of this concern would do something."""
    if not linked or getattr(engine.policy, concern.name).direction is Direction.OFF:
        return []
    snapshots = engine.exchange.snapshots(concern.name, list(linked))
    return [s.client_id for s in snapshots if _would_act(engine, concern, s, linked[s.client_id], fresh)]


def _would_act(
    engine: Engine, concern: Concern, snapshot: Snapshot, account: Account, fresh: Mapping[str, Account]
) -> bool:
    if not normal.same_code(account.external_code, snapshot.client_id):
        return snapshot.status is None or snapshot.status.code != messages.ANOTHER_ACCOUNT
    if snapshot.row is None:
        edited = snapshot.agreed is not None and _asks(engine, concern, snapshot, snapshot.agreed, account)
        return edited and not snapshot.parked
    if account.panel_client_id not in fresh and (snapshot.parked or _held(snapshot)):
        return False  # it comes back by its due time, by a person's hand, or when one side changes
    if snapshot.intent or snapshot.agreed is None:
        return True
    return _asks(engine, concern, snapshot, snapshot.row, account)


def _asks(engine: Engine, concern: Concern, snapshot: Snapshot, row: Record, account: Account) -> bool:
    """Return whether the merge of this row and this account would do something."""
    decision = decide(engine, concern, snapshot, account, base=snapshot.agreed, row=row)
    return not idle(decision, snapshot.agreed)


def _held(snapshot: Snapshot) -> bool:
    return snapshot.status is not None and snapshot.status.state is State.HELD
