"""The panel's feed: reads what changed in the panel, once for all concerns, and wakes the concerns that differ.

Woken by its schedule.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from kartoteka.entry import handle_feed, logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the schedule with the figures of one reading of the feed."""
    return handle_feed(event, context)
