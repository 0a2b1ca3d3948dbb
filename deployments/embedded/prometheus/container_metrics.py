"""What cAdvisor in a node's kubelet, and the node exporter beside it, tell of containers and machines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from deployments.embedded.prometheus.families import Family
from deployments.embedded.prometheus.labels import Labels, labels_of
from deployments.embedded.prometheus.scraped import Scrape
from deployments.embedded.workloads.engine import Pod
from deployments.embedded.workloads.physics.profiles import NodeProfile

MIB = 2.0**20


def container_families(scrape: Scrape) -> Iterator[Family]:
    """Yield container_*: of processes that run, on nodes whose kubelet answers."""
    tick, pods = scrape.tick, scrape.pods
    answer, counters, running = tick.answer, tick.counters, scrape.running

    def container(pod: Pod) -> list[Labels]:
        return [scrape.kubelet(pod, container=pod.spec.name, image=pod.spec.image)]

    def network(pod: Pod) -> list[Labels]:
        return [scrape.kubelet(pod, interface="eth0")]

    limited = running & np.isfinite(tick.placement.cpu_limit_cores)
    plain = {
        "container_cpu_usage_seconds_total": (counters.cpu_seconds, running),
        "container_cpu_cfs_periods_total": (counters.periods, limited),
        "container_cpu_cfs_throttled_periods_total": (counters.throttled_periods, limited),
        "container_memory_working_set_bytes": (answer.memory_mib * MIB, running),
        "container_start_time_seconds": (tick.table.started_at, running),
    }
    for name, (values, there) in plain.items():
        yield pods.family(name, container, values, there)
    on_node = scrape.world.writes_to_node[tick.placement.workload]
    yield pods.family(
        "container_fs_usage_bytes", container, answer.disk_mib * MIB, running & on_node
    )
    traffic = {
        "container_network_receive_bytes_total": counters.received_bytes,
        "container_network_transmit_bytes_total": counters.sent_bytes,
    }
    for name, values in traffic.items():
        yield pods.family(name, network, values, running)
    yield from _volumes(scrape)


def _volumes(scrape: Scrape) -> Iterator[Family]:
    tick, world = scrape.tick, scrape.world
    sizes = np.array([one.volume_mib or 0.0 for one in world.workloads])[tick.placement.workload]
    there = scrape.running & ~world.writes_to_node[tick.placement.workload]

    def claim(pod: Pod) -> list[Labels]:
        name = world.workloads[pod.workload].name.split("/")[1]
        return [scrape.kubelet(pod, persistentvolumeclaim=f"{name}-data")]

    used = tick.answer.disk_mib * MIB
    yield scrape.pods.family("kubelet_volume_stats_used_bytes", claim, used, there)
    yield scrape.pods.family("kubelet_volume_stats_capacity_bytes", claim, sizes * MIB, there)


def node_families(scrape: Scrape) -> Iterator[Family]:
    """Yield node_*: of machines that can be reached."""
    answer, columns = scrape.tick.answer, scrape.world.node_columns
    memory, disk = columns["memory_mib"], columns["disk_mib"]
    told = {
        "node_memory_MemTotal_bytes": memory,
        "node_memory_MemAvailable_bytes": np.maximum(memory - answer.node_memory_mib, 0.0),
        "node_filesystem_size_bytes": disk,
        "node_filesystem_avail_bytes": np.maximum(disk - answer.node_disk_mib, 0.0),
    }
    for name, mebibytes in told.items():
        more = {"mountpoint": "/"} if "filesystem" in name else {}

        def exporter(node: NodeProfile, more: dict[str, str] = more) -> list[Labels]:
            return [labels_of(node_exporter(node) | more)]

        yield scrape.nodes.family(name, exporter, mebibytes * MIB, scrape.node_answers)


def node_exporter(node: NodeProfile) -> dict[str, str]:
    """Return labels that the exporter of a node is scraped with."""
    return {"job": "node-exporter", "instance": f"{node.name}:9100", "node": node.name}
