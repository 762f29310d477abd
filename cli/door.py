"""What a command asks: the routes of the desk, whether its function answers them or this process does.

On a stack that has the function it is invoked: the machine needs the right to that and nothing else. Where a command is
given a database (``--erp-url``), or a stack that has no such function yet, the same routes answer here.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn, Protocol
from urllib.parse import urlencode

import click

from cli import cloud
from cli import stack as stacks
from cli.erp import Where, opened
from cli.exits import Failed, NotInTime, Refused, Unavailable, WrongName, WrongSettings, told
from cli.show import safe, said, spoken
from cli.stack import Stack
from kartoteka.desk.desk import BY, Desk
from kartoteka.errors import KartotekaError
from kartoteka.policy import Policy, parse

DOWN = "The local stack is down: this is what its exchange database holds, and nothing is carried before `make up`."
FUNCTION = "desk"
PAGE = 500
"""Rows asked for at a time."""

Answer = Mapping[str, Any]


ASKS_A_PERSON = ("confirm", "braked_already", "takeover")
"""Refusals that only a person's word ends."""


class Refusal(Refused):
    """A route wants a person's word first; ``facts`` are the figures of why."""

    def __init__(self, message: str, facts: Mapping[str, str]) -> None:
        super().__init__(message)
        self.facts = facts


class Behind(Protocol):
    """What answers requests: the function, or its routes in this process."""

    def __call__(self, request: Mapping[str, Any], /) -> Answer:
        """Answer an event in the shape of an HTTP API's (payload 2.0)."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """The routes under ``/api``, as a command asks them."""

    behind: Behind
    by: str = ""

    def get(self, path: str, **query: object) -> Any:
        """Return what a route answers; what is asked for is given by name, what is empty left out."""
        return self._asked("GET", path, {k: str(v) for k, v in query.items() if v not in (None, "", False)}, "")

    def rows(self, path: str, limit: int, **query: object) -> list[dict[str, Any]]:
        """Return up to so many rows of a list, page by page."""
        found: list[dict[str, Any]] = []
        start: int | None = 0
        while start is not None and len(found) < limit:
            page = self.get(path, start=start, limit=min(PAGE, limit - len(found)), **query)
            found += page["rows"]
            start = page["next"]
        return found

    def post(self, path: str, **given: object) -> Any:
        """Return what an action answers."""
        return self._asked("POST", path, {}, json.dumps(given))

    def _asked(self, method: str, path: str, query: Mapping[str, str], body: str) -> Any:
        headers = {BY: self.by, "content-type": "application/json", "accept-language": spoken()}
        answer = self.behind(event(method, f"/api/{path}", query, headers, body))
        found = json.loads(answer.get("body") or "{}")
        if answer["statusCode"] >= 400:
            _fail(answer["statusCode"], found)
        return found


def event(method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: str) -> dict[str, Any]:
    """Return a request as the function is woken by it."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": urlencode(query),
        "queryStringParameters": dict(query) or None,
        "headers": dict(headers),
        "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
        "body": body,
        "isBase64Encoded": False,
    }


def _fail(status: int, found: Mapping[str, Any]) -> NoReturn:
    """End the command as the route's answer wants it: in its sentence, by its code."""
    message, code = safe(found.get("message", "")), str(found.get("error", ""))
    if status >= 503:
        raise Unavailable(message)
    if status == 423:
        raise NotInTime(message)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        raise WrongSettings(message)
    if code in ASKS_A_PERSON:
        raise Refusal(message, found.get("facts", {}))
    raise WrongName(message) if status in (404, 409) else Failed(message)


@contextmanager
def door(where: Where, *, sends: bool = False, by_policy: bool = False) -> Iterator[Door]:
    """Give the desk of the stack, or of the database, that the options and the environment name.

    What it needs of the stack where it is of a database: its queues where it ``sends``, else Unavailable is raised; its
    policy where it answers ``by_policy``.
    """
    if function := invoked(where):
        with told():
            yield Door(function, caller(where))
        return
    with opened(where) as erp:
        from kartoteka.desk import routes

        queue = cloud.queue(stacks.find(where.stack)) if sends else None
        if where.is_local():
            click.echo(said(DOWN), err=True)
        desk = Desk(erp.exchange, erp.desk, _policy(where) if by_policy else Policy(), by="", queue=queue)
        yield Door(lambda request: routes.answer(request, None, desk))


def _policy(where: Where) -> Policy:
    """Return the policy of the stack whose database it is; the default one where there is none."""
    if not where.stack and not where.is_local():
        return Policy()
    try:
        return parse(cloud.policy(stacks.find(where.stack)))
    except (Unavailable, KartotekaError):
        return Policy()


def invoked(where: Where) -> Behind | None:
    """Return what invokes the function of the stack that is meant; None where a database is, or there is none."""
    if where.erp_url or not (where.stack or where.is_local()):
        return None
    try:
        stack = stacks.find(where.stack)
    except Unavailable:
        if where.stack:
            raise
        return None
    return of(stack) if FUNCTION in stack.functions else None


def of(stack: Stack) -> Behind:
    """Return what invokes this stack's desk. Raises Unavailable where it has none, Failed where it does not answer."""
    name = stack.functions.get(FUNCTION)
    if name is None:
        raise Unavailable(said("the stack {stack} has no desk: deploy this version's template", stack=stack.name))
    client = stack.lambdas()

    def invoke(request: Mapping[str, Any]) -> Answer:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(request).encode())
        try:
            payload = json.loads(answer["Payload"].read())
        except ValueError:
            raise Unavailable(said("the desk's answer was cut off: try again")) from None
        if answer.get("FunctionError") or not isinstance(payload, dict) or "statusCode" not in payload:
            raise Failed(said("the desk failed; its log says why: {log}", log=stack.where_to_read(name)))
        return payload

    return invoke


def caller(where: Where) -> str:
    """Return who asks: the identity that AWS knows on a deployed stack, else the user of this machine."""
    if where.stack:
        return cloud.identity(stacks.find(where.stack))
    return getpass.getuser()
