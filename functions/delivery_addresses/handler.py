"""Delivery addresses: keeps them in step both ways, address by address.

Woken by its schedule (which clients differ?), by a slower one (read the addresses of the next clients: the panel's list
of changes need not tell of edited ones) and by its queue (reconcile these).
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from kartoteka.entry import handle, logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a schedule with the figures of a collect or a pass, a queue with the messages that failed."""
    return handle("delivery_addresses", event, context)
