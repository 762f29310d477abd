"""What the first synchronisation would do: whose accounts the panel's are, told before anything is written.

The answers are the product's own: the same matching, over the accounts as the panel shows them and the clients as they
stand in the exchange database. Nothing is written on any side, and a finding holds counts only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from kartoteka.adapters.idosell import accounts as gates
from kartoteka.adapters.idosell.panel import PAGE, HttpPanel
from kartoteka.adapters.sql import SqlExchange
from kartoteka.adapters.sql.database import Database
from kartoteka.adapters.sql.index import SqlAccountIndex
from kartoteka.adapters.sql.tables import ERP
from kartoteka.concerns.accounts import matching, opening
from kartoteka.concerns.accounts.index import Index
from kartoteka.doctor.findings import Examination, Finding, look, ok, stop
from kartoteka.doctor.panel import Patient
from kartoteka.fields import table
from kartoteka.fields.normal import code_key, is_plain_code
from kartoteka.model import Candidate, Direction, Owner, Record
from kartoteka.ports.exchange import Mark, SeenAccount
from kartoteka.sentences import counted, worded
from kartoteka.sync.feed import seen

CONCERN, BY_CODE = "accounts", "external_code"
CLIENTS = 1_000
"""Clients that are looked at with one set of statements."""
PAGE_OF_DOCS = "docs/from-the-bridge.md"

Found = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Both:
    """A panel and the exchange database that it is to be kept in step with.

    ``calls``: how many may be made to read all accounts; 0: they are not read.
    """

    panel: Patient
    exchange: SqlExchange
    calls: int = 0


# --- how the panel's external codes relate to the clients


OTHER_COLUMNS = {
    "names": "the customers' names",
    "logins": "the clients' log-in names",
    "tax_numbers": "the clients' tax numbers",
    "emails": "the clients' e-mail addresses",
    "zeros": "the clients' ids but for leading zeros",
}
"""What an external code may be instead of the client's id."""
EQUAL, ALIKE, NUMBER, NOBODYS = "equal", "alike", "numbers", "nobodys"


def codes(both: Both) -> Found:
    """Compare the external codes of the first page of accounts with what stands in the clients' rows."""
    shown = gates.accounts(both.panel.accounts, both.panel.dialect)
    coded = [account.external_code for account in shown if account.external_code and not account.guest]
    if not coded:
        yield ok("codes", worded("None of {count} accounts carries an external code.", count=len(shown)))
        return
    relations = _relations(both.exchange, coded)
    counts = Counter(relations.get(code) or (NUMBER if code.isdecimal() else NOBODYS) for code in coded)
    right = counts[EQUAL] + counts[ALIKE]
    yield ok(
        "codes",
        worded(
            "Of {count} accounts with an external code {right} carry the id of a client.", count=len(coded), right=right
        ),
    )
    for what, words in OTHER_COLUMNS.items():
        if counts[what]:
            yield stop(
                f"codes.{what}",
                worded(
                    "The codes of {counts} of {count} accounts are {words}.",
                    counts=counts[what],
                    count=len(coded),
                    words=words,
                ),
                worded(
                    "As it is, each of these clients is asked about or gets a second account. Correct the codes in "
                    "the panel, or say by one INSERT whose account each is ({page_of_docs}).",
                    page_of_docs=PAGE_OF_DOCS,
                ),
            )
    if counts[NUMBER]:
        yield look(
            "codes.numbers",
            worded(
                "The codes of {counts} of {count} accounts are numbers that no client has.",
                counts=counts[NUMBER],
                count=len(coded),
            ),
            worded(
                "They may be ids of the bridge's own database: `kartoteka doctor --from-bridge` shows which of its "
                "columns could be the client's id ({page_of_docs}).",
                page_of_docs=PAGE_OF_DOCS,
            ),
        )
    if counts[NOBODYS]:
        yield look(
            "codes.nobodys",
            worded(
                "The codes of {counts} of {count} accounts belong to no client.",
                counts=counts[NOBODYS],
                count=len(coded),
            ),
            "A client who is found by another rule is asked about (foreign_code). Complete the table of clients first, "
            "or remove the codes in the panel.",
        )


def _relations(exchange: SqlExchange, coded: Collection[str]) -> Mapping[str, str]:
    """Return code -> what it is of some client; codes that are nothing of any client are left out."""
    wanted = {code: {EQUAL: code, ALIKE: code_key(code), "zeros": _number(code)} for code in coded}
    asked: dict[tuple[str, str], list[str]] = defaultdict(list)
    for code, forms in wanted.items():
        asked[EQUAL, code].append(code)
        for what in (ALIKE, *OTHER_COLUMNS):
            asked[what, forms.get(what, forms[ALIKE])].append(code)
    found: dict[str, set[str]] = defaultdict(set)
    own = ERP.clients.c
    names = ("id", table.LOGIN, table.COMPANY_FIELD, *table.PERSON_FIELDS, table.TAX_NUMBER_FIELD, table.EMAIL_FIELD)
    statement = sa.select(*(own[name] for name in names)).execution_options(yield_per=CLIENTS)
    with exchange.database.reading() as connection:
        for row in connection.execute(statement):
            texts = ["" if value is None else str(value) for value in row]
            for key in _forms(*texts):
                for code in asked.get(key, ()) if key[1] else ():
                    found[code].add(key[0])
    order = (EQUAL, ALIKE, *OTHER_COLUMNS)
    return {code: min(what, key=order.index) for code, what in found.items()}


def _forms(*texts: str) -> Iterator[tuple[str, str]]:
    """Yield everything of a client that might have been taken for its code, in the form in which it is compared."""
    client_id, login, firm, first, last, tax_number, mail = texts
    yield EQUAL, client_id
    yield ALIKE, code_key(client_id)
    yield "zeros", _number(client_id)
    yield "logins", code_key(login)
    yield "tax_numbers", code_key(tax_number)
    yield "emails", code_key(mail)
    for name in (firm, f"{first} {last}", f"{last} {first}"):
        yield "names", code_key(name)


def _number(code: str) -> str:
    return code.strip().lstrip("0") if code.strip().isdecimal() else ""


# --- what would be linked, asked about and opened


class ShownAccounts(SqlAccountIndex):
    """The account index as if these accounts stood in it: links and answers are the database's."""

    def __init__(self, database: Database, accounts: Sequence[SeenAccount]) -> None:
        super().__init__(database)
        self.accounts = {account.panel_client_id: account for account in accounts}
        self._by_code: dict[str, list[SeenAccount]] = defaultdict(list)
        self._by_mark: dict[Mark, list[SeenAccount]] = defaultdict(list)
        for account in self.accounts.values():
            self._by_code[code_key(account.external_code)].append(account)
            for mark in account.marks:
                self._by_mark[mark].append(account)

    def find(self, external_codes: Collection[str], marks: Collection[Mark]) -> Sequence[SeenAccount]:
        keys = {code_key(code) for code in external_codes} - {""}
        hit = [*(a for key in keys for a in self._by_code.get(key, ())), *(a for m in marks for a in self._marked(m))]
        found = {account.panel_client_id: account for account in hit}
        return [found[key] for key in sorted(found)]

    def crowded(self, marks: Collection[Mark], most: int) -> frozenset[Mark]:
        return frozenset(m for m in marks if sum(1 for a in self._marked(m) if not a.guest) > most)

    def _marked(self, mark: Mark) -> Sequence[SeenAccount]:
        return self._by_mark.get(mark, ())


@dataclass(slots=True)
class Forecast:
    """What would become of clients (by the rule that finds their account, or the code of the question) and accounts.

    ``taken`` are the accounts that are somebody's, or that a question names.
    """

    clients: int = 0
    linked: int = 0
    found: Counter[str] = field(default_factory=Counter)
    questions: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    incomplete: int = 0
    taken: set[str] = field(default_factory=set, repr=False)


def first_contact(both: Both) -> Found:
    """Read all accounts, and match every client with them."""
    accounts = _all_accounts(both)
    if isinstance(accounts, int):
        yield look(
            "first_contact",
            worded(
                "To read all accounts takes {accounts} calls, more than the {calls} that are allowed: not done.",
                accounts=accounts,
                calls=both.calls,
            ),
            worded("Run `kartoteka doctor --first-contact {accounts}`.", accounts=accounts),
        )
        return
    shown = ShownAccounts(both.exchange.database, accounts)
    policy = both.panel.policy
    index = Index(replace(both.exchange, index=shown), CONCERN, policy.accounts.match)
    told = _matched(both, index)
    found = ((told.found[rule], words) for rule, words in _RULES.items() if told.found[rule])
    by = [worded("{count} by {rule}", count=count, rule=words) for count, words in found]
    yield ok(
        "first_contact",
        worded(
            "{clients}, {accounts}: linked already: {linked}, would be: {total}{more}.",
            clients=counted(told.clients, "client"),
            accounts=counted(len(shown.accounts), "account"),
            linked=told.linked,
            total=told.found.total(),
            more=worded(" ({rules})", rules=by) if by else "",
        ),
    )
    if asked := told.questions.total():
        why = ", ".join(f"{count} {code}" for code, count in sorted(told.questions.items()))
        yield look(
            "first_contact.questions",
            worded("{clients} would be asked about: {why}.", clients=counted(asked, "client"), why=why),
            "Each waits in sync_matches or sync_status for a person's answer; docs/codes.md says what each code means. "
            "Many of one kind are better mended before.",
        )
    if told.opened or told.incomplete:
        opens = policy.accounts.direction in (Direction.ERP_TO_PANEL, Direction.BOTH)
        lacking = (
            worded(", beside {incomplete} who lack what one is opened with", incomplete=told.incomplete)
            if told.incomplete
            else ""
        )
        yield look(
            "first_contact.new",
            worded("Without an account: {clients}{lacking}.", clients=counted(told.opened, "client"), lacking=lacking),
            worded(
                "{more}. If they have one in the panel, find out by what it could be recognised before you go live.",
                more="An account is opened for each who lacks nothing" if opens else "The policy opens none",
            ),
        )
    yield from _strangers(shown, index, both.exchange, told.taken)


_RULES = {
    BY_CODE: "code",
    table.TAX_NUMBER_FIELD: "tax number",
    table.EMAIL_FIELD: "e-mail",
    table.PHONE_FIELD: "telephone",
    matching.OPERATOR: "a person's word",
    matching.INCOMING: "the ERP's answer",
}


def _all_accounts(both: Both) -> Sequence[SeenAccount] | int:
    """Return every account, or how many calls that takes where it is more than allowed: one is made to know."""
    http = both.panel.http
    panel = HttpPanel(http, None, both.panel.dialect)
    before, page, pages = sum(http.calls().values()), 0, 1
    found: list[SeenAccount] = []
    while page < pages:
        answer = panel.changed(None, page, PAGE)
        found += (seen(both.exchange.index, account) for account in answer.found)
        page, pages = page + 1, answer.pages
        needed = sum(http.calls().values()) - before + max(0, pages - page)
        if needed > both.calls:
            return needed
    return found


def _matched(both: Both, index: Index) -> Forecast:
    told, after = Forecast(), ""
    while ids := both.exchange.records.client_ids(after, CLIENTS):
        after = ids[-1]
        records = [r for r in both.exchange.records.load(CONCERN, [Owner(each) for each in ids]) if r.erp is not None]
        told.clients += len(records)
        told.taken |= {record.link.panel_client_id for record in records if record.link}
        unlinked = [record for record in records if record.link is None]
        told.linked += len(records) - len(unlinked)
        _match(both, index, unlinked, told)
    return told


def _match(both: Both, index: Index, records: Sequence[Record], told: Forecast) -> None:
    """Add what would become of these clients without an account."""
    by_code = index.by_code([record.key.client_id for record in records])
    linked = both.exchange.index.owners([a.panel_client_id for some in by_code.values() for a in some])
    others = [record for record in records if record.key.client_id not in by_code]
    plain = [record for record in others if is_plain_code(record.key.client_id)]
    told.questions["bad_id"] += len(others) - len(plain)
    for some in by_code.values():
        told.taken |= {account.panel_client_id for account in some}
        usable = [account for account in some if matching.can_be_linked(account)]
        if len(usable) == 1 and usable[0].panel_client_id not in linked:
            told.found[BY_CODE] += 1
        else:
            told.questions[_why(usable)] += 1
    ids = [record.key.client_id for record in plain]
    known: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in both.exchange.index.candidates(ids):
        known[candidate.client_id].append(candidate)
    answers = both.exchange.index.answers(ids) if both.panel.policy.accounts.incoming else {}
    rows = {record.key.client_id: record.erp or {} for record in plain}
    for client_id, match in index.matches(plain, known, answers).items():
        told.taken |= {match.panel_client_id, *(each.panel_client_id for each in match.candidates)}
        if match.question:
            told.questions[match.question.partition(".")[0]] += 1
        elif match.panel_client_id:
            told.found[match.by] += 1
        elif opening.missing(rows[client_id], both.panel.policy):
            told.incomplete += 1
        else:
            told.opened += 1
    told.questions += Counter()  # drops what was counted as none


def _why(usable: Sequence[SeenAccount]) -> str:
    if not usable:
        return "guest"
    return "several_accounts" if len(usable) > 1 else "shared_account"


def _strangers(shown: ShownAccounts, index: Index, exchange: SqlExchange, taken: Collection[str]) -> Found:
    """Count the accounts that nobody has."""
    free = [a for a in shown.accounts.values() if matching.can_be_linked(a) and a.panel_client_id not in taken]
    owners = index.owners(free)
    existing = exchange.records.existing(frozenset(owners.values()))
    nameless = sum(1 for account in free if account.panel_client_id not in owners)
    foreign = sum(1 for owner in owners.values() if owner not in existing)
    guests = sum(1 for account in shown.accounts.values() if not matching.can_be_linked(account))
    which = worded(
        "{nameless} without an external code, {foreign} with a code that no client has",
        nameless=nameless,
        foreign=foreign,
    )
    if nameless or foreign:
        yield look(
            "first_contact.strangers",
            worded(
                "No client's: {accounts} ({which}), beside {guests}.",
                accounts=counted(nameless + foreign, "account"),
                which=which,
                guests=counted(guests, "guest"),
            ),
            "Those without a code are listed in incoming_clients for the ERP; the others are left alone.",
        )
    else:
        yield ok(
            "first_contact.strangers",
            worded("Every account is a client's, but for {guests}.", guests=counted(guests, "guest")),
        )


CODES = Examination("codes", "the accounts' external codes beside the clients (no further call)", [], codes)
FIRST_CONTACT = Examination("first_contact", "whose account is whose, before anything is written", [], first_contact)
