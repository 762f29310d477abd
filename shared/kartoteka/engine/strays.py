"""What the ERP wrote about a card that is not there, or that has another account: it cannot be carried, and is told.

Asked by collect for rows that were touched; costs no panel call. Once the card is there, or the answer is corrected,
its own status takes the place of what was told here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kartoteka.core import messages
from kartoteka.core.concerns import ACCOUNTS, CREDIT, DELIVERY_ADDRESSES
from kartoteka.core.model import Settlement, Snapshot, Status
from kartoteka.engine.acts import nothing_new
from kartoteka.engine.base import Engine


def told_before(cards: Sequence[Snapshot]) -> Sequence[Snapshot]:
    """Return the cards of which something was told that may not hold any more: an answered row may be gone."""
    return [card for card in cards if card.status and card.status.code == messages.ALREADY_LINKED]


def tell_answered(engine: Engine, client_ids: Sequence[str]) -> None:
    """Tell of answers that lead nowhere now that these cards have been worked."""
    if answered := engine.exchange.incoming_answers(client_ids):
        tell_accounts(engine, engine.look(ACCOUNTS.name, list(answered)))


def tell_accounts(engine: Engine, cards: Sequence[Snapshot]) -> None:
    """Tell of answers in ``incoming_clients`` that lead nowhere, and stop waiting for cards that were deleted."""
    if not cards:
        return
    answers = engine.exchange.incoming_answers([s.client_id for s in cards])
    _store(engine, (_about(s, answers.get(s.client_id, ())) for s in cards), cards)


def tell_addresses(engine: Engine, customers: Mapping[str, Sequence[Snapshot]]) -> None:
    """Tell of delivery addresses whose customer has no card."""
    without = [items for own, *items in customers.values() if own.row is None and own.link is None]
    items = [item for some in without for item in some]
    _store(engine, map(_address, items), items)


def tell_figures(engine: Engine, customers: Sequence[Snapshot]) -> None:
    """Tell of figures of trade credit whose customer has no card."""
    without = [s for s in customers if s.link is None]
    cards = engine.exchange.existing_cards([s.client_id for s in without]) if without else frozenset()
    strays = [s for s in without if s.client_id not in cards]
    _store(engine, (_figures(s) for s in strays), strays)


def _about(card: Snapshot, answers: Sequence[str]) -> Settlement | None:
    if card.link:
        return _about_linked(card, [account for account in answers if account != card.link.panel_client_id])
    if card.row is not None:
        return None
    if answers:
        return _told(card, messages.no_card(answers))
    if card.status and card.status.code == messages.NO_CARD:
        return Settlement(card.client_id, ACCOUNTS.name, None, forget=True)
    return _told(card, messages.deleted()) if card.status else None


def _about_linked(card: Snapshot, others: Sequence[str]) -> Settlement | None:
    """Tell of other accounts that the ERP gave to a linked card. While that is in work, its own status counts."""
    if card.link is None or card.parked:
        return None
    if others:
        return _told(card, messages.already_linked(others, card.link.panel_client_id))
    was = card.status is not None and card.status.code == messages.ALREADY_LINKED
    return _told(card, messages.IN_STEP) if was else None


def _address(item: Snapshot) -> Settlement | None:
    if item.row is not None:
        return Settlement(item.client_id, DELIVERY_ADDRESSES.name, messages.no_card(), item_id=item.item_id)
    if item.status and item.status.code == messages.NO_CARD:
        return Settlement(item.client_id, DELIVERY_ADDRESSES.name, None, item_id=item.item_id, forget=True)
    return None


def _figures(stray: Snapshot) -> Settlement | None:
    if stray.row is not None:
        return Settlement(stray.client_id, CREDIT.name, messages.no_card())
    if stray.status and stray.status.code == messages.NO_CARD:
        return Settlement(stray.client_id, CREDIT.name, None, forget=True)
    return None


def _told(card: Snapshot, status: Status) -> Settlement:
    """Tell; a linked card that was parked since it was read stays so, one that was deleted is not waited for."""
    return Settlement(card.client_id, ACCOUNTS.name, status, keep_intent=True, keep_parked=card.link is not None)


def _store(engine: Engine, settlements: Iterable[Settlement | None], known: Sequence[Snapshot]) -> None:
    by_place = {s.place: s for s in known}
    news = [s for s in settlements if s is not None and not nothing_new(s, by_place[s.place])]
    if news:
        engine.exchange.settle(news, run_id=engine.run_id, at=engine.now())
