"""Shops: keeps in step which of the panel's shops each client may use.

Woken by its schedule (which clients differ?) and by its queue (reconcile these).
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from kartoteka.entry import handle, logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a schedule with the figures of a collect, a queue with the messages that failed."""
    return handle("shops", event, context)
