"""Billing data, both ways, field by field: the common way, with nothing of its own."""

from __future__ import annotations

from kartoteka.sync.concern import Concern


class Billing(Concern):
    """Name, company, tax number, address, e-mail, telephone and preferences of a client."""

    name = "billing"
