"""Random passwords of new accounts. They are kept nowhere: whom nobody invited asks the shop for a new one."""

from __future__ import annotations

import secrets
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase, digits

from kartoteka.policy import Password

_BYTES = 256
"""Different bytes, and random bytes drawn at once: more than a password takes."""


def new_password(form: Password) -> str:
    """Return a password with a small and a capital letter, a digit and, where the form names some, a special one.

    Any password of that form is as likely as any other.
    """
    kinds, letters, surplus = _alphabet(form.special)
    while True:
        drawn = secrets.token_bytes(_BYTES).translate(letters, surplus)[: form.length].decode("ascii")
        if len(drawn) == form.length and not any(kind.isdisjoint(drawn) for kind in kinds):
            return drawn


@lru_cache(maxsize=8)
def _alphabet(special: str) -> tuple[tuple[frozenset[str], ...], bytes, bytes]:
    """Return the kinds of letters, the letter that each byte stands for, and the bytes that stand for none.

    Without these every letter has the same number of bytes.
    """
    kinds = [kind for kind in (ascii_lowercase, ascii_uppercase, digits, special) if kind]
    every = "".join(kinds).encode("ascii")
    fair = _BYTES - _BYTES % len(every)
    letters = bytes(every[n % len(every)] for n in range(_BYTES))
    return tuple(map(frozenset, kinds)), letters, bytes(range(fair, _BYTES))
