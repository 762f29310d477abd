"""The operator's desk: pages for people, JSON for programs.

Asked by `kartoteka desk` and the other commands, by `lambda:Invoke` alone: it has no address on the internet. A
schedule has it count what alarms watch, and write the daily message.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from kartoteka.desk_entry import handle, logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request with a page, or with JSON; a schedule with figures."""
    return handle(event, context)
