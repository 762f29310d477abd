"""Reading accounts that are known to be there.

A search that does not show one of them proves little: panels have been seen to answer with nothing where there is
something. So the panel is asked for it in another way before it counts as gone, and a panel that shows nothing of what
it has is not believed at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from kartoteka import codes
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.model import NOTHING, Deferral, Record
from kartoteka.ports.panel import BROKEN_ANSWER, Account, KnownAccount
from kartoteka.sync import retry
from kartoteka.sync.run import Run

WITNESSES = 3
"""Accounts of other clients that are asked for beside, where the panel shows none of those in question."""
NONE_SHOWN = "panel_empty"
"""The code of a record that waits since a panel shows none of the accounts that it had."""
TRIES = 3
"""Deferrals (1, 2, 4 minutes) after which such a panel is believed."""

Failures = dict[str, Reject | Retry | Halt]


def was_asked_often(record: Record) -> bool:
    """Return whether the panel has shown none of its accounts again and again, so that it was, or is now, believed."""
    deferral = record.state.deferral
    is_new = deferral is None or retry.reason(deferral) != NONE_SHOWN or deferral.tries < TRIES
    return codes.is_asked_again(record.state.status) or not is_new


def read_known(
    run: Run,
    known: Sequence[KnownAccount],
    believed: Collection[str] = (),
    deferrals: Mapping[str, Deferral | None] = NOTHING,
) -> tuple[dict[str, Account], Failures]:
    """Return those of these accounts that the panel shows, by id, and those that it could not be asked about, and why.

    What is in neither is gone: more than one question says so. Where one shows what another does not, that is an
    outage (Retry). ``believed`` are the ids of those whose records were asked about often (:func:`was_asked_often`);
    ``deferrals``: id -> how its record was deferred, as :func:`kartoteka.sync.retry.ask_apart` asks.
    """
    by_id = {account.panel_client_id: account for account in known}
    found, failed = retry.ask_apart(run, "read", lambda some: run.panel.read(some).values(), list(by_id), deferrals)
    shown = {account.panel_client_id: account for account in found}
    missing = [key for key in by_id if key not in shown and key not in failed]
    new = [key for key in missing if key not in believed]
    if new and not shown and (doubt := _doubt(run, missing)):
        failed |= dict.fromkeys(new, doubt)
        missing = [key for key in missing if key in believed]
    there, unasked = retry.ask_apart(
        run, "seek", lambda some: run.panel.seek([by_id[key] for key in some]), missing, deferrals
    )
    return shown, {**failed, **unasked, **dict.fromkeys(there, Retry(BROKEN_ANSWER))}


def _doubt(run: Run, missing: Sequence[str]) -> Reject | Retry | Halt | None:
    """Return why a panel that shows none of these accounts is not believed; None: it shows others, or none is known."""
    linked = run.exchange.records.linked("", WITNESSES + len(missing))
    others = [account for _, account in linked if account not in missing][:WITNESSES]
    found, failed = retry.ask_all(run.panel.read, others)
    if failed:
        return next(iter(failed.values()))
    return Retry(NONE_SHOWN) if others and not found else None
