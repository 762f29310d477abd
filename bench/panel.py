"""The stand-in panel in a process of its own: started, emptied, counted, edited as its users do."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from bench.processes import running
from local.home import ROOT
from local.ports import LOOPBACK, free_port
from local.waiting import wait_until

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class BenchPanel:
    """A running stand-in. ``pid`` is its process."""

    url: str
    key: str = field(repr=False)
    key_file: Path
    latency: float
    pid: int
    _session: requests.Session = field(default_factory=requests.Session, repr=False)

    def empty(self) -> None:
        """Forget accounts, counts, and the clock; every call takes its time again."""
        self._post("reset", {})
        self._post("settings", {"latency_seconds": self.latency, "requests_per_second": None})

    def forget_calls(self) -> None:
        """Begin counting anew."""
        self._post("reset", {"what": ["calls"]})

    def calls(self) -> dict[str, int]:
        """Return the calls since then, by gate."""
        return dict(self.status()["calls"])

    def status(self) -> Mapping[str, Any]:
        """Return all that was counted since then; see :mod:`local.panel.counters`."""
        told: dict[str, Any] = self._get("status")
        return told

    def misbehave(self, **rule: Any) -> None:
        """Order a misbehaviour; see :mod:`local.panel.faults`."""
        self._post("faults", rule)

    def limit(self, calls_a_second: float) -> None:
        """Answer 429 to more calls than these."""
        self._post("settings", {"requests_per_second": calls_a_second, "burst": calls_a_second})

    def accounts(self) -> Sequence[Mapping[str, Any]]:
        """Return every account in plain words."""
        found: list[dict[str, Any]] = self._get("accounts")
        return found

    def account_with(self, code: str) -> Mapping[str, Any] | None:
        """Return the account of this external code in plain words."""
        found: list[dict[str, Any]] = self._get("accounts", external_code=code)
        return found[0] if found else None

    def groups(self) -> Sequence[Mapping[str, Any]]:
        """Return every discount group in plain words, with its prices and members."""
        found: list[dict[str, Any]] = self._get("groups")
        return found

    def seed(self, accounts: Sequence[Mapping[str, Any]]) -> list[int]:
        """Put accounts into the panel that were there before; return their ids. No call is counted."""
        ids: list[int] = self._post("seed", {"accounts": list(accounts)})["ids"]
        return ids

    def edit(self, client_id: int, changes: Mapping[str, Any]) -> None:
        """Change an account as a panel user does: no call is counted."""
        self._post("edit", {"client_id": client_id, "changes": dict(changes)})

    def shift_clock(self, seconds: float) -> None:
        """Let the panel's clock run ahead of the machine's."""
        self._post("clock", {"skew": seconds})

    def _get(self, command: str, **query: str) -> Any:
        answer = self._session.get(f"{self.url}/_standin/{command}", params=query, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def _post(self, command: str, body: Mapping[str, Any]) -> Any:
        answer = self._session.post(f"{self.url}/_standin/{command}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def standing_in(home: Path, latency: float) -> Iterator[BenchPanel]:
    """Give a stand-in panel that takes ``latency`` seconds for each call and limits no rate."""
    key_file = home / "panel.key"
    key_file.touch(0o600)
    key_file.write_text(secrets.token_urlsafe(24))
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    log = home / "panel.log"
    command: list[str | Path] = [sys.executable, "-m", "local.panel", "--port", str(port), "--key-file", key_file]
    with running(command, environment=os.environ, log=log, cwd=ROOT) as process:
        wait_until(
            lambda: _answers(url),
            what="the stand-in panel does not answer",
            seconds=PATIENCE,
            log=log,
            alive=lambda: process.poll() is None,
        )
        panel = BenchPanel(url, key_file.read_text(), key_file, latency, process.pid)
        panel.empty()
        yield panel


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/_standin/status", timeout=2).ok
    except requests.RequestException:
        return False
