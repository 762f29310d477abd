"""What the user asked for: `PANEL_KEY=… ERP_URL=… make up PANEL_URL=… POLICY=file SCHEDULES=off`, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from kartoteka.adapters.idosell.http import checked_key
from kartoteka.adapters.idosell.whereto import checked_root
from kartoteka.adapters.sql.dialect import DIALECTS
from kartoteka.adapters.sql.dialect.base import PERCENT_ENCODED
from kartoteka.errors import Halt
from kartoteka.policy import check, compact
from local import home
from local.erp import SERVERS, SQLITE
from local.failure import LocalFailure


@dataclass(frozen=True, slots=True)
class Wishes:
    """The parameters of `make up`; an empty panel address asks for the stand-in.

    ``erp``: the engine of a server that is started here; the address is empty until it is.
    """

    panel_url: str
    panel_key: str = field(repr=False)
    erp_url: str = field(repr=False)
    policy: str
    schedules: str
    erp: str = ""

    @property
    def erp_url_masked(self) -> str:
        """Return the database's address, fit for the screen."""
        return make_url(self.erp_url).render_as_string(hide_password=True)


def read(environment: Mapping[str, str]) -> Wishes:
    """Read the parameters from the environment, where make puts them, so that no secret is on a command line."""
    panel_url = environment.get("PANEL_URL", "").strip().rstrip("/")
    panel_key = environment.get("PANEL_KEY", "").strip()
    if panel_url and not panel_key:
        raise LocalFailure("PANEL_URL needs PANEL_KEY, the panel's API key")
    if panel_key and not panel_url:
        raise LocalFailure("PANEL_KEY needs PANEL_URL, the panel's root address")
    if panel_url:
        try:
            checked_root(panel_url)
            checked_key(panel_key)
        except Halt as error:
            raise LocalFailure(f"PANEL_URL or PANEL_KEY: {error}") from None
    schedules = environment.get("SCHEDULES", "").strip().lower() or "on"
    if schedules not in {"on", "off"}:
        raise LocalFailure(f"SCHEDULES is on or off, not {schedules!r}")
    erp, erp_url = engine(environment), environment.get("ERP_URL", "").strip()
    if erp and erp_url:
        raise LocalFailure("ERP starts a database here, and ERP_URL names another one: give one of the two")
    return Wishes(
        panel_url=panel_url,
        panel_key=panel_key,
        erp_url="" if erp in SERVERS else _erp_url(erp_url),
        policy=_policy(environment.get("POLICY", "").strip()),
        schedules=schedules,
        erp=erp if erp in SERVERS else "",
    )


def engine(environment: Mapping[str, str]) -> str:
    """Return the engine that ERP names; empty where it names none. Raises LocalFailure for one that is not started."""
    word = environment.get("ERP", "").strip().lower()
    if word in ("", SQLITE, *SERVERS):
        return word
    if word in DIALECTS:
        raise LocalFailure(f"ERP={word}: no such server is started here; give ERP_URL the address of one of your own")
    raise LocalFailure(f"ERP is {SQLITE}, {' or '.join(SERVERS)}, not {word!r}")


def _erp_url(text: str) -> str:
    """Return the database's address; a relative SQLite path is made absolute, for the functions run elsewhere."""
    if not text:
        return f"sqlite:///{home.EXCHANGE_FILE}"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        example = "postgresql://user:password@host/name"
        raise LocalFailure(f"ERP_URL is not a database address such as {example}; {PERCENT_ENCODED}") from None
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise LocalFailure("ERP_URL: an SQLite database in memory cannot be shared; name a file")
        if not url.database.startswith("file:"):
            url = url.set(database=str(Path(url.database).expanduser().absolute()))
    return url.render_as_string(hide_password=False)


def _policy(name: str) -> str:
    """Return the checked policy as compact JSON; `{}` where no file is named."""
    if not name:
        return "{}"
    path = Path(name).expanduser()
    if not path.is_file():
        raise LocalFailure(f"POLICY: there is no file {name}")
    content = path.read_bytes()
    found = check(content)
    if isinstance(found, list):
        raise LocalFailure("\n".join([f"POLICY {name}:", *map(str, found)]))
    return compact(json.loads(content))
