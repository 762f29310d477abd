"""Values and sources that are made to keep us busy, or to run what nobody wrote: regular expressions, parsers, eval."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import kartoteka
from kartoteka.desk import remedies
from kartoteka.errors import Reject
from kartoteka.fields.table import CONCERNS, CREDIT_COLUMNS, GROUP_FIELDS, ITEM_COLUMNS, Field
from kartoteka.model import Side
from kartoteka.sync.merge import check

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("shared", "functions", "cli", "local") for path in (ROOT / folder).rglob("*.py")]
MANY = 20_000
"""Letters of a hostile text: what goes up with their square takes minutes, what goes up with them milliseconds."""
MOST_SECONDS = 1.0

TABLES = [*(rows.fields for rows in CONCERNS.values()), CREDIT_COLUMNS, ITEM_COLUMNS, GROUP_FIELDS]
KINDS = {id(field.kind): field for fields in TABLES for field in fields.values()}
HOSTILE = {
    "digits": "1" * MANY + "x",
    "more digits than a number has": "9" * MANY,
    "an exponent": "1e" + "9" * MANY,
    "dots": "a@" + "a." * MANY + "@",
    "ats": "@" * MANY,
    "words of a tax number": "NIP" * MANY + "1x",
    "prefixes": "PL" * MANY + "1",
    "blanks": " " * MANY + "x",
    "marks": "\u0301" * MANY,
    "letters that nobody sees": "\u200b" * MANY + "1",
    "entities": "&amp;" * MANY,
    "brackets": "[" * MANY,
    "signs": "+" * MANY + "1",
}


def seconds(act: Callable[[], object]) -> float:
    began = time.process_time()
    with suppress(Reject):
        act()
    return time.process_time() - began


@pytest.mark.fault(87, 66)
@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_value_keeps_a_field_busy_or_breaks_it(hostile: str) -> None:
    ways: list[Callable[[Field], object]] = [
        lambda field: field.normalise(hostile, {"country_code": "PL"}),
        lambda field: field.codec.to_panel(hostile),
        lambda field: field.codec.from_panel(hostile),
        lambda field: field.codec.from_panel([hostile]),
        lambda field: check(field, Side.PANEL, hostile),
        lambda field: check(field, Side.ERP, hostile),
    ]
    for field in KINDS.values():
        for number, way in enumerate(ways):
            assert seconds(partial(way, field)) < MOST_SECONDS, (field.name, number)


@pytest.mark.fault(87)
def test_no_message_keeps_a_page_busy() -> None:
    for message in ("' in clients (" * 150, "a: b (c) '" * 200, "(" * 2_000, "," * 2_000):
        for code in ("bad_vat", "refused", "too_long", "other_currency", "bad_date", "ambiguous", "incomplete"):
            for language in ("pl", "en"):
                assert seconds(partial(remedies.on_page, code, message, language)) < MOST_SECONDS


def modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(kartoteka.__path__, "kartoteka."):
        yield importlib.import_module(found.name)


def patterns() -> dict[str, str]:
    """Return the regular expressions of the product: those that stand in modules, and those that a call spells out."""
    compiled = {
        value.pattern: module.__name__
        for module in modules()
        for value in vars(module).values()
        if isinstance(value, re.Pattern)
    }
    for path in (ROOT / "shared").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    compiled.setdefault(first.value, str(path.relative_to(ROOT)))
    return compiled


def deepest(parsed: Any) -> int:
    """Return how many repetitions without an end stand within each other."""
    deep = 0
    for operation, argument in parsed:
        inner = 0
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, most, body = argument
            inner = deepest(body) + (most == re._constants.MAXREPEAT)  # type: ignore[attr-defined]
        elif name == "SUBPATTERN":
            inner = deepest(argument[3])
        elif name == "BRANCH":
            inner = max(map(deepest, argument[1]))
        elif name in ("ASSERT", "ASSERT_NOT"):
            inner = deepest(argument[1])
        deep = max(deep, inner)
    return deep


@pytest.mark.fault(87)
def test_no_regular_expression_has_a_repetition_in_a_repetition() -> None:
    found = patterns()
    assert len(found) > 15
    deep = {pattern: where for pattern, where in found.items() if deepest(re._parser.parse(pattern)) > 1}  # type: ignore[attr-defined]
    assert deep == {}
    assert deepest(re._parser.parse("(a+)+b")) == 2, "this test would see one"  # type: ignore[attr-defined]


RUNS = frozenset(["eval", "exec", "compile", "__import__"])
"""Builtin functions that run what a text says."""
UNPACKS = frozenset(
    ["pickle", "cPickle", "marshal", "shelve", "dill", "jsonpickle", "xml", "lxml", "xmlrpc", "telnetlib"]
)
"""Modules that make objects of bytes that come from elsewhere, or read XML with all that it may refer to."""


def dangers(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names if each.name.partition(".")[0] in UNPACKS)
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in UNPACKS:
                yield module
            case ast.Call(func=ast.Name(id=name)) if name in RUNS:
                yield name
            case ast.Call(func=ast.Attribute(value=ast.Name(id="yaml"), attr=name)) if not name.startswith("safe_"):
                yield f"yaml.{name}"
            case ast.keyword(arg="shell", value=ast.Constant(value=True)):
                yield "shell=True"
            case ast.keyword(arg="verify", value=ast.Constant(value=False)):
                yield "verify=False"


@pytest.mark.fault(80, 77)
def test_nothing_runs_or_unpacks_what_comes_from_elsewhere() -> None:
    assert len(SOURCES) > 200
    found = {str(path.relative_to(ROOT)): list(dangers(path.read_text(encoding="utf-8"))) for path in SOURCES}
    assert {path: names for path, names in found.items() if names} == {}
    seen = list(
        dangers("import pickle\nfrom xml.etree import ElementTree\neval(x)\nyaml.load(x)\nget(x, verify=False)")
    )
    assert seen == ["pickle", "xml.etree", "eval", "yaml.load", "verify=False"]
