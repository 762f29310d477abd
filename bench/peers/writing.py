"""What the peers share: records as the panel takes them, and a session that writes a batch or fails."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from bench import meter

BATCH = 100
TAKEN = 3
"""The panel's fault of a record whose log-in an account has."""
GATE = "/api/admin/v8/clients/clients"
_CREATE = {
    "email": "email",
    "first_name": "firstname",
    "last_name": "lastname",
    "company": "company",
    "nip": "vat_number",
    "street": "street",
    "zip_code": "zipcode",
    "city": "city",
    "country_code": "country_code",
    "phone": "phone",
    "client_type": "client_type",
}
_UPDATE = {
    "email": "clientEmail",
    "first_name": "clientFirstName",
    "last_name": "clientLastName",
    "company": "clientFirm",
    "nip": "clientNip",
    "street": "clientStreet",
    "zip_code": "clientZipCode",
    "city": "clientCity",
    "country_code": "clientCountryId",
    "phone": "clientPhone1",
    "client_type": "clientType",
}
Row = Mapping[str, Any]


def options() -> argparse.ArgumentParser:
    """Return what every peer is told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--panel", required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--figures", type=Path, required=True)
    return parser


def tell(path: Path) -> None:
    """Write down what this process has used."""
    path.write_text(json.dumps(meter.used()))


class Writer:
    """Opens and changes accounts in batches, over one connection; a batch that is not done whole is an error."""

    def __init__(self, panel: str, key: str) -> None:
        self._url = panel + GATE
        self._session = requests.Session()
        self._session.headers["X-API-KEY"] = key

    def create(self, rows: Sequence[Row]) -> None:
        """Open an account for each of these rows; its log-in is the row's id, so that it can be found again.

        One that is there already, because an answer was lost, is changed instead.
        """
        settings = {"send_mail": False, "send_sms": False}
        answer = self._send("POST", {"params": {"clients": [_creation(row) for row in rows]}, "settings": settings})
        failed = [each for each in answer["clients"] if each["errors"]]
        if any(error["faultCode"] != TAKEN for each in failed for error in each["errors"]):
            raise RuntimeError("POST: the panel refused some records")
        there = {each["params"]["request_reference"] for each in failed}
        if again := [row for row in rows if row["id"] in there]:
            self.update(again)

    def update(self, rows: Sequence[Row]) -> None:
        """Write these rows into their accounts, every field."""
        settings = {"clientSettingSendMail": False, "clientSettingSendSms": False}
        answer = self._send("PUT", {"params": {"clients": [_update(row) for row in rows]}, "clientsSettings": settings})
        if "errors" in answer:
            raise RuntimeError("PUT: the panel refused some records")

    def _send(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._session.request(method, self._url, json=body, timeout=30)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told


def _creation(row: Row) -> dict[str, Any]:
    values = {name: row[column] for column, name in _CREATE.items() if row[column]}
    keys = {"login": row["id"].lower(), "code_extern": row["id"], "request_reference": row["id"]}
    return {**values, **keys, "password": f"Haslo-{row['id']}", "shops": [1], "wholesaler": bool(row["wholesaler"])}


def _update(row: Row) -> dict[str, Any]:
    values = {name: row[column] or "" for column, name in _UPDATE.items()}
    return {**values, "clientLogin": row["id"].lower(), "requestReference": row["id"]}
