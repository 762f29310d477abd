"""Settings and the composition root: the one module that knows both the adapters and the concerns.

Nothing happens at import. Everything is built on first use and kept while the process lives; secrets and the policy are
read again every few minutes, and what was built from them is built anew when they changed.
"""

from __future__ import annotations

import gc
import os
import uuid
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kartoteka import concerns
from kartoteka.adapters import sql
from kartoteka.adapters.aws.alarms import CloudWatchAlarms, SnsNotices
from kartoteka.adapters.aws.clients import session
from kartoteka.adapters.aws.functions import LambdaFunctions
from kartoteka.adapters.aws.parameters import Parameters
from kartoteka.adapters.aws.queue import SqsQueue
from kartoteka.adapters.aws.rate import RateLimit
from kartoteka.adapters.aws.state import DynamoState
from kartoteka.adapters.idosell.dialect import Dialect
from kartoteka.adapters.idosell.http import HttpSettings, PanelHttp
from kartoteka.adapters.idosell.panel import HttpPanel
from kartoteka.errors import Halt
from kartoteka.fields.table import CONCERNS
from kartoteka.policy import PanelPolicy, Policy, parse
from kartoteka.sync.run import Run

if TYPE_CHECKING:
    from kartoteka.desk.desk import Desk

CALLS_AT_ONCE = 5
"""Panel calls under way together at most, and no more than the rate limit gives slots in a second."""
SECRETS_KEPT = 300
"""Seconds until a changed secret or policy is noticed."""
VALUES_BETWEEN_COLLECTIONS = 50_000
"""Values made beyond those let go, until the garbage collector looks for cycles among the youngest."""


class Settings(BaseModel):
    """What the template tells a function, by environment variable ``KARTOTEKA_<NAME>``."""

    model_config = ConfigDict(frozen=True)

    table: str
    policy_parameter: str
    panel_secret: str
    erp_secret: str
    forget_secret: str
    panel_url: str
    installation: str = Field(min_length=1)
    rehearsal_of: str = ""
    queues: dict[str, str] = Field(default_factory=dict)
    shards: int = Field(default=1, ge=1)
    longest_transaction_minutes: int = Field(default=60, ge=1)
    hook: Literal["on", "off"] = "off"
    addresses_per_pass: int = Field(default=500, ge=1)
    stack: str = ""
    message_topic: str = ""
    message_hour: int = Field(default=7, ge=0, le=23)
    message_languages: str = "pl en"
    schedules: Literal["on", "off"] = "on"
    aws_endpoint: str = ""


@cache
def settings() -> Settings:
    """Return the settings. Raises Halt naming the variable that is missing or wrong."""
    names = [name for name in Settings.model_fields if name != "queues"]
    given = {name: os.environ.get(f"KARTOTEKA_{name.upper()}") for name in names}
    try:
        found = Settings.model_validate({k: v for k, v in given.items() if v is not None} | {"queues": _queues()})
    except ValidationError as exc:
        wrong = ", ".join(f"KARTOTEKA_{str(error['loc'][0]).upper()}: {error['msg']}" for error in exc.errors())
        raise Halt("bad_settings", f"{wrong}. Deploy the template again.") from None
    if found.aws_endpoint:  # `sam local invoke --env-vars` hands over only what the template declares
        os.environ["AWS_ENDPOINT_URL"] = found.aws_endpoint
    return found


def _queues() -> dict[str, str]:
    given = {name: os.environ.get(f"KARTOTEKA_QUEUE_{name.upper()}") for name in CONCERNS}
    return {name: url for name, url in given.items() if url}


def new_run() -> Run:
    """Return what one run works with, its concerns among it."""
    _collect_seldom()
    where = settings()
    _refuse_production(where)
    policy = current_policy()
    address = _secret(where.erp_secret)
    exchange = _exchange(address, _secret(where.forget_secret), where.installation)
    run = Run(
        exchange=exchange,
        panel=_panel(where.panel_url, _secret(where.panel_secret), policy.panel),
        state=state(),
        queue=_queue(),
        policy=policy,
        run_id=uuid.uuid4().hex[:12],
        calls_at_once=max(1, min(CALLS_AT_ONCE, int(policy.panel.requests_per_second))),
        longest_transaction=timedelta(minutes=where.longest_transaction_minutes),
        poll_size=where.addresses_per_pass,
        hook=where.hook == "on",
        looked=_looked(address, exchange.identity),
    )
    concerns.build(run)
    return run


def new_desk(by: str) -> Desk:
    """Return the operator's desk of this installation; ``by``: who asks."""
    from kartoteka.desk.desk import Desk

    run, where = new_run(), settings()
    tables = _exchange(_secret(where.erp_secret), _secret(where.forget_secret), where.installation).desk
    return Desk(
        run.exchange,
        tables,
        run.policy,
        run.state,
        run.queue,
        run.concerns,
        by,
        run.now,
        _alarms(),
        _functions(),
        scheduled=where.schedules == "on",
    )


def notices() -> SnsNotices | None:
    """Return who is written to each day; None where nobody wants to be."""
    topic = settings().message_topic
    return SnsNotices(topic) if topic else None


def _refuse_production(where: Settings) -> None:
    """Raise Halt where a rehearsal would speak to the panel that it rehearses for."""
    host = (urlsplit(where.panel_url).hostname or "").rstrip(".")
    if host in {name.strip().rstrip(".").lower() for name in where.rehearsal_of.split(",")} - {""}:
        raise Halt(
            "rehearsal", f"this stack is a rehearsal of {host} and never speaks to it: give it the copy's PanelUrl"
        )


def current_policy() -> Policy:
    """Return the policy that holds now."""
    name = settings().policy_parameter
    try:
        text = _parameters().parameter(name)
    except (ClientError, BotoCoreError) as exc:
        raise Halt("no_policy", f"cannot read the parameter {name} ({_why(exc)})") from None
    return _policy(text)


@cache
def state() -> DynamoState:
    """Return the synchronisation state."""
    return DynamoState(settings().table)


def forget() -> None:
    """Forget everything that was built or read, so that a corrected secret or setting is seen at once."""
    for built in (
        settings,
        session,
        _parameters,
        state,
        _panel,
        _exchange,
        _queue,
        _alarms,
        _functions,
        _policy,
        _looked,
    ):
        built.cache_clear()


def _secret(name: str) -> str:
    try:
        return _parameters().secret(name)
    except (ClientError, BotoCoreError) as exc:
        raise Halt("no_secret", f"cannot read the secret {name} ({_why(exc)})") from None


def _why(error: Exception) -> str:
    """Return the kind of what went wrong, without its words."""
    return type(error).__name__


@cache
def _collect_seldom() -> None:
    """Let the garbage collector look seldom, and never at what was imported: a run makes many values and few cycles.

    By Python's own threshold it takes a third of the time of a load or a save of a thousand records.
    """
    gc.freeze()
    gc.set_threshold(VALUES_BETWEEN_COLLECTIONS, 20, 20)


@cache
def _parameters() -> Parameters:
    return Parameters(SECRETS_KEPT)


@lru_cache(maxsize=1)
def _policy(text: str) -> Policy:
    return parse(text)


@lru_cache(maxsize=1)
def _panel(url: str, key: str, panel: PanelPolicy) -> HttpPanel:
    limit = RateLimit(state(), rate=panel.requests_per_second)
    near = urlsplit(settings().aws_endpoint).hostname or ""
    given = HttpSettings(panel.api_version, read_timeout=panel.timeout_seconds, near=near)
    http = PanelHttp(url, key, limit, given)
    return HttpPanel(http, state(), Dialect(ZoneInfo(panel.time_zone), panel.no_group))


@lru_cache(maxsize=1)
def _exchange(url: str, key: str, installation: str) -> sql.SqlExchange:
    return sql.connect(url, key=key, installation=installation)


@lru_cache(maxsize=1)
def _looked(_url: str, _identity: str) -> dict[str, datetime]:
    """Return when each reader of this database's log found all triggers there."""
    return {}


@cache
def _alarms() -> CloudWatchAlarms | None:
    stack = settings().stack
    return CloudWatchAlarms(stack) if stack else None


@cache
def _functions() -> LambdaFunctions | None:
    stack = settings().stack
    return LambdaFunctions(stack) if stack else None


@cache
def _queue() -> SqsQueue:
    return SqsQueue(settings().queues, shards=settings().shards)
