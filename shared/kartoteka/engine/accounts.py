"""Accounts: every card gets one account and none gets two; the account is open while the card is active.

The card's code is looked up first, always: a lost reply must not open a second account. A card whose code no account
carries is matched with the directory of the panel's accounts; what no rule hits is opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from kartoteka.core import messages, normal
from kartoteka.core.concerns import ACCOUNTS
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.matching import Match
from kartoteka.core.merge import erp_differs
from kartoteka.core.model import Account, Direction, Settlement, Snapshot
from kartoteka.engine import directory, incoming, strays
from kartoteka.engine.acts import Report, halts, looked_up, nothing_new, store
from kartoteka.engine.base import Counts, Engine, delayed
from kartoteka.engine.fields import merge_fields
from kartoteka.engine.linking import CONCERN, Run, Unknown, link_by_code, link_matched, promise_the_rest, refuse
from kartoteka.engine.matches import match_cards
from kartoteka.engine.opening import fit_for_opening, open_new

ROUNDS = 3
"""Look up, link and open, at most this often in one run: a lost reply is cleared up at once, not a minute later."""


def reconcile_accounts(engine: Engine, keys: Sequence[str]) -> Report:
    """Give each of these cards its account, and open or close the accounts of those that have one."""
    snapshots = engine.look(CONCERN, keys)
    linked = [s.client_id for s in snapshots if s.link and _unsettled(engine, s)]
    report = _find_accounts(engine, snapshots) + merge_fields(engine, ACCOUNTS, linked)
    strays.tell_answered(engine, keys)
    return report


def _unsettled(engine: Engine, snapshot: Snapshot) -> bool:
    """Return whether a linked card asks for a look at the panel: a late message finds nothing left to do."""
    if snapshot.row is None:
        return False
    return bool(snapshot.parked or snapshot.intent) or erp_differs(ACCOUNTS, engine.rules(CONCERN), snapshot)


def _find_accounts(engine: Engine, snapshots: Sequence[Snapshot]) -> Report:
    cards = _without_account(engine, snapshots)
    run = Run(
        [Settlement(s.client_id, CONCERN, messages.IN_STEP) for s in snapshots if s.link and not s.row and s.parked]
    )
    if not cards:
        return _stored(engine, run, snapshots)
    if not directory.is_complete(engine):
        run.settlements += [delayed(engine, card, CONCERN, Retry("first_pass")) for card in cards]
        return _stored(engine, run, snapshots)
    for candidate in engine.exchange.candidates([card.client_id for card in cards]):
        run.known.setdefault(candidate.client_id, []).append(candidate)
    unknown: Unknown = {}
    left = cards
    for _ in range(ROUNDS):
        left, unknown = _round(engine, run, left)
        if not left or not all(_worth_another_round(error) for error in unknown.values()):
            break
    run.settlements += [delayed(engine, card, CONCERN, unknown[card.client_id]) for card in left]
    promise_the_rest(engine, run)
    report = _stored(engine, run, snapshots)
    _wake_others(engine, run)
    found = Counts(reconciled=len(cards) - len(left))
    return report + Report(found, halts(list(unknown.values())))


def _without_account(engine: Engine, snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Return the cards to find an account for. Where the policy opens and links none, the ERP's own answers count."""
    cards = [s for s in snapshots if s.row is not None and s.link is None]
    if engine.policy.accounts.direction is not Direction.OFF or not cards:
        return cards
    answered = engine.exchange.incoming_answers([s.client_id for s in cards]) if engine.policy.accounts.incoming else {}
    return [s for s in cards if s.client_id in answered]


def _stored(engine: Engine, run: Run, snapshots: Sequence[Snapshot]) -> Report:
    by_place = {s.place: s for s in snapshots}
    worth = [s for s in run.settlements if s.concern != CONCERN or not nothing_new(s, by_place[s.place])]
    return store(engine, worth, snapshots)[0]


def _worth_another_round(error: Retry | Halt) -> bool:
    return isinstance(error, Retry) and error.after is None


def _round(engine: Engine, run: Run, cards: Sequence[Snapshot]) -> tuple[list[Snapshot], Unknown]:
    """Look up, link, open. Return the cards whose fate is unknown, and why; all others are in ``run``."""
    accounts, failed = looked_up(engine.panel.find, [card.client_id for card in cards])
    owned: dict[str, list[Account]] = defaultdict(list)
    for account in accounts:
        owned[account.external_code].append(account)
    away: Unknown = {}
    for card in cards:
        error = failed.get(card.client_id)
        if card.client_id in owned:
            link_by_code(engine, run, card, owned[card.client_id])
        elif isinstance(error, Reject):
            refuse(engine, run, card, error)
        elif error is not None:
            away[card.client_id] = error
    rest = [card for card in cards if card.client_id not in owned | failed]
    linking, opening = _sorted_out(engine, run, rest)
    lost, unlinked = link_matched(engine, run, linking)
    shut, unopened = open_new(engine, run, opening)
    return [card for card in cards if card.client_id in away] + lost + shut, away | unlinked | unopened


def _sorted_out(
    engine: Engine, run: Run, cards: Sequence[Snapshot]
) -> tuple[list[tuple[Snapshot, Match]], list[Snapshot]]:
    """Return the cards to be linked, each with its match, and those to open an account for; hold the others."""
    plain: list[Snapshot] = []
    for card in cards:
        if normal.is_plain_code(card.client_id):
            plain.append(card)
        else:
            run.hold(card, messages.bad_id())
    matches = match_cards(engine, plain)
    linking: list[tuple[Snapshot, Match]] = []
    opening: list[Snapshot] = []
    for card in plain:
        match = matches[card.client_id]
        if match.question:
            run.hold(card, messages.question(match.question, match.candidates), match.candidates)
        elif match.panel_client_id:
            linking.append((card, match))
        elif fit_for_opening(engine, run, card):
            opening.append(card)
    return linking, opening


def _wake_others(engine: Engine, run: Run) -> None:
    """Hand on what became due: the other concerns of linked cards, and cards and accounts that were waited for."""
    for concern, client_ids in run.wake.items():
        engine.queue.send(concern, client_ids)
    if run.questioned:
        engine.exchange.unlist_incoming(run.questioned)
    if not run.freed:
        return
    settled = {s.client_id for s in run.settlements}
    if others := sorted(engine.exchange.contenders(run.freed) - settled):
        engine.queue.send(CONCERN, others)
    incoming.list_strangers(engine, sorted(run.freed))
