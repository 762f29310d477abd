"""Which shops a client may use: those of its rows, else of the policy's rules, else the default ones."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kartoteka import codes
from kartoteka.codes import Status
from kartoteka.errors import Halt, Reject, Retry
from kartoteka.fields.table import SHOPS_FIELD
from kartoteka.fields.values import ids_of
from kartoteka.model import Key, Record, Values
from kartoteka.policy import Policy
from kartoteka.sync import kept
from kartoteka.sync.concern import Concern, Shown
from kartoteka.sync.merge import Step
from kartoteka.sync.plan import Plan
from kartoteka.sync.run import Run

logger = logging.getLogger(__name__)

DOCUMENT = "panel_shops"
"""The state's document of the panel's shops."""
READ_AGAIN = timedelta(minutes=10)
"""How long an unknown id is believed to be unknown before the panel is asked again."""
READ_DAILY = timedelta(days=1)
"""How long what the shops require is believed."""


def wanted(row: Values, policy: Policy) -> tuple[int, ...]:
    """Return the shops of a client with this row: its own, else those of the first rule that fits, else the default."""
    fitting = (rule.shops for rule in policy.shops.rules if rule.fits(row))
    return ids_of(row.get(SHOPS_FIELD)) or tuple(sorted(set(next(fitting, policy.accounts.default_shops))))


class PanelShops:
    """The panel's own shops: what they would refuse is refused before a call is spent on it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: Mapping[int, frozenset[str]] | None = None
        self._asked = False

    def check(self, shops: Collection[int]) -> None:
        """Raise Reject naming the shops that the panel does not have. A panel that does not tell judges for itself.

        So does one that cannot be asked now; it is asked again in the next run.
        """
        ids = set(shops)
        known = self._among(ids).keys() if ids else frozenset[int]()
        if known and not ids <= known:
            unknown, there = (", ".join(map(str, sorted(some))) for some in (ids - known, known))
            raise Reject("unknown_shop", field=SHOPS_FIELD, value=unknown, known=there)

    def required(self, shops: Collection[int]) -> frozenset[str]:
        """Return the fields that these shops require of a customer, as far as the panel tells."""
        known = self._among(set(shops)) if shops else {}
        return frozenset().union(*(known.get(shop, ()) for shop in shops))

    def _among(self, ids: set[int]) -> Mapping[int, frozenset[str]]:
        """Return the panel's shops, empty where it does not tell them; the state and the panel are asked once a run."""
        if self._known is None or (self._known and not ids <= self._known.keys() and not self._asked):
            self._known = self._read(ids)
        return self._known

    def _read(self, ids: set[int]) -> Mapping[int, frozenset[str]]:
        (known, read_at), version = kept.read(self._run.state, DOCUMENT, _noted)
        believed = READ_DAILY if known.keys() >= ids else READ_AGAIN
        if read_at and kept.is_within(believed, read_at, self._run.now()):
            return known
        self._asked = True
        try:
            known = dict(self._run.panel.shops())
        except Retry as error:
            logger.warning("the panel's shops could not be read (%s): the panel judges them itself", error.code)
            return {}
        except Halt as halt:
            logger.warning("the panel does not tell its shops (%s): it judges them itself", halt.code)
            known = {}
        required = {str(shop): sorted(fields) for shop, fields in sorted(known.items())}
        found = {"required": required, "read_at": self._run.now().isoformat()}
        self._run.state.save(DOCUMENT, found, version=version)
        return known


def _noted(document: Mapping[str, Any] | None) -> tuple[dict[int, frozenset[str]], datetime | None]:
    """Return the shops that were read, and when."""
    if not document:
        return {}, None
    known = {int(shop): frozenset(map(str, fields)) for shop, fields in document.get("required", {}).items()}
    return known, kept.moment(document["read_at"])


class Shops(Concern):
    """Which shops a client may use."""

    name = "shops"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._panels = PanelShops(run)
        self._rows: dict[Key, tuple[int, ...]] = {}

    def by_policy(self, record: Record) -> Record:
        """Return a record with the shops that the policy gives it."""
        if record.erp is None or not record.has_client:
            return record
        with self.lock:
            self._rows[record.key] = ids_of(record.erp.get(SHOPS_FIELD))
        return replace(record, erp={**record.erp, SHOPS_FIELD: wanted(record.erp, self.run.policy)})

    def lacks_row(self, plan: Plan, *, new_policy: bool = False) -> bool:
        """Return whether a plan rests on the lack of a client's row, or of one that has given it a shop.

        One that came in place of another is an edit. Where it has no row of a shop at all, a policy that has changed
        may be why it has fewer of them.
        """
        rows, base = self._rows.get(plan.record.key, ()), plan.record.state.base
        had = ids_of(base.erp.get(SHOPS_FIELD)) if base else ()
        fewer = set(rows) < set(had) and (rows != () or not new_policy)
        return super().lacks_row(plan, new_policy=new_policy) or fewer

    def excluded(self, record: Record) -> Status | None:
        """Return that the shops of a client whom nothing gives any, or that is gone, are left alone."""
        if not record.has_client:
            return codes.status("deleted")
        return None if (record.erp or {}).get(SHOPS_FIELD) else codes.status("no_shop")

    def checked(self, _record: Record, shown: Shown, steps: Sequence[Step]) -> tuple[tuple[Step, ...], Status | None]:
        """Refuse shops that the panel does not have; it is asked for them only where it is asked anyway."""
        return tuple(self._known(step) if step.target and shown.asked else step for step in steps), None

    def _known(self, step: Step) -> Step:
        try:
            with self.lock:
                self._panels.check(ids_of(step.value))
        except Reject as reject:
            return step.held(reject.code, reject.facts)
        return step
