"""What a gate gives back: an answer, a refusal of the whole call, or faults of single records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RecordFault:
    """One error of one record. The text is for people and may quote what was sent, as a real panel's may."""

    code: int
    text: str

    def as_json(self) -> dict[str, Any]:
        return {"faultCode": self.code, "faultString": self.text}


@dataclass
class Answer:
    """Status and body; `results` names the list in the body that has one entry for each record."""

    body: Any = None
    status: int = 200
    results: str | None = None
    records: int = 0
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """The whole call is refused with a 4xx."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def answer(self) -> Answer:
        return error_answer(self.status, self.message)


def error_answer(status: int, message: str, **headers: str) -> Answer:
    """A 4xx or 5xx. Bodies are undocumented; this is the form that known clients read: `errors.message`, `x-error`."""
    return Answer(
        {"errors": {"message": message}},
        status,
        headers={"x-error": message, **headers},
    )


def top_fault(code: int, text: str) -> dict[str, Any]:
    """The top-level error whose presence makes a 207."""
    return {"errors": RecordFault(code, text).as_json()}
