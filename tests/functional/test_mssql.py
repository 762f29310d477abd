"""SQL Server's dialect: its triggers, its sessions, what it makes of errors, and the driver under it.

No SQL Server runs here: SQLite carries out the triggers' own statements on the rows that a server would hand them, and
stand-ins answer for the driver.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytds
import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL.crypto import X509
from pytds.tds_base import Param

from kartoteka.adapters.sql.dialect import parse_url
from kartoteka.adapters.sql.dialect.base import Watched, translated
from kartoteka.adapters.sql.dialect.mssql import Mssql, trigger
from kartoteka.adapters.sql.dialect.tds import LONGEST, _Cursor, _parameter, encryption, is_named
from kartoteka.adapters.sql.tables import ERP, change_log
from kartoteka.errors import Halt, Retry
from kartoteka.ports.exchange import Saved
from tests import tsql
from tests.fixtures.exchange import SqlBench
from tests.fixtures.records import edit, save

Rows = Sequence[Mapping[str, str | None]]


# --- triggers


class Fired:
    """A table and the log in SQLite, and the statements of its trigger."""

    def __init__(self, name: str) -> None:
        (self.watched,) = (watched for watched in ERP.watched if watched.table.name == name)
        self.raw = sqlite3.connect(":memory:", isolation_level=None)
        self.raw.create_function("ORIGINAL_LOGIN", 0, lambda: "erp")
        self.columns = list(dict.fromkeys((*self.watched.key, *self.watched.owners.values(), *self._answers())))
        for table in (name, "inserted", "deleted"):
            self.raw.execute(f"CREATE TABLE {table} ({', '.join(self.columns)})")
        self.raw.execute("CREATE TABLE change_log (table_name, client_id, group_id, row_id, operation)")

    def _answers(self) -> list[str]:
        return [n for n in ("decision", "decided_by", "client_id") if n in self.watched.table.c and self.watched.answer]

    def by(self, deleted: Rows = (), inserted: Rows = ()) -> list[tuple[str, str]]:
        """Return what the log says (owner and row, operation) of a statement that left these rows."""
        for table, rows in (("deleted", deleted), ("inserted", inserted), (self.watched.table.name, inserted)):
            for row in rows:
                self.raw.execute(
                    f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values())
                )
        ((_, create),) = trigger(self.watched).items()
        for statement in _statements(create):
            self.raw.execute(tsql.translated(statement))
        logged = self.raw.execute("SELECT coalesce(client_id, group_id) || '/' || row_id, operation FROM change_log")
        return sorted(tuple(row) for row in logged)


def _statements(create: str) -> Iterator[str]:
    body = create.partition("BEGIN\n")[2].rpartition("\nEND")[0]
    yield from (part.strip() for part in body.split(";\n") if part.strip().startswith(("INSERT", "UPDATE")))


def address(row_id: str, client_id: str | None) -> dict[str, str | None]:
    return {"id": row_id, "client_id": client_id}


@pytest.mark.parametrize(
    ("deleted", "inserted", "logged"),
    [
        ([], ["C-1", "C-2", "C-3"], [("C-1/C-1", "I"), ("C-2/C-2", "I"), ("C-3/C-3", "I")]),
        (["C-1", "C-2"], ["C-1", "C-2"], [("C-1/C-1", "U"), ("C-2/C-2", "U")]),
        (["C-1", "C-2"], [], [("C-1/C-1", "D"), ("C-2/C-2", "D")]),
        (["C-1", "C-2"], ["C-9", "C-2"], [("C-1/C-1", "D"), ("C-2/C-2", "U"), ("C-9/C-9", "I")]),
        (["C-1", "C-2"], ["C-2", "C-1"], [("C-1/C-1", "U"), ("C-2/C-2", "U")]),
        ([], [], []),
    ],
    ids=["insert", "update", "delete", "a new key among others", "keys that are exchanged", "no row"],
)
def test_a_statement_logs_every_row_that_it_changed(deleted: list[str], inserted: list[str], logged: Any) -> None:
    rows = ([{"id": each} for each in some] for some in (deleted, inserted))
    assert Fired("clients").by(*rows) == logged


@pytest.mark.parametrize(
    ("before", "after", "logged"),
    [
        ("C-1", "C-2", [("C-1/A-1", "D"), ("C-2/A-1", "I")]),
        ("C-1", None, [("/A-1", "I"), ("C-1/A-1", "D")]),
        (None, "C-1", [("/A-1", "D"), ("C-1/A-1", "I")]),
        (None, None, [("/A-1", "U")]),
        ("C-1", "C-1", [("C-1/A-1", "U")]),
    ],
)
def test_an_address_that_moves_is_told_to_both_clients(before: str | None, after: str | None, logged: Any) -> None:
    assert Fired("delivery_addresses").by([address("A-1", before)], [address("A-1", after)]) == logged


def test_a_price_is_named_by_type_and_number() -> None:
    row = {"group_id": "G", "item_type": "product", "item_id": "7"}
    assert Fired("discount_group_items").by([], [row]) == [("G/product:7", "I")]


def test_an_answer_is_logged_and_signed_and_a_signed_one_is_left_as_it_is() -> None:
    unanswered = {"decision": None, "decided_by": None}
    rows = [{"client_id": "C-1", "panel_client_id": number, **unanswered} for number in ("1", "2", "3")]
    now = [rows[0] | {"decision": "link"}, rows[1] | {"decision": "link", "decided_by": "anna"}, rows[2]]
    fired = Fired("sync_matches")
    assert fired.by(rows, now) == [("C-1/1", "U"), ("C-1/2", "U"), ("C-1/3", "U")]
    signed = fired.raw.execute("SELECT panel_client_id, decided_by FROM sync_matches ORDER BY 1").fetchall()
    assert signed == [("1", "erp"), ("2", "anna"), ("3", None)]


def test_an_answer_that_is_taken_back_has_no_name() -> None:
    row = {"client_id": "C-1", "panel_client_id": "1", "decision": "link", "decided_by": "anna"}
    fired = Fired("sync_matches")
    fired.by([row], [row | {"decision": None}])
    assert fired.raw.execute("SELECT decided_by FROM sync_matches").fetchall() == [(None,)]


def test_an_incoming_customer_that_goes_to_another_client_is_told_to_both() -> None:
    rows = [[{"panel_client_id": "57", "client_id": each}] for each in ("C-1", "C-2")]
    assert Fired("incoming_clients").by(*rows) == [("C-1/57", "U"), ("C-2/57", "U")]


@pytest.mark.parametrize("watched", ERP.watched, ids=lambda watched: watched.table.name)
def test_a_trigger_does_not_disturb_the_statement_that_fired_it(watched: Watched) -> None:
    ((_, create),) = trigger(watched).items()
    body = create.partition("BEGIN\n")[2]
    assert body.startswith("  SET NOCOUNT ON;\n  SET ROWCOUNT 0;\n")
    assert not re.search(r"\b(SELECT TOP|@\w+\s*=|PRINT|RAISERROR|THROW|ROLLBACK|OUTPUT|CURSOR)\b", body)
    assert ("IF NOT UPDATE(" in body) == bool(watched.answer)


def test_the_log_is_counted_by_a_sequence_so_that_identities_stay_the_erps_own() -> None:
    made = "\n".join(Mssql().definition(change_log))
    assert "IDENTITY" not in made
    assert "seq BIGINT NOT NULL DEFAULT (NEXT VALUE FOR change_log_seq)" in made
    assert made.index("CREATE SEQUENCE change_log_seq") < made.index("CREATE TABLE change_log")


# --- sessions


def levels(bench: SqlBench, monkeypatch: pytest.MonkeyPatch, snapshots: int) -> list[str]:
    monkeypatch.setitem(tsql._ANSWERS, "snapshot_isolation_state", tsql._constant(snapshots))
    seen: list[str] = []
    sa.event.listen(bench.exchange.database.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    bench.exchange.records.count_linked()
    bench.exchange.records.count_linked()
    bench.exchange.pauses.pause("billing", "x", at=datetime(2026, 3, 2, tzinfo=UTC))
    bench.exchange.records.count_linked()
    found = (re.search(r"ISOLATION LEVEL ([A-Z ]+);", statement) for statement in seen)
    return [each[1] for each in found if each]


@pytest.mark.parametrize(("snapshots", "reading"), [(1, "SNAPSHOT"), (0, "SERIALIZABLE")])
def test_readers_see_one_moment_by_snapshots_or_by_locks(
    tsql_bench: SqlBench, monkeypatch: pytest.MonkeyPatch, snapshots: int, reading: str
) -> None:
    assert levels(tsql_bench, monkeypatch, snapshots) == [reading, "READ COMMITTED", reading]


def test_a_database_that_behaves_as_on_an_older_server_says_what_to_do(
    tsql_bench: SqlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tsql._ANSWERS, "compatibility_level", tsql._constant(120))
    with pytest.raises(Halt, match="ALTER DATABASE CURRENT SET COMPATIBILITY_LEVEL = 130"):
        tsql_bench.exchange.records.count_linked()


def test_rows_that_are_to_be_changed_are_locked_where_they_are_read() -> None:
    locked = sa.select(ERP.clients.c.id).where(ERP.clients.c.id == "C-1").with_for_update()
    text = str(locked.compile(dialect=Mssql().for_printing()))
    assert "FROM clients WITH (UPDLOCK, HOLDLOCK)" in text


@pytest.mark.parametrize("state", [1, 0, -1])
def test_a_row_whose_refusal_ends_the_transaction_costs_its_neighbours_nothing(
    tsql_bench: SqlBench, monkeypatch: pytest.MonkeyPatch, state: int
) -> None:
    """``ROLLBACK`` in the ERP's own trigger ends the transaction with its savepoints (0), an error dooms it (-1)."""
    monkeypatch.setitem(tsql._ANSWERS, "XACT_STATE", tsql._constant(state))
    for number in range(4):
        tsql_bench.erp.insert_client(f"C-{number}", street="A")
    tsql_bench.erp.refuse("C-2", "no such street")
    answer = save(tsql_bench, *(edit(f"C-{number}", street=("A", "B")) for number in range(4)))
    assert {key.client_id for key in answer.refused} == {"C-2"}
    assert [(tsql_bench.erp.client(f"C-{n}") or {})["street"] for n in range(4)] == ["B", "B", "A", "B"]
    assert answer != Saved()


# --- errors


def told(number: int, kind: type[Exception] = pytds.OperationalError) -> sa.exc.DBAPIError:
    error: Any = kind("said by the server")
    error.number = number
    return sa.exc.DBAPIError("SELECT", {}, error)


@pytest.mark.parametrize("number", [1205, 1222, 3960, 3952, 701, 40613, 10054, 50222])
def test_what_passes_is_tried_again(number: int) -> None:
    assert isinstance(Mssql().diagnose(told(number)), Retry)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (208, "no_schema"),
        (207, "no_schema"),
        (18456, "database_access"),
        (229, "database_access"),
        (3906, "database_read_only"),
        (9002, "database_full"),
        (468, "collation"),
    ],
)
def test_what_a_person_must_mend_halts(number: int, code: str) -> None:
    halt = Mssql().diagnose(told(number))
    assert isinstance(halt, Halt)
    assert halt.code == code


@pytest.mark.parametrize("number", [515, 547, 2627, 2628, 8152, 245, 50000])
def test_what_is_wrong_with_the_data_is_refused(number: int) -> None:
    assert Mssql().diagnose(told(number)) is None


def test_an_error_without_a_number_is_the_networks() -> None:
    lost = sa.exc.DBAPIError("SELECT", {}, pytds.OperationalError("the connection was lost"))
    assert isinstance(Mssql().diagnose(lost), Retry)
    assert Mssql().for_printing().is_disconnect(lost.orig, None, None)
    assert not Mssql().for_printing().is_disconnect(told(1205).orig, None, None)


# --- the driver


class Answers:
    """A cursor of the driver's, which is given the counts of rows of an answer, or an error among them."""

    description = None

    def __init__(self, *counts: int | Exception) -> None:
        self._counts = list(counts)
        self.rowcount = -1

    def execute(self, _statement: str, _parameters: Any) -> None:
        self.nextset()

    def nextset(self) -> bool:
        if not self._counts:
            self.rowcount = -1
            return False
        count = self._counts.pop(0)
        if isinstance(count, Exception):
            raise count
        self.rowcount = count
        return True


def test_the_last_count_is_the_statements_own_and_those_before_it_are_the_triggers() -> None:
    cursor = _Cursor(Answers(7, 3, 1))
    cursor.execute("UPDATE clients", {})
    assert cursor.rowcount == 1


def test_an_error_behind_a_count_is_not_overlooked() -> None:
    with pytest.raises(pytds.IntegrityError):
        _Cursor(Answers(7, pytds.IntegrityError("refused"))).execute("UPDATE clients", {})


def test_many_rows_are_counted_together() -> None:
    cursor = _Cursor(Answers(2, 1, 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Answers, "nextset", lambda _cursor: None)  # each answer has one count
        patch.setattr(Answers, "execute", lambda answers, *_given: setattr(answers, "rowcount", answers._counts.pop()))
        cursor.executemany("UPDATE clients", [{"a": 1}, {"a": 2}, {"a": 3}])
    assert cursor.rowcount == 3


@pytest.mark.parametrize("lost", [TimeoutError("timed out"), ConnectionResetError("reset"), BrokenPipeError("pipe")])
def test_what_the_network_says_is_an_error_of_the_database(lost: OSError) -> None:
    with pytest.raises(pytds.OperationalError, match="the connection was lost"):
        _Cursor(Answers(lost)).execute("SELECT 1", {})


@pytest.mark.parametrize("text", ["", "ą", "x" * LONGEST, "🙂" * (LONGEST // 2)])
def test_a_text_is_sent_in_one_length(text: str) -> None:
    sent = _parameter(text)
    assert isinstance(sent, Param)
    assert (sent.type.get_declaration(), sent.value) == (f"NVARCHAR({LONGEST})", text)


@pytest.mark.parametrize("value", ["x" * (LONGEST + 1), "🙂" * (LONGEST // 2 + 1), None, 7, True, datetime(2026, 3, 2)])
def test_what_is_longer_or_no_text_is_left_to_the_driver(value: Any) -> None:
    assert _parameter(value) is value


def certificate(*names: str) -> X509:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime(2026, 3, 2, tzinfo=UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "elsewhere.example")])
    made = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + timedelta(1))
    if names:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    return X509.from_cryptography(made.sign(key, hashes.SHA256()))


@pytest.mark.parametrize(
    ("names", "host", "meant"),
    [
        (["db.example"], b"db.example", True),
        (["db.example"], b"DB.example", True),
        (["*.rds.example"], b"db.rds.example", True),
        (["*.rds.example"], b"rds.example", False),
        (["*.rds.example"], b"a.b.rds.example", False),
        (["other.example"], b"db.example", False),
        ([], b"elsewhere.example", False),
    ],
)
def test_a_certificate_is_for_the_hosts_that_it_names(names: list[str], host: bytes, meant: bool) -> None:
    assert is_named(certificate(*names), host) is meant


def test_a_connection_is_encrypted_unless_it_is_wished_otherwise() -> None:
    assert encryption(parse_url("mssql://u:p@h/d"))["cafile"].endswith("cacert.pem")
    assert encryption(parse_url("mssql://u:p@h/d?cafile=/opt/rds.pem")) == {"cafile": "/opt/rds.pem"}
    assert encryption(parse_url("mssql://u:p@h/d?encrypt=no")) == {}
    ((), given) = Mssql().for_printing().create_connect_args(parse_url("mssql://u:p@h:1444/d?encrypt=no"))
    assert given == {"dsn": "h", "port": 1444, "database": "d", "user": "u", "password": "p"}


def test_a_server_that_nobody_reaches_is_tried_again() -> None:
    engine = sa.create_engine(parse_url("mssql://u:p@127.0.0.1:1/d?encrypt=no"), connect_args={"login_timeout": 0.2})
    with pytest.raises(Retry, match="database"), translated(Mssql()), engine.connect():
        pass
