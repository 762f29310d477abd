"""From a Lambda event to the desk and back. It stands apart from ``entry``: no other function loads the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from kartoteka import runtime
from kartoteka.desk import routes
from kartoteka.desk.desk import BY
from kartoteka.errors import KartotekaError

logger = Logger()

Answer = dict[str, Any]


def handle(event: Mapping[str, Any], context: LambdaContext) -> Answer:
    """Answer a request in the shape of an HTTP API's (payload 2.0); a ping, once everything is ready.

    Nothing of a request is logged: addresses hold clients' codes, forms hold what people look for.
    """
    ping = event.get("move") == "ping"
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    try:
        desk = runtime.new_desk(headers.get(BY, ""))
    except KartotekaError as error:
        runtime.forget()
        if ping:
            raise
        logger.warning("the desk cannot work: %s", error)
        return routes.refused(event, error)
    try:
        return {"ready": True} if ping else routes.answer(event, context, desk)
    finally:
        desk.exchange.rest()
