"""A backup, of this stand-in or of a system that tests hold in memory: what some attributes held, to be put back."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

Backup = dict[str, Any]


def made(system: object, names: Collection[str]) -> Backup:
    """What these attributes hold now; later changes do not reach it."""
    return copy.deepcopy({name: getattr(system, name) for name in names})


def put_back(system: object, backup: Backup) -> None:
    """Set the attributes to what they held; the backup can be put back again."""
    for name, held in copy.deepcopy(backup).items():
        setattr(system, name, held)
