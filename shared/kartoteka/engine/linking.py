"""Linking a card with an account, and what follows from it: the first comparison of everything else.

The account is given the card's code before the link is written down. Where the reply is lost, the next look finds the
account by its code.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kartoteka.core import messages, normal
from kartoteka.core.concerns import ACCOUNTS, BILLING, CREDIT, DELIVERY_ADDRESSES, DISCOUNTS, SHOPS, Concern
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.matching import Match, can_be_linked, hint, rules_that_hit
from kartoteka.core.model import (
    Account,
    AccountUpdate,
    Announcement,
    Candidate,
    Direction,
    Intent,
    Link,
    Parked,
    Reason,
    Settlement,
    Snapshot,
    Status,
    Value,
    Written,
)
from kartoteka.engine import directory
from kartoteka.engine.acts import Judged, judged, looked_up
from kartoteka.engine.base import Engine, refused

CONCERN = ACCOUNTS.name
CODE = "external_code"
"""The name under which the giving of a code stands in intents and in the history."""
FOLLOWING = (BILLING, SHOPS, DELIVERY_ADDRESSES)
"""The concerns that are compared for the first time once a card is linked."""

Unknown = dict[str, Retry | Halt]
"""Card -> why its fate is unknown."""


@dataclass(slots=True)
class Run:
    """What has come of the cards of one chunk so far.

    ``wake``: concern -> customers to be looked at next. ``freed``: accounts that were candidates of cards which need
    no more asking, ``questioned`` those of cards that wait for a person. ``opened``: cards whose account is new,
    ``linked``: those whose account was there.
    """

    settlements: list[Settlement] = field(default_factory=list)
    wake: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    known: dict[str, list[Candidate]] = field(default_factory=dict)
    freed: set[str] = field(default_factory=set)
    questioned: set[str] = field(default_factory=set)
    opened: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)

    def hold(self, card: Snapshot, status: Status, candidates: Sequence[Candidate] | None = None) -> None:
        """Leave a card to a person; its ``candidates`` replace those that stand in ``sync_matches``."""
        self.questioned.update(c.panel_client_id for c in candidates or ())
        same = candidates is None or tuple(candidates) == tuple(self.known.get(card.client_id, ()))
        news = None if same else tuple(candidates or ())
        self.settlements.append(Settlement(card.client_id, CONCERN, status, keep_intent=True, candidates=news))

    def settle(self, settlement: Settlement) -> None:
        """Take a card whose question is answered: nobody needs to be asked about it any more."""
        rows = self.known.get(settlement.client_id, ())
        self.freed.update(row.panel_client_id for row in rows)
        self.settlements.append(replace(settlement, candidates=()) if rows else settlement)


def refuse(engine: Engine, run: Run, card: Snapshot, error: Reject) -> None:
    """Set a card aside that the panel or our own check refused."""
    status, parked = refused(engine, card, error)
    run.settlements.append(Settlement(card.client_id, CONCERN, status, parked=parked))


def creation(values: Mapping[str, Value]) -> tuple[Written, ...]:
    """Return the history of an account that is opened with these values."""
    return tuple(Written(name, Direction.ERP_TO_PANEL, Reason.CREATE, None, value) for name, value in values.items())


# --- an account that is new


def link_opened(engine: Engine, run: Run, card: Snapshot, link: Link, intent: Intent) -> None:
    """Link a card to the account that was opened for it just now: both sides agree on what it was opened with."""
    run.opened.append(card.client_id)
    row = {**(card.row or {}), **intent.values}
    closing = _to_be_closed(engine, card)
    run.settle(_own(engine, run, card, link, agreed={} if closing else {"active": True}, due=closing))
    for concern in (BILLING, SHOPS):
        agreed = {name: row.get(name) for name, rule in engine.rules(concern.name).items() if rule.to_panel}
        if agreed:
            run.settlements.append(
                Settlement(
                    card.client_id, concern.name, messages.IN_STEP, agreed=agreed, written=_of(concern.fields, intent)
                )
            )


def promise_the_rest(engine: Engine, run: Run) -> None:
    """Let that be carried which only some customers have: addresses of new accounts, discount groups, credit.

    Of others there is nothing to say any more: an earlier account of theirs may have been gone.
    """
    if run.opened and engine.carries(DELIVERY_ADDRESSES.name):
        having = engine.exchange.with_items(DELIVERY_ADDRESSES.name, run.opened)
        for client_id in sorted(having):
            _promise(engine, run, client_id, DELIVERY_ADDRESSES.name)
        run.settlements += [_unsaid(key, DELIVERY_ADDRESSES.name) for key in run.opened if key not in having]
    for concern in (DISCOUNTS, CREDIT):
        if engine.carries(concern.name):
            _promise_where_asked(engine, run, concern)


def _promise_where_asked(engine: Engine, run: Run, concern: Concern) -> None:
    """Promise the first comparison of a concern that only some have; what was agreed with another account is void."""
    linked = [*run.opened, *run.linked]
    concerned = engine.concerned(concern.name, linked)
    for client_id in linked:
        if client_id in concerned:
            _promise(engine, run, client_id, concern.name, agreed={})
        else:
            run.settlements.append(_unsaid(client_id, concern.name))


def _unsaid(client_id: str, concern: str) -> Settlement:
    return Settlement(client_id, concern, None, forget=True)


# --- an account that is there already


def link_by_code(engine: Engine, run: Run, card: Snapshot, accounts: Sequence[Account]) -> None:
    """Link a card to the account that carries its code; everything else is compared next.

    A guest cannot be written to, so none is linked; a card whose code only a guest carries is opened no account either.
    """
    guests, accounts = accounts, [a for a in accounts if can_be_linked(directory.seen(a))]
    if not accounts:
        run.hold(card, messages.guest(guests[0].panel_client_id))
        return
    if len(accounts) > 1:
        run.hold(card, messages.several_accounts(a.panel_client_id for a in accounts))
        return
    account = accounts[0]
    intent = card.intent if card.intent and card.intent.login == account.login else None
    by = intent.linked_by or "created" if intent else "external_code"
    link = Link(card.client_id, account.panel_client_id, account.login, by)
    _link(engine, run, card, link, intent)


def _link(engine: Engine, run: Run, card: Snapshot, link: Link, intent: Intent | None) -> None:
    """Link a card, with what an intent is known to have carried; promise the first comparison of all concerns.

    The parked rows are the promise that this happens even if the messages to their queues are never sent.
    """
    run.linked.append(card.client_id)
    values = intent.values if intent else {}
    closed = values.get("active") is False
    due = _to_be_closed(engine, card) is not closed
    active: dict[str, Value] = {} if due else {"active": not closed}
    written = tuple(w for w in intent.written if w.field in {CODE, *ACCOUNTS.fields}) if intent else ()
    run.settle(replace(_own(engine, run, card, link, agreed=active, due=due), written=written))
    for concern in FOLLOWING:
        if engine.carries(concern.name):
            agreed = None if concern.items else {n: v for n, v in values.items() if n in concern.fields}
            history = _of(concern.fields, intent) if intent and not concern.items else ()
            _promise(engine, run, card.client_id, concern.name, agreed=agreed, written=history)


def _own(engine: Engine, run: Run, card: Snapshot, link: Link, *, agreed: Mapping[str, Value], due: bool) -> Settlement:
    """Return the settlement of the card's own concern; ``due``: the account is still to be opened or closed."""
    if due:
        run.wake[CONCERN].append(card.client_id)
    return Settlement(
        card.client_id,
        CONCERN,
        messages.first_contact_due() if due else messages.IN_STEP,
        agreed=agreed,
        link=link,
        parked=_now(engine) if due else None,
    )


def _promise(
    engine: Engine,
    run: Run,
    client_id: str,
    concern: str,
    *,
    agreed: Mapping[str, Value] | None = None,
    written: tuple[Written, ...] = (),
) -> None:
    run.wake[concern].append(client_id)
    status = messages.first_contact_due()
    run.settlements.append(Settlement(client_id, concern, status, agreed=agreed, parked=_now(engine), written=written))


def _now(engine: Engine) -> Parked:
    return Parked(engine.now(), attempts=0, tries=0, code="first_contact")


def _to_be_closed(engine: Engine, card: Snapshot) -> bool:
    """Return whether the ERP wants the account closed. One that it wants open is left as it is at first contact."""
    return (card.row or {}).get("active") is False and engine.rules(CONCERN)["active"].to_panel


def _of(names: Iterable[str], intent: Intent) -> tuple[Written, ...]:
    return tuple(written for written in intent.written if written.field in names)


# --- an account that was matched: it is given the card's code


def link_matched(engine: Engine, run: Run, matched: Sequence[tuple[Snapshot, Match]]) -> tuple[list[Snapshot], Unknown]:
    """Give the accounts that were found their cards' codes, and link them.

    The directory may be behind the panel, so each account is read afresh. Return the cards whose fate is unknown.
    """
    chosen = Counter(match.panel_client_id for _, match in matched)
    alone = [(card, match) for card, match in matched if chosen[match.panel_client_id] == 1]
    for card, match in matched:
        if chosen[match.panel_client_id] > 1:
            named = run.known.get(card.client_id) or [Candidate(card.client_id, match.panel_client_id, match.by)]
            run.hold(card, messages.shared_account([match.panel_client_id]), named)
    accounts, failed = _read(engine, [match.panel_client_id for _, match in alone])
    unknown: Unknown = {}
    giving: list[tuple[Snapshot, Match, Account]] = []
    for card, match in alone:
        error, account = failed.get(match.panel_client_id), accounts.get(match.panel_client_id)
        if isinstance(error, Reject):
            refuse(engine, run, card, error)
        elif error is not None:
            unknown[card.client_id] = error
        elif account is not None and _still_fits(engine, run, card, match, account, unknown):
            giving.append((card, match, account))
        elif account is None:
            _gone(engine, run, card, match, unknown)
    lost, reasons = _give(engine, run, giving)
    unknown |= reasons
    intents = {card.client_id: card for card in lost}
    return [intents.get(card.client_id, card) for card, _ in alone if card.client_id in unknown], unknown


def _read(
    engine: Engine, panel_client_ids: Sequence[str]
) -> tuple[Mapping[str, Account], Mapping[str, Reject | Retry | Halt]]:
    if not panel_client_ids:
        return {}, {}
    accounts, failed = looked_up(lambda some: engine.panel.read(some).values(), panel_client_ids)
    return {account.panel_client_id: account for account in accounts}, failed


def _still_fits(engine: Engine, run: Run, card: Snapshot, match: Match, account: Account, unknown: Unknown) -> bool:
    """Return whether the account is still as it was matched; else a rule's match is judged anew, a person's is held."""
    now = directory.seen(account)
    given = match.by in ("operator", "incoming")
    taken = account.external_code != "" and not normal.same_code(account.external_code, card.client_id)
    if given:
        owner = account.external_code if taken else ""
        blocked = bool(owner) and (match.by == "incoming" or bool(engine.exchange.existing_cards([owner])))
        if blocked:
            run.hold(card, messages.account_taken(account.panel_client_id, owner))
        elif not can_be_linked(now):
            run.hold(card, messages.guest(account.panel_client_id))
        return not blocked and can_be_linked(now)
    rules = engine.policy.accounts.match
    if taken or not can_be_linked(now) or not rules_that_hit(hint(card.client_id, card.row or {}), now, rules):
        engine.exchange.remember([now], at=engine.now())
        unknown[card.client_id] = Retry("moved")
        return False
    return True


def _gone(engine: Engine, run: Run, card: Snapshot, match: Match, unknown: Unknown) -> None:
    """Take an account that the panel no longer shows out of the matching: nobody's, like a guest."""
    if match.by in ("operator", "incoming"):
        run.hold(card, messages.named_account_gone(match.panel_client_id))
        return
    known = engine.exchange.remembered([match.panel_client_id])
    engine.exchange.remember([replace(a, nip="", email="", guest=True) for a in known.values()], at=engine.now())
    unknown[card.client_id] = Retry("moved")


def _give(
    engine: Engine, run: Run, giving: Sequence[tuple[Snapshot, Match, Account]]
) -> tuple[list[Snapshot], Unknown]:
    if not giving:
        return [], {}
    intents = [_giving(engine, card, match, account) for card, match, account in giving]
    announcements = [Announcement(card.client_id, CONCERN, i) for (card, _, _), i in zip(giving, intents, strict=True)]
    engine.exchange.announce(announcements, run_id=engine.run_id, at=engine.now())
    updates = [
        AccountUpdate(
            card.client_id,
            account.login,
            {name: value for name, value in intent.values.items() if name != CODE},
            external_code=card.client_id,
        )
        for (card, _, account), intent in zip(giving, intents, strict=True)
    ]
    outcomes: Sequence[Judged] = judged(engine.panel.update, updates)
    lost: list[Snapshot] = []
    unknown: Unknown = {}
    for (card, match, account), intent, outcome in zip(giving, intents, outcomes, strict=True):
        if isinstance(outcome, Reject):
            refuse(engine, run, card, outcome)
        elif isinstance(outcome, Retry | Halt):
            unknown[card.client_id] = outcome
            lost.append(replace(card, intent=intent))
        else:
            _link(engine, run, card, Link(card.client_id, account.panel_client_id, account.login, match.by), intent)
    return lost, unknown


def _giving(engine: Engine, card: Snapshot, match: Match, account: Account) -> Intent:
    """Return what is about to be written: the code, and the closing of the account where the card is not active."""
    first, way = Reason.FIRST_CONTACT, Direction.ERP_TO_PANEL
    written = [Written(CODE, way, first, account.external_code, card.client_id)]
    if _to_be_closed(engine, card):
        written.append(Written("active", way, first, True, False))
    return Intent(tuple(written), login=account.login, linked_by=match.by)
