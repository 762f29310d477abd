"""Alarms and dashboard watch what the functions really emit: every metric is seen in the output of a run."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from kartoteka.fields.table import CONCERNS
from tests.fixtures.installation import Context, Installation, event
from tests.template.reading import Template

NAMESPACE, SERVICE = "Kartoteka", "service"
FUNCTIONS = [*CONCERNS, "panel_feed"]
OF_AWS = {
    ("AWS/Lambda", "FunctionName"): {"Errors", "Duration"},
    ("AWS/SQS", "QueueName"): {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
}
"""Namespace and dimension of AWS's own metrics -> those that are watched."""

Emitted = dict[tuple[str, str], set[str]]
"""Namespace and dimension -> names, of one function."""


def blobs(output: str) -> Iterator[dict[str, Any]]:
    for line in output.splitlines():
        if '"_aws"' in line:
            yield json.loads(line)


def seen(output: str) -> Emitted:
    """Return what an output tells CloudWatch, by its embedded metric format."""
    found: Emitted = defaultdict(set)
    for blob in blobs(output):
        for directive in blob["_aws"]["CloudWatchMetrics"]:
            ((dimension,),) = directive["Dimensions"]
            assert blob[dimension], "a dimension has a value"
            found[directive["Namespace"], dimension] |= {metric["Name"] for metric in directive["Metrics"]}
            assert all(metric["Name"] in blob for metric in directive["Metrics"])
    return dict(found)


def work(installation: Installation) -> None:
    """Live through all that an alarm may ring for."""
    lots = [f"C-{n}" for n in range(12)]
    installation.decide(
        '{"panel": {"requests_per_second": 1000}, "billing": {"conflict": "hold"},'
        ' "brake": {"min_records": 2, "max_share": 0.1}}'
    )
    installation.insert(*lots, "C-99")
    installation.sql("UPDATE clients SET city = NULL WHERE id = 'C-99'")
    installation.credit("C-1", "5000.00", age=timedelta(days=3))
    for _ in range(3):
        installation.tick()
    installation.pass_time(minutes=5)
    for code, street in (("C-1", "Inna 1"), ("C-2", "Inna 2")):
        installation.panel.edit(installation.panel.by_code(code)[0].id, street=street)
    installation.sql("UPDATE clients SET street = 'Nowa 9' WHERE id = 'C-1'")
    for _ in range(2):
        installation.tick()
    installation.sql("UPDATE clients SET email = 'nowy-' || id || '@firma.pl'")
    installation.tick()
    assert installation.sql("SELECT concern FROM sync_pauses WHERE reason = 'brake'") == [("billing",)]
    installation.sql("UPDATE sync_pauses SET reason = ''")
    installation.panel.misbehave("5xx", times=None)
    for hours in (0, 5):
        installation.pass_time(hours=hours)
        installation.handler("panel_feed")({**event("panel_feed_schedule"), "due": "all"}, Context())
    installation.panel.behave()
    installation.panel.misbehave("401", times=None)
    installation.handler("panel_feed")({**event("panel_feed_schedule"), "due": "all"}, Context())
    installation.panel.behave()


def watch(installation: Installation) -> None:
    """Have the desk count what waits, with changes of every concern that nobody has collected yet."""
    installation.insert("C-100")
    installation.sql("UPDATE clients SET phone = '600 100 200'")
    installation.sql(
        "INSERT INTO delivery_addresses (id, client_id, street, zip_code, city, country_code, first_name, last_name) "
        "VALUES ('A-1', 'C-3', 'Portowa 4', '80-001', 'Gdańsk', 'PL', 'Jan', 'Lis')"
    )
    installation.sql("INSERT INTO client_shops (client_id, shop_id) VALUES ('C-3', 2)")
    installation.sql("INSERT INTO discount_groups (id, name) VALUES ('GOLD', 'Złota')")
    installation.sql("UPDATE clients SET discount_group_id = 'GOLD' WHERE id = 'C-3'")
    installation.credit("C-3", "7000.00")
    installation.pass_time(hours=1)
    installation.decide('{"panel": {"requests_per_second": 1000, "monthly_budget": 50}}')
    installation.handler("desk")(event("desk_watch"), Context())


@pytest.fixture
def emitted(installation: Installation, capsys: pytest.CaptureFixture[str]) -> dict[str, Emitted]:
    """Give what the desk emits, and what the functions of concerns and feed do."""
    work(installation)
    of_functions = seen(capsys.readouterr().out)
    watch(installation)
    return {"functions": of_functions, "desk": seen(capsys.readouterr().out)}


def emitter(service: str) -> str:
    return "desk" if service.endswith("-desk") else "functions"


def widgets(template: Template) -> list[dict[str, Any]]:
    (dashboard,) = template.of_kind("AWS::CloudWatch::Dashboard").values()
    body = dashboard["DashboardBody"]["Fn::Sub"]
    assert set(re.findall(r"\$\{([^}]+)\}", body)) == {"AWS::Region", "AWS::StackName"}
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def test_every_alarm_and_every_line_of_the_dashboard_is_a_metric_that_is_emitted(
    template: Template, emitted: dict[str, Emitted]
) -> None:
    watched = defaultdict(set)
    for alarm in template.of_kind("AWS::CloudWatch::Alarm").values():
        (dimension,) = alarm["Dimensions"]
        if alarm["Namespace"] == NAMESPACE:
            watched[emitter(dimension["Value"]["Fn::Sub"])].add((dimension["Name"], alarm["MetricName"]))
        else:
            assert alarm["MetricName"] in OF_AWS[alarm["Namespace"], dimension["Name"]]
    for widget in widgets(template):
        for namespace, name, dimension, value, *_ in widget["properties"]["metrics"]:
            if namespace == NAMESPACE:
                watched[emitter(value)].add((dimension, name))
            else:
                assert name in OF_AWS[namespace, dimension]
    for function, names in watched.items():
        assert {(dimension, name) for (space, dimension), some in emitted[function].items() for name in some} >= names
        assert {space for space, _ in emitted[function]} == {NAMESPACE}
    assert {name for _, name in watched["desk"]} == emitted["desk"][NAMESPACE, SERVICE], (
        "all that the desk tells is shown"
    )


def test_the_dashboard_has_a_line_for_each_function_in_widgets_that_do_not_overlap(template: Template) -> None:
    places = [(widget["x"], widget["y"], widget["width"], widget["height"]) for widget in widgets(template)]
    cells = [(x + i, y + j) for x, y, width, height in places for i in range(width) for j in range(height)]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    names = template.of_kind("AWS::Lambda::Function")
    functions = {str(body["FunctionName"]["Fn::Sub"]) for body in names.values()}
    queues = {str(body["QueueName"]["Fn::Sub"]) for body in template.of_kind("AWS::SQS::Queue").values()}
    for widget in widgets(template):
        lines = widget["properties"]["metrics"]
        title = widget["properties"]["title"]
        assert {line[3] for line in lines} <= functions | queues, title
        of = {line[3].removeprefix("${AWS::StackName}-").removesuffix(".fifo").replace("-", "_") for line in lines}
        of |= {line[1].removeprefix("lag_") for line in lines if line[1].startswith("lag_")}
        if of != {"desk"}:
            assert set(CONCERNS) <= of, title
    told = {line[1] for widget in widgets(template) for line in widget["properties"]["metrics"]}
    assert told >= {"written_to_panel", "held", "conflicts", "Duration", "Errors", "panel_calls", "lag_billing"}


def test_a_function_that_a_schedule_has_woken_says_so_whatever_becomes_of_it(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    def woken(move: str = "collect") -> bool:
        capsys.readouterr()
        installation.handler("billing")({"v": 1, "move": move}, Context())
        return "Woken" in seen(capsys.readouterr().out).get((NAMESPACE, SERVICE), set())

    assert woken()
    assert not woken("ping")
    installation.sql("INSERT INTO sync_pauses (concern, reason) VALUES ('billing', 'holiday')")
    assert woken(), "a pause is no silence"
    installation.decide('{"biling": {}}')
    assert woken(), "a halt has an alarm of its own"


@pytest.mark.parametrize(("refused", "records", "share"), [(3, 12, 25), (0, 12, 0), (3, 9, None), (12, 12, 100)])
def test_of_runs_with_ten_records_or_more_the_share_that_was_refused_is_told(
    installation: Installation, capsys: pytest.CaptureFixture[str], refused: int, records: int, share: int | None
) -> None:
    installation.tick()
    names = [f"C-{n}" for n in range(records)]
    installation.insert(*names)
    for name in names[:refused]:
        installation.sql(f"UPDATE clients SET city = NULL WHERE id = '{name}'")
    capsys.readouterr()
    installation.tick()
    told = [blob for blob in blobs(capsys.readouterr().out) if "held" in blob or "reconciled" in blob]
    assert [blob["RefusedShare"] for blob in told if "RefusedShare" in blob][:1] == ([] if share is None else [[share]])
