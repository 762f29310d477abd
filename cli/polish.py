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
        "Differences": "Rozbieżności",
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
        "{concern} was paused already ({before}); what is said of it now:": (
            "{concern}: zakres był już wstrzymany ({before}); teraz widać przy nim:"
        ),
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
        "left among the dead letters, since no queue takes what is in it: message {id}": (
            "zostaje wśród nieudanych, bo żadna kolejka nie przyjmie jej treści: wiadomość {id}"
        ),
        "the password of {option} stands on the command line, where `ps` shows it to everybody on this machine: "
        "give `{option} -`, which asks for it, or put it into {variable}": (
            "hasło z {option} stoi w wierszu poleceń, gdzie `ps` pokaże je każdemu na tym komputerze: "
            "podaj `{option} -`, a program o nie zapyta, albo wpisz je do {variable}"
        ),
        "address of the database": "adres bazy",
        "the desk's answer was cut off: try again": "odpowiedź pulpitu się urwała: spróbuj ponownie",
        "{file} cannot be read: start the local stack anew with `make up`": (
            "nie da się odczytać {file}: uruchom stos lokalny od nowa przez `make up`"
        ),
        "{file}: {why}": "{file}: {why}",
        # --- excluded, renamed
        "{client} is left alone in {concern} from the next run on": (
            "{client}, {concern}: pomijany od następnego przebiegu"
        ),
        "{client} is looked after in {concern} again; the next run asks the panel": (
            "{client}, {concern}: znów prowadzony; następny przebieg zapyta panel"
        ),
        "{old} is {new} now; the next run gives its account the code": (
            "{old} to teraz {new}; ten kod nada kontu następny przebieg"
        ),
        # --- long work
        "planning the undo": "planuję cofnięcie",
        "erasing {client}": "usuwam {client}",
        "counting what is kept of {client}": "liczę, co jest przechowywane o {client}",
        "reading the plan": "czytam plan",
        "writing the decision": "zapisuję decyzję",
        # --- the policy, the tables
        "{file}: fine": "{file}: w porządku",
        "{file} is wrong in {places}:": "{file}: do poprawienia {places}:",
        "the policy is wrong: {places}": "polityka jest błędna: {places}",
        "The exchange tables are complete (version {version}).": "Tabele wymiany są kompletne (wersja {version}).",
        (
            "The database's encoding is {encoding}, and UTF-8 is wanted: a field with a letter that it cannot hold is "
            "held. What mends it: {remedy}"
        ): (
            "Kodowanie bazy to {encoding}, a potrzebne jest UTF-8: pole z literą, której nie pomieści, jest "
            "wstrzymane. Naprawia to: {remedy}"
        ),
        "the database does not answer, or it is locked ({why}): is it running?": (
            "baza nie odpowiada albo jest zablokowana ({why}): czy działa?"
        ),
        # --- tick
        "firing the schedules": "uruchamiam harmonogramy",
        "waiting for {what}": "czekam: {what}",
        "{concern}: {n} waiting": "{concern}: w kolejce {n}",
        "the last worker": "ostatni przebieg",
        "{function} delayed: {why}; its log: {log}": "{function} czeka: {why}; log: {log}",
        "{function} halted: {why}; its log: {log}": "{function} zatrzymana: {why}; log: {log}",
        (
            "after {seconds} s there is still work in the queues ({what}); it goes on without this command. "
            "A batch that failed is tried again after some minutes: see {logs}"
        ): (
            "po {seconds} s w kolejkach wciąż jest praca ({what}); toczy się bez tego polecenia. "
            "Nieudana porcja jest ponawiana po kilku minutach: zob. {logs}"
        ),
        "(failed: {failed})": "(nieudane: {failed})",
        "the function {function} failed: {reason}; its log: {log}": (
            "funkcja {function} zawiodła: {reason}; log: {log}"
        ),
        "Stopped: {cause}": "Zatrzymane: {cause}",
        "{concern}: into the queue": "{concern}: do kolejki",
        "{concern}: back to the queue": "{concern}: z powrotem do kolejki",
        # --- the page's server
        "ended": "zakończono",
        "port {port} cannot be opened: {why}": "nie można otworzyć portu {port}: {why}",
        "refused: open the address that `kartoteka desk` printed": (
            "odmowa: otwórz adres, który wypisało `kartoteka desk`"
        ),
        "no token: open the address that `kartoteka desk` printed": (
            "brak tokenu: otwórz adres, który wypisało `kartoteka desk`"
        ),
        "too large": "za duże",
        # --- what does not answer
        "AWS refuses or does not answer: {why}": "AWS odmawia albo nie odpowiada: {why}",
        "{what} does not answer now; try again": "{what}: teraz nie odpowiada; spróbuj ponownie",
        "the stack {stack} has no {name}: is it a stack of Kartoteka?": (
            "stos {stack} nie ma {name}: czy to stos Kartoteki?"
        ),
        "the stack {stack} has no desk: deploy this version's template": (
            "stos {stack} nie ma funkcji desk: wdróż szablon tej wersji"
        ),
        "the stack {stack} cannot be read (is it running? `make up` starts it): {why}": (
            "stosu {stack} nie można odczytać (czy działa? uruchamia go `make up`): {why}"
        ),
        "the stack {stack} cannot be read (check its name, the region and your credentials): {why}": (
            "stosu {stack} nie można odczytać (sprawdź nazwę, region i poświadczenia): {why}"
        ),
        "the local stack is down (nothing answers at {endpoint}): `make up` starts it": (
            "lokalny stos nie działa (pod {endpoint} nic nie odpowiada): uruchom go przez `make up`"
        ),
        "The local stack is down: this is what its exchange database holds, and nothing is carried before `make up`.": (
            "Lokalny stos nie działa: to zawartość jego bazy wymiany, a do `make up` nic nie jest przenoszone."
        ),
        "no local stack is running: start one with `make up`, or name a deployed one with --stack": (
            "nie działa żaden lokalny stos: uruchom go przez `make up` albo wskaż wdrożony przez --stack"
        ),
        "CloudWatch log group /aws/lambda/{function}": "grupa logów CloudWatch /aws/lambda/{function}",
        "the desk failed; its log says why: {log}": "funkcja desk zawiodła; dlaczego, mówi log: {log}",
        (
            "no exchange database is known here: give --erp-url, ERP_URL or --stack, or start a local stack with "
            "`make up`"
        ): (
            "nie wiadomo, gdzie jest baza wymiany: podaj --erp-url, ERP_URL albo --stack lub uruchom lokalny stos "
            "przez `make up`"
        ),
        "there is no SQLite file {file}": "nie ma pliku SQLite {file}",
        "(in memory)": "(w pamięci)",
        # --- wrong arguments
        "give a client or a --group, not both": "podaj klienta albo --group, nie oba naraz",
        "{text} is no moment; write it {written}": "{text} nie jest czasem; napisz {written}",
        "like 2026-11-27T14:00, in UTC": "na przykład 2026-11-27T14:00, w UTC",
        "as `kartoteka plan` prints it": "tak, jak wypisuje go `kartoteka plan`",
        "give a reason of your own; {word} is the brake's": "podaj własny powód; {word} jest słowem hamulca",
        "say what is meant: ids, or --concern, or --all": "powiedz, o co chodzi: numery, --concern albo --all",
        "--group is for {concerns}: {concern} has no groups": "--group jest dla {concerns}: {concern} nie ma grup",
        "Missing argument 'CONCERN'.": "Brakuje argumentu 'CONCERN'.",
        "name a run, or give --since": "podaj przebieg albo --since",
        "--until ends a span that --since begins": "--until kończy okres, który zaczyna --since",
        "--until must be later than --since": "--until musi być późniejsze niż --since",
        "--json cannot ask before it writes: add --yes": "--json nie może pytać przed zapisem: dodaj --yes",
        "--first-contact compares clients: name the exchange database too, or a stack": (
            "--first-contact porównuje klientów: podaj też bazę wymiany albo stos"
        ),
        # --- the doctor's frame
        "(asks first: {writes})": "(najpierw pyta: {writes})",
        "{title}: at most so many more": "{title}: najwyżej tyle więcej",
        "{title}: {writes}. Go on?": "{title}: {writes}. Robić?",
        "policy: {setting}": "polityka: {setting}",
        "{levels}; {calls}.": "{levels}; {calls}.",
        "A policy with the settings above:": "Polityka z powyższymi ustawieniami:",
        "{panel}: at most {calls} that only read": "{panel}: tylko czyta; najwyżej {calls}",
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
        "day": "dzień",
        "fields": "pola",
        "rows": "wiersze",
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
        "found_by": "znalezione przez",
        "matched_by": "znalezione po",
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


def _of_pages(kind: str) -> Mapping[str, str]:
    """Return the pages' words of a kind (``act``), by the word that programs see."""
    return {name.removeprefix(f"{kind}."): both[0] for name, both in TEXTS.items() if name.startswith(f"{kind}.")}


CELLS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "action": _of_pages("act"),
        "reason": _of_pages("reason"),
        "found_by": _of_pages("found_by"),
        "decision": _of_pages("word"),
        "direction": {name: TEXTS[name][0] for name in ("erp_to_panel", "panel_to_erp")},
        "outcome": {"done": "wykonane", "stale": "nieaktualne", "refused": "odrzucone"},
    }
)
"""Heading -> word that programs see in that column -> what a person calls it."""

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
        "account": ("konto", "konta", "kont"),
        "new account": ("nowe konto", "nowe konta", "nowych kont"),
        "guest": ("gość", "goście", "gości"),
        "page": ("strona", "strony", "stron"),
        "code": ("kod", "kody", "kodów"),
        "place": ("miejsce", "miejsca", "miejsc"),
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
