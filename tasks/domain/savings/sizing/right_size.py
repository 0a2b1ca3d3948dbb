"""Right-sizing: the cheapest type that gives what was used, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.domain.inventory import Instance, InstanceState, Lifecycle, ScalingGroup
from tasks.domain.savings.money import PriceBook, Usd
from tasks.domain.savings.opportunity import Effort, Kind, Opportunity, Rejection, Step
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.sizing.needs import CapacityNeed
from tasks.domain.savings.sizing.running_hours import monthly_hours
from tasks.domain.savings.sizing.type_choice import TypeChoice, group_alternatives, mean_price

DISRUPTION_ALONE = 0.3
"""An instance that is stopped and started is away for minutes."""
DISRUPTION_IN_GROUP = 0.1
"""A group is refreshed one instance after the other."""
DISRUPTION_OF_LOCAL_DISKS = 0.2
"""Added where local disks are emptied: what was on them has to be copied or built again."""
DAYS_TO_HALF_CONFIDENCE = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is to be right-sized.

    Attributes:
        resource: Instance id or group name.
        members: At least one instance, all of one type.
        most: Instances that can run at once.
        mean_week_hours: Instance-hours of the mean week as the bill has them; None for those seen.
    """

    resource: str
    members: tuple[Instance, ...]
    is_group: bool
    most: int = 1
    mean_week_hours: float | None = None

    @property
    def region(self) -> str:
        """Where it runs."""
        return self.members[0].region


def right_size(
    instance: Instance,
    need: CapacityNeed | None,
    *,
    prices: PriceBook,
    policy: SavingsPolicy,
    now: datetime,
    mean_week_hours: float | None = None,
) -> Opportunity | Rejection:
    """Return a cheaper type that is large enough for an instance, or why there is none.

    Args:
        instance: Outside of a group; a group has one type for all.
        need: From `capacity_needs`; None where nothing was observed.
        prices: Whatever is not in it is unknown, and not chosen.
        policy: Days of observation, budgets and permissions.
        now: Aware UTC, to say how long it has been up.
        mean_week_hours: Instance-hours of the mean week as the bill has them; None for those seen.
    """
    subject = Subject(
        resource=instance.instance_id,
        members=(instance,),
        is_group=False,
        mean_week_hours=mean_week_hours,
    )
    if instance.group is not None:
        return _rejected(subject, f"it belongs to {instance.group}, which has one type for all")
    if instance.lifecycle is Lifecycle.SPOT:
        why = "the type of a spot instance cannot be changed; launch one of a smaller type instead"
        return _rejected(subject, why)
    return _decided(subject, need, prices=prices, policy=policy, now=now)


def right_size_group(
    group: ScalingGroup,
    members: Sequence[Instance],
    need: CapacityNeed | None,
    *,
    prices: PriceBook,
    policy: SavingsPolicy,
    now: datetime,
    mean_week_hours: float | None = None,
) -> Opportunity | Rejection:
    """Return a cheaper type for all instances of a group, or why there is none.

    Args:
        group: Auto scaling group.
        members: Its instances now.
        need: Of its busiest member in every hour, from `capacity_needs`.
        prices: Whatever is not in it is unknown, and not chosen.
        policy: Days of observation, budgets and permissions.
        now: Aware UTC.
        mean_week_hours: Instance-hours of the mean week as the bill has them; None for those seen.
    """
    if not members:
        why = "it has no instances now; look again when it runs"
        return Rejection(kind=Kind.RIGHT_SIZE, resource=group.name, region=group.region, why=why)
    subject = Subject(
        resource=group.name,
        members=tuple(members),
        is_group=True,
        most=max(group.max_size, len(members)),
        mean_week_hours=mean_week_hours,
    )
    types = sorted({one.instance_type for one in members})
    if len(types) > 1:
        return _rejected(subject, f"it mixes {', '.join(types)}; right-size their list by hand")
    return _decided(subject, need, prices=prices, policy=policy, now=now)


def _decided(
    subject: Subject,
    need: CapacityNeed | None,
    *,
    prices: PriceBook,
    policy: SavingsPolicy,
    now: datetime,
) -> Opportunity | Rejection:
    why = _not_judged(subject, need, policy=policy, now=now)
    if why is not None or need is None:
        return _rejected(subject, why or "nothing was observed of it")
    price = mean_price(subject.members, need.instance_type, prices=prices)
    if price is None or need.instance_type not in prices.types:
        return _rejected(subject, _unpriced(subject, need.instance_type))
    found = group_alternatives(subject.members, need, prices=prices, policy=policy)
    if not found or found[0].usd_per_hour >= price:
        return _rejected(subject, _none_cheaper(need, price, found))
    local_disks = prices.types[need.instance_type].local_storage_gb > 0.0
    return _opportunity(subject, need, price, found[0], local_disks=local_disks)


def _not_judged(
    subject: Subject, need: CapacityNeed | None, *, policy: SavingsPolicy, now: datetime
) -> str | None:
    """Return why a resource is left as it is before any price is looked at."""
    one = subject.members[0]
    if one.state is not InstanceState.RUNNING:
        return f"it is {one.state}: only a running instance is billed for its type"
    if one.tenancy != "default":
        return f"tenancy {one.tenancy} has other prices; only shared tenancy is compared"
    if need is None:
        return (
            f"its processor use was not observed{_since(subject, now)}, or its type is not known; "
            "check CloudWatch, or wait"
        )
    if need.days < policy.min_days:
        return _too_few_days(subject, need, policy=policy, now=now)
    if need.saturated_share > policy.worst_exceed_share:
        return (
            f"it needs more, not less: nearly all of its processors in {need.saturated_share:.1%} "
            f"of hours, {policy.worst_exceed_share:.1%} is the limit"
        )
    return None


def _since(subject: Subject, now: datetime) -> str:
    if subject.is_group:
        return ""
    return f" since its last start {_days_up(subject, now):.1f} days ago"


def _days_up(subject: Subject, now: datetime) -> float:
    return (now - subject.members[0].launched_at) / timedelta(days=1)


def _too_few_days(
    subject: Subject, need: CapacityNeed, *, policy: SavingsPolicy, now: datetime
) -> str:
    found = f"{need.days:.1f} days were observed, {policy.min_days} are needed; wait"
    if subject.is_group or _days_up(subject, now) >= policy.min_days:
        return found
    return (
        f"it was started {_days_up(subject, now):.1f} days ago, and what was measured before may "
        f"be of another type: {found}"
    )


def _unpriced(subject: Subject, instance_type: str) -> str:
    one = subject.members[0]
    bought = "on spot" if one.lifecycle is Lifecycle.SPOT else "on demand"
    where = one.availability_zone if one.lifecycle is Lifecycle.SPOT else one.region
    return f"the price or size of {instance_type} {bought} in {where} ({one.product}) is not known"


def _none_cheaper(need: CapacityNeed, price: float, found: Sequence[TypeChoice]) -> str:
    wanted = f"{need.vcpu:g} vCPU and {_memory_words(need)}"
    if not found:
        return f"no other priced type gives {wanted} and loses nothing it has"
    best = found[0]
    return (
        f"nothing cheaper gives {wanted}: {best.instance_type} costs {best.usd_per_hour:.6g} "
        f"USD/h, {need.instance_type} {price:.6g}"
    )


def _memory_words(need: CapacityNeed) -> str:
    if need.memory_gib is None:
        return "as much memory (it is not measured)"
    return f"{need.memory_gib:.2f} GiB"


def _opportunity(
    subject: Subject,
    need: CapacityNeed,
    price: float,
    choice: TypeChoice,
    *,
    local_disks: bool,
) -> Opportunity:
    hours = monthly_hours(
        need.weekly_hours, instances=subject.most, mean_week=subject.mean_week_hours
    )
    difference = price - choice.usd_per_hour
    saving = hours.times(difference)
    return Opportunity(
        kind=Kind.RIGHT_SIZE,
        resource=subject.resource,
        region=subject.region,
        change=f"Change {subject.resource} from {need.instance_type} to {choice.instance_type}.",
        target={"instance_type": choice.instance_type, "from_instance_type": need.instance_type},
        evidence_from=need.evidence_from,
        evidence_to=need.evidence_to,
        steps=_steps(subject, need, price, choice, hours=hours),
        saving=saving,
        effort=_effort(subject, choice),
        restart=True,
        reversible=not local_disks,
        disruption=(DISRUPTION_IN_GROUP if subject.is_group else DISRUPTION_ALONE)
        + (DISRUPTION_OF_LOCAL_DISKS if local_disks else 0.0),
        confidence=confidence(need),
        notes=_notes(subject, need, choice, local_disks=local_disks),
    )


def confidence(need: CapacityNeed) -> float:
    """Return days / (days + 7) x (1 - 10 x exceeded share), 0 to 1.

    Grows with the days seen, half of it after a week. Falls with the share of hours in which more is
    expected to be wanted, ten times over, as an exceeded hour is noticed for longer than it lasts.
    It ranks and is not a probability: nothing has measured how often a change of confidence 0.8
    turns out well.
    """
    observed = need.days / (need.days + DAYS_TO_HALF_CONFIDENCE)
    return observed * max(0.0, 1.0 - 10.0 * need.exceeded_share)


def _steps(
    subject: Subject, need: CapacityNeed, price: float, choice: TypeChoice, *, hours: Usd
) -> tuple[Step, ...]:
    shape = choice.facts.shape
    memory = [
        Step(what="memory needed", formula=need.memory_basis, value=need.memory_gib, unit="GiB")
        if need.memory_gib is not None
        else Step(what="memory kept", formula=need.memory_basis, value=shape.memory_gib, unit="GiB")
    ]
    bought = "spot" if subject.members[0].lifecycle is Lifecycle.SPOT else "on demand"
    saving = hours.expected * (price - choice.usd_per_hour)
    return (
        Step(what="vCPU needed", formula=need.vcpu_basis, value=need.vcpu, unit="vCPU"),
        *memory,
        Step(what="price today", formula=f"{need.instance_type} {bought}", value=price,
             unit="USD/hour"),
        Step(what="price after", formula=f"{choice.instance_type} ({shape.vcpu:g} vCPU, "
             f"{shape.memory_gib:g} GiB) {bought}", value=choice.usd_per_hour, unit="USD/hour"),
        Step(what="hours a month", formula=_hours_words(subject, need), value=hours.expected,
             unit="hours"),
        Step(what="saving", formula=f"({price:.10g} - {choice.usd_per_hour:.10g}) USD/h x "
             f"{hours.expected:g} h", value=saving, unit="USD/month"),
    )  # fmt: skip


def _hours_words(subject: Subject, need: CapacityNeed) -> str:
    if subject.mean_week_hours is not None:
        return f"{subject.mean_week_hours:.1f} of the mean week x 730 / 168"
    weeks = " + ".join(f"{week:g}" for week in need.weekly_hours)
    return f"weeks seen ({weeks}) / {len(need.weekly_hours)} x 730 / 168"


def _effort(subject: Subject, choice: TypeChoice) -> Effort:
    if any(one.architecture is not choice.architecture for one in subject.members):
        return Effort.HIGH
    return Effort.MEDIUM if choice.notes or subject.is_group else Effort.LOW


def _notes(
    subject: Subject, need: CapacityNeed, choice: TypeChoice, *, local_disks: bool
) -> tuple[str, ...]:
    notes = list(choice.notes)
    if need.memory_gib is None:
        notes.append("memory is not measured: with the CloudWatch agent a smaller type may do")
    if choice.facts.family != need.instance_type.partition(".")[0]:
        notes.append("a vCPU of another family may be faster or slower; it was counted as equal")
    if local_disks:
        notes.append("its local disks are emptied: what has to last must be copied before")
    if subject.is_group:
        notes.append("the launch template changes; running instances follow by an instance refresh")
    else:
        notes.append("a stop changes its public address, unless that is an Elastic IP")
        notes += _routine_notes(subject.members[0], need)
    return tuple(notes)


def _routine_notes(instance: Instance, need: CapacityNeed) -> list[str]:
    if need.evidence_from >= instance.launched_at:
        return []
    return [
        f"it is stopped and started at regular times: what was measured since "
        f"{need.evidence_from:%Y-%m-%d} counts, and misleads if its type was changed since then"
    ]


def _rejected(subject: Subject, why: str) -> Rejection:
    return Rejection(
        kind=Kind.RIGHT_SIZE, resource=subject.resource, region=subject.region, why=why
    )
