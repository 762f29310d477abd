"""Accounts: every client gets one account and none gets two; the account is open while the client is active."""

from kartoteka.concerns.accounts.concern import Accounts

__all__ = ["Accounts"]
