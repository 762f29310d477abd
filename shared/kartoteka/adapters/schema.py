"""The exchange database's tables, their triggers, and the way from one version of them to the next.

:func:`create` and :func:`upgrade` add what is missing and never change or drop what is there: an ERP's author may have
made the tables himself, or added columns. There are no foreign keys and few NOT NULLs, so that no bulk load of an ERP
fails here; what a card lacks is said in ``sync_status``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from kartoteka.adapters.dialects import (
    ENGINES,
    NO_SCHEMA,
    WRITES,
    Engine,
    UtcNow,
    Watched,
    engine_for,
    translated,
)
from kartoteka.core.errors import Halt

VERSION = 3
"""The version of the schema that this code works with."""

ID = 40
"""Characters of a customer code, and of a panel's id."""

FOREIGN_ID = 255
"""Characters of a customer code in our own tables: a longer one in a table of the ERP's own must not stop a chunk."""

metadata = sa.MetaData()


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment: aware in Python, UTC without a zone in the database, whatever the session's zone is."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """Return the moment as the database keeps it."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """Return the moment with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_FLAGS = dict.fromkeys(("t", "true", "y", "yes", "1"), True) | dict.fromkeys(("f", "false", "n", "no", "0"), False)


class Flag(sa.Boolean):
    """A truth value, read from whatever an ERP may have put there on an engine without a type for it."""

    cache_ok = True

    def result_processor(self, _dialect: sa.Dialect, _coltype: object) -> Callable[[Any], bool | None]:
        """Return what reads a stored value."""
        return self.read

    @staticmethod
    def read(value: Any) -> bool | None:
        """Return what a stored value says; None for what says nothing."""
        if value is None or isinstance(value, bool):
            return value
        return value != 0 if isinstance(value, int) else _FLAGS.get(str(value).strip().lower())


def _text(name: str, length: int, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Unicode(length), **options)


def _long(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.UnicodeText, **options)


def _key(name: str, length: int = ID, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Unicode(length), primary_key=True, **options)


def _number_key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)


def _item_key() -> sa.Column[Any]:
    return _key("item_id", 100, server_default="")


def _word(name: str, length: int = 64) -> sa.Column[Any]:
    return sa.Column(name, sa.Unicode(length), nullable=False, server_default="")


def _money(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Numeric(12, 2))


def _moment(name: str, *, now: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime, nullable=not now, server_default=UtcNow() if now else None)


def _serial(name: str) -> sa.Column[Any]:
    whole = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    return sa.Column(name, whole, sa.Identity(), primary_key=True)


def _table(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, metadata, *parts, sqlite_autoincrement=any(_is_serial(part) for part in parts))


def _is_serial(part: sa.schema.SchemaItem) -> bool:
    return isinstance(part, sa.Column) and part.identity is not None


def _place() -> tuple[sa.Column[Any], ...]:
    """Where somebody is: the same columns in every table with an address."""
    return (
        _text("street", 200),
        _text("zip_code", 20),
        _text("city", 100),
        sa.Column("country_code", sa.CHAR(2), server_default="PL"),
    )


def _billing() -> tuple[sa.Column[Any], ...]:
    return (
        _text("email", 350),
        _text("phone", 150),
        _text("client_type", 16),
        _text("first_name", 100),
        _text("last_name", 100),
        _text("company", 300),
        _text("nip", 30),
        *_place(),
        sa.Column("language", sa.CHAR(3)),
        sa.Column("currency", sa.CHAR(3)),
        sa.Column("wholesaler", Flag),
    )


clients = _table(
    "clients",
    _key("id"),
    _text("login", 40),
    *_billing(),
    sa.Column("active", Flag, server_default=sa.true()),
    _text("discount_group_id", ID),
    sa.Index("ix_clients_discount_group", "discount_group_id"),
)

delivery_addresses = _table(
    "delivery_addresses",
    _key("id"),
    _text("client_id", ID),
    _text("first_name", 100),
    _text("last_name", 100),
    _text("additional", 300),
    _text("phone", 150),
    *_place(),
    sa.Index("ix_delivery_addresses_client", "client_id"),
)

client_shops = _table(
    "client_shops", _key("client_id"), sa.Column("shop_id", sa.Integer, primary_key=True, autoincrement=False)
)

discount_groups = _table("discount_groups", _key("id"), _text("name", 200))

discount_group_items = _table(
    "discount_group_items",
    _key("group_id"),
    _key("item_type", 16),
    _number_key("item_id"),
    _money("price"),
    sa.Column("rebate_percent", sa.Numeric(5, 2)),
    _money("base_price"),
    sa.Column("currency", sa.CHAR(3)),
    _moment("valid_from"),
    _moment("valid_to"),
    sa.Index("ix_discount_group_items_valid_from", "valid_from"),
    sa.Index("ix_discount_group_items_valid_to", "valid_to"),
)

client_credit = _table(
    "client_credit",
    _key("client_id"),
    sa.Column("credit_allowed", Flag),
    _money("credit_limit"),
    _money("balance"),
    sa.Column("currency", sa.CHAR(3)),
    sa.Column("payment_days", sa.Integer),
    _moment("as_of"),
    sa.Index("ix_client_credit_as_of", "as_of"),
)

incoming_clients = _table(
    "incoming_clients",
    _key("panel_client_id"),
    *_billing(),
    _moment("seen_at", now=True),
    _text("client_id", ID),
    sa.Index("ix_incoming_clients_client", "client_id"),
)

sync_links = _table(
    "sync_links",
    _key("client_id", FOREIGN_ID),
    _text("panel_client_id", ID, nullable=False),
    _text("panel_login", 255),
    _moment("linked_at", now=True),
    _text("linked_by", 16),
    sa.Index("ix_sync_links_panel_client", "panel_client_id"),
)

sync_agreed = _table(
    "sync_agreed",
    _key("client_id", FOREIGN_ID),
    _key("concern", 32),
    _item_key(),
    _long("values", nullable=False),
    _text("panel_item_id", ID),
    _moment("agreed_at", now=True),
)

sync_panel_accounts = _table(
    "sync_panel_accounts",
    _key("panel_client_id"),
    _word("login", 255),
    _word("external_code", 255),
    _word("nip", 100),
    _word("email", 350),
    _moment("modified_at"),
    sa.Column("guest", Flag, nullable=False, server_default=sa.false()),
    _moment("seen_at", now=True),
    sa.Index("ix_sync_panel_accounts_code", "external_code"),
    sa.Index("ix_sync_panel_accounts_nip", "nip"),
    sa.Index("ix_sync_panel_accounts_email", "email"),
    sa.Index("ix_sync_panel_accounts_modified", "modified_at"),
)

sync_prices = _table(
    "sync_prices",
    _key("group_id", FOREIGN_ID),
    _key("item_type", 16),
    _key("item_id"),
    _text("price", 40),
    _word("currency", 16),
    _word("refused"),
    _moment("sent_at"),
)

sync_matches = _table(
    "sync_matches",
    _key("client_id", FOREIGN_ID),
    _key("panel_client_id"),
    _text("matched_by", 32),
    _text("decision", 16),
    _moment("raised_at", now=True),
    sa.Index("ix_sync_matches_panel_client", "panel_client_id"),
)

sync_status = _table(
    "sync_status",
    _key("client_id", FOREIGN_ID),
    _key("concern", 32),
    _item_key(),
    _word("state", 16),
    _moment("since", now=True),
    _moment("last_in_step_at"),
    _word("code"),
    _long("message"),
    sa.Index("ix_sync_status_state", "state", "concern"),
)

sync_conflicts = _table(
    "sync_conflicts",
    _serial("id"),
    _word("client_id", FOREIGN_ID),
    _word("concern", 32),
    _word("item_id", 100),
    _word("field"),
    _long("erp_value"),
    _long("panel_value"),
    _long("base_value"),
    _moment("raised_at", now=True),
    _text("decision", 16),
    _moment("decided_at"),
    _moment("closed_at"),
    sa.Index("ix_sync_conflicts_client", "client_id", "concern", "closed_at"),
)

sync_history = _table(
    "sync_history",
    _serial("id"),
    _moment("at", now=True),
    _word("run_id"),
    _word("client_id", FOREIGN_ID),
    _word("concern", 32),
    _word("item_id", 100),
    _word("field"),
    _word("direction", 16),
    _word("reason", 16),
    _long("value_before"),
    _long("value_after"),
    sa.Column("risky", Flag, nullable=False, server_default=sa.false()),
    sa.Index("ix_sync_history_client", "client_id", "at"),
    sa.Index("ix_sync_history_risky", "concern", "risky", "at"),
)

sync_plan = _table(
    "sync_plan",
    _serial("id"),
    _moment("planned_at", now=True),
    _word("client_id", FOREIGN_ID),
    _word("concern", 32),
    _word("item_id", 100),
    _word("action", 16),
    _text("field", 64),
    _text("direction", 16),
    _long("value_from"),
    _long("value_to"),
    _text("reason", 64),
    sa.Index("ix_sync_plan_client", "client_id", "concern"),
)

sync_intents = _table(
    "sync_intents",
    _key("client_id", FOREIGN_ID),
    _key("concern", 32),
    _item_key(),
    _long("values", nullable=False),
    sa.Column("creating", Flag, nullable=False, server_default=sa.false()),
    _word("login", 255),
    _word("linked_by", 32),
    _moment("at", now=True),
)

sync_parked = _table(
    "sync_parked",
    _key("client_id", FOREIGN_ID),
    _key("concern", 32),
    _item_key(),
    _moment("due_at", now=True),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    _word("code"),
    sa.Index("ix_sync_parked_due", "concern", "due_at"),
)

# Generous lengths: a row that the ERP may have in a table of his own must not fail in the trigger.
change_log = _table(
    "change_log",
    _serial("seq"),
    _word("table_name"),
    _word("client_id", FOREIGN_ID),
    _word("row_id", 400),
    _word("operation", 1),
    _text("origin", 16, nullable=False, server_default="erp"),
    _moment("logged_at", now=True),
)

sync_writer = _table("sync_writer", _key("origin", 16))
"""The mark of our own writes, on engines whose sessions know no variables. Never seen outside the transaction."""

sync_schema = _table(
    "sync_schema",
    _number_key("version"),
    _moment("applied_at", now=True),
)

WATCHED = (
    Watched("clients", "id", ("id",)),
    Watched("delivery_addresses", "client_id", ("id",)),
    Watched("client_shops", "client_id", ("shop_id",)),
    Watched("discount_groups", "id", ("id",)),
    Watched("discount_group_items", "group_id", ("item_type", "item_id")),
    Watched("client_credit", "client_id", ("client_id",)),
    Watched("incoming_clients", "client_id", ("panel_client_id",), answer="client_id"),
    Watched("sync_matches", "client_id", ("panel_client_id",), answer="decision"),
    Watched("sync_conflicts", "client_id", ("id",), answer="decision"),
)
"""Every table the ERP writes, and every column it answers in."""

Step = Callable[[sa.Connection], None]

STEPS: Mapping[int, Step] = {}
"""Version -> what cannot be done by adding what is missing: renaming, filling, changing types. Run once, in order."""


def create(engine: sa.Engine) -> int:
    """Create what is missing, bring an older version up to date, and return the version. Safe to repeat."""
    with _changing(engine) as (connection, known):
        return _bring_up_to_date(connection, known)


def upgrade(engine: sa.Engine) -> int:
    """Bring an existing schema up to date and return its version. Raises Halt where there is none."""
    with _changing(engine) as (connection, known):
        if not _installed(connection):
            raise Halt("no_schema", NO_SCHEMA)
        return _bring_up_to_date(connection, known)


def ddl(name: str) -> str:
    """Return the whole schema as a script for this engine; running it twice changes nothing."""
    known = ENGINES[name]
    dialect = known.dialect()
    parts: list[sa.DDLElement] = [CreateTable(table, if_not_exists=True) for table in _tables(known)]
    parts += [CreateIndex(index, if_not_exists=True) for table in _tables(known) for index in _indexes(table)]
    script = [str(part.compile(dialect=dialect)).strip() for part in parts]
    script += [statement for watched in WATCHED for statement in known.triggers(watched)]
    once = "WHERE NOT EXISTS (SELECT 1 FROM sync_schema)"
    script.append(f"INSERT INTO sync_schema (version) SELECT {VERSION} {once}")
    return "".join(f"{statement};\n\n" for statement in script)


def check(connection: sa.Connection) -> None:
    """Raise Halt unless the database has exactly the version that this code works with."""
    version = connection.scalar(sa.select(sa.func.max(sync_schema.c.version))) or 0
    _refuse_newer(version)
    if version < VERSION:
        raise Halt("old_schema", f"the exchange tables have version {version}: run `kartoteka schema upgrade --url …`")


@contextlib.contextmanager
def _changing(engine: sa.Engine) -> Iterator[tuple[sa.Connection, Engine]]:
    known = engine_for(engine.url)
    options = engine.execution_options(**{WRITES: True, "no_parameters": True})
    with translated(known), options.begin() as connection:
        known.lock_schema(connection)
        yield connection, known


def _bring_up_to_date(connection: sa.Connection, known: Engine) -> int:
    before = _installed(connection)
    _refuse_newer(before)
    for version in sorted(STEPS):
        if 0 < before < version:
            STEPS[version](connection)
    _complete(connection, known)
    if before < VERSION:
        connection.execute(sync_schema.insert().values(version=VERSION))
    return VERSION


def _installed(connection: sa.Connection) -> int:
    """Return the version that is there, 0 where there is none."""
    if not sa.inspect(connection).has_table(sync_schema.name):
        return 0
    return connection.scalar(sa.select(sa.func.max(sync_schema.c.version))) or 0


def _refuse_newer(version: int) -> None:
    if version > VERSION:
        raise Halt(
            "newer_schema", f"the exchange tables have version {version}, this program knows {VERSION}: update it"
        )


def _complete(connection: sa.Connection, known: Engine) -> None:
    """Add the tables, columns, indexes and triggers that are missing."""
    inspector = sa.inspect(connection)
    for table in _tables(known):
        if inspector.has_table(table.name):
            _complete_table(connection, known, inspector, table)
        else:
            table.create(connection, checkfirst=False)
    for watched in WATCHED:
        for statement in known.triggers(watched):
            connection.exec_driver_sql(statement)


def _complete_table(connection: sa.Connection, known: Engine, inspector: sa.Inspector, table: sa.Table) -> None:
    present = {column["name"].lower() for column in inspector.get_columns(table.name)}
    for column in table.columns:
        if column.name not in present:
            _add_column(connection, known, column)
    indexed = {index["name"] for index in inspector.get_indexes(table.name)}
    for index in _indexes(table):
        if index.name not in indexed:
            index.create(connection)


def _add_column(connection: sa.Connection, known: Engine, column: sa.Column[Any]) -> None:
    if column.primary_key:
        raise Halt("foreign_table", f"there is a table {column.table.name} without its key column {column.name}")
    definition = CreateColumn(column).compile(dialect=connection.dialect)
    connection.exec_driver_sql(known.add_column.format(table=column.table.name, column=definition))


def _tables(known: Engine) -> list[sa.Table]:
    return [table for table in metadata.sorted_tables if table is not sync_writer or known.marker_table]


def _indexes(table: sa.Table) -> list[sa.Index]:
    return sorted(table.indexes, key=lambda index: str(index.name))
