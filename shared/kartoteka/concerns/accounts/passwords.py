"""Random passwords of new accounts. They are kept nowhere: whom nobody invited asks the shop for a new one."""

from __future__ import annotations

import secrets
from string import ascii_lowercase, ascii_uppercase, digits

from kartoteka.policy import Password

_SHUFFLE = secrets.SystemRandom()


def new_password(form: Password) -> str:
    """Return a password with a small and a capital letter, a digit and, where the form names some, a special one."""
    kinds = [kind for kind in (ascii_lowercase, ascii_uppercase, digits, form.special) if kind]
    letters = [secrets.choice(kind) for kind in kinds]
    letters += [secrets.choice("".join(kinds)) for _ in range(form.length - len(kinds))]
    _SHUFFLE.shuffle(letters)
    return "".join(letters)
