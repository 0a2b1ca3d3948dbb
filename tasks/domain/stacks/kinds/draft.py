"""A stack that grows by one change after the other: merged where they go together, else refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tasks.domain.savings.opportunity import Kind
from tasks.domain.stacks.changes import Change, Refused
from tasks.domain.stacks.kinds.made import GROUP, POLICY, Edit, Made
from tasks.domain.stacks.kinds.tags import change_tags, group_tagged, merged, no_room, tagged
from tasks.domain.stacks.program import Input, Resource

TOGETHER = frozenset(
    {
        (Kind.RIGHT_SIZE, Kind.SPOT),
        (Kind.RIGHT_SIZE, Kind.SCHEDULE),
        (Kind.PREDICTIVE_SCALING, Kind.SPOT),
    }
)
"""Kinds that go together on one resource, in the order in which they are worked out."""


@dataclass(slots=True)
class Adopted:
    """Something that exists, and what all changes so far make of it."""

    edit: Edit
    changes: list[Change]

    @property
    def inputs(self) -> dict[str, Input]:
        """After the changes; without tags of ours."""
        given = {**self.edit.live.inputs, **self.edit.patch}
        return {key: value for key, value in given.items() if value is not None}

    def resource(self, inputs: Mapping[str, Input], *, undo: bool = False) -> Resource:
        """Return it with some inputs, protected and kept whatever becomes of the stack."""
        ignored = self.edit.ignore_changes
        if undo and self.edit.undo_ignores is not None:
            ignored = self.edit.undo_ignores
        return Resource(
            name=self.edit.name,
            token=self.edit.live.token,
            inputs=inputs,
            import_id=self.edit.live.import_id,
            protect=True,
            retain_on_delete=True,
            ignore_changes=ignored,
            change_id=self.changes[0].change_id,
        )

    @property
    def changed(self) -> Resource:
        """It in the program that changes it, with tags that say why."""
        after = replace(self.resource(self.inputs), depends_on=self.edit.after)
        if self.edit.live.token == POLICY:
            return after
        tags = merged(self.edit.live.tags, change_tags(tuple(self.changes), self.edit.name))
        put = group_tagged if self.edit.live.token == GROUP else tagged
        return replace(after, inputs=put(after.inputs, tags))

    @property
    def as_it_was(self) -> Resource:
        """It in the program that adopts it."""
        return self.resource(self.edit.live.inputs)

    @property
    def undone(self) -> Resource:
        """It in the program that undoes the changes."""
        back = self.resource({**self.edit.live.inputs, **self.edit.undo}, undo=True)
        return replace(back, depends_on=self.edit.after)


@dataclass(slots=True)
class Draft:
    """What is in a stack so far.

    Attributes:
        adopted: By logical name.
        prices: Of what has no price of its own, before and after.
        listed: Of what has one.
        so_far: Inputs of what is changed already, by logical name.
        kinds: What is done with a resource already, by its id.
    """

    adopted: dict[str, Adopted] = field(default_factory=dict)
    made: list[tuple[Change, Made]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    prices: dict[str, tuple[float, float]] = field(default_factory=dict)
    listed: dict[str, tuple[float, float]] = field(default_factory=dict)
    so_far: dict[str, Mapping[str, Input]] = field(default_factory=dict)
    kinds: dict[str, list[Kind]] = field(default_factory=dict)

    def other_kind(self, change: Change) -> str:
        """Return why a change cannot follow those of the same resource; empty where it can."""
        for kind in self.kinds.get(change.resource, ()):
            if (kind, change.kind) not in TOGETHER:
                return (
                    f"{kind} of {change.resource} is in the same stack, and the two do not go "
                    "together: when that is done, the next run looks at it again"
                )
        return ""

    def conflict(self, change: Change, made: Made) -> str:
        """Return why a change cannot be put into the stack; empty where it can."""
        for edit in made.edits:
            before = self.adopted.get(edit.name)
            whose = "" if before is None else before.changes[0].resource
            if before is not None and whose != change.resource and _differ(before.edit, edit):
                return (
                    f"{edit.live.import_id} is changed for {whose} in another way in the same stack"
                )
            full = "" if edit.live.token == POLICY else no_room(edit.live.tags)
            if full:
                return f"{edit.live.import_id} cannot be tagged: {full}"
        return ""

    def add(self, change: Change, made: Made) -> None:
        """Put a change into the stack; it goes together with what is there."""
        for edit in made.edits:
            before = self.adopted.get(edit.name)
            if before is None:
                self.adopted[edit.name] = Adopted(edit=edit, changes=[change])
            else:
                before.edit = _together(before.edit, edit)
                before.changes.append(change)
            self.so_far[edit.name] = self.adopted[edit.name].inputs
        self.made.append((change, made))
        self.kinds.setdefault(change.resource, []).append(change.kind)
        self.listed.update(made.listed)
        for name, (before_usd, after_usd) in made.prices.items():
            first = self.prices.get(name, self.listed.get(name, (before_usd, after_usd)))
            self.prices[name] = (first[0], after_usd)


def _differ(one: Edit, other: Edit) -> bool:
    shared = one.patch.keys() & other.patch.keys()
    return any(one.patch[key] != other.patch[key] for key in shared)


def _together(one: Edit, other: Edit) -> Edit:
    return replace(
        one,
        patch={**one.patch, **other.patch},
        undo={**one.undo, **other.undo},
        ignore_changes=tuple(sorted({*one.ignore_changes, *other.ignore_changes})),
        undo_ignores=one.undo_ignores if other.undo_ignores is None else other.undo_ignores,
        after=tuple(sorted({*one.after, *other.after})),
    )
