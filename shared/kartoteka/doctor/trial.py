"""Part C: what a panel really takes, tried on one account that the merchant names for it.

Every trial reads the account, changes something, reads it again, puts back what was there and looks whether it is.
The account's owner is not notified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from kartoteka.adapters.idosell import accounts as gates
from kartoteka.adapters.idosell import addresses as address_gates
from kartoteka.adapters.idosell import answers, system
from kartoteka.adapters.idosell.panel import (
    ADDRESSES,
    CLIENTS,
    CRM_SEARCH,
    DELETE_ADDRESSES,
    GROUPS,
    SERVER_TIME,
    SHOPS_DATA,
)
from kartoteka.adapters.idosell.records import update_body
from kartoteka.concerns.accounts.passwords import new_password
from kartoteka.doctor.findings import Examination, Finding, look, ok, stop
from kartoteka.doctor.panel import Patient, records, said
from kartoteka.errors import Halt
from kartoteka.fields import table
from kartoteka.fields.damage import is_damaged
from kartoteka.fields.table import Shown
from kartoteka.fields.values import ids_of
from kartoteka.model import Done, Value, Values
from kartoteka.ports.panel import Account, AccountUpdate, AddressWrite, NewAccount
from kartoteka.sentences import worded

TEXT = 'Kartoteka & Syn <sp. z o.o.> "Zażółć gęślą jaźń" 001 ' + "\N{MUSICAL SYMBOL G CLEF}" + " " + "długa nazwa " * 20
"""A company's name with all that panels are known to spoil: markup, Polish letters, one outside the BMP, length."""
FIGURES: Values = {table.LIMIT: "123.45", table.BALANCE: "12.34"}
ADDRESS: Values = dict(
    zip(
        (*table.REQUIRED_OF_ADDRESS, table.COUNTRY_FIELD),
        ("Kartoteka", "Próba", "Polna 1", "00-950", "Warszawa", "PL"),
        strict=True,
    )
)
STREET = table.PLACE[0]


@dataclass
class Trial(Patient):
    """A panel and the account that trials are made on."""

    login: str = ""
    before: Account | None = None
    panel_client_id: str = ""

    def account(self) -> Account:
        """Read the account. Raises Halt where there is none with this log-in."""
        found = self.find()
        if found is None:
            raise Halt("doctor_account", "the panel shows no account with this log-in")
        return found

    def find(self) -> Account | None:
        """Read the account; None where there is none with this log-in. By its number, once that is known."""
        if not self.panel_client_id:
            found = self.post(CRM_SEARCH, {"params": gates.crm_params(gates.CRM_LOGIN, [self.login])})
            named = (e for e in records(found, "clientsResults") if answers.text(e.get("clientLogin")) == self.login)
            self.panel_client_id = next((answers.text(each.get("clientId")) for each in named), "")
        shown = records(self.page(gates.by_ids([self.panel_client_id])), "results") if self.panel_client_id else []
        return gates.accounts(shown, self.dialect)[0] if shown else None

    def write(self, values: Values) -> tuple[str, str] | None:
        """Write fields of the account; return the fault, None where the panel says that it took them."""
        record = gates.update_record(AccountUpdate("doctor", self.login, values), self.dialect)
        reply = self.put(CLIENTS, update_body([record]))
        items = [each for each in answers.results(reply.object) if isinstance(each, dict)]
        fault = answers.failure(items[0]) if items else answers.fault(reply.object)
        return fault or (None if reply.status // 100 == 2 else (str(reply.status), ""))

    def put_back(self, before: Account) -> Account:
        """Write what differs from before, and everything where that changes more; return the account as it is then."""
        now = self.account()
        for names in (_different(before, now), list(before.values)):
            if _different(before, now):
                back = {name: _as_was(name, before.values[name]) for name in names if _is_written(name)}
                self.write(back)
                now = self.account()
        return now


Check = Callable[[Trial], Iterator[Finding]]


def _restored(check: Check) -> Callable[[Patient], Iterator[Finding]]:
    """Return the trial that puts back afterwards what it has changed, whatever happened, and tells what is not back."""

    def find(patient: Patient) -> Iterator[Finding]:
        assert isinstance(patient, Trial)
        before = patient.before = patient.account()
        try:
            yield from check(patient)
        finally:
            lost = _different(before, patient.put_back(before))
        if lost:
            yield stop(
                f"put_back.{lost[0]}",
                worded("What was there before could not be put back: {names}.", names=", ".join(lost)),
                "Correct the test account by hand in the panel.",
            )

    return find


def _different(before: Account, after: Account) -> list[str]:
    """Return the fields that can be written and do not show what they showed."""
    names = filter(_is_written, before.values)
    return sorted(name for name in names if not _same(after.values.get(name), before.values[name]))


def _is_written(name: str) -> bool:
    field = table.ACCOUNT_FIELDS[name]
    return bool(field.update) and field.shown is not Shown.IN_OTHER_WORDS


def _as_was(name: str, value: Value) -> Value:
    """Return what writes a shown value back: nothing shown is an empty text, no amount is 0."""
    if value is None or value == "":
        return "0" if table.ACCOUNT_FIELDS[name].kind is table.MONEY else ""
    return value


def _same(one: Any, other: Any) -> bool:
    amounts = [_amount(each) for each in (one, other)]
    return one == other or (None not in amounts and amounts[0] == amounts[1]) or not (one or other)


def _amount(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value or 0))
    except ArithmeticError:
        return None


# --- the trials


def opening(patient: Patient) -> Iterator[Finding]:
    """Open the account, if there is none with this log-in."""
    assert isinstance(patient, Trial)
    if patient.find():
        yield ok("account", "The test account is there.")
        return
    place = dict(zip(table.PLACE, ("Polna 1", "00-950", "Warszawa"), strict=True))
    person = dict(zip(table.PERSON_FIELDS, ("Kartoteka", "Próba"), strict=True))
    values: Values = {
        **place,
        **person,
        table.EMAIL_FIELD: f"{patient.login}@example.com",
        table.PHONE_FIELD: "600000000",
        table.COUNTRY_FIELD: "PL",
        table.TYPE_FIELD: "person",
        table.SHOPS_FIELD: patient.policy.accounts.default_shops,
    }
    account = NewAccount(
        f"doctor-{patient.login}", patient.login, new_password(patient.policy.accounts.password), values
    )
    reply = patient.post(CLIENTS, gates.create_body([gates.create_record(account, patient.dialect)], notify=False))
    if patient.find():
        yield ok(
            "account", "The test account was opened, without mail or SMS; delete it in the panel when you are done."
        )
        return
    results = [each for each in answers.results(reply.object) if isinstance(each, dict)]
    faults = sorted(fault[0] for each in results for fault in answers.faults_of(each))
    yield stop(
        "account",
        worded(
            "The panel opens no test account ({answer}; faults {fact}).",
            answer=said(reply),
            fact=", ".join(faults) or "none",
        ),
        "See the contract's fault codes: what this panel requires belongs into panel.required_on_create.",
    )


def partial(trial: Trial) -> Iterator[Finding]:
    """Change one field, and see whether the others stay; see what the panel's date of it says."""
    fault = trial.write({table.PHONE_FIELD: _other_phone(trial)})
    if fault:
        yield stop(
            "partial",
            worded("The panel refuses a change of the phone number (fault code {fault}).", fault=fault[0]),
            "Check the key's rights, and the test account.",
        )
        return
    clock = system.server_time(trial.get(SERVER_TIME).object)
    before, after = trial.before, trial.account()
    assert before is not None
    changed = sorted(n for n in after.values.keys() & before.values.keys() if after.values[n] != before.values[n])
    if table.PHONE_FIELD not in changed:
        yield look(
            "read_back",
            "The panel thanks for a phone number and does not show it.",
            "It will be held as not_taken: look what the panel wants of a phone number.",
        )
    elif changed != [table.PHONE_FIELD]:
        yield stop(
            "partial",
            worded("Writing the phone number alone has changed {names}.", names=", ".join(changed)),
            "This panel's writes are not partial. Do not go live; tell the authors of Kartoteka.",
        )
        return
    else:
        yield ok("partial", "A field that is written alone leaves the others as they are.")
    yield from _dates(trial, before, after, clock)


def _other_phone(trial: Trial) -> str:
    assert trial.before is not None
    return "600000001" if str(trial.before.values.get(table.PHONE_FIELD) or "").endswith("2") else "600000002"


def _dates(trial: Trial, before: Account, after: Account, clock: datetime) -> Iterator[Finding]:
    if after.modified_at is None:
        yield stop(
            "own_writes",
            "An account that was just changed shows no modification date.",
            "Edits in the panel cannot be found.",
        )
        return
    apart, ours = after.modified_at - clock, trial.policy.panel.time_zone
    zone = _zone(after.modified_at.astimezone(ZoneInfo(ours)).replace(tzinfo=None), clock)
    if before.modified_at == after.modified_at and zone in ("", ours):
        yield ok("own_writes", "Our own write does not move the modification date at once: no echo, or a late one.")
    elif before.modified_at == after.modified_at:
        yield look(
            "own_writes",
            worded(
                "The account's modification date was now before the write already, in the time of {zone}.", zone=zone
            ),
            worded("Run this again in a minute: it may be that panel.time_zone must be {zone}.", zone=zone),
        )
    elif abs(apart) < timedelta(minutes=5):
        yield ok(
            "own_writes",
            worded("Our own write moves the modification date; the panel's dates are wall time of {ours}.", ours=ours),
        )
    else:
        fits = {"panel": {"time_zone": zone}} if zone else {}
        yield stop(
            "time_zone",
            worded(
                "The panel's modification date is {count} min off its clock: not in {ours}.",
                count=f"{apart.total_seconds() / 60:+.0f}",
                ours=ours,
            ),
            worded(
                "Set panel.time_zone{more}.",
                more=worded(" to {zone}", zone=zone) if zone else " to the zone whose wall time the panel shows",
            ),
            **fits,
        )


def _zone(wall: datetime, clock: datetime) -> str:
    """Return a zone in which this wall time is now; empty where none of the likely ones fits."""
    likely = ("Europe/Warsaw", "UTC", "Europe/London", "Europe/Kyiv")
    return next(
        (name for name in likely if abs(wall.replace(tzinfo=ZoneInfo(name)) - clock) < timedelta(minutes=5)), ""
    )


def clearing(trial: Trial) -> Iterator[Finding]:
    """Clear a field by an empty text."""
    trial.write({table.PHONE_FIELD: _other_phone(trial)})
    fault = trial.write({table.PHONE_FIELD: ""})
    if fault:
        yield look(
            "clearing",
            worded("The panel refuses an empty phone number (fault code {fault}).", fault=fault[0]),
            'With "empty": "erase" such a field is held.',
        )
    elif trial.account().values.get(table.PHONE_FIELD):
        yield look(
            "clearing",
            "An empty text does not clear a field: the panel keeps what was there.",
            'Leave "empty": "keep", the default, for all fields.',
        )
    else:
        yield ok("clearing", "An empty text clears a field.")


def manners(trial: Trial) -> Iterator[Finding]:
    """Write a company's name with all that panels are known to spoil, and look what is kept of it."""
    sent = TEXT[: table.ACCOUNT_FIELDS[table.COMPANY_FIELD].length].strip()
    if fault := trial.write({table.COMPANY_FIELD: sent}):
        yield look(
            "texts",
            worded(
                "The panel refuses a long company name with markup and rare letters (fault code {fault}).",
                fault=fault[0],
            ),
            "Such a field is held with its name; the others travel.",
        )
        return
    shown = str(trial.account().values.get(table.COMPANY_FIELD) or "")
    if shown == sent:
        yield ok(
            "texts",
            worded(
                "A company of {count} letters, with markup and a letter outside the BMP, is kept as it is.",
                count=len(sent),
            ),
        )
    else:
        kept = len(shown)
        how = "in a damaged form" if is_damaged(sent, shown) else "in another form"
        yield look(
            "texts",
            worded(
                "Of a company of {count} letters, with markup and rare letters, the panel keeps {kept}, {how}.",
                count=len(sent),
                kept=kept,
                how=how,
            ),
            "Such a value is held as not_taken, and the ERP's row stays as it is.",
        )


def zeros(trial: Trial) -> Iterator[Finding]:
    """Set a limit and a balance, then both to 0, and look each time what is shown."""
    if fault := trial.write(FIGURES):
        yield look(
            "credit",
            worded("The panel refuses a credit limit (fault code {fault}).", fault=fault[0]),
            "Switch trade credit on in the panel, or set credit.direction to off.",
        )
        return
    shown = trial.account().values
    for name, sent in FIGURES.items():
        if name not in shown:
            yield look(
                f"credit.{name}",
                worded("The panel does not show the {name} that was sent.", name=name),
                "It is sent and cannot be checked; `status` counts it as sent, not shown.",
            )
        elif _same(shown[name], sent):
            yield ok(f"credit.{name}", worded("The {name} is shown as it was sent.", name=name))
        else:
            yield look(
                f"credit.{name}",
                worded("The panel shows another figure for the {name} than was sent.", name=name),
                "Another figure there is drift, or a figure of the panel's own: see docs/fields.md.",
            )
    trial.write(dict.fromkeys(FIGURES, "0"))
    zero = trial.account().values
    stays = [name for name in FIGURES if name in zero and _amount(zero[name]) != 0]
    if stays:
        yield stop(
            "zeros",
            worded("A 0 leaves {names} as it was.", names=" and ".join(stays)),
            "A client who has paid would stay blocked: set credit.direction to off, and ask how a 0 is written.",
        )
    elif table.LIMIT in zero:
        yield ok("zeros", "A 0 is a figure like any other.")


def shops(trial: Trial) -> Iterator[Finding]:
    """Give the account one shop after another: does the second replace the first?"""
    there = sorted(system.shops(trial.shops.object))
    if len(there) < 2:
        yield ok("shops.replace", "The panel has one shop: whether shops are replaced or added does not matter.")
        return
    for shop in there[:2]:
        if fault := trial.write({table.SHOPS_FIELD: (shop,)}):
            yield look(
                "shops.replace",
                worded("The panel refuses to assign a shop (fault code {fault}).", fault=fault[0]),
                "Check the key's rights, or set shops.direction to off.",
            )
            return
    shown = ids_of(trial.account().values.get(table.SHOPS_FIELD))
    if shown == (there[1],):
        yield ok("shops.replace", "The shops that are sent replace those that were there.")
    else:
        yield stop(
            "shops.replace",
            "The shops that are sent are added to those that were there.",
            "No client can be taken off a shop. Set shops.direction to off, or take clients off by hand.",
        )


def group(trial: Trial) -> Iterator[Finding]:
    """Put the account into a discount group, and take it out again."""
    numbers = [number for number in trial.group_numbers if number != str(trial.policy.panel.no_group)]
    if not numbers:
        yield ok("group.leave", "The panel has no discount group: leaving one could not be tried.")
        return
    if fault := trial.write({table.GROUP_FIELD: numbers[0]}):
        yield look(
            "group.join",
            worded("The panel refuses to assign a discount group (fault code {fault}).", fault=fault[0]),
            "Check the key's rights, or set discounts.direction to off.",
        )
        return
    fault = trial.write({table.GROUP_FIELD: ""})
    if fault or trial.account().values.get(table.GROUP_FIELD):
        yield look(
            "group.leave",
            worded(
                "Group {no_group} does not take an account out of its group{more}.",
                no_group=trial.policy.panel.no_group,
                more=worded(" (fault code {fault})", fault=fault[0]) if fault else "",
            ),
            "Set panel.no_group to the number of a group without prices, or leave discounts.unassigned at keep.",
        )
    else:
        yield ok(
            "group.leave",
            worded(
                "Group {no_group} takes an account out of its discount group.", no_group=trial.policy.panel.no_group
            ),
        )


def switch(trial: Trial) -> Iterator[Finding]:
    """Close the account and open it again."""
    was_closed = _is_closed(trial)
    closed = [trial.write({table.ACTIVE: False}), _is_closed(trial)]
    opened = [trial.write({table.ACTIVE: True}), _is_closed(trial)]
    if was_closed:
        trial.write({table.ACTIVE: False})
    if closed == [None, True] and opened == [None, False]:
        yield ok("closing", "An account is closed and opened, and the filter by activity shows it.")
    else:
        yield look(
            "closing",
            "Closing and opening an account does not show in the filter by activity.",
            "Look in the panel whether the test account is open. Whether a client is closed cannot be checked there.",
        )


def _is_closed(trial: Trial) -> bool:
    account = trial.before
    assert account is not None
    reply = trial.page(gates.by_activity("no", [account.panel_client_id]))
    return any(answers.text(each.get("clientId")) == account.panel_client_id for each in records(reply, "results"))


def address(patient: Patient) -> Iterator[Finding]:
    """Add a delivery address, change it, delete it, and look after each."""
    assert isinstance(patient, Trial)
    trial, account = patient, patient.account()
    shops = ids_of(account.values.get(table.SHOPS_FIELD))

    def there() -> Mapping[str, Values]:
        reply = trial.get(ADDRESSES, address_gates.query([account.panel_client_id]))
        listed = address_gates.addresses(records(reply, "results"), {account.panel_client_id})
        return {each.panel_address_id: each.values for each in listed.get(account.panel_client_id) or ()}

    new = AddressWrite("doctor", trial.login, values=ADDRESS, shops=shops)
    before = there()
    reply = trial.post(ADDRESSES, update_body([address_gates.add_record(new)]))
    made = there().keys() - before.keys()
    if len(made) != 1:
        yield stop(
            "address.add",
            worded("A delivery address that was added is not shown ({answer}).", answer=said(reply)),
            "Set delivery_addresses.direction to off, and tell the authors of Kartoteka.",
        )
        return
    written = replace(new, panel_address_id=made.pop(), values={STREET: "Polna 2"})
    (echoed,) = address_gates.added(reply.object, [new])
    if isinstance(echoed, Done) and echoed.item_id == written.panel_address_id:
        yield ok("address.add", "A new delivery address is shown, with the number that its answer told.")
    else:
        yield look(
            "address.add",
            "A new delivery address is shown, but its answer does not tell its number.",
            "Nothing to do: it is found by reading the addresses again, which costs a call.",
        )
    trial.put(ADDRESSES, update_body([address_gates.update_record(written)]))
    if _lines(there().get(written.panel_address_id, {})) == {**ADDRESS, STREET: "Polna 2"}:
        yield ok("address.change", "A line of an address that is written alone leaves the others as they are.")
    else:
        yield stop(
            "address.change",
            "A change of one line of an address is not shown, or has changed others.",
            "Set delivery_addresses.direction to off, and tell the authors of Kartoteka.",
        )
    moved = trial.account().modified_at != account.modified_at
    way = "move it: the feed finds them" if moved else "do not move it: they are found by the rotating pass"
    yield ok("address.date", worded("Of the account's modification date: edited addresses {way}.", way=way))
    trial.post(DELETE_ADDRESSES, address_gates.delete_body([address_gates.delete_record(written)]))
    if written.panel_address_id in there():
        yield look(
            "address.delete",
            "A delivery address could not be deleted.",
            "Delete the address Polna 2 of the test account by hand. With deletes propagate such an address is held.",
        )
    else:
        yield ok("address.delete", "A delivery address is deleted.")


def _lines(values: Values) -> Values:
    return {name: values.get(name) for name in ADDRESS}


_READ = [f"GET {CLIENTS}"]
_WRITE = [f"PUT {CLIENTS}"]
_BACK = (_READ + _WRITE) * 2 + _READ * 2
"""The reading before, and what puts back."""


def _tried(
    id_: str, title: str, check: Check, calls: Sequence[str], writes: str, *, vital: bool = False
) -> Examination[Patient]:
    return Examination(
        id_,
        title,
        [*_BACK, *calls],
        _restored(check),
        worded("{writes}, and puts back what was there", writes=writes),
        vital,
    )


EXAMINATIONS: tuple[Examination[Patient], ...] = (
    Examination(
        "account",
        "the test account",
        [*[f"POST {CRM_SEARCH}", *_READ] * 2, f"POST {CLIENTS}"],
        opening,
        "opens the account, if there is none with this log-in",
        vital=True,
    ),
    _tried(
        "partial",
        "one field alone",
        partial,
        [*_READ, *_WRITE, f"GET {SERVER_TIME}"],
        "changes the phone number",
        vital=True,
    ),
    _tried("clearing", "clearing by an empty text", clearing, [*_READ, *_WRITE * 2], "empties the phone number"),
    _tried("texts", "a company that is hard to keep", manners, [*_READ, *_WRITE], "changes the company"),
    _tried(
        "credit",
        "credit, balance and zeros",
        zeros,
        [*_READ * 2, *_WRITE * 2],
        "sets a limit of 123.45 and a balance of 12.34, then 0",
    ),
    _tried(
        "shops",
        "shops: replaced or added",
        shops,
        [*_READ, *_WRITE * 2, f"GET {SHOPS_DATA}"],
        "assigns one shop, then another",
    ),
    _tried(
        "group",
        "joining and leaving a discount group",
        group,
        [*_READ, *_WRITE * 2, f"GET {GROUPS}"],
        "puts the account into the first discount group and out of it",
    ),
    _tried(
        "closing",
        "closing and opening",
        switch,
        [*_WRITE * 3, *[f"GET {CLIENTS}"] * 3],
        "closes and opens it",
    ),
    Examination(
        "address",
        "a delivery address",
        [*_READ * 2, *[f"GET {ADDRESSES}"] * 4, f"POST {ADDRESSES}", f"PUT {ADDRESSES}", f"POST {DELETE_ADDRESSES}"],
        address,
        "adds a delivery address, changes it and deletes it",
    ),
)
