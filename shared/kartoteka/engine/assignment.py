"""Which discount group a customer is in: the ERP's ids on our side, the panel's numbers on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kartoteka.core.concerns import GROUPS
from kartoteka.core.errors import Reject, Retry
from kartoteka.core.model import Account, Record, Snapshot
from kartoteka.engine.base import Engine

FIELD = "discount_group_id"
PENDING = "group_pending"
"""The code of customers whose group is not made yet."""


def waiting_for_groups(engine: Engine, snapshots: Sequence[Snapshot]) -> Mapping[str, Retry]:
    """Return the customers whose group has a row and no number yet: it is made first, and wakes them when it is."""
    wanted = {str(s.row[FIELD]) for s in snapshots if s.row and s.row.get(FIELD)}
    missing = sorted(wanted - engine.group_numbers().keys())
    coming = {s.item_id for s in engine.exchange.groups(missing) if s.row is not None} if missing else set()
    if coming:
        engine.queue.send(GROUPS.name, sorted(coming))
    return {s.client_id: Retry(PENDING) for s in snapshots if s.row and str(s.row.get(FIELD)) in coming}


def named(engine: Engine, account: Account) -> Account:
    """Return the account with the ERP's id of its group; of a group that is not the ERP's: ``panel-<number>``."""
    number = account.values.get(FIELD)
    if not number:
        return account
    names = {known: group_id for group_id, known in engine.group_numbers().items()}
    return replace(account, values={**account.values, FIELD: names.get(str(number), f"panel-{number}")})


def numbered(engine: Engine, values: Record) -> Record:
    """Return the values with the panel's number of the group. Raises Reject for a group that is not known."""
    if FIELD not in values:
        return values
    group_id = str(values[FIELD] or "")
    if not group_id:
        return values
    number = engine.group_numbers().get(group_id)
    if number is None:
        raise Reject(
            "unknown_group",
            f"{FIELD} ('{group_id}'): nie ma takiej grupy w discount_groups; dodaj ją albo popraw kartę. / "
            f"there is no such group in discount_groups; add it, or correct the card.",
            field=FIELD,
        )
    return {**values, FIELD: number}
