"""What kube-state-metrics tells of pods, nodes and Deployments."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from deployments.embedded.prometheus.api_states import CONDITIONS, NodeState, ReplicaSetState
from deployments.embedded.prometheus.container_metrics import MIB
from deployments.embedded.prometheus.families import Family, Things
from deployments.embedded.prometheus.labels import Labels, labels_of
from deployments.embedded.prometheus.scraped import STATE, DeploymentState, Scrape, state, variants
from deployments.embedded.workloads.containers.eviction import LEAST_MEMORY_MIB, pressure
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
        made = _maker(scrape, pod, "created_by_kind", "created_by_name")
        return [state(pod, node=nodes[pod.node].name, **made)]

    def owner(pod: Pod) -> list[Labels]:
        whose = _maker(scrape, pod, "owner_kind", "owner_name")
        return [state(pod, owner_is_controller="true" if whose else "", **whose)]

    yield pods.family("kube_pod_info", info, np.ones(len(pods.things)))
    yield pods.family("kube_pod_owner", owner, np.ones(len(pods.things)))
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


def _maker(scrape: Scrape, pod: Pod, kind: str, name: str) -> dict[str, str]:
    """Return labels of the ReplicaSet that a pod is named by; none of a pod that is no ReplicaSet's."""
    stem = pod.name.rpartition("-")[0]
    if scrape.set_names is not None and (pod.namespace, stem) not in scrape.set_names:
        return {}
    return {kind: "ReplicaSet", name: stem}


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
    yield _conditions(scrape)
    columns, states = scrape.world.node_columns, scrape.node_states
    by_name = {one.name: one for one in (states.things if states else ())}
    names = [node.name for node in scrape.nodes.things]
    there = np.array([states is None or name in by_name for name in names])
    system = columns["system_cpu_cores"], columns["system_memory_mib"] + LEAST_MEMORY_MIB
    for kind, cpu, memory in (
        ("capacity", 0.0, 0.0),
        # As kubelets register it: what the system uses is reserved, what eviction keeps free not given away.
        ("allocatable", *system),
    ):
        cores = np.maximum(columns["cpu_cores"] - cpu, 0.0)
        mebibytes = np.maximum(columns["memory_mib"] - memory, 0.0)
        values = np.stack([cores, mebibytes * MIB], axis=1)
        yield scrape.nodes.family(f"kube_node_status_{kind}", _node_resources, values, there)
    cordoned = [name in by_name and by_name[name].unschedulable for name in names]
    yield scrape.nodes.family(
        "kube_node_spec_unschedulable",
        lambda node: [labels_of(STATE | {"node": node.name})],
        cordoned,
        there,
    )


def _node_resources(node: NodeProfile) -> list[Labels]:
    return [
        labels_of(STATE | {"node": node.name, "resource": "cpu", "unit": "core"}),
        labels_of(STATE | {"node": node.name, "resource": "memory", "unit": "byte"}),
    ]


def _condition_labels(node: NodeProfile | NodeState) -> list[Labels]:
    return [
        labels_of(STATE | {"node": node.name, "condition": condition, "status": status})
        for condition in CONDITIONS
        for status in _ANSWERS
    ]


def _conditions(scrape: Scrape) -> Family:
    """Return the conditions as the API has them, which is later than a node is lost; or of the world."""
    name, states = "kube_node_status_condition", scrape.node_states
    if states is not None:
        said = [[one.conditions.get(key, "") for key in CONDITIONS] for one in states.things]
        told = np.char.lower(np.array(said, dtype=str).reshape(-1, len(CONDITIONS), 1))
        matches = (told == np.array(_ANSWERS)).reshape(-1, len(CONDITIONS) * len(_ANSWERS))
        known = np.repeat((told != "")[:, :, 0], len(_ANSWERS), axis=1)
        return states.family(name, _condition_labels, matches, known)
    answer = scrape.tick.answer
    short, reports = pressure(scrape.world, answer), answer.node_reports
    conditions = np.stack([reports, short.memory, short.disk], axis=1)
    known = np.repeat(reports[:, None], len(CONDITIONS), axis=1)
    answers = np.stack([known & conditions, known & ~conditions, ~known], axis=2)
    return scrape.nodes.family(name, _condition_labels, answers.reshape(len(reports), -1))


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
        "status_observed_generation": lambda one: one.observed_generation,
    }
    for name, value in told.items():
        values = [value(one) for one in scrape.deployments.things]
        yield scrape.deployments.family(f"kube_deployment_{name}", labels, values)


def replica_set_families(scrape: Scrape) -> Iterator[Family]:
    """Yield kube_replicaset_*: of the ReplicaSets that are known."""

    def owner(one: ReplicaSetState) -> list[Labels]:
        whose = {"owner_kind": one.owner_kind, "owner_name": one.owner_name}
        controlled = {"owner_is_controller": "true"} if one.owner_name else {}
        return [
            labels_of(
                STATE | {"namespace": one.namespace, "replicaset": one.name} | whose | controlled
            )
        ]

    sets: Things[ReplicaSetState] = Things(scrape.replica_sets or ())
    yield sets.family("kube_replicaset_owner", owner, np.ones(len(sets.things)))
