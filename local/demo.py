"""`make demo`: the whole main job before a stranger's eyes, on a database and a panel of its own.

`make demo ERP=postgresql` or `ERP=mariadb` has the database on a real server, and shows that engine's SQL.

Everything it does to the exchange database is plain SQL that it shows; everything it does to the panel is what a user
of the panel does in the browser. In between, the schedules and queues of the deployed stack do their work.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import requests
import sqlalchemy as sa
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from cli import main as command
from kartoteka.adapters.sql.dialect import open_engine
from kartoteka.desk import texts
from local import erp, home, stack, standin, wishes
from local.failure import told

FILE = home.HOME / "demo.db"
DATABASE = "demo"
POLICY = Path(__file__).with_name("demo-policy.json")
PLANNED = home.HOME / "demo-policy.json"
"""The same policy in mode plan."""
WITH_PLAN = bool(os.environ.get("PLAN"))
"""Whether a plan is shown and approved first (`make demo PLAN=on`): it costs a second deployment."""
PATIENCE = 120
NOT_THE_USERS_OWN = ("PANEL_URL", "PANEL_KEY", "ERP_URL", "ERP", "SCHEDULES")
"""What `make up` would take from the environment: the demo touches no panel and no database but its own."""

console = Console(highlight=False, width=max(Console().width, 110))

SOWA = {"client_type": "firm", "company": "Sowa i Syn", "nip": "5260001246", "city": "Warszawa"}
GESIA = {"client_type": "firm", "company": "Gęsia Szyjka", "nip": "5270103391", "city": "Gdańsk"}
SHOP: Sequence[dict[str, Any]] = (
    {**SOWA, "login": "sowa", "email": "sklep@sowa.example"},
    {"login": "jan.nowak", "email": "Jan@Nowak.example", "first_name": "Jan", "last_name": "Nowak", "city": "Kraków"},
    {**GESIA, "login": "gesia", "email": "a@gesia.example"},
    {**GESIA, "login": "gesia-2", "email": "b@gesia.example"},
    {"login": "ewa", "email": "ewa@lis.example", "first_name": "Ewa", "last_name": "Lis", "city": "Toruń"},
)
"""Customers who registered in the shop before Kartoteka came; none of their accounts carries a client's code."""
TRADE: Sequence[dict[str, Any]] = tuple(
    {"login": f"trade-{n}", "email": f"w{n}@trade.example", "company": f"Trade {n}", "city": "Kielce"}
    for n in range(1, 8)
)
"""Seven more of them, whose e-mail addresses the ERP knows."""

CLIENTS = """\
INSERT INTO clients (id, email, company, first_name, last_name, nip, street, zip_code, city, phone) VALUES
  ('C-1', 'biuro@sowa.example', 'Sowa i Syn sp. z o.o.', NULL, NULL,
   '526-000-12-46', 'ul. Długa 5', '00-950', 'Warszawa', '501 502 503'),
  ('C-2', 'jan@nowak.example',  NULL,                    'Jan', 'Nowak',
   NULL,            'Leśna 12/3',  '31-002', 'Kraków',   NULL),
  ('C-3', 'gesia@gesia.example', 'Gęsia Szyjka',         NULL, NULL,
   'PL5270103391',  'Krótka 7',    '80-001', 'Gdańsk',   '+48 58 301 20 20'),
  ('C-4', 'info@zly.example',   'Zły NIP s.c.',          NULL, NULL,
   '123-456-78-90', 'Polna 1',     '90-001', 'Łódź',     NULL),
  ('C-5', 'post@berg.example',  'Berg GmbH',             NULL, NULL,
   NULL,            NULL,          NULL,     NULL,       NULL)"""

SPOKEN: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        erp.SQLITE: {
            "code": "printf('{letter}-%02d', i)",
            "joined": "{0}",
            "now": "CURRENT_TIMESTAMP",
            "all_of": "group_concat(DISTINCT {0})",
        },
        erp.POSTGRESQL: {
            "code": "'{letter}-' || lpad(CAST(i AS text), 2, '0')",
            "joined": "{0}",
            "now": "now() AT TIME ZONE 'UTC'",
            "all_of": "string_agg(DISTINCT {0}, ',')",
        },
        erp.MARIADB: {
            "code": "concat('{letter}-', lpad(i, 2, '0'))",
            "joined": "concat({1})",
            "now": "UTC_TIMESTAMP(6)",
            "all_of": "group_concat(DISTINCT {0})",
        },
    }
)
"""What engines say in words of their own: a code with two digits, a text with a number in it, the moment, a list."""


MANY = """\
INSERT INTO clients (id, email, company, street, zip_code, city)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
SELECT {columns} FROM n"""


def joined(words: Mapping[str, str], *parts: str) -> str:
    """Return the expression of one text of several."""
    return words["joined"].format(" || ".join(parts), ", ".join(parts))


def many(words: Mapping[str, str], letter: str, name: str, count: int, city: tuple[str, str]) -> str:
    """Return the statement that inserts so many clients of a name, each with its number."""
    columns = [
        words["code"].format(letter=letter),
        joined(words, f"'{letter.lower()}'", "i", f"'@{name.lower()}.example'"),
        joined(words, f"'{name} '", "i"),
        joined(words, "'Polna '", "i"),
        *(f"'{each}'" for each in city),
    ]
    return MANY.format(count=count, columns=", ".join(columns))


EWA = """\
INSERT INTO clients (id, email, first_name, last_name, street, zip_code, city)
SELECT 'C-6', email, first_name, last_name, 'Rynek 1', '87-100', city FROM incoming_clients
WHERE email = 'ewa@lis.example'"""

PRICES = """\
INSERT INTO discount_group_items (group_id, item_type, item_id, price, rebate_percent, base_price, currency) VALUES
  ('HURT', 'product',  11, 19.90, NULL, NULL, 'PLN'),
  ('HURT', 'category',  4, NULL,  12.5, 9.99, 'PLN')"""

CROWDS = ("H-", "W-")
"""How the codes of clients begin of whom the tables show none."""

CREDIT = """\
INSERT INTO client_credit (client_id, credit_allowed, credit_limit, balance, currency, payment_days, as_of)
VALUES ('C-1', true, 1000, 250, 'PLN', 14, {now})"""

LOWER_LIMIT = "UPDATE client_credit SET credit_limit = 300, as_of = {now} WHERE client_id = 'C-1'"

WRITTEN = """\
SELECT concern, direction, reason, count(*) AS times, {fields} AS fields
FROM sync_history WHERE reason <> 'create' GROUP BY concern, direction, reason"""

LINKS = """\
SELECT client_id, panel_client_id, panel_login, linked_by FROM sync_links
WHERE client_id LIKE 'C-%' OR client_id IN ('W-01', 'W-15') ORDER BY client_id"""

UNSETTLED = """\
SELECT client_id, state, code, message_en
FROM sync_status WHERE concern = 'accounts' AND state <> 'in_step' ORDER BY client_id"""


class Demo:
    """The two sides, and what is shown of them."""

    def __init__(self, panel: str, engine: str, url: str) -> None:
        self._database = open_engine(url)
        self.panel = panel
        self.url = url
        self.words = SPOKEN[engine]

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

    def accounts(self, **narrowed: str) -> list[dict[str, Any]]:
        """Return the panel's accounts."""
        answer = requests.get(f"{self.panel}/_standin/accounts", params=narrowed, timeout=10)
        found: list[dict[str, Any]] = answer.json()
        return found

    def show_panel(self, title: str, *fields: str) -> None:
        """Show the panel's accounts; of the many others, none."""
        few = [a for a in self.accounts() if not (a["login"].startswith("trade-") or a["external_code"][:2] in CROWDS)]
        show_table(title, fields, [[account[name] for name in fields] for account in few])

    def show_closed(self) -> None:
        """Show whose accounts are closed."""
        closed = ", ".join(account["external_code"] for account in self.accounts() if not account["active"])
        console.print(f"closed in the panel: {closed}")

    def show_panel_addresses(self) -> None:
        """Show the delivery addresses that the panel has."""
        found = [(account["external_code"], each) for account in self.accounts() for each in account["addresses"]]
        fields = ("id", "additional", "street", "city")
        rows = [[code, *(each[name] for name in fields)] for code, each in found]
        show_table("the panel's delivery addresses", ("external_code", *fields), rows)

    def panel_user(self, code: str, **changes: Any) -> None:
        """Edit an account as a user of the panel does."""
        self._in_panel("edit", code, {"changes": changes}, changes)

    def panel_user_adds(self, code: str, **address: Any) -> None:
        """Add a delivery address as a customer does in the shop."""
        self._in_panel("addresses", code, {"add": address}, {"a new delivery address": ", ".join(address.values())})

    def panel_user_edits(self, code: str, **changes: Any) -> None:
        """Edit the first delivery address of an account."""
        number = self.accounts(external_code=code)[0]["addresses"][0]["id"]
        told = {f"delivery address {number}, {name}": value for name, value in changes.items()}
        self._in_panel("addresses", code, {"address_id": number, "changes": changes}, told)

    def show_prices(self, title: str) -> None:
        """Show the panel's discount groups that hold prices, and how many are in them."""
        groups = requests.get(f"{self.panel}/_standin/groups", timeout=10).json()
        rows = [
            [group["name"], price["kind"], price["id"], price["price"], price["currency"], len(group["members"])]
            for group in groups
            for price in group["prices"]
        ]
        show_table(title, ("group", "kind", "id", "price", "currency", "members"), rows)

    def order(self, code: str, amount: str) -> None:
        """Order on trade credit, as a customer does in the shop."""
        number = self.accounts(external_code=code)[0]["id"]
        order = {"client_id": number, "amount": amount}
        told = requests.post(f"{self.panel}/_standin/order", json=order, timeout=10).json()
        came = "accepted" if told["accepted"] else f"REFUSED: {told['reason'].rpartition(' / ')[2]}"
        figures = f"limit {told['limit']}, owed {told['balance']}"
        console.print(Text(f"in the shop, {code} orders {amount} on credit ({figures}): {came}", "magenta"))

    def _in_panel(self, command: str, code: str, what: dict[str, Any], told: dict[str, Any]) -> None:
        edit = {"client_id": self.accounts(external_code=code)[0]["id"], **what}
        requests.post(f"{self.panel}/_standin/{command}", json=edit, timeout=10).raise_for_status()
        console.print(Text(f"in the panel, {code}: " + ", ".join(f"{k} = {v}" for k, v in told.items()), "magenta"))


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Show a small table."""
    if title:
        console.print(Text(title, "italic"))
    table = Table(header_style="dim", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console.print(table)


def say(text: str) -> None:
    """Say what comes now."""
    console.print()
    console.rule(Text(text, "bold"), align="left", style="dim")


@contextmanager
def quietly() -> Iterator[io.StringIO]:
    """Give what is printed in this block, instead of the screen."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        yield printed


def run(*arguments: str) -> str:
    """Run the operator's command in this process, which has everything imported; return what it printed."""
    with quietly() as printed:
        command.kartoteka.main(list(arguments), standalone_mode=False)
    return printed.getvalue()


def up(demo: Demo, policy: Path) -> str:
    """Bring the stack to this policy; return what `make up` printed."""
    os.environ.update(ERP_URL=demo.url, POLICY=str(policy))
    try:
        with quietly() as printed:
            stack.up()
    finally:
        del os.environ["ERP_URL"]  # the operator's command asks the stack
    return printed.getvalue()


def kartoteka(*arguments: str) -> str:
    """Run the operator's command and show it; return what it printed."""
    console.print(Text(f"$ kartoteka {' '.join(arguments)}", "green"))
    return run(*arguments)


def tick() -> None:
    """Fire every schedule now and wait until the queues are empty; show the figures."""
    printed = run("tick", "--timeout", str(PATIENCE)).strip().splitlines()[-1]
    figures: dict[str, Any] = json.loads(printed)
    words = {"written_to_erp": "written to ERP"}
    told = (f"{words.get(name, name.replace('_', ' '))} {_plain(value)}" for name, value in figures.items() if value)
    console.print(Text(f"make tick → {', '.join(told)}", "green"))


def _plain(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def empty_database(engine: str) -> str:
    """Return the address of a database of the demo's own on this engine, with nothing in it."""
    if engine != erp.SQLITE:
        return erp.ensure(engine, DATABASE, anew=True)
    for file in home.HOME.glob(f"{FILE.name}*"):
        file.unlink()
    return f"sqlite:///{FILE}"


def start(engine: str) -> Demo:
    """Bring up a stack of its own, over a shop with customers and an ERP with clients that do not know each other."""
    with quietly():
        stack.down()
    url = empty_database(engine)
    stack.create_tables(url)
    panel = standin.ensure(None)
    home.remember(home.recall() | {"stand_in_url": panel})
    requests.post(
        f"{panel}/_standin/seed", json={"accounts": [*SHOP, *(TRADE if WITH_PLAN else ())]}, timeout=10
    ).raise_for_status()
    demo = Demo(panel, engine, url)
    count = "12 accounts, an ERP has 20 clients" if WITH_PLAN else "accounts, an ERP has clients"
    say(f"1. A shop has {count}, and nobody knows who is who")
    fields = ("id", "login", "external_code", "email", "company", "last_name", "nip", "city")
    demo.show_panel("the panel's accounts", *fields)
    demo.sql(CLIENTS)
    if WITH_PLAN:
        plan(demo)
    else:
        console.print("\nstarting the embedded AWS, deploying template.yaml …")
        console.print(up(demo, POLICY), end="")
    return demo


def plan(demo: Demo) -> None:
    """Show what would be done, before anything is written anywhere; approve it, and let it be applied from then on."""
    demo.sql(many(demo.words, "W", "Trade", 15, ("25-001", "Kielce")))
    policy = json.loads(POLICY.read_text(encoding="utf-8"))
    PLANNED.write_text(json.dumps({**policy, "mode": "plan"}), encoding="utf-8")
    console.print('\nstarting the embedded AWS, deploying template.yaml with "mode": "plan" …')
    console.print(up(demo, PLANNED), end="")
    tick()
    console.print("nothing is written yet; what would be done:")
    console.print(kartoteka("plan", "--limit", "12"), end="")
    console.print(kartoteka("plan", "approve", "--all"), end="")
    tick()
    console.print(Text(f"$ make up POLICY={POLICY.name}    (its mode is apply)", "green"))
    up(demo, POLICY)


def first_contact(demo: Demo) -> None:
    """Show clients being linked to accounts that were there, and what is left to a person."""
    tick()
    demo.show("linked: one account fits, and no other client", LINKS)
    demo.show("the others wait, each with its reason; nobody waits for them", UNSETTLED)
    demo.show("candidates", "SELECT client_id, panel_client_id, matched_by, decision FROM sync_matches")
    demo.show(
        "registered in the shop, no client yet",
        "SELECT panel_client_id, email, last_name, client_id FROM incoming_clients",
    )


def answers(demo: Demo) -> None:
    """Show the ERP's answers: one UPDATE each."""
    say("2. One UPDATE settles each: which account, the tax number, the address, a client for Ewa")
    demo.sql("UPDATE sync_matches SET decision = 'link' WHERE client_id = 'C-3' AND panel_client_id = '3'")
    demo.sql("UPDATE clients SET nip = '779-10-11-327' WHERE id = 'C-4'")
    demo.sql(
        "UPDATE clients SET street = 'Amselweg 2', zip_code = '10115', city = 'Berlin', country_code = 'DE'\n"
        "WHERE id = 'C-5'"
    )
    demo.sql(EWA)
    demo.sql("UPDATE incoming_clients SET client_id = 'C-6' WHERE email = 'ewa@lis.example'")
    tick()
    demo.show("", LINKS)
    told = "nobody is doubled; the German client is in shop 2 by a rule of the policy; gesia-2 has none yet"
    demo.show_panel(told, "id", "login", "external_code", "email", "street", "city", "shops")


def both_sides(demo: Demo) -> None:
    """Show edits of one client on both sides at once, and a conflict that the policy holds."""
    say("3. Both sides edit the same clients. This policy holds telephone numbers for a person")
    demo.sql("UPDATE clients SET street = 'ul. Nowa 8' WHERE id = 'C-1'")
    demo.panel_user("C-1", email="zamowienia@sowa.example")
    demo.sql("UPDATE clients SET phone = '600 100 200' WHERE id = 'C-3'")
    demo.panel_user("C-3", phone="600 999 888")
    tick()
    demo.show("C-1 in the ERP: both edits survive", "SELECT id, email, street FROM clients WHERE id = 'C-1'")
    waiting = "SELECT id, client_id, field, base_value, erp_value, panel_value, decision FROM sync_conflicts"
    demo.show("C-3: neither side was overwritten", f"{waiting} WHERE closed_at IS NULL")
    demo.sql("UPDATE sync_conflicts SET decision = 'panel' WHERE client_id = 'C-3' AND closed_at IS NULL")


def addresses(demo: Demo) -> None:
    """Show delivery addresses travelling both ways."""
    say("4. Delivery addresses: one is new in the ERP, one is new in the panel")
    demo.sql(
        "INSERT INTO delivery_addresses (id, client_id, first_name, last_name, additional, street, zip_code, city)\n"
        "VALUES ('A-1', 'C-1', 'Adam', 'Sowa', 'Magazyn', 'Portowa 3', '80-001', 'Gdańsk')"
    )
    ewa = {"first_name": "Ewa", "last_name": "Lis", "additional": "Dom", "street": "Polna 9", "zip_code": "87-100"}
    demo.panel_user_adds("C-6", **ewa, city="Toruń")
    tick()
    demo.show("C-3: settled", "SELECT id, phone FROM clients WHERE id = 'C-3'")
    demo.show("the ERP's", "SELECT id, client_id, additional, street, city FROM delivery_addresses")
    demo.show_panel_addresses()


def edits(demo: Demo) -> None:
    """Show an edit of an address each way, shops, and an account being closed."""
    say("5. Each is edited on the other side; shops; a client that is not active any more; sixty new clients")
    demo.sql("UPDATE delivery_addresses SET street = 'Polna 11' WHERE client_id = 'C-6'")
    demo.panel_user_edits("C-1", city="Gdynia")
    demo.sql("INSERT INTO client_shops (client_id, shop_id) VALUES ('C-1', 2), ('C-1', 3)")
    demo.panel_user("C-2", shops=[1, 3])
    demo.sql("UPDATE clients SET active = false WHERE id = 'C-4'")
    demo.sql(many(demo.words, "H", "Hurt", 60, ("30-001", "Kraków")))
    tick()
    demo.show("the ERP's", "SELECT id, client_id, additional, street, city FROM delivery_addresses")
    demo.show_panel_addresses()
    told = "C-1 has the shops of its rows, C-2 is back in its own, C-4 is closed; sixty more (H-…) have been opened"
    demo.show_panel(told, "login", "external_code", "shops", "active")


def money(demo: Demo) -> None:
    """Show a group's own prices, a client being put into it and back, and a purchase that the limit refuses."""
    say("6. Prices and trade credit: a group with its own prices, and a limit that the shop enforces")
    demo.sql("INSERT INTO discount_groups (id, name) VALUES ('HURT', 'Hurt')")
    demo.sql(PRICES)
    demo.sql("UPDATE clients SET discount_group_id = 'HURT' WHERE id IN ('C-1', 'C-3')")
    demo.sql(CREDIT.format(**demo.words))
    tick()
    demo.show_prices("the panel's prices: 12.5 % off 9.99 is 8.74")
    demo.order("C-1", "500.00")
    demo.sql(LOWER_LIMIT.format(**demo.words))
    demo.panel_user("C-3", discount_group_id=0)
    tick()
    demo.order("C-1", "100.00")
    demo.show_prices("C-3 is back in its group")


def brake(demo: Demo) -> None:
    """Show a mass change being stopped, corrected and confirmed."""
    say("7. A forgotten condition: sixty accounts would be closed. The brake stops it")
    demo.sql("UPDATE clients SET active = false WHERE id LIKE 'H-%'")
    tick()
    demo.show_closed()
    told = kartoteka("status")
    console.print(told[told.index("Deferred") : told.index(texts.say("alarms.unknown", texts.EN))])
    console.print("only H-07 was meant; the rows are corrected, then a person confirms:")
    demo.sql("UPDATE clients SET active = true WHERE id LIKE 'H-%' AND id <> 'H-07'")
    console.print(kartoteka("resume", "accounts", "--confirm"), end="")
    tick()
    demo.show_closed()


def quiet(demo: Demo) -> None:
    """Show that nothing is sent once both sides are in step."""
    say("8. And when nothing changed, nothing is sent")
    tick()
    demo.show("how all stand", "SELECT state, count(*) AS records FROM sync_status GROUP BY state")
    fields = demo.words["all_of"].format("field")
    demo.show("what was written (sync_history, without the creations)", WRITTEN.format(fields=fields))


def main() -> int:
    """Run the demo; return the exit code."""
    began = time.monotonic()
    os.environ["COLUMNS"] = str(console.width)
    with told() as end:
        engine = wishes.engine(os.environ) or erp.SQLITE
        for name in NOT_THE_USERS_OWN:
            os.environ.pop(name, None)
        demo = start(engine)
        for part in (first_contact, answers, both_sides, addresses, edits, money, brake, quiet):
            part(demo)
        say(f"That was Kartoteka, in {time.monotonic() - began:.0f} seconds")
        console.print("The stack is still running, and its schedules fire every minute:")
        console.print(f"  see the panel, and edit an account       {demo.panel}/", soft_wrap=True)
        console.print(f"  write SQL into the exchange database     {erp.shell(demo.url)}", soft_wrap=True)
        console.print("  see what is in step and what is not      .venv/bin/kartoteka status")
        console.print("  synchronise now; stop                    make tick; make down")
    return end.code


if __name__ == "__main__":
    sys.exit(main())
