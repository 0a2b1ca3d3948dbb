"""What a resource needs of an instance type, and what that rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityNeed:
    """What one instance, or each instance of a group, needs.

    Attributes:
        resource: Instance id or group name.
        instance_type: Its type; only hours with this one count.
        vcpu: Needed, one of the sizes on sale and at most what it has.
        vcpu_basis: How that follows from what was seen, in words with numbers.
        exceeded_share: Share of hours in which it is expected to want more than `vcpu`.
        saturated_share: Share of hours seen in which it used nearly all it has.
        mean_cpu_percent: Of the present type, over all hours seen.
        memory_gib: Needed; None where memory is not measured.
        memory_basis: Likewise.
        network_gbps: Needed; None where it is not measured.
        disk_mib_per_second: Needed; None where it is not measured.
        days: Of observation, hours seen over 24.
        weekly_hours: Instance-hours seen in each whole week of the window.
        evidence_from: First hour seen.
        evidence_to: End of the last hour seen.
    """

    resource: str
    instance_type: str
    vcpu: float
    vcpu_basis: str
    exceeded_share: float
    saturated_share: float
    mean_cpu_percent: float
    memory_gib: float | None
    memory_basis: str
    network_gbps: float | None
    disk_mib_per_second: float | None
    days: float
    weekly_hours: tuple[float, ...]
    evidence_from: datetime
    evidence_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityNeeds:
    """Needs of a fleet; a resource of which nothing is known, or whose type is not, is left out.

    Attributes:
        instances: By instance id; also those of groups, each by itself.
        groups: By region and name, of one instance each.
    """

    instances: Mapping[str, CapacityNeed] = field(default_factory=dict)
    groups: Mapping[tuple[str, str], CapacityNeed] = field(default_factory=dict)
