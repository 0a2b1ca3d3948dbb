"""What kube-state-metrics tells of pods, nodes and Deployments."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from deployments.embedded.prometheus.container_metrics import MIB
from deployments.embedded.prometheus.families import Family
from deployments.embedded.prometheus.labels import Labels, labels_of
from deployments.embedded.prometheus.scraped import STATE, DeploymentState, Scrape, state, variants
from deployments.embedded.workloads.containers.eviction import pressure
from deployments.embedded.workloads.containers.table import REASONS, Phase, Reason
from deployments.embedded.workloads.engine import Pod
from deployments.embedded.workloads.physics.arrays import Bools, Floats
from deployments.embedded.workloads.physics.profiles import NodeProfile

PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
_WAITING = {
    "ContainerCreating": (Phase.NEW, Phase.CREATING),
    "ErrImagePull": (Phase.PULL_ERROR,),
    "ImagePullBackOff": (Phase.PULL_BACK_OFF,),
    "CreateContainerConfigError": (Phase.CONFIG_ERROR,),
    "CrashLoopBackOff": (Phase.BACK_OFF,),
}
_CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure")
_ANSWERS = ("true", "false", "unknown")


def pod_families(scrape: Scrape) -> Iterator[Family]:
    """Yield kube_pod_*: of every pod that is bound to a node."""
    yield from _pods(scrape)
    yield from _containers(scrape)
    yield from _resources(scrape)


def _pods(scrape: Scrape) -> Iterator[Family]:
    tick, pods, nodes = scrape.tick, scrape.pods, scrape.world.nodes
    ready = _ready(scrape)

    def info(pod: Pod) -> list[Labels]:
        owner = scrape.world.workloads[pod.workload].name.split("/")[1]
        return [state(pod, node=nodes[pod.node].name, created_by_name=owner)]

    yield pods.family("kube_pod_info", info, np.ones(len(pods.things)))
    yield pods.family(
        "kube_pod_created",
        lambda pod: [state(pod)],
        [pod.created_seconds for pod in pods.things],
    )
    yield pods.family(
        "kube_pod_status_phase",
        lambda pod: [state(pod, **one) for one in variants("phase", PHASES)],
        _phases(scrape),
    )
    yield pods.family(
        "kube_pod_status_ready",
        lambda pod: [state(pod, **one) for one in variants("condition", _ANSWERS)],
        np.stack([ready, ~ready, np.zeros(len(ready), dtype=bool)], axis=1),
    )
    yield pods.family("kube_pod_container_status_ready", _container, ready & tick.placement.running)


def _ready(scrape: Scrape) -> Bools:
    """Return (R,) the condition as the API has it: of a node that is silent, what others made it."""
    tick = scrape.tick
    found: Bools = np.where(scrape.seen, tick.table.ready, tick.placement.ready)
    return found


def _phases(scrape: Scrape) -> Floats:
    """Return (R, 5) 1 for the phase of each pod."""
    table = scrape.tick.table
    begun, gone = table.started_at > 0, table.phase == Phase.GONE
    which = np.where(gone, np.where(table.exit_code == 0, 2, 3), np.where(begun, 1, 0))
    found: Floats = (which[:, None] == np.arange(len(PHASES))).astype(float)
    return found


def _container(pod: Pod) -> list[Labels]:
    return [state(pod, container=pod.spec.name)]


def _containers(scrape: Scrape) -> Iterator[Family]:
    table, pods = scrape.tick.table, scrape.pods
    running = scrape.tick.placement.running
    yield pods.family("kube_pod_container_status_restarts_total", _container, table.restarts)
    yield pods.family("kube_pod_container_status_running", _container, running)
    waits = np.stack([np.isin(table.phase, phases) for phases in _WAITING.values()], axis=1)
    yield pods.family(
        "kube_pod_container_status_waiting_reason",
        lambda pod: [
            state(pod, container=pod.spec.name, **one) for one in variants("reason", [*_WAITING])
        ],
        np.ones(waits.shape),
        waits,
    )
    reasons = [one for one in Reason if one is not Reason.NONE]
    ended = (table.reason[:, None] == reasons) & (table.finished_at > 0)[:, None]
    yield pods.family(
        "kube_pod_container_status_last_terminated_reason",
        lambda pod: [
            state(pod, container=pod.spec.name, **one)
            for one in variants("reason", [REASONS[reason] for reason in reasons])
        ],
        np.ones(ended.shape),
        ended,
    )


def _resources(scrape: Scrape) -> Iterator[Family]:
    placed, nodes = scrape.tick.placement, scrape.world.nodes

    def labels(pod: Pod) -> list[Labels]:
        place = {"container": pod.spec.name, "node": nodes[pod.node].name}
        return [
            state(pod, resource="cpu", unit="core", **place),
            state(pod, resource="memory", unit="byte", **place),
        ]

    for kind, cores, mebibytes in (
        ("limits", placed.cpu_limit_cores, placed.memory_limit_mib),
        ("requests", placed.cpu_request_cores, placed.memory_request_mib),
    ):
        values = np.stack([cores, mebibytes * MIB], axis=1)
        there = np.isfinite(values) & (values > 0)
        yield scrape.pods.family(f"kube_pod_container_resource_{kind}", labels, values, there)


def node_state_families(scrape: Scrape) -> Iterator[Family]:
    """Yield kube_node_*: of every node."""
    answer, columns = scrape.tick.answer, scrape.world.node_columns
    short, reports = pressure(scrape.world, answer), answer.node_reports
    conditions = np.stack([reports, short.memory, short.disk], axis=1)
    known = np.repeat(reports[:, None], len(_CONDITIONS), axis=1)
    answers = np.stack([known & conditions, known & ~conditions, ~known], axis=2)

    def labels(node: NodeProfile) -> list[Labels]:
        return [
            labels_of(STATE | {"node": node.name, "condition": condition, "status": status})
            for condition in _CONDITIONS
            for status in _ANSWERS
        ]

    yield scrape.nodes.family(
        "kube_node_status_condition", labels, answers.reshape(len(reports), -1)
    )
    yield scrape.nodes.family(
        "kube_node_status_capacity",
        lambda node: [
            labels_of(STATE | {"node": node.name, "resource": "cpu", "unit": "core"}),
            labels_of(STATE | {"node": node.name, "resource": "memory", "unit": "byte"}),
        ],
        np.stack([columns["cpu_cores"], columns["memory_mib"] * MIB], axis=1),
    )


def deployment_families(scrape: Scrape) -> Iterator[Family]:
    """Yield kube_deployment_*: of the Deployments that are known."""

    def labels(one: DeploymentState) -> list[Labels]:
        return [labels_of(STATE | {"namespace": one.namespace, "deployment": one.name})]

    told: dict[str, Callable[[DeploymentState], int]] = {
        "spec_replicas": lambda one: one.spec_replicas,
        "status_replicas": lambda one: one.replicas,
        "status_replicas_ready": lambda one: one.ready,
        "status_replicas_available": lambda one: one.available,
        "status_replicas_unavailable": lambda one: (
            max(one.replicas, one.spec_replicas) - one.available
        ),
        "status_replicas_updated": lambda one: one.updated,
    }
    for name, value in told.items():
        values = [value(one) for one in scrape.deployments.things]
        yield scrape.deployments.family(f"kube_deployment_{name}", labels, values)
