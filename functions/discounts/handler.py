"""Discounts: keeps in step the discount groups and their prices, and which group each client is in.

Woken by its schedule (which groups and clients differ?) and by its queue (reconcile these), whose messages hold keys of
groups or keys of clients.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from kartoteka.entry import handle, logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a schedule with the figures of a collect, a queue with the messages that failed."""
    return handle("discounts", event, context)
