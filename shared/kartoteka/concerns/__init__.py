"""The concerns: one folder or module each. Nothing but ``runtime`` and the tests builds them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

from kartoteka.concerns.accounts import Accounts
from kartoteka.concerns.addresses import Addresses
from kartoteka.concerns.billing import Billing
from kartoteka.concerns.credit import Credit
from kartoteka.concerns.discounts import Discounts
from kartoteka.concerns.shops import Shops
from kartoteka.sync.concern import Concern
from kartoteka.sync.run import Run

CLASSES: tuple[type[Concern], ...] = (Accounts, Billing, Addresses, Shops, Discounts, Credit)
"""In the order in which a new client needs them."""
BY_NAME: Mapping[str, type[Concern]] = {concern.name: concern for concern in CLASSES}


class Concerns(Mapping[str, Concern]):
    """The concerns of one run by name, each made when it is first asked for."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._made: dict[str, Concern] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Concern:
        with self._lock:
            if name not in self._made:
                self._made[name] = BY_NAME[name](self._run)
            return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(BY_NAME)

    def __len__(self) -> int:
        return len(BY_NAME)


def build(run: Run) -> Mapping[str, Concern]:
    """Give a run its concerns, by name, and return them."""
    run.concerns = Concerns(run)
    return run.concerns
