"""Every page in Polish, with every word of ours that a table can hold: none of them is left in English."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from kartoteka import codes
from kartoteka.adapters.sql import tables
from kartoteka.codes import CODES, State
from kartoteka.desk.lists import LISTS
from kartoteka.fields.table import CONCERNS, LABELS, WORDS
from kartoteka.model import Decision, Direction, FoundBy, Planned, Reason
from tests.fixtures.installation import Installation
from tests.functional.test_desk import Visitor

LISTED = 500
ALIKE = {"panel", "erp", "plan", "nip", "e-mail", "1", "0", "stale", "delivery_addresses"}
"""Words that are the same in Polish, and a table that is named as one."""
LINKED_BY = ("created", "external_code", "nip", "email", "phone", "incoming", "operator")
OURS = {
    *(code.code for code in CODES.values()),
    *(str(word) for words in (State, Decision, Direction, FoundBy, Planned, Reason) for word in words),
    *CONCERNS,
    *LABELS,
    *(word for words in WORDS.values() for word in words),
    *LINKED_BY,
    *("brake", "product", "producer", "panel_feed", "not_shown"),
} - ALIKE


def words_of(page: str) -> set[str]:
    """Return the words that a page shows or reads out, but those that it marks as names of the machine's."""
    shown = re.sub(r"<head>.*?</head>|<code>.*?</code>|<option value=\"[^\"]*\"", " ", page, flags=re.DOTALL)
    spoken = re.findall(r'(?:aria-label|title|placeholder|data-label)="([^"]*)"', shown)
    text = unescape(" ".join([re.sub(r"<[^>]*>", " ", shown), *spoken]))
    text = re.sub(r"'kartoteka [^']*'", " ", text)  # a command, for whoever runs them
    return set(re.findall(r"[\w.-]+", text)) | {word.strip(".") for word in re.findall(r"[\w.-]+", text)}


def said(name: str) -> dict[str, str]:
    """Return the columns of ``sync_status`` with a code."""
    told = codes.status(name, ["city", "client_type"], **dict.fromkeys(CODES[name].facts, "Łódź"))
    row = {"state": str(told.state), "code": told.code, "field": told.field}
    return {**row, "message_pl": told.message_pl, "message_en": told.message_en}


@pytest.fixture
def full(installation: Installation) -> Installation:
    """Give an installation whose tables hold each of our words at least once."""
    installation.insert("K-1", "K-2")
    installation.sql("UPDATE clients SET client_type = 'person_female', wholesaler = 1 WHERE id = 'K-2'")
    installation.sql("UPDATE clients SET discount_group_id = 'HURT'")
    installation.price("HURT", 17, "12.50")
    installation.credit("K-1", "100.00")
    installation.sql("INSERT INTO sync_exclusions (client_id, concern) VALUES ('K-2', 'shops')")
    installation.sql("INSERT INTO sync_pauses (concern, reason) VALUES ('billing', 'operator'), ('credit', 'brake')")
    installation.sql("INSERT INTO sync_pauses (concern, reason, code) VALUES ('panel_feed', 'brake', 'panel_restored')")
    now = sa.func.current_timestamp()
    with installation.database.begin() as connection:
        connection.execute(
            tables.sync_status.insert(),
            [
                {"client_id": "K-1", "group_id": "", "concern": [*CONCERNS][n % 6], "item_id": f"{n}", **said(name)}
                for n, name in enumerate(CODES)
            ],
        )
        connection.execute(
            tables.sync_status.insert(),
            [{"client_id": "K-2", "group_id": "", "concern": c, "item_id": "", **said("incomplete")} for c in CONCERNS],
        )
        about = {"group_id": "", "item_id": "", "concern": "billing", "run_id": "przebieg", "at": now}
        values = [(field, word) for field, words in WORDS.items() for word in words] + [("", '{"active": true}')]
        ways = [str(Direction.ERP_TO_PANEL), str(Direction.PANEL_TO_ERP)]
        for n, reason in enumerate(Reason):
            for m, found_by in enumerate(FoundBy):
                field, value = values[(n + m) % len(values)]
                row = {"client_id": "K-1", "field": field, "value_before": None, "value_after": value}
                told = {"reason": str(reason), "found_by": str(found_by), "direction": ways[m % 2]}
                connection.execute(tables.sync_history.insert().values(**about, **row, **told))
        for n, action in enumerate(Planned):
            field, value = values[n % len(values)]
            row = {"client_id": "K-1", "group_id": "", "concern": "billing", "item_id": "", "action": str(action)}
            told = {"field": field, "value_from": value, "value_to": value, "direction": ways[n % 2], "reason": "edit"}
            connection.execute(tables.sync_plan.insert().values(**row, **told, planned_at=now))
        for n, (field, value) in enumerate(values):
            row = {"client_id": "K-1", "concern": "billing", "item_id": "", "field": field, "raised_at": now}
            told = {"erp_value": value, "panel_value": value, "base_value": value, "decision": ("erp", None)[n % 2]}
            connection.execute(tables.sync_conflicts.insert().values(**row, **told))
        for rule in ("external_code", "nip", "email", "phone"):
            row = {"client_id": "K-2", "panel_client_id": f"9{len(rule)}{rule[0]}", "matched_by": rule}
            told = {"decision": "link" if rule == "nip" else "create" if rule == "phone" else None, "raised_at": now}
            connection.execute(tables.sync_matches.insert().values(**row, **told))
        incoming = tables.ERP.incoming_clients.insert()
        connection.execute(
            incoming.values(panel_client_id="77", client_type="firm", wholesaler=True, company="Ze sklepu", seen_at=now)
        )
        link = {"client_id": "K-1", "panel_client_id": "70", "panel_login": "k1", "linked_by": "nip", "linked_at": now}
        connection.execute(tables.sync_links.insert().values(**link, former_code=""))
    return installation


def test_no_page_in_polish_shows_a_word_of_ours_in_english(full: Installation) -> None:
    visitor = Visitor(full, "pl")
    paths = ["", *(f"{name}?limit={LISTED}" for name in LISTS), "history?reason=drift&found_by=full_scan&field=city"]
    paths += [*("clients/K-1", "clients/K-2", "clients/K-1/forget"), "held?code=incomplete", "plan?action=update"]
    paths += [f"conflicts?concern={quote('billing')}", "differences?reason=edit", "clients?text=firma"]
    left = {path: sorted(words_of(visitor.page(f"/{path}")) & OURS) for path in paths}
    assert {path: found for path, found in left.items() if found} == {}


def test_a_failure_is_told_in_polish_too(full: Installation) -> None:
    visitor = Visitor(full, "pl")
    assert not words_of(visitor.page("/nowhere", 404)) & OURS
    assert not words_of(visitor.page("/history?day=x", 400)) & OURS
    assert words_of(visitor.page("/history?reason={x}&run_id={y}")) & {"x", "y"} == {"x", "y"}


@pytest.mark.parametrize("word", ["incomplete", "full_scan", "firm", "erp_to_panel", "billing", "client_type", "retry"])
def test_the_test_would_see_a_word_of_ours(word: str) -> None:
    page = f"<html><head><title>x</title></head><p>Stan: <b>{word}</b>, <code>city</code></p></html>"
    assert words_of(page) & OURS == {word}
