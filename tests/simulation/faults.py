"""What goes wrong: in the panel, in the database, in the cloud, in the processes."""

from __future__ import annotations

from random import Random

from kartoteka.errors import Halt, Reject, Retry
from tests.simulation.acts import act
from tests.simulation.people import a_client
from tests.simulation.world import Simulation
from tests.world import CONCERNS


def few(chance: Random) -> tuple[int]:
    return (chance.randint(1, 4),)


# --- processes


@act(4, lambda chance: (chance.randint(1, 25), chance.random() < 0.5))
def next_process_dies(world: Simulation, step: int, after: bool) -> None:
    """Before its n-th call of a port, or after its effect."""
    world.fate = (step, after)


@act(1, lambda chance: (chance.randint(0, 3),), fault="process killed")
def is_killed(world: Simulation, which: int) -> None:
    """One that is under way is out of memory."""
    if world.processes:
        world.kill(world.processes[which % len(world.processes)])


# --- queues


@act(2, lambda chance: (chance.choice(CONCERNS), chance.randint(0, 5)), fault="message twice")
def message_comes_twice(world: Simulation, concern: str, which: int) -> None:
    """A message that is there is there once more, at the end."""
    sqs = world.owner.sqs
    waiting = sqs.queues[concern]
    if waiting:
        message = waiting[which % len(waiting)]
        sqs.put(concern, message.group, message.body)


@act(2, lambda chance: (chance.choice(("delivery_addresses", *CONCERNS)), chance.randint(3, 12)), fault="two workers")
def message_comes_twice_at_once(world: Simulation, concern: str, steps: int) -> None:
    """While a worker is half-way through a message, the same one is there for another worker."""
    first = world.start(world.owner.deliver(concern), steps)
    if first is None or first.ended or not first.received:
        return
    sqs = world.owner.sqs
    working = {id_ for id_, _ in first.received[1]}
    for message in [m for m in sqs.queues[concern] if m.id in working]:
        sqs.put(concern, message.group, message.body)
    world.start(world.owner.deliver(concern))
    world.go_on(first)


@act(1.5, lambda chance: (chance.randint(0, 30),), fault="old message")
def old_message_comes(world: Simulation, which: int) -> None:
    """One that was sent long ago, and perhaps worked, comes again: it may have been a dead letter for days."""
    sqs = world.owner.sqs
    if sqs.bodies:
        name, group, body = sqs.bodies[which % len(sqs.bodies)]
        sqs.put(name, group, body)


@act(1, lambda chance: (chance.choice(CONCERNS),), fault="deletion lost")
def deletion_is_lost(world: Simulation, concern: str) -> None:
    """A batch is worked, and its messages come back all the same."""
    process = world.owner.deliver(concern)
    if process:
        process.loses_deletion = True
        world.start(process)


@act(0.7, lambda chance: (chance.choice(CONCERNS),), fault="visibility timeout over")
def visibility_timeout_is_over(world: Simulation, concern: str) -> None:
    """Messages that a dead process has held come back."""
    held = {id_ for p in world.processes if p.received and p.received[0] == concern for id_, _ in p.received[1]}
    for message in world.owner.sqs.queues[concern]:
        if message.id not in held:
            message.hidden_until = min(message.hidden_until, world.clock.now())


@act(0.5, lambda chance: (chance.choice(CONCERNS), chance.choice(["no json", '{"v": 9}', "[]"])), fault="odd message")
def unreadable_message_comes(world: Simulation, concern: str, body: str) -> None:
    world.owner.sqs.put(concern, "shard-0", body)


@act(0.7, few, fault="queue throttled")
def queue_is_throttled(world: Simulation, times: int) -> None:
    world.owner.sqs.throttled += times


@act(0.5, few, fault="queue takes a part")
def queue_takes_a_part(world: Simulation, times: int) -> None:
    world.owner.sqs.partial += times


# --- the cloud's state, the database


@act(0.7, few, fault="state throttled")
def state_is_throttled(world: Simulation, times: int) -> None:
    world.owner.state.fail(*[Retry("dynamodb") for _ in range(times)])


@act(0.7, few, fault="database away")
def database_is_away(world: Simulation, times: int) -> None:
    world.exchange.fail(*[Retry("database") for _ in range(times)])


@act(0.4, fault="state lost")
def state_is_lost(world: Simulation) -> None:
    world.owner.state.documents.clear()


@act(0.15, fault="state and queues lost")
def cloud_is_lost(world: Simulation) -> None:
    world.kill_all()
    world.owner.state.documents.clear()
    world.owner.sqs.purge()


@act(0.5)
def state_is_backed_up(world: Simulation) -> None:
    world.kept["state"] = dict(world.owner.state.documents)


@act(0.5, fault="state restored")
def state_is_restored(world: Simulation) -> None:
    """A table that was restored holds older documents and older versions."""
    if "state" in world.kept:
        world.owner.state.documents.clear()
        world.owner.state.documents.update(world.kept["state"])


@act(0.3)
def database_is_backed_up(world: Simulation) -> None:
    world.kept["database"] = world.exchange.backup()


@act(0.5, fault="database restored")
def database_is_restored(world: Simulation) -> None:
    """The ERP's rows and ours go back together; what the ERP had written since is gone, and nobody expects it."""
    if "database" not in world.kept:
        return
    world.kill_all()
    world.exchange.restore(world.kept["database"])
    world.slow = None
    world.last.clear()
    world.note()


@act(0.3)
def panel_is_backed_up(world: Simulation) -> None:
    world.kept["panel"] = world.panel.backup()


@act(0.4, fault="panel restored")
def panel_is_restored(world: Simulation) -> None:
    """What the panel's users had written since is gone; what was agreed is sent again."""
    if "panel" not in world.kept:
        return
    world.kill_all()
    world.panel.restore(world.kept["panel"])
    world.time_passes(5)
    world.last.clear()
    world.note()


# --- the panel


@act(3, fault="reply lost")
def reply_is_lost(world: Simulation) -> None:
    world.panel.lose_reply()


@act(
    1,
    lambda chance: (*few(chance), chance.choice(["panel_5xx", "panel_429", "timeout", "connection"])),
    fault="panel away",
)
def panel_is_away(world: Simulation, times: int, code: str) -> None:
    world.panel.fail(*[Retry(code) for _ in range(times)])


@act(0.4, fault="panel's key refused")
def key_is_wrong(world: Simulation) -> None:
    world.panel.halt(Halt("panel_key", "the panel refuses the key"))


@act(0.8)
def key_is_right(world: Simulation) -> None:
    world.panel._halt = None


@act(1, a_client, fault="result missing")
def result_is_missing(world: Simulation, client: str) -> None:
    world.panel.lose_result(client)


@act(0.7, lambda chance: (*a_client(chance), chance.choice(["refuses", "refuses whole", "fails"])), fault="bad record")
def record_goes_bad(world: Simulation, client: str, how: str) -> None:
    """The panel refuses a record, or the batch that holds it, or fails over it."""
    world.bad.add(client)
    if how == "refuses":
        world.panel.refuse(client, Reject("refused", panel="nie"))
    elif how == "refuses whole":
        world.panel.refuse_whole(client)
    else:
        world.panel.fail_over(client)


@act(0.7, a_client)
def record_is_good_again(world: Simulation, client: str) -> None:
    world.bad.discard(client)
    world.panel.accept(client)
    world.panel.recover_from(client)


@act(1, a_client, fault="read that lies")
def look_ups_do_not_show(world: Simulation, client: str) -> None:
    if link := world.exchange.links.get(client):
        world.panel.unseen.add(link.panel_client_id)


@act(1)
def look_ups_show_all(world: Simulation) -> None:
    world.panel.unseen.clear()


def all_ends(world: Simulation, *, but_bad_records: bool = False) -> None:
    """End every fault; ``but_bad_records``: what the panel has against a record stays."""
    world.fate = None
    world.panel.recover()
    world.exchange._failures.clear()
    for stack in world.stacks:
        stack.state._failures.clear()
        stack.sqs.throttled = stack.sqs.partial = 0
    if not but_bad_records:
        for client in list(world.bad):
            record_is_good_again(world, client)
