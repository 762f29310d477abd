"""What is compared of a console, and what is not."""

from __future__ import annotations

from tests.fixtures.console import lacking, masked, shown


def test_readme_is_read_command_by_command() -> None:
    commands = [each.command for each in shown()]
    assert commands[0] == "make demo"
    assert {"make up", "make tick", "make down", "make deploy"} <= set(commands)
    assert all(each.output for each in shown() if each.command in ("make demo", "make up", "make tick"))


def test_only_what_is_another_one_each_time_is_masked() -> None:
    assert masked("up in 30.7 s") == masked("up in 8.1 s") != masked("up in 8.1 min")
    assert masked('{"held": 1}') == masked('{"held": 20}') != masked('{"kept": 1}')
    assert masked("C-1  1   sowa   ← linked") == "C-1 1 sowa"
    assert masked("closed: C-4") != masked("closed: C-5")
    assert masked("  panel      http://127.0.0.1:1/  a stand-in") == masked("panel http://127.0.0.1:22/ a stand-in")


def test_a_line_that_was_not_printed_is_named() -> None:
    assert lacking(["one", "three"], "one\ntwo\n") == ["three"]
    assert lacking(["two", "one"], "one\ntwo\n") == ["one"], "in another order"
    assert lacking(["REFUSED"], "REFUSED: why\n") == ["REFUSED"], "each as a whole"
