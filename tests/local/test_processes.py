"""Background processes: found again, stopped with their children, and nobody else's."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import psutil
import pytest

from local import home, processes
from local.waiting import wait_until

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(home, "HOME", tmp_path)
    monkeypatch.setattr(home, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(home, "CLOUD", tmp_path / "cloud")
    home.make()
    return tmp_path


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_a_process_is_stopped_with_its_children():
    processes.start("sleeper", [sys.executable, "-c", PARENT], os.environ)
    process = processes.find("sleeper")
    assert process is not None
    wait_until(lambda: bool(process.children()), what="no child", seconds=20)
    (child,) = process.children()
    assert processes.stop("sleeper")
    assert processes.find("sleeper") is None
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert not processes.stop("sleeper")


def test_a_process_that_was_given_the_same_number_later_is_left_alone(folder: Path):
    (folder / "other.pid").write_text(json.dumps({"pid": os.getpid(), "created": 1.0}))
    assert processes.find("other") is None
    assert not processes.stop("other")


def test_what_is_kept_is_for_its_owner_only(folder: Path):
    home.write_private(folder / "secret", "x")
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
