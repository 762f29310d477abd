"""Whose the exchange database of a local stack is: an id kept in its folder, told at the start, and given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from kartoteka.adapters import sql
from kartoteka.adapters.sql import upgrade
from kartoteka.adapters.sql.dialect import open_engine
from local import erp, home, owning, stack, wishes

OTHER = "arn:aws:cloudformation:eu-central-1:123456789012:stack/kartoteka/51af3dc0"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack's folder of its own."""
    monkeypatch.setattr(owning, "FILE", tmp_path / "installation")
    return tmp_path


@pytest.fixture
def erp_url(tmp_path: Path) -> str:
    """A database that the user named."""
    url = f"sqlite:///{tmp_path / 'erp.db'}"
    engine = open_engine(url)
    upgrade.create(engine)
    engine.dispose()
    return url


def hold(erp_url: str, installation: str) -> None:
    exchange = sql.connect(erp_url, installation=installation)
    exchange.ownership.hold()
    exchange.close()


def owner(erp_url: str) -> str:
    exchange = sql.connect(erp_url)
    holder = exchange.ownership.holder()
    exchange.close()
    return holder.installation if holder else ""


def test_a_folder_has_one_id_and_another_one_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = owning.installation()
    assert own == owning.installation()
    assert own.startswith("local:")
    assert len(own) <= 255
    assert (folder / "installation").stat().st_mode & 0o077 == 0
    monkeypatch.setattr(owning, "FILE", folder / "elsewhere")
    assert owning.installation() != own


@pytest.mark.usefixtures("folder")
def test_a_database_of_somebody_elses_is_told_of_at_once(erp_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = wishes.read({"ERP_URL": erp_url})
    stack.tell_of_other_owner(wanted)
    hold(erp_url, owning.installation())
    stack.tell_of_other_owner(wanted)
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("folder")
def test_the_warning_names_the_owner_and_the_remedy(erp_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    hold(erp_url, OTHER)
    stack.tell_of_other_owner(wishes.read({"ERP_URL": erp_url}))
    told = capsys.readouterr().out
    assert "belongs to another stack" in told
    assert OTHER in told
    assert "kartoteka takeover --confirm" in told
    assert owner(erp_url) == OTHER


@pytest.mark.usefixtures("folder")
def test_only_what_is_the_folders_own_is_given_back(erp_url: str) -> None:
    hold(erp_url, OTHER)
    owning.installation()
    assert not owning.give_back(erp_url)
    assert owner(erp_url) == OTHER


@pytest.mark.usefixtures("folder")
def test_a_cleaned_folder_gives_its_database_back_for_the_next_one(
    erp_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(erp_url, owning.installation())
    monkeypatch.setattr(home, "recall", lambda: {"erp_urls": [erp_url]})
    monkeypatch.setattr(stack, "down", lambda: None)
    monkeypatch.setattr(home, "remove", lambda: None)
    monkeypatch.setattr(erp, "clean", lambda: None)
    stack.clean()
    assert owner(erp_url) == ""
    assert "has no owner now" in capsys.readouterr().out
    hold(erp_url, "the next one")
    assert owner(erp_url) == "the next one"


def test_a_database_that_is_gone_hinders_no_cleaning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owning.installation()
    gone = f"sqlite:///{folder / 'gone.db'}"
    closed = "postgresql+psycopg://erp:geheim@127.0.0.1:1/x"
    monkeypatch.setattr(home, "recall", lambda: {"erp_urls": [gone, closed]})
    monkeypatch.setattr(stack, "down", lambda: None)
    monkeypatch.setattr(home, "remove", lambda: None)
    monkeypatch.setattr(erp, "clean", lambda: None)
    stack.clean()
    assert not (folder / "gone.db").exists(), "no file is made by asking"
    told = capsys.readouterr().out
    assert "could not be given back" in told
    assert "geheim" not in told
