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


def bad_id() -> Status:
    """Return the status of a card whose id a panel could not keep to the letter."""
    return Status(
        State.HELD,
        "bad_id",
        "Kod karty ma spację na końcu, podwójną spację lub znak niedrukowalny; popraw id. / "
        "The card's id has a blank at an end, two in a row, or an unprintable character; correct it.",
    )


def no_shop() -> Status:
    """Return the status of a card that no row, rule or default gives a shop."""
    return Status(
        State.HELD,
        "incomplete",
        "Brak sklepu: dodaj accounts.default_shops lub regułę shops.rules w polityce. / "
        "No shop: add accounts.default_shops or a rule in shops.rules to the policy.",
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


def outage(code: str, *, halted: bool = False) -> Status:
    """Return the status of a record that waits for the panel or a connection; ``halted``: until a person mends it."""
    if halted:
        return Status(
            State.PENDING,
            code,
            "Panel odmawia wszystkiego (klucz, uprawnienia, adres lub płatność): patrz alarm; potem ponowimy. / "
            "The panel refuses everything (key, rights, address or payment): see the alarm; then it is tried again.",
        )
    return Status(State.PENDING, code, _DELAYS.get(code, _NO_ANSWER))


_NO_ANSWER = (
    "Panel lub połączenie nie odpowiada; ponowimy samoczynnie. / "
    "The panel or the connection does not answer; it will be tried again by itself."
)
_DELAYS = {
    "paused": "Wstrzymane przez operatora. / Paused by the operator.",
    "budget": "Wyczerpany miesięczny limit wywołań panelu. / The month's budget of panel calls is used up.",
    "pace": "Panel ma kolejkę wywołań; ponowimy. / The panel's calls are queued up; it will be tried again.",
    "maybe_opened": (
        "Konto mogło już powstać, a panel go jeszcze nie pokazuje; sprawdzimy. / "
        "The account may have been opened and is not shown yet; it will be looked up again."
    ),
    "missing_result": (
        "Panel nie odpowiedział o tym kliencie; sprawdzimy. / "
        "The panel's answer left this customer out; it will be looked at again."
    ),
}


def account_gone(login: str) -> Status:
    """Return the status of a linked customer whose account the panel no longer shows."""
    return Status(
        State.HELD,
        "account_gone",
        f"Panel nie pokazuje już konta {login}. Aby założyć nowe, usuń wiersz z sync_links i zmień kartę. / "
        f"The panel no longer shows the account {login}. To open a new one, delete the row in sync_links and "
        "touch the card.",
    )


ANOTHER_ACCOUNT = "another_account"


def another_account(code: str) -> Status:
    """Return the status of a customer whose linked account does not carry the card's code: nothing is carried."""
    return Status(
        State.HELD,
        ANOTHER_ACCOUNT,
        f"Połączone konto ma inny kod zewnętrzny ({code!r}); popraw go w panelu albo usuń wiersz z sync_links. / "
        f"The linked account carries another external code ({code!r}); correct it in the panel, or delete the row in "
        "sync_links and touch the card.",
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


def deleted() -> Status:
    """Return the status of a card that was deleted before it had an account."""
    return Status(
        State.EXCLUDED,
        "deleted",
        "Karta usunięta, zanim miała konto. / The card was deleted before it had an account.",
    )


def no_row() -> Status:
    """Return the status of a customer who was edited in the panel while the ERP has no row of his."""
    return Status(
        State.WAITING,
        "no_row",
        "Zmieniono w panelu, a karty nie ma; przeniesiemy, gdy wróci. / "
        "Edited in the panel while there is no card; it is carried when the card comes back.",
    )


def first_contact_due() -> Status:
    """Return the status of billing data that are to be compared for the first time."""
    return Status(State.WAITING, "first_contact", "Konto połączone; dane zostaną porównane. / Linked; to be compared.")
