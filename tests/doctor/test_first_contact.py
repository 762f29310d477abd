"""What the first synchronisation would do, told before: over the stand-in's HTTP and on the real engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.adapters.idosell.panel import HttpPanel
from kartoteka.adapters.sql import SqlExchange, connect, upgrade
from kartoteka.adapters.sql.dialect import open_engine
from kartoteka.adapters.sql.tables import ERP, metadata, sync_links, sync_matches
from kartoteka.doctor.findings import Finding, Level
from kartoteka.doctor.first_contact import CODES, FIRST_CONTACT, Both
from kartoteka.doctor.panel import Patient
from kartoteka.policy import Policy, parse
from kartoteka.sync.feed import seen
from local.panel import StandinPanel
from tests.fakes.limit import CountedLimit
from tests.fixtures.postgres import PostgresServer

WHOLE = {"street": "Polna 1", "zip_code": "00-950", "city": "Warszawa", "company": "Tajna"}
CALLS = 50
DOCS = Path(__file__).parents[2] / "docs" / "from-the-bridge.md"


@pytest.fixture(params=["sqlite", "postgresql"])
def exchange(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlExchange]:
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        address = server.with_schema()
    else:
        address = f"sqlite:///{tmp_path / 'exchange.db'}"
        engine = open_engine(address)
        upgrade.create(engine)
        engine.dispose()
    found = connect(address)
    yield found
    found.close()


@pytest.fixture
def panel() -> Iterator[StandinPanel]:
    with StandinPanel(key="a-key-for-tests") as running:
        yield running


def both(panel: StandinPanel, exchange: SqlExchange, policy: Policy | None = None, calls: int = CALLS) -> Both:
    http = PanelHttp(panel.url, panel.key, CountedLimit(), HttpSettings(first_pause=0))
    return Both(Patient(http, policy or Policy()), exchange, calls)


def told(given: Both) -> dict[str, Finding]:
    return {found.id: found for each in (CODES, FIRST_CONTACT) for found in each.findings(given)}


def levels(found: dict[str, Finding]) -> dict[str, str]:
    return {id_: each.level.value for id_, each in found.items() if each.level is not Level.OK}


def add(exchange: SqlExchange, client: str, **values: Any) -> None:
    with exchange.database.engine.begin() as connection:
        connection.execute(ERP.clients.insert(), {"id": client, **WHOLE, **values})


def rows(exchange: SqlExchange) -> dict[str, list[Any]]:
    tables = [*ERP.metadata.tables.values(), *metadata.tables.values()]
    with exchange.database.reading() as connection:
        return {each.name: sorted(map(repr, connection.execute(sa.select(each)))) for each in tables}


def test_whose_account_is_whose_is_told_by_the_products_rules_and_nothing_is_written(
    panel: StandinPanel, exchange: SqlExchange
) -> None:
    add(exchange, "C-1", email="a@firma.example")
    panel.seed(login="a", email="other@firma.example", external_code="c-1 ")
    add(exchange, "C-2", nip="526-000-12-46", email="b@firma.example")
    panel.seed(login="b", email="x@firma.example", nip="PL5260001246")
    add(exchange, "C-3", email="C@firma.example")
    panel.seed(login="c", email="c@Firma.example")
    add(exchange, "C-4", email="d@firma.example")
    for login in ("d1", "d2"):
        panel.seed(login=login, email="d@firma.example")
    add(exchange, "C-5", email="e@firma.example")
    panel.seed(login="e", email="e@firma.example", external_code="gone")
    add(exchange, "C-6", email="f@firma.example")
    add(exchange, "C-7", email="g@firma.example", street=None)
    add(exchange, "C-8", email="h@firma.example")
    linked = panel.seed(login="h", email="h@firma.example", external_code="C-8")
    with exchange.database.engine.begin() as connection:
        link = {"client_id": "C-8", "panel_client_id": str(linked.id), "panel_login": "h", "linked_by": "created"}
        connection.execute(sync_links.insert(), link)
    panel.seed(login="s", email="stranger@firma.example")
    panel.seed(login="t", email="t@firma.example", external_code="of nobody")
    before = rows(exchange)

    found = told(both(panel, exchange))

    assert found["first_contact"].sentence == (
        "8 clients, 9 accounts: linked already: 1, would be: 3 (1 by code, 1 by tax number, 1 by e-mail)."
    )
    assert found["first_contact.questions"].sentence == ("2 clients would be asked about: 1 ambiguous, 1 foreign_code.")
    assert found["first_contact.new"].sentence == (
        "Without an account: 1 client, beside 1 who lack what one is opened with."
    )
    assert found["first_contact.strangers"].sentence.startswith(
        "No client's: 2 accounts (1 without an external code, 1 with a code that no client has), beside "
    )
    assert rows(exchange) == before
    assert {gate for gate, count in panel.calls.items() if count} == {"GET clients/clients"}
    assert not [word for word in ("firma", "tajna", "5260001246", panel.key) if word in repr(found).lower()]


def test_the_policys_rules_count(panel: StandinPanel, exchange: SqlExchange) -> None:
    add(exchange, "C-1", email="a@firma.example", phone="600 100 200")
    panel.seed(login="a", email="b@firma.example", phone="+48600100200")
    assert told(both(panel, exchange))["first_contact.new"].sentence.startswith("Without an account: 1 client")
    policy = parse('{"accounts": {"match": ["external_code", "phone"]}}')
    assert "(1 by telephone)" in told(both(panel, exchange, policy))["first_contact"].sentence


def test_an_address_that_too_many_have_is_nobodys(panel: StandinPanel, exchange: SqlExchange) -> None:
    add(exchange, "C-1", email="biuro@firma.example")
    for n in range(6):
        panel.seed(login=f"n{n}", email="biuro@firma.example")
    found = told(both(panel, exchange))
    assert "first_contact.questions" not in found
    assert "Without an account: 1 client" in found["first_contact.new"].sentence
    assert "No client's: 6 accounts" in found["first_contact.strangers"].sentence


def test_two_clients_of_one_account_are_a_question_for_both(panel: StandinPanel, exchange: SqlExchange) -> None:
    for client in ("C-1", "C-2"):
        add(exchange, client, email="a@firma.example")
    panel.seed(login="a", email="a@firma.example")
    found = told(both(panel, exchange))
    assert "2 shared_account" in found["first_contact.questions"].sentence
    assert "Every account is a client's" in found["first_contact.strangers"].sentence


def test_codes_that_cannot_be_followed_are_questions(panel: StandinPanel, exchange: SqlExchange) -> None:
    for client in ("C-1", "C-2", "C-3", "C  4"):
        add(exchange, client, email=f"{client.replace(' ', '')}@firma.example")
    for login in ("a", "b"):
        panel.seed(login=login, email=f"{login}@firma.example", external_code="C-1")
    panel.seed(login="c", email="c@firma.example", external_code="C-2", guest=True)
    others = panel.seed(login="d", email="d@firma.example", external_code="C-3")
    with exchange.database.engine.begin() as connection:
        link = {"client_id": "gone", "panel_client_id": str(others.id), "panel_login": "d", "linked_by": "created"}
        connection.execute(sync_links.insert(), link)
    found = told(both(panel, exchange))
    assert found["first_contact.questions"].sentence == (
        "4 clients would be asked about: 1 bad_id, 1 guest, 1 several_accounts, 1 shared_account."
    )
    assert "would be: 0." in found["first_contact"].sentence


def test_it_reads_every_page_and_makes_no_more_calls_than_it_may(panel: StandinPanel, exchange: SqlExchange) -> None:
    panel.seed_all({"login": f"n{n}", "email": f"n{n}@firma.example"} for n in range(250))
    add(exchange, "C-1", email="n249@firma.example")
    given = both(panel, exchange, calls=2)
    given.panel.first_page  # noqa: B018 - as the examinations of the panel do before
    found = {each.id: each for each in FIRST_CONTACT.findings(given)}
    assert levels(found) == {"first_contact": "look"}
    assert "takes 3 calls, more than the 2" in found["first_contact"].sentence
    assert "--first-contact 3" in found["first_contact"].remedy
    assert panel.calls["GET clients/clients"] == 2
    found = {each.id: each for each in FIRST_CONTACT.findings(both(panel, exchange, calls=3))}
    assert "250 accounts: linked already: 0, would be: 1 (1 by e-mail)" in found["first_contact"].sentence
    assert panel.calls["GET clients/clients"] == 5


def test_a_panel_that_cannot_be_read_is_a_stop(panel: StandinPanel, exchange: SqlExchange) -> None:
    panel.settings.change(scopes={"CRM": ""})
    found = {each.id: each for each in FIRST_CONTACT.findings(both(panel, exchange))}
    assert levels(found) == {"first_contact": "stop"}


@pytest.mark.parametrize(
    ("code", "client", "told_as"),
    [
        ("Firma Przykład Sp. z o.o.", {"id": "17", "company": "FIRMA Przykład  Sp. z o.o."}, "codes.names"),
        ("Kowalski Jan", {"id": "17", "company": None, "first_name": "Jan", "last_name": "Kowalski"}, "codes.names"),
        ("jan.kowalski", {"id": "17", "login": "Jan.Kowalski"}, "codes.logins"),
        ("5260001246", {"id": "17", "nip": "5260001246"}, "codes.tax_numbers"),
        ("a@firma.example", {"id": "17", "email": "A@firma.example"}, "codes.emails"),
        ("00042", {"id": "42"}, "codes.zeros"),
        ("4711", {"id": "K-1"}, "codes.numbers"),
        ("stara", {"id": "K-1"}, "codes.nobodys"),
        ("K-1", {"id": "K-1"}, ""),
        (" k-1", {"id": "K-1"}, ""),
        ("17", {"id": "17", "company": "17"}, ""),
    ],
)
def test_what_the_codes_are_is_found_out(
    panel: StandinPanel, exchange: SqlExchange, code: str, client: dict[str, Any], told_as: str
) -> None:
    add(exchange, client["id"], **{name: value for name, value in client.items() if name != "id"})
    add(exchange, "C-9")
    panel.seed(login="l", email="z@firma.example", external_code=code)
    panel.seed(login="m", email="y@firma.example", external_code="C-9")
    found = {each.id: each for each in CODES.findings(both(panel, exchange))}
    right = 1 if told_as else 2
    assert found["codes"].sentence == f"Of 2 accounts with an external code {right} carry the id of a client."
    assert set(found) == {"codes", told_as} - {""}
    assert all("of 2 accounts" in each.sentence and each.remedy for id_, each in found.items() if id_ != "codes")
    assert levels(found) == (
        {told_as: "look" if told_as in ("codes.numbers", "codes.nobodys") else "stop"} if told_as else {}
    )
    assert code not in repr(found) or code == "17"


def test_accounts_without_codes_and_guests_say_nothing(panel: StandinPanel, exchange: SqlExchange) -> None:
    panel.seed(login="l", email="z@firma.example")
    found = {each.id: each for each in CODES.findings(both(panel, exchange))}
    assert found["codes"].sentence == "None of 1 accounts carries an external code."


def test_the_insert_of_the_page_says_of_codes_that_are_names_whose_account_each_is(
    panel: StandinPanel, exchange: SqlExchange
) -> None:
    add(exchange, "1", company="Firma A", email="a@firma.example")
    add(exchange, "2", company="firma b", email="b@firma.example")
    for client in ("3", "4"):
        add(exchange, client, company="Firma C", email=f"c{client}@firma.example")
    for n, name in enumerate(("FIRMA A", "Firma B ", "Firma C", "Inna")):
        panel.seed(login=f"l{n}", email=f"z{n}@firma.example", external_code=name)
    given = both(panel, exchange)
    before = told(given)
    assert before["codes.names"].sentence.startswith("The codes of 3 of 4 accounts")
    assert "Without an account: 4 clients" in before["first_contact.new"].sentence
    shown = [seen(exchange.index, each) for each in HttpPanel(given.panel.http).changed(None, 0, 100).found]
    exchange.index.remember(shown, at=datetime.now(UTC))
    (insert,) = [part.split("```")[0] for part in DOCS.read_text().split("```sql\n")[1:] if "INTO sync_matches" in part]
    with exchange.database.engine.begin() as connection:
        connection.execute(sa.text(insert))
        decided = connection.execute(sa.select(sync_matches.c.client_id, sync_matches.c.decision)).all()
    assert sorted(decided) == [("1", "link"), ("2", "link")]
    assert "would be: 2 (2 by a person's word)" in told(both(panel, exchange))["first_contact"].sentence
