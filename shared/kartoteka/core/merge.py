"""The three-way merge of one record: a pure function from what is seen to what is to be done.

Contents decide, never clocks: a side has changed a field when its normalised value differs from the one both sides last
agreed on. Per field, with *base* the agreed value::

    ERP == panel                      agreed (an edit that makes both equal closes a conflict by itself)
    no base, one side empty           the empty side takes the other's value         first_contact
    no base, both filled, different   the conflict rule                              first_contact
    only one side changed             the change travels                             edit
    both changed, different           the conflict rule: erp | panel | hold          conflict
    one-way field, source differs     the source's value is written                  edit, or drift

Under ``empty: keep`` an empty value is never a change. A one-way field whose source is empty is not looked after,
unless ``empty: erase``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from kartoteka.core.concerns import Concern
from kartoteka.core.model import (
    ConflictNote,
    Direction,
    Empty,
    Intent,
    OpenConflict,
    Reason,
    Record,
    Resolution,
    RowEdit,
    Side,
    Snapshot,
    Value,
    Written,
)
from kartoteka.core.policy import Rule


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done with one record.

    ``agreed`` is the agreement once ``to_panel`` and ``to_erp`` are both carried out; ``held`` names the fields that
    wait for a person, ``stubborn`` those that one side shows otherwise however often they are put right.
    """

    to_panel: dict[str, Value] = field(default_factory=dict, repr=False)
    to_erp: dict[str, RowEdit] = field(default_factory=dict, repr=False)
    agreed: dict[str, Value] = field(default_factory=dict, repr=False)
    written: tuple[Written, ...] = ()
    conflicts: tuple[ConflictNote, ...] = ()
    closed: Mapping[int, Side | None] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    stubborn: tuple[str, ...] = ()

    def without(self, side: Side, base: Record | None, *, keep: Collection[str] = ()) -> Decision:
        """Return the decision that leaves ``side`` alone: what was to be written there stays as undecided as before.

        Fields to ``keep`` are written nevertheless.
        """
        fields = set(self.to_panel if side is Side.PANEL else self.to_erp).difference(keep)
        dropped = fields | {_correction(name) for name in fields}
        old = base or {}
        agreed = {k: v for k, v in self.agreed.items() if k not in dropped}
        agreed |= {name: old[name] for name in dropped if name in old}
        direction = Direction.ERP_TO_PANEL if side is Side.PANEL else Direction.PANEL_TO_ERP
        settled = {note.field for note in self.conflicts if note.winner} & dropped
        return Decision(
            to_panel={n: v for n, v in self.to_panel.items() if side is not Side.PANEL or n in keep},
            to_erp={n: v for n, v in self.to_erp.items() if side is not Side.ERP or n in keep},
            agreed=agreed,
            written=tuple(w for w in self.written if w.direction is not direction or w.field in keep),
            conflicts=tuple(note for note in self.conflicts if note.field not in settled),
            closed={id_: winner for id_, winner in self.closed.items() if winner is not _loser(side)},
            held=self.held,
            stubborn=self.stubborn,
        )


def _loser(side: Side) -> Side:
    """Return whose value was to be written on ``side``: the other one's."""
    return Side.ERP if side is Side.PANEL else Side.PANEL


@dataclass(frozen=True, slots=True)
class _Seen:
    """One field as it stands: the values as written, and in the form in which they are compared."""

    name: str
    unsure: bool
    erp: Value
    panel: Value
    base: Value
    has_base: bool
    erp_norm: str
    panel_norm: str
    base_norm: str

    def changed(self, side: Side, empty: Empty) -> bool:
        norm = self.erp_norm if side is Side.ERP else self.panel_norm
        return norm != self.base_norm and (norm != "" or empty is Empty.ERASE)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is to be done with one field: whose value wins (None: nothing is written) and why."""

    winner: Side | None = None
    reason: Reason = Reason.EDIT
    conflict: bool = False
    agreed: bool = False
    hold: bool = False


CORRECTIONS = 3
"""How often the same drift is put right before a side is believed not to take the value."""


def _correction(name: str) -> str:
    """Return under which name the agreement remembers how often a field's drift was put right, and from what."""
    return f"{name}?"


def carried(concern: Concern, intent: Intent | None, panel: Record) -> tuple[Written, ...]:
    """Return what of an earlier intent has reached the panel: the fields whose panel value equals it.

    An intent to open an account has been carried whole where the account exists: what differs from it now was edited
    in the panel since.
    """
    if intent is None:
        return ()
    if intent.creating:
        return intent.written
    return tuple(written for written in intent.written if _arrived(concern, written, intent.values, panel))


def _arrived(concern: Concern, written: Written, sent: Record, panel: Record) -> bool:
    normalise = concern.fields[written.field].normalise
    return normalise(written.after, _placed(sent, panel)) == normalise(panel.get(written.field), _placed(panel, sent))


def settled(base: Record | None, carried: Iterable[Written]) -> dict[str, Value] | None:
    """Return the agreement once these writes are known to have been carried, None where there is still none."""
    news = {written.field: written.after for written in carried}
    return None if base is None and not news else {**(base or {}), **news}


def merge(
    concern: Concern,
    rules: Mapping[str, Rule],
    *,
    base: Record | None,
    erp: Record,
    panel: Record,
    open_conflicts: Iterable[OpenConflict] = (),
) -> Decision:
    """Return what is to be done so that both sides of one record become as the rules want them."""
    waiting = {conflict.field: conflict for conflict in open_conflicts}
    decision = _Draft(dict(base or {}))
    same = _equal_as_written(base, erp, panel)
    for name, rule in rules.items():
        if rule.direction is Direction.OFF or (name in same and name not in waiting):
            decision.at_rest(name)
            continue
        seen = _look(concern, name, base, erp, panel)
        conflict = waiting.get(name)
        decision.add(seen, _judge(seen, rule, conflict.decision if conflict else None), conflict)
    return decision.done()


def _equal_as_written(base: Record | None, erp: Record, panel: Record) -> frozenset[str]:
    """Return the fields that nobody has touched, to the letter: they need no normalising, which is most of the work.

    Values are read by their record's country, so a record that changed its country is looked at whole.
    """
    if base is None or not base.get("country_code") == erp.get("country_code") == panel.get("country_code"):
        return frozenset()
    return frozenset(n for n, value in base.items() if n in panel and value == erp.get(n) == panel[n])


def _placed(record: Record, *others: Record) -> Record:
    """Return the record with a country: its own, or where it names none, that of the first other one that does.

    A telephone number is read by its country, so three values of one field must not be read by three countries.
    """
    if record.get("country_code"):
        return record
    return {
        **record,
        "country_code": next((other["country_code"] for other in others if other.get("country_code")), None),
    }


def _look(concern: Concern, name: str, base: Record | None, erp: Record, panel: Record) -> _Seen:
    normalise = concern.fields[name].normalise
    has_base = base is not None and name in base
    agreed = base if base is not None and has_base else {}
    shown = panel if name in panel else agreed  # what the panel does not show is taken to be what was last agreed
    return _Seen(
        name=name,
        unsure=concern.fields[name].unsure,
        erp=erp.get(name),
        panel=shown.get(name),
        base=agreed.get(name),
        has_base=has_base,
        erp_norm=normalise(erp.get(name), _placed(erp, agreed, panel)),
        panel_norm=normalise(shown.get(name), _placed(shown, agreed, erp)),
        base_norm=normalise(agreed.get(name), _placed(agreed, erp, panel)),
    )


def _judge(seen: _Seen, rule: Rule, decided: Side | None) -> _Verdict:
    if seen.erp_norm == seen.panel_norm:
        return _Verdict(agreed=True)
    if rule.direction is Direction.ERP_TO_PANEL:
        return _one_way(seen, Side.ERP, rule)
    if rule.direction is Direction.PANEL_TO_ERP:
        return _one_way(seen, Side.PANEL, rule)
    return _both_ways(seen, rule, decided)


def _one_way(seen: _Seen, source: Side, rule: Rule) -> _Verdict:
    value = seen.erp_norm if source is Side.ERP else seen.panel_norm
    if value == "" and not rule.always and (rule.empty is Empty.KEEP or not seen.has_base):
        return _Verdict()
    if not seen.has_base:
        return _Verdict(source, Reason.FIRST_CONTACT)
    return _Verdict(source, Reason.EDIT if value != seen.base_norm else Reason.DRIFT)


def _both_ways(seen: _Seen, rule: Rule, decided: Side | None) -> _Verdict:
    if not seen.has_base:
        return _first_contact(seen, rule, decided)
    erp = seen.changed(Side.ERP, rule.empty)
    panel = seen.changed(Side.PANEL, rule.empty)
    if erp and panel:
        return _conflict(rule, decided, Reason.CONFLICT)
    if erp or panel:
        return _Verdict(Side.ERP if erp else Side.PANEL, Reason.EDIT)
    return _Verdict()


def _first_contact(seen: _Seen, rule: Rule, decided: Side | None) -> _Verdict:
    if seen.erp_norm and seen.panel_norm:
        return _conflict(rule, decided, Reason.FIRST_CONTACT)
    return _Verdict(Side.ERP if seen.erp_norm else Side.PANEL, Reason.FIRST_CONTACT)


def _conflict(rule: Rule, decided: Side | None, reason: Reason) -> _Verdict:
    if decided is not None:
        return _Verdict(decided, Reason.CONFLICT, conflict=True)
    if rule.conflict is Resolution.HOLD:
        return _Verdict(conflict=True, hold=True)
    winner = Side.ERP if rule.conflict is Resolution.ERP else Side.PANEL
    return _Verdict(winner, reason, conflict=True)


def _noted(seen: _Seen, waiting: OpenConflict | None) -> bool:
    """Return whether the open conflict already tells these two values."""
    return waiting is not None and (waiting.erp_value, waiting.panel_value) == (as_text(seen.erp), as_text(seen.panel))


def as_text(value: Value) -> str | None:
    """Return a value as ``sync_conflicts`` and ``sync_history`` show it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


class _Draft:
    """A decision in the making: collects the verdicts of one record's fields."""

    def __init__(self, agreed: dict[str, Value]) -> None:
        self._agreed = agreed
        self._to_panel: dict[str, Value] = {}
        self._to_erp: dict[str, RowEdit] = {}
        self._written: list[Written] = []
        self._conflicts: list[ConflictNote] = []
        self._closed: dict[int, Side | None] = {}
        self._held: list[str] = []
        self._stubborn: list[str] = []

    def add(self, seen: _Seen, verdict: _Verdict, waiting: OpenConflict | None) -> None:
        if verdict.agreed or (verdict.reason is not Reason.DRIFT and not seen.unsure):
            self._agreed.pop(_correction(seen.name), None)
        if verdict.agreed:
            self._agreed[seen.name] = seen.erp
        if verdict.reason is Reason.DRIFT and verdict.winner is not None and self._is_stubborn(seen, verdict.winner):
            if not seen.unsure:
                self._stubborn.append(seen.name)
            return
        if verdict.winner is not None:
            self._write(seen, verdict.winner, verdict.reason)
        if verdict.hold:
            self._held.append(seen.name)
        if waiting is not None and not verdict.hold:
            self._closed[waiting.id] = verdict.winner
        if verdict.conflict and not _noted(seen, waiting):
            self._conflicts.append(
                ConflictNote(seen.name, seen.erp, seen.panel, seen.base if seen.has_base else None, verdict.winner)
            )

    def at_rest(self, name: str) -> None:
        """Forget that a field's drift was put right: it has been, or is nobody's business."""
        self._agreed.pop(_correction(name), None)

    def _is_stubborn(self, seen: _Seen, source: Side) -> bool:
        """Count that a drift is put right once more; return whether that has been in vain too often.

        A side that takes a value and shows another one would be written to for ever, by its own echo. Of a field whose
        shown value is not known to be the written one it is believed, quietly, to show something else; what was told it
        is remembered over edits.
        """
        shown = seen.panel_norm if source is Side.ERP else seen.erp_norm
        before, _, value = str(self._agreed.get(_correction(seen.name)) or "0:").partition(":")
        times = min(int(before) + 1, CORRECTIONS + 1) if value == shown else 1
        self._agreed[_correction(seen.name)] = f"{times}:{shown}"
        return times > CORRECTIONS

    def _write(self, seen: _Seen, winner: Side, reason: Reason) -> None:
        if winner is Side.ERP:
            self._to_panel[seen.name] = seen.erp
            self._agreed[seen.name] = seen.erp
            self._written.append(Written(seen.name, Direction.ERP_TO_PANEL, reason, seen.panel, seen.erp))
        else:
            self._to_erp[seen.name] = RowEdit(seen.erp, seen.panel)
            self._agreed[seen.name] = seen.panel
            self._written.append(Written(seen.name, Direction.PANEL_TO_ERP, reason, seen.erp, seen.panel))

    def done(self) -> Decision:
        return Decision(
            to_panel=self._to_panel,
            to_erp=self._to_erp,
            agreed=self._agreed,
            written=tuple(self._written),
            conflicts=tuple(self._conflicts),
            closed=self._closed,
            held=tuple(self._held),
            stubborn=tuple(self._stubborn),
        )


def idle(decision: Decision, base: Record | None) -> bool:
    """Return whether a decision asks for nothing at all, not even for another agreement."""
    asks = decision.to_panel or decision.to_erp or decision.conflicts or decision.closed
    return not asks and decision.agreed == dict(base or {})


def erp_differs(concern: Concern, rules: Mapping[str, Rule], snapshot: Snapshot) -> bool:
    """Return whether the ERP's row differs from the agreement, or holds a conflict that has moved on."""
    row, base = snapshot.row or {}, snapshot.agreed
    if base is None:
        return True
    waiting = {conflict.field: conflict.erp_value for conflict in snapshot.conflicts}
    return any(
        rule.direction is not Direction.OFF
        and _erp_moved(concern, name, rule, row, waiting.get(name, base.get(name)), base)
        for name, rule in rules.items()
    )


def carries_nothing(concern: Concern, rules: Mapping[str, Rule], row: Record) -> bool:
    """Return whether a row asks nothing of the panel, whatever that shows: only one-way fields, and those are empty."""
    return all(
        rule.direction is Direction.OFF
        or (
            rule.direction is Direction.ERP_TO_PANEL
            and not rule.always
            and concern.fields[name].normalise(row.get(name), row) == ""
        )
        for name, rule in rules.items()
    )


def _erp_moved(concern: Concern, name: str, rule: Rule, row: Record, last: Value, base: Record) -> bool:
    normalise = concern.fields[name].normalise
    now = normalise(row.get(name), _placed(row, base))
    return now != normalise(last, _placed(base, row)) and (now != "" or rule.empty is Empty.ERASE)
