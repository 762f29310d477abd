"""When what a person decided is carried out, and what is paused meanwhile: since when, why, and what that means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from kartoteka.desk import texts
from kartoteka.desk.desk import Data, Desk

Paused = Mapping[str, Data]
"""Concern -> ``reason`` and ``since`` (None: that is not known)."""


def paused(desk: Desk) -> Paused:
    """Return what is paused now."""
    pauses = desk.exchange.pauses
    return dated(pauses.paused(), pauses.since())


def dated(reasons: Mapping[str, str], since: Mapping[str, datetime]) -> Paused:
    """Return what is paused, of its reasons and moments by concern."""
    return {concern: {"reason": reason, "since": since.get(concern)} for concern, reason in reasons.items()}


def said(stopped: Paused, concern: str, lang: str, zone: str, *, scheduled: bool, planned: bool = False) -> str:
    """Return when a decision about a ``concern`` is carried out; empty: about any of them, some perhaps paused.

    ``planned``: it goes into the plan first, and waits there for its approval.
    """
    about = {name: each for name, each in stopped.items() if concern in ("", name)}
    what = "; ".join(named(name, each, lang, zone) for name, each in about.items())
    sentences = [texts.say("when.paused", lang, what=what)] if concern and what else []
    if not scheduled:
        sentences.append(texts.say("when.off", lang))
    elif not sentences and not planned:
        sentences.append(texts.say("when.soon", lang))
    if planned:
        sentences.append(texts.say("when.planned", lang))
    if what and not concern:
        sentences.append(texts.say("when.some", lang, what=what))
    return " ".join(sentences)


def named(concern: str, pause: Data, lang: str, zone: str) -> str:
    """Return what is paused with its moment and reason: ``Accounts, since 2026-11-27 21:03 (a person's decision)``."""
    reason = texts.word("pause", pause["reason"], lang)
    facts = {"concern": texts.say(concern, lang), "reason": reason}
    if pause["since"] is None:
        return texts.say("paused.undated", lang, **facts)
    return texts.say("paused.dated", lang, since=clock(pause["since"], zone), **facts)


def meaning(concern: str, lang: str) -> str:
    """Return what is not done while a concern is paused."""
    return texts.word("means", concern, lang)


def clock(moment: datetime, zone: str) -> str:
    """Return a moment to the minute, by the clocks of the shop."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
