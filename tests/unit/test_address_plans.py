"""A client's addresses: which are the same on both sides, and what becomes of each. One test, one sentence."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import pytest

from kartoteka.codes import State, Status, status
from kartoteka.concerns.addresses import Addresses
from kartoteka.concerns.addresses.concern import ShownAddresses
from kartoteka.model import (
    Conflict,
    ConflictNote,
    Direction,
    Forms,
    Intent,
    Key,
    Link,
    Reason,
    Record,
    RecordState,
    RowWrite,
    Side,
    Value,
    Values,
    Written,
)
from kartoteka.ports.panel import Account, Address, AddressWrite
from kartoteka.sync.plan import Act, Plan
from tests.address_world import CONCERN, AddressWorld, policy
from tests.world import CLIENT

LINES: dict[str, Value] = {
    "first_name": "Jan",
    "last_name": "Kowalski",
    "additional": None,
    "phone": "501 502 503",
    "street": "Długa 5",
    "zip_code": "00-950",
    "city": "Łódź",
    "country_code": "PL",
}


OWN = Record(Key("C-1", "", CONCERN), erp=CLIENT, link=Link("C-1", "1", "c-1", "created"))
ACCOUNT = Account("1", "c-1", "C-1", {})
NOTHING = RecordState()


def terms(direction: str = "both", conflict: str = "erp", deletes: str = "ignore") -> Addresses:
    concern = AddressWorld(policy(direction, conflict, deletes)).run().concerns[CONCERN]
    assert isinstance(concern, Addresses)
    return concern


def lines(**changed: Value) -> dict[str, Value]:
    return {**LINES, **changed}


def record(
    item_id: str, erp: Values | None, state: RecordState = NOTHING, conflicts: tuple[Conflict, ...] = ()
) -> Record:
    return Record(Key("C-1", "", CONCERN, item_id), erp=erp, link=OWN.link, state=state, conflicts=conflicts)


def row(item_id: str, **changed: Value) -> Record:
    """A row of which nothing is known yet."""
    return record(item_id, lines(**changed))


def shown(key: str, **changed: Value) -> Address:
    return Address(key, lines(**changed))


def agreed(
    item_id: str,
    key: str,
    *,
    now: Values | None = LINES,
    intent: Intent | None = None,
    conflicts: tuple[Conflict, ...] = (),
    status: Status | None = None,
) -> Record:
    """A row (None: it is gone) that was agreed on, as ``LINES``, with the panel's address of this id."""
    return record(item_id, now, RecordState(Forms(LINES, LINES), key, intent=intent, status=status), conflicts)


def asked(item_id: str, values: Values | None, **sent_values: Value) -> Record:
    """A row (None: it is gone) of an address that was being added with these values."""
    return record(item_id, values, RecordState(intent=sent(**sent_values)))


def sent(making: bool = True, **values: Value) -> Intent:
    """What was about to be sent; None: the end of the address."""
    return Intent(
        tuple(Written(name, Direction.ERP_TO_PANEL, Reason.CREATE, None, value) for name, value in values.items()),
        making=making,
    )


CONFLICT, DRIFT, EDIT = Reason.CONFLICT, Reason.DRIFT, Reason.EDIT
FILLED = {name: value for name, value in LINES.items() if value}


def decide(by: Addresses, items: Sequence[Record], addresses: Iterable[Address]) -> list[Plan]:
    """Plan a client's addresses, the panel having been asked."""
    own, *plans = by.plans([OWN, *items], ShownAddresses(account=ACCOUNT, addresses=tuple(addresses)))
    assert not own
    return plans


def panel_id(plan: Plan) -> str:
    """Return the panel's id of the address that was paired; empty where it shows none."""
    return plan.panel_id if plan.shown.values is not None else ""


def done(found: list[Plan]) -> list[tuple[str, Act, str]]:
    """Tell each record: its row's id, what is to be done, the panel's id."""
    return [(plan.record.key.item_id, plan.act, panel_id(plan)) for plan in found]


def act(item: Record | None, address: Address | None, by: Addresses) -> Plan:
    """Plan one record alone."""
    (found,) = decide(by, [item] if item else [], [address] if address else [])
    return found


def values(plan: Plan, side: Side) -> dict[str, Value]:
    """Return what is to be written on one side."""
    return {step.field: step.value for step in plan.steps if step.target is side}


def reasons(plan: Plan) -> set[tuple[Direction, Reason]]:
    return {(w.direction, w.reason) for w in plan.change().written}


def told(plan: Plan) -> list[ConflictNote]:
    return list(plan.change().conflicts)


def code(plan: Plan) -> str:
    return plan.status.code if plan.status else ""


def is_kept(plan: Plan) -> bool:
    """Say whether an address stays as it is on both sides."""
    return plan.act is Act.MERGE and not plan.writes and plan.call is None


# --- which are the same


def test_nothing_on_both_sides_is_nothing_to_do() -> None:
    assert decide(terms(), [], []) == []


def test_what_was_agreed_on_is_one_whatever_the_contents() -> None:
    items = [agreed("A-1", "8", now=lines(street="Krótka 1")), agreed("A-2", "7")]
    addresses = [shown("7", street="Krótka 1"), shown("8")]
    found = decide(terms(), items, addresses)
    assert done(found) == [("A-1", Act.MERGE, "8"), ("A-2", Act.MERGE, "7")]
    assert values(found[0], Side.PANEL) == {"street": "Krótka 1"}


def test_a_row_named_after_the_panels_address_is_that_one() -> None:
    found = decide(terms(), [row("panel-8", street="Krótka 1")], [shown("7", street="Krótka 1"), shown("8")])
    assert done(found) == [("panel-8", Act.MERGE, "8"), ("panel-7", Act.INSERT, "7")]


def test_equal_contents_are_one_at_first_contact() -> None:
    found = decide(terms(), [row("A-1", street="x"), row("A-2")], [shown("7"), shown("8", street="x")])
    assert done(found) == [("A-1", Act.MERGE, "8"), ("A-2", Act.MERGE, "7")]
    assert not any(values(item, Side.PANEL) or values(item, Side.ERP) for item in found)


def test_two_equal_addresses_on_both_sides_are_two_pairs() -> None:
    items, addresses = [row("A-1"), row("A-2")], [shown("10"), shown("9")]
    assert done(decide(terms(), items, addresses)) == [("A-1", Act.MERGE, "9"), ("A-2", Act.MERGE, "10")]


def test_of_two_equal_rows_and_one_address_the_first_has_it_and_the_second_is_added() -> None:
    found = decide(terms(), [row("A-1"), row("A-2")], [shown("7")])
    assert done(found) == [("A-1", Act.MERGE, "7"), ("A-2", Act.ADD, "")]


@pytest.mark.parametrize(("conflict", "kept"), [("erp", "DŁUGA 5"), ("panel", "ul.Długa5")])
def test_case_and_blanks_make_no_second_address_and_the_rule_decides_the_spelling(conflict: str, kept: str) -> None:
    item = act(row("A-1", street="UL. DŁUGA 5"), shown("7", street="ul.Długa5"), terms(conflict=conflict))
    assert item.act is Act.MERGE
    written = values(item, Side.PANEL) or values(item, Side.ERP)
    assert written == {"street": "UL. DŁUGA 5" if conflict == "erp" else kept}
    assert [(n.field, n.winner) for n in told(item)] == [("street", Side(conflict))]


def test_the_same_spelling_goes_before_another_one() -> None:
    items = [row("A-1", city="ŁÓDŹ"), row("A-2")]
    addresses = [shown("7"), shown("8", city="ŁÓDŹ")]
    assert done(decide(terms(), items, addresses)) == [("A-1", Act.MERGE, "8"), ("A-2", Act.MERGE, "7")]


def test_where_one_side_says_more_the_other_is_filled_and_not_doubled() -> None:
    item = act(row("A-1", phone=None), shown("7", additional="brama 2", first_name=""), terms())
    assert item.act is Act.MERGE
    assert values(item, Side.PANEL) == {"first_name": "Jan"}
    assert values(item, Side.ERP) == {
        "additional": "brama 2",
        "phone": "501 502 503",
    }


@pytest.mark.parametrize("field", ["phone", "street", "zip_code", "city", "country_code", "last_name", "additional"])
def test_a_difference_in_any_filled_field_makes_two_addresses(field: str) -> None:
    other: dict[str, Value] = {"phone": "600700800", "zip_code": "10-001", "country_code": "DE"}
    found = decide(
        terms(), [row("A-1", additional="a")], [shown("7", **{"additional": "a", field: other.get(field, "x")})]
    )
    assert done(found) == [("A-1", Act.ADD, ""), ("panel-7", Act.INSERT, "7")]


def test_what_fits_two_is_taken_for_neither() -> None:
    items = [row("A-1", phone=None)]
    addresses = [shown("7", phone="501502503"), shown("8", phone="600700800")]
    assert done(decide(terms(), items, addresses)) == [
        ("A-1", Act.ADD, ""),
        ("panel-7", Act.INSERT, "7"),
        ("panel-8", Act.INSERT, "8"),
    ]
    rows = [row("A-1", phone="501502503"), row("A-2", phone="600700800")]
    assert done(decide(terms(), rows, [shown("7", phone="")])) == [
        ("A-1", Act.ADD, ""),
        ("A-2", Act.ADD, ""),
        ("panel-7", Act.INSERT, "7"),
    ]


def test_addresses_without_a_street_are_not_taken_for_one_another() -> None:
    item = row("A-1", street="", zip_code="", city="", phone=None)
    found = decide(terms(), [item], [shown("7", street="", zip_code="", city="")])
    assert done(found) == [("A-1", Act.MERGE, ""), ("panel-7", Act.INSERT, "7")]
    assert code(found[0]) == "incomplete"


def test_a_telephone_number_is_read_by_the_country_of_the_side_that_names_one() -> None:
    item = row("A-1", country_code=None, phone="030 123456")
    found = decide(terms(), [item], [shown("7", country_code="DE", phone="+49 30 123456")])
    assert done(found) == [("A-1", Act.MERGE, "7")]


def test_a_row_moved_to_another_customer_is_new_there() -> None:
    assert act(row("A-1"), None, terms()).act is Act.ADD


def test_five_hundred_addresses_are_paired_in_a_moment() -> None:
    items = [row(f"A-{n:03}", street=f"Długa {n}") for n in range(500)]
    addresses = [shown(str(n), street=f"DŁUGA {n}") for n in range(500)]
    began = time.process_time()
    found = decide(terms(), items, addresses)
    assert time.process_time() - began < 2
    assert all(item.act is Act.MERGE for item in found)


@pytest.mark.fault(87)
@pytest.mark.parametrize("lost", [False, True])
def test_five_hundred_people_at_one_place_are_told_apart_in_a_moment(lost: bool) -> None:
    names = [f"Nazwisko {n}" for n in range(500)]
    items = [row(f"A-{n:03}", last_name=name, additional="x" if lost else None) for n, name in enumerate(names)]
    if lost:
        items = [asked(r.key.item_id, r.erp, **{**FILLED, "last_name": names[n]}) for n, r in enumerate(items)]
    addresses = [shown(str(n), last_name=name, additional="" if lost else "brama") for n, name in enumerate(names)]
    began = time.process_time()
    found = decide(terms(), items, addresses[::-1])
    assert time.process_time() - began < 3
    assert [panel_id(plan) for plan in found] == [str(n) for n in range(500)]
    assert all(item.act is Act.MERGE for item in found)


def test_five_hundred_addresses_that_might_be_any_of_five_hundred_are_none_of_them() -> None:
    items = [row(f"A-{n:03}", additional=None) for n in range(500)]
    addresses = [shown(str(n), additional="brama") for n in range(500)]
    began = time.process_time()
    found = decide(terms(), items, addresses)
    assert time.process_time() - began < 3
    assert [item.act for item in found] == [Act.ADD] * 500 + [Act.INSERT] * 500


# --- lost replies


def test_what_a_lost_reply_has_added_is_found_though_the_row_was_edited_since() -> None:
    item = asked("A-1", lines(street="Krótka 1"), **FILLED)
    found = act(item, shown("7", additional=""), terms())
    assert (found.act, values(found, Side.PANEL)) == (Act.MERGE, {"street": "Krótka 1"})
    assert found.earlier == sent(**FILLED).written
    item = asked("A-1", lines(additional="brama 2"), **FILLED)
    found = act(item, shown("7", additional=""), terms())
    assert [(w.field, w.reason) for w in found.change().written if w.field == "additional"] == [("additional", EDIT)]
    assert not told(found)


def test_the_country_is_the_one_thing_that_the_panel_adds_by_itself() -> None:
    kept = {name: value for name, value in FILLED.items() if name != "country_code"}
    item = asked("A-1", lines(country_code=None, street="Krótka 1"), **kept)
    assert act(item, shown("7", country_code="DE"), terms()).act is Act.MERGE
    found = decide(terms(), [item], [shown("7", additional="not what was sent")])
    assert [i.act for i in found] == [Act.ADD, Act.INSERT]


def test_a_lost_reply_takes_no_address_that_is_somebody_elses() -> None:
    items = [agreed("A-1", "7"), asked("A-2", LINES, **FILLED)]
    assert done(decide(terms(), items, [shown("7")])) == [("A-1", Act.MERGE, "7"), ("A-2", Act.ADD, "")]


def test_two_lost_replies_find_one_address_each() -> None:
    items = [asked(name, LINES, **FILLED) for name in ("A-1", "A-2")]
    assert done(decide(terms(), items, [shown("8"), shown("7")])) == [
        ("A-1", Act.MERGE, "7"),
        ("A-2", Act.MERGE, "8"),
    ]


@pytest.mark.parametrize(("deletes", "wanted"), [("ignore", Act.MERGE), ("propagate", Act.DELETE)])
def test_what_a_lost_reply_has_added_for_a_row_that_is_gone_does_not_come_back_as_a_row(
    deletes: str, wanted: Act
) -> None:
    item = asked("A-1", None, **FILLED)
    found = act(item, shown("7"), terms(deletes=deletes))
    assert (found.act, found.change().after.panel_id) == (wanted, "7" if deletes == "ignore" else "")
    assert found.earlier == sent(**FILLED).written
    assert act(item, None, terms(deletes=deletes)).act is Act.FORGET


def test_an_update_whose_reply_was_lost_is_known_to_have_been_carried() -> None:
    item = agreed("A-1", "7", now=lines(street="Krótka 1"), intent=sent(making=False, street="Krótka 1"))
    found = act(item, shown("7", street="z panelu"), terms())
    assert told(found)
    found = act(item, shown("7", street="Krótka 1"), terms())
    assert found.base
    assert found.base.erp["street"] == found.base.panel["street"] == "Krótka 1"
    assert not values(found, Side.PANEL)


@pytest.mark.parametrize("deletes", ["ignore", "propagate"])
def test_a_row_that_comes_back_after_we_deleted_its_address_is_the_one_that_was_entered_again(deletes: str) -> None:
    end = sent(making=False, **dict.fromkeys(FILLED))
    found = act(agreed("A-1", "7", intent=end), shown("9"), terms(deletes=deletes))
    assert (found.act, panel_id(found), found.base, found.change().written) == (Act.MERGE, "9", None, end.written)


@pytest.mark.parametrize("deletes", ["ignore", "propagate"])
def test_a_row_that_comes_back_after_we_deleted_its_address_is_new_and_not_deleted_with_it(deletes: str) -> None:
    end = sent(making=False, **dict.fromkeys(FILLED))
    found = act(agreed("A-1", "7", intent=end), None, terms(deletes=deletes))
    assert (found.act, found.earlier) == (Act.FORGET, end.written)
    found = act(agreed("A-1", "7", now=None, intent=end), None, terms(deletes=deletes))
    assert (found.act, found.earlier) == (Act.FORGET, end.written)
    found = act(agreed("A-1", "7", intent=end), shown("7", phone=""), terms())
    assert (found.act, found.earlier, values(found, Side.PANEL)) == (Act.MERGE, (), {})


def test_what_an_unanswered_call_has_carried_is_told_though_another_row_has_the_address_by_now() -> None:
    update = sent(making=False, street="Krótka 1")
    former, present = agreed("A-1", "7", now=None, intent=update), agreed("A-2", "7")
    found = decide(terms(), [former, present], [shown("7", street="Krótka 1")])
    assert done(found) == [("A-1", Act.FORGET, ""), ("A-2", Act.MERGE, "7")]
    assert (found[0].earlier, found[0].change().written) == (update.written, update.written)
    found = decide(terms(), [former, present], [shown("7")])
    assert found[0].change().written == ()


def test_an_erasure_whose_reply_was_lost_is_no_deletion_of_the_address() -> None:
    erasure = sent(making=False, phone=None, additional=None)
    found = act(agreed("A-1", "7", intent=erasure), None, terms(deletes="propagate"))
    assert (found.act, found.earlier) == (Act.REMOVE, ())


# --- new on one side


@pytest.mark.parametrize(
    ("direction", "row_does", "address_does"),
    [
        ("both", [Act.ADD], [Act.INSERT]),
        ("erp_to_panel", [Act.ADD], []),
        ("panel_to_erp", [], [Act.INSERT]),
    ],
)
def test_what_is_new_on_one_side_is_made_on_the_other_unless_that_one_decides(
    direction: str, row_does: list[Act], address_does: list[Act]
) -> None:
    by = terms(direction)
    added, inserted = decide(by, [row("A-1")], []), decide(by, [], [shown("7")])
    assert [item.act for item in added] == row_does
    assert [item.act for item in inserted] == address_does
    if added:
        assert values(added[0], Side.PANEL) == FILLED
        assert reasons(added[0]) == {(Direction.ERP_TO_PANEL, Reason.CREATE)}
    if inserted:
        assert inserted[0].record.key.item_id == "panel-7"
        assert inserted[0].change().row == RowWrite(insert=LINES)
        assert reasons(inserted[0]) == {(Direction.PANEL_TO_ERP, Reason.CREATE)}


def test_what_is_left_alone_is_forgotten_where_something_is_told_of_it() -> None:
    item = record("A-1", LINES, RecordState(status=Status(State.HELD, "incomplete")))
    assert act(item, None, terms("panel_to_erp")).act is Act.FORGET
    assert decide(terms("panel_to_erp"), [row("A-1")], []) == []


def test_a_new_address_that_lacks_what_the_panel_wants_says_what() -> None:
    item = act(row("A-1", first_name=None, zip_code="  "), None, terms())
    assert item.status == status("incomplete", ["first_name", "zip_code"], table="delivery_addresses")
    assert is_kept(item)
    assert code(act(row("A-1"), None, terms())) == ""
    assert code(act(agreed("A-1", "7", now=lines(first_name="")), shown("7"), terms())) == ""


def test_a_row_that_could_not_be_inserted_is_known_by_its_place() -> None:
    held = record("panel-7", None, RecordState(panel_id="7", status=Status(State.HELD, "too_long")))
    assert done(decide(terms(), [held], [shown("7")])) == [("panel-7", Act.INSERT, "7")]
    assert act(held, None, terms()).act is Act.FORGET
    both = decide(terms(), [row("A-1"), held], [shown("7")])
    assert done(both) == [("A-1", Act.MERGE, "7"), ("panel-7", Act.FORGET, "")]


def test_an_id_that_is_taken_is_not_inserted_again() -> None:
    found = decide(terms(), [agreed("panel-7", "9")], [shown("9"), shown("7", street="x")])
    assert done(found) == [("panel-7", Act.MERGE, "9")]


def test_an_address_that_is_not_taken_for_a_row_of_its_name_is_left_alone() -> None:
    found = decide(terms(), [agreed("panel-7", "9")], [shown("7", street="x")])
    assert [(plan.act, code(plan)) for plan in found] == [(Act.MERGE, "deleted_in_panel")]


# --- deletions


ROW_GONE = (agreed("A-1", "7", now=None), shown("7"))
ROW_GONE_EDITED = (agreed("A-1", "7", now=None), shown("7", street="z panelu"))
ADDRESS_GONE = (agreed("A-1", "7"), None)
ADDRESS_GONE_EDITED = (agreed("A-1", "7", now=lines(street="z ERP")), None)
BOTH_GONE = (agreed("A-1", "7", now=None), None)
TO_PANEL, TO_ERP = Direction.ERP_TO_PANEL, Direction.PANEL_TO_ERP
Case = tuple[Record, Address | None]

DELETIONS = [
    # direction, conflict rule, the case -> what is done, which way, why
    ("both", "erp", ROW_GONE, Act.DELETE, TO_PANEL, EDIT),
    ("both", "panel", ROW_GONE, Act.DELETE, TO_PANEL, EDIT),
    ("both", "hold", ROW_GONE, Act.DELETE, TO_PANEL, EDIT),
    ("both", "erp", ADDRESS_GONE, Act.REMOVE, TO_ERP, EDIT),
    ("both", "panel", ADDRESS_GONE, Act.REMOVE, TO_ERP, EDIT),
    ("both", "hold", ADDRESS_GONE, Act.REMOVE, TO_ERP, EDIT),
    ("both", "erp", ROW_GONE_EDITED, Act.DELETE, TO_PANEL, CONFLICT),
    ("both", "panel", ROW_GONE_EDITED, Act.INSERT, TO_ERP, CONFLICT),
    ("both", "hold", ROW_GONE_EDITED, Act.MERGE, None, None),
    ("both", "erp", ADDRESS_GONE_EDITED, Act.ADD, TO_PANEL, CONFLICT),
    ("both", "panel", ADDRESS_GONE_EDITED, Act.REMOVE, TO_ERP, CONFLICT),
    ("both", "hold", ADDRESS_GONE_EDITED, Act.MERGE, None, None),
    ("erp_to_panel", "hold", ROW_GONE, Act.DELETE, TO_PANEL, EDIT),
    ("erp_to_panel", "hold", ROW_GONE_EDITED, Act.DELETE, TO_PANEL, EDIT),
    ("erp_to_panel", "hold", ADDRESS_GONE, Act.ADD, TO_PANEL, DRIFT),
    ("erp_to_panel", "hold", ADDRESS_GONE_EDITED, Act.ADD, TO_PANEL, DRIFT),
    ("panel_to_erp", "hold", ROW_GONE, Act.INSERT, TO_ERP, DRIFT),
    ("panel_to_erp", "hold", ROW_GONE_EDITED, Act.INSERT, TO_ERP, DRIFT),
    ("panel_to_erp", "hold", ADDRESS_GONE, Act.REMOVE, TO_ERP, EDIT),
    ("panel_to_erp", "hold", ADDRESS_GONE_EDITED, Act.REMOVE, TO_ERP, EDIT),
]


@pytest.mark.parametrize(("direction", "conflict", "case", "wanted", "way", "why"), DELETIONS)
def test_a_propagated_deletion(
    direction: str, conflict: str, case: Case, wanted: Act, way: Direction | None, why: Reason | None
) -> None:
    item = act(*case, terms(direction, conflict, "propagate"))
    assert (item.act, is_kept(item)) == (wanted, way is None)
    assert item.record.key.item_id == "A-1"
    assert reasons(item) == ({(way, why)} if way else set())


@pytest.mark.parametrize("direction", ["both", "erp_to_panel", "panel_to_erp"])
@pytest.mark.parametrize(
    ("case", "gone"),
    [
        (ROW_GONE, Side.ERP),
        (ROW_GONE_EDITED, Side.ERP),
        (ADDRESS_GONE, Side.PANEL),
        (ADDRESS_GONE_EDITED, Side.PANEL),
        (BOTH_GONE, Side.PANEL),
    ],
)
def test_an_ignored_deletion_is_remembered_and_nothing_is_written(direction: str, case: Case, gone: Side) -> None:
    item = act(*case, terms(direction, deletes="ignore"))
    assert (is_kept(item), code(item), item.change().written) == (True, f"deleted_in_{gone.value}", ())
    remembered = record("A-1", case[0].erp, item.change().after)
    assert not act(remembered, case[1], terms(direction, deletes="ignore")), "it is remembered as it is"


@pytest.mark.parametrize("direction", ["both", "erp_to_panel", "panel_to_erp"])
def test_what_is_gone_on_both_sides_is_forgotten_where_deletions_are_carried(direction: str) -> None:
    assert act(*BOTH_GONE, terms(direction, deletes="propagate")).act is Act.FORGET


def test_what_a_deletion_takes_away_is_told_value_by_value() -> None:
    item = act(*ROW_GONE, terms(deletes="propagate"))
    assert [(w.field, w.before, w.after) for w in item.change().written] == [(n, v, None) for n, v in FILLED.items()]
    item = act(*ADDRESS_GONE, terms(deletes="propagate"))
    assert [(w.field, w.before, w.after) for w in item.change().written] == [(n, v, None) for n, v in FILLED.items()]


@pytest.mark.parametrize("conflict", ["erp", "panel", "hold"])
def test_an_edit_that_a_deletion_beats_is_told_and_so_is_one_that_waits(conflict: str) -> None:
    winner = None if conflict == "hold" else Side(conflict)
    item = act(*ROW_GONE_EDITED, terms(conflict=conflict, deletes="propagate"))
    assert told(item) == [ConflictNote("street", None, "z panelu", "Długa 5", winner)]
    item = act(*ADDRESS_GONE_EDITED, terms(conflict=conflict, deletes="propagate"))
    assert told(item) == [ConflictNote("street", "z ERP", None, "Długa 5", winner)]


def test_an_address_that_holds_nothing_is_deleted_like_any_other() -> None:
    plan = act(agreed("A-1", "7", now=None), Address("7", dict.fromkeys(LINES)), terms(deletes="propagate"))
    assert (plan.act, plan.call) == (Act.DELETE, AddressWrite("C-1", "c-1", "7", {}, (1,)))


def test_what_is_made_anew_in_the_panel_is_a_new_address_there() -> None:
    plan = act(*ADDRESS_GONE, terms("erp_to_panel", deletes="propagate"))
    assert (plan.act, plan.call) == (Act.ADD, AddressWrite("C-1", "c-1", "", FILLED, (1,)))


def test_a_value_that_was_emptied_is_no_edit() -> None:
    assert act(agreed("A-1", "7", now=None), shown("7", phone=""), terms(deletes="propagate")).act is Act.DELETE


def open_conflict(decision: Side | None = None, field: str = "street", number: int = 5) -> Conflict:
    return Conflict(number, field, None, "z panelu", "Długa 5", decision)


@pytest.mark.parametrize(("decision", "wanted"), [(Side.ERP, Act.DELETE), (Side.PANEL, Act.INSERT)])
def test_a_person_decides_between_an_edit_and_a_deletion(decision: Side, wanted: Act) -> None:
    by = terms(conflict="hold", deletes="propagate")
    waiting = agreed("A-1", "7", now=None, conflicts=(open_conflict(),))
    item = act(waiting, ROW_GONE_EDITED[1], by)
    assert (is_kept(item), code(item), told(item), item.change().closed) == (True, "conflict", [], {})
    decided = agreed("A-1", "7", now=None, conflicts=(open_conflict(decision),))
    item = act(decided, ROW_GONE_EDITED[1], by)
    assert (item.act, item.change().closed) == (wanted, {5: decision})
    assert {reason for _, reason in reasons(item)} == {Reason.CONFLICT}


def test_of_two_decisions_that_contradict_each_other_the_one_counts_that_keeps_the_record() -> None:
    conflicts = (open_conflict(Side.ERP), open_conflict(Side.PANEL, "city", 6))
    item = act(
        agreed("A-1", "7", now=None, conflicts=conflicts),
        shown("7", street="z panelu", city="x"),
        terms(conflict="hold", deletes="propagate"),
    )
    assert (item.act, item.change().closed) == (Act.INSERT, {5: Side.PANEL, 6: Side.PANEL})


def test_an_edit_that_is_taken_back_lets_the_deletion_pass_and_closes_its_conflict() -> None:
    waiting = agreed("A-1", "7", now=None, conflicts=(open_conflict(),))
    item = act(waiting, shown("7"), terms(conflict="hold", deletes="propagate"))
    assert (item.act, item.change().closed) == (Act.DELETE, {5: Side.ERP})


def test_a_record_that_is_forgotten_closes_its_conflicts() -> None:
    gone = agreed("A-1", "7", now=None, conflicts=(open_conflict(),))
    assert act(gone, None, terms(deletes="propagate")).change().closed == {5: None}


def test_a_remembered_record_keeps_its_conflicts_for_the_day_its_row_comes_back() -> None:
    gone = agreed("A-1", "7", now=None, conflicts=(open_conflict(),))
    assert act(gone, shown("7"), terms()).change().closed == {}


def test_a_row_that_comes_back_goes_on_from_its_agreement() -> None:
    item = act(agreed("A-1", "7", status=Status(State.EXCLUDED, "deleted_in_erp")), shown("7", city="Gdynia"), terms())
    assert item.act is Act.MERGE
    assert values(item, Side.ERP) == {"city": "Gdynia"}


# --- the same under another id


@pytest.mark.fault(58)
@pytest.mark.parametrize("deletes", ["ignore", "propagate"])
def test_rows_that_were_numbered_anew_take_over_their_addresses(deletes: str) -> None:
    items = [agreed("A-1", "7", now=None), row("B-1", street="DŁUGA 5")]
    found = decide(terms(deletes=deletes), items, [shown("7")])
    assert done(found) == [("A-1", Act.FORGET, ""), ("B-1", Act.MERGE, "7")]
    assert values(found[1], Side.PANEL) == {"street": "DŁUGA 5"}


@pytest.mark.parametrize("deletes", ["ignore", "propagate"])
def test_an_address_that_was_deleted_and_entered_again_is_the_rows_again(deletes: str) -> None:
    found = decide(terms(deletes=deletes), [agreed("A-1", "7")], [shown("9")])
    assert done(found) == [("A-1", Act.MERGE, "9")]
    found = decide(terms(deletes=deletes), [agreed("A-1", "7")], [shown("9", street="Krótka 1")])
    assert [item.act for item in found][1:] == [Act.INSERT]
    assert code(found[0]) == "deleted_in_panel" if deletes == "ignore" else found[0].act is Act.REMOVE


def test_a_new_row_goes_before_one_whose_address_was_deleted() -> None:
    found = decide(terms(), [agreed("A-1", "7"), row("A-2")], [shown("9")])
    assert done(found) == [("A-1", Act.MERGE, ""), ("A-2", Act.MERGE, "9")]
    assert code(found[0]) == "deleted_in_panel"


def test_an_address_of_a_row_that_is_there_is_never_taken_over() -> None:
    found = decide(terms(), [agreed("A-1", "7"), row("A-2")], [shown("7")])
    assert done(found) == [("A-1", Act.MERGE, "7"), ("A-2", Act.ADD, "")]


# --- one way


def test_drift_is_put_right_by_the_side_that_decides() -> None:
    item = act(agreed("A-1", "7"), shown("7", city="x"), terms("erp_to_panel"))
    assert (values(item, Side.PANEL), reasons(item)) == ({"city": "Łódź"}, {(TO_PANEL, DRIFT)})
    item = act(agreed("A-1", "7", now=lines(city="x")), shown("7"), terms("panel_to_erp"))
    assert reasons(item) == {(TO_ERP, DRIFT)}


def test_first_contact_follows_the_conflict_rule() -> None:
    item = act(row("panel-7", city="x"), shown("7"), terms(conflict="panel"))
    assert reasons(item) == {(TO_ERP, Reason.FIRST_CONTACT)}
