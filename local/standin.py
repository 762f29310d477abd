"""The stand-in panel as a process: `python -m local.panel`, with a key made for this folder."""

from __future__ import annotations

import os
import secrets
import sys
from http import HTTPStatus

import requests

from local import home, processes
from local.ports import LOOPBACK, free_port
from local.waiting import wait_until

NAME = "panel"
PATIENCE = 30.0


def ensure(url: str | None) -> str:
    """Return the root address of a running stand-in panel."""
    if url and processes.find(NAME) and answers(url):
        return url
    processes.stop(NAME)
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    key()
    command = [sys.executable, "-m", "local.panel", "--port", str(port), "--key-file", str(home.PANEL_KEY_FILE)]
    processes.start(NAME, command, dict(os.environ))
    wait_until(
        lambda: answers(url),
        what="the stand-in panel does not answer",
        seconds=PATIENCE,
        log=processes.log_file(NAME),
        alive=lambda: processes.find(NAME) is not None,
    )
    return url


def key() -> str:
    """Return the stand-in's API key; it is made once for this folder."""
    if not home.PANEL_KEY_FILE.is_file():
        home.write_private(home.PANEL_KEY_FILE, secrets.token_urlsafe(24))
    return home.PANEL_KEY_FILE.read_text().strip()


def answers(url: str) -> bool:
    """Tell whether it serves, whatever it says."""
    try:
        status: int = requests.get(url + "/", timeout=2).status_code
    except requests.RequestException:
        return False
    return status < HTTPStatus.INTERNAL_SERVER_ERROR


def stop() -> bool:
    """Stop it; tell whether it ran."""
    return processes.stop(NAME)
