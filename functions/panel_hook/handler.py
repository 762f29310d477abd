"""The wake-up hook: the panel says that something has changed, and the feed of its changes is asked soon.

Woken by an HTTP address whose path is a secret. There only with the template's parameter Hook.
"""

from __future__ import annotations

from typing import Any

from kartoteka.hook import answer


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request of the panel; nothing of it is believed, and nothing logged."""
    return answer(event)
