"""Whose the exchange database is: this folder has an id of its own, and `make clean` gives back what was its own."""

from __future__ import annotations

import contextlib
import platform
import secrets
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from kartoteka.adapters import sql
from kartoteka.ports.ownership import Holder, Ownership
from local import home

FILE = home.HOME / "installation"


def installation() -> str:
    """Return this folder's id, made once. The machine's name in it is for people; what is unlike is the rest."""
    if not FILE.is_file():
        home.write_private(FILE, f"local:{platform.node()[:64] or 'machine'}:{secrets.token_hex(16)}\n")
    return FILE.read_text().strip()


def other(erp_url: str) -> Holder | None:
    """Return the owner of a database that is another installation's. Raises KartotekaError where it cannot be read."""
    with _opened(erp_url) as ownership:
        holder = ownership.holder()
    return None if holder is None or holder.installation == installation() else holder


def give_back(erp_url: str) -> bool:
    """Let this database be nobody's, if it is this folder's; return whether it was. One that is gone is nobody's."""
    url = make_url(erp_url)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if not FILE.is_file() or (file and not file.startswith("file:") and not Path(file).is_file()):
        return False
    with _opened(erp_url) as ownership:
        return ownership.give_back()


@contextlib.contextmanager
def _opened(erp_url: str) -> Iterator[Ownership]:
    exchange = sql.connect(erp_url, installation=installation())
    try:
        yield exchange.ownership
    finally:
        exchange.close()
