"""Instance types that give what is needed, and what each costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.domain.instances import Architecture, TypeFacts
from tasks.domain.inventory import Instance, Lifecycle
from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.policy import ARCHITECTURE_TAG, SavingsPolicy
from tasks.domain.savings.sizing.needs import CapacityNeed

LINUX = "Linux/UNIX"
QUIET_NETWORK_GBPS = 0.1
QUIET_DISK_MIB_PER_SECOND = 20.0
"""What a type of unknown bandwidth is trusted with."""
# Share of a vCPU that is earned for good, by size of t2, t3, t3a and t4g (EC2 user guide).
BASELINE_PERCENT = {
    "nano": 5.0, "micro": 10.0, "small": 20.0, "medium": 20.0, "large": 30.0, "xlarge": 40.0,
    "2xlarge": 40.0,
}  # fmt: skip
BASELINE_USED_AT_MOST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeChoice:
    """A type that would do.

    Attributes:
        usd_per_hour: Of one instance, bought as the resource is bought today.
        notes: What an approver should know of the change.
    """

    facts: TypeFacts
    usd_per_hour: float
    notes: tuple[str, ...] = ()

    @property
    def instance_type(self) -> str:
        """For example "m6g.large"."""
        return self.facts.shape.instance_type

    @property
    def architecture(self) -> Architecture:
        """Instruction set."""
        return self.facts.shape.architecture


def group_alternatives(
    members: Sequence[Instance], need: CapacityNeed, *, prices: PriceBook, policy: SavingsPolicy
) -> tuple[TypeChoice, ...]:
    """Return every type that does for all of some instances of one type, cheapest first.

    Their present type is left out; where that is not known there is none. Of equal price the one with more memory, then more vCPU, then by name. A type without facts or
    without a price for one of them is left out.
    """
    current = prices.types.get(need.instance_type)
    if current is None:
        return ()
    allowed = allowed_architectures(members, policy)
    fits = [
        TypeChoice(facts=facts, usd_per_hour=price, notes=change_notes(current, facts))
        for facts in _offered(members[0], prices)
        if obstacle(current, facts, need, allowed=allowed) is None
        and (price := mean_price(members, facts.shape.instance_type, prices=prices)) is not None
    ]
    return tuple(sorted(fits, key=_order))


def _order(choice: TypeChoice) -> tuple[float, float, float, str]:
    shape = choice.facts.shape
    return (choice.usd_per_hour, -shape.memory_gib, -shape.vcpu, shape.instance_type)


def _offered(instance: Instance, prices: PriceBook) -> Iterable[TypeFacts]:
    names = prices.offers.get((instance.region, instance.product), {})
    return (prices.types[name] for name in names if name in prices.types)


def hourly_price(instance: Instance, instance_type: str, *, prices: PriceBook) -> float | None:
    """Return USD an hour of a type, bought as the instance is; None where it is not known.

    On spot that is the forecast for its zone, of Linux only.
    """
    if instance.lifecycle is not Lifecycle.SPOT:
        return prices.on_demand(instance_type, region=instance.region, product=instance.product)
    if instance.product != LINUX:
        return None
    quotes = prices.spot.get((instance.region, instance_type), ())
    zone = instance.availability_zone
    return next((one.usd_per_hour for one in quotes if one.availability_zone == zone), None)


def mean_price(
    members: Sequence[Instance], instance_type: str, *, prices: PriceBook
) -> float | None:
    """Return USD an hour of a type, mean over instances; None where one of them has no price."""
    found = [hourly_price(one, instance_type, prices=prices) for one in members]
    known = [price for price in found if price is not None]
    return sum(known) / len(known) if len(known) == len(found) else None


def allowed_architectures(
    members: Sequence[Instance], policy: SavingsPolicy
) -> frozenset[Architecture]:
    """Return what may run: what runs now, and arm64 or x86 where somebody said that it does too."""
    own = frozenset(one.architecture for one in members)
    linux = all(one.product == LINUX for one in members)
    tagged = all(one.tags.get(ARCHITECTURE_TAG) == Architecture.ANY for one in members)
    either = frozenset({Architecture.X86_64, Architecture.ARM64})
    return either if linux and (tagged or policy.allow_arm64) else own


def obstacle(
    current: TypeFacts,
    candidate: TypeFacts,
    need: CapacityNeed,
    *,
    allowed: frozenset[Architecture],
) -> str | None:
    """Return why a type will not do; None where it will."""
    was, would = current.shape, candidate.shape
    memory = was.memory_gib if need.memory_gib is None else min(need.memory_gib, was.memory_gib)
    checks = {
        "it is the present type": would.instance_type == was.instance_type,
        f"{would.architecture} was not allowed": would.architecture not in allowed,
        f"{would.vcpu:g} vCPU, {need.vcpu:g} needed": would.vcpu < need.vcpu,
        f"{would.memory_gib:g} GiB, {memory:.2f} needed": would.memory_gib < memory,
        "an older generation": _is_older(candidate, than=current),
        "bare metal for virtual, or the reverse": candidate.bare_metal != current.bare_metal,
        "other accelerators": _other_accelerators(current, candidate),
        "less local storage": candidate.local_storage_gb < current.local_storage_gb,
        "its processor credits may run out": not _credits_last(current, candidate, need),
        "too little network": not _suffices(
            candidate.network_gbps, current.network_gbps, need.network_gbps, QUIET_NETWORK_GBPS
        ),
        "too little throughput to volumes": not _suffices(
            candidate.ebs_mib_per_second,
            current.ebs_mib_per_second,
            need.disk_mib_per_second,
            QUIET_DISK_MIB_PER_SECOND,
        ),
    }
    return next((why for why, holds in checks.items() if holds), None)


def _is_older(candidate: TypeFacts, *, than: TypeFacts) -> bool:
    """Return whether a type would be a step back; its processors are slower than its size says."""
    if than.current_generation and not candidate.current_generation:
        return True
    return candidate.generation < than.generation


def _other_accelerators(current: TypeFacts, candidate: TypeFacts) -> bool:
    if current.accelerators == 0:
        return candidate.accelerators > 0
    return candidate.family != current.family or candidate.accelerators < current.accelerators


def _credits_last(current: TypeFacts, candidate: TypeFacts, need: CapacityNeed) -> bool:
    """Return whether a burstable type's credits would last.

    Only from one burstable type to another: what used full cores for hours finds them throttled,
    or pays for credits that no price list shows, and hourly means cannot tell which.
    """
    if not candidate.bursts:
        return True
    size = candidate.shape.instance_type.partition(".")[2]
    if not current.bursts or size not in BASELINE_PERCENT:
        return False
    used = need.mean_cpu_percent * current.shape.vcpu / candidate.shape.vcpu
    return used <= BASELINE_USED_AT_MOST * BASELINE_PERCENT[size]


def _suffices(
    candidate: float | None, current: float | None, needed: float | None, quiet: float
) -> bool:
    """Return whether a bandwidth suffices; what was not measured must not shrink."""
    if needed is not None:
        return needed <= (quiet if candidate is None else candidate) or (
            # What it has now has been enough, or nobody could have measured it.
            candidate is not None and current is not None and candidate >= current
        )
    return current is None or (candidate is not None and candidate >= current)


def change_notes(current: TypeFacts, candidate: TypeFacts) -> tuple[str, ...]:
    """Return what has to be checked before the type is changed."""
    notes = []
    if candidate.nitro and not current.nitro:
        notes.append(
            f"{candidate.shape.instance_type} runs on Nitro: the image needs ENA and NVMe drivers, "
            "and names of devices change"
        )
    if candidate.shape.architecture is not current.shape.architecture:
        notes.append(
            f"the image is {current.shape.architecture}: another one for "
            f"{candidate.shape.architecture} is needed"
        )
    return tuple(notes)
