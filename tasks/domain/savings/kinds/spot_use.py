"""Spot instead of on demand, where an interruption is bearable and its cost is counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.domain.instances import InstanceShape, TypeFacts
from tasks.domain.savings.bill import Spend
from tasks.domain.savings.cover import LINUX
from tasks.domain.savings.evidence import (
    Evidence,
    confidence,
    is_production,
    known_window,
    reject,
    saving_step,
    tag_says,
    usd_step,
)
from tasks.domain.savings.machines import Machines
from tasks.domain.savings.money import HOURS_PER_MONTH, SpotQuote, Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection, Step
from tasks.domain.savings.policy import SPOT_TAG
from tasks.domain.savings.running import days_known
from tasks.domain.savings.selection.alternatives import Stage
from tasks.domain.usage.panel import Metric

REWORK_HOURS = 0.5
"""Work of one instance that is lost with each interruption and done again."""
PRIOR_FACTOR = 0.75
"""Of the confidence, where interruptions are believed and not observed."""
STAND_IN_HOURS = 1.0
"""How long an on-demand instance stands in after an interruption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mix:
    """Pools to spread over, each with the same number of instances.

    Attributes:
        floor_share: Of the instances, that stay on demand.
    """

    pools: tuple[SpotQuote, ...]
    floor_share: float
    on_demand_usd_per_hour: float

    def mean(self, values: Sequence[float]) -> float:
        return math.fsum(values) / len(values)

    @property
    def usd_per_hour(self) -> float:
        return self.mean([one.usd_per_hour for one in self.pools])

    @property
    def high_usd_per_hour(self) -> float:
        """Or on demand, which stands in where spot gets dearer."""
        high = self.mean([one.high_usd_per_hour for one in self.pools])
        return min(max(high, self.usd_per_hour), self.on_demand_usd_per_hour)

    @property
    def interruptions_per_month(self) -> float:
        return self.mean([one.interruptions_per_month for one in self.pools])

    @property
    def interruption_usd_per_hour(self) -> float:
        """Of rework and stand-in, per running hour."""
        per_event = REWORK_HOURS * self.on_demand_usd_per_hour + STAND_IN_HOURS * max(
            self.on_demand_usd_per_hour - self.usd_per_hour, 0.0
        )
        return self.interruptions_per_month / HOURS_PER_MONTH * per_event


def spot_use(machines: Machines, evidence: Evidence) -> Stage | Rejection | None:
    """Return the opportunity to run on spot what need not run on demand.

    Args:
        machines: A group, or a single instance with the tag that allows it.
        evidence: Prices with spot quotes, and policy.

    Returns:
        None for what is on spot or does not run.
    """
    if not machines.all_on_demand or not machines.running.any():
        return None
    why = _forbidden(machines)
    if why is not None:
        return reject(Kind.SPOT, machines.key, why)
    kind, price = machines.instance_type, machines.usd_per_hour
    if kind is None or price is None:
        why = "several types or systems are mixed in it, so that what is as large is not defined"
        return reject(Kind.SPOT, machines.key, why)
    floor = _floor_share(machines, evidence)
    if floor >= 1.0:
        why = (
            f"it runs {machines.running.mean():.1f} instances and at least "
            f"{evidence.policy.spot_floor_share:.0%} stay on demand, rounded up: none is left"
        )
        return reject(Kind.SPOT, machines.key, why)
    pools = _pools(machines, kind, price, evidence)
    if isinstance(pools, str):
        return reject(Kind.SPOT, machines.key, pools)
    mix = _Mix(pools=pools, floor_share=floor, on_demand_usd_per_hour=price)
    return _stage(machines, mix, evidence)


def _forbidden(machines: Machines) -> str | None:
    whose = [one.tags for one in machines.instances]
    if machines.group is not None:
        whose.append(machines.group.tags)
    if any(tag_says(tags, SPOT_TAG) == "never" for tags in whose):
        return f"the tag {SPOT_TAG} says never" + (" on one of it" if len(whose) > 1 else "")
    allowed = tag_says(machines.tags, SPOT_TAG) == "allowed"
    if machines.product != LINUX:
        return f"spot prices are quoted for {LINUX}, it runs {machines.product}"
    if machines.group is None and not allowed:
        return (
            "a single instance outside of a group may hold state that an interruption takes; "
            f"set the tag {SPOT_TAG} to allowed if it does not"
        )
    if not allowed and any(is_production(tags) is True for tags in whose):
        return (
            f"it is tagged as production: set the tag {SPOT_TAG} to allowed on the group, or on "
            "all its instances, if interruptions are bearable"
        )
    return None


def _floor_share(machines: Machines, evidence: Evidence) -> float:
    """Return the share that stays on demand, in whole instances; 0 of a single one."""
    if machines.group is None:
        return 0.0
    count = max(round(float(machines.running.mean())), 1)
    return min(math.ceil(evidence.policy.spot_floor_share * count - 1e-9) / count, 1.0)


def _pools(
    machines: Machines, kind: str, price: float, evidence: Evidence
) -> tuple[SpotQuote, ...] | str:
    """Return the cheapest pools, interruptions counted, or why there are too few."""
    facts, policy = evidence.prices.types, evidence.policy
    if kind not in facts:
        return f"the size of {kind} is unknown"
    zones = {one.availability_zone for one in machines.instances}
    quotes = [
        quote
        for name in sorted(facts)
        if _at_least_as_big(facts[name], facts[kind])
        for quote in evidence.prices.spot.get((machines.region, name), ())
        if quote.availability_zone in zones
    ]
    if not quotes:
        return f"no spot quote of {kind} or a larger type in {', '.join(sorted(zones))} is known"
    most = policy.spot_interruptions_per_month
    calm = [one for one in quotes if one.interruptions_per_month <= most]
    cheap = [one for one in calm if one.usd_per_hour < price]
    if len(cheap) < policy.spot_pools:
        return (
            f"{len(cheap)} of {len(quotes)} pools as large are cheaper than {price:.4f} USD/h and "
            f"expect at most {most:g} interruptions a month ({len(calm)} do), "
            f"{policy.spot_pools} are needed"
        )
    ordered = sorted(cheap, key=lambda q: (_cost(q, price), q.instance_type, q.availability_zone))
    return tuple(ordered[: max(policy.spot_pools, 1)])


def _cost(quote: SpotQuote, price: float) -> float:
    one = _Mix(pools=(quote,), floor_share=0.0, on_demand_usd_per_hour=price)
    return one.usd_per_hour + one.interruption_usd_per_hour


def _at_least_as_big(other: TypeFacts, present: TypeFacts) -> bool:
    return (
        _fits(other.shape, present.shape)
        and other.accelerators == present.accelerators
        and other.local_storage_gb >= present.local_storage_gb
        and not other.bare_metal
        and (present.bursts or not other.bursts)
        and (other.nitro == present.nitro or present.nitro)
        and other.generation >= present.generation
    )


def _fits(other: InstanceShape, present: InstanceShape) -> bool:
    return (
        other.architecture == present.architecture
        and other.vcpu >= present.vcpu
        and other.memory_gib >= present.memory_gib
    )


def _stage(machines: Machines, mix: _Mix, evidence: Evidence) -> Stage | Rejection:
    hours = machines.hours_per_month
    spot_hours = hours * (1.0 - mix.floor_share)
    per_hour = mix.usd_per_hour + mix.interruption_usd_per_hour
    before_usd = machines.spend.usd
    kept = tuple(
        replace(line, running=line.running * mix.floor_share) for line in machines.spend.lines
    )
    spend = Spend(
        lines=kept if mix.floor_share > 0.0 else (),
        other_usd=machines.spend.other_usd + spot_hours * per_hour,
    )
    if spend.usd >= before_usd:
        why = f"with interruptions spot costs {per_hour:.4f} USD/h, on demand "
        why += f"{mix.on_demand_usd_per_hour:.4f}"
        return reject(Kind.SPOT, machines.key, why)
    return Stage(
        opportunity=_opportunity(machines, mix, evidence, after_usd=spend.usd), spend=spend
    )


def _opportunity(
    machines: Machines, mix: _Mix, evidence: Evidence, *, after_usd: float
) -> Opportunity:
    before_usd, price = machines.spend.usd, mix.on_demand_usd_per_hour
    spot_hours = machines.hours_per_month * (1.0 - mix.floor_share)
    saving = before_usd - after_usd
    dearer = spot_hours * (mix.high_usd_per_hour - mix.usd_per_hour)
    prior = any(one.risk_is_prior for one in mix.pools)
    names = ", ".join(f"{one.instance_type} in {one.availability_zone}" for one in mix.pools)
    share = 1.0 - mix.floor_share
    single = machines.group is None
    metric = Metric.CPU_MEAN if single else Metric.INSTANCES
    window = known_window(evidence, machines.series, metric)
    days = days_known(evidence.panel, machines.series, metric)
    return Opportunity(
        kind=Kind.SPOT,
        resource=machines.name,
        region=machines.region,
        change=f"Run {share:.0%} of {machines.name} on spot, spread over {len(mix.pools)} pools.",
        target={
            "pools": names,
            "on_demand_share": mix.floor_share,
            "max_usd_per_hour": price,
        },
        evidence_from=window[0],
        evidence_to=window[1],
        steps=_steps(machines, mix, after_usd=after_usd),
        # At best nothing is interrupted; at worst all pools are as dear as 1 week in 10.
        saving=Usd(
            low=saving - dearer,
            expected=saving,
            high=saving + spot_hours * mix.interruption_usd_per_hour,
        ),
        effort=Effort.MEDIUM,
        restart=True,
        reversible=True,
        disruption=0.4 if single else 0.15,
        confidence=confidence(Kind.SPOT, days, factor=PRIOR_FACTOR if prior else 1.0),
        notes=(
            f"pools: {names}",
            f"about {mix.interruptions_per_month:.2f} interruptions a month of each instance, "
            + ("a stated belief, nothing was observed" if prior else "from what was observed"),
            f"on demand stands in for {STAND_IN_HOURS:g} h after each, and {REWORK_HOURS:g} h of "
            "work are done again",
        ),
    )


def _steps(machines: Machines, mix: _Mix, *, after_usd: float) -> tuple[Step, ...]:
    price, hours = mix.on_demand_usd_per_hour, machines.hours_per_month
    before_usd, share = machines.spend.usd, 1.0 - mix.floor_share
    each = " + ".join(f"{one.usd_per_hour:.4f}" for one in mix.pools)
    cost, spot = mix.interruption_usd_per_hour, mix.usd_per_hour
    return (
        usd_step("on demand today", f"{price:.4f} USD/h x {hours:.1f} h", before_usd),
        Step(
            what="spot, mean of the pools",
            formula=f"({each}) / {len(mix.pools)}",
            value=spot,
            unit="USD/h",
        ),
        Step(
            what="interruptions",
            formula=f"{mix.interruptions_per_month:.3f} / 730 h x ({REWORK_HOURS:g} h x "
            f"{price:.4f} + {STAND_IN_HOURS:g} h x ({price:.4f} - {spot:.4f}))",
            value=cost,
            unit="USD/h",
        ),
        usd_step(
            "then",
            f"{hours:.1f} h x ({mix.floor_share:.3f} x {price:.4f} + {share:.3f} x "
            f"({spot:.4f} + {cost:.5f}))",
            after_usd,
        ),
        saving_step(before_usd, after_usd),
    )
