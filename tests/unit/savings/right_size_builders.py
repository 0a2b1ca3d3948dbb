"""A small price list and instances to right-size."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np

from tasks.domain.instances import Architecture, InstanceShape, Offer, TypeFacts
from tasks.domain.inventory import Instance, Inventory, Lifecycle
from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.sizing.needs import CapacityNeed
from tasks.domain.usage.panel import Metric, UsagePanel

NOW = datetime(2026, 11, 20, tzinfo=UTC)
START = datetime(2026, 10, 23, tzinfo=UTC)
REGION, LINUX = "eu-west-1", "Linux/UNIX"
ARM, X86 = Architecture.ARM64, Architecture.X86_64


def facts(
    name: str, vcpu: float, memory_gib: float, architecture: Architecture = X86, **rest: object
) -> TypeFacts:
    shape = InstanceShape(
        instance_type=name, vcpu=vcpu, memory_gib=memory_gib, architecture=architecture
    )
    values: dict[str, object] = {"network_gbps": 10.0, "ebs_mib_per_second": 500.0} | rest
    return TypeFacts(shape=shape, **values)  # type: ignore[arg-type]


TYPES = {
    one.shape.instance_type: one
    for one in (
        facts("m4.2xlarge", 8, 32, nitro=False, network_gbps=1.0, ebs_mib_per_second=125.0),
        facts("m5.large", 2, 8),
        facts("m5.xlarge", 4, 16),
        facts("m5.2xlarge", 8, 32),
        facts("m5d.2xlarge", 8, 32, local_storage_gb=300.0),
        facts("c5.xlarge", 4, 8),
        facts("r5.large", 2, 16),
        facts("r5.xlarge", 4, 32),
        facts("t3.2xlarge", 8, 32, bursts=True),
        facts("m6g.large", 2, 8, ARM),
        facts("m6g.xlarge", 4, 16, ARM),
        facts("m6g.2xlarge", 8, 32, ARM),
    )
}
USD_PER_HOUR = {
    "m4.2xlarge": 0.444, "m5.large": 0.107, "m5.xlarge": 0.214, "m5.2xlarge": 0.428,
    "m5d.2xlarge": 0.504, "c5.xlarge": 0.192, "r5.large": 0.141, "r5.xlarge": 0.282,
    "t3.2xlarge": 0.3648, "m6g.large": 0.086, "m6g.xlarge": 0.172, "m6g.2xlarge": 0.344,
}  # fmt: skip


def price_book(
    usd_per_hour: Mapping[str, float] = MappingProxyType(USD_PER_HOUR), *, factor: float = 1.0
) -> PriceBook:
    offers = {
        name: Offer(shape=TYPES[name].shape, price_usd_per_hour=price * factor)
        for name, price in usd_per_hour.items()
    }
    return PriceBook(offers={(REGION, LINUX): offers}, types=TYPES)


def instance(name: str = "i-1", instance_type: str = "m5.2xlarge", **rest: object) -> Instance:
    values: dict[str, object] = {
        "region": REGION,
        "availability_zone": f"{REGION}a",
        "launched_at": START,
        "lifecycle": Lifecycle.ON_DEMAND,
    } | rest
    return Instance(instance_id=name, instance_type=instance_type, **values)  # type: ignore[arg-type]


def need(**rest: object) -> CapacityNeed:
    values: dict[str, object] = {
        "resource": "i-1",
        "instance_type": "m5.2xlarge",
        "vcpu": 2.0,
        "vcpu_basis": "99.00% of 672 hours seen used at most 2 of 8 vCPU",
        "exceeded_share": 0.0,
        "saturated_share": 0.0,
        "mean_cpu_percent": 5.0,
        "memory_gib": None,
        "memory_basis": "memory is not measured: at least as much as now",
        "network_gbps": 0.01,
        "disk_mib_per_second": 1.0,
        "days": 28.0,
        "weekly_hours": (168.0,) * 4,
        "evidence_from": START,
        "evidence_to": START + timedelta(days=28),
    } | rest
    return CapacityNeed(**values)  # type: ignore[arg-type]


def panel(rows: Mapping[str, Mapping[Metric, float | list[float]]], hours: int = 672) -> UsagePanel:
    metrics = sorted({metric for row in rows.values() for metric in row})
    values = {
        metric: np.stack(
            [np.broadcast_to(row.get(metric, np.nan), (hours,)) for row in rows.values()]
        ).astype(np.float32)
        for metric in metrics
    }
    return UsagePanel(resources=tuple(rows), start=START, values=values)


def inventory(*instances: Instance, **rest: object) -> Inventory:
    return Inventory(observed_at=NOW, regions=(REGION,), instances=instances, **rest)  # type: ignore[arg-type]
