"""The clients of the benchmark, the same in every run, and the edits made to some of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local.panel.sample import sample_accounts

Row = dict[str, Any]

COLUMNS = (
    "id",
    "email",
    "phone",
    "client_type",
    "first_name",
    "last_name",
    "company",
    "nip",
    "street",
    "zip_code",
    "city",
    "country_code",
    "wholesaler",
)
ERP_STREET = "Nowa 7"
PANEL_CITY = "Zielona Góra"


def clients(count: int) -> list[Row]:
    """Return so many made-up rows of ``clients``."""
    return [_client(account) for account in sample_accounts(count)]


def _client(account: dict[str, Any]) -> Row:
    client = {name: account.get(name) for name in COLUMNS}
    return client | {"id": account["external_code"], "country_code": "PL"}


def some(ids: Sequence[str], count: int) -> list[str]:
    """Return so many of these ids, spread evenly."""
    return [ids[n * len(ids) // count] for n in range(min(count, len(ids)))]
