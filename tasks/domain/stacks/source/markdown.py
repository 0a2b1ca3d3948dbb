"""Texts from elsewhere in Markdown: shown, and never read as markup.

Whatever is not a plain word stands in a code span, in which nothing is markup, a link or HTML. The
fence of a span is longer than every run of backticks in it, and no plain word holds a backtick, so
no text can end its own span or begin another.
"""

from __future__ import annotations

import re

from tasks.domain.stacks.source.letters import LATIN, WIDE, visible

CODE_LETTERS = 160
PROSE_LETTERS = 1000

_LETTER = f"[A-Za-z0-9{LATIN}{WIDE}]"
_WORD = re.compile(rf"\(?{_LETTER}+(?:[.,:;/%+'-]{_LETTER}+)*%?\)?[.,:;?!]?")
_SIGNS = frozenset("-=+/%")
_RUN = re.compile("`+")


def code(text: str, *, letters: int = CODE_LETTERS) -> str:
    """Return a text as a code span on one line; "(empty)" for none."""
    content = visible(shortened(text, letters))
    if not content.strip():
        return f"({len(content)} spaces)" if content else "(empty)"
    fence = "`" * (1 + max((len(run) for run in _RUN.findall(content)), default=0))
    pad = " " if content[0] in "` " or content[-1] in "` " else ""
    return f"{fence}{pad}{content}{pad}{fence}"


def prose(text: str, *, letters: int = PROSE_LETTERS) -> str:
    """Return a sentence on one line: plain words as they are, anything else as code.

    It is for the middle of a line: at its beginning "1." and "-" would open a list.
    """
    found: list[str] = []
    odd: list[str] = []
    for word in visible(shortened(text, letters)).split(" "):
        if word and not _is_plain(word):
            odd.append(word)
            continue
        found += [code(" ".join(odd), letters=10 * letters)] if odd else []
        odd = []
        found += [word] if word else []
    found += [code(" ".join(odd), letters=10 * letters)] if odd else []
    return " ".join(found)


def shortened(text: str, letters: int) -> str:
    """Return a text, cut where it is longer, with its full length."""
    if len(text) <= letters:
        return text
    return f"{text[:letters]}... ({len(text):,} letters)"


def _is_plain(word: str) -> bool:
    if word in _SIGNS:
        return True
    # GitHub makes links of what begins with www., also without any markup.
    return _WORD.fullmatch(word) is not None and "www." not in word.lower()
