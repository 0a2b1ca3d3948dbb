"""Hostile names and values, each with what must become of it: carried exactly, or refused.

Names, tags and values come from a cloud account, where anybody who may set a tag may write
anything. Which of them a program has to carry is known by construction, and not asked of the
generator that is judged.
"""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

FIRE = "__import__('canary').fire()"
"""What an attack wants executed."""
VALUE_LIMIT_BYTES = 32 * 1024
FILE_LIMIT_BYTES = 64 * 1024
SHORT_LIMIT_BYTES = 1024


class Place(StrEnum):
    """Where in a plan an input is put."""

    VALUE = "value"
    ITEM = "item"
    KEY = "key"
    NESTED = "nested"
    JSON = "json"
    JSON_KEY = "json-key"
    JOINED = "joined"
    FILE = "file"
    IMPORT_ID = "import-id"
    EXPORT = "export"
    SUMMARY = "summary"
    OWNER = "owner"
    REASON = "reason"
    WHY = "why"
    NAME = "name"
    TOKEN = "token"  # noqa: S105 - Pulumi's word for a type
    INPUT = "input"
    CLASS = "class"
    ATTRIBUTE = "attribute"
    PATH = "path"
    DEPENDS = "depends"
    STACK = "stack"
    REGION = "region"
    CHANGE_ID = "change-id"


PROSE = frozenset({Place.SUMMARY, Place.OWNER, Place.REASON, Place.WHY})
"""Read by people, in the README and in comments."""
SHORT = frozenset({Place.KEY, Place.JSON_KEY, Place.IMPORT_ID, Place.EXPORT})
TEXTS = (
    *(Place.VALUE, Place.ITEM, Place.KEY, Place.NESTED, Place.JSON, Place.JSON_KEY, Place.JOINED),
    *(Place.FILE, Place.IMPORT_ID, Place.EXPORT),
    *(Place.SUMMARY, Place.OWNER, Place.REASON, Place.WHY),
)
NAMES = tuple(place for place in Place if place not in TEXTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """One hostile input.

    Attributes:
        carried: The program has to carry it as it is; otherwise it has to be refused.
    """

    place: Place
    text: str
    carried: bool


BREAKOUTS = (
    *('"); {f}; ("', "'); {f}; ('", '"""\n{f}\n"""', "'''\n{f}\n'''", '\\"); {f} #', "\\'); {f} #"),
    *("\n{f}\n", "\r{f}\r", "\r\n{f}", "x\\\n{f}", "\\", "\\\\", '"', "'", '"""', "'''", "\"'\"'"),
    *("{{{f}}}", "{{{{{f}}}}}", "{f!r}", "%s%n%x", "%(x)s {f}", "{{0.__class__}}", "${{{f}}}"),
    *("`{f}`", "$({f})", "\\N{{BULLET}}{f}", "\\x22); {f}", "\\u0022); {f}", "\\0", "\\"),
    *("# coding: utf-7\n{f}", "-*- coding: utf-16 -*-", "#!/bin/sh\n{f}", "# type: ignore"),
    *("mypy: ignore-errors", "fmt: off", "noqa", "# ruff: noqa", "# fmt: off\n{f}", "# mypy: x"),
    *("\u2028{f}", "\u2029{f}", "\x85{f}", "\u202e{f}\u2066", "\u200b{f}", "\ufeff{f}", "\xad"),
    *("]]]}}}))){f}", ")\n{f}\n(", "lambda: {f}", "{{% {f} %}}", "<%= {f} %>", "pulumi.log.warn"),
    *("\uff02); {f}", "\u0430ws.ec2", "\U0001f600{f}", "e\u0301\u0301\u0301", "\u05d0{f}\u05d0"),
)
"""Out of a text and into Python, a shell, a template or a comment."""
YAML = (
    *("!!python/object/apply:os.system ['true']", "a: b\nc: d", "- x", "&a *a", "? x", "---\n..."),
    *("\t", "%YAML 1.1", "@x", "|\n  x", "yes", "null", "~", "1e3", "0x1f", "<<: *a", "{a: b}"),
)
MARKDOWN = (
    *("[x](javascript:alert(1))", "![x](https://evil.example/a.png)", "<img src=x onerror={f}>"),
    *("<script>{f}</script>", "https://evil.example/", "www.evil.example", "me@evil.example"),
    *("```\n{f}\n```", "`` ` ``", "`", "``", "~~~", "| a | b |\n|---|---|\n| {f} | c |", "# big"),
    *("- [ ] task", "1. x", "> quote", "&lt;b&gt;", "&#60;b&#62;", "[x]: https://evil.example/"),
    *("\\[x](y)", "<!-- {f} -->", "<https://evil.example>", "$\\href{{x}}{{y}}$", "~~x~~", "***"),
    *("@team", "#12", "x\n===", "\n    code", "\t- x", "[x][y]", "_x_", "\n\n# big\n\n", "<a\nb>"),
    *("` <b> `", "`a` [x](https://evil.example) `b`", "\\` <b> `", "x `", "` x", "ftp://evil.e"),
)
UNCARRIABLE = (
    *("\x00{f}", "x\x00", "\x1b[2J{f}", "\x07", "\x0c{f}", "\x0b", "\x1f", "\ud800", "\udfff{f}"),
    *("\ufffe", "\uffff{f}", "\x08" * 9),
)
"""XML, in which EC2 answers, and UTF-8 have no way to write these."""
SENTINELS = (
    *("04da6b54-80e4-46f7-96ec-b56ff0331ba9", "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"),
    *("3eeb2bf0-c639-47a8-9e75-3b44932eb421", "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"),
    *("030794c1-ac77-496b-92df-f27374a8bd58", "e48ece36-62e2-4504-bad9-02848725956a"),
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
)
"""On the wire to Pulumi's engine these mean "not known yet": a preview would hide the value."""
SIGNATURE_KEYS = ("4dabf18193072939515e22adb298388d", "__defaults")
"""A mapping with the first is read as a file, a secret or a resource, and not as a mapping."""
NAME_ATTACKS = (
    *(
        "x; {f}",
        "x\n{f}",
        "x = {f}",
        "__import__",
        "__class__",
        "a.b",
        "a b",
        "a-b\n",
        "",
        "-",
        "-a",
    ),
    *("a-", "Ab", "_a", "a_b", "\u0430", "a\u0301", "\uff41", "\u212a", "a\x00", "\ud800", "../a"),
    *(
        "a/b",
        "/etc/passwd",
        "{f}",
        "%s",
        "{{x}}",
        "a'b",
        'a"b',
        "a" * 200,
        "a" * 100_000,
        "a\\",
        "\n",
    ),
)
GOOD_NAMES = (
    *("class", "import", "def", "none", "true", "print", "eval", "exec", "open", "pulumi", "aws"),
    *("match", "type", "id", "list", "json", "self", "lambda", "1", "1-a", "0x1f", "a--b", "exit"),
    *(
        "import-os",
        "a" * 80,
        "9" * 80,
        "builtins",
        "breakpoint",
        "canary",
        "del",
        "async",
        "nonlocal",
    ),
)


def hostile_inputs(count: int, *, seed: int) -> list[Hostile]:
    """Return so many hostile inputs, the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - chooses test inputs
    return [_name(rng) if rng.random() < 0.35 else _text(rng) for _ in range(count)]


def _text(rng: random.Random) -> Hostile:
    place = rng.choice(TEXTS)
    if rng.random() < 0.12:
        return Hostile(place=place, text=_refusable(rng, place), carried=False)
    text = _around(rng, rng.choice((*BREAKOUTS, *BREAKOUTS, *YAML, *MARKDOWN)))
    if rng.random() < 0.01:
        text *= 1 + limit_bytes(place) // (2 * len(text.encode()))
        text = text.encode()[: limit_bytes(place)].decode(errors="ignore")
    return Hostile(place=place, text=text, carried=True)


def _refusable(rng: random.Random, place: Place) -> str:
    if place in {Place.KEY, Place.JSON_KEY} and rng.random() < 0.3:
        return SIGNATURE_KEYS[0] if place is Place.JSON_KEY else rng.choice(SIGNATURE_KEYS)
    if place in {Place.VALUE, Place.ITEM, Place.NESTED} and rng.random() < 0.3:
        return rng.choice(SENTINELS)
    if rng.random() < 0.2:
        return rng.choice("ax\u00e9\u4e00\"'\\{") * 100_000
    return _around(rng, rng.choice(UNCARRIABLE))


def limit_bytes(place: Place) -> int:
    """Return the longest text that a place carries, bytes of UTF-8."""
    if place is Place.FILE:
        return FILE_LIMIT_BYTES
    return SHORT_LIMIT_BYTES if place in SHORT else VALUE_LIMIT_BYTES


def _around(rng: random.Random, template: str) -> str:
    attack = template.replace("{f}", FIRE).replace("{{", "{").replace("}}", "}")
    return rng.choice(("", _noise(rng))) + attack + rng.choice(("", _noise(rng)))


def _noise(rng: random.Random) -> str:
    alphabet: Sequence[str] = rng.choice(
        (
            string.ascii_letters + string.digits,
            string.punctuation,
            "\"'\\",
            "\\\n\r\t ",
            "{}[]()%$#",
            "`*_<>|!~&",
            "\u00e9\u00df\u00f1\u017e\u4e00\u3042\ud55c",
            "\u0430\u03b1\u05d0\u0627\u0e01\u202a\u202e\u200d\u2066\ufe0f\U0001f468\U0010ffff",
        )
    )
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 24)))


def _name(rng: random.Random) -> Hostile:
    place = rng.choice(NAMES)
    if place is Place.NAME and rng.random() < 0.4:
        return Hostile(place=place, text=rng.choice(GOOD_NAMES), carried=True)
    if place is Place.PATH and rng.random() < 0.4:
        return Hostile(
            place=place, text=rng.choice(("index.py", "a/b-c_d.py", "a.b")), carried=True
        )
    attacks = [one for one in NAME_ATTACKS if not _allowed(one, place)]
    if rng.random() < 0.4:
        # A newline, a quote or a brace is in each of them: no name of any kind has those.
        return Hostile(place=place, text=_around(rng, "\n\"{{'") + "}", carried=False)
    return Hostile(place=place, text=rng.choice(attacks).replace("{f}", FIRE), carried=False)


def _allowed(attack: str, place: Place) -> bool:
    """Return whether what is an attack on other names is an ordinary one here."""
    ordinary = {
        Place.INPUT: ("a_b",),
        Place.ATTRIBUTE: ("a_b",),
        Place.PATH: ("a.b", "a/b", "Ab", "_a", "a_b", "__import__", "__class__", "a-", "a" * 200),
    }
    return attack in ordinary.get(place, ())
