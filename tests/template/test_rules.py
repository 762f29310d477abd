"""What must hold for every function, queue and role of the template, the ones that come later too."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kartoteka.fields.table import CONCERNS
from kartoteka.ports.functions import LONGEST_RUN
from tests.template.reading import Template, alternatives, as_list, mentioned

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {"PanelKey", "ErpUrl"}
OWN_QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
STATE = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}
ALL_QUEUES = {"AccountsQueue", "BillingQueue", "DeliveryAddressesQueue", "ShopsQueue", "DiscountsQueue", "CreditQueue"}
MAY_SEND_TO = {
    "AccountsFunction": ALL_QUEUES,
    "BillingFunction": {"BillingQueue"},
    "CreditFunction": {"CreditQueue"},
    "DeliveryAddressesFunction": {"DeliveryAddressesQueue"},
    "DiscountsFunction": {"DiscountsQueue"},
    "PanelFeedFunction": ALL_QUEUES,
    "ShopsFunction": {"ShopsQueue"},
}
FUNCTIONS = sorted(MAY_SEND_TO)
HOOK = "PanelHookFunction"
"""There only with the parameter Hook: it works no queue, has no schedule, and knows neither database nor panel."""
DESK = "DeskFunction"
"""It works no queue; its one schedule has it count what alarms watch. All else is asked by who may invoke it."""
WATCH = (DESK, '{"v": 1, "move": "watch"}', "WatchSchedule")
PASSES = {"DeliveryAddressesFunction": ("AddressPassSchedule", "rate(15 minutes)")}
"""Functions with a second schedule: the parameter that governs it, and its default."""


def queues(template: Template, *, dead: bool) -> dict[str, dict[str, Any]]:
    found = template.of_kind("AWS::SQS::Queue").items()
    return {name: body for name, body in found if name.endswith("DeadLetterQueue") is dead}


def queue_of(concern: str) -> str:
    return concern.title().replace("_", "") + "Queue"


def words(value: Any) -> list[str]:
    """Every string in a value; of a mapping, its keys too."""
    if isinstance(value, str):
        return [value]
    items = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return [word for item in items for word in words(item)]


def test_these_are_all_the_functions(template: Template):
    assert sorted(template.of_kind("AWS::Lambda::Function")) == sorted([*FUNCTIONS, DESK, HOOK])


def test_every_concern_has_a_function_and_a_queue(template: Template):
    assert {queue_of(concern) for concern in CONCERNS} == set(queues(template, dead=False)) == ALL_QUEUES
    assert {queue.replace("Queue", "Function") for queue in ALL_QUEUES} | {"PanelFeedFunction"} == set(FUNCTIONS)


# ---- loops ----


def test_no_name_of_a_loop_is_left(template: Template, source: dict[str, Any]):
    """In a plain string CloudFormation leaves it; the SAM CLI fills it in there too, and so hides the mistake."""
    names = {value[0] for section in ("Resources", "Outputs") for value in loops(source[section])}
    assert names
    found = [text for text in words(template.document) if any(f"{{{name}}}" in text for name in names)]
    assert found == []


def loops(section: dict[str, Any]) -> list[Any]:
    return [value for key, value in section.items() if key.startswith("Fn::ForEach::")]


def test_the_sam_cli_expands_the_loops_without_being_told_on_the_command_line():
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert config["default"]["global"]["parameters"]["language_extensions"] is True


@pytest.mark.parametrize("function", [*FUNCTIONS, DESK, HOOK])
def test_what_is_deployed_for_a_function_is_called_after_it(template: Template, function: str):
    stem = function.removesuffix("Function")
    word = re.sub(r"(?<!^)(?=[A-Z])", "_", stem).lower()
    name = f"${{AWS::StackName}}-{word.replace('_', '-')}"
    resources = {key: body.get("Properties", {}) for key, body in template.document["Resources"].items()}
    assert resources[function]["FunctionName"] == {"Fn::Sub": name}
    assert resources[function]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == {"Fn::Sub": name}
    assert resources[f"{stem}LogGroup"]["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{name}"}
    if f"{stem}Queue" in resources:
        assert resources[f"{stem}Queue"]["QueueName"] == {"Fn::Sub": f"{name}.fifo"}
        assert resources[f"{stem}DeadLetterQueue"]["QueueName"] == {"Fn::Sub": f"{name}-dead.fifo"}
    assert [policy["PolicyName"] for policy in resources[f"{stem}Role"]["Policies"]] == [word]
    for alarm in template.of_kind("AWS::CloudWatch::Alarm"):
        if alarm.startswith(stem):
            assert word in re.findall(r"\w+", resources[alarm]["AlarmDescription"]), alarm


# ---- queues ----


@pytest.mark.fault(26, 82)
def test_every_queue_is_fifo_and_encrypted_with_or_without_an_own_key(template: Template):
    for name, queue in template.of_kind("AWS::SQS::Queue").items():
        assert queue["FifoQueue"] is True, name
        assert list(alternatives(queue["SqsManagedSseEnabled"])) == [True], name
        assert list(alternatives(queue["KmsMasterKeyId"])) == [{"Ref": "KmsKeyArn"}], name


def test_every_queue_has_a_dead_letter_queue_of_its_own(template: Template):
    graves = [
        queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for queue in queues(template, dead=False).values()
    ]
    assert sorted(graves) == sorted(queues(template, dead=True))
    for name, queue in queues(template, dead=False).items():
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5, name


@pytest.mark.fault(82)
def test_dead_letters_are_kept_for_fourteen_days_and_taken_from_one_queue(template: Template):
    for name, queue in queues(template, dead=True).items():
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600, name
        (source,) = queue["RedriveAllowPolicy"]["sourceQueueArns"]
        ours = template.of_kind("AWS::SQS::Queue")[name.replace("DeadLetterQueue", "Queue")]
        assert source["Fn::Sub"].endswith(":" + ours["QueueName"]["Fn::Sub"]), name


@pytest.mark.fault(35)
def test_a_message_stays_hidden_six_times_as_long_as_its_function_may_take(template: Template):
    functions = template.of_kind("AWS::Lambda::Function")
    for name, mapping in template.of_kind("AWS::Lambda::EventSourceMapping").items():
        queue = template.of_kind("AWS::SQS::Queue")[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
        function = functions[mapping["FunctionName"]["Ref"]]
        assert queue["VisibilityTimeout"] == {"Ref": "QueueVisibilitySeconds"}
        assert template.document["Parameters"]["QueueVisibilitySeconds"]["Default"] >= 6 * function["Timeout"], name


def test_every_queue_wakes_its_function_and_takes_partial_answers(template: Template):
    mappings = template.of_kind("AWS::Lambda::EventSourceMapping").values()
    woken = {mapping["EventSourceArn"]["Fn::GetAtt"][0]: mapping for mapping in mappings}
    assert sorted(woken) == sorted(queues(template, dead=False))
    for queue, mapping in woken.items():
        assert mapping["FunctionName"] == {"Ref": queue.replace("Queue", "Function")}
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BatchSize"] == 10


def test_no_function_but_the_desk_runs_longer_than_the_code_reckons_with(template: Template):
    for name, body in template.of_kind("AWS::Lambda::Function").items():
        assert (body["Timeout"] > LONGEST_RUN.total_seconds()) is (name == DESK), name


# ---- schedules ----


def test_every_function_has_the_schedules_that_parameters_govern(template: Template):
    found = sorted(
        (schedule["Target"]["Arn"]["Fn::GetAtt"][0], schedule["Target"]["Input"], schedule["ScheduleExpression"]["Ref"])
        for schedule in template.of_kind("AWS::Scheduler::Schedule").values()
    )
    collects = [(name, '{"v": 1, "move": "collect"}', name.replace("Function", "Schedule")) for name in FUNCTIONS]
    passes = [(name, '{"v": 1, "move": "rotate"}', parameter) for name, (parameter, _) in PASSES.items()]
    assert found == sorted([*collects, *passes, WATCH])
    defaults = {parameter: template.document["Parameters"][parameter]["Default"] for _, _, parameter in found}
    every_minute = {parameter: "rate(1 minute)" for _, _, parameter in collects}
    assert defaults == {**every_minute, **dict(PASSES.values()), "WatchSchedule": "rate(15 minutes)"}


def test_one_parameter_turns_every_schedule_off(template: Template):
    for name, schedule in template.of_kind("AWS::Scheduler::Schedule").items():
        assert schedule["State"] == {"Fn::If": ["SchedulesOn", "ENABLED", "DISABLED"]}, name


def test_schedules_are_named_after_the_stack_so_that_two_stacks_fit_in_an_account(template: Template):
    schedules = template.of_kind("AWS::Scheduler::Schedule")
    for name, schedule in schedules.items():
        assert "AWS::StackName" in mentioned(schedule["Name"]), name
    assert len({schedule["Name"]["Fn::Sub"] for schedule in schedules.values()}) == len(schedules)


def test_a_schedule_that_could_not_fire_is_not_tried_for_hours(template: Template):
    for name, schedule in template.of_kind("AWS::Scheduler::Schedule").items():
        retry = schedule["Target"]["RetryPolicy"]
        assert retry == {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60}, name


def test_what_a_pass_may_cost_is_bounded_by_a_parameter(template: Template):
    parameter = template.document["Parameters"]["AddressesPerPass"]
    assert (parameter["Default"], parameter["MinValue"]) == (500, 1)
    for function, body in template.of_kind("AWS::Lambda::Function").items():
        wanted = {"Ref": "AddressesPerPass"} if function in PASSES else None
        assert body["Environment"]["Variables"].get("KARTOTEKA_ADDRESSES_PER_PASS") == wanted


def test_every_function_knows_the_queue_of_every_concern(template: Template):
    for function in template.of_kind("AWS::Lambda::Function").values():
        variables = function["Environment"]["Variables"].items()
        found = {name: value for name, value in variables if name.startswith("KARTOTEKA_QUEUE_")}
        assert found == {f"KARTOTEKA_QUEUE_{concern.upper()}": {"Ref": queue_of(concern)} for concern in CONCERNS}


def test_an_old_schedule_event_is_not_tried_for_hours(template: Template):
    configured = template.of_kind("AWS::Lambda::EventInvokeConfig").values()
    assert sorted(one["FunctionName"]["Ref"] for one in configured) == sorted([*FUNCTIONS, DESK, HOOK])
    for one in configured:
        assert one["MaximumRetryAttempts"] <= 1
        assert one["MaximumEventAgeInSeconds"] <= 300


# ---- least privilege ----


@pytest.mark.fault(81)
def test_no_policy_has_a_wildcard_but_the_search_for_alarms_which_takes_no_narrower_one(template: Template):
    for role in template.of_kind("AWS::IAM::Role"):
        for statement in template.statements(role):
            if statement["Action"] == "cloudwatch:DescribeAlarms":
                place = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"
                assert (role, statement["Resource"]) == ("DeskRole", {"Fn::Sub": place})
                continue
            for word in words(statement["Action"]) + words(statement["Resource"]):
                assert "*" not in word, (role, statement)
            assert "NotAction" not in statement, role
            assert "NotResource" not in statement, role


def test_no_role_carries_a_policy_of_aws_but_for_a_network_or_tracing(template: Template):
    for name, role in template.of_kind("AWS::IAM::Role").items():
        for carried in role.get("ManagedPolicyArns", []):
            if carried == {"Ref": "SharedPolicy"}:
                continue
            condition, arn, otherwise = carried["Fn::If"]
            assert (condition, arn["Fn::Sub"].rsplit("/", 1)[-1]) in {
                ("InVpc", "AWSLambdaVPCAccessExecutionRole"),
                ("Traced", "AWSXRayDaemonWriteAccess"),
            }, name
            assert otherwise == {"Ref": "AWS::NoValue"}, name


@pytest.mark.parametrize("function", [*FUNCTIONS, DESK, HOOK])
def test_a_function_has_a_role_of_its_own_that_only_lambda_may_take(template: Template, function: str):
    role = template.role_of(function)
    assert role == function.replace("Function", "Role")
    (trust,) = template.of_kind("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.fault(81)
@pytest.mark.parametrize("function", [*FUNCTIONS, DESK])
def test_a_function_may_do_its_own_work_and_nothing_else(template: Template, function: str):
    stem = function.removesuffix("Function")
    allowed: dict[str, set[str]] = {}
    for statement in template.statements(template.role_of(function)):
        assert statement["Effect"] == "Allow"
        for action in as_list(statement["Action"]):
            allowed.setdefault(action, set()).update(
                mentioned(statement["Resource"]) - {"AWS::Partition", "AWS::Region", "AWS::AccountId"}
            )

    expected = {
        **{action: {"StateTable"} for action in STATE},
        **{action: {"KmsKeyArn"} for action in ("kms:Decrypt", "kms:GenerateDataKey")},
        **{action: {f"{stem}LogGroup"} for action in ("logs:CreateLogStream", "logs:PutLogEvents")},
        "ssm:GetParameter": {"PolicyParameter"},
        "secretsmanager:GetSecretValue": {"PanelSecret", "ErpSecret", "ForgetSecret"},
        "sqs:SendMessage": MAY_SEND_TO.get(function, ALL_QUEUES),
    }
    if f"{stem}Queue" in template.of_kind("AWS::SQS::Queue"):
        expected |= {action: {f"{stem}Queue"} for action in OWN_QUEUE}
    if function == DESK:
        every = set(queues(template, dead=False)) | set(queues(template, dead=True))
        expected |= {"sqs:GetQueueAttributes": every, "cloudwatch:DescribeAlarms": set()}
        expected |= {"sns:Publish": {"MessageTopic"}}
        expected |= {"lambda:InvokeFunction": set(FUNCTIONS)}
        expected |= {action: set(queues(template, dead=True)) for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage")}
    assert allowed == expected


def test_only_its_watch_wakes_the_desk_and_it_has_no_address(template: Template):
    assert not template.of_kind("AWS::Lambda::Url")
    wakers = (
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Permission",
        "AWS::ApiGatewayV2::Api",
    )
    for kind in wakers:
        assert not any(DESK in mentioned(body) for body in template.of_kind(kind).values()), kind


def test_the_scheduler_may_wake_one_function_with_each_role(template: Template):
    for schedule in template.of_kind("AWS::Scheduler::Schedule").values():
        function = schedule["Target"]["Arn"]["Fn::GetAtt"][0]
        (statement,) = template.statements(schedule["Target"]["RoleArn"]["Fn::GetAtt"][0])
        assert as_list(statement["Action"]) == ["lambda:InvokeFunction"]
        assert mentioned(statement["Resource"]) == {function}


# ---- secrets ----


@pytest.mark.fault(74)
def test_secrets_are_not_echoed_and_have_no_default(template: Template):
    for name in SECRETS:
        parameter = template.document["Parameters"][name]
        assert parameter["NoEcho"] is True
        assert "Default" not in parameter


def test_secrets_go_to_secrets_manager_and_nowhere_else(template: Template):
    where = {name: mentioned(body) & SECRETS for name, body in template.document["Resources"].items()}
    assert {name: found for name, found in where.items() if found} == {
        "PanelSecret": {"PanelKey"},
        "ErpSecret": {"ErpUrl"},
    }
    assert not mentioned(template.document["Outputs"]) & SECRETS


@pytest.mark.fault(74)
@pytest.mark.parametrize("function", [*FUNCTIONS, DESK])
def test_the_environment_holds_names_and_no_keys(template: Template, function: str):
    variables = template.of_kind("AWS::Lambda::Function")[function]["Environment"]["Variables"]
    assert not mentioned(variables) & SECRETS
    for name in variables:
        assert name.startswith(("KARTOTEKA_", "POWERTOOLS_")), name
        assert not any(word in name for word in ("KEY", "PASSWORD", "TOKEN")), name
    expected = {
        "KARTOTEKA_TABLE": {"StateTable"},
        "KARTOTEKA_POLICY_PARAMETER": {"PolicyParameter"},
        "KARTOTEKA_PANEL_SECRET": {"PanelSecret"},
        "KARTOTEKA_ERP_SECRET": {"ErpSecret"},
        "KARTOTEKA_FORGET_SECRET": {"ForgetSecret"},
        "KARTOTEKA_PANEL_URL": {"PanelUrl"},
        "KARTOTEKA_QUEUE_ACCOUNTS": {"AccountsQueue"},
        "KARTOTEKA_QUEUE_BILLING": {"BillingQueue"},
        "KARTOTEKA_SHARDS": {"Shards"},
    }
    assert {name: mentioned(variables[name]) for name in expected} == expected
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Kartoteka"


# ---- what is kept ----


@pytest.mark.fault(82)
def test_the_table_is_encrypted_recoverable_paid_by_request_and_forgets_what_expired(template: Template):
    (table,) = template.of_kind("AWS::DynamoDB::Table").values()
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    assert {attribute["AttributeType"] for attribute in table["AttributeDefinitions"]} == {"S"}


@pytest.mark.fault(82)
def test_the_table_outlives_its_stack_without_standing_in_the_next_ones_way(template: Template):
    table = template.document["Resources"]["StateTable"]
    assert table["DeletionPolicy"] == "RetainExceptOnCreate"
    assert table["UpdateReplacePolicy"] == "Retain"
    assert "TableName" not in table["Properties"]


@pytest.mark.fault(82)
@pytest.mark.parametrize("function", [*FUNCTIONS, DESK, HOOK])
def test_a_function_logs_to_a_group_of_its_own_that_forgets(template: Template, function: str):
    group = function.replace("Function", "LogGroup")
    assert template.of_kind("AWS::Lambda::Function")[function]["LoggingConfig"]["LogGroup"] == {"Ref": group}
    assert template.of_kind("AWS::Logs::LogGroup")[group]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_failure_that_needs_a_person_rings(template: Template):
    alarms = template.of_kind("AWS::CloudWatch::Alarm").values()
    rings = {(alarm["MetricName"], *mentioned(alarm["Dimensions"])) for alarm in alarms}
    for queue in queues(template, dead=True):
        assert ("ApproximateNumberOfMessagesVisible", queue) in rings
    for function in [*FUNCTIONS, DESK, HOOK]:
        assert ("Errors", function) in rings
    services = {
        body["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]["Fn::Sub"]
        for name, body in template.of_kind("AWS::Lambda::Function").items()
        if name not in (DESK, HOOK)
    }
    assert services_that_ring(template, "Halted") == services
    assert services_that_ring(template, "Delayed") == services
    assert services_that_ring(template, "Unread") == services
    assert services_that_ring(template, "Braked") == services - {"${AWS::StackName}-panel-feed"}
    assert services_that_ring(template, "Stopped") == {"${AWS::StackName}-credit"}
    assert services_that_ring(template, "Woken") == services
    assert services_that_ring(template, "RefusedShare") == services - {"${AWS::StackName}-panel-feed"}
    for metric in ("HeldNow", "ConflictsNow", "CallsForecast"):
        assert services_that_ring(template, metric) == {"${AWS::StackName}-desk"}


def test_silence_rings_after_the_minutes_that_a_parameter_says_and_not_where_schedules_are_off(template: Template):
    for name, body in template.document["Resources"].items():
        if name.endswith("SilenceAlarm"):
            alarm = body["Properties"]
            assert body["Condition"] == "SchedulesOn", name
            assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, {"Ref": "SilenceMinutes"}), name
            assert (alarm["Statistic"], alarm["Threshold"], alarm["ComparisonOperator"]) == (
                "Sum",
                1,
                "LessThanThreshold",
            ), name
            assert alarm["TreatMissingData"] == "breaching", name
    assert template.document["Parameters"]["SilenceMinutes"]["MaxValue"] * 60 <= 86_400, "CloudWatch looks back a day"


MEASURED = {
    "RefusedShare": ("Average", 900, {"Ref": "MostRefusedPercent"}),
    "HeldNow": ("Maximum", 1800, {"Ref": "MostHeld"}),
    "ConflictsNow": ("Maximum", 1800, {"Ref": "MostConflicts"}),
    "CallsForecast": ("Maximum", 1800, 100),
}
"""Metric -> statistic, seconds and threshold of its alarms, where it counts no events."""


def test_a_measure_is_compared_with_what_a_parameter_says_and_is_fine_while_it_is_missing(template: Template):
    found = [a for a in template.of_kind("AWS::CloudWatch::Alarm").values() if a["MetricName"] in MEASURED]
    for alarm in found:
        assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == MEASURED[alarm["MetricName"]]
        assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == ("GreaterThanThreshold", "notBreaching")
        assert alarm["EvaluationPeriods"] == 1
    assert {alarm["MetricName"] for alarm in found} == set(MEASURED)


def test_the_daily_message_has_a_topic_of_its_own_only_where_it_is_wanted(template: Template):
    topic = template.document["Resources"]["MessageTopic"]
    assert topic["Condition"] == "MessageWanted"
    assert topic["Properties"]["Subscription"] == [{"Protocol": "email", "Endpoint": {"Ref": "MessageEmail"}}]
    assert template.document["Conditions"]["MessageWanted"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "MessageEmail"}, ""]}]
    }
    for name, function in template.of_kind("AWS::Lambda::Function").items():
        told = function["Environment"]["Variables"].get("KARTOTEKA_MESSAGE_TOPIC")
        wanted = {"Fn::If": ["MessageWanted", {"Ref": "MessageTopic"}, ""]}
        assert told == (wanted if name == DESK else None), name


def services_that_ring(template: Template, metric: str) -> set[str]:
    alarms = template.of_kind("AWS::CloudWatch::Alarm").values()
    found = [alarm for alarm in alarms if alarm["MetricName"] == metric]
    assert {alarm["Namespace"] for alarm in found} == {"Kartoteka"}
    return {alarm["Dimensions"][0]["Value"]["Fn::Sub"] for alarm in found}


def test_an_alarm_of_our_own_metrics_rings_at_the_first_one(template: Template):
    """But for a delay, which is to last a quarter of an hour.

    What is not answered is tried again every hour at least, and rings until it is.
    """
    seconds = {"Delayed": 900, "Unread": 7200}
    alarms = template.of_kind("AWS::CloudWatch::Alarm").items()
    others = {"Woken", *MEASURED}
    for name, alarm in alarms:
        if alarm["Namespace"] != "Kartoteka" or alarm["MetricName"] in others:
            continue
        assert (alarm["Statistic"], alarm["Threshold"], alarm["ComparisonOperator"]) == (
            "Sum",
            0,
            "GreaterThanThreshold",
        ), name
        assert alarm["Period"] * alarm["EvaluationPeriods"] == seconds.get(alarm["MetricName"], 300), name
        assert alarm.get("DatapointsToAlarm") == (1 if alarm["MetricName"] == "Unread" else None), name
        assert alarm["TreatMissingData"] == "notBreaching", name


def test_every_queue_and_function_is_told_to_who_deployed(template: Template):
    outputs = {name: mentioned(output["Value"]) for name, output in template.document["Outputs"].items()}
    for name in [*FUNCTIONS, DESK, HOOK]:
        assert outputs[f"{name}Name"] == {name}
    for name in queues(template, dead=False) | queues(template, dead=True):
        assert outputs[f"{name}Url"] == {name}


def test_every_alarm_watches_what_it_is_named_after_and_is_heard(template: Template):
    topic = {"Fn::If": ["OwnTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AlarmTopic"}]}
    heard = {"Fn::If": ["Heard", [topic], {"Ref": "AWS::NoValue"}]}
    for name, alarm in template.of_kind("AWS::CloudWatch::Alarm").items():
        (dimension,) = alarm["Dimensions"]
        assert name.startswith(stem_of(dimension["Value"])), name
        assert alarm["AlarmActions"] == alarm["OKActions"] == heard, name


def stem_of(watched: Any) -> str:
    """`DeliveryAddresses` for its function, its dead-letter queue or its service."""
    if "Fn::Sub" in watched:
        return str(watched["Fn::Sub"].partition("}-")[2]).title().replace("-", "")
    (name,) = mentioned(watched)
    return name.removesuffix("Function").removesuffix("DeadLetterQueue")
