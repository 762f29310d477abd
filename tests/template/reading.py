"""Reading a template: resources by kind, policies by role, and what an intrinsic function points at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Template:
    """A transformed template."""

    document: Mapping[str, Any]

    def of_kind(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return logical id -> properties of all resources of one type."""
        found = self.document["Resources"].items()
        return {name: body.get("Properties", {}) for name, body in found if body["Type"] == kind}

    def statements(self, role: str) -> Iterator[dict[str, Any]]:
        """Yield what a role may do: its own policies, and those of this template that it carries or is named in."""
        properties = self.of_kind("AWS::IAM::Role")[role]
        documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        own = self.of_kind("AWS::IAM::ManagedPolicy")
        carried = [one["Ref"] for one in properties.get("ManagedPolicyArns", []) if "Ref" in one]
        carried += [name for name, policy in own.items() if {"Ref": role} in policy.get("Roles", [])]
        documents.extend(own[name]["PolicyDocument"] for name in carried)
        for document in documents:
            for statement in as_list(document["Statement"]):
                yield from alternatives(statement)

    def role_of(self, function: str) -> str:
        """Return the logical id of a function's role."""
        return str(self.of_kind("AWS::Lambda::Function")[function]["Role"]["Fn::GetAtt"][0])


def as_list(value: Any) -> list[Any]:
    """Return a list, of one where CloudFormation allows one without."""
    return value if isinstance(value, list) else [value]


def alternatives(value: Any) -> Iterator[Any]:
    """Yield every value that an `Fn::If` may become, but for no value at all."""
    if isinstance(value, dict) and "Fn::If" in value:
        for branch in value["Fn::If"][1:]:
            yield from alternatives(branch)
    elif value != {"Ref": "AWS::NoValue"}:
        yield value


def mentioned(value: Any) -> set[str]:
    """Return every logical id (and pseudo parameter) that a value refers to."""
    if isinstance(value, list):
        return {name for item in value for name in mentioned(item)}
    if not isinstance(value, dict):
        return set()
    if "Ref" in value:
        return {value["Ref"]}
    if "Fn::GetAtt" in value:
        target = value["Fn::GetAtt"]
        return {target[0] if isinstance(target, list) else target.split(".")[0]}
    if "Fn::Sub" in value:
        text = value["Fn::Sub"] if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"][0]
        return set(re.findall(r"\$\{([^}.!]+)", text))
    return {name for item in value.values() for name in mentioned(item)}
