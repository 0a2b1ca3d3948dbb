"""Inputs as paths and short texts: what a reader compares before and after."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tasks.domain.stacks.changes import (
    CHANGE_TAG,
    OWNER_TAG,
    REASON_TAG,
    RESOURCE_TAG,
    SAVING_TAG,
)
from tasks.domain.stacks.program import (
    Args,
    Attribute,
    Joined,
    JsonText,
    Resource,
    SourceArchive,
)

_Path = tuple[str, ...]
_OURS = (CHANGE_TAG, RESOURCE_TAG, OWNER_TAG, REASON_TAG, SAVING_TAG)
_LABELS = frozenset(f"tags.{tag}" for tag in _OURS)
_ENTRIES = tuple(f"tags[{tag}]." for tag in _OURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One value at the end of a path.

    Attributes:
        path: For people, for example "root_block_device.volume_size".
        kind: Of the value: a text "8" is not a number 8.
        text: The value; of a file its length and fingerprint.
    """

    path: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One input or option before and after.

    Attributes:
        before: None where it is not given.
        after: The same.
    """

    path: str
    before: str | None
    after: str | None


def differences(before: Resource | None, after: Resource | None) -> tuple[Difference, ...]:
    """Return the inputs and options that differ, in the order of the program."""
    old = {} if before is None else leaves_of(before, besides=after)
    new = {} if after is None else leaves_of(after, besides=before)
    return tuple(
        _difference(old.get(path), new.get(path))
        for path in {**new, **old}
        if old.get(path) != new.get(path)
    )


def leaves_of(resource: Resource, *, besides: Resource | None = None) -> dict[_Path, Leaf]:
    """Return the values of a resource by path, of which no two are alike.

    What a resource waits for is left out: it is an order of work, and nothing in the account.

    Args:
        resource: Of which.
        besides: Inputs that are written the same in this one are left out.
    """
    other = {} if besides is None else besides.inputs
    inputs = {
        name: value
        for name, value in resource.inputs.items()
        if name not in other or repr(value) != repr(other[name])
    }
    options = {
        "protect": resource.protect or None,
        "retain_on_delete": resource.retain_on_delete or None,
        "ignore_changes": resource.ignore_changes or None,
    }
    given = {name: value for name, value in options.items() if value is not None}
    found = dict(_leaves(inputs, (), ""))
    return found | (dict(_leaves({"opts": given}, ("",), "")) if given else {})


def is_label(one: Difference) -> bool:
    """Return whether it is only a tag that says which change it belongs to, newly set."""
    return one.before is None and (one.path in _LABELS or one.path.startswith(_ENTRIES))


def _difference(old: Leaf | None, new: Leaf | None) -> Difference:
    either = new or old
    texts = [None if one is None else one.text for one in (old, new)]
    if old is not None and new is not None and old.text == new.text:
        texts = [f"{old.text} ({old.kind})", f"{new.text} ({new.kind})"]
    return Difference(path=either.path if either else "", before=texts[0], after=texts[1])


def _leaves(value: object, at: _Path, path: str) -> Iterator[tuple[_Path, Leaf]]:
    if isinstance(value, Args):
        yield from _leaves(value.fields, at, path)
    elif isinstance(value, JsonText):
        yield from _leaves(value.document, (*at, "JSON"), path)
    elif isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _leaves(one, (*at, key), f"{path}.{key}" if path else key)
    elif isinstance(value, tuple) and value:
        for label, one in _labelled(value):
            yield from _leaves(one, (*at, label), f"{path}{label}")
    elif isinstance(value, SourceArchive):
        for name, text in value.files.items():
            yield (*at, name), Leaf(path=f"{path}/{name}", kind="file", text=_file(text))
    elif at:
        yield at, Leaf(path=path, kind=type(value).__name__, text=_text(value))


def _labelled(values: tuple[object, ...]) -> list[tuple[str, object]]:
    """Return a list's values by position, or by key where each has another: as tags of a group."""
    keys = [one.fields.get("key") for one in values if isinstance(one, Args)]
    names = [str(one) for one in keys if isinstance(one, str)]
    if len(set(names)) == len(values):
        return [(f"[{name}]", one) for name, one in zip(names, values, strict=True)]
    return [(f"[{position}]", one) for position, one in enumerate(values)]


def _text(value: object) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Attribute):
        return f"{value.name} of {value.resource}"
    if isinstance(value, Joined):
        return "".join(one if isinstance(one, str) else f"<{_text(one)}>" for one in value.parts)
    if isinstance(value, Mapping | tuple):
        return "nothing in it"
    return repr(value)


def _file(text: str) -> str:
    return f"{len(text.splitlines())} lines, sha256 {hashlib.sha256(text.encode()).hexdigest()}"
