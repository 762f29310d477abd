"""What `make up` takes, and what it refuses in a line that helps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local import erp, wishes
from local.failure import LocalFailure


def test_nothing_given_means_the_stand_in_sqlite_the_default_policy_and_schedules():
    found = wishes.read({})
    assert (found.panel_url, found.policy, found.schedules) == ("", "{}", "on")
    assert found.erp_url.startswith("sqlite:////")
    assert found.erp_url.endswith("/.local/exchange.db")


def test_a_relative_sqlite_file_is_made_absolute_for_the_functions_run_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert wishes.read({"ERP_URL": "sqlite:///erp.db"}).erp_url == f"sqlite:///{tmp_path}/erp.db"


@pytest.mark.parametrize("word", ["mariadb", " PostgreSQL "])
def test_a_server_that_is_started_here_has_no_address_yet(word: str) -> None:
    found = wishes.read({"ERP": word})
    assert (found.erp, found.erp_url) == (word.strip().lower(), "")
    assert wishes.read({"ERP": "sqlite"}).erp_url == wishes.read({}).erp_url


def test_the_password_is_kept_and_not_shown():
    found = wishes.read({"ERP_URL": "postgresql+psycopg://erp:s3cret@db.example.com/erp"})
    assert "s3cret" in found.erp_url
    assert "s3cret" not in found.erp_url_masked
    assert "s3cret" not in repr(found)


def test_a_policy_file_is_checked_and_made_compact(tmp_path: Path):
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"version": 1, "billing": {"conflict": "hold"}}, indent=4))
    assert wishes.read({"POLICY": str(file)}).policy == '{"version":1,"billing":{"conflict":"hold"}}'


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PANEL_URL": "https://shop.example.com"}, "PANEL_KEY"),
        ({"PANEL_KEY": "k"}, "PANEL_URL"),
        ({"SCHEDULES": "sometimes"}, "on or off"),
        ({"ERP_URL": "no address"}, "ERP_URL"),
        ({"ERP_URL": "sqlite://"}, "in memory"),
        ({"ERP_URL": "postgresql://erp:a@b:c/d%@127.0.0.1/erp"}, "%40 %3A %2F %25"),
        ({"POLICY": "/no/such/file.json"}, "there is no file"),
        ({"ERP": "oracle"}, "ERP is sqlite, postgresql or mariadb, not 'oracle'"),
        ({"ERP": "mssql"}, "ERP=mssql: no such server is started here; give ERP_URL"),
        ({"ERP": "mariadb", "ERP_URL": "sqlite:///erp.db"}, "give one of the two"),
    ],
)
def test_what_is_refused_is_named(given: dict[str, str], said: str):
    with pytest.raises(LocalFailure, match=said):
        wishes.read(given)


@pytest.mark.parametrize(("text", "said"), [('{"biling": {}}', "biling"), ('{"version": 1,}', "line 1")])
def test_a_wrong_policy_is_refused_with_the_place(tmp_path: Path, text: str, said: str):
    file = tmp_path / "policy.json"
    file.write_text(text)
    with pytest.raises(LocalFailure, match=said):
        wishes.read({"POLICY": str(file)})


def test_a_server_of_our_own_is_known_by_its_socket() -> None:
    place = erp._place()
    assert erp.is_own(f"postgresql://postgres:@/erp?host={place}")
    assert erp.is_own(f"mysql://root:@localhost/erp?unix_socket={place}%2Fsocket")
    assert not erp.is_own("postgresql://erp:x@db.example.com/erp")
    assert not erp.is_own("sqlite:////tmp/exchange.db")
