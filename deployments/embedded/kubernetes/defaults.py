"""What an API server fills in where people say nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deployments.embedded.kubernetes.aggregation.registrations import first_status

Body = dict[str, Any]

BURSTABLE, GUARANTEED, BEST_EFFORT = "Burstable", "Guaranteed", "BestEffort"
COMPUTE = ("cpu", "memory")


def fill_in(kind: str, body: Body) -> None:
    """Fill an object's gaps, in place."""
    if kind in _BY_KIND:
        _BY_KIND[kind](body)


def begin(kind: str, body: Body) -> None:
    """Give a new object the status that it begins with, in place; what the client said is dropped."""
    if kind in _FIRST_STATUS:
        body["status"] = _FIRST_STATUS[kind](body)


def _definition_status(body: Body) -> Body:
    stored = [one["name"] for one in body["spec"].get("versions") or () if one.get("storage")]
    none = {"plural": "", "kind": ""}
    return {"conditions": None, "acceptedNames": none, "storedVersions": stored}


def _budget_status(_: Body) -> Body:
    names = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    return dict.fromkeys(names, 0)


def _empty(_: Body) -> Body:
    return {}


_FIRST_STATUS: dict[str, Callable[[Body], Body]] = {
    "Pod": lambda body: {"phase": "Pending", "qosClass": quality_of(body.get("spec") or {})},
    "Namespace": lambda _: {"phase": "Active"},
    "CustomResourceDefinition": _definition_status,
    "PersistentVolumeClaim": lambda _: {"phase": "Pending"},
    "Deployment": _empty,
    "Job": _empty,
    "CronJob": _empty,
    "ResourceQuota": _empty,
    "PodDisruptionBudget": _budget_status,
    "HorizontalPodAutoscaler": lambda _: {"desiredReplicas": 0, "currentMetrics": None},
    "ReplicaSet": lambda _: {"replicas": 0},
    "Service": lambda _: {"loadBalancer": {}},
    "APIService": first_status,
}


def quality_of(spec: Body) -> str:
    """Return a pod's quality of service class."""
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    said, full = False, bool(containers)
    for one in containers:
        resources = one.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        said = said or any(name in requests or name in limits for name in COMPUTE)
        full = full and all(
            name in limits and requests.get(name, limits[name]) == limits[name] for name in COMPUTE
        )
    if not said:
        return BEST_EFFORT
    return GUARANTEED if full else BURSTABLE


def _pod(body: Body) -> None:
    _pod_spec(body.setdefault("spec", {}), template=False)


def _pod_spec(spec: Body, *, template: bool) -> None:
    _say(
        spec,
        restartPolicy="Always", terminationGracePeriodSeconds=30, dnsPolicy="ClusterFirst",
        securityContext={}, schedulerName="default-scheduler",
    )  # fmt: skip
    if not template:
        _say(spec, enableServiceLinks=True, preemptionPolicy="PreemptLowerPriority")
        _tolerations(spec)
    for one in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        _container(one)
        if not template:
            _requests(one)
    for one in spec.get("volumes") or ():
        _volume(one)


CLAIM_HELD = "kubernetes.io/pvc-protection"
NODE_INFO = (
    "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion",
    "kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture",
)  # fmt: skip
NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
TOLERATED_SECONDS = 300


def _tolerations(spec: Body) -> None:
    """Let a pod stay on a node that is lost for five minutes, as admission does."""
    known = spec.get("tolerations") or []
    for key in (NOT_READY, UNREACHABLE):
        if not any(one.get("key") in (key, None) for one in known):
            known = [
                *known,
                {
                    "key": key,
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": TOLERATED_SECONDS,
                },
            ]
    spec["tolerations"] = known


def _container(one: Body) -> None:
    tag = str(one.get("image", "")).rpartition("/")[2].partition(":")[2]
    _say(
        one,
        resources={}, terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy="Always" if tag in ("", "latest") else "IfNotPresent",
    )  # fmt: skip
    for port in one.get("ports") or ():
        _say(port, protocol="TCP")
    for env in one.get("env") or ():
        source = (env.get("valueFrom") or {}).get("fieldRef")
        if source is not None:
            _say(source, apiVersion="v1")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in one:
            _probe(one[name])
    for hook in (one.get("lifecycle") or {}).values():
        if "httpGet" in hook:
            _say(hook["httpGet"], path="/", scheme="HTTP")


def _requests(one: Body) -> None:
    """Ask for as much as is the limit, where less is not asked for; templates are left alone."""
    resources = one["resources"]
    known = resources.get("requests") or {}
    for name, limit in (resources.get("limits") or {}).items():
        if name not in known:
            resources.setdefault("requests", {})[name] = limit


def _volume(one: Body) -> None:
    for source in ("configMap", "secret", "downwardAPI", "projected"):
        if source in one:
            _say(one[source], defaultMode=420)
    for item in (one.get("downwardAPI") or {}).get("items") or ():
        if "fieldRef" in item:
            _say(item["fieldRef"], apiVersion="v1")
    if "hostPath" in one:
        _say(one["hostPath"], type="")


def _probe(probe: Body) -> None:
    _say(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if "httpGet" in probe:
        _say(probe["httpGet"], path="/", scheme="HTTP")


def _deployment(body: Body) -> None:
    spec = body.setdefault("spec", {})
    _say(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    _say(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _say(strategy.setdefault("rollingUpdate", {}), maxUnavailable="25%", maxSurge="25%")
    _template(spec)


def _replica_set(body: Body) -> None:
    spec = body.setdefault("spec", {})
    _say(spec, replicas=1)
    _template(spec)


def _template(spec: Body) -> None:
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    _pod_spec(template.setdefault("spec", {}), template=True)


def _service(body: Body) -> None:
    spec = body.setdefault("spec", {})
    _say(spec, type="ClusterIP", sessionAffinity="None")
    if spec["type"] != "ExternalName":
        _say(spec, internalTrafficPolicy="Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _say(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        _say(spec, allocateLoadBalancerNodePorts=True)
    for port in spec.get("ports") or ():
        _say(port, protocol="TCP", targetPort=port.get("port"))


def _autoscaler(body: Body) -> None:
    spec = body.setdefault("spec", {})
    _say(spec, minReplicas=1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _namespace(body: Body) -> None:
    body.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    body["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = body["metadata"][
        "name"
    ]


def _node(body: Body) -> None:
    body.setdefault("spec", {})
    status = body.setdefault("status", {})
    if "capacity" in status:
        status.setdefault("allocatable", dict(status["capacity"]))
    _say(status.setdefault("daemonEndpoints", {}), kubeletEndpoint={"Port": 0})
    _say(status.setdefault("nodeInfo", {}), **dict.fromkeys(NODE_INFO, ""))


def _secret(body: Body) -> None:
    _say(body, type="Opaque")


def _event(body: Body) -> None:
    body.setdefault("source", {})
    body.setdefault("eventTime", None)
    for name in ("firstTimestamp", "lastTimestamp"):
        body.setdefault(name, None)
    _say(body, reportingComponent="", reportingInstance="")


def _job(body: Body) -> None:
    spec, metadata = body.setdefault("spec", {}), body["metadata"]
    _say(spec, parallelism=1, completions=1, backoffLimit=6, suspend=False, manualSelector=False)
    _say(spec, completionMode="NonIndexed", podReplacementPolicy="TerminatingOrFailed")
    _template(spec)
    if spec["manualSelector"] or "selector" in spec:
        return
    prefix, uid, name = "batch.kubernetes.io/", metadata.get("uid", ""), metadata["name"]
    labels = {
        f"{prefix}controller-uid": uid, f"{prefix}job-name": name, "controller-uid": uid,
        "job-name": name,
    }  # fmt: skip
    spec["selector"] = {"matchLabels": {f"{prefix}controller-uid": uid}}
    spec["template"]["metadata"].setdefault("labels", {}).update(labels)
    if not metadata.get("labels"):
        metadata["labels"] = dict(labels)


def _cron_job(body: Body) -> None:
    spec = body.setdefault("spec", {})
    _say(spec, concurrencyPolicy="Allow", suspend=False)
    _say(spec, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    inner = spec.setdefault("jobTemplate", {})
    inner.setdefault("metadata", {})
    _template(inner.setdefault("spec", {}))


def _claim(body: Body) -> None:
    _say(body.setdefault("spec", {}), volumeMode="Filesystem")
    held = body["metadata"].setdefault("finalizers", [])
    if "deletionTimestamp" not in body["metadata"] and CLAIM_HELD not in held:
        held.append(CLAIM_HELD)


def _definition(body: Body) -> None:
    spec = body.setdefault("spec", {})
    names = spec.setdefault("names", {})
    _say(spec, conversion={"strategy": "None"})
    if names.get("kind"):
        _say(names, singular=names["kind"].lower(), listKind=f"{names['kind']}List")


def _registration(body: Body) -> None:
    place = body.setdefault("spec", {}).get("service")
    if place is not None:
        _say(place, port=443)


def _policy(body: Body) -> None:
    spec = body.setdefault("spec", {})
    if "policyTypes" not in spec:
        spec["policyTypes"] = ["Ingress", "Egress"] if "egress" in spec else ["Ingress"]


def _priority(body: Body) -> None:
    _say(body, preemptionPolicy="PreemptLowerPriority")


_BY_KIND: dict[str, Callable[[Body], None]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "Service": _service,
    "HorizontalPodAutoscaler": _autoscaler,
    "Namespace": _namespace,
    "Node": _node,
    "Secret": _secret,
    "NetworkPolicy": _policy,
    "PriorityClass": _priority,
    "Event": _event,
    "PersistentVolumeClaim": _claim,
    "Job": _job,
    "CronJob": _cron_job,
    "CustomResourceDefinition": _definition,
    "APIService": _registration,
}


def _say(body: Body, **values: Any) -> None:
    for key, value in values.items():
        if body.get(key) is None:
            body[key] = value
