"""A SQLite file that is put in place of another one is seen by functions that are warm."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.installation import COLUMNS, ROW, Context, Installation, event

Put = Callable[[Path, Path], Any]


def renew(source: Path, target: Path) -> None:
    target.unlink()
    shutil.copyfile(source, target)


WAYS: dict[str, Put] = {"moved": os.replace, "copied over": shutil.copyfile, "deleted and copied": renew}


@pytest.fixture(params=WAYS)
def put(request: pytest.FixtureRequest) -> Put:
    """Give each way of putting a file in another one's place."""
    return WAYS[request.param]


def path_of(installation: Installation) -> Path:
    return Path(str(installation.database.url.database))


def copy_of(installation: Installation, *statements: str) -> Path:
    """Return a copy of the whole database, in which these statements have run."""
    copy = path_of(installation).with_name("copy.db")
    source, target = sqlite3.connect(path_of(installation)), sqlite3.connect(copy)
    with contextlib.closing(source), contextlib.closing(target):
        source.backup(target)
        for statement in statements:
            target.execute(statement)
        target.commit()
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    installation.database.dispose()
    return copy


def streets(installation: Installation) -> list[str]:
    return sorted(account.street for account in installation.panel.accounts)


def test_at_rest_the_file_is_whole_and_nobody_has_it_open(installation: Installation) -> None:
    installation.insert("C-1")
    installation.tick()
    installation.database.dispose()
    assert sorted(found.name for found in path_of(installation).parent.glob("exchange.db*")) == ["exchange.db"]


def test_a_file_with_edits_is_read_by_warm_functions(installation: Installation, put: Put) -> None:
    installation.insert("C-1", "C-2")
    installation.tick()
    put(copy_of(installation, "UPDATE clients SET street = 'Krótka 7'"), path_of(installation))
    installation.tick()
    assert streets(installation) == ["Krótka 7", "Krótka 7"]


def test_a_file_with_new_clients_is_read_by_warm_functions(installation: Installation, put: Put) -> None:
    installation.insert("C-1")
    installation.tick()
    new = f"INSERT INTO clients ({COLUMNS}) VALUES {ROW.format('C-3', 'c-3', 'C-3')}"
    put(copy_of(installation, new), path_of(installation))
    installation.tick()
    assert sorted(account.external_code for account in installation.panel.accounts) == ["C-1", "C-3"]
    assert installation.sql("SELECT client_id FROM sync_links ORDER BY client_id") == [("C-1",), ("C-3",)]


def test_one_without_triggers_is_noticed_at_once(installation: Installation) -> None:
    installation.tick()
    os.replace(copy_of(installation, "DROP TRIGGER kartoteka_clients_update"), path_of(installation))
    answer = installation.handler("billing")(event("billing_schedule"), Context())
    assert answer["triggers_missing"] == ["clients"]


def test_an_empty_one_halts_and_goes_on_when_the_right_one_is_there(installation: Installation, put: Put) -> None:
    installation.insert("C-1")
    installation.tick()
    right = copy_of(installation, "UPDATE clients SET street = 'Krótka 7'")
    wrong = right.with_name("wrong.db")
    wrong.touch()
    put(wrong, path_of(installation))
    answer = installation.handler("billing")(event("billing_schedule"), Context())
    assert answer["halted"].startswith("no_schema")
    put(right, path_of(installation))
    installation.tick()
    assert streets(installation) == ["Krótka 7"]
