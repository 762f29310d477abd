"""Amounts: exact to 0.01, half-up, never a float; what is none is refused by name."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kartoteka
from kartoteka.concerns.discounts import prices
from kartoteka.errors import Reject
from kartoteka.fields import codecs, money, normal
from kartoteka.fields.table import BALANCE, LIMIT
from kartoteka.model import Key, Record, Values
from kartoteka.policy import parse
from kartoteka.ports.exchange import GroupItem
from tests.world import START, World

SHARED = Path(inspect.getfile(kartoteka)).parent
CENTS = st.integers(-(10**12) + 1, 10**12 - 1)
OF_SECONDS = (
    *("adapters/aws/", "adapters/idosell/http.py", "adapters/idosell/faults.py", "ports/state.py", "errors.py"),
    "hook.py",
)
"""Modules that may speak of floats: they count seconds."""
OF_SHARES = ("policy.py", "sync/budget.py")
"""Those that may, since they hold a share and a rate."""
OF_DRAWING = ("desk/pages.py", "desk/texts.py")
"""Those that may, since they hold the lengths of a chart's bars, and the weights of a browser's languages."""
DOCTOR = "doctor/"
"""It measures seconds, and speaks of columns that others have made; it computes no amount."""
CREDIT = {sign: World(parse(f'{{"credit": {{"balance_sign": {sign}}}}}')).run().concerns["credit"] for sign in (1, -1)}


def half_up(exact: Fraction) -> Fraction:
    """Return a number rounded half-up to 0.01 by the book: another way than the code's."""
    cents = abs(exact) * 100
    whole = (2 * cents.numerator + cents.denominator) // (2 * cents.denominator)
    return Fraction(whole if exact >= 0 else -whole, 100)


@given(CENTS)
def test_an_amount_is_itself_to_the_cent(cents: int) -> None:
    text = f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"
    assert money.amount(text) * 100 == cents
    assert Decimal(money.canonical(text)) * 100 == cents
    assert codecs.MONEY.to_panel(text) == money.amount(text)
    assert codecs.MONEY.from_panel(text) == money.canonical(text) == normal.amount(text, "")


@given(st.integers(-(10**9), 10**9), st.integers(0, 8))
def test_more_places_are_rounded_half_up(digits: int, places: int) -> None:
    text = str(Decimal(digits).scaleb(-places))
    assert Fraction(money.amount(text)) == half_up(Fraction(digits, 10**places))


@given(st.integers(0, 10**12 - 1), st.integers(0, 10_000))
def test_a_rebate_is_exact_to_the_cent(cents: int, points: int) -> None:
    base, percent = Decimal(cents).scaleb(-2), Decimal(points).scaleb(-2)
    item = GroupItem("product", "1", rebate_percent=str(percent), base_price=str(base), currency="PLN")
    price = prices.wanted(item, START)
    assert price is not None
    assert price.price is not None
    assert Fraction(Decimal(price.price)) == half_up(Fraction(cents, 100) * (10_000 - points) / 10_000)


@given(st.lists(CENTS.filter(lambda n: abs(n) < 10**9), max_size=50))
def test_sums_are_exact(many: list[int]) -> None:
    assert sum(money.amount(str(Decimal(n).scaleb(-2))) for n in many) * 100 == sum(many)


@given(CENTS, st.sampled_from([1, -1]))
def test_the_sign_turns_and_nothing_else(cents: int, sign: int) -> None:
    row: Values = {BALANCE: str(Decimal(cents).scaleb(-2)), "credit_allowed": True, LIMIT: "1"}
    found = CREDIT[sign].by_policy(Record(Key("C-0", "", "credit"), erp=row)).erp
    assert found is not None
    assert Decimal(str(found[BALANCE])) * 100 == cents * sign
    assert not str(found[BALANCE]).startswith("-0.00")
    assert found[LIMIT] == "1.00"


@pytest.mark.fault(66)
@pytest.mark.parametrize(
    "text",
    ["NaN", "sNaN", "Infinity", "-inf", "12,50", "1 000", "1_000", "0x10", "١٢", "1e11", "1" * 39, "10000000000", "--1",
     "1.2.3", ".", "e5", "1e", "dwa", "1e99999", "9" * 65],
)  # fmt: skip
def test_what_is_no_amount_is_refused_and_differs_from_every_amount(text: str) -> None:
    with pytest.raises(Reject) as caught:
        money.amount(text)
    assert caught.value.code == "bad_amount"
    assert money.canonical(text) == text


@pytest.mark.parametrize(("text", "cents"), [("1e3", "1000.00"), ("+5", "5.00"), (".5", "0.50"), ("7.", "7.00"),
                                             (" 8 ", "8.00"), ("-0.001", "0.00"), ("1.0E+2", "100.00")])  # fmt: skip
def test_engines_and_people_write_amounts_in_many_ways(text: str, cents: str) -> None:
    assert money.canonical(text) == cents


@given(st.text(max_size=50))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        found = money.amount(text)
    except Reject:
        return
    assert found.is_finite()
    assert found == found.quantize(money.CENT)


@pytest.mark.parametrize("value", [True, False])
def test_a_truth_value_is_no_amount(value: bool) -> None:
    with pytest.raises(Reject):
        money.amount(value)


def _floats(source: str) -> Iterator[str]:
    """Yield what makes or names a float in a module, but for attributes that say they hold seconds."""
    tree, of_seconds = ast.parse(source), set[ast.AST]()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id.endswith("_seconds")
        ):
            of_seconds.update(ast.walk(node.annotation))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "float" and node not in of_seconds:
            yield f"float, line {node.lineno}"
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{node.value}, line {node.lineno}"
        if isinstance(node, ast.Attribute) and node.attr in ("Float", "REAL", "Double"):
            yield f"{node.attr}, line {node.lineno}"


def test_no_float_where_money_goes() -> None:
    modules = {path.relative_to(SHARED).as_posix(): path for path in sorted(SHARED.rglob("*.py"))}
    assert len(modules) > 40
    found = {name: list(_floats(path.read_text())) for name, path in modules.items()}
    where = {name: floats for name, floats in found.items() if floats}
    assert {
        name: some
        for name, some in where.items()
        if not name.startswith((*OF_SECONDS, *OF_SHARES, *OF_DRAWING, DOCTOR))
    } == {}
    assert where.keys() >= set(OF_SHARES)  # the search finds them
