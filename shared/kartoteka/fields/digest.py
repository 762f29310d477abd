"""Keyed digests: what must be recognised again and not be read. Without the key nobody can try all codes there are."""

from __future__ import annotations

import hashlib
import hmac

from kartoteka.fields.table import Recognised

LENGTH = 32
"""Letters of a digest: 128 bits."""


class Digest:
    """Digests by one secret key; those of another key are equal to none of them."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def __repr__(self) -> str:
        return "Digest()"

    def client(self, client_id: str) -> str:
        """Return the digest of a client's code, to the letter."""
        return self._of("client", client_id)

    def account(self, panel_client_id: str) -> str:
        """Return the digest of an account's number."""
        return self._of("account", panel_client_id)

    def recognised(self, known: Recognised) -> Recognised:
        """Return the digests of the values by which somebody is recognised; empty where there is none."""
        return Recognised(*(self._of(name, value) if value else "" for name, value in known._asdict().items()))

    def _of(self, kind: str, text: str) -> str:
        return hmac.new(self._key, f"{kind}\0{text}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:LENGTH]
