"""Errors, named by what to do about them.

::

    KartotekaError
    ├── Retry    nobody's fault: the same work may succeed later (429, 5xx, time-out, deadlock)
    ├── Reject   this record is refused, by the panel or by our own check; its neighbours go on
    └── Halt     nothing can succeed until a person acts (wrong key, missing table, unpaid panel)

A message may quote a record's content only in ``Reject.message``, which goes into ``sync_status`` in the ERP's own
database and nowhere else. ``str()`` of every error is safe to log: it holds codes, field names and keys.
"""

from __future__ import annotations


class KartotekaError(Exception):
    """Root of everything Kartoteka raises on purpose."""


class Retry(KartotekaError):
    """The work may succeed later; ``after`` is the wait in seconds that the other side asked for, if it did."""

    def __init__(self, code: str, *, after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.after = after


class Reject(KartotekaError):
    """One record is refused. ``message`` is for a person and may quote the record: it never goes into a log."""

    def __init__(self, code: str, message: str, *, field: str = "") -> None:
        super().__init__(f"{code}: {field}" if field else code)
        self.code = code
        self.message = message
        self.field = field


class Halt(KartotekaError):
    """Nothing can succeed until a person acts. ``str()`` says what to do, without secrets or personal data."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
