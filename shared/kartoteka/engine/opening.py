"""Opening accounts: one call for many cards, each with a log-in name of its own, and no card twice.

What is about to be opened is written down before the call, with its log-in name, so that a repeated request asks for
the same account.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace

from kartoteka.core import check, login, messages
from kartoteka.core.concerns import ACCOUNT_FIELDS, BILLING
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.model import Announcement, Direction, Intent, Link, NewAccount, Snapshot, Value
from kartoteka.engine import shops
from kartoteka.engine.acts import judged
from kartoteka.engine.base import Engine
from kartoteka.engine.linking import CONCERN, Run, creation, link_opened, refuse
from kartoteka.ports import Done

LOOKS_IN_VAIN = 3
"""Pauses (1, 2, 4 minutes) after which a taken log-in name is believed to be somebody else's."""
SUFFIXES = 20
"""Log-in names tried for one card in one run."""


def fit_for_opening(engine: Engine, run: Run, card: Snapshot) -> bool:
    """Return whether an account may be opened for a card; what is wrong with it goes into the run."""
    if engine.policy.accounts.direction is Direction.PANEL_TO_ERP:
        run.hold(card, messages.not_opened())
        return False
    row = card.row or {}
    if missing := check.missing_on_create(row, engine.policy):
        run.hold(card, messages.incomplete("clients", missing))
        return False
    if not check.shops(row, engine.policy):
        run.hold(card, messages.no_shop())
        return False
    try:
        values = values_for(engine, card)
        check.check_for_panel(ACCOUNT_FIELDS, values)
        shops.refuse_unknown(engine, values)
    except Reject as exc:
        refuse(engine, run, card, exc)
        return False
    return True


def values_for(engine: Engine, card: Snapshot) -> dict[str, Value]:
    """Return the values an account of this card is opened with, its shops among them."""
    row = card.row or {}
    values = check.values_for_create(row, engine.policy, engine.rules(BILLING.name))
    return values | {"shops": ",".join(map(str, check.shops(row, engine.policy)))}


def open_new(engine: Engine, run: Run, cards: Sequence[Snapshot]) -> tuple[list[Snapshot], dict[str, Retry | Halt]]:
    """Open these cards' accounts. Return the cards whose fate is unknown, and why."""
    names = _Names(engine, cards)
    todo = list(cards)
    unknown: dict[str, Retry | Halt] = {}
    for _ in range(SUFFIXES):
        if not todo:
            break
        todo, lost = _open_once(engine, run, todo, names)
        unknown |= lost
    for card in todo:
        refuse(engine, run, card, Reject("login_taken", "Brak wolnego loginu. / No free log-in name.", field="login"))
    intended = {name: names.intent(name) for name in unknown}
    return [replace(card, intent=intended[card.client_id]) for card in cards if card.client_id in unknown], unknown


def _open_once(
    engine: Engine, run: Run, cards: Sequence[Snapshot], names: _Names
) -> tuple[list[Snapshot], dict[str, Retry | Halt]]:
    """Ask once for each card's account. Return the cards whose name was taken, and what is unknown."""
    announcements = [Announcement(card.client_id, CONCERN, names.intent(card.client_id)) for card in cards]
    engine.exchange.announce(announcements, run_id=engine.run_id, at=engine.now())
    requests = [names.request(card.client_id) for card in cards]
    notify = engine.policy.accounts.notify_customer
    outcomes = judged(lambda some: engine.panel.create(some, notify=notify), requests)
    taken: list[Snapshot] = []
    unknown: dict[str, Retry | Halt] = {}
    for card, outcome in zip(cards, outcomes, strict=True):
        if isinstance(outcome, Done):
            intent = names.intent(card.client_id)
            link = Link(card.client_id, outcome.panel_client_id, outcome.login or intent.login, "created")
            link_opened(engine, run, card, link, intent)
        elif isinstance(outcome, Retry | Halt):
            unknown[card.client_id] = outcome
        elif outcome.code != "login_taken" or engine.policy.accounts.login.mode == "erp":
            refuse(engine, run, card, outcome)
        elif names.may_be_ours(card) and not _looked_for_again(card):
            unknown[card.client_id] = Retry("maybe_opened")
        else:
            names.next(card.client_id)
            taken.append(card)
    return taken, unknown


def _looked_for_again(card: Snapshot) -> bool:
    """Return whether the account that may be ours was looked for again and again, at growing pauses, in vain."""
    return card.parked is not None and card.parked.code == "maybe_opened" and card.parked.tries >= LOOKS_IN_VAIN


class _Names:
    """The log-in names asked for in one chunk, no two alike, and the requests that carry them."""

    def __init__(self, engine: Engine, cards: Sequence[Snapshot]) -> None:
        self._policy = engine.policy
        self._taken: set[str] = set()
        self._names: dict[str, Iterator[str]] = {}
        self._requests: dict[str, NewAccount] = {}
        for card in sorted(cards, key=lambda card: card.intent is None):
            self._names[card.client_id] = login.candidates(self._wanted(card))
            self._requests[card.client_id] = NewAccount(
                card.client_id,
                login="",
                password=secrets.token_urlsafe(18),
                values=values_for(engine, card),
            )
            self.next(card.client_id)

    def _wanted(self, card: Snapshot) -> str:
        if card.intent and card.intent.creating and card.intent.login:
            return card.intent.login
        row, rule = card.row or {}, self._policy.accounts.login
        if rule.mode == "erp":
            return login.wanted(str(row.get("login")))
        made = login.from_pattern(rule.pattern, card.client_id, row) if rule.mode == "pattern" else ""
        return made or login.automatic(card.client_id)

    def next(self, client_id: str) -> None:
        """Take the next name that no other card of this chunk has; the name an ERP asks for is taken as it is."""
        given = self._policy.accounts.login.mode == "erp"
        name = next(name for name in self._names[client_id] if given or name not in self._taken)
        self._taken.add(name)
        self._requests[client_id] = replace(self._requests[client_id], login=name)

    def request(self, client_id: str) -> NewAccount:
        """Return the request for this card's account."""
        return self._requests[client_id]

    def intent(self, client_id: str) -> Intent:
        """Return what is written down before the call."""
        request = self._requests[client_id]
        return Intent(creation(request.values), creating=True, login=request.login)

    def may_be_ours(self, card: Snapshot) -> bool:
        """Return whether an account of this name may be the one that an earlier, unanswered call opened."""
        intent = card.intent
        return intent is not None and intent.creating and intent.login == self._requests[card.client_id].login
