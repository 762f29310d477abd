"""The command where nothing but its wheel is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNIX = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog")
"""Modules that Windows lacks."""


def test_the_wheel_asks_for_what_the_command_imports() -> None:
    named = {re.split(r"[\[=<>~ ]", line, maxsplit=1)[0].lower() for line in requires("kartoteka") or ()}
    assert {"click", "rich", "boto3", "sqlalchemy", "jinja2"} <= named


def test_every_sub_command_loads_without_what_only_unix_has() -> None:
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({UNIX!r}))\n"
        "from importlib import import_module\n"
        "from cli.main import COMMANDS, kartoteka\n"
        "for place in COMMANDS.values(): import_module(place.partition(':')[0])\n"
        "assert 'local' not in sys.modules\n"
        "kartoteka.main(['schema', 'ddl', '--dialect', 'sqlite'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "CREATE TABLE" in done.stdout
