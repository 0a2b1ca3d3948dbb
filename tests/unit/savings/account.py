"""A small account with prices, for tests of what could be saved in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.instances import Architecture, InstanceShape, Offer, TypeFacts
from tasks.domain.inventory import (
    Instance,
    InstanceState,
    Inventory,
    Lifecycle,
    ScalingGroup,
    Service,
    Volume,
)
from tasks.domain.savings.evidence import Evidence
from tasks.domain.savings.machines import Machines, machines_of
from tasks.domain.savings.money import FunctionPrice, PriceBook, SpotQuote, VolumePrice
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.usage.panel import Metric, UsagePanel

START = datetime(2026, 2, 2, tzinfo=UTC)  # a Monday
HOURS = 28 * 24
NOW = START + timedelta(hours=HOURS)
REGION = "us-east-1"
WEB_SERIES = f"{REGION}/web"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
LINUX = "Linux/UNIX"
OLD = START - timedelta(days=300)
SIZES = {
    "m5.large": (2.0, 8.0, 0.1),
    "m5.xlarge": (4.0, 16.0, 0.2),
    "m5.2xlarge": (8.0, 32.0, 0.4),
    "c5.large": (2.0, 4.0, 0.09),
    "r5.large": (2.0, 16.0, 0.13),
}


def shape(name: str) -> InstanceShape:
    vcpu, memory, _ = SIZES[name]
    return InstanceShape(
        instance_type=name, vcpu=vcpu, memory_gib=memory, architecture=Architecture.X86_64
    )


def quote(
    name: str, zone: str, *, share: float = 0.4, interruptions: float = 0.1, prior: bool = True
) -> SpotQuote:
    price = SIZES[name][2] * share
    return SpotQuote(
        region=REGION,
        availability_zone=zone,
        instance_type=name,
        usd_per_hour=price,
        high_usd_per_hour=1.25 * price,
        interruptions_per_month=interruptions,
        risk_is_prior=prior,
    )


def prices(*, spot: Sequence[SpotQuote] = (), plan_ratio: float | None = 0.7) -> PriceBook:
    quotes: dict[tuple[str, str], tuple[SpotQuote, ...]] = {}
    for one in spot:
        key = (one.region, one.instance_type)
        quotes[key] = (*quotes.get(key, ()), one)
    key = (REGION, LINUX)
    plan = {} if plan_ratio is None else {n: s[2] * plan_ratio for n, s in SIZES.items()}
    return PriceBook(
        offers={key: {n: Offer(shape=shape(n), price_usd_per_hour=s[2]) for n, s in SIZES.items()}},
        types={name: TypeFacts(shape=shape(name)) for name in SIZES},
        volumes={
            (REGION, "gp2"): VolumePrice(usd_per_gib=0.1),
            (REGION, "gp3"): VolumePrice(
                usd_per_gib=0.08,
                usd_per_iops=0.005,
                free_iops=3_000,
                usd_per_mib_per_second=0.04,
                free_mib_per_second=125,
            ),
            (REGION, "io1"): VolumePrice(usd_per_gib=0.125, usd_per_iops=0.065),
        },
        functions={
            REGION: FunctionPrice(
                usd_per_request=0.2e-6,
                usd_per_gib_second={Architecture.X86_64: 0.0000166667},
                usd_per_api_request=1e-6,
            )
        },
        plan_usd_per_hour={key: plan},
        spot=quotes,
    )


def panel(rows: Mapping[str, Mapping[Metric, FloatArray]], *, hours: int = HOURS) -> UsagePanel:
    """Rows by resource; what a resource does not have is NaN."""
    metrics = sorted({metric for row in rows.values() for metric in row})
    values = {
        metric: np.array(
            [row.get(metric, np.full(hours, np.nan)) for row in rows.values()], dtype=np.float32
        ).reshape(len(rows), hours)
        for metric in metrics
    }
    return UsagePanel(resources=tuple(rows), start=START, values=values)


def flat(level: float, *, hours: int = HOURS) -> FloatArray:
    return np.full(hours, level)


def office(*, busy: float, quiet: float, hours: int = HOURS) -> FloatArray:
    """Busy from 9 to 17 on working days."""
    hour = np.arange(hours)
    at_work = (hour % 24 >= 9) & (hour % 24 < 17) & (hour % 168 < 120)
    return np.where(at_work, busy, quiet)


def instance(
    name: str = "i-1",
    *,
    kind: str = "m5.xlarge",
    tags: Mapping[str, str] | None = None,
    state: InstanceState = InstanceState.RUNNING,
    lifecycle: Lifecycle = Lifecycle.ON_DEMAND,
    launched_at: datetime = OLD,
    zone: str = ZONES[0],
    group: str | None = None,
    product: str = LINUX,
    tenancy: str = "default",
) -> Instance:
    return Instance(
        instance_id=name,
        region=REGION,
        availability_zone=zone,
        instance_type=kind,
        product=product,
        lifecycle=lifecycle,
        state=state,
        launched_at=launched_at,
        group=group,
        tenancy=tenancy,
        tags=tags or {},
    )


def group(
    name: str = "web", *, members: Sequence[Instance], low: int = 1, high: int = 10, **more: object
) -> ScalingGroup:
    policies = more.get("policies", ())
    assert isinstance(policies, tuple)
    return ScalingGroup(
        name=name,
        region=REGION,
        min_size=low,
        max_size=high,
        desired=len(members),
        instance_ids=tuple(one.instance_id for one in members),
        predictive_policies=policies,
    )


def volume(kind: str, size_gib: float, *, iops: int | None = None, attached: bool = True) -> Volume:
    return Volume(
        volume_id="vol-1",
        region=REGION,
        availability_zone=ZONES[0],
        kind=kind,
        size_gib=size_gib,
        iops=iops,
        attached_to="i-1" if attached else None,
        created_at=OLD,
    )


def service(*ids: str) -> Service:
    return Service(
        service_id="targetgroup/t/1", region=REGION, load_balancer="app/a/1", instance_ids=ids
    )


def evidence(
    use: UsagePanel, *, book: PriceBook | None = None, policy: SavingsPolicy | None = None
) -> Evidence:
    return Evidence(panel=use, prices=book or prices(), policy=policy or SavingsPolicy(), now=NOW)


def machines(
    *members: Instance,
    use: UsagePanel,
    of: ScalingGroup | None = None,
    book: PriceBook | None = None,
) -> Machines:
    """The one resource that these instances are."""
    account = Inventory(
        observed_at=NOW,
        regions=(REGION,),
        instances=members,
        groups=() if of is None else (of,),
    )
    found, unknown = machines_of(account, use, book or prices())
    assert unknown == ()
    assert len(found) == 1
    return found[0]
