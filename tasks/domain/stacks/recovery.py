"""What to do about an update that was cut off: found out from the state it left."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from tasks.domain.errors import PermanentError
from tasks.domain.stacks.changes import CHANGE_TAG, RESOURCE_TAG
from tasks.domain.stacks.diffs import fits, same
from tasks.domain.stacks.preview import (
    Operation,
    Preview,
    PropertyDiff,
    ResourceChange,
    Source,
)

STACK = "pulumi:pulumi:Stack"
CREATING, UPDATING = "creating", "updating"
INSTANCE = "aws:ec2/instance:Instance"
State: TypeAlias = dict[str, Any]
"""A deployment as the engine exports it."""


class CutOffError(PermanentError):
    """What an operation did is not known: recover the stack before anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A resource whose creation was begun: does the account have it?

    Attributes:
        name: Logical name.
        token: Pulumi's type.
        change_id: From its tags; None where its kind has none.
        inputs: With which it was to be created, as in the state.
    """

    name: str
    token: str
    urn: str
    change_id: str | None
    inputs: Mapping[str, Any]


FindByTags: TypeAlias = Callable[[Wanted], tuple[str, ...]]
"""Returns the ids of every resource in the account that is this one; empty where there is none."""


StartAgain: TypeAlias = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Starts those of some instances that are stopped, and returns which."""


class Outcome(StrEnum):
    """What became of an operation that was pending."""

    ADOPTED = "adopted"
    """The account has the resource: the state knows it now."""
    CLEARED = "cleared"
    """The account does not have it: nothing was made."""
    REFRESHED = "refreshed"
    """The resource was read anew: it may have been done or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """One pending operation, resolved.

    Attributes:
        operation: The engine's word: "creating", "updating", "deleting", "reading", "importing".
        resource_id: In the account; None where there is none.
    """

    name: str
    token: str
    urn: str
    operation: str
    outcome: Outcome
    resource_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was done after an interruption; the state is readable and nothing in it is pending.

    Attributes:
        serial: Of the state afterwards.
        resolutions: Of every pending operation.
        stopped: Processes of the interrupted update that were still running.
        restarted: Instances that had been stopped for their change, and ran before.
        unlocked: Locks removed: by whom, on which machine, since when.
        restored_from: Backup that took the place of a checkpoint that could not be read; None without.
    """

    stack: str
    serial: str
    resolutions: tuple[Resolution, ...] = ()
    restarted: tuple[str, ...] = ()
    stopped: int = 0
    unlocked: tuple[str, ...] = ()
    restored_from: str | None = None

    @property
    def needed(self) -> bool:
        """Whether anything had been left to resolve."""
        return bool(
            self.resolutions or self.stopped or self.unlocked or self.restored_from is not None
        )


def pending_operations(state: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return operations that were begun and not ended, for example "creating web"."""
    pending = (state or {}).get("pending_operations") or ()
    return tuple(f"{one['type']} {name_of(one['resource']['urn'])}" for one in pending)


def with_begun(state: Mapping[str, Any], begun: Sequence[Mapping[str, Any]]) -> State:
    """Return a state in which operations that the engine gave up count as pending.

    The engine forgets an operation that failed. Whether the account did it is not known: a provider
    that dies after its call has made something of which nobody has the id.

    Args:
        state: As exported.
        begun: As pending operations are written: "type" and "resource".
    """
    after = dict(state)
    known = {one["urn"] for one in after.get("resources") or ()}
    pending = list(after.get("pending_operations") or ())
    told = {(one["type"], one["resource"]["urn"]) for one in pending}
    for one in begun:
        kind, urn = one["type"], one["resource"]["urn"]
        is_open = urn not in known if kind == CREATING else urn in known
        if is_open and (kind, urn) not in told:
            pending.append(one)
    after["pending_operations"] = pending
    return after


def pending_creates(state: Mapping[str, Any]) -> tuple[Wanted, ...]:
    """Return the resources whose creation was begun, and of which the state has no id."""
    return tuple(
        Wanted(
            name=name_of(one["urn"]),
            token=one["type"],
            urn=one["urn"],
            change_id=_tag(one.get("inputs", {}), CHANGE_TAG),
            inputs=one.get("inputs", {}),
        )
        for kind, one in _pending(state)
        if kind == CREATING
    )


def perhaps_left_stopped(state: Mapping[str, Any]) -> tuple[str, ...]:
    """Return ids of instances that ran, and whose change was cut off.

    Another type takes a stop and a start. Between them an instance is down, and nothing would start
    it: the program does not say that it runs, so the engine sees nothing to do.
    """
    cut_off = {one["urn"] for kind, one in _pending(state) if kind == UPDATING}
    return tuple(
        str(one["id"])
        for one in state.get("resources") or ()
        if one["urn"] in cut_off
        and one["type"] == INSTANCE
        and (one.get("outputs") or {}).get("instanceState") == "running"
    )


def resolved(
    state: Mapping[str, Any], found: Mapping[str, tuple[str, ...]]
) -> tuple[State, tuple[Resolution, ...]]:
    """Return the state with nothing pending, and what became of each operation.

    The engine's own `refresh --import-pending-creates` is no help without the program: it ended in
    success and had forgotten the resource. What is adopted here gets its inputs as outputs until the
    next refresh reads the real ones.

    Args:
        state: As exported, with pending operations.
        found: Ids in the account of each pending create, by URN.

    Raises:
        PermanentError: The account has one of them more than once.
    """
    after = copy.deepcopy(dict(state))
    after["pending_operations"] = []
    resources = after.setdefault("resources", [])
    resolutions = tuple(
        _resolution(kind, resource, resources, found.get(resource["urn"], ()))
        for kind, resource in _pending(state)
    )
    return after, resolutions


def _resolution(
    kind: str, resource: Mapping[str, Any], resources: list[State], ids: tuple[str, ...]
) -> Resolution:
    outcome, resource_id = Outcome.REFRESHED, resource.get("id") or None
    if kind == CREATING:
        resource_id = _the_new_one(resource, resources, ids)
        outcome = Outcome.CLEARED if resource_id is None else Outcome.ADOPTED
        if resource_id is not None:
            _adopt(resource, resource_id, resources)
    return Resolution(
        name=name_of(resource["urn"]),
        token=resource["type"],
        urn=resource["urn"],
        operation=kind,
        outcome=outcome,
        resource_id=resource_id,
    )


def _the_new_one(
    resource: Mapping[str, Any], resources: list[State], ids: tuple[str, ...]
) -> str | None:
    # A replacement has the same tags as what it replaces, which the state already knows.
    known = {one.get("id") for one in resources if one["type"] == resource["type"]}
    new = sorted(set(ids) - known)
    if len(new) > 1:
        message = (
            f"{name_of(resource['urn'])}: the account has it {len(new)} times ({', '.join(new)}), "
            "and one was to be made; delete what is not needed, then recover again"
        )
        raise PermanentError(message)
    return new[0] if new else None


def _adopt(resource: Mapping[str, Any], resource_id: str, resources: list[State]) -> None:
    for one in resources:
        if one["urn"] == resource["urn"]:
            one["delete"] = True  # It was being replaced: the engine deletes it next time.
    inputs = resource.get("inputs", {})
    resources.append({**resource, "id": resource_id, "outputs": {**inputs, "id": resource_id}})


def _pending(state: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in state.get("pending_operations") or ():
        yield str(one["type"]), one["resource"]


def _tag(inputs: Mapping[str, Any], key: str) -> str | None:
    tags = inputs.get("tags")
    if isinstance(tags, list):  # Those of an auto scaling group.
        tags = {one.get("key"): one.get("value") for one in tags if isinstance(one, Mapping)}
    value = tags.get(key) if isinstance(tags, Mapping) else None
    return value if isinstance(value, str) else None


def name_of(urn: str) -> str:
    """Return the logical name in a URN."""
    return urn.split("::", 3)[-1]


def missing_outputs(state: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
    """Return which outputs of a stack its state has no value of.

    Args:
        state: As exported.
        names: That the program exports.
    """
    stacks = (one for one in state.get("resources") or () if one["type"] == STACK)
    outputs = next((one.get("outputs") or {} for one in stacks), {})
    return tuple(name for name in names if outputs.get(name) is None)


def remaining(approved: Preview, now: Preview) -> tuple[ResourceChange, ...] | None:
    """Return what is left to do of an approved update that was interrupted.

    Args:
        approved: What was approved.
        now: What an update would do now, after recovery.

    Returns:
        Empty when everything was done. None when anything would be done that was not approved: then
        the approval does not cover it, and the way out is undo.
    """
    if now.source is not Source.ENGINE or _program(approved) != _program(now):
        return None
    by_urn = {one.urn: one for one in approved.acting}
    left = now.acting
    covered = all((was := by_urn.get(one.urn)) and _covers(was, one) for one in left)
    return left if covered else None


def _program(preview: Preview) -> tuple[object, ...]:
    return preview.stack, preview.region, preview.phase, preview.program_sha256


def _covers(was: ResourceChange, now: ResourceChange) -> bool:
    if now.operation is Operation.DELETE and was.operation is Operation.REPLACE:
        return True  # The new one is there, the old one not yet gone.
    if not _same_end(was, now):
        return False
    if was.operation is Operation.CREATE and now.operation is Operation.UPDATE:
        # Created, and cut off before the last of its settings.
        return not any(one.replaces for one in now.diffs)
    if was.operation is not now.operation:
        return False
    return now.operation is Operation.CREATE or all(_shown(one, was.diffs) for one in now.diffs)


def _same_end(was: ResourceChange, now: ResourceChange) -> bool:
    if was.inputs_after is None or now.inputs_after is None:
        return was.inputs_after is None and now.inputs_after is None
    return fits(was.inputs_after, now.inputs_after)


def _shown(diff: PropertyDiff, diffs: tuple[PropertyDiff, ...]) -> bool:
    return any(
        diff.path == one.path
        and same(diff.before, one.before)
        and fits(one.after, diff.after)
        and diff.replaces <= one.replaces
        for one in diffs
    )


def resource_tags(wanted: Wanted) -> Mapping[str, str]:
    """Return the tags by which a resource is found; empty where its kind has none."""
    if wanted.change_id is None:
        return {}
    return {CHANGE_TAG: wanted.change_id, RESOURCE_TAG: wanted.name}
