"""A Pulumi program as values: what is generated from, and never text.

Names are those of Pulumi's Python SDK: inputs in snake_case, nested inputs as typed Args classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tasks.domain.stacks.changes import Change, Phase, Refused

PROJECT = "homeostat"
"""Pulumi project of every generated stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """An output of another resource of the program.

    Attributes:
        resource: Its logical name.
        name: Python attribute, for example "arn".
    """

    resource: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Texts and outputs, one after the other: `pulumi.Output.concat`."""

    parts: tuple[str | Attribute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonText:
    """A JSON document as text, with outputs inside: `pulumi.Output.json_dumps`."""

    document: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceArchive:
    """Files of text, by path: `pulumi.AssetArchive` of `pulumi.StringAsset`."""

    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """A nested input, of a typed class in the resource's own module.

    Attributes:
        of: Name of the class, for example "InstanceRootBlockDeviceArgs".
        fields: By name, in snake_case.
    """

    of: str
    fields: Mapping[str, Input]


Json: TypeAlias = (
    "str | int | float | bool | Attribute | Joined | tuple[Json, ...] | Mapping[str, Json] | None"
)
Input: TypeAlias = (
    "str | int | float | bool | Attribute | Joined | JsonText | SourceArchive | Args | "
    "tuple[Input, ...] | Mapping[str, Input]"
)
"""A mapping is a plain dictionary, such as tags; a tuple is a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of a program.

    Attributes:
        name: Logical name: lower-case letters, digits and dashes, at most 80; once in a stack.
        token: Pulumi's type, for example "aws:ec2/instance:Instance".
        inputs: By name, in snake_case; what is not given is not in it.
        import_id: Id of what exists and is adopted; None for what the program creates. It stays
            in every phase: before adoption it keeps a program from creating a second one.
        protect: The engine refuses to delete or replace it.
        retain_on_delete: Taken out of the program, it stays in the account.
        depends_on: Logical names that have to be done first.
        ignore_changes: Inputs that somebody else may change, for example a group's capacity.
        change_id: Of the change that it belongs to.
    """

    name: str
    token: str
    inputs: Mapping[str, Input]
    import_id: str | None = None
    protect: bool = False
    retain_on_delete: bool = False
    depends_on: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    change_id: str

    @property
    def adopted(self) -> bool:
        """Whether it was there before the stack."""
        return self.import_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What one of a stack's programs declares.

    Attributes:
        stack: Name of the stack.
        region: Of every resource in it.
        resources: In an order in which each comes after what it refers to.
        exports: Stack outputs by name.
    """

    stack: str
    region: str
    phase: Phase
    resources: tuple[Resource, ...]
    exports: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPlan:
    """Everything about a stack before anything is done.

    Attributes:
        stack: Lower-case letters, digits and dashes, at most 60.
        region: Of all its resources.
        changes: Smallest disruption first.
        refused: Opportunities of the region that are not in it.
        adopt: Only what exists, as it is.
        change: The same with the changes, and what is new.
        undo: As `adopt`, for afterwards.
        prices: USD a month of each resource by logical name, as (before, after), where the price of
            the resource itself does not follow from its type: taken from the opportunity.
    """

    stack: str
    region: str
    changes: tuple[Change, ...]
    refused: tuple[Refused, ...]
    adopt: Program
    change: Program
    undo: Program
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def program(self, phase: Phase) -> Program:
        """Return one of the three."""
        return {Phase.ADOPT: self.adopt, Phase.CHANGE: self.change, Phase.UNDO: self.undo}[phase]
