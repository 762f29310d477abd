"""Random passwords of new accounts. They are kept nowhere: whom nobody invited asks the shop for a new one."""

from __future__ import annotations

import secrets
from string import ascii_lowercase, ascii_uppercase, digits

from kartoteka.policy import Password

_BITS = 640
"""Random bits of one password, drawn at once: far more than its letters and their places take."""


def new_password(form: Password) -> str:
    """Return a password with a small and a capital letter, a digit and, where the form names some, a special one."""
    rest = secrets.randbits(_BITS)

    def below(limit: int) -> int:
        nonlocal rest
        rest, drawn = divmod(rest, limit)
        return drawn

    kinds = [kind for kind in (ascii_lowercase, ascii_uppercase, digits, form.special) if kind]
    every = "".join(kinds)
    letters = [kind[below(len(kind))] for kind in kinds]
    letters += [every[below(len(every))] for _ in range(form.length - len(kinds))]
    return "".join(letters.pop(below(len(letters))) for _ in range(form.length))
