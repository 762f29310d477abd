"""The concern: finds or opens each client's account, and opens and closes it as the client is active.

The client's code is always looked up first: a lost reply must not open a second account. A client whose code no account
carries is matched with the account index; what no rule hits is opened. An account that was found is given the client's
code before the link is stored, so that after a lost reply it is found by its code.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from functools import cached_property, partial

from kartoteka import codes
from kartoteka.codes import IN_STEP, State, Status
from kartoteka.concerns.accounts import matching, opening
from kartoteka.concerns.accounts.incoming import Incoming
from kartoteka.concerns.accounts.index import Index
from kartoteka.concerns.accounts.logins import Logins
from kartoteka.concerns.accounts.matching import NO_MATCH, Match
from kartoteka.concerns.accounts.passwords import new_password
from kartoteka.concerns.shops import PanelShops, wanted
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields import normal
from kartoteka.fields.table import ACTIVE, CODE, CONCERNS, LOGIN
from kartoteka.fields.values import as_text, from_json
from kartoteka.model import (
    FORGOTTEN,
    NOTHING_KEPT,
    REFUSED,
    STANDS,
    Candidate,
    Change,
    Decision,
    Deferral,
    Direction,
    Done,
    Forms,
    Intent,
    Key,
    Line,
    Link,
    Note,
    Owner,
    Planned,
    Reason,
    Record,
    RecordState,
    Side,
    Value,
    Values,
    Written,
)
from kartoteka.pieces import pieces
from kartoteka.policy import letters_of
from kartoteka.ports.exchange import SeenAccount
from kartoteka.ports.panel import LACKS_FIELD, Account, AccountUpdate, KnownAccount, NewAccount, Window
from kartoteka.sync import feed, forget, retry, undo
from kartoteka.sync.collect import ChangeLogSource, Source, advance
from kartoteka.sync.concern import (
    Concern,
    Failed,
    Foreseen,
    News,
    Opened,
    Shown,
    by_owner,
    codes_given,
    not_own,
    voided,
)
from kartoteka.sync.feed import PAUSED_AS, PanelFeed, index_is_complete, seen
from kartoteka.sync.lookup import NONE_SHOWN, Failures, read_known, was_asked_often
from kartoteka.sync.merge import Step, quoted
from kartoteka.sync.plan import Act, Plan, joined
from kartoteka.sync.planned import Lines, as_json
from kartoteka.sync.retry import Answer
from kartoteka.sync.run import Run

logger = logging.getLogger(__name__)

CLOSED = "closed_in_panel"
"""The code of an account that somebody closed in the panel."""
PAGE = 1_000
"""Clients told with one set of statements."""
LOOKS_AT_ONCE = 3
"""Tries in a row that are made at once where the effect of a call is unknown."""
LOOKS_IN_VAIN = 3
"""Deferrals (1, 2, 4 minutes) after which a taken log-in name is believed to be somebody else's."""
FEED_READINGS = 5
"""How often the feed is read on in one run where another run reads it too."""
NO_CONCERN = "unknown_concern"
"""The code of a row of ``sync_exclusions`` that excludes nobody."""
UNLINKED = "ambiguous.undone"
"""The code of a client whose link was undone."""
WHOLE = ""
"""The name under which a record remembers a refusal of the whole."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a client beside its record.

    ``match``: what matching found, None where it was not asked. ``known`` are its rows of ``sync_matches``, ``answers``
    the accounts that the ERP said are its own.
    """

    match: Match | None = None
    known: tuple[Candidate, ...] = ()
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found(Shown):
    """What the panel shows of a client without an account.

    ``by_code``: the accounts that carry its code. ``matched``: the account that ``match`` means, None where the panel
    does not show it. ``shared``: another client was given the same account. ``owners``: account -> the other client, if
    there is one, that it is linked to. ``before``: what an earlier call was about to do. ``refused``: the fields
    without which the account is opened, since the panel refused them.
    """

    by_code: tuple[Account, ...] = ()
    match: Match = NO_MATCH
    matched: Account | None = None
    shared: bool = False
    owners: Mapping[str, str] = attribute(default_factory=dict)
    before: Intent | None = None
    refused: Mapping[str, Note] = attribute(default_factory=dict, repr=False)


class Accounts(Concern):
    """Whose account is whose, and whether it is open."""

    name = "accounts"
    waits_for_index = True

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._index = Index(run.exchange, self.name, run.policy.accounts.match)
        self._incoming = Incoming(run, self._index)
        self._logins = Logins(run.policy.accounts.login, letters_of(run.policy.panel.login_letters))
        self._shops = PanelShops(run)
        self._lacks_account: dict[Owner, bool] = {}
        self._has_news = False
        self._opened: dict[str, Opened] = {}
        self._fresh: set[str] = set()
        self._closed_in: dict[Window, Collection[str] | None] = {}
        self._shown: dict[str, Account] = {}

    @property
    def is_on(self) -> bool:
        """Whether the policy opens or links accounts by itself."""
        return self.run.policy.accounts.direction is not Direction.OFF

    def _others(self) -> list[Concern]:
        return [c for c in self.run.concerns.values() if c is not self]

    # --- which records

    def sources(self, *, everything_due: bool) -> Sequence[Source]:
        """Return the log, once every account of the panel has been read: before that nobody knows who has one."""
        forget.sweep(self.run)
        complete = index_is_complete(self.run)
        return (ChangeLogSource(self, everything_due=everything_due),) if complete else ()

    def load(self, owners: Collection[Owner]) -> list[Record]:
        """Return what is known of these clients, those without an account matched with the account index."""
        return self._with_facts(self._after_the_others(super().load(owners)))

    def _after_the_others(self, records: list[Record]) -> list[Record]:
        """Let a link be undone only when what else is to be undone of its client has been carried out."""
        parting = {record.key.owner for record in records if undo.unlinking(record.undo)}
        if not parting:
            return records
        others = (self.run.exchange.plans.undoing(concern.name, parting) for concern in self._others())
        waiting = {key.owner for rows in others for key in rows}
        return [replace(record, undo=()) if record.key.owner in waiting else record for record in records]

    def load_for_question(self, owners: Collection[Owner]) -> list[Record]:
        """Return :meth:`load`, new clients unmatched: whatever is found for one, something is to be done."""
        records = super().load(owners)
        known = {r.key: r for r in self._with_facts([r for r in records if not self._is_new(r)])}
        self._note(records)
        return [known.get(record.key, record) for record in records]

    def _is_new(self, record: Record) -> bool:
        """Whether a client is to be looked after with whom nothing was ever done, and of whom nothing was said."""
        return self.is_on and record.link is None and record.erp is not None and record.state == NOTHING_KEPT

    def _with_facts(self, records: list[Record]) -> list[Record]:
        if not records:
            return records
        self._note(records)
        ids = [record.key.client_id for record in records]
        on = self.run.policy.accounts.incoming
        answers = self.run.exchange.index.answers(ids) if on else {}
        there = [r for r in records if r.link is None and r.erp is not None and not r.excluded]
        unlinked = [r for r in there if self._looks_for(r, answers)]
        known: dict[str, list[Candidate]] = defaultdict(list)
        if without := [r.key.client_id for r in records if r.link is None]:
            for candidate in self.run.exchange.index.candidates(without):
                known[candidate.client_id].append(candidate)
        plain = [r for r in unlinked if normal.is_plain_code(r.key.client_id)]
        matches = self._index.matches(plain, known, answers)
        return [
            replace(r, facts=Facts(matches.get(key), tuple(known.get(key, ())), tuple(answers.get(key, ()))))
            for r in records
            for key in (r.key.client_id,)
        ]

    def _looks_for(self, record: Record, answers: Mapping[str, Sequence[str]]) -> bool:
        """Whether an account is looked for: where the policy opens and links none, the ERP's own answers count."""
        return self.is_on or record.key.client_id in answers

    def by_policy(self, record: Record) -> Record:
        """Return a client that was deleted as one that is not active, where deletions are propagated."""
        propagates = self.run.policy.accounts.deletes == "propagate"
        return replace(record, erp={ACTIVE: False}) if record.erp is None and record.link and propagates else record

    def checked(self, record: Record, _shown: Shown, steps: Sequence[Step]) -> tuple[tuple[Step, ...], Status | None]:
        """Leave an account closed that somebody has closed in the panel, until a person or the ERP's row opens it."""
        return tuple(self._left_closed(step) if self._was_closed(record, step) else step for step in steps), None

    @staticmethod
    def _was_closed(record: Record, step: Step) -> bool:
        by_itself = step.target is Side.PANEL and step.reason is Reason.DRIFT and record.decision != Decision.RETRY
        return by_itself and step.field == ACTIVE and step.value is True

    @staticmethod
    def _left_closed(step: Step) -> Step:
        return step.held(CLOSED, {}, Note(STANDS, as_text(False) or "", code=CLOSED))

    def verdict(self, record: Record) -> Status | None:
        """Return what is said of an account of which all is in step: also that its client is gone."""
        return super().verdict(record) if record.has_client else codes.status("deleted")

    def due(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return the deferred clients; one that was deleted is to be closed where deletions are propagated."""
        return owners if self.run.policy.accounts.deletes == "propagate" else super().due(owners)

    def can_wait(self, record: Record) -> bool:
        """Whether a client can be deferred: also one that has no account yet."""
        return record.erp is not None

    def fit_to_send(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return the clients that may be worked now: where the panel's news could not be read, those with an account.

        Somebody may register in the shop in the very minute in which the ERP makes the client: both schedules fire
        then, and a second account would be opened.
        """
        if not self.is_on or self.only_plans:  # it is asked before anything that was approved is carried out
            return owners
        for page in pieces([owner for owner in owners if owner not in self._lacks_account], PAGE):
            self._note(self.run.exchange.records.load(self.name, page))
        without = [owner for owner in owners if self._lacks_account[owner]]
        error = self._read_news() if without else None
        if error is None:
            return owners
        waiting = [record for record in super().load(without) if self._is_without(record)]
        self.run.save([retry.deferred(self.run, record, error) for record in waiting if record.state.deferral is None])
        unlinked = {record.key.owner for record in waiting}
        return [owner for owner in owners if owner not in unlinked]

    def _note(self, records: Sequence[Record]) -> None:
        """Remember which of these clients are there and have no account."""
        self._lacks_account |= {record.key.owner: self._is_without(record) for record in records}

    @staticmethod
    def _is_without(record: Record) -> bool:
        """Whether a client is there, is looked after, and has no account."""
        return record.link is None and record.erp is not None and not record.excluded

    def _read_news(self) -> Retry | Halt | None:
        """Bring the account index up to date; return why that could not be done."""
        if PAUSED_AS in self.run.exchange.pauses.paused():
            return Retry("paused")
        try:
            for _ in range(FEED_READINGS):  # another run may move the feed's cursor meanwhile
                if self.run.feed_read:
                    return None
                advance(self.run, PanelFeed(self.run))
        except (Retry, Halt) as error:
            logger.warning("the panel's feed cannot be read (%s): clients without an account wait for it", error.code)
            return error
        return None if self.run.feed_read else Retry("feed_behind")

    def notice(self, news: News) -> Sequence[Owner]:
        """Return clients to whom an account on a page may belong, and those whose own was closed or opened there."""
        return [*self._notice_unlinked(news), *self._notice_closed(news)]

    def _notice_closed(self, news: News) -> Sequence[Owner]:
        """Return the clients whose account somebody has closed in the panel, or opened again."""
        moved = news.moved
        loaded = by_owner(self.load(moved)) if moved and self.is_on else []
        is_open, failed = self._activity([some[0] for _, some in loaded if not some[0].excluded], news.window)
        for error in failed.values():
            raise error
        return [
            owner
            for owner, records in loaded
            if owner in is_open and any(self.plans(records, Shown({ACTIVE: is_open[owner]}, moved[owner])))
        ]

    def _activity(
        self, records: Sequence[Record], window: Window | None = None
    ) -> tuple[Mapping[Owner, bool], Mapping[Owner, Retry | Halt]]:
        """Return whether these clients' accounts are open, where the ERP has not just changed that, and who failed.

        Of a ``window`` of several pages the panel is asked once who is closed there, and then about those alone.
        """
        agreed = {r.link.panel_client_id: r for r in records if r.link and self._as_agreed(r)}
        ids = {key: record.key.owner for key, record in agreed.items()}
        deferrals = {key: record.state.deferral for key, record in agreed.items()}
        called = self._called_closed(window) if window and ids else None
        asked = [key for key in ids if called is None or key in called]
        closed, failed = retry.ask_apart(self.run, "closed", self.run.panel.closed_among, asked, deferrals)
        errors = {ids[key]: error for key, error in failed.items() if not isinstance(error, Reject)}
        return {owner: key not in closed for key, owner in ids.items() if key not in failed}, errors

    def _called_closed(self, window: Window) -> Collection[str] | None:
        if window not in self._closed_in:
            self._closed_in[window] = self.run.panel.closed_in(window)
        return self._closed_in[window]

    def _as_agreed(self, record: Record) -> bool:
        wanted = (record.erp or {}).get(ACTIVE) if self.rules[ACTIVE].to_panel else None
        return wanted is not None and record.state.base is not None and record.state.base.erp.get(ACTIVE) == wanted

    def _notice_unlinked(self, news: News) -> Sequence[Owner]:
        codes_shown = [
            a.external_code
            for a in news.page
            if a.external_code and a.panel_client_id not in news.owners and not a.guest
        ]
        found = set(self._index.clients_of(codes_shown).values()) if codes_shown and self.is_on else set()
        if news.fresh and news.complete:
            fresh = list(news.fresh.values())
            hit = self._incoming.note(fresh)
            if self.is_on:
                found |= {*hit, *self.run.exchange.index.contenders([a.panel_client_id for a in fresh])}
        return [Owner(client_id) for client_id in sorted(found)]

    def index_incomplete(self, error: Retry | Halt) -> None:
        """Say of every client without an account why it waits."""
        if not self.is_on or self.only_plans:
            return
        told, after = codes.status(error.code), ""
        while page := self.run.exchange.records.client_ids(after, PAGE):
            after = page[-1]
            records = self.run.exchange.records.load(self.name, [Owner(client_id) for client_id in page])
            waiting = [r for r in records if self._is_without(r) and r.state.status != told]
            changes = [Change(record, replace(record.state, status=told)) for record in waiting]
            self.run.save(changes)

    def exclusions_changed(self) -> None:
        """Say which rows of ``sync_exclusions`` name a concern that there is not: each is a record of its client's.

        Of those that were said before and are right now, or gone, nothing is said any more.
        """
        records = self.run.exchange.records
        wrong = {Key(client_id, "", self.name, concern): concern for client_id, concern in records.unknown_exclusions()}
        said, known = records.said(self.name, NO_CONCERN), ", ".join(CONCERNS)
        told = {key: codes.told(NO_CONCERN, (), {"value": quoted(text), "known": known}) for key, text in wrong.items()}
        states = {key: said.get(key, NOTHING_KEPT) for key in (*wrong, *said)}
        changes = (Change(Record(key, state=s), replace(s, status=told.get(key))) for key, s in states.items())
        self.run.save([change for change in changes if change])

    def index_complete(self) -> None:
        """List the accounts that are nobody's."""
        self._incoming.list_all()

    def tidy(self) -> None:
        """Keep clients forgotten who were erased, and forget old values."""
        forget.tidy(self.run)

    def restored(self) -> bool:
        """Have all accounts read again: the account index may have lost some."""
        feed.read_anew(self.run)
        return True

    # --- ``mode: plan``

    def speaks_of(self, record: Record) -> bool:
        """Whether it says what is planned of a client: of every one."""
        del record
        return True

    def ready(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return those owners of an approved plan who can be worked: all."""
        return owners

    def before_planning(self, owners: Collection[Owner]) -> None:
        """Bring the account index up to date where the account of a client may be opened now."""
        if self.is_on and any(row.decision and row.outcome is None for row in self.run.exchange.plans.rows(owners)):
            self._has_news = feed.was_read_just_now(self.run) or self._read_news() is None

    def comes_later(self, plan: Plan) -> bool:
        """Whether the panel's news have to be read before an account is opened."""
        return plan.act is Act.ADD and not self._has_news

    def lines(self, plan: Plan) -> list[Line]:
        """Return what a plan says: an account is opened or closed as a whole, and so is one that is made, or found."""
        key = plan.record.key
        if plan.act is Act.ADD:
            return [self._creation(key, plan.call.values)]
        if plan.act is Act.LINK:
            if made := self._made_before(plan):
                return [self._creation(key, made)]
            account: Account = plan.shown.account
            link = Line(
                key, Planned.LINK, "", Direction.ERP_TO_PANEL, None, account.panel_client_id, plan.shown.match.by
            )
            closing = [_open_or_closed(key, False, Reason.FIRST_CONTACT)] if self._to_be_closed(plan.record) else []
            return [link, *closing]
        if plan.record.link is None and (known := self._asked_about(plan)):
            code = plan.status.code if plan.status else ""
            return [Line(key, Planned.QUESTION, "", "", c.matched_by, c.panel_client_id, code) for c in known]
        return [
            _open_or_closed(key, line.value_to == as_text(True), line.reason) if _is_activity(line) else line
            for line in super().lines(plan)
        ]

    @staticmethod
    def _creation(key: Key, values: Values) -> Line:
        return Line(key, Planned.CREATE, "", Direction.ERP_TO_PANEL, None, as_json(values), Reason.CREATE)

    @staticmethod
    def _made_before(plan: Plan) -> Values:
        """Return what the account was opened with that a client is linked to, where the answer to that was lost."""
        intent = plan.record.state.intent
        made = intent is not None and intent.making and plan.shown.match.by == "created"
        return opened_values(intent) if made else {}

    def _asked_about(self, plan: Plan) -> Sequence[Candidate]:
        """Return the accounts among which a person has to choose."""
        is_held = plan.act is Act.KEEP and plan.status is not None and plan.status.state is State.HELD
        return (plan.candidates if plan.candidates is not None else self._facts(plan.record).known) if is_held else ()

    def foretold(self, plans: Sequence[Plan]) -> Mapping[Owner, Lines]:
        """Return what the other concerns will do with clients that get their accounts; without one they do nothing."""
        found: dict[Owner, dict[Key, list[Line]]] = {p.record.key.owner: {} for p in plans if p.record.link is None}
        known = {plan.record.key.owner: self._foreseen(plan) for plan in plans if plan.act in (Act.ADD, Act.LINK)}
        for concern in self._others() if known else ():
            for plan in concern.at_first_contact(known):
                key = plan.record.key
                lines = concern.lines(plan)
                if known[key.owner].opened:  # what it will show by itself nobody knows
                    lines = [replace(line, value_from=None) for line in lines]
                if lines:
                    found[key.owner][key] = lines
        return found

    def _foreseen(self, plan: Plan) -> Foreseen:
        client_id = plan.record.key.client_id
        if plan.act is Act.ADD:
            request: NewAccount = plan.call
            account = Account("", request.login, client_id, request.values)
            opened = Opened(request.values, plan.record.erp or {}, plan.shown.refused)
            return Foreseen(Link(client_id, "", request.login, "created"), account, opened)
        account = replace(plan.shown.account, external_code=client_id)
        link = Link(client_id, account.panel_client_id, account.login, plan.shown.match.by)
        made = self._made_before(plan)
        return Foreseen(link, account, Opened(made, plan.record.erp or {}) if made else None)

    # --- the plan

    def plan(self, record: Record, shown: Shown) -> Plan:
        """Return what is to be done with a client: find or open its account, or open and close it."""
        if self._is_new(record) and not isinstance(shown, Found):
            return Plan(record, Act.LOOK)
        if record.link is None:
            return self._of_unlinked(record, shown)
        plan = self._unlinked(record, shown) or self._recoded(record, shown) or super().plan(record, shown)
        others = [a for a in self._facts(record).answers if a != record.link.panel_client_id]
        if not others or plan.writes or plan.act is Act.LOOK:
            return plan
        told = codes.status("already_linked", accounts=", ".join(others), own=record.link.panel_client_id)
        return replace(plan, status=told)

    def _unlinked(self, record: Record, shown: Shown) -> Plan | None:
        """Return the plan that undoes a client's link: its account loses the code, and the client is a question.

        Where the answer to that call was lost, the account shows whether it has.
        """
        line, account = undo.unlinking(record.undo), shown.account
        if line is None or account is None or not shown.asked or account.panel_client_id != line.value_from:
            return None
        client_id, former, intent = record.key.client_id, line.value_to or "", record.state.intent
        carried = intent is not None and CODE in intent.values and normal.same_code(account.external_code, former)
        if not carried and not normal.same_code(account.external_code, client_id):
            return None
        link = record.link
        assert link is not None
        note = Note(STANDS, account.panel_client_id, code=UNLINKED)
        plan = Plan(
            record,
            Act.UNLINK,
            status=codes.status(UNLINKED, accounts=account.panel_client_id),
            candidates=(Candidate(client_id, account.panel_client_id, link.linked_by),),
            shown=shown,
        )
        if carried and intent is not None:
            return replace(plan, steps=(Step(CODE, note=note, reason=Reason.UNDO),), earlier=intent.written)
        merged = super().plan(replace(record, state=replace(record.state, intent=None)), shown)
        opening_ = tuple(step for step in merged.to_panel if step.reason is Reason.UNDO)
        taking = Step(CODE, Side.PANEL, former, client_id, Reason.UNDO, note=note)
        values = {step.field: step.value for step in opening_}
        call = AccountUpdate(client_id, account.login, values, external_code=former)
        return replace(plan, steps=(taking, *opening_), call=call)

    def _recoded(self, record: Record, shown: Shown) -> Plan | None:
        """Return the plan that gives the account of a renamed client its new code, beside all else.

        Until the panel was seen to show it, it is asked; an account with a third code is not the client's own.
        """
        link, account, client_id = record.link, shown.account, record.key.client_id
        if link is None or not link.former_code or record.erp is None:
            return None
        if not shown.asked:
            return Plan(record, Act.LOOK)
        if account is None or not_own(record, account) is not None:
            return None
        intent = record.state.intent
        rest = tuple(w for w in intent.written if w.field != CODE) if intent else ()
        before = replace(record.state, intent=replace(intent, written=rest) if intent and rest else None)
        plan = replace(super().plan(replace(record, state=before), shown), record=record, recodes=True)
        given = [each for each in codes_given(record) if normal.same_code(account.external_code, str(each.after))]
        plan = replace(plan, earlier=(*given, *plan.earlier))
        if normal.same_code(account.external_code, client_id):
            return plan
        call = plan.call or AccountUpdate(client_id, account.login, {})
        step = Step(CODE, Side.PANEL, client_id, account.external_code, Reason.EDIT)
        return replace(plan, steps=(step, *plan.steps), call=replace(call, external_code=client_id))

    def together(self, steps: Sequence[Step]) -> Sequence[Step]:
        """Return the steps that go together; the code of an account is apart from all fields."""
        known = [step for step in steps if step.field != CODE]
        return [*(step for step in steps if step.field == CODE), *super().together(known)]

    @staticmethod
    def _facts(record: Record) -> Facts:
        return record.facts if isinstance(record.facts, Facts) else Facts()

    def _of_unlinked(self, record: Record, shown: Shown) -> Plan:
        facts = self._facts(record)
        if record.erp is None:
            odd = record.odd_key
            return self._held(record, codes.status("bad_id.no_text")) if odd else self._of_absent(record, facts)
        if not self.is_on and not facts.answers:
            return Plan(record, Act.KEEP, status=record.state.status)
        found = shown if isinstance(shown, Found) else None
        if found is not None and found.by_code:
            return self._by_code(record, found)
        if told := self._not_to_be_matched(record, facts):
            return self._held(record, told)
        match = found.match if found else facts.match or NO_MATCH
        if match.question:
            names = ", ".join(f"{c.panel_client_id} ({c.matched_by})" for c in match.candidates)
            return self._held(record, codes.status(match.question, accounts=names), match.candidates)
        if record.state.intent is not None and found is None:
            return Plan(record, Act.LOOK)
        if match.panel_client_id:
            return self._by_match(record, match, found) if found else self._unless_held(record, match)
        return self._to_be_opened(record, asked=found is not None)

    @staticmethod
    def _not_to_be_matched(record: Record, facts: Facts) -> Status | None:
        """Return why no account is looked for: the code is none, or a link was undone and nobody has answered since."""
        undone = record.state.notes.get(CODE)
        if undone is not None and not facts.answers and not any(each.decision for each in facts.known):
            return codes.status(UNLINKED, accounts=undone.value)
        return None if normal.is_plain_code(record.key.client_id) else codes.status("bad_id")

    def _of_absent(self, record: Record, facts: Facts) -> Plan:
        """Return the plan of a client that is not there: answers about it lead nowhere, and it hits no account."""
        none = () if facts.known else None
        if record.forgotten:
            return Plan(record, Act.KEEP, status=codes.status(FORGOTTEN), candidates=none)
        if facts.answers:
            said = codes.status("no_client.incoming", accounts=", ".join(facts.answers))
            return Plan(record, Act.KEEP, status=said, candidates=none)
        if record.code in ("no_client", FORGOTTEN):
            return Plan(record, Act.FORGET, candidates=none)
        deleted = codes.status("deleted") if record.state.status else None
        return Plan(record, Act.KEEP, status=deleted, candidates=none)

    def _held(self, record: Record, status: Status, candidates: Sequence[Candidate] | None = None) -> Plan:
        """Return the plan that leaves a client to a person; ``candidates`` replace those in ``sync_matches``."""
        same = candidates is None or tuple(candidates) == self._facts(record).known
        return Plan(record, Act.KEEP, status=status, candidates=None if same else tuple(candidates or ()))

    def _unless_held(self, record: Record, match: Match) -> Plan:
        """Return that the panel must be asked for a matched account, unless it was, and the client is held for it.

        An account that carries another client's code by then is known again by its number, which the message names.
        """
        account, told = match.panel_client_id, record.state.status
        reasons = [
            codes.status(code, accounts=account) for code in ("account_gone.given", "guest", "shared_account.given")
        ]
        taken = told is not None and told.code == "account_taken" and account in told.message_en
        if match.given and (taken or told in reasons):
            return Plan(record, Act.KEEP, status=told)
        return Plan(record, Act.LOOK)

    def _by_code(self, record: Record, found: Found) -> Plan:
        """Link a client to the account that carries its code.

        A guest cannot be written to, so none is linked; a client whose code only a guest carries gets no account.
        """
        accounts = found.by_code
        linkable = [a for a in accounts if matching.can_be_linked(a)]
        if not linkable:
            return self._held(record, codes.status("guest", accounts=accounts[0].panel_client_id))
        if len(linkable) > 1:
            names = ", ".join(a.panel_client_id for a in linkable)
            return self._held(record, codes.status("several_accounts", accounts=names))
        account, intent = linkable[0], record.state.intent
        if (owner := found.owners.get(account.panel_client_id)) == record.key.client_id:
            return Plan(record, Act.LOOK)  # it was linked since it was loaded
        if owner:
            return self._held(record, _linked_to(owner, account.panel_client_id))
        carried = intent if intent and intent.login == account.login else None
        by = carried.linked_by or "created" if carried else CODE
        return Plan(record, Act.LINK, shown=Found(account=account, match=Match(account.panel_client_id, by)))

    def _by_match(self, record: Record, match: Match, found: Found) -> Plan:
        """Give a matched account the client's code; nothing else is written at first contact but the closing."""
        account, client_id = found.matched, record.key.client_id
        if found.shared:
            named = self._facts(record).known or (Candidate(client_id, match.panel_client_id, match.by),)
            return self._held(record, codes.status("shared_account.given", accounts=match.panel_client_id), named)
        if account is None:
            gone = codes.status("account_gone.given", accounts=match.panel_client_id)
            return replace(self._held(record, gone), more=True)
        owner = "" if normal.same_code(account.external_code, client_id) else account.external_code
        blocked = owner != "" and (match.by == matching.INCOMING or self.run.exchange.records.existing([owner]))
        if blocked:
            facts = {"accounts": account.panel_client_id, "panel_value": owner}
            return self._held(record, codes.told("account_taken", (), facts))
        if linked_to := found.owners.get(account.panel_client_id):
            return self._held(record, _linked_to(linked_to, account.panel_client_id), self._facts(record).known)
        if not matching.can_be_linked(account):
            return self._held(record, codes.status("guest", accounts=account.panel_client_id))
        first, way = Reason.FIRST_CONTACT, Direction.ERP_TO_PANEL
        written = [Written(CODE, way, first, account.external_code, client_id)]
        closing: dict[str, Value] = {}
        if self._to_be_closed(record):
            written.append(Written(ACTIVE, way, first, True, False))
            closing = {ACTIVE: False}
        return Plan(
            record,
            Act.LINK,
            base=record.state.base,
            call=AccountUpdate(client_id, account.login, closing, external_code=client_id),
            intent=Intent(tuple(written), login=account.login, linked_by=match.by),
            shown=replace(found, account=account),
        )

    def _to_be_closed(self, record: Record) -> bool:
        """Return whether the ERP wants the account closed. One that it wants open is left as it is at first contact."""
        return (record.erp or {}).get(ACTIVE) is False and self.rules[ACTIVE].to_panel

    def _to_be_opened(self, record: Record, *, asked: bool) -> Plan:
        """Open an account, or hold a client of which none can be opened, with all that is wrong named."""
        row, policy = record.erp or {}, self.run.policy
        if policy.accounts.direction is Direction.PANEL_TO_ERP:
            return self._held(record, codes.status("direction"))
        shops = wanted(row, policy)
        values = opening.values(row, policy, self._travelling(record.exclusions), shops)
        notes = record.state.notes
        refusals = opening.refusals(values, row, notes, policy)
        taken = opening.left_out(values, {reject.field for reject in refusals}, row, policy)
        lacking = opening.lacking(row, policy, shops, self.table)
        if lacking or taken is None:
            wrong = [opening.told(refusals, self.table)] if refusals else []
            return self._held(record, joined([*lacking, *wrong]))
        left, values = {n: notes[n] for n in values.keys() & notes.keys() - taken.keys()}, taken
        note = notes.get(WHOLE)
        if note and note.value == _whole(values, record):  # the panel has refused these very contents
            return Plan(record, Act.KEEP, status=record.state.status)
        if not asked:
            return Plan(record, Act.LOOK)
        if refused := self._refused_by_shops(row, shops):
            return self._held(record, refused)
        login = self._logins.current(record)
        request = NewAccount(record.key.client_id, login, new_password(policy.accounts.password), values)
        found = Found(before=record.state.intent, refused=left)
        return Plan(record, Act.ADD, call=request, intent=_opening(request), shown=found)

    def _refused_by_shops(self, row: Values, shops: Collection[int]) -> Status | None:
        """Return that the panel does not have these shops, or what they require and the client lacks."""
        try:
            with self.lock:
                self._shops.check(shops)
                required = self._shops.required(shops)
        except Reject as reject:
            return codes.told(reject.code, [reject.field], reject.facts)
        lacking = opening.missing(row, self.run.policy, required) if required else ()
        return codes.status("incomplete", lacking, table=self.table) if lacking else None

    def _travelling(self, excluded: Collection[str]) -> frozenset[str]:
        """Return the fields of all concerns that the policy lets travel to the panel, and that it has.

        A client that is excluded from a concern has its account opened without it, but for what the panel requires.
        """
        if not excluded:
            return self._sent_at_most - self.run.lacks.names()
        sent = (fields for concern, fields in self._sent_by_others.items() if concern not in excluded)
        return frozenset[str]().union(*sent) - self.run.lacks.names()

    @cached_property
    def _sent_at_most(self) -> frozenset[str]:
        return frozenset[str]().union(*self._sent_by_others.values())

    @cached_property
    def _sent_by_others(self) -> Mapping[str, frozenset[str]]:
        alone = [concern for concern in self._others() if not concern.rows.items]
        return {c.name: frozenset(name for name, rule in c.rules.items() if rule.to_panel) for c in alone}

    # --- reading and sending

    def must_read(self, record: Record) -> bool:
        """Whether the panel has to be asked: for the account of a client, or for one that carries its code."""
        if record.link is not None:
            return super().must_read(record)
        return record.erp is not None and (self.is_on or bool(self._facts(record).answers))

    def read(self, records: Sequence[Record]) -> tuple[Mapping[Owner, Shown], Failed]:
        """Read the accounts of linked clients; look for those of the others by code, and read those that matched."""
        linked, unlinked = [r for r in records if r.link], [r for r in records if not r.link]
        shown, failed = self._read_linked(linked) if linked else ({}, {})
        if not unlinked:
            return shown, failed
        if not index_is_complete(self.run):
            return shown, {**failed, **dict.fromkeys((r.key.owner for r in unlinked), Retry("first_pass"))}
        for record in unlinked:
            if record.state.intent:
                self._logins.current(record)  # a name that was asked for already comes before new ones
        by_code, errors = self._find(unlinked)
        result: dict[Owner, Shown] = dict(shown)
        failures: dict[Owner, Reject | Retry | Halt] = dict(failed)
        rest = []
        for record in unlinked:
            client_id = record.key.client_id
            if client_id in by_code:
                result[record.key.owner] = Found(by_code=tuple(by_code[client_id]))
            elif client_id in errors:
                failures[record.key.owner] = errors[client_id]
            else:
                rest.append(record)
        matched, unread = self._matched(rest)
        return self._with_owners(self._without_erased({**result, **matched})), {**failures, **unread}

    def _without_erased(self, shown: Mapping[Owner, Shown]) -> Mapping[Owner, Shown]:
        """Return what is shown without the accounts of clients who were erased: they are nobody's."""
        found = {owner: one for owner, one in shown.items() if isinstance(one, Found)}
        accounts = [self._seen(a) for one in found.values() for a in (*one.by_code, one.matched) if a]
        dead = self.run.exchange.forgotten.accounts(accounts) if accounts else frozenset()

        def left(one: Found) -> Found:
            matched = one.matched if one.matched and one.matched.panel_client_id not in dead else None
            return replace(one, by_code=tuple(a for a in one.by_code if a.panel_client_id not in dead), matched=matched)

        return {**shown, **{owner: left(one) for owner, one in found.items()}} if dead else shown

    def _with_owners(self, shown: Mapping[Owner, Shown]) -> Mapping[Owner, Shown]:
        """Return what is shown with the other clients to whom these accounts are linked; one that is gone is none."""
        found = {owner: one for owner, one in shown.items() if isinstance(one, Found)}
        ids = [a.panel_client_id for one in found.values() for a in (*one.by_code, one.matched) if a]
        links = self.run.exchange.index.owners(ids) if ids else {}
        there = self.run.exchange.records.existing(set(links.values())) if links else frozenset()
        owners = {account: client_id for account, client_id in links.items() if client_id in there}
        return {**shown, **{owner: replace(one, owners=owners) for owner, one in found.items()}} if owners else shown

    def _find(self, records: Sequence[Record]) -> tuple[Mapping[str, Sequence[Account]], Failures]:
        """Return the accounts that carry these clients' codes, and the codes that could not be looked up, and why.

        A panel that keeps codes in capitals may not find one as it was written, and a search may not show what is
        there: what the account index knows is read by its id, and asked for in other ways, before it counts as gone.
        """
        deferrals = {r.key.client_id: r.state.deferral for r in records}
        found, failed = retry.ask_apart(self.run, "find", self.run.panel.find, list(deferrals), deferrals)
        searched = {r.key.client_id: r for r in records if r.key.client_id not in failed}
        shown = {account.panel_client_id for account in found}
        indexed = {
            account.panel_client_id: (account, searched[client_id])
            for client_id, accounts in self._index.by_code(searched).items()
            for account in accounts
            if account.panel_client_id not in shown
        }
        often = [key for key, (_, record) in indexed.items() if was_asked_often(record)]
        of_account = {key: record.state.deferral for key, (_, record) in indexed.items()}
        read, unread = read_known(self.run, [_known(account) for account, _ in indexed.values()], often, of_account)
        gone = {key: indexed[key] for key in indexed if key not in read and key not in unread}
        unread |= self._in_doubt(gone)
        self.run.exchange.index.remember(
            [*map(self._seen, read.values()), *(nobodys(gone[key][0]) for key in gone if key not in unread)],
            at=self.run.now(),
        )
        accounts = [*found, *read.values()]
        others = {account.external_code for account in accounts}.difference(searched)
        by_code = matching.by_code(searched, accounts, self._index.held(others).union(searched))
        errors = {indexed[key][1].key.client_id: error for key, error in unread.items()}
        return by_code, {**failed, **errors}

    def _in_doubt(self, gone: Mapping[str, tuple[SeenAccount, Record]]) -> Failures:
        """Return those accounts that are not believed to be gone: the panel shows no account at all, and that is new.

        It is believed after some tries at growing pauses.
        """
        new = [key for key, (_, record) in gone.items() if not was_asked_often(record)]
        if not new:
            return {}
        try:
            shows_some = self.run.panel.changed(None, 0, 1).total > 0
        except (Retry, Halt) as error:
            return dict.fromkeys(new, error)
        return {} if shows_some else dict.fromkeys(new, Retry(NONE_SHOWN))

    def _read_linked(self, records: Sequence[Record]) -> tuple[Mapping[Owner, Shown], Failed]:
        """Read the accounts of linked clients, and whether they are open."""
        shown, failed = super().read(records)
        is_open, unread = self._activity([r for r in records if r.key.owner in shown and shown[r.key.owner].account])
        told = {
            owner: replace(one, values={**(one.values or {}), ACTIVE: is_open[owner]}) if owner in is_open else one
            for owner, one in shown.items()
            if owner not in unread
        }
        return told, {**failed, **unread}

    def _matched(self, records: Sequence[Record]) -> tuple[Mapping[Owner, Shown], Failed]:
        """Read the accounts afresh that were matched: the account index may be behind the panel.

        An account that is not any more as it was matched is noted in the index, and its client matched again.
        """
        matches = {r.key.owner: self._facts(r).match or NO_MATCH for r in records}
        chosen = Counter(match.panel_client_id for match in matches.values() if match.panel_client_id)
        alone = [key for key, count in chosen.items() if count == 1]
        indexed = self.run.exchange.index.known(alone) if alone else {}
        known = [_known(indexed[key]) if key in indexed else KnownAccount(key) for key in alone]
        often = [matches[r.key.owner].panel_client_id for r in records if was_asked_often(r)]
        deferrals = {matches[r.key.owner].panel_client_id: r.state.deferral for r in records}
        by_id, errors = read_known(self.run, known, often, deferrals)
        shown: dict[Owner, Shown] = {}
        failed: dict[Owner, Reject | Retry | Halt] = {}
        for record in records:
            owner, match = record.key.owner, matches[record.key.owner]
            key = match.panel_client_id
            if key in errors:
                failed[owner] = errors[key]
            elif chosen[key] > 1:
                shown[owner] = Found(match=match, shared=True)
            elif key and not match.given and not self._still_fits(record, by_id.get(key), key):
                failed[owner] = Retry("moved")
            else:
                shown[owner] = Found(match=match, matched=by_id.get(key))
        return shown, failed

    def _seen(self, account: Account) -> SeenAccount:
        return seen(self.run.exchange.index, account)

    def _still_fits(self, record: Record, account: Account | None, panel_client_id: str) -> bool:
        """Return whether an account is still as it was matched by a rule; else the index is corrected."""
        index, now = self.run.exchange.index, self.run.now()
        if account is None:
            index.remember([nobodys(a) for a in index.known([panel_client_id]).values()], at=now)
            return False
        current = self._seen(account)
        taken = account.external_code != "" and not normal.same_code(account.external_code, record.key.client_id)
        client = self._index.hint(record.key.client_id, record.erp or {})
        fits = matching.rules_that_hit(client, current, self.run.policy.accounts.match)
        differs = matching.contradicts(client, current)
        if taken or not fits or differs or not matching.can_be_linked(current):
            index.remember([current], at=now)
            return False
        return True

    def send(self, plans: Sequence[Plan]) -> Sequence[Answer]:
        """Open accounts, then write into those that are there."""
        notify = self.run.policy.accounts.notify_customer
        opening_, others = (
            [n for n, p in enumerate(plans) if (p.act is Act.ADD) is making] for making in (True, False)
        )
        create = partial(self.run.panel.create, notify=notify)
        created = retry.send_apart(self.run, "create", create, [plans[n] for n in opening_])
        updated = super().send([plans[n] for n in others])
        answers = {**dict(zip(opening_, created, strict=True)), **dict(zip(others, updated, strict=True))}
        return [answers[n] for n in range(len(plans))]

    def answered(self, plan: Plan, answer: Answer) -> Plan | Sequence[Change]:
        """Return what is to be stored, or the plan of the next log-in name where the one asked for is taken."""
        if plan.act is Act.LINK:
            return self.outcomes(plan) if isinstance(answer, Done) else self._not_done(plan, answer)
        if plan.act is Act.UNLINK and isinstance(answer, Reject):
            return [self.refused(plan, answer)]
        if plan.act is not Act.ADD:
            return super().answered(plan, answer)
        if isinstance(answer, Done):
            return [self._was_opened(plan, answer)]
        if isinstance(answer, Reject) and answer.code == LACKS_FIELD:
            return super().answered(plan, answer)
        if (
            not isinstance(answer, Reject)
            or answer.code != "login_taken"
            or self.run.policy.accounts.login.mode == "erp"
        ):
            return self._opened_without(plan, answer) or self._not_done(plan, answer)
        before = plan.shown.before
        if before and before.making and before.login == plan.call.login and not self._looked_for_again(plan.record):
            return self._not_done(plan, Retry("maybe_opened"))
        request = replace(plan.call, login=self._logins.next(plan.record))
        return replace(plan, call=request, intent=_opening(request))

    def _not_done(self, plan: Plan, answer: Answer) -> Sequence[Change]:
        """Return the change of a client whose account could not be found or opened."""
        if isinstance(answer, Retry) and answer.alone:
            (change,) = self._not_done(plan, retry.own_fault(answer))
            waits = change.after.deferral is not None  # nobody knows what the call has done
            intent = plan.record.state.intent if waits else None
            return [replace(change, after=replace(change.after, intent=intent))]
        if isinstance(answer, Retry | Halt):
            return [retry.deferred(self.run, plan.record, answer)]
        assert isinstance(answer, Reject)
        change = retry.refused(
            self.run, Change(plan.record, replace(plan.record.state, intent=None)), answer, table=self.table
        )
        if change.after.deferral is not None or plan.act is not Act.ADD:
            return [change]
        if named := retry.refused_by_name(answer, _steps(plan)):
            after = replace(change.after, notes={**plan.shown.refused, **_noted(plan, named)})
            told = self._to_be_opened(replace(plan.record, state=after), asked=False).status
            return [replace(change, after=replace(after, status=told))]
        note = Note(REFUSED, _whole(plan.call.values, plan.record), code=answer.code)
        return [replace(change, after=replace(change.after, notes={WHOLE: note}))]

    def _opened_without(self, plan: Plan, answer: Answer) -> Plan | None:
        """Return the plan that opens an account without what the panel has refused, if it opens one without that."""
        named = retry.refused_by_name(answer, _steps(plan)) if isinstance(answer, Reject) else {}
        values = opening.left_out(plan.call.values, named, plan.record.erp or {}, self.run.policy) if named else None
        if values is None:
            return None
        request = replace(plan.call, values=values)
        found = replace(plan.shown, refused={**plan.shown.refused, **_noted(plan, named)})
        return replace(plan, call=request, intent=_opening(request), shown=found)

    @staticmethod
    def _looked_for_again(record: Record) -> bool:
        """Return whether the account that may be ours was looked for again and again, at growing pauses, in vain."""
        deferral = record.state.deferral
        return deferral is not None and deferral.code == "maybe_opened" and deferral.tries >= LOOKS_IN_VAIN

    def looks_again(self, change: Change) -> bool:
        """Whether a client's account is looked for again at once: a lost reply must not cost it a minute."""
        deferral = change.after.deferral
        is_lost = deferral is not None and deferral.code in retry.UNANSWERED and deferral.tries <= LOOKS_AT_ONCE
        return change.record.link is None and is_lost

    # --- what follows from a link

    def outcomes(self, plan: Plan) -> Sequence[Change]:
        """Return what is stored of a plan that was carried out without another call, or of a link."""
        return [self._was_linked(plan)] if plan.act is Act.LINK else super().outcomes(plan)

    def _was_linked(self, plan: Plan) -> Change:
        """Link a client to an account that was there, with what an intent is known to have carried."""
        record, found = plan.record, plan.shown
        account: Account = found.account
        intent = record.state.intent if record.state.intent and record.state.intent.login == account.login else None
        values = opened_values(intent)
        closed = values.get(ACTIVE) is False
        by = found.match.by
        link = Link(record.key.client_id, account.panel_client_id, account.login, by)
        if intent and intent.making:
            self._opened[record.key.client_id] = Opened(values, {})
        else:
            self._shown[record.key.client_id] = account
        return self._linked(record, link, self._agreed(record, closed=closed), intent.written if intent else ())

    def _was_opened(self, plan: Plan, answer: Done) -> Change:
        """Link a client to the account that was opened for it just now: both agree on what it was opened with."""
        record, request = plan.record, plan.call
        link = Link(record.key.client_id, answer.panel_client_id, answer.login or request.login, "created")
        with self.lock:
            self._opened[record.key.client_id] = Opened(
                request.values, record.erp or {}, plan.shown.refused, at=answer.at
            )
            self._fresh.add(record.key.client_id)
        return self._linked(record, link, self._agreed(record), plan.intent.written if plan.intent else ())

    def _agreed(self, record: Record, *, closed: bool = False) -> Values:
        """Return what is agreed of an account that is linked now; nothing where the row wants it otherwise."""
        wanted = (record.erp or {}).get(ACTIVE)
        odd = isinstance(wanted, str) and self.rules[ACTIVE].to_panel
        return {} if odd or self._to_be_closed(record) is not closed else {ACTIVE: not closed}

    def _linked(self, record: Record, link: Link, agreed: Values, written: tuple[Written, ...]) -> Change:
        """Return the change that links a client; with nothing ``agreed`` it is still to be opened or closed."""
        due = None if agreed else Deferral(self.run.now(), attempts=0, tries=0, code="first_contact")
        status = IN_STEP if agreed else codes.status("first_contact")
        state = RecordState(base=Forms(agreed, agreed), deferral=due, status=status)
        known = self._facts(record).known
        too_late = replace(record.state, intent=None, deferral=None, status=_linked_to("", link.panel_client_id))
        other = Change(record, too_late)
        return Change(record, state, written=written, link=link, candidates=() if known else None, otherwise=other)

    def also(self, changes: Sequence[Change]) -> Sequence[Change]:
        """Return the first contact of all other concerns with the clients that are linked by these changes."""
        links = {change.link.client_id: change.link for change in changes if change.link}
        parted = [change.record.key.owner for change in changes if change.unlinked]
        void = [*filter(None, (voided(r) for other in self._others() for r in other.load(parted)))] if parted else []
        if not links:
            return void
        known = {key: self._opened[key] for key in links if key in self._opened}  # other threads add theirs
        fresh = self._fresh & links.keys()
        shown = {key: account for key, account in self._shown.items() if key in links}
        return [*void, *(c for other in self._others() for c in other.first_contact(links, known, fresh, shown))]

    def saved(self, changes: Sequence[Change]) -> None:
        """Hand on what became due: the other concerns of linked clients, and those who waited for an account."""
        wake: dict[str, list[Owner]] = defaultdict(list)
        for change in changes:
            deferral, linked = change.after.deferral, change.link or change.record.key.concern != self.name
            if linked and deferral and deferral.code == "first_contact":
                wake[change.record.key.concern].append(change.record.key.owner)
        for concern, owners in wake.items():
            self.run.queue.send(concern, list(dict.fromkeys(owners)))
        asked = {c.panel_client_id for change in changes for c in change.candidates or ()}
        if asked:
            self.run.exchange.index.unlist_incoming(asked)
        settled = [change.record for change in changes if change.candidates == ()]
        freed = {c.panel_client_id for record in settled for c in self._facts(record).known}
        if not freed:
            return
        worked = {change.record.key.client_id for change in changes if change.record.key.concern == self.name}
        if others := sorted(self.run.exchange.index.contenders(freed) - worked):
            self.run.queue.send(self.name, [Owner(client_id) for client_id in others])
        self._incoming.list(sorted(freed))


def _is_activity(line: Line) -> bool:
    return line.action is Planned.UPDATE and line.field == ACTIVE


def _open_or_closed(key: Key, is_open: bool, reason: str) -> Line:
    return Line(key, Planned.OPEN if is_open else Planned.CLOSE, "", Direction.ERP_TO_PANEL, reason=reason)


def nobodys(account: SeenAccount) -> SeenAccount:
    """Return an account of the index that is gone from the panel: nobody is matched with it, as with a guest."""
    return replace(account, external_code="", tax_number="", mail="", telephone="", guest=True)


def _known(account: SeenAccount) -> KnownAccount:
    return KnownAccount(account.panel_client_id, account.login, account.external_code)


def _linked_to(client_id: str, account: str) -> Status:
    """Return what is said of a client whose account is linked to another one already (empty: just now)."""
    return codes.status("shared_account.linked", accounts=account, value=client_id or "?")


def _opening(request: NewAccount) -> Intent:
    """Return what is stored before an account is opened; in the history that is one row, with the values as JSON."""
    written = (Written("", Direction.ERP_TO_PANEL, Reason.CREATE, None, _as_json(request.values)),)
    return Intent(written, making=True, login=request.login)


def _whole(values: Values, record: Record) -> str:
    """Return all that an account is opened with as one text: its values, and the login that the row names."""
    return _as_json({**values, LOGIN: (record.erp or {}).get(LOGIN)})


def _steps(plan: Plan) -> list[Step]:
    """Return what an account is opened with as steps."""
    return [Step(name, Side.PANEL, value) for name, value in plan.call.values.items()]


def _noted(plan: Plan, named: Mapping[str, Reject]) -> dict[str, Note]:
    """Return what is remembered of the values with which no account was opened."""
    steps = {step.field: step for step in _steps(plan)}
    return {n: note for name, e in named.items() for n, note in retry.notes_of(e, [steps[name]], plan.record).items()}


def opened_values(intent: Intent | None) -> dict[str, Value]:
    """Return the values of an intent by field, those of an opening out of their JSON."""
    if intent is None:
        return {}
    if intent.making:
        return {name: from_json(value) for name, value in json.loads(str(intent.written[0].after)).items()}
    return intent.values


_in_order = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def _as_json(values: Values) -> str:
    return _in_order(dict(values))
