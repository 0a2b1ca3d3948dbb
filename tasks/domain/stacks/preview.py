"""What an update would do: the same for the engine's preview and for an estimate without it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from typing_extensions import TypeAliasType

from tasks.domain.stacks.changes import Phase

Value = TypeAliasType(
    "Value", "str | int | float | bool | tuple[Value, ...] | Mapping[str, Value] | None"
)
"""JSON as the engine tells it; a mapping's keys are Pulumi's, in camelCase."""

UNKNOWN = "<known after apply>"
"""Stands for an output that is not known in a preview."""
SECRET = "<secret>"  # noqa: S105 - the word that stands for one
"""Stands for a secret: it is compared by the engine and shown by nobody."""


class Source(StrEnum):
    """Who says so."""

    ENGINE = "engine"
    ESTIMATE = "estimate"
    """From the program alone, without the state and the account: nobody can approve it."""


class Operation(StrEnum):
    """What would be done with a resource."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    IMPORT = "import"
    """Comes under the stack as it is."""
    FORGET = "forget"
    """Leaves the stack and stays in the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyDiff:
    """One property that would differ.

    Attributes:
        path: As Pulumi writes it, for example "instanceType" or "tags.owner".
        before: None where it is not set.
        after: The same.
        replaces: The resource has to be made anew for it.
    """

    path: str
    before: Value
    after: Value
    replaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChange:
    """One line of a preview.

    Attributes:
        name: Logical name.
        token: Pulumi's type.
        urn: Pulumi's name of it in the state.
        resource_id: In the account; None before it exists.
        inputs_before: As the state has them; None for what is created.
        inputs_after: As the program has them; None for what is deleted or forgotten.
        protected: The engine would refuse to delete it.
    """

    name: str
    token: str
    urn: str
    operation: Operation
    resource_id: str | None = None
    diffs: tuple[PropertyDiff, ...] = ()
    inputs_before: Mapping[str, Value] | None = None
    inputs_after: Mapping[str, Value] | None = None
    protected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CostDelta:
    """What a resource costs before and after, USD a month.

    Attributes:
        name: Logical name.
        before_usd: None where it is not known.
        after_usd: The same.
        basis: The arithmetic, for example "0.0960 to 0.0480 USD/h x 730 h".
    """

    name: str
    before_usd: float | None
    after_usd: float | None
    basis: str

    @property
    def delta_usd(self) -> float | None:
        """After less before: negative for a saving; None where either is unknown."""
        if self.before_usd is None or self.after_usd is None:
            return None
        return self.after_usd - self.before_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule of the policy pack that a resource breaks.

    Attributes:
        rule: Name of the rule.
        resource: Logical name.
        message: What is wrong, what is allowed, what to do.
        mandatory: It must not be applied; otherwise advice.
    """

    rule: str
    resource: str
    message: str
    mandatory: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What an update would do to everything in a stack.

    Attributes:
        program_sha256: Of the bytes of the program that was previewed.
        state_serial: Of the state that it starts from: changes whenever that does.
        changes: Every resource, also those that stay the same, by URN.
        drift: What the account has otherwise than the state: found by a refresh.
        costs: Of each resource that has a cost, by name.
        findings: From the policy pack.
        engine: Version of the engine; empty for an estimate.
        notes: Warnings of the engine, and what else a reader should know.
    """

    stack: str
    region: str
    phase: Phase
    source: Source
    program_sha256: str
    state_serial: str
    changes: tuple[ResourceChange, ...]
    drift: tuple[ResourceChange, ...] = ()
    costs: tuple[CostDelta, ...] = ()
    findings: tuple[Finding, ...] = ()
    engine: str = ""
    notes: tuple[str, ...] = ()

    def doing(self, *operations: Operation) -> tuple[ResourceChange, ...]:
        """Return the lines with one of some operations."""
        return tuple(one for one in self.changes if one.operation in operations)

    @property
    def acting(self) -> tuple[ResourceChange, ...]:
        """Everything that does not stay the same."""
        return tuple(one for one in self.changes if one.operation is not Operation.SAME)

    @property
    def delta_usd(self) -> float:
        """Sum of the known differences, USD a month; negative for a saving."""
        return math.fsum(d for one in self.costs if (d := one.delta_usd) is not None)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Names of resources whose difference is not known."""
        return tuple(one.name for one in self.costs if one.delta_usd is None)
