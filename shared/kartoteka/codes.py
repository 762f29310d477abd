from __future__ import annotations
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as attribute

class State(enum.StrEnum):
    IN_STEP = "in_step"; PENDING = "pending"; WAITING = "waiting"; CONFLICT = "conflict"; HELD = "held"; EXCLUDED = "excluded"

@dataclass(frozen=True, slots=True)
class Status:
    state: State
    code: str = ""
    field: str = ""
    message_pl: str = attribute(default="", repr=False)
    message_en: str = attribute(default="", repr=False)

IN_STEP = Status(State.IN_STEP)

def status(code: str, fields: Sequence[str] = (), *, state: State | None = None, **facts: str) -> Status:
    raise NotImplementedError
