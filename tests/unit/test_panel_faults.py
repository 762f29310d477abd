"""The table from statuses, faults and exceptions to Retry, Reject and Halt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
import urllib3

from kartoteka.adapters.idosell import faults
from kartoteka.errors import Halt, KartotekaError, Reject, Retry
from kartoteka.fields.table import ACCOUNT_FIELDS, FAULTS
from kartoteka.ports.panel import NO_ANSWER

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GET, POST = "GET clients/clients", "POST clients/clients"
POOL = urllib3.HTTPConnectionPool("127.0.0.1")
CANARY = "Jan Kanarek ul. Ptasia 7"


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (301, Halt, "panel_redirect"),
        (302, Halt, "panel_redirect"),
        (304, Halt, "panel_redirect"),
        (400, Reject, "refused_whole"),
        (401, Halt, "panel_key"),
        (402, Halt, "panel_blocked"),
        (403, Halt, "panel_right"),
        (404, Halt, "panel_gate"),
        (405, Halt, "panel_status"),
        (408, Retry, "timeout"),
        (413, Reject, "refused_whole"),
        (418, Halt, "panel_status"),
        (422, Reject, "refused_whole"),
        (429, Retry, "too_many_requests"),
        (500, Retry, "panel_5xx"),
        (502, Retry, "panel_5xx"),
        (503, Retry, "panel_5xx"),
        (504, Retry, "panel_5xx"),
        (599, Retry, "panel_5xx"),
        (999, Halt, "panel_status"),
    ],
)
def test_each_status_says_what_to_do(status: int, kind: type[KartotekaError], code: str) -> None:
    error = faults.for_status(status, gate=GET, text=CANARY)
    assert type(error) is kind
    assert error.code == code  # type: ignore[attr-defined]
    assert CANARY not in str(error) + repr(error)


def test_a_wait_that_the_panel_asked_for_is_passed_on() -> None:
    for status in (429, 503):
        error = faults.for_status(status, gate=GET, after=7.0)
        assert isinstance(error, Retry)
        assert error.after == 7.0


@pytest.mark.parametrize(
    ("gate", "said", "right"),
    [
        (GET, "", "CRM (read)"),
        (POST, "", "CRM (read and write)"),
        ("GET system/serverTime", "", "SYSTEM (read)"),
        (GET, "No access. Scope: crm, level: rw", "CRM (read and write)"),
        (GET, "Scope: system, level: r.", "SYSTEM (read)"),
    ],
)
def test_a_403_names_the_missing_right(gate: str, said: str, right: str) -> None:
    assert right in str(faults.for_status(403, gate=gate, text=said))


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (requests.exceptions.ConnectTimeout("x"), Retry, "timeout"),
        (requests.exceptions.ReadTimeout("x"), Retry, "timeout"),
        (requests.exceptions.ConnectionError("x"), Retry, "connection"),
        (requests.exceptions.ProxyError("x"), Retry, "connection"),
        (requests.exceptions.SSLError("EOF occurred"), Retry, "connection"),
        (requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), Halt, "panel_tls"),
        (requests.exceptions.ChunkedEncodingError("x"), Retry, "broken_answer"),
        (requests.exceptions.ContentDecodingError("x"), Retry, "broken_answer"),
        (requests.exceptions.InvalidURL("x"), Halt, "panel_gate"),
        (requests.exceptions.InvalidHeader("x"), Retry, "broken_answer"),
        (urllib3.exceptions.ReadTimeoutError(POOL, "", "x"), Retry, "timeout"),
        (urllib3.exceptions.ProtocolError("x"), Retry, "broken_answer"),
        (urllib3.exceptions.DecodeError("x"), Retry, "broken_answer"),
        (ConnectionResetError("x"), Retry, "connection"),
    ],
)
def test_each_exception_says_what_to_do(error: Exception, kind: type[KartotekaError], code: str) -> None:
    found = faults.for_exception(error, gate=GET)
    assert type(found) is kind
    assert found.code == code  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("gate", "fault", "kind"),
    [
        (GET, "1", Halt),
        (GET, "2", None),
        (GET, "4", Halt),
        (GET, "3", Halt),
        (GET, "77", Retry),
        (GET, "", Retry),
        ("POST clients/crm/search", "2", None),
        ("GET system/serverTime", "2", Halt),
        (GET, "no_products", None),
        (GET, "no_results", None),
        ("GET discounts/groups", "empty_list", None),
        (GET, "no", Retry),
        (GET, "no_<script>", Retry),
        (GET, "server_error", Retry),
    ],
)
def test_faults_of_a_search_count_by_gate(gate: str, fault: str, kind: type[KartotekaError] | None) -> None:
    error = faults.for_search_fault(fault, gate=gate)
    assert (type(error) if error else None) is kind


@pytest.mark.parametrize(("fault", "kind"), [("1", Halt), ("4", Halt), ("2", Reject), ("20", Reject), ("", Reject)])
def test_faults_of_a_whole_write(fault: str, kind: type[KartotekaError]) -> None:
    assert type(faults.for_write_fault(fault, CANARY, gate=POST, sent=())) is kind


@pytest.mark.parametrize(
    ("fault", "code", "field"),
    [
        ("2", "bad_login", ""),
        ("3", "login_taken", ""),
        ("10", "no_first_name", "first_name"),
        ("11", "no_last_name", "last_name"),
        ("12", "bad_email.by_panel", "email"),
        ("13", "no_shop.by_panel", "shops"),
        ("14", "bad_shop", "shops"),
        ("15", "bad_vat", "nip"),
        ("16", "no_company", "company"),
        ("17", "bad_country.by_panel", "country_code"),
        ("18", "bad_city", "city"),
        ("19", "bad_address", "street"),
        ("20", "bad_postcode", "zip_code"),
        ("21", "bad_phone", "phone"),
        ("101", "refused", ""),
        ("", "refused", ""),
    ],
)
def test_each_fault_of_a_record_has_a_name_and_a_field(fault: str, code: str, field: str) -> None:
    reject = faults.for_record(fault, f"Błąd:\n {CANARY}", sent=())
    assert (reject.code, reject.field) == (code, field)
    assert reject.facts == {"panel": f"{fault}: Błąd: {CANARY}" if fault else f"Błąd: {CANARY}"}
    assert CANARY not in str(reject) + repr(reject)


LINES = ("clientLogin", "shopsIds", "clientDeliveryAddressZipCode", "clientDeliveryAddressStreet")


@pytest.mark.parametrize(
    ("fault", "text", "code", "field"),
    [
        ("20", "zły kod", "bad_postcode", "zip_code"),
        ("19", "", "bad_address", "street"),
        ("", "Pole clientDeliveryAddressZipCode jest błędne", "bad_postcode", "zip_code"),
        ("103", "clientDeliveryAddressStreet: za długie", "bad_address", "street"),
        ("20", "clientDeliveryAddressStreet: za długie", "bad_address", "street"),
        ("20", "clientDeliveryAddressStreet, clientDeliveryAddressZipCode", "bad_postcode", "zip_code"),
        ("18", "miasto nie było wysłane", "refused", ""),
        ("", "Pole clientDeliveryAddressCity jest błędne", "refused", ""),
        ("", "clientDeliveryAddressZipCode2", "refused", ""),
        ("15", "numer VAT", "refused", ""),
        ("12", "", "refused", ""),
    ],
)
def test_a_fault_of_an_address_names_a_field_that_was_sent_or_none(
    fault: str, text: str, code: str, field: str
) -> None:
    reject = faults.for_address([(fault, text)], sent=LINES)
    assert (reject.code, reject.field) == (code, field)
    assert reject.facts == {"panel": ": ".join(filter(None, (fault, text)))}


def test_all_faults_of_an_address_are_told() -> None:
    reject = faults.for_address([("101", "nie ma"), ("20", "zły kod"), ("19", "")], sent=LINES)
    assert [each.field for each in (reject, *reject.also)] == ["", "zip_code", "street"]


@pytest.mark.parametrize("fault", ["", "3", "20", "103"])
def test_a_fault_of_an_address_that_sent_no_field_is_quoted_and_its_number_not_read(fault: str) -> None:
    reject = faults.for_address([(fault, f"Błąd:\n {CANARY}")], sent=())
    assert (reject.code, reject.field) == ("refused", "")
    assert reject.facts == {"panel": f"{fault}: Błąd: {CANARY}" if fault else f"Błąd: {CANARY}"}
    assert CANARY not in str(reject) + repr(reject)


@pytest.mark.parametrize(
    ("number", "text", "quoted"),
    [
        ("15", "a", "15: a"),
        ("15", "", "15"),
        ("15", " \n ", "15"),
        ("", "a", "a"),
        ("", "", ""),
        ("", "a\tb\r\n c\u00a0d", "a b c d"),
        ("15", "x" * 600, "15: " + "x" * 496),
    ],
)
def test_number_and_text_are_quoted_in_one_line_of_bounded_length(number: str, text: str, quoted: str) -> None:
    for reject in (
        faults.for_record(number, text, sent=()),
        faults.for_address([(number, text)], sent=()),
        faults.for_group(number, text),
        faults.for_write_fault(number, text, gate=POST, sent=()),
    ):
        assert isinstance(reject, Reject)
        assert reject.facts == {"panel": quoted}


@pytest.mark.parametrize(("text", "quoted"), [("źle", "HTTP 422: źle"), ("", "HTTP 422")])
def test_a_call_refused_by_its_status_quotes_the_status(text: str, quoted: str) -> None:
    reject = faults.for_status(422, gate=POST, text=text)
    assert isinstance(reject, Reject)
    assert reject.facts == {"panel": quoted}


def test_every_documented_fault_is_in_the_table_and_every_field_is_ours() -> None:
    assert set(faults.RECORD_FAULTS) == {str(number) for number in range(1, 22)}
    assert FAULTS.keys() < faults.RECORD_FAULTS.keys()
    assert set(FAULTS.values()) <= set(ACCOUNT_FIELDS)


# a field that an older panel lacks

SENT = {"clientLogin", "clientCity", "isLocalGovernmentUnit", "clientNipUeDeclaration"}


@pytest.mark.parametrize("status", [400, 413, 414, 422])
@pytest.mark.parametrize("name", ["isLocalGovernmentUnit", "clientNipUeDeclaration"])
def test_a_call_whose_refusal_names_a_newer_field_says_that_the_panel_lacks_it(status: int, name: str) -> None:
    text = f"{CANARY}: {name} unknown"
    for reject in (
        faults.for_status(status, gate=POST, text=text, sent=SENT),
        faults.for_write_fault("77", text, gate=POST, sent=SENT),
    ):
        assert isinstance(reject, Reject)
        assert (reject.code, ACCOUNT_FIELDS[reject.field].update) == ("panel_lacks_field", name)
        assert CANARY in reject.facts["panel"]
        assert CANARY not in str(reject) + repr(reject)


def test_a_name_beyond_what_is_quoted_counts_too() -> None:
    reject = faults.for_status(422, gate=POST, text="x " * 400 + "isLocalGovernmentUnit", sent=SENT)
    assert isinstance(reject, Reject)
    assert (reject.code, len(reject.facts["panel"])) == ("panel_lacks_field", 500)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("isLocalGovernmentUnit unknown", SENT - {"isLocalGovernmentUnit"}),
        ("isLocalGovernmentUnit unknown", ()),
        ("isLocalGovernmentUnits unknown", SENT),
        ("local_government_unit unknown", SENT),
        ("clientCity unknown field", SENT),
        ("", SENT),
    ],
)
def test_a_call_that_is_refused_for_something_else_is_split(text: str, sent: set[str]) -> None:
    for reject in (
        faults.for_status(422, gate=POST, text=text, sent=sent),
        faults.for_write_fault("77", text, gate=POST, sent=sent),
    ):
        assert isinstance(reject, Reject)
        assert (reject.code, reject.field) == ("refused_whole", "")


@pytest.mark.parametrize(("status", "kind"), [(401, Halt), (403, Halt), (429, Retry), (500, Retry), (503, Retry)])
def test_a_status_that_says_something_else_keeps_its_meaning(status: int, kind: type[KartotekaError]) -> None:
    assert type(faults.for_status(status, gate=POST, text="isLocalGovernmentUnit", sent=SENT)) is kind


@pytest.mark.parametrize("number", ["1", "4"])
def test_a_fault_of_the_caller_keeps_its_meaning(number: str) -> None:
    assert isinstance(faults.for_write_fault(number, "isLocalGovernmentUnit", gate=POST, sent=SENT), Halt)


@pytest.mark.fault(16)
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("301", 300.0),
        ("86400", 300.0),
        ("1000000000", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("soon", None),
        ("", None),
        (None, None),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30.0),
        (format_datetime(NOW + timedelta(hours=2), usegmt=True), 300.0),
        (format_datetime(NOW - timedelta(seconds=30), usegmt=True), None),
        (format_datetime(NOW + timedelta(days=400), usegmt=True), None),
        ("Mon, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert faults.retry_after(header, NOW) == seconds


def test_all_that_is_tried_again_is_known_as_no_answer() -> None:
    """So that it rings where it lasts."""
    actions = [*faults.STATUSES.values(), *faults.CLASSES.values(), *(action for _, action in faults.EXCEPTIONS)]
    again = {action.code for action in actions if isinstance(action, faults.Again)}
    assert len(again) >= 6
    assert again <= NO_ANSWER
