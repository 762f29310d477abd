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


class Reader:
    """Reads these fields of a gate's records; where each of them stands is worked out once."""

    def __init__(self, fields: Fields) -> None:
        ways = ((name, field.read.split("."), field.kind.codec) for name, field in fields.items() if field.read)
        self._ways = [(name, tuple(parents), last, codec) for name, (*parents, last), codec in ways]

    def read(self, shown: Json) -> Values:
        """Return what a record shows of the fields, in the exchange database's vocabulary.

        A field that the record does not show has no value at all. A country may be shown by its name; one that is not
        known counts as not shown.
        """
        values: dict[str, Value] = {}
        around: dict[tuple[str, ...], Any] = {}
        for name, parents, last, codec in self._ways:
            if parents not in around:
                around[parents] = _inside(shown, parents)
            holder = around[parents]
            value = holder.get(last, _MISSING) if isinstance(holder, dict) else holder
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                value = text(value)
            if codec is codecs.COUNTRY and value and value is not _MISSING:
                known = countries.code(value)
                value = _MISSING if known is None else known
            if _is_shown(codec, value):
                values[name] = codec.from_panel(value)
        return values


def _inside(shown: Json, parents: Sequence[str]) -> Any:
    """Return the object inside others; None for an empty one (``[]``), whose fields are empty too."""
    inner: Any = shown
    for parent in parents:
        inner = inner.get(parent, _MISSING)
        if not isinstance(inner, dict):
            return _MISSING if inner is _MISSING else None
    return inner


def _is_shown(codec: codecs.Codec, value: Any) -> bool:
    """Whether a value tells anything. Shops are a list; an empty amount is not an amount of 0."""
    if codec is codecs.SHOPS:
        return isinstance(value, list)
    if codec is codecs.MONEY:
        return isinstance(value, str) and value.strip() != ""
    return value is not _MISSING
