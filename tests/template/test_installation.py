"""Who a stack is, for the exchange database: its own ARN, and how long its functions run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kartoteka.ports.functions import LONGEST_OF_ALL


def test_every_function_says_the_stacks_own_id_and_never_its_name(source: dict[str, Any]):
    told = source["Globals"]["Function"]["Environment"]["Variables"]["KARTOTEKA_INSTALLATION"]
    assert told == {"Fn::If": ["NamedByItself", {"Ref": "AWS::StackId"}, {"Ref": "Installation"}]}
    assert source["Parameters"]["Installation"]["Default"] == ""


def test_the_wait_after_a_takeover_is_as_long_as_a_function_may_run(source: dict[str, Any]):
    limits = [source["Globals"]["Function"]["Timeout"]]
    resources = (each for each in source["Resources"].values() if isinstance(each, dict))
    limits += [each["Properties"]["Timeout"] for each in resources if "Timeout" in each.get("Properties", {})]
    assert timedelta(seconds=max(limits)) == LONGEST_OF_ALL
