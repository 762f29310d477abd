"""Where it stands: figures of each concern, how old the oldest change is, calls and runs, pauses and the brake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from kartoteka import codes
from kartoteka.desk import blocked, owning, plans
from kartoteka.desk.desk import Data, Desk
from kartoteka.errors import KartotekaError
from kartoteka.fields.table import CONCERNS
from kartoteka.model import Owner
from kartoteka.pieces import pieces
from kartoteka.sync import brake
from kartoteka.sync.collect import NOBODY
from kartoteka.sync.retry import BRAKE
from kartoteka.sync.taken import UNCONFIRMED
from kartoteka.sync.unread import TOO_LONG

DAY = timedelta(hours=24)
RUNS = 10
LOOKED_AT, ASKED = 2_000, 100
"""Unread rows of the log that are looked at, and owners whose plans are asked for at once."""
MOST = 5_000
"""Held records that are listed at once: an answer of the function has 6 MB."""


def overview(desk: Desk, limit: int = 20) -> Data:
    """Return everything that a person looks at first; ``limit``: held records and unread ones that are listed."""
    now = desk.now()
    return {
        **figures(desk, limit),
        "brake": braked(desk),
        "lag": lag(desk),
        "too_many": plans.too_many(desk.exchange, desk.policy) if desk.policy.plans_anything else [],
        "activity": activity(desk),
        **cloud(desk, now),
        "queues": queues(desk),
        "alarms": alarms(desk),
        "scheduled": desk.scheduled,
    }


def figures(desk: Desk, limit: int) -> Data:
    """Return what the exchange database says of all records."""
    tables, exchange = desk.tables, desk.exchange
    return {
        **waiting(desk),
        "states": tables.states(),
        "held": tables.held(limit),
        "deferred": tables.deferred(),
        "unread": tables.unread(limit, desk.now() - TOO_LONG),
        "not_shown": tables.not_shown(),
        "will_be_blocked": blocked.count(desk),
        **pauses(desk),
        "ownership": owning.told(desk),
        "triggers_missing": {table: str(why) for table, why in exchange.log.unlogged().items()},
    }


def pauses(desk: Desk) -> Data:
    """Return what is paused, with the reason; ``causes`` says more of those that were stopped for one with a code."""
    found = desk.exchange.pauses
    causes = {concern: codes.status(code) for concern, code in found.causes().items()}
    return {
        "paused": dict(found.paused()),
        "since": dict(found.since()),
        "causes": {
            concern: {"code": cause.code, "message_pl": cause.message_pl, "message_en": cause.message_en}
            for concern, cause in causes.items()
        },
    }


def waiting(desk: Desk) -> Data:
    """Return how much waits for a person, which every page tells."""
    return {
        "totals": desk.tables.totals(),
        "unmatched": desk.tables.unmatched(),
        "planned": plans.undecided(desk.exchange.plans),
        "decided": desk.tables.decided(),
    }


def braked(desk: Desk) -> Mapping[str, Data]:
    """Return, for each concern that the brake has stopped, what it let through and what it has deferred."""
    return {concern: stopped(desk, concern) for concern, why in desk.exchange.pauses.paused().items() if why == BRAKE}


def stopped(desk: Desk, concern: str) -> Data:
    """Return what the brake did to a concern: ``written`` risky records in the last hour; what it deferred."""
    since = brake.counted_since(desk.exchange.pauses.released(concern), desk.now())
    written = sum(desk.exchange.records.counted(concern, since, prices=prices) for prices in (False, True))
    clients, groups = desk.tables.deferred_with(concern, BRAKE)
    return {"written": written, "clients": clients, "groups": groups}


def lag(desk: Desk) -> Sequence[Data]:
    """Return since when each concern's oldest change waits that is not carried yet and will be by itself, if one does.

    Of what is held, in conflict or excluded a person knows: it is not counted. Nor is what we have written ourselves.
    """
    oldest, now = desk.tables.oldest_unsettled(but=UNCONFIRMED), desk.now()  # that was sent already
    found = []
    for concern in CONCERNS:
        moments = [each for each in (oldest.get(concern), _uncollected(desk, concern)) if each is not None]
        since = min(moments, default=None)
        minutes = None if since is None else max(0, int((now - since) / timedelta(minutes=1)))
        found.append({"concern": concern, "since": since, "minutes": minutes})
    return found


def _uncollected(desk: Desk, name: str) -> datetime | None:
    """Return when the first row of the log was written that the concern has not read yet and that is to be carried.

    A row after which its owner's plan is empty changes nothing: our own write into the ERP is logged like any other,
    and so is a table that is filled with what was there. Beyond the first ``LOOKED_AT`` rows each one counts.
    """
    concern = desk.concerns.get(name)
    document = desk.state.load(f"log:{name}").document if desk.state is not None else None
    if concern is None or not document or not concern.is_on:
        return None
    read = desk.exchange.log.read(int(document.get("high", 0)), [], LOOKED_AT)
    first: dict[Owner, int] = {}
    for entry in read:
        if entry.is_about(name, concern.rows.tables) and entry.owner != NOBODY:
            first.setdefault(entry.owner, entry.seq)
    for page in pieces(list(first), ASKED):
        if differing := concern.differing(page):
            return desk.tables.logged_after(min(first[owner] for owner in differing) - 1)
    return desk.tables.logged_after(read[-1].seq) if len(read) >= LOOKED_AT else None


def activity(desk: Desk) -> Sequence[Data]:
    """Return the fields written in each of the last 24 hours, towards the panel and the ERP; the earliest first."""
    now = desk.now()
    hours = [f"{now - timedelta(hours=back):%Y-%m-%d %H}" for back in range(23, -1, -1)]
    told = {(row["hour"], row["direction"]): row["fields"] for row in desk.tables.written(now - DAY)}
    return [
        {"hour": hour, "to_panel": told.get((hour, "erp_to_panel"), 0), "to_erp": told.get((hour, "panel_to_erp"), 0)}
        for hour in hours
    ]


def cloud(desk: Desk, now: datetime) -> Data:
    """Return the calls used of the month's budget, by gate and by day, and the last runs; None where nobody knows."""
    if desk.state is None:
        return {"calls": None, "runs": []}
    try:
        usage, runs = desk.state.usage().at(now), desk.state.last_runs(RUNS)
    except KartotekaError:
        return {"calls": None, "runs": []}
    return {
        "calls": {
            "today": dict(usage.today),
            "month": dict(usage.gates),
            "days": {**usage.days, usage.day: sum(usage.today.values())},
            "used": usage.used(now),
            "forecast": usage.forecast(now),
            "budget": desk.policy.panel.monthly_budget,
        },
        "runs": list(runs),
    }


def queues(desk: Desk) -> Sequence[Data] | None:
    """Return how many messages wait in each concern's queue, are worked, and are dead; None where nobody knows."""
    try:
        found = desk.queue.depths() if desk.queue else None
    except KartotekaError:
        return None
    return None if found is None else [{"concern": concern, **asdict(depth)} for concern, depth in found.items()]


def alarms(desk: Desk) -> Sequence[Data] | None:
    """Return the alarms that ring, the longest first; None where nobody watches, or that cannot be asked."""
    try:
        found = desk.alarms.ringing() if desk.alarms else None
    except KartotekaError:
        return None
    return None if found is None else [asdict(alarm) for alarm in found]
