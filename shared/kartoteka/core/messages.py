"""The sentences of ``sync_status``: what is the matter and what to do, in Polish and in English."""

from __future__ import annotations

from collections.abc import Iterable

from kartoteka.core.model import Candidate, Side, State, Status

IN_STEP = Status(State.IN_STEP)


def incomplete(table: str, fields: Iterable[str]) -> Status:
    """Return the status of a row that lacks what the panel wants, or what nobody else can know."""
    names = ", ".join(fields)
    return Status(
        State.HELD,
        "incomplete",
        f"Brakuje: {names}. Uzupełnij wiersz w {table}. / Missing: {names}. Complete the row in {table}.",
    )


def bad_id() -> Status:
    """Return the status of a card whose id a panel could not keep to the letter."""
    return Status(
        State.HELD,
        "bad_id",
        "Kod karty ma spację na końcu, podwójną spację, znak niedrukowalny lub ponad 40 znaków; popraw id. / "
        "The card's id has a blank at an end, two in a row, an unprintable character, or more than 40 characters; "
        "correct it.",
    )


def no_shop() -> Status:
    """Return the status of a card that no row, rule or default gives a shop."""
    return Status(
        State.HELD,
        "incomplete",
        "Brak sklepu: dodaj accounts.default_shops lub regułę shops.rules w polityce. / "
        "No shop: add accounts.default_shops or a rule in shops.rules to the policy.",
    )


def not_opened() -> Status:
    """Return the status of a card without an account where the policy links accounts and opens none."""
    return Status(
        State.EXCLUDED,
        "direction",
        "Żadne konto nie pasuje, a polityka (accounts.direction) nowych nie zakłada. / "
        "No account fits, and the policy (accounts.direction) opens none.",
    )


def no_shop_wanted() -> Status:
    """Return the status of a linked customer whom no row, rule or default gives a shop: his shops are left alone."""
    return Status(
        State.EXCLUDED,
        "no_shop",
        "Bez wierszy w client_shops, reguły i accounts.default_shops: sklepów nie zmieniamy. / "
        "No rows in client_shops, no rule and no accounts.default_shops: the shops are left as they are.",
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


def not_taken(fields: Iterable[str]) -> Status:
    """Return the status of a record with fields that one side shows otherwise, however often they are put right."""
    names = ", ".join(fields)
    return Status(
        State.HELD,
        "not_taken",
        f"Wysłane kilka razy, a po drugiej stronie wciąż jest inna wartość: {names}. Sprawdź ustawienia panelu. / "
        f"Sent several times, and the other side still shows another value: {names}. Look into the panel's settings, "
        "or set the field's direction to 'off'.",
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
    "brake": (
        "Zatrzymane hamulcem zmian masowych; sprawdź i potwierdź: kartoteka resume … --confirm. / "
        "Stopped by the mass-change brake; look into it, then confirm: kartoteka resume … --confirm."
    ),
    "first_pass": (
        "Czeka, aż wszystkie konta panelu zostaną raz odczytane. / "
        "Waits until all accounts of the panel have been read once."
    ),
    "moved": (
        "Konto zmieniło się w trakcie łączenia; sprawdzimy ponownie. / "
        "The account changed while it was being linked; it will be looked at again."
    ),
    "paused": "Wstrzymane przez operatora. / Paused by the operator.",
    "group_pending": (
        "Grupa rabatowa nie jest jeszcze założona w panelu; klient trafi do niej potem. / "
        "The discount group is not made in the panel yet; the customer is put into it then."
    ),
    "budget": "Wyczerpany miesięczny limit wywołań panelu. / The month's budget of panel calls is used up.",
    "rate_limit": "Panel ma kolejkę wywołań; ponowimy. / The panel's calls are queued up; it will be tried again.",
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


def named_account_gone(panel_client_id: str) -> Status:
    """Return the status of a card to which an account was given that the panel no longer shows."""
    return Status(
        State.HELD,
        "account_gone",
        f"Panel nie pokazuje konta {panel_client_id}; wskaż inne albo wyczyść odpowiedź w incoming_clients "
        f"lub sync_matches. / The panel does not show the account {panel_client_id}; name another one, or clear your "
        "answer in incoming_clients or sync_matches.",
    )


ANOTHER_ACCOUNT = "another_account"


def another_account(code: str) -> Status:
    """Return the status of a customer whose linked account does not carry the card's code: nothing is carried."""
    polish, english = f"inny kod zewnętrzny ({code!r})", f"carries another external code ({code!r})"
    if not code:
        polish, english = "pusty kod zewnętrzny", "carries no external code"
    return Status(
        State.HELD,
        ANOTHER_ACCOUNT,
        f"Połączone konto ma {polish}; wpisz kod karty w panelu albo usuń wiersz z sync_links. / "
        f"The linked account {english}; write the card's there, or delete the row in sync_links and touch the card.",
    )


NO_CARD, ALREADY_LINKED = "no_card", "already_linked"


def no_card(accounts: Iterable[str] = ()) -> Status:
    """Return the status of what the ERP wrote about a card that is not there; ``accounts``: its answers."""
    rows = ", ".join(accounts)
    answered = f" (incoming_clients: {rows})" if rows else ""
    return Status(
        State.WAITING,
        NO_CARD,
        f"Nie ma karty o tym kodzie w clients{answered}; czeka na nią. / "
        f"There is no card with this code in clients{answered}; it is waited for.",
    )


def already_linked(accounts: Iterable[str], own: str) -> Status:
    """Return the status of a card with an account to which the ERP gave another one in ``incoming_clients``."""
    rows = ", ".join(accounts)
    return Status(
        State.HELD,
        ALREADY_LINKED,
        f"incoming_clients: konto {rows} przypisano karcie, która ma już konto {own}; popraw client_id. / "
        f"incoming_clients: the account {rows} was given to a card that has the account {own}; correct client_id.",
    )


def account_taken(panel_client_id: str, code: str) -> Status:
    """Return the status of a card to which an account was given that carries another card's code."""
    return Status(
        State.HELD,
        "account_taken",
        f"Konto {panel_client_id} ma już kod innej karty ({code!r}); wskaż inne albo popraw kod w panelu. / "
        f"The account {panel_client_id} carries another card's code ({code!r}); name another one, or correct the code "
        "in the panel.",
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


_QUESTIONS = {
    "ambiguous": ("Pasuje kilka kont", "Several accounts may be this card's"),
    "shared_account": ("To samo konto pasuje do kilku kart", "Several cards hit the same account"),
    "foreign_code": (
        "Pasujące konto ma kod zewnętrzny, którego nie ma żadna karta",
        "The account that fits carries an external code that no card has",
    ),
    "contradictory": ("Sprzeczne decyzje w sync_matches", "The decisions in sync_matches contradict each other"),
}


def question(code: str, candidates: Iterable[Candidate]) -> Status:
    """Return the status of a card whose account a person has to name; ``code`` is one of ``_QUESTIONS``."""
    polish, english = _QUESTIONS[code]
    names = ", ".join(f"{c.panel_client_id} ({c.matched_by})" for c in candidates)
    return Status(
        State.HELD,
        code,
        f"{polish}: {names}. Ustaw w sync_matches decision = 'link' w jednym wierszu albo 'create'. / "
        f"{english}: {names}. Set decision in sync_matches: 'link' on one row, or 'create'.",
    )


def shared_account(ids: Iterable[str]) -> Status:
    """Return the status of cards to which people gave the same account."""
    names = ", ".join(ids)
    return Status(
        State.HELD,
        "shared_account",
        f"Konto {names} wskazano dla kilku kart; zostaw je jednej. / "
        f"The account {names} was given to several cards; leave it to one of them.",
    )


def guest(panel_client_id: str) -> Status:
    """Return the status of a card to which somebody without a log-in was given."""
    return Status(
        State.HELD,
        "guest",
        f"Konto {panel_client_id} to gość bez loginu; nie można go połączyć. / "
        f"The account {panel_client_id} is a guest without a log-in; it cannot be linked.",
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


DELETED = {Side.ERP: "deleted_in_erp", Side.PANEL: "deleted_in_panel"}
"""The codes of records that were deleted on one side and are left as they are on the other."""


def remembered(side: Side) -> Status:
    """Return the status of a delivery address that was deleted on one side, where deletions are not carried."""
    if side is Side.ERP:
        return Status(
            State.EXCLUDED,
            DELETED[side],
            "Usunięty w ERP; w panelu zostaje (deletes: ignore). Wiersz o tym samym id wznowi synchronizację. / "
            "Deleted in the ERP; the panel keeps it (deletes: ignore). A row with the same id takes it up again.",
        )
    return Status(
        State.EXCLUDED,
        DELETED[side],
        "Usunięty w panelu; wiersz zostaje i nie jest przenoszony (deletes: ignore). Aby wrócił, wstaw go pod nowym id."
        " / Deleted in the panel; the row stays and is not carried (deletes: ignore). To have it there again, insert "
        "it under a new id.",
    )


STALE = "stale"


def frozen(as_of: str) -> Status:
    """Return the status of credit figures that are too old to be sent: the panel's stay as they are."""
    return Status(
        State.HELD,
        STALE,
        f"Kwoty z {as_of} są za stare: w panelu zostają poprzednie. Odśwież wiersz i as_of w client_credit. / "
        f"The figures of {as_of} are too old: the panel keeps the former ones. Refresh row and as_of in client_credit.",
    )


def no_credit(as_of: str) -> Status:
    """Return the status of a customer whose limit is 0 since nobody vouches for his figures."""
    return Status(
        State.IN_STEP,
        STALE,
        f"Kwoty z {as_of or 'usuniętego wiersza'} są za stare: limit 0. Odśwież wiersz i as_of w client_credit. / "
        f"The figures of {as_of or 'a deleted row'} are too old: limit 0. Refresh row and as_of in client_credit.",
    )


def figures_left() -> Status:
    """Return the status of a customer whose figures were deleted in the ERP: the panel keeps what it has."""
    return Status(
        State.EXCLUDED,
        DELETED[Side.ERP],
        "Wiersz usunięty z client_credit; w panelu zostają poprzednie kwoty. Wiersz o tym samym client_id wznowi "
        "synchronizację. / The row in client_credit was deleted; the panel keeps the former figures. A row with the "
        "same client_id takes them up again.",
    )


def group_in_use(count: int) -> Status:
    """Return the status of a discount group that was deleted in the ERP and that has customers in the panel."""
    return Status(
        State.WAITING,
        "group_in_use",
        f"Grupa usunięta w ERP, a w panelu ma jeszcze klientów: {count}; usuniemy, gdy będzie pusta. / "
        f"Deleted in the ERP, and {count} customers are in it in the panel; it is deleted when nobody is.",
    )


def group_left() -> Status:
    """Return the status of a discount group that was deleted in the ERP, where deletions are not carried."""
    return Status(
        State.EXCLUDED,
        DELETED[Side.ERP],
        "Grupa usunięta w ERP; w panelu zostaje (deletes: ignore). Wiersz o tym samym id wznowi synchronizację. / "
        "Deleted in the ERP; the panel keeps the group (deletes: ignore). A row with the same id takes it up again.",
    )


def no_group() -> Status:
    """Return the status of prices whose group has no row."""
    return Status(
        State.WAITING,
        "no_group",
        "Są pozycje w discount_group_items, a brak grupy w discount_groups; czekają na nią. / "
        "There are rows in discount_group_items, and no group in discount_groups; they wait for it.",
    )


def sending_prices() -> Status:
    """Return the status of a discount group whose prices are being sent: there are more than one run sends."""
    return Status(
        State.PENDING,
        "sending_prices",
        "Ceny są wysyłane partiami. / The prices are being sent in batches.",
    )


NOT_DELETED = "not_deleted"


def not_deleted(message: str) -> Status:
    """Return the status of a delivery address that was deleted in the ERP and that the panel does not delete."""
    return Status(
        State.HELD,
        NOT_DELETED,
        f"Usunięty w ERP, ale panel go nie usuwa ({message}). Spróbujemy przy następnym porównaniu. / "
        "Deleted in the ERP, but the panel does not delete it; tried again when this customer is next compared.",
    )
