"""The panel's feed: what changed in the panel, read once for all concerns.

Each page of accounts is shown to every concern, which plans with it what a worker would plan: where the plan is empty
(the echo of our own write, a change of something that is not synchronised) no key reaches a queue.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from kartoteka.errors import Halt, Retry
from kartoteka.fields.table import Recognised
from kartoteka.model import FoundBy, Owner
from kartoteka.ports.exchange import AccountIndex, SeenAccount
from kartoteka.ports.panel import Account, AccountPage, Search, Window
from kartoteka.sync import kept
from kartoteka.sync.budget import RAREST, spacing
from kartoteka.sync.collect import Document, Found, advance
from kartoteka.sync.concern import News
from kartoteka.sync.rebase import CHANCE, looking_back, rebase, stop
from kartoteka.sync.restored import is_behind
from kartoteka.sync.retry import TOO_MUCH, is_own
from kartoteka.sync.run import Counts, Run
from kartoteka.sync.waiting import Waiting
from kartoteka.sync.window import FeedCursor, Paging, Zone

logger = logging.getLogger(__name__)

NAME = "feed"
"""The state's document of the feed."""
PAUSED_AS = "panel_feed"
"""The name under which the feed runs and is paused, beside the concerns."""
PAGES = 500
"""Pages read in one run; the next run goes on from there."""
PAGES_TOGETHER = 10
"""Pages read and handled together at most: one first, then twice as many each time, so that a short run ends well."""
WHOLE_PAGES = 10
"""Pages of the slow reading of all accounts in one run, beside what has changed."""

ECHO = timedelta(minutes=1)
"""How long before our clock's moment of a write the panel may have dated it."""

Keys = dict[str, list[Owner]]


def index_is_complete(run: Run) -> bool:
    """Return whether every account of the panel has been read once: before that, nobody knows who has one."""
    cursor, _ = kept.read(run.state, NAME, FeedCursor.read)
    return cursor is not None and cursor.first is None


def was_read_just_now(run: Run) -> bool:
    """Return whether the feed was read to its end within the shortest time that it waits."""
    cursor, _ = kept.read(run.state, NAME, FeedCursor.read)
    if cursor is None or cursor.first or cursor.reading or cursor.waiting is None:
        return False
    return kept.is_within(run.policy.panel.poll.shortest, cursor.waiting.asked_at, run.now())


def read_anew(run: Run) -> None:
    """Let the feed read all accounts again: the account index may have lost some with a restored database."""
    cursor, version = kept.read(run.state, NAME, FeedCursor.read)
    if cursor is not None:
        anew = cursor.anew(run.now(), run.policy.panel.batch_size)
        run.state.save(NAME, anew.to_document(), version=version)


def seen(index: AccountIndex, account: Account) -> SeenAccount:
    """Return an account as the account index keeps it: what it is recognised by, and nothing else of it.

    Of a guest its number is kept, by which the panel counts it, its dates, and a code.
    """
    known = Recognised("", "", "") if account.guest else index.recognised(account.values)
    return SeenAccount(
        account.panel_client_id,
        "" if account.guest else account.login,
        account.external_code,
        modified_at=account.modified_at,
        guest=account.guest,
        registered=account.registered,
        **known._asdict(),
    )


def follow_panel(run: Run, *, at_once: bool = False) -> Counts:
    """Read the feed where its time has come, or ``at_once``; after the first pass let the concerns collect that waited.

    A run before that time asks and writes nothing.
    """
    panel_feed = PanelFeed(run, slowly=True, at_once=at_once)
    counts = advance(run, panel_feed)
    if panel_feed.completed:
        paused = run.exchange.pauses.paused()
        for name, concern in run.concerns.items():
            if concern.waits_for_index and name not in paused:
                for source in concern.sources(everything_due=False):
                    counts += advance(run, source)
    return counts


def reaching_back(window: Window, latest: Sequence[SeenAccount], limit: int) -> Window:
    """Return the window, begun at the latest account that is known: not where that second alone fills a page."""
    at = latest[0].modified_at if latest else None
    if at is None or (len(latest) >= limit and latest[-1].modified_at == at):
        return window
    return Window(min(window.begin, at), window.end)


class PanelFeed:
    """The panel's modification dates, page by page: the cursor is saved after each page of a search that has several.

    ``slowly``: read on, beside what has changed, all accounts in their turn; else what was registered of late is asked
    for whatever its time, since somebody is about to open accounts. ``at_once``: whatever the waiting time.
    ``completed``: the first pass came to its end in this run.
    """

    found_by = FoundBy.PANEL_FEED

    def __init__(self, run: Run, *, slowly: bool = False, at_once: bool = True) -> None:
        self._run = run
        self._slowly = slowly
        self._due = at_once
        self._woken = False
        self._poll = run.policy.panel.poll
        self._budgeted = run.policy.panel.monthly_budget is not None
        self._pages_left = PAGES
        self._whole_left = 1 if self._budgeted else WHOLE_PAGES
        self._together = 1
        self._unremembered: list[SeenAccount] = []
        self._window_opened = False
        self._registered_asked = False
        self.name = NAME
        self.completed = False

    def check(self, document: Document) -> None:
        """Read a cursor as :meth:`find` will."""
        FeedCursor.from_document(document)

    def find(self, document: Document | None) -> Found:
        """Return the owners with something to be done, by concern, and the moved cursor."""
        overlap = timedelta(seconds=self._run.policy.panel.overlap_seconds)
        before = FeedCursor.from_document(document, overlap).bounded(self._run.now()) if document is not None else None
        if before is not None and before.first is None:
            before = self._applied(before)
        self._due = self._due or before is None or before.again or self._is_due(before)
        if before is not None and not self._due:
            return self._whole(before) if before.whole and not self._budgeted else Found()
        try:
            cursor = self._measured(before)
            if cursor.first:
                return self._first_pass(cursor, cursor.first)
            if before is not None and before.measured_at != cursor.measured_at:
                for concern in self._run.concerns.values():
                    concern.index_complete()
            return self._next(cursor, before)
        except (Retry, Halt) as error:
            if before is None or before.first:
                self._tell_waiting(error)
            raise

    def _applied(self, cursor: FeedCursor) -> FeedCursor:
        """Return the cursor as the policy's modes want it; what was only planned, and is applied now, is read again."""
        moved = cursor.only_planned([name for name, concern in self._run.concerns.items() if concern.only_plans])
        if moved.again and not cursor.again:
            for name in cursor.planning.keys() - moved.planning.keys():
                self._run.concerns[name].index_complete()
                if moved.restored:
                    self._run.concerns[name].panel_restored()
        return moved

    def _is_due(self, cursor: FeedCursor) -> bool:
        """Return whether the feed has waited long enough; what is being read page by page is gone on with at once."""
        if cursor.first or cursor.reading or cursor.waiting is None:
            return True
        longest = self._poll.longest(hook=self._run.hook)
        self._run.short_of_calls = self._budgeted and cursor.waiting.time > longest
        over = cursor.waiting.is_over(self._run.now(), max(longest, RAREST) if self._budgeted else longest)
        return over or self._wakes(cursor.waiting)

    def _wakes(self, waiting: Waiting) -> bool:
        """Return whether the panel has called since it was last asked, and was not asked for the shortest time."""
        called = self._run.state.woken() if self._run.hook else None
        self._woken = called is not None and called > waiting.asked_at
        return self._woken and waiting.is_over(self._run.now(), self._times[0])

    @cached_property
    def _times(self) -> tuple[timedelta, timedelta]:
        """How long the feed waits at least and at most, by the policy and as the month's calls allow."""
        least = spacing(self._run)
        return max(self._poll.shortest, least), max(self._poll.longest(hook=self._run.hook), least)

    def _asked(self, waiting: Waiting | None) -> Waiting:
        """Return how long the feed waits after this reading, as long as it has found nothing."""
        now = self._run.now()
        if waiting and self._woken:
            return waiting.woken(now, self._times[0])
        return waiting.asked(now, *self._times) if waiting else Waiting(now, self._times[0])

    def _measured(self, cursor: FeedCursor | None) -> FeedCursor:
        """Return the cursor, with the panel's clock measured where that was long ago."""
        now = self._run.now()
        if cursor is None:
            begun = self._run.panel.now()
            return FeedCursor(begun, begun - now, now, first=self._reading(None))
        return cursor.measured(self._run.panel.now(), now) if cursor.clock_is_old(now) else cursor

    def _reading(self, search: Search) -> Paging:
        return Paging(search, self._run.now(), self._run.batch.size())

    # --- what is read next

    def _next(self, cursor: FeedCursor, before: FeedCursor | None) -> Found:
        """Go on with what is under way, else begin what is due; the last find of a run has nothing more to read."""
        if cursor.reading:
            return self._page_of(cursor, cursor.reading)
        if zone := cursor.zone_to_confirm():
            return self._confirm(cursor, zone)
        if not self._window_opened:
            return self._window(cursor, before)
        if not self._registered_asked and (not self._slowly or cursor.registrations_are_due(self._run.now())):
            return self._registered(cursor)
        self._run.feed_read = True
        return self._whole(cursor) if self._slowly else Found()

    def _window(self, cursor: FeedCursor, before: FeedCursor | None) -> Found:
        """Read the next window, which reaches back to the latest account that is known.

        Where not all are there that are known, the panel may have gone back.
        """
        now = self._run.now()
        window = cursor.next_window(now)
        latest = self._run.exchange.index.latest(self._run.policy.panel.batch_size)
        anchored = reaching_back(window, latest, self._run.policy.panel.batch_size)
        answer = self._ask(self._reading(anchored))
        measured = before is not None and before.measured_at != cursor.measured_at
        if self._looks_back(anchored, latest, answer, measured=measured) and cursor.restored is None:
            verified, went_back = self._verified(cursor, latest)
            if verified.restored:
                return self._found(verified, went_back)
        self._window_opened = True
        if answer.pages > 1 and anchored != window:
            answer = self._ask(self._reading(window))
        late = [a for a in answer.found if a.modified_at is None or a.modified_at >= window.begin]
        reading = self._reading(window).after(answer.total, answer.pages)
        resumed = replace(cursor.resumed(now), waiting=self._asked(cursor.waiting))
        moved, keys, _ = self._handle(resumed, late, reading=reading, counted=reading.crowded)
        if not reading.ended or reading.crowded:
            return self._found(replace(moved, reading=reading), keys)
        return self._found(moved.after(reading), keys)

    def _page_of(self, cursor: FeedCursor, reading: Paging) -> Found:
        """Read the next page of a search, or count what was seen of it, and read it again where that is not all."""
        if not reading.ended:
            cursor, keys, reading, _ = self._read(cursor, reading)
            return self._found(replace(cursor, reading=reading), keys)
        again = self._unless_complete(reading)
        return self._found(replace(cursor, reading=again) if again else cursor.after(reading))

    def _confirm(self, cursor: FeedCursor, zone: Zone) -> Found:
        """Have a zone read again where the panel counts more or fewer accounts in it than were seen since it began."""
        rest = replace(cursor, zones=tuple(each for each in cursor.zones if each != zone))
        total = self._run.panel.changed(zone.window, 0, 1).total
        if total != self._run.exchange.index.count_seen(zone.window, zone.begun):
            rest = replace(rest, reading=self._reading(zone.window))
        return self._found(rest)

    def _registered(self, cursor: FeedCursor) -> Found:
        """Ask for the accounts registered of late: a new one may have no modification date yet.

        Of more than a page the index knows how many it has seen; the others are looked for where they are fewer.
        """
        self._registered_asked = True
        days = cursor.registrations(self._run.now())
        moved, keys, reading, news = self._read(cursor, self._reading(days))
        known = reading.total if reading.ended else self._run.exchange.index.count_seen(days, None)
        if known < reading.total:
            return self._found(replace(moved, reading=reading), keys)
        due = news or moved != cursor or cursor.registrations_are_due(self._run.now())
        return self._found(moved.after(reading) if due else None, keys)

    def _whole(self, cursor: FeedCursor) -> Found:
        """Read some pages of all accounts in a run: what a window has missed is found some day."""
        every = timedelta(days=self._run.policy.panel.full_read_days)
        if cursor.whole is None and not cursor.whole_is_due(self._run.now(), every):
            return Found()
        reading = cursor.whole or self._reading(None)
        if reading.ended:
            again = self._unless_complete(reading)
            moved = replace(cursor, whole=again) if again else cursor.after(reading)
            return self._found(moved, more=again is not None and self._whole_left > 0)
        left = self._pages_left
        moved, keys, reading, _ = self._read(cursor, reading, most=self._whole_left)
        self._whole_left -= left - self._pages_left
        more = self._whole_left > 0 or reading.ended
        if moved.restored and not cursor.restored:  # noticed on this very page: all are read from the first on
            return self._found(moved, keys, more=more)
        return self._found(replace(moved, whole=reading), keys, more=more)

    def _first_pass(self, cursor: FeedCursor, first: Paging) -> Found:
        """Read a page of all accounts for the first time: before all were read, nobody knows whose is whose."""
        keys = Keys()
        if first.ended:
            again = self._unless_complete(first)
            moved = replace(cursor, first=again) if again else cursor.after(first)
        else:
            cursor, keys, first, _ = self._read(cursor, first, complete=False)
            moved = replace(cursor, first=first)
        found = self._found(moved, keys)
        if moved.first and not found.more:
            self._tell_waiting(Retry("first_pass"))
        return found if moved.first else replace(found, more=False, sent=self._ended)

    def _ended(self) -> None:
        self.completed = self._run.feed_read = True
        for concern in self._run.concerns.values():
            concern.index_complete()

    def _tell_waiting(self, error: Retry | Halt) -> None:
        for concern in self._run.concerns.values():
            concern.index_incomplete(error)

    # --- a panel that was restored

    def _looks_back(
        self, window: Window, latest: Sequence[SeenAccount], answer: AccountPage, *, measured: bool
    ) -> bool:
        """Whether accounts that were modified last, as the index knows, may have gone back.

        None has where all that should stand in this window are there, one of them as it was known: a backup is younger
        than that. Where all of them were edited since, the window does not reach back to one, or the answer has more
        pages, nobody knows: the panel is asked each time its clock is ``measured``, and before anything new is carried.
        """
        known = {a.panel_client_id: a.modified_at for a in latest if a.modified_at and a.modified_at >= window.begin}
        shown = {account.panel_client_id: account.modified_at for account in answer.found}
        if known and answer.pages <= 1:
            return not known.keys() <= shown.keys() or not any(shown[key] == at for key, at in known.items())
        page = self._run.exchange.index.known([account.panel_client_id for account in answer.found])
        new = any(page.get(account.panel_client_id) != self._seen(account) for account in answer.found)
        return bool(latest) and (new or measured)

    def _verified(
        self, cursor: FeedCursor, latest: Sequence[SeenAccount]
    ) -> tuple[FeedCursor, Mapping[str, Sequence[Owner]]]:
        """Read the accounts that were modified last: not all may be there any more, so the panel may have gone back.

        They may also have been removed, or edited in this very second. What they show now is remembered, and becomes
        the base of what went back: by their dates nobody could tell it any more. Where the panel fails over one of
        them, it is asked for the half without it.
        """
        known, shown = self._read_latest({account.panel_client_id: account for account in latest})
        behind = [account for key, account in shown.items() if is_behind(account, known[key])]
        missing = [each for key, each in known.items() if key not in shown] if shown else []
        gone = [replace(each, modified_at=None) for each in missing]
        self._unremembered += [*gone, *map(self._seen, behind)]
        if not behind:
            return cursor, {}
        moved = self._noticed(cursor, len(behind) + len(gone), len(known))
        assert moved.restored is not None
        owners = self._run.exchange.index.owners([account.panel_client_id for account in behind])
        linked = {Owner(owners[a.panel_client_id]): a for a in behind if a.panel_client_id in owners}
        return moved, rebase(self._run, linked, known, moved.restored, whole=False)

    def _read_latest(self, known: Mapping[str, SeenAccount]) -> tuple[Mapping[str, SeenAccount], Mapping[str, Account]]:
        """Return those of these accounts that were asked for, and what the panel shows of them."""
        keys, middle = list(known), len(known) // 2
        failure = None
        for part in (keys, keys[:middle], keys[middle:]):
            try:
                return {key: known[key] for key in part}, self._run.panel.read(part)
            except Retry as error:
                failure = error
                if not is_own(error) or len(keys) == 1:
                    raise
        assert failure
        raise failure

    def _noticed(self, cursor: FeedCursor, behind: int, read: int) -> FeedCursor:
        """Return the cursor with so many accounts counted that went back; all is stopped where they are too many."""
        if cursor.restored is None:
            logger.warning("the panel has gone back: %d of %d accounts show an older date", behind, read)
            for concern in self._run.concerns.values():
                if not concern.only_plans:
                    concern.panel_restored()
        moved = cursor.gone_back(behind, read)
        assert moved.restored is not None
        return replace(moved, restored=stop(self._run, moved.restored))

    # --- reading

    def _seen(self, account: Account) -> SeenAccount:
        return seen(self._run.exchange.index, account)

    def _ask(self, reading: Paging) -> AccountPage:
        self._pages_left -= 1
        return self._without_erased(self._page(reading, reading.page))

    def _page(self, reading: Paging, page: int) -> AccountPage:
        """Return a page of a search; where it is too much for one call, the next ones are smaller."""
        try:
            answer = self._run.panel.changed(reading.search, page, reading.limit)
        except Retry as error:
            if error.code in TOO_MUCH:
                self._run.batch.too_many(reading.limit)
            raise
        if len(answer.found) >= reading.limit > 1:
            self._run.batch.passed(reading.limit)
        return answer

    def _without_erased(self, page: AccountPage) -> AccountPage:
        """Return a page without the accounts of clients who were erased; they are noted as seen, to be counted."""
        accounts = [self._seen(account) for account in page.found]
        dead = self._run.exchange.forgotten.accounts(accounts) if accounts else frozenset()
        self._unremembered += [account for account in accounts if account.panel_client_id in dead]
        return replace(page, found=[a for a in page.found if a.panel_client_id not in dead]) if dead else page

    def _ask_ahead(self, reading: Paging, most: int) -> list[tuple[int, AccountPage]]:
        """Return the next pages of a search with their numbers: several where nothing has moved while they were read.

        Raises Retry or Halt where the first one cannot be read.
        """

        def ask(page: int) -> AccountPage | Retry | Halt:
            try:
                return self._page(reading, page)
            except (Retry, Halt) as error:
                return error

        most = min(self._together if self._run.calls_at_once > 1 else 1, self._pages_left, most)
        self._together = min(2 * self._together, PAGES_TOGETHER)
        numbers = reading.ahead(max(1, most))
        first, *others = self._run.at_once(ask, numbers)
        if isinstance(first, Retry | Halt):
            raise first
        self._pages_left -= len(numbers)
        same = [a for a in others if isinstance(a, AccountPage) and (a.total, a.pages) == (first.total, first.pages)]
        shown = [first, *same] if len(same) == len(others) else [first]
        return list(zip(numbers, map(self._without_erased, shown), strict=False))

    def _read(
        self, cursor: FeedCursor, reading: Paging, *, most: int = PAGES_TOGETHER, complete: bool = True
    ) -> tuple[FeedCursor, Keys, Paging, bool]:
        """Read some pages; return the cursor, the keys asked for, the reading after them, and whether any was new."""
        accounts: dict[str, Account] = {}
        reading = after = reading.with_pages_of(self._run.batch.size())
        pages = self._ask_ahead(reading, most)
        if not self._run.time_left():  # what the concerns ask about a page is one call, for which there is time
            pages = pages[:1]
        for number, answer in pages:
            if after.ended or after.page != number:
                break
            after = after.after(answer.total, answer.pages)
            accounts |= {account.panel_client_id: account for account in answer.found}
        counted = reading.search is None or after.crowded or reading.crowded
        page = list(accounts.values())
        cursor, keys, news = self._handle(cursor, page, reading=after, counted=counted, complete=complete)
        return cursor, keys, after, news

    def _changed_by_others(self, news: News, keys: Keys, offset: timedelta) -> bool:
        """Whether anything new on a page is somebody else's doing.

        That is not the echo of what was opened or written here, as the history tells, and not a guest's order.
        """
        if any(key not in news.owners and not account.guest for key, account in news.fresh.items()):
            return True
        asked_for = {owner for owners in keys.values() for owner in owners}
        if any(owner in asked_for for owner, account in news.linked.items() if account.panel_client_id in news.fresh):
            return True
        moved = {owner.client_id: account.modified_at for owner, account in news.moved.items()}
        dates = [date for date in moved.values() if date]
        if not dates:
            return bool(moved)
        written = self._run.exchange.records.sent_since(list(moved), min(dates) - offset - ECHO)
        return not moved.keys() <= written

    def _unless_complete(self, reading: Paging) -> Paging | None:
        """Return the reading to be made again, where fewer accounts were seen than the panel counts."""
        return reading.unless_complete(self._run.exchange.index.count_seen(reading.search, reading.begun))

    def _found(
        self, cursor: FeedCursor | None, keys: Mapping[str, Sequence[Owner]] | None = None, *, more: bool = True
    ) -> Found:
        more = more and self._pages_left > 0 and self._run.time_left()
        return Found(keys or {}, cursor.to_document() if cursor else None, more=more, sent=self._remember)

    def _remember(self) -> None:
        """Write into the account index what was seen, once the queues have the keys: a crash before reads it again."""
        self._run.exchange.index.remember(self._unremembered, at=self._run.now())
        self._unremembered = []

    def _handle(
        self,
        cursor: FeedCursor,
        page: Sequence[Account],
        *,
        reading: Paging,
        counted: bool,
        complete: bool = True,
    ) -> tuple[FeedCursor, Keys, bool]:
        """Return the cursor, the keys that one page of a search asks for, and whether the index knew it otherwise.

        ``counted``: what is seen is counted, so it is remembered even where it is not new.
        """
        if not page:
            return cursor, {}, False
        ids = [account.panel_client_id for account in page]
        known, owners = self._run.exchange.index.known(ids), self._run.exchange.index.owners(ids)
        now = {account.panel_client_id: self._seen(account) for account in page}
        again = cursor.again and reading.search is not None
        fresh = {a.panel_client_id: a for a in page if again or known.get(a.panel_client_id) != now[a.panel_client_id]}
        window = reading.search if reading.crowded and isinstance(reading.search, Window) else None
        news = News(page, owners, fresh, frozenset(known), complete=complete, window=window)
        went_back: Mapping[str, Sequence[Owner]] = {}
        if complete:
            behind = sum(is_behind(account, known.get(account.panel_client_id)) for account in page)
            if not behind and cursor.restored is None:
                back, of = looking_back(self._run, news)
                if back >= CHANCE and 2 * back >= of:
                    behind = back
                elif back:
                    latest = self._run.exchange.index.latest(self._run.policy.panel.batch_size)
                    cursor, went_back = self._verified(cursor, latest)
            if behind:
                cursor = self._noticed(cursor, behind, len(page))
        moved: Mapping[str, Sequence[Owner]] = {}
        if cursor.restored and complete:
            moved = rebase(self._run, news.linked, known, cursor.restored, whole=reading.search is None)
            news = replace(news, loaded={})  # their bases are other ones now
        keys = {
            name: list(dict.fromkeys([*went_back.get(name, ()), *moved.get(name, ()), *concern.notice(news)]))
            for name, concern in self._run.concerns.items()
        }
        if complete and self._changed_by_others(news, keys, cursor.offset):
            waiting = cursor.waiting or self._asked(None)
            cursor = replace(cursor, waiting=waiting.changed(self._run.now(), self._times[0]))
        self._unremembered += [now[key] for key in (now if counted else fresh)]
        return cursor, {name: found for name, found in keys.items() if found}, bool(fresh)
