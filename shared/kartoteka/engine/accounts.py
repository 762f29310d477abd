"""Accounts, ERP to panel: every card without an account gets one, and none gets two.

The card's code is looked up first, always: a lost reply must not open a second account. What is about to be opened is
written down before the call, with its log-in name, so that a repeated request asks for the same account.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kartoteka.core import check, login, messages, normal
from kartoteka.core.concerns import BILLING
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.model import (
    Account,
    Announcement,
    Direction,
    Intent,
    Link,
    NewAccount,
    Parked,
    Reason,
    Settlement,
    Snapshot,
    State,
    Status,
    Value,
    Written,
)
from kartoteka.engine.acts import Report, halts, judged, looked_up, nothing_new, store
from kartoteka.engine.base import Counts, Engine, delayed, refused
from kartoteka.ports import Done

CONCERN = "accounts"
ROUNDS = 3
"""Look up and open, at most this often in one run: a lost reply is cleared up at once, not a minute later."""
LOOKS_IN_VAIN = 3
"""Pauses (1, 2, 4 minutes) after which a taken log-in name is believed to be somebody else's."""
SUFFIXES = 20
"""Log-in names tried for one card in one run."""


@dataclass(slots=True)
class _Run:
    """What has come of the cards of one chunk so far."""

    settlements: list[Settlement] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    halts: tuple[str, ...] = ()


def open_accounts(engine: Engine, keys: Sequence[str]) -> Report:
    """Open an account for each of these cards that has none, or link the one that carries the card's code."""
    if engine.policy.accounts.direction is Direction.OFF:
        return Report()
    snapshots = engine.exchange.snapshots(CONCERN, keys)
    cards = [s for s in snapshots if s.row is not None and s.link is None]
    run = _Run([Settlement(s.client_id, CONCERN, messages.IN_STEP) for s in snapshots if s.link and s.parked])
    unknown: dict[str, Retry | Halt] = {}
    for _ in range(ROUNDS if cards else 0):
        cards, unknown = _round(engine, run, cards)
        if not cards or not all(_worth_another_round(error) for error in unknown.values()):
            break
    run.settlements += [delayed(engine, card, CONCERN, unknown[card.client_id]) for card in cards]
    run.halts = halts(list(unknown.values()))
    by_id = {s.client_id: s for s in snapshots}
    worth = [s for s in run.settlements if s.concern != CONCERN or not nothing_new(s, by_id[s.client_id])]
    report, _ = store(engine, worth, snapshots)
    if run.linked:
        engine.queue.send(BILLING.name, run.linked)
    return report + Report(Counts(reconciled=len(snapshots) - len(cards)), run.halts)


def _worth_another_round(error: Retry | Halt) -> bool:
    return isinstance(error, Retry) and error.after is None


def _round(engine: Engine, run: _Run, cards: Sequence[Snapshot]) -> tuple[list[Snapshot], dict[str, Retry | Halt]]:
    """Look up, link, open. Return the cards whose fate is unknown, and why; all others are in ``run``."""
    accounts, failed = looked_up(engine.panel.find, [card.client_id for card in cards])
    owned: dict[str, list[Account]] = {}
    for account in accounts:
        owned.setdefault(account.external_code, []).append(account)
    away: dict[str, Retry | Halt] = {}
    for card in cards:
        error = failed.get(card.client_id)
        if card.client_id in owned:
            _link(engine, run, card, owned[card.client_id])
        elif isinstance(error, Reject):
            _refuse(engine, run, card, error)
        elif error is not None:
            away[card.client_id] = error
    ready = [card for card in cards if card.client_id not in owned | failed and _may_open(engine, run, card)]
    unknown_cards, unknown = _open(engine, run, ready)
    return [card for card in cards if card.client_id in away] + unknown_cards, unknown | away


def _link(engine: Engine, run: _Run, card: Snapshot, accounts: Sequence[Account]) -> None:
    """Link a card to the account that carries its code; billing is compared next, by its own queue.

    The parked row is the promise that this happens even if the message to that queue is never sent.
    """
    if len(accounts) > 1:
        status = messages.several_accounts(a.panel_client_id for a in accounts)
        run.settlements.append(Settlement(card.client_id, CONCERN, status))
        return
    account = accounts[0]
    opened = _opened_before(card, account)
    link = Link(card.client_id, account.panel_client_id, account.login, "created" if opened else "external_code")
    run.settlements.append(Settlement(card.client_id, CONCERN, messages.IN_STEP, link=link))
    run.settlements.append(
        Settlement(
            card.client_id,
            BILLING.name,
            messages.first_contact_due(),
            agreed=opened.values if opened else {},
            parked=Parked(engine.now(), attempts=0, tries=0, code="first_contact"),
            written=opened.written if opened else (),
        )
    )
    run.linked.append(card.client_id)


def _opened_before(card: Snapshot, account: Account) -> Intent | None:
    """Return the intent that opened this account, if an earlier run did so and never had its answer."""
    intent = card.intent
    return intent if intent and intent.creating and intent.login == account.login else None


def _may_open(engine: Engine, run: _Run, card: Snapshot) -> bool:
    """Return whether a card is fit for opening; what is wrong with it goes into the run."""
    row = card.row or {}
    if engine.policy.accounts.direction is Direction.PANEL_TO_ERP:
        status = Status(State.EXCLUDED, "direction")
        run.settlements.append(Settlement(card.client_id, CONCERN, status, keep_intent=True))
        return False
    held = None
    if not normal.is_plain_code(card.client_id):
        held = messages.bad_id()
    elif missing := check.missing_on_create(row, engine.policy):
        held = messages.incomplete(missing)
    elif not check.shops(row, engine.policy):
        held = messages.no_shop()
    if held:
        run.settlements.append(Settlement(card.client_id, CONCERN, held, keep_intent=True))
        return False
    try:
        check.check_for_panel(BILLING, check.values_for_create(row, engine.policy, engine.rules(BILLING.name)))
    except Reject as exc:
        _refuse(engine, run, card, exc)
        return False
    return True


def _refuse(engine: Engine, run: _Run, card: Snapshot, error: Reject) -> None:
    status, parked = refused(engine, card, error)
    run.settlements.append(Settlement(card.client_id, CONCERN, status, parked=parked))


def _open(engine: Engine, run: _Run, cards: Sequence[Snapshot]) -> tuple[list[Snapshot], dict[str, Retry | Halt]]:
    names = _Names(engine, cards)
    todo = list(cards)
    unknown: dict[str, Retry | Halt] = {}
    for _ in range(SUFFIXES):
        if not todo:
            break
        todo, lost = _open_once(engine, run, todo, names)
        unknown |= lost
    for card in todo:
        _refuse(engine, run, card, Reject("login_taken", "Brak wolnego loginu. / No free log-in name.", field="login"))
    intended = {name: names.intent(name) for name in unknown}
    return [replace(card, intent=intended[card.client_id]) for card in cards if card.client_id in unknown], unknown


def _open_once(
    engine: Engine, run: _Run, cards: Sequence[Snapshot], names: _Names
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
            _opened(run, card, names, outcome)
        elif isinstance(outcome, Retry | Halt):
            unknown[card.client_id] = outcome
        elif outcome.code != "login_taken" or engine.policy.accounts.login.mode == "erp":
            _refuse(engine, run, card, outcome)
        elif names.may_be_ours(card) and not _looked_for_again(card):
            unknown[card.client_id] = Retry("maybe_opened")
        else:
            names.next(card.client_id)
            taken.append(card)
    return taken, unknown


def _looked_for_again(card: Snapshot) -> bool:
    """Return whether the account that may be ours was looked for again and again, at growing pauses, in vain."""
    return card.parked is not None and card.parked.code == "maybe_opened" and card.parked.tries >= LOOKS_IN_VAIN


def _opened(run: _Run, card: Snapshot, names: _Names, outcome: Done) -> None:
    request = names.request(card.client_id)
    link = Link(card.client_id, outcome.panel_client_id, outcome.login or request.login, "created")
    run.settlements.append(Settlement(card.client_id, CONCERN, messages.IN_STEP, link=link))
    if agreed := names.agreed(card):
        written = _creation(request.values)
        run.settlements.append(
            Settlement(card.client_id, BILLING.name, messages.IN_STEP, agreed=agreed, written=written)
        )


def _creation(values: Mapping[str, Value]) -> tuple[Written, ...]:
    return tuple(Written(name, Direction.ERP_TO_PANEL, Reason.CREATE, None, value) for name, value in values.items())


class _Names:
    """The log-in names asked for in one chunk, no two alike, and the requests that carry them."""

    def __init__(self, engine: Engine, cards: Sequence[Snapshot]) -> None:
        self._policy = engine.policy
        self._rules = engine.rules(BILLING.name)
        self._taken: set[str] = set()
        self._names: dict[str, Iterator[str]] = {}
        self._requests: dict[str, NewAccount] = {}
        for card in sorted(cards, key=lambda card: card.intent is None):
            self._names[card.client_id] = login.candidates(self._wanted(card))
            self._requests[card.client_id] = NewAccount(
                card.client_id,
                login="",
                password=secrets.token_urlsafe(18),
                values=check.values_for_create(card.row or {}, engine.policy, self._rules),
                shops=check.shops(card.row or {}, engine.policy),
            )
            self.next(card.client_id)

    def _wanted(self, card: Snapshot) -> str:
        if card.intent and card.intent.login:
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
        return Intent(_creation(request.values), creating=True, login=request.login)

    def agreed(self, card: Snapshot) -> dict[str, Value]:
        """Return what both sides agree on once the account is open: the row's fields that travel to the panel."""
        row = {**(card.row or {}), **self._requests[card.client_id].values}
        return {name: row.get(name) for name, rule in self._rules.items() if rule.to_panel}

    def may_be_ours(self, card: Snapshot) -> bool:
        """Return whether an account of this name may be the one that an earlier, unanswered call opened."""
        return card.intent is not None and card.intent.login == self._requests[card.client_id].login
