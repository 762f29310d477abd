"""Delivery addresses, both ways: read afresh, decide, write what differs, write it down.

A customer has many addresses and the panel's gates take them in bulk, across customers. Every write is announced
before it is sent, so that a lost reply is cleared up at the next look: an address that was added after all is found
by its contents and not added twice.

What other modules call::

    merge_addresses(engine, keys) -> Report                  the worker (reconcile)
    differing(engine, linked, *, moved=False) -> list[str]   customers whose addresses ask for something (feed)
    wants_look(engine, snapshots, *, touched) -> bool        one customer, without a panel call (collect)
    rotate_addresses(engine) -> Counts                       the rotating pass
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kartoteka.core import check, messages, normal
from kartoteka.core.brake import BRAKE
from kartoteka.core.collection import Act
from kartoteka.core.errors import Halt, Retry
from kartoteka.core.model import Account, Address, AddressWrite, Place, Settlement, Snapshot, Status
from kartoteka.engine.acts import Judged, Report, halts, judged, looked_up, nothing_new, put_off, store, unlinked
from kartoteka.engine.address_cases import CONCERN, Case, Customer, announcement, cases, settlement
from kartoteka.engine.address_watch import customers, differing, rotate_addresses, shown, wants_look
from kartoteka.engine.base import Counts, Engine, delayed
from kartoteka.engine.braking import lets_through
from kartoteka.ports import Outcome

__all__ = ["differing", "merge_addresses", "rotate_addresses", "wants_look"]

LOOKS = 3
"""How often a customer is looked at again in one run when the ERP was faster."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """Some customers as both sides show them now. ``settled`` says what became of those who could not be read."""

    customers: tuple[tuple[Customer, Sequence[Address]], ...]
    settled: tuple[Settlement, ...]
    halts: tuple[str, ...]


def merge_addresses(engine: Engine, keys: Sequence[str]) -> Report:
    """Bring the delivery addresses of these customers into step, as far as the policy wants."""
    report, again = Report(), list(keys)
    for _ in range(LOOKS):
        if not again:
            return report
        looked, again = _look(engine, again)
        report += looked
    if again:
        engine.queue.send(CONCERN, again)
    return report


def _look(engine: Engine, keys: Sequence[str]) -> tuple[Report, list[str]]:
    if not engine.carries(CONCERN):
        return Report(), []
    known = customers(engine.look(CONCERN, keys))
    if not known:
        return Report(), []
    seen = _read(engine, known)
    own = {c.own.place: c.own for c in known}
    aside = [s for s in seen.settled if not nothing_new(s, own[s.place])]
    report, _ = store(engine, aside, list(own.values()))
    carried, again = _carry(engine, seen)
    looked = len(known) - len(seen.settled) - len(again)
    return report + carried + Report(Counts(reconciled=looked), seen.halts), again


# --- reading


def _read(engine: Engine, known: Sequence[Customer]) -> _Seen:
    """Read the accounts of these customers, and the addresses of those who have the right one: two calls."""
    found, failed = looked_up(lambda some: engine.panel.read(some).values(), [c.account for c in known])
    accounts = {account.panel_client_id: account for account in found}
    own = [c.account for c in known if _is_own(accounts.get(c.account), c)]
    addresses, unread = shown(engine, own) if own else ({}, {})
    failed |= {key: unread.get(key, Retry("missing_result")) for key in own if key not in addresses}
    read, settled = [], []
    for customer in known:
        account = accounts.get(customer.account)
        if customer.account in failed:
            settled.append(put_off(engine, customer.own, CONCERN, failed[customer.account]))
        elif account is None or not _is_own(account, customer):
            settled.append(unlinked(customer.own, CONCERN, account))
        else:
            shops = check.shops(
                account.values if account.values.get("shops") else customer.own.row or {}, engine.policy
            )
            read.append((replace(customer, shops=shops), addresses[customer.account]))
    return _Seen(tuple(read), tuple(settled), halts(list(failed.values())))


def _is_own(account: Account | None, customer: Customer) -> bool:
    return account is not None and normal.same_code(account.external_code, customer.own.client_id)


def _of(own: Snapshot, status: Status) -> Settlement:
    return Settlement(own.client_id, CONCERN, status, keep_intent=True)


# --- acting


def _carry(engine: Engine, seen: _Seen) -> tuple[Report, list[str]]:
    work = [case for customer, addresses in seen.customers for case in cases(engine, customer, addresses)]
    everybody = [customer for customer, _ in seen.customers]
    if lets_through(engine, CONCERN, ((case.marked, case.decision.written) for case in work)):
        return _settle(engine, everybody, work, _send(engine, [case for case in work if case.gate]))
    writing = {case.known.client_id for case in work if case.decision.written or case.gate}
    stopped = [c.own for c in everybody if c.own.client_id in writing]
    report, _ = store(engine, [delayed(engine, own, CONCERN, Retry(BRAKE)) for own in stopped], stopped)
    others = [c for c in everybody if c.own.client_id not in writing]
    rest, again = _settle(engine, others, [case for case in work if case.known.client_id not in writing], {})
    return report + rest, again


def _settle(
    engine: Engine, everybody: Sequence[Customer], work: Sequence[Case], outcomes: Mapping[Place, Judged]
) -> tuple[Report, list[str]]:
    """Store what became of these customers' addresses; return also the customers to be looked at again."""
    known = {case.known.place: case.known for case in work} | {c.own.place: c.own for c in everybody}
    settlements = [settlement(engine, case, outcomes.get(case.known.place)) for case in work]
    settlements += [_of(c.own, messages.IN_STEP) for c in everybody if c.own.status or c.own.parked]
    worth = [s for s in settlements if s.place in outcomes or not nothing_new(s, known[s.place])]
    report, again = store(engine, worth, list(known.values()))
    again |= {case.known.client_id for case in work if case.item.pair.over and case.known.row is not None}
    return report + Report(halts=halts(list(outcomes.values()))), sorted(again)


def _send(engine: Engine, sending: Sequence[Case]) -> dict[Place, Judged]:
    """Write down what is about to be sent, send it gate by gate, and return each address's outcome."""
    if not sending:
        return {}
    engine.exchange.announce([announcement(case) for case in sending], run_id=engine.run_id, at=engine.now())
    gates: Mapping[Act, Callable[[Sequence[AddressWrite]], Sequence[Outcome]]] = {
        Act.ADD: engine.panel.add_addresses,
        Act.MERGE: engine.panel.update_addresses,
        Act.DELETE: engine.panel.delete_addresses,
    }
    outcomes: dict[Place, Judged] = {}
    failure: Retry | Halt | None = None
    for act, call in gates.items():
        for chunk in engine.chunks([case for case in sending if case.gate is act]):
            told = [failure] * len(chunk) if failure else judged(call, [case.write for case in chunk])
            failure = failure or _failure(told)
            outcomes |= dict(zip((case.known.place for case in chunk), told, strict=True))
    return outcomes


def _failure(told: Sequence[Judged]) -> Retry | Halt | None:
    """Return why a whole call failed; then no other is made in this run."""
    first = told[0]
    if isinstance(first, Retry | Halt) and all(outcome is first for outcome in told):
        return None if first.code == "missing_result" else first
    return None
