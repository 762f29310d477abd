"""What ``sync_status`` says, as a page says it: the columns by their labels, and the remedy by its button.

The table is read by whoever writes SQL, and by the commands: its remedies name those. An operator has buttons. A
message is taken apart by the templates of its code and put together again; one that fits none is shown as it stands.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from kartoteka.codes import CODES, Text
from kartoteka.desk import texts
from kartoteka.fields.table import LABELS, WORDS

_ADMINISTRATOR = (
    "Poproś administratora bazy, aby usunął wiersz tego klienta z tabeli sync_links, a potem naciśnij [resync].",
    "Ask whoever looks after the database to delete this client's row in sync_links, then press [resync].",
)
_OTHER_ACCOUNT = (
    "Wskaż inne konto: [link] albo [create] na stronie [questions], albo kod klienta na stronie [incoming].",
    "Name another account: [link] or [create] on the page [questions], or a code on the page [incoming].",
)
_THIS_OR_NEW = (
    "Na stronie [questions] porównaj dane i naciśnij [link] przy koncie tego klienta albo [create].",
    "On the page [questions] compare the data, and press [link] at this client's account, or [create].",
)
_AS_TEXT = (
    "Poproś administratora bazy, aby zapisał ten kod jako tekst; przyciski tego nie naprawią.",
    "Ask whoever looks after the database to store this code as text; no button mends that.",
)
_LET_PASS = (
    "Sprawdź zmiany i popraw błędne w ERP, potem na stronie [overview] naciśnij [resume.confirm].",
    "Look into the changes and correct wrong ones in the ERP, then press [resume.confirm] on the page [overview].",
)

ON_PAGE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "bad_id.no_text": _AS_TEXT,
        "bad_id.of_address": _AS_TEXT,
        "bad_client_type": (
            "Popraw rodzaj klienta w ERP (firma, osoba, mężczyzna albo kobieta) lub zostaw puste.",
            "Correct the type in the ERP (firm, person, man or woman), or leave it empty.",
        ),
        "bad_item_type": (
            "Popraw rodzaj pozycji w ERP: towar, producent, seria, kategoria albo pozycja menu.",
            "Correct the kind of item in the ERP: a product, producer, series, category or item of the menu.",
        ),
        "panel_lacks_field": (
            "Poproś IdoSell o aktualizację panelu albo administratora, aby wyłączył to pole w polityce.",
            "Ask IdoSell to update the panel, or whoever keeps the policy to switch the field off in it.",
        ),
        "not_taken": (
            "Sprawdź ustawienia panelu albo popraw wartość po jednej ze stron, potem naciśnij [retry].",
            "Look at the panel's settings, or correct the value on either side, then press [retry].",
        ),
        "deleted_in_erp.figures": (
            "Wpisz kwoty klienta w ERP jeszcze raz; aby odebrać kredyt, wyłącz go tam.",
            "Enter the client's figures in the ERP again; to end the credit, switch it off there.",
        ),
        "direction": (
            "Aby zakładać konta, poproś administratora o zmianę polityki.",
            "To have accounts opened, ask whoever keeps the policy to change it.",
        ),
        "bad_flag": (
            "Wpisz w ERP tak albo nie, lub zostaw puste.",
            "Write yes or no in the ERP, or leave it empty.",
        ),
        "zero_price": (
            "Jeśli tak ma być, naciśnij [send]; inaczej popraw cenę w ERP.",
            "If it is meant, press [send]; otherwise correct the price in the ERP.",
        ),
        "bad_days": (
            "Wpisz w ERP liczbę dni albo zostaw puste.",
            "Write a number of days in the ERP, or leave it empty.",
        ),
        "conflict": (
            "Na stronie [conflicts] naciśnij [decide.erp] albo [decide.panel].",
            "On the page [conflicts] press [decide.erp] or [decide.panel].",
        ),
        "tax_number_changed": (
            "Gdy nowy numer jest poprawny, naciśnij [send]; inaczej popraw go w ERP.",
            "If the new number is right, press [send]; otherwise correct it in the ERP.",
        ),
        "closed_in_panel": (
            "Aby je otworzyć, naciśnij [retry]; aby zostało zamknięte, wyłącz klienta w ERP ({fields}).",
            "To reopen it, press [retry]; to leave it closed, switch the client off in the ERP ({fields}).",
        ),
        "closed_in_panel.kept": (
            "Jeśli klient ma zostać, otwórz konto w panelu i naciśnij [retry]; kto prosił o usunięcie: [forget].",
            "If the client is to stay, open the account in the panel, press [retry]; who asked to be erased: [forget].",
        ),
        "ambiguous": _THIS_OR_NEW,
        "ambiguous.undone": _THIS_OR_NEW,
        "ambiguous.tax_number": _THIS_OR_NEW,
        "foreign_code": _THIS_OR_NEW,
        "contradictory": _THIS_OR_NEW,
        "shared_account": (
            "Na stronie [questions] naciśnij [link] u klienta, do którego konto należy, a [create] u pozostałych.",
            "On the page [questions] press [link] for the client that owns the account, and [create] for the others.",
        ),
        "shared_account.given": (
            "Zostaw je jednemu: u pozostałych naciśnij [create] na stronie [questions].",
            "Leave it to one of them: for the others press [create] on the page [questions].",
        ),
        "shared_account.linked": (
            (
                "Gdy konto jest tamtego klienta, wskaż inne na stronie [questions]; gdy jest tego, poproś "
                "administratora bazy, aby usunął tamten wiersz z tabeli sync_links."
            ),
            (
                "If it is that client's, name another one on the page [questions]; if it is this one's, ask whoever "
                "looks after the database to delete that row of sync_links."
            ),
        ),
        "account_gone": _ADMINISTRATOR,
        "account_gone.given": _OTHER_ACCOUNT,
        "guest": _OTHER_ACCOUNT,
        "another_account": (
            (
                "Wpisz na tym koncie w panelu kod klienta. Gdy konto nie jest jego: poproś administratora bazy, aby "
                "usunął wiersz tego klienta z tabeli sync_links, a potem naciśnij [resync]."
            ),
            (
                "Write the client's code into that account in the panel. If the account is not its own: ask whoever "
                "looks after the database to delete this client's row in sync_links, then press [resync]."
            ),
        ),
        "no_client.excluded": (
            "Naciśnij [include], albo poczekaj: zadziała, gdy klient pojawi się w ERP.",
            "Press [include], or wait: it counts once the ERP has the client.",
        ),
        "unknown_concern": (
            "Wybierz zakres na stronie klienta i naciśnij [exclude]; błędny wiersz usunie administrator bazy.",
            (
                "Choose the concern on the client's page and press [exclude]; whoever looks after the database deletes "
                "the wrong row."
            ),
        ),
        "excluded": ("Aby go przywrócić, naciśnij [include].", "To look after it again, press [include]."),
        "forgotten": (
            "Usuń klienta w ERP; aby znów go synchronizować, na stronie [forget] naciśnij [forget.allow].",
            "Delete the client in the ERP; to synchronise it again, press [forget.allow] on the page [forget].",
        ),
        "by_hand": (
            "Aby rekord znów był przenoszony, naciśnij [retry].",
            "To have the record carried again, press [retry].",
        ),
        "bad_decision": (
            "Naciśnij [retry] albo [done], a gdy na potwierdzenie czeka wartość, [send].",
            "Press [retry] or [done], or [send] where a value waits for confirmation.",
        ),
        "bad_decision.conflict": (
            "Na stronie [conflicts] naciśnij [decide.erp] albo [decide.panel].",
            "On the page [conflicts] press [decide.erp] or [decide.panel].",
        ),
        "bad_decision.match": _THIS_OR_NEW,
        "bad_group": (
            (
                "Na stronie klienta naciśnij [resync] pod [discounts]; gdy to nie pomoże, poproś "
                "administratora o ponowne porównanie wszystkich grup."
            ),
            (
                "On the client's page press [resync] under [discounts]; if that does not help, ask "
                "whoever runs the commands to resync all groups."
            ),
        ),
        "group_pending": (
            "Nic nie trzeba robić; klient trafi do grupy, gdy tylko powstanie. Co z grupą, mówi strona [deferred].",
            "Nothing to do; the client is put into it once it is made. The page [deferred] says how the group is.",
        ),
        "limit_first": (
            "Nic nie trzeba robić; co dzieje się z limitem, widać niżej pod [credit].",
            "Nothing to do; how it is with the limit stands under [credit].",
        ),
        "currency_changes": (
            "Nic nie trzeba robić; co dzieje się z walutą, widać pod [billing].",
            "Nothing to do; how it is with the currency stands under [billing].",
        ),
        "first_pass": ("Nic nie trzeba robić; ruszy samo.", "Nothing to do; it goes on by itself."),
        "brake": _LET_PASS,
        "panel_restored": (
            (
                "Gdy kopia ma zostać, na stronie [overview] naciśnij [resume.confirm] przy każdym zakresie: to, co "
                "uzgodniono później, zostanie wysłane ponownie."
            ),
            (
                "Where the backup is to stay, press [resume.confirm] for each concern on the page [overview]: what was "
                "agreed since is sent again."
            ),
        ),
        "paused": (
            "Aby wznowić, na stronie [overview] naciśnij [resume].",
            "To go on, press [resume] on the page [overview].",
        ),
    }
)
"""Name of a code -> its remedy on a page, Polish and English; ``[name]``: the button or page that is named so."""


def on_page(code: str, message: str, lang: str, *, remedy: bool = True) -> str:
    """Return what the status with this code says on a page; what is not of our making as it stands.

    Without a ``remedy`` the cause alone: what was to be done a person has decided by now.
    A message may be of several codes, one after the other: of its own the code is that of the worst.
    """
    said, left = list[str](), message
    while left:
        found = _first(code, left, lang)
        if found is None:
            return " ".join([*said, left])
        said.append(_said(*found, lang, remedy=remedy))
        left = left[found[1].end() :].lstrip()
    return " ".join(said)


def _first(code: str, message: str, lang: str) -> tuple[str, re.Match[str]] | None:
    """Return the name, and its match, with which a message begins: of its own code, or of another one."""
    begun = ((name, _pattern(name, lang).match(message)) for name in (*_names(code), *CODES))
    return next(((name, match) for name, match in begun if match), None)


def asks_nothing(code: str) -> bool:
    """Return whether the remedy of a code is to wait."""
    return all(CODES[name].polish.remedy.startswith("Nic nie trzeba") for name in _names(code))


def _said(name: str, found: re.Match[str], lang: str, *, remedy: bool) -> str:
    facts = found.groupdict()
    if "fields" in facts:
        facts["fields"] = labels(facts["fields"], lang)
    if "accounts" in facts:  # each with the field by which it was found
        facts["accounts"] = re.sub(r"\((\w+)\)", lambda by: f"({label(by[1], lang)})", facts["accounts"])
    text, buttons = _text(name, lang), ON_PAGE.get(name)
    cause = _labelled(text.cause, lang)
    if not remedy:
        return cause.format_map(facts)
    todo = _labelled(text.remedy, lang) if buttons is None else _pressed(buttons[0 if lang == texts.PL else 1], lang)
    return f"{cause} {todo}".format_map(facts)


def cause_of(code: str, lang: str) -> str:
    """Return the cause that a code tells where it takes no facts; else the code."""
    known = CODES.get(code)
    return _text(code, lang).cause if known is not None and not known.facts else code


def shown(value: str, field: str, lang: str) -> str:
    """Return a value of a field as a page says it: a word of ours in the language, anything else as it is."""
    words = WORDS.get(field, {}).get(value.strip().lower())
    return value if words is None else words[0 if lang == texts.PL else 1]


def labels(fields: str, lang: str) -> str:
    """Return the labels of columns that are joined by commas."""
    return ", ".join(label(each, lang) for each in fields.split(", "))


def label(column: str, lang: str) -> str:
    """Return what a person calls a column."""
    polish, english = LABELS.get(column) or texts.TEXTS.get(column, (column, column))
    return polish if lang == texts.PL else english


@cache
def _names(code: str) -> tuple[str, ...]:
    """Return the names of the table that stand in ``sync_status`` as this code; those of an invented one: refused."""
    found = tuple(each.name for each in CODES.values() if each.code == code)
    return found or ("refused",)


def _text(name: str, lang: str) -> Text:
    return CODES[name].polish if lang == texts.PL else CODES[name].english


@cache
def _pattern(name: str, lang: str) -> re.Pattern[str]:
    text = _text(name, lang)
    return re.compile("".join(_parts(f"{text.cause} {text.remedy}")) + r"(?= |\Z)", re.DOTALL)


def _parts(template: str) -> Iterator[str]:
    """Yield the parts of a pattern: the first of each fact is taken, a later one is the same again."""
    known: set[str] = set()
    for literal, name, _, _ in string.Formatter().parse(template):
        yield re.escape(literal)
        if name is not None:
            yield f"(?P={name})" if name in known else f"(?P<{name}>.*?)"
            known.add(name)


_COLUMN = re.compile(r"(?<![\w.{'])(?:" + "|".join(LABELS) + r")(?![\w}])(?!\.\w)")


_TABLES = r"(?:tabeli |the table )?(?:\{table\}|clients|client_\w+|delivery_addresses|discount_\w+|incoming_clients)"
_OF_A_TABLE = re.compile(r"\b(?:clients|client_\w+|discount_group\w*|incoming_clients)\.(\w+)")
_IN_A_TABLE = {
    texts.PL: re.compile(rf"\b(w|W|z|do) {_TABLES}(?!\w|\}}|\.\w)"),
    texts.EN: re.compile(rf"\b(in|In|into|from|to) {_TABLES}(?!\w|\}}|\.\w)"),
}
_PLAINER = {
    texts.PL: {
        "Kod klienta w clients.id": "Kod klienta w ERP",
        "w delivery_addresses.id": "w ERP",
        "Operator wstrzymał": "Człowiek zatrzymał",
        " wierszem w sync_exclusions": "",
        "W sync_exclusions podano": "Na liście wyłączeń podano",
        "Uzupełnij wiersz": "Uzupełnij dane w ERP",
        "Dodaj wiersz w client_shops": "Dodaj klientowi sklep w ERP",
        "nie ma wierszy w client_shops": "nie ma sklepów w ERP",
        "albo zostaw to pole puste": "albo wyczyść to pole",
        "dodaj wiersz w client_shops": "dodaj klientowi sklep w ERP",
        "pole wiersza": "pole klienta w ERP",
        "pole w wierszu klienta": "pole klienta w ERP",
    },
    texts.EN: {
        "The code in clients.id": "The client's code in the ERP",
        "incoming_clients gives": "the list of incoming customers gives",
        "incoming_clients (": "the list of incoming customers (",
        "in delivery_addresses.id": "in the ERP",
        " by a row in sync_exclusions": "",
        "sync_exclusions names": "the list of exclusions names",
        "discount_group_items has": "the ERP has",
        "Complete the row": "Complete the data in the ERP",
    },
}
"""What is said of the ERP's tables where their words would be the grammar of whoever writes SQL."""
_CALLED = {"login": ("login", "log-in"), "shop_id": ("numer sklepu", "shop number")}
"""Columns that are no field of a client's, as they are called."""


@cache
def _labelled(template: str, lang: str) -> str:
    """Return a template with columns by their labels, and the ERP for its tables, which an operator does not know."""

    def column(found: re.Match[str]) -> str:
        if found[1] == "id":
            return "kod klienta w ERP" if lang == texts.PL else "the client's code in the ERP"
        named = _CALLED[found[1]][0 if lang == texts.PL else 1] if found[1] in _CALLED else label(found[1], lang)
        return f"pole „{named}” w ERP" if lang == texts.PL else f"the field '{named}' in the ERP"

    for words, plainer in _PLAINER[lang].items():
        template = template.replace(words, plainer)
    template = _OF_A_TABLE.sub(column, template)
    template = _IN_A_TABLE[lang].sub(lambda found: f"{found[1]} {'ERP' if lang == texts.PL else 'the ERP'}", template)
    template = re.sub(r"\bclient_id\b", "kod klienta" if lang == texts.PL else "the client's code", template)
    template = _COLUMN.sub(lambda found: label(found[0], lang), template)
    return template[:1].upper() + template[1:]


@cache
def _pressed(remedy: str, lang: str) -> str:
    """Return a remedy with the words that stand on its buttons."""
    quotes = "„{}”" if lang == texts.PL else "'{}'"
    return re.sub(r"\[([\w./]+)\]", lambda found: quotes.format(texts.say(found[1], lang)), remedy)
