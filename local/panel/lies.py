"""Reads that lie: a filter that is ignored, an answer that tells nothing, and pages that move while they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from local.panel.answers import Answer
from local.panel.calls import Call
from local.panel.settings import Settings
from local.panel.state import PanelState

_COUNTS = ("resultsNumberAll", "resultsNumberPage")
_MANY = {"resultsNumberAll": 300, "resultsNumberPage": 3}


def unfiltered(call: Call, settings: Settings) -> Call:
    """The call without the filters that the panel ignores."""
    if not settings.ignored_filters:
        return call
    body = call.body
    if isinstance(body, dict) and isinstance(body.get("params"), dict):
        body = {**body, "params": _without(body["params"], settings)}
    return replace(call, query=_without(call.query, settings), body=body)


def _without(given: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    ignored = settings.ignored_filters
    return {name: value for name, value in given.items() if name.partition("[")[0] not in ignored}


def hollowed(call: Call, answer: Answer, settings: Settings) -> Answer:
    """What is told in place of a search's answer."""
    manner = settings.hollow_answers
    if manner == "no" or not any(fnmatchcase(call.name, gate) for gate in settings.hollow_gates):
        return answer
    body = answer.body if isinstance(answer.body, dict) else {}
    key = next((name for name, value in body.items() if isinstance(value, list)), "results")
    frame = {name: value for name, value in body.items() if name not in (key, "errors")}
    counts = {name: frame.get(name) or many for name, many in _MANY.items()}
    told: dict[str, dict[str, Any]] = {
        "object": {},
        "null": {key: None},
        "map": {key: {}},
        "counted": {**frame, **counts, key: []},
        "quiet": {**frame, **dict.fromkeys(_COUNTS, 0), key: []},
    }
    return Answer(told[manner])


def edit_some(panel: PanelState, shown: Sequence[int]) -> None:
    """A panel user edits the first accounts of a page as soon as it was shown: they leave it, or change places."""
    for account_id in shown[: panel.settings.edits_between_pages]:
        panel.edit(account_id, street=f"Nowa {next(panel.edits)}")
