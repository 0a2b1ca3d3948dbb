"""A resource's state: what is told before it exists, after it was read, and to an import."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from deployments.embedded.pulumi_aws.diffs import same_document, same_number
from deployments.embedded.pulumi_aws.kinds import Kind
from deployments.embedded.pulumi_aws.shapes import Form, Shape
from deployments.embedded.pulumi_aws.values import UNKNOWN, Properties, has_unknown

_NEVER_CHANGE = frozenset({"region"})


def preview_of(
    kind: Kind, new: Properties, *, old: Properties | None = None, changed: Set[str] = frozenset()
) -> Properties:
    """Return the outputs that are known before anything is done; the others are unknown.

    Args:
        kind: Of the resource.
        new: What the program says.
        old: What is there; None for what is to be made.
        changed: Properties that would be changed.
    """
    if old is None:
        decided = {name: value for name, value in kind.absent.items() if name in kind.outputs}
        open_ = dict.fromkeys(kind.outputs - kind.absent.keys(), UNKNOWN)
        return {**open_, **decided, **new}
    moving = dict.fromkeys(kind.moves, UNKNOWN) if changed - {"tags"} else {}
    tags = {"tagsAll": new.get("tags", {})} if "tags" in changed else {}
    return {**old, **moving, **tags, **new}


def told_state(kind: Kind, found: Properties, inputs: Properties) -> Properties:
    """Return a state: what the account tells, and what only the program knows.

    Args:
        kind: Of the resource.
        found: From the account.
        inputs: What the program said.
    """
    unread = {name: inputs[name] for name in kind.unread if name in inputs}
    state = {**unread, **{key: value for key, value in found.items() if value is not None}}
    if "tags" in state and "tagsAll" in kind.outputs:
        state["tagsAll"] = state["tags"]
    for name in kind.documents & inputs.keys() & state.keys():
        if same_document(inputs[name], state[name]):
            state[name] = inputs[name]  # as the program wrote it, for as long as it says the same
    for name in kind.numbers & inputs.keys() & state.keys():
        if same_number(inputs[name], state[name]):
            state[name] = inputs[name]
    return state


def imported(kind: Kind, state: Properties) -> Properties:
    """Return the inputs that describe what is there, all of them."""
    return {name: value for name, value in state.items() if name in kind.inputs.shapes}


def refreshed(kind: Kind, state: Properties, inputs: Properties) -> Properties:
    """Return a program's inputs with the values that are there now.

    Args:
        kind: Of the resource.
        state: What is there.
        inputs: What the program said; what it did not say stays unsaid, unless leaving it out
            means something and something else is there.
    """
    shapes = kind.inputs.shapes
    found = {
        name: _updated(shapes[name], value, state.get(name, kind.absent.get(name)))
        for name, value in inputs.items()
        if name in shapes and name not in kind.unread and name not in _NEVER_CHANGE
    }
    drifted = {
        name: state[name]
        for name, absent in kind.absent.items()
        if name not in inputs and name not in kind.unread and state.get(name, absent) != absent
    }
    kept = {name: value for name, value in inputs.items() if name not in found}
    return {
        name: value for name, value in {**kept, **found, **drifted}.items() if value is not None
    }


def _updated(shape: Shape, said: Any, there: Any) -> Any:
    """Return what is there, in as many words as the program used."""
    if has_unknown(said):
        return there
    if shape.form is Form.OBJECT and isinstance(said, Mapping) and isinstance(there, Mapping):
        fields = shape.fields.shapes
        return {
            key: _updated(fields[key], value, there.get(key))
            for key, value in said.items()
            if key in fields and there.get(key) is not None
        }
    same = isinstance(said, list) and isinstance(there, list) and len(said) == len(there)
    if shape.form is Form.LIST and same and shape.item is not None:
        return [_updated(shape.item, one, other) for one, other in zip(said, there, strict=True)]
    return there
