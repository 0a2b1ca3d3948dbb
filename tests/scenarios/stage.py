"""One scenario on one cluster: what was before, and what can be seen and measured since."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deployments.embedded.workloads.containers.status import timestamp
from tasks.domain.errors import InfraError
from tests.support.played_cluster import (
    DEPLOYMENTS,
    SHOP,
    PlayedCluster,
    condition,
    is_rolled_out,
    waiting,
)

Body = dict[str, Any]
DATABASE = "database"
NODE = "a node"
"""As a subject: the one with most pods, but not with the database, which everything else needs."""


@dataclass(kw_only=True)
class Stage:
    """A cluster while one scenario is played on it.

    Attributes:
        played: The cluster.
        subject: Name of a workload of the shop, or of a node.
        is_node: It is that of a node.
        since: When the scenario began, on the wall.
        restarts: Of every pod of the shop before, by name.
        measured: What `measures` said before.
        containers: Of the Deployment before; empty for a node.
        residents: Names of the pods that were on the node before.
        faults: Names of those in force.
        refusals: What the API server said of what it did not do.
    """

    played: PlayedCluster
    subject: str
    is_node: bool
    since: float = field(default_factory=time.time)
    restarts: dict[str, int] = field(default_factory=dict)
    measured: dict[str, float] = field(default_factory=dict)
    containers: list[Body] = field(default_factory=list)
    residents: frozenset[str] = frozenset()
    faults: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, played: PlayedCluster, subject: str) -> Stage:
        """Return a stage on which nothing has happened yet."""
        is_node = subject == NODE
        found = cls(
            played=played, subject=_quiet_node(played) if is_node else subject, is_node=is_node
        )
        pods = played.api.get(f"{SHOP}/pods")["items"]
        found.restarts = {one["metadata"]["name"]: restarts(one) for one in pods}
        found.measured = found.measures()
        if is_node:
            on_it = [one for one in pods if one["spec"].get("nodeName") == found.subject]
            found.residents = frozenset(one["metadata"]["name"] for one in on_it)
        else:
            found.containers = found.deployment()["spec"]["template"]["spec"]["containers"]
        return found

    @property
    def path(self) -> str:
        """Return where the API has the Deployment."""
        return f"{DEPLOYMENTS}/{self.subject}"

    def deployment(self) -> Body:
        """Return the Deployment of the workload."""
        return self.played.api.get(self.path)

    def node(self) -> Body:
        """Return the node."""
        return self.played.api.get(f"/api/v1/nodes/{self.subject}")

    def pods(self) -> list[Body]:
        """Return the pods of the workload, or those on the node."""
        if not self.is_node:
            return self.played.pods(self.subject)
        selector = f"spec.nodeName={self.subject}"
        found: list[Body] = self.played.api.get(f"{SHOP}/pods", fieldSelector=selector)["items"]
        return found

    def events(self) -> Iterator[tuple[str, str, str]]:
        """Yield type, reason and message of what was told since of the workload's pods or the node."""
        names = {one["metadata"]["name"] for one in self.pods()} | {self.subject}
        start = self.subject if self.is_node else f"{self.subject}-"
        for one in self.played.api.get("/api/v1/events")["items"]:
            about = one["involvedObject"]["name"]
            at = one.get("lastTimestamp") or one.get("eventTime") or ""
            # Of whole seconds and of microseconds the first nineteen characters are alike.
            is_new = at[:19] >= timestamp(self.since)[:19]
            if is_new and (about in names or about.startswith(start)):
                yield one["type"], one["reason"], one["message"]

    def logs(self, *, previous: bool, container: str = "") -> Iterator[str]:
        """Yield the logs of the pods, of those that have one and can be reached."""
        for one in self.pods():
            # A pod of several containers has no log of its own.
            name = container or one["spec"]["containers"][0]["name"]
            said = {"previous": "true" if previous else "false", "container": name}
            try:
                yield self.played.api.text(f"{SHOP}/pods/{one['metadata']['name']}/log", **said)
            except InfraError:
                continue

    def columns(self, *names: str) -> list[tuple[str, ...]]:
        """Return columns that `kubectl get pods` prints of the workload's pods."""
        selector = f"app.kubernetes.io/name={self.subject}"
        found = self.played.table(f"{SHOP}/pods", labelSelector=selector)
        return [tuple(str(row[name]) for name in names) for row in found]

    def measures(self) -> dict[str, float]:
        """Return what metrics would show now, as means over the replicas (or those on the node)."""
        found = self.played.running.kubelets.snapshot()
        tick, world = found.tick, found.world
        assert tick is not None
        answer, placement = tick.answer, tick.placement
        if self.is_node:
            at = [one.name for one in world.nodes].index(self.subject)
            rows = np.flatnonzero(placement.node == at)
            whole = {"node_cpu_cores": float(answer.node_cpu_cores[at])}
        else:
            at = [one.name for one in world.workloads].index(f"shop/{self.subject}")
            rows = np.flatnonzero(placement.workload == at)
            offered = max(float(answer.workload_offered_rps[at]), 1e-9)
            whole = {
                "offered_rps": offered,
                "failed_fraction": float(answer.workload_failed_rps[at]) / offered,
                "latency_seconds": float(answer.workload_latency_seconds[at]),
            }
        offered = max(float(answer.offered_rps[rows].sum()), 1e-9)
        return {
            "failed_fraction": float(answer.failed_rps[rows].sum()) / offered,
            "cpu_cores": _mean(answer.cpu_cores[rows]),
            "throttled_fraction": _mean(answer.throttled_fraction[rows]),
            "sent_bytes": _mean(answer.network_out_bytes[rows]),
            "memory_mib": _mean(answer.memory_mib[rows]),
            "running": float(placement.running[rows].sum()),
            "answered_rps": float(answer.served_rps[rows].sum()),
            **whole,
        }  # fmt: skip

    def troubles(self) -> str:
        """Return what is not well anywhere in the shop; empty when all is."""
        played, found = self.played, []
        for one in played.api.get(f"{SHOP}/pods")["items"]:
            leaves = "deletionTimestamp" in one["metadata"]
            if leaves or waiting(one) or condition(one, "Ready") != "True":
                said = waiting(one) or one["status"]["phase"]
                found.append(f"pod {one['metadata']['name']} {said} leaves={leaves}")
        for one in played.api.get("/api/v1/nodes")["items"]:
            odd = one["spec"].get("taints") or one["spec"].get("unschedulable")
            if odd or condition(one, "Ready") != "True":
                found.append(f"node {one['metadata']['name']} {json.dumps(odd)}")
        found += [
            f"deployment {one['metadata']['name']} {json.dumps(one.get('status'))}"
            for one in played.api.get(DEPLOYMENTS)["items"]
            if not is_rolled_out(one)
        ]
        return "; ".join(found)


def restarts(pod: Body) -> int:
    """Return how often the first container of a pod was restarted."""
    for one in (pod.get("status") or {}).get("containerStatuses") or ():
        return int(one["restartCount"])
    return 0


def _mean(values: Any) -> float:
    return float(values.mean()) if len(values) else 0.0


def _quiet_node(played: PlayedCluster) -> str:
    held = {one["spec"].get("nodeName") for one in played.pods(DATABASE)}
    pods = played.api.get(f"{SHOP}/pods")["items"]
    count = Counter(str(one["spec"].get("nodeName")) for one in pods)
    return max((name for name in count if name not in held), key=lambda name: (count[name], name))
