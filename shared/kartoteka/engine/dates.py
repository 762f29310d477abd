"""What the passing of time alone makes worth a look: a price that begins or ends, figures that become stale.

The moment up to which it was looked is kept in the state, and moves only after the queue has taken what was found;
where nothing was, it moves once an hour, so that a quiet minute writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from kartoteka.engine.base import Engine

SAVED_AFTER = timedelta(hours=1)


def passed(
    engine: Engine, name: str, until: datetime, find: Callable[[datetime | None, datetime], Sequence[str]]
) -> tuple[Sequence[str], Callable[[], None]]:
    """Return what ``find`` finds between the last look and ``until``, and what notes that the queue has it.

    ``find`` is given the moment of the last look, None where that is not known, and ``until``.
    """
    stored = engine.state.load(f"dates:{name}")
    since = datetime.fromisoformat(stored.document["until"]) if stored.document else None
    found = find(since and min(since, until), until)  # the policy may have moved the boundary back

    def note() -> None:
        if found or since is None or until < since or until - since >= SAVED_AFTER:
            engine.state.save(f"dates:{name}", {"until": until.isoformat()}, version=stored.version)

    return found, note
