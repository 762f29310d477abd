"""The only two moves: *collect* (which customers to look at) and *reconcile* (look, decide, act, write down).

Knows the ports and the core, no adapter. Everything it does may be repeated, and be killed between any two lines.
"""

from kartoteka.engine.base import Counts, Engine, set_aside
from kartoteka.engine.collect import collect
from kartoteka.engine.feed import follow_panel
from kartoteka.engine.reconcile import reconcile

__all__ = ["Counts", "Engine", "collect", "follow_panel", "reconcile", "set_aside"]
