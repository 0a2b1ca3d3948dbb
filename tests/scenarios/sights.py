"""What a person sees of a scenario, with kubectl or in their metrics, as values that can be asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from deployments.embedded.workloads.containers.status import timestamp
from tests.scenarios.stage import Body, Stage, restarts
from tests.support.played_cluster import condition

QUIET_SECONDS = 1.0
"""On the wall: three or more periods of any probe, in the world."""


class Sight(Protocol):
    """Something that can be seen."""

    def seen(self, stage: Stage) -> bool:
        """Return whether it can be seen now."""
        ...


@dataclass(frozen=True, slots=True)
class Waits:
    """A container waits for a reason, in the column STATUS of `kubectl get pods`."""

    reason: str
    message: str = ""

    def seen(self, stage: Stage) -> bool:
        """Return whether one of the pods waits so."""
        return any(
            state.get("waiting", {}).get("reason") == self.reason
            and self.message in str(state["waiting"].get("message", ""))
            for pod in stage.pods()
            for state in _states(pod)
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """A container ended since, in `kubectl describe pod`."""

    reason: str
    code: int

    def seen(self, stage: Stage) -> bool:
        """Return whether one of the pods had such an end."""
        return any(
            (end["reason"], end["exitCode"]) == (self.reason, self.code)
            for pod in stage.pods()
            for end in _ends(pod)
            if end["finishedAt"] >= timestamp(stage.since)
        )


@dataclass(frozen=True, slots=True)
class Restarted:
    """A container was restarted, in the column RESTARTS."""

    def seen(self, stage: Stage) -> bool:
        """Return whether a pod that was there before has more restarts."""
        return any(
            restarts(pod) > stage.restarts.get(pod["metadata"]["name"], 10**9)
            for pod in stage.pods()
        )


@dataclass(frozen=True, slots=True)
class Unready:
    """A pod runs and is not ready: the column READY says 0/1."""

    def seen(self, stage: Stage) -> bool:
        """Return whether one of the pods is."""
        return any(
            condition(pod, "Ready") == "False" and any("running" in one for one in _states(pod))
            for pod in stage.pods()
        )


@dataclass(frozen=True, slots=True)
class Pending:
    """A pod finds no node."""

    message: str

    def seen(self, stage: Stage) -> bool:
        """Return whether one of the pods is Pending and unschedulable, with this in its message."""
        return any(
            one["reason"] == "Unschedulable" and self.message in one["message"]
            for pod in stage.pods()
            if pod["status"]["phase"] == "Pending"
            for one in pod["status"].get("conditions") or ()
            if one["type"] == "PodScheduled" and one["status"] == "False"
        )


@dataclass(frozen=True, slots=True)
class Told:
    """An event was written."""

    reason: str
    message: str = ""
    type: str = "Warning"

    def seen(self, stage: Stage) -> bool:
        """Return whether there is such an event since."""
        return any(
            (kind, reason) == (self.type, self.reason) and self.message in message
            for kind, reason, message in stage.events()
        )


@dataclass(frozen=True, slots=True)
class Logged:
    """`kubectl logs` has a line."""

    line: str
    container: str = ""
    previous: bool = False

    def seen(self, stage: Stage) -> bool:
        """Return whether the log of one of the pods has it, of its first container by default."""
        found = stage.logs(previous=self.previous, container=self.container)
        return any(self.line in text for text in found)


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric is at least so high, and so many times what it was.

    Attributes:
        name: A key of `Stage.measures`.
        least: At least.
        factor: Of what it was before; 0 where that does not matter.
        stays: It may be so after the remedy as well.
    """

    name: str
    least: float = 0.0
    factor: float = 0.0
    stays: bool = False

    def seen(self, stage: Stage) -> bool:
        """Return whether it is now."""
        found = stage.measures()[self.name]
        return found >= self.least and found >= self.factor * stage.measured[self.name]


@dataclass(frozen=True, slots=True)
class Quiet:
    """The API shows nothing for a while: all pods are ready, none was restarted, none is new."""

    def seen(self, stage: Stage) -> bool:
        """Return whether that is so after probes have had their turn."""
        return time.time() >= stage.since + QUIET_SECONDS and all(
            condition(pod, "Ready") == "True"
            and restarts(pod) == stage.restarts.get(pod["metadata"]["name"])
            for pod in stage.pods()
        )


@dataclass(frozen=True, slots=True)
class OthersServe:
    """The old pods of a rollout that does not get on are still ready, all of them."""

    def seen(self, stage: Stage) -> bool:
        """Return whether as many pods are ready as are wanted, and the rollout is not over."""
        ready = sum(condition(pod, "Ready") == "True" for pod in stage.pods())
        wanted = stage.deployment()["spec"]["replicas"]
        return bool(ready >= wanted and not stage.played.is_rolled_out(stage.subject))


@dataclass(frozen=True, slots=True)
class NodeIs:
    """A condition of the node."""

    condition: str
    status: str

    def seen(self, stage: Stage) -> bool:
        """Return whether it is so now."""
        return condition(stage.node(), self.condition) == self.status


@dataclass(frozen=True, slots=True)
class Tainted:
    """The node has a taint."""

    key: str
    effect: str

    def seen(self, stage: Stage) -> bool:
        """Return whether it has."""
        taints = stage.node()["spec"].get("taints") or ()
        return (self.key, self.effect) in {(one["key"], one["effect"]) for one in taints}


@dataclass(frozen=True, slots=True)
class Terminating:
    """All pods that were on the node are asked to end, and are still there: nobody there answers."""

    def seen(self, stage: Stage) -> bool:
        """Return whether they are."""
        there = {one["metadata"]["name"]: one for one in stage.pods()}
        return stage.residents <= set(there) and all(
            "deletionTimestamp" in there[name]["metadata"] for name in stage.residents
        )


@dataclass(frozen=True, slots=True)
class Replaced:
    """Every Deployment has all its replicas ready elsewhere."""

    def seen(self, stage: Stage) -> bool:
        """Return whether that is so."""
        return stage.played.is_well()


@dataclass(frozen=True, slots=True)
class SilentLogs:
    """Logs of pods on the node cannot be had."""

    def seen(self, stage: Stage) -> bool:
        """Return whether there are pods and none of them gives its log."""
        return bool(stage.pods()) and not list(stage.logs(previous=False))


@dataclass(frozen=True, slots=True)
class Evicted:
    """A pod was put out by its kubelet."""

    message: str

    def seen(self, stage: Stage) -> bool:
        """Return whether one has failed so, with the condition that says by whom."""
        return any(
            pod["status"].get("reason") == "Evicted"
            and pod["status"]["phase"] == "Failed"
            and self.message in pod["status"]["message"]
            and condition(pod, "DisruptionTarget") == "True"
            for pod in stage.played.api.get("/api/v1/namespaces/shop/pods")["items"]
        )


def _states(pod: Body) -> list[Body]:
    return [one["state"] for one in _statuses(pod)]


def _ends(pod: Body) -> list[Body]:
    both = [one[name] for one in _statuses(pod) for name in ("state", "lastState")]
    return [one["terminated"] for one in both if "terminated" in one]


def _statuses(pod: Body) -> list[Body]:
    status = pod["status"]
    return [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]


@dataclass(frozen=True, slots=True)
class Shown:
    """The columns STATUS and READY of `kubectl get pods`, which the server writes."""

    status: str
    ready: str = ""

    def seen(self, stage: Stage) -> bool:
        """Return whether one of the pods is shown so."""
        return any(
            status == self.status and self.ready in ("", ready)
            for ready, status in stage.columns("Ready", "Status")
        )


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """A condition of a pod is false, with a reason and a message."""

    condition: str
    reason: str
    message: str

    def seen(self, stage: Stage) -> bool:
        """Return whether it is so of one of the pods."""
        return any(
            (one["type"], one["status"], one.get("reason"))
            == (self.condition, "False", self.reason)
            and self.message in one["message"]
            for pod in stage.pods()
            for one in pod["status"].get("conditions") or ()
        )


@dataclass(frozen=True, slots=True)
class RolledOut:
    """The Deployment is rolled out."""

    def seen(self, stage: Stage) -> bool:
        """Return whether it is."""
        return stage.played.is_rolled_out(stage.subject)


@dataclass(frozen=True, slots=True)
class Refused:
    """The API server refused something, and said why."""

    message: str

    def seen(self, stage: Stage) -> bool:
        """Return whether it has."""
        return any(self.message in one for one in stage.refusals)


@dataclass(frozen=True, slots=True)
class Empty:
    """No pod is on the node."""

    def seen(self, stage: Stage) -> bool:
        """Return whether that is so."""
        return not stage.pods()
