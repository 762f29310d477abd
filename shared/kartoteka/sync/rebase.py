"""A panel that was restored from an older backup: noticed, told, and settled by the bases.

After a restore the panel shows what it once showed. Compared with the base that looks like an edit, which would carry
the older values over the ERP's newer ones. Accounts' modification dates go back with it, so the feed asks each time for
the last ones that it knows, and whether they are all still there. Where they are not, the accounts that were modified
last are read; of those that went back the base becomes what the panel shows now: then only the ERP has changed since,
and what was agreed is sent again. Values that the panel never shows are sent again without a look.

An account that somebody has edited since the restore has a new date, and one whose last edit is older than the backup
has the date that was known: that edit may not have been carried yet. Of such ones only the fields count as gone back
whose value the field has had before (``sync_history``): the edit itself travels.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kartoteka.fields.values import as_text
from kartoteka.model import Change, Owner, Record, Value, Values
from kartoteka.ports.exchange import Former, SeenAccount
from kartoteka.ports.panel import Account
from kartoteka.sync.concern import Concern, News, not_own
from kartoteka.sync.restored import forgotten, gone_back, is_behind
from kartoteka.sync.run import Run
from kartoteka.sync.window import Restored

logger = logging.getLogger(__name__)

CODE = "panel_restored"
"""The code of what has stopped the concerns then."""
CHANCE = 3
"""So many clients at once that show what a field once held are no chance."""


def stop(run: Run, restored: Restored) -> Restored:
    """Stop every concern until a person confirms, once, where too much has gone back."""
    if restored.told or not restored.is_grave:
        return restored
    logger.error(
        "the panel was restored from an older backup: %d of %d accounts that were read went back behind what was "
        "agreed; what was agreed is sent again after `kartoteka resume CONCERN --confirm`",
        restored.behind,
        restored.read,
    )
    for concern in run.concerns.values():
        if not concern.only_plans:
            concern.brake.stop("the panel was restored from an older backup", CODE)
    return replace(restored, told=True)


def rebase(
    run: Run,
    accounts: Mapping[Owner, Account],
    known: Mapping[str, SeenAccount],
    restored: Restored,
    *,
    whole: bool,
) -> Mapping[str, Sequence[Owner]]:
    """Make what the panel shows of these clients now the base of what has gone back there; return them by concern.

    ``known``: what the account index knows of the accounts, by the panel's id, from before they went back. ``whole``:
    all accounts are being read in turn. What the panel does not show with an account becomes unknown then: what was
    sent of it is sent again, and its items are compared as if for the first time.
    """
    moved = {}
    for concern in run.concerns.values():
        owners = list(concern.concerned(accounts)) if concern.is_on and not concern.only_plans else []
        records = [record for record in concern.load(owners) if _is_its_own(record, accounts)]
        based = [record for record in records if record.state.base is not None]
        edited = [r.key.owner for r in based if not _only_went_back(accounts[r.key.owner], known, restored)]
        former = run.exchange.records.former(concern.name, edited) if edited else {}
        changes = []
        for record in based:
            owner = record.key.owner
            if not record.key.item_id:
                held = former.get(owner, {}) if owner in edited else None
                changes.append(_rebased(concern, record, accounts[owner], held, whole=whole))
        if whole:
            items = [r for r in based if r.key.item_id and r.erp is not None and r.state.intent is None]
            changes += concern.items_restored(items, accounts)
        changes = [change for change in changes if change]
        run.save(changes)
        moved[concern.name] = [change.record.key.owner for change in changes]
    return moved


def looking_back(run: Run, news: News) -> tuple[int, int]:
    """Return how many clients on a page show what a field once held, and how many of them were edited in the panel.

    After a restore accounts may have been edited before anybody has noticed it, so that no date goes back. One client
    whose street is what it was may be an edit like any other; several at once, and half of all edited, are no chance.
    Concerns with items are left out: a client's own record has no base there.
    """
    accounts = {owner: a for owner, a in news.linked.items() if a.panel_client_id in news.fresh}
    edited, back = set[Owner](), set[Owner]()
    for concern in run.concerns.values() if accounts else ():
        both = {name for name, rule in concern.rules.items() if rule.to_erp and rule.to_panel}
        if not both or concern.rows.items:
            continue
        on_page = [r for r in concern.records_on(news) if r.key.owner in accounts]
        differing = {}
        for record in (r for r in on_page if r.state.base and _is_its_own(r, accounts)):
            base, shown = record.state.base, _shown(concern, record, accounts[record.key.owner])
            assert base is not None
            if gone_back(concern.rows.fields, base, shown, None) != base:
                differing[record.key.owner] = (base, shown)
        former = run.exchange.records.former(concern.name, list(differing)) if differing else {}
        for owner, (base, shown) in differing.items():
            held = {name: texts for name, texts in former.get(owner, {}).items() if name in both}
            edited.add(owner)
            if gone_back(concern.rows.fields, base, shown, held) != base:
                back.add(owner)
    return len(back), len(edited)


def _is_its_own(record: Record, accounts: Mapping[Owner, Account]) -> bool:
    return record.link is not None and not_own(record, accounts[record.key.owner]) is None


def _shown(concern: Concern, record: Record, account: Account) -> Values:
    seen = concern.shown_by(record, account)
    return concern.believed(record, seen, seen.values or {})


def _rebased(concern: Concern, record: Record, account: Account, former: Former | None, *, whole: bool) -> Change:
    base, shown = record.state.base, _shown(concern, record, account)
    assert base is not None
    moved = {name: value for name, value in shown.items() if not _stands(record, name, value)}
    base = gone_back(concern.rows.fields, base, moved, former)
    after = forgotten(concern.rules, base, shown) if whole else base
    return Change(record, replace(record.state, base=after))


def _stands(record: Record, name: str, value: Value) -> bool:
    """Whether the panel still shows what stands in an open conflict: that did not go back."""
    return any(each.field == name and each.panel_value == as_text(value) for each in record.conflicts)


def _only_went_back(account: Account, known: Mapping[str, SeenAccount], restored: Restored) -> bool:
    """Whether an account went back, and nobody has edited it since."""
    before = known.get(account.panel_client_id)
    untouched = account.modified_at is not None and account.modified_at <= restored.until
    return untouched and (before is None or before.modified_at is None or is_behind(account, before))
