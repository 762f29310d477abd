"""The shape of requests and answers of clients/deliveryAddress, made from the table of fields.

These gates echo no reference: a result belongs to the record in the same position, and an added address is known by the
id in its result alone. Whatever leaves doubt is Retry, never success: reading the addresses again settles it. The login
alone names the client: it is unique and never changes, while several accounts may have one external code, and which of
two keys counts where they name different accounts is not documented.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kartoteka.adapters.idosell import faults
from kartoteka.adapters.idosell.answers import Json, fault_of, faults_of, results, text, whole
from kartoteka.adapters.idosell.records import Reader, written
from kartoteka.errors import Retry
from kartoteka.fields.table import DELIVERY_ADDRESSES, REQUIRED_OF_ADDRESS
from kartoteka.model import Done, Outcome
from kartoteka.ports.panel import Address, AddressWrite

_ID = "clientDeliveryAddressId"
_VALUES = Reader(DELIVERY_ADDRESSES)
_REQUIRED = tuple(DELIVERY_ADDRESSES[name].create for name in REQUIRED_OF_ADDRESS)
_VERDICTS = ("resultStatus", "status", "faultCode")


# requests


def query(panel_client_ids: Sequence[str]) -> dict[str, str]:
    """Return the query of GET clients/deliveryAddress: ``clientIds`` here, without the s of clients/clients."""
    return {"clientIds": ",".join(panel_client_ids)}


def add_record(write: AddressWrite) -> Json:
    """Return one record of POST; of empty fields only the required are sent. Raises Reject as :func:`written`."""
    lines = dict.fromkeys(_REQUIRED, "") | written(write.values, DELIVERY_ADDRESSES, creating=True)
    return {**_owner(write), **lines}


def update_record(write: AddressWrite) -> Json:
    """Return one record of PUT: its keys and the changed fields; an empty text clears a field."""
    return {**_owner(write), _ID: _number(write.panel_address_id), **_lines(write)}


def _lines(write: AddressWrite) -> Json:
    return written(write.values, DELIVERY_ADDRESSES, creating=False)


def delete_record(write: AddressWrite) -> Json:
    """Return one record of the deleting POST."""
    return {"clientLogin": write.login, _ID: _number(write.panel_address_id)}


def delete_body(records: Sequence[Json]) -> Json:
    """Return the body of POST clients/deliveryAddress/delete, which has no settings of mail."""
    return {"params": {"clients": list(records)}}


def _owner(write: AddressWrite) -> Json:
    """Name the client and, as the panel wants with every address, its shops; an empty list is never sent."""
    return {"clientLogin": write.login, **({"shopsIds": list(write.shops)} if write.shops else {})}


def _number(panel_address_id: str) -> int | str:
    number = whole(panel_address_id)
    return panel_address_id if number is None else number


# answers to reading


def addresses(shown: Sequence[Json], wanted: Collection[str], *, whole: bool = True) -> dict[str, list[Address] | None]:
    """Return the addresses of those wanted accounts whose list is certain, None of those that are not named.

    Left out is an account with an ``error``, which does not exist, and one whose list is missing or holds an entry
    without an id: an address that is not shown would count as deleted. ``whole`` False: the answer is of a call that
    failed in part, so that who is not named in it is left out too. Raises Halt for an account that was not asked for.
    """
    found: dict[str, dict[str, Address]] = {}
    named: set[str] = set()
    doubtful: set[str] = set()
    for each in shown:
        key = text(each.get("clientId"))
        of_client = _shown(each)
        named.add(key)
        if of_client is None or not key:
            doubtful.add(key)
        else:
            found.setdefault(key, {}).update({address.panel_address_id: address for address in of_client})
    if named - {"", *wanted}:
        raise faults.for_ignored_filter("clientIds")
    certain: dict[str, list[Address] | None] = {k: list(v.values()) for k, v in found.items() if k not in doubtful}
    unnamed = frozenset(wanted) - named if whole and "" not in named else ()
    return certain | dict.fromkeys(unnamed)


def _shown(client: Json) -> list[Address] | None:
    shown = client.get("clientDeliveryAddresses")
    if shown == {}:
        shown = []
    if fault_of(client.get("error")) or not isinstance(shown, list):
        return None
    if not all(isinstance(each, dict) and _named(each) for each in shown):
        return None
    return [Address(_named(each), _VALUES.read(each)) for each in shown]


# answers to writing


def added(body: Json, writes: Sequence[AddressWrite]) -> list[Outcome]:
    """Return what became of each new address, in the order of the request."""
    items = results(body)
    if len(items) != len(writes):
        return [Retry("missing_result") for _ in writes]
    told = Counter(map(_echoed, items))
    return [_added(item, told, write) for item, write in zip(items, writes, strict=True)]


def _added(item: Any, told: Mapping[str, int], write: AddressWrite) -> Outcome:
    outcome = _outcome(item, add_record(write))
    if not isinstance(outcome, Done):
        return outcome
    key = _echoed(item)
    return Done(item_id=key) if key and told[key] == 1 else Retry("missing_result")


def changed(body: Json, writes: Sequence[AddressWrite]) -> list[Outcome]:
    """Return what became of each address that was to be changed or deleted, in the order of the request.

    Their results name the address, at least where all went well. Where one names another address than its position
    says, or some are missing, only results that name their address count.
    """
    items = results(body)
    matched = _by_place(items, writes) or _by_id(items, writes)
    return [
        _outcome(matched[n], _lines(write)) if n in matched else Retry("missing_result")
        for n, write in enumerate(writes)
    ]


def _by_place(items: Sequence[Any], writes: Sequence[AddressWrite]) -> dict[int, Any]:
    if len(items) != len(writes):
        return {}
    agree = (_echoed(item) in ("", write.panel_address_id) for item, write in zip(items, writes, strict=True))
    return dict(enumerate(items)) if all(agree) else {}


def _by_id(items: Sequence[Any], writes: Sequence[AddressWrite]) -> dict[int, Any]:
    told = Counter(map(_echoed, items))
    named = {_echoed(item): item for item in items}
    ids = [write.panel_address_id for write in writes]
    return {n: named[key] for n, key in enumerate(ids) if key and told[key] == 1}


def _outcome(item: Any, sent: Json) -> Outcome:
    """Return what one result says of the record ``sent``; nothing, where it has no verdict and names no address."""
    if not isinstance(item, dict) or not (_echoed(item) or any(name in item for name in _VERDICTS)):
        return Retry("missing_result")
    failed = faults_of(item)
    return faults.for_address(failed, sent=sent) if failed else Done()


def _echoed(item: Any) -> str:
    """Return the id that a result echoes, in the object inside it or on itself; empty where there is none."""
    if not isinstance(item, dict):
        return ""
    inner = item.get("clientDeliveryAddressResult")
    return (_named(inner) if isinstance(inner, dict) else "") or _named(item)


def _named(shown: Json) -> str:
    key = text(shown.get(_ID))
    return "" if key == "0" else key
