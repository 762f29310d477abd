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
from kartoteka.ports.panel import Account, AccountPage, Window
from kartoteka.sync.collect import Document, Found, advance
from kartoteka.sync.concern import News
from kartoteka.sync.run import Counts, Run
from kartoteka.sync.window import SAVE_AFTER, FeedCursor, FirstPass

NAME = "feed"
"""The state's document of the feed."""
PAUSED_AS = "panel_feed"
"""The name under which the feed runs and is paused, beside the concerns."""
MOST_PAGES = 100
"""A window of more pages is halved until it holds fewer, so that each run gets somewhere."""
SHORTEST = timedelta(seconds=2)
FIRST_PASS_PAGES = 500
"""Pages of the first pass read in one run; the next run goes on from there."""

Keys = dict[str, list[Owner]]


def index_is_complete(run: Run) -> bool:
    """Return whether every account of the panel has been read once: before that, nobody knows who has one."""
    document = run.state.load(NAME).document
    return document is not None and FeedCursor.from_document(document).first is None


def read_anew(run: Run) -> None:
    """Let the feed read all accounts again: the account index may have lost some with a restored database."""
    stored = run.state.load(NAME)
    if stored.document is not None:
        cursor = FeedCursor.from_document(stored.document).anew()
        run.state.save(NAME, cursor.to_document(), version=stored.version)


def seen(account: Account) -> SeenAccount:
    """Return an account as the account index keeps it: normalised for matching, and nothing else of it."""
    return SeenAccount(
        account.panel_client_id,
        account.login,
        account.external_code,
        modified_at=account.modified_at,
        guest=account.guest,
        **recognised_by(account.values)._asdict(),
    )


def follow_panel(run: Run) -> Counts:
    """Read the feed; after the first pass let the concerns collect that have waited for it."""
    panel_feed = PanelFeed(run)
    counts = advance(run, panel_feed)
    if panel_feed.completed:
        paused = run.exchange.pauses.paused()
        for name, concern in run.concerns.items():
            if concern.waits_for_index and name not in paused:
                for source in concern.sources(everything_due=False):
                    counts += advance(run, source)
    return counts


class PanelFeed:
    """The panel's modification dates. ``completed``: the first pass came to its end in this run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._pages_left = FIRST_PASS_PAGES
        self._unremembered: list[SeenAccount] = []
        self._window_read = False
        self.name = NAME
        self.completed = False

    def find(self, document: Document | None) -> Found:
        """Return the owners with something to be done, by concern, and the moved cursor."""
        try:
            before = FeedCursor.from_document(document) if document is not None else None
            cursor = self._measured(before)
            return self._first_pass(cursor, cursor.first) if cursor.first else self._follow(cursor, before)
        except (Retry, Halt) as error:
            if document is None or FeedCursor.from_document(document).first:
                self._tell_waiting(error)
            raise

    def _measured(self, cursor: FeedCursor | None) -> FeedCursor:
        """Return the cursor, with the panel's clock measured where that was long ago."""
        now = self._run.now()
        if cursor is None:
            begun = self._run.panel.now()
            return FeedCursor(begun, begun - now, now, first=FirstPass(0, begun))
        if cursor.clock_is_old(now):
            return replace(cursor, offset=self._run.panel.now() - now, measured_at=now)
        return cursor

    def _first_pass(self, cursor: FeedCursor, first: FirstPass) -> Found:
        """Read one page of all accounts: the cursor is saved after each."""
        answer = self._page(None, first.page)
        keys = self._handle(answer.found, self._fresh(answer.found), complete=False)
        upcoming = first.next(answer.total, answer.pages)
        self._pages_left -= 1
        more = upcoming is not None and self._pages_left > 0 and self._run.time_left()
        if upcoming is not None and not more:
            self._tell_waiting(Retry("first_pass"))

        def ended() -> None:
            self._remember()
            if upcoming is None:
                self.completed = self._run.feed_read = True
                for concern in self._run.concerns.values():
                    concern.index_complete()

        return Found(keys, replace(cursor, first=upcoming).to_document(), more=more, sent=ended)

    def _remember(self) -> None:
        """Write into the account index what was seen, once the queues have the keys: a crash before reads it again."""
        self._run.exchange.index.remember(self._unremembered, at=self._run.now())
        self._unremembered = []

    def _tell_waiting(self, error: Retry | Halt) -> None:
        for concern in self._run.concerns.values():
            concern.index_incomplete(error)

    def _follow(self, cursor: FeedCursor, before: FeedCursor | None) -> Found:
        if before is not None and before.measured_at != cursor.measured_at:
            for concern in self._run.concerns.values():
                concern.index_complete()
        keys: Keys = {}
        if zone := cursor.zone_to_confirm():
            self._confirm(zone, keys)
            confirmed = replace(cursor, zone=None).to_document()
            self._run.feed_read = self._window_read
            return Found(keys, confirmed, more=not self._window_read, sent=self._remember)
        window, crowded, news = self._read(cursor.next_window(self._run.now()), keys)
        self._window_read = True
        moved = cursor.after(window, crowded=crowded)
        worth = before is None or cursor != before or moved.zone != before.zone or news
        worth = worth or (before is not None and moved.until - before.until >= SAVE_AFTER)
        more = moved.zone_to_confirm() is not None
        self._run.feed_read = not more
        return Found(keys, moved.to_document() if worth or more else None, more=more, sent=self._remember)

    def _read(self, window: Window, keys: Keys) -> tuple[Window, bool, bool]:
        """Read a window, or as much of it, from its begin, as one run can read.

        Return what was read of it, whether that held more than a page, and whether there was anything new.
        """
        answer = self._page(window, 0)
        while answer.pages > MOST_PAGES and window.end - window.begin > SHORTEST:
            window = Window(window.begin, window.begin + (window.end - window.begin) / 2)
            answer = self._page(window, 0)
        news, pages = False, max(1, answer.pages)
        for page in range(pages):
            answer = answer if page == 0 else self._page(window, page)
            fresh = self._fresh(answer.found)
            for concern, owners in self._handle(answer.found, fresh).items():
                keys[concern] = list(dict.fromkeys([*keys.get(concern, []), *owners]))
            news |= bool(fresh[0])
        return window, pages > 1, news

    def _confirm(self, zone: Window, keys: Keys) -> None:
        """Read a zone again where the panel counts more or fewer accounts in it than we have seen."""
        total = self._run.panel.changed(zone, 0, 1).total
        if total == self._run.exchange.index.count_modified(zone.begin, zone.end):
            return
        rest = zone
        while rest.begin < zone.end:
            window, _, _ = self._read(rest, keys)
            rest = Window(window.end, zone.end)

    def _page(self, window: Window | None, page: int) -> AccountPage:
        return self._run.panel.changed(window, page, self._run.policy.panel.batch_size)

    def _fresh(self, page: Sequence[Account]) -> tuple[dict[str, Account], frozenset[str]]:
        """Return the accounts that look otherwise in the account index, and the ids that it has at all."""
        known = self._run.exchange.index.known([a.panel_client_id for a in page]) if page else {}
        return {a.panel_client_id: a for a in page if known.get(a.panel_client_id) != seen(a)}, frozenset(known)

    def _handle(
        self, page: Sequence[Account], fresh: tuple[dict[str, Account], frozenset[str]], *, complete: bool = True
    ) -> Keys:
        """Return the keys that one page asks for."""
        if not page:
            return {}
        owners = self._run.exchange.index.owners([a.panel_client_id for a in page])
        news = News(page, owners, *fresh, complete=complete)
        keys = {name: list(concern.notice(news)) for name, concern in self._run.concerns.items()}
        self._unremembered += [seen(account) for account in news.fresh.values()]
        return {name: found for name, found in keys.items() if found}
