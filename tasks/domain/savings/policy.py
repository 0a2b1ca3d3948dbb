"""What the operator wants of savings: limits, permissions and resources to leave alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from tasks.domain.savings.opportunity import Kind

ARCHITECTURE_TAG = "homeostat/architecture"
"""Set to "any" on what also runs on arm64: images, packages and licences were checked."""
SPOT_TAG = "homeostat/spot"
"""Set to "allowed" on what may be interrupted: needed by instances outside of a group and by
groups of production, on the group or on all its instances. "never" on any of them wins."""
SCHEDULE_TAG = "homeostat/schedule"
"""Set to "never" on what must run even when nobody uses it, and to "allowed" on what is tagged as
production and may be stopped or scheduled all the same: without it neither is proposed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """Resources to leave alone, why, and until when.

    Attributes:
        resource: Id or name, or a pattern of either with * and ?; case matters.
        kinds: Empty for every kind.
        reason: Said wherever the resource is left out.
        expires_at: Aware UTC; None for ever.
    """

    resource: str
    kinds: frozenset[Kind] = frozenset()
    reason: str
    expires_at: datetime | None = None

    def covers(self, kind: Kind, resource: str, *, now: datetime) -> bool:
        """Return whether an opportunity is to be left alone now."""
        if self.expires_at is not None and now >= self.expires_at:
            return False
        return (not self.kinds or kind in self.kinds) and fnmatchcase(resource, self.resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsPolicy:
    """Limits of what is proposed.

    Attributes:
        min_saving_usd: Smallest saving worth proposing, USD a month; 0 proposes everything.
        min_saving_per_disruption: Share of a resource's bill that a change with disruption 1 has
            to save; with disruption d, d times that. 0 ignores disruption.
        exceed_share: Hours in which a right-sized resource may need more than it has, as a share,
            on average over all of them.
        worst_exceed_share: The same of any one resource.
        min_days: Days of observation before anything is proposed for a resource.
        spot_floor_share: Of a group's capacity that stays on demand.
        spot_pools: Capacity pools to spread spot over, at least.
        spot_interruptions_per_month: Most that are accepted, of an instance.
        allow_arm64: Also without the tag that says so.
        commitment_coverage: Largest share of the stable floor to commit to.
        kinds: What may be proposed at all.
        ignores: Resources to leave alone.
        names: What people call resources, by id: rules may use either.
    """

    min_saving_usd: float = 5.0
    min_saving_per_disruption: float = 0.25
    exceed_share: float = 0.005
    worst_exceed_share: float = 0.05
    min_days: int = 14
    spot_floor_share: float = 0.25
    spot_pools: int = 3
    spot_interruptions_per_month: float = 0.5
    allow_arm64: bool = False
    commitment_coverage: float = 0.9
    kinds: frozenset[Kind] = frozenset(Kind)
    ignores: tuple[Ignore, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict, hash=False)

    def ignored(self, kind: Kind, resource: str, *, now: datetime) -> Ignore | None:
        """Return the first rule that leaves a resource alone; None where none does."""
        called = {resource, self.names.get(resource, resource)}
        return next(
            (one for one in self.ignores if any(one.covers(kind, c, now=now) for c in called)), None
        )

    def matching_nothing(self, resources: Iterable[str], *, now: datetime) -> tuple[str, ...]:
        """Return the rules in force that leave nothing alone: perhaps a slip of the pen.

        Args:
            resources: Ids of everything that there is.
            now: Aware UTC.
        """
        known = {called for one in resources for called in (one, self.names.get(one, one))}
        in_force = (one for one in self.ignores if one.expires_at is None or now < one.expires_at)
        return tuple(
            one.resource
            for one in in_force
            if not any(fnmatchcase(called, one.resource) for called in known)
        )
