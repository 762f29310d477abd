"""Pairing: which of the ERP's records and which of the panel's are one and the same.

What was agreed on tells it for certain. Where nothing is, contents do: equal ones first, then those that differ in
letter case or blanks only, last those where one side merely says more. Every step pairs one to one and in the same
order each time, so that two equal records on both sides are two pairs. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from kartoteka.core.concerns import Concern, normalised
from kartoteka.core.merge import carried, settled
from kartoteka.core.model import Address, Intent, Record, Snapshot, Value, Written

PANEL_BORN = "panel-"
"""What the ids of rows begin with that were born in the panel; the panel's own id follows."""
SPOT = ("street", "zip_code", "city")
"""What tells one place from another: no two records are the same where these differ."""

Form = tuple[str, ...]
"""A record's values in the form in which they are compared, in the order of the concern's fields."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pair:
    """One record: the ERP's side with all that is known of it, and the panel's, where it has it.

    ``base`` is the agreement, together with what an unanswered call turned out to have carried (``earlier``). ``over``:
    nothing is left of the agreement, since that call deleted the panel's record, or another row has it now.
    """

    snapshot: Snapshot
    address: Address | None = None
    base: Record | None = None
    earlier: tuple[Written, ...] = ()
    over: bool = False

    @property
    def bereft(self) -> bool:
        """Whether the panel's record is known and the row is gone."""
        return self.address is not None and self.base is not None and self.snapshot.row is None


def pair(concern: Concern, client_id: str, items: Sequence[Snapshot], addresses: Iterable[Address]) -> list[Pair]:
    """Return every record of one customer once; those of the panel that nothing is known of come last."""
    pairing = _Pairing(concern, items, addresses)
    pairing.by_agreement()
    pairing.by_name()
    pairing.by_lost_reply()
    pairing.by_contents()
    return pairing.done(client_id)


def deletes(intent: Intent | None) -> bool:
    """Return whether what was about to be written was the end of the panel's record."""
    return intent is not None and bool(intent.written) and not any(written.after for written in intent.written)


class _Pairing:
    """One customer's records while they are being paired: what is paired, and what waits on either side."""

    def __init__(self, concern: Concern, items: Sequence[Snapshot], addresses: Iterable[Address]) -> None:
        self._concern = concern
        self._items = items
        self._waiting = {s.item_id: s for s in items}
        self._free = {a.panel_address_id: a for a in sorted(addresses, key=_age)}
        self._pairs: dict[str, Pair] = {}
        self._forms: dict[tuple[int, Value], tuple[Record, Form]] = {}

    def by_agreement(self) -> None:
        """Pair what was agreed on. Rows that are there come first: one may have the record of a row that is gone."""
        taken = set[str]()
        for s in sorted(self._items, key=lambda s: s.row is None):
            if s.agreed is not None and s.panel_item_id in taken:
                self._join(Pair(s, None, s.agreed, over=True))
            elif s.agreed is not None and s.panel_item_id in self._free:
                taken.add(s.panel_item_id)
                address = self._free[s.panel_item_id]
                tells = s.intent is not None and not (s.intent.creating or deletes(s.intent))
                earlier = carried(self._concern, s.intent, address.values) if tells else ()
                self._join(Pair(s, address, settled(s.agreed, earlier), earlier))

    def by_name(self) -> None:
        """Pair rows that are named after the panel's record."""
        for s in self._items:
            key = s.item_id.removeprefix(PANEL_BORN)
            if s.row is not None and s.agreed is None and s.item_id.startswith(PANEL_BORN) and key in self._free:
                self._join(Pair(s, self._free[key]))

    def by_lost_reply(self) -> None:
        """Find what an unanswered call has added: its values were sent, the row may have been edited since."""
        spots = _grouped(self._free.values(), lambda a: self._spot(a.values))
        for s, intent in [(s, s.intent) for s in self._waiting.values() if s.intent and s.intent.creating]:
            sent = intent.values
            near = (a for a in spots.get(self._spot(sent), ()) if a.panel_address_id in self._free)
            address = next((a for a in near if self._was_sent(sent, a.values)), None)
            if address:
                self._join(Pair(s, address, dict.fromkeys(self._concern.fields) | sent, intent.written))

    def by_contents(self) -> None:
        """Pair what nothing is agreed on, and what came back under another id on either side."""
        for form in (self._exact, self._loose):
            self._alike(self._new_rows(), self._free.values(), form)
        for form in (self._exact, self._loose):
            self._take_over(form)
            self._alike(self._lone_rows(), self._free.values(), form)
        self._fuller(self._new_rows(), list(self._free.values()))

    def done(self, client_id: str) -> list[Pair]:
        """Return the pairs, then what is left on either side."""
        for address in list(self._free.values()):
            name = f"{PANEL_BORN}{address.panel_address_id}"
            known = self._waiting.get(name)
            if name not in self._pairs and (known is None or (known.row is None and known.agreed is None)):
                self._join(Pair(known or Snapshot(client_id, name), address))
        for s in list(self._waiting.values()):
            written = s.intent.written if s.intent and _ended(s) else ()
            self._join(Pair(s, None, s.agreed, written, over=bool(written)))
        order = {s.item_id: n for n, s in enumerate(self._items)}
        return sorted(self._pairs.values(), key=lambda p: order.get(p.snapshot.item_id, len(order)))

    # --- the works

    def _join(self, joined: Pair) -> None:
        self._pairs[joined.snapshot.item_id] = joined
        self._waiting.pop(joined.snapshot.item_id, None)
        if joined.address:
            self._free.pop(joined.address.panel_address_id, None)

    def _new_rows(self) -> list[Snapshot]:
        return [s for s in self._waiting.values() if s.row is not None and s.agreed is None]

    def _lone_rows(self) -> list[Snapshot]:
        """Return the rows whose record the panel does not show any more."""
        return [s for s in self._waiting.values() if s.row is not None and s.agreed is not None and not _ended(s)]

    def _alike(self, rows: Iterable[Snapshot], addresses: Iterable[Address], form: Callable[[Record], Form]) -> None:
        """Pair rows and free records of one form, in order."""
        found = _grouped(addresses, lambda a: form(a.values))
        for s in rows:
            same = found.get(form(s.row or {}))
            if same:
                self._join(Pair(s, same.pop(0), s.agreed))

    def _take_over(self, form: Callable[[Record], Form]) -> None:
        """Give new rows the panel's records of rows that are gone: the ERP has numbered its rows anew."""
        bereft = [p for p in self._pairs.values() if p.bereft and not p.over]
        found = _grouped(bereft, lambda p: form(p.address.values if p.address else {}))
        for s in self._new_rows():
            same = found.get(form(s.row or {}))
            if same:
                former = same.pop(0)
                self._join(Pair(s, former.address))
                self._pairs[former.snapshot.item_id] = replace(former, address=None, over=True)

    def _fuller(self, rows: Sequence[Snapshot], addresses: Sequence[Address]) -> None:
        """Pair what is at one spot and contradicts itself nowhere, where there is no second that could be meant."""
        spots = _grouped(addresses, lambda a: self._spot(a.values))
        for spot, some in _grouped(rows, lambda s: self._spot(s.row or {})).items():
            near = spots.get(spot, ()) if spot[0] else ()
            fits = [(s, a) for s in some for a in near if self._agree(s.row or {}, a.values)]
            rivals = Counter(each for s, a in fits for each in (("row", s.item_id), ("record", a.panel_address_id)))
            for s, a in fits:
                if rivals["row", s.item_id] == rivals["record", a.panel_address_id] == 1:
                    self._join(Pair(s, a))

    def _exact(self, record: Record) -> Form:
        return tuple(normalised(self._concern, record).values())

    def _loose(self, record: Record) -> Form:
        return tuple(map(_squeezed, self._exact(record)))

    def _spot(self, record: Record) -> Form:
        forms = (self._concern.fields[name].normalise(record.get(name), record) for name in SPOT)
        return tuple(map(_squeezed, forms))

    def _was_sent(self, sent: Record, shown: Record) -> bool:
        """Return whether the panel's record is what was sent; the country is the one thing it adds by itself.

        A field that the panel does not show at all tells nothing.
        """
        forms = zip(self._concern.fields, self._read(sent, shown), self._read(shown, sent), strict=True)
        telling = shown.keys() - ({"country_code"} - sent.keys())
        return all(one == other for name, one, other in forms if name in telling)

    def _agree(self, row: Record, shown: Record) -> bool:
        pairs = zip(self._read(row, shown), self._read(shown, row), strict=True)
        return all(one == other or not one or not other for one, other in pairs)

    def _read(self, record: Record, other: Record) -> Form:
        """Return the form of a record beside another one; each is made once, however many it is held against."""
        placed = _placed(record, other)
        key = id(record), placed.get("country_code")
        if key not in self._forms:
            self._forms[key] = record, self._loose(placed)
        return self._forms[key][1]


def _placed(record: Record, other: Record) -> Record:
    """Return the record with a country, since its telephone number is read by it: its own, else the other's."""
    return record if record.get("country_code") else {**record, "country_code": other.get("country_code")}


def _ended(snapshot: Snapshot) -> bool:
    """Return whether a call that was not answered is known to have deleted the panel's record."""
    return snapshot.agreed is not None and deletes(snapshot.intent)


def _squeezed(text: str) -> str:
    return "".join(text.split()).casefold()


def _age(address: Address) -> tuple[int, str]:
    return len(address.panel_address_id), address.panel_address_id


def _grouped(some: Iterable[T], key: Callable[[T], Form]) -> dict[Form, list[T]]:
    found: dict[Form, list[T]] = {}
    for each in some:
        found.setdefault(key(each), []).append(each)
    return found
