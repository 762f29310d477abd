"""Collect: which records have something to be done. One move with several sources, each with a cursor of its own.

The cursor is saved only after the queue has taken every key, so a crash repeats work and never loses it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from kartoteka.errors import Retry
from kartoteka.model import Ended, FoundBy, Owner, RecordState
from kartoteka.pieces import pieces
from kartoteka.ports.exchange import EXCLUSIONS, STATUSES, Chosen, LogEntry, PlanChange
from kartoteka.sync import forget, kept, triggers, unread
from kartoteka.sync.cursor import LogCursor
from kartoteka.sync.run import Counts, Run
from kartoteka.sync.taken import UNCONFIRMED

if TYPE_CHECKING:
    from kartoteka.sync.concern import Concern

logger = logging.getLogger(__name__)

Document = Mapping[str, Any]


@dataclass(slots=True)
class Found:
    """What a source has found: keys by concern, and its cursor once the queues have them (None: not worth saving).

    ``found_by``: the keys that another pass than the source's own has found. ``more``: the source has more to read now.
    ``sent`` is called when the queues have the keys. ``failure`` stopped the
    source on its way: what was found before is sent, then it is raised.
    """

    keys: Mapping[str, Sequence[Owner]] = field(default_factory=dict)
    document: Document | None = None
    found_by: Mapping[Owner, FoundBy] = field(default_factory=dict)
    more: bool = False
    sent: Callable[[], None] | None = None
    failure: Exception | None = None


class Source(Protocol):
    """Something that tells of changes."""

    @property
    def name(self) -> str:
        """The name of its cursor in the state."""
        ...

    @property
    def found_by(self) -> FoundBy:
        """What the history calls the pass that it makes."""
        ...

    def check(self, document: Document) -> None:
        """Read a cursor as :meth:`find` will. Raises one of :data:`kartoteka.sync.kept.MALFORMED` for what is none."""
        ...

    def find(self, document: Document | None) -> Found:
        """Return what is new since the cursor in ``document``; None: nothing was ever read."""
        ...


def advance(run: Run, source: Source) -> Counts:
    """Hand the keys that a source finds to the concerns' queues, and move its cursor.

    Where another run has moved the cursor meanwhile, this one ends: that run goes on. Since when the panel does not
    answer is kept beside the cursor, until a run has read on to its end.
    """
    counts = Counts()
    place = _Place.of(run, source)
    while True:
        try:
            found = source.find(place.document)
        except Retry as error:
            found = Found(failure=error)
        for concern, owners in found.keys.items():
            if owners:
                run.queue.send(concern, list(owners), dict.fromkeys(owners, source.found_by) | dict(found.found_by))
                counts.collected += len(owners)
        if found.sent:
            found.sent()
        kept = place.move(run, found)
        if found.failure is not None:
            raise found.failure
        if not (kept and found.more):
            return counts


UNREAD_SINCE = "unread_since"
"""The key beside a cursor's own ones that says since when the panel does not answer."""


@dataclass(slots=True)
class _Place:
    """Where a source stands: its own document, and since when the panel does not answer it."""

    name: str
    document: Document | None
    version: int
    unread_since: datetime | None
    read_on: bool = False

    @classmethod
    def of(cls, run: Run, source: Source) -> _Place:
        def own(document: Document | None) -> tuple[Document | None, datetime | None]:
            if document is None:
                return None, None
            rest = dict(document)
            since = rest.pop(UNREAD_SINCE, None)
            source.check(rest)
            return rest, min(kept.moment(since), run.now()) if since else None

        (document, since), version = kept.read(run.state, source.name, own)
        return cls(source.name, document, version, since)

    def move(self, run: Run, found: Found) -> bool:
        """Save where the source stands now, if it has moved; False where another run has moved it meanwhile."""
        self.read_on = self.read_on or found.document is not None
        since = self.unread_since
        if isinstance(found.failure, Retry):
            since = unread.since(run, found.failure, since)
        elif self.read_on and not found.more:
            since = None
        document = self.document if found.document is None else found.document
        if document is None or (document, since) == (self.document, self.unread_since):
            return True
        marked = document if since is None else {**document, UNREAD_SINCE: since.isoformat()}
        if not run.state.save(self.name, marked, version=self.version):
            return False
        self.document, self.unread_since, self.version = document, since, self.version + 1
        return True


# --- the log of changes

LOG_PAGE = 5_000
"""Log rows read with one statement."""
LOG_PAGES = 20
"""Pages of the log read in one run; the next run goes on from there."""
PAGE = 1_000
"""Owners planned with one set of statements."""
SCAN_STEP = 5
"""Pages of a full scan after which the cursor is saved."""
SCAN_BUDGET = 50_000
"""Owners planned in one run: a full scan of a million takes several runs and survives each one's end."""
DUE_LIMIT = 10_000
KEPT = timedelta(days=30)
"""How long ``change_log`` keeps its rows; a cursor that slept longer is answered with a full scan."""
IN_QUEUE = timedelta(minutes=10)
"""How long a deferred record whose key is in the queue is not sent there again."""
SCAN_EVERY = timedelta(days=1)
"""A full scan, without panel calls, that finds what a wrong cursor or a lost message missed."""
SEEN_AGAIN_AFTER = timedelta(minutes=15)
"""How much later a row must still be gone that only a full scan missed: its table may just be being filled."""
MOST_ABSENT = 2_000
"""Owners that are remembered as absent at most, since the cursor is one document; the next scan finds the others."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A full scan in progress: all clients after ``after``, then, with ``gone``, those that have no row any more.

    ``whole``: what the panel was last known to show cannot be trusted (the database was restored), so all are worked.
    ``policy``: the policy has changed, so that what it gives to a client without rows may be less than before.
    ``anew``: the log is read from its beginning too, and what it tells of clients that are there is left to the scan.
    """

    after: str = ""
    whole: bool = False
    gone: bool = False
    policy: bool = False
    anew: bool = False


NOBODY = Owner()
"""The owner that a row names whose column is empty."""

Absent = dict[Owner, datetime]
"""Owners of whom a row was seen to be gone, and nothing else told it -> when it was first seen so."""


class ChangeLogSource:
    """``change_log``, and with it what is deferred and due, and the full scan behind it.

    A key goes into the queue where the plan of one of its records is not empty: a nightly refill of the table with
    equal rows costs no panel call. ``everything_due`` takes deferred records too whose time has not come. The cursor is
    saved after each page of the log and each few pages of a scan, so that a run that is too short gets somewhere.
    """

    found_by = FoundBy.CHANGE_LOG

    def __init__(self, concern: Concern, *, everything_due: bool = False) -> None:
        self._concern = concern
        self._run = concern.run
        self._everything_due = everything_due
        self._tables = concern.rows.tables | {STATUSES, EXCLUSIONS}
        self._due_taken = self._approved_taken = False
        self._of_exclusions: list[LogEntry] = []
        self._log_left, self._scan_left = LOG_PAGES, SCAN_BUDGET // PAGE
        self.name = f"log:{concern.name}"

    def check(self, document: Document) -> None:
        """Read a cursor as :meth:`find` will."""
        LogCursor.from_document(document)
        kept.moment(document["scanned_at"])
        if document.get("scan"):
            Scan(**document["scan"])
        for name in ("absent", "gone"):
            _absent(document, self._run.now(), name)

    def find(self, document: Document | None) -> Found:
        """Return the owners with something to be done, and the moved cursor."""
        spans = triggers.look(self._run, self.name, self._tables, now=self._everything_due)
        cursor, scan, scanned_at = self._resume(document, spans)
        restored = document is not None and cursor.high < document["high"]
        if restored and self._concern.restored():  # the whole scan begins when all accounts have been read again
            return Found(document=self._document(cursor, scan, scanned_at))
        cursor, touched, behind = self._read(cursor)
        absent = {owner: since for owner, since in _absent(document, self._run.now()).items() if owner not in touched}
        told = frozenset(touched)
        begins = scan is not None and not scan.after and not scan.gone
        if begins:
            self._concern.tidy()
            self._tidy_plan()
        if (begins or NOBODY in touched) and not self._concern.only_plans:
            self._tell_of_nobodys()
        if (begins or self._of_exclusions) and not self._concern.only_plans:
            self._concern.exclusions_changed()
        if begins and scan and scan.anew:  # it sees all clients that are there
            clients = self._run.exchange.records.existing([o.client_id for o in touched if o.client_id])
            touched = [o for o in touched if o.client_id not in clients]
        keys, lost = self._differing([o for o in touched if o != NOBODY])
        still, absent = self._still_absent(absent)
        gone = _gone(document, self._run.now()) | dict.fromkeys([*lost, *still], self._run.now())
        keys = list(dict.fromkeys([*keys, *self._included_again()]))
        tried, approved = self._due(absent, {*told, *gone}), self._approved()
        due = [*tried, *approved]
        found: list[Owner] = []
        if not behind:
            found, scan, lost = self._scan(scan, absent, {*keys, *due, *still}, told)
            gone |= dict.fromkeys(lost, self._run.now())
        more = self._log_left > 0 if behind else scan is not None and self._scan_left > 0
        passes = dict.fromkeys([*still, *found], FoundBy.FULL_SCAN) | dict.fromkeys(approved, FoundBy.PLAN)
        passes |= dict.fromkeys(tried, FoundBy.RETRY) | dict.fromkeys(keys, self.found_by)
        keys = list(dict.fromkeys([*keys, *due, *still, *found]))
        sent = dict.fromkeys(self._concern.fit_to_send(keys) if keys else ())
        queued = [
            owner for owner in (self._concern.following(due) if self._concern.only_plans else due) if owner in sent
        ]

        def postpone() -> None:
            if queued:
                until = self._run.now() + IN_QUEUE
                self._run.exchange.records.postpone(self._concern.name, queued, until)

        moved = self._document(cursor, scan, scanned_at, absent, gone)
        more = more and self._run.time_left()
        return Found({self._concern.name: list(sent)}, moved, passes, more=more, sent=postpone)

    def _resume(
        self, document: Document | None, spans: Sequence[triggers.Span]
    ) -> tuple[LogCursor, Scan | None, datetime]:
        """Return where to go on, and when the last full scan began.

        All are scanned without a cursor, once a day, where the database was taken over or the policy has changed, and
        where not all was logged: one scan after the other.
        """
        now = self._run.now()
        if document is None:
            return LogCursor(), Scan(anew=True), now
        cursor = LogCursor.from_document(document)
        if cursor.high and self._run.exchange.log.mark(cursor.high) != cursor.mark:
            logger.warning(
                "change_log has lost row %d (the database was restored or rebuilt): all records of %s are compared",
                cursor.high,
                self._concern.name,
            )
            forget.restore(self._run.exchange, self._run.state, at=now)
            return LogCursor(), Scan(whole=True, anew=True), now
        scanned_at = kept.moment(document["scanned_at"])
        scan = document.get("scan")
        if document.get("taken_over", "") != self._run.taken_over:  # what the former owner has left under way
            return cursor, Scan(whole=bool(scan and scan["whole"])), now
        if document.get("policy") != self._policy_digest():
            return cursor, Scan(whole=bool(scan and scan["whole"]), policy=True), now
        if scan is None and not kept.is_within(SCAN_EVERY, scanned_at, now):
            self._run.exchange.log.prune(now - KEPT)
            return cursor, Scan(), now
        if scan is None and any(span.owes_scan(scanned_at, now) for span in spans):
            return cursor, Scan(), now
        return cursor, Scan(**scan) if scan else None, scanned_at

    def _document(
        self,
        cursor: LogCursor,
        scan: Scan | None,
        scanned_at: datetime,
        absent: Absent | None = None,
        gone: Absent | None = None,
    ) -> Document:
        found = cursor.to_document() | {"scanned_at": scanned_at.isoformat(), "policy": self._policy_digest()}
        if self._run.taken_over:
            found["taken_over"] = self._run.taken_over
        for name, owners in (("absent", absent), ("gone", gone)):
            if owners:
                found[name] = [[*owner, since.isoformat()] for owner, since in list(owners.items())[-MOST_ABSENT:]]
        return found | {"scan": asdict(scan)} if scan else found

    def _policy_digest(self) -> str:
        """Return a mark of the policy: records that were planned under another one are planned again."""
        return hashlib.sha256(self._run.policy.model_dump_json().encode()).hexdigest()[:16]

    def _read(self, cursor: LogCursor) -> tuple[LogCursor, list[Owner], bool]:
        """Return the moved cursor, the owners whose rows of this concern were touched, and whether there is more."""
        self._log_left -= 1
        entries = self._run.exchange.log.read(cursor.high, cursor.spans(), LOG_PAGE)
        moved = cursor.advance([entry.seq for entry in entries], self._run.now(), self._run.longest_transaction)
        if moved.high != cursor.high:
            moved = replace(moved, mark=self._run.exchange.log.mark(moved.high))
        self._of_exclusions = [entry for entry in entries if entry.table_name == EXCLUSIONS]
        touched = dict.fromkeys(e.owner for e in entries if e.is_about(self._concern.name, self._tables))
        return moved, list(touched), sum(entry.seq > cursor.high for entry in entries) >= LOG_PAGE

    def _included_again(self) -> list[Owner]:
        """Return the clients of whom the log tells that they are not excluded any more, if they are not.

        Whatever is known of them says what the panel showed before: it is asked what has become of that.
        """
        name, entries = self._concern.name, self._of_exclusions if self._concern.is_on else ()
        ids = {entry.client_id for entry in entries if entry.is_about(name, ())} - {""}
        still = self._run.exchange.records.exclusions(ids) if ids else {}
        return [Owner(client_id) for client_id in sorted(ids) if name not in still.get(client_id, ())]

    def _tell_of_nobodys(self) -> None:
        """Say of rows that name no client that they are nobody's; no queue need know of them."""
        plans = self._concern.plans(self._concern.load([NOBODY]), None)
        self._run.save([plan.change() for plan in plans if plan])

    def _differing(self, owners: Sequence[Owner]) -> tuple[list[Owner], list[Owner]]:
        """Return those of these owners with something to be done, and those of them of whom a row is gone."""
        found: list[Owner] = []
        gone: list[Owner] = []
        for page in pieces(owners, PAGE):
            differing, lost = self._concern.differing_apart(page)
            wanted = {*differing, *lost}
            found += [owner for owner in page if owner in wanted]
            gone += lost
        return found, gone

    def _due(self, absent: Absent, known: Collection[Owner]) -> list[Owner]:
        """Return the deferred owners whose time has come, once a run.

        One of whom a row is gone that nothing told is noted in ``absent``, like one that a scan found. ``known`` are
        those of whom it was told, or seen twice.
        """
        if self._due_taken or not self._concern.is_on:
            return []
        self._due_taken = True
        now = None if self._everything_due else self._run.now()
        due = self._concern.due(self._run.exchange.records.due(self._concern.name, now, DUE_LIMIT))
        if self._concern.only_plans and not self._everything_due:
            due = self._concern.following(due)
        new = self._differing([owner for owner in due if owner not in known])[1]
        for owner in new:
            absent.setdefault(owner, self._run.now())
        waiting = frozenset(new)
        return [owner for owner in due if owner not in waiting]

    def _approved(self) -> list[Owner]:
        """Return the owners of whom a person has approved a plan, once a run; not those who are tried again later.

        What is to be undone is approved in any mode.
        """
        if self._approved_taken:
            return []
        self._approved_taken = True
        if not self._concern.is_on:
            self._refuse_undo()
            return []
        plans, name = self._run.exchange.plans, self._concern.name
        undone = plans.approved(name, DUE_LIMIT, undo=True)
        owners = plans.approved(name, DUE_LIMIT, undo=False) if self._concern.only_plans else ()
        states = self._run.exchange.records.states([name], [*undone, *owners]) if undone or owners else {}
        later = {key.owner for key, state in states.items() if self._waits(state)}
        return [*(o for o in undone if o not in later), *self._concern.ready([o for o in owners if o not in later])]

    def _refuse_undo(self) -> None:
        """End what was to be undone of a concern that is off by now: it would wait for ever."""
        plans = self._run.exchange.plans
        rows = plans.open(Chosen(self._concern.name, undo=True), 0, DUE_LIMIT)
        if rows:
            ended = dict.fromkeys((row.id for row in rows), Ended.REFUSED)
            plans.store(PlanChange(ended=ended), at=self._run.now())

    def _waits(self, state: RecordState) -> bool:
        """Whether a record is tried again later, for another reason than that it has not been shown."""
        deferral = state.deferral
        if deferral is None or self._everything_due or deferral.code == UNCONFIRMED:
            return False
        return deferral.waits(self._run.now())

    def _tidy_plan(self) -> None:
        """Remove what was planned and is applied now, or was carried out long ago."""
        plans = self._run.exchange.plans
        plans.prune(self._run.now() - KEPT)
        if not self._concern.only_plans:
            linked_only = any(each.only_plans for each in self._run.concerns.values())
            plans.drop(self._concern.name, linked_only=linked_only)

    def _still_absent(self, absent: Absent) -> tuple[list[Owner], Absent]:
        """Return the owners who are absent for long enough to be worked as such, and those who are to be seen again."""
        now = self._run.now()
        ripe = [owner for owner, since in absent.items() if now - since >= SEEN_AGAIN_AFTER]
        waiting = {owner: since for owner, since in absent.items() if owner not in set(ripe)}
        return [owner for page in pieces(ripe, PAGE) for owner in self._concern.differing_apart(page)[1]], waiting

    def _scan(
        self, scan: Scan | None, absent: Absent, found_otherwise: Collection[Owner], told: Collection[Owner]
    ) -> tuple[list[Owner], Scan | None, list[Owner]]:
        """Return the owners that a scan found to be worked, where it goes on, and those of them of whom a row is gone.

        Who is seen to be ``absent`` is noted there, unless it was ``found_otherwise`` and is worked as such, or the log
        has ``told`` of it.
        """
        found: list[Owner] = []
        gone: list[Owner] = []
        for _ in range(SCAN_STEP):
            if scan is None or self._scan_left <= 0:
                break
            self._scan_left -= 1
            page, after = self._concern.gone(scan.after, PAGE) if scan.gone else self._concern.scan(scan.after, PAGE)
            differing, unseen = self._concern.differing_apart(page, new_policy=scan.policy)
            lost = [owner for owner in unseen if owner not in told]
            gone += [owner for owner in unseen if owner in told]
            differing = [*differing, *(owner for owner in unseen if owner in told)]
            found += [o for o in page if o not in set(lost)] if scan.whole and not scan.gone else differing
            for owner in lost:
                if len(absent) < MOST_ABSENT and owner not in found_otherwise:
                    absent.setdefault(owner, self._run.now())
            scan = replace(scan, after=after) if after else None if scan.gone else replace(scan, after="", gone=True)
        return found, scan, gone


def _gone(document: Document | None, now: datetime) -> Absent:
    """Return the owners who were worked as gone not long ago: what is deferred of them is no news."""
    return {owner: at for owner, at in _absent(document, now, "gone").items() if now - at < SCAN_EVERY}


def _absent(document: Document | None, now: datetime, name: str = "absent") -> Absent:
    found = (document or {}).get(name, ())
    return {Owner(str(client), str(group)): min(kept.moment(since), now) for client, group, since in found}


# --- what the passing of time alone makes due

DATES_SAVED_AFTER = timedelta(hours=1)


class DueDates:
    """A query over moments: a price that begins or ends, figures that become stale.

    ``query`` is given the moment of the last look (None where that is not known) and ``until``. Where nothing was
    found, the cursor moves once an hour only, so that a quiet minute writes nothing.
    """

    found_by = FoundBy.DATES

    def __init__(
        self,
        concern: Concern,
        name: str,
        until: datetime,
        query: Callable[[datetime | None, datetime], Sequence[Owner]],
    ) -> None:
        self._concern = concern
        self._until = until
        self._query = query
        self.name = f"dates:{name}"

    def check(self, document: Document) -> None:
        """Read a cursor as :meth:`find` will."""
        kept.moment(document["until"])

    def find(self, document: Document | None) -> Found:
        """Return the owners whose date has come and who have something to be done."""
        since = kept.moment(document["until"]) if document else None
        until = self._until  # the policy may have moved the boundary back
        owners = self._query(since and min(since, until), until)
        keys = self._concern.differing(owners) if owners else []
        moved = owners or since is None or until < since or until - since >= DATES_SAVED_AFTER
        return Found({self._concern.name: keys}, {"until": until.isoformat()} if moved else None)
