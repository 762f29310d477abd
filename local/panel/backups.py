"""A panel's backup, of this stand-in or of the tests' panel in memory: what some attributes held, to be put back."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

Backup = dict[str, Any]


def made(panel: object, names: Collection[str]) -> Backup:
    """What these attributes hold now; later changes do not reach it."""
    return copy.deepcopy({name: getattr(panel, name) for name in names})


def put_back(panel: object, backup: Backup) -> None:
    """Set the attributes to what they held; the backup can be put back again."""
    for name, held in copy.deepcopy(backup).items():
        setattr(panel, name, held)
