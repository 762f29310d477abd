"""The stand-in as an object: a real server on a real socket, in a thread and an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import secrets
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from local.panel.app import application
from local.panel.clock import Clock
from local.panel.faults import Rule
from local.panel.model import Account, Address
from local.panel.sample import sample_accounts
from local.panel.settings import Settings
from local.panel.standin_groups import GroupsAndCredit
from local.panel.state import PanelState

HOST = "127.0.0.1"


class StandinPanel(GroupsAndCredit):
    """A panel to run against.

    >>> with StandinPanel(key="secret") as panel:
    ...     panel.seed(login="anna", email="anna@example.com")
    ...     panel.misbehave("429", gate="PUT clients/clients", retry_after="3")
    ...     ask(panel.url, panel.key)
    ...     assert panel.calls["PUT clients/clients"] == 2

    What is given beside key, host, port and seed are settings: see `Settings`.
    """

    def __init__(
        self,
        key: str | None = None,
        port: int = 0,
        host: str = HOST,
        seed: int = 1,
        **settings: Any,
    ) -> None:
        self.key = key or secrets.token_urlsafe(24)
        self.host = host
        self.port = port
        chosen = Settings()
        chosen.change(**settings)
        self.state = PanelState(chosen, seed)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    # --- running

    def start(self) -> Self:
        """Listen; returns when the port is open, and raises what kept it shut."""
        opened: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, args=(opened,), name="standin-panel", daemon=True)
        self._thread.start()
        self.port = opened.result()
        return self

    def stop(self) -> None:
        """Close the port; returns when the thread is over. State stays readable."""
        if self._thread is None:
            return
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self, opened: Future[int]) -> None:
        asyncio.run(self._serve(opened))

    async def _serve(self, opened: Future[int]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            runner = await listen(self.state, self.key, self.host, self.port)
        except Exception as error:  # noqa: BLE001 - handed over to whoever called start()
            opened.set_exception(error)
            return
        opened.set_result(runner.addresses[0][1])
        await self._stop.wait()
        await runner.cleanup()

    @property
    def url(self) -> str:
        """The panel's root; `/api/admin/v8/...` is appended to it."""
        return f"http://{self.host}:{self.port}"

    # --- looking

    @property
    def settings(self) -> Settings:
        return self.state.settings

    @property
    def clock(self) -> Clock:
        return self.state.clock

    @property
    def calls(self) -> Counter[str]:
        """Calls by gate, refused ones included: `panel.calls["PUT clients/clients"]`."""
        return self.state.counters.calls

    @property
    def records(self) -> Counter[str]:
        """Records by gate, written or read."""
        return self.state.counters.records

    @property
    def statuses(self) -> Counter[int]:
        """Answers by HTTP status; 0 stands for an aborted connection."""
        return self.state.counters.statuses

    @property
    def total_calls(self) -> int:
        return self.state.counters.total

    @property
    def mails_sent(self) -> int:
        """E-mails that a real panel would have sent to customers."""
        return sum(self.state.counters.mails.values())

    @property
    def texts_sent(self) -> int:
        """Text messages that a real panel would have sent to customers."""
        return sum(self.state.counters.texts.values())

    @property
    def unknown_fields(self) -> Counter[str]:
        """Counts of the fields and filters that no gate knows, as `PUT clients/clients misspelt`."""
        return self.state.counters.unknown

    @property
    def peak_in_flight(self) -> int:
        return self.state.counters.peak_in_flight

    @property
    def peak_per_second(self) -> int:
        return self.state.counters.peak_per_second

    @property
    def accounts(self) -> list[Account]:
        """Copies of all accounts, oldest first."""
        with self.state.lock:
            self.state.show_due_dates()
            return copy.deepcopy(list(self.state.accounts))

    def account(self, client_id: int) -> Account:
        """A copy of the account, or KeyError."""
        with self.state.lock:
            return copy.deepcopy(self.state.account(client_id))

    def by_login(self, login: str) -> Account | None:
        """A copy of the account of that login."""
        with self.state.lock:
            return copy.deepcopy(self.state.accounts.by_login(login))

    def by_code(self, external_code: str) -> list[Account]:
        """Copies of every account with that external code: more than one means doubled."""
        with self.state.lock:
            return copy.deepcopy(self.state.accounts.by_code(external_code))

    def requests(self, gate: str | None = None) -> list[dict[str, Any]]:
        """The latest calls, `{"gate", "query", "body"}`, of one gate or of all."""
        with self.state.lock:
            return [each for each in self.state.requests if gate in (None, each["gate"])]

    # --- editing, as a panel user or a customer does: no call is counted, the modification date moves

    def seed(self, **plain: Any) -> Account:
        """A new account out of plain words (see local.panel.model.Account)."""
        with self.state.lock:
            return copy.deepcopy(self.state.seed(plain))

    def seed_all(self, accounts: Iterable[dict[str, Any]]) -> list[int]:
        """Several at once; gives their ids."""
        with self.state.lock:
            return [self.state.seed(plain).id for plain in accounts]

    def seed_sample(self, count: int, seed: int = 1) -> list[int]:
        """Made-up accounts; gives their ids."""
        return self.seed_all(sample_accounts(count, seed))

    def edit(self, client_id: int, **changes: Any) -> Account:
        """Change an account in the panel."""
        with self.state.lock:
            return copy.deepcopy(self.state.edit(client_id, **changes))

    def add_address(self, client_id: int, **plain: Any) -> Address:
        """Add a delivery address in the panel."""
        with self.state.lock:
            return copy.copy(self.state.put_address(client_id, plain))

    def edit_address(self, client_id: int, address_id: int, **changes: Any) -> Address:
        """Change a delivery address in the panel."""
        with self.state.lock:
            return copy.copy(self.state.edit_address(client_id, address_id, **changes))

    def delete_address(self, client_id: int, address_id: int) -> None:
        """Delete a delivery address in the panel."""
        with self.state.lock:
            self.state.drop_address(client_id, address_id)

    # --- misbehaving

    def back_up(self, name: str = "") -> None:
        """Keep what the panel holds."""
        with self.state.lock:
            self.state.back_up(name)

    def restore(self, name: str = "") -> None:
        """Put back what was kept under that name, or KeyError; numbers given since are given again."""
        with self.state.lock:
            self.state.restore(name)

    def misbehave(self, kind: str, gate: str = "*", **how: Any) -> Rule:
        """Order a misbehaviour (see local.panel.faults); once, unless `times` says otherwise. The rule counts hits."""
        with self.state.lock:
            return self.state.faults.add(Rule(kind, gate, **how))

    def behave(self) -> None:
        """No more misbehaviour."""
        with self.state.lock:
            self.state.faults.clear()

    def forget_calls(self) -> None:
        """Set all counts to 0."""
        with self.state.lock:
            self.state.counters.reset()
            self.state.requests.clear()


async def listen(panel: PanelState, key: str, host: str, port: int) -> web.AppRunner:
    """Open the port; the runner is to be cleaned up by the caller. Nothing is logged: queries hold personal data."""
    runner = web.AppRunner(application(panel, key), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=512).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner
