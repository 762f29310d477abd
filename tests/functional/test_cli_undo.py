"""`kartoteka undo`: what it prints, and what it takes."""

from __future__ import annotations

import pytest

from kartoteka.codes import IN_STEP
from kartoteka.model import Link
from tests.fixtures.cli import Command
from tests.fixtures.exchange import SqlBench
from tests.fixtures.records import AT, change, written


@pytest.fixture
def url(sqlite_bench: SqlBench) -> str:
    """Give a database in which a run has overwritten two cities, one of which was edited since, and a limit."""
    bench = sqlite_bench
    save = bench.exchange.records.save
    for client_id, city in (("C-1", "Radom"), ("C-2", "Gdynia")):
        bench.erp.insert_client(client_id, city=city)
        link = Link(client_id, f"7{client_id}", client_id, "created")
        save([change(client_id, "accounts", status=IN_STEP, link=link)], run_id="run-0", at=AT)
        before = written("city", "Łódź", "Radom")
        save([change(client_id, base={"city": "Radom"}, status=IN_STEP, written=(before,))], run_id="run-1", at=AT)
    limit = written("credit_limit", "100.00", "9.00")
    save([change("C-1", "credit", status=IN_STEP, written=(limit,))], run_id="run-1", at=AT)
    return bench.url


def test_what_would_be_undone_is_shown_and_nothing_is_written(command: Command, url: str) -> None:
    told = command("undo", "run-1", "--erp-url", url)
    assert told.exit_code == 0
    for words in ("Łódź", "1 field left alone", "Correct client_credit in the ERP", "2 rows of 1 client planned"):
        assert words in told.output
    found = command.json("plan", "--erp-url", url)
    assert [(r["client_id"], r["value_to"], r["decision"], r["reason"]) for r in found["rows"]] == [
        ("C-1", "Łódź", None, "undo")
    ] * 2
    assert found["too_many"] == []


def test_in_polish(command: Command, url: str) -> None:
    assert "Popraw client_credit w ERP" in command("undo", "run-1", "--lang", "pl", "--erp-url", url).output


def test_approved_at_once(command: Command, url: str) -> None:
    found = command.json("undo", "run-1", "--yes", "--concern", "billing", "--erp-url", url)
    assert (found["done"], found["approved"], found["left_alone"], found["refused"]) == (2, 2, 1, 0)
    assert {row["decision"] for row in found["rows"]} == {"approve"}
    again = command.json("undo", "run-1", "--yes", "--erp-url", url)
    assert (again["done"], again["carried"]) == (0, 1)


def test_a_span_of_time(command: Command, url: str) -> None:
    day = ("--since", "2026-03-02", "--until", "2026-03-03T00:00+01:00")
    assert command.json("undo", *day, "--erp-url", url)["done"] == 2
    assert command.json("undo", "--since", "2026-03-03", "--erp-url", url)["done"] == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("nobody",), 65, "nobody"),
        ((), 2, "--since"),
        (("run-1", "--since", "2026-03-02"), 2, "--since"),
        (("run-1", "--until", "2026-03-02"), 2, "--since"),
        (("--since", "yesterday"), 2, "no moment"),
        (("--since", "2026-03-02", "--until", "2026-03-01"), 2, "later"),
        (("run-1", "--concern", "nothing"), 2, "nothing"),
    ],
)
def test_wrong_words(command: Command, url: str, words: tuple[str, ...], code: int, told: str) -> None:
    assert told in command("undo", *words, "--erp-url", url, code=code).output
