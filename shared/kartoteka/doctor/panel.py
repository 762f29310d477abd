"""Part A: what a panel does, found out by reading alone.

The questions are the product's own requests, so that what is found is what the product will meet; the answers are
looked at unjudged. Nothing of a customer is in a finding: counts, names of fields and numbers of shops only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from kartoteka.adapters.idosell import accounts as gates
from kartoteka.adapters.idosell import addresses as address_gates
from kartoteka.adapters.idosell import answers, groups, system
from kartoteka.adapters.idosell.clock import read_day
from kartoteka.adapters.idosell.dialect import Dialect
from kartoteka.adapters.idosell.elements import WHOLE, unshown
from kartoteka.adapters.idosell.http import PanelHttp, Reply
from kartoteka.adapters.idosell.panel import (
    ADDRESSES,
    CLIENTS,
    CRM_SEARCH,
    GROUP_CLIENTS,
    GROUPS,
    PAGE,
    SERVER_TIME,
    SHOPS_DATA,
)
from kartoteka.doctor.findings import Examination, Finding, clocks, look, ok, stop
from kartoteka.fields import table
from kartoteka.fields.normal import code_key
from kartoteka.policy import Policy
from kartoteka.ports.panel import Days, Window
from kartoteka.sentences import counted, worded

SPECIFICATION = "/api/doc/admin/v{}/json"
SAMPLE_PAGES = 5
"""Pages of accounts that are looked through for duplicates and long values."""
SLOW = 0.5
"""The share of the time limit from which an answer is called slow."""
WRONG_KEY = "kartoteka-doctor-wrong-key"

Json = dict[str, Any]
Found = Iterator[Finding]


@dataclass
class Patient:
    """A panel under examination, and the answers that more than one examination looks at."""

    http: PanelHttp
    policy: Policy
    replies: list[Reply] = field(default_factory=list, repr=False)

    def get(self, path: str, query: Mapping[str, str] | None = None, **more: Any) -> Reply:
        """Ask a reading gate, unjudged."""
        return self._kept(self.http.look("GET", path, query, **more))

    def post(self, path: str, body: Json) -> Reply:
        """Call a POST, unjudged: a search that takes its question in a body, or a write."""
        return self._kept(self.http.look("POST", path, body=body))

    def put(self, path: str, body: Json) -> Reply:
        """Call a PUT, unjudged."""
        return self._kept(self.http.look("PUT", path, body=body))

    def _kept(self, reply: Reply) -> Reply:
        self.replies.append(reply)
        return reply

    def page(self, wanted: gates.Filter, number: int = 0, limit: int = PAGE, elements: str = WHOLE) -> Reply:
        """Ask for a page of accounts as the product does."""
        return self.get(CLIENTS, gates.search_query(number, limit, wanted, elements))

    @cached_property
    def first_page(self) -> Reply:
        """The first page of all accounts, whole records."""
        return self.page(gates.everything())

    @cached_property
    def shops(self) -> Reply:
        """What the panel tells of its shops."""
        return self.get(SHOPS_DATA)

    @cached_property
    def groups(self) -> Reply:
        """The first page of its discount groups."""
        return self.get(GROUPS, groups.search_query(0, PAGE))

    @property
    def group_numbers(self) -> list[str]:
        """The numbers of the panel's discount groups."""
        return [answers.text(each.get("groupNumber")) for each in records(self.groups, "groups")]

    @property
    def dialect(self) -> Dialect:
        """What the policy says of this panel."""
        return Dialect(ZoneInfo(self.policy.panel.time_zone), self.policy.panel.no_group)

    @property
    def accounts(self) -> list[Json]:
        """The accounts of the first page; empty where there are none."""
        return records(self.first_page, "results")

    @property
    def total(self) -> int:
        """How many accounts there are, as the panel counts."""
        return _total(self.first_page, "results")


def records(reply: Reply, name: str) -> list[Json]:
    """Return the records of an answer, empty where there are none."""
    return [each for each in answers.listed(reply.object, name) if isinstance(each, dict)]


def _total(reply: Reply, name: str) -> int:
    counted = answers.whole(reply.object.get("resultsNumberAll"))
    return len(records(reply, name)) if counted is None else counted


def said(reply: Reply) -> str:
    """Say how an answer looks: its status, and the number of its fault. The fault's words may quote a customer."""
    number, _ = answers.fault(reply.object) or ("", "")
    if number:
        return worded("status {status}, fault code {number}", status=reply.status, number=number)
    return worded("status {status}", status=reply.status)


# --- the examinations, in the order in which they are made


def specification(patient: Patient) -> Found:
    """Compare the panel's own description of its API with the names that the product uses."""
    reply = patient.get(SPECIFICATION.format(patient.policy.panel.api_version))
    paths = reply.object.get("paths")
    if not isinstance(paths, dict):
        yield look(
            "specification",
            worded("The panel gives no description of its API ({answer}).", answer=said(reply)),
            "Nothing to do: the examinations below tell what counts.",
        )
        return
    described = {
        path.rsplit("/admin/v", 1)[-1].partition("/")[2] if "/admin/v" in path else path.strip("/"): each
        for path, each in paths.items()
    }
    lacking = {
        gate for gate in (CLIENTS, ADDRESSES, SERVER_TIME, SHOPS_DATA, CRM_SEARCH, GROUPS) if gate not in described
    }
    if lacking:
        yield stop(
            "specification",
            worded("The panel's description has no {names}.", names=", ".join(sorted(lacking))),
            "Check panel.api_version and that this is an IdoSell panel.",
        )
        return
    if unknown := sorted(_names_sent() - _words(described[CLIENTS], reply.object)):
        yield look(
            "specification",
            worded(
                "The panel's description does not know {names}: it is of an older version than these fields.",
                names=", ".join(unknown),
            ),
            "Nothing to do: where the panel refuses such a field, the others go without it, and `status` says so.",
        )
    else:
        yield ok("specification", "The panel's description of its API has every gate and field that is used.")


def _names_sent() -> set[str]:
    fields = table.ACCOUNT_FIELDS.values()
    return {name for each in fields for name in (each.create, each.update) if name}


def _words(described: Any, document: Json, seen: frozenset[str] = frozenset()) -> set[str]:
    """Return every name in a part of an OpenAPI document, through its references."""
    match described:
        case {"$ref": str(reference)} if reference not in seen:
            target: Any = document
            for part in reference.removeprefix("#/").split("/"):
                target = target.get(part, {}) if isinstance(target, dict) else {}
            return _words(target, document, seen | {reference})
        case dict():
            named = {described["name"]} if isinstance(described.get("name"), str) else set()
            return named.union(described, *(_words(each, document, seen) for each in described.values()))
        case list():
            return set().union(*(_words(each, document, seen) for each in described))
    return set()


def clock(patient: Patient) -> Found:
    """Compare the panel's clock with ours."""
    reply = patient.get(SERVER_TIME)
    ahead = (system.server_time(reply.object) - datetime.now(UTC)).total_seconds()
    remedy = "Windows follow the panel's clock, so nothing is lost; but find out which of the two is wrong."
    yield clocks("clock", "panel", ahead, remedy)


def shops(patient: Patient) -> Found:
    """See which shops there are, and what they require of an account."""
    reply = patient.shops
    there = system.shops(reply.object)
    policy = patient.policy
    wanted = {*policy.accounts.default_shops, *(shop for rule in policy.shops.rules for shop in rule.shops)}
    named = ", ".join(map(str, sorted(there)))
    if missing := wanted - there.keys():
        one = {"accounts": {"default_shops": sorted(there)}} if len(there) == 1 else {}
        yield stop(
            "shops",
            worded(
                "The policy names the shops {names}, but the panel has only {named}.",
                names=", ".join(map(str, sorted(missing))),
                named=named,
            ),
            "Correct accounts.default_shops and shops.rules: no account can be opened for a shop that is not there.",
            **one,
        )
    else:
        yield ok(
            "shops", worded("The panel has the shops {named}; all that the policy names are among them.", named=named)
        )
    told = [each for each in records(reply, "shops") if isinstance(each.get("client_edit_require_fields"), dict)]
    required = sorted(frozenset().union(*there.values()))
    if required:
        yield ok(
            "required_fields",
            worded(
                "Of an account the shops require {names}: who lacks it is held, with the field named.",
                names=", ".join(required),
            ),
        )
    elif told:
        yield ok("required_fields", "The shops require no field of an account beside those that the API wants.")
    else:
        yield look(
            "required_fields",
            "The panel does not tell which fields its shops require of an account.",
            "Look into the panel's settings of customer accounts, and put them into panel.required_on_create.",
        )


def search(patient: Patient) -> Found:
    """Read accounts in both ways: whole, and with ``returnElements``."""
    reply = patient.first_page
    if reply.status // 100 != 2:
        yield stop(
            "search",
            worded("The panel refuses to show its accounts ({answer}).", answer=said(reply)),
            "Check the key and its rights.",
        )
        return
    page = answers.page_of(reply.object, "results", 0, PAGE, nothing=answers.fault(reply.object) is not None)
    if not page.records:
        yield ok(
            "search",
            worded("The panel has no account yet ({answer}): what needs one could not be tried.", answer=said(reply)),
        )
        return
    yield ok(
        "search",
        worded(
            "The panel shows {accounts}, on {pages} of {page}.",
            accounts=counted(page.total, "account"),
            pages=counted(page.pages, "page"),
            page=PAGE,
        ),
    )
    asked = records(patient.page(gates.everything(), elements=gates.ELEMENTS), "results")
    never = unshown(gates.PATHS, page.records)
    if flat := unshown(gates.PATHS, asked) - never:
        yield look(
            "return_elements",
            worded("With returnElements the panel leaves out {names}.", names=", ".join(sorted(flat))),
            "Nothing to do: this is noticed, and whole records are read. Answers are larger for it.",
        )
    else:
        yield ok("return_elements", "returnElements shows all that a whole record shows.")
    if never:
        yield look(
            "never_shown",
            worded(
                "None of {accounts} shows {names}.",
                accounts=counted(len(page.records), "account"),
                names=", ".join(sorted(never)),
            ),
            "What is never shown is sent and not read back: an edit of it in the panel is not seen.",
        )


def unknown_filter(patient: Patient) -> Found:
    """Ask with a filter that no gate has."""
    nonsense = gates.Filter("kartotekaDoctor", {"kartotekaDoctor": "1"}, lambda _: True)
    reply = patient.page(nonsense, limit=1)
    if _total(reply, "results") and reply.status // 100 == 2:
        yield ok(
            "unknown_filter",
            "An unknown filter is ignored; every answer is checked for what was asked, so it harms nobody.",
        )
    else:
        yield ok(
            "unknown_filter", worded("An unknown filter is refused or finds nothing ({answer}).", answer=said(reply))
        )


def empty_window(patient: Patient) -> Found:
    """Ask for what was modified in 1990: how nothing looks, and whether the filter by date counts."""
    day = datetime(1990, 1, 1, tzinfo=UTC)
    reply = patient.page(gates.by_dates(Window(day, day + timedelta(days=1))))
    dated = [each for each in records(reply, "results") if _modified(each)]
    if dated:
        yield stop(
            "date_filter",
            "The panel ignores the filter by modification date: asked for 1990, it shows accounts of other dates.",
            "Edits in the panel cannot be found. Check panel.api_version; ask IdoSell what the filter is called.",
        )
    elif records(reply, "results"):
        yield look(
            "date_filter",
            "Accounts without a modification date are shown in every window.",
            "Nothing to do but patience: each reading of the feed brings them again, which costs calls.",
        )
    elif reply.status // 100 == 2:
        yield ok("date_filter", worded("A window without edits shows nothing ({answer}).", answer=said(reply)))
    else:
        yield stop(
            "date_filter",
            worded("The panel refuses a search by date ({answer}).", answer=said(reply)),
            "Check panel.api_version.",
        )


def _modified(shown: Json) -> datetime | None:
    try:
        return datetime.fromisoformat(answers.text(shown.get(gates.MODIFIED)))
    except ValueError:
        return None


def known_date(patient: Patient) -> Found:
    """Look for an account by its own modification date, to the second, and within a second on both sides."""
    dated = {_modified(each): each for each in patient.accounts if _modified(each)}
    if not dated:
        if patient.accounts:
            yield stop(
                "known_date",
                "No account of the first page shows a modification date.",
                "Edits in the panel cannot be found. Check the key's rights and panel.api_version.",
            )
        return
    moment = max(filter(None, dated))
    wanted = answers.text(dated[moment].get("clientId"))

    def found(begin: datetime, end: datetime) -> bool:
        reply = patient.page(gates.by_wall_times(str(begin), str(end)))
        return any(answers.text(each.get("clientId")) == wanted for each in records(reply, "results"))

    second = timedelta(seconds=1)
    if found(moment, moment):
        yield ok("known_date", "A window takes both its ends: an account is found by its own modification date.")
    elif found(moment - second, moment + second):
        yield ok("known_date", "A window leaves out its ends; windows overlap, so nothing is missed.")
    else:
        yield stop(
            "known_date",
            "An account is not found by its own modification date, nor within a second of it.",
            "Edits in the panel would be missed. Ask IdoSell how clientsLastModificationDate is searched.",
        )


def registered(patient: Patient) -> Found:
    """Ask who registered in 1990, and who from yesterday to tomorrow."""
    long_ago = patient.page(gates.by_registration(Days(date(1990, 1, 1), date(1990, 1, 2))))
    today = datetime.now(UTC).date()
    days = Days(today - timedelta(days=1), today + timedelta(days=1))
    found = records(patient.page(gates.by_registration(days)), "results")
    if any(read_day(each.get(gates.REGISTERED)) for each in records(long_ago, "results")):
        yield stop(
            "registered",
            "The panel ignores the filter by registration: asked for 1990, it shows accounts of other days.",
            "New customers without a modification date would not be found. Check panel.api_version.",
        )
    elif undated := [each for each in found if not _modified(each)]:
        yield look(
            "registered",
            worded(
                "{count} of {accounts} without a modification date.",
                count=len(undated),
                accounts=counted(len(found), "new account"),
            ),
            "Nothing to do: new accounts are also asked for by their day of registration.",
        )
    else:
        yield ok(
            "registered",
            worded(
                "{accounts} registered since yesterday; each shows a modification date.",
                accounts=counted(len(found), "account"),
            ),
        )


def addresses(patient: Patient) -> Found:
    """Read the delivery addresses of the accounts of the first page in one call."""
    ids = [answers.text(each.get("clientId")) for each in patient.accounts]
    if not ids:
        return
    reply = patient.get(ADDRESSES, address_gates.query(ids))
    shown = {answers.text(each.get("clientId")) for each in records(reply, "results")}
    if reply.status // 100 != 2:
        yield stop(
            "addresses",
            worded("The panel refuses to show delivery addresses ({answer}).", answer=said(reply)),
            "Check the key's rights.",
        )
    elif shown - set(ids):
        yield stop(
            "addresses",
            worded(
                "Asked for the addresses of {accounts}, the panel shows others too.",
                accounts=counted(len(ids), "account"),
            ),
            "Check panel.api_version: the filter clientIds is ignored.",
        )
    elif shown == set(ids):
        yield ok(
            "addresses",
            worded(
                "The addresses of {accounts} come in one answer, each account named.",
                accounts=counted(len(ids), "account"),
            ),
        )
    else:
        yield ok(
            "addresses",
            worded(
                "{count} of {accounts} are not named ({answer}): they have none.",
                count=len(ids) - len(shown),
                accounts=counted(len(ids), "account"),
                answer=said(reply),
            ),
        )


def discount_groups(patient: Patient) -> Found:
    """Read the discount groups, and who is in the first one."""
    reply = patient.groups
    found = records(reply, "groups")
    if reply.status // 100 != 2:
        yield stop(
            "groups",
            worded("The panel refuses to show its discount groups ({answer}).", answer=said(reply)),
            "Give the key the right CRM, or set discounts.direction to off.",
        )
        return
    names = Counter(answers.text(each.get("groupName")) for each in found)
    twice = sum(1 for times in names.values() if times > 1)
    if twice:
        yield look(
            "groups",
            worded("{twice} names of discount groups are given more than once.", twice=twice),
            "A group of the ERP is not joined with one whose name is not unique: rename them in the panel.",
        )
    else:
        yield ok(
            "groups",
            worded(
                "The panel has {groups}, no two of one name.", groups=counted(_total(reply, "groups"), "discount group")
            ),
        )
    if found:
        number = answers.text(found[0].get("groupNumber"))
        members = patient.get(GROUP_CLIENTS, groups.members_query(number))
        level = ok if members.status // 100 == 2 else look
        remedy = (
            ()
            if level is ok
            else ("The members of a group are read where clients are assigned. Check the key's rights.",)
        )
        yield level(
            "group_members", worded("Who is in a discount group is told ({answer}).", answer=said(members)), *remedy
        )


def page_limits(patient: Patient) -> Found:
    """Ask for a page of 101 records, and for one far past the end."""
    if not patient.accounts:
        return
    over = patient.page(gates.everything(), limit=PAGE + 1)
    shown = len(records(over, "results"))
    way = (
        worded("shows {shown} records", shown=shown)
        if over.status // 100 == 2
        else worded("is refused ({answer})", answer=said(over))
    )
    yield ok("page_limit", worded("A page of {count} {way}; {page} are asked for.", count=PAGE + 1, way=way, page=PAGE))
    past = patient.page(gates.everything(), number=patient.total // PAGE + 1000)
    if records(past, "results"):
        yield stop(
            "past_the_end",
            "A page past the end shows records.",
            "Reading all accounts relies on the end of the pages. Tell the authors of Kartoteka.",
        )
    else:
        yield ok("past_the_end", worded("A page past the end is empty ({answer}).", answer=said(past)))


def crm_search(patient: Patient) -> Found:
    """Look in the other search for an account that is there, and compare how many accounts both count."""
    named = next((text for each in patient.accounts if (text := answers.text(each.get("clientLogin")))), "")
    if not named:
        return
    reply = patient.post(CRM_SEARCH, {"params": gates.crm_params(gates.CRM_LOGIN, [named])})
    shown = [answers.text(each.get("clientLogin")) for each in records(reply, "clientsResults")]
    if code_key(named) in map(code_key, shown):
        yield ok("crm_search", "The CRM search finds an account by its log-in name.")
    else:
        yield look(
            "crm_search",
            worded("The CRM search does not find an account that is there ({answer}).", answer=said(reply)),
            "Give the key's user all shops: by this search it is asked again for what another answer leaves out.",
        )
    everybody = patient.post(CRM_SEARCH, {"params": gates.crm_params()})
    fewer = patient.total - _total(everybody, "clientsResults")
    if fewer > 0 and everybody.status // 100 == 2:
        yield look(
            "visible_shops",
            worded(
                "The CRM search counts {fewer} accounts less than clients/clients: the key's user does not see all "
                "shops.",
                fewer=fewer,
            ),
            "Give the key's user all shops, or expect that some accounts are asked about once more than needed.",
        )


def activity(patient: Patient) -> Found:
    """Compare the counts of open and of closed accounts with that of all."""
    if not patient.accounts:
        return
    ids = [answers.text(each.get("clientId")) for each in patient.accounts]
    counts = [len(records(patient.page(gates.by_activity(word, ids)), "results")) for word in ("yes", "no")]
    if sum(counts) == len(ids):
        yield ok(
            "activity",
            worded(
                "The filter by activity works: of {accounts} {counts} are closed.",
                accounts=counted(len(ids), "account"),
                counts=counts[1],
            ),
        )
    else:
        yield look(
            "activity",
            worded(
                "The filter by activity finds {counts} open and {counts2} closed of {accounts}.",
                counts=counts[0],
                counts2=counts[1],
                accounts=counted(len(ids), "account"),
            ),
            "An account that is closed by hand in the panel may not be noticed.",
        )


def sample(patient: Patient) -> Found:
    """Look through the first pages for what is there twice, and for values that are too long."""
    accounts = list(patient.accounts)
    for number in range(1, min(SAMPLE_PAGES, -(-patient.total // PAGE))):
        accounts += records(patient.page(gates.everything(), number), "results")
    if not accounts:
        return
    read = gates.accounts(accounts)
    for what, values in (
        ("external codes", [code_key(each.external_code) for each in read]),
        (
            "e-mail addresses",
            [table.RECOGNISED_BY[table.EMAIL_FIELD](each.values.get(table.EMAIL_FIELD), "") for each in read],
        ),
        ("tax numbers", [answers.text(each.values.get(table.TAX_NUMBER_FIELD)) for each in read]),
    ):
        twice = sum(times - 1 for value, times in Counter(values).items() if value and times > 1)
        id_ = "duplicates." + what.replace(" ", "_").replace("-", "_")
        if twice:
            yield look(
                id_,
                worded(
                    "Of {accounts} {twice} share their {what} with another one.",
                    accounts=counted(len(read), "account"),
                    twice=twice,
                    what=what,
                ),
                "Such accounts are not linked by it: the client is asked about in `sync_matches`.",
            )
        else:
            yield ok(
                id_, worded("No two of {accounts} share {what}.", accounts=counted(len(read), "account"), what=what)
            )
    too_long = {
        name: longest
        for name, each in table.ACCOUNT_FIELDS.items()
        if (longest := max((len(answers.text(account.values.get(name))) for account in read), default=0)) > each.length
    }
    if too_long:
        told = ", ".join(
            f"{name} ({longest} of {table.ACCOUNT_FIELDS[name].length})" for name, longest in too_long.items()
        )
        yield look(
            "lengths",
            worded("The panel holds longer values than the exchange database's columns: {told}.", told=told),
            "Such a value is held with its field named, and the client's other fields travel.",
        )
    else:
        yield ok("lengths", "Every value of these accounts fits into the exchange database's column.")


def wrong_key(patient: Patient) -> Found:
    """Ask once with a key that is wrong."""
    reply = patient.get(SERVER_TIME, key=WRONG_KEY)
    if reply.status in (401, 403):
        yield ok("wrong_key", worded("A wrong key is refused ({answer}).", answer=said(reply)))
    elif reply.status // 100 == 2:
        yield look("wrong_key", "The panel answers to a wrong key.", "Ask IdoSell: anybody could read this panel.")
    else:
        yield look(
            "wrong_key",
            worded("A wrong key is answered oddly ({answer}).", answer=said(reply)),
            "It will be told as that, not as a wrong key.",
        )


def speed(patient: Patient) -> Found:
    """Look at the times and the headers of all answers so far."""
    seconds = sorted(reply.seconds for reply in patient.replies)
    limit = patient.policy.panel.timeout_seconds
    told = worded(
        "{calls} took {median} s at the median, {seconds} s at most",
        calls=counted(len(seconds), "call"),
        median=f"{median(seconds):.2f}",
        seconds=f"{seconds[-1]:.2f}",
    )
    if seconds[-1] > SLOW * limit:
        yield look(
            "speed",
            worded("{told}; the limit is {limit} s.", told=told, limit=f"{limit:g}"),
            "Raise panel.timeout_seconds, and send less at a time by panel.batch_size.",
            panel={"timeout_seconds": min(60, 2 * limit), "batch_size": max(1, patient.policy.panel.batch_size // 2)},
        )
    else:
        yield ok("speed", worded("{told}.", told=told))
    limits = sorted(
        {name for reply in patient.replies for name in reply.headers if "ratelimit" in name or name == "retry-after"}
    )
    if limits or any(reply.status == 429 for reply in patient.replies):
        yield look(
            "rate",
            worded("The panel limits the rate of calls ({fact}).", fact=", ".join(limits) or "status 429"),
            "Set panel.requests_per_second to what your plan allows.",
        )


_CLIENTS = f"GET {CLIENTS}"
EXAMINATIONS: tuple[Examination[Patient], ...] = (
    Examination(
        "specification", "the panel's own description of its API", [f"GET {SPECIFICATION.format(8)}"], specification
    ),
    Examination("clock", "its clock", [f"GET {SERVER_TIME}"], clock),
    Examination("shops", "its shops and what they require", [f"GET {SHOPS_DATA}"], shops),
    Examination("search", "its accounts, with and without returnElements", [_CLIENTS] * 2, search),
    Examination("unknown_filter", "a filter that does not exist", [_CLIENTS], unknown_filter),
    Examination("date_filter", "a window in 1990", [_CLIENTS], empty_window),
    Examination("known_date", "an account by its own modification date", [_CLIENTS] * 2, known_date),
    Examination("registered", "accounts registered in 1990, and since yesterday", [_CLIENTS] * 2, registered),
    Examination(
        "addresses", worded("delivery addresses of {page} accounts", page=PAGE), [f"GET {ADDRESSES}"], addresses
    ),
    Examination("groups", "discount groups and members", [f"GET {GROUPS}", f"GET {GROUP_CLIENTS}"], discount_groups),
    Examination("page_limit", "a page of 101, and one past the end", [_CLIENTS] * 2, page_limits),
    Examination("crm_search", "the CRM search", [f"POST {CRM_SEARCH}"] * 2, crm_search),
    Examination("activity", "open and closed accounts", [_CLIENTS] * 2, activity),
    Examination(
        "sample",
        worded("up to {count} accounts: duplicates, longest values", count=SAMPLE_PAGES * PAGE),
        [_CLIENTS] * (SAMPLE_PAGES - 1),
        sample,
    ),
    Examination("wrong_key", "a wrong key, once", [f"GET {SERVER_TIME}"], wrong_key),
    Examination("speed", "time and headers of all these answers", [], speed),
)
