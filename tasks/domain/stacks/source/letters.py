"""Which letters of a text are written as they are, and how the others are made visible.

The letters are listed by code point, not asked of Python's tables: the same text gives the same
bytes under every Python. Outside ASCII only Latin, Chinese, Japanese and Korean letters are shown.
Left out on purpose are letters that look like Latin ones, letters that are written from right to
left and would move their neighbours, everything that is combined with another or is invisible.
"""

from __future__ import annotations

import re

LATIN = "\\u00a1-\\u00ac\\u00ae-\\u024f"
"""All but the soft hyphen, which is invisible; one column wide."""
WIDE = "\\u3041-\\u3096\\u309b-\\u30ff\\u4e00-\\u9fa5\\uac00-\\ud7a3"
"""Two columns wide in a terminal, and for whoever counts columns."""
_HIDDEN = re.compile(f"[^ -~{LATIN}{WIDE}]")
_HIDDEN_OR_BACKSLASH = re.compile(f"[^ -\\[\\]-~{LATIN}{WIDE}]")
_WIDE = re.compile(f"[{WIDE}]")
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\"}


def escaped(letter: str) -> str:
    """Return how Python writes a letter in ASCII: for example as a code point in hexadecimal."""
    code = ord(letter)
    if letter in _SHORT:
        return _SHORT[letter]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def shown(text: str, *, quote: str = "") -> str:
    """Return a text on one line with hidden letters and backslashes escaped, and the quote."""
    found = _HIDDEN_OR_BACKSLASH.sub(lambda match: escaped(match[0]), text)
    return found.replace(quote, f"\\{quote}") if quote else found


def visible(text: str) -> str:
    """Return a text for people: hidden letters escaped, backslashes as they are."""
    return _HIDDEN.sub(lambda match: escaped(match[0]), text)


def columns(text: str) -> int:
    """Return the width of a text that was made visible, columns."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))
