"""Fields of a linked customer, both ways: read afresh, merge, write what differs, write it down.

Works for every concern whose fields are columns of the customer's own row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kartoteka.core import check, messages
from kartoteka.core.concerns import Concern
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.merge import Decision, merge, settle_intent
from kartoteka.core.model import Account, AccountUpdate, Direction, Intent, Record, Settlement, Side, Snapshot
from kartoteka.engine.acts import Judged, Report, halts, judged, nothing_new, store
from kartoteka.engine.base import Counts, Engine, delayed, refused

LOOKS = 3
"""How often a customer is looked at again in one run when the ERP was faster."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One customer under work. ``refusal`` is what our own check found in the values for one of the sides."""

    snapshot: Snapshot
    account: Account
    base: Record | None
    decision: Decision
    refusal: Reject | None = None


def merge_fields(engine: Engine, concern: Concern, keys: Sequence[str]) -> Report:
    """Bring one concern's fields of these customers into step, as far as the policy wants."""
    report, again = Report(), list(keys)
    for _ in range(LOOKS):
        if not again:
            return report
        looked, again = _look(engine, concern, again)
        report += looked
    if again:
        engine.queue.send(concern.name, again)
    return report


def _look(engine: Engine, concern: Concern, keys: Sequence[str]) -> tuple[Report, list[str]]:
    if getattr(engine.policy, concern.name).direction is Direction.OFF:
        return Report(), []
    snapshots = [s for s in engine.exchange.snapshots(concern.name, keys) if s.row is not None and s.link]
    if not snapshots:
        return Report(), []
    try:
        accounts = engine.panel.read([s.link.panel_client_id for s in snapshots if s.link])
    except (Retry, Halt) as exc:
        report, _ = store(engine, [delayed(engine, s, concern.name, exc) for s in snapshots], snapshots)
        return report + Report(halts=halts([exc])), []
    report, again = _carry(engine, concern, snapshots, accounts)
    return report + Report(Counts(reconciled=len(snapshots) - len(again))), again


def _carry(
    engine: Engine, concern: Concern, snapshots: Sequence[Snapshot], accounts: Mapping[str, Account]
) -> tuple[Report, list[str]]:
    present = {
        s.client_id: accounts[s.link.panel_client_id]
        for s in snapshots
        if s.link and s.link.panel_client_id in accounts
    }
    cases = [_case(engine, concern, s, present[s.client_id]) for s in snapshots if s.client_id in present]
    sending = [case for case in cases if case.decision.to_panel]
    outcomes = _send(engine, concern, sending)
    settlements = [_settlement(engine, concern, case, outcomes.get(case.snapshot.client_id)) for case in cases]
    settlements += [
        Settlement(s.client_id, concern.name, messages.account_gone(s.link.panel_login))
        for s in snapshots
        if s.link and s.client_id not in present
    ]
    by_id = {s.client_id: s for s in snapshots}
    worth = [s for s in settlements if not nothing_new(s, by_id[s.client_id])]
    report, again = store(engine, worth, snapshots)
    return report + Report(halts=halts(list(outcomes.values()))), sorted(again)


def _case(engine: Engine, concern: Concern, snapshot: Snapshot, account: Account) -> _Case:
    base = settle_intent(concern, snapshot.intent, snapshot.agreed, account.values)
    decision = merge(
        concern,
        engine.rules(concern.name),
        base=base,
        erp=snapshot.row or {},
        panel=account.values,
        open_conflicts=snapshot.conflicts,
    )
    case = _Case(snapshot, account, base, decision)
    try:
        check.check_for_erp(concern, {name: edit.value for name, edit in decision.to_erp.items()})
    except Reject as exc:
        case = replace(case, decision=case.decision.without(Side.ERP, base), refusal=exc)
    try:
        check.check_for_panel(concern, decision.to_panel)
    except Reject as exc:
        case = replace(case, decision=case.decision.without(Side.PANEL, base), refusal=exc)
    return case


def _send(engine: Engine, concern: Concern, cases: Sequence[_Case]) -> dict[str, Judged]:
    """Write down what is about to be sent, send it, and return each customer's outcome."""
    if not cases:
        return {}
    intents = {case.snapshot.client_id: Intent(case.decision.to_panel) for case in cases}
    settled = {
        case.snapshot.client_id: case.base
        for case in cases
        if case.snapshot.intent is not None and case.base is not None
    }
    engine.exchange.announce(concern.name, intents, settled)
    updates = [AccountUpdate(c.snapshot.client_id, c.account.login, c.decision.to_panel) for c in cases]
    return dict(zip(intents, judged(engine.panel.update, updates), strict=True))


def _settlement(engine: Engine, concern: Concern, case: _Case, outcome: Judged | None) -> Settlement:
    if isinstance(outcome, Retry | Halt):
        return delayed(engine, case.snapshot, concern.name, outcome)
    decision, refusal = case.decision, case.refusal
    if isinstance(outcome, Reject):
        decision, refusal = decision.without(Side.PANEL, case.base), outcome
    whole = _stored(engine, concern, case, decision, refusal)
    if not decision.to_erp:
        return whole
    return replace(whole, fallback=_stored(engine, concern, case, decision.without(Side.ERP, case.base), refusal))


def _stored(engine: Engine, concern: Concern, case: _Case, decision: Decision, refusal: Reject | None) -> Settlement:
    snapshot = case.snapshot
    status, parked = messages.conflict(decision.held) if decision.held else messages.IN_STEP, None
    if refusal:
        status, parked = refused(engine, snapshot, concern.name, refusal)
    return Settlement(
        snapshot.client_id,
        concern.name,
        status,
        agreed=decision.agreed,
        row_edits=decision.to_erp,
        written=decision.written,
        conflicts=decision.conflicts,
        close_conflicts=decision.closed,
        parked=parked,
    )
