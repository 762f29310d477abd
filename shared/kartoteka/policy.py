"""The policy: what the merchant decided. Checked here, published as ``docs/policy.schema.json``.

Every key has a default, so ``{}`` is valid. What each choice does in each case is told in ``docs/policy.md``.
"""

from __future__ import annotations

import difflib
import json
import re
import string
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)
from pydantic import Field as Key
from pydantic.json_schema import GenerateJsonSchema

from kartoteka.errors import Halt
from kartoteka.fields import table
from kartoteka.fields.table import Column, Field, Fields
from kartoteka.model import Direction, Empty, Resolution

DAY_SECONDS = 86_400
ShopId = Annotated[int, Key(ge=1)]
ONE_WAY = (Direction.ERP_TO_PANEL, Direction.OFF)
"""The directions of a concern, or a field, whose values the ERP alone decides."""
_ONLY_ONE_WAY = "use " + " or ".join(f"'{direction}'" for direction in ONE_WAY)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldRule(_Section):
    """What differs for one field from its concern. None: as the concern (or the table of fields) says."""

    direction: Direction | None = None
    conflict: Resolution | None = None
    empty: Empty | None = None
    protect: bool | None = None


class Login(_Section):
    """How the log-in name of a new account is made."""

    mode: Literal["automatic", "erp", "pattern"] = "automatic"
    pattern: str = Key(default="b2b-{id}", max_length=200)

    @field_validator("pattern")
    @classmethod
    def _placeholders(cls, pattern: str) -> str:
        try:
            named = [name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None]
        except ValueError:
            raise ValueError(f"{pattern!r} has a brace without its partner") from None
        if unknown := [name for name in named if name not in table.LOGIN_PLACEHOLDERS]:
            known = " ".join(f"{{{name}}}" for name in table.LOGIN_PLACEHOLDERS)
            raise ValueError(f"{{{unknown[0]}}} is no placeholder; use {known}")
        if not named:
            raise ValueError(f"{pattern!r} has no placeholder: all clients would ask for one log-in name; write {{id}}")
        return pattern


class Password(_Section):
    """The form of a new account's random password, as the panel's rules want it; the panel takes 6 to 30 letters."""

    length: int = Key(default=24, ge=8, le=30)
    special: str = Key(default="-_.!", pattern=r"^[!-/:-@\[-`{-~]*$", max_length=32)


class ConcernPolicy(_Section):
    """What every concern has."""

    mode: Literal["apply", "plan"] | None = None
    direction: Direction = Direction.ERP_TO_PANEL


MATCHES = ("external_code", *table.RECOGNISED_BY)
"""By what an account may be found to be a client's own."""


class Accounts(ConcernPolicy):
    """Opening, linking and closing accounts."""

    incoming: bool = True
    login: Login = Login()
    password: Password = Password()
    match: tuple[Annotated[str, Key(json_schema_extra={"enum": list(MATCHES)})], ...] = (
        "external_code",
        table.TAX_NUMBER_FIELD,
        table.EMAIL_FIELD,
    )

    @field_validator("match")
    @classmethod
    def _known_matches(cls, match: tuple[str, ...]) -> tuple[str, ...]:
        for name in match:
            if name not in MATCHES:
                raise ValueError(f"{name!r} is nothing to match by{_did_you_mean(name, MATCHES)}")
        return match

    default_shops: tuple[ShopId, ...] = (1,)
    notify_customer: bool = False
    deletes: Literal["ignore", "propagate"] = "ignore"


class FieldRules(ConcernPolicy):
    """What the concerns have whose fields travel both ways."""

    direction: Direction = Direction.BOTH
    conflict: Resolution = Resolution.ERP
    fields: dict[str, FieldRule] = {}


def _known(fields: dict[str, FieldRule], known: Fields, what: str) -> dict[str, FieldRule]:
    for name, rule in fields.items():
        if name not in known:
            raise ValueError(f"{name!r} is no field of {what}{_did_you_mean(name, known)}")
        if rule.direction not in (None, *ONE_WAY) and not (known[name].read and known[name].comparable):
            raise ValueError(
                f"{name!r} is not shown by the panel as it was written and cannot travel back; {_ONLY_ONE_WAY}"
            )
        if rule.protect is not None and not known[name].protected:
            protected = ", ".join(field.name for field in known.values() if field.protected)
            raise ValueError(f"{name!r} cannot be protected{f'; only {protected} can' if protected else ''}")
        if rule.empty is Empty.ERASE and _never_empty(known[name]):
            raise ValueError(f"{name!r} is never empty in the panel, so it cannot be erased; leave 'empty' out")
    return fields


def _never_empty(field: Field) -> bool:
    """Whether the panel always shows some value: to erase it would never settle."""
    return field.kind.is_code or field.kind.column is Column.FLAG


class Billing(FieldRules):
    """Billing data, field by field."""

    check_tax_numbers: bool = True

    @field_validator("fields")
    @classmethod
    def _of_billing(cls, fields: dict[str, FieldRule]) -> dict[str, FieldRule]:
        return _known(fields, table.BILLING, "billing")


class DeliveryAddresses(FieldRules):
    """Delivery addresses. ``calls_per_day``: of the pass that looks for edits in the panel, beside those of a tick."""

    calls_per_day: int = Key(default=40, ge=1, le=DAY_SECONDS)

    deletes: Literal["ignore", "propagate"] = "ignore"

    @field_validator("fields")
    @classmethod
    def _of_addresses(cls, fields: dict[str, FieldRule]) -> dict[str, FieldRule]:
        return _known(fields, table.DELIVERY_ADDRESSES, "delivery addresses")


class OneWay(ConcernPolicy):
    """What the concerns have whose values the ERP alone decides."""

    @field_validator("direction")
    @classmethod
    def _one_way(cls, direction: Direction) -> Direction:
        if direction not in ONE_WAY:
            raise ValueError(f"{direction.value!r} is not possible here; {_ONLY_ONE_WAY}")
        return direction


class Discounts(OneWay):
    """Discount groups and who is in them."""

    unassigned: Literal["keep", "remove"] = "keep"
    deletes: Literal["ignore", "propagate"] = "ignore"


class _ShopRule(_Section):
    """Clients whose columns equal the given values belong to these shops."""

    shops: tuple[ShopId, ...]

    def fits(self, row: Mapping[str, Any]) -> bool:
        """Whether a client's row has every given value, whatever their case."""
        given = self.model_dump(exclude={table.SHOPS_FIELD}, exclude_none=True)
        return all(str(row.get(name) or "").strip().casefold() == value.casefold() for name, value in given.items())


if TYPE_CHECKING:
    ShopRule = _ShopRule
else:
    ShopRule = create_model(
        "ShopRule",
        __base__=_ShopRule,
        __doc__=_ShopRule.__doc__,
        **dict.fromkeys(table.TELLS_SHOP, (str | None, None)),
    )


class Shops(OneWay):
    """Which shops a client may use."""

    rules: tuple[ShopRule, ...] = ()


class Overdue(_Section):
    """What a client may owe past its date. ``allowed`` None: nobody asks; ``then`` keep: more is told, and no more."""

    allowed: Decimal | None = Key(default=None, ge=0, decimal_places=2)
    then: Literal["zero", "keep"] = "zero"


class Credit(OneWay):
    """Trade credit, limits and balances."""

    stale_after_minutes: int = Key(default=240, ge=1)
    when_stale: Literal["freeze", "zero", "keep"] = "freeze"
    balance_sign: Literal[1, -1] = 1
    overdue: Overdue = Overdue()


class Brake(_Section):
    """When a mass change stops a concern."""

    max_share: float = Key(default=0.2, ge=0, le=1)
    min_records: int = Key(default=50, ge=0)
    any_share: float = Key(default=0.8, ge=0, le=1)


class RetryPolicy(_Section):
    """How often a refused record is tried."""

    max_attempts: int = Key(default=8, ge=1)


class Poll(_Section):
    """How many seconds the panel's feed waits: at least, at most while nothing changes, and at most with the hook."""

    min_seconds: int = Key(default=60, ge=1, le=DAY_SECONDS)
    max_seconds: int = Key(default=600, ge=1, le=DAY_SECONDS)
    max_seconds_with_hook: int = Key(default=3600, ge=1, le=DAY_SECONDS)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("max_seconds", "max_seconds_with_hook"):
            if getattr(self, name) < self.min_seconds:
                raise ValueError(f"{name} is less than min_seconds ({self.min_seconds}); make it as long at least")
        return self

    @property
    def shortest(self) -> timedelta:
        """How long is waited at least."""
        return timedelta(seconds=self.min_seconds)

    def longest(self, *, hook: bool) -> timedelta:
        """Return how long is waited at most; ``hook``: the panel wakes the feed when something changes."""
        return timedelta(seconds=self.max_seconds_with_hook if hook else self.max_seconds)


class PanelPolicy(_Section):
    """What the panel bears and wants."""

    requests_per_second: float = Key(default=5, gt=0, le=1000)
    batch_size: int = Key(default=100, ge=1, le=100)
    monthly_budget: int | None = Key(default=None, ge=1)
    poll: Poll = Poll()
    full_read_days: int = Key(default=30, ge=1, le=3650)
    api_version: int = Key(default=8, ge=5, le=99)
    overlap_seconds: int = Key(default=180, ge=30, le=3600)
    login_letters: str = Key(default="a-z0-9@._-", max_length=100)
    time_zone: str = "Europe/Warsaw"
    no_group: int = Key(default=0, ge=0)
    timeout_seconds: float = Key(default=25, ge=1, le=60)
    required_on_create: tuple[str, ...] = table.REQUIRED_ON_CREATE

    @field_validator("login_letters")
    @classmethod
    def _small_letters(cls, spec: str) -> str:
        letters = letters_of(spec)
        if not any(letter.isalnum() for letter in letters) or any(c.isspace() or c != c.lower() for c in letters):
            raise ValueError(f"{spec!r} must name small letters or digits, as in 'a-z0-9@._-', and no blank or capital")
        return spec

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ValueError(f"{name!r} is no time zone; write one such as 'Europe/Warsaw'") from None
        return name

    @field_validator("required_on_create")
    @classmethod
    def _requirable(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in table.REQUIRABLE:
                raise ValueError(f"{name!r} cannot be required{_did_you_mean(name, table.REQUIRABLE)}")
        return names


def letters_of(spec: str) -> frozenset[str]:
    """Return the letters that ``panel.login_letters`` names: single ones, and ranges such as ``a-z``."""
    single = re.sub(r"(.)-(.)", lambda span: "".join(map(chr, range(ord(span[1]), ord(span[2]) + 1))), spec)
    return frozenset(single)


class Retention(_Section):
    """``history_days``: how long the values that were written, and those of closed conflicts, are kept."""

    history_days: int = Key(default=730, ge=1, le=36_500)


class Policy(_Section):
    """The whole policy."""

    version: Literal[1] = 1
    mode: Literal["apply", "plan"] = "apply"
    accounts: Accounts = Accounts()
    billing: Billing = Billing()
    delivery_addresses: DeliveryAddresses = DeliveryAddresses()
    discounts: Discounts = Discounts()
    shops: Shops = Shops()
    credit: Credit = Credit()
    brake: Brake = Brake()
    retry: RetryPolicy = RetryPolicy()
    panel: PanelPolicy = PanelPolicy()
    retention: Retention = Retention()

    def only_plans(self, concern: str) -> bool:
        """Whether nothing of a concern is written but what would be: its own ``mode``, else that of the whole."""
        section: ConcernPolicy = getattr(self, concern)
        return (section.mode or self.mode) == "plan"

    @property
    def plans_anything(self) -> bool:
        """Whether anything is only planned: the whole, or a concern."""
        return any(self.only_plans(concern) for concern in table.CONCERNS)


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one field: the policy, the concern's choice and the table of fields put together.

    ``always``: an empty value of the ERP's is a value like any other, at first contact too. ``protect``: a value that
    would replace another one waits for a person's word.
    """

    direction: Direction
    conflict: Resolution = Resolution.ERP
    empty: Empty = Empty.KEEP
    always: bool = False
    protect: bool = False

    @property
    def to_panel(self) -> bool:
        """Whether the ERP's value travels to the panel."""
        return self.direction in (Direction.ERP_TO_PANEL, Direction.BOTH)

    @property
    def to_erp(self) -> bool:
        """Whether the panel's value travels to the ERP."""
        return self.direction in (Direction.PANEL_TO_ERP, Direction.BOTH)


def rules(policy: Policy, concern: str, fields: Fields) -> dict[str, Rule]:
    """Return the rule of every field of a concern that is synchronised.

    A field's own rule in the policy wins, then its default in the table, then the concern's direction. A concern that
    is ``off`` is off for all its fields.
    """
    section = getattr(policy, concern)
    of_fields = section if isinstance(section, FieldRules) else _ONE_RULE
    removes = isinstance(section, Discounts) and section.unassigned == "remove"
    whole = section.direction
    found = {}
    for name, field in fields.items():
        if field.watched:
            continue
        given, default = of_fields.fields.get(name, _UNSAID), field.direction
        against = of_fields is _ONE_RULE and default is Direction.ERP_TO_PANEL and whole is Direction.PANEL_TO_ERP
        found[name] = Rule(
            direction=Direction.OFF if whole is Direction.OFF or against else given.direction or default or whole,
            conflict=given.conflict or of_fields.conflict,
            empty=Empty.ERASE if removes else given.empty or Empty.KEEP,
            always=removes,
            protect=field.protected if given.protect is None else given.protect,
        )
    return found


_UNSAID = FieldRule()
_ONE_RULE = FieldRules()
"""Stand for what a policy does not say of a field, and for the rules of a concern that has one for all of them."""


def is_off(policy: Policy, concern: str, fields: Fields) -> bool:
    """Return whether the policy wants nothing of a concern written."""
    return all(rule.direction is Direction.OFF for rule in rules(policy, concern, fields).values())


class Wrong(NamedTuple):
    """A wrong place of a policy: where (keys joined by dots, or a line), and what is wrong there and what to do."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def parse(text: str) -> Policy:
    """Return the policy in a JSON text.

    Raises Halt("bad_policy") that names every wrong place, what is wrong there, and what to do.
    """
    found = check(text.encode())
    if isinstance(found, Policy):
        return found
    raise Halt("bad_policy", "; ".join(map(str, found)) + ". Correct the policy and deploy again.")


def check(content: bytes) -> Policy | list[Wrong]:
    """Return the policy that a file holds, or all that is wrong in it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return [_NOT_UTF_8]
    if "\0" in text:
        return [_NOT_UTF_8]
    if not text.strip():
        return [Wrong("the policy", "is empty; write {} for the defaults")]
    try:
        document = json.loads(text, object_pairs_hook=_Object)
    except json.JSONDecodeError as exc:
        return [Wrong(f"line {exc.lineno}, column {exc.colno}", f"not JSON: {exc.msg}")]
    wrong = list(_given_twice(document))
    if len(compact(document).encode()) > LONGEST:
        wrong.append(Wrong("the policy", f"is longer than the {LONGEST} bytes that an SSM parameter holds"))
    try:
        policy = Policy.model_validate(document)
    except ValidationError as exc:
        return wrong + [_explained(error) for error in exc.errors(include_url=False)]
    return wrong or policy


LONGEST = 4096
"""Bytes of a policy without blanks: what an SSM parameter of the standard tier holds."""
_NOT_UTF_8 = Wrong("the policy", "is not UTF-8; save the file as UTF-8, which editors offer")


def compact(document: Any) -> str:
    """Return a policy as JSON without blanks."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


class _Object(dict[str, Any]):
    """A JSON object that knows which of its keys are given more than once: the last one would count, in silence."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]


def _given_twice(value: Any, *path: str) -> Iterator[Wrong]:
    if isinstance(value, _Object):
        yield from (Wrong(".".join([*path, name]), "is given twice; leave one") for name in value.twice)
        for name, inner in value.items():
            yield from _given_twice(inner, *path, name)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _given_twice(inner, *path, str(n))


def json_schema() -> dict[str, Any]:
    """Return the published JSON Schema of the policy."""
    schema = Policy.model_json_schema(schema_generator=GenerateJsonSchema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


def _explained(error: Any) -> Wrong:
    place = ".".join(str(part) for part in error["loc"]) or "the policy"
    if error["type"] == "extra_forbidden":
        return Wrong(place, f"no such key{_did_you_mean(str(error['loc'][-1]), _keys_beside(error['loc']))}")
    return Wrong(place, error["msg"].removeprefix("Value error, "))


def _keys_beside(loc: tuple[int | str, ...]) -> list[str]:
    model: Any = Policy
    for part in loc[:-1]:
        inner = get_args(model)
        field = getattr(model, "model_fields", {}).get(part)
        model = field.annotation if field else inner[0 if isinstance(part, int) else -1] if inner else None
    return list(getattr(model, "model_fields", {}))


def _did_you_mean(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else f" (known: {', '.join(sorted(known))})"
