"""Pairing: which of the ERP's addresses and which of the panel's are one and the same.

The base tells it for certain. Where there is none, contents do: equal ones first, then those that differ in letter case
or blanks only, last those where one side merely says more. Every step pairs one to one and in the same order each time,
so that two equal addresses on both sides are two pairs. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from kartoteka.fields import normal
from kartoteka.fields.table import COUNTRY_FIELD, DELIVERY_ADDRESSES, PLACE, normalised
from kartoteka.model import Forms, Intent, Key, Record, Value, Values, Written
from kartoteka.ports.panel import Address
from kartoteka.sync.merge import placed, settled

PANEL_BORN = "panel-"
"""What the ids of rows begin with that were born in the panel; the panel's own id follows."""
FIELDS = DELIVERY_ADDRESSES

Form = tuple[str, ...]
"""An address in the form in which two are compared, in the order of the columns."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pair:
    """One address: the ERP's side with all that is known of it, and the panel's, where it has it.

    ``base`` is the record's, together with what an unanswered call turned out to have carried (``earlier``). ``over``:
    nothing is left of the base, since that call deleted the panel's address, or another row has it now.
    """

    record: Record
    address: Address | None = None
    base: Forms | None = None
    earlier: tuple[Written, ...] = ()
    over: bool = False

    @property
    def bereft(self) -> bool:
        """Whether the panel's address is known and the row is gone."""
        return self.address is not None and self.base is not None and self.record.erp is None


def pair(own: Record, items: Sequence[Record], addresses: Iterable[Address], *, asked: bool = True) -> list[Pair]:
    """Return every address of one client once; those of the panel that nothing is known of come last.

    Where the panel was not ``asked``, nothing is told by contents: they may be others by now.
    """
    pairing = _Pairing(own, items, addresses)
    pairing.by_base()
    if asked:
        pairing.by_name()
        pairing.by_lost_reply()
        pairing.by_contents()
    return pairing.done()


def deletes(intent: Intent | None) -> bool:
    """Return whether what was about to be written was the end of the panel's address, and not of single values."""
    if intent is None or any(written.after for written in intent.written):
        return False
    return any(written.field in PLACE for written in intent.written)


class _Pairing:
    """One client's addresses while they are being paired: what is paired, and what waits on either side."""

    def __init__(self, own: Record, items: Sequence[Record], addresses: Iterable[Address]) -> None:
        self._own = own
        self._items = items
        self._waiting = {r.key.item_id: r for r in items}
        by_age = sorted(addresses, key=lambda a: normal.by_number(a.panel_address_id))
        self._free = {a.panel_address_id: a for a in by_age}
        self._pairs: dict[str, Pair] = {}
        self._forms: dict[tuple[int, Value], tuple[Values, Form]] = {}

    def by_base(self) -> None:
        """Pair by the base. Rows that are there come first: one may have the address of a row that is gone."""
        shown = dict(self._free)
        for r in sorted(self._items, key=lambda r: r.erp is None):
            intent, address = r.state.intent, shown.get(r.state.panel_id)
            if r.state.base is None or address is None:
                continue
            base: Forms | None = r.state.base
            earlier = tuple[Written, ...]()
            if intent is not None and not (intent.making or deletes(intent)):
                base, earlier = settled(base, FIELDS, intent, address.values)
            is_free = address.panel_address_id in self._free
            self._join(Pair(r, address if is_free else None, base, earlier, over=not is_free))

    def by_name(self) -> None:
        """Pair rows that are named after the panel's address."""
        for r in self._items:
            key = r.key.item_id.removeprefix(PANEL_BORN)
            named = r.key.item_id.startswith(PANEL_BORN) and key in self._free
            if r.erp is not None and r.state.base is None and named:
                self._join(Pair(r, self._free[key]))

    def by_lost_reply(self) -> None:
        """Find what an unanswered call has added: its values were sent, the row may have been edited since."""
        spots = _grouped(self._free.values(), lambda a: self._spot(a.values))
        making = [(r, r.state.intent) for r in self._waiting.values() if r.state.intent and r.state.intent.making]
        for r, intent in making:
            sent = intent.values
            near = (a for a in spots.get(self._spot(sent), ()) if a.panel_address_id in self._free)
            address = next((a for a in near if self._was_sent(sent, a.values)), None)
            if address:
                forms = {**dict.fromkeys(FIELDS), **sent}
                self._join(Pair(r, address, Forms(forms, forms), intent.written))

    def by_contents(self) -> None:
        """Pair what has no base, and what came back under another id on either side."""
        for form in (self._exact, self._loose):
            self._alike(self._new_rows(), self._free.values(), form)
        for form in (self._exact, self._loose):
            self._take_over(form)
            self._alike(self._lone_rows(), self._free.values(), form)
        self._fuller(self._new_rows(), list(self._free.values()))

    def done(self) -> list[Pair]:
        """Return the pairs, then what is left on either side."""
        for address in list(self._free.values()):
            name = f"{PANEL_BORN}{address.panel_address_id}"
            known = self._waiting.get(name)
            if name not in self._pairs and (known is None or (known.erp is None and known.state.base is None)):
                new = Record(Key(*self._own.key[:3], name), link=self._own.link, found_by=self._own.found_by)
                self._join(Pair(known or new, address))
        for r in list(self._waiting.values()):
            written = r.state.intent.written if r.state.intent and _ended(r) else ()
            self._join(Pair(r, None, r.state.base, written, over=bool(written)))
        order = {r.key.item_id: n for n, r in enumerate(self._items)}
        return sorted(self._pairs.values(), key=lambda p: order.get(p.record.key.item_id, len(order)))

    def _join(self, joined: Pair) -> None:
        self._pairs[joined.record.key.item_id] = joined
        self._waiting.pop(joined.record.key.item_id, None)
        if joined.address:
            self._free.pop(joined.address.panel_address_id, None)

    def _new_rows(self) -> list[Record]:
        return [r for r in self._waiting.values() if r.erp is not None and r.state.base is None]

    def _lone_rows(self) -> list[Record]:
        """Return the rows whose address the panel does not show any more."""
        return [r for r in self._waiting.values() if r.erp is not None and r.state.base is not None]

    def _alike(self, rows: Iterable[Record], addresses: Iterable[Address], form: Callable[[Values], Form]) -> None:
        """Pair rows and free addresses of one form, in order; of a base that has ended nothing is left."""
        found = _grouped(addresses, lambda a: form(a.values))
        for r in rows:
            same = found.get(form(r.erp or {}))
            if same:
                ended = r.state.intent.written if r.state.intent and _ended(r) else ()
                self._join(Pair(r, same.pop(0), None if ended else r.state.base, ended))

    def _take_over(self, form: Callable[[Values], Form]) -> None:
        """Give new rows the panel's addresses of rows that are gone: the ERP has numbered its rows anew."""
        bereft = [p for p in self._pairs.values() if p.bereft]
        found = _grouped(bereft, lambda p: form(p.address.values if p.address else {}))
        for r in self._new_rows():
            same = found.get(form(r.erp or {}))
            if same:
                former = same.pop(0)
                self._join(Pair(r, former.address))
                self._pairs[former.record.key.item_id] = replace(former, address=None, over=True)

    def _fuller(self, rows: Sequence[Record], addresses: Sequence[Address]) -> None:
        """Pair what is at one spot and contradicts itself nowhere, where there is no second that could be meant."""
        spots = _grouped(addresses, lambda a: self._spot(a.values))
        for spot, some in _grouped(rows, lambda r: self._spot(r.erp or {})).items():
            near = spots.get(spot, ()) if spot[0] else ()
            fits = [(r, a) for r in some for a in near if self._agree(r.erp or {}, a.values)]
            rivals = Counter(each for r, a in fits for each in (("row", r.key.item_id), ("panel", a.panel_address_id)))
            for r, a in fits:
                if rivals["row", r.key.item_id] == rivals["panel", a.panel_address_id] == 1:
                    self._join(Pair(r, a))

    def _exact(self, values: Values) -> Form:
        return tuple(normalised(FIELDS, values).values())

    def _loose(self, values: Values) -> Form:
        return tuple(map(_squeezed, self._exact(values)))

    def _spot(self, values: Values) -> Form:
        return tuple(_squeezed(FIELDS[name].normalise(values.get(name), values)) for name in PLACE)

    def _was_sent(self, sent: Values, shown: Values) -> bool:
        """Return whether the panel's address is what was sent; the country is the one thing it adds by itself.

        A field that the panel does not show at all tells nothing.
        """
        forms = zip(FIELDS, self._read(sent, shown), self._read(shown, sent), strict=True)
        return all(one == other for name, one, other in forms if name in shown)

    def _agree(self, row: Values, shown: Values) -> bool:
        pairs = zip(self._read(row, shown), self._read(shown, row), strict=True)
        return all(one == other or not one or not other for one, other in pairs)

    def _read(self, values: Values, other: Values) -> Form:
        """Return the form of an address beside another one; each is made once, however many it is compared with."""
        read = placed(values, other)
        key = id(values), read.get(COUNTRY_FIELD)
        if key not in self._forms:
            self._forms[key] = values, self._loose(read)
        return self._forms[key][1]


def _ended(record: Record) -> bool:
    """Return whether a call that was not answered is known to have deleted the panel's address."""
    return record.state.base is not None and deletes(record.state.intent)


def _squeezed(text: str) -> str:
    return "".join(text.split()).casefold()


def _grouped(some: Iterable[T], key: Callable[[T], Form]) -> dict[Form, list[T]]:
    found: dict[Form, list[T]] = {}
    for each in some:
        found.setdefault(key(each), []).append(each)
    return found
