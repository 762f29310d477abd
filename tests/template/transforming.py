"""Transforms a template as AWS does: `.tools/sam/bin/python transforming.py template.yaml` prints JSON.

A program of its own, because SAM's translator wants a pydantic that the functions have left behind.
"""

from __future__ import annotations

import copy
import json
import os
import sys
from typing import Any

import cfnlint.decode.cfn_yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


def plain(node: Any) -> Any:
    """Return the document without the positions that cfn-lint keeps in it."""
    if isinstance(node, dict):
        return {str(key): plain(value) for key, value in node.items()}
    return [plain(item) for item in node] if isinstance(node, list) else node


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
    source = plain(cfnlint.decode.cfn_yaml.load(path))
    transformed = Translator({}, Parser()).translate(built(source), {})
    json.dump({"source": source, "transformed": transformed}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
