"""From a Lambda event to the desk and back. It stands apart from ``entry``: no other function loads the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from kartoteka import runtime
from kartoteka.desk import routes, watch
from kartoteka.desk.desk import BY, Desk
from kartoteka.errors import KartotekaError

logger = Logger()
metrics = Metrics()

Answer = dict[str, Any]


def handle(event: Mapping[str, Any], context: LambdaContext) -> Answer:
    """Answer a request in the shape of an HTTP API's (payload 2.0); a schedule's event; a ping, once all is ready.

    Nothing of a request is logged: addresses hold clients' codes, forms hold what people look for.
    """
    if event.get("move") == "watch":
        return _watch()
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


def _watch() -> Answer:
    """Tell the alarms their figures, and once a day who is written to what waits. What stops it is tried again soon."""
    try:
        desk = runtime.new_desk("")
        try:
            return _watched(desk)
        finally:
            desk.exchange.rest()
    except KartotekaError as error:
        runtime.forget()
        logger.warning("the desk cannot watch: %s", error)
        return {"stopped": str(error)}


def _watched(desk: Desk) -> Answer:
    figures = watch.figures(desk)
    for name, value in figures.items():
        metrics.add_metric(name, MetricUnit.NoUnit, value)
    if figures:
        metrics.flush_metrics()
    settings, notices = runtime.settings(), runtime.notices()
    told = notices is not None and watch.tell(
        desk, notices, settings.stack, settings.message_hour, settings.message_languages
    )
    return {"figures": dict(figures), "message": told}
