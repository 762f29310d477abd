"""The page ``docs/codes.md``: every code of ``sync_status``, made from the table of codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kartoteka.codes import SUBJECTS, WORST_FIRST, Code

HEAD = f"""# Codes

Made from the table of codes (`shared/kartoteka/codes.py`) by `python -m cli.docs`. Do not edit here.

A row of `sync_status` has a `state`, a `code` and two messages, `message_pl` and `message_en`, each with one sentence
for the cause and one for the remedy. A row that is `in_step` has no code unless one is listed here with that state.
Where a record has several states it shows the first of {", ".join(f"`{state}`" for state in WORST_FIRST)}.

`{{fields}}` stands for the columns meant; `{{table}}`, `{{value}}`, `{{panel}}` (the panel's own text) and the other
names in braces for what is known of the record. Some codes have more than one text, each in a row of its own.

*Contents*: the refusal is of the contents. The field is held at once, and tried again when it changes, or the country
by which it is judged, or at `decision` = `retry`. Other refusals are `pending` while they are tried again
(`retry.max_attempts`).
A code of the panel's that is not listed has the texts of `refused`.
"""

COLUMNS = ("code", "state", "contents", "cause", "remedy", "przyczyna", "co zrobić")


def markdown() -> str:
    """Return the page."""
    return "\n".join([HEAD, *(line for subject, codes in SUBJECTS.items() for line in _subject(subject, codes))])


def _subject(subject: str, codes: tuple[Code, ...]) -> Iterator[str]:
    yield f"## {subject}\n"
    yield _row(COLUMNS)
    yield _row(["---"] * len(COLUMNS))
    for code in codes:
        texts = (code.english.cause, code.english.remedy, code.polish.cause, code.polish.remedy)
        yield _row([f"`{code.code}`", str(code.state), "yes" if code.contents else "", *texts])
    yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
