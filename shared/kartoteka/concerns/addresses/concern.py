"""The concern: a client's delivery addresses are items, read in bulk across clients.

Every write is announced before it is sent, so that a lost reply is cleared up at the next reading: an address that was
added after all is found by its contents and not added twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from kartoteka import codes
from kartoteka.concerns.addresses.deletions import GONE, NOT_DELETED, WHOLE, Terms, contents, is_needed, kept, one_sided
from kartoteka.concerns.addresses.pairing import Pair, pair
from kartoteka.concerns.addresses.poll import AddressPoll
from kartoteka.concerns.shops import wanted
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields.table import SHOPS_FIELD
from kartoteka.model import (
    NOTHING,
    REFUSED,
    Change,
    Deferral,
    Link,
    Note,
    Outcome,
    Owner,
    Record,
    RecordState,
    Side,
    Values,
)
from kartoteka.ports.panel import REFUSED_WHOLE, Account, Address, AddressWrite
from kartoteka.sync import first_write, retry
from kartoteka.sync.collect import Source
from kartoteka.sync.concern import (
    NOT_OWN,
    Concern,
    Failed,
    Foreseen,
    News,
    Opened,
    Shown,
    by_owner,
    comes_back,
    left_alone,
    not_own,
    voided,
)
from kartoteka.sync.first_write import Snapshot
from kartoteka.sync.merge import Step
from kartoteka.sync.plan import Act, Plan, joined
from kartoteka.sync.restored import gone_back
from kartoteka.sync.retry import Answer
from kartoteka.sync.run import Run

NOT_SHOWN = "addresses_not_shown"
"""The code of a client whose addresses the panel once showed, and whom it does not name any more."""
NOT_READ = (*NOT_OWN, REFUSED_WHOLE)
"""The codes of clients about whose addresses the panel is not asked again for the ERP's sake."""


@dataclass(frozen=True, slots=True)
class ShownAddresses(Shown):
    """What the panel shows of a client: its account, and its addresses.

    ``named`` False: its answer about addresses does not name the account, which some panels do where it has none.
    """

    addresses: tuple[Address, ...] = ()
    named: bool = True


class Addresses(Concern):
    """Delivery addresses of a client."""

    name = "delivery_addresses"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        section = run.policy.delivery_addresses
        propagate = section.deletes == "propagate"
        self._terms = Terms(self.rules, section.direction, section.conflict, propagate, self.lacks)
        self._without_items: set[Owner] = set()

    def load(self, owners: Collection[Owner]) -> list[Record]:
        """Return what is known of these clients, and remember of whom no address is known."""
        records = super().load(owners)
        found = {owner: len(some) > 1 for owner, some in by_owner(records)}
        with self.lock:
            self._without_items -= found.keys()
            self._without_items |= {owner for owner, has_items in found.items() if not has_items}
        return records

    def passes(self, *, at_once: bool) -> Mapping[str, Source]:
        """Return the rotating pass over the addresses of all linked clients."""
        return {"rotate": AddressPoll(self.run, self, at_once=at_once)}

    def concerned(self, owners: Collection[Owner]) -> Collection[Owner]:
        """Return all these clients: the panel may have addresses of any."""
        return owners

    def due(self, owners: Sequence[Owner]) -> Sequence[Owner]:
        """Return those deferred owners who are to be tried: not those whose addresses cannot be read."""
        found = super().due(owners)
        states = self.run.exchange.records.states([self.name], found) if found else {}
        held = {key.owner for key, s in states.items() if s.status and s.status.code in NOT_READ and not s.deferral}
        return [owner for owner in found if owner not in held]

    def at_first_contact(self, known: Mapping[Owner, Foreseen]) -> list[Plan]:
        """Return the plans of the addresses of clients that are about to get these accounts; a new account has none."""
        if not self.is_on:
            return []
        there = {seen.link.panel_client_id: owner for owner, seen in known.items() if seen.opened is None}
        addresses, failed = self.addresses_of(list(there))
        shown = {owner: addresses.get(key) for key, owner in there.items() if key not in failed}
        shown |= {owner: () for owner, seen in known.items() if seen.opened is not None}
        plans: list[Plan] = []
        for owner, records in by_owner(self.load(list(shown))):
            seen = known[owner]
            new = [replace(record, link=seen.link, state=RecordState(), conflicts=()) for record in records]
            plans += self.plans(new, _shown(seen.account, shown[owner]))
        return plans

    # --- the plan

    def planned(self, records: Sequence[Record], shown: Shown | None) -> list[Plan]:
        """Return the plans of a client's addresses; the client's own record tells only what is about all of them."""
        own, *items = records
        if own.link is None or own.erp is None:
            without = self.without_link if own.link is None else self._without_client
            return [without(record) for record in records]
        if not self.is_on:
            return []
        known = own.state.status if own.code in NOT_READ else None
        if status := not_own(own, shown.account) if shown is not None else known:
            return [left_alone(own, status, asked=shown is not None)]
        odd = codes.status("bad_id.of_address") if own.odd_key else None  # there is no record that could tell it
        if shown is None:
            said = odd or (own.state.status if own.code == NOT_SHOWN else None)
            if unanswered := [item for item in items if item.state.intent]:
                return [Plan(own, Act.KEEP, status=said), *(Plan(item, Act.LOOK) for item in unanswered)]
            items = [item for item in items if not _is_unknown(item)]
            return [Plan(own, Act.KEEP, status=said), *self._of_items(own, items, self._last_seen(items))]
        seen = shown if isinstance(shown, ShownAddresses) else self._last_seen(items)
        if not seen.named and any(_was_shown(item) for item in items):
            return [left_alone(own, codes.status(NOT_SHOWN), asked=True)]
        return [Plan(own, Act.KEEP, status=odd), *self._of_items(own, items, seen)]

    def _without_client(self, record: Record) -> Plan:
        """Return the plan of a record of a client whose row is gone. What an unanswered call may have added is kept."""
        if record.erp is not None and record.state.base is None:
            return Plan(record, Act.KEEP, status=codes.status("no_client"))
        if record.state.intent is not None:
            return Plan(record, Act.KEEP, status=codes.status("deleted"))
        return self.without_row(record)

    def _last_seen(self, items: Sequence[Record]) -> ShownAddresses:
        """Return the addresses as the panel was last known to show them."""
        found = (item for item in items if _was_shown(item))
        addresses = (Address(item.state.panel_id, self.last_shown(item).values or {}) for item in found)
        return ShownAddresses(asked=False, addresses=tuple(addresses))

    def _of_items(self, own: Record, items: Sequence[Record], seen: ShownAddresses) -> list[Plan]:
        plans = []
        for it in pair(own, items, seen.addresses, asked=seen.asked):
            shown = Shown(it.address.values if it.address else None, seen.account, asked=seen.asked)
            if it.address is None or it.record.erp is None:
                plan = one_sided(self._terms, it, self.run.now())
            else:
                shown = replace(shown, panel_id=it.address.panel_address_id)
                plan = self.compared(it.record, shown, it.base, it.earlier)
            if plan is not None and plan.act is Act.DELETE and own.odd_key:  # its row may be the one that nothing finds
                plan = Plan(it.record, Act.KEEP, status=it.record.state.status)
            if plan is not None:
                plans.append(self._with_call(own, it, replace(plan, shown=shown)))
        return plans

    def _with_call(self, own: Record, it: Pair, plan: Plan) -> Plan:
        """Return the plan with what the panel is told; held where the panel would want shops, and nothing gives any."""
        if plan.act is not Act.DELETE and not plan.to_panel:
            return plan
        account: Account | None = plan.shown.account
        row = account.values if account and account.values.get(SHOPS_FIELD) else own.erp or {}
        shops = wanted(row, self.run.policy)
        if not shops and plan.act is Act.ADD:
            return replace(kept(it, codes.status("incomplete.shop")), shown=plan.shown)
        if not shops and plan.act is Act.MERGE:
            rest = tuple(step for step in plan.steps if step.target is not Side.PANEL)
            others = [plan.status] if plan.status and plan.status.code else []
            return replace(plan, steps=rest, status=joined([codes.status("incomplete.shop"), *others]))
        values = {step.field: step.value for step in plan.to_panel if plan.act is not Act.DELETE}
        login = account.login if account else own.link.panel_login if own.link else ""
        panel_id = "" if plan.act is Act.ADD else plan.panel_id
        write = AddressWrite(own.key.client_id, login, panel_id, values, shops)
        return replace(plan, call=write)

    def changed_at(self, _shown: Shown) -> datetime | None:
        """Return nothing: the account's date need not tell of an edited address."""
        return None

    def call(self, _record: Record, _shown: Shown, _plan: Plan) -> Any:
        """Return nothing yet: the call needs the client's own record."""
        return None

    # --- reading and sending

    def must_read(self, record: Record) -> bool:
        """Whether the panel has to be asked about a client."""
        return self.is_on and super().must_read(record)

    def read(self, records: Sequence[Record]) -> tuple[Mapping[Owner, Shown], Failed]:
        """Read the accounts of these clients, and the addresses of those who have the right one.

        Where no address is known the panel is asked for some first: of whom it has none either, nothing else is read.
        """
        bare = {r.link.panel_client_id: r for r in records if r.link and self._is_bare(r)}
        deferred = {key: record.state.deferral for key, record in bare.items()}
        early, unasked = self.addresses_of(list(bare), deferred)
        found: dict[Owner, Shown] = {
            r.key.owner: _shown(_believed(r), early[key]) for key, r in bare.items() if key in early and not early[key]
        }
        errors: dict[Owner, Reject | Retry | Halt] = {bare[key].key.owner: error for key, error in unasked.items()}
        rest = [record for record in records if record.key.owner not in found and record.key.owner not in errors]
        shown, failed = super().read(rest) if rest else ({}, {})
        of_account = {
            seen.account.panel_client_id: record.key.owner
            for record in rest
            if (seen := shown.get(record.key.owner)) and seen.account and not_own(record, seen.account) is None
        }
        states = {record.key.owner: record.state for record in rest}
        deferrals = {key: states[owner].deferral for key, owner in of_account.items()}
        addresses, unread = self.addresses_of([key for key in of_account if key not in early], deferrals)
        addresses = {**early, **addresses}
        found |= shown
        errors |= failed
        for key, owner in of_account.items():
            if key in addresses:
                found[owner] = _shown(shown[owner].account, addresses[key])
            else:
                del found[owner]
                errors[owner] = unread.get(key, Retry("missing_result"))
        return found, errors

    def _is_bare(self, own: Record) -> bool:
        """Whether no address of a client is known, and nothing is the matter with its account."""
        return own.key.owner in self._without_items and own.code not in NOT_READ

    def addresses_of(
        self, panel_client_ids: Sequence[str], deferrals: Mapping[str, Deferral | None] = NOTHING
    ) -> tuple[Mapping[str, Sequence[Address] | None], Mapping[str, Reject | Retry | Halt]]:
        """Read the addresses of these accounts; return them, and who could not be read, and why.

        None stands for an account that the answer does not name. ``deferrals``: how the records of these were deferred.
        """
        found, failed = retry.ask_apart(
            self.run, "addresses", lambda some: self.run.panel.addresses(some).items(), panel_client_ids, deferrals
        )
        return dict(found), failed

    def items_restored(self, items: Sequence[Record], accounts: Mapping[Owner, Account]) -> Sequence[Change]:
        """Read the addresses of a restored panel: what is gone is made again, what differs from its base is sent again.

        Whether somebody has edited one since the restore nothing tells.
        """
        numbers = dict.fromkeys(accounts[record.key.owner].panel_client_id for record in items)
        found, _ = self.addresses_of(list(numbers)) if numbers else ({}, {})
        changes = []
        for record in items:
            of_account = found.get(accounts[record.key.owner].panel_client_id)
            base, state = record.state.base, record.state
            if of_account is None or base is None:
                continue
            address = next((a for a in of_account if a.panel_address_id == state.panel_id), None)
            if address is None:
                state = replace(state, base=None, panel_id="", notes={})
            else:
                state = replace(state, base=gone_back(self.rows.fields, base, address.values, None))
            changes.append(Change(record, state))
        return changes

    def send(self, plans: Sequence[Plan]) -> Sequence[Answer]:
        """Send these writes gate by gate. After a call that failed as a whole no other is begun."""
        panel = self.run.panel
        gates: Mapping[Act, Callable[[Sequence[AddressWrite]], Sequence[Outcome]]] = {
            Act.ADD: panel.add_addresses,
            Act.MERGE: panel.update_addresses,
            Act.DELETE: panel.delete_addresses,
        }
        answers: dict[int, Answer] = {}
        failure: Retry | Halt | None = None
        for act, gate in gates.items():
            some = [n for n, plan in enumerate(plans) if plan.act is act]
            told: Sequence[Answer] = [failure] * len(some) if failure else []
            if some and failure is None:
                send = partial(first_write.send, self) if act is Act.MERGE else partial(retry.send_apart, self.run)
                told = send(f"{act} address", gate, [plans[n] for n in some])
                failure = _failure(told)
            answers |= dict(zip(some, told, strict=True))
        return [answers[n] for n in range(len(plans))]

    def planned_from(self, plan: Plan) -> Values:
        """Return what the panel showed of an address when it was planned."""
        return plan.shown.values or {}

    def snapshot(self, plan: Plan) -> Snapshot:
        """Read what the panel shows of an address now."""
        account: Account | None = plan.shown.account
        key = account.panel_client_id if account else ""
        shown = (self.run.panel.addresses([key]).get(key) if key else None) or ()
        return Snapshot(next((each.values for each in shown if each.panel_address_id == plan.panel_id), {}))

    def answered(self, plan: Plan, answer: Answer) -> Plan | Sequence[Change]:
        """Return what is to be stored; an address that the panel does not delete is held."""
        if plan.act is Act.DELETE and isinstance(answer, Reject):
            return [self._not_deleted(plan, answer)]
        return super().answered(plan, answer)

    @staticmethod
    def _not_deleted(plan: Plan, reject: Reject) -> Change:
        said = codes.told(NOT_DELETED, (), {"panel": "", **reject.facts})
        note = Note(REFUSED, "", code=NOT_DELETED, text=reject.facts.get("panel", ""))
        state = replace(plan.record.state, intent=None, deferral=None, status=said, notes={WHOLE: note})
        return Change(plan.record, state)

    def without(self, plan: Plan, reject: Reject) -> Plan | None:
        """Return the plan without the fields that were refused; None for a new address that is none without them."""
        again = super().without(plan, reject)
        if again is None or plan.act is not Act.ADD:
            return again
        lost = {step.field for step in plan.to_panel} - {step.field for step in again.to_panel}
        return None if any(is_needed(name) for name in lost) else again

    def refused(self, plan: Plan, reject: Reject) -> Change:
        """Return the change of an address that the panel refused; one that was deleted there is remembered as such."""
        change = super().refused(plan, reject)
        if plan.act is Act.DELETE and change.after.deferral is None:
            return self._not_deleted(plan, reject)
        if plan.act is not Act.ADD or plan.base is None:
            return change
        notes = {**change.after.notes, WHOLE: GONE}
        return replace(change, after=replace(change.after, notes=notes))

    def refused_by_erp(self, plan: Plan, change: Change, reject: Reject) -> Change:
        """Return the change of an address whose row was not taken; a deletion is tried again once the row differs."""
        if plan.act is not Act.REMOVE:
            known = replace(change, after=replace(change.after, panel_id=plan.panel_id))
            return super().refused_by_erp(plan, known, reject)
        whole = Step(WHOLE, Side.ERP, contents(plan.record.erp or {}))
        return retry.refused(self.run, change, reject, [whole], table=self.table)

    # --- what wakes it

    def notice(self, news: News) -> Sequence[Owner]:
        """Return the clients among those who moved whose addresses ask for something.

        A linked account that was never seen before is the echo of its own opening: its addresses are our own work.
        Where their addresses cannot be read, a worker finds out whose fault it is: the feed goes on.
        """
        moved = news.moved if self.is_on else {}
        try:
            return self.asking(moved)
        except Retry as error:
            if not retry.is_own(error):
                raise
            return list(moved)

    def asking(self, accounts: Mapping[Owner, Account | None]) -> list[Owner]:
        """Return those of these clients whose addresses ask for something.

        ``accounts``: as they were read just now, None where they were not. Raises Retry or Halt where some could not be
        read. What is deferred comes back by its own time.
        """
        loaded = {o: r for o, r in by_owner(self.load(list(accounts))) if self._may_ask(r[0], accounts[o])}
        ids = {r[0].link.panel_client_id: owner for owner, r in loaded.items() if r[0].link}
        addresses, failed = self.addresses_of(list(ids))
        for error in failed.values():
            if not isinstance(error, Reject):
                raise error
        plans: list[Plan] = []
        for key, owner in ids.items():
            if key not in failed:
                shown = _shown(accounts[owner], addresses[key]) if key in addresses else None
                plans += self._asked_for(loaded[owner], shown)
        return self.noted(plans)

    @staticmethod
    def _may_ask(own: Record, account: Account | None) -> bool:
        """Return whether a client's addresses are looked at: not where the account was seen to be another client's."""
        is_own = account is not None or own.code != "another_account"
        return own.erp is not None and own.state.deferral is None and is_own and not own.excluded

    def _asked_for(self, records: Sequence[Record], shown: ShownAddresses | None) -> list[Plan]:
        """Return what a client's addresses ask for; ``shown`` None: the panel has no such account."""
        own = records[0]
        if shown is None:
            return [] if own.code == "account_gone" else [Plan(own, Act.LOOK)]
        plans = self.plans(records, replace(shown, account=shown.account or _believed(own)))
        return [plan for plan in plans if not comes_back(plan.record)]

    def first_contact(
        self,
        links: Mapping[str, Link],
        known: Mapping[str, Opened],
        fresh: Collection[str],
        shown: Mapping[str, Account],
    ) -> list[Change]:
        """Return what is stored of newly linked clients; bases of addresses of an account that was before are void.

        The addresses of an account that was opened just now are due only where the ERP has any: it was opened with
        fields of other concerns (``known``). An account that is ``shown`` shows none of its addresses.
        """
        del known, shown
        untouched = self.run.exchange.records.untouched(self.name, list(links))
        records = self.load([Owner(client_id) for client_id in links if client_id not in untouched])
        having = self.run.exchange.records.having(self.name, list(fresh)) if fresh else frozenset()
        left_out = {record.key.client_id for record in records if record.excluded}
        due = {key: link for key, link in links.items() if key not in fresh or key in having or key in left_out}
        void = [voided(r) for r in records if r.key.item_id or r.key.client_id not in due]
        return [*filter(None, void), *super().first_contact(due, {}, (), {})]


def _shown(account: Account | None, addresses: Sequence[Address] | None) -> ShownAddresses:
    """Return what the panel shows of a client; ``addresses`` None: it does not name it."""
    return ShownAddresses(account=account, addresses=tuple(addresses or ()), named=addresses is not None)


def _believed(own: Record) -> Account:
    """Return a client's account where it was not read: the one that the link names, with the client's code."""
    assert own.link is not None
    return Account(own.link.panel_client_id, own.link.panel_login, own.key.client_id, {})


def _was_shown(item: Record) -> bool:
    """Return whether the panel was seen to have an address, and not seen to have it no more."""
    return item.state.base is not None and not _is_gone(item)


def _is_unknown(item: Record) -> bool:
    """Return whether a record is about an address of the panel's that could not become a row: nothing is kept of it."""
    return item.erp is None and item.state.base is None and item.state.panel_id != ""


def _is_gone(item: Record) -> bool:
    """Return whether the panel was seen to have an address no more."""
    whole = item.state.notes.get(WHOLE)
    return whole is not None and whole.code != NOT_DELETED


def _failure(told: Sequence[Answer]) -> Retry | Halt | None:
    """Return why a gate takes nothing at all; then no other call is made in this run."""
    first = told[0]
    if isinstance(first, Retry | Halt) and all(answer is first for answer in told):
        return None if first.code == "missing_result" else first
    return None
