"""Every setting of the stand-in in one place, with the reading of the contract that each one stands for.

The defaults are the contract's suggested assumptions; where it says that a real panel may differ, a setting gives the
other reading, so that the product can be tested against both.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from local.panel import forms

DEFAULT_SHOPS = {1: "Sklep B2B", 2: "Sklep niemiecki", 3: "Sklep detaliczny"}
DEFAULT_GROUPS = {1: "Standard", 2: "Hurt A", 3: "Hurt B"}
WORDS = {
    "date_only_end": ("midnight", "day_end"),
    "address_country": ("lower", "upper", "name"),
    # what clientTradeCredit tells: the used part as the ERP's balance and the orders since, or as these orders alone;
    # "nothing": an empty object
    "shows_trade_credit": ("limit_and_used", "limit_and_orders", "limit", "nothing"),
    "leave_group": ("zero", "refuse"),
    "code_case": ("as_given", "capitals", "any_case"),
    # "ignore": left out of the record, the rest of which is written; "refuse_call": 422 for the whole call, whose text
    # names the first such field; "refuse_record": faults of the record, one that names each such field
    "unknown_field": ("ignore", "refuse_call", "refuse_record"),
    # what an account shows as its modification date until somebody edits it: the moment of its opening, or no date, in
    # one of the ways in which one may be missing; a search by date does not find it then
    "date_before_edit": ("opening", "zeros", "empty", "null", "absent"),
    # in what order a search gives accounts: by number, by modification date, or by street, which edits change
    "listed_by": ("number", "oldest", "newest", "street"),
    # what a search tells in place of its answer: `{}`, its list as null or as `{}`, true counts beside an empty list,
    # or an answer that looks as if there were nothing
    "hollow_answers": ("no", "object", "null", "map", "counted", "quiet"),
}


@dataclass
class Settings:
    """How this panel behaves; every field may be changed while it runs."""

    # --- answers that the contract leaves open
    empty_search_status: int = 207  # 200: an empty list without `errors`
    empty_search_paging: bool = True  # False: the 207 of an empty search holds `errors` alone
    partial_status: int = 207  # 200: failed records without top-level `errors` (a refused write of a group keeps them)
    max_batch: int | None = 100  # more records in one write: 422 for the whole call
    max_group_items: int | None = None  # more prices in one write of a group: 422; the contract states no number
    failed_without_reference: bool = False  # a failed record of PUT clients carries no clientsResult
    shuffle_results: bool = False  # results of a clients write in another order (addresses pair by place alone)
    numbers_as_text: bool = False  # every number in an answer as text
    php_empties: bool = False  # an empty object as []
    time_zone: str = "Europe/Warsaw"  # whose wall time its dates are
    window_ends: bool = True  # False: a window leaves out both its ends
    date_only_end: str = "midnight"  # "day_end": a window's End without a time covers that whole day
    address_country: str = "lower"  # how a delivery address shows its country: "lower", "upper", "name"
    shows_trade_credit: str = "limit_and_used"  # what clientTradeCredit tells: see WORDS
    # --- what the panel demands and does
    login_required: bool = False  # True: POST without a login is fault 1; False: a login is generated
    phone_required: bool = False
    address_names_required: bool = True
    address_edit_moves_date: bool = False  # does an address write move the account's modification date
    unchanged_write_moves_date: bool = True  # does a write that changes nothing move it (the echo)
    normalise: bool = False  # the panel trims text, reformats phones, upper-cases postcodes
    code_case: str = "as_given"  # external codes: "capitals": kept in these, found to the letter; "any_case": found so
    # what it does to a text that the API hands it, with thanks: see manners.py
    cuts_at: int | None = None  # keeps so many letters of a text
    drops_after_four_bytes: bool = False  # keeps a text up to its first letter outside the BMP
    escapes_html: bool = False  # shows & as &amp;
    loses_zeros: bool = False  # keeps a text of digits as a number
    ignores_fields: list[str] = field(default_factory=list)  # leaves these as they are: names as in model.py
    keeps_when_emptied: bool = False  # an empty text leaves what was there
    whole_writes: bool = False  # PUT empties the texts that it does not name
    adds_shops: bool = False  # shops that are written are added to those that were there
    thanks_strangers: bool = False  # PUT thanks for records of accounts that do not exist
    zero_leaves: bool = False  # a limit or a balance of 0 leaves what was there
    no_group: int = 0  # the number by which no group is written and shown
    leave_group: str = "zero"  # group 0 takes the account out of any; "refuse": 0 is a fault of the record
    debt_sign: int = 1  # a balance that the ERP writes is debt when positive; -1: when negative
    orders_move_date: bool = False  # does an order move the account's modification date
    date_lag_seconds: float = 0.0  # a moved modification date shows only after so long
    date_before_edit: str = "opening"  # what the modification date of a new account shows: see WORDS
    removed_listed: bool = True  # accounts erased by clients/remove still stand in lists
    shops: dict[int, str] = field(default_factory=lambda: dict(DEFAULT_SHOPS))
    groups: dict[int, str] = field(default_factory=lambda: dict(DEFAULT_GROUPS))  # there at the start, after a reset
    specification: bool = True  # is the API's own description served
    # --- an older panel
    lacks_fields: list[str] = field(default_factory=list)  # what it does not know of an account: names as in model.py
    unknown_field: str = "ignore"  # what a field that no form knows does to a batch: see WORDS
    nip_ue_in_elements: bool = True  # returnElements takes clientNipUeDeclaration, which its documented list lacks
    # --- reads that lie
    hollow_answers: str = "no"  # how the searches at `hollow_gates` tell nothing: see WORDS
    hollow_gates: list[str] = field(default_factory=lambda: ["GET clients/*"])  # `*` matches any text
    ignored_filters: list[str] = field(default_factory=list)  # filters of searches that find everything
    flat_elements: bool = False  # returnElements takes the flat names at their word: nested objects are left out
    names_clients_without_addresses: bool = True  # False: the answer about delivery addresses leaves them out
    # --- pages that move while they are read
    listed_by: str = "number"  # the order of accounts in a search: see WORDS
    edits_between_pages: int = 0  # so many accounts of each page of a longer search by date are edited before the next
    # --- what the key may
    visible_shops: list[int] | None = None  # CRM search shows only accounts of these shops
    scopes: dict[str, str] = field(default_factory=lambda: {"CRM": "rw", "SYSTEM": "rw"})  # "", "r" or "rw"
    # --- rate limit
    latency_seconds: float = 0.0  # added to every call
    requests_per_second: float | None = None  # more: 429
    burst: int = 1  # calls that may come at once before the rate counts
    retry_after: str | None = "1"  # header of the rate limit's own 429; None: no header

    def change(self, **changes: Any) -> None:
        """Change settings by name. Raises ValueError for an unknown name, word or field."""
        if unknown := changes.keys() - {each.name for each in fields(self)}:
            raise ValueError(f"unknown setting: {', '.join(sorted(unknown))}")
        for name, value in changes.items():
            if name in WORDS and value not in WORDS[name]:
                raise ValueError(f"{name} is one of {', '.join(WORDS[name])}")
            if name == "lacks_fields" and (unknown := set(value) - forms.ACCOUNT_ATTRIBUTES):
                raise ValueError(f"lacks_fields: an account has no field {', '.join(sorted(unknown))}")
            if name == "edits_between_pages" and (type(value) is not int or value < 0):
                raise ValueError("edits_between_pages is a whole number from 0 up")
        for name, value in changes.items():
            setattr(self, name, _keyed_by_number(value) if name in ("shops", "groups") else value)

    def as_dict(self) -> dict[str, Any]:
        """Plain copy for the control API."""
        return asdict(self)


def _keyed_by_number(value: dict[Any, str]) -> dict[int, str]:
    """JSON knows text keys only; ids are numbers inside."""
    return {int(key): str(name) for key, name in value.items()}
