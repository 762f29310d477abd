"""One delivery address under work: our own check of what is to be done, what is written down before and after it.

The agreement names the panel's address together with its account, so that one made with another account (the card was
linked anew since) counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kartoteka.core import check, collection, messages
from kartoteka.core.collection import Act, Item
from kartoteka.core.concerns import DELIVERY_ADDRESSES
from kartoteka.core.errors import Halt, Reject, Retry
from kartoteka.core.merge import Decision, idle
from kartoteka.core.model import (
    Address,
    AddressWrite,
    Announcement,
    Direction,
    Intent,
    Parked,
    Settlement,
    Side,
    Snapshot,
    Status,
    Written,
)
from kartoteka.engine.acts import Judged, nothing_new
from kartoteka.engine.base import Engine, delayed, judged_status, refused
from kartoteka.engine.braking import was_stopped
from kartoteka.ports import Done

CONCERN = DELIVERY_ADDRESSES.name


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer: his own snapshot, those of his addresses, and the shops that the panel wants with each write."""

    own: Snapshot
    items: tuple[Snapshot, ...]
    shops: tuple[int, ...] = ()

    @property
    def account(self) -> str:
        """The panel's id of his account."""
        return self.own.link.panel_client_id if self.own.link else ""


@dataclass(frozen=True, slots=True)
class Case:
    """One address. ``decision`` is the item's without what our own check refuses, and ``refusal`` says why.

    ``known`` is its snapshot as it was read: that of the item counts only agreements with this account.
    """

    customer: Customer
    known: Snapshot
    item: Item
    decision: Decision
    refusal: Reject | None = None

    @property
    def panel_item_id(self) -> str:
        """How the agreement names the panel's address; empty where there is none."""
        address = self.item.pair.address
        return _named(self.customer.account, address.panel_address_id if address else self.item.snapshot.panel_item_id)

    @property
    def gate(self) -> Act | None:
        """Which call of the panel it takes: ADD, MERGE (an update) or DELETE; None: none."""
        if self.item.act is Act.DELETE or (self.item.act in (Act.ADD, Act.MERGE) and self.decision.to_panel):
            return self.item.act
        return None

    @property
    def marked(self) -> Snapshot:
        """The snapshot that tells whether the brake had stopped it: its own after an outage, else the customer's."""
        return self.known if was_stopped(self.known) else self.customer.own

    @property
    def write(self) -> AddressWrite:
        """What the panel is told."""
        own, address = self.customer.own, self.item.pair.address
        return AddressWrite(
            own.client_id,
            self.known.item_id,
            own.link.panel_login if own.link else "",
            address.panel_address_id if address else "",
            self.decision.to_panel,
            self.customer.shops,
        )


def cases(engine: Engine, customer: Customer, addresses: Sequence[Address]) -> list[Case]:
    """Return what is to be done with each address of a customer."""
    known = {s.item_id: s for s in customer.items}
    terms = collection.address_terms(engine.policy, engine.rules(CONCERN))
    own = [_of_account(s, customer.account) for s in customer.items]
    items = collection.decide(terms, customer.own.client_id, own, addresses)
    return [_checked(Case(customer, known.get(i.snapshot.item_id, i.snapshot), i, i.decision)) for i in items]


def _named(account: str, address: str) -> str:
    return f"{account}/{address}" if address else ""


def _of_account(snapshot: Snapshot, account: str) -> Snapshot:
    """Return the snapshot with the panel's bare id, or without an agreement that was made with another account."""
    owner, _, address = snapshot.panel_item_id.partition("/")
    if snapshot.agreed is None or (owner == account and address):
        return replace(snapshot, panel_item_id=address)
    return replace(snapshot, agreed=None, panel_item_id="", intent=None)


def _checked(case: Case) -> Case:
    """Take out of the decision what one of the sides could not take."""
    fields, base = DELIVERY_ADDRESSES.fields, case.item.pair.base
    try:
        check.check_for_erp(fields, {name: edit.value for name, edit in case.decision.to_erp.items()})
    except Reject as exc:
        case = replace(case, decision=case.decision.without(Side.ERP, base), refusal=exc)
    try:
        check.check_for_panel(fields, case.decision.to_panel)
        _check_shops(case)
    except Reject as exc:
        case = replace(case, decision=case.decision.without(Side.PANEL, base), refusal=exc)
    return replace(case, decision=case.decision.without(Side.PANEL, base)) if case.item.lacking else case


def _check_shops(case: Case) -> None:
    if case.decision.to_panel and not case.customer.shops:
        status = messages.no_shop()
        raise Reject("no_shop", status.message)


# --- before the call


def announcement(case: Case) -> Announcement:
    """Return what must be known should the reply be lost.

    What an earlier call has carried is settled before its intent is replaced, a value that is about to be overwritten
    or deleted against its editor's will stands in a conflict before it is, and two addresses that were found to be the
    same are known to be, whatever becomes of them.
    """
    decision, pair = case.decision, case.item.pair
    intent = Intent(
        tuple(w for w in decision.written if w.direction is Direction.ERP_TO_PANEL), creating=case.item.act is Act.ADD
    )
    losing = tuple(replace(note, carried=False) for note in decision.conflicts if note.winner is Side.ERP)
    before = replace(_kept(case, None, None), conflicts=losing)
    if pair.address and pair.base is None:
        as_found = decision.without(Side.PANEL, None).without(Side.ERP, None)
        before = replace(before, agreed=as_found.agreed, panel_item_id=case.panel_item_id)
    told = pair.earlier or losing or before.agreed is not None
    return Announcement(case.known.client_id, CONCERN, intent, case.known.item_id, before=before if told else None)


# --- after the call


def settlement(engine: Engine, case: Case, outcome: Judged | None) -> Settlement:
    """Return what is to be stored of one address; ``outcome`` None: the panel was not told anything."""
    if isinstance(outcome, Retry | Halt):
        return delayed(engine, case.known, CONCERN, outcome, stopped=was_stopped(case.marked))
    return _SETTLE[case.item.act](engine, case, outcome)


def _merged(engine: Engine, case: Case, outcome: Judged | None) -> Settlement:
    base, refusal, decision = case.item.pair.base, case.refusal, case.decision
    if isinstance(outcome, Reject):
        decision, refusal = decision.without(Side.PANEL, base), outcome
    whole = _in_step(engine, case, decision, refusal, outcome)
    if not decision.to_erp:
        return whole
    return replace(whole, fallback=_in_step(engine, case, decision.without(Side.ERP, base), refusal, outcome))


def _in_step(
    engine: Engine, case: Case, decision: Decision, refusal: Reject | None, outcome: Judged | None
) -> Settlement:
    status, parked = judged_status(decision), None
    if refusal:
        status, parked = refused(engine, case.known, refusal)
    return replace(_whole(case, decision, outcome), status=status, parked=parked, row_edits=decision.to_erp)


def _added(engine: Engine, case: Case, outcome: Judged | None) -> Settlement:
    if isinstance(outcome, Done):
        return replace(
            _whole(case, case.decision, outcome), panel_item_id=_named(case.customer.account, outcome.item_id)
        )
    if case.item.lacking:
        return _kept(case, messages.incomplete("delivery_addresses", case.item.lacking), None)
    return _not_made(engine, case, outcome)


def _inserted(engine: Engine, case: Case, outcome: Judged | None) -> Settlement:
    if case.refusal:
        return _not_made(engine, case, outcome)
    row = {name: edit.value for name, edit in case.decision.to_erp.items()}
    return replace(_whole(case, case.decision, outcome), row_insert=row, fallback=_untouched(case))


def _not_made(engine: Engine, case: Case, outcome: Judged | None) -> Settlement:
    """Set aside a record that could not be made on the other side."""
    refusal = outcome if isinstance(outcome, Reject) else case.refusal
    assert refusal is not None
    return _kept(case, *refused(engine, case.known, refusal), announced=outcome is not None)


def _deleted(_engine: Engine, case: Case, outcome: Judged | None) -> Settlement:
    if isinstance(outcome, Reject):
        return _kept(case, messages.not_deleted(outcome.message), None, announced=True)
    return replace(_whole(case, case.decision, outcome), forget=True)


def _removed(_engine: Engine, case: Case, outcome: Judged | None) -> Settlement:
    whole = _whole(case, case.decision, outcome)
    return replace(whole, forget=True, row_delete=case.known.row, fallback=_untouched(case))


def _remembered(_engine: Engine, case: Case, _outcome: Judged | None) -> Settlement:
    assert case.item.gone is not None
    return _kept(case, messages.remembered(case.item.gone), None)


def _waiting(_engine: Engine, case: Case, _outcome: Judged | None) -> Settlement:
    decision = case.decision
    return replace(_kept(case, messages.conflict(decision.held), None), conflicts=decision.conflicts)


def _forgotten(_engine: Engine, case: Case, outcome: Judged | None) -> Settlement:
    return replace(_whole(case, case.decision, outcome), forget=True)


_SETTLE: Mapping[Act, Callable[[Engine, Case, Judged | None], Settlement]] = {
    Act.MERGE: _merged,
    Act.ADD: _added,
    Act.INSERT: _inserted,
    Act.DELETE: _deleted,
    Act.REMOVE: _removed,
    Act.REMEMBER: _remembered,
    Act.WAIT: _waiting,
    Act.FORGET: _forgotten,
}


def _whole(case: Case, decision: Decision, outcome: Judged | None) -> Settlement:
    """Return what is stored of a decision that was carried out; what was announced is in the history already."""
    return Settlement(
        case.known.client_id,
        CONCERN,
        messages.IN_STEP,
        item_id=case.known.item_id,
        agreed=decision.agreed,
        panel_item_id=case.panel_item_id,
        written=decision.written if outcome else (*case.item.pair.earlier, *decision.written),
        conflicts=decision.conflicts,
        close_conflicts=decision.closed,
        confirmed=was_stopped(case.marked),
    )


def _kept(case: Case, status: Status | None, parked: Parked | None, *, announced: bool = False) -> Settlement:
    """Return what is stored of a record that stays as it was on both sides, with what an earlier call has carried."""
    earlier: tuple[Written, ...] = case.item.pair.earlier
    return Settlement(
        case.known.client_id,
        CONCERN,
        status,
        item_id=case.known.item_id,
        agreed=case.item.pair.base if earlier else None,
        panel_item_id=case.panel_item_id if earlier else "",
        written=() if announced else earlier,
        parked=parked,
        confirmed=was_stopped(case.marked),
    )


def _untouched(case: Case) -> Settlement:
    """Return what is stored where the ERP was faster, or its database refused: nothing; it is looked at again."""
    return Settlement(case.known.client_id, CONCERN, None, item_id=case.known.item_id)


# --- whether it is worth a look


def asks(engine: Engine, case: Case) -> bool:
    """Return whether the worker would do something with this address that it has not done or tried already.

    What is parked comes back by itself. What is held waits for a person or for its row; of it only that part counts
    that is not what was refused: edits on the other side.
    """
    known = case.known
    if known.parked:
        return False
    if known.intent:
        return True
    held = known.held
    if case.item.act is Act.MERGE:
        return _merge_asks(engine, case, held=held)
    if case.item.act is Act.INSERT and held:
        return case.refusal is None and not _refused_by_erp(known)
    if held and case.item.act in (Act.ADD, Act.DELETE, Act.REMOVE):
        return False
    return case.gate is not None or not nothing_new(settlement(engine, case, None), known)


def _merge_asks(engine: Engine, case: Case, *, held: bool) -> bool:
    rest, base = case.decision, case.item.pair.base
    if not held or not (rest.to_panel or case.refusal or _refused_by_erp(case.known)):
        return bool(rest.to_panel) or not nothing_new(settlement(engine, case, None), case.known)
    rest = rest.without(Side.PANEL, base)
    if _refused_by_erp(case.known):
        rest = rest.without(Side.ERP, base)
    return not idle(rest, case.known.agreed)


def _refused_by_erp(snapshot: Snapshot) -> bool:
    return snapshot.status is not None and snapshot.status.code == "refused_by_erp"
