"""Numbers and lists in English sentences, and sentences that can be said again in another language.

Each is an English text. What it was made of is kept beside it, for whoever has the sentence in another language.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping


class Worded(str):
    """An English sentence, made of a ``template`` and ``facts`` by name, some of which may be such texts, or lists."""

    __slots__ = ("facts", "template")

    template: str
    facts: Mapping[str, object]


class Counted(str):
    """So many of something."""

    __slots__ = ("number", "what")

    number: int
    what: str


def worded(template: str, **facts: object) -> Worded:
    """Return a sentence: the template with its facts."""
    texts = {name: ", ".join(map(str, fact)) if isinstance(fact, list) else fact for name, fact in facts.items()}
    found = Worded(template.format(**texts))
    found.template, found.facts = template, facts
    return found


def counted(number: int, what: str) -> Counted:
    """Return ``1 client`` or ``2 clients``."""
    found = Counted(f"{number} {what}" if number == 1 else f"{number} {what}s")
    found.number, found.what = number, what
    return found


def some_of(names: Collection[str], most: int, between: str = ", ") -> str:
    """Return the first names, at most so many, and how many more there are: ``a, b and 3 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(list(names)[:most]) + more
