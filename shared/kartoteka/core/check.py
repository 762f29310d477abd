"""Our own check of a record before it costs a call: what is missing, what the other side could not take."""

from __future__ import annotations

from collections.abc import Mapping

from kartoteka.core.concerns import BILLING, Field
from kartoteka.core.errors import Reject
from kartoteka.core.model import Record, Value
from kartoteka.core.policy import Policy, Rule, ShopRule


def client_type(row: Record) -> str:
    """Return the card's type; where it names none: ``firm`` where there is a company, else ``person``."""
    given = str(row.get("client_type") or "").strip().lower()
    return given or ("firm" if _filled(row, "company") else "person")


def missing_on_create(row: Record, policy: Policy) -> list[str]:
    """Return the names of the columns without which the panel opens no account for this card."""
    names = [name for name in policy.panel.required_on_create if not _filled(row, name)]
    needed = ("company",) if client_type(row) == "firm" else ("first_name", "last_name")
    names += [name for name in needed if not _filled(row, name)]
    if policy.accounts.login.mode == "erp" and not _filled(row, "login"):
        names.append("login")
    return names


def shops(row: Record, policy: Policy) -> tuple[int, ...]:
    """Return a customer's shops: those of his rows, else of the first rule that fits, else the default ones."""
    own = tuple(int(number) for number in str(row.get("shops") or "").split(",") if number)
    fitting = (rule.shops for rule in policy.shops.rules if _fits(rule, row))
    return own or tuple(sorted(set(next(fitting, policy.accounts.default_shops))))


def check_for_panel(fields: Mapping[str, Field], values: Record) -> None:
    """Raise Reject naming the first field that the panel could not take."""
    for name, value in values.items():
        field = fields[name]
        try:
            field.codec.to_panel(value)
        except Reject as exc:
            raise Reject(exc.code, f"{name} ({_quoted(value)}): {exc.message}", field=name) from None
        _check_length(name, value, field.max_length)


def check_for_erp(fields: Mapping[str, Field], values: Record) -> None:
    """Raise Reject naming the first field that the exchange database's column could not take."""
    for name, value in values.items():
        if isinstance(value, str) and any(c == "\x00" or 0xD800 <= ord(c) <= 0xDFFF for c in value):
            raise Reject(
                "unprintable",
                f"{name}: wartość w panelu zawiera niedozwolony znak. / the panel's value holds a forbidden character.",
                field=name,
            )
        _check_length(name, value, fields[name].max_length)


def values_for_create(row: Record, policy: Policy, rules: Mapping[str, Rule]) -> dict[str, Value]:
    """Return the billing values an account is opened with.

    They are the filled ones that travel to the panel by ``rules`` or that it requires, and the type that holds.
    """
    travelling = {name for name, rule in rules.items() if rule.to_panel}
    needed = {*policy.panel.required_on_create, "company", "first_name", "last_name", "country_code"}
    filled = {name: row.get(name) for name in BILLING.fields if name in travelling | needed and _filled(row, name)}
    return filled | {"client_type": client_type(row)}


def _filled(row: Record, name: str) -> bool:
    value = row.get(name)
    return value is not None and str(value).strip() != ""


def _fits(rule: ShopRule, row: Record) -> bool:
    wanted: Mapping[str, str | None] = {"country_code": rule.country_code, "language": rule.language}
    return all(
        str(row.get(name) or "").strip().casefold() == value.casefold() for name, value in wanted.items() if value
    )


def _check_length(name: str, value: Value, limit: int) -> None:
    if value is not None and len(str(value)) > limit:
        raise Reject(
            "too_long",
            f"{name}: {len(str(value))} znaków, dozwolone {limit}; skróć. / {len(str(value))} characters, "
            f"{limit} are allowed; shorten it.",
            field=name,
        )


def _quoted(value: Value, limit: int = 60) -> str:
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return f"'{text[:limit]}…'" if len(text) > limit else f"'{text}'"
