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
READ_AGAIN = timedelta(minutes=10)
"""How long an unknown id is believed to be unknown before the panel is asked again."""


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
    with engine.turn:
        stored = engine.state.load(NAME)
        document = stored.document or {}
        known = frozenset(document.get("ids", ()))
        fresh = document and engine.now() - datetime.fromisoformat(document["read_at"]) < READ_AGAIN
        if fresh or (known and wanted <= known):
            return known
        if NAME in engine.asked:
            return frozenset()
        try:
            known = engine.panel.shops()
        except Retry as error:
            logger.warning("the panel's shops could not be read (%s): it judges them itself", error.code)
            engine.asked[NAME] = error
            return frozenset()
        except Halt as halt:
            logger.warning("the panel does not tell its shops (%s): it judges them itself", halt.code)
            known = frozenset()
        moment = {"ids": sorted(known), "read_at": engine.now().isoformat()}
        engine.state.save(NAME, moment, version=stored.version)
        return known
