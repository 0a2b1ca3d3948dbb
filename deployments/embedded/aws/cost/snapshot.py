"""What is billed: the account as it is now, and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from deployments.embedded.aws.commitments import EmbeddedPlan
from tasks.domain.arrays import FloatArray

Tags = tuple[tuple[str, str], ...]
"""Sorted, cost allocation tags only."""


@dataclass(frozen=True, kw_only=True)
class DaySeries:
    """One value a day.

    Attributes:
        first: Ordinal of the first day (`date.toordinal`).
        values: NaN where unknown.
    """

    first: int
    values: FloatArray

    def on(self, first: int, days: int) -> FloatArray:
        """Return the values of some days; NaN where unknown."""
        found = np.full(days, np.nan)
        low, high = max(first, self.first), min(first + days, self.first + len(self.values))
        if low < high:
            found[low - first : high - first] = self.values[low - self.first : high - self.first]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledInstance:
    """An instance.

    Attributes:
        identity: Id; what is drawn for it depends on nothing else.
        product: "Linux/UNIX" or "Windows".
        launched_at: Aware UTC.
        ended_at: When it was stopped or terminated; None while it runs.
        group: Auto scaling group.
        first_launched_at: Of the first version of an instance that was changed or started again;
            None in that version itself.
    """

    identity: str
    region: str
    zone: str
    instance_type: str
    product: str = "Linux/UNIX"
    spot: bool = False
    launched_at: datetime
    ended_at: datetime | None = None
    group: str | None = None
    first_launched_at: datetime | None = None
    tags: Tags = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledVolume:
    """A volume.

    Attributes:
        iops, mib_per_second: As provisioned; None for what the kind gives.
        ended_at: When it was deleted or changed; None while it is what it is here.
        follows: Whether it goes on from an earlier version.
    """

    identity: str
    region: str
    kind: str
    size_gib: float
    iops: float | None = None
    mib_per_second: float | None = None
    created_at: datetime
    ended_at: datetime | None = None
    follows: bool = False
    tags: Tags = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledHourly:
    """Something with a fixed price an hour, such as a load balancer."""

    identity: str
    service: str
    usage_type: str
    region: str
    usd_per_hour: float
    created_at: datetime
    tags: Tags = ()


@dataclass(frozen=True, kw_only=True)
class BilledUse:
    """Something that is billed by what was measured.

    Attributes:
        identity: Whose use it is.
        quantity: A day, where it was measured.
        unit: Of the quantity.
    """

    identity: str
    service: str
    usage_type: str
    region: str
    usd_per_unit: float
    quantity: DaySeries
    unit: str
    tags: Tags = ()


@dataclass(frozen=True, kw_only=True)
class AccountSnapshot:
    """Everything that is billed.

    Attributes:
        opened_at: When the embedded account was started; what was there already had predecessors.
        in_service: Instances in service, daily mean, by (region, group).
        spot_usd: USD an hour by (zone, instance type, product).
        plans: Savings Plans; the bill knows Compute plans and plans of one family.
    """

    opened_at: datetime
    instances: tuple[BilledInstance, ...] = ()
    volumes: tuple[BilledVolume, ...] = ()
    hourly: tuple[BilledHourly, ...] = ()
    uses: tuple[BilledUse, ...] = ()
    in_service: Mapping[tuple[str, str], DaySeries] = field(default_factory=dict)
    spot_usd: Mapping[tuple[str, str, str], DaySeries] = field(default_factory=dict)
    plans: tuple[EmbeddedPlan, ...] = ()
