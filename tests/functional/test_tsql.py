"""Every statement that SQL Server can be sent is read by two parsers that know nothing of each other.

The suites of the exchange database run once more, in a process of their own, with statements for SQL Server that SQLite
carries out (``tests/tsql.py``). What they issued is judged here, and that no line of the adapter was passed by.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa
import sqlglot
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp

from kartoteka.adapters import sql as adapter
from kartoteka.adapters.sql.dialect import DIALECTS
from kartoteka.adapters.sql.dialect.mssql import trigger
from kartoteka.adapters.sql.tables import ERP, all_tables
from kartoteka.adapters.sql.upgrade import ddl

ROOT = Path(__file__).parents[2]
SUITES = (
    *sorted(map(str, (ROOT / "tests" / "contract").glob("test_exchange_*.py"))),
    "tests/functional/test_forgotten_sql.py",
)

RUN = frozenset({"execute", "scalar", "scalars", "exec_driver_sql", "by_ids", "for_ids", "_each", "number", "rows"})
"""Calls that lead to a statement."""
OTHERS = frozenset({"sqlite", "postgresql", "mysql"})
"""Dialects of other engines."""

ONE_PARSER = (
    "SAVE TRANSACTION",
    "ROLLBACK TRANSACTION",
    "SET ",
    "IF @@TRANCOUNT",
    "IF OBJECT_ID",
    "IF NOT EXISTS",
    "DECLARE @got",
)
"""How the statements begin that sqlglot does not read: no tables, rows or values are in them, or CREATE is."""

OF_2016 = {
    *("CAST", "COALESCE", "COUNT", "DATEPART", "LEFT", "LOWER", "LTRIM", "MAX", "MIN", "REPLACE", "RTRIM", "SUM"),
    *("DATABASEPROPERTYEX", "DB_ID", "DB_NAME", "HAS_PERMS_BY_NAME", "OBJECT_ID", "ORIGINAL_LOGIN", "SCHEMA_NAME"),
    *("SERVERPROPERTY", "SYSUTCDATETIME", "XACT_STATE", "OPENJSON", "EXEC", "UPDATE"),
    *("DATETIME2", "NUMERIC", "NVARCHAR"),
}
"""Functions and types that SQL Server 2016 has; TRIM, STRING_AGG and CONCAT_WS came later."""

STRANGE = re.compile(r"\b(LIMIT|RETURNING|ILIKE|OUTPUT|TRUE|FALSE|BOOLEAN|NULLS (FIRST|LAST)|DISTINCT FROM)\b|\|\||::")
"""Words of other engines; and OUTPUT, which is refused on a table with triggers."""


class Recorded(NamedTuple):
    """What was issued."""

    statements: list[str]
    places: set[tuple[str, int]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Run the suites on T-SQL, each test once, and return what they issued."""
    file = tmp_path_factory.mktemp("tsql") / "seen.json"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *SUITES]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ended = subprocess.run(
        command, cwd=ROOT, env={**kept, "KARTOTEKA_TSQL": str(file)}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout[-4000:]
    seen = json.loads(file.read_text(encoding="utf-8"))
    numbered = re.compile(r"(?<=sa_savepoint_)\d+")
    statements = sorted({numbered.sub("1", each) for each in seen["statements"]})
    return Recorded(statements, {(name, line) for name, line in seen["places"]})


def triggers() -> list[str]:
    return [create for watched in ERP.watched for create in trigger(watched).values()]


def batches() -> list[str]:
    return [batch.strip().removesuffix(";") for batch in ddl("mssql").split("\nGO\n") if batch.strip()]


def refused_by_sqlfluff(statements: list[str]) -> list[str]:
    strict = Linter(config=FluffConfig(overrides={"dialect": "tsql"}))
    return [f"{each}: {text}" for text in statements for each in strict.parse_string(text).violations]


def refused_by_sqlglot(statements: list[str]) -> list[str]:
    """A tree that is a mere ``Command`` was not read."""
    found = []
    for text in statements:
        try:
            found += [text for tree in sqlglot.parse(text, dialect="tsql") if isinstance(tree, exp.Command)]
        except sqlglot.errors.ParseError as error:
            found.append(f"{error}: {text}")
    return found


def called(text: str) -> set[str]:
    return {name.upper() for name in re.findall(r"\b([A-Za-z_0-9]+)\(", re.sub(r"'[^']*'", "''", text))}


def test_two_parsers_read_every_statement(recorded: Recorded) -> None:
    assert len(recorded.statements) > 300
    assert refused_by_sqlfluff(recorded.statements) == []
    read = [re.sub(r"^ALTER VIEW \w+ AS ", "", text) for text in recorded.statements]
    assert refused_by_sqlglot([text for text in read if not text.startswith(ONE_PARSER)]) == []


def test_two_parsers_read_what_makes_the_tables_and_the_triggers() -> None:
    made = [
        re.sub(r"^IF .*?(?= CREATE )", "", batch, count=1).strip() for batch in batches() if " CREATE TABLE" in batch
    ]
    assert len(made) == len(all_tables(ERP))
    assert refused_by_sqlfluff([*batches(), *triggers()]) == []
    assert refused_by_sqlglot([*made, *(part for create in triggers() for part in statements_of(create))]) == []


def statements_of(create: str) -> Iterator[str]:
    """Yield the statements in a trigger that read or write rows."""
    body = create.partition("BEGIN\n")[2].rpartition("\nEND")[0]
    yield from (part.strip() for part in body.split(";\n") if part.strip().startswith(("INSERT", "UPDATE")))


def test_what_came_after_2016_or_is_another_engines_is_not_used(recorded: Recorded) -> None:
    every = [*recorded.statements, *batches(), *triggers()]
    tables = {table.name.upper() for table in all_tables(ERP)}
    assert {name for text in every for name in called(text)} - OF_2016 - tables <= {
        "AND",
        "IN",
        "EXISTS",
        "ON",
        "VALUES",
    }
    bare = [re.sub(r"N?'[^']*'", "''", text) for text in every]
    assert [text for text in bare if STRANGE.search(text)] == []


def test_text_is_unicode_and_a_moment_has_its_microseconds(recorded: Recorded) -> None:
    for text in [*recorded.statements, *batches(), *triggers()]:
        assert not re.search(r"\b(VARCHAR|CHAR|TEXT|NTEXT|DATETIME|SMALLDATETIME|TIMESTAMP)\b", text), text
        assert [each for each in re.findall(r"(?<!N)'[^']*'", text) if not each.isascii()] == [], text


def test_no_statement_of_the_adapter_was_passed_by(recorded: Recorded) -> None:
    missed = []
    root = Path(str(adapter.__file__)).parent
    for file in sorted(root.rglob("*.py")):
        if file.stem in OTHERS:
            continue
        name = file.relative_to(root).as_posix()
        missed += [
            f"{name}:{call.lineno} {ast.unparse(call)}"
            for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(call, ast.Call) and _runs(call)
            if recorded.places.isdisjoint((name, n) for n in range(call.lineno, (call.end_lineno or 0) + 1))
        ]
    assert missed == []


def _runs(call: ast.Call) -> bool:
    of = call.func
    return (of.attr if isinstance(of, ast.Attribute) else getattr(of, "id", "")) in RUN


def test_a_page_has_an_order_and_a_limit_is_one_of_tsql(recorded: Recorded) -> None:
    paged = [text for text in recorded.statements if "FETCH" in text or " TOP " in text]
    assert len(paged) > 20
    for text in paged:
        assert text.count("FETCH") == len(
            re.findall(r"ORDER BY (?:(?!SELECT).)*?OFFSET .*? ROWS\s+FETCH", text, re.DOTALL)
        ), text


def test_texts_of_two_collations_are_never_compared(recorded: Recorded) -> None:
    """What is unfolded out of JSON has the database's collation, and a column of ours another one."""
    for text in recorded.statements:
        matched = " ".join(re.findall(r" ON (.*?) WHEN MATCHED", text, re.DOTALL))
        bare = re.findall(r"(?:= wanted\.k\d+|IN \(SELECT wanted\.value)\b(?! COLLATE)", text)
        bare += re.findall(r"= offered\.\[?\w+\]?(?! COLLATE)(?= AND|$)", matched)
        assert bare == [], text


def test_keys_fit_into_an_index() -> None:
    """900 bytes in a primary key, 1,700 in another index. Of a client's code and a group's one is always empty."""
    for table in all_tables(ERP):
        for limit, columns in ((900, list(table.primary_key)), *((1700, list(i.columns)) for i in table.indexes)):
            either = {"client_id", "group_id"} <= {column.name for column in columns}
            sizes = [
                2 * getattr(column.type, "length", 8) if isinstance(column.type, sa.String) else 8 for column in columns
            ]
            assert sum(sizes) - (510 if either else 0) <= limit, (table.name, [column.name for column in columns])


def test_codes_are_compared_to_the_letter_in_every_table() -> None:
    made = " ".join(DIALECTS["mssql"].definition(table)[-1 - len(table.indexes)] for table in all_tables(ERP))
    codes = re.findall(
        r"(\w*_id|\bid|code_key|external_code|digest) NVARCHAR\(\d+\)( COLLATE Latin1_General_100_BIN2)?", made
    )
    assert len(codes) > 30
    assert [name for name, exactly in codes if not exactly] == []


def test_the_examples_for_an_erp_are_read_too() -> None:
    page = (ROOT / "docs" / "exchange-database.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```sql(?: mssql)?\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(examples) > 5
    assert refused_by_sqlfluff([each.replace("BEGIN;", "BEGIN TRANSACTION;") for each in examples]) == []
