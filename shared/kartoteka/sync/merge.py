"""The three-way merge of one record's fields: pure, from what is seen to what is to be done.

Contents decide, never clocks: a side has changed a field when its normalised value differs from the form that this side
had when both last agreed (the base is a pair of forms). Per field::

    ERP == panel                      agreed (an edit that makes both equal closes a conflict by itself)
    no base, one side empty           the empty side takes the other's value         first_contact
    no base, both filled, different   the conflict rule                              first_contact
    only one side changed             the change travels                             edit
    both changed, different           the conflict rule: erp | panel | hold          conflict
    one-way field, source changed     the source's value is written                  edit
    one-way field, target changed     the source's value is written                  drift

Under ``empty: keep`` an empty value is never a change. A one-way field whose source is empty is not looked after,
unless ``empty: erase``.

What the panel shows of a value that it took with an OK is judged first (:mod:`kartoteka.sync.taken`), and the table is
read with the panel's form that follows from it::

    TAKEN      what is shown
    NOT_YET    what is shown (nobody has edited)      shown at two readings: sent again, three times; then held
    DAMAGED    what is shown (nobody has edited)      noted as the panel's form, and held
    EDITED     what was sent                          so the panel's value is a change

:func:`resolved` is the base that follows from it.
Escaping alone is no edit of the panel's either, at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute

from kartoteka.errors import Reject
from kartoteka.fields.damage import is_escaped
from kartoteka.fields.normal import is_blank
from kartoteka.fields.table import COUNTRY_FIELD, Field, Fields, Shown, country_of
from kartoteka.fields.values import as_text
from kartoteka.model import (
    DRIFT,
    NO_FORMS,
    NOTHING,
    REFUSED,
    REFUSED_TOGETHER,
    STANDS,
    Conflict,
    ConflictNote,
    Direction,
    Empty,
    Forms,
    Intent,
    Note,
    Reason,
    Sent,
    Side,
    Value,
    Values,
    Written,
)
from kartoteka.policy import Rule
from kartoteka.ports.exchange import COLUMN_REFUSED, REFUSED_BY_ERP
from kartoteka.ports.panel import LACKS_FIELD
from kartoteka.sync import taken
from kartoteka.sync.taken import SENT_AGAIN, Reading, Verdict

UNREADABLE = "\ufffd"
"""What stands for a letter that is none in the ERP's database."""
CORRECTIONS = 3
"""How often the same drift is corrected in the ERP before its database is believed not to take the value."""
_EMPTY: tuple[Value, ...] = (None, "", ())
MANY = 3
"""So many texts of a record that the panel has emptied at once were not emptied by a person, but by a write."""
NOT_TAKEN = "not_taken"
"""The code of a field whose form in the panel is not what was sent, and is nobody's edit."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with one field.

    ``target`` is the side where ``value`` is to be written in place of ``seen``; None: nothing is written. ``forms``
    are the field's in the base, the ERP's and the panel's, once the step is carried out; None: as before. ``unshown``:
    the panel's form is not known until it is shown; ``sent``: it is waited for, and this is remembered meanwhile.
    ``code`` says why a value is not written, ``facts`` fill its text. ``note`` is what is remembered of the field from
    then on. ``confirmed``: a person let this protected value pass.
    """

    field: str
    target: Side | None = None
    value: Value = attribute(default=None, repr=False)
    seen: Value = attribute(default=None, repr=False)
    reason: Reason = Reason.EDIT
    forms: tuple[Value, Value] | None = attribute(default=None, repr=False)
    unshown: bool = False
    sent: Sent | None = attribute(default=None, repr=False)
    risky: bool = False
    confirmed: bool = False
    conflict: ConflictNote | None = None
    closes: int | None = None
    winner: Side | None = None
    note: Note | None = None
    code: str = ""
    facts: Mapping[str, str] = attribute(default_factory=dict, repr=False)

    def held(self, code: str, facts: Mapping[str, str], note: Note | None = None) -> Step:
        """Return the step that writes nothing, for this reason, and leaves the base as it is.

        A correction that is not made is not counted, so the step's own note goes.
        """
        reason = self.reason if self.reason is Reason.UNDO else Reason.EDIT
        return Step(self.field, reason=reason, note=note, code=code, facts=facts)


@dataclass(frozen=True, slots=True)
class Seen:
    """One field as it stands: values as written, and in the form in which they are compared."""

    field: Field
    erp: Value
    panel: Value
    base: tuple[Value, Value] | None
    known: bool
    """Whether the panel's form in the base is known, or follows from what it shows."""
    erp_norm: str
    panel_norm: str
    base_erp: str
    base_panel: str
    reading: Reading
    sent: Sent | None = None
    """What is remembered of a value that the panel has not shown since it took it."""
    verdict: Verdict | None = None
    """What the panel shows of that value; None where it was not asked, or nothing is to be judged."""

    @property
    def emptied(self) -> bool:
        """Whether the panel shows nothing where it had something, and the ERP still has what it had."""
        return self.field.comparable and self.panel_norm == "" != self.base_panel and self.erp_norm == self.base_erp

    @property
    def equal(self) -> bool:
        """Whether both sides are equal. A former value that is still shown tells nothing: what was sent may follow.

        To the letter the same is equal, even where two countries read it otherwise.
        """
        same = self.erp_norm == self.panel_norm or self.erp == self.panel
        return self.field.comparable and same and self.verdict is not Verdict.NOT_YET

    def changed(self, side: Side, empty: Empty) -> bool:
        norm, base = (self.erp_norm, self.base_erp) if side is Side.ERP else (self.panel_norm, self.base_panel)
        escaped = side is Side.PANEL and self.field.kind.free and is_escaped(base, norm)
        return norm != base and not escaped and (norm != "" or empty is Empty.ERASE)

    def never_carried(self, target: Side) -> bool:
        """Whether the other side was empty from the first on, and this one was not."""
        erp, panel = self.base_erp, self.base_panel
        return (panel == "" != erp) if target is Side.ERP else (erp == "" != panel)


def merge(  # noqa: PLR0913 - all that is known of one record, each by its name
    fields: Fields,
    rules: Mapping[str, Rule],
    *,
    base: Forms | None,
    erp: Values,
    panel: Values,
    conflicts: Iterable[Conflict] = (),
    notes: Mapping[str, Note],
    lacks: Collection[str] = (),
    kept: Callable[[Sequence[Step]], Sequence[Step]] = tuple,
    reading: Reading,
) -> tuple[Step, ...]:
    """Return the steps by which both sides of one record become as the rules want them, in the order of the columns.

    A field that ``panel`` does not hold is taken to be as the base says; ``lacks`` are those that it does not have.
    ``kept`` leaves out steps that are not to be carried out. Where the ``reading`` was not asked for, ``panel`` is what
    it showed last.
    """
    waiting = {conflict.field: conflict for conflict in conflicts}

    def judged(notes: Mapping[str, Note]) -> Sequence[Step]:
        steps: list[Step] = []
        for name, rule in rules.items():
            note = notes.get(name)
            if rule.direction is Direction.OFF:
                steps += _no_longer_waited_for(name, base)
                continue
            if name not in waiting and note is None and _stays(fields[name], rule, base, erp, panel, reading):
                continue
            seen = look(fields[name], base, erp, panel, reading)
            if name not in waiting and seen.emptied and _emptied_by_a_write(base, panel, notes, reading):
                steps.append(_not_taken(seen))
                continue
            step = _judge(seen, rule, waiting.get(name), note)
            if step is None:
                continue
            if not reading.asked and note is not None and step == Step(name):
                step = _as_noted(seen, rule.direction, note)
            step = checked_step(fields[name], step, note, lacks, erp)
            if step.code and step.forms is None and seen.verdict is Verdict.NOT_YET:
                step = replace(step, forms=seen.base)  # what was sent before is not waited for any more
            steps.append(step)
        return kept(steps)

    notes = {name: note for name, note in notes.items() if name in rules}
    steps = judged(notes)
    while again := _tried_again(steps, notes):
        notes = {name: note for name, note in notes.items() if name not in again}
        steps = judged(notes)
    return tuple(steps)


def _emptied_by_a_write(base: Forms | None, panel: Values, notes: Mapping[str, Note], reading: Reading) -> bool:
    """Whether what is empty in the panel was emptied by a write: by ours, the last change there is, or many at once."""
    if not reading.asked:
        return False
    return taken.is_last_change(base, reading.changed_at) or len(_emptied(base, panel, notes)) >= MANY


def _emptied(base: Forms | None, panel: Values, notes: Mapping[str, Note]) -> set[str]:
    """Return the texts that the panel had and shows empty, those of which that was noted before among them."""
    had = {name: value for name, value in (base or NO_FORMS).panel.items() if isinstance(value, str)}
    now = {name for name, value in had.items() if name in panel and is_blank(panel[name]) and not is_blank(value)}
    noted = {name for name, note in notes.items() if note == Note(STANDS, "", code=NOT_TAKEN)}
    return now | noted | {name for name in (base or NO_FORMS).sent if name in panel and is_blank(panel[name])}


def _tried_again(steps: Iterable[Step], notes: Mapping[str, Note]) -> set[str]:
    """Return the fields that a side has refused together, where one of them, or another one of the row, has changed.

    None of them is known to be the culprit, and it may be one that was not even written.
    """
    told = {s.field: s for s in steps}
    held = {name for name, note in notes.items() if name in told and told[name].code and told[name].note == note}
    edited = any(s.target is Side.PANEL and s.reason is not Reason.DRIFT for s in told.values())
    together = [{name for name, note in notes.items() if is_of_several(note, side)} for side in Side]
    return {name for some in together if some & held and (edited or some - held) for name in some}


def _stays(field: Field, rule: Rule, base: Forms | None, erp: Values, panel: Values, reading: Reading) -> bool:
    """Whether nothing is to be done with a field, as is seen without normalising it, which is most of the work."""
    return _untouched(field, base, erp, panel, reading) or _says_nothing(field.name, rule, base, erp)


def _untouched(field: Field, base: Forms | None, erp: Values, panel: Values, reading: Reading) -> bool:
    """Whether nobody has touched a field, to the letter.

    Nor where the panel shows a value as it was sent: :func:`resolved` alone has something to do with it.
    """
    name = field.name
    if base is None or name not in base.erp or base.erp[name] != erp.get(name):
        return False
    if name in base.panel:
        return base.panel[name] == panel.get(name, base.panel[name])
    taken_as_sent = name in base.sent and name in panel and panel[name] == base.erp[name]
    return taken_as_sent and reading.asked and field.comparable


def _says_nothing(name: str, rule: Rule, base: Forms | None, erp: Values) -> bool:
    """Whether the ERP says nothing of a field that only it may fill, and both sides were empty when they last agreed.

    Then nothing is to be done, whatever the panel shows.
    """
    if base is None or rule.direction is not Direction.ERP_TO_PANEL or rule.empty is not Empty.KEEP or rule.always:
        return False
    known = name in base.erp and name in base.panel
    return known and erp.get(name) in _EMPTY and base.erp[name] in _EMPTY and base.panel[name] in _EMPTY


def _no_longer_waited_for(name: str, base: Forms | None) -> Sequence[Step]:
    """Return the step that ends the waiting for a field that is not looked after any more."""
    return [Step(name, forms=(base.erp[name], base.erp[name]))] if base is not None and name in base.sent else ()


def placed(record: Values, *others: Values) -> Values:
    """Return the record with a country: its own, or where it names none, that of the first other one that does.

    A telephone number is read by its country, so the values of one field must not be read by several countries.
    """
    if record.get(COUNTRY_FIELD):
        return record
    return {**record, COUNTRY_FIELD: next((o[COUNTRY_FIELD] for o in others if o.get(COUNTRY_FIELD)), None)}


def _norm(field: Field, value: Value, record: Values, *others: Values) -> str:
    """Return a value in the form in which two are compared; the country is looked for only where it is read by one."""
    return field.normalise(value, placed(record, *others) if field.kind.by_country else record)


def resolved(fields: Fields, base: Forms | None, erp: Values, panel: Values, reading: Reading) -> Forms | None:
    """Return the base once it is judged what the panel shows of our own writes; the same where nothing is to be judged.

    What was taken, damaged or edited since has a form again; of what is not taken yet is remembered that it was seen.
    """
    if base is None or not base.sent or not reading.asked:
        return base
    forms, waits = dict(base.panel), dict(base.sent)
    for name, sent in base.sent.items():
        verdict = _verdict(fields[name], base, erp, panel, reading)
        if verdict is Verdict.NOT_YET:
            waits[name] = taken.not_yet(sent, reading)
            continue
        del waits[name]
        shows = verdict is not Verdict.EDITED and name in panel
        form = panel[name] if shows else base.erp[name]
        if fields[name].comparable or (shows and not is_blank(form)):
            forms[name] = form
    return Forms(base.erp, forms, waits)


def _verdict(field: Field, base: Forms, erp: Values, panel: Values, reading: Reading) -> Verdict | None:
    """Return what the panel shows of a value that it took; None where nothing is to be judged."""
    name, sent = field.name, base.sent.get(field.name)
    if sent is None or not reading.asked:
        return None
    if name not in panel:
        return Verdict.TAKEN  # what the panel never shows is as it was sent

    def norm(value: Value) -> str:
        return _norm(field, value, panel, base.panel, erp)

    return taken.judged(field, base.erp[name], sent, panel[name], norm, reading.changed_at)


def look(field: Field, base: Forms | None, erp: Values, panel: Values, reading: Reading) -> Seen:
    """Return one field as it stands on both sides and in the base."""
    name, forms = field.name, base or NO_FORMS
    known = name in forms.panel
    has_base = name in forms.erp
    sent, verdict = forms.sent.get(name), _verdict(field, forms, erp, panel, reading)
    last = forms.panel if known else forms.erp if field.comparable or sent else {}
    shown = panel if name in panel else last
    erp_value, panel_value = erp.get(name), shown.get(name)
    if verdict not in (None, Verdict.EDITED):
        last = {**last, name: panel_value}
    erp_norm = _norm(field, erp_value, erp, forms.erp, panel)
    panel_norm = _norm(field, panel_value, shown, forms.panel, erp)
    # To the letter the same is unchanged, even where the record's country has changed, by which a value is read.
    same = has_base and erp_value == forms.erp[name], name in last and panel_value == last[name]
    return Seen(
        field,
        erp_value,
        panel_value,
        (forms.erp[name], last.get(name)) if has_base else None,
        known or verdict is not None,
        erp_norm,
        panel_norm,
        base_erp=erp_norm if same[0] else _norm(field, forms.erp.get(name), forms.erp, erp, panel),
        base_panel=panel_norm if same[1] else _norm(field, last.get(name), last, forms.erp, panel),
        reading=reading,
        sent=sent,
        verdict=verdict,
    )


def _judge(seen: Seen, rule: Rule, waiting: Conflict | None, note: Note | None) -> Step | None:
    """Return what is to be done with a field; None: nothing at all."""
    if rule.direction is Direction.ERP_TO_PANEL:
        step = _one_way(seen, rule, Side.ERP, note)
    elif rule.direction is Direction.PANEL_TO_ERP:
        step = _one_way(seen, rule, Side.PANEL, note)
    else:
        step = _both_ways(seen, rule, waiting)
    if step is None:
        step = _nothing_to_write(seen, rule, note)
    if step is None and (waiting or note):
        step = Step(seen.field.name)
    if step is None or waiting is None or (step.conflict and step.conflict.winner is None):
        return step
    if step.code == NOT_TAKEN:  # the winner's value was sent, by a call that was never answered
        return replace(step, closes=waiting.id, winner=Side.ERP)
    if step.code:
        return step
    return replace(step, closes=waiting.id, winner=step.target.other if step.target else None)


def _nothing_to_write(seen: Seen, rule: Rule, note: Note | None) -> Step | None:
    """Return what is said of a field that neither side has edited, where the panel does not show what it took."""
    if seen.base is None or seen.erp_norm != seen.base_erp:  # emptied, which erases nothing
        return None
    if seen.verdict is Verdict.NOT_YET and rule.to_panel:
        return _not_taken_yet(seen)
    if seen.verdict is Verdict.DAMAGED:
        return _not_taken(seen)
    noted = note is not None and (note.kind, note.code) == (STANDS, NOT_TAKEN)
    stands = noted and not seen.equal and seen.verdict is not Verdict.TAKEN
    return Step(seen.field.name, note=note, code=NOT_TAKEN, facts=_both(seen)) if stands else None


def _not_taken_yet(seen: Seen) -> Step | None:
    """Send a value again that the panel has not taken by two readings; after some times a person is told."""
    assert seen.sent
    now, sent = seen.reading.now, seen.sent
    if not sent.seen or now < sent.ask_at:
        return None
    if sent.times > SENT_AGAIN:
        return _not_taken(seen)
    step = _write(seen, Side.PANEL, Reason.EDIT)
    return replace(step, sent=taken.sending(now, sent.former, times=sent.times + 1), risky=False)


def _not_taken(seen: Seen) -> Step:
    """Note as the panel's form what it shows in place of what it took: nobody has edited, and a person is told."""
    assert seen.base
    note = Note(STANDS, as_text(seen.panel) or "", code=NOT_TAKEN)
    return Step(seen.field.name, forms=(seen.base[0], seen.panel), note=note, code=NOT_TAKEN, facts=_both(seen))


def _agreed(seen: Seen) -> Step | None:
    """Return the step that notes equal values; None where neither side has moved since they were noted."""
    settled = seen.base is not None and seen.erp_norm == seen.base_erp and seen.panel_norm == seen.base_panel
    return None if settled else Step(seen.field.name, forms=(seen.erp, seen.panel))


def _one_way(seen: Seen, rule: Rule, source: Side, note: Note | None) -> Step | None:
    value, target = (seen.erp_norm, Side.PANEL) if source is Side.ERP else (seen.panel_norm, Side.ERP)
    says_nothing = value == "" and not rule.always
    if says_nothing and seen.base is None:
        return _source_is_empty(seen, source)
    if seen.equal:
        return _agreed(seen)
    if says_nothing and (rule.empty is Empty.KEEP or seen.never_carried(target)):
        return _source_is_empty(seen, source)
    if seen.base is None or seen.changed(source, Empty.ERASE):
        return _write(seen, target, Reason.FIRST_CONTACT if seen.base is None else Reason.EDIT)
    if target is Side.PANEL and not (seen.known or seen.sent or seen.field.comparable):
        return Step(seen.field.name, forms=(seen.base[0], seen.panel)) if seen.panel_norm else None
    return _drift(seen, target, note) if seen.changed(target, Empty.ERASE) else None


def _as_noted(seen: Seen, direction: Direction, note: Note) -> Step:
    """Return the step of a value that is right as far as is known, where the panel was not asked.

    The drift that was noted may have come back, and stands where its correction was refused.
    """
    if note.kind == DRIFT and direction is not Direction.BOTH:
        return Step(seen.field.name, note=note)
    if direction is Direction.ERP_TO_PANEL and _was_refused(note, Side.PANEL, seen.erp):
        return Step(seen.field.name, Side.PANEL, seen.erp)
    return Step(seen.field.name)


def _source_is_empty(seen: Seen, source: Side) -> Step | None:
    """Return the step that notes what the other side has of a field that the source says nothing of.

    An emptied panel is noted, since else its last value would count where it is not asked. What was edited in the panel
    under an emptied ERP is noted, since else the ERP's former value, written anew, would count as unchanged.
    """
    name, base = seen.field.name, seen.base
    if source is Side.PANEL:
        noted = base is not None and seen.base_panel == ""
        return None if noted else Step(name, forms=(base[0] if base else seen.erp, seen.panel))
    if base is None or not seen.known:
        return None
    edited = seen.base_erp != "" and seen.panel_norm != seen.base_panel
    return Step(name, forms=(seen.erp, seen.panel)) if edited else None


def _drift(seen: Seen, target: Side, note: Note | None) -> Step:
    """Correct a value that was edited on the wrong side, but not for ever.

    An ERP's database that changes what it takes would be written to for ever, and so would a panel of which no reading
    shows the field (whether an account is open); else what it does to what it takes is judged when it shows it. What
    is shown in words that no list explains is never corrected.
    """
    name, shown = seen.field.name, as_text(seen.panel if target is Side.PANEL else seen.erp) or ""
    if seen.field.shown is Shown.IN_OTHER_WORDS and target is Side.PANEL and shown:
        return Step(name, note=Note(STANDS, shown, code="unreadable"), code="unreadable", facts=_both(seen))
    step = _write(seen, target, Reason.DRIFT)
    if target is Side.PANEL and seen.field.read:
        return step
    times = note.times + 1 if note and note.kind == DRIFT and note.value == shown else 1
    if times > CORRECTIONS:
        code = NOT_TAKEN if target is Side.PANEL else "not_taken.by_erp"
        return Step(name, note=Note(DRIFT, shown, CORRECTIONS, code), code=code, facts=_both(seen))
    return replace(step, note=Note(DRIFT, shown, times))


def _both(seen: Seen) -> dict[str, str]:
    return {"erp_value": quoted(seen.erp), "panel_value": quoted(seen.panel)}


def _both_ways(seen: Seen, rule: Rule, waiting: Conflict | None) -> Step | None:
    if seen.equal:
        return _agreed(seen)
    decided = waiting.decision if waiting else None
    if seen.base is None:
        if seen.erp_norm and seen.panel_norm:
            return _conflict(seen, rule, waiting, decided, Reason.FIRST_CONTACT)
        return _write(seen, Side.PANEL if seen.erp_norm else Side.ERP, Reason.FIRST_CONTACT)
    erp, panel = seen.changed(Side.ERP, rule.empty), seen.changed(Side.PANEL, rule.empty)
    if erp and panel:
        return _conflict(seen, rule, waiting, decided, Reason.CONFLICT)
    if erp or panel:
        return _write(seen, Side.PANEL if erp else Side.ERP, Reason.EDIT)
    return None


def _conflict(seen: Seen, rule: Rule, waiting: Conflict | None, decided: Side | None, reason: Reason) -> Step:
    name = seen.field.name
    ruled = rule.conflict.winner
    winner = decided or ruled
    by_person = decided is not None and decided is not ruled  # a call that is made again finds the rule's own decision
    told = waiting and (waiting.erp_value, waiting.panel_value) == (as_text(seen.erp), as_text(seen.panel))
    note = None if told else ConflictNote(name, seen.erp, seen.panel, seen.base[0] if seen.base else None, winner)
    if winner is None:
        return Step(name, conflict=note, code="conflict")
    step = _write(seen, winner.other, Reason.CONFLICT if by_person else reason)
    return replace(step, conflict=note, risky=step.risky and not by_person)


def _write(seen: Seen, target: Side, reason: Reason) -> Step:
    field = seen.field
    if target is Side.ERP:
        forms = (seen.panel, seen.panel)
        return Step(field.name, target, seen.panel, seen.erp, reason, forms, risky=_risky(seen, target, reason))
    before = seen.panel if field.comparable or reason is Reason.DRIFT else seen.base[0] if seen.base else None
    sent = taken.sending(seen.reading.now, former(seen)) if field.read else None
    forms = (seen.erp, None if sent else seen.erp)
    risky = _risky(seen, target, reason)
    return Step(field.name, target, seen.erp, before, reason, forms, sent is not None, sent, risky)


def former(seen: Seen) -> Sequence[Value]:
    """Return what the panel may show if it does not take the value that is sent now.

    In words or figures of its own it may show one form for two values: the former form tells something only where it
    is known whose it is, or where the figure was seen to be the very one that was sent, and says something.
    """
    if seen.field.comparable:
        unshown = (*seen.sent.former, seen.base[0]) if seen.sent and seen.base else ()
        lost = (seen.reading.lost[seen.field.name],) if seen.field.name in seen.reading.lost else ()
        return (*unshown, seen.panel, *lost)
    if seen.base is None or seen.sent or not seen.known or seen.base_erp in ("", seen.erp_norm):
        return ()
    proved = seen.base_erp == seen.base_panel and seen.base_erp.strip("0.") != ""
    return (seen.base[1],) if proved or seen.field.shown is Shown.IN_OTHER_WORDS else ()


def _risky(seen: Seen, target: Side, reason: Reason) -> bool:
    if reason in (Reason.CREATE, Reason.FIRST_CONTACT):
        return False
    before, after = (seen.panel, seen.erp) if target is Side.PANEL else (seen.erp, seen.panel)
    if not seen.field.comparable:
        before = seen.base[0] if seen.base else None
    return seen.field.risk(before, after)


def checked_step(field: Field, step: Step, note: Note | None, lacks: Collection[str], erp: Values) -> Step:
    """Return the step, or what stands in its place where the value is known to be refused on its target side.

    ``erp`` is the ERP's row: what the panel has refused by the row's country is tried again in another one.
    """
    if step.target is None:
        return step
    if step.target is Side.PANEL and field.name in lacks:
        return step.held(LACKS_FIELD, {})
    if reject := fault(field, step.target, step.value):
        stands = Note(STANDS, as_text(step.value) or "", code=reject.code) if step.target is Side.ERP else None
        return step.held(reject.code, reject.facts, stands)
    if note is None or not _was_refused(note, step.target, step.value):
        return step
    moved = field.kind.by_country and note.kind == REFUSED and note.country not in ("", country_of(erp))
    return step if moved else told_again(step, note)


def _was_refused(note: Note, side: Side, value: Value) -> bool:
    """Whether it was this value that this side refused, alone or together with others."""
    by_name = note.kind == REFUSED if side is Side.PANEL else note.kind == STANDS and note.code == COLUMN_REFUSED
    return note.value == (as_text(value) or "") and (by_name or is_of_several(note, side))


def told_again(step: Step, note: Note) -> Step:
    """Return the step that writes nothing, since what it would write was refused already."""
    value = quoted(note.value) if note.kind == REFUSED or note.code == COLUMN_REFUSED else ""
    return step.held(note.code, {"value": value, "panel": note.text, "reason": note.text}, note)


def is_of_several(note: Note, side: Side) -> bool:
    """Whether a note is of values that this side has refused together. What the ERP refuses *stands* in the panel."""
    if side is Side.PANEL:
        return note.kind == REFUSED_TOGETHER
    return note.kind == STANDS and note.code == REFUSED_BY_ERP


def fault(field: Field, target: Side, value: Value) -> Reject | None:
    """Return what :func:`check` raises, None for a value that it lets pass."""
    try:
        check(field, target, value)
    except Reject as reject:
        return reject
    return None


def check(field: Field, target: Side, value: Value) -> None:
    """Raise Reject where the panel, or the exchange database's column, could not take a value of this field."""
    if target is Side.PANEL and isinstance(value, str) and UNREADABLE in value:
        raise Reject("unprintable.letters", field=field.name, **_facts(field, value))
    if target is Side.PANEL and not field.kind.translated:
        try:
            field.kind.codec.to_panel(value)
        except Reject as reject:
            raise Reject(reject.code, field=field.name, **_facts(field, value)) from None
    elif target is Side.ERP and isinstance(value, str) and any(map(_is_no_letter, value)):
        raise Reject("unprintable.in_panel", field=field.name, **_facts(field, value))
    if len(value if isinstance(value, str) else as_text(value) or "") > field.length:
        facts = _facts(field, value)
        raise Reject("too_long" if target is Side.PANEL else "too_long.in_panel", field=field.name, **facts)


def _is_no_letter(c: str) -> bool:
    """Whether a database does not take it, or it stands for what was a letter, or one that no database takes."""
    return c in ("\x00", UNREADABLE) or "\ud800" <= c <= "\udfff"


def _facts(field: Field, value: Value) -> dict[str, str]:
    return {"value": quoted(value), "limit": str(field.length)}


def quoted(value: Value, limit: int = 60) -> str:
    """Return a value as a message shows it: cut, and without what cannot be printed."""
    text = as_text(value) or ""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else "?" for c in text)
    return f"{text[:limit]}…" if len(text) > limit else text


def arrived(fields: Fields, intent: Intent, panel: Values, known: Values = NOTHING) -> tuple[Written, ...]:
    """Return what of an unanswered call has reached the panel: what it shows as it was sent, or in a form of that.

    What it is ``known`` to have shown before, to the letter, is no form of what was sent.
    """
    shown = [w for w in intent.written if w.field in panel]
    return tuple(w for w in shown if _came(fields[w.field], w, intent, panel, known))


def _came(field: Field, written: Written, intent: Intent, panel: Values, known: Values) -> bool:
    """Whether a value of an unanswered call is shown, as it was sent or in a form that the panel has made of it.

    The call has no answer, after whose time somebody may have edited.
    """
    if not field.comparable:
        return False
    if _same(field, written.after, intent, panel):
        return True
    if field.name in known and known[field.name] == panel[field.name]:
        return False

    def norm(value: Value) -> str:
        return field.normalise(value, placed(panel, intent.values))

    shown, sent = panel[field.name], taken.unanswered(written.before)
    verdict = taken.judged(field, written.after, sent, shown, norm, None)
    return norm(shown) != norm(written.before) and verdict in (Verdict.TAKEN, Verdict.DAMAGED)


def _same(field: Field, sent: Value, intent: Intent, panel: Values) -> bool:
    shown = field.normalise(panel[field.name], placed(panel, intent.values))
    return field.normalise(sent, placed(intent.values, panel)) == shown


def settled(
    base: Forms | None, fields: Fields, intent: Intent, panel: Values
) -> tuple[Forms | None, tuple[Written, ...]]:
    """Return the base once an unanswered call is judged by what the panel shows now, and what that call has carried.

    A value that the panel does not show, or shows in words of its own, may have arrived or not: its base is unknown
    then, so that it is sent again.
    """
    carried = arrived(fields, intent, panel, (base or NO_FORMS).panel)
    known = {w.field for w in carried}
    missing = [n for n in intent.values if n not in known and not (n in panel and fields[n].comparable)]
    unsure = [n for n in missing if as_text(intent.values[n])]  # with an empty base an erasure looks done
    if base is None and not carried:
        return None, ()
    before = base or NO_FORMS
    erp, shown, sent = dict(before.erp), dict(before.panel), dict(before.sent)
    for written in carried:
        erp[written.field], shown[written.field] = written.after, panel.get(written.field)
        sent.pop(written.field, None)
        if not _same(fields[written.field], written.after, intent, panel):
            del shown[written.field]
            sent[written.field] = taken.unanswered(written.before)
    for name in unsure:
        if name in erp or fields[name].assumed is not None:  # nothing is assumed of what may have been sent
            erp[name] = None
            shown.pop(name, None)
            sent.pop(name, None)
    return Forms(erp, shown, sent), carried
