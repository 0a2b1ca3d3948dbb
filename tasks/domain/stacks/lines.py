"""The parts of a preview's line, as Markdown: what it is, what it does, what changes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tasks.domain.stacks.approval import purchases, replaces
from tasks.domain.stacks.preview import Operation, PropertyDiff, ResourceChange, Value
from tasks.domain.stacks.shown import code, masked, value_text

MOST_DIFFS = 12
DANGERS = {"DELETE": "deletion", "REPLACE": "replacement", "PURCHASE": "purchase"}
ORDER = (
    Operation.DELETE,
    Operation.REPLACE,
    Operation.CREATE,
    Operation.UPDATE,
    Operation.IMPORT,
    Operation.FORGET,
    Operation.SAME,
)
"""What takes something away comes first."""
OWN_TAG = re.compile(r"tags(All)?(\[\"|\.)homeostat/")
OF_LIST = re.compile(r"tags\[\d+\]")


def is_dangerous(one: ResourceChange) -> bool:
    """Return whether something is taken away, or bought: by no undo does it come back."""
    return word(one) in DANGERS


def word(one: ResourceChange) -> str:
    """Return what is done, in capitals where no undo brings it back."""
    if one.operation is Operation.DELETE:
        return "DELETE"
    if replaces(one):
        return "REPLACE"
    return "PURCHASE" if purchases(one) else str(one.operation)


def by_danger(one: ResourceChange) -> tuple[int, str, str]:
    """Return what sorts lines: what no undo brings back first, then by name."""
    order = [*DANGERS, *map(str, ORDER)]
    return order.index(word(one)), one.name, one.urn


def money(amount_usd: float) -> str:
    """Return an amount with its cents and no sign at zero."""
    return f"{amount_usd + 0.0:,.2f}".replace("-0.00", "0.00")


def what_changes(one: ResourceChange) -> str:
    """Return each property before and after; of what is new, what it is."""
    if one.diffs:
        return "<br>".join(_differences(one.diffs))
    if one.operation is Operation.IMPORT:
        return f"adopted as it is: {code(one.resource_id or '')}"
    if one.operation is Operation.FORGET:
        return f"stays in the account: {code(one.resource_id or '')}"
    if one.operation is Operation.CREATE:
        return "<br>".join(_inputs(one.inputs_after or {}))
    return code(one.resource_id) if one.resource_id else ""


def _differences(diffs: Sequence[PropertyDiff]) -> list[str]:
    """Return what replaces first and tags last; Homeostat's own tags are only counted."""
    others = [one for one in diffs if not _is_own_tag(one)]
    others.sort(key=lambda one: (not one.replaces, one.path.startswith("tags")))
    shown = [difference(diff) for diff in others[:MOST_DIFFS]]
    if len(others) > len(shown):
        shown.append(f"and {len(others) - len(shown)} more")
    if own := len(diffs) - len(others):
        shown.append(f"and {own} {'tags' if own > 1 else 'tag'} that say why, `homeostat/`")
    return shown


def _is_own_tag(diff: PropertyDiff) -> bool:
    if diff.replaces:
        return False
    if OWN_TAG.match(diff.path):
        return True
    # A group's tags are a list.
    sides = [one for one in (diff.before, diff.after) if one is not None]
    return OF_LIST.fullmatch(diff.path) is not None and all(
        isinstance(one, Mapping) and str(one.get("key")).startswith("homeostat/") for one in sides
    )


def difference(diff: PropertyDiff) -> str:
    """Return a property with its values before and after."""
    before, after = (_value(value, path=diff.path) for value in (diff.before, diff.after))
    return f"{code(diff.path)}: {before} to {after}{' (replaces)' if diff.replaces else ''}"


def _value(value: Value, *, path: str) -> str:
    return "*not set*" if value is None else code(value_text(masked(value, path=path)))


def _inputs(inputs: Mapping[str, Value]) -> list[str]:
    """Return the plain inputs of what is created; the JSON has all of them."""
    plain = {
        key: value for key, value in sorted(inputs.items()) if isinstance(value, str | int | float)
    }
    shown = [
        f"{code(key)}: {_value(value, path=key)}" for key, value in list(plain.items())[:MOST_DIFFS]
    ]
    more = len(inputs) - len(shown)
    return [*shown, f"and {more} more"] if more else shown


def kind(token: str) -> str:
    """Return a type as people say it, for example "ec2 Instance"."""
    package, _, rest = token.partition(":")
    module, _, name = rest.partition(":")
    return code(f"{module.partition('/')[0]} {name}".strip() or package)
