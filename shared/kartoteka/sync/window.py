"""The feed's place in the panel's modification dates: which accounts to ask for next, and how a search is read.

Pure. Times are the panel's own, in UTC. A modification may become visible some time after its date says, so each window
overlaps the last one. While the overlap holds more than a page (after a first load, say) reading it again and again
would cost a call for each hundred accounts: the window is kept narrow then, and each *zone* that was read is confirmed
once, by counting, when nothing can appear in it any more.

A search of several pages moves while it is read, so that a record can slip from a page not yet read to one that was. An
account that is edited again leaves its window, and all behind it move up: a window is therefore read from its last page
to its first. Accounts that register join the list of all: that one is read from the first page on. Where a search moves
the other way it is read anew, and at its end what was seen of it is counted.

Some pages are read together. Which of them the panel made first nobody knows, so those after the first count only where
it told the same of the whole search with each of them: else something has moved meanwhile, and they are read again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from kartoteka.ports.panel import Days, Search, Window
from kartoteka.sync.kept import moment
from kartoteka.sync.waiting import Waiting

OVERLAP = timedelta(minutes=3)
"""A modification becomes visible at most this long after its date. The contract shows seconds, and warns of lag."""
NARROW = timedelta(seconds=3)
"""The overlap that stays while a zone waits: dates are whole seconds, and so is the measured clock."""
CLOCK_AGE = timedelta(hours=6)
"""How long a measured difference between the panel's clock and ours is trusted."""
REGISTERED_EVERY = timedelta(hours=6)
"""How often the accounts registered of late are asked for where none is to be opened: they may have no date."""
OUTAGE = timedelta(hours=2)
"""After so long without a reading that was due, or where the panel's clock was put, a window may have skipped some."""
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
"""How exactly the panel tells its clock."""


@dataclass(frozen=True, slots=True)
class Paging:
    """A search that is being read page by page, in more than one run where one is too short.

    ``page`` is read next, of ``limit`` accounts. What was seen since ``begun`` (our clock) counts. ``total`` is what
    the search held when last asked, 0 before its first page. ``moved``: an account has left it meanwhile. ``ended``:
    all pages were read, and what was seen is to be counted. ``counted``: how many that were the last time; -1: this is
    the first time.
    """

    search: Search
    begun: datetime
    limit: int
    page: int = 0
    total: int = 0
    moved: bool = False
    ended: bool = False
    counted: int = -1

    @property
    def crowded(self) -> bool:
        """Whether the search holds more than a page."""
        return self.total > self.limit

    def ahead(self, most: int) -> Sequence[int]:
        """Return the pages that are read next where nothing moves, at most so many: known once the first was read."""
        if not self.total:
            return [self.page]
        if isinstance(self.search, Window):
            last = self.page - most if self.moved else max(0, self.page - most)
            return range(self.page, max(-1, last), -1) or [self.page]
        return range(self.page, min(self.page + most, -(-self.total // self.limit))) or [self.page]

    def with_pages_of(self, limit: int) -> Paging:
        """Return the reading as it goes on in pages of so many accounts, where those of now are too much."""
        if limit >= self.limit:
            return self
        seen_before = self.page * self.limit
        page = seen_before // limit
        if isinstance(self.search, Window) and self.total:
            page = -(-(seen_before + self.limit) // limit) - 1
        return replace(self, limit=limit, page=page)

    def after(self, total: int, pages: int) -> Paging:
        """Return the reading after its page was read, with what the panel said of the whole search."""
        return self._down(total, pages) if isinstance(self.search, Window) else self._up(total, pages)

    def _up(self, total: int, pages: int) -> Paging:
        if total < self.total:
            return self.anew()
        return replace(self, page=self.page + 1, total=total, ended=self.page + 1 >= pages)

    def _down(self, total: int, pages: int) -> Paging:
        if not self.total:
            return replace(self, page=max(0, pages - 1), total=total, ended=pages <= 1)
        if total > self.total:
            return self.anew()
        moved = self.moved or total < self.total
        rest = min(self.page, pages)
        if total == 0 and self.page:  # a page past the end, which may say nothing of the search
            rest, total = self.page, self.total
        last = self.page == 0 or rest == 0 or (rest == 1 and not moved)
        return replace(self, page=max(0, rest - 1), total=total, moved=moved, ended=last)

    def anew(self) -> Paging:
        """Return the reading from its beginning; what was seen of it remains seen."""
        return replace(self, page=0, total=0, moved=False, ended=False)

    def unless_complete(self, counted: int) -> Paging | None:
        """Return the reading to be made again; None: all was seen, or a second time has found nothing more."""
        if counted >= self.total or counted <= self.counted:
            return None
        return replace(self.anew(), counted=counted)

    def to_document(self) -> dict[str, Any]:
        """Return the reading as a JSON document."""
        place = {"page": self.page, "total": self.total, "moved": self.moved, "ended": self.ended}
        return {
            "search": _search_document(self.search),
            "begun": self.begun.isoformat(),
            "limit": self.limit,
            "counted": self.counted,
            **place,
        }

    @classmethod
    def from_document(cls, document: Any) -> Paging:
        """Return the reading that :meth:`to_document` wrote."""
        begun, search = moment(document["begun"]), _search(document["search"])
        numbers = {name: int(document[name]) for name in ("limit", "page", "total", "counted")}
        return cls(**{**document, **numbers, "begun": begun, "search": search})


@dataclass(frozen=True, slots=True)
class Zone:
    """A window that held more than a page and was read from ``begun`` (our clock) on; it waits to be confirmed."""

    window: Window
    begun: datetime


TOLD_RECORDS = 20
TOLD_PERCENT = 5
"""Where so many accounts, and such a part of those read, went back, everything is stopped until a person confirms."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A panel that was restored. What it shows with a date up to ``until`` was not edited since.

    ``behind`` of the accounts that were ``read`` went back. ``told``: a person was asked.
    """

    until: datetime
    behind: int = 0
    read: int = 0
    told: bool = False

    def counting(self, behind: int, read: int) -> Restored:
        """Return it with more accounts counted."""
        return replace(self, behind=self.behind + behind, read=self.read + read)

    @property
    def is_grave(self) -> bool:
        """Whether so much has gone back that a person is to be asked first."""
        return self.behind >= TOLD_RECORDS and 100 * self.behind >= TOLD_PERCENT * self.read


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """Where the feed stands.

    Everything up to ``until`` was read; ``zones`` wait to be confirmed. ``offset`` is the panel's clock minus ours, as
    measured at ``measured_at`` (our clock). ``reading`` is under way. ``first`` reads all accounts for the first time,
    before which no window is read; ``whole`` reads them again, slowly, beside the windows. ``whole_at`` is when the
    last such reading began (our clock), None: one is due. ``registered_at`` is when the accounts registered of late
    were last asked for (the panel's time). ``restored``: the panel has gone back, and all accounts have not been read
    since. ``waiting``: how long until a window is read again, None: no time. ``planning``: since
    when (the panel's time) a concern is only planned; ``again``: the window reaches back to then, and what it holds is
    new. ``overlap``: how far a window reaches back into the one before (the policy's, and not stored).
    """

    until: datetime
    offset: timedelta
    measured_at: datetime
    zones: tuple[Zone, ...] = ()
    reading: Paging | None = None
    first: Paging | None = None
    whole: Paging | None = None
    whole_at: datetime | None = None
    registered_at: datetime | None = None
    restored: Restored | None = None
    waiting: Waiting | None = None
    planning: Mapping[str, datetime] = field(default_factory=dict)
    again: bool = False
    overlap: timedelta = OVERLAP

    def only_planned(self, concerns: Collection[str]) -> FeedCursor:
        """Return the cursor where the panel's changes are only planned for these concerns.

        Of one that is applied now nothing was carried since its planning began: the next window reaches back to then,
        and all that it holds counts as new. Where the panel was restored meanwhile, all accounts are read again.
        """
        began = {name: self.planning.get(name, self.until - self.overlap) for name in concerns}
        ended = [since for name, since in self.planning.items() if name not in concerns]
        if began == self.planning:
            return self
        moved = replace(self, planning=began)
        if not ended:
            return moved
        if self.restored is not None:
            moved = replace(moved, restored=replace(self.restored, told=False), whole=None, whole_at=None)
        return replace(moved, until=min(self.until, *ended), reading=None, again=True)

    def anew(self, now: datetime, limit: int) -> FeedCursor:
        """Return the cursor from which all accounts are read once more before anything else."""
        return replace(self, first=Paging(None, now, limit), whole=None)

    def bounded(self, now: datetime) -> FeedCursor:
        """Return the cursor with no moment ahead of now: a clock that ran ahead may have stored them.

        What was edited while it did stands before a window that began ahead, so all accounts are to be read again.
        """
        here = now + self.offset
        asked = self.waiting.bounded(now) if self.waiting else None
        if self.until <= here + self.overlap and (self.whole_at is None or self.whole_at <= now):
            return replace(self, waiting=asked)
        zones = tuple(zone for zone in self.zones if zone.window.end <= here)
        registered = None if self.registered_at is None else min(self.registered_at, here)
        rest = replace(self, until=min(self.until, here), zones=zones, reading=None, whole_at=None, waiting=asked)
        return replace(rest, registered_at=registered)

    def clock_is_old(self, now: datetime) -> bool:
        """Return whether the panel's clock is to be measured again."""
        return not timedelta(0) <= now - self.measured_at < CLOCK_AGE

    def measured(self, panel_now: datetime, now: datetime) -> FeedCursor:
        """Return the cursor with the panel's clock as it was measured at our ``now``."""
        offset = panel_now - now
        put = abs(offset - self.offset) > self.overlap
        return replace(self, offset=offset, measured_at=now, whole_at=None if put else self.whole_at)

    def next_window(self, now: datetime) -> Window:
        """Return the window to read next, up to the second of the panel's time at our ``now``.

        The panel tells its clock in whole seconds, so it may be a second ahead of what was measured.
        """
        begin = self.until - (NARROW if self.zones else self.overlap)
        return Window(begin, max((now + self.offset + SECOND).replace(microsecond=0), self.until))

    def resumed(self, now: datetime) -> FeedCursor:
        """Return the cursor as it goes on now: after an outage all accounts are to be read again."""
        late = OUTAGE + (self.waiting.time if self.waiting else timedelta(0))
        return replace(self, whole_at=None) if now + self.offset - self.until > late else self

    def gone_back(self, behind: int, read: int) -> FeedCursor:
        """Return the cursor of a panel of which so many accounts went back: all of them are to be read again."""
        if self.restored:
            return replace(self, restored=self.restored.counting(behind, read))
        return replace(self, restored=Restored(self.until, behind, read), whole=None, whole_at=None)

    def after(self, reading: Paging) -> FeedCursor:
        """Return the cursor after this reading has come to its end."""
        rest, begun = replace(self, reading=None), reading.begun + self.offset
        if isinstance(reading.search, Days):
            return replace(rest, registered_at=begun)
        if reading.search is None:
            known = replace(self, first=None, whole=None, whole_at=reading.begun, registered_at=begun)
            return replace(known, restored=self.restored if self.planning else None)
        window = reading.search
        if reading.crowded and self.until < window.end + self.overlap:
            rest = replace(rest, zones=(*self.zones, Zone(window, reading.begun)))
        return replace(rest, until=max(self.until, window.end), again=False)

    def zone_to_confirm(self) -> Zone | None:
        """Return the first zone, once nothing can appear in it any more."""
        return next((zone for zone in self.zones[:1] if self.until >= zone.window.end + self.overlap), None)

    def registrations(self, now: datetime) -> Days:
        """Return the days of registration to ask for: yesterday to tomorrow, and further back after an outage.

        The panel's calendar is within a day of UTC's.
        """
        here = now + self.offset
        last_asked = self.registered_at or here
        return Days((min(here, last_asked) - DAY).date(), (here + DAY).date())

    def registrations_are_due(self, now: datetime) -> bool:
        """Return whether the accounts registered of late are to be asked for, even where none is to be opened."""
        return self.registered_at is None or not abs(now + self.offset - self.registered_at) < REGISTERED_EVERY

    def whole_is_due(self, now: datetime, every: timedelta) -> bool:
        """Return whether all accounts are to be read again."""
        return self.whole_at is None or not timedelta(0) <= now - self.whole_at < every

    def to_document(self) -> dict[str, Any]:
        """Return the cursor as a JSON document."""
        readings = {"reading": self.reading, "first": self.first, "whole": self.whole}
        return {
            "until": self.until.isoformat(),
            "offset": self.offset.total_seconds(),
            "measured_at": self.measured_at.isoformat(),
            "zones": [[*_search_document(zone.window)["window"], zone.begun.isoformat()] for zone in self.zones],
            "whole_at": self.whole_at.isoformat() if self.whole_at else None,
            "registered_at": self.registered_at.isoformat() if self.registered_at else None,
            "restored": _restored_document(self.restored),
            "waiting": self.waiting.to_document() if self.waiting else None,
            "planning": {name: since.isoformat() for name, since in self.planning.items()},
            "again": self.again,
            **{name: reading.to_document() if reading else None for name, reading in readings.items()},
        }

    @classmethod
    def read(cls, document: Any) -> FeedCursor | None:
        """Return what :meth:`to_document` wrote, None of nothing."""
        return None if document is None else cls.from_document(document)

    @classmethod
    def from_document(cls, document: Any, overlap: timedelta = OVERLAP) -> FeedCursor:
        """Return the cursor that :meth:`to_document` wrote."""
        time = moment
        zones = [[time(each) for each in zone] for zone in document["zones"]]
        readings = [document[name] for name in ("reading", "first", "whole")]
        reading, first, whole = (Paging.from_document(each) if each else None for each in readings)
        whole_at, registered_at = (document[name] and time(document[name]) for name in ("whole_at", "registered_at"))
        return cls(
            until=time(document["until"]),
            offset=timedelta(seconds=document["offset"]),
            measured_at=time(document["measured_at"]),
            zones=tuple(Zone(Window(begin, end), begun) for begin, end, begun in zones),
            reading=reading,
            first=first,
            whole=whole,
            whole_at=whole_at,
            registered_at=registered_at,
            restored=_restored(document["restored"]),
            waiting=Waiting.from_document(document["waiting"]) if document["waiting"] else None,
            planning={name: time(since) for name, since in document.get("planning", {}).items()},
            again=document.get("again", False),
            overlap=overlap,
        )


def _restored_document(restored: Restored | None) -> dict[str, Any] | None:
    return {**asdict(restored), "until": restored.until.isoformat()} if restored else None


def _restored(document: Any) -> Restored | None:
    return Restored(**{**document, "until": moment(document["until"])}) if document else None


def _search_document(search: Search) -> dict[str, Any]:
    if isinstance(search, Window):
        return {"window": [search.begin.isoformat(), search.end.isoformat()]}
    return {"days": [search.first.isoformat(), search.last.isoformat()]} if search else {}


def _search(document: Any) -> Search:
    if "window" in document:
        return Window(*map(moment, document["window"]))
    return Days(*map(date.fromisoformat, document["days"])) if document else None
