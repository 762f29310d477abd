"""Whose account is whose: shared e-mails, issuers of tax numbers, values that mean "none", codes in any case."""

from __future__ import annotations

import pytest

from kartoteka.codes import State
from kartoteka.model import Value
from tests.helpers import OTHER, by, candidates, installation, status_of, tax_number
from tests.world import World

ALFA, BETA = "5260001246", "7010416384"
SHARED = "biuro@rachunki.example"


def person(**values: Value) -> dict[str, Value]:
    """Return a client that shares nothing with CLIENT but what is given, and has no tax number of its own."""
    return {**OTHER, "nip": "", "email": "nikt@inny.example", "phone": "601700800", **values}


# --- a tax number that contradicts


@pytest.mark.parametrize(
    ("account", "client"),
    [
        ({"nip": ALFA, "email": SHARED}, {"nip": BETA, "email": SHARED}),
        ({"nip": f"PL {ALFA}", "email": SHARED.upper()}, {"nip": BETA, "email": SHARED}),
        ({"nip": "CZ83609091", "email": SHARED}, {"nip": "HU83609091", "email": SHARED}),
        ({"nip": ALFA, "phone": "501 502 503"}, {"nip": BETA, "phone": "+48501502503"}),
        ({"nip": "136695976", "email": SHARED}, {"nip": "136695976", "email": SHARED, "country_code": "DE"}),
    ],
    ids=["the issue's", "prefix and case", "issuers", "phone", "country"],
)
def test_an_account_with_another_tax_number_is_asked_about_and_never_linked(
    account: dict[str, Value], client: dict[str, Value]
) -> None:
    world = installation(policy='{"accounts": {"match": ["external_code", "nip", "email", "phone"]}}')
    alfa = world.panel.register(person(**account), login="alfa")
    world.exchange.insert_client("BETA", **person(**client))
    world.tick()
    assert status_of(world, "BETA") == (State.HELD, "ambiguous")
    assert candidates(world, "BETA").keys() == {alfa}
    assert not world.exchange.links
    assert world.panel.accounts[alfa].external_code == ""
    status = world.exchange.status("BETA", "accounts")
    assert status
    assert "tax number" in status.message_en
    assert "NIP" in status.message_pl
    world.exchange.decide_match("BETA", alfa, "create")
    world.tick()
    assert by(world, "BETA")[1] == "created"
    assert world.panel.accounts[alfa].values["email"] == account.get("email", "nikt@inny.example")


def test_where_one_side_has_no_tax_number_an_e_mail_links() -> None:
    world = installation()
    one = world.panel.register(person(nip=ALFA, email="a@x.pl"), login="a")
    two = world.panel.register(person(nip="0000000000", email="b@x.pl"), login="b")
    world.exchange.insert_client("A", **person(email="a@x.pl"))
    world.exchange.insert_client("B", **person(email="b@x.pl", nip=BETA))
    world.tick()
    assert by(world, "A") == (one, "email")
    assert by(world, "B") == (two, "email")


def test_a_client_whose_tax_number_contradicts_does_not_stand_in_anothers_way() -> None:
    world = installation()
    alfa = world.panel.register(person(nip=ALFA, email=SHARED), login="alfa")
    world.exchange.insert_client("ALFA", **person(nip=ALFA, email="zarzad@alfa.example"))
    world.exchange.insert_client("BETA", **person(nip=BETA, email=SHARED))
    world.tick()
    assert by(world, "ALFA") == (alfa, "nip")
    world.tick()
    assert by(world, "BETA")[1] == "created"


def test_an_account_that_got_another_tax_number_since_it_was_read_is_not_linked() -> None:
    world = installation()
    account = world.panel.register(person(email=SHARED), login="alfa")
    world.knows_the_panel()
    world.exchange.insert_client("BETA", **person(nip=BETA, email=SHARED))
    world.collect("accounts")
    world.panel.edit(account, nip=ALFA)
    world.drain()
    world.tick()
    assert status_of(world, "BETA") == (State.HELD, "ambiguous")
    assert not world.exchange.links


def test_the_code_joins_whatever_the_tax_numbers_say() -> None:
    world = installation()
    own = world.panel.register(person(nip=ALFA), login="a", external_code="C-1")
    world.exchange.insert_client("C-1", **person(nip=BETA))
    world.tick()
    assert by(world, "C-1") == (own, "external_code")


# --- tax numbers with their issuers


@pytest.mark.parametrize(
    ("account", "client"),
    [
        (("PL1132191233", "PL"), ("PL1132191233", "DE")),
        (("1132191233", "PL"), ("PL 113-219-12-33", "DE")),
        (("EL094259216", "GR"), ("GR 094 259 216", "PL")),
        (("XI980780684", "GB"), ("980 7806 84", "GB")),
        (("BE 403.019.261", "PL"), ("BE0403019261", "PL")),
        (("403.019.261", "BE"), ("BE 0403.019.261", "BE")),
        (("CHE-107.787.577 MWST", "CH"), ("CHE107787577", "PL")),
        (("VAT UE: PL5260001246", "PL"), ("NIP 526-000-12-46", "PL")),
        (("526\u200b000\u00ad1246", "PL"), ("5260001246", "PL")),
    ],
)
def test_the_same_number_written_otherwise_finds_its_account(account: tuple[str, str], client: tuple[str, str]) -> None:
    world = installation()
    own = world.panel.register(person(nip=account[0], country_code=account[1], email="a@x.pl"), login="a")
    world.exchange.insert_client("C-1", **person(nip=client[0], country_code=client[1], email="b@x.pl"))
    world.tick()
    assert by(world, "C-1") == (own, "nip")
    assert len(world.panel.accounts) == 1


@pytest.mark.parametrize(
    ("account", "client"),
    [("CZ83609091", "HU83609091"), ("DE5260001246", "5260001246"), ("ATU12345675", "12345675")],
)
def test_the_same_digits_of_two_issuers_are_two_numbers(account: str, client: str) -> None:
    world = installation(policy='{"billing": {"direction": "off"}}')
    world.panel.register(person(nip=account, email="a@x.pl"), login="a")
    world.exchange.insert_client("C-1", **person(nip=client, email="b@x.pl"))
    world.tick()
    assert by(world, "C-1")[1] == "created"


# --- values that mean none


@pytest.mark.parametrize("none", ["0000000000", "PL 000 000 00 00", "1111111111", "BRAK", "nd", "-", "brak NIP"])
def test_a_tax_number_that_means_none_joins_nobody(none: str) -> None:
    world = installation()
    stranger = world.panel.register(person(nip=none, email="a@x.pl"), login="a")
    world.exchange.insert_client("C-1", **person(nip=none, email="b@x.pl"))
    world.tick()
    assert "C-1" not in {link.client_id for link in world.exchange.links.values() if link.linked_by != "created"}
    assert world.panel.accounts[stranger].external_code == ""
    assert world.panel.accounts[stranger].values["email"] == "a@x.pl"
    assert stranger in world.exchange.incoming


@pytest.mark.parametrize(("field", "none"), [("email", "brak@brak.pl"), ("phone", "000 000 000"), ("phone", "brak")])
def test_an_e_mail_or_a_telephone_number_that_means_none_joins_nobody(field: str, none: str) -> None:
    world = installation(policy=f'{{"accounts": {{"match": ["{field}"]}}, "billing": {{"direction": "off"}}}}')
    stranger = world.panel.register({**person(email="a@x.pl"), field: none}, login="a")
    world.exchange.insert_client("C-1", **{**person(email="b@x.pl"), field: none})
    world.tick()
    assert "C-1" not in {link.client_id for link in world.exchange.links.values() if link.linked_by != "created"}
    assert stranger in world.exchange.incoming


def crowd(accounts: int, clients: int, *, linked: int = 0, **shared: Value) -> World:
    """Return an installation where so many free accounts and clients, and so many linked ones, share a value."""
    world = installation(policy='{"accounts": {"match": ["external_code", "nip", "email", "phone"]}}')
    for n in range(linked):
        world.panel.register(person(email=f"l{n}@x.pl", phone="", **shared), login=f"l{n}", external_code=f"L-{n}")
        world.exchange.insert_client(f"L-{n}", **person(email=f"l{n}@x.pl", phone="", **shared))
    world.tick()
    for n in range(accounts):
        world.panel.register(person(**{"email": f"a{n}@x.pl", "phone": "", **shared}), login=f"a{n}")
    for n in range(clients):
        world.exchange.insert_client(f"C-{n}", **person(**{"email": f"c{n}@x.pl", "phone": "", **shared}))
    world.tick()
    world.tick()
    return world


@pytest.mark.parametrize("shared", [{"nip": ALFA}, {"email": SHARED}, {"phone": "501502503"}])
def test_what_more_than_five_accounts_have_is_no_key(shared: dict[str, Value]) -> None:
    assert by(crowd(6, 1, **shared), "C-0")[1] == "created"
    assert status_of(crowd(5, 1, **shared), "C-0") == (State.HELD, "ambiguous")


@pytest.mark.parametrize("shared", [{"nip": ALFA}, {"email": SHARED}, {"phone": "501502503"}])
def test_what_more_than_five_clients_have_is_no_key_and_their_account_is_nobodys(shared: dict[str, Value]) -> None:
    many = crowd(1, 6, **shared)
    assert {by(many, f"C-{n}")[1] for n in range(6)} == {"created"}
    assert len(many.exchange.incoming) == 1
    few = crowd(1, 5, **shared)
    assert {status_of(few, f"C-{n}") for n in range(5)} == {(State.HELD, "shared_account")}
    assert not few.exchange.incoming


def test_clients_with_an_account_count_as_clients_who_have_a_number() -> None:
    assert by(crowd(1, 2, linked=4, nip=ALFA), "C-0")[1] == "created"
    assert by(crowd(1, 1, linked=4, nip=ALFA), "C-0")[1] == "nip"


def test_guests_do_not_make_an_e_mail_common() -> None:
    world = installation()
    for n in range(6):
        world.panel.register(person(email=SHARED), login=f"gast-{n}", guest=True)
    own = world.panel.register(person(email=SHARED), login="a")
    world.exchange.insert_client("C-1", **person(email=SHARED))
    world.tick()
    assert by(world, "C-1") == (own, "email")


# --- a telephone number as a rule


def test_a_telephone_number_links_where_the_policy_names_it() -> None:
    for policy, rule in (('{"accounts": {"match": ["phone"]}}', "phone"), ("{}", "created")):
        world = installation(policy=policy)
        world.panel.register(person(email="a@x.pl", phone="501-502-503"), login="a")
        world.exchange.insert_client("C-1", **person(email="b@x.pl", phone="+48 501 502 503"))
        world.tick()
        assert by(world, "C-1")[1] == rule


# --- letters nobody sees


@pytest.mark.parametrize("letter", ["\u200b", "\u00ad", "\u2060", "\ufeff", "\u200e"])
def test_a_letter_that_nobody_sees_makes_no_second_account(letter: str) -> None:
    world = installation()
    own = world.panel.register(person(email=f"jan{letter}@firma.pl"), login="a")
    other = world.panel.register(person(nip=f"526000{letter}1246", email="b@x.pl"), login="b")
    world.exchange.insert_client("C-1", **person(email="jan@firma.pl"))
    world.exchange.insert_client("C-2", **person(nip=ALFA, email="c@x.pl"))
    world.tick()
    assert by(world, "C-1") == (own, "email")
    assert by(world, "C-2") == (other, "nip")


@pytest.mark.parametrize("letter", ["\u200b", "\u00ad", "\u2060", "\ufeff"])
def test_a_letter_that_nobody_sees_makes_no_second_address(letter: str) -> None:
    world = installation()
    own = world.panel.register(person(nip=ALFA), login="a")
    line: dict[str, Value] = {"first_name": "Jan", "last_name": "Żak", "street": "Długa 5", "zip_code": "00-950"}
    world.panel.add_address(own, **line, city=f"Łó{letter}dź", country_code="PL")
    world.exchange.insert_client("C-1", **person(nip=ALFA))
    world.exchange.insert_address("D-1", "C-1", **line, city="Łódź")
    for _ in range(3):
        world.tick()
        world.rotate()
        world.drain()
    assert len(world.panel.delivery) == 1
    assert len(world.exchange.addresses) == 1


# --- codes in any case


@pytest.mark.fault(56)
@pytest.mark.parametrize("case", ["capitals", "any_case"])
@pytest.mark.parametrize("client", ["k-1", "Kow-1", "żuk 7"])
@pytest.mark.parametrize("lost", [True, False])
def test_a_panel_that_writes_codes_its_own_way_opens_nobody_twice(case: str, client: str, *, lost: bool) -> None:
    world = installation()
    world.panel.code_case = case
    world.exchange.insert_client(client, **person(email="b@x.pl"))
    if lost:
        world.panel.lose_reply()
    for _ in range(4):
        world.tick(seconds=700)
    assert len(world.panel.opened) == len(world.panel.accounts) == 1
    assert by(world, client) == ("1", "created")
    assert status_of(world, client) == (State.IN_STEP, "")


def test_an_account_that_carries_the_code_in_another_case_is_the_clients() -> None:
    world = installation()
    own = world.panel.register(person(email="a@x.pl"), login="a", external_code=" KOW-1")
    world.exchange.insert_client("Kow-1", **person(email="b@x.pl"))
    world.tick()
    assert by(world, "Kow-1") == (own, "external_code")


@pytest.mark.fault(56)
@pytest.mark.parametrize("how", ["a client", "a link of a deleted client"])
def test_a_code_that_another_one_has_to_the_letter_is_no_hit(how: str) -> None:
    world = installation()
    capital = world.panel.register(person(email="a@x.pl"), login="a", external_code="KOW-1")
    world.exchange.insert_client("KOW-1", **person(email="a@x.pl"))
    world.tick()
    if how != "a client":
        world.exchange.delete_client("KOW-1")
    world.exchange.insert_client("Kow-1", **person(email="b@x.pl"))
    world.tick()
    assert by(world, "KOW-1") == (capital, "external_code")
    assert by(world, "Kow-1")[1] == "created"
    assert world.panel.accounts[capital].external_code == "KOW-1"


def test_an_account_of_a_client_in_another_case_is_no_foreign_one() -> None:
    world = installation()
    world.panel.register(person(nip=ALFA, email="a@x.pl"), login="a", external_code="FILIA-1")
    world.exchange.insert_client("Filia-1", **person(nip=ALFA, email="b@x.pl"))
    world.exchange.insert_client("Filia-2", **person(nip=ALFA, email="c@x.pl"))
    world.tick()
    assert by(world, "Filia-1")[1] == "external_code"
    assert by(world, "Filia-2")[1] == "created", "branches share a tax number"


def test_a_code_that_appears_in_another_case_wakes_its_client() -> None:
    world = installation(policy='{"accounts": {"direction": "panel_to_erp"}}')
    world.exchange.insert_client("Kow-1", **person(email="b@x.pl"))
    own = world.panel.register(person(email="a@x.pl"), login="a")
    world.tick()
    world.panel.recode(own, "KOW-1")
    world.follow()
    world.drain()
    assert by(world, "Kow-1") == (own, "external_code")


def test_numbers_of_the_tests_are_valid() -> None:
    assert len({tax_number(n) for n in range(500)}) == 500
