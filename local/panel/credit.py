"""Trade credit: what is owed on an account, and whether an order on credit still fits.

The limit and the ERP's balance are what the API wrote. An order that was accepted counts as owed until the ERP writes
a balance, which is taken to include the orders before it. The contract leaves open which sign means debt
(`debt_sign`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from local.panel.model import Account, Order
from local.panel.money import ZERO, written
from local.panel.settings import Settings


def ordered(account: Account) -> Decimal:
    """The sum of the accepted orders that no balance of the ERP includes yet."""
    return sum((each.amount for each in account.orders if each.open), ZERO)


def owed(account: Account, settings: Settings) -> Decimal:
    """What is owed now: the ERP's balance and the orders since."""
    return settings.debt_sign * account.balance + ordered(account)


def vouch(account: Account) -> None:
    """The ERP has written a balance: it includes the orders up to now."""
    for each in account.orders:
        each.open = False


def refusal(account: Account, amount: Decimal, settings: Settings) -> str:
    """Why an order on credit is refused, in Polish and English; empty when it is not."""
    if not account.active or account.removed:
        return "Konto klienta jest zamknięte / the account is closed"
    if account.credit_limit <= 0:
        return "Klient nie ma kredytu kupieckiego (limit 0.00) / no trade credit was granted"
    debt = owed(account, settings)
    if debt + amount <= account.credit_limit:
        return ""
    figures = f"{written(debt)} + {written(amount)} > {written(account.credit_limit)} {account.currency}"
    return f"Przekroczony limit kredytu kupieckiego: {figures} / the trade credit limit would be exceeded"


def told(account: Account, order: Order) -> dict[str, Any]:
    """What the control address answers to an order: every amount as text with two decimals."""
    return {
        "id": order.id,
        "accepted": order.accepted,
        "amount": written(order.amount),
        "limit": written(account.credit_limit),
        "balance": written(account.balance),
        "ordered": written(ordered(account)),
        "reason": order.reason,
    }
