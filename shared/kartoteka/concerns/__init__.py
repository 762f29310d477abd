"""The concerns: one folder or module each. Nothing but ``runtime`` and the tests builds them."""

from __future__ import annotations

from collections.abc import Mapping

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


def build(run: Run) -> Mapping[str, Concern]:
    """Give a run its concerns, by name, and return them."""
    run.concerns = {concern.name: concern(run) for concern in CLASSES}
    return run.concerns
