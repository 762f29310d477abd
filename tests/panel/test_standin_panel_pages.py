"""The pages, and the program around them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from local.panel import StandinPanel
from tests.panel.conftest import KEY, Caller

ROOT = Path(__file__).parents[2]


def post(panel: StandinPanel, path: str, **form: object) -> requests.Response:
    """A form as a browser posts it."""
    return requests.post(panel.url + path, data=form, headers={"Origin": panel.url}, timeout=5)


def account_form(html: str) -> dict[str, list[str]]:
    """What the form of an account would send untouched."""
    form = html[html.index('action="/clients/') : html.index("</form>", html.index('action="/clients/'))]
    fields = {name: [value] for name, value in re.findall(r'type="text" name="(\w+)" value="([^"]*)"', form)}
    for name, value in re.findall(r'type="checkbox" name="(\w+)" value="(\w+)" checked', form):
        fields.setdefault(name, []).append(value)
    for name, options in re.findall(r'<select name="(\w+)">(.*?)</select>', form, re.DOTALL):
        fields[name] = re.findall(r'value="(\w+)" selected', options) or ["0"]
    return fields


def test_the_list_shows_finds_and_counts(panel: StandinPanel, api: Caller) -> None:
    panel.seed_sample(30)
    panel.seed(login="anna", company="Zażółć", external_code="K-00001", active=False)
    api.get("clients/clients")
    page = requests.get(panel.url, timeout=5).text
    assert "31 accounts" in page
    assert "page 1 of 2" in page
    assert "podwójny" in page
    assert "GET clients/clients" in page
    found = requests.get(panel.url, params={"q": "zażółć"}, timeout=5).text
    assert "1 found" in found
    assert "zamknięty" in found
    assert panel.total_calls == 1


def test_nothing_typed_anywhere_becomes_markup(panel: StandinPanel) -> None:
    evil = "\"><script>alert('x')</script>"
    panel.seed(login="evil", first_name=evil, city=evil, email=evil, note=evil, country_code=evil,
               addresses=[{"first_name": evil, "street": evil}])  # fmt: skip
    panel.settings.change(shops={1: evil})
    panel.edit_group(1, name=evil, prices=[{"kind": "product", "id": 7, "price": 1, "currency": evil}])
    panel.edit(1, discount_group_id=1, currency=evil)
    panel.order(1, 1)
    for path in ("/", "/groups", "/clients/1", "/clients/new", f"/?q={evil}"):
        answer = requests.get(panel.url + path, timeout=5)
        assert "<script" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_saving_is_a_panel_users_edit(panel: StandinPanel) -> None:
    panel.clock.set(1_800_000_000)
    panel.seed_sample(2)
    before = panel.account(2)
    form = account_form(requests.get(f"{panel.url}/clients/2", timeout=5).text)
    panel.clock.advance(5)
    assert "Bez zmian" in post(panel, "/clients/2", **form).text
    assert panel.account(2) == before
    saved = post(panel, "/clients/2", **{**form, "city": "Zakopane", "shops": ["2", "3"]})
    assert "Zapisano" in saved.text
    after = panel.account(2)
    assert (after.city, after.shops, after.street) == (
        "Zakopane",
        [2, 3],
        before.street,
    )
    assert after.modified > before.modified
    form.pop("active")
    post(panel, "/clients/2", **form)
    assert panel.account(2).active is False
    assert panel.total_calls == 0


def test_the_page_shows_shops_whether_active_and_addresses(panel: StandinPanel) -> None:
    address = {"first_name": "Jan", "last_name": "Kos", "street": "Leśna 2", "zip_code": "26-600", "city": "Radom"}
    panel.seed(login="anna", shops=[2, 3], active=False, addresses=[{**address, "in_use": True}])
    html = requests.get(f"{panel.url}/clients/1", timeout=5).text
    form = account_form(html)
    assert form["shops"] == ["2", "3"]
    assert "active" not in form
    assert "Leśna 2, 26-600 Radom" in html
    assert html.count("używany w zamówieniu") == 2
    panel.edit(1, active=True)
    panel.edit_address(1, 1, in_use=False)
    html = requests.get(f"{panel.url}/clients/1", timeout=5).text
    assert account_form(html)["active"] == ["y"]
    assert html.count("używany w zamówieniu") == 1


def test_a_fault_is_shown_and_nothing_saved(panel: StandinPanel) -> None:
    panel.seed_sample(1)
    form = account_form(requests.get(f"{panel.url}/clients/1", timeout=5).text)
    refused = post(panel, "/clients/1", **{**form, "email": "nowhere", "city": "Typed"})
    assert refused.status_code == 422
    assert "Błędny adres e-mail" in refused.text
    assert 'value="Typed"' in refused.text
    assert panel.account(1).city != "Typed"


def test_a_customer_registers(panel: StandinPanel) -> None:
    form = {"email": "a@example.com", "first_name": "Anna", "last_name": "Nowak", "street": "Polna 1",
            "zip_code": "00-950", "city": "Warszawa", "country_code": "PL", "shops": "1", "active": "y"}  # fmt: skip
    assert post(panel, "/clients/new", **form).url.endswith("/clients/1?saved=account")
    kept = panel.account(1)
    assert (kept.login, kept.external_code, kept.guest) == ("client1", "", False)
    assert post(panel, "/clients/new", **{**form, "shops": []}).status_code == 422


def test_delivery_addresses_on_the_page(panel: StandinPanel) -> None:
    panel.seed_sample(1)
    lines = {
        "first_name": "Jan",
        "last_name": "Kos",
        "street": "Leśna 2",
        "zip_code": "00-950",
        "city": "Radom",
    }
    post(panel, "/clients/1/addresses", **lines)
    assert [each.city for each in panel.account(1).addresses] == ["Radom"]
    post(panel, "/clients/1/addresses/1", **{**lines, "city": "Kielce", "in_use": "y"})
    assert panel.account(1).addresses[0].city == "Kielce"
    assert "używany w zamówieniu" in post(panel, "/clients/1/addresses/1/delete").text
    assert post(panel, "/clients/1/addresses", **{**lines, "city": ""}).status_code == 422
    panel.edit_address(1, 1, in_use=False)
    post(panel, "/clients/1/addresses/1/delete")
    assert panel.account(1).addresses == []
    assert post(panel, "/clients/1/addresses/1/delete").status_code == 404


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://127.0.0.1"])
def test_forms_come_from_our_own_pages_only(panel: StandinPanel, origin: str | None) -> None:
    panel.seed_sample(1)
    headers = {} if origin is None else {"Origin": origin}
    form = {"city": "Elsewhere"}
    assert requests.post(f"{panel.url}/clients/1", data=form, headers=headers, timeout=5).status_code == 403
    assert panel.account(1).city != "Elsewhere"
    assert requests.get(panel.url, headers={"Host": "evil.example"}, timeout=5).status_code == 403


def test_the_program_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(KEY + "\n")
    command = [
        sys.executable,
        "-m",
        "local.panel",
        "--key-file",
        str(key_file),
        "--seed",
        "3",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as program:
        assert program.stdout is not None
        said = program.stdout.readline()
        url = said.split()[-1]
        answer = requests.get(f"{url}/api/admin/v8/clients/clients", headers={"X-API-KEY": KEY}, timeout=5)
        assert answer.json()["resultsNumberAll"] == 3
        program.send_signal(signal.SIGTERM)
        said += program.stdout.read()
        assert program.wait(timeout=10) == 0
    assert KEY not in said


def test_the_program_wants_a_key_and_a_free_port(panel: StandinPanel) -> None:
    bare = {name: value for name, value in os.environ.items() if name != "PANEL_KEY"}
    command = [sys.executable, "-m", "local.panel"]
    keyless = subprocess.run(
        command,
        cwd=ROOT,
        env=bare,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "PANEL_KEY" in keyless.stderr
    taken = subprocess.run(
        [*command, "--port", str(panel.port)],
        cwd=ROOT, env={**bare, "PANEL_KEY": KEY}, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert taken.returncode != 0
    assert "cannot listen" in taken.stderr
    assert KEY not in taken.stderr


def test_starting_twice_on_one_port_fails_where_it_is_called(
    panel: StandinPanel,
) -> None:
    with pytest.raises(OSError, match=r"address already in use|Errno 98"):
        StandinPanel(key=KEY, port=panel.port).start()
