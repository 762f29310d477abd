"""The peer: dlt, reading incrementally by row version and writing with a custom destination in batches of 100.

Runs in an environment of its own (.tools/bench). ``--files 4`` lets dlt load four files at a time.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "WARNING"}

import dlt  # type: ignore[import-not-found,unused-ignore]

from bench.peers.writing import BATCH, Writer, options, tell

PAGE = 1_000


def main() -> None:
    """Run the pipeline once."""
    parser = options()
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--rows", type=int, required=True)
    chosen = parser.parse_args()
    if chosen.files > 1:
        os.environ["NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS"] = str(-(-chosen.rows // chosen.files))
        os.environ["LOAD__WORKERS"] = str(chosen.files)
    key = chosen.key_file.read_text()
    mine = threading.local()

    @dlt.destination(batch_size=BATCH, name="panel")  # type: ignore[untyped-decorator,unused-ignore]
    def panel(items: list[dict[str, Any]], _table: Any) -> None:
        """Write one batch; the thread keeps its connection."""
        if not hasattr(mine, "writer"):
            mine.writer = Writer(chosen.panel, key)
        new = [row for row in items if row["rv"] == row["born_rv"]]
        old = [row for row in items if row["rv"] != row["born_rv"]]
        if new:
            mine.writer.create(new)
        if old:
            mine.writer.update(old)

    pipeline = dlt.pipeline("bench", destination=panel, pipelines_dir=str(chosen.state))
    pipeline.run(_rows(chosen.source)).raise_on_failed_jobs()
    tell(chosen.figures)


def _rows(path: Path) -> Any:
    """Return the rows whose version is above the one that was read last."""

    @dlt.resource(name="clients", primary_key="id")  # type: ignore[untyped-decorator,unused-ignore]
    def clients(version: Any = dlt.sources.incremental("rv", initial_value=0)) -> Iterator[list[dict[str, Any]]]:  # noqa: B008
        with closing(sqlite3.connect(path)) as connection:
            connection.row_factory = sqlite3.Row
            cursor = connection.execute("SELECT * FROM clients WHERE rv > ? ORDER BY rv", (version.last_value,))
            while rows := cursor.fetchmany(PAGE):
                yield [dict(row) for row in rows]

    return clients


if __name__ == "__main__":
    main()
