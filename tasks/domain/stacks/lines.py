"""The parts of a preview's line, as Markdown: what it is, what it does, what changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasks.domain.stacks.preview import Operation, PropertyDiff, ResourceChange, Value
from tasks.domain.stacks.shown import code, masked, value_text

MOST_DIFFS = 12
DANGEROUS = (Operation.DELETE, Operation.REPLACE)
ORDER = (
    *DANGEROUS,
    Operation.CREATE,
    Operation.UPDATE,
    Operation.IMPORT,
    Operation.FORGET,
    Operation.SAME,
)
"""What takes something away comes first."""


def is_dangerous(one: ResourceChange) -> bool:
    """Return whether something is taken away: by its operation, or by a diff that says so."""
    return one.operation in DANGEROUS or any(diff.replaces for diff in one.diffs)


def word(one: ResourceChange) -> str:
    """Return what is done, in capitals where something is taken away."""
    if not is_dangerous(one):
        return str(one.operation)
    return "DELETE" if one.operation is Operation.DELETE else "REPLACE"


def by_danger(one: ResourceChange) -> tuple[int, str, str]:
    """Return what sorts lines: deletions and replacements first, then by name."""
    return 0 if is_dangerous(one) else ORDER.index(one.operation), one.name, one.urn


def money(amount_usd: float) -> str:
    """Return an amount with its cents and no sign at zero."""
    return f"{amount_usd + 0.0:,.2f}".replace("-0.00", "0.00")


def what_changes(one: ResourceChange) -> str:
    """Return each property before and after; of what is new, what it is."""
    if one.diffs:
        shown = [difference(diff) for diff in _dangerous_first(one.diffs)[:MOST_DIFFS]]
        more = len(one.diffs) - len(shown)
        return "<br>".join([*shown, f"and {more} more"] if more else shown)
    if one.operation is Operation.IMPORT:
        return f"adopted as it is: {code(one.resource_id or '')}"
    if one.operation is Operation.FORGET:
        return f"stays in the account: {code(one.resource_id or '')}"
    if one.operation is Operation.CREATE:
        return "<br>".join(_inputs(one.inputs_after or {}))
    return code(one.resource_id) if one.resource_id else ""


def _dangerous_first(diffs: Sequence[PropertyDiff]) -> list[PropertyDiff]:
    return sorted(diffs, key=lambda one: not one.replaces)


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
