"""What goes wrong in the cloud, for every state machine whose ``world`` has a panel: rules to inherit."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from kartoteka.errors import Retry


class Faults:
    """Time passes, replies are lost, the panel is away."""

    world: Any

    @rule(seconds=st.sampled_from([1, 30, 200, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.world.pass_time(seconds=seconds)

    @rule()
    def a_reply_is_lost(self) -> None:
        self.world.panel.lose_reply()

    @rule(times=st.integers(1, 4))
    def the_panel_is_away(self, times: int) -> None:
        self.world.panel.fail(*[Retry("panel_5xx") for _ in range(times)])


class Deaths:
    """Processes die, replies are lost, calls fail; then everything is done that is due."""

    world: Any

    @rule(steps=st.integers(1, 60), after=st.booleans())
    def die(self, steps: int, after: bool) -> None:
        self.world.mortal(steps, after=after)
        self.world.tick()

    @rule()
    def lose_a_reply(self) -> None:
        self.world.panel.lose_reply()

    @rule()
    def fail_a_call(self) -> None:
        self.world.panel.fail(Retry("timeout"))

    @rule()
    def tick(self) -> None:
        self.world.tick()
