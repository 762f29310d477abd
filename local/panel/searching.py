"""What every search of the panel shares: pages of accounts, and the empty answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from local.panel.answers import Answer, top_fault
from local.panel.calls import Call, Page
from local.panel.model import Account
from local.panel.state import PanelState

Test = Callable[[Account], bool]
EMPTY_RESULT = 2


def sift(panel: PanelState, call: Call, ids: Sequence[int], tests: Iterable[Test]) -> Sequence[int]:
    """The ids whose accounts pass every test and are not left out by order; else the sequence itself, uncopied."""
    wanted = list(tests)
    if panel.faults.hide_records:
        wanted.append(lambda account: panel.faults.lists(call, _matched_by(account)))
    if not wanted:
        return ids
    accounts = (panel.account(each) for each in ids)
    return [account.id for account in accounts if all(test(account) for test in wanted)]


def _matched_by(account: Account) -> dict[str, Any]:
    return {"clientId": account.id, "clientLogin": account.login, "clientCodeExternal": account.external_code}


def count_unknown(panel: PanelState, call: Call, known: frozenset[str]) -> None:
    """A misspelt filter is ignored, as everywhere in PHP: it finds everything. Counted, so that a test can see it."""
    for name in call.query:
        if name not in known:
            panel.counters.unknown[f"{call.name} {name}"] += 1


def page_answer(
    panel: PanelState,
    ids: Sequence[int],
    page: Page,
    key: str,
    shape: Callable[[Account], Any],
) -> Answer:
    """One page of accounts."""
    return records_answer(panel, [shape(panel.account(each)) for each in page.cut(ids)], len(ids), page, key)


def records_answer(panel: PanelState, records: list[Any], total: int, page: Page, key: str) -> Answer:
    """One page of records out of so many; without any, also past the end, it is the answer of an empty search."""
    frame: dict[str, Any] = {**page.frame(total), key: records}
    if records or panel.settings.empty_search_status == 200:
        return Answer(frame, results=key, records=len(records))
    fault = top_fault(EMPTY_RESULT, "Wynik pusty")
    return Answer({**frame, **fault} if panel.settings.empty_search_paging else fault, 207)
