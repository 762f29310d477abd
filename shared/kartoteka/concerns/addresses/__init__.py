"""Delivery addresses, both ways: a client has several, and the panel knows them by numbers of its own."""

from kartoteka.concerns.addresses.concern import Addresses

__all__ = ["Addresses"]
