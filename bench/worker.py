"""The execution environment of the functions: one process that gets events and answers, as on Lambda.

Events come as JSON lines on standard input, answers go to the file descriptor that is given; standard output and
standard error are the functions' log.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from bench import meter
from bench.counting import Counting, watch_boto3, watch_sql

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"
TIMEOUT_MS = 120_000
"""As in template.yaml."""

Handler = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda tells a function of its run."""

    function_name: str
    memory_limit_in_mb: int = 512
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    ends_at: float = field(default_factory=lambda: time.monotonic() + TIMEOUT_MS / 1000)

    @property
    def invoked_function_arn(self) -> str:
        """An ARN as Lambda's."""
        return f"arn:aws:lambda:eu-central-1:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        return max(0, int((self.ends_at - time.monotonic()) * 1000))


def load(function: str) -> Handler:
    """Return the handler of a function's folder."""
    spec = importlib.util.spec_from_file_location(f"handler_{function}", FUNCTIONS / function / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Handler = module.handler
    return handler


class Worker:
    """Answers one order after the other."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._counting = Counting()
        watch_boto3(self._counting)
        watch_sql(self._counting)

    def answer(self, order: Mapping[str, Any]) -> Any:
        """Carry out an order: ``invoke`` a function, ``shift`` the clock, tell the ``figures`` since the last time."""
        match order["do"]:
            case "invoke":
                return self._invoke(order["function"], order["event"])
            case "shift":
                return _shift_clock(timedelta(seconds=order["seconds"]))
            case _:
                return {**meter.used(), "counts": self._counting.taken()}

    def _invoke(self, function: str, event: dict[str, Any]) -> Any:
        if function not in self._handlers:
            self._handlers[function] = load(function)
        return self._handlers[function](event, Context(function))


def _shift_clock(ahead: timedelta) -> None:
    """Let the clock of all later runs be ahead, so that nobody need wait for the minutes that lie between two runs."""
    from kartoteka import runtime
    from kartoteka.sync.run import Run, utc_now

    mock.patch.object(runtime, "Run", partial(Run, now=lambda: utc_now() + ahead)).start()


def main(answers: int) -> None:
    """Serve until standard input ends."""
    worker = Worker()
    with os.fdopen(answers, "w") as out:
        for line in sys.stdin:
            try:
                answer = {"ok": worker.answer(json.loads(line))}
            except Exception as error:  # noqa: BLE001 - handed over to the parent, as Lambda does
                answer = {"error": f"{type(error).__name__}: {error}"}
            out.write(json.dumps(answer) + "\n")
            out.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
