"""The pages that are made from the code: the table of fields, and the policy's JSON Schema.

``python -m cli.docs`` writes them; a test fails while they are out of date.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from kartoteka.core.concerns import CONCERNS, Concern
from kartoteka.core.model import Empty
from kartoteka.core.policy import Policy, json_schema, rules

DOCS = Path(__file__).parent.parent / "docs"

HEAD = """# Fields

Made from the table of concerns (`shared/kartoteka/core/concerns.py`) by `python -m cli.docs`. Do not edit here.

*Read*, *created* and *updated* are the names of the panel's Admin API v8 (`clients/clients`: GET, POST, PUT).
*Compared as* is the form in which two values are equal; what is sent is always the value as it was written.
The direction is the default one; the policy may set another for the concern or for a field.
"""


def pages() -> Mapping[str, str]:
    """Return each made page by its name in ``docs/``."""
    return {
        "fields.md": "\n".join([HEAD, *(line for concern in CONCERNS.values() for line in _concern(concern))]) + "\n",
        "policy.schema.json": json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n",
    }


def _concern(concern: Concern) -> Iterator[str]:
    yield f"## {concern.name}\n"
    if not concern.fields:
        yield f"Opens and links accounts for the rows of `{concern.table}`. It carries no fields of its own.\n"
        return
    yield "| column | read | created | updated | characters | compared as | direction | empty |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    found = rules(Policy(), concern)
    for name, field in concern.fields.items():
        erases = "erases" if found[name].empty is Empty.ERASE else "keeps"
        yield (
            f"| `{name}` | `{field.read}` | `{field.create}` | `{field.update}` | {field.max_length} "
            f"| {field.normalise.__name__.replace('_', ' ')} | {found[name].direction} | {erases} |"
        )
    yield ""


def main() -> None:
    """Write the made pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
