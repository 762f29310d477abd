"""What a panel does to a text that it took: cuts it, escapes it, drops or replaces letters, loses leading zeros.

Pure. The answer is about two texts only; whether somebody could have edited one into the other is not asked.
"""

from __future__ import annotations

import html
import unicodedata

_FOLDED = str.maketrans({"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ø": "o", "Ø": "O", "ß": "ss", "æ": "ae", "Æ": "AE"})
_MARKUP = frozenset("&<>\"'\\;`")
"""Signs that a program may drop for its own safety."""
_IN_PLACE = ("", "?", "_", " ", "\ufffd", "□")
"""What stands where a letter could not be kept; several times, where each byte of it was replaced."""
_BYTES = 4
"""Bytes of the longest letter."""
_PAGES = ("latin-1", "cp1252", "cp1250", "iso8859-2")
"""Code pages by which the bytes of UTF-8 may have been read."""
_DEPTH = 3
"""How often a text may have been escaped."""


def is_damaged(sent: str, shown: str) -> bool:
    """Return whether ``shown`` is what a side may have made of ``sent``, which is not empty, without anybody's edit."""
    plain, seen = unescaped(sent), unescaped(shown)
    return (
        not seen.strip()
        or plain == seen
        or _zeros_lost(plain, seen)
        or any(_is_thinned(plain, each) for each in {seen, shown, _reread(shown), seen.replace("\\", "")})
    )


def unescaped(text: str) -> str:
    """Return the text without HTML's escapes, however often it was escaped."""
    for _ in range(_DEPTH):
        text = html.unescape(text)
    return text


def is_escaped(text: str, shown: str) -> bool:
    """Return whether ``shown`` is ``text`` and nothing else, escaped once or more."""
    for _ in range(_DEPTH):
        shown, before = html.unescape(shown), shown
        if shown == before:
            return False
        if shown == text:
            return True
    return False


def _zeros_lost(sent: str, shown: str) -> bool:
    """``01067`` and ``1067``; ``00-950`` and ``950``."""
    before, after = ("".join(c for c in text if c.isalnum()) for text in (sent, shown))
    return before[:1] == "0" and after != "" and before.lstrip("0") == after.lstrip("0") and len(after) < len(before)


def _reread(shown: str) -> str:
    """Return what is shown, as it was before its bytes were read by the wrong code page; itself, if they were not."""
    for page in _PAGES:
        try:
            return shown.encode(page).decode("utf-8")
        except UnicodeError:
            continue
    return shown


def _is_thinned(sent: str, shown: str) -> bool:
    """Return whether ``shown`` follows ``sent`` letter by letter, from its beginning and as far as it goes.

    Plain letters and digits must stand; blanks, markup and all letters that are not ASCII may be lost or replaced.
    """
    sent, shown = (unicodedata.normalize("NFC", text).strip().casefold() for text in (sent, shown))
    places = {0}
    for letter in sent:
        if len(shown) in places:
            return True  # cut here
        places = {place + len(each) for each in _instead(letter) for place in places if shown.startswith(each, place)}
        if not places:
            return False
    return len(shown) in places


def _instead(letter: str) -> set[str]:
    """Return what may stand in the place of a letter."""
    if letter.isascii() and not letter.isspace() and letter.isprintable() and letter not in _MARKUP:
        return {letter}
    if letter.isascii() and letter.isprintable():
        return {letter, "", " "}
    folded = unicodedata.normalize("NFKD", letter.translate(_FOLDED))
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    size = min(_BYTES, len(letter.encode("utf-8", "replace")))
    return {
        letter,
        plain,
        plain.encode("ascii", "ignore").decode(),
        *(one * n for one in _IN_PLACE for n in range(1, size + 1)),
    }
