"""Which elements of an account a search asks for.

``returnElements`` names them flat, although they stand nested in the answer. A panel may take that at its word and
leave out the objects in which they stand: then nothing in them could be read, no edit be seen, no tax number matched.
So what was asked for and is shown of no account is asked for once more, without ``returnElements``. What comes then
was left out for its flat name: from then on whole records are asked for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from kartoteka.adapters.idosell.accounts import ELEMENTS, PATHS
from kartoteka.adapters.idosell.answers import Json
from kartoteka.ports.state import SyncState

DOCUMENT = "panel_elements"
"""The state's document that says since when whole records are asked for."""
WHOLE = ""

log = logging.getLogger(__name__)


class Elements:
    """What one panel makes of ``returnElements``. Safe for several threads.

    ``state`` None: it is remembered while the process lives.
    """

    def __init__(self, state: SyncState | None) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._whole: bool | None = None
        self._never_shown = frozenset[str]()

    def asked(self) -> str:
        """Return what to ask for; empty: whole records."""
        with self._lock:
            if self._whole is None:
                self._whole = self._state is not None and self._state.load(DOCUMENT).document is not None
            return WHOLE if self._whole else ELEMENTS

    def lacking(self, records: Sequence[Json]) -> frozenset[str]:
        """Return what was asked for and no record shows, so that the same is to be asked for in whole records."""
        if not records or self._whole:
            return frozenset()
        return unshown(PATHS, records) - self._never_shown

    def learn(self, lacking: frozenset[str], records: Sequence[Json]) -> None:
        """Compare what was lacking with the same accounts as whole ``records``, and remember the outcome."""
        if not records:
            return
        never = unshown(lacking, records)
        with self._lock:
            self._never_shown |= never
            if never == lacking or self._whole:
                return
            self._whole = True
        left_out = ", ".join(sorted(lacking - never))
        log.warning("the panel leaves out %s where returnElements asks for it: whole records are read now", left_out)
        if self._state is not None:
            stored = self._state.load(DOCUMENT)
            since = {"whole_since": datetime.now(UTC).isoformat(timespec="seconds")}
            self._state.save(DOCUMENT, since, version=stored.version)


def unshown(paths: Iterable[str], records: Sequence[Json]) -> frozenset[str]:
    """Return those of these dotted paths at which no record shows anything, be it empty."""
    return frozenset(path for path in paths if not any(_is_there(record, path) for record in records))


def _is_there(record: Json, path: str) -> bool:
    """Whether a record shows anything at a path, be it empty; an object that is left empty shows nothing."""
    *parents, name = path.split(".")
    for parent in parents:
        inner = record.get(parent)
        if not isinstance(inner, dict):
            return False
        record = inner
    return name in record
