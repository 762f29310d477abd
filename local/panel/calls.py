"""One call of a gate, and how queries are read.

Of the contract's traps: lists in a query are one comma-joined value (of a name given twice, PHP keeps
the last), windows are deepObject (`window[begin]=`), pages count from 0, a page holds 1 to 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from local.panel.answers import Refusal
from local.panel.clock import parse_moment

MAX_PAGE = 100


@dataclass
class Call:
    """Method, gate, version, query (last value of each name) and parsed body."""

    method: str
    gate: str
    version: int = 8
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def name(self) -> str:
        """How the call is counted and matched: `GET clients/clients`."""
        return f"{self.method} {self.gate}"


@dataclass(frozen=True)
class Page:
    """Which page is wanted."""

    number: int
    limit: int

    def cut(self, ids: Sequence[int]) -> Sequence[int]:
        start = self.number * self.limit
        return ids[start : start + self.limit]

    def frame(self, total: int) -> dict[str, int]:
        """The four paging keys."""
        pages = -(-total // self.limit)
        return {
            "resultsNumberAll": total,
            "resultsNumberPage": pages,
            "resultsPage": self.number,
            "resultsLimit": self.limit,
        }


def page_of(values: Mapping[str, Any]) -> Page:
    """Paging out of a query or out of a body's params."""
    number = whole_number(values.get("resultsPage", 0), "resultsPage")
    limit = whole_number(values.get("resultsLimit", MAX_PAGE), "resultsLimit")
    if number < 0 or not 1 <= limit <= MAX_PAGE:
        raise Refusal(422, "resultsPage counts from 0, resultsLimit is 1 to 100")
    return Page(number, limit)


def whole_number(value: Any, name: str) -> int:
    """An integer, or text that is one."""
    try:
        if isinstance(value, bool | float | Decimal):
            raise TypeError
        return int(value)
    except (TypeError, ValueError):
        raise Refusal(422, f"{name} is not an integer") from None


def text_list(query: Mapping[str, str], name: str) -> list[str] | None:
    """A comma-joined list; None when the filter is absent."""
    value = query.get(name)
    return None if value is None else [part.strip() for part in value.split(",") if part.strip()]


def number_list(query: Mapping[str, str], name: str) -> list[int] | None:
    """A comma-joined list of ids."""
    values = text_list(query, name)
    return None if values is None else [whole_number(each, name) for each in values]


def one_of(query: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str | None:
    """A word out of a few; None when absent."""
    value = query.get(name)
    if value is not None and value not in allowed:
        raise Refusal(422, f"{name} is one of {', '.join(allowed)}")
    return value


@dataclass(frozen=True)
class Window:
    """Two wall times, both ends included; either may be open."""

    begin: str | None
    end: str | None

    def holds(self, moment: str) -> bool:
        return (self.begin is None or self.begin <= moment) and (self.end is None or moment <= self.end)


def query_window(query: Mapping[str, str], name: str, stem: str, whole_days: bool) -> Window | None:
    """A deepObject window out of a query, `name[stemBegin]` and `name[stemEnd]`.

    With `whole_days` an End without a time covers its day.
    """
    if name in query:
        raise Refusal(422, f"{name} is an object: {name}[{stem}Begin]=...")
    begin, end = (query.get(f"{name}[{stem}{which}]") for which in ("Begin", "End"))
    if begin is None and end is None:
        return None
    try:
        low = None if begin is None else parse_moment(begin)[0]
        high = None if end is None else _end(end, whole_days)
    except (ValueError, TypeError, AttributeError):
        raise Refusal(422, f"{name}: a date is YYYY-MM-DD or YYYY-MM-DD h:m:s") from None
    return Window(low, high)


def _end(text: str, whole_days: bool) -> str:
    moment, has_time = parse_moment(text)
    return moment if has_time or not whole_days else f"{moment[:10]} 23:59:59"
