"""From a step of the simulator to metrics, under the names that clusters have them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from deployments.embedded.prometheus.container_metrics import container_families, node_families
from deployments.embedded.prometheus.exposition import Described
from deployments.embedded.prometheus.families import Family
from deployments.embedded.prometheus.request_metrics import (
    queue_families,
    request_families,
    up_families,
)
from deployments.embedded.prometheus.scraped import Scrape
from deployments.embedded.prometheus.state_metrics import (
    deployment_families,
    node_state_families,
    pod_families,
    replica_set_families,
)

_COUNTERS = {
    "container_cpu_usage_seconds_total": "Processor time used, seconds.",
    "container_cpu_cfs_periods_total": "Periods of 0.1 s in which a limit was enforced.",
    "container_cpu_cfs_throttled_periods_total": "Of those, in which the limit cut it short.",
    "container_network_receive_bytes_total": "Received, bytes.",
    "container_network_transmit_bytes_total": "Sent, bytes.",
    "kube_pod_container_status_restarts_total": "Restarts of the container.",
    "http_requests_total": "Requests by status code.",
    "messages_processed_total": "Messages taken from a queue, by outcome.",
}
_HISTOGRAMS = {
    "http_request_duration_seconds": "Latency of requests that were answered well, seconds.",
    "message_duration_seconds": "Time for each message that was handled well, seconds.",
}
_GAUGES = {
    "container_memory_working_set_bytes": "Memory in use, bytes.",
    "container_start_time_seconds": "Start of the process, Unix time.",
    "container_fs_usage_bytes": "Written to the node's disk and kept, bytes.",
    "kubelet_volume_stats_used_bytes": "Used of a volume, bytes.",
    "kubelet_volume_stats_capacity_bytes": "Size of a volume, bytes.",
    "node_memory_MemTotal_bytes": "Memory of the machine, bytes.",
    "node_memory_MemAvailable_bytes": "Of that, free for use, bytes.",
    "node_filesystem_size_bytes": "Disk of the machine, bytes.",
    "node_filesystem_avail_bytes": "Of that, free, bytes.",
    "kube_pod_info": "Node and maker of a pod; always 1.",
    "kube_pod_owner": "Controller of a pod; always 1.",
    "kube_replicaset_owner": "Controller of a ReplicaSet; always 1.",
    "kube_pod_created": "Creation of the pod, Unix time.",
    "kube_pod_status_phase": "1 for the phase that the pod is in.",
    "kube_pod_status_ready": "1 for the state of the condition Ready.",
    "kube_pod_container_status_ready": "1 when the container is ready.",
    "kube_pod_container_status_running": "1 when the container runs.",
    "kube_pod_container_status_waiting_reason": "1 for why the container waits.",
    "kube_pod_container_status_last_terminated_reason": "1 for why the container ended last.",
    "kube_pod_container_resource_limits": "Limits, cores or bytes.",
    "kube_pod_container_resource_requests": "Requests, cores or bytes.",
    "kube_node_status_condition": "1 for the state of a condition.",
    "kube_node_status_capacity": "Of the machine, cores or bytes.",
    "kube_node_status_allocatable": "Of the machine, for pods, cores or bytes.",
    "kube_node_spec_unschedulable": "1 when the node is cordoned.",
    "kube_deployment_status_observed_generation": "Of the specification that the status is of.",
    "kube_deployment_spec_replicas": "Replicas wanted.",
    "kube_deployment_status_replicas": "Replicas there are.",
    "kube_deployment_status_replicas_ready": "Of those, ready.",
    "kube_deployment_status_replicas_available": "Of those, available.",
    "kube_deployment_status_replicas_unavailable": "Replicas that are missing or not available.",
    "kube_deployment_status_replicas_updated": "Of those, by the newest template.",
    "rabbitmq_queue_messages_ready": "Messages that wait in a queue.",
    "up": "1 when the last scrape was answered.",
}
DESCRIBED: dict[str, Described] = {
    name: Described(kind=kind, text=text)
    for kind, texts in (("counter", _COUNTERS), ("histogram", _HISTOGRAMS), ("gauge", _GAUGES))
    for name, text in texts.items()
}
"""Every metric that there is; a histogram by the name its parts share."""


def families(scrape: Scrape) -> Iterator[Family]:
    """Yield every metric at the end of a step, also those without any series.

    Args:
        scrape: The step, and who was there.
    """
    return chain(
        container_families(scrape),
        node_families(scrape),
        pod_families(scrape),
        node_state_families(scrape),
        deployment_families(scrape),
        replica_set_families(scrape),
        request_families(scrape),
        queue_families(scrape),
        up_families(scrape),
    )
