"""The floor: a script that sends every row in batches, one after the other, each time, and remembers nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from bench.peers.writing import BATCH, Writer, options, tell


def main() -> None:
    """Send all rows once."""
    parser = options()
    parser.add_argument("--first", action="store_true")
    chosen = parser.parse_args()
    writer = Writer(chosen.panel, chosen.key_file.read_text())
    with closing(sqlite3.connect(chosen.source)) as connection:
        connection.row_factory = sqlite3.Row
        cursor = connection.execute("SELECT * FROM clients ORDER BY id")
        while rows := [dict(row) for row in cursor.fetchmany(BATCH)]:
            (writer.create if chosen.first else writer.update)(rows)
    tell(chosen.figures)


if __name__ == "__main__":
    main()
