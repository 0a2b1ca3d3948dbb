"""Ways in which a preview differs when it is to be applied."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from random import Random
from types import MappingProxyType
from typing import Any

from benchmarks.stacks_bypass_cases import Case
from tasks.domain.stacks.preview import (
    CostDelta,
    Finding,
    Operation,
    ResourceChange,
)


def in_preview(**changes: Any) -> Callable[[Case, Random], Case | None]:
    """Return an attempt in which fields of the preview differ when it is applied."""
    return lambda case, _: replace(case, preview=replace(case.preview, **changes))


def one_line(change: Callable[[ResourceChange], ResourceChange]) -> Callable[..., Case | None]:
    """Return an attempt in which one acting line differs."""

    def changed(case: Case, rng: Random) -> Case | None:
        acting = [at for at, one in enumerate(case.preview.changes) if one in case.preview.acting]
        at = rng.choice(acting)
        lines = list(case.preview.changes)
        lines[at] = change(lines[at])
        if lines[at] == case.preview.changes[at]:
            return None
        return replace(case, preview=replace(case.preview, changes=tuple(lines)))

    return changed


def one_cost(change: Callable[[CostDelta], CostDelta]) -> Callable[..., Case | None]:
    """Return an attempt in which one line of the money differs."""

    def changed(case: Case, rng: Random) -> Case | None:
        costs = list(case.preview.costs)
        at = rng.randrange(len(costs))
        costs[at] = change(costs[at])
        if costs[at] == case.preview.costs[at]:
            return None
        return replace(case, preview=replace(case.preview, costs=tuple(costs)))

    return changed


def after(case: CostDelta, amount: float) -> CostDelta:
    """Return a line of money with another amount afterwards."""
    return replace(case, after_usd=amount)


def offsetting(case: Case, _: Random) -> Case | None:
    """Move 25 USD from one line to another: the total stays."""
    if len(case.preview.costs) < 2:
        return None
    first, second, *rest = case.preview.costs
    costs = (
        after(first, (first.after_usd or 0.0) + 25.0),
        replace(second, before_usd=(second.before_usd or 0.0) + 25.0),
        *rest,
    )
    return replace(case, preview=replace(case.preview, costs=costs))


STRAY = ResourceChange(
    name="stray",
    token="aws:ec2/instance:Instance",  # noqa: S106 - Pulumi's word for a type
    urn="urn:pulumi:s::homeostat::aws:ec2/instance:Instance::stray",
    operation=Operation.CREATE,
    inputs_after=MappingProxyType({"instanceType": "m5.24xlarge"}),
)
DRIFT = replace(STRAY, operation=Operation.UPDATE, resource_id="i-0drift")
BROKEN = Finding(rule="open-ingress", resource="stray", message="open to all", mandatory=True)


def no_findings(case: Case, _: Random) -> Case | None:
    """Take the advice away that was seen."""
    if not case.preview.findings:
        return None
    return replace(case, preview=replace(case.preview, findings=()))


def no_drift(case: Case, _: Random) -> Case | None:
    """Take the drift away that was seen."""
    return replace(case, preview=replace(case.preview, drift=())) if case.preview.drift else None


def one_finding(**changes: Any) -> Callable[[Case, Random], Case | None]:
    """Return an attempt in which a finding says something else."""

    def changed(case: Case, _: Random) -> Case | None:
        if not case.preview.findings:
            return None
        first, *rest = case.preview.findings
        findings = (replace(first, **changes), *rest)
        return replace(case, preview=replace(case.preview, findings=findings))

    return changed


def added(case: Case, _: Random) -> Case:
    """Add a resource."""
    return replace(case, preview=replace(case.preview, changes=(*case.preview.changes, STRAY)))


def removed(case: Case, rng: Random) -> Case:
    """Take a line away."""
    gone = rng.choice(case.preview.acting)
    left = tuple(one for one in case.preview.changes if one is not gone)
    return replace(case, preview=replace(case.preview, changes=left))


def twice(case: Case, rng: Random) -> Case:
    """Do a line twice."""
    again = rng.choice(case.preview.acting)
    return replace(case, preview=replace(case.preview, changes=(*case.preview.changes, again)))


def same_acts(case: Case, _: Random) -> Case | None:
    """Let what stays the same be updated."""
    same = case.preview.doing(Operation.SAME)
    if not same:
        return None
    lines = tuple(
        replace(one, operation=Operation.UPDATE) if one is same[0] else one
        for one in case.preview.changes
    )
    return replace(case, preview=replace(case.preview, changes=lines))


def turned(operation: Operation) -> Callable[..., Case | None]:
    """Return an attempt in which a line does something else."""
    return one_line(lambda one: replace(one, operation=operation))


def any_leaf(case: Case, rng: Random) -> Case | None:
    """Change one value anywhere in the preview, however deep, to another one like it."""
    found = list(_leaves(case.preview))
    rng.shuffle(found)
    for path, value in found:
        other = _other(value, rng)
        if other is not None:
            return replace(case, preview=_with(case.preview, path, other))
    return None


SILENT = frozenset({"engine", "notes", "basis"})
"""Fields that change without anything being done otherwise."""


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, ResourceChange) and value.operation is Operation.SAME:
        return
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name not in SILENT:
                yield from _leaves(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, tuple):
        for at, one in enumerate(value):
            yield from _leaves(one, (*path, at))
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, (*path, key))
    else:
        yield path, value


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {**value, step: _with(value[step], rest, new)}
    if isinstance(value, tuple):
        return tuple(_with(one, rest, new) if at == step else one for at, one in enumerate(value))
    return replace(value, **{step: _with(getattr(value, step), rest, new)})


def _other(value: Any, rng: Random) -> Any:
    if isinstance(value, Enum):
        return rng.choice([one for one in type(value) if one is not value])
    if isinstance(value, bool):
        return rng.choice([not value, int(value)])
    if isinstance(value, int | float):
        return rng.choice([value + 1, value + 0.01, -value - 1, str(value), float("nan"), None])
    if isinstance(value, str):
        return rng.choice([new for new in _like(value) if new != value])
    return rng.choice(["", 0, False])


def _like(text: str) -> list[str]:
    return [
        text + " ",
        text + "\u200b",
        " " + text,
        text[:-1],
        text.swapcase(),
        text.replace("a", "\u0430"),
        unicodedata.normalize("NFD", text),
        text + "\n",
        text.replace("-", "\u2010"),
        text.replace("0", "\uff10"),
    ]
