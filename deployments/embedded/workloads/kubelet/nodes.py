"""What kubelets write of their nodes: registration, status and leases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deployments.embedded.workloads.containers.eviction import LEAST_DISK_FRACTION, LEAST_MEMORY_MIB
from deployments.embedded.workloads.containers.status import timestamp
from deployments.embedded.workloads.physics.noise import key_of
from deployments.embedded.workloads.physics.profiles import NodeProfile

Body = dict[str, Any]
ADDRESS = "127.0.0.1"
"""Of every machine: the one daemon that plays all of them listens there."""
PODS = 110
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
LEASE_SECONDS = 40
RENEW_SECONDS = 10.0
REPORT_SECONDS = 300.0
"""As kubelets do by default: nodeLeaseDurationSeconds, a quarter of it, nodeStatusReportFrequency."""
VERSION = "v1.36.0"

_CONDITIONS = (
    ("MemoryPressure", "memory", ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
     ("KubeletHasSufficientMemory", "kubelet has sufficient memory available")),
    ("DiskPressure", "disk", ("KubeletHasDiskPressure", "kubelet has disk pressure"),
     ("KubeletHasNoDiskPressure", "kubelet has no disk pressure")),
    ("PIDPressure", "pids", ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
     ("KubeletHasSufficientPID", "kubelet has sufficient PID available")),
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class NodeVoice:
    """What one kubelet has to say of its node, and when it said it.

    Attributes:
        profile: Of the node.
        port: Of the daemon.
        short: "memory" and "disk", whether the node is short of it.
        uid: Of the Node object; empty before it is known.
        since: Condition to its status and its last transition, Unix time of the wall.
    """

    profile: NodeProfile
    port: int
    short: dict[str, bool] = field(default_factory=dict)
    uid: str = ""
    since: dict[str, tuple[str, float]] = field(default_factory=dict)

    def node(self, wall: float) -> Body:
        """Return the Node as it is registered."""
        name, zone = self.profile.name, self.profile.zone
        labels = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/os": "linux",
            "topology.kubernetes.io/zone": zone,
            "topology.kubernetes.io/region": zone.rpartition("-")[0] or zone,
        }
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": {},
        } | self.status(wall)

    def status(self, wall: float) -> Body:
        """Return the status, as a patch."""
        return {
            "status": {
                # No Hostname: API servers prefer it, and nobody can look it up.
                "addresses": [{"type": "InternalIP", "address": ADDRESS}],
                "capacity": _capacity(self.profile),
                "allocatable": _allocatable(self.profile),
                "conditions": self._conditions(wall),
                "daemonEndpoints": {"kubeletEndpoint": {"Port": self.port}},
                "nodeInfo": _node_info(self.profile.name),
            }
        }

    def _conditions(self, wall: float) -> list[Body]:
        found = []
        for name, key, bad, good in _CONDITIONS:
            short = self.short.get(key, False)
            found.append(
                self._condition(name, "True" if short else "False", bad if short else good, wall)
            )
        ready = ("KubeletReady", "kubelet is posting ready status")
        return [*found, self._condition("Ready", "True", ready, wall)]

    def _condition(self, name: str, status: str, why: tuple[str, str], wall: float) -> Body:
        known = self.since.get(name)
        if known is None or known[0] != status:
            known = self.since[name] = (status, wall)
        return {
            "type": name,
            "status": status,
            "reason": why[0],
            "message": why[1],
            "lastHeartbeatTime": timestamp(wall),
            "lastTransitionTime": timestamp(known[1]),
        }

    def lease(self, wall: float) -> Body:
        """Return the lease, renewed now."""
        name = self.profile.name
        owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": self.uid}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "ownerReferences": [owner] if self.uid else []},
            "spec": {
                "holderIdentity": name,
                "leaseDurationSeconds": LEASE_SECONDS,
                "renewTime": micro_time(wall),
            },
        }


def micro_time(seconds: float) -> str:
    """Return an instant as leases have it, in microseconds."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _capacity(profile: NodeProfile) -> Mapping[str, str]:
    return _resources(profile.cpu_cores, profile.memory_mib, profile.disk_mib)


def _allocatable(profile: NodeProfile) -> Mapping[str, str]:
    # What the system uses is reserved, and what eviction keeps free is not given away.
    return _resources(
        profile.cpu_cores - profile.system_cpu_cores,
        profile.memory_mib - profile.system_memory_mib - LEAST_MEMORY_MIB,
        profile.disk_mib * (1.0 - LEAST_DISK_FRACTION),
    )


def _resources(cores: float, memory_mib: float, disk_mib: float) -> Mapping[str, str]:
    return {
        "cpu": f"{max(cores, 0.0) * 1e3:.0f}m",
        "memory": f"{max(memory_mib, 0.0) * 1024:.0f}Ki",
        "ephemeral-storage": f"{max(disk_mib, 0.0) * 1024:.0f}Ki",
        "pods": str(PODS),
    }


def _node_info(name: str) -> Mapping[str, str]:
    digits = "".join(f"{key_of(name, seed=part):016x}" for part in range(2))
    uuid = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"
    return {
        "machineID": digits,
        "systemUUID": uuid,
        "bootID": uuid[::-1].replace("-", "")[:32],
        "kernelVersion": "6.12.48-generic",
        "osImage": "Ubuntu 24.04.3 LTS",
        "containerRuntimeVersion": "containerd://2.2.0",
        "kubeletVersion": VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": "amd64",
    }
