"""What a panel that was restored from an older backup shows, and the base in which that is nobody's edit. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kartoteka.fields.table import Field, Fields
from kartoteka.fields.values import as_text
from kartoteka.model import Forms, Value, Values
from kartoteka.policy import Rule
from kartoteka.ports.exchange import Former, SeenAccount
from kartoteka.ports.panel import Account
from kartoteka.sync.merge import placed


def is_behind(account: Account, known: SeenAccount | None) -> bool:
    """Return whether an account shows an older date than the account index knows of it."""
    before, now = known.modified_at if known else None, account.modified_at
    return before is not None and now is not None and now < before


def gone_back(fields: Fields, base: Forms, shown: Values, former: Former | None) -> Forms:
    """Return the base in which the panel's side has not changed where it went back.

    ``former`` None: nobody has edited the record since, so all that differs went back; else what the field once held.
    What was sent and not shown yet is waited for on: what went back is one more value that the field held before.
    """
    known = {**base.panel, **{name: base.erp[name] for name in base.sent}}
    # To the letter the same has not gone back, whatever country it is read by.
    differing = [name for name, last in known.items() if name in shown and shown[name] != last]
    if not differing:
        return base
    erp, panel, sent = dict(base.erp), dict(base.panel), dict(base.sent)
    for name in differing:
        field, last = fields[name], known[name]
        if not field.comparable:
            if former is None:
                erp[name] = None
                panel.pop(name, None)
                sent.pop(name, None)
            continue
        now = field.normalise(shown[name], placed(shown))
        same = now == field.normalise(last, placed(base.panel, shown))
        if same or not (former is None or _was_held(field, now, shown, former.get(name, ()))):
            continue
        if name in sent:
            before = sent[name].former
            sent[name] = sent[name]._replace(former=tuple(dict.fromkeys((*before, shown[name]))))
        else:
            erp[name] = panel[name] = shown[name]
    return Forms(erp, panel, sent)


def _was_held(field: Field, now: str, shown: Values, former: Collection[str]) -> bool:
    if not isinstance(shown[field.name], str):
        return as_text(shown[field.name]) in former
    return any(field.normalise(text, placed(shown)) == now for text in former)


def forgotten(rules: Mapping[str, Rule], base: Forms, shown: Values) -> Forms:
    """Return the base without what was sent of fields that the panel does not show."""
    names = [n for n, value in base.erp.items() if n not in shown and _takes_again(value) and n in rules]
    unknown: dict[str, Value] = {name: None for name in names if rules[name].to_panel}
    rest = {name: value for name, value in base.panel.items() if name not in unknown}
    return base._replace(erp={**base.erp, **unknown}, panel=rest) if unknown else base


def _takes_again(value: Value) -> bool:
    """Whether a value is sent again: not what a person may have taken away in the panel, as the right to log in."""
    return value not in (None, "", True)
