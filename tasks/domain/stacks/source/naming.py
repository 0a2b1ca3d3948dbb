"""Names: which are allowed, and what they become in Python."""

from __future__ import annotations

import builtins
import hashlib
import keyword
import re

NAME_LETTERS = 80
STACK_LETTERS = 60
PATH_LETTERS = 255
VARIABLE_LETTERS = 48
"""A longer variable is cut, so that a line still holds it and a class."""

NAME = re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*")
REGION = re.compile(r"[a-z]{2,5}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}")
CHANGE_ID = re.compile(r"hs-[0-9a-f]{12}")
FIELD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
ARGS_CLASS = re.compile(r"[A-Z][A-Za-z0-9]{0,150}Args")
TOKEN = re.compile(
    r"aws:(?P<module>[a-z][a-z0-9]{0,40})"
    r"/(?P<file>[a-z][A-Za-z0-9]{0,80}):(?P<kind>[A-Z][A-Za-z0-9]{0,80})"
)
VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){1,3}")
PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")

TAKEN = frozenset(dir(builtins)) | {
    *("pulumi", "aws", "copyright", "credits", "exit", "help", "license", "quit"),
    *("match", "case", "type"),
}
"""Imports of the program and builtins, also those of interactive use, and soft keywords."""


def is_name(text: object, *, letters: int = NAME_LETTERS) -> bool:
    """Return whether a text is a logical name of at most so many letters."""
    return isinstance(text, str) and len(text) <= letters and NAME.fullmatch(text) is not None


def is_field(text: object) -> bool:
    """Return whether a text is the name of an input or an output in Pulumi's Python."""
    return (
        isinstance(text, str)
        and len(text) <= NAME_LETTERS
        and FIELD.fullmatch(text) is not None
        and not keyword.iskeyword(text)
    )


def is_args_class(text: object) -> bool:
    """Return whether a text is the name of a class of nested inputs."""
    return isinstance(text, str) and ARGS_CLASS.fullmatch(text) is not None


def is_region(text: object) -> bool:
    """Return whether a text is written like a region of AWS."""
    return isinstance(text, str) and REGION.fullmatch(text) is not None


def is_change_id(text: object) -> bool:
    """Return whether a text is written like an id of `change_id`."""
    return isinstance(text, str) and CHANGE_ID.fullmatch(text) is not None


def is_path(text: object) -> bool:
    """Return whether a text is a relative path that stays below its folder everywhere."""
    return isinstance(text, str) and len(text) <= PATH_LETTERS and PATH.fullmatch(text) is not None


def is_token(text: object) -> bool:
    """Return whether a text is the type of an AWS resource, as Pulumi writes it."""
    found = TOKEN.fullmatch(text) if isinstance(text, str) else None
    return found is not None and found["file"] == found["kind"][0].lower() + found["kind"][1:]


def variable_of(name: str) -> str:
    """Return the variable of a logical name: never one that is taken, and for each name another.

    Of names that are cut, that is likely and not certain: whoever writes a program checks it.
    """
    if len(name) > VARIABLE_LETTERS:
        digest = hashlib.sha256(name.encode()).hexdigest()[:10]
        # It ends with an underscore: no name does that is not cut, but for a few short ones.
        kept = name[: VARIABLE_LETTERS - 13].replace("-", "_")
        return _not_taken(f"{kept}__{digest}_")
    return _not_taken(name.replace("-", "_"))


def _not_taken(variable: str) -> str:
    if variable[0].isdigit():
        return f"_{variable}"
    taken = variable in TAKEN or keyword.iskeyword(variable)
    return f"{variable}_" if taken else variable


def class_of(token: str) -> tuple[str, str]:
    """Return the module of pulumi_aws and the class for a type that `is_token`."""
    found = TOKEN.fullmatch(token)
    if found is None:
        message = f"{token!r} is not the type of an AWS resource"
        raise ValueError(message)
    module = found["module"]
    return (f"{module}_" if keyword.iskeyword(module) else module), found["kind"]
