"""Fields of a linked customer, both ways: read afresh, merge, write what differs, write it down.

Works for every concern whose fields are columns of the customer's own row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kartoteka.core import check, messages, normal
from kartoteka.core.brake import BRAKE
from kartoteka.core.concerns import CREDIT, Concern
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.merge import Decision, carried, carries_nothing, settled
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
    Status,
    Written,
)
from kartoteka.engine import particulars
from kartoteka.engine.acts import Judged, Report, halts, judged, looked_up, nothing_new, put_off, store, unlinked
from kartoteka.engine.base import Counts, Engine, decide, delayed, judged_status, refused, wait_for_row
from kartoteka.engine.braking import lets_through, was_stopped

LOOKS = 3
"""How often a customer is looked at again in one run when the ERP was faster."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One customer under work.

    ``earlier`` is what an unanswered call turned out to have carried, ``wire`` are the values in
    the panel's words, ``refusal`` what our own check found in the values for one of the sides, ``hold`` what is to be
    said of a row of which nothing is sent.
    """

    snapshot: Snapshot
    account: Account
    base: Record | None
    decision: Decision
    earlier: tuple[Written, ...] = ()
    wire: Record = field(default_factory=dict, repr=False)
    refusal: Reject | None = None
    hold: Status | None = None


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
    own = particulars.of(concern)
    known = [s for s in engine.look(concern.name, keys) if s.link]
    there = [s for s in known if s.row is not None and not own.excluded(s)]
    idle = {s.client_id: s for s in there if _has_nothing(engine, concern, s)}
    asking = [s for s in there if s.client_id not in idle]
    patient = own.waiting(engine, asking)
    snapshots = [s for s in asking if s.client_id not in patient]
    late = [delayed(engine, s, concern.name, patient[s.client_id]) for s in asking if s.client_id in patient]
    without, _ = store(engine, [*late, *_not_looked_at(engine, concern, known, idle.values())], known)
    if not snapshots:
        return without, []
    ids = [s.link.panel_client_id for s in snapshots if s.link]
    accounts, failed = looked_up(lambda some: engine.panel.read(some).values(), ids)
    unread = [s for s in snapshots if s.link and s.link.panel_client_id in failed]
    waiting = [put_off(engine, s, concern.name, failed[s.link.panel_client_id]) for s in unread if s.link]
    report, _ = store(engine, waiting, unread)
    carried, again = _carry(
        engine,
        concern,
        [s for s in snapshots if s not in unread],
        {account.panel_client_id: account for account in accounts},
    )
    looked = len(snapshots) - len(again) - len(unread)
    return without + report + carried + Report(Counts(reconciled=looked), halts(list(failed.values()))), again


def _has_nothing(engine: Engine, concern: Concern, snapshot: Snapshot) -> bool:
    """Return whether nothing was ever carried for this customer, and his row asks for nothing."""
    row, rules = snapshot.row or {}, engine.rules(concern.name)
    untouched = not (snapshot.agreed or snapshot.intent) and particulars.of(concern).held(snapshot) is None
    return untouched and carries_nothing(concern, rules, row)


def _not_looked_at(
    engine: Engine, concern: Concern, known: Sequence[Snapshot], idle: Iterable[Snapshot]
) -> list[Settlement]:
    """Return what is to be said of customers about whom the panel is not asked; ``idle``: their rows ask nothing."""
    own = particulars.of(concern)
    told = ((s, own.excluded(s)) for s in known if s.row is not None)
    excluded = [Settlement(s.client_id, concern.name, status, keep_intent=True) for s, status in told if status]
    gone = [s for s in known if s.row is None and concern is CREDIT]  # deleted before anything was sent
    excluded += [_nothing_to_say(concern, s) for s in (*idle, *gone) if s.status or s.parked]
    two_way = any(rule.to_erp for rule in engine.rules(concern.name).values())
    waiting = [s for s in known if two_way and s.row is None and not s.parked]
    settlements = excluded + [wait_for_row(engine, concern.name, s) for s in waiting]
    by_id = {s.client_id: s for s in known}
    return [s for s in settlements if not nothing_new(s, by_id[s.client_id])]


def _nothing_to_say(concern: Concern, snapshot: Snapshot) -> Settlement:
    return Settlement(snapshot.client_id, concern.name, None, forget=True)


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
    settlements += [unlinked(s, concern.name, present.get(s.client_id)) for s in snapshots if s.client_id not in own]
    by_id = {s.client_id: s for s in snapshots}
    worth = [s for s in settlements if not nothing_new(s, by_id[s.client_id])]
    report, again = store(engine, worth, snapshots)
    return report + Report(halts=halts(list(outcomes.values()))), sorted(again)


def _case(engine: Engine, concern: Concern, snapshot: Snapshot, account: Account) -> _Case:
    own = particulars.of(concern)
    account = own.read(engine, account)
    earlier = carried(concern, snapshot.intent, account.values)
    base = _unless_unknown(concern, settled(snapshot.agreed, earlier), snapshot, account, earlier)
    believed = own.believe(engine, replace(snapshot, agreed=base), account)
    decision = decide(engine, concern, snapshot, believed, base=base, row=snapshot.row or {})
    case = _Case(snapshot, account, base, decision, earlier)
    try:
        check.check_for_erp(concern.fields, {name: edit.value for name, edit in decision.to_erp.items()})
    except Reject as exc:
        case = replace(case, decision=case.decision.without(Side.ERP, base), refusal=exc)
    if hold := own.held(snapshot):
        return replace(case, decision=case.decision.without(Side.PANEL, base), hold=hold)
    try:
        own.refuse(engine, snapshot, account)
        wire = own.write(engine, decision.to_panel)
        check.check_for_panel(concern.fields, wire)
        case = replace(case, wire=wire)
    except Reject as exc:
        anyway = own.anyway(decision.to_panel)
        wire = {name: value for name, value in decision.to_panel.items() if name in anyway}
        case = replace(case, decision=case.decision.without(Side.PANEL, base, keep=anyway), wire=wire, refusal=exc)
    return case


def _unless_unknown(
    concern: Concern, base: Record | None, snapshot: Snapshot, account: Account, carried: Sequence[Written]
) -> Record | None:
    """Return the agreement without the values that an unanswered call may have changed and nobody can read for sure."""
    if base is None or snapshot.intent is None:
        return base
    arrived = {written.field for written in carried}
    sure = {name for name in account.values if name in concern.fields and not concern.fields[name].unsure}
    return {**base, **dict.fromkeys(snapshot.intent.values.keys() - sure - arrived)}


def _send(engine: Engine, concern: Concern, cases: Sequence[_Case]) -> dict[str, Judged]:
    """Write down what is about to be sent, send it, and return each customer's outcome."""
    if not cases:
        return {}
    announcements = [_announcement(concern, case) for case in cases]
    engine.exchange.announce(announcements, run_id=engine.run_id, at=engine.now())
    updates = [AccountUpdate(c.snapshot.client_id, c.account.login, c.wire) for c in cases]
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
    status, parked = case.hold or judged_status(decision), None
    if status == messages.IN_STEP:
        status = particulars.of(concern).verdict(snapshot) or status
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
