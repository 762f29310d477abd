"""An installation whose clients are linked already, with nothing to look after but delivery addresses."""

from __future__ import annotations

from collections.abc import Mapping

from kartoteka.codes import IN_STEP, Status
from kartoteka.model import Link, Owner, Value, Values
from kartoteka.policy import Policy, parse
from kartoteka.sync.plan import Act
from tests.world import CLIENT, World

CONCERN = "delivery_addresses"
LINES: dict[str, Value] = {
    "first_name": "Jan",
    "last_name": "Kowalski",
    "street": "Długa 5",
    "zip_code": "00-950",
    "city": "Łódź",
    "phone": "501502503",
}
ADD, UPDATE, DELETE, READ = (
    "POST clients/deliveryAddress",
    "PUT clients/deliveryAddress",
    "POST clients/deliveryAddress/delete",
    "GET clients/deliveryAddress",
)


def policy(
    direction: str = "both", conflict: str = "erp", deletes: str = "ignore", *, batch: int = 100, attempts: int = 8
) -> Policy:
    """Return a policy of delivery addresses."""
    return parse(
        f'{{"delivery_addresses": {{"direction": "{direction}", "conflict": "{conflict}", "deletes": "{deletes}"}}, '
        f'"panel": {{"batch_size": {batch}}}, "retry": {{"max_attempts": {attempts}}}}}'
    )


class AddressWorld(World):
    """A world in which clients and accounts are linked by hand, and the other concerns rest."""

    def customer(self, client_id: str = "C-1") -> str:
        """Let there be a client and its account, linked; return the account's id."""
        self.exchange.insert_client(client_id, **CLIENT)
        account = self.panel.register(CLIENT, login=client_id.lower(), external_code=client_id)
        self.exchange.links[client_id] = Link(client_id, account, client_id.lower(), "created")
        return account

    def look(self, *client_ids: str) -> bool:
        """Work these clients once; False where the run failed or died."""
        return self.reconcile(CONCERN, *(Owner(client_id) for client_id in client_ids or ("C-1",)))

    def turn(self, *, seconds: float = 61) -> None:
        """Do all that a tick does for delivery addresses."""
        self.collect(CONCERN, everything_due=True)
        self.rotate()
        for _ in range(1000):
            if not self.work(CONCERN):
                break
        else:
            raise AssertionError("the queue does not run empty")
        self.pass_time(seconds=seconds)

    def differing(self) -> list[Owner]:
        """Return the clients that a full scan would queue: those of a plan that is not empty, without a panel call."""
        before = self.panel.calls()
        known = {key.owner for key in self.exchange.states if key.concern == CONCERN}
        known |= {Owner(client_id) for client_id in (*self.exchange.clients, *self.exchange.links)}
        found = self.run().concerns[CONCERN].differing(sorted(known))
        assert self.panel.calls() == before
        return found

    def check_in_step(self, client_id: str) -> None:
        """Check that an address of a client that was worked just now is in step only where nothing is to be carried.

        What is said of the client as a whole stands for its addresses.
        """
        concern = self.run().concerns[CONCERN]
        records = concern.load([Owner(client_id)])
        if records[0].state.deferral:
            return
        for plan in concern.plans(records, None):
            state = plan.record.state
            is_due = plan.act is Act.LOOK or plan.writes or plan.status != state.status
            assert not is_due or state.deferral or state.status != IN_STEP, f"{plan.record.key} is not in step: {plan}"

    def row(self, address_id: str = "A-1") -> dict[str, Value]:
        """Return the ERP's row."""
        found = self.exchange.address(address_id)
        assert found
        return dict(found)

    def shown(self, account: str = "1") -> dict[str, Values]:
        """Return the account's addresses in the panel, by id."""
        return {key: address.values for key, (owner, address) in self.panel.delivery.items() if owner == account}

    def status(self, item_id: str = "A-1", client_id: str = "C-1") -> Status:
        """Return an address's status."""
        status = self.exchange.status(client_id, CONCERN, item_id)
        assert status
        return status

    def told(self) -> list[tuple[str, str, str]]:
        """Return the history: field, direction, reason."""
        return [(h.field, h.direction, h.reason) for h in self.exchange.history]

    def spent(self, before: Mapping[str, int]) -> dict[str, int]:
        """Return the panel's calls since ``before``, by gate."""
        return {gate: n - before.get(gate, 0) for gate, n in self.panel.calls().items() if n != before.get(gate, 0)}
