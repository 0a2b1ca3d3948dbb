"""Right-sizing in types and USD: the recorded machines as EC2 instances, by the code that proposes.

Each machine is first given the cheapest type that holds the cores and the memory it had; its use is
what was recorded. Then every rule chooses a type by the hours before the cut: ours with
`capacity_needs` and `right_size`, the rivals with the cheapest type that holds their percentile and
headroom of processors and of memory. Types and prices are those of c5, m5 and r5 in us-east-1,
Linux, on demand. An hour is exceeded when a machine wants more processors, or more memory, than its
new type has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.harness import Metrics, show_table
from benchmarks.savings_data import Replay, bitbrains_cpu, bitbrains_memory
from benchmarks.savings_ours import DEFAULT_RISK
from benchmarks.savings_replay import TOLERANCE
from benchmarks.savings_rivals import NAMED
from tasks.domain.arrays import FloatArray
from tasks.domain.instances import Architecture, InstanceShape, Offer, TypeFacts
from tasks.domain.inventory import Instance, Inventory
from tasks.domain.savings.money import PriceBook
from tasks.domain.savings.opportunity import Opportunity
from tasks.domain.savings.policy import SavingsPolicy
from tasks.domain.savings.sizing.capacity_needs import capacity_needs
from tasks.domain.savings.sizing.right_size import right_size
from tasks.domain.usage.panel import Metric, UsagePanel

REGION, PRODUCT = "us-east-1", "Linux/UNIX"
FAMILIES = {"c5": (2.0, 0.0425), "m5": (4.0, 0.048), "r5": (8.0, 0.063)}
"""GiB and USD an hour of each vCPU."""
SIZES = {
    "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "9xlarge": 36, "12xlarge": 48,
    "24xlarge": 96,
}  # fmt: skip
RISKS = (0.001, 0.002, DEFAULT_RISK, 0.01, 0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rented:
    """Recorded machines as instances.

    Attributes:
        cpu: In cores.
        memory: In GiB, of the same machines.
        types: Ascending by price; before, after and so on are rows of it.
        before: (n,) type that each machine has at the cut.
    """

    cpu: Replay
    memory: Replay
    types: tuple[Offer, ...]
    before: tuple[int, ...]

    @property
    def size(self) -> FloatArray:
        """Size of each type, (types, 2): vCPU and GiB."""
        return np.array([(one.shape.vcpu, one.shape.memory_gib) for one in self.types])

    @property
    def usd_per_hour(self) -> FloatArray:
        """Price of each type."""
        return np.array([one.price_usd_per_hour for one in self.types])


def offers() -> tuple[Offer, ...]:
    """Return the types on sale, cheapest first."""
    found = [
        Offer(
            shape=InstanceShape(
                instance_type=f"{family}.{size}",
                vcpu=float(vcpu),
                memory_gib=vcpu * gib,
                architecture=Architecture.X86_64,
            ),
            price_usd_per_hour=round(vcpu * usd, 4),
        )
        for family, (gib, usd) in FAMILIES.items()
        for size, vcpu in SIZES.items()
    ]
    return tuple(sorted(found, key=lambda one: one.price_usd_per_hour))


def rented(folder: Path) -> Rented:
    """Return the machines whose processors and memory can both be judged, as instances."""
    cpu, memory = bitbrains_cpu(folder), bitbrains_memory(folder)
    both = set(cpu.machines) & set(memory.machines)
    cpu, memory = (one.of(np.array([m in both for m in one.machines])) for one in (cpu, memory))
    types = offers()
    before = _cheapest(types, cpu.provisioned, memory.provisioned)
    fits = np.array([at is not None for at in before])
    return Rented(
        cpu=cpu.of(fits),
        memory=memory.of(fits),
        types=types,
        before=tuple(at for at in before if at is not None),
    )


def _cheapest(
    types: tuple[Offer, ...], vcpu: FloatArray, memory_gib: FloatArray
) -> list[int | None]:
    shapes = [one.shape for one in types]
    return [
        next((at for at, s in enumerate(shapes) if s.vcpu >= cores and s.memory_gib >= gib), None)
        for cores, gib in zip(vcpu.tolist(), memory_gib.tolist(), strict=True)
    ]


def rival_types(fleet: Rented, name: str) -> list[int]:
    """Return the types by a percentile and headroom, never dearer than before."""
    policy = NAMED[name]
    wanted = _cheapest(fleet.types, policy.capacities(fleet.cpu), policy.capacities(fleet.memory))
    pairs = zip(wanted, fleet.before, strict=True)
    return [was if at is None else min(at, was) for at, was in pairs]


def our_types(fleet: Rented, policy: SavingsPolicy) -> list[int]:
    """Return the types that `right_size` proposes; where it proposes none, the one before."""
    panel, inventory, prices = _account(fleet)
    needs = capacity_needs(panel, inventory, prices.types, policy)
    rows = {one.shape.instance_type: row for row, one in enumerate(fleet.types)}
    found = []
    for instance in inventory.instances:
        need = needs.instances.get(instance.instance_id)
        one = right_size(instance, need, prices=prices, policy=policy, now=panel.end)
        name = one.target["instance_type"] if isinstance(one, Opportunity) else None
        found.append(rows[str(name or instance.instance_type)])
    return found


def _account(fleet: Rented) -> tuple[UsagePanel, Inventory, PriceBook]:
    names = [fleet.types[at].shape.instance_type for at in fleet.before]
    size = fleet.size[list(fleet.before)]
    start = fleet.cpu.start or datetime(2013, 7, 1, tzinfo=UTC)
    used = {
        Metric.CPU_MEAN: fleet.cpu.history / size[:, [0]],
        Metric.MEMORY_MEAN: fleet.memory.history / size[:, [1]],
    }
    panel = UsagePanel(
        resources=fleet.cpu.machines,
        start=start,
        values={metric: (found * 100.0).astype(np.float32) for metric, found in used.items()},
    )
    instances = tuple(
        Instance(
            instance_id=machine,
            region=REGION,
            availability_zone=f"{REGION}a",
            instance_type=name,
            launched_at=start,
        )
        for machine, name in zip(fleet.cpu.machines, names, strict=True)
    )
    prices = PriceBook(
        offers={(REGION, PRODUCT): {one.shape.instance_type: one for one in fleet.types}},
        types={one.shape.instance_type: TypeFacts(shape=one.shape) for one in fleet.types},
    )
    inventory = Inventory(observed_at=panel.end, regions=(REGION,), instances=instances)
    return panel, inventory, prices


def outcome(fleet: Rented, after: list[int]) -> Metrics:
    """Return the share of the bill saved, and of hours in which the new type is too small."""
    before, usd = list(fleet.before), fleet.usd_per_hour
    over_cpu, over_memory = (
        _over(part, fleet.size[after, column])
        for column, part in enumerate((fleet.cpu, fleet.memory))
    )
    hours = float((~np.isnan(fleet.cpu.judged)).sum())
    return {
        "saved_share": float(1.0 - usd[after].sum() / usd[before].sum()),
        "exceeded_hours_share": float((over_cpu | over_memory).sum() / hours),
        "memory_exceeded_hours_share": float(over_memory.sum() / hours),
    }


def _over(replay: Replay, size: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray(replay.judged > size[:, None] * (1.0 + TOLERANCE))


def bill_metrics(folder: Path) -> Metrics:
    """Return what each rule saves of the bill, and how often its types are too small."""
    fleet = rented(folder)
    base = SavingsPolicy()
    outcomes = {
        f"risk {risk:.1%}": outcome(fleet, our_types(fleet, replace(base, exceed_share=risk)))
        for risk in RISKS
    }
    rivals = {name: outcome(fleet, rival_types(fleet, name)) for name in NAMED}
    rows = [(name, *(f"{x:.4f}" for x in one.values() if x is not None))
            for name, one in (outcomes | rivals).items()]  # fmt: skip
    columns = ["", "bill saved", "exceeded hours", "of memory"]
    show_table(f"EC2 types: {len(fleet.before)} machines", columns, rows)
    found: Metrics = {"bill_machines": len(fleet.before)}
    for name, one in {"": outcomes[f"risk {DEFAULT_RISK:.1%}"], **rivals}.items():
        prefix = f"{name}_bill" if name else "bill"
        found |= {f"{prefix}_{key}": value for key, value in one.items()}
    for risk in RISKS:
        one = outcomes[f"risk {risk:.1%}"]
        label = f"{risk * 1000:g}_permille"
        found[f"bill_curve_saved_share_{label}"] = one["saved_share"]
        found[f"bill_curve_exceeded_hours_share_{label}"] = one["exceeded_hours_share"]
    return found
