"""What the template takes, and what it refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest


@pytest.mark.parametrize(
    "address",
    [
        "https://shop.example.com",
        "https://shop.example.com/",
        "https://shop.example.com:8443/root",
        "http://127.0.0.1:8080",
        "http://localhost:8080/",
        "http://[::1]:8080",
    ],
)
def test_a_panel_is_reached_over_https_or_loopback(source: dict[str, Any], address: str):
    assert re.match(source["Parameters"]["PanelUrl"]["AllowedPattern"], address)


@pytest.mark.parametrize(
    "address",
    [
        "http://shop.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "https://user:password@shop.example.com",
        "https://shop.example.com/?key=1",
        "ftp://shop.example.com",
        "shop.example.com",
        "https://",
        "",
    ],
)
def test_any_other_address_is_refused(source: dict[str, Any], address: str):
    assert not re.match(source["Parameters"]["PanelUrl"]["AllowedPattern"], address)


def test_every_parameter_is_described_and_in_a_group(source: dict[str, Any]):
    groups = source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(source["Parameters"])
    for name, parameter in source["Parameters"].items():
        assert len(parameter["Description"]) > 15, name


def test_only_the_two_sides_must_be_given(source: dict[str, Any]):
    needed = {name for name, parameter in source["Parameters"].items() if "Default" not in parameter}
    assert needed == {"PanelUrl", "PanelKey", "ErpUrl"}


def test_the_first_question_is_who_hears_the_alarms(source: dict[str, Any]):
    first = next(iter(source["Parameters"]))
    assert first == "AlarmEmail"
    assert "ring for nobody" in source["Parameters"][first]["Description"]


@pytest.mark.parametrize("names", ["", "shop.example.com", "a.pl,b.pl"])
def test_a_rehearsal_names_hosts(source: dict[str, Any], names: str):
    assert re.match(source["Parameters"]["RehearsalOf"]["AllowedPattern"], names)


@pytest.mark.parametrize("names", ["https://a.pl", "a b", "a.pl,"])
def test_a_rehearsal_names_nothing_else(source: dict[str, Any], names: str):
    assert not re.match(source["Parameters"]["RehearsalOf"]["AllowedPattern"], names)
