"""The sentences of ``sync_status``: what is the matter and what to do, in Polish and in English."""

from __future__ import annotations

from collections.abc import Iterable

from kartoteka.core.model import State, Status

IN_STEP = Status(State.IN_STEP)


def incomplete(fields: Iterable[str]) -> Status:
    """Return the status of a card that lacks what the panel wants at creation."""
    names = ", ".join(fields)
    return Status(
        State.HELD,
        "incomplete",
        f"Brakuje: {names}. Uzupełnij wiersz w clients. / Missing: {names}. Complete the row in clients.",
    )


def no_shop() -> Status:
    """Return the status of a card that no row, rule or default gives a shop."""
    return Status(
        State.HELD,
        "incomplete",
        "Brak sklepu: dodaj wiersz w client_shops albo accounts.default_shops w polityce. / "
        "No shop: add a row in client_shops or accounts.default_shops to the policy.",
    )


def conflict(fields: Iterable[str]) -> Status:
    """Return the status of a record with fields that wait for a person's decision."""
    names = ", ".join(fields)
    return Status(
        State.CONFLICT,
        "conflict",
        f"Różne zmiany po obu stronach: {names}. Ustaw decision w sync_conflicts. / "
        f"Edited differently on both sides: {names}. Set decision in sync_conflicts to 'erp' or 'panel'.",
    )


def refused(code: str, message: str, *, final: bool) -> Status:
    """Return the status of a record that was refused; ``final``: it is not tried again by itself."""
    if not final:
        return Status(State.PENDING, code, message)
    return Status(
        State.HELD, code, f"{message} Popraw dane, a ponowimy. / Correct the record and it will be tried again."
    )


def outage(code: str) -> Status:
    """Return the status of a record that waits for the panel or a connection to come back."""
    return Status(
        State.PENDING,
        code,
        "Panel lub połączenie nie odpowiada; ponowimy samoczynnie. / "
        "The panel or the connection does not answer; it will be tried again by itself.",
    )


def account_gone(login: str) -> Status:
    """Return the status of a linked customer whose account the panel no longer shows."""
    return Status(
        State.HELD,
        "account_gone",
        f"Panel nie pokazuje już konta {login}. Usuń wiersz z sync_links, aby założyć nowe. / "
        f"The panel no longer shows the account {login}. Delete the row in sync_links to open a new one.",
    )


def several_accounts(ids: Iterable[str]) -> Status:
    """Return the status of a card whose code more than one account carries."""
    names = ", ".join(ids)
    return Status(
        State.HELD,
        "several_accounts",
        f"Kilka kont w panelu ma ten kod zewnętrzny: {names}. Zostaw go jednemu. / "
        f"Several accounts of the panel carry this external code: {names}. Leave it to one of them.",
    )


def first_contact_due() -> Status:
    """Return the status of billing data that are to be compared for the first time."""
    return Status(State.WAITING, "first_contact", "Konto połączone; dane zostaną porównane. / Linked; to be compared.")
