"""Acting on a chunk: bulk calls judged record by record, and the settlements that are stored afterwards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from kartoteka.core import messages
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.model import Account, Direction, Settlement, Snapshot, Status
from kartoteka.engine.base import Counts, Engine, delayed, refused, waits_for_person
from kartoteka.ports import Outcome

T = TypeVar("T")
Judged = Outcome | Halt


@dataclass(slots=True)
class Report:
    """The figures of some chunks, and the codes of what only a person can mend."""

    counts: Counts = field(default_factory=Counts)
    halts: tuple[str, ...] = ()

    def __add__(self, other: Report) -> Report:
        return Report(self.counts + other.counts, (*self.halts, *other.halts))


def judged(call: Callable[[Sequence[T]], Sequence[Outcome]], items: Sequence[T]) -> list[Judged]:
    """Make one bulk call and return an outcome for each item, in order.

    A chunk that is refused as a whole is split until the culprit stands alone. A call that failed leaves each of its
    items unknown (Retry) or unsent (Halt).
    """
    if not items:
        return []
    try:
        return list(call(items))
    except Reject as exc:
        if len(items) == 1:
            return [exc]
        middle = len(items) // 2
        return [*judged(call, items[:middle]), *judged(call, items[middle:])]
    except (Retry, Halt) as exc:
        return [exc] * len(items)


def looked_up(
    call: Callable[[Sequence[str]], Collection[T]], keys: Sequence[str]
) -> tuple[list[T], dict[str, Reject | Retry | Halt]]:
    """Make one bulk search; return what was found, and for each key that could not be looked up the reason.

    A search that is refused as a whole is split until the culprit stands alone.
    """
    try:
        return list(call(keys)), {}
    except Reject as exc:
        if len(keys) == 1:
            return [], {keys[0]: exc}
        middle = len(keys) // 2
        halves = [looked_up(call, half) for half in (keys[:middle], keys[middle:])]
        return halves[0][0] + halves[1][0], halves[0][1] | halves[1][1]
    except (Retry, Halt) as exc:
        return [], dict.fromkeys(keys, exc)


def put_off(engine: Engine, snapshot: Snapshot, concern: str, error: Reject | Retry | Halt) -> Settlement:
    """Set aside a customer about whom the panel could not be asked."""
    if not isinstance(error, Reject):
        return delayed(engine, snapshot, concern, error)
    status, parked = refused(engine, snapshot, error)
    return Settlement(snapshot.client_id, concern, status, parked=parked, keep_intent=True)


def unlinked(snapshot: Snapshot, concern: str, account: Account | None) -> Settlement:
    """Hold a customer whose link leads nowhere, or to an account that does not carry the card's code."""
    login = snapshot.link.panel_login if snapshot.link else ""
    status = messages.another_account(account.external_code) if account else messages.account_gone(login)
    return Settlement(snapshot.client_id, concern, status, keep_intent=True)


def store(engine: Engine, settlements: Sequence[Settlement], snapshots: Sequence[Snapshot]) -> tuple[Report, set[str]]:
    """Store settlements in one transaction; return the figures and the customers to be looked at again.

    What the ERP's own database refuses to take is set aside like any refused record.
    """
    if not settlements:
        return Report(), set()
    answer = engine.exchange.settle(settlements, run_id=engine.run_id, at=engine.now())
    lost = answer.again | answer.refused.keys()
    stored = [s.fallback if s.place in lost and s.fallback else s for s in settlements]
    known = {s.place: s for s in snapshots}
    late = [
        _refused_by_erp(engine, s, known.get(s.place) or Snapshot(*s.place), answer.refused[s.place])
        for s in stored
        if s.place in answer.refused
    ]
    if late:
        engine.exchange.settle(late, run_id=engine.run_id, at=engine.now())
    return Report(figures([*stored, *late])), {client_id for client_id, _ in answer.again}


def _refused_by_erp(engine: Engine, stored: Settlement, snapshot: Snapshot, reason: str) -> Settlement:
    error = Reject(
        "refused_by_erp",
        f"Baza ERP nie przyjęła zmiany z panelu ({reason}). / The ERP's database refused the panel's edit ({reason}).",
    )
    status, parked = refused(engine, snapshot, error)
    return Settlement(stored.client_id, stored.concern, status, item_id=stored.item_id, parked=parked)


def figures(settlements: Sequence[Settlement]) -> Counts:
    """Count what some settlements say: customers written on each side, conflicts, customers that wait for a person."""
    to_panel = {s.client_id for s in settlements if any(w.direction is Direction.ERP_TO_PANEL for w in s.written)}
    to_erp = {s.client_id for s in settlements if any(w.direction is Direction.PANEL_TO_ERP for w in s.written)}
    held = {s.client_id for s in settlements if waits_for_person(s.status)}
    return Counts(
        written_to_panel=len(to_panel),
        written_to_erp=len(to_erp),
        conflicts=sum(len(s.conflicts) for s in settlements),
        held=len(held),
    )


def nothing_new(settlement: Settlement, snapshot: Snapshot) -> bool:
    """Return whether storing this settlement would change nothing."""
    return (
        (settlement.agreed is None or settlement.agreed == snapshot.agreed)
        and (settlement.agreed is None or settlement.panel_item_id == snapshot.panel_item_id)
        and not (settlement.writes_row or settlement.written or settlement.conflicts or settlement.close_conflicts)
        and not (settlement.forget or settlement.candidates is not None)
        and settlement.link is None
        and (settlement.keep_parked or settlement.parked == snapshot.parked)
        and (settlement.keep_intent or snapshot.intent is None)
        and same_status(settlement.status, snapshot.status)
    )


def same_status(new: Status | None, old: Status | None) -> bool:
    """Return whether storing ``new`` would tell nothing new."""
    return new is None or new == old


def halts(outcomes: Sequence[Judged]) -> tuple[str, ...]:
    """Return the codes of what only a person can mend, each once."""
    return tuple(dict.fromkeys(str(o) for o in outcomes if isinstance(o, Halt)))
