"""Keyed digests: what must be recognised again and not be read. Without the key nobody can try all codes there are."""

from __future__ import annotations

import hmac
from functools import lru_cache

from kartoteka.fields.table import RECOGNISED_BY, Recognised, country_of
from kartoteka.model import Value, Values

LENGTH = 32
"""Letters of a digest: 128 bits."""
KEPT = 16_384
"""Digests that are remembered, of codes and of values: a client is recognised several times in one run."""

_NUMBERED = tuple(enumerate(RECOGNISED_BY))
_KEYS = tuple(RECOGNISED_BY.values())


class Digest:
    """Digests by one secret key; those of another key are equal to none of them."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._of = lru_cache(maxsize=KEPT)(self._digest)
        self._mark = lru_cache(maxsize=KEPT)(self._mark_of)

    def __repr__(self) -> str:
        return "Digest()"

    def client(self, client_id: str) -> str:
        """Return the digest of a client's code, to the letter."""
        return self._of("client", client_id)

    def account(self, panel_client_id: str) -> str:
        """Return the digest of an account's number."""
        return self._of("account", panel_client_id)

    def recognised(self, record: Values) -> Recognised:
        """Return the digests of the values by which somebody is recognised; empty where there is none."""
        country = country_of(record)
        return Recognised._make([self._mark(n, record.get(name), country) for n, name in _NUMBERED])

    def _mark_of(self, number: int, value: Value, country: str) -> str:
        known = _KEYS[number](value, country)
        return self._digest(Recognised._fields[number], known) if known else ""

    def _digest(self, kind: str, text: str) -> str:
        return hmac.digest(self._key, f"{kind}\0{text}".encode("utf-8", "replace"), "sha256").hex()[:LENGTH]
