"""`python -m local.panel --port N --key-file F`: the stand-in panel as a program.

The key comes from a file or from PANEL_KEY and is never shown. One line on standard output says where it listens.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from local.panel.sample import sample_accounts
from local.panel.server import HOST, listen
from local.panel.state import PanelState


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.panel", description="A stand-in for an IdoSell panel.")
    parser.add_argument("--host", default=HOST, help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument(
        "--key-file",
        type=Path,
        help="file with the API key; otherwise the environment's PANEL_KEY",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="begin with N made-up accounts",
    )
    return parser.parse_args(arguments)


def read_key(key_file: Path | None) -> str:
    """Return the key. Raises SystemExit with what to do where there is none."""
    key = key_file.read_text(encoding="utf-8").strip() if key_file else os.environ.get("PANEL_KEY", "").strip()
    if not key:
        raise SystemExit("no API key: give --key-file or set PANEL_KEY")
    return key


async def serve(chosen: argparse.Namespace, key: str) -> None:
    """Listen until told to stop."""
    panel = PanelState()
    for plain in sample_accounts(chosen.seed):
        panel.seed(plain)
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    runner = await listen(panel, key, chosen.host, chosen.port)
    sys.stdout.write(f"stand-in panel at http://{chosen.host}:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await stopped.wait()
    await runner.cleanup()


def main() -> None:
    chosen = options()
    try:
        asyncio.run(serve(chosen, read_key(chosen.key_file)))
    except OSError as error:
        raise SystemExit(f"cannot listen at {chosen.host}:{chosen.port}: {error.strerror}") from None


if __name__ == "__main__":
    main()
