"""What an examination finds: one fact, how much it matters, what to do, and which setting fits it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from kartoteka.errors import KartotekaError
from kartoteka.sentences import worded

CLOCKS_APART = 120
"""Seconds between two clocks from which it is worth a word."""


class Level(enum.StrEnum):
    """``OK``: as expected, or provided for. ``LOOK``: read it before you go live. ``STOP``: do not go live with it."""

    OK = "ok"
    LOOK = "look"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact. ``sentence`` and ``remedy`` hold no secret, no key of a record and no personal data.

    ``setting`` is what the policy should say because of it, in the policy's own form.
    """

    id: str
    level: Level
    sentence: str
    remedy: str = ""
    setting: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON: ``setting`` null where there is none."""
        return {
            "id": self.id,
            "level": self.level.value,
            "sentence": self.sentence,
            "remedy": self.remedy,
            "setting": dict(self.setting) or None,
        }


def ok(id_: str, sentence: str, **setting: Any) -> Finding:
    """Return a finding of what is as expected, or provided for."""
    return Finding(id_, Level.OK, sentence, setting=setting)


def look(id_: str, sentence: str, remedy: str, **setting: Any) -> Finding:
    """Return a finding that a person should know of."""
    return Finding(id_, Level.LOOK, sentence, remedy, setting)


def stop(id_: str, sentence: str, remedy: str, **setting: Any) -> Finding:
    """Return a finding that has to be mended first."""
    return Finding(id_, Level.STOP, sentence, remedy, setting)


def clocks(id_: str, whose: str, ahead: float, remedy: str) -> Finding:
    """Return what is to be said of a clock that is so many seconds ahead of this machine's."""
    if abs(ahead) <= CLOCKS_APART:
        return ok(
            id_,
            worded(
                "The {whose}'s clock agrees with this machine's to {count} s.", whose=whose, count=f"{abs(ahead):.0f}"
            ),
        )
    side = "ahead of" if ahead > 0 else "behind"
    return look(
        id_,
        worded(
            "The {whose}'s clock is {count} min {side} this machine's.",
            whose=whose,
            count=f"{abs(ahead) / 60:.0f}",
            side=side,
        ),
        remedy,
    )


Patient = TypeVar("Patient")


@dataclass(frozen=True, slots=True)
class Examination(Generic[Patient]):
    """One thing to find out. ``calls``: the panel's gates that are asked for it, each as often as it stands there.

    ``writes``: what it changes, for the person who is asked first; empty: it only reads. ``vital``: where it finds a
    stop, the examinations after it would do harm or tell nothing.
    """

    id: str
    title: str
    calls: Sequence[str]
    find: Callable[[Patient], Iterable[Finding]]
    writes: str = ""
    vital: bool = False

    def findings(self, patient: Patient) -> Iterator[Finding]:
        """Yield what is found. What the panel, the database or a right stands in the way of is a finding itself."""
        try:
            yield from self.find(patient)
        except KartotekaError as error:
            yield stop(
                self.id, worded("Could not be found out: {error}.", error=error), "Mend that, and run the doctor again."
            )


def examined(
    patient: Patient, examinations: Iterable[Examination[Patient]], allowed: Callable[[Examination[Patient]], bool]
) -> Iterator[Finding]:
    """Make the examinations in order; those that write only where ``allowed`` says so."""
    for each in examinations:
        if each.writes and not allowed(each):
            continue
        found = list(each.findings(patient))
        yield from found
        if each.vital and any(finding.level is Level.STOP and finding.id == each.id for finding in found):
            return


def proposed(policy: Mapping[str, Any], findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the policy with what the findings say of its settings."""
    found = dict(policy)
    for finding in findings:
        found = _merged(found, finding.setting)
    return found


def _merged(into: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        name: _merged(into[name], value)
        if isinstance(value, Mapping) and isinstance(into.get(name), Mapping)
        else value
        for name, value in more.items()
    }
    return {**into, **both}
