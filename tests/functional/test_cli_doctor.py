"""`kartoteka doctor` as its user runs it, against a stand-in panel over HTTP."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.doctor import doctor
from kartoteka.adapters.sql import upgrade
from kartoteka.adapters.sql.dialect import open_engine
from local.panel import StandinPanel

FAST = '{"panel": {"requests_per_second": 1000}}'


@pytest.fixture
def panel() -> Iterator[StandinPanel]:
    with StandinPanel(key="a-key-for-tests") as running:
        running.seed(login="anna", email="anna@firma.example", last_name="Kowalska")
        yield running


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.json"
    file.write_text(FAST)
    return file


def run(panel: StandinPanel, policy: Path, *options: str, said: str = "", key: str = "") -> Result:
    runner = CliRunner(env={"PANEL_KEY": key or panel.key})
    return runner.invoke(doctor, ["--panel-url", panel.url, "--policy", str(policy), *options], input=said)


def test_it_lists_its_questions_before_it_asks_them(panel: StandinPanel, policy: Path) -> None:
    result = run(panel, policy)
    assert result.exit_code == 0
    listed, _, found = result.stdout.partition("\n\n")
    assert listed.startswith(f"{panel.url}: at most 25 calls that only read\n")
    assert "  a wrong key, once" in listed
    assert "ok    clock: " in found
    assert "0 stop; " in found
    assert "PUT clients/clients" not in panel.calls


def test_a_stop_is_told_with_remedy_and_policy_and_exit_code(panel: StandinPanel, policy: Path) -> None:
    panel.settings.change(shops={7: "Hurt"})
    result = run(panel, policy)
    assert result.exit_code == 1
    assert "stop  shops: The policy names the shops 1, but the panel has only 7.\n      Correct" in result.stdout
    proposed = json.loads(result.stdout.partition("A policy with the settings above:")[2])
    assert proposed == {"panel": {"requests_per_second": 1000}, "accounts": {"default_shops": [7]}}


def test_the_report_holds_no_key_and_nobodys_data(panel: StandinPanel, policy: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    result = run(panel, policy, "--json", "--write", "--account", "proba", "--yes", "--report", str(file))
    document = json.loads(result.stdout)
    assert document == json.loads(file.read_text())
    assert document.keys() == {"findings", "policy", "panel_calls"}
    assert document["panel_calls"] == panel.total_calls + 1  # the description of the API is no gate
    assert all(each.keys() == {"id", "level", "sentence", "remedy", "setting"} for each in document["findings"])
    for secret in (panel.key, "kowalska", "anna", "firma.example"):
        assert secret not in result.stdout.lower()


def test_it_asks_before_each_step_that_writes(panel: StandinPanel, policy: Path) -> None:
    result = run(panel, policy, "--write", said="n\n")
    assert "writes a phone number to accounts that do not exist. Go on? [y/N]: n" in result.stdout
    assert "PUT clients/clients" not in panel.calls
    assert run(panel, policy, "--write", said="y\n").exit_code == 0
    assert panel.calls["PUT clients/clients"] == 4


def test_a_program_cannot_be_asked(panel: StandinPanel, policy: Path) -> None:
    result = run(panel, policy, "--json", "--write")
    assert result.exit_code == 2
    assert "add --yes" in result.stderr
    assert panel.total_calls == 0


def test_a_wrong_policy_and_an_address_without_tls_are_told(panel: StandinPanel, policy: Path) -> None:
    policy.write_text('{"biling": 1}')
    assert run(panel, policy).exit_code == 78
    policy.write_text("{}")
    result = CliRunner(env={"PANEL_KEY": "k"}).invoke(doctor, ["--panel-url", "http://shop.example.com"])
    assert result.exit_code == 78
    assert "https" in result.stderr


@pytest.fixture
def erp_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'exchange.db'}"
    engine = open_engine(url)
    upgrade.create(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO clients (id, email, company) VALUES ('C-1', 'anna@firma.example', 'Hurt')"
        )
    engine.dispose()
    return url


def test_the_first_contact_is_told_where_a_number_of_calls_is_given(
    panel: StandinPanel, policy: Path, erp_url: str
) -> None:
    panel.seed(login="hurt", email="b@firma.example", external_code="HURT")
    result = run(panel, policy, "--erp-url", erp_url)
    assert result.exit_code == 1
    assert "stop  codes.names: The codes of 1 of 1 accounts are the customers' names.\n" in result.stdout
    assert "first_contact" not in result.stdout
    result = run(panel, policy, "--erp-url", erp_url, "--first-contact", "40")
    assert " 40  whose account is whose, before anything is written: at most so many more" in result.stdout
    assert "ok    first_contact: 1 client, 2 accounts: linked already: 0, would be: 1 (1 by e-mail)." in result.stdout


def test_the_first_contact_needs_both_sides(panel: StandinPanel, policy: Path) -> None:
    result = run(panel, policy, "--first-contact", "40")
    assert result.exit_code == 2
    assert "name the exchange database too" in result.stderr
    assert panel.total_calls == 0


@pytest.fixture
def bridge_url(tmp_path: Path) -> str:
    file = tmp_path / "bridge.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE klienci (id INT PRIMARY KEY, email TEXT, telefon BIGINT, miasto TEXT)")
        connection.execute("INSERT INTO klienci VALUES (1, 'tajna@firma.example', 600100200, 'Tajne')")
    connection.close()
    return f"sqlite:///{file}"


def test_the_bridges_database_is_read_without_panel_and_stack(bridge_url: str, tmp_path: Path) -> None:
    runner, sql, report = CliRunner(), tmp_path / "move.sql", tmp_path / "report.json"
    result = runner.invoke(doctor, ["--from-bridge", bridge_url])
    assert result.exit_code == 0
    assert "look  bridge.clients: clients is read out of klienci (id, email, phone, city)." in result.stdout
    assert "\n\n-- Proposed by `kartoteka doctor --from-bridge` for sqlite." in result.stdout
    assert "CAST(t.telefon AS VARCHAR(150)) AS phone,  -- ? a number there: leading zeros are lost" in result.stdout
    result = runner.invoke(doctor, ["--from-bridge", bridge_url, "--sql", str(sql), "--json", "--report", str(report)])
    document = json.loads(result.stdout)
    assert document == json.loads(report.read_text())
    assert document.keys() == {"findings", "policy", "panel_calls", "sql"}
    assert document["sql"] == sql.read_text() != ""
    assert "tajn" not in result.stdout.lower()


def test_a_bridges_database_that_is_none_is_told(tmp_path: Path) -> None:
    runner = CliRunner()
    result = runner.invoke(doctor, ["--from-bridge", f"sqlite:///{tmp_path / 'none.db'}"])
    assert (result.exit_code, "there is no SQLite file" in result.stderr) == (69, True)
    assert not (tmp_path / "none.db").exists()
    result = runner.invoke(doctor, ["--from-bridge", "oracle+oracledb://sa:tajne@db/iai_bridge_exchange_db"])
    assert "oracledb is not installed" in result.stderr
    assert "tajne" not in result.stderr
    assert result.exit_code not in (0, 2)
    empty = tmp_path / "empty.db"
    sqlite3.connect(empty).close()
    empty.touch()
    assert runner.invoke(doctor, ["--from-bridge", f"sqlite:///{empty}"]).exit_code == 1


def test_a_policy_in_another_encoding_is_told_as_such(panel: StandinPanel, policy: Path) -> None:
    policy.write_bytes(FAST.encode("utf-16"))
    result = run(panel, policy)
    assert result.exit_code == 78
    assert "is not UTF-8" in result.stderr
    assert panel.total_calls == 0


def test_a_policy_with_a_byte_order_mark_is_one(panel: StandinPanel, policy: Path) -> None:
    policy.write_bytes(FAST.encode("utf-8-sig"))
    assert run(panel, policy).exit_code == 0


def test_it_speaks_the_shells_language_and_its_report_does_not(
    panel: StandinPanel, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.settings.change(shops={7: "Hurt"})
    report = tmp_path / "report.json"
    english = run(panel, policy, "--report", str(report)).stdout
    told = json.loads(report.read_text(encoding="utf-8"))["findings"]
    monkeypatch.setenv("LANG", "pl_PL.UTF-8")
    shown = run(panel, policy, "--report", str(report)).stdout
    findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
    assert [each["id"] for each in findings] == [each["id"] for each in told]
    assert "The policy names the shops 1" in next(each["sentence"] for each in findings if each["id"] == "shops")
    for part in (
        "tylko czyta; najwyżej 25 wywołań",
        "błędny klucz, jeden raz",
        "stop  shops: Polityka wymienia sklepy 1, a panel ma tylko 7.\n      Popraw accounts.default_shops",
        "ok    search: Panel pokazuje 1 konto, 1 strona po 100.",
        "Polityka z powyższymi ustawieniami:",
    ):
        assert part in shown
    same = {line for line in shown.splitlines() if line in english.splitlines() and "  " in line}
    assert not {line for line in same if re.match(r"(ok|look|stop) ", line)}, "a finding that is English still"
