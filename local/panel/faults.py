"""Misbehaviour to order: what a network and a panel can do to a call, as a list of rules.

A rule matches a gate (`PUT clients/clients`; `*` matches any text) and, where `match` is given, a call that carries
a record with those values. It acts a number of times or with a probability. Kinds:

429           Retry-After by `retry_after`: text as it goes into the header ("3", "soon"), "date:30" for an HTTP date
              30 seconds ahead, None for no header
5xx           `status`, by default 500; `when`="after": the effect has taken place, only the answer is an error
reset         the connection is aborted, `when` "before" or "after" the effect
slow          `seconds` of waiting, `when` "before" or "after" the effect; other rules still apply
html          200 with a log-in page; `when` as above
truncated     half of the true JSON, in a well-formed HTTP answer
cut           half of the body, then the connection is aborted
empty         200 without a body; `when` as above
missing_result  the last `drop` entries of the list of results are left out
401, 403, 422   the whole call is refused; with `match` only when such a record is in it
record        only the matching record fails, with `code` and `text`; nothing of it is written
unlisted      a list of groups or accounts leaves the matching record out, and out of its counts, though it is there;
              `match` by what the record shows ({"groupNumber": 3}); `times` counts the answers that lacked it
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from local.panel.calls import Call

KINDS = frozenset(
    [
        "429",
        "5xx",
        "reset",
        "slow",
        "html",
        "truncated",
        "cut",
        "empty",
        "missing_result",
        "401",
        "403",
        "422",
        "record",
        "unlisted",
        "drip",
        "huge",
    ]
)  # what `kind` may be
PARTS = {
    # what comes a little at a time and never to its end
    "drip": ("status", "headers", "interim", "chunks", "body"),
    # what is too much of an answer: bytes, bytes once it is unpacked, values, or lists within each other
    "huge": ("bytes", "packed", "values", "depth"),
}
_OF_RECORDS = frozenset({"record", "unlisted"})
_NEEDS_EFFECT = frozenset({"truncated", "cut", "missing_result"})
_ALIASES = {
    "login": ("login", "clientLogin", "client_login"),
    "external_code": ("code_extern", "clientCodeExternal"),
    "client_id": ("clientId", "client_id", "clientsIds", "clientIds"),
    "email": ("email", "clientEmail"),
    "nip": ("vat_number", "clientNip"),
}


@dataclass
class Rule:
    """One ordered misbehaviour; `hits` counts how often it acted."""

    kind: str
    gate: str = "*"
    times: int | None = 1  # None: until it is taken away
    skip: int = 0  # let so many matching calls (or records) pass first
    probability: float = 1.0
    when: str = "before"
    match: dict[str, Any] = field(default_factory=dict)  # field: value; "*" stands for any field
    status: int = 500
    retry_after: str | None = "1"
    seconds: float = 1.0
    code: int = 100
    text: str = "Ordered fault"
    drop: int = 1
    part: str = ""  # of "drip" and "huge": see PARTS
    size: int = 40_000_000  # how much is "huge"
    id: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind}")
        if self.when not in ("before", "after"):
            raise ValueError("when is before or after")
        if self.kind in PARTS:
            self.part = self.part or PARTS[self.kind][0]
            if self.part not in PARTS[self.kind]:
                raise ValueError(f"part is one of {', '.join(PARTS[self.kind])}")
        if self.kind in _NEEDS_EFFECT:
            self.when = "after"

    def spent(self) -> bool:
        return self.times is not None and self.hits >= self.times

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class CallFaults:
    """What is ordered for one call."""

    waits: list[Rule] = field(default_factory=list)
    fault: Rule | None = None

    def seconds(self, when: str) -> float:
        return sum(rule.seconds for rule in self.waits if rule.when == when)


class Faults:
    """The ordered misbehaviour, in the order it was given."""

    def __init__(self, seed: int = 1) -> None:
        self.rules: list[Rule] = []
        self.code_of_login: Callable[[str], str] = lambda login: ""
        self._random = random.Random(seed)
        self._last_id = 0

    def add(self, rule: Rule) -> Rule:
        self._last_id += 1
        rule.id = self._last_id
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()

    def for_call(self, call: Call) -> CallFaults:
        """Choose for one call: every matching wait, and the first other rule."""
        ordered = CallFaults()
        for rule in self.rules:
            if rule.kind in _OF_RECORDS or (ordered.fault and rule.kind != "slow"):
                continue
            if self._matches_call(rule, call) and self._acts(rule):
                if rule.kind == "slow":
                    ordered.waits.append(rule)
                else:
                    ordered.fault = rule
        return ordered

    @property
    def hide_records(self) -> bool:
        """Whether any order may leave a record out of a list."""
        return any(rule.kind == "unlisted" for rule in self.rules)

    def lists(self, call: Call, record: dict[str, Any]) -> bool:
        """Whether a list shows this record of it."""
        return self.record_rule(call, record, "unlisted") is None

    def record_rule(self, call: Call, record: dict[str, Any], kind: str = "record") -> Rule | None:
        """The rule that makes this one record fail, or leaves it out."""
        for rule in self.rules:
            if rule.kind == kind and _gate_fits(rule, call) and self._fits(rule, record) and self._acts(rule):
                return rule
        return None

    def _matches_call(self, rule: Rule, call: Call) -> bool:
        return _gate_fits(rule, call) and (
            not rule.match or any(self._fits(rule, record) for record in records_in(call))
        )

    def _acts(self, rule: Rule) -> bool:
        if rule.spent():
            return False
        if rule.skip > 0:
            rule.skip -= 1
            return False
        if rule.probability < 1.0 and self._random.random() >= rule.probability:
            return False
        rule.hits += 1
        return True

    def _fits(self, rule: Rule, record: dict[str, Any]) -> bool:
        return all(str(value) in self._values(record, name) for name, value in rule.match.items())

    def _values(self, record: dict[str, Any], name: str) -> set[str]:
        """Every value the record has under that name; an external code is also looked up by the login."""
        if name == "*":
            return {part for value in record.values() for part in _parts(value)}
        values = {part for key in _ALIASES.get(name, (name,)) if key in record for part in _parts(record[key])}
        if name == "external_code":
            logins = (str(record[key]) for key in _ALIASES["login"] if record.get(key))
            values |= {self.code_of_login(login) for login in logins}
        return values


def records_in(call: Call) -> list[dict[str, Any]]:
    """The records that a call carries; for a read, its query as one record."""
    params = call.body.get("params") if isinstance(call.body, dict) else None
    clients = params.get("clients") if isinstance(params, dict) else None
    if isinstance(clients, list):
        return [each for each in clients if isinstance(each, dict)]
    return [params] if isinstance(params, dict) else [dict(call.query)]


def _parts(value: Any) -> Iterable[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    return [str(value), *str(value).split(",")]


def _gate_fits(rule: Rule, call: Call) -> bool:
    return fnmatchcase(call.name, rule.gate) or fnmatchcase(call.gate, rule.gate)
