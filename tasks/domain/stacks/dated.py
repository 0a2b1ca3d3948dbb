"""Changes of a stack with their dates: when each was done, and when it was taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tasks.domain.guardrails.cooldown import target_of
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.realised.values import AppliedChange
from tasks.domain.stacks.applied import Applied
from tasks.domain.stacks.changes import Change
from tasks.domain.stacks.kinds.made import INSTANCE, VOLUME
from tasks.domain.stacks.preview import Operation
from tasks.domain.stacks.record import StackRecord

NOWHERE = frozenset({Kind.COMMITMENT, Kind.SERVERLESS})
"""Kinds of which the resource is neither a machine nor a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A change that was applied.

    Attributes:
        change: As savings are measured of it.
        region: Of the resource.
        undone_at: When it was taken back, aware UTC; None while it stands.
        moved_to: Instance that took the place of the resource; None where none did.
        doubt: Why it is not known what was done, so that nothing is measured; empty otherwise.
    """

    change: AppliedChange
    region: str
    undone_at: datetime | None = None
    moved_to: str | None = None
    doubt: str = ""

    @property
    def target(self) -> str:
        """As attempts name it."""
        return target_of(region=self.region, resource=self.change.resource)


def dated_changes(
    record: StackRecord,
    *,
    applied: Applied | None,
    applied_at: datetime,
    undone_at: datetime | None = None,
    doubt: str = "",
) -> tuple[Dated, ...]:
    """Return the changes of a stack that was applied.

    Args:
        record: The stack.
        applied: What its update did; None where that is lost.
        applied_at: End of the update, aware UTC.
        undone_at: End of its undo; None while it stands.
        doubt: Why it is not known what was done; empty otherwise.
    """
    half = applied is not None and not applied.complete
    why = doubt or ("its update ended half-way" if half and undone_at is None else "")
    found = (
        Dated(
            change=_applied_change(one, record, applied_at),
            region=one.region,
            undone_at=undone_at,
            moved_to=_moved_to(one, record, applied),
            doubt=why,
        )
        for one in record.changes
    )
    return tuple(replace(one, doubt=one.doubt or _lost(one)) for one in found)


def _lost(one: Dated) -> str:
    change = one.change
    moved = change.kind is Kind.SPOT and change.series == change.resource
    return "which instance took its place is not known" if moved and one.moved_to is None else ""


def _applied_change(one: Change, record: StackRecord, applied_at: datetime) -> AppliedChange:
    before, after = record.hourly.get(one.change_id, (None, None))
    return AppliedChange(
        change_id=one.change_id,
        kind=one.kind,
        resource=one.resource,
        series=_series(one, record),
        applied_at=applied_at,
        expected=one.saving,
        usd_per_hour_before=before,
        usd_per_hour_after=after,
    )


def _series(one: Change, record: StackRecord) -> str:
    """Return the row of what is changed in a usage panel: a group's has its region before it."""
    alone = any(
        member.import_id == one.resource and member.token in {INSTANCE, VOLUME}
        for member in record.members
    )
    return one.resource if alone or one.kind in NOWHERE else f"{one.region}/{one.resource}"


def _moved_to(one: Change, record: StackRecord, applied: Applied | None) -> str | None:
    """Return the id of the instance that was made to take the place of another."""
    if one.kind is not Kind.SPOT or applied is None:
        return None
    made = {
        member.name
        for member in record.members
        if member.token == INSTANCE
        and member.import_id is None
        and member.change_id == one.change_id
    }
    found = (
        done.resource_id
        for done in applied.done
        if done.name in made and done.operation is Operation.CREATE
    )
    return next(found, None)


def other_touches(
    dated: Iterable[Dated], attempts: Iterable[tuple[str, datetime]]
) -> dict[str, tuple[datetime, ...]]:
    """Return when series were changed by stacks that are no longer told of, by series.

    A stack that is proposed anew forgets that it was applied and undone before; its attempts are
    remembered. Those of changes that are told of are left out: they have better dates.

    Args:
        dated: Every change that is told of.
        attempts: Target and instant of each.
    """
    told = {one.target for one in dated}
    found: dict[str, set[datetime]] = {}
    for target, at in attempts:
        if target not in told:
            # An instance's row is its id, a group's is the target itself.
            for series in (target, target.partition("/")[2]):
                found.setdefault(series, set()).add(at)
    return {series: tuple(sorted(times)) for series, times in found.items()}


def undo_times(dated: Iterable[Dated]) -> Mapping[str, tuple[datetime, ...]]:
    """Return when series were changed back, by series."""
    found: dict[str, set[datetime]] = {}
    for one in dated:
        if one.undone_at is not None:
            found.setdefault(one.change.series, set()).add(one.undone_at)
    return {series: tuple(sorted(times)) for series, times in found.items()}
