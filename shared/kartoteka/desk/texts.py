"""The words of the pages, Polish and English, as data. A name of :data:`TEXTS` stands for the same in both."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PL, EN = "pl", "en"
LANGUAGES = (EN, PL)


def chosen(accepted: str) -> str:
    """Return which of our languages a browser asks for first (``Accept-Language``); English where none of them."""
    wanted: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, weight = part.partition(";")
        try:
            worth = float(weight.partition("=")[2] or 1)
        except ValueError:
            worth = 0.0
        wanted.append((-worth, tag.strip().lower()[:2]))
    return next((tag for worth, tag in sorted(wanted, key=lambda each: each[0]) if tag in LANGUAGES and worth), EN)


def say(name: str, lang: str, /, **facts: object) -> str:
    """Return a text in a language; a name that has none, as it is."""
    if name not in TEXTS:
        return name
    polish, english = TEXTS[name]
    return (polish if lang == PL else english).format(**facts)


def word(kind: str, text: str, lang: str) -> str:
    """Return a word of the mechanism in a language: by its kind where that has one of its own."""
    return say(f"{kind}.{text}" if f"{kind}.{text}" in TEXTS else text, lang)


def counted(name: str, n: int, lang: str) -> str:
    """Return the form of a text that goes with a number: its forms are apart by ``|``, as many as a language has."""
    forms = say(name, lang).split("|")
    few = 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14
    number = 0 if n == 1 else 1 if few or lang == EN else 2
    return forms[min(number, len(forms) - 1)]


def does(name: str, lang: str, code: str = "") -> str:
    """Return what a button does, in a line, to a record with a ``code``; empty for one that says it itself."""
    texts = (f"{name}.does.{code}", f"{name}.does")
    return next((say(each, lang) for each in texts if each in TEXTS), "")


TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # --- the frame
        "skip": ("Przejdź do treści", "Skip to content"),
        "pages": ("Strony", "Pages"),
        "find": ("Znajdź klienta", "Find a client"),
        "find.hint": ("kod, firma, e-mail, NIP", "code, company, e-mail…"),
        "search": ("Szukaj", "Search"),
        "overview": ("Stan", "Overview"),
        "conflicts": ("Konflikty", "Conflicts"),
        "questions": ("Pytania", "Questions"),
        "held": ("Wstrzymane", "Held"),
        "deferred": ("Odłożone", "Deferred"),
        "incoming": ("Nowi ze sklepu", "Incoming"),
        "excluded": ("Wyłączone", "Excluded"),
        "history": ("Historia", "History"),
        "clients": ("Klienci", "Clients"),
        "plan": ("Plan", "Plan"),
        "more": ("Dalsze wiersze", "More rows"),
        "previous": ("Początek listy", "Back to the beginning"),
        "utc": ("Czasy w UTC.", "Times in UTC."),
        "as_of": (
            "stan na {at}; czasy: {zone}, dni w zestawieniach: UTC",
            "as of {at}; times: {zone}, days in figures: UTC",
        ),
        "nothing": ("Brak wartości", "No value"),
        # --- what is said of each list
        "conflicts.lead": (
            (
                "To samo pole zmieniono po obu stronach: w ERP i w panelu sklepu. Wybierz, która wartość ma zostać; reszta "
                "danych klienta jest przenoszona bez czekania."
            ),
            "The same field was edited on both sides. Choose the value that stays; the client's other fields go on.",
        ),
        "questions.lead": (
            (
                "Nie wiadomo, które konto sklepu należy do klienta. Porównaj dane: połącz z kontem albo załóż nowe. Otwarcie "
                "tej strony pyta panel sklepu o dane kont."
            ),
            (
                "It cannot be told which account is this client's. Compare the data: link one, or open a new account. Opening "
                "this page asks the shop's panel for the accounts."
            ),
        ),
        "questions.read": (
            "Dane kont odczytano z panelu przed chwilą: jedno wywołanie na każde sto kont tej strony.",
            "The accounts were read from the panel just now: a call for each hundred accounts of this page.",
        ),
        "questions.unread": (
            "Panel sklepu teraz nie odpowiedział, więc danych kont nie ma z czym porównać. Otwórz stronę jeszcze raz.",
            "The shop's panel did not answer now, so there is nothing to compare with. Open the page again.",
        ),
        "questions.rest": (
            (
                "Konto, którego nie wybierzesz, zostaje w sklepie jako osobny klient i może pojawić się na stronie Nowi ze "
                "sklepu; możesz je tam zostawić bez odpowiedzi."
            ),
            (
                "An account that you do not choose stays in the shop as a customer of its own, and may be listed under "
                "Incoming; you may leave it there unanswered."
            ),
        ),
        "questions.differs": ("inne niż w ERP", "not as in the ERP"),
        "questions.change": ("Zmień decyzję: połącz z tym kontem", "Change the decision: link this account"),
        "questions.change.create": ("Zmień decyzję: załóż nowe konto", "Change the decision: open a new account"),
        "held.lead": (
            "Te rekordy czekają na człowieka albo na poprawkę wiersza w ERP. Po poprawce ruszą same.",
            "These records wait for a person, or for a correction of the ERP's row. They then go on by themselves.",
        ),
        "deferred.lead": (
            "Te rekordy zostaną przeniesione same. Nie trzeba nic robić; przyciskiem możesz to tylko przyspieszyć.",
            "These records will be carried by themselves. Nothing needs to be done; the button only makes it sooner.",
        ),
        "incoming.lead": (
            "Zarejestrowali się w sklepie, a ERP nie ma jeszcze ich kartoteki. Podaj kod klienta, gdy powstanie.",
            "They registered in the shop and the ERP has no client yet. Give its code once there is one.",
        ),
        "incoming.resembles": (
            (
                "Uwaga: to konto było jednym z kont do wyboru dla klienta albo ma ten sam e-mail, telefon lub NIP co jego "
                "konto. To może być drugie konto tej samej osoby; wtedy nie zakładaj kartoteki i zostaw je bez odpowiedzi:"
            ),
            (
                "Mind: this account was one of the choices for a client, or has the same e-mail, phone or tax number as its "
                "account. It may be a second account of the same person; then enter no client and leave it unanswered:"
            ),
        ),
        "excluded.lead": (
            "Tych rekordów synchronizacja nie rusza, z podanego powodu.",
            "Synchronisation leaves these records alone, for the reason given.",
        ),
        "history.lead": (
            (
                "Każde pole zapisane po którejkolwiek stronie: przed, po, dlaczego i w którym przebiegu. Cofnięcie jest "
                "najpierw tylko planowane: zobaczysz je i zatwierdzisz na stronie Plan."
            ),
            (
                "Each field that was written on either side: before, after, why, and by which run. An undo is only planned "
                "at first: you see and approve it on the page Plan."
            ),
        ),
        "clients.lead": (
            "Klienci z ERP i ich konta w panelu sklepu.",
            "The ERP's clients and their accounts in the shop's panel.",
        ),
        "plan.lead": (
            "Co zostałoby zrobione. Bez zatwierdzenia nic nie jest zapisywane.",
            "What would be done. Nothing is written before it is approved.",
        ),
        "conflicts.none": ("Nie ma konfliktów.", "There are no conflicts."),
        "questions.none": ("Nie ma pytań.", "There are no questions."),
        "held.none": ("Nic nie jest wstrzymane.", "Nothing is held."),
        "deferred.none": ("Nic nie jest odłożone.", "Nothing is deferred."),
        "incoming.none": ("Nikt nie czeka.", "Nobody is waiting."),
        "excluded.none": ("Nic nie jest wyłączone.", "Nothing is excluded."),
        "history.none": ("Nic jeszcze nie zapisano.", "Nothing was written yet."),
        "clients.none": (
            "Nie znaleziono klienta: ERP nie ma takiego wiersza albo jeszcze go nie zapisał w bazie wymiany.",
            "No client was found: the ERP has no such row, or has not written it into the exchange database yet.",
        ),
        "clients.no_account": ("bez konta", "no account"),
        "blocked": ("Zostaną zablokowani", "Will be blocked"),
        "blocked.lead": (
            "Klienci, którzy zbliżają się do limitu kredytu lub go przekroczyli, i ci z zaległościami, według ERP.",
            "Clients near their credit limit or over it, and those with something past its date, as the ERP says.",
        ),
        "blocked.none": ("Nikt nie zbliża się do limitu.", "Nobody is near a limit."),
        "blocked.used": ("Wykorzystane", "Used"),
        "blocked.now": ("zablokowany", "blocked"),
        "blocked.above_allowed": ("zaległości powyżej progu", "more overdue than is allowed"),
        "blocked.past_due": ("ma zaległości", "something is overdue"),
        "blocked.over_limit": ("limit wykorzystany", "limit used up"),
        "blocked.near_limit": ("blisko limitu", "near the limit"),
        "blocked.some": (
            "Klienci blisko limitu kredytu, ponad nim lub z zaległościami: {n}",
            "Clients near their credit limit, over it, or overdue: {n}",
        ),
        "plan.none": ("Nic nie jest zaplanowane.", "Nothing is planned."),
        "plan.all": ("wszystko: {n}", "everything: {n}"),
        "plan.forecast": (
            "Wykonanie zajmie około {minutes} min i {calls} wywołań panelu.",
            "Carrying it out takes about {minutes} min and {calls} calls of the panel.",
        ),
        # --- columns
        "client": ("Klient", "Client"),
        "group": ("Grupa", "Group"),
        "concern": ("Zakres", "Concern"),
        "field": ("Pole", "Field"),
        "erp": ("ERP", "ERP"),
        "panel": ("Panel", "Panel"),
        "base": ("Ostatnio zgodne", "Last agreed"),
        "since": ("Od", "Since"),
        "next_try": ("Następna próba", "Next try"),
        "why": ("Przyczyna i co zrobić", "Cause and remedy"),
        "decision": ("Decyzja", "Decision"),
        "account": ("Konto", "Account"),
        "login": ("Login", "Log-in"),
        "code": ("Kod", "Code"),
        "at": ("Kiedy", "When"),
        "direction": ("Kierunek", "Direction"),
        "before": ("Przed", "Before"),
        "after": ("Po", "After"),
        "reason": ("Powód", "Why"),
        "run": ("Przebieg", "Run"),
        "state": ("Stan", "State"),
        "seen": ("Widziany", "Seen"),
        "next": ("Co dalej", "What happens next"),
        "action": ("Działanie", "Action"),
        "choose": ("Wybierz", "Choose"),
        "matched_by": ("znalezione przez: {rule}", "found by: {rule}"),
        "external_code": ("kod zewnętrzny", "external code"),
        "mail": ("e-mail", "e-mail"),
        "tax_number": ("numer podatkowy", "tax number"),
        "telephone": ("telefon", "phone number"),
        "modified_at": ("zmieniono", "modified"),
        # --- answers
        "decide.erp": ("Zostaw wartość z ERP", "Keep the ERP's value"),
        "decide.panel": ("Zostaw wartość z panelu", "Keep the panel's value"),
        "erp_wins": ("Zostaw z ERP", "Keep the ERP's"),
        "panel_wins": ("Zostaw z panelu", "Keep the panel's"),
        "chosen": ("Zaznaczone:", "Those chosen:"),
        "link": ("Połącz z tym kontem", "Link this account"),
        "create": ("Załóż nowe konto", "Open a new account"),
        "retry": ("Spróbuj teraz", "Retry now"),
        "done": ("Zrobione ręcznie", "Done by hand"),
        "send": ("Wyślij mimo to", "Send it"),
        "answer": ("Zapisz kod", "Save the code"),
        "resync": ("Porównaj od nowa", "Resync"),
        "resume": ("Wznów", "Resume"),
        "resume.confirm": ("Przepuść i wznów", "Let it pass and resume"),
        "pause": ("Zatrzymaj", "Pause"),
        "approve": ("Zatwierdź zaznaczone", "Approve those chosen"),
        "reject": ("Odrzuć zaznaczone", "Reject those chosen"),
        "approve.all": ("Zatwierdź całą listę", "Approve the whole list"),
        "decided": ("Zdecydowano: {word}", "Decided: {word}"),
        "decided.by": ("zdecydował(a): {by}", "decided by {by}"),
        "decided.some": ("zdecydowano: {n}", "decided: {n}"),
        "decided.conflict": (
            "Zdecydowano: {field}, zostaje {word}",
            "Decided: {field}, {word} stays",
        ),
        "decided.stays": ("zostaje {word}", "{word} stays"),
        "decided.yes": ("Zdecydowano", "Decided"),
        # --- when
        "when.soon": ("Zostanie to wykonane w ciągu minuty.", "It is carried out within a minute."),
        "when.planned": (
            "Trafi najpierw do planu i czeka tam na zatwierdzenie.",
            "It goes into the plan first, and waits there to be approved.",
        ),
        "when.paused": (
            "Zostanie to wykonane dopiero po wznowieniu; zatrzymano: {what}.",
            "It is carried out once this is resumed; paused: {what}.",
        ),
        "when.some": (
            "Co dotyczy zatrzymanych zakresów, czeka na wznowienie: {what}.",
            "What is about a paused concern waits until it is resumed: {what}.",
        ),
        "when.off": (
            "Harmonogramy są wyłączone, więc samo nic nie rusza: na stronie Stan naciśnij „Synchronizuj teraz”.",
            "The schedules are off, so nothing starts by itself: press 'Synchronise now' on the page Overview.",
        ),
        "paused.dated": ("{concern}, od {since} ({reason})", "{concern}, since {since} ({reason})"),
        "paused.undated": ("{concern} ({reason})", "{concern} ({reason})"),
        "means.accounts": (
            "nowe konta nie powstają, a istniejące nie są łączone, otwierane ani zamykane",
            "no new accounts are opened, and none are linked, reopened or closed",
        ),
        "means.billing": (
            "zmiany danych klientów nie są przenoszone w żadną stronę",
            "no edit of a client's data is carried, either way",
        ),
        "means.delivery_addresses": (
            "zmiany adresów dostaw nie są przenoszone w żadną stronę",
            "no edit of a delivery address is carried, either way",
        ),
        "means.shops": ("zmiany listy sklepów klienta nie są wysyłane", "no change of a client's shops is sent"),
        "means.discounts": ("grupy rabatowe i ceny nie są wysyłane", "no discount groups and prices are sent"),
        "means.credit": ("limity i salda nie są wysyłane", "no limits and balances are sent"),
        "means.panel_feed": (
            "panel nie jest pytany, co w nim zmieniono, więc edycje z panelu i nowi klienci sklepu czekają",
            "the panel is not asked what was edited there, so its edits and new customers wait",
        ),
        "retry.does": (
            "kasuje czekanie: rekord zostanie sprawdzony i wysłany od nowa",
            "ends the waiting: the record is checked and sent afresh",
        ),
        "retry.does.closed_in_panel": (
            "otwiera zamknięte konto: klient znów może się zalogować i kupować",
            "reopens the account: the client can log in and buy again",
        ),
        "done.does": (
            "załatwiono to poza Kartoteką: rekord nie jest dalej ruszany",
            "it was settled outside Kartoteka: the record is left alone from now on",
        ),
        "send.does": (
            "wysyła do panelu sklepu wartość, którą zatrzymano do potwierdzenia",
            "sends the value that was stopped for confirmation to the shop's panel",
        ),
        "include.does": (
            "klient jest znów synchronizowany w tym zakresie",
            "the client is synchronised again in this concern",
        ),
        "forget.allow.does": (
            "klient może znów mieć konto, jeśli nadal jest w ERP",
            "the client may have an account again, if the ERP still has it",
        ),
        "word.erp": ("wartość z ERP", "the ERP's value"),
        "word.panel": ("wartość z panelu", "the panel's value"),
        "word.retry": ("spróbuj teraz", "retry now"),
        "word.done": ("zrobione ręcznie", "done by hand"),
        "word.send": ("wyślij mimo to", "send it"),
        "word.link": ("połącz", "link"),
        "word.create": ("załóż nowe", "open a new one"),
        "word.approve": ("zatwierdzone", "approved"),
        "word.reject": ("odrzucone", "rejected"),
        # --- said after an action
        "did.conflicts/decide": (
            "Zapisano decyzję w konfliktach: {done}; zostaje {word}.",
            "Conflicts decided: {done}; {word} stays.",
        ),
        "did.questions/link": (
            "Zapisano: klient zostanie połączony z tym kontem.",
            "Saved: the client is linked to this account.",
        ),
        "did.questions/create": (
            "Zapisano: klient dostanie nowe konto.",
            "Saved: a new account is opened for the client.",
        ),
        "did.held/decide": (
            "Zapisano decyzję dla rekordów: {done} ({word}).",
            "Decided for records: {done} ({word}).",
        ),
        "did.incoming/link": ("Zapisano kod klienta.", "The client's code is saved."),
        "did.exclude": (
            "Zapisano: klient jest pomijany w zakresie {concern}.",
            "Saved: the client is left alone in {concern}.",
        ),
        "did.include": (
            "Zapisano: klient wraca do zakresu {concern}; zostanie sprawdzone, co zmieniono w międzyczasie.",
            "Saved: the client is looked after again in {concern}; what was edited meanwhile is looked at.",
        ),
        "did.pause": (
            "{concern}: zatrzymano. Do wznowienia {means}.",
            "{concern}: paused. Until it is resumed {means}.",
        ),
        "did.resume": ("{concern}: działa dalej.", "{concern}: goes on."),
        "did.resync": (
            "Klient czeka w kolejce i zostanie porównany od nowa.",
            "The client is in the queue and will be compared afresh.",
        ),
        "did.tick": (
            "Synchronizacja ruszyła; jej liczby będą tu za chwilę.",
            "Synchronisation has started; its figures will be here in a moment.",
        ),
        "did.redrive": (
            "Wiadomości wracają do kolejki: {done}. Te, których dalej nie da się wykonać, wrócą na tę listę.",
            "Messages back in the queue: {done}. Those that still cannot be worked come back here.",
        ),
        "did.plan/approve": ("Zatwierdzono wierszy: {done}.", "Rows approved: {done}."),
        "did.plan/reject": ("Odrzucono wierszy: {done}.", "Rows rejected: {done}."),
        "did.undo": (
            (
                "Do przywrócenia wierszy: {done}. Przejrzyj je i zatwierdź; do tego czasu nic nie jest zapisywane. Pól "
                "zmienionych od tamtej pory, których cofnięcie nie ruszy: {left}."
            ),
            (
                "Rows to be restored: {done}. Look at them and approve; until then nothing is written. Fields edited "
                "since, which are left alone: {left}."
            ),
        ),
        "too_many": (
            (
                "{concern}: zapisanych zostałoby rekordów: {records}, a obsługiwanych jest {of}. Poza planem hamulec by to "
                "zatrzymał; tutaj nic nie jest zapisywane bez zatwierdzenia."
            ),
            (
                "{concern}: {records} records would be written, {of} are looked after. Were it no plan, the brake would "
                "stop that; here nothing is written before it is approved."
            ),
        ),
        # --- undo
        "undo": ("Cofnij ten przebieg", "Undo this run"),
        "undo.client": ("Cofnij u tego klienta", "Undo for this client"),
        "undo.figures": (
            "{concern}: tych wartości ({n}) nie cofa się, bo są z ERP. Popraw {where} w ERP; poprawka pójdzie do panelu.",
            "{concern}: these values ({n}) are the ERP's and are not undone. Correct {where} in the ERP; it then travels.",
        ),
        "undo.gone": (
            (
                "{concern}: nie ma już wiersza w ERP albo konta (pól: {n}). Przywróć wiersz w ERP, jeśli ma wrócić; "
                "wartości są w historii."
            ),
            (
                "{concern}: the ERP's row or the account is not there any more ({n} fields). Insert the row in the ERP "
                "again if it is to come back; the values stand in the history."
            ),
        ),
        "undo.added": (
            "{concern}: dodanych adresów nie cofa się (pól: {n}). Usuń adres w ERP i w panelu.",
            "{concern}: an address that was added is not undone ({n} fields). Delete it in the ERP and in the panel.",
        ),
        "undo.taken": (
            "{concern}: wartości usunięto z historii po okresie przechowywania (pól: {n}). Wpisz je w ERP z kopii.",
            "{concern}: retention has taken the values ({n} fields). Write them into the ERP from a backup.",
        ),
        "undo.off": (
            "{concern}: wyłączone w polityce, więc nic nie jest tam zapisywane (pól: {n}). Włącz je i cofnij jeszcze raz.",
            "{concern}: off in the policy, so that nothing is written there ({n} fields). Switch it on and undo again.",
        ),
        "plan.paused": (
            "{concern}: zatrzymane ({reason}). Co tu zatwierdzono, także cofnięcia, czeka na wznowienie.",
            "{concern}: paused ({reason}). What is approved of it, an undo too, waits until it is resumed.",
        ),
        "plan.off": (
            "{concern}: wyłączone w polityce. Niczego stąd nie wykona żaden przebieg, a zaplanowane cofnięcia odrzuci.",
            "{concern}: off in the policy. No run carries anything of it out; what was to be undone it ends as refused.",
        ),
        "undo.linked": (
            "{concern}: cofniętego połączenia nie da się przywrócić cofnięciem ({n}). Odpowiedz na pytanie o klienta.",
            "{concern}: a link that was undone is not made again by an undo ({n}). Answer the client's question.",
        ),
        "bad_moment": (
            "{text} nie jest czasem; pisz na przykład 2026-11-27T14:00, w UTC.",
            "{text} is no moment; write it like 2026-11-27T14:00, in UTC.",
        ),
        "run_or_span": (
            "Podaj przebieg albo początek okresu (i najwyżej późniejszy koniec).",
            "Name a run, or the beginning of a span of time (and at most a later end).",
        ),
        "no_run": (
            "Przebieg {id} niczego nie zapisał albo go nie było.",
            "Run {id} has written nothing, or never was.",
        ),
        # --- the overview
        "waits": ("Czeka na człowieka", "Waiting for a person"),
        "waits.none": ("Nic nie czeka na człowieka.", "Nothing waits for a person."),
        "waits.conflicts": (
            "nierozstrzygnięty konflikt|nierozstrzygnięte konflikty|nierozstrzygniętych konfliktów",
            "conflict to decide|conflicts to decide",
        ),
        "waits.questions": (
            "klient, którego konto jest niepewne|klienci, których konta są niepewne|klientów, których konta są niepewne",
            "client whose account is uncertain|clients whose account is uncertain",
        ),
        "waits.held": ("wstrzymany rekord|wstrzymane rekordy|wstrzymanych rekordów", "held record|held records"),
        "waits.incoming": (
            "nowy klient ze sklepu|nowi klienci ze sklepu|nowych klientów ze sklepu",
            "customer new from the shop|customers new from the shop",
        ),
        "waits.plan": (
            "zaplanowana zmiana do zatwierdzenia|zaplanowane zmiany do zatwierdzenia|zaplanowanych zmian do zatwierdzenia",
            "planned change to be approved|planned changes to be approved",
        ),
        "waits.unread": (
            (
                "rekord, o którym panel milczy od czterech godzin|rekordy, o których panel milczy od czterech godzin|"
                "rekordów, o których panel milczy od czterech godzin"
            ),
            (
                "record about which the panel has not answered for four hours|"
                "records about which the panel has not answered for four hours"
            ),
        ),
        "waits.triggers": (
            "tabele bez wyzwalaczy: {names}. Zmiany są znajdowane z opóźnieniem.",
            "tables without triggers: {names}. Changes are found late.",
        ),
        "paused": ("Zatrzymano: {what}. Do wznowienia {means}.", "Paused: {what}. Until it is resumed {means}."),
        "paused.row": ("zatrzymano {since}", "paused {since}"),
        "unseen": (
            "Klientów, których zakres Konta jeszcze nie sprawdził, więc nie ma ich w tej tabeli: {n}.",
            "Clients that Accounts has not looked at yet, and that are not in this table: {n}.",
        ),
        "braked": (
            (
                "{concern}: zatrzymane przez hamulec. Przepuścił {written}, zatrzymał klientów: {clients}, grup: {groups}. "
                "Sprawdź historię; jeśli to pomyłka, popraw wiersze w ERP, zanim wznowisz."
            ),
            (
                "{concern}: stopped by the brake. It let {written} through and stopped {clients} clients, {groups} groups. "
                "Look at the history; if it is a mistake, correct the ERP's rows before you resume."
            ),
        ),
        "summary": (
            "Klientów w ERP: {clients}; z kontem w panelu: {linked}.",
            "{clients} clients in the ERP, {linked} of them with an account in the panel.",
        ),
        "all": ("Wszystkie", "All"),
        "by_concern": ("Zakresy", "Concerns"),
        "lag": ("Najstarsza nieprzeniesiona zmiana", "Oldest change not yet carried"),
        "lag.none": ("na bieżąco", "up to date"),
        "lag.off": ("nic nie rusza samo", "nothing runs by itself"),
        "pause.is": ("zatrzymano", "paused"),
        "minutes": ("{n} min", "{n} min"),
        "hours": ("{n} godz.", "{n} h"),
        "days": ("dzień|dni|dni", "day|days"),
        "activity": ("Zapisane pola, ostatnie 24 godziny", "Fields written, last 24 hours"),
        "to_panel": ("do panelu", "to the panel"),
        "to_erp": ("do ERP", "to the ERP"),
        "calls": ("Wywołania panelu", "Panel calls"),
        "calls.days": ("Wywołania panelu dziennie", "Panel calls a day"),
        "calls.used": (
            "{used} w tym miesiącu; w tym tempie {forecast} na koniec miesiąca.",
            "{used} this month; {forecast} at its end, if it goes on like this.",
        ),
        "calls.budget": ("Budżet: {budget}.", "Budget: {budget}."),
        "calls.over": ("Prognoza przekracza budżet.", "The forecast is over the budget."),
        "calls.none": ("Brak danych o wywołaniach.", "Nothing is known of calls."),
        "runs": ("Ostatnie przebiegi", "Last runs"),
        "not_shown": ("Wysłane, nie pokazywane przez panel", "Sent, not shown by the panel"),
        "records": ("Rekordy", "Records"),
        "reconciled": ("Uzgodnione", "Reconciled"),
        "written_to_panel": ("Do panelu", "To the panel"),
        "written_to_erp": ("Do ERP", "To the ERP"),
        "panel_calls": ("Wywołania", "Calls"),
        "running": ("Kolejki i alarmy", "Queues and alarms"),
        "queue.waiting": ("Czeka", "Waiting"),
        "queue.in_flight": ("W toku", "In flight"),
        "queue.dead": ("Nieudane", "Dead letters"),
        "tick": ("Synchronizuj teraz", "Synchronise now"),
        "redrive": ("Spróbuj ponownie", "Try again"),
        "alarms.none": ("Żaden alarm nie dzwoni.", "No alarm rings."),
        "alarms.unknown": (
            "Tej instalacji nie pilnują żadne alarmy, albo nie wolno ich stąd czytać: zaglądaj tu.",
            "No alarms watch this installation, or they may not be read from here: look here yourself.",
        ),
        "alarms.ringing": ("{name} dzwoni od {since}", "{name} rings since {since}"),
        # --- the daily message (its subject is ASCII: SNS takes no other)
        "mail.subject": ("Kartoteka {stack}: do zrobienia {n}", "Kartoteka {stack}: {n} waiting for a person"),
        "mail.head": (
            "Kartoteka ({stack}): co czeka na człowieka, stan na {at} {zone}.",
            "Kartoteka ({stack}): what waits for a person, as of {at} {zone}.",
        ),
        "mail.since": ("(od {at})", "(since {at})"),
        "mail.alarm": ("Dzwoni alarm {code}: zob. docs/runbook.md", "The alarm {code} rings: see docs/runbook.md"),
        "mail.conflicts": (
            "Konflikty do rozstrzygnięcia: {n}; strona Konflikty",
            "Conflicts to decide: {n}; page Conflicts",
        ),
        "mail.questions": (
            "Klienci, których konto jest niepewne: {n}; strona Pytania",
            "Clients whose account is uncertain: {n}; page Questions",
        ),
        "mail.held": (
            "Wstrzymane, {concern}, przyczyna {code}: {n}; strona Wstrzymane",
            "Held, {concern}, cause {code}: {n}; page Held",
        ),
        "mail.incoming": (
            "Nowi klienci ze sklepu bez kartoteki w ERP: {n}; strona Nowi ze sklepu",
            "Customers of the shop without a client in the ERP: {n}; page Incoming",
        ),
        "mail.plan": ("Zaplanowane, do zatwierdzenia: {n}; strona Plan", "Planned, to be approved: {n}; page Plan"),
        "mail.paused": (
            "Zakres {concern} jest wstrzymany, powód: {code}; strona Stan",
            "{concern} is paused, reason: {code}; page Overview",
        ),
        "mail.unread": (
            "Rekordy, o których panel milczy od czterech godzin: {n}; strona Stan",
            "Records about which the panel has not answered for four hours: {n}; page Overview",
        ),
        "mail.triggers": (
            "Tabela bez wyzwalaczy: {code}; zmiany są znajdowane z opóźnieniem; kartoteka schema upgrade",
            "A table without triggers: {code}; changes are found late; kartoteka schema upgrade",
        ),
        "mail.dead": (
            "Nieudane wiadomości kolejki {concern}: {n}; zob. docs/runbook.md, potem kartoteka redrive {name}",
            "Dead letters of {concern}: {n}; see docs/runbook.md, then kartoteka redrive {name}",
        ),
        "mail.foot": (
            "Strony otwiera polecenie: kartoteka desk --stack {stack}. Gdy nic nie czeka, wiadomość nie przychodzi.",
            "This command opens the pages: kartoteka desk --stack {stack}. When nothing waits no message comes.",
        ),
        # --- one client
        "differences": ("Rozbieżności", "Differences"),
        "differences.lead": (
            (
                "Co w ostatnich 30 dniach okazało się różne po obu stronach i zostało poprawione: przez dzienny przegląd, "
                "odczyt zmian i przegląd adresów."
            ),
            (
                "What was found to differ between the two sides in the last 30 days and was corrected: by the daily scan, "
                "the reading of changes, and the pass over addresses."
            ),
        ),
        "differences.none": ("Niczego nie trzeba było poprawiać.", "Nothing had to be corrected."),
        "differences.corrected": ("poprawione", "corrected"),
        "differences.open": ("Różne są nadal:", "Still different:"),
        "differences.not_taken": ("nieprzyjęte wartości: {n}", "values not taken: {n}"),
        "differences.by_day": ("Poprawione pola dziennie", "Fields corrected by day"),
        "differences.fields": ("Pola", "Fields"),
        "differences.records": ("Rekordy", "Records"),
        "differences.show": ("Pokaż", "Show them"),
        "day": ("Dzień", "Day"),
        "csv": ("Pobierz jako CSV", "Download as CSV"),
        "only.client_id": ("Tylko klient", "Only the client"),
        "only.group_id": ("Tylko grupa", "Only the group"),
        "only.run_id": ("Tylko przebieg", "Only the run"),
        "only.code": ("Tylko", "Only"),
        "only.day": ("Tylko dzień", "Only the day"),
        "only.field": ("Tylko pole", "Only the field"),
        "only.found_by": ("Tylko znalezione przez", "Only what was found by"),
        "only.reason": ("Tylko powód", "Only the reason"),
        "only.text": ("Zawiera", "Contains"),
        "only.not": ("pokaż wszystkie", "show all"),
        "client.plan": ("Zaplanowane dla tego klienta", "Planned for this client"),
        "client.why_not": ("Dlaczego nie ma go w sklepie:", "Why it is not in the shop:"),
        "client.closed": (
            "Konto jest zamknięte: klient nie może się zalogować ani kupować.",
            "The account is closed: the client can neither log in nor buy.",
        ),
        "client.closed.erp": (
            "Tak jest w ERP: pole „{field}” ma tam wartość „nie”.",
            "That is the ERP's word: '{field}' is 'no' there.",
        ),
        "client.closed.in_step": (
            "Dane konta są zgodne z ERP.",
            "The account's data agree with the ERP.",
        ),
        "client.waits_paused": (
            "Czeka, bo zatrzymano: {what}. Po wznowieniu jego konto zostanie znalezione albo założone.",
            "It waits because this is paused: {what}. Once resumed its account is found, or opened.",
        ),
        "client.excluded": ("Powód wyłączenia: {reason}", "Excluded because: {reason}"),
        "client.forgotten": (
            "Klient został zapomniany: nie ma konta i żadne dla niego nie powstanie.",
            "The client was forgotten: it has no account, and none is opened for it.",
        ),
        "client.missing": ("brakuje", "missing"),
        "client.wrong": ("do poprawy w ERP", "to be corrected in the ERP"),
        "client.held": ("Wstrzymane rekordy tego klienta", "This client's held records"),
        "client.credit": ("Kredyt według ERP", "Credit, as the ERP has it"),
        "client.credit.sent": ("Ostatnio wysłano: {field} {value}, {at}.", "Last sent: {field} {value}, {at}."),
        "client.credit.never": ("Niczego jeszcze nie wysłano.", "Nothing was sent yet."),
        "client.prices": ("Ceny grupy rabatowej {name}", "Prices of the discount group {name}"),
        "client.prices.none": ("Grupa nie ma cen w ERP.", "The group has no prices in the ERP."),
        "client.prices.more": ("Pierwsze {shown} z {count}.", "The first {shown} of {count}."),
        "client.prices.history": ("Historia grupy i jej cen", "History of the group and its prices"),
        "client.no_group": (
            "ERP nie ma grupy o tym kodzie (tabela discount_groups).",
            "The ERP has no group of this id (table discount_groups).",
        ),
        "product": ("Towar", "Product"),
        "item.product": ("towar", "product"),
        "item.producer": ("producent", "producer"),
        "item.series": ("seria", "series"),
        "item.category": ("kategoria", "category"),
        "item.menu_item": ("pozycja menu", "menu item"),
        "price.sent": ("Wysłano do panelu", "Sent to the panel"),
        "price.refused": ("odrzucona", "refused"),
        "yes": ("tak", "yes"),
        "no": ("nie", "no"),
        "client.fresh": ("Odczytaj panel teraz", "Read the panel now"),
        "client.fresh.cost": ("kosztuje jedno lub kilka wywołań", "costs a call or a few"),
        "client.last_known": (
            "Kolumna Panel to panel sklepu (IdoSell): to, co ostatnio pokazał.",
            "The column Panel is the shop's panel (IdoSell), as it was last known to show.",
        ),
        "client.is_fresh": ("Panel odczytano przed chwilą.", "The panel was read just now."),
        "client.no_account": ("Nie ma jeszcze konta w panelu.", "There is no account in the panel yet."),
        "client.account": ("Konto {login}, numer {id}", "Account {login}, number {id}"),
        "client.in_step": ("Wszystko jest zgodne.", "Everything is in step."),
        "client.changes": (
            "Zmiany, które czekają na przeniesienie: {n}.",
            "Changes that wait to be carried: {n}.",
        ),
        "client.planned": (
            "Zaplanowane, zapisane dopiero po zatwierdzeniu: {n}",
            "Planned, written once it is approved: {n}",
        ),
        "client.not_yet": (
            "Nie szukano jeszcze jego konta w sklepie; gdy go nie ma, zostanie założone.",
            "Its account was not looked for in the shop yet; where there is none, one is opened.",
        ),
        "client.not_in_step": ("Nie jest zgodne:", "Not in step:"),
        "client.asks": (
            "Najpierw panel zostanie zapytany, co pokazuje.",
            "First the panel will be asked what it shows.",
        ),
        "client.failed": ("Nie udało się zapytać: {code}", "Could not be asked: {code}"),
        "to.plan": ("Przejrzyj i zatwierdź", "Review and approve"),
        "to.conflicts": ("Rozstrzygnij tutaj", "Decide here"),
        "to.question": ("Odpowiedz tutaj", "Answer it here"),
        "client.off": ("wyłączone w polityce", "off in the policy"),
        "sent_yet": ("jeszcze nie pokazane", "not shown yet"),
        "sent_only": ("panel tego nie pokazuje", "not shown by the panel"),
        # --- words of the mechanism
        "accounts": ("Konta", "Accounts"),
        "billing": ("Dane klienta", "Billing"),
        "delivery_addresses": ("Adresy dostaw", "Delivery addresses"),
        "shops": ("Sklepy", "Shops"),
        "discounts": ("Rabaty", "Discounts"),
        "credit": ("Kredyt kupiecki", "Credit"),
        "panel_feed": ("Odczyt panelu", "Panel feed"),
        "in_step": ("zgodne", "in step"),
        "pending": ("odłożone", "pending"),
        "waiting": ("czeka", "waiting"),
        "conflict": ("konflikt", "conflict"),
        "state.held": ("wstrzymane", "held"),
        "state.excluded": ("wyłączone", "excluded"),
        "erp_to_panel": ("ERP → panel", "ERP → panel"),
        "panel_to_erp": ("panel → ERP", "panel → ERP"),
        "reason.edit": ("zmiana", "edit"),
        "reason.create": ("założenie", "creation"),
        "reason.first_contact": ("pierwsze porównanie", "first contact"),
        "reason.conflict": ("decyzja człowieka", "a person's decision"),
        "reason.drift": ("korekta odchylenia", "drift corrected"),
        "reason.undo": ("cofnięcie", "undo"),
        "pause.operator": ("decyzja człowieka", "a person's decision"),
        "pause.brake": ("hamulec", "the brake"),
        "linked_by.created": ("założone przez Kartotekę", "opened by Kartoteka"),
        "linked_by.external_code": ("połączone po kodzie zewnętrznym", "linked by external code"),
        "linked_by.nip": ("połączone po NIP", "linked by tax number"),
        "linked_by.email": ("połączone po e-mailu", "linked by e-mail"),
        "linked_by.phone": ("połączone po telefonie", "linked by phone"),
        "linked_by.incoming": ("zarejestrowane w sklepie", "registered in the shop"),
        "linked_by.operator": ("wskazane przez człowieka", "named by a person"),
        "found_by": ("Znalazł to", "Found by"),
        "found_by.change_log": ("zmiana w ERP", "a change in the ERP"),
        "found_by.full_scan": ("dzienny przegląd", "the daily scan"),
        "found_by.panel_feed": ("odczyt zmian panelu", "the panel's feed"),
        "found_by.address_pass": ("przegląd adresów", "the address pass"),
        "found_by.group_reading": ("dzienny odczyt grup", "the daily reading of groups"),
        "found_by.dates": ("nadejście terminu", "a date that came"),
        "found_by.retry": ("ponowna próba", "a retry"),
        "found_by.plan": ("zatwierdzony plan", "an approved plan"),
        "found_by.resync": ("ponowne porównanie", "a resync"),
        "found_by.following": ("praca nad innym rekordem", "work on another record"),
        "act.create": ("założy konto", "opens an account"),
        "act.link": ("połączy", "links"),
        "act.open": ("otworzy konto", "opens the account"),
        "act.close": ("zamknie konto", "closes the account"),
        "act.adopt": ("przejmie", "adopts"),
        "act.update": ("zapisze", "writes"),
        "act.add": ("doda", "adds"),
        "act.remove": ("usunie", "removes"),
        "act.conflict": ("konflikt", "conflict"),
        "act.question": ("pytanie", "question"),
        "act.held": ("wstrzyma", "holds"),
        # --- forget
        "forget": ("Zapomnij klienta", "Forget the client"),
        "forget.lead": (
            "Wszystko, co Kartoteka przechowuje o kliencie {id}, zostanie usunięte. Nie da się tego cofnąć.",
            "Everything that Kartoteka keeps of client {id} is erased. That cannot be taken back.",
        ),
        "forget.erased": ("Usuwane wiersze", "Rows that are erased"),
        "forget.kept": (
            "Zostaje w ERP (usuwa je właściciel tych danych)",
            "Kept by the ERP, which erases it itself",
        ),
        "forget.account": (
            "Konto {id} i jego zamówienia zostają w panelu; wybierz, co z kontem zrobić.",
            "Account {id} and its orders stay in the panel; choose what becomes of the account.",
        ),
        "forget.account.keep": ("Konto {id} zostaje w panelu bez zmian.", "Account {id} stays in the panel as it is."),
        "forget.account.close": (
            "Konto {id} jest zamknięte; jego dane i zamówienia zostają w panelu.",
            "Account {id} is closed; its data and orders stay in the panel.",
        ),
        "forget.account.erase": (
            "Panel usunął dane konta {id} i je zablokował; zamówienia zostają.",
            "The panel has erased the data of account {id} and blocked it; its orders stay.",
        ),
        "forget.keep": ("zostaje bez zmian", "stays as it is"),
        "forget.close": ("zostaje zamknięte", "is closed"),
        "forget.erase": ("panel usuwa jego dane i je blokuje", "the panel erases its data and blocks it"),
        "forget.what": ("Konto w panelu", "The panel's account"),
        "forget.confirm": ("Wpisz kod klienta, aby potwierdzić", "Type the client's code to confirm"),
        "forget.button": ("Usuń nieodwracalnie", "Erase for good"),
        "forget.nothing": ("Nic o nim nie jest przechowywane.", "Nothing is kept of it."),
        "forget.is": (
            "Klient jest zapomniany: nie powstanie dla niego konto i żadne nie zostanie z nim połączone.",
            "The client is forgotten: no account is opened for it, and none is linked to it.",
        ),
        "forget.allow": ("Synchronizuj go znowu", "Synchronise it again"),
        "forget.hint": (
            "Niczego nie usunięto; aby usunąć klienta {id}, dodaj --yes.",
            "Nothing was erased; add --yes to erase client {id}.",
        ),
        "forget.done": (
            "Klient {id} jest usunięty i nie wróci; usuń też jego wiersz w ERP.",
            "Client {id} is erased and does not come back; delete its row in the ERP too.",
        ),
        "forget.allowed": (
            "Klient {id} może być znowu synchronizowany.",
            "Client {id} may be synchronised again.",
        ),
        "did.forget": (
            "Usunięto wierszy: {done}. Klient nie wróci.",
            "Rows erased: {done}. The client does not come back.",
        ),
        "did.forget/allow": ("Klient może być znowu synchronizowany.", "The client may be synchronised again."),
        "not_forgotten": ("Klient {id} nie jest zapomniany.", "Client {id} is not forgotten."),
        "not_confirmed": (
            "Niczego nie usunięto: wpisany kod to nie {id}.",
            "Nothing was erased: the code that was typed is not {id}.",
        ),
        "account_refused": (
            "Niczego nie usunięto: panel odmówił dla konta {id} ({why}). Zamknij je w panelu i wybierz 'zostaje bez zmian'.",
            "Nothing was erased: the panel refused for account {id} ({why}). Close it there, then choose to keep it.",
        ),
        "not_closed": (
            "Niczego nie usunięto: panel nie pokazuje konta {id} jako zamkniętego. Powtórz to za chwilę.",
            "Nothing was erased: the panel does not show account {id} as closed. Try again in a while.",
        ),
        # --- what went wrong
        "problem": ("Nie da się", "That cannot be done"),
        "problem.back": ("Wróć do stanu", "Back to the overview"),
        "no_such_page": ("Nie ma takiej strony.", "There is no such page."),
        "rename_unknown": ("Kod {id} nie ma konta w panelu.", "The code {id} has no account."),
        "rename_stands": (
            "Wiersz klienta {id} nadal jest w clients. Usuń go (albo zmień w nim kod) i spróbuj jeszcze raz.",
            "The row of {id} still stands in clients. Delete it, or change its code, and try again.",
        ),
        "rename_linked": (
            "Klient {name} ma już własne konto; dwóch kont nie da się połączyć.",
            "Client {name} has an account of its own already; two accounts cannot be merged.",
        ),
        "rename_opening": (
            "Dla klienta {name} właśnie zakładane jest konto. Spróbuj za chwilę.",
            "An account is being opened for {name} just now. Try again in a moment.",
        ),
        "rename_erased": (
            (
                "Klient {id} został zapomniany. Aby także kod {name} nie wrócił: kartoteka forget {name}; aby klient mógł "
                "wrócić: kartoteka forget {id} --allow."
            ),
            (
                "Client {id} was erased. So that it does not come back as {name} either: kartoteka forget {name}; so "
                "that it may come back: kartoteka forget {id} --allow."
            ),
        ),
        "rename_to_erased": (
            "Kod {name} miał klient, który został zapomniany. Nadaj inny kod albo: kartoteka forget {name} --allow.",
            "{name} was the code of a client who was erased. Give another code, or: kartoteka forget {name} --allow.",
        ),
        "rename.what": ("Zmiana kodu klienta", "This client has another code now"),
        "rename.lead": (
            "Dla klienta, któremu ERP nadał inny kod: konto i historia przechodzą na nowy.",
            "For a client that the ERP has given another code: its account and its history go to the new one.",
        ),
        "rename.new": ("Nowy kod", "New code"),
        "rename": ("Zmień kod", "Rename"),
        "did.rename": ("Następny przebieg nada kontu nowy kod.", "The next run gives the account the new code."),
        "no_clients": ("Nie ma klientów: {id}.", "There are no clients {id}."),
        "no_account": (
            "Klient {id} nie ma jeszcze konta w panelu: otwiera je zakres „Konta”.",
            "Client {id} has no account in the panel yet: resync accounts opens one.",
        ),
        "no_group": ("Nie ma grupy rabatowej {id}.", "There is no discount group {id}."),
        "no_groups": ("Zakres {id} nie ma grup rabatowych.", "{id} has no discount groups."),
        "no_exclusion": (
            "Klient {id} nie jest wyłączony z zakresu {name}.",
            "Client {id} is not excluded from {name}.",
        ),
        "exclude": ("Wyłącz", "Exclude"),
        "include": ("Przywróć", "Include again"),
        "exclude.what": ("Pomijanie klienta", "Leaving this client alone"),
        "exclude.lead": (
            "W wyłączonym zakresie nic nie jest wysyłane ani zapisywane; po przywróceniu zmiany z obu stron są porównywane.",
            "Nothing is sent or written of an excluded concern; once it is included again both sides are compared.",
        ),
        "exclude.reason": ("Powód", "Reason"),
        "no_client": ("Nie ma klienta {id}.", "There is no client {id}."),
        "no_conflict": ("Nie ma konfliktu {id}.", "There is no conflict {id}."),
        "conflict_closed": (
            "Konflikt {id} jest już zamknięty; aby zmienić wartość, zmień pole po dowolnej stronie.",
            "Conflict {id} is closed already; edit the field on either side to change it.",
        ),
        "no_question": ("O klienta {id} nie ma takiego pytania.", "There is no such question about client {id}."),
        "no_incoming": ("Konto {id} nie czeka na klienta.", "Account {id} does not wait for a client."),
        "nothing_waits": ("Żaden taki rekord nie czeka.", "No such record waits."),
        "nothing_chosen": ("Nic nie zaznaczono.", "Nothing was chosen."),
        "lacks": ("Brakuje: {name}.", "It lacks: {name}."),
        "no_word": ("{name} musi być jednym z: {words}.", "{name} must be one of: {words}."),
        "bad_day": (
            "{text} nie jest dniem; pisz na przykład 2026-11-27.",
            "{text} is no day; write it like 2026-11-27.",
        ),
        "bad_figure": ("To nie jest liczba.", "That is no number."),
        "brakes_word": ("Podaj własny powód.", "Give a reason of your own."),
        "braked_already": ("Zakres {id} zatrzymał już hamulec.", "The brake has stopped {id} already."),
        "confirm": (
            (
                "{id} zatrzymał hamulec: przepuścił {written}, zatrzymał klientów: {clients}, grup: {groups}. Wznowienie "
                "wymaga potwierdzenia."
            ),
            (
                "{id} is stopped by the brake: it let {written} through and stopped {clients} clients and {groups} groups. "
                "It goes on with a confirmation only."
            ),
        ),
        "owner.own": (
            "Baza wymiany należy do tej instalacji ({id}) od {since} UTC.",
            "The exchange database is this installation's ({id}) since {since} UTC.",
        ),
        "owner.other": (
            "Baza wymiany należy do instalacji {id} od {since} UTC.",
            "The exchange database belongs to the installation {id} since {since} UTC.",
        ),
        "owner.nobody": (
            "Baza wymiany nie należy jeszcze do nikogo; będzie tej instalacji, która pierwsza na niej ruszy.",
            "The exchange database is nobody's yet; it will be the first installation's that runs on it.",
        ),
        "owner.waits": (
            "Wysyłanie ruszy o {at} UTC: do tej chwili może jeszcze trwać ostatnie wywołanie poprzedniej instalacji.",
            "It sends from {at} UTC on: until then a last call of the former installation's may be under way.",
        ),
        "takeover": (
            (
                "Baza wymiany należy do innej instalacji: {id}, od {since} UTC. Wyłącz ją najpierw. Potem 'kartoteka "
                "takeover --confirm': tamta nic już nie zapisze, a tutejsza przez {seconds} s nic nie wyśle, po czym "
                "porówna wszystko i rozstrzygnie, co tamta zaczęła."
            ),
            (
                "The exchange database belongs to another installation: {id}, since {since} UTC. Switch it off first. "
                "Then 'kartoteka takeover --confirm': that one writes nothing any more, and this one sends nothing for "
                "{seconds} s, then compares everything and settles what that one has begun."
            ),
        ),
        "takeover.done": (
            "Baza wymiany należy teraz do tej instalacji. Wysyłanie ruszy o {at} UTC, po pełnym porównaniu.",
            "The exchange database is this installation's now. It sends from {at} UTC on, and compares everything first.",
        ),
        "did.takeover": (
            "Baza wymiany należy teraz do tej instalacji.",
            "The exchange database is this installation's now.",
        ),
        "nothing_planned": ("Nie ma takiego wiersza planu: {id}.", "Nothing is planned with the id {id}."),
        "no_stack": ("Do tego potrzebny jest działający stos.", "That needs a running stack."),
        "forbidden": ("Formularz wygasł; otwórz stronę jeszcze raz.", "The form is out of date; open the page again."),
        "halted": ("Stoi: {code}", "Stopped: {code}"),
        "unavailable": (
            "Baza lub chmura teraz nie odpowiada ({code}). Spróbuj za chwilę.",
            "The database or the cloud does not answer now ({code}). Try again in a moment.",
        ),
    }
)
