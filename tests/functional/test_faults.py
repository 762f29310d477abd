"""Each fault of `faults.toml` has a test that says so, or a reason why none tries it; `docs/faults.md` shows which."""

from __future__ import annotations

from collections import Counter

from cli import faults_page

KNOWN = {fault.number: fault for faults in faults_page.groups().values() for fault in faults}
MARKS = list(faults_page.marked())
MARKED = [(number, file, function) for numbers, file, function in MARKS for number in numbers]


def test_the_faults_are_numbered_without_a_gap() -> None:
    assert list(KNOWN) == list(range(1, 95))


def test_each_fault_has_a_test_or_a_reason_why_none_tries_it() -> None:
    tested = {number for number, _, _ in MARKED}
    assert {number for number, fault in KNOWN.items() if not fault.untested} == tested


def test_only_tests_are_marked_with_known_faults_and_each_once() -> None:
    assert [each for each in MARKED if not each[2].startswith("test_") or each[0] not in KNOWN] == []
    assert [each for each, times in Counter(MARKED).items() if times > 1] == []


def test_the_page_sees_every_mark() -> None:
    """A mark of a class, of a module or of a method is seen by pytest alone."""
    written = {
        str(path.relative_to(faults_page.ROOT)): path.read_text(encoding="utf-8").count(f"{faults_page.MARK}(")
        for path in (faults_page.ROOT / "tests").rglob("*.py")
    }
    assert Counter(file for _, file, _ in MARKS) == {file: times for file, times in written.items() if times}
