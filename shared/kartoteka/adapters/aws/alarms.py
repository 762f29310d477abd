"""CloudWatch's alarms of a stack, and an SNS topic: the ports of :mod:`kartoteka.ports.alarms`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC
from functools import cached_property
from typing import Any

from kartoteka.adapters.aws.clients import client_factory, translated
from kartoteka.ports.alarms import Alarm, Alarms, Notices

RINGS, UNKNOWN = "ALARM", "INSUFFICIENT_DATA"


class CloudWatchAlarms(Alarms):
    """The alarms that CloudFormation has named after the stack, their own name, and letters of its own."""

    def __init__(self, stack: str, make_client: Callable[[], Any] | None = None) -> None:
        self._stack = stack
        self._name = re.compile(rf"{re.escape(stack)}-(\w+Alarm)(-\w+)?")
        self._make_client = make_client or client_factory("cloudwatch")

    @cached_property
    def _client(self) -> Any:
        with translated("cloudwatch"):
            return self._make_client()

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


class SnsNotices(Notices):
    """A topic, by its ARN."""

    def __init__(self, topic: str, make_client: Callable[[], Any] | None = None) -> None:
        self._topic = topic
        self._make_client = make_client or client_factory("sns")

    @cached_property
    def _client(self) -> Any:
        with translated("sns"):
            return self._make_client()

    def send(self, subject: str, text: str) -> None:
        with translated("sns"):
            self._client.publish(TopicArn=self._topic, Subject=subject, Message=text)
