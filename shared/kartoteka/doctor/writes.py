"""Part B: what a panel makes of writes that can have no effect, because the accounts that they name do not exist."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence

from kartoteka.adapters.idosell import accounts as gates
from kartoteka.adapters.idosell import answers
from kartoteka.adapters.idosell.http import Reply
from kartoteka.adapters.idosell.panel import CLIENTS, CRM_SEARCH
from kartoteka.adapters.idosell.records import update_body
from kartoteka.doctor.findings import Examination, Finding, look, ok, stop
from kartoteka.doctor.panel import Patient, records, said
from kartoteka.fields.table import PHONE_FIELD
from kartoteka.ports.panel import AccountUpdate
from kartoteka.sentences import worded

SIZES = (10, 50, 100, 101)
"""Records of a batch."""


def batches(patient: Patient) -> Iterator[Finding]:
    """Change the phone of accounts that do not exist, in batches of growing size, and look what is said of each."""
    stranger = f"kartoteka-doctor-{secrets.token_hex(8)}"
    replies = {size: patient.put(CLIENTS, update_body(_changes(stranger, size))) for size in SIZES}
    taken = [size for size, reply in replies.items() if len(answers.results(reply.object)) == size]
    yield from _sizes(patient, replies, taken)
    if taken:
        yield from _results(replies[taken[0]], taken[0], stranger)
    shown = patient.post(CRM_SEARCH, {"params": gates.crm_params(gates.CRM_LOGIN, [f"{stranger}-0"])})
    if any(answers.text(each.get("clientLogin")) == f"{stranger}-0" for each in records(shown, "clientsResults")):
        yield stop(
            "unknown_login.made",
            worded(
                "The panel has made accounts of writes that named none: their log-ins begin with {stranger}.",
                stranger=stranger,
            ),
            "Delete them in the panel. Tell the authors of Kartoteka: a write must never open an account.",
        )
    else:
        yield ok("unknown_login.made", "A write to an account that does not exist makes none.")


def _changes(stranger: str, size: int) -> Sequence[answers.Json]:
    return [
        gates.update_record(AccountUpdate(f"{stranger}-{n}", f"{stranger}-{n}", {PHONE_FIELD: "600000000"}))
        for n in range(size)
    ]


def _sizes(patient: Patient, replies: dict[int, Reply], taken: Sequence[int]) -> Iterator[Finding]:
    wanted = patient.policy.panel.batch_size
    times = [worded("{size} in {seconds} s", size=size, seconds=f"{replies[size].seconds:.2f}") for size in taken]
    if not taken:
        smallest = replies[SIZES[0]]
        yield stop(
            "batch",
            worded("The panel refuses even a batch of {sizes} ({answer}).", sizes=SIZES[0], answer=said(smallest)),
            "Check that the key may write (CRM, read and write).",
        )
    elif max(taken) < wanted:
        yield look(
            "batch",
            worded("The panel takes {times}, and refuses larger batches.", times=times),
            worded("Set panel.batch_size to {max}.", max=max(taken)),
            panel={"batch_size": max(taken)},
        )
    else:
        over = (
            "is taken too" if SIZES[-1] in taken else worded("is refused ({answer})", answer=said(replies[SIZES[-1]]))
        )
        yield ok("batch", worded("The panel takes {times}; {sizes} {over}.", times=times, sizes=SIZES[-1], over=over))


def _results(reply: Reply, size: int, stranger: str) -> Iterator[Finding]:
    results = [each for each in answers.results(reply.object) if isinstance(each, dict)]
    failed = [answers.failure(each) for each in results]
    numbers = sorted({fault[0] or "without a number" for fault in failed if fault})
    if all(failed):
        yield ok(
            "unknown_login",
            worded(
                "An account that does not exist is a fault of its record ({names}; {answer}).",
                names=", ".join(numbers),
                answer=said(reply),
            ),
        )
    else:
        yield look(
            "unknown_login",
            worded(
                "The panel thanks for {count} of {size} writes to accounts that do not exist.",
                count=failed.count(None),
                size=size,
            ),
            "Nothing to do: what was written is read back before it counts.",
        )
    references = [gates.reference(each) for each in results]
    if references == [f"{stranger}-{n}" for n in range(size)]:
        yield ok("references", "Each result names its record, in the order of the request.")
    elif any(references):
        yield ok(
            "references",
            "Results name their records, not in the order of the request or not all; they are paired by name.",
        )
    else:
        yield look(
            "references",
            "Results do not name their records.",
            "Nothing to do: they are paired by their place, and only where none is missing.",
        )


EXAMINATIONS: tuple[Examination[Patient], ...] = (
    Examination(
        "batch",
        worded("writes to accounts that do not exist, in batches of {names}", names=", ".join(map(str, SIZES))),
        [f"PUT {CLIENTS}"] * len(SIZES) + [f"POST {CRM_SEARCH}"],
        batches,
        writes="writes a phone number to accounts that do not exist",
    ),
)
