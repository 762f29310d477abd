"""What is made from other files: fields, codes, faults, the policy's JSON Schema, the tables' SQL, Polish words.

``python -m cli.docs`` writes them; a test fails while they are out of date.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import polib

from cli import codes_page, faults_page
from cli.exits import MEANINGS
from kartoteka.adapters.sql.dialect import DIALECTS
from kartoteka.adapters.sql.upgrade import ddl
from kartoteka.fields.table import CONCERNS, Column, Field, Rows, Shown
from kartoteka.model import Empty
from kartoteka.policy import Policy, Rule, json_schema, rules

DOCS = Path(__file__).parent.parent / "docs"
CATALOGUE = Path(__file__).parent / "locale/pl/LC_MESSAGES/messages.po"

HEAD = """# Fields

Made from the table of fields (`shared/kartoteka/fields/table.py`) by `python -m cli.docs`. Do not edit here.

*Column* is the type in the exchange database, with the number of characters. *Read*, *created* and *updated* are the
names of the panel's Admin API v8 (GET, POST and PUT of the named gate). *Compared as* is the form in which two values
are equal; what is sent is always the value as it was written. The direction and what an empty value does are the
defaults; the policy may set others for the concern, and for a field of billing and of delivery addresses. *Since* is
the Admin API that first had the field; an older panel refuses it, and the rest of the record is sent without it.

*Shown* says how the panel shows what was written into a field:
"""

EXIT_CODES = """# Exit codes

Made from `cli/exits.py` by `python -m cli.docs`. Do not edit here. From 64 on they are those of `sysexits.h`, where it
has one. With `--json` the document is printed before a command ends with 3; an error is a sentence on standard error.

| code | means | ends so |
| --- | --- | --- |"""
GATE, ITEMS_GATE = "clients/clients", "clients/deliveryAddress"
COLUMNS = ("field", "column", "read", "created", "updated", "compared as", "direction", "empty", "shown", "since")
WRITE_ONLY = (
    "The last value sent stands for one that is not shown ([0014](decisions/0014-write-only-fields.md)); `kartoteka "
    "status` tells of how many records.\n"
)
UNSURE = (
    "`{}`: it is not known whether the panel shows there what was written. What it shows first after a write is noted "
    "as its form; another figure later is drift: [0020](decisions/0020-credit-figures.md).\n"
)
WATCHED = "`{}` is read on both sides for a check and never written here.\n"
GROUPS = """## discount groups

Tables `discount_groups` and `discount_group_items`; the panel's gates are `discounts/groups` and, for prices,
`discounts/groups/products`. A group is an owner of records like a client, and its prices are its items; the direction
is that of `discounts`.

| what | read | created, updated | compared as |
| --- | --- | --- | --- |
| `name` of a group | `groupName` | `discountGroupName` | text |
| `price`, or what the rebate leaves of `base_price` | not shown | `price` | amount |
| `currency` | not shown | `currency` | caseless |

The last price sent stands for the panel's: [0018](decisions/0018-prices-are-write-only.md).
"""


def pages() -> Mapping[str, str]:
    """Return each made page by its name in ``docs/``."""
    shown = [f"- *{_words(each.name)}*: {each.value}" for each in Shown if each is not Shown.AS_WRITTEN]
    concerns = (line for name, rows in CONCERNS.items() for line in _concern(name, rows))
    return {
        "codes.md": codes_page.markdown(),
        "exit-codes.md": "\n".join([EXIT_CODES, *(f"| {n} | {what} | {who} |" for n, (what, who) in MEANINGS.items())])
        + "\n",
        "faults.md": faults_page.markdown(),
        "fields.md": "\n".join([HEAD, *shown, "", *concerns, GROUPS]),
        "policy.schema.json": json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n",
        **{f"schema/{name}.sql": ddl(name) for name in DIALECTS},
    }


def _concern(name: str, rows: Rows) -> Iterator[str]:
    yield f"## {name}\n"
    table = f"`{rows.items}`, a row for each record" if rows.items else f"`{rows.table}`"
    yield f"Table {table}; the panel's gate is `{ITEMS_GATE if rows.items else GATE}`.\n"
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"| {' | '.join(['---'] * len(COLUMNS))} |"
    found = rules(Policy(), name, rows.fields)
    for field in rows.fields.values():
        yield f"| {' | '.join(_cells(field, found.get(field.name)))} |"
    yield ""
    if not all(field.read for field in rows.fields.values()):
        yield WRITE_ONLY
    for field in rows.fields.values():
        if field.shown is Shown.AS_ANOTHER_FIGURE:
            yield UNSURE.format(field.name)
        if field.watched:
            yield WATCHED.format(field.name)
        if field.note:
            yield f"`{field.name}` {field.note}.\n"


def _cells(field: Field, rule: Rule | None) -> Iterator[str]:
    """Yield what the page says of a field; ``rule`` None: it is never written."""
    yield f"`{field.name}`"
    yield _type(field)
    yield f"`{field.read}`" if field.read else "not shown"
    for path in (field.create, field.update):
        yield f"`{path}`" if path else "not taken"
    yield _words(field.kind.normalise.__name__)
    yield str(rule.direction) if rule else "never written"
    yield "" if rule is None else "erases" if rule.empty is Empty.ERASE else "keeps"
    yield _words(field.shown.name) if field.read else ""
    yield field.since


def _type(field: Field) -> str:
    sized = field.kind.column in (Column.TEXT, Column.FIXED)
    return f"{field.kind.column.value}({field.length})" if sized else field.kind.column.value


def _words(name: str) -> str:
    return name.replace("_", " ").lower()


def main() -> None:
    """Write the made pages, and compile what click says in Polish."""
    (DOCS / "schema").mkdir(exist_ok=True)
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
    CATALOGUE.with_suffix(".mo").write_bytes(polib.pofile(str(CATALOGUE)).to_binary())


if __name__ == "__main__":
    main()
