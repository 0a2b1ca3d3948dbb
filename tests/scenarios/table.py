"""The scenarios: what is done to what, what a person sees of it, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass

from deployments.embedded.workloads import changes
from tests.scenarios.acts import (
    Act,
    Containers,
    Cordon,
    DeleteFailed,
    DeletePods,
    Drain,
    EvictAll,
    Fault,
    Mistake,
    Uncordon,
    Undo,
    Withdraw,
)
from tests.scenarios.sights import (
    Empty,
    Ended,
    Evicted,
    Logged,
    Measured,
    NodeIs,
    OthersServe,
    Pending,
    Quiet,
    Refused,
    Replaced,
    Restarted,
    RolledOut,
    Shown,
    Sight,
    SilentLogs,
    Tainted,
    Terminating,
    Told,
    Unready,
    Waits,
    WaitsFor,
)
from tests.scenarios.stage import NODE

GATEWAY = "payments.example.com"
LOOP = Waits("CrashLoopBackOff", "restarting failed container=")
UNREACHABLE = "node.kubernetes.io/unreachable"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One of them.

    Attributes:
        name: Of the test.
        subject: A workload of the shop, or `NODE`.
        acts: That break it.
        sights: That come true one after the other, and are true together where `together` says so.
        remedy: That mends it.
        is_secret: Nothing in the cluster tells what was done: looked for while it lasts.
    """

    name: str
    subject: str
    acts: tuple[Act, ...]
    sights: tuple[Sight, ...]
    remedy: tuple[Act, ...] = (Withdraw(),)
    is_secret: bool = False


def _fault(
    name: str, subject: str, values: dict[str, object], *sights: Sight, is_secret: bool = False
) -> Scenario:
    return Scenario(name, subject, (Fault(name, values),), sights, is_secret=is_secret)


def _edge(name: str, source: str, values: dict[str, object], *sights: Sight) -> Scenario:
    return Scenario(name, source, (Fault(name, values, of="source"),), sights)


def _of_node(
    name: str, values: dict[str, object], *sights: Sight,
    detail: str = "", remedy: tuple[Act, ...] = (Withdraw(),), is_secret: bool = False,
) -> Scenario:  # fmt: skip
    act = Fault(name, values, of="node")
    return Scenario(f"{name}{detail}", NODE, (act,), sights, remedy, is_secret)


def _mistake(
    change: changes.SpecChange, subject: str, *sights: Sight, detail: str = ""
) -> Scenario:
    name = f"{change.kind}{detail}"
    return Scenario(name, subject, (Mistake(change),), (*sights, OthersServe()), (Undo(),))


FAULTS = (
    _fault("memory-leak", "cart", {"mib_per_hour": 60_000.0},
           Ended("OOMKilled", 137), Restarted(), Logged("status=200", previous=True)),
    _fault("memory-demand", "recommendations", {"factor": 4.0},
           LOOP, Ended("OOMKilled", 137), Told("BackOff", "Back-off restarting failed container"),
           is_secret=True),
    _fault("traffic-spike", "web", {"factor": 1.6}, Quiet(), Measured("offered_rps", factor=1.4)),
    _fault("error-rate", "recommendations", {"fraction": 0.5},
           Quiet(), Measured("failed_fraction", least=0.4)),
    _fault("slowdown", "search", {"factor": 3.0}, Quiet(), Measured("latency_seconds", factor=2.0)),
    _fault("cpu-stress", "recommendations", {"cores": 0.6},
           Quiet(), Measured("cpu_cores", least=0.6)),
    _fault("deadlock", "catalogue", {},
           Unready(), Told("Unhealthy", "Readiness probe failed: Get "),
           Told("Unhealthy", "context deadline exceeded"),
           Told("Killing", "failed liveness probe, will be restarted", type="Normal"),
           Ended("Error", 137), Restarted()),
    Scenario("dependency-down-outside", "payments",
             (Fault("dependency-down", outside=GATEWAY),),
             (Measured("failed_fraction", least=0.9),
              Logged(f"dependency={GATEWAY}"),
              Told("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503"),
              Ended("Error", 143), Restarted())),
    _fault("dependency-down", "database", {},
           Unready(), Told("Unhealthy", "connect: connection refused"), is_secret=True),
    Scenario("disk-fill-of-a-volume", "database",
             (Fault("disk-fill", {"mib_per_hour": 1e7}),),
             (Ended("Error", 1), Logged("no space left on device", previous=True), LOOP),
             # What fills the volume is removed with the pod: the simulator keeps files by pod.
             (Withdraw(), DeletePods())),
    Scenario("disk-fill-of-a-node", "reports",
             (Fault("disk-fill", {"mib_per_hour": 1e7}),),
             (Evicted("The node was low on resource: ephemeral-storage"),
              Told("Evicted", "low on resource: ephemeral-storage")),
             (Withdraw(), DeleteFailed())),
    _fault("volume-delay", "database", {"milliseconds": 100.0},
           Quiet(), Measured("latency_seconds", least=0.1)),
    _fault("volume-errors", "database", {"fraction": 0.3},
           Quiet(), Measured("failed_fraction", least=0.2)),
    _edge("edge-latency", "checkout", {"target": "shop/payments", "milliseconds": 500.0},
          Quiet(), Measured("latency_seconds", least=0.4)),
    _edge("edge-loss", "checkout", {"target": "shop/payments", "fraction": 0.5},
          Quiet(), Measured("latency_seconds", factor=1.5)),
    _edge("edge-partition", "cart", {"target": "shop/cache"},
          Unready(), Told("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
          Logged("context deadline exceeded")),
    _edge("certificate-expired", "payments", {"target": GATEWAY},
          Logged("certificate has expired"), Restarted(), Ended("Error", 143)),
    _fault("dns-failure", "checkout", {},
           Logged("no such host"), Ended("Error", 1), LOOP,
           Logged("cannot continue without database.shop.svc.cluster.local", previous=True)),
    _fault("host-kill", "reports", {"every_seconds": 20.0},
           Ended("Error", 137), LOOP, Logged("message processed",
                                            previous=True)),
    Scenario("slow-start", "cart",
             (Fault("slow-start", {"factor": 20.0}), DeletePods()),
             (Told("Unhealthy", "Startup probe failed"),
              Told("Killing", "failed startup probe, will be restarted", type="Normal"),
              Unready())),
    Scenario("corrupt-state", "reports",
             (Fault("corrupt-state"), Fault("host-kill")),
             (Ended("Error", 1), LOOP, Logged("unexpected end of JSON input", previous=True)),
             # A new pod is well although the fault is in force.
             (DeletePods(),)),
    _fault("security-signal", "recommendations", {"cores": 0.5, "egress_mib_per_second": 0.5},
           Quiet(), Measured("cpu_cores", least=0.5), Measured("sent_bytes", least=500_000.0)),
    _of_node("noisy-neighbour", {"cores": 2.0}, Quiet(), Measured("node_cpu_cores", least=2.0)),
    _of_node("clock-skew", {"seconds": 900.0}, Quiet(), Measured("failed_fraction", least=0.5)),
    _of_node("node-pressure", {"resource": "memory", "fraction": 0.97},
             NodeIs("MemoryPressure", "True"),
             Tainted("node.kubernetes.io/memory-pressure", "NoSchedule"),
             Evicted("The node was low on resource: memory"),
             detail="-of-memory", remedy=(Withdraw(), DeleteFailed())),
    _of_node("node-pressure", {"resource": "disk", "fraction": 0.8},
             NodeIs("DiskPressure", "True"),
             Tainted("node.kubernetes.io/disk-pressure", "NoSchedule"),
             Evicted("The node was low on resource: ephemeral-storage"),
             detail="-of-disk", remedy=(Withdraw(), DeleteFailed())),
    _of_node("node-partitioned", {},
             NodeIs("Ready", "Unknown"), Tainted(UNREACHABLE, "NoExecute"), Terminating(),
             SilentLogs(), Replaced(), Told("NodeNotReady", "status is now: NodeNotReady", type="Normal"),
             Measured("running", least=1.0, stays=True), is_secret=True),
    _of_node("node-lost", {},
             NodeIs("Ready", "Unknown"), Tainted(UNREACHABLE, "NoSchedule"),
             Tainted(UNREACHABLE, "NoExecute"), Terminating(), SilentLogs(),
             Told("NodeNotReady", "Node is not ready"),
             Told("TaintManagerEviction", "Marking for deletion Pod shop/", type="Normal"),
             Replaced()),
)  # fmt: skip
"""Every kind of fault of the physics, those of nodes last: their pods begin anew."""

MISTAKES = (
    _mistake(changes.ImageTag(tag="2.5.0"), "reports",
             Ended("Error", 1), LOOP, Logged("panic: runtime error", previous=True),
             detail="-that-exits"),
    _mistake(changes.ImageTag(tag="2.5.1-rc1"), "reports",
             Waits("ErrImagePull"), Told("Failed", "not found"),
             Waits("ImagePullBackOff", "Back-off pulling image"), detail="-that-is-not-there"),
    _mistake(changes.MissingKey(name="DATABASE_URL"), "reports",
             Waits("CreateContainerConfigError", "couldn't find key DATABASE_URL_V2 in ConfigMap"),
             Told("Failed", "couldn't find key")),
    _mistake(changes.DroppedVariable(name="DATABASE_URL"), "reports",
             LOOP, Ended("Error", 1),
             Logged("required environment variable DATABASE_URL is not set", previous=True)),
    _mistake(changes.Limit(resource="memory", quantity="48Mi"), "reports",
             LOOP, Ended("OOMKilled", 137), detail="-of-memory"),
    _mistake(changes.Limit(resource="cpu", quantity="10m"), "recommendations",
             Told("Unhealthy", "Startup probe failed"),
             Told("Killing", "failed startup probe", type="Normal"), detail="-of-cpu"),
    _mistake(changes.Request(), "reports",
             Pending("Insufficient cpu"), Told("FailedScheduling", "Insufficient cpu")),
    _mistake(changes.ProbePlace(), "reports",
             Unready(), Told("Unhealthy", "HTTP probe failed with statuscode: 404"),
             detail="-of-readiness"),
    _mistake(changes.ProbePlace(probe="startupProbe", path="/started", port=9999), "reports",
             Told("Unhealthy", ":9999/started\": dial tcp"),
             Told("Killing", "failed startup probe", type="Normal"), Ended("Error", 143),
             detail="-of-startup"),
    _mistake(changes.Impatience(), "search",
             Told("Unhealthy", "Liveness probe failed"),
             Told("Killing", "failed liveness probe", type="Normal"), Ended("Error", 143)),
    _mistake(changes.Command(), "reports",
             Ended("StartError", 128), LOOP, Told("Failed", "stat /app/serve: no such file")),
)  # fmt: skip
"""Every mistake that `changes` makes in a Deployment."""

_BAD = "registry.example.com/shop/migrate:2.5.0"
_GOOD = "registry.example.com/shop/migrate:2.4.1"
OTHERS = (
    Scenario("an-init-container-that-fails", "reports",
             (Containers(init=({"name": "migrate", "image": _BAD},)),),
             (Shown("Init:Error"), Shown("Init:CrashLoopBackOff"),
              WaitsFor("Initialized", "ContainersNotInitialized", "incomplete status: [migrate]"),
              Waits("PodInitializing"), Ended("Error", 1),
              Told("BackOff", "Back-off restarting failed container migrate in pod"),
              Logged("panic: runtime error", container="migrate", previous=True), OthersServe()),
             (Undo(),)),
    Scenario("init-containers-that-end", "reports",
             (Containers(init=({"name": "first", "image": _GOOD}, {"name": "second", "image": _GOOD})),),
             (Shown("Init:0/2"), Shown("Init:1/2"), Ended("Completed", 0), RolledOut(),
              Logged("starting second version=2.4.1", container="second")),
             (Undo(),)),
    Scenario("one-of-two-containers-crashes", "reports",
             (Containers(beside=({"name": "agent", "image": _BAD},)),),
             (LOOP, Shown("CrashLoopBackOff", ready="1/2"), Ended("Error", 1),
              WaitsFor("Ready", "ContainersNotReady", "unready status: [agent]"),
              Logged("panic: runtime error", container="agent", previous=True),
              Logged("starting reports version=2.4.1", container="reports"), OthersServe()),
             (Undo(),)),
    Scenario("two-containers-that-are-well", "reports",
             (Containers(beside=({"name": "agent", "image": _GOOD},)),),
             (Shown("Running", ready="2/2"), RolledOut()),
             (Undo(),)),
    Scenario("evictions-within-a-budget", "cart", (EvictAll(),),
             (Refused("Cannot evict pod as it would violate the pod's disruption budget."),
              Replaced()), ()),
    Scenario("a-node-is-drained", NODE, (Cordon(), Drain()),
             (Tainted("node.kubernetes.io/unschedulable", "NoSchedule"), Empty(), Replaced()),
             (Uncordon(),)),
)  # fmt: skip
"""What is no fault: several containers in a pod, and pods that are asked to leave."""

SCENARIOS = (*MISTAKES, *FAULTS, *OTHERS)
