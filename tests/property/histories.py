"""How many random histories a property tries, and which ones."""

from __future__ import annotations

import os

ASKED_FOR = os.environ.get("KARTOTEKA_HISTORIES")
SAME_EACH_TIME = ASKED_FOR is None
"""The suite's state machines try the same histories each time; who asks for a number is given others by hypothesis."""


def histories(usual: int) -> int:
    """Return the number that was asked for, else the ``usual`` one."""
    return usual if ASKED_FOR is None else int(ASKED_FOR)
