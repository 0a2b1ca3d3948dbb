"""Names and values from the account as people may safely read them.

They are data: in Markdown they make no link, no image, no HTML, no mention of a person, and no
other row of a table; nothing in them turns the direction of reading or hides. What a page cannot
carry is replaced by what looks like it; the exact values are in the JSON.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping

from tasks.domain.stacks.preview import SECRET, Value

MOST_SHOWN = 80
"""Characters of a value in a table; of the rest, the middle is left out."""
MOST_PROSE = 400
CUT = "…"
JOINER = "\u2060"
"""Word joiner: takes no room, and ends what would be a mention or an address."""
HIDDEN_CATEGORIES = frozenset(("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"))
LOOKS_LIKE = str.maketrans({"`": "\u00b4", "|": "\u00a6"})
IN_PROSE = {letter: f"&#{ord(letter)};" for letter in "\\`*_[]<>|&~$!#{}"}
SECRET_NAMES = re.compile(
    r"passw(or)?d|\bpwd|passphrase|secret|credential|(api|access|private|signing|encryption)[_-]?key"
    r"|(^|[._-]|auth|access|session|bearer|api)token$|user[_-]?data",
    re.IGNORECASE,
)


def code(text: str, *, most: int = MOST_SHOWN) -> str:
    """Return a text as inline code of Markdown, in one line, its middle left out where it is long."""
    shown = shorten(_first(text, most=most), most=most).translate(LOOKS_LIKE)
    # A space at either end is taken off by the renderer where it is at both.
    return f"`{shown}`" if shown.strip() else "(empty)"


def prose(text: str, *, most: int = MOST_PROSE) -> str:
    """Return a sentence for Markdown in which nothing but words has a meaning."""
    shown = unlinked(_words(text, most=most))
    # At the start of a line these make a list, a rule or a heading.
    shown = re.sub(r"^([-+=]|\d+[.)])", lambda found: f"{JOINER}{found[0]}", shown)
    return "".join(IN_PROSE.get(letter, letter) for letter in shown)


def plain(text: str, *, most: int = MOST_PROSE) -> str:
    """Return a text for a message, in one line: no markup, no mention, no address to click on."""
    shown = _words(text, most=most)
    return unlinked(shown.translate(LOOKS_LIKE | {ord("<"): "\u2039", ord(">"): "\u203a"}))


def unlinked(text: str) -> str:
    """Return a text that looks the same and in which no reader finds an address or a person."""
    text = re.sub(
        r"://|@(?=.)|(?<=www)\.|(?<=#)(?=\d)|(?<=\])(?=[(\[])", _parted, text, flags=re.IGNORECASE
    )
    return re.sub(r"\b(mailto|xmpp|javascript|data):", rf"\1{JOINER}:", text, flags=re.IGNORECASE)


def _parted(found: re.Match[str]) -> str:
    return {"://": f":{JOINER}//", "@": f"@{JOINER}", ".": f"{JOINER}.", "": JOINER}[found[0]]


def visible(text: str) -> str:
    """Return a text in one line, with what cannot be seen written out."""
    return "".join(_seen(letter) for letter in text)


def _seen(letter: str) -> str:
    if unicodedata.category(letter) not in HIDDEN_CATEGORIES:
        return letter
    return {"\n": "⏎", "\r": "", "\t": " "}.get(letter, f"\\u{ord(letter):04x}")


def _first(text: str, *, most: int) -> str:
    """Return a text made visible; of a very long one no more than is going to be shown."""
    return visible(shorten(text, most=4 * most))


def _words(text: str, *, most: int) -> str:
    return shorten(" ".join(_first(text, most=most).split()), most=most)


def shorten(text: str, *, most: int) -> str:
    """Return a text of at most so many characters: its beginning and its end."""
    if len(text) <= most:
        return text
    head = most // 2
    tail = most - 1 - head
    return text[:head] + CUT + (text[-tail:] if tail else "")


def value_text(value: Value) -> str:
    """Return a value as text, before it is made safe: JSON, and a text by itself as it is."""
    if isinstance(value, str):
        return value
    if value is None:
        return "not set"
    return json.dumps(_json(value), ensure_ascii=False, sort_keys=True, separators=(",", ": "))


def _json(value: Value) -> object:
    if isinstance(value, Mapping):
        return {str(key): _json(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_json(one) for one in value]
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return str(value)
    return value


def masked(value: Value, *, path: str) -> Value:
    """Return a value without what its name says is secret, although nobody marked it.

    Args:
        value: Of a property.
        path: As Pulumi writes it, for example "environment.variables.DB_PASSWORD".
    """
    name = path.replace("]", "").replace('"', "").replace("[", ".").rstrip(".").rpartition(".")[2]
    if value is not None and SECRET_NAMES.search(name):
        return SECRET
    if isinstance(value, Mapping):
        named = value.get("name", value.get("key"))
        # A list of variables says its names beside the values.
        hides = isinstance(named, str) and SECRET_NAMES.search(named)
        return {
            key: SECRET if hides and key == "value" else masked(one, path=str(key))
            for key, one in value.items()
        }
    if isinstance(value, tuple | list):
        return tuple(masked(one, path="") for one in value)
    return value
