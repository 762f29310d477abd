"""What the answers of all gates have in common: ids, pages, faults and results.

Reading is tolerant of forms: unknown fields are ignored, a number may come as text, an empty object as ``[]``. It is
strict about what an answer claims: a search without its list, or one that contradicts its own counts, tells nothing,
least of all that there is nothing.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

from kartoteka.errors import Retry
from kartoteka.ports.panel import BROKEN_ANSWER

Json = dict[str, Any]
Fault = tuple[str, str]
"""Number and text of a fault, as the panel tells them; either may be empty."""

_TRUE = frozenset({"true", "1", "ok", "yes", "y"})
_MOST_DIGITS = 40
_LISTS = ("errors", "faults")
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


class Page(NamedTuple):
    """One page of a search: its records, and how many records and pages there are in all."""

    records: list[Json]
    total: int
    pages: int


def page_of(body: Json, name: str, page: int, limit: int, *, nothing: bool = False) -> Page:
    """Return page ``page`` (from 0) of a search that was asked for ``limit`` records a page.

    ``nothing``: the panel says that it found nothing, so the list may be missing. Raises Retry for an answer without
    its list, with an entry that is no record, or whose counts contradict it. Where the panel does not count, the page
    itself tells how much there is at least.
    """
    found = body.get(name)
    if nothing and not found:
        found = []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Retry(BROKEN_ANSWER)
    seen, size = len(found), whole(body.get("resultsLimit")) or limit
    total, pages = whole(body.get("resultsNumberAll")), whole(body.get("resultsNumberPage"))
    fits = whole(body.get("resultsPage")) in (None, page)
    if total is not None:
        needed = -(-total // size)
        fits = fits and seen == min(max(0, total - page * size), size) and pages in (None, needed, max(1, needed))
        pages = needed
    elif pages is not None:
        fits = fits and seen in _lengths(page, pages, size)
    else:
        pages = page + (seen > 0) + (seen >= size)
    if not fits:
        raise Retry(BROKEN_ANSWER)
    return Page(found, page * size + seen if total is None else total, pages)


def _lengths(page: int, pages: int, size: int) -> range:
    """Return how many records a page of so many may hold: one that others follow is full, one past the end empty."""
    if page + 1 < pages:
        return range(size, size + 1)
    return range(1 if page else 0, size + 1) if page + 1 == pages else range(1)


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
    several = next((item[name] for name in _LISTS if isinstance(item.get(name), list)), None)
    found = [fault_of(each) for each in several] if isinstance(several, list) else []
    return [each for each in found if each] or [each for each in [failure(item)] if each]


def failure(item: Json) -> Fault | None:
    """Return why one result failed; None where it says that it did not.

    Gates say so in three ways: by ``status`` or ``resultStatus`` with a list of errors (``faults`` at some), or by
    ``faultCode`` on the result itself.
    """
    own = item if "faultCode" in item else None
    listed_ = (fault_of(item.get(name)) for name in _LISTS)
    named = next(filter(None, listed_), None) or fault_of(own) or fault_of(item.get("error"))
    if named:
        return named
    status = item.get("status", item.get("resultStatus"))
    return None if status is None or text(status).casefold() in _TRUE else ("", "")
