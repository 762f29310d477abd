"""Errors, named by what to do about them.

::

    KartotekaError
    ├── Retry    nobody's fault: the same work may succeed later (429, 5xx, timeout, deadlock)
    ├── Reject   this record or field is refused, by the panel, the ERP's database or our own check; others go on
    └── Halt     nothing can succeed until a person acts (wrong key, missing table, unpaid panel)

``str()`` of every error is safe to log: it holds codes, field names and keys. What quotes a record's contents stands in
``Reject.facts``, which go into ``sync_status`` in the ERP's own database and nowhere else.
"""

from __future__ import annotations


class KartotekaError(Exception):
    """Root of everything Kartoteka raises on purpose."""


class Retry(KartotekaError):
    """The work may succeed later; ``after`` is the wait in seconds that the other side asked for, if it did.

    ``alone``: it failed for one record only, while others passed, so that the fault may be the record's own.
    """

    alone: bool = False

    def __init__(self, code: str, *, after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.after = after


class Reject(KartotekaError):
    """One record or field is refused. ``facts`` fill the texts of ``codes.CODES[code]`` and may quote the record.

    ``also`` is what else was refused of the same record by the same answer.
    """

    also: tuple[Reject, ...] = ()

    def __init__(self, code: str, *, field: str = "", **facts: str) -> None:
        super().__init__(f"{code}: {field}" if field else code)
        self.code = code
        self.field = field
        self.facts = facts


class Halt(KartotekaError):
    """Nothing can succeed until a person acts. ``str()`` says what to do, without secrets or personal data."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
