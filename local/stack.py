"""The local stack: `python -m local.stack up`, `down`, `clean` (which `make` calls) and `env`.

The embedded AWS and the stand-in panel run in the background; `sam deploy` brings this very template.yaml there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from click import ClickException
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.adapters.idosell.panel import SHOPS_DATA
from kartoteka.adapters.sql import tables
from kartoteka.adapters.sql.dialect import open_engine
from kartoteka.errors import KartotekaError
from kartoteka.policy import parse
from local import deploying, erp, functions, home, ministack, owning, processes, standin, wishes
from local.failure import LocalFailure, told
from local.ports import LOOPBACK

VISIBILITY = 125
"""Seconds that a batch stays with a function that was killed: on a laptop nobody wants to wait twelve minutes."""
STOPS: Mapping[str, Callable[[], bool]] = {
    ministack.NAME: ministack.stop,
    standin.NAME: standin.stop,
    erp.NAME: erp.stop,
}
"""What runs in the background -> how it is stopped: the functions before what they talk to."""
RUNNING = ("endpoint", "stand_in_url", "parameters", "sources")


def up() -> None:
    """Bring the stack to what was asked for; return when every function answers."""
    began = time.monotonic()
    wanted = wishes.read(os.environ)
    with home.alone(), _all_or_nothing():
        before = home.recall()
        if wanted.panel_url:
            probe(wanted)
        if wanted.erp:
            wanted = replace(wanted, erp_url=erp.ensure(wanted.erp))
        panel = _panel(wanted, before)
        create_tables(wanted.erp_url)
        tell_of_other_owner(wanted)
        endpoint, fresh = ministack.ensure(before.get("endpoint"))
        facts = before | {
            "endpoint": endpoint,
            "region": ministack.REGION,
            "stack": deploying.STACK,
            "log": str(processes.log_file(ministack.NAME)),
            "erp_url": wanted.erp_url,
            "erp_urls": sorted({*before.get("erp_urls", ()), wanted.erp_url}),
            "schedules": wanted.schedules,
            **panel.facts,
        }
        _deploy(facts, panel.parameters(wanted), fresh=fresh)
    _tell(facts, wanted, time.monotonic() - began)
    if panel.forgot and (linked := _links(wanted.erp_url)):
        _say(f"note: the stand-in panel starts empty, and {linked} clients are linked to accounts of an earlier one;")
        _say("      they will be held. `make clean` starts anew on both sides")


@contextlib.contextmanager
def _all_or_nothing() -> Iterator[None]:
    """Stop again what was started in this block, where the block does not come to its end."""
    ran = {name for name in STOPS if processes.find(name)}
    try:
        yield
    except BaseException:
        if began := [name for name in STOPS if name not in ran and processes.find(name)]:
            _say(f"{_stopped(*began)}: nothing is left of what did not come to its end")
        raise


def probe(wanted: wishes.Wishes) -> None:
    """See that the panel answers this key, by one call that only reads. Raises LocalFailure where it does not."""
    from cli.doctor import Pace

    panel = parse(wanted.policy).panel
    settings = HttpSettings(panel.api_version, read_timeout=panel.timeout_seconds, near=LOOPBACK)
    try:
        PanelHttp(wanted.panel_url, wanted.panel_key, Pace(panel.requests_per_second), settings).get(SHOPS_DATA)
    except KartotekaError as error:
        why = f"PANEL_URL {wanted.panel_url} or PANEL_KEY: {error}"
        raise LocalFailure(f"{why}\n  `PANEL_KEY=… kartoteka doctor --panel-url …` tells more") from None


def down() -> None:
    """Stop what :func:`up` started, and nothing else; the exchange database and the logs stay."""
    with home.alone():
        _say(_stopped(*STOPS))


def _stopped(*names: str) -> str:
    """Stop these processes, and say which of them ran."""
    stopped = [name for name in names if STOPS[name]()]
    if ministack.NAME in names:
        ministack.clean()
        facts = home.recall()
        if facts:
            home.remember({name: value for name, value in facts.items() if name not in RUNNING})
    return f"stopped: {', '.join(stopped)}" if stopped else "nothing was running"


def clean() -> None:
    """Stop everything and remove what was built and kept, the exchange database among it.

    A database that the user named stays, and is nobody's again.
    """
    urls = home.recall().get("erp_urls", ())
    down()
    for erp_url in urls:
        if not erp.is_own(erp_url):  # those go with their server's data
            _give_back(erp_url)
    erp.clean()
    home.remove()
    _say(f"removed: {home.HOME} with its exchange database, and what was built")


def tell_of_other_owner(wanted: wishes.Wishes) -> None:
    """Say at once that this database is another installation's: the stack that is made will write nothing."""
    if (owner := owning.other(wanted.erp_url)) is not None:
        _say(f"WARNING: the exchange database {wanted.erp_url_masked} belongs to another stack,")
        _say(f"  {owner.installation}, since {owner.since:%Y-%m-%d %H:%M} UTC.")
        _say("  This one will write nothing, neither there nor into the panel: its functions halt with not_owner.")
        _say("  Give ERP_URL a database or schema of its own; or, where that stack is switched off for good,")
        _say("  `kartoteka takeover --confirm` once this one is up")


def _give_back(erp_url: str) -> None:
    shown = make_url(erp_url).render_as_string(hide_password=True)
    try:
        if owning.give_back(erp_url) and not erp_url.endswith(str(home.EXCHANGE_FILE)):
            _say(f"given back: {shown} has no owner now, and is the next stack's that runs on it")
    except KartotekaError as error:
        _say(f"note: {shown} could not be given back ({error}):")
        _say("      the next stack on it takes it over by `kartoteka takeover --confirm`")


def env() -> None:
    """Print the functions' environment as the file that `sam local invoke --env-vars` takes."""
    facts = home.recall()
    if "endpoint" not in facts:
        raise LocalFailure("no stack is running here: `make up` starts one")
    _say(json.dumps({"Parameters": functions.environment(facts["endpoint"])}, indent=2))


@dataclass(frozen=True, slots=True)
class PanelAt:
    """Where the panel is, and what to remember of it."""

    url: str
    key: str = field(repr=False)
    facts: dict[str, Any]
    forgot: bool = False

    def parameters(self, wanted: wishes.Wishes) -> dict[str, str]:
        """Return the template's parameters."""
        return {
            "PanelUrl": self.url,
            "PanelKey": self.key,
            "ErpUrl": wanted.erp_url,
            "Installation": owning.installation(),
            "Policy": wanted.policy,
            "Schedules": wanted.schedules,
            "QueueVisibilitySeconds": str(VISIBILITY),
        }


def _panel(wanted: wishes.Wishes, before: dict[str, Any]) -> PanelAt:
    """Return the panel that was named; where none was, the stand-in, started if need be."""
    if wanted.panel_url:
        return PanelAt(wanted.panel_url, wanted.panel_key, {"panel_url": wanted.panel_url, "panel_is_stand_in": False})
    url = standin.ensure(before.get("stand_in_url"))
    facts = {"panel_url": url, "panel_is_stand_in": True, "stand_in_url": url}
    return PanelAt(url, standin.key(), facts, forgot=url != before.get("stand_in_url"))


def _links(erp_url: str) -> int:
    """Return how many clients of the exchange database are linked."""
    engine = open_engine(erp_url)
    try:
        with engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(tables.sync_links)) or 0
    finally:
        engine.dispose()


def create_tables(erp_url: str) -> None:
    """Create the exchange tables where they are missing."""
    from cli.main import kartoteka

    try:
        kartoteka.main(["schema", "create", "--url", erp_url, "--quiet"], standalone_mode=False)
    except ClickException as error:
        shown = make_url(erp_url).render_as_string(hide_password=True)
        raise LocalFailure(f"the exchange tables could not be made in {shown}: {error.format_message()}") from None


def _deploy(facts: dict[str, Any], parameters: dict[str, str], *, fresh: bool) -> None:
    """Build and deploy, unless the stack that runs is the one asked for."""
    wanted = {"parameters": _digest(parameters), "sources": deploying.sources_fingerprint()}
    if not fresh and all(facts.get(name) == value for name, value in wanted.items()):
        return
    home.remember(facts | dict.fromkeys(wanted, ""))
    deploying.build(wanted["sources"])
    with deploying.compiling(wanted["sources"]):
        functions.make_bucket(facts["endpoint"])
        deploying.deploy(facts["endpoint"], parameters)
    functions.wake(facts["endpoint"])
    deploying.forget_others(wanted["sources"])
    home.remember(facts | wanted)


def _digest(parameters: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def _tell(facts: dict[str, Any], wanted: wishes.Wishes, seconds: float) -> None:
    page = "  a stand-in: open it in a browser" if facts["panel_is_stand_in"] else ""
    schedules = (
        "every minute; the panel is asked less often while nothing changes there"
        if wanted.schedules == "on"
        else "off: `make tick` synchronises"
    )
    _say(f"up in {seconds:.1f} s")
    _say(f"  cloud      {facts['endpoint']}  region {facts['region']}, credentials test/test, stack {facts['stack']}")
    _say(f"  panel      {facts['panel_url']}/{page}")
    _say(f"  exchange   {wanted.erp_url_masked}")
    if wanted.erp:
        _say(f"  sql        {erp.shell(wanted.erp_url)}")
    _say(f"  schedules  {schedules}")
    _say(f"  log        {facts['log']}")
    _say("next: `make tick` synchronises now, `make down` stops everything")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run one command; say in a line what went wrong."""
    commands = {"up": up, "down": down, "clean": clean, "env": env}
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.stderr.write(f"usage: python -m local.stack {'|'.join(commands)}\n")
        return 2
    with told() as end:
        commands[arguments[0]]()
    return end.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
