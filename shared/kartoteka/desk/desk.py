"""The desk: what it works with. Pages, programs and commands ask the same one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kartoteka.policy import Policy
from kartoteka.ports.alarms import Alarms
from kartoteka.ports.desk import DeskTables
from kartoteka.ports.exchange import Exchange
from kartoteka.ports.functions import Functions
from kartoteka.ports.queue import WorkQueue
from kartoteka.ports.state import SyncState
from kartoteka.sync.concern import Concern
from kartoteka.sync.run import utc_now

Data = dict[str, Any]

BY, FORM = "x-kartoteka-by", "x-kartoteka-form"
"""Headers of the bridge: who asks, and what a form has to carry. It takes them from no browser, and nobody else may
invoke the function."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The ports of one installation, and who asks (``by``; empty: the database says it, where its engine knows).

    ``state``, ``queue``, ``alarms`` and ``functions`` are None, ``concerns`` empty, where a command looks into a
    database alone. ``scheduled``: whether anything runs by itself.
    """

    exchange: Exchange
    tables: DeskTables
    policy: Policy = field(default_factory=Policy)
    state: SyncState | None = None
    queue: WorkQueue | None = None
    concerns: Mapping[str, Concern] = field(default_factory=dict, repr=False)
    by: str = ""
    now: Callable[[], datetime] = utc_now
    alarms: Alarms | None = None
    functions: Functions | None = None
    scheduled: bool = True


class WrongRequest(Exception):
    """What was asked for is not there, or cannot be done; ``code`` is a name of :data:`kartoteka.desk.texts.TEXTS`.

    ``status``: 404 there is no such thing, 409 it stands otherwise by now, 400 it was asked for wrongly.
    """

    def __init__(self, code: str, status: int = 400, **facts: str) -> None:
        super().__init__(code)
        self.code, self.status, self.facts = code, status, facts


def plain(value: Any) -> Any:
    """Return a value as JSON has it: a moment in UTC to the second, an amount as text."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    return value if value is None or isinstance(value, bool | int | str) else str(value)
