"""Parameters reach the stack as they were given, whatever marks are in them."""

from __future__ import annotations

import pytest

from local import deploying


def unquoted_by_sam(value: str) -> str:
    """What SAM does with a parameter (samcli.cli.types, `_unquote_wrapped_quotes`)."""
    if value and value[0] == value[-1] and value[0] in {'"', "'"}:
        value = value[1:-1]
    return value.replace("\\ ", " ").replace('\\"', '"').replace("\\'", "'")


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "",
        '"quoted"',
        "it's",
        '{"a":"with \\" inside"}',
        "back\\slash",
        "back\\ blank",
        "two\\\\ and a quote\\'",
        "key=with,all $ of%them",
    ],
)
def test_what_is_quoted_comes_back(value: str):
    assert unquoted_by_sam(deploying._quoted(value)) == value
