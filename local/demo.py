"""`make demo`: the whole main job before a stranger's eyes, on a database and a panel of its own.

Everything it does to the exchange database is plain SQL that it shows; everything it does to the panel is what a user
of the panel does in the browser. In between, the schedules and queues of the deployed stack do their work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import requests
import sqlalchemy as sa
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from kartoteka.adapters import dialects
from local import home

DATABASE = home.HOME / "demo.db"
POLICY = Path(__file__).with_name("demo-policy.json")
PATIENCE = 120

console = Console(highlight=False, width=max(Console().width, 110))

CARDS = """\
INSERT INTO clients (id, email, client_type, company, first_name, last_name, nip, street, zip_code, city, phone) VALUES
  ('C-1001', 'biuro@sowa.example',  'firm',   'Sowa i Syn sp. z o.o.', NULL, NULL,
   '526-000-12-46', 'ul. Długa 5', '00-950', 'Warszawa', '501 502 503'),
  ('C-1002', 'sklep@gesia.example', 'firm',   'Gęsia Szyjka',          NULL, NULL,
   '527-010-33-91', 'Krótka 7',    '80-001', 'Gdańsk',   '+48 58 301 20 20'),
  ('C-1003', 'jan@nowak.example',   'person', NULL,                    'Jan', 'Nowak',
   NULL,            'Leśna 12/3',  '31-002', 'Kraków',   NULL),
  ('C-1004', 'kontakt@zly.example', 'firm',   'Zły NIP s.c.',          NULL, NULL,
   '123-456-78-90', 'Polna 1',     '90-001', 'Łódź',     NULL),
  ('C-1005', 'bez@adresu.example',  'firm',   'Bez Adresu',            NULL, NULL,
   NULL,            NULL,          NULL,     NULL,       NULL)"""


class Demo:
    """The two sides, and what is shown of them."""

    def __init__(self) -> None:
        self._database = dialects.connect(dialects.parse_url(f"sqlite:///{DATABASE}"))
        self.panel = str(home.recall()["panel_url"])

    def sql(self, text: str) -> None:
        """Show a statement and run it as the ERP would."""
        console.print(Syntax(text, "sql", theme="ansi_dark", background_color="default", word_wrap=True))
        with self._database.begin() as connection:
            connection.execute(sa.text(text))

    def show(self, title: str, query: str) -> None:
        """Show the rows of a query."""
        with self._database.connect() as connection:
            rows = connection.execute(sa.text(query))
            show_table(title, list(rows.keys()), [tuple(row) for row in rows])

    def show_panel(self, *fields: str) -> None:
        """Show the panel's accounts."""
        accounts = requests.get(f"{self.panel}/_standin/accounts", timeout=10).json()
        show_table("the panel's accounts", fields, [tuple(account[name] for name in fields) for account in accounts])

    def panel_user(self, code: str, **changes: str) -> None:
        """Edit an account as a user of the panel does."""
        accounts = requests.get(f"{self.panel}/_standin/accounts", params={"external_code": code}, timeout=10).json()
        edit = {"client_id": accounts[0]["id"], "changes": changes}
        requests.post(f"{self.panel}/_standin/edit", json=edit, timeout=10).raise_for_status()
        console.print(Text(f"in the panel, {code}: " + ", ".join(f"{k} = {v}" for k, v in changes.items()), "magenta"))


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Show a small table."""
    table = Table(title=title, title_justify="left", title_style="dim", header_style="dim", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console.print(table)


def say(text: str) -> None:
    """Say what comes now."""
    console.print()
    console.rule(Text(text, "bold"), align="left", style="dim")


def make(*arguments: str, **environment: str) -> str:
    """Run one of the project's own commands; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=home.ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def tick() -> dict[str, int]:
    """Fire every schedule now and wait until the queues are empty; show the figures."""
    printed = make("cli", "tick", "--timeout", str(PATIENCE)).strip().splitlines()[-1]
    figures: dict[str, int] = json.loads(printed)
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items() if value)
    console.print(Text(f"make tick → {told}", "green"))
    return figures


def start() -> None:
    """Bring up a stack of its own, with an empty panel and an empty exchange database."""
    make("local.stack", "down")
    for file in home.HOME.glob("demo.db*"):
        file.unlink()
    console.print("starting the embedded AWS and the stand-in panel, deploying template.yaml …")
    console.print(make("local.stack", "up", ERP_URL=f"sqlite:///{DATABASE}", POLICY=str(POLICY)), end="")


def open_accounts(demo: Demo) -> None:
    """Show accounts being opened, one refused and one held."""
    say("1. The ERP writes five cards, in plain SQL")
    demo.sql(CARDS)
    tick()
    demo.show_panel("login", "external_code", "email", "nip", "street", "city", "phone")
    demo.show("what the ERP reads back", "SELECT client_id, panel_client_id, panel_login, linked_by FROM sync_links")
    demo.show(
        "C-1004 was refused and C-1005 is incomplete; their neighbours did not wait",
        "SELECT client_id, state, code, message FROM sync_status WHERE concern = 'accounts' AND state <> 'in_step'",
    )


def edit_both_sides(demo: Demo) -> None:
    """Show two edits of one customer, on both sides at once."""
    say("2. One customer, edited on both sides at once: the street in the ERP, the e-mail in the panel")
    demo.sql("UPDATE clients SET street = 'ul. Nowa 8' WHERE id = 'C-1001'")
    demo.panel_user("C-1001", email="zamowienia@sowa.example")
    tick()
    demo.show("the ERP's row", "SELECT id, email, street FROM clients WHERE id = 'C-1001'")
    demo.show_panel("external_code", "email", "street")


def conflict(demo: Demo) -> None:
    """Show a conflict that the policy holds, and its settling by one UPDATE."""
    say("3. The same field edited on both sides: this policy holds telephone numbers for a person")
    demo.sql("UPDATE clients SET phone = '600 100 200' WHERE id = 'C-1002'")
    demo.panel_user("C-1002", phone="600 999 888")
    tick()
    waiting = "SELECT id, client_id, field, base_value, erp_value, panel_value, decision FROM sync_conflicts"
    demo.show("neither side was overwritten", waiting)
    demo.sql("UPDATE sync_conflicts SET decision = 'panel' WHERE client_id = 'C-1002' AND closed_at IS NULL")
    tick()
    demo.show("settled", "SELECT id, phone FROM clients WHERE id = 'C-1002'")


def correct(demo: Demo) -> None:
    """Show that correcting a row is enough."""
    say("4. Correcting a row is enough: the refused and the incomplete card get their accounts")
    demo.sql("UPDATE clients SET nip = '779-10-11-327' WHERE id = 'C-1004'")
    demo.sql("UPDATE clients SET street = 'Wodna 3', zip_code = '60-101', city = 'Poznań' WHERE id = 'C-1005'")
    tick()
    demo.show("", "SELECT client_id, concern, state FROM sync_status ORDER BY client_id, concern")


def quiet(demo: Demo) -> None:
    """Show that nothing is sent once both sides are in step."""
    say("5. And when nothing changed, nothing is sent")
    tick()
    tick()
    demo.show(
        "every edit that was carried (sync_history, without the creations)",
        "SELECT client_id, field, direction, reason, value_before, value_after FROM sync_history "
        "WHERE reason <> 'create' ORDER BY id",
    )


def main() -> None:
    """Run the demo."""
    began = time.monotonic()
    start()
    demo = Demo()
    for part in (open_accounts, edit_both_sides, conflict, correct, quiet):
        part(demo)
    say(f"That was Kartoteka, in {time.monotonic() - began:.0f} seconds")
    console.print("The stack is still running, and its schedules fire every minute:")
    console.print(f"  look at the panel, and edit a customer   {demo.panel}/", soft_wrap=True)
    console.print(f"  write SQL into the exchange database     sqlite3 {DATABASE}", soft_wrap=True)
    console.print("  see what is in step and what is not      .venv/bin/kartoteka status")
    console.print("  synchronise now; stop                    make tick; make down")


if __name__ == "__main__":
    main()
