"""A whole installation against the stand-in in every one of its settings, with the policy that the doctor proposes.

Whatever a panel means by what the contract leaves open: nothing is lost, nothing is doubled, and nothing is shown
``in_step`` that is not, as the panel's own memory has it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import boto3
import pytest

from kartoteka import codes
from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.adapters.sql.tables import ERP
from kartoteka.doctor import panel as part_a
from kartoteka.doctor import trial, writes
from kartoteka.doctor.findings import examined, proposed
from kartoteka.doctor.trial import Trial
from kartoteka.fields import table
from kartoteka.fields.table import Field, Fields
from kartoteka.policy import parse
from local.panel import Account
from local.panel.model import Address
from local.panel.settings import WORDS, Settings
from tests.fakes.limit import CountedLimit
from tests.fixtures.installation import Installation

TESTED = "doctor-test"
GIVEN = {
    "panel": {"requests_per_second": 1000, "full_read_days": 3650},
    "brake": {"any_share": 1.0, "max_share": 1.0},
    "delivery_addresses": {"deletes": "propagate"},
    "discounts": {"unassigned": "remove"},
}
"""What the merchant of these tests decides beside the doctor's proposals: no brake on four clients, no slow passes."""

OTHER_VALUES: Mapping[str, tuple[Any, ...]] = {
    "empty_search_status": (200,),
    "partial_status": (200,),
    "max_batch": (None, 50, 1),
    "max_group_items": (1,),
    "time_zone": ("UTC", "America/New_York"),
    "cuts_at": (6, 20),
    "ignores_fields": (["city"], ["phone"], ["email"], ["credit_limit"], ["balance"], ["active"], ["shops"]),
    "no_group": (9,),
    "debt_sign": (-1,),
    "date_lag_seconds": (90.0,),
    "shops": ({7: "Hurt"}, {1: "Sklep", 7: "Hurt"}),
    "groups": ({}, {5: "Standard"}),
    "lacks_fields": (["local_government_unit"], ["nip_ue_declaration", "local_government_unit"]),
    "hollow_gates": (["POST clients/crm/search"], ["GET clients/clients"]),
    "ignored_filters": (
        ["clientsLastModificationDate"],
        ["clientRegistrationDate"],
        ["clientIds"],
        ["clientIsActive"],
        ["clientCodesExternal"],
    ),
    "edits_between_pages": (1,),
    "visible_shops": ([3], [1]),
    "scopes": ({"CRM": "r", "SYSTEM": "rw"}, {"CRM": "rw", "SYSTEM": ""}, {"CRM": "", "SYSTEM": "rw"}),
    "latency_seconds": (0.01,),
    "requests_per_second": (200.0,),
    "burst": (5,),
    "retry_after": (None,),
}
"""The readings of the settings whose values the definition does not list."""

TOGETHER: Mapping[str, Mapping[str, Any]] = {
    "hollow_gates": {"hollow_answers": "counted"},
    "burst": {"requests_per_second": 200.0},
    "retry_after": {"requests_per_second": 200.0, "burst": 5},
}
"""What a setting needs beside it to be seen at all."""

DECIDED: Mapping[str, Mapping[str, Any]] = {
    'time_zone="America/New_York"': {"panel": {"time_zone": "America/New_York"}}
}
"""Case -> what a merchant decides by a remedy of the doctor's that names the setting and leaves its value open."""

ONLY_THERE = "600100300"
"""A number that only the panel has of the account that was there."""

UNREAD = ("C-3 billing", "city")
"""What is edited in the panel: a run that has halted may not have read it."""


@pytest.fixture
def moto_keeps_state() -> bool:
    """Say that the cloud is all the same here: what the panel does is the point."""
    return False


def readings(name: str, default: Any) -> tuple[Any, ...]:
    """Return the values of a setting beside its default. Raises KeyError for one that nobody has thought of."""
    if name in WORDS:
        return tuple(word for word in WORDS[name] if word != default)
    return (not default,) if isinstance(default, bool) else OTHER_VALUES[name]


def cases() -> Iterator[Any]:
    """Yield every reading of every setting."""
    yield pytest.param({}, {}, id="as the contract describes it")
    for each in fields(Settings):
        for value in readings(each.name, getattr(Settings(), each.name)):
            case = f"{each.name}={json.dumps(value)}"
            settings = {each.name: value, **TOGETHER.get(each.name, {})}
            yield pytest.param(settings, DECIDED.get(case, {}), id=case)


def test_only_settings_that_are_there_have_readings_here() -> None:
    names = {each.name for each in fields(Settings)}
    assert {*OTHER_VALUES, *TOGETHER} <= names
    assert all(OTHER_VALUES.values())
    assert DECIDED.keys() <= {each.id for each in cases()}


def proposed_policy(installation: Installation, decided: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy that the doctor proposes after all that it examines in a panel, and what its remedies asked."""
    policy = json.dumps(GIVEN)
    installation.panel.seed(
        login=TESTED, email="proba@doctor.pl", last_name="Próba", phone="600100200", modified="2026-01-05 10:00:00"
    )
    chosen = [*part_a.EXAMINATIONS, *writes.EXAMINATIONS, *trial.EXAMINATIONS]
    http = PanelHttp(installation.panel.url, installation.panel.key, CountedLimit(), HttpSettings(first_pause=0))
    patient = Trial(http, parse(policy), login=TESTED)
    found = list(examined(patient, chosen, lambda _: True))
    told = " ".join(each.remedy for each in found)
    assert all(f"{section}.{name}" in told for section, names in decided.items() for name in names)
    policy_found = proposed(GIVEN, found)
    return policy_found | {section: {**policy_found.get(section, {}), **names} for section, names in decided.items()}


def run(installation: Installation, number: int, **after: float) -> set[str]:
    """Tick so many times, with so much time after each; return the codes of halts."""
    halts = set[str]()
    for _ in range(number):
        halts |= {str(answer["halted"]) for answer in installation.tick() if "halted" in answer}
        installation.pass_time(**after)
    return halts


def first_contact(installation: Installation) -> None:
    """Four clients, the first of whom has an account; an address, a group with a price and a member, credit."""
    installation.panel.seed(login="shop-1", email="c-1@firma.pl", last_name="Kowalska", city="Sopot", phone=ONLY_THERE)
    installation.insert("C-1", "C-2", "C-3", "C-4")
    installation.sql("UPDATE clients SET phone = NULL WHERE id = 'C-1'")
    installation.sql("UPDATE clients SET nip = NULL, first_name = 'Anna', last_name = 'Kowalska', active = 1")
    installation.sql(address("A-1", "C-2", "Polna 1"))
    installation.sql("INSERT INTO discount_groups (id, name) VALUES ('G-1', 'Stali klienci')")
    installation.price("G-1", 11, "9.90")
    installation.sql("UPDATE clients SET discount_group_id = 'G-1' WHERE id IN ('C-2', 'C-3')")
    installation.credit("C-2", "5000.00")
    installation.sql("UPDATE client_credit SET balance = '120.00'")


def address(id_: str, client_id: str, street: str) -> str:
    """Return the statement that adds a delivery address."""
    return (
        "INSERT INTO delivery_addresses (id, client_id, first_name, last_name, phone, street, zip_code, city, "
        f"country_code) VALUES ('{id_}', '{client_id}', 'Anna', 'Kowalska', '501502503', '{street}', '00-950', "
        "'Łódź', 'PL')"
    )


def edits(installation: Installation) -> None:
    """Edits on either side; an address added and one changed; new figures, a new price, a client made inactive."""
    installation.sql("UPDATE clients SET street = 'Nowa & Stara 7', phone = '600700800' WHERE id = 'C-2'")
    for account in installation.panel.by_code("C-3"):
        installation.panel.edit(account.id, city="Gdynia")
    installation.sql("UPDATE delivery_addresses SET street = 'Leśna 2' WHERE id = 'A-1'")
    installation.sql(address("A-2", "C-2", "Krótka 3"))
    as_of = f"{installation.time:%Y-%m-%d %H:%M:%S}"
    installation.sql(f"UPDATE client_credit SET balance = '0.00', credit_limit = '700.00', as_of = '{as_of}'")
    installation.price("G-1", 12, "5.00")
    installation.sql("UPDATE clients SET active = 0 WHERE id = 'C-4'")


def stopped(installation: Installation) -> bool:
    """Whether anything was stopped until a person confirms."""
    return bool(installation.sql("SELECT * FROM sync_pauses WHERE reason <> ''"))


def leavings(installation: Installation) -> None:
    """An address is deleted, and a client leaves its group."""
    installation.sql("DELETE FROM delivery_addresses WHERE id = 'A-1'")
    installation.sql("UPDATE clients SET discount_group_id = NULL WHERE id = 'C-3'")


@pytest.mark.parametrize(("settings", "decided"), list(cases()))
def test_the_product_works_or_says_a_clear_word(
    installation: Installation,
    settings: dict[str, Any],
    decided: Mapping[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    installation.panel.settings.change(**settings)
    installation.decide(json.dumps(proposed_policy(installation, decided)))
    first_contact(installation)
    halts = run(installation, 3, seconds=301)
    for change in (edits, leavings):
        if not stopped(installation):  # what is written while all is stopped waits, and says nothing yet
            change(installation)
        halts |= run(installation, 3, seconds=301)
    halts |= run(installation, 2, minutes=40)
    halts |= {
        line["reason"]
        for line in map(json.loads, capsys.readouterr().out.splitlines())
        if line.get("message") == "halted"
    }
    outcome = Outcome(installation, halts)
    outcome.check()
    if not settings:
        assert not halts
        assert {state for state, _ in outcome.status.values()} == {"in_step"}


class Outcome:
    """What the exchange database says at the end, held against what the panel really keeps."""

    def __init__(self, installation: Installation, halts: set[str]) -> None:
        self.installation = installation
        self.halted = bool(halts) or stopped(installation)
        self.halts = halts
        known = {account.id: account for account in installation.panel.accounts}
        self.links = {
            client: known[int(number)]
            for client, number in installation.sql("SELECT client_id, panel_client_id FROM sync_links")
        }
        self.status = {
            (client or group, concern, item): (state, code)
            for client, group, concern, item, state, code in installation.sql(
                "SELECT client_id, group_id, concern, item_id, state, code FROM sync_status"
            )
        }

    def check(self) -> None:
        """Raise AssertionError with all that is lost, doubled or said wrongly."""
        wrong = [*self.doubled(), *self.unnamed(), *self.lost(), *self.emptied(), *self.untrue()]
        assert not wrong, (wrong, self.halts, self.status)

    def doubled(self) -> Iterator[str]:
        accounts = [each for each in self.installation.panel.accounts if each.login != TESTED]
        for what in ("external_code", "email"):
            counted = Counter(getattr(each, what).casefold() for each in accounts if getattr(each, what))
            yield from (f"{value} has {n} accounts" for value, n in counted.items() if n > 1)
        for each in accounts:
            places = Counter(place.street for place in each.addresses)
            yield from (f"{each.external_code}: {street} stands {n} times" for street, n in places.items() if n > 1)
        if len(accounts) > 4:
            yield f"{len(accounts)} accounts of 4 clients"

    def unnamed(self) -> Iterator[str]:
        """Yield what waits without a word that tells why."""
        for record, (state, code) in self.status.items():
            if state not in {"in_step", "excluded"} and not code and not self.halted:
                yield f"{record} is {state} without a code"
            if code and code not in codes.CODES:
                yield f"{record} has the unknown code {code}"

    def lost(self) -> Iterator[str]:
        """Yield what the ERP has and nobody speaks of."""
        if self.halted:
            return
        for (client,) in self.installation.sql("SELECT id FROM clients"):
            said = {concern: state for (whose, concern, _), (state, _) in self.status.items() if whose == client}
            if "accounts" not in said:
                yield f"nothing is said of {client}"
            if said.get("accounts") == "in_step":
                if client not in self.links:
                    yield f"{client} is in step and has no account"
                yield from (f"nothing is said of {client} {c}" for c in ("billing", "shops") if c not in said)

    def emptied(self) -> Iterator[str]:
        """Yield what a write of ours has taken from the account that was there."""
        [there] = [account for account in self.installation.panel.accounts if account.login == "shop-1"]
        if not there.phone:
            yield "the account that was there has lost its number"

    def in_step(self, whose: str, concern: str, item: str = "") -> bool:
        return self.status.get((whose, concern, item), ("", ""))[0] == "in_step"

    def untrue(self) -> Iterator[str]:
        """Yield what is shown in step and is not."""
        for client, account in self.links.items():
            if self.in_step(client, "accounts"):
                [row] = self.rows("clients", "id", client)
                if bool(row["active"]) != account.active:
                    yield f"{client} active: {account.active}"
            if self.in_step(client, "billing"):
                [row] = self.rows("clients", "id", client)
                yield from self.unlike(f"{client} billing", table.BILLING, row, account, self.noted(client, "billing"))
            yield from self.wrong_addresses(client, account)
            yield from self.wrong_credit(client, account)
            if self.in_step(client, "discounts"):
                yield from self.wrong_group(client, account)
            if self.in_step(client, "shops"):
                shops = json.loads(in_force(self.installation)).get("accounts", {}).get("default_shops", [1])
                if client != "C-1" and sorted(account.shops) != shops:
                    yield f"{client} shops: {account.shops}"
        if self.in_step("G-1", "discounts"):
            numbers = self.installation.sql(
                "SELECT panel_item_id FROM sync_base WHERE group_id = 'G-1' AND item_id = ''"
            )
            kept = [group for group in self.installation.panel.state.groups if str(group.id) == str(numbers[0][0])]
            prices = [sorted((kind, n, str(each.price)) for (kind, n), each in g.prices.items()) for g in kept]
            if prices != [[("product", 11, "9.90"), ("product", 12, "5.00")]]:
                yield f"G-1 prices: {prices}"

    def wrong_addresses(self, client: str, account: Account) -> Iterator[str]:
        rows = self.rows("delivery_addresses", "client_id", client)
        streets = {place.street: place for place in account.addresses}
        for row in rows:
            if self.in_step(client, "delivery_addresses", row["id"]):
                place = self.place(client, row["id"], account)
                if place is None:
                    yield f"{row['id']} is not in the panel"
                else:
                    notes = self.noted(client, "delivery_addresses", row["id"])
                    yield from self.unlike(row["id"], table.DELIVERY_ADDRESSES, row, place, notes)
        gone = {"Polna 1", "Leśna 2"} & streets.keys()
        spoken = [
            state for (whose, c, _), (state, _) in self.status.items() if (whose, c) == (client, "delivery_addresses")
        ]
        if gone and not self.halted and all(state == "in_step" for state in spoken):
            yield f"{client}: an address that was deleted stands there"

    def place(self, client: str, item: str, account: Account) -> Address | None:
        found = self.installation.sql(
            f"SELECT panel_item_id FROM sync_base WHERE client_id = '{client}' AND item_id = '{item}'"
        )
        return next((each for each in account.addresses if found and str(each.id) == str(found[0][0])), None)

    def wrong_credit(self, client: str, account: Account) -> Iterator[str]:
        for row in self.rows("client_credit", "client_id", client):
            if self.in_step(client, "credit"):
                for name in ("credit_limit", "balance"):
                    if row[name] != getattr(account, name):
                        yield f"{client} {name}: {row[name]} is {getattr(account, name)}"

    def wrong_group(self, client: str, account: Account) -> Iterator[str]:
        number = account.discount_group_id
        numbers = self.installation.sql("SELECT panel_item_id FROM sync_base WHERE group_id = 'G-1' AND item_id = ''")
        [row] = self.rows("clients", "id", client)
        if row["discount_group_id"] and [str(n) for (n,) in numbers] != [str(number)]:
            yield f"{client} is in group {number}"
        if (
            client == "C-3"
            and not row["discount_group_id"]
            and number not in (0, self.installation.panel.settings.no_group)
        ):
            yield f"{client} is in group {number} still"

    def unlike(self, what: str, known: Fields, row: Mapping[str, Any], kept: Any, notes: str) -> Iterator[str]:
        for name, field in known.items():
            unread = self.halted and (what, name) == UNREAD
            if self.is_proved(field) and row[name] is not None and name not in notes and not unread:
                ours, theirs = (field.normalise(_text(value), row) for value in (row[name], getattr(kept, name)))
                if ours != theirs:
                    yield f"{what} {name}: {ours} is {theirs}"

    def is_proved(self, field: Field) -> bool:
        return not field.unproved and not field.watched and field.comparable

    def noted(self, client: str, concern: str, item: str = "") -> str:
        """Return the forms that were noted as the panel's own."""
        found = self.installation.sql(
            f"SELECT notes FROM sync_base WHERE client_id = '{client}' AND concern = '{concern}' AND item_id = '{item}'"
        )
        return str(found[0][0] or "") if found else ""

    def rows(self, name: str, key: str, value: str) -> list[dict[str, Any]]:
        with self.installation.database.connect() as connection:
            chosen = ERP.named(name)
            return [dict(row) for row in connection.execute(chosen.select().where(chosen.c[key] == value)).mappings()]


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def in_force(installation: Installation) -> str:
    """Return the policy in force."""
    return str(boto3.client("ssm").get_parameter(Name="policy")["Parameter"]["Value"])
