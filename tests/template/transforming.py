"""Transforms a template as AWS does: `.tools/cloud/bin/python transforming.py template.yaml` prints JSON.

A program of its own, because SAM's translator wants a pydantic that the functions have left behind. The loops are
expanded by the embedded AWS: unlike the SAM CLI, it fills their names in only where CloudFormation does.
"""

from __future__ import annotations

import copy
import json
import os
import sys
from pathlib import Path
from typing import Any

from ministack.services.cloudformation import language_extensions
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse


def folded(node: Any) -> Any:
    """Return the document with known variables of `Fn::Sub` put into its text."""
    if isinstance(node, list):
        return [folded(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: folded(value) for key, value in node.items()}
    match result:
        case {"Fn::Sub": [str(text), dict(variables)]} if all(isinstance(value, str) for value in variables.values()):
            for name, value in variables.items():
                text = text.replace(f"${{{name}}}", value)
            return {"Fn::Sub": text} if "${" in text else text
    return result


def built(source: dict[str, Any]) -> dict[str, Any]:
    """Return the template with addresses of artifacts, as `sam package` writes them."""
    result = copy.deepcopy(source)
    for resource in result["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = f"s3://built/{resource['Properties'][name].strip('/')}.zip"
    return result


def main(path: str) -> None:
    """Print the template as it is written and as CloudFormation gets it."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    source = yaml_parse(Path(path).read_text(encoding="utf-8"))
    expanded = folded(language_extensions.apply(source, {}))
    transformed = Translator({}, Parser()).translate(built(expanded), {})
    json.dump({"source": source, "transformed": transformed}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
