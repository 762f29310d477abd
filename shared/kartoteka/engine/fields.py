"""Fields of a linked customer, both ways: read afresh, merge, write what differs, write it down.

Works for every concern whose fields are columns of the customer's own row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kartoteka.core import check, messages, normal
from kartoteka.core.brake import BRAKE
from kartoteka.core.concerns import SHOPS, Concern
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.merge import Decision, carried, settled
from kartoteka.core.model import (
    Account,
    AccountUpdate,
    Announcement,
    Direction,
    Intent,
    Record,
    Settlement,
    Side,
    Snapshot,
    Written,
)
from kartoteka.engine import shops
from kartoteka.engine.acts import Judged, Report, halts, judged, looked_up, nothing_new, store
from kartoteka.engine.base import Counts, Engine, decide, delayed, judged_status, refused, wait_for_row
from kartoteka.engine.braking import lets_through, was_stopped

LOOKS = 3
"""How often a customer is looked at again in one run when the ERP was faster."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One customer under work.

    ``earlier`` is what an unanswered call turned out to have carried, ``refusal`` what our own check found in the
    values for one of the sides.
    """

    snapshot: Snapshot
    account: Account
    base: Record | None
    decision: Decision
    earlier: tuple[Written, ...] = ()
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
    if not engine.carries(concern.name) or not keys:
        return Report(), []
    known = [s for s in engine.look(concern.name, keys) if s.link]
    snapshots = [s for s in known if s.row is not None and not _excluded(concern, s)]
    without, _ = store(engine, _not_looked_at(engine, concern, known), known)
    if not snapshots:
        return without, []
    ids = [s.link.panel_client_id for s in snapshots if s.link]
    accounts, failed = looked_up(lambda some: engine.panel.read(some).values(), ids)
    put_off = [s for s in snapshots if s.link and s.link.panel_client_id in failed]
    waiting = [_put_off(engine, concern, s, failed[s.link.panel_client_id]) for s in put_off if s.link]
    report, _ = store(engine, waiting, put_off)
    carried, again = _carry(
        engine,
        concern,
        [s for s in snapshots if s not in put_off],
        {account.panel_client_id: account for account in accounts},
    )
    looked = len(snapshots) - len(again) - len(put_off)
    return without + report + carried + Report(Counts(reconciled=looked), halts(list(failed.values()))), again


def _excluded(concern: Concern, snapshot: Snapshot) -> bool:
    """Return whether the policy gives this customer no shop, so that nothing is to be done about his shops."""
    return concern is SHOPS and snapshot.row is not None and not snapshot.row["shops"]


def _not_looked_at(engine: Engine, concern: Concern, known: Sequence[Snapshot]) -> list[Settlement]:
    """Return what is to be said of customers about whom the panel is not asked."""
    excluded = [
        Settlement(s.client_id, concern.name, messages.no_shop_wanted(), keep_intent=True)
        for s in known
        if _excluded(concern, s)
    ]
    two_way = any(rule.to_erp for rule in engine.rules(concern.name).values())
    waiting = [s for s in known if two_way and s.row is None and not s.parked]
    settlements = excluded + [wait_for_row(engine, concern.name, s) for s in waiting]
    by_id = {s.client_id: s for s in known}
    return [s for s in settlements if not nothing_new(s, by_id[s.client_id])]


def _put_off(engine: Engine, concern: Concern, snapshot: Snapshot, error: Reject | Retry | Halt) -> Settlement:
    """Set aside a customer whose account could not be read."""
    if not isinstance(error, Reject):
        return delayed(engine, snapshot, concern.name, error)
    status, parked = refused(engine, snapshot, error)
    return Settlement(snapshot.client_id, concern.name, status, parked=parked, keep_intent=True)


def _carry(
    engine: Engine, concern: Concern, snapshots: Sequence[Snapshot], accounts: Mapping[str, Account]
) -> tuple[Report, list[str]]:
    present = {
        s.client_id: accounts[s.link.panel_client_id]
        for s in snapshots
        if s.link and s.link.panel_client_id in accounts
    }
    own = {key: account for key, account in present.items() if normal.same_code(account.external_code, key)}
    cases = [_case(engine, concern, s, own[s.client_id]) for s in snapshots if s.client_id in own]
    if not lets_through(engine, concern.name, ((case.snapshot, case.decision.written) for case in cases)):
        return store(engine, [delayed(engine, s, concern.name, Retry(BRAKE)) for s in snapshots], snapshots)[0], []
    sending = [case for case in cases if case.decision.to_panel]
    outcomes = _send(engine, concern, sending)
    settlements = [_settlement(engine, concern, case, outcomes.get(case.snapshot.client_id)) for case in cases]
    settlements += [_unlinked(concern, s, present.get(s.client_id)) for s in snapshots if s.client_id not in own]
    by_id = {s.client_id: s for s in snapshots}
    worth = [s for s in settlements if not nothing_new(s, by_id[s.client_id])]
    report, again = store(engine, worth, snapshots)
    return report + Report(halts=halts(list(outcomes.values()))), sorted(again)


def _unlinked(concern: Concern, snapshot: Snapshot, account: Account | None) -> Settlement:
    """Hold a customer whose link leads nowhere, or to an account that does not carry the card's code."""
    login = snapshot.link.panel_login if snapshot.link else ""
    status = messages.another_account(account.external_code) if account else messages.account_gone(login)
    return Settlement(snapshot.client_id, concern.name, status, keep_intent=True)


def _case(engine: Engine, concern: Concern, snapshot: Snapshot, account: Account) -> _Case:
    earlier = carried(concern, snapshot.intent, account.values)
    base = _unless_unknown(settled(snapshot.agreed, earlier), snapshot, account)
    decision = decide(engine, concern, snapshot, account, base=base, row=snapshot.row or {})
    case = _Case(snapshot, account, base, decision, earlier)
    try:
        check.check_for_erp(concern.fields, {name: edit.value for name, edit in decision.to_erp.items()})
    except Reject as exc:
        case = replace(case, decision=case.decision.without(Side.ERP, base), refusal=exc)
    try:
        check.check_for_panel(concern.fields, decision.to_panel)
        shops.refuse_unknown(engine, decision.to_panel)
    except Reject as exc:
        case = replace(case, decision=case.decision.without(Side.PANEL, base), refusal=exc)
    return case


def _unless_unknown(base: Record | None, snapshot: Snapshot, account: Account) -> Record | None:
    """Return the agreement without the values that an unanswered call may have changed and nobody can read."""
    if base is None or snapshot.intent is None:
        return base
    return {**base, **dict.fromkeys(snapshot.intent.values.keys() - account.values.keys())}


def _send(engine: Engine, concern: Concern, cases: Sequence[_Case]) -> dict[str, Judged]:
    """Write down what is about to be sent, send it, and return each customer's outcome."""
    if not cases:
        return {}
    announcements = [_announcement(concern, case) for case in cases]
    engine.exchange.announce(announcements, run_id=engine.run_id, at=engine.now())
    updates = [AccountUpdate(c.snapshot.client_id, c.account.login, c.decision.to_panel) for c in cases]
    return dict(zip((c.snapshot.client_id for c in cases), judged(engine.panel.update, updates), strict=True))


def _announcement(concern: Concern, case: _Case) -> Announcement:
    """Return what must be known should the reply be lost.

    The earlier intent is settled before it is replaced, and a value that is about to be overwritten against its
    editor's will stands in a conflict before it is.
    """
    client_id, decision = case.snapshot.client_id, case.decision
    intent = Intent(tuple(w for w in decision.written if w.direction is Direction.ERP_TO_PANEL))
    losing = tuple(replace(note, carried=False) for note in decision.conflicts if note.winner is Side.ERP)
    before = Settlement(
        client_id,
        concern.name,
        status=None,
        agreed=case.base,
        written=case.earlier,
        conflicts=losing,
        confirmed=was_stopped(case.snapshot),
    )
    return Announcement(client_id, concern.name, intent, before=before if case.earlier or losing else None)


def _settlement(engine: Engine, concern: Concern, case: _Case, outcome: Judged | None) -> Settlement:
    if isinstance(outcome, Retry | Halt):
        return delayed(engine, case.snapshot, concern.name, outcome)
    if outcome is None:
        case = replace(case, decision=replace(case.decision, written=(*case.earlier, *case.decision.written)))
    decision, refusal = case.decision, case.refusal
    if isinstance(outcome, Reject):
        decision, refusal = decision.without(Side.PANEL, case.base), outcome
    whole = _stored(engine, concern, case, decision, refusal)
    if not decision.to_erp:
        return whole
    return replace(whole, fallback=_stored(engine, concern, case, decision.without(Side.ERP, case.base), refusal))


def _stored(engine: Engine, concern: Concern, case: _Case, decision: Decision, refusal: Reject | None) -> Settlement:
    snapshot = case.snapshot
    status, parked = judged_status(decision), None
    if refusal:
        status, parked = refused(engine, snapshot, refusal)
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
        confirmed=was_stopped(snapshot),
    )
