"""CloudWatch's alarms of a stack, and an SNS topic: the ports of :mod:`kartoteka.ports.alarms`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

from kartoteka.adapters.aws.clients import OfService, translated
from kartoteka.ports.alarms import Alarm, Alarms, Notices

RINGS, UNKNOWN = "ALARM", "INSUFFICIENT_DATA"


class CloudWatchAlarms(OfService, Alarms):
    """The alarms that CloudFormation has named after the stack, their own name, and letters of its own."""

    service = "cloudwatch"

    def __init__(self, stack: str, make_client: Callable[[], Any] | None = None) -> None:
        self._stack = stack
        self._name = re.compile(rf"{re.escape(stack)}-(\w+Alarm)(-\w+)?")
        super().__init__(make_client)

    def ringing(self) -> Sequence[Alarm] | None:
        """Return those that ring. Where no alarm was ever evaluated nobody watches: an emulator only keeps them."""
        with translated("cloudwatch"):
            pages = self._client.get_paginator("describe_alarms").paginate(
                AlarmNamePrefix=f"{self._stack}-", AlarmTypes=["MetricAlarm"]
            )
            every = [alarm for page in pages for alarm in page["MetricAlarms"]]
        named = [(match[1], alarm) for alarm in every if (match := self._name.fullmatch(alarm["AlarmName"]))]
        if all(alarm["StateValue"] == UNKNOWN for _, alarm in named):
            return None
        found = [(name, alarm["StateUpdatedTimestamp"]) for name, alarm in named if alarm["StateValue"] == RINGS]
        return sorted((Alarm(name, since.astimezone(UTC)) for name, since in found), key=lambda one: one.since)


class SnsNotices(OfService, Notices):
    """A topic, by its ARN."""

    service = "sns"

    def __init__(self, topic: str, make_client: Callable[[], Any] | None = None) -> None:
        self._topic = topic
        super().__init__(make_client)

    def send(self, subject: str, text: str) -> None:
        with translated("sns"):
            self._client.publish(TopicArn=self._topic, Subject=subject, Message=text)
