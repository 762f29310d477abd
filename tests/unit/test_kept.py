"""Documents of the state that cannot be read, and moments that lie ahead: the first is told and begun afresh, no moment
stops anything for longer than it rightly may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kartoteka.adapters.aws import rate
from kartoteka.errors import Halt, Retry
from kartoteka.model import LONGEST_DEFERRAL, Deferral
from kartoteka.ports.state import Stored, Unreadable
from kartoteka.sync import brake, feed, forget
from kartoteka.sync.batch import DOCUMENT as BATCH
from kartoteka.sync.batch import GROWS_AFTER, BatchSize
from kartoteka.sync.lately import Lately
from kartoteka.sync.triggers import SCAN_EVERY, Span
from kartoteka.sync.waiting import Waiting
from kartoteka.sync.window import FeedCursor
from tests.fakes.state import FakeState
from tests.world import CLIENT, World

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
AHEAD = [timedelta(minutes=20), timedelta(hours=3), timedelta(days=400)]
NONSENSE: list[Any] = [
    {},
    {"x": 1},
    {"until": "soon"},
    {"until": None, "high": None},
    {"high": "many", "mark": None, "gaps": [], "scanned_at": "2026-11-27T12:00:00+00:00"},
    {"high": 1, "mark": None, "gaps": [[1]], "scanned_at": "2026-11-27T12:00:00+00:00"},
    {"high": 1, "mark": None, "gaps": [], "scanned_at": "2026-11-27T12:00:00"},
]


def settled() -> World:
    """Return a world in which one client has an account, and all documents are there."""
    world = World()
    world.exchange.insert_client("C-1", **CLIENT)
    for _ in range(4):
        world.tick()
    assert len(world.panel.accounts) == 1
    return world


def names(world: World) -> list[str]:
    return sorted(world.state.documents)


@pytest.mark.fault(91)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_every_document_that_cannot_be_read_is_begun_afresh(nonsense: Any, caplog: pytest.LogCaptureFixture) -> None:
    world = settled()
    assert {"feed", "log:accounts", "log:billing"} <= {*names(world)}
    for name in names(world):
        if name.startswith(forget.DOCUMENT):
            continue
        stored = world.state.documents[name]
        world.state.documents[name] = Stored(nonsense, stored.version)
        for _ in range(2):
            world.tick()
    world.exchange.update_client("C-1", city="Gdynia")
    for _ in range(4):
        world.tick()
    assert len(world.panel.accounts) == 1
    assert next(iter(world.panel.accounts.values())).values["city"] == "Gdynia"
    assert "the document feed of the state cannot be read" in caplog.text


class Damaged(FakeState):
    """Of one name a document that is no JSON."""

    def __init__(self, version: int | None) -> None:
        super().__init__()
        self.damaged, self.version = "", version

    def load(self, name: str) -> Stored:
        stored = super().load(name)
        if name == self.damaged:
            raise Unreadable(name, self.version)
        return stored


def test_a_document_without_a_version_waits_for_a_person_and_is_named() -> None:
    state = Damaged(None)
    state.damaged = BATCH
    with pytest.raises(Halt, match=f"state_unreadable: the document {BATCH}"):
        BatchSize(state, lambda: NOON, 100).size()


def test_one_with_a_version_is_replaced() -> None:
    state = Damaged(0)
    state.damaged = BATCH
    batch = BatchSize(state, lambda: NOON, 100)
    assert batch.size() == 100
    batch.too_many(100)
    state.damaged = ""
    assert BatchSize(state, lambda: NOON, 100).size() == 50


@pytest.mark.parametrize("document", [{}, {"stones": None}, {"stones": [1]}, {"stones": [["a"]]}])
def test_who_was_erased_is_not_forgotten_by_itself(document: Any) -> None:
    state = FakeState()
    state.documents[f"{forget.DOCUMENT}:0"] = Stored(document, 3)
    with pytest.raises(Unreadable, match=f"{forget.DOCUMENT}:0"):
        forget.known(state)


# --- every stored moment, by what it could hold up


def batch_grows(ahead: timedelta) -> bool:
    state = FakeState()
    BatchSize(state, lambda: NOON + ahead, 100).too_many(100)
    later = BatchSize(state, lambda: NOON + GROWS_AFTER, 100)
    later.passed(50)
    return later.size() == 100


def lately_is_forgotten(ahead: timedelta) -> bool:
    state = FakeState()
    Lately(state, lambda: NOON + ahead, "d", timedelta(hours=1)).note("x")
    return not Lately(state, lambda: NOON, "d", timedelta(hours=1)).names()


def deferral_is_due(ahead: timedelta) -> bool:
    return not Deferral(NOON + ahead + LONGEST_DEFERRAL / 2, 0, 1, "timeout").waits(NOON)


def brake_counts(ahead: timedelta) -> bool:
    return brake.counted_since(NOON + ahead, NOON) == NOON - timedelta(hours=1)


def scan_is_owed(ahead: timedelta) -> bool:
    return Span(NOON - SCAN_EVERY).owes_scan(NOON + ahead, NOON)


def slot_is_given(ahead: timedelta) -> bool:
    now = NOON.timestamp()
    shared, _ = rate.leased(rate.Shared(), now=now + ahead.total_seconds(), latest=1e12, rate=1, gate="g")
    _, slot = rate.leased(shared, now=now, latest=now + rate.HORIZON, rate=1, gate="g")
    return slot <= now + rate.HORIZON


def call_after_a_429_is_made(ahead: timedelta) -> bool:
    now = NOON.timestamp()
    shared = rate.slowed(rate.Shared(), now=now + ahead.total_seconds(), rate=1, wait=300)
    try:
        _, slot = rate.leased(shared, now=now, latest=now + rate.HORIZON, rate=1, gate="g")
    except Retry:
        return False
    return slot <= now + rate.HORIZON


def feed_is_asked(ahead: timedelta) -> bool:
    waiting = Waiting(NOON + ahead, timedelta(hours=1))
    return waiting.is_over(NOON, timedelta(hours=1))


def feed_is_quiet_again(ahead: timedelta) -> bool:
    waiting = Waiting(NOON, timedelta(minutes=2), NOON + ahead, NOON + ahead).bounded(NOON)
    assert waiting.busy_until
    return waiting.busy_until <= NOON + timedelta(hours=1)


def window_is_read(ahead: timedelta) -> bool:
    cursor = FeedCursor(NOON + ahead, timedelta(0), NOON, whole_at=NOON).bounded(NOON)
    window = cursor.next_window(NOON)
    return window.begin < NOON and cursor.whole_at is None


def all_are_read_again(ahead: timedelta) -> bool:
    return FeedCursor(NOON, timedelta(0), NOON, whole_at=NOON + ahead).whole_is_due(NOON, timedelta(days=7))


MOMENTS: list[Callable[[timedelta], bool]] = [
    batch_grows,
    lately_is_forgotten,
    deferral_is_due,
    brake_counts,
    scan_is_owed,
    slot_is_given,
    call_after_a_429_is_made,
    feed_is_asked,
    feed_is_quiet_again,
    window_is_read,
    all_are_read_again,
]


@pytest.mark.parametrize("ahead", AHEAD[1:], ids=["hours", "a year"])
@pytest.mark.parametrize("goes_on", MOMENTS, ids=lambda each: each.__name__)
def test_a_moment_that_lies_ahead_stops_nothing(goes_on: Callable[[timedelta], bool], ahead: timedelta) -> None:
    assert goes_on(ahead)


@pytest.mark.parametrize("ahead", AHEAD)
def test_nobody_is_opened_without_the_panels_news_because_a_clock_ran_ahead(ahead: timedelta) -> None:
    world = settled()
    document = dict(world.state.documents["feed"].document or {})
    document["waiting"] = {**document["waiting"], "asked_at": (world.time + ahead).isoformat()}
    world.state.documents["feed"] = Stored(document, world.state.documents["feed"].version)
    assert not feed.was_read_just_now(world.run())


@pytest.mark.fault(43)
@pytest.mark.parametrize("ahead", AHEAD)
def test_a_clock_that_ran_ahead_and_came_back_loses_no_edit(ahead: timedelta) -> None:
    world = settled()
    shift = [ahead]
    world.panel._clock = lambda: world.time - shift[0]
    world.panel.edit("1", city="Sopot")
    world.time += ahead
    for _ in range(3):
        world.tick()
    world.panel.edit("1", city="Hel")
    world.time -= ahead
    shift[0] = timedelta(0)
    for _ in range(6):
        world.tick()
    assert world.exchange.clients["C-1"]["city"] == "Hel"
    world.exchange.update_client("C-1", city="Gdynia")
    for _ in range(3):
        world.tick()
    assert next(iter(world.panel.accounts.values())).values["city"] == "Gdynia"
