"""The exchange database's tables: the ERP's, which are made from the table of fields, and our own.

There are no foreign keys and few NOT NULLs, so that no bulk load of an ERP fails here; what a client lacks is said in
``sync_status``. In keys of our own tables an id that does not apply is the empty text, never null.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from kartoteka.adapters.sql.columns import (
    FOREIGN_ID,
    ID,
    UtcDateTime,
    count,
    day,
    flag,
    foreign_key,
    key,
    long_text,
    moment,
    number_key,
    of_fields,
    serial,
    text,
    word,
)
from kartoteka.adapters.sql.dialect.base import Watched
from kartoteka.fields.table import (
    BILLING,
    CLIENT_FIELDS,
    CONCERNS,
    CREDIT_COLUMNS,
    CURRENCY_FIELD,
    DELIVERY_ADDRESSES,
    GROUP_FIELD,
    GROUP_FIELDS,
    ITEM_COLUMNS,
    LOGIN,
    Fields,
    Rows,
)

COLUMNS: Mapping[str, Fields] = MappingProxyType(
    {
        "clients": CLIENT_FIELDS,
        "delivery_addresses": DELIVERY_ADDRESSES,
        "discount_groups": GROUP_FIELDS,
        "discount_group_items": ITEM_COLUMNS,
        "client_credit": CREDIT_COLUMNS,
        "incoming_clients": BILLING,
    }
)
"""Table -> the fields that are its columns, beside those that :class:`ErpTables` gives it."""


def _table(metadata: sa.MetaData, name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    counted = any(isinstance(part, sa.Column) and part.identity is not None for part in parts)
    return sa.Table(name, metadata, *parts, sqlite_autoincrement=counted)


class ErpTables:
    """The tables that the ERP writes, and ``incoming_clients``, in which it answers."""

    def __init__(self, columns: Mapping[str, Fields] = COLUMNS, concerns: Mapping[str, Rows] = CONCERNS) -> None:
        self.concerns = concerns
        self.metadata = metadata = sa.MetaData()

        def table(name: str, *keys: sa.Column[Any], more: tuple[sa.schema.SchemaItem, ...] = ()) -> sa.Table:
            """Return a table; moments are asked for by their range, so each of them has an index."""
            own = of_fields(columns.get(name, {}))
            indexes = (sa.Index(f"ix_{name}_{c.name}", c.name) for c in own if isinstance(c.type, UtcDateTime))
            return _table(metadata, name, *keys, *own, *more, *indexes)

        self.clients = table(
            "clients", key("id"), text(LOGIN, 40), more=(sa.Index(f"ix_clients_{GROUP_FIELD}", GROUP_FIELD),)
        )
        self.delivery_addresses = table("delivery_addresses", key("id"), text("client_id", ID, index=True))
        self.client_shops = table("client_shops", key("client_id"), number_key("shop_id"))
        self.discount_groups = table("discount_groups", key("id"))
        self.discount_group_items = table(
            "discount_group_items", key("group_id"), key("item_type", 16), number_key("item_id")
        )
        self.client_credit = table("client_credit", key("client_id"))
        self.incoming_clients = table(
            "incoming_clients",
            key("panel_client_id"),
            more=(moment("seen_at", now=True), text("client_id", ID, index=True)),
        )

    @property
    def watched(self) -> tuple[Watched, ...]:
        """Return every table the ERP writes, and every column it answers in."""
        return (
            Watched(self.clients, "id"),
            Watched(self.delivery_addresses),
            Watched(self.client_shops),
            Watched(self.discount_groups, "id", into="group_id"),
            Watched(self.discount_group_items, "group_id", into="group_id"),
            Watched(self.client_credit),
            Watched(self.incoming_clients, answer="client_id"),
            Watched(sync_matches, answer="decision"),
            Watched(sync_conflicts, answer="decision"),
            Watched(sync_status, answer="decision", group="group_id"),
            Watched(sync_plan, answer="decision", group="group_id"),
            Watched(sync_exclusions),
        )

    def named(self, name: str) -> sa.Table:
        """Return the table of this name."""
        return self.metadata.tables[name]


ERP = ErpTables()


def moments(table: sa.Table) -> tuple[sa.Column[Any], ...]:
    """Return the columns of a table that hold moments."""
    return tuple(column for column in table.columns if isinstance(column.type, UtcDateTime))


metadata = sa.MetaData()
"""Our own tables."""


def owner_of(table: sa.Table) -> sa.Column[Any]:
    """Return the column of the owner's id: ``client_id``, or the key of a table with one row for each owner."""
    (key,) = table.primary_key
    found: sa.Column[Any] = table.c.get("client_id", key)
    return found


def _own(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    return _table(metadata, name, *parts)


def _record_key() -> tuple[sa.Column[Any], ...]:
    """What names a record, as a primary key: a client's (``group_id`` empty) or a group's (``client_id`` empty)."""
    return (
        foreign_key("client_id"),
        foreign_key("group_id"),
        key("concern", 32),
        key("item_id", 100, server_default=""),
    )


def _about() -> tuple[sa.Column[Any], ...]:
    """What names a record, in a table with a key of its own."""
    return (
        word("client_id", FOREIGN_ID),
        word("group_id", FOREIGN_ID),
        word("concern", 32),
        word("item_id", 100),
    )


def _decision() -> tuple[sa.Column[Any], ...]:
    """What a person answers, and who did: the SQL user where the engine knows one, or what the writer says."""
    return text("decision", 16), text("decided_by", 255)


sync_links = _own(
    "sync_links",
    foreign_key("client_id"),
    text("panel_client_id", ID, nullable=False),
    text("panel_login", 255),
    moment("linked_at", now=True),
    text("linked_by", 16),
    word("former_code", FOREIGN_ID),
    sa.Index("ux_sync_links_panel_client", "panel_client_id", unique=True),
)

sync_base = _own(
    "sync_base",
    *_record_key(),
    long_text("values"),
    text("panel_item_id", ID),
    long_text("notes"),
    long_text("intent"),
    moment("due_at"),
    count("attempts"),
    count("tries"),
    word("code"),
    moment("unread_since"),
    moment("at", now=True),
    # Partial: most records are not deferred, so that it stays small, and no statement about other rows is led to it.
    sa.Index(
        "ix_sync_base_due",
        "concern",
        "due_at",
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    ),
)
"""What is kept of a record: its base, the panel's id of it, notes, intent, deferral (``due_at`` null: none)."""

sync_status = _own(
    "sync_status",
    *_record_key(),
    word("state", 16),
    moment("since", now=True),
    moment("last_in_step_at"),
    word("code"),
    word("field"),
    long_text("message_pl"),
    long_text("message_en"),
    *_decision(),
    sa.Index("ix_sync_status_state", "state", "concern"),
)

sync_history = _own(
    "sync_history",
    serial("id"),
    moment("at", now=True),
    word("run_id"),
    *_about(),
    word("field"),
    word("direction", 16),
    word("reason", 16),
    long_text("value_before"),
    long_text("value_after"),
    flag("counts"),
    flag("passed"),
    word("found_by", 16),
    moment("erased_at"),
    sa.Index("ix_sync_history_client", "client_id", "at"),
    sa.Index("ix_sync_history_erased", "erased_at", "at"),
    sa.Index("ix_sync_history_counts", "concern", "counts", "at"),
)

sync_conflicts = _own(
    "sync_conflicts",
    serial("id"),
    word("client_id", FOREIGN_ID),
    word("concern", 32),
    word("item_id", 100),
    word("field"),
    long_text("erp_value"),
    long_text("panel_value"),
    long_text("base_value"),
    moment("raised_at", now=True),
    *_decision(),
    moment("decided_at"),
    moment("closed_at"),
    moment("erased_at"),
    sa.Index("ix_sync_conflicts_client", "client_id", "concern", "closed_at"),
)

sync_matches = _own(
    "sync_matches",
    foreign_key("client_id"),
    key("panel_client_id"),
    text("matched_by", 32),
    *_decision(),
    moment("raised_at", now=True),
    sa.Index("ix_sync_matches_panel_client", "panel_client_id"),
)

sync_exclusions = _own(
    "sync_exclusions",
    foreign_key("client_id"),
    key("concern", 32),
    text("reason", 255),
)
"""Who is left alone in which concern: written by the ERP, or by the desk."""

sync_panel_accounts = _own(
    "sync_panel_accounts",
    key("panel_client_id"),
    word("login", 255),
    word("external_code", 255),
    word("code_key", 255),
    word("tax_number", 100),
    word("mail", 350),
    word("telephone", 150),
    moment("modified_at"),
    flag("guest"),
    day("registered"),
    moment("seen_at", now=True),
    *(
        sa.Index(f"ix_sync_panel_accounts_{name}", name)
        for name in ("code_key", "tax_number", "mail", "telephone", "modified_at", "registered")
    ),
)

sync_forgotten = _own(
    "sync_forgotten",
    key("digest"),
    word("client", ID),
    moment("forgotten_at", now=True),
    moment("swept_at"),
    moment("modified_at"),
    day("registered"),
    moment("seen_at"),
    sa.Index("ix_sync_forgotten_client", "client"),
)
"""Who was erased: keyed digests of a client's code, and of each account's number beside its ``client``'s digest.

``swept_at``: when the erasure was made once more. Of an account also when it was last seen, and its dates, since the
panel goes on counting it.
"""

sync_prices = _own(
    "sync_prices",
    foreign_key("group_id"),
    key("item_type", 16),
    key("item_id"),
    text("price", 40),
    word(CURRENCY_FIELD, 16),
    word("refused"),
    moment("sent_at"),
)

sync_pauses = _own(
    "sync_pauses",
    key("concern", 32),
    word("reason"),
    word("code"),
    moment("paused_at"),
    moment("released_at"),
)
"""What is stopped (``reason`` not empty; ``code`` says more, where there is one), and when a person last let pass what
the brake had stopped."""

sync_owner = _own(
    "sync_owner",
    number_key("id"),
    word("installation", 255),
    moment("since", now=True),
    word("former", 255),
)
"""Whose this database is: one row, or none while it is nobody's. An id of 255 holds the longest ARN of a stack."""

sync_plan = _own(
    "sync_plan",
    serial("id"),
    moment("planned_at", now=True),
    *_about(),
    word("action", 16),
    word("field"),
    word("direction", 16),
    long_text("value_from"),
    long_text("value_to"),
    word("reason"),
    *_decision(),
    text("outcome", 16),
    sa.Index("ix_sync_plan_client", "client_id", "group_id", "concern"),
    sa.Index("ix_sync_plan_concern", "concern", "outcome", "decision"),
)

# Generous lengths: a row that the ERP may have in a table of its own must not fail in the trigger.
change_log = _own(
    "change_log",
    serial("seq"),
    word("table_name"),
    word("client_id", FOREIGN_ID),
    word("group_id", FOREIGN_ID),
    word("row_id", 400),
    word("operation", 1),
    moment("logged_at", now=True),
)

sync_schema = _own(
    "sync_schema",
    number_key("version"),
    moment("applied_at", now=True),
)


def all_tables(erp: ErpTables) -> list[sa.Table]:
    """Return every table, the ERP's first."""
    return [*erp.metadata.tables.values(), *metadata.tables.values()]


OPTIONAL = frozenset({sync_schema.name})
"""Tables that the functions can do without."""
