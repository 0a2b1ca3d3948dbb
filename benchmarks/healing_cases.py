"""What is broken, what ails the workload then, what may be done about it, and how it has to end.

This table judges the healing loop, and was written before it. A case names the causes that a good
engineer would accept from what the cluster shows, the remedies that may be applied, and whether it has
to be healed or handed to a person; for the latter, the reason. `spared` workloads must not be touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.domain.healing.causes import Cause, Remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that goes wrong.

    Attributes:
        name: Of the case.
        subject: Workload of the shop, node, or service outside, as `homeostat break` has it.
        kind: Of the fault or of the mistake.
        values: Of its fields.
        causes: Any of them is right.
        remedies: What may be done; others are wrong. None needs to be.
        escalates: Why a person has to be told in the end; empty where it has to be healed.
        lasts_seconds: After which a fault goes by itself; 0 for one that stays until it is healed.
        spared: Workloads that suffer from it, and that must be left alone.
    """

    name: str
    subject: str
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    causes: frozenset[Cause]
    remedies: frozenset[Remedy] = frozenset()
    escalates: str = ""
    lasts_seconds: float = 0.0
    spared: frozenset[str] = frozenset()


def _case(name: str, subject: str, kind: str, causes: Cause | tuple[Cause, ...],
          *remedies: Remedy, **more: Any) -> Case:  # fmt: skip
    those = causes if isinstance(causes, tuple) else (causes,)
    return Case(
        name=name,
        subject=subject,
        kind=kind,
        causes=frozenset(those),
        remedies=frozenset(remedies),
        **more,
    )


_CLIENTS = frozenset({"shop/checkout", "shop/order-worker", "shop/payments", "shop/reports"})

CASES: tuple[Case, ...] = (
    _case("data has grown beyond the limit", "cart", "memory-demand", Cause.OUT_OF_MEMORY,
          Remedy.RESIZE, values={"factor": 3.0}),
    _case("a leak", "recommendations", "memory-leak", Cause.MEMORY_LEAK,
          Remedy.RESTART, Remedy.RESIZE,
          values={"mib_per_hour": 12_000.0}, escalates="memory grows whatever the limit"),
    _case("an image that was never pushed", "reports", "image-tag", Cause.IMAGE,
          Remedy.ROLL_BACK, values={"tag": "2.5.1-rc1"}),
    _case("a release that exits at its start", "search", "image-tag", Cause.CONFIGURATION,
          Remedy.ROLL_BACK, values={"tag": "2.5.0"}),
    _case("a key that its ConfigMap does not have", "web", "missing-key", Cause.CONFIGURATION,
          Remedy.ROLL_BACK),
    _case("a variable that was forgotten", "cart", "dropped-variable", Cause.CONFIGURATION,
          Remedy.ROLL_BACK),
    _case("a command that is not in the image", "web", "command", Cause.CONFIGURATION,
          Remedy.ROLL_BACK),
    _case("a limit below what the program needs to start", "catalogue", "limit",
          (Cause.OUT_OF_MEMORY, Cause.CONFIGURATION), Remedy.ROLL_BACK, Remedy.RESIZE,
          values={"resource": "memory", "quantity": "48Mi"}),
    _case("a request that no node can meet", "recommendations", "request", Cause.CAPACITY,
          Remedy.ROLL_BACK),
    _case("a probe that asks for a page that is not there", "cart", "probe-place", Cause.PROBE,
          Remedy.ROLL_BACK),
    _case("liveness that kills before it is up", "search", "impatience", Cause.PROBE,
          Remedy.ROLL_BACK, Remedy.PATIENCE),
    _case("a start that takes longer than its probe waits", "recommendations", "slow-start",
          Cause.PROBE, Remedy.PATIENCE, values={"factor": 8.0}),
    _case("a database that is down", "database", "dependency-down", Cause.DEPENDENCY,
          escalates="a dependency is down", lasts_seconds=240.0, spared=_CLIENTS),
    _case("a gateway outside that is down", "payments.example.com", "dependency-down",
          Cause.DEPENDENCY, escalates="a dependency is down", lasts_seconds=240.0,
          spared=frozenset({"shop/checkout", "shop/payments"})),
    _case("a partition between two workloads", "cart", "edge-partition", Cause.DEPENDENCY,
          values={"target": "cache"}, escalates="a dependency cannot be reached",
          lasts_seconds=240.0, spared=frozenset({"shop/checkout", "shop/cache"})),
    _case("a certificate that has expired", "checkout", "certificate-expired", Cause.DEPENDENCY,
          values={"target": "payments"}, escalates="a dependency cannot be reached",
          lasts_seconds=240.0, spared=frozenset({"shop/payments"})),
    _case("names that cannot be looked up", "checkout", "dns-failure", Cause.DEPENDENCY,
          escalates="a dependency cannot be reached", lasts_seconds=240.0,
          spared=frozenset({"shop/cart", "shop/payments", "shop/database"})),
    _case("a deadlock in half of the replicas", "cart", "deadlock", Cause.DEADLOCK,
          Remedy.RESTART, Remedy.REPLACE, values={"share": 0.5}),
    _case("files of one pod that are corrupt", "catalogue", "corrupt-state", Cause.CORRUPT_STATE,
          Remedy.REPLACE, Remedy.RESTART, values={"share": 0.2}),
    _case("a host that kills again and again", "api", "host-kill", Cause.KILLED_FROM_OUTSIDE,
          Remedy.REPLACE, values={"every_seconds": 60.0, "share": 0.3},
          escalates="processes are killed from outside"),
    _case("a machine that is off", "node-3", "node-lost", Cause.NODE_LOST,
          Remedy.CORDON, Remedy.REPLACE),
    _case("a machine that only does not report", "node-2", "node-partitioned",
          Cause.NODE_PARTITIONED, Remedy.CORDON, lasts_seconds=240.0,
          escalates="a node reports nothing while its pods go on"),
    _case("a neighbour that takes the processor", "node-4", "noisy-neighbour",
          (Cause.NOISY_NEIGHBOUR, Cause.NODE_PRESSURE), Remedy.REPLACE, Remedy.CORDON,
          Remedy.RESTART, values={"cores": 3.5}),
    _case("a disk that fills", "search", "disk-fill", (Cause.DISK, Cause.NODE_PRESSURE),
          Remedy.REPLACE, Remedy.RESTART, values={"mib_per_hour": 1_500_000.0, "share": 0.3},
          escalates="a disk fills whatever is restarted"),
    _case("three times the requests", "web", "traffic-spike", Cause.TRAFFIC,
          Remedy.SCALE, values={"factor": 3.0}),
    _case("a limit of processor below the load", "api", "limit",
          (Cause.DEGRADED, Cause.CONFIGURATION, Cause.PROBE), Remedy.ROLL_BACK, Remedy.RESIZE,
          values={"resource": "cpu", "quantity": "150m"}),
    _case("errors of the program, without a change", "recommendations", "error-rate",
          Cause.DEGRADED, Remedy.RESTART, values={"fraction": 0.4}, lasts_seconds=300.0,
          escalates="errors that no remedy of ours explains"),
    _case("a foreign process that computes and sends", "catalogue", "security-signal",
          Cause.SECURITY, Remedy.ISOLATE, values={"cores": 0.4, "egress_mib_per_second": 4.0},
          escalates="a security signal"),
)  # fmt: skip
"""Every one on a shop that was well before, alone."""
