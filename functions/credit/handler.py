"""Credit: keeps in step each client's limit, balance and days to pay, ahead of everything else.

Woken by its schedule (whose figures changed, or have become stale?) and by its queue (reconcile these clients).
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from kartoteka.entry import handle, logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a schedule with the figures of a collect, a queue with the messages that failed."""
    return handle("credit", event, context)
