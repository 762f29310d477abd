"""What the desk looks at by itself, some times an hour: figures that alarms watch, and what is written once a day.

A figure of nought is not told: an alarm takes one that is missing for fine, and CloudWatch charges each that is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from kartoteka.desk import message, overview
from kartoteka.desk.desk import Desk
from kartoteka.errors import KartotekaError
from kartoteka.ports.alarms import Notices

HELD, CONFLICTS, FORECAST, LAG = "HeldNow", "ConflictsNow", "CallsForecast", "lag_"
"""Names of metrics: held records, conflicts that nobody has decided; the month's panel calls as they go on, per cent of
the budget; minutes since a concern's oldest change waits, by its name."""
SENT = "message"
"""The document of the state that says for which day a message was sent, or found needless."""


def figures(desk: Desk) -> Mapping[str, int]:
    """Return the metrics that are not 0."""
    totals = desk.tables.totals()
    calls = overview.cloud(desk, desk.now())["calls"] or {}
    budget = calls.get("budget")
    found = {
        HELD: totals["held"],
        CONFLICTS: totals["undecided"],
        FORECAST: round(100 * calls["forecast"] / budget) if budget else 0,
        **{f"{LAG}{row['concern']}": row["minutes"] or 0 for row in overview.lag(desk)},
    }
    return {name: value for name, value in found.items() if value}


def tell(desk: Desk, notices: Notices, stack: str, hour: int, languages: str) -> bool:
    """Send the day's message, once it is ``hour`` o'clock where the shop is; return whether there was one to send.

    Where nothing waits at that time there is none that day. One that could not be sent is tried at the next look.
    """
    now = desk.now().astimezone(ZoneInfo(desk.policy.panel.time_zone))
    if desk.state is None or now.hour < hour:
        return False
    day, stored = f"{now:%Y-%m-%d}", desk.state.load(SENT)
    before = dict(stored.document or {})
    if before.get("day") == day or not desk.state.save(SENT, {"day": day}, version=stored.version):
        return False
    try:
        found = message.waits(desk)
        if found:
            notices.send(*message.spoken(found, stack, now, languages))
    except KartotekaError:
        desk.state.save(SENT, before, version=desk.state.load(SENT).version)
        raise
    return bool(found)
