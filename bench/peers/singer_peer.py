"""The peer: a tap and a target of Meltano's singer-sdk with a pipe between them, the target in batches of 100.

Runs in an environment of its own (.tools/bench), as two processes: `singer_peer tap … | singer_peer target …`. The tap
reads incrementally by row version; the state that the target has echoed is the bookmark of the next run.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from singer_sdk import BatchSink, Stream, Tap, Target  # type: ignore[import-not-found,unused-ignore]
from singer_sdk import typing as th

from bench.peers.writing import BATCH, Writer, options, tell

TEXT = ("email", "phone", "client_type", "first_name", "last_name", "company", "nip")
PLACE = ("street", "zip_code", "city", "country_code")
PAGE = 1_000
CONFIG = th.PropertiesList(*(th.Property(name, th.StringType) for name in ("source", "panel", "key"))).to_dict()


class Clients(Stream):  # type: ignore[misc,unused-ignore]
    """The rows whose version is above the bookmark, or equal to it: so the SDK wants it."""

    name = "clients"
    primary_keys = ("id",)
    replication_key = "rv"
    is_sorted = True
    schema = th.PropertiesList(
        th.Property("id", th.StringType, required=True),
        *(th.Property(name, th.StringType) for name in (*TEXT, *PLACE)),
        th.Property("wholesaler", th.IntegerType),
        th.Property("rv", th.IntegerType),
        th.Property("born_rv", th.IntegerType),
    ).to_dict()

    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
        """Return the rows; the one at the bookmark itself is left out, since no two rows share a version here."""
        since = self.get_starting_replication_key_value(context) or 0
        with closing(sqlite3.connect(self.config["source"])) as connection:
            connection.row_factory = sqlite3.Row
            cursor = connection.execute("SELECT * FROM clients WHERE rv > ? ORDER BY rv", (since,))
            while rows := cursor.fetchmany(PAGE):
                yield from map(dict, rows)


class TapErp(Tap):  # type: ignore[misc,unused-ignore]
    """The ERP's side."""

    name = "tap-erp"
    config_jsonschema = CONFIG

    def discover_streams(self) -> list[Clients]:
        """Return the one stream."""
        return [Clients(self)]


class PanelSink(BatchSink):  # type: ignore[misc,unused-ignore]
    """Writes a batch with one call, or two where old and new rows are in it; it keeps its connection."""

    max_size = BATCH

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._writer = Writer(self.config["panel"], self.config["key"])

    def process_batch(self, context: dict[str, Any]) -> None:
        """Write one batch."""
        rows = context["records"]
        if new := [row for row in rows if row["rv"] == row["born_rv"]]:
            self._writer.create(new)
        if old := [row for row in rows if row["rv"] != row["born_rv"]]:
            self._writer.update(old)


class TargetPanel(Target):  # type: ignore[misc,unused-ignore]
    """The panel's side."""

    name = "target-panel"
    config_jsonschema = CONFIG
    default_sink_class = PanelSink


def main() -> None:
    """Be one end of the pipe."""
    parser = options()
    parser.add_argument("end", choices=["tap", "target"])
    parser.add_argument("--state", type=Path, required=True)
    chosen = parser.parse_args()
    config = {"source": str(chosen.source), "panel": chosen.panel, "key": chosen.key_file.read_text()}
    if chosen.end == "tap":
        lines = chosen.state.read_text().splitlines() if chosen.state.is_file() else []
        TapErp(config=config, state=json.loads(lines[-1]) if lines else None).sync_all()
    else:
        TargetPanel(config=config).listen(sys.stdin)
    tell(chosen.figures.with_name(f"{chosen.figures.stem}-{chosen.end}.json"))


if __name__ == "__main__":
    main()
