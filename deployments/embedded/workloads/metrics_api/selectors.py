"""How lists are narrowed: by labels, and by name and namespace."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Fits = Callable[[Mapping[str, str]], bool]
FIELDS = ("metadata.name", "metadata.namespace")
_PARTS = re.compile(r",(?![^(]*\))")
_AMONG = re.compile(r"([^\s()!=,]+)\s+(in|notin)\s+\(([^()]*)\)")
_EQUAL = re.compile(r"([^\s()!=,]+)\s*(==|=|!=)\s*([^\s()!=,]*)")
_THERE = re.compile(r"(!?)\s*([^\s()!=,]+)")


class SelectorError(ValueError):
    """A selector that cannot be read; the message says which part."""


def label_selector(text: str) -> Fits:
    """Return whether labels are as a selector wants them.

    Args:
        text: For example app=shop,tier!=test,zone in (a,b),!old; empty for all.

    Raises:
        SelectorError: A part of it is none.
    """
    wanted = [_requirement(part.strip()) for part in _PARTS.split(text) if text.strip()]
    return lambda labels: all(one(labels) for one in wanted)


def _requirement(text: str) -> Fits:
    if found := _AMONG.fullmatch(text):
        key, how, listed = found.groups()
        values = {one.strip() for one in listed.split(",")}
        if how == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.fullmatch(text):
        return _equal(*found.groups())
    if found := _THERE.fullmatch(text):
        absent, key = found.groups()
        return lambda labels: (key in labels) is not bool(absent)
    message = f"unable to parse requirement: {text!r}; write key=value, key in (a,b) or !key"
    raise SelectorError(message)


def _equal(key: str, how: str, value: str) -> Fits:
    if how == "!=":
        return lambda labels: labels.get(key) != value
    return lambda labels: labels.get(key) == value


def field_selector(text: str) -> Fits:
    """Return whether metadata, by the names `FIELDS`, is as a selector wants it.

    Raises:
        SelectorError: It asks for another field, or a part of it is none.
    """
    wanted = []
    for part in filter(None, text.split(",")):
        found = _EQUAL.fullmatch(part.strip())
        if found is None:
            message = f"invalid selector: {text!r}; can't understand {part!r}"
            raise SelectorError(message)
        if found[1] not in FIELDS:
            message = f"field label not supported: {found[1]}; there are {', '.join(FIELDS)}"
            raise SelectorError(message)
        wanted.append(_equal(*found.groups()))
    return lambda fields: all(one(fields) for one in wanted)
