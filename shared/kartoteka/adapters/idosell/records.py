"""How the fields of the table are written into a gate's record, and read from one.

Writing is strict: documented names and types only.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from kartoteka.adapters.idosell import countries
from kartoteka.adapters.idosell.answers import Json, text
from kartoteka.errors import Reject
from kartoteka.fields import codecs
from kartoteka.fields.table import Field, Fields
from kartoteka.fields.values import as_text
from kartoteka.model import Value, Values

_MISSING = object()


def update_body(records: Sequence[Json]) -> Json:
    """Return the body of PUT clients/clients and of both writes of addresses: the client is not notified."""
    silent = {"clientSettingSendMail": False, "clientSettingSendSms": False}
    return {"params": {"clients": list(records)}, "clientsSettings": silent}


def written(values: Values, fields: Fields, *, creating: bool) -> Json:
    """Return the values as the panel takes them, by its names. Raises Reject for one that it could not take.

    Left out are fields that this call has no name for, on creating every empty value, and always an empty flag, amount,
    number of days or list of shops, since the API cannot express it. An empty text is written as one, and no group as
    the group 0.
    """
    record: Json = {}
    for name, value in values.items():
        wire = fields[name].create if creating else fields[name].update
        formed = form(fields[name], value)
        empty = value is None or value == ""
        if wire and formed not in (None, []) and not (empty and (creating or isinstance(formed, bool))):
            record[wire] = formed
    return record


def form(field: Field, value: Value) -> Any:
    """Return a value in the form in which the panel takes it. Raises Reject naming the field and the value."""
    try:
        return field.kind.codec.to_panel(value)
    except Reject as reject:
        refused = Reject(reject.code, field=field.name, **{"value": as_text(value) or "", **reject.facts})
    raise refused


def read(shown: Json, fields: Fields) -> Values:
    """Return what a record shows of these fields, in the exchange database's vocabulary.

    A field that the record does not show has no value at all. A country may be shown by its name; one that is not known
    counts as not shown.
    """
    found = {name: _at(shown, field) for name, field in fields.items() if field.read}
    return {
        name: fields[name].kind.codec.from_panel(value)
        for name, value in found.items()
        if _is_shown(fields[name], value)
    }


def _is_shown(field: Field, value: Any) -> bool:
    """Whether a value tells anything. Shops are a list; an empty amount is not an amount of 0."""
    if field.kind.codec is codecs.SHOPS:
        return isinstance(value, list)
    if field.kind.codec is codecs.MONEY:
        return isinstance(value, str) and value.strip() != ""
    return value is not _MISSING


def _at(shown: Json, field: Field) -> Any:
    """Return what a record shows of a field; of a country its code, and nothing where it has none that is known."""
    value = _at_path(shown, field.read)
    if field.kind.codec is not codecs.COUNTRY or not value:
        return value
    known = countries.code(value)
    return _MISSING if known is None else known


def _at_path(shown: Json, path: str) -> Any:
    """Return what stands at a dotted path; an empty parent (``[]``) has empty children, an absent one none."""
    *parents, name = path.split(".")
    for parent in parents:
        inner = shown.get(parent, _MISSING)
        if inner is _MISSING:
            return _MISSING
        if not isinstance(inner, dict):
            return None
        shown = inner
    value = shown.get(name, _MISSING)
    return text(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value
