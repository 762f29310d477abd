"""Many histories of the production code, as many as a minute of one core allows; and one history is one trace."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.property.histories import SAME_EACH_TIME, histories
from tests.simulation.history import drawn, lived
from tests.simulation.main import Figures, told

SECONDS = 60
ROOT = Path(__file__).parents[2]
DIGESTS = """
import sys
from tests.simulation.history import drawn, lived
for seed in range(3):
    sys.stdout.write(lived(drawn(seed)).trace.digest() + "\\n")
"""


def test_whatever_happens_the_promises_hold(capsys: pytest.CaptureFixture[str]) -> None:
    figures, begun = Figures(), time.process_time()
    for seed in range(histories(1_000_000)):
        if SAME_EACH_TIME and time.process_time() - begun > SECONDS:
            break
        figures.count(seed, lived(drawn(seed)))
        if figures.failed:
            break
    seconds = time.process_time() - begun
    with capsys.disabled():
        sys.stdout.write(
            f"\n{figures.histories} histories, {figures.faults.total()} faults in {seconds:.0f} s of a core\n"
        )
    assert not figures.failed, told(figures, seconds)


def test_a_seed_is_a_history_is_a_trace() -> None:
    endings = [lived(drawn(7)) for _ in range(2)]
    assert endings[0].trace.lines == endings[1].trace.lines
    assert endings[0].trace.digest() == endings[1].trace.digest()
    assert lived(drawn(8)).trace.digest() != endings[0].trace.digest()


def test_another_process_lives_through_the_same_history() -> None:
    """Whatever order sets have there."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGESTS],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'shared'}"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("0", "1", "4711")
    }
    assert len(digests) == 1, digests
