"""What stands against a previewed update, whoever approves it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from tasks.domain.guardrails.policy import KILLED, GuardrailPolicy
from tasks.domain.stacks.approval import purchases, replaces
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.cost_links import INSTANCE_STATE
from tasks.domain.stacks.preview import Operation, Preview, ResourceChange, Source

TOUCHING = (Operation.UPDATE, Operation.REPLACE, Operation.DELETE)
"""Operations on what is there already."""
MOVING = (Operation.CREATE, *TOUCHING)
"""Operations that change what the account costs."""


def check_preview(
    preview: Preview,
    policy: GuardrailPolicy,
    *,
    created: frozenset[str] = frozenset(),
    over_drift: bool = False,
) -> tuple[str, ...]:
    """Return why an update must not be applied; nothing where it may be, once approved.

    An undo is held to everything but the limits on money: what it restores was paid before, and a
    price that is not known must not keep it from restoring.

    Args:
        preview: Of the program to be applied.
        policy: The operator's.
        created: URNs of what the change made that an undo takes back: their deletion is no loss.
        over_drift: Of an undo after a change that failed half-way: what the account has otherwise
            than the state is then our own doing.
    """
    over = over_drift and preview.phase is Phase.UNDO
    return tuple(_refusals(preview, policy, created=created, over_drift=over))


def check_undo(
    undo: Preview, policy: GuardrailPolicy, *, applied: Preview, over_drift: bool = False
) -> tuple[str, ...]:
    """Return why an undo must not run by itself; nothing where approving the change covers it.

    It may act on what the change acted on and on nothing else, delete only what the change made,
    make anew only what the change made anew, and buy nothing. Starting or stopping a machine that
    the change acted on is no more than that.

    Args:
        undo: Made now, by the engine, of the undo program whose hash was approved.
        policy: The operator's, read now.
        applied: The preview of the change, as it was approved.
        over_drift: As in `check_preview`.
    """
    created = frozenset(one.urn for one in applied.doing(Operation.CREATE))
    anew = frozenset(one.urn for one in applied.acting if replaces(one))
    known = frozenset(one.urn for one in applied.acting)
    ids = {one.resource_id for one in (*applied.acting, *undo.changes) if one.urn in known}
    stray = [one for one in undo.acting if one.urn not in known and not _starts(one, ids)]
    lost = [one for one in undo.doing(Operation.DELETE) if one.urn not in created]
    made = [one for one in undo.doing(Operation.CREATE) if not _starts(one, ids)]
    again = [one for one in undo.acting if replaces(one) and one.urn not in anew]
    bought = [one for one in undo.acting if purchases(one)]
    found = (
        (undo.phase is not Phase.UNDO, f"it is no undo: its phase is {undo.phase}"),
        (undo.source is not Source.ENGINE, "it is an estimate; preview it by the engine"),
        (bool(stray), f"it acts on what the change did not: {_names(stray)}"),
        (bool(lost), f"it deletes what the change did not make: {_names(lost)}"),
        (bool(made), f"it makes what is not there: {_names(made)}"),
        (bool(again), f"it makes anew what the change did not: {_names(again)}"),
        (bool(bought), f"it commits to pay for {_names(bought)}"),
    )
    own = tuple(f"undo needs an approval of its own: {why}" for wrong, why in found if wrong)
    return (*own, *check_preview(undo, policy, created=created, over_drift=over_drift))


def never_made(undo: Preview, approved: Preview) -> tuple[str, ...]:
    """Return URNs of what the change was to make and did not: the way back must not make it either.

    Args:
        undo: Preview of the undo program.
        approved: Preview of the change.
    """
    wanted = {one.urn for one in approved.doing(Operation.CREATE)}
    return tuple(one.urn for one in undo.doing(Operation.CREATE) if one.urn in wanted)


def _starts(one: ResourceChange, ids: Collection[str | None]) -> bool:
    """Return whether a line only starts or stops one of some machines."""
    is_state = one.operation is Operation.CREATE and one.token == INSTANCE_STATE
    return is_state and (one.inputs_after or {}).get("instanceId") in ids


def _refusals(
    preview: Preview, policy: GuardrailPolicy, *, created: frozenset[str], over_drift: bool
) -> Iterator[str]:
    if policy.kill_switch:
        yield KILLED
    yield from _findings(preview)
    if not over_drift:
        yield from _drift(preview)
    yield from _protected(preview)
    yield from _counts(preview, policy, created=created)
    if preview.phase is Phase.ADOPT:
        yield from _adoption(preview)
    if preview.phase is not Phase.UNDO:
        yield from _money(preview, policy)


def _findings(preview: Preview) -> Iterator[str]:
    for one in preview.findings:
        if one.mandatory:
            yield f"{one.resource} breaks the rule {one.rule}: {one.message}"


def _drift(preview: Preview) -> Iterator[str]:
    if preview.drift:
        yield (
            f"somebody changed {_names(preview.drift)} in the account since the last update: undo "
            "that, or take it over with `pulumi refresh`, and preview again"
        )


def _protected(preview: Preview) -> Iterator[str]:
    gone = [
        one
        for one in preview.acting
        if one.protected and (one.operation is Operation.DELETE or replaces(one))
    ]
    if gone:
        yield f"{_names(gone)} would be deleted or made anew, and is protected; leave it out"


def _counts(preview: Preview, policy: GuardrailPolicy, *, created: frozenset[str]) -> Iterator[str]:
    own = created if preview.phase is Phase.UNDO else frozenset()
    deleted = [one for one in preview.doing(Operation.DELETE) if one.urn not in own]
    anew = [one for one in preview.acting if replaces(one)]
    touched = [one for one in preview.doing(*TOUCHING) if one.urn not in own]
    # What may be changed in a run was asked when it was changed: the way back is not held to it.
    limit_of_run = ("changed", touched, policy.max_resources_per_run, "max_resources_per_run")
    more = () if preview.phase is Phase.UNDO else (limit_of_run,)
    for what, found, limit, setting in (
        ("deleted", deleted, policy.max_deletions_per_run, "max_deletions_per_run"),
        ("made anew", anew, policy.max_replacements_per_run, "max_replacements_per_run"),
        *more,
    ):
        if len(found) > limit:
            yield f"{len(found)} resources would be {what} ({_names(found)}), {setting} = {limit}"


def _adoption(preview: Preview) -> Iterator[str]:
    other = [one for one in preview.acting if one.operation is not Operation.IMPORT]
    if other:
        yield (
            f"an adoption changes nothing, and this one would {other[0].operation} "
            f"{_names(other)}: make the program say what is there"
        )


def _money(preview: Preview, policy: GuardrailPolicy) -> Iterator[str]:
    moving = {one.name for one in preview.doing(*MOVING)}
    unknown = sorted(moving.intersection(preview.unpriced))
    if unknown:
        yield f"what {', '.join(map(repr, unknown[:5]))} will cost is not known; give it a price"
    amounts = [one.delta_usd for one in preview.costs if one.delta_usd is not None]
    if not all(map(math.isfinite, amounts)):
        yield "a cost is not a number; correct the price and preview again"
        return
    moved = math.fsum(map(abs, amounts))
    if moved > policy.max_usd_per_run + 0.005:
        yield (
            f"moves {moved:.2f} USD a month in all, max_usd_per_run = "
            f"{policy.max_usd_per_run:.2f}: take fewer changes, or raise it"
        )


def _names(lines: tuple[ResourceChange, ...] | list[ResourceChange]) -> str:
    shown = ", ".join(repr(one.name) for one in lines[:5])
    return shown if len(lines) <= 5 else f"{shown} and {len(lines) - 5} more"
