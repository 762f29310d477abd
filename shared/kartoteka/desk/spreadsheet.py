"""Rows for a spreadsheet: UTF-8 with its mark, commas, and no value that would be taken for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from kartoteka.desk.desk import plain

MARK = "\ufeff"
"""What tells a spreadsheet that the text is UTF-8."""
FIGURE = re.compile(r"[+-][\d .,]+")
"""What begins as a formula and is none: an amount, a telephone number."""


def text(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows with a head, these columns of each."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([_harmless(plain(row[name])) for name in columns] for row in rows)
    return MARK + written.getvalue()


def _harmless(value: object) -> str:
    given = "" if value is None else str(value)
    return f"'{given}" if given.startswith(("=", "+", "-", "@", "\t", "\r")) and not FIGURE.fullmatch(given) else given
