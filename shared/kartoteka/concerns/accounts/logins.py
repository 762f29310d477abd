"""Log-in names of new accounts.

The panel wants small letters and refuses a name that is taken. A name is a function of the client alone, so that a
repeated request asks for the same account; only where another account has it already a suffix is added.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterator

from anyascii import anyascii

from kartoteka.fields.table import LOGIN, LOGIN_PLACEHOLDERS
from kartoteka.model import Record, Values
from kartoteka.policy import Login, PanelPolicy, letters_of

MAX_LENGTH = 40
LETTERS = letters_of(PanelPolicy().login_letters)
"""What a log-in name is made of where the policy says nothing else."""


class Logins:
    """The names asked for in one run, no two alike. Safe for several threads."""

    def __init__(self, rule: Login, letters: Collection[str] = LETTERS) -> None:
        self._rule = rule
        self._letters = letters
        self._lock = threading.Lock()
        self._taken: set[str] = set()
        self._names: dict[str, Iterator[str]] = {}
        self._current: dict[str, str] = {}

    def current(self, record: Record) -> str:
        """Return the name to ask for; the same until :meth:`next` is called."""
        client_id = record.key.client_id
        with self._lock:
            if client_id not in self._current:
                self._names[client_id] = candidates(self._wanted(record))
                self._take(client_id)
            return self._current[client_id]

    def next(self, record: Record) -> str:
        """Return the next name, the current one being taken by somebody else."""
        self.current(record)
        with self._lock:
            self._take(record.key.client_id)
            return self._current[record.key.client_id]

    def _take(self, client_id: str) -> None:
        """Take the next name that no other client of this run has; the name an ERP asks for is taken as it is."""
        given = self._rule.mode == "erp"
        name = next(name for name in self._names[client_id] if given or name not in self._taken)
        self._taken.add(name)
        self._current[client_id] = name

    def _wanted(self, record: Record) -> str:
        intent, row, client_id = record.state.intent, record.erp or {}, record.key.client_id
        if intent and intent.making and intent.login:
            return intent.login
        if self._rule.mode == "erp":
            return slug(str(row.get(LOGIN)), self._letters)
        made = from_pattern(self._rule.pattern, client_id, row, self._letters) if self._rule.mode == "pattern" else ""
        return made or automatic(client_id, self._letters)


def from_pattern(pattern: str, client_id: str, row: Values, letters: Collection[str] = LETTERS) -> str:
    """Return the log-in name a pattern gives for this client; empty where nothing usable is left of it."""
    values = {name: slug(str(row.get(name) or ""), letters) for name in LOGIN_PLACEHOLDERS}
    return slug(pattern.format(**values | {"id": slug(client_id, letters)}), letters)


def automatic(client_id: str, letters: Collection[str] = LETTERS) -> str:
    """Return the log-in name derived from the client's id alone."""
    return slug(client_id, letters) or f"k-{client_id.encode().hex()[: MAX_LENGTH - 2]}"


def candidates(login: str) -> Iterator[str]:
    """Yield the name itself, then the name with -2, -3 … in at most 40 characters."""
    yield login
    number = 2
    while True:
        suffix = f"-{number}"
        yield login[: MAX_LENGTH - len(suffix)] + suffix
        number += 1


def slug(text: str, letters: Collection[str] = LETTERS) -> str:
    """Return a text in these letters; ``-``, where it is one of them, stands for what cannot be written in them."""
    plain = anyascii(text).lower()
    kept = "".join(letter if letter in letters else "-" * ("-" in letters) for letter in plain)
    return re.sub(r"-{2,}", "-", kept).strip(_OUTER)[:MAX_LENGTH].rstrip(_OUTER)


_OUTER = "-._@"
"""What no name begins or ends with."""
