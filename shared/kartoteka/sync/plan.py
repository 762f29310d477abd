"""A plan: what is to be done with one record. An empty plan is the only "nothing to do" there is."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

from kartoteka import codes
from kartoteka.codes import WORST_FIRST, Status
from kartoteka.model import (
    FIRST,
    NO_FORMS,
    STANDS,
    TOWARDS,
    Candidate,
    Change,
    Deferral,
    Edit,
    Ended,
    Forms,
    Intent,
    Line,
    Note,
    Reason,
    Record,
    RecordState,
    RowWrite,
    Side,
    Values,
    Written,
)
from kartoteka.sync import taken
from kartoteka.sync.merge import Step, is_of_several
from kartoteka.sync.taken import UNCONFIRMED


def last_values(record: Record) -> Values:
    """Return what the panel was last known to show of a record: its base, and what was noted beside it."""
    base = record.state.base or NO_FORMS
    noted = {name: note.value for name, note in record.state.notes.items() if note.kind == STANDS}
    waiting = {conflict.field: conflict.panel_value for conflict in record.conflicts}
    return {**base.panel, **noted, **waiting}


class Act(enum.StrEnum):
    """What is to be done with a whole record."""

    MERGE = "merge"
    LOOK = "look"
    """The panel must be asked first: what it shows is not known."""
    ADD = "add"
    """Make the item in the panel."""
    INSERT = "insert"
    """Make the item's row in the ERP."""
    DELETE = "delete"
    """Delete the item in the panel."""
    REMOVE = "remove"
    """Delete the item's row in the ERP."""
    FORGET = "forget"
    """Nothing is left of the record, or it is not to be kept in step."""
    LINK = "link"
    """Link the record to what the panel has of it already."""
    UNLINK = "unlink"
    """Take the client's code from its account again: the client has none any more."""
    KEEP = "keep"
    """The record stays as it is on both sides; something may be said of it."""


@dataclass(frozen=True)
class Plan:
    """What is to be done with one record, and what is stored once it is done.

    ``base`` is what both sides agree on before the steps, ``earlier`` what an unanswered call turned out to have
    carried, ``panel_id`` the panel's item. ``status`` is what is said of the record where all goes well. ``call`` is
    what the concern sends, None where the panel need not be told anything; ``intent`` what is written down before,
    None: the steps towards the panel. ``more``: the concern has something to do beyond the record itself.
    ``shown`` is what the plan was made from. ``confirmed``: a person let these writes pass, ``by_policy``: the policy
    asked for them; the brake counts neither. ``said`` is what is said where no field has anything to tell.
    ``decision`` is what stays of a person's word in ``sync_status``: empty once it was taken. ``ended``: the rows of an
    undo that it does not obey, with their outcome; ``left``: what of them may still be undone.
    """

    record: Record
    act: Act = Act.MERGE
    steps: tuple[Step, ...] = ()
    base: Forms | None = attribute(default=None, repr=False)
    earlier: tuple[Written, ...] = ()
    panel_id: str = ""
    status: Status | None = None
    call: Any = attribute(default=None, repr=False)
    intent: Intent | None = None
    more: bool = False
    confirmed: bool = False
    by_policy: bool = False
    candidates: tuple[Candidate, ...] | None = None
    shown: Any = attribute(default=None, repr=False)
    said: Status | None = codes.IN_STEP
    decision: str = ""
    ended: Mapping[int, Ended] = attribute(default_factory=dict)
    recodes: bool = False
    """Whether the account carries its renamed client's code once this is carried out."""
    left: tuple[Line, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is to be asked, written or stored."""
        return (
            self.act in (Act.LOOK, Act.LINK, Act.UNLINK)
            or self.call is not None
            or self.more
            or any(step.target for step in self.steps)
            or bool(self.whole)
        )

    @property
    def to_panel(self) -> tuple[Step, ...]:
        """The steps that write into the panel."""
        return tuple(step for step in self.steps if step.target is Side.PANEL)

    @property
    def writes(self) -> bool:
        """Whether anything is to be written on either side."""
        return any(step.target for step in self.steps) or self.act in (Act.DELETE, Act.REMOVE, Act.UNLINK)

    @property
    def asks_again(self) -> bool:
        """Whether the record is held since the panel was asked and did not show something: it is asked again."""
        return self.more and self.act is Act.KEEP and codes.is_asked_again(self.status)

    @property
    def rewrites(self) -> bool:
        """Whether it writes what was compared before: it is no creation and no first contact."""
        return self.rewrites_beside(())

    def rewrites_beside(self, fields: Collection[str]) -> bool:
        """Whether it writes what was compared before of other fields than these; what is undone a person approved."""
        again = (step.field for step in self.steps if step.target and step.reason not in (*FIRST, Reason.UNDO))
        return any(name not in fields for name in again) or self.act in (Act.DELETE, Act.REMOVE)

    @property
    def undoes(self) -> bool:
        """Whether it obeys an undo: it writes what was there before, or it is known that this is refused."""
        return any(step.reason is Reason.UNDO for step in self.steps)

    @property
    def risky(self) -> bool:
        """Whether it takes something away."""
        return any(step.risky for step in self.steps)

    @property
    def passed(self) -> bool:
        """Whether the brake lets it pass, uncounted."""
        return self.confirmed or self.by_policy

    def announced(self) -> Change:
        """Return what is stored before the call, for the case that its reply is lost.

        What an earlier call has carried is settled before its intent is replaced, and so is each field whose forms are
        known without this call, with what is to be remembered of it. A value that is about to be overwritten against
        its editor's will stands in a conflict.
        """
        intent = self.intent or Intent(self._written(self.to_panel), making=self.act is Act.ADD)
        merged = self.steps if self.act is Act.MERGE else ()
        settled = tuple(step for step in merged if step.target is None and step.forms is not None)
        state = replace(
            self.record.state,
            base=_folded(self.base, settled),
            panel_id=self.panel_id or self.record.state.panel_id,
            notes=_noted(self.record.state.notes, settled),
            intent=intent,
        )
        notes = (step.conflict for step in self.steps if step.conflict and step.target is Side.PANEL)
        losing = tuple(replace(note, closed=False) for note in notes)
        return Change(self.record, state, written=self.earlier, conflicts=losing)

    def begun(self, change: Change) -> Plan:
        """Return the plan of the record as :meth:`announced` has stored it."""
        return replace(self, record=replace(self.record, state=change.after), base=change.after.base, earlier=())

    @property
    def only_notes(self) -> bool:
        """Whether all that is to be done is to note what the panel shows of our own writes."""
        base = self.record.state.base
        waits = base is not None and bool(base.sent) and self.record.state.intent is None
        return waits and self.act is Act.MERGE and not (self.writes or self.call or self.more or self.whole.conflicts)

    @cached_property
    def whole(self) -> Change:
        """What is to be stored where all is carried out: asked for more than once, since it says whether there is."""
        return self.change()

    def outcome(self, *, panel: bool = True, item_id: str = "", at: datetime | None = None) -> Change:
        """Return what is to be stored, and what instead where the ERP's row cannot be written.

        ``at``: when the panel has answered, where that is known better than from the time of the plan.
        """
        whole = self.whole if panel and not item_id and at is None else self.change(panel=panel, item_id=item_id, at=at)
        if whole.row is None:
            return whole
        return replace(whole, otherwise=self.change(panel=panel, erp=False, item_id=item_id, at=at))

    def change(self, *, panel: bool = True, erp: bool = True, item_id: str = "", at: datetime | None = None) -> Change:
        """Return what is to be stored: all that was carried out, or all but the steps on a side that was not.

        What the panel has not undone the ERP's row does not undo either. A conflict that the policy decides is written
        down with the step that carries its winner's value. ``item_id``: the panel's id of an item that was added.
        """
        done = {None: True, Side.PANEL: panel, Side.ERP: erp}
        carried = tuple(step for step in self.steps if done[step.target] and (panel or not self._is_half(step)))
        stays = self.act is Act.UNLINK and not panel
        return Change(
            self.record,
            self._after(carried, panel=panel, erp=erp, item_id=item_id, at=at),
            written=(*self.earlier, *self._written(step for step in carried if step.target)),
            conflicts=tuple(step.conflict for step in carried if step.conflict),
            closed={step.closes: step.winner for step in carried if step.closes is not None},
            row=self._row(carried) if erp else None,
            candidates=None if stays else self.candidates,
            unlinked=self.act is Act.UNLINK and panel,
            recoded=self.recodes and panel,
            planned=self.ended,
            replanned=self.left if self.ended else (),
        )

    def _after(
        self, carried: Sequence[Step], *, panel: bool, erp: bool, item_id: str, at: datetime | None
    ) -> RecordState:
        if self.act is Act.KEEP:
            before = self.record.state
            waits = codes.is_asked_again(self.status) and self.status == before.status
            deferral = before.deferral if waits else None
            kept = (before.deferral, before.status, before.decision) == (deferral, self.status, self.decision)
            state = before if kept else replace(before, deferral=deferral, status=self.status, decision=self.decision)
            return replace(state, base=self.base, intent=None) if self.earlier else state
        if self.act is Act.UNLINK:
            left = {step.field: step.note for step in self.steps if step.note is not None}
            return RecordState(notes=left, status=self.status) if panel else replace(self.record.state, intent=None)
        ended = self.act is Act.FORGET or (self.act is Act.DELETE and panel) or (self.act is Act.REMOVE and erp)
        if ended:
            return RecordState(status=self.status if self.act is Act.FORGET else None, decision=self.decision)
        made = {Act.ADD: panel, Act.INSERT: erp}.get(self.act, self.act is Act.MERGE)
        looked_after = {step.field for step in self.steps}
        remembered = {name: note for name, note in self.record.state.notes.items() if name in looked_after}
        base = _folded(self.base, carried, at) if made else self.base
        return RecordState(
            base=base,
            panel_id=(item_id or self.panel_id) if made else self.record.state.panel_id,
            notes=_noted(remembered, carried),
            deferral=self._wait(base),
            status=waiting(self.status, base),
            decision=self.decision,
        )

    def _wait(self, base: Forms | None) -> Deferral | None:
        """Return when the panel is asked for what it took; where its key is in the queue already, as that says."""
        before, due = self.record.state, taken.wait(base)
        queued = before.deferral is not None and before.deferral.code == UNCONFIRMED and base == before.base
        return before.deferral if queued and due else due

    def _written(self, steps: Iterable[Step]) -> tuple[Written, ...]:
        return tuple(
            Written(s.field, TOWARDS[s.target], s.reason, s.seen, s.value, s.risky and not passed, passed)
            for s in steps
            if s.target
            for passed in (self.passed or s.reason is Reason.UNDO,)
        )

    def _is_half(self, step: Step) -> bool:
        """Whether a step undoes in the ERP's row what another one undoes in the panel."""
        both = step.reason is Reason.UNDO and step.target is Side.ERP
        return both and any(s.field == step.field and s.reason is Reason.UNDO for s in self.to_panel)

    def _row(self, carried: Sequence[Step]) -> RowWrite | None:
        steps = [step for step in carried if step.target is Side.ERP]
        if self.act is Act.REMOVE:
            return RowWrite(delete=self.record.erp)
        if self.act is Act.INSERT:
            return RowWrite(insert={step.field: step.value for step in self.steps})
        return RowWrite({step.field: Edit(step.seen, step.value) for step in steps}) if steps else None


def _noted(before: Mapping[str, Note], steps: Iterable[Step]) -> Mapping[str, Note]:
    """Return what is remembered of the fields after these steps."""
    after = {step.field: step.note for step in steps}
    kept = {name: note for name, note in before.items() if name not in after}
    return kept | {name: note for name, note in after.items() if note}


def _folded(base: Forms | None, steps: Iterable[Step], at: datetime | None = None) -> Forms | None:
    """Return the base after these steps; ``at``: when the panel has answered."""
    moved = [step for step in steps if step.forms is not None]
    if not moved:
        return base
    before = base or NO_FORMS
    erp, panel, sent = dict(before.erp), dict(before.panel), dict(before.sent)
    for step in moved:
        assert step.forms is not None
        erp[step.field], panel[step.field] = step.forms
        sent.pop(step.field, None)
        if step.unshown:
            del panel[step.field]
        if step.sent:
            sent[step.field] = step.sent._replace(at=at) if at and step.target else step.sent
    return Forms(erp, panel, sent)


def waiting(status: Status | None, base: Forms | None) -> Status | None:
    """Return the status of a record, together with the fields that the panel took and has not shown yet."""
    if base is None or not base.sent:
        return status
    told = codes.told(UNCONFIRMED, sorted(base.sent), UNKNOWN)
    return told if status is None or status == codes.IN_STEP else joined([told, status])


UNKNOWN: Mapping[str, str] = MappingProxyType(dict.fromkeys(("value", "panel", "reason", "limit"), ""))
"""The facts that a refusal may tell, of one that does not."""


def status_of(steps: Iterable[Step], table: str, otherwise: Status | None) -> Status | None:
    """Return the status of a record: the worst of what its fields have, with the messages of all.

    ``otherwise`` is said where no field has anything to tell; ``table`` is the ERP's table that the messages name.
    """
    by_code: dict[str, list[Step]] = {}
    for step in steps:
        if step.code:
            by_code.setdefault(step.code, []).append(step)
    if not by_code:
        return otherwise
    told = [
        codes.told(code, _named(some), {**UNKNOWN, "table": table, **_facts(some)}) for code, some in by_code.items()
    ]
    return joined(told if otherwise is None or otherwise == codes.IN_STEP else [*told, otherwise])


def joined(told: Sequence[Status]) -> Status:
    """Return the worst of these, with the messages of all."""
    worst = min(told, key=lambda status: WORST_FIRST.index(status.state))
    if len(told) == 1:
        return worst
    polish = dict.fromkeys(status.message_pl for status in told if status.message_pl)
    english = dict.fromkeys(status.message_en for status in told if status.message_en)
    return replace(worst, message_pl=" ".join(polish), message_en=" ".join(english))


def _named(steps: Iterable[Step]) -> list[str]:
    """Return the fields that a message names: a refusal of several together names none."""
    return [s.field for s in steps if s.note is None or not any(is_of_several(s.note, side) for side in Side)]


def _facts(steps: Iterable[Step]) -> dict[str, str]:
    """Return the facts of all steps of one code; what several of them say is joined."""
    facts: dict[str, list[str]] = {}
    for step in steps:
        for name, text in step.facts.items():
            facts.setdefault(name, []).append(text)
    return {name: ", ".join(dict.fromkeys(texts)) for name, texts in facts.items()}
