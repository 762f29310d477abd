"""What stands in a database's way has a sentence of its own, on each engine."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from kartoteka import codes
from kartoteka.adapters.sql.dialect import DIALECTS, causes
from kartoteka.adapters.sql.dialect.causes import SENTENCES, Cause
from kartoteka.errors import Halt, KartotekaError, Retry


def wrapped(original: Any) -> DBAPIError:
    return OperationalError("INSERT …", {}, original)


def sqlite_error(name: str) -> DBAPIError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = name
    return wrapped(error)


def diagnosed(engine: str, code: Any) -> KartotekaError | None:
    if engine == "sqlite":
        return DIALECTS[engine].diagnose(sqlite_error(code))
    if engine == "postgresql":
        return DIALECTS[engine].diagnose(wrapped(psycopg.errors.lookup(code)("x")))
    return DIALECTS[engine].diagnose(wrapped(Exception(code, "x")))


OF_ENGINES = {"sqlite": causes.SQLITE, "postgresql": causes.POSTGRESQL, "mysql": causes.MYSQL}
EVERY = [(engine, code, cause) for engine, table in OF_ENGINES.items() for code, cause in table.items()]
KNOWN = [each for each in EVERY if each[0] != "postgresql" or each[1] != "XX003"]


@pytest.mark.parametrize(("engine", "code", "cause"), KNOWN)
def test_each_code_of_each_engine_is_told_as_its_cause(engine: str, code: Any, cause: Cause) -> None:
    error = diagnosed(engine, code)
    assert isinstance(error, Halt if cause in SENTENCES else Retry)
    assert error.code == cause
    assert "rights" not in str(error), "it is no question of rights"


@pytest.mark.parametrize("engine", OF_ENGINES)
def test_every_engine_knows_every_cause(engine: str) -> None:
    words = set(causes.POSTGRESQL_WORDS.values()) if engine == "postgresql" else set()
    lacking = {Cause.CONNECTIONS, Cause.STARTING} if engine == "sqlite" else set()  # a file has neither
    assert {*OF_ENGINES[engine].values()} | words | lacking == {*Cause}
    assert {*causes.MSSQL.values()} == {*Cause}


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_its_texts(cause: Cause) -> None:
    told = codes.status(str(cause))
    assert told.message_pl
    assert told.message_en
    assert told.code == str(cause).partition(".")[0]
    assert (cause in SENTENCES) == codes.waits_for_a_setting(str(cause).partition(".")[0])


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("FATAL:  sorry, too many clients already", Cause.CONNECTIONS),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", Cause.CONNECTIONS),
        ('FATAL:  too many connections for role "erp"', Cause.CONNECTIONS),
        ("FATAL:  the database system is starting up", Cause.STARTING),
        ("FATAL:  the database system is shutting down", Cause.STARTING),
        ("FATAL:  the database system is in recovery mode", Cause.STARTING),
        ("FATAL:  the database system is not yet accepting connections", Cause.STARTING),
    ],
)
def test_a_connection_that_postgresql_refuses_says_why(words: str, cause: Cause) -> None:
    error = DIALECTS["postgresql"].diagnose(wrapped(psycopg.OperationalError(f"connection failed: {words}")))
    assert isinstance(error, Retry)
    assert error.code == cause


@pytest.mark.parametrize(
    ("engine", "code", "says"),
    [
        ("postgresql", "3D000", "no database of this name"),
        ("postgresql", "28P01", "the user or the password"),
        ("postgresql", "42501", "lacks a right"),
        ("postgresql", "42883", "another type"),
        ("mysql", 1049, "no database of this name"),
        ("mysql", 1045, "the user or the password"),
        ("mysql", 1142, "lacks a right"),
        ("mysql", 1130, "check its address, the user, the password"),
    ],
)
def test_what_is_wrong_with_the_way_in_has_a_sentence_each(engine: str, code: Any, says: str) -> None:
    error = diagnosed(engine, code)
    assert isinstance(error, Halt)
    assert says in str(error)
