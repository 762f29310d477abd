"""What the answers of all gates have in common: ids, counts, faults and results.

Reading is tolerant: unknown fields are ignored, a number may come as text, an empty object as ``[]``.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
Fault = tuple[str, str]
"""Number and text of a fault, as the panel tells them; either may be empty."""

_TRUE = frozenset({"true", "1", "ok", "yes", "y"})
_MOST_DIGITS = 40
_WHOLE = re.compile(r"\d{1,15}")


def text(value: Any) -> str:
    """Return an id or a code as text, whatever type it came in; a list or an object is none, and empty."""
    if value is None or isinstance(value, list | dict):
        return ""
    if isinstance(value, Decimal) and value.adjusted() < _MOST_DIGITS and value == value.to_integral_value():
        return str(int(value))
    return str(value)


def whole(value: Any) -> int | None:
    """Return a count or a number that may have come as text; None where it is neither."""
    shown = text(value)
    return int(shown) if _WHOLE.fullmatch(shown) else None


def listed(body: Json, name: str) -> list[Any]:
    """Return the list of this name, empty where there is none."""
    found = body.get(name)
    return found if isinstance(found, list) else []


def counts(body: Json, page: int, limit: int, name: str = "results") -> tuple[int, int]:
    """Return how many records and pages a search has in all; where the panel does not say, what this page tells."""
    seen = len(listed(body, name))
    total = whole(body.get("resultsNumberAll"))
    pages = whole(body.get("resultsNumberPage"))
    if pages is None:
        pages = page + 1 if seen < limit else page + 2
    return page * limit + seen if total is None else total, pages


def results(body: Json) -> list[Any]:
    """Return the results of an answer to a bulk write, one for each record."""
    return listed(body, "clients") or listed(body, "results")


def fault(body: Json) -> Fault | None:
    """Return the fault of a whole answer; None where it has none."""
    return fault_of(body.get("errors"))


def fault_of(errors: Any) -> Fault | None:
    """Return one error, or the first of several; None where there is none, or its number is 0."""
    first = errors[0] if isinstance(errors, list) and errors else errors
    if not isinstance(first, dict):
        return ("", text(first)) if first else None
    number, said = text(first.get("faultCode")), text(first.get("faultString") or first.get("message"))
    return None if number == "0" or not (number or said) else (number, said)


def faults_of(item: Json) -> list[Fault]:
    """Return every reason that one result gives for its failure."""
    several = item.get("errors")
    found = [fault_of(each) for each in several] if isinstance(several, list) else []
    return [each for each in found if each] or [each for each in [failure(item)] if each]


def failure(item: Json) -> Fault | None:
    """Return why one result failed; None where it says that it did not.

    Gates say so in three ways: by ``status`` or ``resultStatus`` with a list of errors, or by ``faultCode`` on the
    result itself.
    """
    own = item if "faultCode" in item else None
    named = fault_of(item.get("errors")) or fault_of(own) or fault_of(item.get("error"))
    if named:
        return named
    status = item.get("status", item.get("resultStatus"))
    return None if status is None or text(status).casefold() in _TRUE else ("", "")
