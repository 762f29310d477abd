"""Money under everything at once: both sides edit, replies are lost, processes die, figures grow stale.

When it stops, the panel has what the ERP asks for, every group once, and then nothing is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kartoteka.codes import State, Status
from kartoteka.concerns import credit
from kartoteka.concerns.discounts import prices
from kartoteka.errors import Reject
from kartoteka.fields import money
from kartoteka.model import Key, Outcome, Values
from kartoteka.policy import parse
from kartoteka.ports.panel import AccountUpdate
from tests.helpers import left_undone
from tests.property.faults import Deaths
from tests.property.histories import SAME_EACH_TIME, histories
from tests.world import CLIENT, World

CLIENTS = ("C-0", "C-1")
GROUPS = ("G1", "G2")
ITEMS = (("product", "1"), ("product", "2"), ("producer", "1"))
AMOUNTS = st.sampled_from(["0", "1.005", "250.5", "1000", "99.99", "12,50", "NaN", "-3", None])
HISTORIES = histories(300)


class Money(Deaths, RuleBasedStateMachine):
    """The ERP's author, a user of the panel, a clock, and a cloud in which things go wrong."""

    @initialize(
        remove=st.booleans(),
        deletes=st.sampled_from(["ignore", "propagate"]),
        stale=st.sampled_from(["freeze", "zero", "keep"]),
        sign=st.sampled_from([1, -1]),
        used=st.booleans(),
        batch=st.sampled_from([1, 2, 100]),
    )
    def install(self, remove: bool, deletes: str, stale: str, sign: int, used: bool, batch: int) -> None:
        unassigned = "remove" if remove else "keep"
        self.world = World(
            parse(
                f'{{"discounts": {{"unassigned": "{unassigned}", "deletes": "{deletes}"}}, '
                f'"credit": {{"when_stale": "{stale}", "balance_sign": {sign}}}, "panel": {{"batch_size": {batch}}}}}'
            )
        ).knows_the_panel()
        self.world.panel.used_shows_balance = used
        for n, client in enumerate(CLIENTS):
            self.world.exchange.insert_client(client, **{**CLIENT, "nip": "", "email": f"{n}@firma.pl"})
        self.world.panel.make_group("Obca")
        self.world.tick()
        self.edited: set[str] = set()
        self._watch_currencies()

    def _watch_currencies(self) -> None:
        """Let no call change the currency of a limit that counts, unless it was the panel's user who has set that."""
        panel = self.world.panel
        update = panel.update

        def watched(updates: Sequence[AccountUpdate]) -> Sequence[Outcome]:
            for each in updates:
                key = self._account(each.client_id)
                new, now = each.values.get("currency"), panel.accounts[key].values
                if new not in (None, now["currency"]) and each.client_id not in self.edited:
                    had = each.client_id in self.world.exchange.credit
                    assert not had or now["credit_limit"] in ("0.00", "0", "", None), (each, now)
            return update(updates)

        panel.update = watched  # type: ignore[method-assign]

    # --- the ERP

    @rule(group=st.sampled_from(GROUPS), name=st.sampled_from(["Hurt", "Detal"]))
    def name_group(self, group: str, name: str) -> None:
        self.world.exchange.set_group(group, name)

    @rule(group=st.sampled_from(GROUPS))
    def delete_group(self, group: str) -> None:
        self.world.exchange.delete_group(group)

    @rule(group=st.sampled_from(GROUPS), key=st.sampled_from(ITEMS), price=AMOUNTS, rebate=st.booleans())
    def set_item(self, group: str, key: tuple[str, str], price: str | None, rebate: bool) -> None:
        row: dict[str, Any] = {"price": price, "rebate_percent": None, "base_price": None, "currency": "PLN"}
        if rebate:
            row |= {"price": None, "rebate_percent": "12.5", "base_price": price}
        self.world.exchange.set_item(group, *key, **row)

    @rule(group=st.sampled_from(GROUPS), key=st.sampled_from(ITEMS), begin=st.integers(-3, 3), length=st.integers(0, 4))
    def date_item(self, group: str, key: tuple[str, str], begin: int, length: int) -> None:
        start = self.world.time + timedelta(minutes=30 * begin)
        self.world.exchange.set_item(group, *key, valid_from=start, valid_to=start + timedelta(minutes=30 * length))

    @rule(group=st.sampled_from(GROUPS), key=st.sampled_from(ITEMS))
    def delete_item(self, group: str, key: tuple[str, str]) -> None:
        self.world.exchange.delete_item(group, *key)

    @rule(client=st.sampled_from(CLIENTS), group=st.sampled_from([*GROUPS, None]))
    def assign(self, client: str, group: str | None) -> None:
        self.world.exchange.update_client(client, discount_group_id=group)

    @rule(
        client=st.sampled_from(CLIENTS),
        limit=AMOUNTS,
        balance=AMOUNTS,
        allowed=st.sampled_from([True, False, None]),
        currency=st.sampled_from(["PLN", "PLN", "PLN", "EUR"]),
    )
    def compute(self, client: str, limit: str | None, balance: str | None, allowed: bool | None, currency: str) -> None:
        self.world.exchange.set_credit(
            client,
            credit_allowed=allowed,
            credit_limit=limit,
            balance=balance,
            currency=currency,
            as_of=self.world.time,
        )

    @rule(client=st.sampled_from(CLIENTS), currency=st.sampled_from(["PLN", "EUR", None]))
    def change_currency(self, client: str, currency: str | None) -> None:
        self.world.exchange.update_client(client, currency=currency)

    @rule(
        client=st.sampled_from(CLIENTS), owed=st.sampled_from(["250.5", "1000"]), left=st.sampled_from(["0", "250.5"])
    )
    def owe_and_pay(self, client: str, owed: str, left: str) -> None:
        """The figure that is left may be the very one that the panel shows for another reason."""
        self.compute(client, "1000", owed, allowed=True, currency="PLN")
        self.world.tick()
        self.compute(client, "1000", left, allowed=True, currency="PLN")

    @rule(client=st.sampled_from(CLIENTS))
    def recompute(self, client: str) -> None:
        if client in self.world.exchange.credit:
            self.world.exchange.set_credit(client, as_of=self.world.time)

    @rule(client=st.sampled_from(CLIENTS))
    def delete_figures(self, client: str) -> None:
        self.world.exchange.delete_credit(client)

    # --- the panel

    @rule(client=st.sampled_from(CLIENTS), number=st.integers(0, 4))
    def move(self, client: str, number: int) -> None:
        key = str(number) if str(number) in self.world.panel.discount_groups else ""
        self.world.panel.edit(self._account(client), discount_group_id=key)

    @rule(client=st.sampled_from(CLIENTS), limit=st.sampled_from(["0.00", "5.00", "1000.00"]))
    def edit_limit(self, client: str, limit: str) -> None:
        self.edited.add(client)
        self.world.panel.edit(self._account(client), credit_limit=limit)

    @rule(client=st.sampled_from(CLIENTS), balance=st.sampled_from(["0.00", "700.00", "-700.00"]))
    def edit_balance(self, client: str, balance: str) -> None:
        """Count an order, or edit by hand; what is shown first after a write of ours is taken for its form."""
        base = self.world.exchange.bases.get(Key(client, "", "credit"))
        if self.world.panel.used_shows_balance and base and "balance" in base.panel:
            self.world.panel.edit(self._account(client), balance=balance)

    @rule(client=st.sampled_from(CLIENTS), used=st.sampled_from(["0.00", "250.50", "1000.00"]))
    def use_limit(self, client: str, used: str) -> None:
        self.world.panel.used[self._account(client)] = used
        self.world.panel.edit(self._account(client))

    @rule(group=st.sampled_from(GROUPS))
    def remove_group(self, group: str) -> None:
        number = self.world.exchange.prices.numbers().get(group)
        if number in self.world.panel.discount_groups:
            self.world.panel.remove_group(number)

    @rule(group=st.sampled_from(GROUPS), name=st.sampled_from(["Hurt", "Inna"]))
    def rename_group(self, group: str, name: str) -> None:
        number = self.world.exchange.prices.numbers().get(group)
        if number in self.world.panel.discount_groups:
            self.world.panel.discount_groups[number] = name

    # --- the cloud

    @rule(concern=st.sampled_from(["discounts", "credit", "billing"]))
    def collect(self, concern: str) -> None:
        self.world.collect(concern)

    @rule(queue=st.sampled_from(["discounts", "credit", "billing"]))
    def work(self, queue: str) -> None:
        self.world.work(queue)

    @rule(minutes=st.integers(5, 200))
    def wait(self, minutes: int) -> None:
        self.world.pass_time(minutes=minutes)

    # --- what must hold

    @invariant()
    def no_group_is_doubled(self) -> None:
        """One of the shop's own, one for each row at most, and those that were left without a row."""
        if not hasattr(self, "world"):
            return
        exchange = self.world.exchange
        known = set(exchange.prices.numbers().values())
        under_way = {key for key, intent in exchange.intents.items() if key.group_id and intent.making}
        strange = set(self.world.panel.discount_groups) - known - {"1"}
        assert len(strange) <= len(under_way), (strange, under_way)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.panel.recover()
        for _ in range(4):
            world.tick()
        world.pass_time(days=1)  # what was deleted or renamed in the panel alone is seen once a day
        for _ in range(6):
            world.tick()
        self._give_away()
        world.tick(seconds=0)
        for concern in ("discounts", "credit", "billing"):
            assert left_undone(world, concern) == {}
        self._prices_are_right()
        for client in CLIENTS:
            self._group_is_right(client)
            self._credit_is_right(client)
        before = {gate: n for gate, n in world.panel.calls().items() if not gate.startswith("GET")}
        world.tick()
        assert before == {gate: n for gate, n in world.panel.calls().items() if not gate.startswith("GET")}, "not quiet"

    def _give_away(self) -> None:
        """Say of each price of 0 that it is meant: before that the panel shows another one, or none."""
        world, numbers = self.world, self.world.exchange.prices.numbers()
        asking = [key for key, status in world.exchange.statuses.items() if status.code == prices.ZERO_PRICE]
        for key in asking:
            kind, _, number = key.item_id.partition("/")
            held = world.panel.prices[numbers[key.group_id]].get((kind, number))
            assert held is None or str(held[0]) != prices.FREE, key
            world.exchange.decide_status("", "discounts", "send", key.item_id, key.group_id)
        for _ in range(3 if asking else 0):
            world.tick()

    def _account(self, client: str) -> str:
        return self.world.exchange.links[client].panel_client_id

    def _prices_are_right(self) -> None:
        exchange, panel = self.world.exchange, self.world.panel
        numbers = exchange.prices.numbers()
        for group, row in exchange.groups.items():
            assert panel.discount_groups[numbers[group]] == row["name"]
        for group, number in numbers.items():
            held = {key: str(amount) for key, (amount, _) in panel.prices[number].items()}
            for key in ITEMS:
                self._price_is_right(group, key, held.get(key))
        rows = set(exchange.groups) if self.world.policy.discounts.deletes == "propagate" else set(numbers)
        assert rows <= set(numbers)

    def _price_is_right(self, group: str, key: tuple[str, str], held: str | None) -> None:
        exchange = self.world.exchange
        found = [item for item, _ in exchange.prices.items(group, None, 100) if item.key == key]
        status = exchange.status("", "discounts", "/".join(key), group)
        refusal, wanted = "", None
        try:
            wanted = prices.wanted(found[0], self.world.time) if found else None
        except Reject as error:
            refusal = error.code.partition(".")[0]
        assert (status.code if status else "") == refusal
        if refusal:
            return
        assert held == (wanted.price if wanted else None), (group, key)

    def _group_is_right(self, client: str) -> None:
        exchange, panel = self.world.exchange, self.world.panel
        wanted = exchange.clients[client]["discount_group_id"]
        shown = panel.accounts[self._account(client)].values["discount_group_id"]
        numbers = exchange.prices.numbers()
        status = exchange.status(client, "discounts")
        if wanted in numbers:
            assert shown == numbers[str(wanted)], (shown, wanted, status)
        elif wanted:
            assert status is not None
            assert status.code == "unknown_group"
        elif self.world.policy.discounts.unassigned == "remove":
            assert shown == ""

    def _credit_is_right(self, client: str) -> None:
        row = self.world.exchange.credit.get(client)
        status = self.world.exchange.status(client, "credit")
        if row is None:
            zero = self.world.policy.credit.when_stale == "zero"
            assert status is None or status.code == ("stale" if zero else "deleted_in_erp"), status
            if status and zero:
                assert self.world.panel.accounts[self._account(client)].values["credit_limit"] == "0.00"
            return
        assert status is not None
        policy, shown = self.world.policy.credit, self.world.panel.accounts[self._account(client)].values
        as_of = row["as_of"]
        stale = isinstance(as_of, datetime) and as_of < credit.stale_before(policy, self.world.time)
        if stale and policy.when_stale == "freeze":
            assert (status.state, status.code) == (State.HELD, "stale")
            return
        if stale and policy.when_stale == "zero":
            assert (status.state, status.code) == (State.IN_STEP, "stale")
            assert shown["credit_limit"] == "0.00"
            return
        wanted = self.world.exchange.clients[client]["currency"]
        assert wanted in (None, shown["currency"])
        if row["currency"] != (shown["currency"] or "PLN"):
            assert (status.state, status.code) == (State.HELD, "other_currency")
            assert shown["credit_limit"] == "0.00"
            return
        sign, owed = policy.balance_sign, money.canonical(str(row["balance"] or ""))
        balance = str(money.rounded(money.amount(owed) * sign)) if owed and owed not in ("12,50", "NaN") else owed
        limit = "0.00" if row["credit_allowed"] is False else money.canonical(str(row["credit_limit"] or ""))
        self._figures_are_right(limit, balance, shown, status, row["credit_allowed"])

    def _figures_are_right(self, limit: str, balance: str, shown: Values, status: Status, allowed: object) -> None:
        wrong = {"bad_amount" for value in (limit, balance) if value in ("12,50", "NaN")}
        wrong |= {"bad_amount"} if limit.startswith("-") else set()
        wrong |= {"incomplete"} if allowed is None or not limit else set()
        if wrong:
            assert status.state is State.HELD
            assert status.code in wrong
            if limit == "0.00":
                assert shown["credit_limit"] == "0.00"
            return
        assert (status.state, status.code) == (State.IN_STEP, "")
        assert shown["credit_limit"] == limit
        if balance and self.world.panel.used_shows_balance:  # a debt that has grown since is believed
            sign = self.world.policy.credit.balance_sign
            assert money.amount(shown["balance"]) * sign >= money.amount(balance) * sign
        elif balance:
            assert shown["balance"] == balance


TestMoney = Money.TestCase
TestMoney.settings = settings(
    max_examples=HISTORIES,
    derandomize=SAME_EACH_TIME,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
