"""What the doctor finds, in Polish: by the English sentence, remedy, title, or part of one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DOCTOR: Mapping[str, str] = MappingProxyType(
    {
        "ok": "ok",
        "look": "uwaga",
        "stop": "stop",
        # --- the vendor's bridge
        "{table} is read out of {there} ({columns}).": "{table} jest czytane z {there} ({columns}).",
        "{sentence} Nothing was recognised for {names}, without which no account is opened.": (
            "{sentence} Nie rozpoznano niczego dla {names}, a bez tego nie założy się konta."
        ),
        "{sentence} Not certain: {names}.": "{sentence} Niepewne: {names}.",
        "what the bridge's exchange database holds": "co zawiera baza wymiany mostu",
        "its customers' codes": "kody klientów w niej",
        "Name the database in which the bridge, or the ERP's program, keeps them; the user must see its tables.": (
            "Wskaż bazę, w której trzyma je most albo program ERP; użytkownik musi widzieć jej tabele."
        ),
        "The bridge's database ({name}) has {count} tables and views.": (
            "Baza mostu ({name}) ma tabel i widoków: {count}."
        ),
        "If the bridge carries it, write the SELECT by hand; else leave the table empty.": (
            "Jeśli most to przenosi, napisz SELECT ręcznie; w przeciwnym razie zostaw tabelę pustą."
        ),
        'Read the SQL, complete it, and correct what is marked "?" before you run it.': (
            'Przeczytaj SQL, uzupełnij go i popraw, co oznaczono "?", zanim go uruchomisz.'
        ),
        "None of {count} tables and views looks like one of customers.": (
            "Żadna z tabel i widoków ({count}) nie wygląda na tabelę klientów."
        ),
        "No table of theirs was recognised for {table}.": "Nie rozpoznano żadnej ich tabeli dla {table}.",
        (
            "{there} is no client's code: of {total} customers {count} have none, and {count2} share theirs with "
            "another "
            "one."
        ): "{there} nie jest kodem klienta: z {total} klientów {count} go nie ma, a {count2} dzieli go z innym.",
        "Take another column for clients.id{more}.": "Weź inną kolumnę na clients.id{more}.",
        ", such as {names}": ", na przykład {names}",
        (
            "Take the one that stands in the panel as the accounts' external code: `kartoteka doctor` compares them "
            "once "
            "the clients are in the exchange database."
        ): (
            "Weź tę, która w panelu jest kodem zewnętrznym kont: `kartoteka doctor` porówna je, gdy klienci będą w "
            "bazie "
            "wymiany."
        ),
        (
            "{there} is taken for the client's code: {total} customers, each with one of its own. It could be "
            "{names} instead."
        ): ("{there} przyjęto za kod klienta: klientów {total}, każdy z własnym. Mogłoby to być też: {names}."),
        "{there} is the client's code: {total} customers, each with one of its own.": (
            "{there} to kod klienta: klientów {total}, każdy z własnym."
        ),
        # --- the exchange database
        "Set it: figures with an as_of of the future are refused, and stale ones told late.": (
            "Nastaw go: kwoty z as_of z przyszłości są odrzucane, a o nieaktualnych wiadomo za późno."
        ),
        (
            "Switch the other program's writing of customers off first: in the vendor's bridge all three boxes of its "
            "preferences of customers (docs/from-the-bridge.md). Until then both sides change back and forth."
        ): (
            "Najpierw wyłącz zapis klientów w drugim programie: w moście dostawcy wszystkie trzy pola w ustawieniach "
            "klientów (docs/from-the-bridge.md). Do tego czasu obie strony zmieniają się w kółko."
        ),
        "Enable them.": "Włącz je.",
        "Run `kartoteka schema upgrade --url …`.": "Uruchom `kartoteka schema upgrade --url …`.",
        (
            "Within {hours} hours the same value was written {again} times or more into a field of {count} clients "
            "({fields}), about every {pace} min"
        ): (
            "W ciągu {hours} godzin tę samą wartość zapisano co najmniej {again} razy w polu klientów ({count}): "
            "{fields}, "
            "mniej więcej co {pace} min"
        ),
        "the exchange database: engine, version, tables": "baza wymiany: silnik, wersja, tabele",
        "what its user may do": "co wolno jej użytkownikowi",
        "the triggers of the ERP's tables": "wyzwalacze tabel ERP",
        "the types of the ERP's columns": "typy kolumn ERP",
        "its encoding": "jej kodowanie",
        "its clock": "zegar",
        "the clients: complete, told apart": "klienci: kompletni, odróżnialni",
        "whether another program writes the same fields": "czy inny program zapisuje te same pola",
        "Name the primary server.": "Wskaż serwer główny.",
        "A field with such a letter is held. What mends it: {remedy}": (
            "Pole z taką literą jest wstrzymane. Naprawia to: {remedy}"
        ),
        "The database holds every letter.": "Baza przechowa każdą literę.",
        "Grant it to the user in the database's address.": "Nadaj to użytkownikowi z adresu bazy.",
        "The user may read and write what is read and written.": (
            "Użytkownik może czytać i zapisywać wszystko, czego trzeba."
        ),
        "Every table that the ERP writes has its triggers, and they fire.": (
            "Każda tabela, którą zapisuje ERP, ma wyzwalacze i one działają."
        ),
        "Change their type: an id such as 007 is not the number 7, and an amount must be exact.": (
            "Zmień ich typ: kod taki jak 007 nie jest liczbą 7, a kwota musi być dokładna."
        ),
        "The columns have the types that are read.": "Kolumny mają oczekiwane typy.",
        "A longer value of the panel is held with its field named.": (
            "Dłuższa wartość z panelu jest wstrzymana z nazwą pola."
        ),
        "They will be held as incomplete, each with its fields named in sync_status.": (
            "Będą wstrzymani jako niekompletni, każdy z nazwami pól w sync_status."
        ),
        "An account is found by its code to the letter first; give these clients codes of their own.": (
            "Konto jest najpierw szukane po dokładnym kodzie; nadaj tym klientom różne kody."
        ),
        "No other program writes the same fields: no value had to be written again and again.": (
            "Żaden inny program nie zapisuje tych samych pól: niczego nie trzeba było zapisywać w kółko."
        ),
        "{named}: this server follows another one and takes no writes.": (
            "{named}: ten serwer jest kopią innego i nie przyjmuje zapisów."
        ),
        "The exchange database answers ({named}), and every table and column that is used is there.": (
            "Baza wymiany odpowiada ({named}) i ma każdą potrzebną tabelę i kolumnę."
        ),
        "The database's encoding is {narrow}: it cannot hold every letter of a name.": (
            "Kodowanie bazy to {narrow}: nie pomieści każdej litery nazwiska."
        ),
        "The user may not: {names}.": "Użytkownikowi nie wolno: {names}.",
        "The triggers of {name} are {why}: its changes are found late.": (
            "Wyzwalacze tabeli {name}: {why}. Jej zmiany są znajdowane z opóźnieniem."
        ),
        "missing": "brak",
        "disabled": "wyłączone",
        "Columns of another type than the exchange database's page says: {names}.": (
            "Kolumny innego typu, niż podaje opis bazy wymiany: {names}."
        ),
        "Columns are shorter than the exchange database's page says: {names}.": (
            "Kolumny krótsze, niż podaje opis bazy wymiany: {names}."
        ),
        "{count} of {clients} lack what an account is opened with.": (
            "Bez danych potrzebnych do założenia konta: {count} z {clients}."
        ),
        "All of {clients} have what an account is opened with.": (
            "Wszyscy mają dane potrzebne do założenia konta ({clients})."
        ),
        "{codes} of clients given more than once, but for case and outer blanks.": (
            "Kody klientów nadane więcej niż raz, jeśli nie liczyć wielkości liter i spacji: {codes}."
        ),
        "{sentence}: somebody changes it back.": "{sentence}: ktoś zmienia ją z powrotem.",
        "{sentence}: another program writes the same fields.": "{sentence}: inny program zapisuje te same pola.",
        # --- clocks, and what could not be found out
        "ahead of": "przed",
        "behind": "za",
        "panel": "panel",
        "database": "baza",
        "The {whose}'s clock is {count} min {side} this machine's.": (
            "Zegar ({whose}) jest o {count} min {side} zegarem tej maszyny."
        ),
        "The {whose}'s clock agrees with this machine's to {count} s.": (
            "Zegar ({whose}) zgadza się z zegarem tej maszyny co do {count} s."
        ),
        "Mend that, and run the doctor again.": "Napraw to i uruchom doctor jeszcze raz.",
        "Could not be found out: {error}.": "Nie udało się ustalić: {error}.",
        # --- first contact
        "the accounts' external codes beside the clients (no further call)": (
            "kody zewnętrzne kont a klienci (bez dalszych wywołań)"
        ),
        "whose account is whose, before anything is written": (
            "czyje jest które konto, zanim cokolwiek zostanie zapisane"
        ),
        "{nameless} without an external code, {foreign} with a code that no client has": (
            "bez kodu zewnętrznego: {nameless}, z kodem, którego nie ma żaden klient: {foreign}"
        ),
        "Of {count} accounts with an external code {right} carry the id of a client.": (
            "Z kont z kodem zewnętrznym ({count}) kod klienta ma: {right}."
        ),
        (
            "A client who is found by another rule is asked about (foreign_code). Complete the table of clients "
            "first, or "
            "remove the codes in the panel."
        ): (
            "O klienta znalezionego inną regułą padnie pytanie (foreign_code). Najpierw uzupełnij tabelę klientów "
            "albo usuń "
            "kody w panelu."
        ),
        "{clients}, {accounts}: linked already: {linked}, would be: {total}{more}.": (
            "{clients}, {accounts}; już połączone: {linked}, zostałoby połączonych: {total}{more}."
        ),
        " ({rules})": " ({rules})",
        "{count} by {rule}": "{count}: {rule}",
        "code": "kod",
        "tax number": "numer podatkowy",
        "e-mail": "e-mail",
        "telephone": "telefon",
        "a person's word": "decyzja człowieka",
        "the ERP's answer": "odpowiedź ERP",
        (
            "Each waits in sync_matches or sync_status for a person's answer; docs/codes.md says what each code "
            "means. Many "
            "of one kind are better mended before."
        ): (
            "Każdy czeka w sync_matches albo sync_status na odpowiedź człowieka; co znaczy kod, mówi docs/codes.md. "
            "Gdy "
            "jednego rodzaju jest wiele, lepiej naprawić to wcześniej."
        ),
        ", beside {incomplete} who lack what one is opened with": (
            ", a poza nimi bez danych potrzebnych do założenia: {incomplete}"
        ),
        "Those without a code are listed in incoming_clients for the ERP; the others are left alone.": (
            "Te bez kodu trafią do incoming_clients dla ERP; pozostałych nikt nie rusza."
        ),
        "None of {count} accounts carries an external code.": "Żadne z kont ({count}) nie ma kodu zewnętrznego.",
        "The codes of {counts} of {count} accounts are numbers that no client has.": (
            "Kody {counts} z {count} kont to liczby, których nie ma żaden klient."
        ),
        (
            "They may be ids of the bridge's own database: `kartoteka doctor --from-bridge` shows which of its columns "
            "could be the client's id ({page_of_docs})."
        ): (
            "Mogą to być numery z własnej bazy mostu: `kartoteka doctor --from-bridge` pokaże, która z jej kolumn "
            "może być "
            "kodem klienta ({page_of_docs})."
        ),
        "The codes of {counts} of {count} accounts belong to no client.": (
            "Kody {counts} z {count} kont nie należą do żadnego klienta."
        ),
        "To read all accounts takes {accounts} calls, more than the {calls} that are allowed: not done.": (
            "Odczyt wszystkich kont kosztuje wywołań: {accounts}, a wolno: {calls}. Nie zrobiono."
        ),
        "Run `kartoteka doctor --first-contact {accounts}`.": "Uruchom `kartoteka doctor --first-contact {accounts}`.",
        "{clients} would be asked about: {why}.": "Padłoby pytanie: {clients} ({why}).",
        "Without an account: {clients}{lacking}.": "Bez konta: {clients}{lacking}.",
        "{more}. If they have one in the panel, find out by what it could be recognised before you go live.": (
            "{more}. Jeśli mają konto w panelu, ustal przed uruchomieniem, po czym je rozpoznać."
        ),
        "An account is opened for each who lacks nothing": "Każdemu, komu nic nie brakuje, zostanie założone konto",
        "The policy opens none": "Polityka nie zakłada żadnego",
        "No client's: {accounts} ({which}), beside {guests}.": "Niczyje: {accounts} ({which}), a poza nimi {guests}.",
        "Every account is a client's, but for {guests}.": "Każde konto należy do klienta; poza nimi: {guests}.",
        "The codes of {counts} of {count} accounts are {words}.": "Kody {counts} z {count} kont to {words}.",
        "the customers' names": "nazwy klientów",
        "the clients' log-in names": "loginy klientów",
        "the clients' tax numbers": "numery podatkowe klientów",
        "the clients' e-mail addresses": "adresy e-mail klientów",
        "the clients' ids but for leading zeros": "kody klientów bez zer na początku",
        (
            "As it is, each of these clients is asked about or gets a second account. Correct the codes in the panel, "
            "or "
            "say by one INSERT whose account each is ({page_of_docs})."
        ): (
            "Teraz o każdego z tych klientów padnie pytanie albo dostanie drugie konto. Popraw kody w panelu albo "
            "jednym "
            "INSERT-em powiedz, czyje jest które konto ({page_of_docs})."
        ),
        # --- the panel, by reading alone
        "Windows follow the panel's clock, so nothing is lost; but find out which of the two is wrong.": (
            "Okna idą za zegarem panelu, więc nic nie ginie; ustal jednak, który z dwóch się myli."
        ),
        "status {status}": "status {status}",
        "status {status}, fault code {number}": "status {status}, kod błędu {number}",
        "The members of a group are read where clients are assigned. Check the key's rights.": (
            "Członkowie grupy są czytani przy przypisywaniu klientów. Sprawdź uprawnienia klucza."
        ),
        "{calls} took {median} s at the median, {seconds} s at most": (
            "{calls}: mediana {median} s, najdłużej {seconds} s"
        ),
        "the panel's own description of its API": "opis API w samym panelu",
        "its shops and what they require": "jego sklepy i czego wymagają",
        "its accounts, with and without returnElements": "jego konta, z returnElements i bez",
        "a filter that does not exist": "filtr, którego nie ma",
        "a window in 1990": "okno z 1990 roku",
        "an account by its own modification date": "konto po jego własnej dacie modyfikacji",
        "accounts registered in 1990, and since yesterday": "konta zarejestrowane w 1990 roku i od wczoraj",
        "discount groups and members": "grupy rabatowe i członkowie",
        "a page of 101, and one past the end": "strona 101 rekordów i strona za końcem",
        "the CRM search": "wyszukiwarka CRM",
        "open and closed accounts": "konta otwarte i zamknięte",
        "a wrong key, once": "błędny klucz, jeden raz",
        "time and headers of all these answers": "czas i nagłówki tych odpowiedzi",
        "shows {shown} records": "pokazuje rekordów: {shown}",
        "is refused ({answer})": "jest odrzucana ({answer})",
        "delivery addresses of {page} accounts": "adresy dostaw {page} kont",
        "up to {count} accounts: duplicates, longest values": "do {count} kont: powtórzenia, najdłuższe wartości",
        "Nothing to do: the examinations below tell what counts.": (
            "Nie trzeba nic robić: co się liczy, pokażą badania poniżej."
        ),
        "Check panel.api_version and that this is an IdoSell panel.": (
            "Sprawdź panel.api_version i czy to na pewno panel IdoSell."
        ),
        "Nothing to do: where the panel refuses such a field, the others go without it, and `status` says so.": (
            "Nie trzeba nic robić: gdy panel odrzuci takie pole, pozostałe pójdą bez niego, a `status` o tym powie."
        ),
        "The panel's description of its API has every gate and field that is used.": (
            "Opis API panelu ma każdą używaną bramkę i każde pole."
        ),
        "Correct accounts.default_shops and shops.rules: no account can be opened for a shop that is not there.": (
            "Popraw accounts.default_shops i shops.rules: dla sklepu, którego nie ma, nie da się założyć konta."
        ),
        "Check the key and its rights.": "Sprawdź klucz i jego uprawnienia.",
        "The panel shows {accounts}, on {pages} of {page}.": "Panel pokazuje {accounts}, {pages} po {page}.",
        "Nothing to do: this is noticed, and whole records are read. Answers are larger for it.": (
            "Nie trzeba nic robić: zostanie to zauważone, a czytane będą całe rekordy. Odpowiedzi są przez to większe."
        ),
        "returnElements shows all that a whole record shows.": "returnElements pokazuje wszystko, co cały rekord.",
        "What is never shown is sent and not read back: an edit of it in the panel is not seen.": (
            "Co nie jest pokazywane, jest wysyłane bez odczytu: zmiany tego w panelu nie widać."
        ),
        "An unknown filter is ignored; every answer is checked for what was asked, so it harms nobody.": (
            "Nieznany filtr jest pomijany; każda odpowiedź jest sprawdzana, więc nikomu to nie szkodzi."
        ),
        "The panel ignores the filter by modification date: asked for 1990, it shows accounts of other dates.": (
            "Panel pomija filtr daty modyfikacji: zapytany o 1990 rok pokazuje konta z innych dat."
        ),
        "Edits in the panel cannot be found. Check panel.api_version; ask IdoSell what the filter is called.": (
            "Zmian w panelu nie da się znaleźć. Sprawdź panel.api_version; zapytaj IdoSell, jak nazywa się filtr."
        ),
        "A window takes both its ends: an account is found by its own modification date.": (
            "Okno obejmuje oba końce: konto znajduje się po jego własnej dacie modyfikacji."
        ),
        "The panel ignores the filter by registration: asked for 1990, it shows accounts of other days.": (
            "Panel pomija filtr daty rejestracji: zapytany o 1990 rok pokazuje konta z innych dni."
        ),
        "New customers without a modification date would not be found. Check panel.api_version.": (
            "Nowi klienci bez daty modyfikacji nie zostaliby znalezieni. Sprawdź panel.api_version."
        ),
        "Check the key's rights.": "Sprawdź uprawnienia klucza.",
        "Give the key the right CRM, or set discounts.direction to off.": (
            "Nadaj kluczowi uprawnienie CRM albo ustaw discounts.direction na off."
        ),
        "A group of the ERP is not joined with one whose name is not unique: rename them in the panel.": (
            "Grupa z ERP nie zostanie połączona z grupą o powtórzonej nazwie: zmień nazwy w panelu."
        ),
        "A page of {count} {way}; {page} are asked for.": "Strona {count} rekordów: {way}; prosimy o {page}.",
        "A page past the end shows records.": "Strona za końcem pokazuje rekordy.",
        "Reading all accounts relies on the end of the pages. Tell the authors of Kartoteka.": (
            "Odczyt wszystkich kont polega na końcu stron. Zgłoś to autorom Kartoteki."
        ),
        "The CRM search finds an account by its log-in name.": "Wyszukiwarka CRM znajduje konto po loginie.",
        "Give the key's user all shops: by this search it is asked again for what another answer leaves out.": (
            "Daj użytkownikowi klucza wszystkie sklepy: tą wyszukiwarką pytamy jeszcze raz o to, co pominęła inna "
            "odpowiedź."
        ),
        "Give the key's user all shops, or expect that some accounts are asked about once more than needed.": (
            "Daj użytkownikowi klucza wszystkie sklepy albo licz się z tym, że o część kont zapytamy niepotrzebnie "
            "drugi raz."
        ),
        "An account that is closed by hand in the panel may not be noticed.": (
            "Konto zamknięte ręcznie w panelu może pozostać niezauważone."
        ),
        "Such a value is held with its field named, and the client's other fields travel.": (
            "Taka wartość jest wstrzymana z nazwą pola, a pozostałe pola klienta idą dalej."
        ),
        "Every value of these accounts fits into the exchange database's column.": (
            "Każda wartość tych kont mieści się w kolumnie bazy wymiany."
        ),
        "Raise panel.timeout_seconds, and send less at a time by panel.batch_size.": (
            "Zwiększ panel.timeout_seconds i wysyłaj mniej naraz (panel.batch_size)."
        ),
        "Set panel.requests_per_second to what your plan allows.": (
            "Ustaw panel.requests_per_second na tyle, na ile pozwala abonament."
        ),
        "The panel gives no description of its API ({answer}).": "Panel nie podaje opisu swojego API ({answer}).",
        "The panel's description has no {names}.": "W opisie panelu nie ma: {names}.",
        "The panel's description does not know {names}: it is of an older version than these fields.": (
            "Opis panelu nie zna: {names}; jest ze starszej wersji niż te pola."
        ),
        "The policy names the shops {names}, but the panel has only {named}.": (
            "Polityka wymienia sklepy {names}, a panel ma tylko {named}."
        ),
        "The panel has the shops {named}; all that the policy names are among them.": (
            "Panel ma sklepy {named}; są wśród nich wszystkie z polityki."
        ),
        "Of an account the shops require {names}: who lacks it is held, with the field named.": (
            "Sklepy wymagają od konta: {names}; komu tego brakuje, jest wstrzymany z nazwą pola."
        ),
        "The shops require no field of an account beside those that the API wants.": (
            "Sklepy nie wymagają od konta niczego ponad to, czego chce API."
        ),
        "The panel does not tell which fields its shops require of an account.": (
            "Panel nie mówi, jakich pól jego sklepy wymagają od konta."
        ),
        "Look into the panel's settings of customer accounts, and put them into panel.required_on_create.": (
            "Zajrzyj do ustawień kont klientów w panelu i wpisz te pola do panel.required_on_create."
        ),
        "The panel refuses to show its accounts ({answer}).": "Panel odmawia pokazania kont ({answer}).",
        "The panel has no account yet ({answer}): what needs one could not be tried.": (
            "Panel nie ma jeszcze konta ({answer}): czego do tego trzeba, nie dało się sprawdzić."
        ),
        "With returnElements the panel leaves out {names}.": "Z returnElements panel pomija: {names}.",
        "None of {accounts} shows {names}.": "Sprawdzono {accounts}; żadne nie pokazuje: {names}.",
        "An unknown filter is refused or finds nothing ({answer}).": (
            "Nieznany filtr jest odrzucany albo niczego nie znajduje ({answer})."
        ),
        "Accounts without a modification date are shown in every window.": (
            "Konta bez daty modyfikacji są pokazywane w każdym oknie."
        ),
        "Nothing to do but patience: each reading of the feed brings them again, which costs calls.": (
            "Pozostaje cierpliwość: każdy odczyt zmian przynosi je znowu, co kosztuje wywołania."
        ),
        "No account of the first page shows a modification date.": (
            "Żadne konto z pierwszej strony nie pokazuje daty modyfikacji."
        ),
        "Edits in the panel cannot be found. Check the key's rights and panel.api_version.": (
            "Zmian w panelu nie da się znaleźć. Sprawdź uprawnienia klucza i panel.api_version."
        ),
        "A window leaves out its ends; windows overlap, so nothing is missed.": (
            "Okno pomija swoje końce; okna zachodzą na siebie, więc nic nie umknie."
        ),
        "An account is not found by its own modification date, nor within a second of it.": (
            "Konta nie da się znaleźć po jego własnej dacie modyfikacji ani w promieniu sekundy."
        ),
        "Edits in the panel would be missed. Ask IdoSell how clientsLastModificationDate is searched.": (
            "Zmiany w panelu umykałyby. Zapytaj IdoSell, jak szukać po clientsLastModificationDate."
        ),
        "Nothing to do: new accounts are also asked for by their day of registration.": (
            "Nie trzeba nic robić: o nowe konta pytamy także po dniu rejestracji."
        ),
        "The panel refuses to show delivery addresses ({answer}).": (
            "Panel odmawia pokazania adresów dostaw ({answer})."
        ),
        "Check panel.api_version: the filter clientIds is ignored.": (
            "Sprawdź panel.api_version: filtr clientIds jest pomijany."
        ),
        "The panel refuses to show its discount groups ({answer}).": (
            "Panel odmawia pokazania grup rabatowych ({answer})."
        ),
        "{twice} names of discount groups are given more than once.": "Powtórzone nazwy grup rabatowych: {twice}.",
        "The panel has {groups}, no two of one name.": "Panel ma: {groups}; żadne dwie nie mają tej samej nazwy.",
        "Who is in a discount group is told ({answer}).": "Kto jest w grupie rabatowej, panel mówi ({answer}).",
        "A page past the end is empty ({answer}).": "Strona za końcem jest pusta ({answer}).",
        "The CRM search does not find an account that is there ({answer}).": (
            "Wyszukiwarka CRM nie znajduje konta, które istnieje ({answer})."
        ),
        "The CRM search counts {fewer} accounts less than clients/clients: the key's user does not see all shops.": (
            "Wyszukiwarka CRM liczy o {fewer} kont mniej niż clients/clients: użytkownik klucza nie widzi wszystkich "
            "sklepów."
        ),
        "The filter by activity works: of {accounts} {counts} are closed.": (
            "Filtr aktywności działa: {accounts}, w tym zamknięte: {counts}."
        ),
        "The filter by activity finds {counts} open and {counts2} closed of {accounts}.": (
            "Filtr aktywności znajduje otwarte: {counts}, zamknięte: {counts2}, a sprawdzono: {accounts}."
        ),
        "Such accounts are not linked by it: the client is asked about in `sync_matches`.": (
            "Takie konta nie są po tym łączone: pytanie o klienta trafia do `sync_matches`."
        ),
        "The panel holds longer values than the exchange database's columns: {told}.": (
            "Panel ma wartości dłuższe niż kolumny bazy wymiany: {told}."
        ),
        "A wrong key is refused ({answer}).": "Błędny klucz jest odrzucany ({answer}).",
        "The panel answers to a wrong key.": "Panel odpowiada na błędny klucz.",
        "Ask IdoSell: anybody could read this panel.": "Zapytaj IdoSell: ten panel mógłby czytać każdy.",
        "It will be told as that, not as a wrong key.": "Zostanie to opisane tak, a nie jako błędny klucz.",
        "{told}; the limit is {limit} s.": "{told}; limit to {limit} s.",
        "{told}.": "{told}.",
        "The panel limits the rate of calls ({fact}).": "Panel ogranicza tempo wywołań ({fact}).",
        "Check panel.api_version.": "Sprawdź panel.api_version.",
        "{count} of {accounts} without a modification date.": "Bez daty modyfikacji: {count} z {accounts}.",
        "{accounts} registered since yesterday; each shows a modification date.": (
            "Od wczoraj zarejestrowano: {accounts}; każde pokazuje datę modyfikacji."
        ),
        "Asked for the addresses of {accounts}, the panel shows others too.": (
            "Zapytany o adresy ({accounts}) panel pokazuje też inne."
        ),
        "Of {accounts} {twice} share their {what} with another one.": (
            "Sprawdzono {accounts}; z innym kontem wspólne ({what}): {twice}."
        ),
        "No two of {accounts} share {what}.": "Sprawdzono {accounts}; bez powtórzeń: {what}.",
        "external codes": "kody zewnętrzne",
        "e-mail addresses": "adresy e-mail",
        "tax numbers": "numery podatkowe",
        "A wrong key is answered oddly ({answer}).": "Odpowiedź na błędny klucz jest dziwna ({answer}).",
        "A window without edits shows nothing ({answer}).": "Okno bez zmian niczego nie pokazuje ({answer}).",
        "The panel refuses a search by date ({answer}).": "Panel odmawia wyszukiwania po dacie ({answer}).",
        "The addresses of {accounts} come in one answer, each account named.": (
            "Adresy ({accounts}) przychodzą w jednej odpowiedzi, z numerem każdego konta."
        ),
        "{count} of {accounts} are not named ({answer}): they have none.": (
            "Bez adresów, więc niewymienione: {count} z {accounts} ({answer})."
        ),
        # --- trials on an account
        "move it: the feed finds them": "zmieniają ją, więc znajduje je odczyt zmian",
        "do not move it: they are found by the rotating pass": "nie zmieniają jej, więc znajduje je przegląd adresów",
        "in a damaged form": "w uszkodzonej postaci",
        "in another form": "w innej postaci",
        "the test account": "konto testowe",
        "opens the account, if there is none with this log-in": "zakłada konto, jeśli nie ma żadnego z tym loginem",
        "one field alone": "jedno pole osobno",
        "changes the phone number": "zmienia numer telefonu",
        "clearing by an empty text": "czyszczenie pustym tekstem",
        "empties the phone number": "czyści numer telefonu",
        "a company that is hard to keep": "trudna do zachowania nazwa firmy",
        "changes the company": "zmienia nazwę firmy",
        "credit, balance and zeros": "kredyt, saldo i zera",
        "sets a limit of 123.45 and a balance of 12.34, then 0": "ustawia limit 123.45 i saldo 12.34, potem 0",
        "shops: replaced or added": "sklepy: zastępowane czy dodawane",
        "assigns one shop, then another": "przypisuje jeden sklep, potem drugi",
        "joining and leaving a discount group": "dodanie do grupy rabatowej i usunięcie z niej",
        "puts the account into the first discount group and out of it": (
            "dodaje konto do pierwszej grupy rabatowej i usuwa z niej"
        ),
        "closing and opening": "zamykanie i otwieranie",
        "closes and opens it": "zamyka je i otwiera",
        "a delivery address": "adres dostawy",
        "adds a delivery address, changes it and deletes it": "dodaje adres dostawy, zmienia go i usuwa",
        "{writes}, and puts back what was there": "{writes}, po czym przywraca, co było",
        "See the contract's fault codes: what this panel requires belongs into panel.required_on_create.": (
            "Zobacz kody błędów w kontrakcie: czego wymaga ten panel, należy wpisać do panel.required_on_create."
        ),
        "The test account is there.": "Konto testowe istnieje.",
        "The test account was opened, without mail or SMS; delete it in the panel when you are done.": (
            "Założono konto testowe, bez e-maila i SMS-a; usuń je w panelu, gdy skończysz."
        ),
        "The panel opens no test account ({answer}; faults {fact}).": (
            "Panel nie zakłada konta testowego ({answer}; błędy: {fact})."
        ),
        "none": "brak",
        "Check the key's rights, and the test account.": "Sprawdź uprawnienia klucza i konto testowe.",
        "The panel thanks for a phone number and does not show it.": (
            "Panel przyjmuje numer telefonu i go nie pokazuje."
        ),
        "It will be held as not_taken: look what the panel wants of a phone number.": (
            "Będzie wstrzymany jako not_taken: sprawdź, czego panel oczekuje od numeru telefonu."
        ),
        "An account that was just changed shows no modification date.": (
            "Konto zmienione przed chwilą nie pokazuje daty modyfikacji."
        ),
        "Edits in the panel cannot be found.": "Zmian w panelu nie da się znaleźć.",
        "Our own write does not move the modification date at once: no echo, or a late one.": (
            "Nasz zapis nie zmienia od razu daty modyfikacji: echa nie ma albo przychodzi później."
        ),
        'With "empty": "erase" such a field is held.': 'Przy "empty": "erase" takie pole jest wstrzymane.',
        "Such a field is held with its name; the others travel.": (
            "Takie pole jest wstrzymane z nazwą; pozostałe idą dalej."
        ),
        "Such a value is held as not_taken, and the ERP's row stays as it is.": (
            "Taka wartość jest wstrzymana jako not_taken, a wiersz w ERP zostaje bez zmian."
        ),
        "Switch trade credit on in the panel, or set credit.direction to off.": (
            "Włącz kredyt kupiecki w panelu albo ustaw credit.direction na off."
        ),
        "A client who has paid would stay blocked: set credit.direction to off, and ask how a 0 is written.": (
            "Klient, który zapłacił, zostałby zablokowany: ustaw credit.direction na off i zapytaj, jak zapisać 0."
        ),
        "The panel has one shop: whether shops are replaced or added does not matter.": (
            "Panel ma jeden sklep: nie ma znaczenia, czy sklepy są zastępowane, czy dodawane."
        ),
        "The shops that are sent replace those that were there.": "Wysłane sklepy zastępują dotychczasowe.",
        "The shops that are sent are added to those that were there.": "Wysłane sklepy są dodawane do dotychczasowych.",
        "No client can be taken off a shop. Set shops.direction to off, or take clients off by hand.": (
            "Klienta nie da się odłączyć od sklepu. Ustaw shops.direction na off albo odłączaj ręcznie."
        ),
        "The panel has no discount group: leaving one could not be tried.": (
            "Panel nie ma grupy rabatowej: usunięcia z niej nie dało się sprawdzić."
        ),
        "Check the key's rights, or set discounts.direction to off.": (
            "Sprawdź uprawnienia klucza albo ustaw discounts.direction na off."
        ),
        "Set panel.no_group to the number of a group without prices, or leave discounts.unassigned at keep.": (
            "Ustaw panel.no_group na numer grupy bez cen albo zostaw discounts.unassigned jako keep."
        ),
        "An account is closed and opened, and the filter by activity shows it.": (
            "Konto daje się zamknąć i otworzyć, a filtr aktywności to pokazuje."
        ),
        "Closing and opening an account does not show in the filter by activity.": (
            "Zamknięcia i otwarcia konta nie widać w filtrze aktywności."
        ),
        "Look in the panel whether the test account is open. Whether a client is closed cannot be checked there.": (
            "Sprawdź w panelu, czy konto testowe jest otwarte. Tego, czy klient jest zamknięty, nie da się tam "
            "sprawdzić."
        ),
        "Set delivery_addresses.direction to off, and tell the authors of Kartoteka.": (
            "Ustaw delivery_addresses.direction na off i zgłoś to autorom Kartoteki."
        ),
        "A new delivery address is shown, with the number that its answer told.": (
            "Nowy adres dostawy jest pokazywany, z numerem podanym w odpowiedzi."
        ),
        "A new delivery address is shown, but its answer does not tell its number.": (
            "Nowy adres dostawy jest pokazywany, lecz odpowiedź nie podaje jego numeru."
        ),
        "Nothing to do: it is found by reading the addresses again, which costs a call.": (
            "Nie trzeba nic robić: znajdzie się przy ponownym odczycie adresów, co kosztuje wywołanie."
        ),
        "A line of an address that is written alone leaves the others as they are.": (
            "Zapis jednej linii adresu nie rusza pozostałych."
        ),
        "A change of one line of an address is not shown, or has changed others.": (
            "Zmiana jednej linii adresu nie jest pokazywana albo zmieniła inne."
        ),
        "Of the account's modification date: edited addresses {way}.": (
            "Data modyfikacji konta: zmiany adresów {way}."
        ),
        "A delivery address could not be deleted.": "Adresu dostawy nie dało się usunąć.",
        "Delete the address Polna 2 of the test account by hand. With deletes propagate such an address is held.": (
            "Usuń ręcznie adres Polna 2 konta testowego. Przy deletes propagate taki adres jest wstrzymany."
        ),
        "A delivery address is deleted.": "Adres dostawy daje się usunąć.",
        "Correct the test account by hand in the panel.": "Popraw konto testowe ręcznie w panelu.",
        "The panel refuses a change of the phone number (fault code {fault}).": (
            "Panel odrzuca zmianę numeru telefonu (kod błędu {fault})."
        ),
        "This panel's writes are not partial. Do not go live; tell the authors of Kartoteka.": (
            "Zapisy tego panelu nie są częściowe. Nie uruchamiaj; zgłoś to autorom Kartoteki."
        ),
        "A field that is written alone leaves the others as they are.": "Zapis jednego pola nie rusza pozostałych.",
        "The panel refuses an empty phone number (fault code {fault}).": (
            "Panel odrzuca pusty numer telefonu (kod błędu {fault})."
        ),
        "An empty text does not clear a field: the panel keeps what was there.": (
            "Pusty tekst nie czyści pola: panel zostawia, co było."
        ),
        'Leave "empty": "keep", the default, for all fields.': 'Zostaw domyślne "empty": "keep" dla wszystkich pól.',
        "An empty text clears a field.": "Pusty tekst czyści pole.",
        "The panel refuses a long company name with markup and rare letters (fault code {fault}).": (
            "Panel odrzuca długą nazwę firmy ze znacznikami i rzadkimi literami (kod błędu {fault})."
        ),
        "A company of {count} letters, with markup and a letter outside the BMP, is kept as it is.": (
            "Nazwa firmy ({count} znaków), ze znacznikami i znakiem spoza BMP, zostaje bez zmian."
        ),
        "Of a company of {count} letters, with markup and rare letters, the panel keeps {kept}, {how}.": (
            "Z nazwy firmy ({count} znaków), ze znacznikami i rzadkimi literami, panel zachowuje {kept}, {how}."
        ),
        "The panel refuses a credit limit (fault code {fault}).": "Panel odrzuca limit kredytu (kod błędu {fault}).",
        "It is sent and cannot be checked; `status` counts it as sent, not shown.": (
            "Jest wysyłane bez możliwości sprawdzenia; `status` liczy je jako wysłane, nie pokazywane."
        ),
        "A 0 leaves {names} as it was.": "Zero zostawia bez zmian: {names}.",
        "A 0 is a figure like any other.": "Zero jest kwotą jak każda inna.",
        "Check the key's rights, or set shops.direction to off.": (
            "Sprawdź uprawnienia klucza albo ustaw shops.direction na off."
        ),
        "The panel refuses to assign a discount group (fault code {fault}).": (
            "Panel odmawia przypisania grupy rabatowej (kod błędu {fault})."
        ),
        "Group {no_group} does not take an account out of its group{more}.": (
            "Grupa {no_group} nie usuwa konta z jego grupy{more}."
        ),
        "Group {no_group} takes an account out of its discount group.": (
            "Grupa {no_group} usuwa konto z jego grupy rabatowej."
        ),
        "A delivery address that was added is not shown ({answer}).": (
            "Dodany adres dostawy nie jest pokazywany ({answer})."
        ),
        "What was there before could not be put back: {names}.": "Nie udało się przywrócić, co było: {names}.",
        "Writing the phone number alone has changed {names}.": "Zapis samego numeru telefonu zmienił też: {names}.",
        "The account's modification date was now before the write already, in the time of {zone}.": (
            "Data modyfikacji konta była bieżąca już przed zapisem, w czasie strefy {zone}."
        ),
        "Run this again in a minute: it may be that panel.time_zone must be {zone}.": (
            "Uruchom to jeszcze raz za minutę: być może panel.time_zone musi być {zone}."
        ),
        "The panel does not show the {name} that was sent.": "Panel nie pokazuje wysłanej wartości: {name}.",
        "Another figure there is drift, or a figure of the panel's own: see docs/fields.md.": (
            "Inna kwota to odchylenie albo własna kwota panelu: zob. docs/fields.md."
        ),
        "The panel refuses to assign a shop (fault code {fault}).": (
            "Panel odmawia przypisania sklepu (kod błędu {fault})."
        ),
        "Our own write moves the modification date; the panel's dates are wall time of {ours}.": (
            "Nasz zapis zmienia datę modyfikacji; daty panelu to czas lokalny strefy {ours}."
        ),
        "The panel's modification date is {count} min off its clock: not in {ours}.": (
            "Data modyfikacji odbiega od zegara panelu o {count} min: to nie strefa {ours}."
        ),
        "Set panel.time_zone{more}.": "Ustaw panel.time_zone{more}.",
        " to the zone whose wall time the panel shows": " na strefę, której czas pokazuje panel",
        "The {name} is shown as it was sent.": "Wartość pokazywana tak, jak ją wysłano: {name}.",
        "The panel shows another figure for the {name} than was sent.": (
            "Panel pokazuje inną kwotę niż wysłana: {name}."
        ),
        " (fault code {fault})": " (kod błędu {fault})",
        " to {zone}": " na {zone}",
        # --- writes to accounts that do not exist
        "writes a phone number to accounts that do not exist": "zapisuje numer telefonu kontom, których nie ma",
        "is taken too": "też jest przyjmowana",
        "writes to accounts that do not exist, in batches of {names}": (
            "zapisy do kont, których nie ma, w porcjach {names}"
        ),
        "Delete them in the panel. Tell the authors of Kartoteka: a write must never open an account.": (
            "Usuń je w panelu. Zgłoś to autorom Kartoteki: zapis nie może zakładać konta."
        ),
        "A write to an account that does not exist makes none.": "Zapis do konta, którego nie ma, go nie zakłada.",
        "Check that the key may write (CRM, read and write).": (
            "Sprawdź, czy klucz może zapisywać (CRM, odczyt i zapis)."
        ),
        "Nothing to do: what was written is read back before it counts.": (
            "Nie trzeba nic robić: co zapisano, jest odczytywane, zanim się liczy."
        ),
        "Each result names its record, in the order of the request.": (
            "Każdy wynik wskazuje swój rekord, w kolejności żądania."
        ),
        "The panel has made accounts of writes that named none: their log-ins begin with {stranger}.": (
            "Panel założył konta z zapisów, które żadnego nie wskazywały: ich loginy zaczynają się od {stranger}."
        ),
        "The panel refuses even a batch of {sizes} ({answer}).": "Panel odrzuca nawet porcję {sizes} ({answer}).",
        "An account that does not exist is a fault of its record ({names}; {answer}).": (
            "Brak konta jest błędem jego rekordu ({names}; {answer})."
        ),
        "without a number": "bez numeru",
        "The panel thanks for {count} of {size} writes to accounts that do not exist.": (
            "Panel przyjmuje {count} z {size} zapisów do kont, których nie ma."
        ),
        "Results name their records, not in the order of the request or not all; they are paired by name.": (
            "Wyniki wskazują rekordy, lecz nie w kolejności żądania albo nie wszystkie; są parowane po nazwie."
        ),
        "Results do not name their records.": "Wyniki nie wskazują rekordów.",
        "Nothing to do: they are paired by their place, and only where none is missing.": (
            "Nie trzeba nic robić: są parowane po miejscu, i tylko gdy żadnego nie brakuje."
        ),
        "The panel takes {times}, and refuses larger batches.": "Panel przyjmuje {times}, a większe porcje odrzuca.",
        "{size} in {seconds} s": "{size} w {seconds} s",
        "Set panel.batch_size to {max}.": "Ustaw panel.batch_size na {max}.",
        "The panel takes {times}; {sizes} {over}.": "Panel przyjmuje {times}; porcja {sizes} {over}.",
        # --- the stack
        "whether its settings can be read": "czy da się odczytać jego ustawienia",
        "the stack's schedules": "harmonogramy stosu",
        "whether its queues reach their functions": "czy kolejki docierają do funkcji",
        "what lies in its dead letters": "co leży w nieudanych wiadomościach",
        "who hears its alarms": "kto słyszy alarmy",
        "Check the network and the credentials.": "Sprawdź sieć i poświadczenia.",
        "Could not be found out: AWS refuses {right} ({code}).": "Nie udało się ustalić: AWS odmawia {right} ({code}).",
        "Deploy with Schedules=on when you go live; until then `kartoteka tick` synchronises.": (
            "Wdróż ze Schedules=on, gdy uruchamiasz; do tego czasu synchronizuje `kartoteka tick`."
        ),
        "Enable the event source mapping, or deploy again.": "Włącz event source mapping albo wdróż jeszcze raz.",
        "See the runbook, then `kartoteka redrive`.": "Zobacz runbook, potem `kartoteka redrive`.",
        "No message has failed for good.": "Żadna wiadomość nie zawiodła na dobre.",
        "A local stack: nobody need hear its alarms.": "Stos lokalny: nikt nie musi słyszeć jego alarmów.",
        "Nobody hears the alarms: neither AlarmEmail nor AlarmTopicArn is given.": (
            "Nikt nie słyszy alarmów: nie podano ani AlarmEmail, ani AlarmTopicArn."
        ),
        "Deploy with AlarmEmail, and confirm the message that AWS sends to it.": (
            "Wdróż z AlarmEmail i potwierdź wiadomość, którą wyśle tam AWS."
        ),
        "Confirm the message that AWS sent to AlarmEmail.": "Potwierdź wiadomość, którą AWS wysłał na AlarmEmail.",
        "AWS does not answer ({name}).": "AWS nie odpowiada ({name}).",
        "Could not be found out: your AWS user is not allowed to {right}.": (
            "Nie udało się ustalić: Twojemu użytkownikowi AWS nie wolno {right}."
        ),
        "Give the user or role that runs the doctor the right {right}, and run it again.": (
            "Daj użytkownikowi lub roli, która uruchamia doctor, uprawnienie {right} i uruchom go jeszcze raz."
        ),
        "The {names} can be read.": "Da się odczytać: {names}.",
        "policy": "polityka",
        "panel's address": "adres panelu",
        "panel's key": "klucz panelu",
        "exchange database's address": "adres bazy wymiany",
        "{count} of {count2} schedules are off: {names}.": "Wyłączone harmonogramy: {count} z {count2}: {names}.",
        "All {count} schedules are on.": "Wszystkie harmonogramy ({count}) są włączone.",
        "The queues of {names} do not reach their functions.": "Kolejki {names} nie docierają do swoich funkcji.",
        "All {count} queues reach their functions.": "Wszystkie kolejki ({count}) docierają do swoich funkcji.",
        "Messages that failed twenty times: {told}.": "Wiadomości, które zawiodły dwadzieścia razy: {told}.",
        "Nobody hears the alarms: of {count} subscriptions none is confirmed.": (
            "Nikt nie słyszy alarmów: z subskrypcji ({count}) żadna nie jest potwierdzona."
        ),
        "{count} of {count2} subscriptions hear the alarms.": "Alarmy słyszą subskrypcje: {count} z {count2}.",
        "The {what} cannot be read. {sentence}": "Nie da się odczytać: {what}. {sentence}",
    }
)
"""English -> Polish, with the same facts."""
