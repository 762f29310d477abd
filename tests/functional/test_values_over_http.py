"""Odd values through a whole installation: each engine on one side, the panel over a socket on the other, both ways.

Each value comes through to the letter, or is held by its field with a remedy; what else its record has comes through in
either case, and so do its neighbours. Two further ticks write nothing. The values are those of the table of faults
(61 to 73). A client a value, and many values a run: each part of a run fills tables, edits them after a first tick, and
at the end compares what stands on the one side with what stood on the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kartoteka.fields.table import BILLING, DELIVERY_ADDRESSES, Fields
from local.panel import Account
from tests.fixtures.exchange import ENGINES, SqlBench, SqlErp
from tests.fixtures.installation import Installation, installed
from tests.functional.test_sql_values import LETTERS, ODD
from tests.helpers import tax_number

POLICY = '{"panel": {"requests_per_second": 1000, "full_read_days": 3650}, "brake": {"min_records": 100000}}'
FREE = ("first_name", "last_name", "company", "street", "city")
LINES = ("first_name", "last_name", "additional", "street", "city")


@dataclass
class Values:
    """An installation on one engine, and the ERP's author with bound values."""

    installation: Installation
    erp: SqlErp

    @property
    def in_a_file(self) -> bool:
        """Whether columns take any text, of any length and kind."""
        return self.erp.engine.dialect.name == "sqlite"

    def update(self, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Update clients in one transaction."""
        transaction = self.erp.transaction()
        for client, row in rows.items():
            if row:
                transaction.update_client(client, **row)
        transaction.commit()

    def ticks(self, number: int = 3) -> None:
        for _ in range(number):
            self.installation.tick()
            self.installation.pass_time(seconds=61)

    def account(self, client: str) -> Account:
        (found,) = self.installation.panel.by_code(client)
        return found

    def held(self, part: str = "") -> dict[str, tuple[str, str]]:
        """Return client -> code and field of what is not in step, of the clients of a part."""
        asked = "SELECT client_id, code, field FROM sync_status WHERE state <> 'in_step'"
        told = {row["client_id"]: (row["code"], row["field"]) for row in self.erp.run(asked)}
        return {key: said for key, said in told.items() if key.startswith(part)}

    def writes(self) -> tuple[int, int]:
        """Return how often anything was written into the panel, and the rows of the history."""
        calls = self.installation.panel.calls
        (row,) = self.erp.run("SELECT COUNT(*) AS n FROM sync_history")
        return sum(n for gate, n in calls.items() if not gate.startswith("GET") and "crm" not in gate), row["n"]

    def go_through(self, *parts: Part) -> None:
        """Let all parts fill and edit their tables and compare; two further ticks change nothing."""
        running = [part(self) for part in parts]
        for _ in ("filled", "edited"):
            for part in running:
                next(part)
            self.ticks()
        found = [each for part in running for each in next(part)]
        assert found == []
        before, told = self.writes(), self.held()
        self.ticks(2)
        assert (self.writes(), self.held()) == (before, told), "it is not quiet"


Part = Callable[[Values], Iterator[list[object]]]
"""Fills its tables, yields; edits them, yields; and yields what is not as it should be."""


EVERY_ENGINE = pytest.mark.parametrize("sql", ["tsql", *(each for each in ENGINES if each != "tsql")], indirect=True)
"""`tsql`, statements for SQL Server that SQLite carries out, is among them always."""


@pytest.fixture
def values(sql: SqlBench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Values]:
    """Give an installation on an engine."""
    url = sql.exchange.database.engine.url.render_as_string(hide_password=False)
    with installed(url, sql.erp.engine, monkeypatch, moto_keeps_state=False) as made:
        made.decide(POLICY)
        made.tick()
        yield Values(made, sql.erp)


def client(part: str, n: int, **other: Any) -> dict[str, Any]:
    """Return a complete row of `clients` that shares nothing with the others."""
    return {
        "id": f"{part}-{n:03}",
        "email": f"{part}{n}@firma.example",
        "client_type": "firm",
        "company": f"Firma {part} {n}",
        "first_name": "Jan",
        "last_name": "Nowak",
        "street": f"Polna {part} {n}",
        "zip_code": "00-950",
        "city": "Łódź",
        "phone": "600100200",
        "country_code": "PL",
        **other,
    }


PRINTABLE = [text for text in ODD if text.strip() and not any(ord(c) < 32 or ord(c) == 127 for c in text)]
"""Of the odd texts those that a panel takes."""


def in_each(texts: Sequence[str], names: Sequence[str], fields: Fields) -> list[dict[str, str]]:
    """Return rows of these columns: of each text where it fits, and of each letter as often as it fits."""
    rows = [{name: text for name in names if len(text) <= fields[name].length} for text in texts]
    return [*rows, *({name: letter * fields[name].length for name in names} for letter in LETTERS)]


def differing(key: str, wanted: Mapping[str, Any], shown: object) -> list[object]:
    """Return what is not as it is wanted, by key and column."""
    return [(key, name, value, getattr(shown, name)) for name, value in wanted.items() if getattr(shown, name) != value]


LONGEST_MAIL = "a" * 300 + "@" + "b" * 46 + ".pl"
NIP = tax_number(7)
VALID: Mapping[str, Sequence[Any]] = {
    "email": ["jan+tag@firma.example", "o'hara@firma.example", "żółw@firma.example", "a@b.co", LONGEST_MAIL],
    "nip": [f"{NIP[:3]}-{NIP[3:6]}-{NIP[6:8]}-{NIP[8:]}", f"PL{tax_number(8)}", f"pl {tax_number(9)}"],
    "zip_code": ["01-234", "00001"],
    "phone": ["+48 501 502 503", "(22) 600-70-80"],
    "country_code": ["DE", ("de", "DE")],
    "language": ["eng", ("POL", "pol")],
    "currency": ["EUR", ("eur", "EUR")],
    "client_type": ["person", ("FIRM", "firm"), "person_female"],
    "wholesaler": [True, False],
    "province": ["PL-DS", ("łódzkie", "PL-LD")],
}
"""Column -> values that the panel takes; where it keeps another form of one, that form beside it."""

REFUSED: Sequence[tuple[str, Any, str]] = [
    *((name, "a\tb\r\nBcc: x@y.z", "unprintable") for name in (*FREE, "phone", "email")),
    *((name, "a\x7fb", "unprintable") for name in FREE),
    ("email", "jan@firma.pl, anna@firma.pl", "bad_email"),
    ("email", "jan", "bad_email"),
    ("email", "jan@fir\u00adma.pl", "bad_email"),
    ("nip", "526-000-12-45", "bad_vat"),
    ("nip", "1111111111", "bad_vat"),
    ("zip_code", "ABC", "bad_postcode"),
    ("phone", "12", "bad_phone"),
    ("country_code", "P1", "bad_code"),
    ("country_code", "XX", "bad_country"),
    ("language", "p1l", "bad_code"),
    ("currency", "1PL", "bad_code"),
    ("client_type", "company", "bad_client_type"),
]
"""(column, value, code): what any engine's column holds and no panel takes."""

ONLY_IN_FILES: Sequence[tuple[str, Any, str]] = [
    *((name, "x" * (BILLING[name].length + 1), "too_long") for name in FREE),
    *((name, "💶" * (BILLING[name].length + 1), "too_long") for name in FREE),
    *((name, "a\x00b", "unprintable") for name in FREE),
    ("email", "x" * 346 + "@a.pl", "too_long"),
    ("country_code", "POL", "bad_code"),
    ("currency", "złoty", "bad_code"),
]
"""What only a column without a length and a kind holds."""


def beside(name: str) -> str:
    """Return a column that has nothing to do with another one."""
    return "last_name" if name != "last_name" else "first_name"


def texts(values: Values) -> Iterator[list[object]]:
    """What people write: odd, at its limit, in the form of its kind, or of no form at all."""
    wanted, lines = in_each(PRINTABLE, FREE, BILLING), in_each(PRINTABLE, LINES, DELIVERY_ADDRESSES)
    many = len(wanted)
    pairs = [(name, one if isinstance(one, tuple) else (one, one)) for name, some in VALID.items() for one in some]
    valid = [(name, given, kept) for name, (given, kept) in pairs]
    refused = [*REFUSED, *(ONLY_IN_FILES if values.in_a_file else ())]
    values.erp.insert("clients", [client("T", n) for n in range(many + len(valid) + len(refused))])
    values.erp.insert("clients", [client("T", 1000 + n, **some) for n, some in enumerate(wanted)])
    values.erp.insert("delivery_addresses", [{**address("T", n), **line} for n, line in enumerate(lines)])
    yield []
    news: dict[str, dict[str, Any]] = {f"T-{n:03}": dict(some) for n, some in enumerate(wanted)}
    news |= {f"T-{n:03}": {name: given} for n, (name, given, _) in enumerate(valid, many)}
    for n, (name, given, _) in enumerate(refused, many + len(valid)):
        news[f"T-{n:03}"] = {name: given, beside(name): "Obok"}
    values.update(news)
    yield []
    found: list[object] = []
    for n, some in enumerate(wanted):
        for key in (f"T-{n:03}", f"T-{1000 + n}"):  # by an edit, and at its opening
            found += differing(key, some, values.account(key))
    for n, some in enumerate(lines):
        (line,) = values.account(f"T-{n:03}").addresses
        found += differing(f"A-T-{n}", some, line)
    for n, (name, _, kept) in enumerate(valid, many):
        found += differing(f"T-{n:03}", {name: kept}, values.account(f"T-{n:03}"))
    told = values.held("T-")
    for n, (name, given, code) in enumerate(refused, many + len(valid)):
        key, kept = f"T-{n:03}", client("T", n)
        if (said := told.pop(key, ())) != (code, name):
            found.append((key, name, given, said))
        stands = {name: kept[name]} if name in kept else {}
        found += differing(key, {beside(name): "Obok", **stands}, values.account(key))
    yield [*found, *told.items()]


def address(part: str, n: int) -> dict[str, Any]:
    return {
        "id": f"A-{part}-{n}",
        "client_id": f"{part}-{n:03}",
        "first_name": "Ewa",
        "last_name": "Lis",
        "street": f"Nowa {n}",
        "zip_code": "00-950",
        "city": "Łódź",
        "country_code": "PL",
    }


# --- what the panel's users type

TYPED = [text for text in ODD if text.strip()]
"""What a form of the panel's may hold, line ends among it."""
OF_PANEL: Mapping[str, Sequence[Any]] = {
    "email": ["jan+tag@firma.example", "nie adres", "a@b.pl, c@d.pl", LONGEST_MAIL],
    "phone": ["+48 501 502 503", "12", "brak", "x" * 150],
    "zip_code": ["01-234", "SW1A 1AA", "ż" * 20],
    "country_code": ["DE"],
}
BROKEN = ("a\x00b", "a\ud800b", "\udfffa", "a\ufffdb")
"""What no database keeps: NUL, halves of surrogate pairs, and what was a letter in another encoding."""


def forms(values: Values) -> Iterator[list[object]]:
    """What users of the panel type into its forms, and what it shows that is no text at all."""
    wanted, lines = in_each(TYPED, FREE, BILLING), in_each(TYPED, LINES, DELIVERY_ADDRESSES)
    many = len(wanted)
    others = [(name, value) for name, some in OF_PANEL.items() for value in some]
    refused = [(name, letter * (BILLING[name].length + 1), "too_long") for name in FREE for letter in ("x", "💶")]
    refused += [(name, value, "unprintable") for name in FREE for value in BROKEN]
    values.erp.insert("clients", [client("P", n) for n in range(many + len(others) + len(refused))])
    values.erp.insert("delivery_addresses", [address("P", n) for n in range(many)])
    yield []
    panel = values.installation.panel
    for n, some in enumerate(wanted):
        account = values.account(f"P-{n:03}")
        panel.edit(account.id, **some)
        panel.edit_address(account.id, account.addresses[0].id, **lines[n])
        panel.add_address(account.id, **{**address_line(), **lines[n], "phone": f"6001002{n:02}"})
    for n, (name, value) in enumerate(others, many):
        panel.edit(values.account(f"P-{n:03}").id, **{name: value})
    for n, (name, value, _) in enumerate(refused, many + len(others)):
        panel.edit(values.account(f"P-{n:03}").id, **{name: value, beside(name): "Obok"})
    yield []
    rows = {row["id"]: row for row in values.erp.run("SELECT * FROM clients")}
    places = {row["id"]: row for row in values.erp.run("SELECT * FROM delivery_addresses")}
    added = {row["phone"]: row for row in places.values() if row["id"].startswith("panel-")}
    found = [each for n, some in enumerate(wanted) for each in unlike(f"P-{n:03}", some, rows)]
    found += [each for n, some in enumerate(lines) for each in unlike(f"A-P-{n}", some, places)]
    found += [each for n, some in enumerate(lines) for each in unlike(f"6001002{n:02}", some, added)]
    found += [each for n, (name, value) in enumerate(others, many) for each in unlike(f"P-{n:03}", {name: value}, rows)]
    told = values.held("P-")
    for n, (name, value, code) in enumerate(refused, many + len(others)):
        key = f"P-{n:03}"
        if (said := told.pop(key, ())) != (code, name):
            found.append((key, name, value, said))
        found += unlike(key, {beside(name): "Obok", name: client("P", n)[name]}, rows)
    yield [*found, *told.items()]


def address_line() -> dict[str, Any]:
    return {name: value for name, value in address("", 0).items() if name not in ("id", "client_id")}


def unlike(key: str, wanted: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> list[object]:
    """Return what a row does not hold as it is wanted."""
    row = rows.get(key, {})
    return [(key, name, value, row.get(name)) for name, value in wanted.items() if row.get(name) != value]


# --- nothing, and what looks like nothing


NOTHINGS = (None, "", " ", "0")


def nothings(values: Values) -> Iterator[list[object]]:
    """By default an emptied value erases nothing, and is not filled again; 0 is a value."""
    empty = {nothing: dict.fromkeys(("first_name", "last_name"), nothing) for nothing in NOTHINGS}
    values.erp.insert("clients", [client("N", n) for n in range(len(NOTHINGS))])
    values.erp.insert("clients", [client("N", 100 + n, **empty[nothing]) for n, nothing in enumerate(NOTHINGS)])
    yield []
    values.update({f"N-{n:03}": empty[nothing] for n, nothing in enumerate(NOTHINGS)})
    yield []
    found: list[object] = []
    for n, (kept, opened) in enumerate((("Nowak", ""), ("Nowak", ""), ("Nowak", ""), ("0", "0"))):
        found += differing(f"N-{n:03}", {"last_name": kept}, values.account(f"N-{n:03}"))
        found += differing(f"N-{100 + n}", {"last_name": opened}, values.account(f"N-{100 + n}"))
    rows = {row["id"]: row for row in values.erp.run("SELECT id, last_name FROM clients")}
    found += [each for n, given in enumerate(NOTHINGS) for each in unlike(f"N-{n:03}", {"last_name": given}, rows)]
    yield [*found, *values.held("N-").items()]


# --- amounts, days, moments, flags, shops


FIGURES: Mapping[str, Any] = {"credit_allowed": True, "credit_limit": "100.00", "balance": "5.00", "payment_days": 14}
FITTING: Sequence[tuple[str, Any, Any]] = [
    *(
        ("credit_limit", text, Decimal(text))
        for text in ("0", "0.01", "0.29", "0.30", "9999999999.99", "1234567890.12")
    ),
    *(("balance", text, Decimal(text)) for text in ("0", "0.01", "-0.01", "-5.10", "9999999999.99", "-9999999999.99")),
    *(("payment_days", days, days) for days in (0, 1, 365, 999)),
    ("credit_allowed", False, Decimal(0)),
]
"""(column, value, what the panel keeps); of `credit_allowed` that is the limit."""
UNFIT: Sequence[tuple[str, Any, str]] = [
    ("credit_limit", "-0.01", "bad_amount"),
    ("payment_days", -1, "bad_days"),
    ("payment_days", 1000, "bad_days"),
    ("payment_days", 2147483647, "bad_days"),
    ("currency", "P1N", "other_currency"),
    ("as_of", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "bad_as_of"),
    ("as_of", datetime(1753, 1, 1, tzinfo=UTC), "stale"),
]
UNFIT_IN_FILES: Sequence[tuple[str, Any, str]] = [
    *(("credit_limit", text, "bad_amount") for text in ("NaN", "Infinity", "1e400", "9" * 39, "12,50", "dużo")),
    *(("balance", text, "bad_amount") for text in ("NaN", "-Infinity", "-1e400", "9" * 39, "12,50", "1 000")),
    ("payment_days", "14 dni", "bad_days"),
    ("as_of", "0000-00-00", "bad_as_of"),
    ("as_of", "wczoraj", "bad_as_of"),
]
ROUNDED = [("credit_limit", "0.005", "0.01"), ("balance", "0.30000000000000004", "0.30"), ("balance", "-0", "0")]
"""What only a column without a scale holds, and the panel rounded half up to the cent."""


def figures(values: Values) -> Iterator[list[object]]:
    """Amounts, days, moments and flags of credit."""
    unfit = [*UNFIT, *(UNFIT_IN_FILES if values.in_a_file else ())]
    fitting = [*FITTING, *((name, given, Decimal(kept)) for name, given, kept in ROUNDED if values.in_a_file)]
    values.erp.insert("clients", [client("F", n) for n in range(len(fitting) + len(unfit))])
    yield []
    for n, (name, given, _) in enumerate((*fitting, *unfit)):
        fresh = {**FIGURES, "currency": "PLN", "as_of": datetime.now(UTC) - timedelta(minutes=1), name: given}
        values.erp.set_credit(f"F-{n:03}", **fresh)
    yield []
    found: list[object] = []
    for n, (name, given, kept) in enumerate(fitting):
        wanted = {"credit_limit": Decimal("100.00"), "balance": Decimal("5.00"), "payment_days": 14}
        wanted["credit_limit" if name == "credit_allowed" else name] = kept
        found += differing(f"{name}={given}", wanted, values.account(f"F-{n:03}"))
    told = values.held("F-")
    for n, (name, given, code) in enumerate(unfit, len(fitting)):
        if (said := told.pop(f"F-{n:03}", ("", "")))[0] != code:
            found.append((name, given, said))
    yield [*found, *told.items()]


PRICES = ("0.01", "0.29", "0.30", "9999999999.99", "1234567890.12")
BAD_PRICES: Sequence[tuple[str, Mapping[str, Any], str]] = [
    ("product", {"price": "-0.01"}, "bad_amount"),
    ("product", {"currency": "P1N"}, "bad_currency"),
    ("shelf", {}, "bad_item_type"),
    ("product", {"price": "10.00", "valid_from": "2026-01-02", "valid_to": "2026-01-01"}, "bad_date"),
]
BAD_PRICES_IN_FILES: Sequence[tuple[str, Mapping[str, Any], str]] = [
    *(("product", {"price": text}, "bad_amount") for text in ("NaN", "Infinity", "1e400", "9" * 39, "12,50")),
    ("product", {"valid_from": "0000-00-00"}, "bad_date"),
]


def prices(values: Values) -> Iterator[list[object]]:
    """Prices of groups with odd names, and who is in them."""
    bad = [*BAD_PRICES, *(BAD_PRICES_IN_FILES if values.in_a_file else ())]
    priced = dict(enumerate((*PRICES, "1.00"), 2**31 - 1 - len(PRICES)))
    named = {"G": "Hurt", **{f"G-{n}": f"{n} {text} {n}" for n, text in enumerate(PRINTABLE)}}
    for group, name in named.items():
        values.erp.set_group(group, name)
    values.erp.insert("clients", [client("G", n, discount_group_id=group) for n, group in enumerate(named)])
    values.erp.insert("clients", [client("G", 500, discount_group_id="G-nie-ma")])
    yield []
    for n, price in priced.items():
        values.erp.set_item("G", "product", str(n), price=price, currency="PLN")
    for n, (kind, given, _) in enumerate(bad, 100):
        values.erp.set_item("G", kind, str(n), **{"price": "10.00", "currency": "PLN", **given})
    yield []
    panel, found = values.installation.panel, list[object]()
    for n, name in enumerate(named.values()):
        made = panel.groups_named(name)
        if [panel.members(each.id) for each in made] != [[values.account(f"G-{n:03}").id]]:
            found.append((name, made))
    (group,) = panel.groups_named("Hurt")
    shown = {number: each.price for (_, number), each in group.prices.items()}
    wanted = {n: Decimal(price) for n, price in priced.items()}
    rows = values.erp.run("SELECT item_id, code FROM sync_status WHERE group_id = 'G' AND item_id <> ''")
    told = {row["item_id"]: row["code"] for row in rows}
    held = {f"{kind}/{n}": code for n, (kind, _, code) in enumerate(bad, 100)}
    found += [] if (shown, told) == (wanted, held) else [(shown, wanted), (told, held)]
    waiting = values.held("G-")
    yield found if waiting == {"G-500": ("unknown_group", "discount_group_id")} else [*found, *waiting.items()]


CODES = ("O'Hara; --", 'a"b,c', "żółć/💶", "100%_", "0", "null", "x" * 40, "-1")
SHOPS = {"S-050": (1, 2), "S-051": (3,), "S-052": (1, 77), "S-053": (2**31 - 1,)}


def codes(values: Values) -> Iterator[list[object]]:
    """Odd codes of clients, numbers of the panel's above 2^53, shops and flags."""
    values.erp.insert("clients", [{**client("S", n), "id": code} for n, code in enumerate(CODES)])
    values.erp.insert("clients", [client("S", 50 + n) for n in range(len(SHOPS))])
    for key, shops in SHOPS.items():
        values.erp.set_shops(key, *shops)
    yield []
    values.erp.set_shops("S-050", 2, 3)
    values.update({CODES[0]: {"active": False}, CODES[1]: {"wholesaler": True}, CODES[2]: {"vat_eu": True}})
    values.installation.panel.edit(values.account(CODES[3]).id, city="Gdynia")
    yield []
    links = {row["client_id"]: row["panel_client_id"] for row in values.erp.run("SELECT * FROM sync_links")}
    rows = {row["id"]: row for row in values.erp.run("SELECT id, city FROM clients")}
    found: list[object] = [(code, links.get(code)) for code in CODES if links.get(code) != str(values.account(code).id)]
    found += [code for code in CODES if values.account(code).id <= 2**53]
    found += differing(CODES[0], {"active": False}, values.account(CODES[0]))
    found += differing(CODES[1], {"wholesaler": True}, values.account(CODES[1]))
    found += differing(CODES[2], {"nip_ue_declaration": "yes"}, values.account(CODES[2]))
    found += unlike(CODES[3], {"city": "Gdynia"}, rows)
    for key, shops in (("S-050", [2, 3]), ("S-051", [3])):
        found += differing(key, {"shops": shops}, values.account(key))
    told = {key: code for key, (code, _) in values.held().items() if key in (*SHOPS, *CODES)}
    yield found if told == dict.fromkeys(("S-052", "S-053"), "unknown_shop") else [*found, *told.items()]


@EVERY_ENGINE
@pytest.mark.fault(61, 62, 63, 64, 65, 66, 69, 70, 71, 73)
def test_what_the_erp_writes_reaches_the_panel_to_the_letter_or_is_held_by_its_field(values: Values) -> None:
    values.installation.panel.state.accounts._last_id = 2**53
    values.go_through(codes, texts, nothings, figures, prices)


@EVERY_ENGINE
@pytest.mark.fault(61, 62, 63, 69, 73)
def test_what_the_panels_users_type_reaches_the_row_to_the_letter_or_is_held_by_its_field(values: Values) -> None:
    values.go_through(forms)
