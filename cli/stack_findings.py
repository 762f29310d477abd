"""The middle: whether a stack can run, and whether somebody hears when it cannot."""

from __future__ import annotations

from collections.abc import Iterator

from cli import cloud
from cli.stack import CONNECT, Stack
from kartoteka.doctor.findings import Examination, Finding, look, ok, stop

Found = Iterator[Finding]


def schedules(stack: Stack) -> Found:
    """See whether the schedules fire."""
    client = stack.scheduler()
    names = stack.ids("AWS::Scheduler::Schedule").values()
    off = [name for name in sorted(names) if client.get_schedule(Name=name)["State"] != "ENABLED"]
    if off:
        yield look(
            "schedules",
            f"{len(off)} of {len(names)} schedules are off: {', '.join(off)}.",
            "Deploy with Schedules=on when you go live; until then `kartoteka tick` synchronises.",
        )
    else:
        yield ok("schedules", f"All {len(names)} schedules are on.")


def queues(stack: Stack) -> Found:
    """See whether queues reach their functions, and what lies in the dead letters."""
    client = stack.session.client("lambda", endpoint_url=stack.endpoint, config=CONNECT)
    states = {name: client.get_event_source_mapping(UUID=uuid)["State"] for name, uuid in stack.mappings.items()}
    cut = sorted(name for name, state in states.items() if state != "Enabled")
    if cut:
        yield stop(
            "queues",
            f"The queues of {', '.join(cut)} do not reach their functions.",
            "Enable the event source mapping, or deploy again.",
        )
    else:
        yield ok("queues", f"All {len(states)} queues reach their functions.")
    sqs = stack.sqs()
    waiting = {name: cloud.waiting(sqs, url) for name, url in cloud.dead_letters(stack).items()}
    dead = {name: number for name, number in waiting.items() if number}
    if dead:
        told = ", ".join(f"{number} of {name}" for name, number in sorted(dead.items()))
        yield look(
            "dead_letters", f"Messages that failed twenty times: {told}.", "See the runbook, then `kartoteka redrive`."
        )
    else:
        yield ok("dead_letters", "No message has failed for good.")


def alarms(stack: Stack) -> Found:
    """See who hears the alarms."""
    if stack.endpoint:
        yield ok("alarms", "A local stack: nobody need hear its alarms.")
        return
    parameters = cloud.parameters(stack)
    topic = parameters.get("AlarmTopicArn") or stack.ids("AWS::SNS::Topic").get("AlarmTopic", "")
    if not topic:
        yield look(
            "alarms",
            "Nobody hears the alarms: neither AlarmEmail nor AlarmTopicArn is given.",
            "Deploy with AlarmEmail, and confirm the message that AWS sends to it.",
        )
        return
    client = stack.session.client("sns", endpoint_url=stack.endpoint, config=CONNECT)
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    arns = [each["SubscriptionArn"] for page in pages for each in page["Subscriptions"]]
    confirmed = [arn for arn in arns if arn.startswith("arn:")]
    if not confirmed:
        yield look(
            "alarms",
            f"Nobody hears the alarms: of {len(arns)} subscriptions none is confirmed.",
            "Confirm the message that AWS sent to AlarmEmail.",
        )
    else:
        yield ok("alarms", f"{len(confirmed)} of {len(arns)} subscriptions hear the alarms.")


EXAMINATIONS: tuple[Examination[Stack], ...] = (
    Examination("schedules", "the stack's schedules", [], schedules),
    Examination("queues", "its queues and dead letters", [], queues),
    Examination("alarms", "who hears its alarms", [], alarms),
)
