"""Accounts are edited, opened and deleted while pages of the panel's feed are read: no edit is lost.

The slow reading of all accounts, which would find in the end what a window has missed, is as good as off. Three things
guard each reading: its last page is read first, what was seen is counted, and windows overlap. Without any one of them
nothing is lost here; without two it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kartoteka.policy import parse
from kartoteka.ports.panel import Search
from tests.helpers import account_of, tax_number
from tests.property.histories import SAME_EACH_TIME, histories
from tests.world import CLIENT, World

HISTORIES = histories(150)
CLIENTS = tuple(f"C-{n}" for n in range(7))
ORDERS = {
    "as opened": lambda _account: 0,
    "by date": lambda account: account.modified_at,
    "latest first": lambda account: -account.modified_at.timestamp(),
}


class Visit(NamedTuple):
    """What the panel's users do around one reading of the feed; each number is an account."""

    edited: Sequence[int]
    between_pages: Sequence[Sequence[int]]
    opened: bool
    deleted: bool
    seconds: int


accounts = st.lists(st.integers(0, len(CLIENTS) - 1), max_size=7, unique=True)
visits = st.builds(
    Visit,
    edited=accounts,
    between_pages=st.lists(accounts, max_size=5),
    opened=st.booleans(),
    deleted=st.booleans(),
    seconds=st.sampled_from([1, 61, 200, 700]),
)


class Users:
    """They type another street each time, and remember what they typed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.typed: dict[str, str] = {}
        self.numbers = count(1)
        self.strangers = [world.panel.register(CLIENT, guest=True) for _ in range(6)]

    def edit(self, numbers: Sequence[int]) -> None:
        """Edit these clients' accounts."""
        for number in numbers:
            self.typed[CLIENTS[number]] = street = f"Nowa {next(self.numbers)}"
            self.world.panel.edit(account_of(self.world, CLIENTS[number]), street=street)

    def visit(self, visit: Visit) -> None:
        """Do one visit's worth, and let the feed be read meanwhile."""
        self.edit(visit.edited)
        if visit.opened:
            self.strangers.append(self.world.panel.register(CLIENT, guest=True))
        meanwhile: Iterator[Sequence[int]] = iter(visit.between_pages)
        deletes = iter([self.strangers.pop()] if visit.deleted and self.strangers else [])

        def while_paging(search: Search, _page: int) -> None:
            if search is None:
                return
            self.world.pass_time(seconds=1)
            self.edit(next(meanwhile, ()))
            for stranger in deletes:
                self.world.panel.remove(stranger)

        self.world.panel.while_paging = while_paging
        self.world.follow()
        self.world.panel.while_paging = None
        self.world.work("billing")
        self.world.pass_time(seconds=visit.seconds)


@pytest.mark.fault(23)
@given(st.sampled_from([1, 2, 3]), st.sampled_from(sorted(ORDERS)), st.lists(visits, min_size=1, max_size=6))
@settings(max_examples=HISTORIES, derandomize=SAME_EACH_TIME, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_edited_while_pages_move_reaches_the_erp(batch: int, order: str, history: Sequence[Visit]) -> None:
    world = World(parse(f'{{"panel": {{"batch_size": {batch}, "full_read_days": 3650}}}}'))
    for n, client in enumerate(CLIENTS):
        world.exchange.insert_client(client, **{**CLIENT, "nip": tax_number(n), "email": f"{n}@firma.pl"})
    users = Users(world)
    for _ in range(3):
        world.tick(seconds=301)
    world.panel.order = ORDERS[order]
    for visit in history:
        users.visit(visit)
    for _ in range(6):
        world.tick(seconds=301)
    assert {client: world.exchange.clients[client]["street"] for client in users.typed} == users.typed
    before = world.counts.collected
    world.tick(seconds=301)
    assert world.counts.collected == before, "not quiet"
