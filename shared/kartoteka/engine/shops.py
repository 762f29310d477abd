"""The panel's shops: an id that it does not have is refused by name, before a call is spent on it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.model import Record
from kartoteka.engine.base import Engine

logger = logging.getLogger(__name__)

NAME = "panel_shops"
"""The state's document of the panel's shops."""
ASKED = "panel's shops asked"
"""The name under which a run remembers that it has asked the panel itself."""
READ_AGAIN = timedelta(minutes=10)
"""How long an unknown id is believed to be unknown before the panel is asked again."""


def known(engine: Engine, values: Record) -> Record:
    """Return the values as they are. Raises Reject naming the shops that the panel does not have."""
    refuse_unknown(engine, values)
    return values


def refuse_unknown(engine: Engine, values: Record) -> None:
    """Raise Reject naming the shops that the panel does not have. A panel that does not tell judges for itself.

    So does one that cannot be asked now; it is asked again in the next run.
    """
    wanted = {int(number) for number in str(values.get("shops") or "").split(",") if number}
    if not wanted:
        return
    known = _known(engine, wanted)
    if known and not wanted <= known:
        names, there = (", ".join(map(str, sorted(ids))) for ids in (wanted - known, known))
        raise Reject(
            "unknown_shop",
            f"shops: panel nie ma sklepu {names} (ma: {there}); popraw client_shops lub politykę. / "
            f"the panel has no shop {names} (it has {there}); correct client_shops or the policy.",
            field="shops",
        )


def _known(engine: Engine, wanted: set[int]) -> frozenset[int]:
    """Return the panel's shops, empty where it does not tell them; the state is asked once a run, and the panel."""
    with engine.turn:
        known: frozenset[int] | None = engine.asked.get(NAME)
        if known is None or (known and not wanted <= known and ASKED not in engine.asked):
            known = engine.asked[NAME] = _read(engine, wanted)
        return known


def _read(engine: Engine, wanted: set[int]) -> frozenset[int]:
    stored = engine.state.load(NAME)
    document = stored.document or {}
    known = frozenset[int](document.get("ids", ()))
    fresh = document and engine.now() - datetime.fromisoformat(document["read_at"]) < READ_AGAIN
    if fresh or (known and wanted <= known):
        return known
    engine.asked[ASKED] = True
    try:
        known = engine.panel.shops()
    except Retry as error:
        logger.warning("the panel's shops could not be read (%s): it judges them itself", error.code)
        return frozenset()
    except Halt as halt:
        logger.warning("the panel does not tell its shops (%s): it judges them itself", halt.code)
        known = frozenset()
    moment = {"ids": sorted(known), "read_at": engine.now().isoformat()}
    engine.state.save(NAME, moment, version=stored.version)
    return known
