"""What the commands say, in Polish: by the English sentence, heading, or thing that is counted.

What the desk's pages say too stands in :mod:`kartoteka.desk.texts` alone, and what a person calls a field in the table
of fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kartoteka.desk.texts import TEXTS
from kartoteka.fields.table import LABELS

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        # --- titles of tables
        "Records": "Rekordy",
        "Not matched": "Bez drugiej strony",
        "Deferred: tried again by themselves, unless their concern is paused": (
            "Odłożone: ruszą same, chyba że ich zakres jest wstrzymany"
        ),
        "Not answered by the panel for four hours, and tried again: see the runbook": (
            "Panel milczy o nich od czterech godzin; próby trwają: zob. runbook"
        ),
        "Sent, not shown by the panel: no reading proves what it holds": (
            "Wysłane, nie pokazywane przez panel: żaden odczyt nie potwierdzi, co panel ma"
        ),
        "Paused": "Wstrzymane zakresy",
        "Not all changes are logged: found late, by full scans": (
            "Nie wszystkie zmiany są zapisywane: znajdują je z opóźnieniem pełne przeglądy"
        ),
        "Held: waiting for a person": "Wstrzymane: czekają na człowieka",
        "Held (UTC)": "Wstrzymane (UTC)",
        "Alarms that ring (UTC): see the runbook": "Dzwoniące alarmy (UTC): zob. runbook",
        "Queues": "Kolejki",
        "Last runs": "Ostatnie przebiegi",
        "Panel calls (UTC)": "Wywołania panelu (UTC)",
        "Will be blocked (UTC)": "Zostaną zablokowani (UTC)",
        "Conflicts": "Konflikty",
        "Questions": "Pytania",
        "History (UTC)": "Historia (UTC)",
        "Incoming (UTC)": "Nowi ze sklepu (UTC)",
        "Plan": "Plan",
        "Undo": "Cofnięcie",
        # --- status
        "{clients}, {linked} with an account in the panel": "{clients}, z kontem w panelu: {linked}",
        "clients with accounts to choose from": "klienci, dla których trzeba wybrać konto",
        "customers of the shop without a client": "klienci sklepu bez kartoteki w ERP",
        "answers in incoming_clients not carried": "nieprzeniesione odpowiedzi w incoming_clients",
        "guests of the shop": "goście sklepu",
        "accounts with the code of no client": "konta z kodem, którego nie ma żaden klient",
        "`kartoteka questions link|create`, or set decision in sync_matches to 'link' or 'create'": (
            "`kartoteka questions link|create` albo decision = 'link' lub 'create' w sync_matches"
        ),
        "`kartoteka incoming link` once there is one, or set client_id in incoming_clients": (
            "`kartoteka incoming link`, gdy kartoteka powstanie, albo client_id w incoming_clients"
        ),
        "if it stays so: `kartoteka held`, or sync_status, of the client they name": (
            "jeśli tak zostanie: `kartoteka held` albo sync_status wskazanego klienta"
        ),
        "nothing: they bought without registering": "nic: kupili bez rejestracji",
        "correct the code in the panel, or add the client": "popraw kod w panelu albo dodaj klienta",
        "`kartoteka schema upgrade --url …`, by a role that may make triggers": (
            "`kartoteka schema upgrade --url …` jako rola, która może tworzyć wyzwalacze"
        ),
        "enable them: ALTER TABLE … ENABLE TRIGGER USER": "włącz je: ALTER TABLE … ENABLE TRIGGER USER",
        "{clients} near the credit limit, over it, or overdue: `kartoteka status --credit` lists them": (
            "Blisko limitu kredytu, ponad nim lub z zaległościami: {clients}; listę podaje `kartoteka status --credit`"
        ),
        "{more}: --limit {all} shows all": "{more}; wszystkie pokaże --limit {all}",
        "{records} planned, to be approved: `kartoteka plan` lists them": (
            "Zaplanowane, do zatwierdzenia: {records}; listę podaje `kartoteka plan`"
        ),
        "{conflicts}, {undecided} not decided: `kartoteka conflicts` lists them": (
            "{conflicts}, nierozstrzygniętych: {undecided}; listę podaje `kartoteka conflicts`"
        ),
        # --- decisions
        "conflict {id} ({about}): {side} wins; the next run carries it out": (
            "konflikt {id} ({about}): wygrywa {side}; wykona to następny przebieg"
        ),
        "{records} of {client}: {word}; the next run carries it out": (
            "{client}, {records}: {word}; wykona to następny przebieg"
        ),
        "account {account} is {client}; the next run links them": (
            "konto {account} to {client}; połączy je następny przebieg"
        ),
        "{client} is account {account}; the next run links them": (
            "{client} to konto {account}; połączy je następny przebieg"
        ),
        "{client} gets a new account with the next run": "{client} dostanie nowe konto w następnym przebiegu",
        # --- pause and resume
        "{concern} is stopped by the brake already, and a plain pause would take its place; `{way_on}` ends it": (
            "{concern} zatrzymał już hamulec, a zwykła pauza zajęłaby jego miejsce; kończy to `{way_on}`"
        ),
        "{concern} is paused ({reason}): `{way_on}` ends it": "{concern}: wstrzymane ({reason}); kończy to `{way_on}`",
        "{concern} goes on; what the brake deferred comes back within the hour, or at the next `tick`": (
            "{concern} działa dalej; co odłożył hamulec, wróci w ciągu godziny albo przy następnym `tick`"
        ),
        "{concern} goes on": "{concern} działa dalej",
        "{concern} was not paused": "{concern} nie był wstrzymany",
        (
            "{concern} is stopped by the brake: too many records were about to be closed, emptied, taken off a shop or "
            "out of a group, left without a limit, given another tax number or e-mail or a price of less than half, or "
            "more were about to be written at all than the policy bears. It let {written} through in the last hour and "
            "deferred {waiting}. `{history}` shows what was written. If it is a mistake, correct the rows: they are "
            "read afresh. Then, or if it is meant: `{way_on}`"
        ): (
            "{concern} zatrzymał hamulec: zbyt wiele rekordów miało zostać zamkniętych, opróżnionych, odłączonych od "
            "sklepu lub grupy, pozbawionych limitu, dostać inny NIP, e-mail lub cenę poniżej połowy, albo w ogóle "
            "więcej miało zostać zapisanych, niż dopuszcza polityka. W ostatniej godzinie przepuścił: {written}; "
            "odłożył: {waiting}. Co zapisano, pokazuje `{history}`. Jeśli to pomyłka, popraw wiersze: zostaną "
            "odczytane na nowo. Potem, albo jeśli tak ma być: `{way_on}`"
        ),
        "{one} and {other}": "{one} i {other}",
        # --- plan and undo
        "and {more}: --limit, --client, --concern or --csv shows them": (
            "i {more}: pokaże je --limit, --client, --concern albo --csv"
        ),
        "and {more}: --limit or --client shows them": "i {more}: pokaże je --limit albo --client",
        "{rows} written into {file}": "zapisano w {file}: {rows}",
        "about {calls} of the panel, {minutes}": "około: {calls} panelu, {minutes}",
        (
            "{concern}: {records} would be written, {of} are looked after; as a change of what is applied the brake "
            "would stop that"
        ): (
            "{concern}: do zapisania {records} z {of} prowadzonych; jako zmianę tego, co obowiązuje, zatrzymałby to "
            "hamulec"
        ),
        "as of {as_of}: `kartoteka plan approve --all --as-of {as_of}` approves this list": (
            "stan na {as_of}: tę listę zatwierdza `kartoteka plan approve --all --as-of {as_of}`"
        ),
        "{rows} approved; the next run carries it out": "zatwierdzono: {rows}; wykona to następny przebieg",
        "{rows} decided: {word}": "zdecydowano: {rows}, {word}",
        "{fields} left alone: edited since": "pominięto, bo zmieniono je później: {fields}",
        "{fields} with the value of before already": "już z dawną wartością: {fields}",
        "{records} with an undo that is approved and not carried out yet": (
            "z cofnięciem zatwierdzonym, a jeszcze niewykonanym: {records}"
        ),
        "nothing is to be undone": "nie ma czego cofać",
        "{rows} of {clients} approved; the next run carries them out": (
            "zatwierdzono: {rows}, {clients}; wykona to następny przebieg"
        ),
        (
            "{rows} of {clients} planned: approve them by `kartoteka plan approve`, on the page, or by the same with "
            "--yes"
        ): "zaplanowano: {rows}, {clients}; zatwierdza je `kartoteka plan approve`, strona albo to samo z --yes",
        # --- queues
        "{groups} with {prices}": "{groups}, {prices}",
        "{what} into the queue of {concern}, in {messages}": "do kolejki {concern}: {what} ({messages})",
        "that costs about {calls}": "to kosztuje około: {calls}",
        "left out, since they have no account yet: `kartoteka resync accounts` opens one: {clients}": (
            "pominięto, bo nie mają jeszcze konta: {clients}; założy je `kartoteka resync accounts`"
        ),
        "back in the queue of {concern}: {messages} with {keys}": "z powrotem w kolejce {concern}: {messages} ({keys})",
        "not readable by this version, and so about to return: {messages}": (
            "nieczytelne dla tej wersji, więc wrócą: {messages}"
        ),
        # --- wrong arguments
        "Did you mean {nearest}?": "Czy chodziło o {nearest}?",
    }
)
"""English -> Polish, with the same facts."""

HEADINGS: Mapping[str, str] = MappingProxyType(
    {
        "account": "konto",
        "action": "działanie",
        "alarm": "alarm",
        "at (UTC)": "kiedy (UTC)",
        "blocked": "zablokowany",
        "code": "kod",
        "conflicts": "konflikty",
        "dead letters": "nieudane",
        "field": "pole",
        "gate": "bramka",
        "group_id": "grupa",
        "held": "wstrzymane",
        "how many": "ile",
        "in flight": "w toku",
        "item": "pozycja",
        "item_id": "pozycja",
        "kind": "rodzaj",
        "next due (UTC)": "następna próba (UTC)",
        "outcome": "wynik",
        "panel calls": "wywołania",
        "panel_client_id": "konto",
        "raised_at": "od",
        "closed_at": "zamknięto",
        "reconciled": "uzgodnione",
        "records": "rekordy",
        "run_id": "przebieg",
        "seen_at": "widziany",
        "since": "od",
        "since (UTC)": "od (UTC)",
        "state": "stan",
        "table": "tabela",
        "this month": "w tym miesiącu",
        "to go on": "aby ruszyło",
        "today": "dziś",
        "triggers": "wyzwalacze",
        "used": "wykorzystane",
        "waiting": "czeka",
        "what": "co",
        "what to do": "co zrobić",
        "written to erp": "do ERP",
        "written to panel": "do panelu",
        "matched_by": "znalezione przez",
        "id": "numer",
    }
)
"""Headings that neither the pages nor the table of fields have."""

OF_PAGES: Mapping[str, str] = MappingProxyType(
    {
        "client": "client",
        "client_id": "client",
        "group": "group",
        "concern": "concern",
        "decision": "decision",
        "direction": "direction",
        "reason": "reason",
        "why": "reason",
        "at": "at",
        "login": "login",
        "external_code": "external_code",
        "tax_number": "tax_number",
        "mail": "mail",
        "erp_value": "erp",
        "panel_value": "panel",
        "base_value": "base",
        "value_before": "before",
        "value_after": "after",
        "value_from": "before",
        "value_to": "after",
        "message_pl": "why",
    }
)
"""Heading -> its name in the pages' texts."""

COUNTED: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "client": ("klient", "klienci", "klientów"),
        "record": ("rekord", "rekordy", "rekordów"),
        "such record": ("taki rekord", "takie rekordy", "takich rekordów"),
        "more held record": (
            "kolejny wstrzymany rekord",
            "kolejne wstrzymane rekordy",
            "kolejnych wstrzymanych rekordów",
        ),
        "open conflict": ("otwarty konflikt", "otwarte konflikty", "otwartych konfliktów"),
        "more row": ("dalszy wiersz", "dalsze wiersze", "dalszych wierszy"),
        "row": ("wiersz", "wiersze", "wierszy"),
        "field": ("pole", "pola", "pól"),
        "call": ("wywołanie", "wywołania", "wywołań"),
        "panel call": ("wywołanie panelu", "wywołania panelu", "wywołań panelu"),
        "minute": ("minuta", "minuty", "minut"),
        "message": ("wiadomość", "wiadomości", "wiadomości"),
        "discount group": ("grupa rabatowa", "grupy rabatowe", "grup rabatowych"),
        "price": ("cena", "ceny", "cen"),
    }
)
"""What is counted -> its forms for one, for two to four, and for the others."""


def counted(number: int, what: str) -> str:
    """Return ``1 klient``, ``2 klienci``, ``5 klientów``."""
    one, few, others = COUNTED[what]
    if number == 1:
        return f"{number} {one}"
    return f"{number} {few if number % 10 in {2, 3, 4} and number % 100 not in {12, 13, 14} else others}"


def heading(name: str) -> str:
    """Return what a person calls a column."""
    if name in OF_PAGES:
        return TEXTS[OF_PAGES[name]][0].lower()
    return HEADINGS[name] if name in HEADINGS else LABELS.get(name, (name, ""))[0]
