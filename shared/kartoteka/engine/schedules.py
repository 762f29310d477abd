"""What a concern's schedule wakes."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from kartoteka.core.concerns import ACCOUNTS, CREDIT, DISCOUNTS, PANEL_FEED
from kartoteka.core.errors import Halt, Retry
from kartoteka.engine import figures
from kartoteka.engine.base import Counts, Engine, delayed
from kartoteka.engine.collect import collect_keys
from kartoteka.engine.feed import follow_panel
from kartoteka.engine.group_collect import collect_groups

logger = logging.getLogger(__name__)


PAGE = 1_000
"""Cards looked at with one set of statements."""


def collect(engine: Engine, concern: str, *, everything_due: bool = False) -> Counts:
    """Collect a concern's keys; before cards are matched with the panel's accounts, read what is new there.

    A customer may register in the shop in the very minute in which the ERP makes his card: both schedules fire then,
    and he would be opened a second account.
    """
    if concern == DISCOUNTS.name:
        groups = collect_groups(engine, everything_due=everything_due)  # first: customers are put into them
        return groups + collect_keys(engine, concern, everything_due=everything_due)
    if concern == CREDIT.name:
        return _collect_figures(engine, everything_due=everything_due)
    if concern != ACCOUNTS.name:
        return collect_keys(engine, concern, everything_due=everything_due)
    return collect_keys(
        engine, concern, everything_due=everything_due, before_sending=lambda keys: _fit_to_send(engine, keys)
    )


def _collect_figures(engine: Engine, *, everything_due: bool) -> Counts:
    """Collect the customers whose figures changed, or became stale; tell where no figures come any more at all."""
    if not engine.carries(CREDIT.name):
        return Counts()
    aged, note = figures.outdated(engine)
    counts = collect_keys(engine, CREDIT.name, everything_due=everything_due, aged=aged)
    note()
    return counts + Counts(stopped_feeds=int(figures.has_stopped(engine)))


def _fit_to_send(engine: Engine, keys: Sequence[str]) -> Sequence[str]:
    """Return the cards that may be worked now: where the panel's news could not be read, only those with an account.

    Where the policy opens and links nobody, there is nothing to wait for: only cards with an answer are worked.
    """
    error = _read_news(engine)
    if error is None or not engine.carries(ACCOUNTS.name):
        return keys
    return _without_those_who_wait(engine, keys, error)


def _read_news(engine: Engine) -> Retry | Halt | None:
    """Bring the directory up to date; return why that could not be done."""
    if PANEL_FEED in engine.state.paused():
        return Retry("paused")
    try:
        follow_panel(engine)
    except (Retry, Halt) as error:
        logger.warning("the panel's news could not be read (%s): new cards wait for them", error.code)
        return error
    return None


def _without_those_who_wait(engine: Engine, keys: Sequence[str], error: Retry | Halt) -> Sequence[str]:
    """Park the cards without an account, which could be opened a second one; return the others."""
    waiting = set[str]()
    for start in range(0, len(keys), PAGE):
        cards = engine.look(ACCOUNTS.name, keys[start : start + PAGE])
        unlinked = [card for card in cards if card.link is None and card.row is not None]
        waiting.update(card.client_id for card in unlinked)
        settlements = [delayed(engine, card, ACCOUNTS.name, error) for card in unlinked if not card.parked]
        engine.exchange.settle(settlements, run_id=engine.run_id, at=engine.now())
    return [key for key in keys if key not in waiting]
