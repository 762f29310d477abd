"""A customer's collection of records, both ways: what is to be done with each of them.

Records that both sides have are merged field by field (:mod:`kartoteka.core.merge`). For the others, with an
*agreement* on a record that was once on both sides::

    no agreement, in the ERP only      added in the panel                          create
    no agreement, in the panel only    a row panel-<the panel's id>                create
    agreement, one side gone:
      deletes ignore                   remembered: left as it is, never made anew
      propagate, not edited since      deleted on the other side too               edit
      propagate, edited since          the whole record is a conflict: erp | panel | hold
      propagate, one-way               the source decides; what it still has is made anew (drift)
    agreement, both gone               forgotten; under ignore still remembered, since a row may come back

A row that comes back under its old id goes on from its agreement, as if nothing had been. Pure.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from kartoteka.core.concerns import DELIVERY_ADDRESSES, Concern
from kartoteka.core.merge import Decision, as_text, merge
from kartoteka.core.model import (
    Address,
    ConflictNote,
    Direction,
    Reason,
    Record,
    Resolution,
    RowEdit,
    Side,
    Snapshot,
    Value,
    Written,
)
from kartoteka.core.pairing import Pair, pair
from kartoteka.core.policy import Policy, Rule

NOTHING: Mapping[int, Side | None] = MappingProxyType({})

REQUIRED = ("first_name", "last_name", "street", "zip_code", "city")
"""What the panel wants of every new delivery address."""


class Act(enum.StrEnum):
    """What is to be done with one record."""

    MERGE = "merge"
    ADD = "add"
    INSERT = "insert"
    DELETE = "delete"
    REMOVE = "remove"
    REMEMBER = "remember"
    WAIT = "wait"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the policy says of a collection. ``propagate``: a deletion on one side is one on the other."""

    concern: Concern
    rules: Mapping[str, Rule]
    direction: Direction
    conflict: Resolution
    propagate: bool

    @property
    def source(self) -> Side | None:
        """The side that decides alone; None where both do."""
        one_way = {Direction.ERP_TO_PANEL: Side.ERP, Direction.PANEL_TO_ERP: Side.PANEL}
        return one_way.get(self.direction)


def address_terms(policy: Policy, rules: Mapping[str, Rule]) -> Terms:
    """Return the terms of delivery addresses."""
    section = policy.delivery_addresses
    return Terms(DELIVERY_ADDRESSES, rules, section.direction, section.conflict, section.deletes == "propagate")


@dataclass(frozen=True, slots=True)
class Item:
    """One record and what is to be done with it.

    ADD and INSERT make it on the panel's or the ERP's side, DELETE and REMOVE delete it there; their values and history
    are in ``decision``, as a merge's are. REMEMBER: it was deleted on the side ``gone``, and nothing happens. WAIT: an
    edit stands against a deletion, and a person decides. FORGET: nothing is left of it, or it is nobody's business.
    """

    pair: Pair
    act: Act
    decision: Decision
    gone: Side | None = None

    @property
    def snapshot(self) -> Snapshot:
        """What the exchange database knows of it."""
        return self.pair.snapshot

    @property
    def lacking(self) -> tuple[str, ...]:
        """The columns without which the panel takes no new record."""
        if self.act is not Act.ADD:
            return ()
        return tuple(name for name in REQUIRED if name not in self.decision.to_panel)


def decide(terms: Terms, client_id: str, items: Sequence[Snapshot], addresses: Iterable[Address]) -> list[Item]:
    """Return what is to be done with each record of one customer; what is left alone is left out."""
    decided = (_decide(terms, each) for each in pair(terms.concern, client_id, items, addresses))
    return [item for item in decided if item is not None]


def _decide(terms: Terms, it: Pair) -> Item | None:
    row, address = it.snapshot.row, it.address
    if it.over:
        return _forget(it)
    if row is not None and address is not None:
        return _merge(terms, it, row, address.values)
    if it.base is not None:
        return _one_sided(terms, it)
    if row is not None and terms.source is not Side.PANEL:
        return _make(terms, it, Side.PANEL, row, Reason.CREATE)
    if address is not None and terms.source is not Side.ERP:
        return _make(terms, it, Side.ERP, address.values, Reason.CREATE)
    known = it.snapshot
    return _forget(it) if known.intent or known.parked or known.status or known.conflicts else None


def _merge(terms: Terms, it: Pair, row: Record, shown: Record) -> Item:
    conflicts = it.snapshot.conflicts
    decision = merge(terms.concern, terms.rules, base=it.base, erp=row, panel=shown, open_conflicts=conflicts)
    return Item(it, Act.MERGE, decision)


def _one_sided(terms: Terms, it: Pair) -> Item:
    """Decide about a record that was deleted on one side, or on both, since it was agreed on."""
    row, address = it.snapshot.row, it.address
    if row is None and address is None:
        return _forget(it) if terms.propagate else _remember(it, Side.PANEL)
    left = Side.PANEL if address else Side.ERP
    if not terms.propagate:
        return _remember(it, _other(left))
    values = address.values if address else row or {}
    edited = _edited(terms, it, left, values) if terms.source is None else {}
    winner = terms.source or _winner(terms, it, left, edited)
    notes = _notes(it, left, edited, winner)
    if winner is None:
        return Item(it, Act.WAIT, Decision(conflicts=notes, held=tuple(edited)))
    closed = dict.fromkeys((c.id for c in it.snapshot.conflicts), winner)
    if winner is left:
        return _make(terms, it, _other(left), values, Reason.CONFLICT if edited else Reason.DRIFT, notes, closed)
    return _unmake(terms, it, left, values, Reason.CONFLICT if edited else Reason.EDIT, notes, closed)


def _edited(terms: Terms, it: Pair, left: Side, values: Record) -> dict[str, Value]:
    """Return what was edited since the agreement on the side that still has the record."""
    base = it.base or {}
    erp, shown = (values, base) if left is Side.ERP else (base, values)
    found = merge(terms.concern, terms.rules, base=base, erp=erp, panel=shown)
    return {name: values.get(name) for name in (found.to_panel if left is Side.ERP else found.to_erp)}


def _winner(terms: Terms, it: Pair, left: Side, edited: Mapping[str, Value]) -> Side | None:
    """Return whose word counts; None: a person's, who has not spoken yet.

    An edit stands against the deletion of the whole record, so one decision is enough. Of two that contradict each
    other the one counts that keeps the record.
    """
    if not edited:
        return _other(left)
    decided = {conflict.decision for conflict in it.snapshot.conflicts} - {None}
    if decided:
        return left if left in decided else _other(left)
    return {Resolution.ERP: Side.ERP, Resolution.PANEL: Side.PANEL}.get(terms.conflict)


def _notes(it: Pair, left: Side, edited: Mapping[str, Value], winner: Side | None) -> tuple[ConflictNote, ...]:
    """Return a note for each edited field; one that is open and tells the same already is not told again."""
    told = {c.field: (c.erp_value, c.panel_value) for c in it.snapshot.conflicts}
    base = it.base or {}
    notes = []
    for name, value in edited.items():
        erp, shown = (value, None) if left is Side.ERP else (None, value)
        if told.get(name) != (as_text(erp), as_text(shown)):
            notes.append(ConflictNote(name, erp, shown, base.get(name), winner))
    return tuple(notes)


def _make(
    terms: Terms,
    it: Pair,
    side: Side,
    values: Record,
    reason: Reason,
    notes: tuple[ConflictNote, ...] = (),
    closed: Mapping[int, Side | None] = NOTHING,
) -> Item:
    """Make on one side the record that the other one has; empty values are not written."""
    to_panel = side is Side.PANEL
    filled = _filled(terms, values)
    direction = Direction.ERP_TO_PANEL if to_panel else Direction.PANEL_TO_ERP
    decision = Decision(
        to_panel=filled if to_panel else {},
        to_erp={} if to_panel else {name: RowEdit(None, filled.get(name)) for name in terms.concern.fields},
        agreed={name: (values if to_panel else filled).get(name) for name in terms.concern.fields},
        written=tuple(Written(name, direction, reason, None, value) for name, value in filled.items()),
        conflicts=notes,
        closed=closed,
    )
    return Item(it, Act.ADD if to_panel else Act.INSERT, decision)


def _unmake(
    terms: Terms,
    it: Pair,
    side: Side,
    values: Record,
    reason: Reason,
    notes: tuple[ConflictNote, ...],
    closed: Mapping[int, Side | None],
) -> Item:
    """Delete on one side the record that the other one has deleted."""
    at_panel = side is Side.PANEL
    direction = Direction.ERP_TO_PANEL if at_panel else Direction.PANEL_TO_ERP
    gone = _filled(terms, values).items()
    written = tuple(Written(name, direction, reason, value, None) for name, value in gone)
    decision = Decision(written=written, conflicts=notes, closed=closed)
    return Item(it, Act.DELETE if at_panel else Act.REMOVE, decision)


def _remember(it: Pair, gone: Side) -> Item:
    return Item(it, Act.REMEMBER, Decision(), gone)


def _forget(it: Pair) -> Item:
    return Item(it, Act.FORGET, Decision(closed=dict.fromkeys((c.id for c in it.snapshot.conflicts), None)))


def _filled(terms: Terms, values: Record) -> dict[str, Value]:
    return {name: values[name] for name in terms.concern.fields if str(values.get(name) or "").strip()}


def _other(side: Side) -> Side:
    return Side.ERP if side is Side.PANEL else Side.PANEL
