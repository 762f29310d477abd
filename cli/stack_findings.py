"""The middle: whether a stack can run, and whether somebody hears when it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from cli import cloud
from cli.stack import CONNECT, Stack
from kartoteka.doctor.findings import Examination, Finding, Level, look, ok, stop
from kartoteka.sentences import worded

Found = Iterator[Finding]

ASKED: Mapping[str, str] = {
    "DescribeStacks": "cloudformation",
    "GetEventSourceMapping": "lambda",
    "GetParameter": "ssm",
    "GetQueueAttributes": "sqs",
    "GetSchedule": "scheduler",
    "GetSecretValue": "secretsmanager",
    "ListSubscriptionsByTopic": "sns",
}
"""The operations that are asked here -> their service: the two make the name of the right."""
NO_RIGHT = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"})
"""What the services call a right that is missing."""


def settings(stack: Stack) -> Found:
    """See whether what the other examinations start from can be read: without it none of them can be made."""
    refused = False
    for what, read in SETTINGS.items():
        try:
            read(stack)
        except (ClientError, BotoCoreError) as error:
            refused = True
            why = _refused("settings", error)
            yield replace(
                why,
                level=Level.STOP,
                sentence=worded("The {what} cannot be read. {sentence}", what=what, sentence=why.sentence),
            )
    if not refused:
        yield ok("settings", worded("The {names} can be read.", names=list(SETTINGS)))


SETTINGS: Mapping[str, Callable[[Stack], str]] = {
    "policy": cloud.policy,
    "panel's address": cloud.panel_url,
    "panel's key": cloud.panel_key,
    "exchange database's address": cloud.erp_url,
}
"""What is kept with a stack -> how it is read."""


def schedules(stack: Stack) -> Found:
    """See whether the schedules fire."""
    client = stack.scheduler()
    names = stack.ids("AWS::Scheduler::Schedule").values()
    off = [name for name in sorted(names) if client.get_schedule(Name=name)["State"] != "ENABLED"]
    if off:
        yield look(
            "schedules",
            worded(
                "{count} of {count2} schedules are off: {names}.",
                count=len(off),
                count2=len(names),
                names=", ".join(off),
            ),
            "Deploy with Schedules=on when you go live; until then `kartoteka tick` synchronises.",
        )
    else:
        yield ok("schedules", worded("All {count} schedules are on.", count=len(names)))


def queues(stack: Stack) -> Found:
    """See whether queues reach their functions."""
    client = stack.session.client("lambda", endpoint_url=stack.endpoint, config=CONNECT)
    states = {name: client.get_event_source_mapping(UUID=uuid)["State"] for name, uuid in stack.mappings.items()}
    cut = sorted(name for name, state in states.items() if state != "Enabled")
    if cut:
        yield stop(
            "queues",
            worded("The queues of {names} do not reach their functions.", names=", ".join(cut)),
            "Enable the event source mapping, or deploy again.",
        )
    else:
        yield ok("queues", worded("All {count} queues reach their functions.", count=len(states)))


def dead_letters(stack: Stack) -> Found:
    """See what lies in the dead letters."""
    sqs = stack.sqs()
    waiting = {name: cloud.waiting(sqs, url) for name, url in cloud.dead_letters(stack).items()}
    dead = {name: number for name, number in waiting.items() if number}
    if dead:
        told = ", ".join(f"{number} of {name}" for name, number in sorted(dead.items()))
        yield look(
            "dead_letters",
            worded("Messages that failed twenty times: {told}.", told=told),
            "See the runbook, then `kartoteka redrive`.",
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
            worded("Nobody hears the alarms: of {count} subscriptions none is confirmed.", count=len(arns)),
            "Confirm the message that AWS sent to AlarmEmail.",
        )
    else:
        yield ok(
            "alarms",
            worded("{count} of {count2} subscriptions hear the alarms.", count=len(confirmed), count2=len(arns)),
        )


def _refused(id_: str, error: ClientError | BotoCoreError) -> Finding:
    """Say what could not be asked: by its code and its right, since AWS quotes account numbers and people's names."""
    if not isinstance(error, ClientError):
        return look(
            id_,
            worded("AWS does not answer ({name}).", name=type(error).__name__),
            "Check the network and the credentials.",
        )
    operation, code = error.operation_name, str(error.response.get("Error", {}).get("Code", ""))
    right = f"{ASKED.get(operation, '*')}:{operation}"
    if code in NO_RIGHT:
        return look(
            id_,
            worded("Could not be found out: your AWS user is not allowed to {right}.", right=right),
            worded("Give the user or role that runs the doctor the right {right}, and run it again.", right=right),
        )
    return look(
        id_,
        worded("Could not be found out: AWS refuses {right} ({code}).", right=right, code=code),
        "Mend that, and run the doctor again.",
    )


def _asked(id_: str, title: str, find: Callable[[Stack], Found]) -> Examination[Stack]:
    """Return an examination of which a refusal by AWS is a finding, so that the others are made all the same."""

    def asked(stack: Stack) -> Found:
        try:
            yield from find(stack)
        except (ClientError, BotoCoreError) as error:
            yield _refused(id_, error)

    return Examination(id_, title, [], asked)


READABLE = Examination("settings", "whether its settings can be read", [], settings)
EXAMINATIONS: tuple[Examination[Stack], ...] = (
    _asked("schedules", "the stack's schedules", schedules),
    _asked("queues", "whether its queues reach their functions", queues),
    _asked("dead_letters", "what lies in its dead letters", dead_letters),
    _asked("alarms", "who hears its alarms", alarms),
)
