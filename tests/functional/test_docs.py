"""What the pages for people say is tried: their SQL runs, their policies parse, their commands exist."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from cli import docs
from cli.main import kartoteka
from kartoteka.adapters.sql import tables, upgrade
from kartoteka.adapters.sql.dialect import parse_url
from kartoteka.concerns.accounts import opening
from kartoteka.concerns.discounts import prices
from kartoteka.errors import Halt
from kartoteka.fields.table import ACCOUNT_FIELDS
from kartoteka.policy import Policy, parse
from local.postgres import PostgresServer
from tests.fixtures.exchange import Connect, SqlBench, SqlErp
from tests.fixtures.records import groups, load, row_of

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")])
WRONG = (
    '{"billing": {"conflict": "newest"}}',
    '{"biling": {}}',
    '{"billing": {"fields": {"vat": {}}}}',
    '{"accounts": {"login": {"mode": "pattern", "pattern": "{name}-{id}"}}}',
    '{"panel": {"required_on_create": ["emial"]}}',
    '{"accounts": {"match": ["nip", "login"]}, "brake": {"max_share": 20}}',
    '{"panel": {"batch_size": 500}, "retry": {"max_attempts": 0}}',
    '{"version":1,}',
)


def blocks(page: str, fence: str) -> list[str]:
    """Return the fenced blocks of a page whose fence says exactly this."""
    return re.findall(rf"^```{fence}\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.MULTILINE | re.DOTALL)


def statements(engine: str) -> list[str]:
    """Return the statements of the ERP author's page, in its order; those of one engine after the others."""
    found = blocks("exchange-database.md", "sql") + blocks("exchange-database.md", f"sql {engine}")
    return [part.strip() for block in found for part in block.split(";") if part.strip()]


def test_the_made_pages_are_up_to_date() -> None:
    for name, text in docs.pages().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, "run `.venv/bin/python -m cli.docs`"


def test_the_sql_for_the_erps_author_runs(sql: SqlBench, postgres_server: PostgresServer) -> None:
    engine = sql.erp.engine.dialect.name
    if engine == "postgresql":
        postgres_server.execute("DROP ROLE IF EXISTS erp_app")
        postgres_server.execute("CREATE ROLE erp_app")
    sql.erp.run("INSERT INTO incoming_clients (panel_client_id, email) VALUES ('57', 'ewa@lis.example')")
    for client_id, account in (("K-1003", "12"), ("K-1003", "13"), ("K-1004", "14")):
        sql.erp.run("INSERT INTO sync_matches (client_id, panel_client_id) VALUES (:c, :a)", c=client_id, a=account)
    with sql.erp.engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT", no_parameters=True)
        for statement in statements(engine):
            plain.exec_driver_sql(statement)
    client = sql.erp.client("K-1001")
    assert client
    assert client["street"] == "Krótka 7"
    address = sql.erp.address("A-1")
    assert address
    assert address["street"] == "Portowa 4"
    assert [tuple(row.values()) for row in sql.erp.run("SELECT * FROM client_shops ORDER BY client_id")] == [
        ("K-1001", 1),
        ("K-1002", 1),
    ]
    _assert_the_money_arrived(sql)
    answered = {(e[0], e[1], e[3]) for e in sql.erp.log() if e[0] in ("sync_matches", "incoming_clients") and e[1]}
    assert answered >= {
        ("sync_matches", "K-1003", "12"),
        ("sync_matches", "K-1004", "14"),
        ("incoming_clients", "K-1005", "57"),
    }


CLIENTS = re.compile(r"INSERT INTO clients \([^)]*\)\s+VALUES\s+\([^…]*?'\)(?=[;\"])")


def test_every_client_that_a_page_inserts_is_one_that_an_account_is_opened_for(empty_exchange: SqlBench) -> None:
    examples = [(page.name, found) for page in PAGES for found in CLIENTS.findall(page.read_text())]
    assert {name for name, _ in examples} >= {"README.md", "exchange-database.md"}
    for name, statement in examples:
        empty_exchange.erp.script("DELETE FROM clients", statement)
        (client_id,) = (row["id"] for row in empty_exchange.erp.run("SELECT id FROM clients"))
        row = row_of(load(empty_exchange, client_id, "accounts"))
        given = opening.values(row, Policy(), set(ACCOUNT_FIELDS), (1,))
        said = [*opening.lacking(row, Policy(), (1,), "clients"), *opening.refusals(given, row, {}, Policy())]
        assert said == [], f"{name}: {statement}"


@pytest.fixture
def empty_exchange(tmp_path: Path, connect: Connect) -> SqlBench:
    url = f"sqlite:///{tmp_path / 'exchange.db'}"
    exchange = connect(url)
    upgrade.create(exchange.database.engine)
    return SqlBench(exchange, SqlErp(parse_url(url)), url)


class OrmBase(DeclarativeBase):
    """Classes of an ERP's program."""


class OrmClient(OrmBase):
    """A client as an ERP's program maps it."""

    __tablename__ = "clients"
    id: Mapped[str] = mapped_column(primary_key=True)
    street: Mapped[str | None]
    city: Mapped[str | None]


@pytest.mark.parametrize(("how", "street"), [("read", "Nowa 8"), ("statement", "Nowa 8"), ("merge", "Stara 1")])
def test_what_the_page_says_of_an_orm_is_so(empty_exchange: SqlBench, how: str, street: str) -> None:
    """The customer moves to Nowa 8 while the program, which knows the former street, writes another town."""
    empty_exchange.erp.insert_client("K-1", street="Stara 1", city="Łódź")
    with Session(empty_exchange.erp.engine) as session:
        kept = session.get_one(OrmClient, "K-1")
        session.commit()
        session.refresh(kept)
        session.expunge(kept)
    empty_exchange.erp.update_client("K-1", street="Nowa 8")
    with Session(empty_exchange.erp.engine) as session, session.begin():
        if how == "merge":
            kept.city = "Kutno"
            session.merge(kept)
        elif how == "read":
            session.get_one(OrmClient, "K-1").city = "Kutno"
        else:
            session.execute(sa.update(OrmClient).where(OrmClient.id == "K-1").values(city="Kutno"))
    row = empty_exchange.erp.client("K-1")
    assert row
    assert (row["street"], row["city"]) == (street, "Kutno")


def _assert_the_money_arrived(sql: SqlBench) -> None:
    """The page's group, prices and figures are read as the page says."""
    (group,) = sql.exchange.records.load("discounts", groups("HURT"))
    assert group.erp == {"name": "Hurtownie"}
    items = [item for item, _ in sql.exchange.prices.items("HURT", None, 10)]
    always, dated = {("category", "4"): "8.74"}, {("product", "1018"): "5.00"}
    for now, expected in (
        (datetime(2026, 11, 30, 23, 59, tzinfo=UTC), always),
        (datetime(2026, 12, 1, tzinfo=UTC), always | dated),
        (datetime(2026, 12, 23, 23, 59, tzinfo=UTC), always | dated),
        (datetime(2026, 12, 24, tzinfo=UTC), always),
    ):
        found = [prices.wanted(item, now) for item in items]
        assert {price.key: price.price for price in found if price} == expected
    (figures,) = sql.erp.run("SELECT credit_allowed, balance, as_of FROM client_credit")
    assert bool(figures["credit_allowed"])
    assert str(figures["balance"]).startswith("980")
    newest = sql.exchange.figures.newest(datetime.now(UTC))
    assert newest
    assert abs((datetime.now(UTC) - newest).total_seconds()) < 600, "`as_of` is written in UTC"


def test_the_rights_of_the_page_are_enough(postgres_bench: SqlBench, postgres_server: PostgresServer) -> None:
    postgres_server.execute("DROP ROLE IF EXISTS erp_app")
    postgres_server.execute("CREATE ROLE erp_app")
    for statement in statements("postgresql"):
        if statement.startswith("GRANT"):
            postgres_bench.erp.run(statement)
    postgres_bench.erp.run("INSERT INTO sync_conflicts (client_id, field) VALUES ('K-1', 'street')")
    postgres_bench.erp.run("INSERT INTO sync_matches (client_id, panel_client_id) VALUES ('K-1', '5')")
    postgres_bench.erp.run("INSERT INTO incoming_clients (panel_client_id) VALUES ('5')")
    before = len(postgres_bench.erp.log())
    as_erp = (
        "INSERT INTO clients (id) VALUES ('K-1')",
        "UPDATE clients SET street = 'A' WHERE id = 'K-1'",
        "UPDATE sync_conflicts SET decision = 'erp' WHERE id = 1 AND closed_at IS NULL",
        "UPDATE sync_matches SET decision = 'create' WHERE client_id = 'K-1'",
        "UPDATE incoming_clients SET client_id = 'K-1' WHERE panel_client_id = '5'",
        "INSERT INTO delivery_addresses (id, client_id) VALUES ('A-1', 'K-1')",
        "INSERT INTO client_shops (client_id, shop_id) VALUES ('K-1', 1)",
        "DELETE FROM clients",
        "TRUNCATE clients",
        "SELECT * FROM sync_open",
        "SELECT * FROM sync_status, sync_links, sync_history, sync_matches",
        "DELETE FROM sync_links WHERE client_id = 'K-1'",
        "INSERT INTO sync_exclusions (client_id, concern) VALUES ('K-1', 'billing')",
        "DELETE FROM sync_exclusions",
    )
    postgres_bench.erp.script("SET ROLE erp_app", *as_erp)
    assert [entry[4] for entry in postgres_bench.erp.log()[before:]] == [
        "I",
        "U",
        "U",
        "U",
        "U",
        "I",
        "I",
        "D",
        "I",
        "D",
    ]


def test_the_policies_of_the_page_are_valid() -> None:
    found = blocks("policy.md", "json")
    assert len(found) == 4
    assert all(parse(text) != Policy() for text in found)


@pytest.mark.parametrize("text", WRONG)
def test_the_errors_of_the_policys_page_are_real(text: str) -> None:
    with pytest.raises(Halt) as caught:
        parse(text)
    assert str(caught.value) in (ROOT / "docs" / "policy.md").read_text()


def test_every_key_of_the_policy_is_told_of() -> None:
    page = (ROOT / "docs" / "policy.md").read_text()
    assert [name for name in Policy.model_fields if f"`{name}" not in page] == []
    money_keys = [f"{n}.{key}" for n in ("discounts", "credit") for key in type(getattr(Policy(), n)).model_fields]
    assert [key for key in money_keys if not key.endswith(".mode") and f"`{key}`" not in page] == []


def test_every_table_of_the_erps_author_is_told_of() -> None:
    page = (ROOT / "docs" / "exchange-database.md").read_text()
    every = [*tables.ERP.metadata.sorted_tables, *tables.metadata.sorted_tables]
    named = {table.name: table for table in every}
    untold = [name for name in named if f"`{name}`" not in page]
    assert untold == []
    for name in ("discount_groups", "discount_group_items", "client_credit"):
        assert [column.name for column in named[name].columns if f"`{column.name}`" not in page] == []


def test_the_alarms_and_parameters_of_the_runbook_are_the_templates() -> None:
    page, template = ((ROOT / name).read_text() for name in ("docs/runbook.md", "template.yaml"))
    alarms_of_figures = ("MostHeld", "MostConflicts", "MostRefusedPercent", "SilenceMinutes")
    for name in ("AddressesPerPass", "AddressPassSchedule", "MessageEmail", *alarms_of_figures):
        assert f"`{name}`" in page
        assert f"  {name}:\n    Type:" in template
    every = re.findall(r"^ +(?:- )?([\w${}]+Alarm):$", template, re.MULTILINE)  # in a loop: ${Function}HaltAlarm
    alarms = set(
        re.findall(
            r"(?:DeadLetter|Halt|Delay|Error|Brake|Stopped|Unread|Silence|Refused|Held|Conflict|Budget)Alarm$",
            "\n".join(every),
            re.MULTILINE,
        )
    )
    assert [name for name in every if not any(name.endswith(alarm) for alarm in alarms)] == []
    assert set(re.findall(r"\*\*`…(\w+)`", page)) == alarms


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _commands() -> set[str]:
    context = click.Context(kartoteka)
    return set(kartoteka.list_commands(context))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_exists(page: Path) -> None:
    text = page.read_text()
    named = set(re.findall(r"(?:^|`)(?:\.venv/bin/)?kartoteka ([a-z]+)", text, re.MULTILINE))
    assert named <= _commands()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) <= targets
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text)
    assert [link for link, _ in links if not (page.parent / link).exists()] == []
    assert [
        anchor for link, anchor in links if anchor and anchor not in _anchors(page.parent / link if link else page)
    ] == []
