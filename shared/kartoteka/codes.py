"""Every code that can stand in ``sync_status``: its state, and what is said of it in Polish and in English.

A code has one sentence for the cause and one for the remedy. A name with a dot is another sentence of the same code:
``stale.zero`` stands in ``sync_status`` as ``stale``. Texts are ``str.format`` templates; ``{fields}`` are the names of
the columns meant, the other facts are the caller's. An unchanged message means an unchanged status, so no text quotes
what changes by itself (a moment, a number of attempts). ``docs/codes.md`` is made from this table.
"""

from __future__ import annotations

import enum
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from functools import lru_cache
from types import MappingProxyType


class State(enum.StrEnum):
    """``sync_status.state``."""

    IN_STEP = "in_step"
    PENDING = "pending"
    WAITING = "waiting"
    CONFLICT = "conflict"
    HELD = "held"
    EXCLUDED = "excluded"


WORST_FIRST = (State.HELD, State.CONFLICT, State.PENDING, State.WAITING, State.EXCLUDED, State.IN_STEP)
"""A record that has several states shows the first of these."""


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence with the cause and one with the remedy; ``str.format`` templates."""

    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code and its texts.

    ``state`` is the record's while the code stands (a refusal that is still being retried is shown as ``pending`` by
    its caller). ``contents``: the same contents would be refused again, so they are not retried automatically.
    ``asked_again``: the panel does not show something, which may change without a word: it is asked again by itself,
    at growing pauses, while the record is held.
    """

    name: str
    state: State
    polish: Text
    english: Text
    contents: bool = False
    asked_again: bool = False

    @property
    def code(self) -> str:
        """What stands in ``sync_status.code``."""
        return self.name.partition(".")[0]

    @property
    def facts(self) -> frozenset[str]:
        """The facts that ``status`` has to be given beside the fields."""
        return (_facts(self.polish) | _facts(self.english)) - {"fields"}


def _facts(text: Text) -> frozenset[str]:
    parts = string.Formatter().parse(f"{text.cause} {text.remedy}")
    return frozenset(name for _, name, _, _ in parts if name is not None)


HALTS = "What waits for a setting to be corrected"

SUBJECTS: Mapping[str, tuple[Code, ...]] = {
    # Our own check, before a call is made. {table} is the ERP's table, {value} what stands in it.
    "What the ERP's row lacks, or holds and should not": (
        Code(
            "incomplete",
            State.HELD,
            Text("W tabeli {table} brakuje wartości: {fields}.", "Uzupełnij wiersz; synchronizacja ruszy sama."),
            Text(
                "The row in {table} has no value in: {fields}.",
                "Complete the row; synchronisation then resumes by itself.",
            ),
            contents=True,
        ),
        Code(
            "incomplete.shop",
            State.HELD,
            Text(
                "Klient nie ma żadnego sklepu, a bez sklepu panel nie założy konta ani adresu.",
                "Dodaj wiersz w client_shops albo ustaw w polityce accounts.default_shops lub regułę w shops.rules.",
            ),
            Text(
                "The client has no shop, and without one the panel takes no account and no address.",
                "Add a row to client_shops, or accounts.default_shops or a rule in shops.rules to the policy.",
            ),
            contents=True,
        ),
        Code(
            "bad_id",
            State.HELD,
            Text(
                "Kod klienta w clients.id ma spację na początku lub końcu, podwójną spację, znak niedrukowalny albo "
                "ponad 40 znaków, więc panel by go zniekształcił.",
                "Popraw clients.id.",
            ),
            Text(
                "The code in clients.id has a space at either end, two spaces in a row, an unprintable character or "
                "more than 40 characters, and the panel would not keep it as it is.",
                "Correct clients.id.",
            ),
            contents=True,
        ),
        Code(
            "bad_id.no_text",
            State.HELD,
            Text(
                "Kod klienta w clients.id zapisano jako bajty (BLOB), a nie jako tekst, więc nic go nie znajdzie.",
                "Zapisz go jako tekst: UPDATE clients SET id = CAST(id AS TEXT).",
            ),
            Text(
                "The code in clients.id is stored as bytes (a BLOB) and not as text, so nothing finds it.",
                "Store it as text: UPDATE clients SET id = CAST(id AS TEXT).",
            ),
            contents=True,
        ),
        Code(
            "bad_id.of_address",
            State.HELD,
            Text(
                "Identyfikator adresu w delivery_addresses.id zapisano jako bajty (BLOB), a nie jako tekst, więc adres "
                "nie jest przenoszony.",
                "Zapisz go jako tekst: UPDATE delivery_addresses SET id = CAST(id AS TEXT).",
            ),
            Text(
                "An address's id in delivery_addresses.id is stored as bytes (a BLOB) and not as text, so the address "
                "is not carried.",
                "Store it as text: UPDATE delivery_addresses SET id = CAST(id AS TEXT).",
            ),
            contents=True,
        ),
        Code(
            "too_long",
            State.HELD,
            Text(
                "Wartość w {table} ({fields}) jest za długa dla panelu, dozwolona liczba znaków: {limit}.",
                "Skróć ją w tabeli {table}.",
            ),
            Text(
                "The value in {table} ({fields}) is too long for the panel, which takes {limit} characters.",
                "Shorten it in {table}.",
            ),
            contents=True,
        ),
        Code(
            "too_long.in_panel",
            State.HELD,
            Text(
                "Wartość z panelu ({fields}) nie mieści się w tabeli {table}, dozwolona liczba znaków: {limit}.",
                "Skróć ją w panelu.",
            ),
            Text(
                "The panel's value ({fields}) does not fit into {table}, which takes {limit} characters.",
                "Shorten it in the panel.",
            ),
            contents=True,
        ),
        Code(
            "unprintable",
            State.HELD,
            Text(
                "Wartość w {table} ({fields}) zawiera niewidoczny znak sterujący: '{value}'.",
                "Usuń ten znak w tabeli {table}; najprościej wpisać wartość od nowa.",
            ),
            Text(
                "The value in {table} ({fields}) contains an invisible control character: '{value}'.",
                "Remove that character in {table}; the simplest way is to type the value again.",
            ),
            contents=True,
        ),
        Code(
            "unprintable.letters",
            State.HELD,
            Text(
                "Wartość w {table} ({fields}) ma litery w innym kodowaniu niż baza: '{value}'.",
                "Zapisz ją od nowa w kodowaniu bazy, najlepiej UTF-8.",
            ),
            Text(
                "The value in {table} ({fields}) has letters in another encoding than the database's: '{value}'.",
                "Write it again in the database's encoding, at best UTF-8.",
            ),
            contents=True,
        ),
        Code(
            "unprintable.in_panel",
            State.HELD,
            Text(
                "Wartość z panelu ({fields}) zawiera znak, którego baza danych nie przyjmie: '{value}'.",
                "Usuń ten znak w panelu; najprościej wpisać wartość od nowa.",
            ),
            Text(
                "The panel's value ({fields}) contains a character that a database does not take: '{value}'.",
                "Remove that character in the panel; the simplest way is to type the value again.",
            ),
            contents=True,
        ),
        Code(
            "bad_email",
            State.HELD,
            Text(
                "'{value}' w {table} ({fields}) to nie jest jeden poprawny adres e-mail.",
                "Wpisz w tabeli {table} dokładnie jeden adres.",
            ),
            Text(
                "'{value}' in {table} ({fields}) is not a single valid e-mail address.",
                "Write exactly one address into {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_email.hidden",
            State.HELD,
            Text(
                "W adresie '{value}' w {table} ({fields}) jest znak, którego nie widać (tu: ?).",
                "Wpisz adres w tabeli {table} na nowo, zamiast go wklejać.",
            ),
            Text(
                "The address '{value}' in {table} ({fields}) holds a character that nobody sees (here: ?).",
                "Type the address into {table} anew instead of pasting it.",
            ),
            contents=True,
        ),
        Code(
            "bad_country",
            State.HELD,
            Text(
                "'{value}' w {table} ({fields}) to nie jest kod kraju.",
                "Wpisz w tabeli {table} dwuliterowy kod kraju według ISO 3166-1, na przykład PL.",
            ),
            Text(
                "'{value}' in {table} ({fields}) is not the code of a country.",
                "Write the two-letter code of ISO 3166-1, such as PL, into {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_language",
            State.HELD,
            Text(
                "'{value}' w {table} ({fields}) to nie jest kod języka.",
                "Wpisz w tabeli {table} trzyliterowy kod języka według ISO 639-2, na przykład pol.",
            ),
            Text(
                "'{value}' in {table} ({fields}) is not the code of a language.",
                "Write the three-letter code of ISO 639-2, such as pol, into {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_currency",
            State.HELD,
            Text(
                "'{value}' w {table} ({fields}) to nie jest kod waluty.",
                "Wpisz w tabeli {table} trzyliterowy kod waluty według ISO 4217, na przykład PLN.",
            ),
            Text(
                "'{value}' in {table} ({fields}) is not the code of a currency.",
                "Write the three-letter code of ISO 4217, such as PLN, into {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_code",
            State.HELD,
            Text(
                "'{value}' w {table} ({fields}) nie jest kodem w wymaganej postaci.",
                "Wpisz w tabeli {table} kod ISO: kraju dwuliterowy (PL), języka (pol) lub waluty (PLN) trzyliterowy.",
            ),
            Text(
                "'{value}' in {table} ({fields}) is not a code of the form that is wanted.",
                "Write the ISO code into {table}: two letters for a country (PL), three for a language (pol) or a "
                "currency (PLN).",
            ),
            contents=True,
        ),
        Code(
            "bad_client_type",
            State.HELD,
            Text(
                "'{value}' w {table} ({fields}) to nie jest rodzaj klienta.",
                "Wpisz w tabeli {table} person, person_male, person_female albo firm, lub zostaw NULL.",
            ),
            Text(
                "'{value}' in {table} ({fields}) is not a type of client.",
                "Write person, person_male, person_female or firm into {table}, or leave it NULL.",
            ),
            contents=True,
        ),
        Code(
            "bad_flag",
            State.HELD,
            Text(
                "'{value}' w {table} ({fields}) nie znaczy ani tak, ani nie.",
                "Wpisz w tabeli {table} wartość logiczną: true albo false (1 albo 0).",
            ),
            Text(
                "'{value}' in {table} ({fields}) means neither yes nor no.",
                "Write a truth value into {table}: true or false (1 or 0).",
            ),
            contents=True,
        ),
        Code(
            "unknown_shop",
            State.HELD,
            Text(
                "W panelu nie ma sklepu {value} (są: {known}).",
                "Popraw client_shops.shop_id albo numery sklepów w polityce (accounts.default_shops, shops.rules).",
            ),
            Text(
                "The panel has no shop {value} (it has {known}).",
                "Correct client_shops.shop_id, or the shops' numbers in the policy (accounts.default_shops, "
                "shops.rules).",
            ),
            contents=True,
        ),
    ),
    # {panel} is the panel's own text, with the number of its fault where it has one.
    "What the panel refuses": (
        Code(
            "no_login",
            State.HELD,
            Text(
                "Panel odmówił, bo brakuje loginu (odpowiedź: '{panel}').",
                "Wpisz clients.login albo popraw accounts.login w polityce.",
            ),
            Text(
                "The panel refuses the account because it has no login (it says '{panel}').",
                "Fill in clients.login, or correct accounts.login in the policy.",
            ),
            contents=True,
        ),
        Code(
            "bad_login",
            State.HELD,
            Text(
                "Panel nie przyjmuje tego loginu (odpowiedź: '{panel}').",
                "Popraw clients.login albo wzór accounts.login w polityce: małe litery, bez spacji.",
            ),
            Text(
                "The panel does not take this login (it says '{panel}').",
                "Correct clients.login, or the pattern accounts.login in the policy: small letters, no spaces.",
            ),
            contents=True,
        ),
        Code(
            "login_taken",
            State.HELD,
            Text(
                "Login przewidziany dla tego klienta ma już inne konto w panelu.",
                "Wpisz inny login w clients.login albo zmień wzór accounts.login w polityce.",
            ),
            Text(
                "Another account of the panel has the login that this client was to get.",
                "Write another login into clients.login, or change the pattern accounts.login in the policy.",
            ),
        ),
        Code(
            "bad_password",
            State.HELD,
            Text(
                "Panel nie przyjął hasła, które wylosowano dla nowego konta (odpowiedź: '{panel}').",
                "Złagodź w panelu wymagania dotyczące haseł, a potem zmień dowolne pole w wierszu klienta.",
            ),
            Text(
                "The panel did not take the random password of the new account (it says '{panel}').",
                "Relax the password rules in the panel, then change any field of the client's row.",
            ),
        ),
        Code(
            "bad_birth_date",
            State.HELD,
            Text(
                "Panel odrzucił konto z powodu daty urodzenia (odpowiedź: '{panel}').",
                "Popraw datę urodzenia na koncie w panelu, a potem zmień dowolne pole w wierszu klienta.",
            ),
            Text(
                "The panel refuses the account for its date of birth (it says '{panel}').",
                "Correct the date of birth of the account in the panel, then change any field of the client's row.",
            ),
        ),
        Code(
            "no_first_name",
            State.HELD,
            Text("Panel wymaga imienia (odpowiedź: '{panel}').", "Uzupełnij {fields} w tabeli {table}."),
            Text("The panel wants a first name (it says '{panel}').", "Fill in {fields} in {table}."),
            contents=True,
        ),
        Code(
            "no_last_name",
            State.HELD,
            Text("Panel wymaga nazwiska (odpowiedź: '{panel}').", "Uzupełnij {fields} w tabeli {table}."),
            Text("The panel wants a last name (it says '{panel}').", "Fill in {fields} in {table}."),
            contents=True,
        ),
        Code(
            "no_company",
            State.HELD,
            Text("Panel wymaga nazwy firmy (odpowiedź: '{panel}').", "Uzupełnij {fields} w tabeli {table}."),
            Text("The panel wants the name of the company (it says '{panel}').", "Fill in {fields} in {table}."),
            contents=True,
        ),
        Code(
            "no_shop.by_panel",
            State.HELD,
            Text(
                "Panel wymaga sklepu (odpowiedź: '{panel}').",
                "Dodaj wiersz w client_shops albo ustaw accounts.default_shops w polityce.",
            ),
            Text(
                "The panel wants a shop (it says '{panel}').",
                "Add a row to client_shops, or set accounts.default_shops in the policy.",
            ),
            contents=True,
        ),
        Code(
            "bad_shop",
            State.HELD,
            Text(
                "Panel nie zna tego sklepu (odpowiedź: '{panel}').",
                "Popraw client_shops.shop_id albo numery sklepów w polityce.",
            ),
            Text(
                "The panel does not know this shop (it says '{panel}').",
                "Correct client_shops.shop_id, or the shops' numbers in the policy.",
            ),
            contents=True,
        ),
        Code(
            "bad_email.by_panel",
            State.HELD,
            Text("Panel odrzucił adres e-mail (odpowiedź: '{panel}').", "Popraw {fields} w tabeli {table}."),
            Text("The panel refuses the e-mail address (it says '{panel}').", "Correct {fields} in {table}."),
            contents=True,
        ),
        Code(
            "bad_vat",
            State.HELD,
            Text(
                "Panel uznał numer NIP za błędny dla kraju klienta (odpowiedź: '{panel}').",
                "Popraw numer ({fields}) lub kraj w tabeli {table}.",
            ),
            Text(
                "The panel refuses the tax number as wrong for the client's country (it says '{panel}').",
                "Correct the number ({fields}) or the country in {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_vat.checked",
            State.HELD,
            Text(
                "'{value}' nie jest numerem NIP, jaki nadaje ten kraj ({country}): nie zgadza się długość lub suma "
                "kontrolna.",
                "Popraw {fields} lub kraj w tabeli {table}; sprawdzanie wyłącza billing.check_tax_numbers w polityce.",
            ),
            Text(
                "'{value}' is no tax number of its country ({country}): its length or its check digit is wrong.",
                "Correct {fields} or the country in {table}; billing.check_tax_numbers in the policy switches the "
                "check off.",
            ),
            contents=True,
        ),
        Code(
            "bad_vat.dummy",
            State.HELD,
            Text(
                "'{value}' nie jest niczyim numerem NIP ({country}), choć może mieć poprawną sumę kontrolną.",
                "Wpisz prawdziwy numer w {fields} w tabeli {table} albo zostaw to pole puste.",
            ),
            Text(
                "'{value}' is nobody's tax number ({country}), even where its check digit is right.",
                "Put the real number into {fields} in {table}, or leave it empty.",
            ),
            contents=True,
        ),
        Code(
            "bad_country.by_panel",
            State.HELD,
            Text("Panel nie przyjmuje tego kraju (odpowiedź: '{panel}').", "Popraw {fields} w tabeli {table}."),
            Text("The panel does not take this country (it says '{panel}').", "Correct {fields} in {table}."),
            contents=True,
        ),
        Code(
            "bad_city",
            State.HELD,
            Text("Panel odrzucił miejscowość (odpowiedź: '{panel}').", "Popraw {fields} w tabeli {table}."),
            Text("The panel refuses the town (it says '{panel}').", "Correct {fields} in {table}."),
            contents=True,
        ),
        Code(
            "bad_address",
            State.HELD,
            Text("Panel odrzucił ulicę i numer (odpowiedź: '{panel}').", "Popraw {fields} w tabeli {table}."),
            Text("The panel refuses the street line (it says '{panel}').", "Correct {fields} in {table}."),
            contents=True,
        ),
        Code(
            "bad_postcode",
            State.HELD,
            Text(
                "Panel uznał kod pocztowy za błędny dla kraju klienta (odpowiedź: '{panel}').",
                "Popraw kod ({fields}) lub kraj w tabeli {table}.",
            ),
            Text(
                "The panel refuses the postcode as wrong for the client's country (it says '{panel}').",
                "Correct the postcode ({fields}) or the country in {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_phone",
            State.HELD,
            Text(
                "Panel uznał numer telefonu za błędny dla kraju klienta (odpowiedź: '{panel}').",
                "Popraw numer ({fields}) lub kraj w tabeli {table}.",
            ),
            Text(
                "The panel refuses the telephone number as wrong for the client's country (it says '{panel}').",
                "Correct the number ({fields}) or the country in {table}.",
            ),
            contents=True,
        ),
        Code(
            "panel_lacks_field",
            State.HELD,
            Text(
                "Ten panel nie zna pola, które mają nowsze panele, więc wartość nie jest przenoszona: {fields}.",
                "Poproś IdoSell o aktualizację panelu albo ustaw dla tego pola direction: off w polityce.",
            ),
            Text(
                "This panel does not know a field that newer panels have, so the value is not carried: {fields}.",
                "Ask IdoSell to update the panel, or set the field's direction to off in the policy.",
            ),
            contents=True,
        ),
        Code(
            "refused",
            State.HELD,
            Text(
                "Panel odrzucił dane (odpowiedź: '{panel}').",
                "Popraw wiersz według odpowiedzi panelu; po zmianie zostanie wysłany jeszcze raz.",
            ),
            Text(
                "The panel refuses the data (it says '{panel}').",
                "Correct the row as the panel's answer says; it is sent again once it has changed.",
            ),
        ),
        Code(
            "refused_whole",
            State.HELD,
            Text(
                "Panel odrzucił całe zapytanie o ten rekord (odpowiedź: '{panel}').",
                "Sprawdź kod i login klienta; po zmianie wiersza rekord zostanie wysłany jeszcze raz.",
            ),
            Text(
                "The panel refuses the whole call for this record (it says '{panel}').",
                "Check the client's code and login; the record is sent again once its row has changed.",
            ),
        ),
        Code(
            "not_deleted",
            State.HELD,
            Text(
                "Usunięto w ERP, ale panel nie usuwa (odpowiedź: '{panel}').",
                "Usuń ręcznie w panelu albo wstaw z powrotem wiersz o tym samym id.",
            ),
            Text(
                "Deleted in the ERP, but the panel does not delete it (it says '{panel}').",
                "Delete it in the panel by hand, or insert the row with the same id again.",
            ),
        ),
    ),
    # {reason} is what the database said, without values.
    "What the ERP's database refuses, and what cannot be read": (
        Code(
            "refused_by_erp",
            State.HELD,
            Text(
                "Baza ERP nie przyjęła zmiany z panelu ({reason}).",
                "Zmień wartość w panelu albo usuń w bazie ERP ograniczenie lub wyzwalacz, który ją odrzuca.",
            ),
            Text(
                "The ERP's database refused an edit from the panel ({reason}).",
                "Change the value in the panel, or remove the constraint or trigger that refuses it from the ERP's "
                "database.",
            ),
        ),
        Code(
            "refused_by_erp.column",
            State.HELD,
            Text(
                "Baza ERP nie przyjęła wartości z panelu ({fields}: '{value}'; {reason}).",
                "Zmień tę wartość w panelu albo usuń w bazie ERP ograniczenie, które ją odrzuca.",
            ),
            Text(
                "The ERP's database refused the panel's value ({fields}: '{value}'; {reason}).",
                "Change the value in the panel, or remove the constraint that refuses it from the ERP's database.",
            ),
            contents=True,
        ),
        Code(
            "unreadable",
            State.HELD,
            Text(
                "Panel pokazuje wartość, której nie da się odczytać ({fields}: '{panel_value}'); wiersz w ERP zostaje "
                "bez zmian.",
                "Sprawdź tę wartość w panelu; wartość z ERP zostanie wysłana jeszcze raz, gdy się zmieni.",
            ),
            Text(
                "The panel shows a value that cannot be read back ({fields}: '{panel_value}'); the ERP's row is left "
                "as it is.",
                "Check the value in the panel; the ERP's is sent again once it has changed.",
            ),
        ),
    ),
    # {erp_value} and {panel_value} are what the two sides show.
    "Two sides that differ": (
        Code(
            "conflict",
            State.CONFLICT,
            Text(
                "Po obu stronach wpisano różne wartości: {fields}.",
                "Uruchom 'kartoteka conflicts' i rozstrzygnij albo UPDATE sync_conflicts SET decision = 'erp' lub "
                "'panel' w otwartym wierszu tego klienta.",
            ),
            Text(
                "Both sides were edited, to different values: {fields}.",
                "Run 'kartoteka conflicts' and decide, or UPDATE sync_conflicts SET decision = 'erp' or 'panel' on "
                "this client's open row.",
            ),
        ),
        Code(
            "not_taken",
            State.HELD,
            Text(
                "Panel nie pokazuje tego, co wysłano ({fields}): jest '{panel_value}' zamiast '{erp_value}'.",
                "Sprawdź ustawienia panelu, popraw wartość po jednej ze stron albo ustaw direction: off w polityce.",
            ),
            Text(
                "The panel does not show what was sent ({fields}): it has '{panel_value}' in place of '{erp_value}'.",
                "Check the panel's settings, correct the value on either side, or set the field's direction to off in "
                "the policy.",
            ),
        ),
        Code(
            "not_taken.by_erp",
            State.HELD,
            Text(
                "Baza ERP zmienia to, co przyszło z panelu ({fields}): jest '{erp_value}' zamiast '{panel_value}'.",
                "Sprawdź wyzwalacze w bazie ERP albo popraw wartość po jednej ze stron.",
            ),
            Text(
                "The ERP's database changes what came from the panel ({fields}): it has '{erp_value}' in place of "
                "'{panel_value}'.",
                "Check the triggers of the ERP's database, or correct the value on either side.",
            ),
        ),
        Code(
            "unconfirmed",
            State.WAITING,
            Text(
                "Wysłano, ale panel jeszcze tego nie pokazał: {fields}.",
                "Nic nie trzeba robić; panel zostanie o to zapytany w ciągu 10 minut.",
            ),
            Text(
                "Sent, but the panel has not shown it yet: {fields}.",
                "Nothing to do; the panel is asked about it within 10 minutes.",
            ),
        ),
        Code(
            "tax_number_changed",
            State.HELD,
            Text(
                "Numer NIP różni się ({fields}): w ERP '{erp_value}', w panelu '{panel_value}'; zmiana czeka na "
                "potwierdzenie.",
                "Gdy nowy numer jest poprawny, uruchom 'kartoteka held send' albo UPDATE sync_status SET decision = "
                "'send' w tym wierszu; inaczej popraw go w tabeli {table}.",
            ),
            Text(
                "The tax numbers differ ({fields}): '{erp_value}' in the ERP, '{panel_value}' in the panel; the change "
                "waits for confirmation.",
                "If the new number is right, run 'kartoteka held send', or UPDATE sync_status SET decision = 'send' "
                "on this row; otherwise correct it in {table}.",
            ),
        ),
        Code(
            "closed_in_panel",
            State.HELD,
            Text(
                "Konto zamknięto w panelu, a w tabeli {table} klient jest aktywny ({fields}); konto nie zostanie "
                "otwarte samoczynnie.",
                "Aby je otworzyć, uruchom 'kartoteka held retry' albo ustaw decision = 'retry' w sync_status; aby "
                "zostało zamknięte, wyłącz {fields} w tabeli {table}.",
            ),
            Text(
                "The account was closed in the panel while the client is active in {table} ({fields}); it is not "
                "reopened by itself.",
                "To reopen it, run 'kartoteka held retry', or set decision = 'retry' in sync_status; to leave it "
                "closed, set {fields} to false in {table}.",
            ),
        ),
        Code(
            "closed_in_panel.kept",
            State.HELD,
            Text(
                "Konto jest zamknięte w panelu i ktoś zmienił tam lub usunął {fields}; nie wysyłamy tego z powrotem, "
                "bo mogły to być dane kogoś, kogo usunięto.",
                "Jeśli klient ma zostać, otwórz konto i uruchom 'kartoteka held retry' albo ustaw decision = 'retry'; "
                "kogo usunięto na jego żądanie, tego dotyczy 'kartoteka forget'.",
            ),
            Text(
                "The account is closed in the panel, and somebody has changed or removed {fields} there; it is not "
                "sent back, since the person may have been erased.",
                "If the client is to stay, open the account and run 'kartoteka held retry', or set decision = 'retry'; "
                "whoever asked to be erased is a case for 'kartoteka forget'.",
            ),
            contents=True,
        ),
        Code(
            "first_contact",
            State.WAITING,
            Text(
                "Konto połączono z klientem, a ich danych jeszcze nie porównano.",
                "Nic nie trzeba robić; porównanie nastąpi w najbliższych minutach.",
            ),
            Text(
                "The account has been linked and the two sides have not been compared yet.",
                "Nothing to do; they are compared within the next minutes.",
            ),
        ),
        Code(
            "no_row",
            State.WAITING,
            Text(
                "Dane zmieniono w panelu, a wiersza klienta nie ma w clients.",
                "Wstaw wiersz o tym samym id; zmiana zostanie wtedy przeniesiona.",
            ),
            Text(
                "The account was edited in the panel while the client has no row in clients.",
                "Insert the row with the same id; the edit is carried then.",
            ),
        ),
        Code(
            "deleted_in_erp",
            State.EXCLUDED,
            Text(
                "Wiersz usunięto w ERP, a w panelu dane zostają (polityka: deletes = ignore).",
                "Nic nie trzeba robić; wiersz o tym samym id wznowi synchronizację.",
            ),
            Text(
                "The row was deleted in the ERP and the panel keeps the record (policy: deletes = ignore).",
                "Nothing to do; a row with the same id resumes the synchronisation.",
            ),
        ),
        Code(
            "deleted_in_erp.figures",
            State.EXCLUDED,
            Text(
                "Wiersz usunięto z client_credit, a w panelu zostają poprzednie kwoty.",
                "Wstaw wiersz o tym samym client_id; aby odebrać kredyt, wpisz w nim credit_allowed = false.",
            ),
            Text(
                "The row was deleted from client_credit and the panel keeps the former figures.",
                "Insert a row with the same client_id; to end the credit, write credit_allowed = false into it.",
            ),
        ),
        Code(
            "deleted_in_panel",
            State.EXCLUDED,
            Text(
                "Adres usunięto w panelu, a wiersz w ERP zostaje i nie jest przenoszony (polityka: deletes = ignore).",
                "Aby adres wrócił do panelu, wstaw go w delivery_addresses pod nowym id.",
            ),
            Text(
                "The address was deleted in the panel; the ERP's row stays and is not carried (policy: deletes = "
                "ignore).",
                "To have the address in the panel again, insert it into delivery_addresses under a new id.",
            ),
        ),
    ),
    # {accounts} are the panel's numbers of accounts, each with the rules that found it where some did.
    "Which account is a client's": (
        Code(
            "ambiguous",
            State.HELD,
            Text(
                "Do tego klienta pasuje kilka kont: {accounts}.",
                "Uruchom 'kartoteka questions link' lub 'create' albo UPDATE sync_matches SET decision = 'link' w "
                "wierszu właściwego konta lub 'create', aby założyć nowe.",
            ),
            Text(
                "Several accounts may be this client's: {accounts}.",
                "Run 'kartoteka questions link' or 'create', or UPDATE sync_matches SET decision = 'link' on the row "
                "of the right account, or 'create' to open a new one.",
            ),
        ),
        Code(
            "ambiguous.undone",
            State.HELD,
            Text(
                "Połączenie tego klienta z kontem {accounts} zostało cofnięte.",
                "UPDATE sync_matches SET decision = 'link', jeśli to jednak jego konto, albo 'create', aby założyć "
                "nowe.",
            ),
            Text(
                "This client's link to the account {accounts} was undone.",
                "UPDATE sync_matches SET decision = 'link' if it is its account after all, or 'create' to open a new "
                "one.",
            ),
        ),
        Code(
            "ambiguous.tax_number",
            State.HELD,
            Text(
                "Pasujące konto ma inny numer NIP niż klient: {accounts}.",
                "Uruchom 'kartoteka questions link' lub 'create' albo UPDATE sync_matches SET decision = 'link', "
                "jeśli to konto tego klienta, lub 'create', aby założyć nowe.",
            ),
            Text(
                "The account that fits has another tax number than the client: {accounts}.",
                "Run 'kartoteka questions link' or 'create', or UPDATE sync_matches SET decision = 'link' if it is "
                "this client's, or 'create' to open a new one.",
            ),
        ),
        Code(
            "shared_account",
            State.HELD,
            Text(
                "To samo konto pasuje do kilku klientów: {accounts}.",
                "Uruchom 'kartoteka questions link' albo UPDATE sync_matches SET decision = 'link' u klienta, do "
                "którego konto należy, a 'create' u pozostałych.",
            ),
            Text(
                "The same account fits several clients: {accounts}.",
                "Run 'kartoteka questions link', or UPDATE sync_matches SET decision = 'link' for the client that "
                "owns the account, and 'create' for the others.",
            ),
        ),
        Code(
            "shared_account.given",
            State.HELD,
            Text(
                "To samo konto wskazano dla kilku klientów: {accounts}.",
                "Zostaw je jednemu: wyczyść decision w sync_matches lub client_id w incoming_clients u pozostałych.",
            ),
            Text(
                "The same account was given to several clients: {accounts}.",
                "Leave it to one of them: clear decision in sync_matches, or client_id in incoming_clients, for the "
                "others.",
            ),
        ),
        Code(
            "shared_account.linked",
            State.HELD,
            Text(
                "Konto {accounts} jest już powiązane z innym klientem ({value}).",
                "Jeśli należy do tego klienta, usuń tamten wiersz w sync_links i zmień coś w tym wierszu; jeśli nie, "
                "popraw kod zewnętrzny konta w panelu albo decision.",
            ),
            Text(
                "Account {accounts} is linked to another client ({value}).",
                "If it is this client's, delete that row of sync_links and touch this one; if not, correct the "
                "account's external code in the panel, or the decision.",
            ),
        ),
        Code(
            "foreign_code",
            State.HELD,
            Text(
                "Pasujące konto ma kod zewnętrzny, którego nie ma żaden klient: {accounts}.",
                "Uruchom 'kartoteka questions link' lub 'create' albo UPDATE sync_matches SET decision = 'link', "
                "jeśli to konto tego klienta, lub 'create', aby założyć nowe.",
            ),
            Text(
                "An account that fits carries an external code that no client has: {accounts}.",
                "Run 'kartoteka questions link' or 'create', or UPDATE sync_matches SET decision = 'link' if it is "
                "this client's, or 'create' to open a new one.",
            ),
        ),
        Code(
            "contradictory",
            State.HELD,
            Text(
                "Decyzje o koncie tego klienta są sprzeczne: {accounts}.",
                "Zostaw w sync_matches decision w jednym wierszu, a w pozostałych ustaw NULL.",
            ),
            Text(
                "The decisions about this client's account contradict each other: {accounts}.",
                "Leave decision on one row of sync_matches and set it to NULL on the others.",
            ),
        ),
        Code(
            "several_accounts",
            State.HELD,
            Text(
                "Kod zewnętrzny tego klienta ma kilka kont w panelu: {accounts}.",
                "Zostaw w panelu ten kod na jednym koncie, a z pozostałych go usuń.",
            ),
            Text(
                "Several accounts of the panel carry this client's external code: {accounts}.",
                "Leave the code on one account in the panel and remove it from the others.",
            ),
        ),
        Code(
            "account_gone",
            State.HELD,
            Text(
                "Panel nie pokazuje już połączonego konta {accounts}, choć zapytaliśmy o nie na kilka sposobów.",
                "Pytamy ponownie co najmniej raz na godzinę. Aby wyszukać lub założyć konto od nowa, usuń wiersz "
                "klienta z sync_links i wykonaj UPDATE clients SET id = id dla tego klienta.",
            ),
            Text(
                "The panel no longer shows the linked account {accounts}, asked in several ways.",
                "It is asked again at least once an hour. To have an account looked for or opened, delete the "
                "client's row in sync_links and run UPDATE clients SET id = id for this client.",
            ),
            asked_again=True,
        ),
        Code(
            "account_gone.given",
            State.HELD,
            Text(
                "Panel nie pokazuje wskazanego konta {accounts}.",
                "Pytamy ponownie co najmniej raz na godzinę. Wskaż inne konto albo wyczyść client_id w "
                "incoming_clients lub decision w sync_matches.",
            ),
            Text(
                "The panel does not show the account {accounts} that was given to this client.",
                "It is asked again at least once an hour. Name another account, or clear client_id in "
                "incoming_clients or decision in sync_matches.",
            ),
            asked_again=True,
        ),
        Code(
            "addresses_not_shown",
            State.HELD,
            Text(
                "Panel nie wymienia tego klienta wśród adresów dostawy, a miał on tam adresy.",
                "Nic nie usuwamy i pytamy ponownie co najmniej raz na godzinę. Sprawdź adresy klienta w panelu; jeśli "
                "naprawdę ich nie ma, dodaj tam jeden.",
            ),
            Text(
                "The panel does not name this client among the delivery addresses, and it had some there.",
                "Nothing is deleted, and the panel is asked again at least once an hour. Look at the client's "
                "addresses in the panel; if they are really gone, add one there.",
            ),
            asked_again=True,
        ),
        Code(
            "another_account",
            State.HELD,
            Text(
                "Połączone konto ma w panelu kod zewnętrzny '{panel_value}', czyli inny niż clients.id: wpisał go "
                "człowiek albo inna instalacja na innej bazie wymiany.",
                "Wpisz na tym koncie kod klienta albo usuń wiersz klienta z sync_links i wykonaj UPDATE clients SET id "
                "= id dla tego klienta.",
            ),
            Text(
                "The linked account carries the external code '{panel_value}' in the panel, which is not clients.id: a "
                "person wrote it, or another installation with a database of its own.",
                "Write the client's code there, or delete the client's row in sync_links and run UPDATE clients SET id "
                "= id for this client.",
            ),
        ),
        Code(
            "account_taken",
            State.HELD,
            Text(
                "Wskazane konto {accounts} ma już kod innego klienta: '{panel_value}'.",
                "Wskaż inne konto albo popraw kod zewnętrzny w panelu.",
            ),
            Text(
                "The account {accounts} that was given to this client carries another client's code: '{panel_value}'.",
                "Name another account, or correct the external code in the panel.",
            ),
        ),
        Code(
            "already_linked",
            State.HELD,
            Text(
                "W incoming_clients przypisano temu klientowi konto {accounts}, a ma on już konto {own}.",
                "Popraw client_id w incoming_clients.",
            ),
            Text(
                "incoming_clients gives this client the account {accounts}, and it already has the account {own}.",
                "Correct client_id in incoming_clients.",
            ),
        ),
        Code(
            "guest",
            State.HELD,
            Text(
                "Konto {accounts} to gość bez loginu, którego nie da się połączyć.",
                "Wskaż inne konto albo wyczyść client_id w incoming_clients lub decision w sync_matches.",
            ),
            Text(
                "The account {accounts} is a guest without a login and cannot be linked.",
                "Name another account, or clear client_id in incoming_clients or decision in sync_matches.",
            ),
        ),
        Code(
            "no_client",
            State.WAITING,
            Text(
                "W clients nie ma klienta, do którego ten wiersz należy.",
                "Wstaw klienta o tym kodzie do clients albo popraw client_id w tym wierszu.",
            ),
            Text(
                "The client that this row belongs to is not in clients.",
                "Insert the client with this code into clients, or correct client_id in this row.",
            ),
        ),
        Code(
            "no_client.incoming",
            State.WAITING,
            Text(
                "W incoming_clients (konto {accounts}) podano kod klienta, którego nie ma w clients.",
                "Wstaw klienta o tym kodzie do clients albo popraw client_id w incoming_clients.",
            ),
            Text(
                "incoming_clients (account {accounts}) names a client that is not in clients.",
                "Insert the client with this code into clients, or correct client_id in incoming_clients.",
            ),
        ),
        Code(
            "not_a_client",
            State.WAITING,
            Text(
                "Ten klient zarejestrował się w sklepie i nie ma go jeszcze w clients.",
                "Załóż mu wiersz w clients i wpisz jego kod w incoming_clients.client_id.",
            ),
            Text(
                "This customer registered in the shop and is not in clients yet.",
                "Make a row in clients, and write its code into incoming_clients.client_id.",
            ),
        ),
    ),
    "What is left alone": (
        Code(
            "no_client.excluded",
            State.WAITING,
            Text(
                "W sync_exclusions podano kod klienta, którego nie ma w clients.",
                "Popraw client_id w tym wierszu albo usuń go; zadziała, gdy klient pojawi się w clients.",
            ),
            Text(
                "sync_exclusions names a client that is not in clients.",
                "Correct client_id in that row of sync_exclusions, or delete it; it counts once the client is in "
                "clients.",
            ),
        ),
        Code(
            "unknown_concern",
            State.HELD,
            Text(
                "W sync_exclusions podano zakres {value}, którego nie ma, więc wiersz nikogo nie wyłącza.",
                "Wpisz w concern jeden z zakresów: {known}; albo usuń ten wiersz.",
            ),
            Text(
                "sync_exclusions names a concern that there is not, {value}, so that row excludes nobody.",
                "Write one of these into concern: {known}; or delete the row.",
            ),
        ),
        Code(
            "direction",
            State.EXCLUDED,
            Text(
                "Do klienta nie pasuje żadne konto, a polityka (accounts.direction) nie pozwala zakładać nowych.",
                "Aby zakładać konta, ustaw w polityce accounts.direction: erp_to_panel.",
            ),
            Text(
                "No account fits this client, and the policy (accounts.direction) opens none.",
                "To have accounts opened, set accounts.direction to erp_to_panel in the policy.",
            ),
        ),
        Code(
            "no_shop",
            State.EXCLUDED,
            Text(
                "Klient nie ma wierszy w client_shops ani sklepu z polityki, więc jego sklepy zostają bez zmian.",
                "Aby je ustalić, dodaj wiersz w client_shops albo accounts.default_shops lub regułę w shops.rules.",
            ),
            Text(
                "The client has no row in client_shops and no shop by the policy, so its shops are left as they are.",
                "To set them, add a row to client_shops, or accounts.default_shops or a rule in shops.rules to the "
                "policy.",
            ),
        ),
        Code(
            "excluded",
            State.EXCLUDED,
            Text(
                "Klient jest wyłączony z tego zakresu wierszem w sync_exclusions.",
                "Aby go przywrócić, usuń ten wiersz z sync_exclusions.",
            ),
            Text(
                "The client is excluded from this concern by a row in sync_exclusions.",
                "To include it again, delete that row from sync_exclusions.",
            ),
        ),
        Code(
            "deleted",
            State.EXCLUDED,
            Text("Klienta nie ma już w clients.", "Nic nie trzeba robić; wiersz o tym samym id wznowi synchronizację."),
            Text(
                "The client is no longer in clients.",
                "Nothing to do; a row with the same id resumes the synchronisation.",
            ),
        ),
        Code(
            "forgotten",
            State.EXCLUDED,
            Text(
                "Dane klienta usunięto na żądanie, choć jego wiersz nadal jest w clients.",
                "Usuń wiersz z clients; aby znów synchronizować tego klienta, uruchom 'kartoteka forget KLIENT "
                "--allow'.",
            ),
            Text(
                "The client was erased on request, and its row still stands in clients.",
                "Delete the row in clients; to synchronise this client again, run 'kartoteka forget CLIENT --allow'.",
            ),
        ),
        Code(
            "by_hand",
            State.EXCLUDED,
            Text(
                "Sprawę załatwiono ręcznie.",
                "Aby rekord znów był przenoszony, uruchom 'kartoteka held retry', na stronie Wyłączone naciśnij "
                "'Spróbuj teraz' albo UPDATE sync_status SET decision = 'retry' w tym wierszu.",
            ),
            Text(
                "This was settled by hand.",
                "To have the record carried again, run 'kartoteka held retry', press 'Retry now' on the page Excluded, "
                "or UPDATE sync_status SET decision = 'retry' on this row.",
            ),
        ),
        Code(
            "bad_decision",
            State.HELD,
            Text(
                "Decyzja '{value}' nic tu nie znaczy.",
                "Uruchom 'kartoteka held retry' lub 'done' albo wpisz to w sync_status.decision, a gdy na "
                "potwierdzenie czeka wartość, 'send'; NULL cofa decyzję.",
            ),
            Text(
                "The decision '{value}' means nothing here.",
                "Run 'kartoteka held retry' or 'done', or write it into sync_status.decision, or 'send' where a value "
                "waits for confirmation; NULL takes the decision back.",
            ),
        ),
        Code(
            "bad_decision.conflict",
            State.HELD,
            Text(
                "Decyzja '{value}' nie rozstrzyga konfliktu: {fields}.",
                "Wpisz w sync_conflicts.decision słowo erp albo panel.",
            ),
            Text(
                "The decision '{value}' settles no conflict: {fields}.",
                "Write erp or panel into sync_conflicts.decision.",
            ),
        ),
        Code(
            "bad_decision.match",
            State.HELD,
            Text(
                "Decyzja '{value}' nie mówi, czyje jest konto.",
                "Wpisz w sync_matches.decision słowo link w jednym wierszu klienta albo create.",
            ),
            Text(
                "The decision '{value}' does not say whose the account is.",
                "Write link into sync_matches.decision of one row of the client, or create.",
            ),
        ),
    ),
    # Rows of discount_groups and discount_group_items, and who is in a group.
    "Discount groups and prices": (
        Code(
            "unknown_group",
            State.HELD,
            Text(
                "Klient ma grupę rabatową '{value}' ({fields}), której nie ma w discount_groups.",
                "Dodaj grupę do discount_groups albo popraw {fields} w tabeli {table}.",
            ),
            Text(
                "The client has the discount group '{value}' ({fields}), which is not in discount_groups.",
                "Add the group to discount_groups, or correct {fields} in {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_group",
            State.HELD,
            Text(
                "'{value}' to nie jest numer grupy rabatowej w panelu.",
                "Uruchom 'kartoteka resync discounts', aby odczytać numery grup z panelu na nowo.",
            ),
            Text(
                "'{value}' is not the panel's number of a discount group.",
                "Run 'kartoteka resync discounts' to read the numbers of the groups from the panel again.",
            ),
            contents=True,
        ),
        Code(
            "group_pending",
            State.PENDING,
            Text(
                "Grupy rabatowej klienta nie ma jeszcze w panelu.",
                "Nic nie trzeba robić; klient trafi do grupy, gdy tylko powstanie, a jeśli nie powstaje, sprawdź jej "
                "wiersz w sync_status.",
            ),
            Text(
                "The client's discount group is not in the panel yet.",
                "Nothing to do; the client is put into it once it is made, and if that takes long see the group's row "
                "in sync_status.",
            ),
        ),
        Code(
            "group_in_use",
            State.WAITING,
            Text(
                "Grupę usunięto w ERP, ale w panelu są w niej jeszcze klienci: {count}.",
                "Przenieś ich do innej grupy; pusta grupa zostanie usunięta.",
            ),
            Text(
                "The group was deleted in the ERP, but it still has clients in the panel: {count}.",
                "Move them to another group; the group is deleted once it is empty.",
            ),
        ),
        Code(
            "no_group",
            State.WAITING,
            Text(
                "W discount_group_items są pozycje grupy, której nie ma w discount_groups.",
                "Dodaj grupę do discount_groups albo usuń te pozycje.",
            ),
            Text(
                "discount_group_items has rows of a group that is not in discount_groups.",
                "Add the group to discount_groups, or delete those rows.",
            ),
        ),
        Code(
            "sending_prices",
            State.PENDING,
            Text("Ceny tej grupy są wysyłane partiami.", "Nic nie trzeba robić; kolejne partie pójdą same."),
            Text(
                "The prices of this group are being sent in batches.",
                "Nothing to do; the next batches follow by themselves.",
            ),
        ),
        Code(
            "bad_item_type",
            State.HELD,
            Text(
                "'{value}' w {table} ({fields}) to nie jest rodzaj pozycji.",
                "Wpisz w tabeli {table} product, producer, series, category albo menu_item.",
            ),
            Text(
                "'{value}' in {table} ({fields}) is not a kind of item.",
                "Write product, producer, series, category or menu_item into {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_item",
            State.HELD,
            Text(
                "'{value}' w {table} ({fields}) to nie jest numer z panelu.",
                "Wpisz w tabeli {table} numer, pod którym panel ma ten towar, producenta, serię lub kategorię.",
            ),
            Text(
                "'{value}' in {table} ({fields}) is not a number of the panel.",
                "Write the number under which the panel has this product, producer, series or category into {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_item.price",
            State.HELD,
            Text(
                "Wiersz w {table} ma zarazem price i rebate_percent albo nie ma żadnego z nich.",
                "Wpisz w tabeli {table} albo price, albo rebate_percent razem z base_price.",
            ),
            Text(
                "The row in {table} has both price and rebate_percent, or neither.",
                "Write either price, or rebate_percent together with base_price, into {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_date",
            State.HELD,
            Text(
                "W {table} ({fields}) nie ma poprawnej daty i godziny.",
                "Wpisz w tabeli {table} datę i godzinę UTC, na przykład 2026-12-01 00:00:00.",
            ),
            Text(
                "There is no valid date and time in {table} ({fields}).",
                "Write a date and time in UTC, such as 2026-12-01 00:00:00, into {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_date.order",
            State.HELD,
            Text(
                "Wiersz w {table} kończy się, zanim się zacznie: {fields} nie jest przed valid_to.",
                "Popraw valid_from lub valid_to w tabeli {table}; puste oznacza: bez ograniczenia.",
            ),
            Text(
                "The row in {table} ends before it begins: {fields} is not before valid_to.",
                "Correct valid_from or valid_to in {table}; empty means without a limit.",
            ),
            contents=True,
        ),
    ),
    "Amounts and trade credit": (
        Code(
            "bad_amount",
            State.HELD,
            Text(
                "'{value}' w {table} ({fields}) to nie jest kwota.",
                "Wpisz w tabeli {table} liczbę: najwyżej 10 cyfr, kropka i 2 miejsca.",
            ),
            Text(
                "'{value}' in {table} ({fields}) is not an amount.",
                "Write a number into {table}: at most 10 digits, a point and 2 places.",
            ),
            contents=True,
        ),
        Code(
            "bad_amount.negative",
            State.HELD,
            Text(
                "Kwota '{value}' w {table} ({fields}) jest ujemna.", "Wpisz w tabeli {table} kwotę nie mniejszą niż 0."
            ),
            Text(
                "The amount '{value}' in {table} ({fields}) is negative.", "Write an amount of 0 or more into {table}."
            ),
            contents=True,
        ),
        Code(
            "bad_amount.percent",
            State.HELD,
            Text(
                "Rabat '{value}' w {table} ({fields}) przekracza 100 procent.",
                "Wpisz w tabeli {table} rabat od 0 do 100.",
            ),
            Text(
                "The rebate '{value}' in {table} ({fields}) is more than 100 percent.",
                "Write a rebate from 0 to 100 into {table}.",
            ),
            contents=True,
        ),
        Code(
            "zero_price",
            State.HELD,
            Text(
                "Cena w {table} ({fields}) wynosi 0, czyli towar byłby za darmo; w panelu zostaje poprzednia cena.",
                "Jeśli tak ma być, ustaw decision = 'send' w tym wierszu sync_status; inaczej popraw cenę w {table}.",
            ),
            Text(
                "The price in {table} ({fields}) is 0, that is, the goods are free; the panel keeps the former price.",
                "If it is meant, set decision = 'send' on this row of sync_status; otherwise correct the price in "
                "{table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_days",
            State.HELD,
            Text(
                "'{value}' w {table} ({fields}) to nie jest liczba dni od 0 do 999.",
                "Wpisz w tabeli {table} liczbę dni albo NULL.",
            ),
            Text(
                "'{value}' in {table} ({fields}) is not a number of days from 0 to 999.",
                "Write a number of days, or NULL, into {table}.",
            ),
            contents=True,
        ),
        Code(
            "bad_as_of",
            State.HELD,
            Text(
                "client_credit.as_of nie jest datą i godziną UTC albo wyprzedza bieżący czas o ponad 15 minut.",
                "Wpisz w client_credit.as_of chwilę obliczenia kwot w UTC i sprawdź zegar ERP.",
            ),
            Text(
                "client_credit.as_of is not a date and time in UTC, or is more than 15 minutes ahead.",
                "Write the moment at which the figures were computed, in UTC, into client_credit.as_of, and check the "
                "ERP's clock.",
            ),
            contents=True,
        ),
        Code(
            "bad_as_of.local_time",
            State.HELD,
            Text(
                "client_credit.as_of wyprzedza bieżący czas o godzinę lub dwie (czy to nie czas lokalny?).",
                "Wpisuj w client_credit.as_of czas UTC, nie lokalny.",
            ),
            Text(
                "client_credit.as_of is one or two hours ahead (is it local time?).",
                "Write UTC into client_credit.as_of, not local time.",
            ),
            contents=True,
        ),
        Code(
            "other_currency",
            State.HELD,
            Text(
                "Kwoty w {table} są w walucie {erp_value}, a konto w panelu ma {panel_value}, więc limit wynosi 0.",
                "Wpisz w tabeli {table} kwoty i walutę konta albo popraw walutę klienta.",
            ),
            Text(
                "The figures in {table} are in {erp_value} and the account in the panel is in {panel_value}, so the "
                "limit is 0.",
                "Write figures in the account's currency into {table}, or correct the client's currency.",
            ),
            contents=True,
        ),
        Code(
            "limit_first",
            State.WAITING,
            Text(
                "Waluta klienta ({fields}) zmieni się w panelu, gdy tylko jego limit kredytu wyniesie tam 0.",
                "Nic nie trzeba robić; jeśli trwa to długo, sprawdź wiersz klienta (credit) w sync_status.",
            ),
            Text(
                "The client's currency ({fields}) changes in the panel as soon as its credit limit is 0 there.",
                "Nothing to do; if it takes long, see the client's row (credit) in sync_status.",
            ),
        ),
        Code(
            "currency_changes",
            State.WAITING,
            Text(
                "Waluta klienta właśnie się zmienia, więc do tego czasu limit wynosi 0.",
                "Nic nie trzeba robić; jeśli trwa to długo, sprawdź wiersz klienta (billing) w sync_status.",
            ),
            Text(
                "The client's currency is about to change, so the limit is 0 until it has.",
                "Nothing to do; if it takes long, see the client's row (billing) in sync_status.",
            ),
        ),
        Code(
            "overdue",
            State.IN_STEP,
            Text(
                "Zaległości klienta przekraczają próg z polityki (credit.overdue.allowed), więc limit wynosi 0.",
                "Po spłacie wpisz nową kwotę w client_credit.overdue albo podnieś próg w polityce.",
            ),
            Text(
                "The client's overdue amount is above what the policy allows (credit.overdue.allowed), so the limit is "
                "0.",
                "Once it is paid write the new amount into client_credit.overdue, or raise the threshold in the "
                "policy.",
            ),
        ),
        Code(
            "overdue.kept",
            State.IN_STEP,
            Text(
                "Zaległości klienta przekraczają próg z polityki (credit.overdue.allowed); limit pozostaje taki jak w "
                "ERP.",
                "Po spłacie wpisz nową kwotę w client_credit.overdue. Jeśli limit ma wynosić 0, ustaw w polityce "
                "credit.overdue.then na zero.",
            ),
            Text(
                "The client's overdue amount is above what the policy allows (credit.overdue.allowed); the limit stays "
                "as the ERP has it.",
                "Once it is paid write the new amount into client_credit.overdue. If the limit shall be 0, set "
                "credit.overdue.then to zero in the policy.",
            ),
        ),
        Code(
            "stale",
            State.HELD,
            Text(
                "client_credit.as_of jest starsze, niż dopuszcza polityka, więc w panelu zostają poprzednie kwoty.",
                "Odśwież kwoty i as_of w client_credit; sprawdź, czy eksport z ERP działa.",
            ),
            Text(
                "client_credit.as_of is older than the policy allows, so the panel keeps the former figures.",
                "Refresh the figures and as_of in client_credit; check that the ERP's export is running.",
            ),
        ),
        Code(
            "stale.zero",
            State.IN_STEP,
            Text(
                "Wiersza w client_credit nie ma albo jego as_of jest starsze, niż dopuszcza polityka, więc limit "
                "wynosi 0.",
                "Odśwież lub wstaw kwoty i as_of w client_credit; sprawdź, czy eksport z ERP działa.",
            ),
            Text(
                "The row in client_credit is gone, or its as_of is older than the policy allows, so the limit is 0.",
                "Refresh or insert the figures and as_of in client_credit; check that the ERP's export is running.",
            ),
        ),
    ),
    "What is tried again by itself": (
        Code(
            "first_pass",
            State.PENDING,
            Text(
                "Konta panelu są odczytywane po raz pierwszy, a do tego czasu żadne nie jest zakładane.",
                "Nic nie trzeba robić; postęp pokazuje 'kartoteka status'.",
            ),
            Text(
                "The panel's accounts are being read for the first time, and none is opened before that is done.",
                "Nothing to do; 'kartoteka status' shows how far it is.",
            ),
        ),
        Code(
            "feed_behind",
            State.PENDING,
            Text(
                "W panelu zmieniono wiele kont, a przed założeniem nowego wszystkie zmiany muszą być odczytane.",
                "Nic nie trzeba robić; odczyt trwa.",
            ),
            Text(
                "Many accounts were changed in the panel, and all changes are read before a new one is opened.",
                "Nothing to do; they are being read.",
            ),
        ),
        Code(
            "panel_empty",
            State.PENDING,
            Text(
                "Panel nie pokazuje żadnego z kont, o które pytamy, choć je miał, a wśród nich konta tego klienta.",
                "Pytamy ponownie i wierzymy dopiero po kilku próbach; gdy panel nie jest pusty, zgłoś to do IdoSell.",
            ),
            Text(
                "The panel shows none of the accounts asked for, though it had them, this client's among them.",
                "It is asked again, and believed only after some tries; if the panel is not really empty, report it to "
                "IdoSell.",
            ),
        ),
        Code(
            "brake",
            State.PENDING,
            Text(
                "Hamulec zatrzymał ten zakres, bo zmian naraz było za dużo.",
                "Sprawdź zmiany i popraw błędne w ERP, a potem uruchom 'kartoteka resume ZAKRES --confirm' (nazwa "
                "zakresu jest w kolumnie concern).",
            ),
            Text(
                "The brake stopped this concern because too much was about to change at once.",
                "Look into the changes and correct wrong ones in the ERP, then run 'kartoteka resume CONCERN "
                "--confirm' (its name is in the column concern).",
            ),
        ),
        Code(
            "panel_restored",
            State.PENDING,
            Text(
                "Panel został odtworzony ze starszej kopii, więc wszystkie zakresy są zatrzymane.",
                "Gdy kopia ma zostać, uruchom 'kartoteka resume ZAKRES --confirm' dla każdego z nich: to, co "
                "uzgodniono później, zostanie wysłane ponownie.",
            ),
            Text(
                "The panel was restored from an older backup, so all concerns are stopped.",
                "Where the backup is to stay, run 'kartoteka resume CONCERN --confirm' for each of them: what was "
                "agreed since is sent again.",
            ),
        ),
        Code(
            "panel_empties",
            State.PENDING,
            Text(
                "Panel wyczyścił pola, których nasza zmiana nie wymieniała, więc wszystkie zakresy są zatrzymane.",
                "Nic nie zginęło: zgłoś to do IdoSell i wznów dopiero po naprawie; runbook opisuje kroki.",
            ),
            Text(
                "The panel emptied fields that our change did not name, so all concerns are stopped.",
                "Nothing was lost: report it to IdoSell, and resume only once it is mended; the runbook has the steps.",
            ),
        ),
        Code(
            "paused",
            State.PENDING,
            Text(
                "Operator wstrzymał ten zakres albo odczyt panelu.",
                "Aby wznowić, uruchom 'kartoteka resume' z nazwą zakresu; 'kartoteka status' wymienia wstrzymane.",
            ),
            Text(
                "The operator paused this concern, or the reading of the panel.",
                "To go on, run 'kartoteka resume' with the concern's name; 'kartoteka status' lists what is paused.",
            ),
        ),
        Code(
            "budget",
            State.PENDING,
            Text(
                "Miesięczny limit wywołań panelu jest na wyczerpaniu: panel jest rzadziej pytany o zmiany.",
                "Poczekaj do następnego miesiąca albo podnieś panel.monthly_budget w polityce.",
            ),
            Text(
                "The month's budget of panel calls is nearly used up: the panel is asked for changes less often.",
                "Wait for the next month, or raise panel.monthly_budget in the policy.",
            ),
        ),
        Code(
            "rate_limit",
            State.PENDING,
            Text(
                "Wywołania panelu czekają na swoją kolej.",
                "Nic nie trzeba robić; gdy trwa to stale, podnieś panel.requests_per_second w polityce.",
            ),
            Text(
                "The calls to the panel are waiting in line.",
                "Nothing to do; if it goes on for long, raise panel.requests_per_second in the policy.",
            ),
        ),
        Code(
            "moved",
            State.PENDING,
            Text(
                "Konto zmieniło się w panelu, gdy było łączone z klientem.",
                "Nic nie trzeba robić; zostanie sprawdzone ponownie.",
            ),
            Text(
                "The account changed in the panel while it was being linked to the client.",
                "Nothing to do; it is checked again automatically.",
            ),
        ),
        Code(
            "maybe_opened",
            State.PENDING,
            Text(
                "Konto mogło już powstać, ale panel go jeszcze nie pokazuje.",
                "Nic nie trzeba robić; zanim zostanie założone inne, panel zostanie zapytany jeszcze raz.",
            ),
            Text(
                "The account may have been opened already, and the panel does not show it yet.",
                "Nothing to do; the panel is asked again before another one is opened.",
            ),
        ),
        Code(
            "missing_result",
            State.PENDING,
            Text(
                "Panel w swojej odpowiedzi pominął ten rekord.",
                "Nic nie trzeba robić; zostanie sprawdzony ponownie, a gdy się to powtarza, zgłoś to do IdoSell.",
            ),
            Text(
                "The panel's answer left this record out.",
                "It is checked again automatically; if it keeps happening, report it to IdoSell.",
            ),
        ),
        Code(
            "connection",
            State.PENDING,
            Text(
                "Nie udało się połączyć z panelem.",
                "Ponawiamy automatycznie; gdy trwa to ponad godzinę, sprawdź adres panelu i sieć.",
            ),
            Text(
                "The panel could not be reached.",
                "It is retried automatically; if that takes more than an hour, check the panel's address and the "
                "network.",
            ),
        ),
        Code(
            "timeout",
            State.PENDING,
            Text(
                "Panel nie odpowiedział na czas.",
                "Ponawiamy automatycznie; gdy się to powtarza, podnieś panel.timeout_seconds w polityce.",
            ),
            Text(
                "The panel did not answer in time.",
                "It is retried automatically; if it keeps happening, raise panel.timeout_seconds in the policy.",
            ),
        ),
        Code(
            "too_many_requests",
            State.PENDING,
            Text(
                "Panel odmówił, bo wywołań w krótkim czasie było za dużo.",
                "Ponawiamy automatycznie; gdy się to powtarza, obniż panel.requests_per_second w polityce.",
            ),
            Text(
                "The panel refused the call because there were too many in a short time.",
                "It is retried automatically; if it keeps happening, lower panel.requests_per_second in the policy.",
            ),
        ),
        Code(
            "panel_5xx",
            State.PENDING,
            Text(
                "W panelu wystąpił błąd wewnętrzny.",
                "Ponawiamy automatycznie; gdy trwa to ponad godzinę, zgłoś to do IdoSell.",
            ),
            Text(
                "The panel had an error of its own.",
                "It is retried automatically; if that takes more than an hour, report it to IdoSell.",
            ),
        ),
        *(
            Code(
                f"{code}.alone",
                State.HELD,
                Text(
                    "Panel przyjmuje inne rekordy, a na tym zawodzi (limit czasu, błąd wewnętrzny lub odpowiedź, "
                    "której nie da się odczytać).",
                    "Zmień dowolne pole wiersza, a jeśli to nie pomoże, zgłoś ten rekord do IdoSell.",
                ),
                Text(
                    "The panel takes other records and fails at this one (a time limit, an error of its own, or an "
                    "answer that cannot be read).",
                    "Change any field of the row, and if that does not help, report this record to IdoSell.",
                ),
            )
            for code in ("timeout", "panel_5xx", "broken_answer", "answer_too_large")
        ),
        Code(
            "panel_409",
            State.PENDING,
            Text(
                "Panel wykonywał właśnie inną operację na tych danych (status 409).",
                "Ponawiamy automatycznie; gdy trwa to ponad godzinę, zgłoś to do IdoSell.",
            ),
            Text(
                "The panel was busy with another operation on these data (status 409).",
                "It is retried automatically; if that takes more than an hour, report it to IdoSell.",
            ),
        ),
        Code(
            "panel_425",
            State.PENDING,
            Text(
                "Panel nie był gotowy przyjąć wywołania (status 425).",
                "Ponawiamy automatycznie; gdy trwa to ponad godzinę, zgłoś to do IdoSell.",
            ),
            Text(
                "The panel was not ready to take the call (status 425).",
                "It is retried automatically; if that takes more than an hour, report it to IdoSell.",
            ),
        ),
        Code(
            "panel_fault",
            State.PENDING,
            Text(
                "Panel odpowiedział na wyszukiwanie nieznanym błędem.",
                "Ponawiamy automatycznie; gdy trwa to ponad godzinę, zgłoś to do IdoSell.",
            ),
            Text(
                "The panel answered a search with an unknown fault.",
                "It is retried automatically; if that takes more than an hour, report it to IdoSell.",
            ),
        ),
        Code(
            "broken_answer",
            State.PENDING,
            Text(
                "Odpowiedź panelu była urwana, niepełna lub sprzeczna z inną jego odpowiedzią.",
                "Ponawiamy automatycznie; gdy trwa to ponad godzinę, sprawdź adres panelu i zgłoś to do IdoSell.",
            ),
            Text(
                "The panel's answer was cut off, incomplete, or contradicted another of its answers.",
                "It is retried automatically; if that takes more than an hour, check the panel's address and report it "
                "to IdoSell.",
            ),
        ),
        Code(
            "answer_too_large",
            State.PENDING,
            Text(
                "Odpowiedź panelu była zbyt duża.",
                "Ponawiamy automatycznie, po mniej rekordów naraz; gdy się to powtarza, zgłoś to do IdoSell.",
            ),
            Text(
                "The panel's answer was too large.",
                "It is retried automatically, with fewer records at once; if it keeps happening, report it to IdoSell.",
            ),
        ),
        Code(
            "database",
            State.PENDING,
            Text(
                "Baza wymiany danych nie odpowiada albo jest zajęta.",
                "Ponawiamy automatycznie; gdy trwa to ponad godzinę, sprawdź serwer bazy i blokady.",
            ),
            Text(
                "The exchange database does not answer, or is busy.",
                "It is retried automatically; if that takes more than an hour, check the database server and its "
                "locks.",
            ),
        ),
        Code(
            "database.memory",
            State.PENDING,
            Text(
                "Serwerowi bazy wymiany brakuje pamięci.",
                "Ponawiamy automatycznie; gdy to się powtarza, dodaj serwerowi pamięci albo odciąż go.",
            ),
            Text(
                "The exchange database's server is out of memory.",
                "It is retried automatically; if it keeps happening, give the server more memory or less to do.",
            ),
        ),
        Code(
            "database.connections",
            State.PENDING,
            Text(
                "Baza wymiany ma komplet połączeń.",
                "Ponawiamy automatycznie; gdy to się powtarza, podnieś limit połączeń albo zamknij zbędne.",
            ),
            Text(
                "The exchange database has as many connections as it takes.",
                "It is retried automatically; if it keeps happening, raise the limit of connections or close "
                "what nobody needs.",
            ),
        ),
        Code(
            "database.slow",
            State.PENDING,
            Text(
                "Zapytanie do bazy wymiany nie skończyło się na czas: ktoś blokuje wiersze albo "
                "serwer jest przeciążony.",
                "Ponawiamy automatycznie; gdy trwa to ponad godzinę, znajdź transakcję, która blokuje.",
            ),
            Text(
                "A statement of the exchange database did not end in time: somebody holds a lock, or the server is "
                "overloaded.",
                "It is retried automatically; if that takes more than an hour, look for the "
                "transaction that holds the lock.",
            ),
        ),
        Code(
            "database.starting",
            State.PENDING,
            Text(
                "Serwer bazy wymiany uruchamia się, zatrzymuje albo odtwarza.",
                "Ponawiamy automatycznie; gdy trwa to ponad godzinę, sprawdź serwer.",
            ),
            Text(
                "The exchange database's server is starting, stopping or recovering.",
                "It is retried automatically; if that takes more than an hour, check the server.",
            ),
        ),
        Code(
            "takeover",
            State.PENDING,
            Text(
                "Bazę wymiany przejęto przed chwilą od innej instalacji, której ostatnie wywołania mogą jeszcze trwać.",
                "Synchronizacja ruszy sama po kilku minutach.",
            ),
            Text(
                "The exchange database has just been taken over from another installation, whose last calls may still "
                "be under way.",
                "Synchronisation begins by itself within a few minutes.",
            ),
        ),
        Code(
            "dynamodb",
            State.PENDING,
            Text(
                "Tabela stanu w AWS (DynamoDB) jest niedostępna.",
                "Ponawiamy automatycznie; gdy pojawi się alarm, wdróż szablon ponownie.",
            ),
            Text(
                "The table of state in AWS (DynamoDB) is not available.",
                "It is retried automatically; if an alarm is raised, deploy the template again.",
            ),
        ),
        Code(
            "sqs",
            State.PENDING,
            Text(
                "Kolejka w AWS (SQS) jest niedostępna.",
                "Ponawiamy automatycznie; gdy pojawi się alarm, wdróż szablon ponownie.",
            ),
            Text(
                "The queue in AWS (SQS) is not available.",
                "It is retried automatically; if an alarm is raised, deploy the template again.",
            ),
        ),
    ),
    # A halt: records wait, unharmed, until somebody has corrected the setting. The alarm and the log say more.
    HALTS: (
        Code(
            "panel_key",
            State.PENDING,
            Text("Panel nie zna klucza API.", "Wpisz poprawny klucz API do sekretu panelu; synchronizacja ruszy sama."),
            Text(
                "The panel does not know the API key.",
                "Put a valid API key into the panel's secret; synchronisation then resumes by itself.",
            ),
        ),
        Code(
            "panel_right",
            State.PENDING,
            Text(
                "Klucz API nie ma w panelu potrzebnego uprawnienia.",
                "Nadaj w panelu uprawnienie, które podaje 'kartoteka status'; synchronizacja ruszy sama.",
            ),
            Text(
                "The API key lacks a right in the panel.",
                "Give it the right that 'kartoteka status' names; synchronisation then resumes by itself.",
            ),
        ),
        Code(
            "panel_gate",
            State.PENDING,
            Text(
                "Pod adresem panelu nie ma potrzebnej bramki API.",
                "Sprawdź adres panelu i to, czy panel obsługuje Admin API v8.",
            ),
            Text(
                "The panel has no such gate of the API.", "Check the panel's address, and that it speaks Admin API v8."
            ),
        ),
        Code(
            "rehearsal",
            State.PENDING,
            Text(
                "Ten stos jest próbą i nie łączy się z panelem produkcyjnym.",
                "Podaj w PanelUrl adres kopii panelu, a na produkcji zostaw RehearsalOf puste.",
            ),
            Text(
                "This stack is a rehearsal, and never speaks to the production panel.",
                "Give PanelUrl the address of the copy; leave RehearsalOf empty in production.",
            ),
        ),
        Code(
            "panel_redirect",
            State.PENDING,
            Text(
                "Panel przekierowuje pod inny adres, a klucza API nie wolno tam wysłać.",
                "Panel może mieć kilka nazw hosta: wpisz w PanelUrl tę, pod którą odpowiada bez przekierowania.",
            ),
            Text(
                "The panel redirects to another address, where the API key must not go.",
                "A panel may have several host names: give PanelUrl the one that answers without a redirect.",
            ),
        ),
        Code(
            "panel_blocked",
            State.PENDING,
            Text(
                "Panel jest zablokowany, zwykle z powodu nieopłaconych faktur IdoSell.",
                "Opłać faktury lub wyjaśnij blokadę z IdoSell; synchronizacja ruszy sama.",
            ),
            Text(
                "The panel is blocked, usually for unpaid invoices of IdoSell.",
                "Pay them, or clear the matter up with IdoSell; synchronisation then resumes by itself.",
            ),
        ),
        Code(
            "panel_status",
            State.PENDING,
            Text("Panel odpowiada nieoczekiwanym statusem HTTP.", "Sprawdź adres panelu i uprawnienia klucza API."),
            Text(
                "The panel answers with an unexpected HTTP status.",
                "Check the panel's address and the rights of the API key.",
            ),
        ),
        Code(
            "panel_query",
            State.PENDING,
            Text(
                "Panel nie przyjmuje naszego sposobu wyszukiwania albo pokazuje konta, o które nie pytaliśmy.",
                "Sprawdź, czy panel obsługuje Admin API v8, i zgłoś to autorom Kartoteki.",
            ),
            Text(
                "The panel does not accept the way we search, or shows accounts that were not asked for.",
                "Check that the panel speaks Admin API v8, and report it to the authors of Kartoteka.",
            ),
        ),
        Code(
            "panel_tls",
            State.PENDING,
            Text("Nie da się zweryfikować certyfikatu panelu.", "Sprawdź adres panelu i jego certyfikat."),
            Text("The panel's certificate cannot be verified.", "Check the panel's address and its certificate."),
        ),
        Code(
            "panel_address",
            State.PENDING,
            Text(
                "Adres panelu w ustawieniach jest niepoprawny albo prowadzi do sieci prywatnej.",
                "Wpisz adres w postaci https://nazwa, bez użytkownika, parametrów i kotwicy, i sprawdź, na jaki adres "
                "IP wskazuje DNS.",
            ),
            Text(
                "The panel's address in the settings is not valid, or leads into a private network.",
                "Write it as https://host, without user, query or fragment, and check to which IP address DNS leads.",
            ),
        ),
        Code(
            "no_secret",
            State.PENDING,
            Text(
                "Nie da się odczytać sekretu z kluczem panelu lub adresem bazy.",
                "Sprawdź w AWS Secrets Manager, czy sekret istnieje i czy funkcja ma do niego prawo.",
            ),
            Text(
                "The secret with the panel's key or the database's address cannot be read.",
                "Check in AWS Secrets Manager that the secret exists and that the function may read it.",
            ),
        ),
        Code(
            "state_too_large",
            State.PENDING,
            Text(
                "Zapis stanu w DynamoDB przekroczył dozwolony rozmiar.",
                "Zgłoś to autorom Kartoteki wraz z wpisem 'halted' z logu.",
            ),
            Text(
                "A document of the state in DynamoDB has outgrown its item.",
                "Report it to the authors of Kartoteka, with the log line 'halted'.",
            ),
        ),
        Code(
            "database_full",
            State.PENDING,
            Text(
                "Dysk bazy wymiany jest pełny.",
                "Zrób na nim miejsce; nic nie ginie, synchronizacja ruszy sama.",
            ),
            Text(
                "The disk of the exchange database is full.",
                "Make room there; nothing is lost, and synchronisation resumes by itself.",
            ),
        ),
        Code(
            "database_read_only",
            State.PENDING,
            Text(
                "Baza wymiany nie przyjmuje zapisów: to serwer podrzędny (replika) albo plik bez prawa zapisu.",
                "Podaj adres serwera głównego albo nadaj prawo zapisu do pliku i jego katalogu.",
            ),
            Text(
                "The exchange database takes no writes: it follows another server (a replica), or "
                "its file may not be written.",
                "Name the primary server, or give the right to write to the file and its folder.",
            ),
        ),
        Code(
            "database_damaged",
            State.PENDING,
            Text(
                "Baza wymiany jest uszkodzona.",
                "Sprawdź jej dysk i odtwórz ją z kopii zapasowej.",
            ),
            Text(
                "The exchange database is damaged.",
                "Check its disk, and restore it from a backup.",
            ),
        ),
        Code(
            "state_unreadable",
            State.PENDING,
            Text(
                "Dokumentu stanu w DynamoDB nie da się odczytać.",
                "Alarm podaje, którego; runbook mówi, który można usunąć, a który trzeba odtworzyć.",
            ),
            Text(
                "A document of the state in DynamoDB cannot be read.",
                "The alarm names it; the runbook says which may be deleted and which must be restored.",
            ),
        ),
        Code(
            "not_owner",
            State.PENDING,
            Text(
                "Ta baza wymiany należy do innej instalacji Kartoteki, więc tutejsza nic nie zapisuje.",
                "Wyłącz jedną z nich; aby przejąć bazę, uruchom 'kartoteka takeover --confirm'.",
            ),
            Text(
                "This exchange database belongs to another installation of Kartoteka, and this one writes nothing.",
                "Switch one of them off; to take the database over, run 'kartoteka takeover --confirm'.",
            ),
        ),
    ),
}
"""Subject -> its codes, in the order of ``docs/codes.md``."""

CODES: Mapping[str, Code] = MappingProxyType({code.name: code for codes in SUBJECTS.values() for code in codes})
"""Name -> code. A name with a dot is another sentence of the code before the dot."""
_ASKED_AGAIN = frozenset(code.code for code in CODES.values() if code.asked_again)

LONGEST_FACT = 500
"""Characters of a value or of a text of the panel's that a message quotes."""
LONGEST_CODE = 64
"""Characters of ``sync_status.code``."""


@dataclass(frozen=True, slots=True)
class Status:
    """``sync_status`` of one record or field.

    ``field`` is the first of the fields meant, empty where none is. The messages may quote a client's values: they go
    into the ERP's own database and nowhere else.
    """

    state: State
    code: str = ""
    field: str = ""
    message_pl: str = attribute(default="", repr=False)
    message_en: str = attribute(default="", repr=False)


IN_STEP = Status(State.IN_STEP)


def is_asked_again(status: Status | None) -> bool:
    """Return whether a record with this status is asked about again by itself while it is held."""
    return status is not None and status.code in _ASKED_AGAIN


def waits_for_a_setting(code: str) -> bool:
    """Whether what has this code stands still until a person has corrected a setting: a key, a right, a policy."""
    return code in {each.name.partition(".")[0] for each in SUBJECTS[HALTS]}


def names_contents(code: str) -> bool:
    """Whether a refusal with this code says what is wrong with the contents: the same would be refused again."""
    return code in CODES and CODES[code].contents


def status(code: str, fields: Sequence[str] = (), *, state: State | None = None, **facts: str) -> Status:
    """Return the status that this name of the table stands for, its messages filled in.

    ``state`` is given where it is not the code's own (a refusal that will be tried again is ``pending``). Facts that
    the texts do not use are ignored; raises KeyError for one that is missing. A code that is not in the table (a fault
    the panel invents) gets the texts of ``refused``.
    """
    return told(code, fields, facts, state)


def told(code: str, fields: Sequence[str], facts: Mapping[str, str], state: State | None = None) -> Status:
    """Return :func:`status` of facts that are at hand as a mapping."""
    return _worded(code, tuple(fields), tuple(facts.items()), state)


@lru_cache(maxsize=512)
def _worded(code: str, fields: tuple[str, ...], given: tuple[tuple[str, str], ...], state: State | None) -> Status:
    """Return a status in words: thousands of records may have the same one at the same time."""
    facts: Mapping[str, str] = dict(given)
    known = CODES.get(code)
    if known is None:
        known, facts = CODES["refused"], {**dict.fromkeys(CODES["refused"].facts, ""), **facts}
        code = _clean(code, LONGEST_CODE)
    else:
        code = known.code
    said = {name: _clean(fact) for name, fact in facts.items()} | {"fields": _clean(", ".join(fields))}
    polish, english = (f"{text.cause} {text.remedy}".format_map(said) for text in (known.polish, known.english))
    return Status(state or known.state, code, fields[0] if fields else "", polish, english)


def _clean(text: str, limit: int = LONGEST_FACT) -> str:
    """Return a text that every database takes, on one line and not too long."""
    shown = " ".join(text.split())
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else "?" for c in shown)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
