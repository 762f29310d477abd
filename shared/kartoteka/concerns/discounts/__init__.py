"""Discounts: discount groups with their prices, and which group each client is in."""

from kartoteka.concerns.discounts.membership import Discounts

__all__ = ["Discounts"]
