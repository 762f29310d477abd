"""What `--help` says, in Polish: by the English text of a command or an option."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

HELP: Mapping[str, str] = MappingProxyType(
    {
        "Keeps customer records in step between an ERP's exchange database and an IdoSell panel.": (
            "Utrzymuje zgodność danych klientów między bazą wymiany ERP a panelem IdoSell."
        ),
        # --- options of many commands
        "The exchange database (- asks for it); else that of --stack, else ERP_URL, else the local one.": (
            "Baza wymiany (- pyta o adres); inaczej ta ze --stack, inaczej ERP_URL, inaczej lokalna."
        ),
        "A deployed stack; the local one when not given.": "Wdrożony stos; bez tego lokalny.",
        "Print one JSON document, for programs.": "Wypisz jeden dokument JSON, dla programów.",
        "Language of what is said.": "Język komunikatów.",
        "Of this concern alone.": "Tylko z tego zakresu.",
        "Of this client alone.": "Tylko tego klienta.",
        "Rows to list.": "Ile wierszy wypisać.",
        "Rows to show.": "Ile wierszy pokazać.",
        "Records to list.": "Ile rekordów wypisać.",
        "Do not ask before each step that writes.": "Nie pytaj przed każdym krokiem, który zapisuje.",
        # --- lists and decisions
        "List the fields that were edited differently on both sides and wait for a person, the latest first.": (
            "Wypisz pola zmienione inaczej po obu stronach, czekające na człowieka; najnowsze najpierw."
        ),
        "Closed ones too: who won, and when.": "Także zamknięte: kto wygrał i kiedy.",
        "Conflicts to list.": "Ile konfliktów wypisać.",
        "Settle an open conflict: the value of this side goes to the other one with the next run.": (
            "Rozstrzygnij konflikt: wartość tej strony przejdzie na drugą w następnym przebiegu."
        ),
        (
            "List what waits for a person, or for a correction of the ERP's row, the longest first, with cause and "
            "remedy."
        ): ("Wypisz, co czeka na człowieka albo na poprawkę wiersza w ERP; najstarsze najpierw, z przyczyną i radą."),
        "It was settled by hand: in step until either side changes.": (
            "Załatwione ręcznie: zgodne, dopóki któraś strona się nie zmieni."
        ),
        "This address alone; else the client's own record and all its items.": (
            "Tylko ten adres; bez tego rekord klienta i wszystkie jego pozycje."
        ),
        "Try it again now.": "Spróbuj teraz jeszcze raz.",
        "Send a value that is protected.": "Wyślij wartość, która jest chroniona.",
        "List customers who registered in the shop and have no client, the unanswered first.": (
            "Wypisz osoby zarejestrowane w sklepie bez kartoteki w ERP; najpierw te bez odpowiedzi."
        ),
        "Customers to list.": "Ile osób wypisać.",
        "Say which client this customer is: the next run links the two and gives the account the code.": (
            "Powiedz, którym klientem jest ta osoba: następny przebieg połączy ich i nada kontu kod."
        ),
        "List the clients whose account cannot be told, each with the accounts that it may be.": (
            "Wypisz klientów, których konto jest niepewne, każdego z możliwymi kontami."
        ),
        "Accounts to list.": "Ile kont wypisać.",
        "Open a new account for the client: none of those found is its own.": (
            "Załóż klientowi nowe konto: żadne ze znalezionych nie jest jego."
        ),
        "Link the client to this account: the next run does it, and gives the account the client's code.": (
            "Połącz klienta z tym kontem: zrobi to następny przebieg i nada kontu kod klienta."
        ),
        (
            "List what was written into the panel and into the ERP's rows, the latest first; of one client, or of "
            "all.\n\n"
            "An account that was opened is one row without a field; its values stand there as JSON."
        ): (
            "Wypisz, co zapisano w panelu i w wierszach ERP, najnowsze najpierw; jednego klienta albo wszystkich.\n\n"
            "Założone konto to jeden wiersz bez pola, z wartościami jako JSON."
        ),
        "Of one discount group and its prices.": "Jednej grupy rabatowej i jej cen.",
        "Of one run.": "Jednego przebiegu.",
        "List what differed between the two sides in the last 30 days and was corrected: by day, concern and field.": (
            "Wypisz, co w ostatnich 30 dniach różniło się po obu stronach i zostało poprawione: wg dnia, zakresu i "
            "pola."
        ),
        # --- who is left alone, renamed, erased
        "Leave a client alone in one concern: nothing is sent, nothing is written back, nothing is lost.": (
            "Pomijaj klienta w jednym zakresie: nic nie jest wysyłane ani zapisywane, nic nie ginie."
        ),
        "Why, for whoever reads it later.": "Dlaczego: dla tego, kto to później przeczyta.",
        "Look after a client in one concern again: what was edited meanwhile travels, or is a conflict.": (
            "Prowadź klienta w zakresie znowu: co zmieniono w międzyczasie, zostanie przeniesione albo jest konfliktem."
        ),
        (
            "Give account, base and history of client OLD to NEW; the next run gives the account the new code.\n\n"
            "OLD has no row in `clients` any more. NEW may have one already, or get one later."
        ): (
            "Przekaż konto, bazę i historię klienta OLD kodowi NEW; nowy kod nada kontu następny przebieg.\n\n"
            "OLD nie ma już wiersza w `clients`. NEW może go już mieć albo dostać później."
        ),
        (
            "Erase CLIENT from all that Kartoteka keeps; show what would go, and what the ERP and the panel keep.\n\n"
            "With --yes it is erased, which cannot be taken back, and the same client is not opened or linked again. "
            "The panel's\naccount stays as it is, is closed, or its data are erased by the panel itself, as --account "
            "says."
        ): (
            "Usuń CLIENT ze wszystkiego, co przechowuje Kartoteka; pokaż, co zniknie, a co zatrzymają ERP i panel.\n\n"
            "Z --yes zostaje usunięty nieodwracalnie i nie jest ponownie zakładany ani łączony. Konto w panelu zostaje "
            "bez\nzmian, jest zamykane albo jego dane usuwa sam panel, zależnie od --account."
        ),
        "The panel's account.": "Konto w panelu.",
        "Let a client that was erased be synchronised again.": "Pozwól znowu synchronizować usuniętego klienta.",
        "Erase; without it only what would be erased is shown.": (
            "Usuń; bez tego tylko pokazuje, co zostałoby usunięte."
        ),
        # --- pause, resume, queues
        (
            "Let a concern's schedules (or panel_feed's) collect nothing until `resume`.\n\n"
            "What is in its queue is deferred; it comes back after `resume`, within the hour or at the next `tick`. A "
            "concern\nthat the brake has stopped is paused already. Discounts are paused as a whole: the groups, and "
            "who is in them."
        ): (
            "Wstrzymaj harmonogramy zakresu (albo panel_feed) aż do `resume`.\n\n"
            "Co jest w jego kolejce, jest odkładane; wraca po `resume`, w ciągu godziny albo przy następnym `tick`. "
            "Zakres\nzatrzymany przez hamulec jest już wstrzymany. Rabaty są wstrzymywane w całości: grupy i kto do "
            "nich należy."
        ),
        "Shown by `status`.": "Pokazywane przez `status`.",
        (
            "End the pause of a concern. Nothing was lost: its cursor stands where it stood.\n\n"
            "A concern that the brake has stopped goes on with --confirm only: what it has stopped is written, and "
            "what comes\nlater is counted from 0."
        ): (
            "Zakończ wstrzymanie zakresu. Nic nie zginęło: kursor stoi tam, gdzie stał.\n\n"
            "Zakres zatrzymany przez hamulec rusza tylko z --confirm: co zatrzymał, zostanie zapisane, a co przyjdzie\n"
            "później, jest liczone od 0."
        ),
        "Let a concern go on that the brake has stopped.": "Pozwól ruszyć zakresowi zatrzymanemu przez hamulec.",
        "Bring the messages that failed twenty times back to their queue, once what made them fail is corrected.": (
            "Przywróć do kolejki wiadomości, które zawiodły dwadzieścia razy, gdy usunięto przyczynę."
        ),
        (
            "Put clients into a concern's queue, so that both sides are read and compared afresh.\n\n"
            "Without ids: for accounts all clients that have no account, for other concerns all that have one (for "
            "discounts\nthose that have or had a group, for credit those with figures). It costs about one panel call "
            "for 100 clients, and a\nwrite only where something differs.\n\n"
            "For discounts without ids, every discount group is sent anew as well, whole, with all its prices: about "
            "one panel\ncall for 100 prices. With --group only these groups, and the clients that are named, if "
            "any.\n\n"
            "Safe to repeat, and to stop half-way."
        ): (
            "Wstaw klientów do kolejki zakresu, aby obie strony odczytano i porównano od nowa.\n\n"
            "Bez kodów: dla kont wszystkich klientów bez konta, dla innych zakresów wszystkich z kontem (dla rabatów "
            "tych,\nktórzy mają lub mieli grupę, dla kredytu tych z kwotami). Kosztuje około jednego wywołania panelu "
            "na 100\nklientów, a zapis tylko tam, gdzie coś się różni.\n\n"
            "Dla rabatów bez kodów także każda grupa rabatowa jest wysyłana od nowa, w całości, ze wszystkimi cenami: "
            "około\njednego wywołania na 100 cen. Z --group tylko te grupy i ewentualnie podani klienci.\n\n"
            "Można powtarzać i przerwać w połowie."
        ),
        "The concern, where no argument names it.": "Zakres, jeśli nie podaje go argument.",
        "This discount group, whole. Repeatable.": "Ta grupa rabatowa, w całości. Można powtórzyć.",
        # --- the plan, undo
        "Show what would be done in the policy's `mode: plan`: rows, totals, and a forecast of calls and minutes.": (
            "Pokaż, co zostałoby zrobione w trybie `mode: plan`: wiersze, sumy oraz prognozę wywołań i minut."
        ),
        "Also what was carried out, refused, or had changed (stale).": (
            "Także to, co wykonano, odrzucono albo co się zmieniło (stale)."
        ),
        "Write all rows into this file.": "Zapisz wszystkie wiersze w tym pliku.",
        "Approve records: they are carried out exactly as planned, by the next run.": (
            "Zatwierdź rekordy: następny przebieg wykona je dokładnie tak, jak zaplanowano."
        ),
        "All that is not decided yet.": "Wszystko, o czym jeszcze nie zdecydowano.",
        "Leave alone what was planned later than this.": "Pomiń, co zaplanowano później.",
        "Reject records: they are left alone until what is planned of them changes.": (
            "Odrzuć rekordy: nikt ich nie rusza, dopóki nie zmieni się ich plan."
        ),
        (
            "Plan to restore what RUN has written, or a span of time, on both sides; `kartoteka history` names the "
            "runs.\n\n"
            "A field that was edited since on either side is left alone. Nothing is written before the plan is "
            "approved: with\n--yes, by `kartoteka plan approve`, on the page, or by one UPDATE of `sync_plan`."
        ): (
            "Zaplanuj przywrócenie po obu stronach tego, co zapisał RUN albo okres; przebiegi podaje `kartoteka "
            "history`.\n\n"
            "Pole zmienione od tamtej pory po którejkolwiek stronie zostaje bez zmian. Nic nie jest zapisywane przed\n"
            "zatwierdzeniem: przez --yes, `kartoteka plan approve`, na stronie albo jednym UPDATE tabeli `sync_plan`."
        ),
        "What was written from then on (ISO 8601, UTC).": "Co zapisano od tej chwili (ISO 8601, UTC).",
        "And before then.": "I przed tą chwilą.",
        "Approve it at once: the next run carries it out.": "Zatwierdź od razu: wykona to następny przebieg.",
        # --- status, tick, the stack
        (
            "Show what is in step, what is held and why, what will be tried again, and the last runs.\n\n"
            "Exits 0 whatever it finds, unless --exit-code is given."
        ): (
            "Pokaż, co jest zgodne, co wstrzymane i dlaczego, co będzie ponawiane, oraz ostatnie przebiegi.\n\n"
            "Kończy się kodem 0 niezależnie od wyniku, chyba że podano --exit-code."
        ),
        "Held records to list, and unread ones.": "Ile wstrzymanych i nieodczytanych rekordów wypisać.",
        "Only who will be blocked: near the credit limit, over it, or overdue.": (
            "Tylko kto zostanie zablokowany: blisko limitu kredytu, ponad nim albo z zaległościami."
        ),
        "With --credit: from how many per cent of the limit.": "Z --credit: od ilu procent limitu.",
        "Exit 78 where a wrong setting stops something, 3 where something waits for a person.": (
            "Kod 78, gdy coś stoi przez błędne ustawienie, 3, gdy coś czeka na człowieka."
        ),
        (
            "Say which stack the exchange database belongs to; with --confirm, take it over for this one.\n\n"
            "Switch the other stack off before. It can write nothing any more. This one sends nothing until its last "
            "calls must\nhave ended, then compares everything, and settles what they have left."
        ): (
            "Powiedz, do którego stosu należy baza wymiany; z --confirm przejmij ją dla tego.\n\n"
            "Najpierw wyłącz tamten stos. Nie może już nic zapisać. Ten nic nie wyśle, dopóki nie skończą się jego "
            "ostatnie\nwywołania, potem porównuje wszystko i domyka to, co zostawiły."
        ),
        "Take the database over from the stack that owns it now.": "Przejmij bazę od stosu, do którego teraz należy.",
        (
            "Synchronise now: fire every schedule, wait until the queues are empty, print the figures as JSON.\n\n"
            "The figures are one JSON document with or without --json."
        ): (
            "Synchronizuj teraz: uruchom każdy harmonogram, poczekaj na puste kolejki i wypisz liczby jako JSON.\n\n"
            "Liczby to jeden dokument JSON, z --json i bez."
        ),
        "Seconds to wait.": "Ile sekund czekać.",
        (
            "Open the operator's pages: what waits, why, and what to decide. They are there until you end this "
            "command.\n\n"
            "The first line printed is the address, with a token that lets this browser in."
        ): (
            "Otwórz strony operatora: co czeka, dlaczego i o czym zdecydować. Działają, dopóki nie zakończysz "
            "polecenia.\n\n"
            "Pierwszy wypisany wiersz to adres z tokenem, który wpuszcza tę przeglądarkę."
        ),
        "The port on 127.0.0.1; a free one by itself.": "Port na 127.0.0.1; bez tego wolny.",
        "Only print the address.": "Tylko wypisz adres.",
        # --- the policy, the tables
        "Look after the policy: the file in which the merchant decides what is carried, and who wins.": (
            "Zajmij się polityką: plikiem, w którym sprzedawca decyduje, co jest przenoszone i kto wygrywa."
        ),
        "Check a policy without deploying it: every wrong place with its remedy, and exit code 78.": (
            "Sprawdź politykę bez wdrażania: każde błędne miejsce z radą i kod wyjścia 78."
        ),
        "The exchange tables: print, create, upgrade.": "Tabele wymiany: wypisz, utwórz, uzupełnij.",
        (
            "Create the tables, columns, indexes and triggers that are missing, and change or drop nothing. Safe to "
            "repeat."
        ): (
            "Utwórz brakujące tabele, kolumny, indeksy i wyzwalacze; niczego nie zmienia ani nie usuwa. Można "
            "powtarzać."
        ),
        "Address of the exchange database (or ERP_URL; - asks for it).": (
            "Adres bazy wymiany (albo ERP_URL; - pyta o niego)."
        ),
        "Say nothing when all is well.": "Nic nie mów, gdy wszystko w porządku.",
        "Print the tables and triggers as SQL, for one's own eyes or a database administrator's.": (
            "Wypisz tabele i wyzwalacze jako SQL, dla siebie albo dla administratora bazy."
        ),
        "Add to existing tables what this program reads and they lack. Safe to repeat; refused where there are none.": (
            "Dodaj do istniejących tabel, czego im brakuje. Można powtarzać; odmawia tam, gdzie nie ma żadnej."
        ),
        # --- the doctor
        (
            "Find out what a panel does where its descriptions leave it open, and whether database and stack are "
            "ready.\n\n"
            "Part A only reads. It lists its questions, asks them, and says of each answer whether it is fine (ok), "
            "worth a look\n(look) or in the way (stop), with a remedy and, where one fits, a setting of the policy. "
            "Exits 1 where something is\nin the way. Neither a key nor a customer's data are in what it prints and "
            "writes."
        ): (
            "Ustal, co robi panel tam, gdzie jego opisy milczą, oraz czy baza i stos są gotowe.\n\n"
            "Część A tylko czyta. Wypisuje pytania, zadaje je i o każdej odpowiedzi mówi, czy jest w porządku (ok), "
            "warta\nuwagi (uwaga) czy przeszkadza (stop), z radą i, gdzie pasuje, ustawieniem polityki. Kończy się "
            "kodem 1, gdy coś\nprzeszkadza. Ani klucza, ani danych klientów nie ma w tym, co wypisuje i zapisuje."
        ),
        "A panel without a stack; its key is read from PANEL_KEY.": "Panel bez stosu; klucz jest czytany z PANEL_KEY.",
        "A policy to examine with; else the stack's, else the default one.": (
            "Polityka do badania; inaczej ta ze stosu, inaczej domyślna."
        ),
        "Part B too: writes to accounts that do not exist.": "Także część B: zapisy do kont, których nie ma.",
        "Part C too: trials on this test account; opened where there is none.": (
            "Także część C: próby na tym koncie testowym; zakładane, gdy go nie ma."
        ),
        "Tell whose account is whose: reads all accounts, in at most so many calls.": (
            "Powiedz, czyje jest które konto: czyta wszystkie konta, w najwyżej tylu wywołaniach."
        ),
        (
            "Read the database of the vendor's bridge instead (- asks for its address), and propose the SQL that "
            "brings it into ours."
        ): (
            "Zamiast tego przeczytaj bazę mostu dostawcy (- pyta o adres) i zaproponuj SQL, który przeniesie ją do "
            "naszej."
        ),
        "With --from-bridge: write the SQL there, not to standard output.": (
            "Z --from-bridge: zapisz SQL tam, a nie na standardowym wyjściu."
        ),
        "Write the findings there, as JSON, to attach to a request for support.": (
            "Zapisz tam wyniki jako JSON, do dołączenia do zgłoszenia."
        ),
    }
)
"""English -> Polish."""
