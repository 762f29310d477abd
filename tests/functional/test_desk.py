"""The desk over an installation: the real function, pages and JSON, as the bridge invokes it."""

from __future__ import annotations

import io
import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest

from kartoteka import codes, runtime
from kartoteka.desk.lists import LISTS
from kartoteka.desk.remedies import on_page
from kartoteka.fields.table import CONCERNS
from tests.fixtures.installation import Context, Installation, event

EVIL = '<script>alert("x")</script>'
FORM = "a-form-s-secret"
FORMS = "application/x-www-form-urlencoded"


class Visitor:
    """A browser behind the bridge: what it asks the function, and what it is answered."""

    def __init__(self, installation: Installation, lang: str = "en") -> None:
        self._handler = installation.handler("desk")
        self._lang = lang

    def ask(self, method: str, path: str, body: str = "", kind: str = "", form: str = FORM) -> dict[str, Any]:
        raw, _, query = path.partition("?")
        headers = {"accept-language": self._lang, "x-kartoteka-by": "ola", "x-kartoteka-form": form}
        given = dict(parse_qsl(query))
        event = {
            "version": "2.0",
            "rawPath": raw,
            "rawQueryString": query,
            "queryStringParameters": given or None,
            "headers": headers | ({"content-type": kind} if kind else {}),
            "requestContext": {"http": {"method": method, "path": raw}, "stage": "$default"},
            "body": body,
            "isBase64Encoded": False,
        }
        return self._handler(event, Context())

    def page(self, path: str, status: int = 200) -> str:
        answer = self.ask("GET", path)
        assert answer["statusCode"] == status, answer
        return str(answer["body"])

    def json(self, path: str, status: int = 200) -> Any:
        answer = self.ask("GET", f"/api/{path}")
        assert answer["statusCode"] == status, answer
        return json.loads(answer["body"])

    def post(self, path: str, status: int = 200, **given: Any) -> Any:
        answer = self.ask("POST", f"/api/{path}", json.dumps(given), "application/json")
        assert answer["statusCode"] == status, answer
        return json.loads(answer["body"])

    def send(self, path: str, status: int = 303, **given: Any) -> dict[str, Any]:
        body = urlencode({"form": FORM, **given}, doseq=True)
        answer = self.ask("POST", path, body, FORMS)
        assert answer["statusCode"] == status, answer
        return answer


@pytest.fixture
def visitor(installation: Installation) -> Visitor:
    return Visitor(installation)


def settle(installation: Installation, rounds: int = 3) -> None:
    for _ in range(rounds):
        installation.tick()


def in_conflict(installation: Installation, *ids: str) -> None:
    """Linked clients whose street was edited on both sides."""
    installation.decide('{"panel": {"requests_per_second": 1000}, "billing": {"conflict": "hold"}}')
    installation.insert(*ids)
    settle(installation)
    for each in ids:
        installation.sql(f"UPDATE clients SET street = 'Nowa 1' WHERE id = '{each}'")
        edit_in_panel(installation, each, "Inna 2")
    installation.pass_time(minutes=5)
    settle(installation)


def edit_in_panel(installation: Installation, code: str, street: str) -> None:
    (account,) = installation.panel.by_code(code)
    installation.panel.edit(account.id, street=street)


def test_every_page_is_shown_for_an_empty_installation_in_both_languages(installation: Installation) -> None:
    for lang, word in (("en", "Overview"), ("pl-PL,pl;q=0.9", "Konflikty")):
        visitor = Visitor(installation, lang)
        for path in ("", *LISTS):
            assert word in visitor.page(f"/{path}")


def test_the_overview_says_the_same_to_people_and_to_programs(installation: Installation, visitor: Visitor):
    installation.insert("K-1", "K-2")
    settle(installation)
    found = visitor.json("overview")
    assert found["totals"] == {"clients": 2, "linked": 2, "held": 0, "conflicts": 0, "undecided": 0}
    assert found["calls"]["used"] > 0
    assert sum(hour["to_panel"] for hour in found["activity"]) > 0
    assert {row["concern"] for row in found["runs"]} >= {"accounts"}
    assert "2 clients in the ERP, 2 of them" in visitor.page("/")


# --- decisions


def test_a_conflict_decided_on_the_page_reaches_both_sides(installation: Installation, visitor: Visitor):
    in_conflict(installation, "K-1", "K-2")
    shown = visitor.page("/conflicts")
    assert "Nowa 1" in shown
    assert "Inna 2" in shown
    ids = sorted(re.findall(r'name="id" value="(\d+)"', shown))
    answer = visitor.send("/conflicts/decide", one=f"{ids[0]}:panel", back="/conflicts", once="1")
    assert answer["headers"]["Location"] == "/conflicts?did=conflicts%2Fdecide&n=1&of=billing&word=panel"
    visitor.send("/conflicts/decide", id=[ids[1]], side="erp", once="2")
    settle(installation)
    first, second = (row["client_id"] for row in visitor.json("conflicts?all=1")["rows"][::-1])
    streets = dict(installation.sql("SELECT id, street FROM clients"))
    assert (streets[first], streets[second]) == ("Inna 2", "Nowa 1")
    assert {installation.panel.by_code(each)[0].street for each in (first,)} == {"Inna 2"}
    assert installation.panel.by_code(second)[0].street == "Nowa 1"
    assert visitor.json("conflicts")["rows"] == []
    assert {row[0] for row in installation.sql("SELECT decided_by FROM sync_conflicts")} == {"ola"}


def test_many_are_decided_at_once_and_a_repeated_invoke_does_nothing(installation: Installation, visitor: Visitor):
    in_conflict(installation, "K-1", "K-2")
    ids = [row["id"] for row in visitor.json("conflicts")["rows"]]
    assert visitor.post("conflicts/decide", id=ids, side="erp", once="x")["done"] == 2
    installation.sql("UPDATE sync_conflicts SET decision = 'panel'")
    assert visitor.post("conflicts/decide", id=ids, side="erp", once="x") == {
        "action": "conflicts/decide",
        "done": 2,
        "again": True,
    }
    assert installation.sql("SELECT DISTINCT decision FROM sync_conflicts") == [("panel",)]


@pytest.mark.parametrize("form", ["", "guessed", FORM + "x"])
def test_a_form_that_is_not_ours_is_refused(installation: Installation, visitor: Visitor, form: str) -> None:
    answer = visitor.ask("POST", "/pause", urlencode({"form": form, "concern": "billing"}), FORMS)
    assert answer["statusCode"] == 403
    assert installation.sql("SELECT concern FROM sync_pauses") == []


def test_without_a_bridge_no_form_is_taken(installation: Installation, visitor: Visitor):
    answer = visitor.ask("POST", "/pause", "form=&concern=billing", FORMS, form="")
    assert answer["statusCode"] == 403


@pytest.mark.parametrize(
    "back", ["//evil.example/", "////evil.example/", "https://evil.example/", "/\\evil.example", "evil"]
)
def test_nobody_is_led_away_from_the_desk(installation: Installation, visitor: Visitor, back: str) -> None:
    where = visitor.send("/pause", concern="billing", back=back)["headers"]["Location"]
    assert where.startswith("/?did=pause")


def test_a_concern_is_paused_and_resumed(installation: Installation, visitor: Visitor):
    visitor.send("/pause", concern="billing")
    assert visitor.json("overview")["paused"] == {"billing": "operator"}
    page = unescape(visitor.page("/"))
    assert re.search(r"Paused: Billing, since [-\d]+ [\d:]+ \(a person's decision\)", page)
    assert "Until it is resumed no edit of a client's data is carried, either way." in page
    visitor.send("/resume", concern="billing")
    assert visitor.json("overview")["paused"] == {}


@pytest.mark.parametrize("code", ["panel_empties", "panel_restored"])
def test_what_stopped_everything_is_told_in_words(installation: Installation, visitor: Visitor, code: str):
    installation.sql(f"INSERT INTO sync_pauses (concern, reason, code) VALUES ('billing', 'brake', '{code}')")
    said = codes.status(code)
    assert visitor.json("pauses") == {
        "paused": {"billing": "brake"},
        "causes": {"billing": {"code": code, "message_pl": said.message_pl, "message_en": said.message_en}},
        "since": {},
    }
    assert unescape(visitor.page("/")).count(on_page(code, said.message_en, "en")) == 1


def test_the_brake_is_told_and_released_only_with_a_confirmation(installation: Installation, visitor: Visitor):
    installation.sql("INSERT INTO sync_pauses (concern, reason) VALUES ('billing', 'brake')")
    assert visitor.json("overview")["brake"] == {"billing": {"written": 0, "clients": 0, "groups": 0}}
    assert visitor.post("resume", 409, concern="billing")["error"] == "confirm"
    assert visitor.post("pause", 409, concern="billing")["error"] == "braked_already"
    assert "Let it pass and resume" in visitor.page("/")
    assert visitor.post("resume", concern="billing", confirm=True)["was_paused"] is True


def test_what_is_held_is_listed_with_cause_and_remedy_and_retried(installation: Installation, visitor: Visitor):
    installation.insert("K-1")
    installation.sql("UPDATE clients SET email = NULL")
    settle(installation)
    (row,) = visitor.json("held")["rows"]
    assert (row["client_id"], row["concern"], row["code"], row["field"]) == ("K-1", "accounts", "incomplete", "email")
    shown = visitor.page("/held")
    assert "The row in the ERP has no value in: e-mail." in unescape(shown)
    assert "Complete the data in the ERP" in shown
    assert "Uzupełnij dane w ERP" in unescape(Visitor(installation, "pl").page("/held"))
    visitor.send("/held/decide", record="K-1||accounts|", word="retry")
    assert installation.sql("SELECT decision, decided_by FROM sync_status") == [("retry", "ola")]
    assert "retry now" in visitor.page("/held")
    assert visitor.post("held/decide", 404, client_id="K-9", word="done")["error"] == "nothing_waits"
    assert visitor.post("held/decide", 400, client_id="K-1", word="never")["error"] == "no_word"


def test_a_clients_page_asks_the_panel_only_when_it_is_told_to(installation: Installation, visitor: Visitor):
    for login in ("a", "b"):
        installation.panel.seed(login=login, email="k-1@firma.pl")
    settle(installation)
    installation.insert("K-1")
    settle(installation)

    def calls(path: str) -> int:
        before = installation.panel.total_calls
        assert "K-1" in visitor.page(path)
        return installation.panel.total_calls - before

    assert calls("/clients/K-1") == 0
    assert "Answer it here" in visitor.page("/clients/K-1")
    assert calls("/clients/K-1?fresh=1") > 0
    assert calls("/questions") == 1
    assert "The accounts were read from the panel just now" in visitor.page("/questions")


def test_a_question_shows_both_sides_and_is_answered(installation: Installation, visitor: Visitor):
    for login in ("a", "b"):
        installation.panel.seed(login=login, email="k-1@firma.pl")
    settle(installation)
    installation.insert("K-1")
    settle(installation)
    (question,) = visitor.json("questions")["rows"]
    assert question["client"]["company"] == "Firma K-1"
    assert [each["login"] for each in question["accounts"]] == ["a", "b"]
    chosen = question["accounts"][1]["panel_client_id"]
    assert "found by: e-mail" in visitor.page("/questions")
    visitor.send("/questions/create", client_id="K-1")
    visitor.send("/questions/link", client_id="K-1", panel_client_id=chosen)
    said = installation.sql("SELECT panel_client_id, decision FROM sync_matches")
    assert [each for each in said if each[1]] == [(chosen, "link")]
    settle(installation)
    assert installation.sql("SELECT panel_client_id FROM sync_links") == [(chosen,)]
    assert visitor.json("questions")["rows"] == []
    assert visitor.post("questions/link", 404, client_id="K-1", panel_client_id="1")["error"] == "no_question"


def test_a_customer_of_the_shop_gets_a_client(installation: Installation, visitor: Visitor):
    installation.panel.seed(login="nowa", email="nowa@shop.pl")
    installation.pass_time(minutes=5)
    settle(installation)
    (row,) = visitor.json("incoming")["rows"]
    assert "nowa@shop.pl" in visitor.page("/incoming")
    assert (
        visitor.post("incoming/link", 404, panel_client_id=row["panel_client_id"], client_id="K-9")["error"]
        == "no_client"
    )
    installation.insert("K-9")
    visitor.send("/incoming/link", panel_client_id=row["panel_client_id"], client_id="K-9")
    settle(installation)
    assert installation.sql("SELECT client_id, linked_by FROM sync_links") == [("K-9", "incoming")]


def test_a_client_is_put_into_the_queue_anew(installation: Installation, visitor: Visitor):
    installation.insert("K-1")
    settle(installation)
    assert visitor.post("resync", concern="billing", client_id="K-1")["done"] == 1
    assert "K-1" in installation.receive("billing")["Records"][0]["body"]
    assert visitor.post("resync", 404, concern="billing", client_id="K-2")["error"] == "no_client"


# --- one client


def test_everything_is_synchronised_at_once(installation: Installation, visitor: Visitor) -> None:
    visitor.post("tick")  # the first pass over the panel: accounts wait for it
    installation.insert("K-1", "K-2")
    found = visitor.post("tick")
    assert [(each["function"], each["move"]) for each in found["fired"]] == [
        ("panel_feed", "collect"),
        *((concern, "collect") for concern in CONCERNS),
        ("delivery_addresses", "rotate"),
    ]
    assert [each["collected"] for each in found["fired"] if each["function"] == "accounts"] == [2]
    assert (found["done"], visitor.post("tick", function="credit")["done"]) == (8, 1)
    assert visitor.json(f"work?since={quote(found['at'])}")["left"]["accounts"] == 1
    installation.serve()
    work = visitor.json(f"work?since={quote(found['at'])}")
    assert (work["left"]["accounts"], work["figures"]["written_to_panel"], work["braked"]) == (0, 2, [])
    assert work["ended"] > 0
    assert visitor.json("work?since=2100-01-01")["ended"] == 0
    assert visitor.json("work?since=soon", 400)["error"] == "bad_moment"
    assert visitor.post("tick", 400, function="clients")["error"] == "no_word"


def test_the_page_starts_a_synchronisation_and_waits_for_nothing(installation: Installation, visitor: Visitor) -> None:
    installation.insert("K-1")
    assert 'action="/tick"' in visitor.page("/")
    assert visitor.send("/tick", later="1", back="/")["headers"]["Location"] == "/?did=tick&n=8"
    assert "Synchronisation has started" in visitor.page("/?did=tick&n=8")
    assert visitor.json("work")["left"]["accounts"] == 0


def test_a_function_that_failed_is_told_with_its_reason(installation: Installation, visitor: Visitor) -> None:
    class Broken:
        def invoke(self, FunctionName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
            failed = FunctionName == "shop-credit"
            body = {"errorMessage": "it broke\nhere"} if failed else {"collected": 1}
            return {"Payload": io.BytesIO(json.dumps(body).encode())} | ({"FunctionError": "x"} if failed else {})

    runtime._functions()._make_client = Broken  # type: ignore[union-attr]
    fired = visitor.post("tick", function=["credit", "shops"])["fired"]
    assert fired == [
        {"function": "shops", "move": "collect", "collected": 1},
        {"function": "credit", "move": "collect", "failed": "it broke"},
    ]


def test_dead_letters_are_brought_back_from_the_page_and_by_a_program(
    installation: Installation, visitor: Visitor
) -> None:
    installation.insert("K-1", "K-2")
    assert "/redrive" not in visitor.page("/")
    for n in range(1, 3):
        installation.bury("accounts", json.dumps({"v": 1, "concern": "accounts", "clients": [f"K-{n}"]}))
    installation.bury("discounts", "not json")
    assert visitor.page("/").count('action="/redrive"') == 2
    answer = visitor.send("/redrive", concern="accounts", back="/")
    assert answer["headers"]["Location"] == "/?did=redrive&n=2&of=accounts"
    assert "Messages back in the queue: 2." in visitor.page("/?did=redrive&n=2")
    settle(installation)
    assert sorted(account.external_code for account in installation.panel.accounts) == ["K-1", "K-2"]
    assert visitor.post("redrive", concern="discounts") == {
        "action": "redrive",
        "concern": "discounts",
        "done": 1,
        "there": 1,
        "clients": 0,
        "groups": 0,
        "odd": 1,
    }
    assert visitor.post("redrive", concern="credit")["done"] == 0
    assert visitor.post("redrive", 400, concern="clients")["error"] == "no_word"
    assert visitor.post("redrive", 400, concern="credit", most="all")["error"] == "bad_figure"


def test_a_client_is_shown_field_by_field_with_what_happens_next(installation: Installation, visitor: Visitor):
    installation.insert("K-1")
    settle(installation)
    installation.sql("UPDATE clients SET street = 'Nowa 1', city = 'Gdynia'")
    found = visitor.json("clients/K-1")
    billing = next(each for each in found["concerns"] if each["concern"] == "billing")
    fields = {field["field"]: field for field in billing["records"][0]["fields"]}
    street = fields["street"]
    assert (street["erp"], street["base"], street["panel"]) == ("Nowa 1", "Długa 5", "Długa 5")
    assert street["next"]["action"] == "update"
    assert street["next"]["direction"] == "erp_to_panel"
    assert fields["company"]["next"] is None
    shown = unescape(visitor.page("/clients/K-1"))
    for part in ("Nowa 1", "Długa 5", "Changes that wait to be carried: 2", "creation"):
        assert part in shown, part
    settle(installation)
    assert "Everything is in step" in visitor.page("/clients/K-1")


def test_what_is_planned_is_no_silence_and_is_approved_on_the_page(installation: Installation, visitor: Visitor):
    installation.decide('{"mode": "plan"}')
    installation.insert("K-1", "K-2")
    settle(installation)
    assert visitor.json("overview")["planned"] == 2
    assert "to be approved" in visitor.page("/")
    client = visitor.page("/clients/K-1")
    assert "Planned, written once it is approved: 1" in client
    assert "Everything is in step" not in client
    rows = visitor.json("plan")["rows"]
    visitor.send("/plan/reject", id=[str(row["id"]) for row in rows if row["client_id"] == "K-2"])
    visitor.send("/plan/approve", all="1", as_of=visitor.json("plan")["as_of"])
    settle(installation)
    assert [account.external_code for account in installation.panel.accounts] == ["K-1"]
    assert visitor.json("overview")["planned"] == 0
    assert "Nothing waits for a person" in visitor.page("/")
    assert "Everything is in step" in visitor.page("/clients/K-1")
    assert "Everything is in step" not in visitor.page("/clients/K-2")


def test_a_client_without_an_account_is_not_in_step(installation: Installation, visitor: Visitor):
    installation.insert("K-1")
    page = visitor.page("/clients/K-1")
    assert "Everything is in step" not in page
    assert "Its account was not looked for in the shop yet" in page


def test_the_panel_is_read_for_a_page_only_where_that_is_asked_for(installation: Installation, visitor: Visitor):
    installation.insert("K-1")
    settle(installation)
    edit_in_panel(installation, "K-1", "W panelu 3")
    calls = installation.panel.total_calls
    assert "W panelu 3" not in visitor.page("/clients/K-1")
    assert installation.panel.total_calls == calls
    assert "W panelu 3" in visitor.page("/clients/K-1?fresh=1")
    assert installation.panel.total_calls > calls


def test_a_client_is_found_by_what_people_know_of_it(installation: Installation, visitor: Visitor):
    installation.insert("K-1", "K-2")
    for text in ("firma%20K-2", "K-2%40", "k-2"):
        assert [row["id"] for row in visitor.json(f"clients?text={text}")["rows"]] == ["K-2"]
    assert visitor.page("/clients/K-3", 404)


# --- what comes from outside


@pytest.mark.fault(73)
def test_every_value_is_escaped_on_every_page(installation: Installation, visitor: Visitor):
    in_conflict(installation, "K-1")
    evil = EVIL.replace("'", "''")
    installation.sql(f"UPDATE clients SET company = '{evil}', city = '{evil}'")
    installation.sql(f"UPDATE sync_conflicts SET erp_value = '{evil}', panel_value = '{evil}'")
    installation.sql(
        f"UPDATE sync_status SET state = 'held', code = '{evil}', message_en = '{evil}' WHERE concern = 'billing'"
    )
    installation.sql(f"INSERT INTO incoming_clients (panel_client_id, company) VALUES ('{evil}', '{evil}')")
    installation.sql(
        f"INSERT INTO sync_matches (client_id, panel_client_id, matched_by) VALUES ('{evil}', '{evil}', '{evil}')"
    )
    installation.sql(f"INSERT INTO sync_pauses (concern, reason) VALUES ('shops', '{evil}')")
    for path in (
        "",
        "conflicts",
        "held",
        "questions",
        "incoming",
        "history",
        "clients",
        "clients/K-1",
        f"clients?text={EVIL}",
    ):
        shown = visitor.page(f"/{path}")
        assert "<script" not in shown, path
        if path not in ("", "history"):
            assert "&lt;script&gt;" in shown, path


def test_every_answer_forbids_scripts_frames_and_what_is_elsewhere(installation: Installation, visitor: Visitor):
    for path in ("/", "/nowhere", "/api/overview", "/style.css", "/clients/none"):
        headers = visitor.ask("GET", path)["headers"]
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'"), path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
    shown = visitor.page("/")
    assert not re.search(r" (style|on\w+)=\"|https?://", shown)


def test_a_list_goes_on_page_by_page(installation: Installation, visitor: Visitor):
    installation.insert(*(f"K-{number}" for number in range(7)))
    first = visitor.json("clients?limit=3")
    assert [row["id"] for row in first["rows"]] == ["K-0", "K-1", "K-2"]
    assert first["next"] == 3
    assert visitor.json("clients?limit=7")["next"] is None
    last = visitor.json("clients?limit=3&start=6")
    assert [row["id"] for row in last["rows"]] == ["K-6"]
    assert last["next"] is None
    assert visitor.json("clients?limit=many", 400)["error"] == "bad_figure"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/nothing"), ("GET", "/nothing"), ("GET", "/a/b/c"), ("POST", "/api/x/y")]
)
def test_an_address_that_is_none_says_so(installation: Installation, visitor: Visitor, method: str, path: str) -> None:
    assert visitor.ask(method, path, "{}", "application/json")["statusCode"] == 404


def test_a_setting_that_is_wrong_is_told_with_its_remedy(installation: Installation, visitor: Visitor):
    installation.sql("DROP TABLE sync_conflicts")
    answer = visitor.ask("GET", "/api/overview")
    assert answer["statusCode"] == 500
    assert "no_schema" in json.loads(answer["body"])["error"]
    assert "kartoteka schema" in visitor.page("/", 500)


def test_a_ping_gets_it_ready(installation: Installation) -> None:
    assert installation.handler("desk")({"v": 1, "move": "ping"}, Context()) == {"ready": True}


def test_nothing_of_a_request_is_logged(
    installation: Installation, visitor: Visitor, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.insert("K-1")
    visitor.page("/clients?text=Firma")
    visitor.page("/clients/K-1")
    assert "Firma" not in capsys.readouterr().out


# --- who will be blocked


def owing(installation: Installation, client_id: str, limit: str, balance: str, overdue: str = "0") -> None:
    installation.credit(client_id, limit)
    installation.sql(
        f"UPDATE client_credit SET balance = '{balance}', overdue = '{overdue}' WHERE client_id = '{client_id}'"
    )


@pytest.mark.parametrize(
    ("policy", "why", "blocked"),
    [
        ("{}", ["past_due", "near_limit"], False),
        ('{"overdue": {"allowed": 50}}', ["near_limit"], False),
        ('{"overdue": {"allowed": 10}}', ["above_allowed", "near_limit"], True),
        ('{"overdue": {"allowed": 10, "then": "keep"}}', ["above_allowed", "near_limit"], False),
    ],
)
def test_who_will_be_blocked_is_told_with_why_by_the_policy(
    installation: Installation, visitor: Visitor, policy: str, why: list[str], blocked: bool
):
    installation.decide(f'{{"panel": {{"requests_per_second": 1000}}, "credit": {policy}}}')
    installation.insert("K-1", "K-2", "K-3")
    owing(installation, "K-1", "1000", "930.50", "20")
    owing(installation, "K-2", "1000", "1000")
    owing(installation, "K-3", "1000", "899.99")
    settle(installation)
    rows = {row["client_id"]: row for row in visitor.json("blocked")["rows"]}
    assert list(rows) == ["K-2", "K-1"]
    assert (rows["K-1"]["why"], rows["K-1"]["blocked"], rows["K-1"]["used"]) == (why, blocked, 93)
    assert (rows["K-2"]["why"], rows["K-2"]["blocked"], rows["K-2"]["currency"]) == (["over_limit"], True, "PLN")
    assert visitor.json("overview")["will_be_blocked"] == 2
    assert list(visitor.json("blocked?near=95")["rows"][0]["why"]) == ["over_limit"]
    shown = visitor.page("/blocked")
    assert "930.50" in shown
    assert "near the limit" in shown
    assert "/blocked" in visitor.page("/")


def test_where_credit_is_not_looked_after_nobody_will_be_blocked(installation: Installation, visitor: Visitor):
    installation.insert("K-1")
    owing(installation, "K-1", "1000", "2000")
    settle(installation)
    assert len(visitor.json("blocked")["rows"]) == 1
    installation.decide('{"panel": {"requests_per_second": 1000}, "credit": {"direction": "off"}}')
    assert visitor.json("blocked")["rows"] == []
    assert visitor.json("overview")["will_be_blocked"] == 0


# --- everything of a client


def test_a_clients_page_has_its_groups_prices_its_credit_and_the_way_to_what_is_open(
    installation: Installation, visitor: Visitor
):
    installation.sql("INSERT INTO discount_groups (id, name) VALUES ('HURT', 'Hurtownia')")
    installation.price("HURT", 11, "19.90")
    installation.insert("K-1", "K-2")
    installation.sql("UPDATE clients SET discount_group_id = 'HURT' WHERE id = 'K-1'")
    owing(installation, "K-1", "500.00", "20.00", "7.00")
    settle(installation)
    installation.price("HURT", 12, "5.00")
    installation.sql("UPDATE clients SET zip_code = 'wrong' WHERE id = 'K-1'")
    settle(installation, 1)
    found = visitor.json("clients/K-1")
    assert (found["group"]["name"], found["group"]["count"], found["credit_sent"][0]["concern"]) == (
        "Hurtownia",
        2,
        "credit",
    )
    assert next((row["item_id"], row["sent"] is not None) for row in found["group"]["prices"]) == ("11", True)
    shown = visitor.page("/clients/K-1")
    for text in ("Hurtownia", "product 11", "19.90", "Last sent:", "7.00", "/held?client_id=K-1", 'href="#billing"'):
        assert text in shown, text
    run = installation.sql("SELECT run_id FROM sync_history WHERE client_id = 'K-1'")[0][0]
    assert f"/history?run_id={run}" in shown
    assert visitor.json("clients/K-2")["group"] is None
    assert "Hurtownia" not in visitor.page("/clients/K-2")


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE clients SET city = NULL", ["Why it is not in the shop", "has no value in: city"]),
        (
            "INSERT INTO sync_pauses (concern, reason) VALUES ('accounts', 'holiday')",
            ["Why it is not in the shop", "holiday"],
        ),
        ("UPDATE clients SET active = 0", ["The account is closed"]),
        ("DELETE FROM client_shops", ["Everything is in step"]),
    ],
)
def test_why_a_client_is_not_in_the_shop_is_told_on_its_page(
    installation: Installation, visitor: Visitor, statement: str, why: list[str]
):
    installation.insert("K-1")
    installation.sql(statement)
    settle(installation)
    shown = visitor.page("/clients/K-1")
    assert "Firma K-1" in shown
    for text in why:
        assert text in shown


@pytest.mark.parametrize(("lang", "words"), [("en", "city: Łódź"), ("pl", "miejscowość: Łódź")])
def test_what_a_new_account_would_get_is_told_by_labels(installation: Installation, lang: str, words: str) -> None:
    installation.decide('{"mode": "plan", "panel": {"requests_per_second": 1000}}')
    installation.insert("K-1")
    settle(installation, 1)
    assert words in Visitor(installation, lang).page("/clients/K-1")
    shown = Visitor(installation, lang).page("/plan")
    assert words in shown
    assert "zip_code" not in shown


# --- how old the oldest change is that is not carried


def lag(visitor: Visitor, concern: str = "billing") -> int | None:
    (minutes,) = (row["minutes"] for row in visitor.json("overview")["lag"] if row["concern"] == concern)
    return None if minutes is None else int(minutes)


@pytest.mark.parametrize(
    ("statement", "waits"),
    [
        ("UPDATE clients SET street = 'Nowa 1' WHERE id = 'K-1'", True),
        ("UPDATE clients SET company = company", False),  # a refill with what was there
        ("UPDATE clients SET street = ' Długa  5 '", False),
        ("UPDATE clients SET login = 'other'", False),
        ("INSERT INTO discount_groups (id, name) VALUES ('G', 'G')", False),  # another concern's
    ],
)
def test_only_a_change_that_is_to_be_carried_has_an_age(
    installation: Installation, visitor: Visitor, statement: str, waits: bool
):
    installation.insert("K-1", "K-2")
    settle(installation)
    installation.pass_time(minutes=20)
    settle(installation)
    assert lag(visitor) is None
    installation.sql(statement)
    installation.sql("UPDATE clients SET active = active")
    installation.pass_time(minutes=45)
    minutes = lag(visitor)
    assert (minutes is not None and minutes >= 44) is waits
    settle(installation)
    assert lag(visitor) is None


def test_our_own_write_into_the_erp_is_no_change_that_waits(installation: Installation, visitor: Visitor):
    installation.insert("K-1")
    settle(installation)
    installation.pass_time(minutes=20)
    edit_in_panel(installation, "K-1", "W panelu 3")
    installation.pass_time(minutes=5)
    high = installation.sql("SELECT max(seq) FROM change_log")
    settle(installation, 1)
    assert installation.sql("SELECT street FROM clients") == [("W panelu 3",)]
    assert installation.sql("SELECT max(seq) FROM change_log") > high
    installation.pass_time(minutes=45)
    assert lag(visitor) is None


def test_what_was_sent_and_is_not_shown_yet_is_carried(installation: Installation, visitor: Visitor):
    installation.insert("K-1")
    settle(installation)
    installation.pass_time(minutes=20)
    settle(installation)
    installation.sql("UPDATE clients SET street = 'Nowa 1'")
    installation.handler("billing")(event("billing_schedule") | {"due": "all"}, Context())
    batch = installation.receive("billing")
    assert batch["Records"]
    installation.handler("billing")(batch, Context())
    assert installation.panel.by_code("K-1")[0].street == "Nowa 1"
    told = installation.sql("SELECT state, code FROM sync_status WHERE concern = 'billing'")
    assert told == [("waiting", "unconfirmed")]
    installation.pass_time(minutes=45)
    assert lag(visitor) is None


# --- exclusions


def test_a_client_is_excluded_on_its_page_and_included_from_the_list(installation: Installation, visitor: Visitor):
    installation.insert("K-1")
    settle(installation)
    assert 'action="/exclude"' in visitor.page("/clients/K-1")
    visitor.send("/exclude", client_id="K-1", concern="billing", reason=EVIL, back="/clients/K-1", once="1")
    installation.sql("UPDATE clients SET street = 'Inna 7'")
    settle(installation)
    assert installation.panel.by_code("K-1")[0].street != "Inna 7"
    shown = visitor.page("/clients/K-1")
    assert EVIL not in shown
    assert EVIL in unescape(shown)
    (row,) = visitor.json("excluded")["rows"]
    assert (row["client_id"], row["concern"], row["code"]) == ("K-1", "billing", "excluded")
    (record,) = re.findall(r'name="record" value="([^"]+)"', visitor.page("/excluded"))
    visitor.send("/include", record=record, back="/excluded", once="2")
    settle(installation)
    assert installation.panel.by_code("K-1")[0].street == "Inna 7"
    assert (visitor.json("excluded")["rows"], installation.sql("SELECT * FROM sync_exclusions")) == ([], [])


def test_an_exclusion_is_refused_for_what_is_not_there_and_may_be_said_twice(
    installation: Installation, visitor: Visitor
):
    installation.insert("K-1")
    assert visitor.post("exclude", 404, client_id="K-9", concern="billing")["error"] == "no_client"
    assert visitor.post("exclude", 400, client_id="K-1", concern="biling")["error"] == "no_word"
    assert visitor.post("include", 404, client_id="K-1", concern="billing")["error"] == "no_exclusion"
    installation.sql("INSERT INTO sync_exclusions (client_id, concern, reason) VALUES ('K-1', ' Billing', 'ERP')")
    visitor.post("exclude", client_id="K-1", concern="billing")
    visitor.post("exclude", client_id="K-1", concern="billing", reason="nowy")
    assert installation.sql("SELECT concern, reason FROM sync_exclusions") == [(" Billing", "nowy")]
    assert visitor.post("include", client_id="K-1", concern="billing")["done"] == 1
    assert installation.sql("SELECT * FROM sync_exclusions") == []


# --- what differed and was corrected


def drifted(installation: Installation, *ids: str) -> None:
    """Linked clients whose tax number, a one-way field, was edited in the panel and put back."""
    installation.insert(*ids)
    settle(installation)
    installation.pass_time(minutes=10)
    for each in ids:
        (account,) = installation.panel.by_code(each)
        installation.panel.edit(account.id, nip="7250000000")
    installation.pass_time(minutes=5)
    settle(installation)


def test_what_was_corrected_is_reported_with_the_way_to_its_records(installation: Installation, visitor: Visitor):
    drifted(installation, "K-1", "K-2")
    installation.sql("UPDATE clients SET street = 'Nowa 1' WHERE id = 'K-1'")
    settle(installation)
    (row,) = visitor.json("differences")["rows"]
    assert (row["concern"], row["field"], row["reason"], row["fields"], row["records"]) == (
        "billing",
        "nip",
        "drift",
        2,
        2,
    )
    shown = visitor.page("/differences")
    href = unescape(re.findall(r'href="(/history[?][^"]*reason=drift[^"]*)"', shown)[0])
    listed = visitor.page(href)
    assert re.findall(r">(K-[12])<", listed) == ["K-2", "K-1"]
    assert "Nowa 1" not in listed
    assert "show all" in listed
    (row,) = visitor.json("differences?reason=edit")["rows"]
    assert (row["field"], row["fields"]) == ("street", 1)
    assert visitor.json("differences?concern=shops")["rows"] == []
    assert sum(day["corrected"] for day in visitor.json("differences")["by_day"]) == 2
    assert len(visitor.json("differences")["by_day"]) == 30
    assert visitor.json("differences?day=yesterday", 400)["error"] == "bad_day"
    assert visitor.json("history?day=20261127&reason=drift", 200)["rows"] is not None


@pytest.mark.parametrize(
    ("path", "head"),
    [
        ("differences", "day,concern,field,reason,found_by,direction,fields,records"),
        ("history?field=nip&reason=drift", "id,at,client_id"),
        ("plan", "id,planned_at,client_id"),
    ],
)
def test_a_list_is_had_for_a_spreadsheet(installation: Installation, visitor: Visitor, path: str, head: str) -> None:
    drifted(installation, "K-1")
    answer = visitor.ask("GET", f"/csv/{path}")
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "text/csv; charset=utf-8"
    assert f'filename="{path.partition("?")[0]}.csv"' in answer["headers"]["Content-Disposition"]
    lines = answer["body"].split("\r\n")
    assert lines[0].startswith(f"\ufeff{head}")
    assert len(lines) == (2 if path == "plan" else 3)
    assert "/csv/" in visitor.page(f"/{path}") or path == "plan"
    assert visitor.ask("GET", "/csv/clients")["statusCode"] == 404


@pytest.mark.fault(73)
def test_no_value_becomes_a_formula(installation: Installation, visitor: Visitor):
    drifted(installation, "K-1")
    installation.sql("UPDATE sync_history SET value_after = '=1+1' WHERE reason = 'drift'")
    body = visitor.ask("GET", "/csv/history?reason=drift")["body"]
    assert "'=1+1" in body
    assert ",=1" not in body
