"""What a decision sees of a cluster: plain values, read from objects and metrics by adapters.

Times are Unix seconds, memory is bytes, processor time is cores. What is not known is None, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.domain.arrays import FloatArray

ENABLED = "autonomous/enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a container ended.

    Attributes:
        exit_code: 128 and more for signals.
        reason: As the kubelet has it: OOMKilled, Error, Completed, StartError.
        message: The kubelet's; may be empty.
        ran_seconds: From start to end; None when it never ran.
        at_seconds: When it ended.
    """

    exit_code: int
    reason: str
    message: str = ""
    ran_seconds: float | None = None
    at_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerView:
    """One container of a pod, init containers too.

    Attributes:
        name: Of it.
        initial: It is an init container.
        ready: It is.
        running: It runs.
        started_seconds: Since when it runs; None when it does not.
        restarts: How often it was started again.
        waiting: Why it waits, for example ImagePullBackOff; empty when it does not.
        waiting_message: The kubelet's.
        ended: How it ended, when that is its present state.
        ended_before: How it ended last before the present state.
    """

    name: str
    initial: bool = False
    ready: bool = False
    running: bool = False
    started_seconds: float | None = None
    restarts: int = 0
    waiting: str = ""
    waiting_message: str = ""
    ended: End | None = None
    ended_before: End | None = None

    @property
    def last_end(self) -> End | None:
        """How it ended last; None when it never did."""
        return self.ended or self.ended_before


@dataclass(frozen=True, slots=True, kw_only=True)
class PodView:
    """A pod of a workload.

    Attributes:
        name, uid, node: Of it; the node is empty while it is not scheduled.
        phase: Pending, Running, Succeeded, Failed or Unknown.
        reason: Of the phase, for example Evicted or NodeLost.
        ready: It is.
        unready_since_seconds: When it last stopped being ready; None while it is, or never was.
        created_seconds: When it was made.
        unschedulable: What the scheduler says; empty when it has a node.
        template: Hash of the template that it was made from.
        deleting_since_seconds: None when it is not being deleted.
        containers: Init containers first.
    """

    name: str
    uid: str
    node: str
    phase: str
    reason: str = ""
    ready: bool = False
    unready_since_seconds: float | None = None
    created_seconds: float
    unschedulable: str = ""
    template: str = ""
    deleting_since_seconds: float | None = None
    containers: tuple[ContainerView, ...] = ()

    @property
    def main(self) -> ContainerView | None:
        """The first container that is none of the init containers; None before it has a status."""
        return next((one for one in self.containers if not one.initial), None)

    @property
    def restarts(self) -> int:
        """Of all its containers."""
        return sum(one.restarts for one in self.containers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A Kubernetes event.

    Attributes:
        kind, name: What it is about.
        reason: For example Unhealthy, Killing, FailedScheduling.
        message: For people.
        count: How often it was seen.
        last_seconds: When it was seen last.
    """

    kind: str
    name: str
    reason: str
    message: str
    count: int
    last_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A template that a workload had.

    Attributes:
        number: Higher is newer.
        template: Its hash.
        replicas, ready: Pods that are of it now.
        created_seconds: When it was first rolled out.
    """

    number: int
    template: str
    replicas: int
    ready: int
    created_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What a container is given; None where nothing is set."""

    cpu_request: float | None = None
    cpu_limit: float | None = None
    memory_request: float | None = None
    memory_limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """Numbers of a workload's replicas.

    Attributes:
        wanted: By its specification.
        there, ready, available, updated: By its status.
        observed: The status is of the newest specification.
        stuck: Its roll-out has passed its deadline.
    """

    wanted: int
    there: int
    ready: int
    available: int
    updated: int
    observed: bool = True
    stuck: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a workload's metrics say of the last minutes, and of the hour before them.

    Attributes:
        rps: Requests or messages a second; None where it has no such metric.
        error_share: Of them, 0 to 1.
        latency_p95_seconds: Of them.
        usual_rps, usual_error_share, usual_latency_p95_seconds: The same, of the hour before.
        queue: Messages that wait.
    """

    rps: float | None = None
    error_share: float | None = None
    latency_p95_seconds: float | None = None
    usual_rps: float | None = None
    usual_error_share: float | None = None
    usual_latency_p95_seconds: float | None = None
    queue: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodWork:
    """What a pod's metrics say.

    Attributes:
        cpu_cores: Used, mean of the last minutes.
        throttled_share: Of its periods, 0 to 1.
        memory_bytes: Working set.
        memory_times, memory_values: (n,) of the last half hour, since its container started.
        rps: Requests a second that it answered, mean of the last minutes.
        sent_bytes: A second.
        answers: Its program answers when it is scraped.
    """

    cpu_cores: float | None = None
    throttled_share: float | None = None
    memory_bytes: float | None = None
    memory_times: FloatArray | None = None
    memory_values: FloatArray | None = None
    rps: float | None = None
    sent_bytes: float | None = None
    answers: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadView:
    """A workload that is looked after.

    Attributes:
        namespace, name, uid: Of it.
        generation: Of its specification.
        annotations, labels: Of it.
        template: Hash of its present template.
        changed_seconds: When that was rolled out; None when it is not known.
        replicas: Numbers.
        sizes: Of its first container.
        image: Of its first container.
        pods: All of them.
        revisions: The newest first.
        notes: About it, its replica sets and its pods; the newest first.
        logs: The last lines of pods that are ill, the newest last; pod to lines.
        calls: "namespace/name" of workloads and names of services outside that its environment names.
        work: Its metrics.
        pod_work: Of its pods, by name.
    """

    namespace: str
    name: str
    uid: str = ""
    generation: int = 0
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    changed_seconds: float | None = None
    replicas: Replicas
    sizes: Sizes = Sizes()
    image: str = ""
    pods: tuple[PodView, ...] = ()
    revisions: tuple[Revision, ...] = ()
    notes: tuple[Note, ...] = ()
    logs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    work: Work = Work()
    pod_work: Mapping[str, PodWork] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Namespace and name, with a slash between."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A machine.

    Attributes:
        name, zone: Of it.
        ready: What its condition says: True, False, or None for Unknown.
        since_seconds: Of that condition.
        lease_seconds: When its kubelet renewed its lease last; None when it has none.
        pressures: MemoryPressure, DiskPressure and so on, those that hold.
        cordoned: It takes no new pods.
        scraped: Its kubelet answers Prometheus; None when that is not known.
        pods_answer: Share of the pods on it whose programs answer Prometheus; None without any.
        cpu_share: Used of its cores, 0 to 1.
    """

    name: str
    zone: str = ""
    ready: bool | None = True
    since_seconds: float | None = None
    lease_seconds: float | None = None
    pressures: frozenset[str] = frozenset()
    cordoned: bool = False
    scraped: bool | None = None
    pods_answer: float | None = None
    cpu_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """Everything that a cycle sees.

    Attributes:
        now_seconds: When it was seen.
        workloads: By key; also those that did not opt in, since they explain what others suffer from.
        nodes: By name.
    """

    now_seconds: float
    workloads: Mapping[str, WorkloadView]
    nodes: Mapping[str, NodeView]
