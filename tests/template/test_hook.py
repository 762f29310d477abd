"""The wake-up hook: made only where it is asked for, limited, its secret path never logged, allowed next to nothing."""

from __future__ import annotations

from typing import Any

from tests.template.reading import Template, alternatives, as_list, mentioned


def of_the_hook(template: Template) -> dict[str, Any]:
    """Return the resources that are there for the hook alone."""
    found = template.document["Resources"].items()
    return {name: body for name, body in found if "Hook" in name}


def test_it_is_off_unless_it_is_asked_for_and_nothing_of_it_is_made_then(template: Template) -> None:
    parameter = template.document["Parameters"]["Hook"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("off", ["on", "off"])
    assert template.document["Conditions"]["HookOn"] == {"Fn::Equals": [{"Ref": "Hook"}, "on"]}
    kinds = {body["Type"] for body in of_the_hook(template).values()}
    assert {"AWS::Lambda::Function", "AWS::ApiGatewayV2::Api", "AWS::SecretsManager::Secret"} <= kinds
    assert {name for name, body in of_the_hook(template).items() if body.get("Condition") != "HookOn"} == set()
    outputs = {name: body for name, body in template.document["Outputs"].items() if "Hook" in name}
    assert outputs
    assert {body["Condition"] for body in outputs.values()} == {"HookOn"}
    apis = {body["Type"] for body in template.document["Resources"].values() if "ApiGateway" in body["Type"]}
    assert apis == {"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Stage"}


def test_its_stage_is_limited_and_logs_no_path(template: Template) -> None:
    (stage,) = template.of_kind("AWS::ApiGatewayV2::Stage").values()
    limits = stage["DefaultRouteSettings"]
    assert 0 < limits["ThrottlingRateLimit"] <= 5
    assert 0 < limits["ThrottlingBurstLimit"] <= 20
    assert "AccessLogSettings" not in stage
    assert not limits.get("DetailedMetricsEnabled")


def test_it_may_note_a_moment_read_its_secret_and_write_its_log(template: Template) -> None:
    statements = list(template.statements("PanelHookRole"))
    allowed = {action: mentioned(each["Resource"]) for each in statements for action in as_list(each["Action"])}
    assert allowed == {
        "dynamodb:PutItem": {"StateTable"},
        "secretsmanager:GetSecretValue": {"HookSecret"},
        **{key: {"KmsKeyArn"} for key in ("kms:Decrypt", "kms:GenerateDataKey")},
        **{key: {"PanelHookLogGroup"} for key in ("logs:CreateLogStream", "logs:PutLogEvents")},
    }
    (wake,) = [each for each in statements if each["Action"] == "dynamodb:PutItem"]
    assert wake["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["wake"]}}


def test_its_secret_is_made_by_aws_fits_into_a_path_and_is_told_to_nobody(template: Template) -> None:
    secret = template.of_kind("AWS::SecretsManager::Secret")["HookSecret"]
    assert secret["GenerateSecretString"] == {"PasswordLength": 48, "ExcludePunctuation": True}
    assert list(alternatives(secret["KmsKeyId"])) == [{"Ref": "KmsKeyArn"}]
    function = template.of_kind("AWS::Lambda::Function")["PanelHookFunction"]
    assert function["Environment"]["Variables"]["KARTOTEKA_HOOK_SECRET"] == {"Ref": "HookSecret"}
    others = template.of_kind("AWS::Lambda::Function").items()
    assert [name for name, body in others if "HookSecret" in mentioned(body["Environment"])] == ["PanelHookFunction"]


def test_the_feed_knows_whether_it_is_woken(template: Template) -> None:
    functions = template.of_kind("AWS::Lambda::Function")
    told = {name: body["Environment"]["Variables"].get("KARTOTEKA_HOOK") for name, body in functions.items()}
    assert {name for name, value in told.items() if value} == {"PanelFeedFunction"}
    assert told["PanelFeedFunction"] == {"Ref": "Hook"}
