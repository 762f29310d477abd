"""The panel's feed: what changed in the panel, read once for all concerns.

Each page of accounts is shown to every concern, which plans with it what a worker would plan: where the plan is empty
(the echo of our own write, a change of something that is not synchronised) no key reaches a queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from kartoteka.errors import Halt, Retry
from kartoteka.fields.table import recognised_by
from kartoteka.model import Owner
from kartoteka.ports.exchange import SeenAccount
from kartoteka.ports.panel import Account, Search
from kartoteka.sync.collect import Document, Found, advance
from kartoteka.sync.concern import News
from kartoteka.sync.run import Counts, Run
from kartoteka.sync.window import SAVE_AFTER, FeedCursor, Reading, Zone

NAME = "feed"
"""The state's document of the feed."""
PAUSED_AS = "panel_feed"
"""The name under which the feed runs and is paused, beside the concerns."""
PAGES = 500
"""Pages read in one run; the next run goes on from there."""
WHOLE_PAGES = 10
"""Pages of the slow reading of all accounts in one run, beside what has changed."""

Keys = dict[str, list[Owner]]


def index_is_complete(run: Run) -> bool:
    """Return whether every account of the panel has been read once: before that, nobody knows who has one."""
    document = run.state.load(NAME).document
    return document is not None and FeedCursor.from_document(document).first is None


def read_anew(run: Run) -> None:
    """Let the feed read all accounts again: the account index may have lost some with a restored database."""
    stored = run.state.load(NAME)
    if stored.document is not None:
        cursor = FeedCursor.from_document(stored.document).anew(run.now(), run.policy.panel.batch_size)
        run.state.save(NAME, cursor.to_document(), version=stored.version)


def seen(account: Account) -> SeenAccount:
    """Return an account as the account index keeps it: normalised for matching, and nothing else of it."""
    tax_number, mail = recognised_by(account.values)
    return SeenAccount(
        account.panel_client_id,
        account.login,
        account.external_code,
        tax_number=tax_number,
        mail=mail,
        modified_at=account.modified_at,
        guest=account.guest,
        registered=account.registered,
    )


def follow_panel(run: Run) -> Counts:
    """Read the feed; after the first pass let the concerns collect that have waited for it."""
    panel_feed = PanelFeed(run, slowly=True)
    counts = advance(run, panel_feed)
    if panel_feed.completed:
        paused = run.state.paused()
        for name, concern in run.concerns.items():
            if concern.waits_for_index and name not in paused:
                for source in concern.sources(everything_due=False):
                    counts += advance(run, source)
    return counts


class PanelFeed:
    """The panel's modification dates, page by page: the cursor is saved after each page of a search that has several.

    ``slowly``: read on, beside what has changed, all accounts in their turn; else what was registered of late is asked
    for whatever its time, since somebody is about to open accounts. ``completed``: the first pass came to its end in
    this run.
    """

    def __init__(self, run: Run, *, slowly: bool = False) -> None:
        self._run = run
        self._slowly = slowly
        self._pages_left = PAGES
        self._whole_left = WHOLE_PAGES
        self._unremembered: list[SeenAccount] = []
        self._window_opened = False
        self._registered_asked = False
        self.name = NAME
        self.completed = False

    def find(self, document: Document | None) -> Found:
        """Return the owners with something to be done, by concern, and the moved cursor."""
        before = FeedCursor.from_document(document) if document is not None else None
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

    def _measured(self, cursor: FeedCursor | None) -> FeedCursor:
        """Return the cursor, with the panel's clock measured where that was long ago."""
        now = self._run.now()
        if cursor is None:
            begun = self._run.panel.now()
            return FeedCursor(begun, begun - now, now, first=self._reading(None))
        return cursor.measured(self._run.panel.now(), now) if cursor.clock_is_old(now) else cursor

    def _reading(self, search: Search) -> Reading:
        return Reading(search, self._run.now(), self._run.policy.panel.batch_size)

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
        """Read the next window. A quiet one of one page moves the cursor only now and then."""
        self._window_opened = True
        resumed = cursor.resumed(self._run.now())
        keys, reading, news = self._read(self._reading(cursor.next_window(self._run.now())))
        if not reading.ended or reading.crowded:
            return self._found(replace(resumed, reading=reading), keys)
        moved = resumed.after(reading)
        worth = before is None or resumed != before or news or moved.until - before.until >= SAVE_AFTER
        return self._found(moved if worth or moved.zone_to_confirm() else None, keys)

    def _page_of(self, cursor: FeedCursor, reading: Reading) -> Found:
        """Read the next page of a search, or count what was seen of it, and read it again where that is not all."""
        if not reading.ended:
            keys, reading, _ = self._read(reading)
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
        keys, reading, news = self._read(self._reading(days))
        known = reading.total if reading.ended else self._run.exchange.index.count_seen(days, None)
        if known < reading.total:
            return self._found(replace(cursor, reading=reading), keys)
        due = news or cursor.registrations_are_due(self._run.now())
        return self._found(cursor.after(reading) if due else None, keys)

    def _whole(self, cursor: FeedCursor) -> Found:
        """Read some pages of all accounts in a run: what a window has missed is found some day."""
        every = timedelta(days=self._run.policy.panel.full_read_days)
        if cursor.whole is None and not cursor.whole_is_due(self._run.now(), every):
            return Found()
        reading, keys = cursor.whole or self._reading(None), Keys()
        if not reading.ended:
            self._whole_left -= 1
            keys, reading, _ = self._read(reading)
            return self._found(replace(cursor, whole=reading), keys, more=self._whole_left > 0 or reading.ended)
        again = self._unless_complete(reading)
        moved = replace(cursor, whole=again) if again else cursor.after(reading)
        return self._found(moved, more=again is not None and self._whole_left > 0)

    def _first_pass(self, cursor: FeedCursor, first: Reading) -> Found:
        """Read a page of all accounts for the first time: before all were read, nobody knows whose is whose."""
        keys, upcoming = Keys(), first
        if first.ended:
            again = self._unless_complete(first)
            moved = replace(cursor, first=again) if again else cursor.after(first)
        else:
            keys, upcoming, _ = self._read(first, complete=False)
            moved = replace(cursor, first=upcoming)
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

    # --- reading

    def _read(self, reading: Reading, *, complete: bool = True) -> tuple[Keys, Reading, bool]:
        """Read a page; return the keys that it asks for, the reading after it, and whether anything on it was new."""
        self._pages_left -= 1
        answer = self._run.panel.changed(reading.search, reading.page, reading.limit)
        after = reading.after(answer.total, answer.pages)
        counted = reading.search is None or after.crowded or reading.crowded
        keys, news = self._handle(answer.found, counted=counted, complete=complete)
        return keys, after, news

    def _unless_complete(self, reading: Reading) -> Reading | None:
        """Return the reading to be made again, where fewer accounts were seen than the panel counts."""
        return reading.unless_complete(self._run.exchange.index.count_seen(reading.search, reading.begun))

    def _found(self, cursor: FeedCursor | None, keys: Keys | None = None, *, more: bool = True) -> Found:
        more = more and self._pages_left > 0 and self._run.time_left()
        return Found(keys or {}, cursor.to_document() if cursor else None, more=more, sent=self._remember)

    def _remember(self) -> None:
        """Write into the account index what was seen, once the queues have the keys: a crash before reads it again."""
        self._run.exchange.index.remember(self._unremembered, at=self._run.now())
        self._unremembered = []

    def _handle(self, page: Sequence[Account], *, counted: bool, complete: bool) -> tuple[Keys, bool]:
        """Return the keys that one page asks for, and whether an account on it looks otherwise in the account index.

        ``counted``: what is seen is counted, so it is remembered even where it is not new.
        """
        if not page:
            return {}, False
        ids = [account.panel_client_id for account in page]
        known, owners = self._run.exchange.index.known(ids), self._run.exchange.index.owners(ids)
        fresh = {a.panel_client_id: a for a in page if known.get(a.panel_client_id) != seen(a)}
        news = News(page, owners, fresh, frozenset(known), complete=complete)
        keys = {name: list(concern.notice(news)) for name, concern in self._run.concerns.items()}
        self._unremembered += [seen(account) for account in (page if counted else fresh.values())]
        return {name: found for name, found in keys.items() if found}, bool(fresh)
