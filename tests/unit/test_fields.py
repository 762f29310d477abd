"""The table of fields: what it promises of its codecs, and that no other module names a field.

That its names are those of the panel's API is shown in ``tests/contract/test_panel_names.py``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kartoteka.errors import Reject
from kartoteka.fields import table
from kartoteka.fields.table import BILLING, CONCERNS, CREDIT, Column, Field, Shown
from kartoteka.model import Direction, Value

ROOT = Path(__file__).parents[2]
FIELDS = {name for rows in CONCERNS.values() for name in rows.fields}
EVERY_FIELD = [field for rows in CONCERNS.values() for field in rows.fields.values()]


# --- what the table says


def test_a_field_that_cannot_be_read_back_stands_with_what_was_sent() -> None:
    assert {field.name for field in EVERY_FIELD if not field.read} == {
        "vat_eu",
        "local_government",
        "active",
        "payment_days",
    }


def test_no_value_that_the_panel_shows_in_other_words_travels_back_by_default() -> None:
    opaque = {field.name: field for field in EVERY_FIELD if field.shown is not Shown.AS_WRITTEN}
    assert opaque.keys() == {"province", "balance"}
    assert all(field.direction is Direction.ERP_TO_PANEL and field.read for field in opaque.values())


def test_fields_of_one_group_stand_in_one_concern_and_are_several() -> None:
    groups = {concern: {field.group for field in rows.fields.values()} - {""} for concern, rows in CONCERNS.items()}
    assert groups == {
        "accounts": set(),
        "billing": {"place", "who"},
        "delivery_addresses": {"place"},
        "shops": set(),
        "discounts": set(),
        "credit": {"figures"},
    }
    members = [name for name, field in BILLING.items() if field.group == "place"]
    assert members == ["street", "zip_code", "city", "province", "country_code"]
    assert [name for name, field in BILLING.items() if field.group == "who"] == ["client_type", "company"]
    assert [name for name, field in CREDIT.items() if field.group == "figures"] == ["credit_limit", "balance"]


def test_what_is_only_watched_is_read_and_never_written() -> None:
    watched = [field for field in EVERY_FIELD if field.watched]
    assert [field.name for field in watched] == ["currency"]
    assert all(field.read and not field.update and not field.create for field in watched)


def test_every_field_of_a_concern_is_a_column_that_it_reads() -> None:
    for concern, rows in CONCERNS.items():
        own = {name for name, field in rows.fields.items() if field.kind.column is not Column.NONE}
        assert rows.items or own <= set(rows.columns), concern  # an item's columns are its fields


@pytest.mark.parametrize(
    "names",
    [
        {table.LOGIN},
        {table.ACTIVE, table.EMAIL_FIELD, table.TAX_NUMBER_FIELD, table.PHONE_FIELD, table.COUNTRY_FIELD},
        {table.CURRENCY_FIELD, table.TYPE_FIELD, table.COMPANY_FIELD, table.SHOPS_FIELD, table.GROUP_FIELD},
        {table.LIMIT, table.BALANCE, *table.PERSON_FIELDS, *table.PLACE, *table.TELLS_SHOP},
        {*table.REQUIRED_ON_CREATE, *table.REQUIRABLE, *table.REQUIRED_OF_ADDRESS},
        set(table.FAULTS.values()),
        set(table.LOGIN_PLACEHOLDERS) - {"id"},
    ],
)
def test_every_name_that_the_table_hands_out_is_one_of_its_fields(names: set[str]) -> None:
    assert names <= FIELDS | {table.LOGIN}


# --- codecs


@pytest.mark.parametrize(
    ("name", "value", "written", "shown"),
    [
        ("wholesaler", True, True, "yes"),
        ("wholesaler", False, False, "n"),
        ("wholesaler", None, None, ""),
        ("vat_eu", True, "yes", "y"),
        ("vat_eu", False, "no", "no"),
        ("vat_eu", None, None, None),
        ("client_type", "person", "person", "private"),
        ("client_type", "person_male", "person_male", "male"),
        ("client_type", "Person_Female ", "person_female", "female"),
        ("client_type", "firm", "firm", "firm"),
        ("country_code", "pl", "PL", "pl"),
        ("language", "POL", "pol", "pol"),
        ("currency", "eur", "EUR", "EUR"),
        ("email", " Jan@Firma.pl", "Jan@Firma.pl", "jan@firma.pl"),
        ("street", "Długa 5", "Długa 5", "Długa 5"),
        ("street", None, "", []),
        ("shops", (1, 2), [1, 2], [{"shopId": 2}, {"shopId": 1}, {"name": "?"}]),
        ("shops", (3,), [3], [3, "3"]),
        ("shops", (), [], []),
        ("discount_group_id", "", 0, 0),
        ("discount_group_id", "7", 7, "7"),
        ("payment_days", "014", 14, "14"),
        ("payment_days", "", None, None),
    ],
)
def test_a_value_in_the_panels_words_and_back(name: str, value: Value, written: Any, shown: Any) -> None:
    field = next(field for field in EVERY_FIELD if field.name == name and not field.watched)
    assert field.codec.to_panel(value) == written
    back = field.codec.from_panel(shown)
    assert field.normalise(back, {}) == field.normalise(value, {})


@pytest.mark.parametrize("text", ["0", "12.3", "-0.005", "1e3", "12.345"])
def test_an_amount_in_the_panels_words_and_back(text: str) -> None:
    field = CREDIT["credit_limit"]
    sent = field.codec.to_panel(text)
    assert field.normalise(field.codec.from_panel(sent), {}) == field.normalise(text, {}) == f"{sent:.2f}"


@pytest.mark.parametrize("field", EVERY_FIELD, ids=lambda field: field.name)
def test_what_is_not_shown_is_empty(field: Field) -> None:
    for nothing in (None, "", []):
        assert field.normalise(field.codec.from_panel(nothing), {}) == ""


@pytest.mark.parametrize("field", EVERY_FIELD, ids=lambda field: field.name)
def test_no_empty_value_is_refused(field: Field) -> None:
    for nothing in (None, ""):
        field.codec.to_panel(nothing)


@pytest.mark.fault(62)
@pytest.mark.parametrize("field", EVERY_FIELD, ids=lambda field: field.name)
def test_what_cannot_be_printed_is_refused_in_every_text(field: Field) -> None:
    if field.kind.column in (Column.TEXT, Column.FIXED):
        with pytest.raises(Reject):
            field.codec.to_panel("a\x00b")


# --- no other module names a field

NOT_OF_A_FIELD: Mapping[str, tuple[tuple[str, ...], str]] = {
    "shops": (
        ("shared/", "functions/shops/"),
        "also the name of a concern, and of what a policy's rule and a call of the panel's hold",
    ),
    "currency": (
        (
            "shared/kartoteka/ports/exchange.py",
            "shared/kartoteka/concerns/discounts/prices.py",
            "shared/kartoteka/adapters/idosell/groups.py",
        ),
        "an attribute of a price (GroupItem, SentPrice), which is no field of a client",
    ),
    "language": (
        ("cli/show.py", "cli/status.py", "cli/held.py", "cli/undo.py", "cli/forget.py"),
        "the language in which a command answers",
    ),
    "email": (("shared/kartoteka/fields/normal.py",), "a normaliser is named by the kind of value that it takes"),
    "phone": (("shared/kartoteka/fields/normal.py",), "a normaliser is named by the kind of value that it takes"),
}
"""Names that are words of English or of another thing's: where they may stand, and why."""

DICTIONARY = "shared/kartoteka/doctor/recognise.py"
"""What strangers call the columns: words of their databases on the one side, ours on the other."""


def names_in(path: Path) -> Iterator[tuple[int, str]]:
    """Yield every identifier and every string literal of a module, with its line; modules that it imports are none."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.keyword(arg=str(name)):
                yield node.value.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.ImportFrom(names=imported):
                for alias in imported:
                    yield node.lineno, alias.asname or alias.name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield node.lineno, name
            case ast.Constant(value=str(text)):
                yield node.lineno, text


def modules(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(found) > 5
    return found


def test_no_field_is_named_outside_the_table() -> None:
    homes = (ROOT / "shared/kartoteka/fields/table.py", ROOT / DICTIONARY)
    strangers = []
    for path in modules("shared/kartoteka", "functions", "cli"):
        where = path.relative_to(ROOT).as_posix()
        for line, name in names_in(path):
            if name in FIELDS and path not in homes and not where.startswith(NOT_OF_A_FIELD.get(name, ((), ""))[0]):
                strangers.append(f"{where}:{line}: {name}")
    assert strangers == []


def test_every_exception_is_needed() -> None:
    used = {name: set[str]() for name in NOT_OF_A_FIELD}
    for path in modules("shared/kartoteka", "functions", "cli"):
        for _, name in names_in(path):
            if name in used:
                used[name].add(path.relative_to(ROOT).as_posix())
    for name, (places, _) in NOT_OF_A_FIELD.items():
        for place in places:
            assert any(where.startswith(place) for where in used[name]), (name, place)


def test_the_mechanism_names_no_concern() -> None:
    """``accounts`` are also the panel's records, so that word may stand for them, but in no literal."""
    constants = {"ACCOUNTS", "BILLING", "DELIVERY_ADDRESSES", "SHOPS", "DISCOUNTS", "CREDIT"}
    strangers = []
    for path in modules("shared/kartoteka/sync"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        literals = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        named = {name for _, name in names_in(path) if name != "accounts"} | (literals & CONCERNS.keys())
        strangers += [f"{path.name}: {name}" for name in named & (CONCERNS.keys() | constants)]
        strangers += [f"{path.name}: {name}" for name in imported if name and "concerns" in name]
    assert strangers == []
