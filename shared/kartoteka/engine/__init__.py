"""The only two moves: *collect* (which customers to look at) and *reconcile* (look, decide, act, write down).

Knows the ports and the core, no adapter. Everything it does may be repeated, and be killed between any two lines.
"""

from kartoteka.engine.addresses import rotate_addresses
from kartoteka.engine.base import Counts, Engine, set_aside
from kartoteka.engine.feed import follow_panel
from kartoteka.engine.reconcile import Result, reconcile
from kartoteka.engine.schedules import collect

__all__ = ["Counts", "Engine", "Result", "collect", "follow_panel", "reconcile", "rotate_addresses", "set_aside"]
