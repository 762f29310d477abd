"""The pages that are made from the code: the table of fields, and the policy's JSON Schema.

``python -m cli.docs`` writes them; a test fails while they are out of date.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from kartoteka.core.concerns import CONCERNS, Concern
from kartoteka.model import Empty
from kartoteka.policy import Policy, json_schema, rules

DOCS = Path(__file__).parent.parent / "docs"

HEAD = """# Fields

Made from the table of concerns (`shared/kartoteka/core/concerns.py`) by `python -m cli.docs`. Do not edit here.

*Read*, *created* and *updated* are the names of the panel's Admin API v8 (GET, POST and PUT of the named gate).
*Compared as* is the form in which two values are equal; what is sent is always the value as it was written.
The direction is the default one; the policy may set another for the concern, and for a field of billing.
"""

GATE, ITEMS_GATE = "clients/clients", "clients/deliveryAddress"
NOTES = {
    "shops": "is no column: it stands for the customer's rows of `client_shops`, else the policy's rule, else its "
    "default shops",
    "discount_group_id": "is the ERP's id in the exchange database, and the panel's number of that group in the panel",
    "credit_limit": "is 0 where `credit_allowed` is false, and where stale figures count as none",
}
"""Fields whose value is not simply what stands in their column -> what it is."""
WRITE_ONLY = "The last value sent stands for one that is not shown: [0014](decisions/0014-write-only-fields.md).\n"
UNSURE = (
    "`{}`: it is not known whether the panel shows there what was written. What it shows counts once something was "
    "sent, and after three corrections in vain it is believed to be another figure: "
    "[0020](decisions/0020-credit-figures.md).\n"
)
GROUPS = """## discount groups

Tables `discount_groups` and `discount_group_items`; the panel's gates are `discounts/groups` and, for prices,
`discounts/groups/products`. They are records of their own and no fields of a customer; the direction is that of
`discounts`.

| what | read | created, updated | compared as |
| --- | --- | --- | --- |
| `name` of a group | `groupName` | `discountGroupName` | text |
| `price`, or what the rebate leaves of `base_price` | not shown | `price` | amount |
| `currency` | not shown | `currency` | caseless |

The last price sent stands for the panel's: [0018](decisions/0018-prices-are-write-only.md).
"""


def pages() -> Mapping[str, str]:
    """Return each made page by its name in ``docs/``."""
    return {
        "fields.md": "\n".join([HEAD, *(line for each in CONCERNS.values() for line in _concern(each)), GROUPS]),
        "policy.schema.json": json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n",
    }


def _concern(concern: Concern) -> Iterator[str]:
    yield f"## {concern.name}\n"
    rows = f"`{concern.table}`, a row for each record" if concern.items else f"`{concern.table}`"
    yield f"Table {rows}; the panel's gate is `{ITEMS_GATE if concern.items else GATE}`.\n"
    yield "| field | read | created | updated | characters | compared as | direction | empty |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    found = rules(Policy(), concern)
    for name, field in concern.fields.items():
        read = f"`{field.read}`" if field.read else "not shown"
        create, update = (f"`{path}`" if path else "not taken" for path in (field.create, field.update))
        erases = "erases" if found[name].empty is Empty.ERASE else "keeps"
        yield (
            f"| `{name}` | {read} | {create} | {update} | {field.max_length} "
            f"| {field.normalise.__name__.replace('_', ' ')} | {found[name].direction} | {erases} |"
        )
    yield ""
    if not all(field.read for field in concern.fields.values()):
        yield WRITE_ONLY
    yield from (UNSURE.format(name) for name, field in concern.fields.items() if field.unsure)
    yield from (f"`{name}` {NOTES[name]}.\n" for name in concern.fields if name in NOTES)


def main() -> None:
    """Write the made pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
