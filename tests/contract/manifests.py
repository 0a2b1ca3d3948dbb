"""Small valid objects of every kind that our clients write."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def pod(name: str, **spec: Any) -> Object:
    meta = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod_spec(**spec)}


def pod_spec(**spec: Any) -> Object:
    return {"containers": [{"name": "main", "image": "app:1"}], **spec}


def deployment(name: str, *, replicas: int = 1, **spec: Any) -> Object:
    return {**_workload("Deployment", name, replicas), "spec": _scaled(name, replicas) | spec}


def replica_set(name: str, *, replicas: int = 1, **spec: Any) -> Object:
    return {**_workload("ReplicaSet", name, replicas), "spec": _scaled(name, replicas) | spec}


def _workload(kind: str, name: str, replicas: int) -> Object:
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}}


def _scaled(name: str, replicas: int) -> Object:
    return {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec()},
    }


def config_map(name: str, **data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": data or {"key": "value"},
    }


def secret(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": {"password": "x"},
    }


def service(name: str) -> Object:
    spec = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def node(name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> Object:
    meta = {"name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": spec}


def lease(name: str) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name},
        "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15},
    }


def core_event(name: str, namespace: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name},
        "involvedObject": {"kind": "Pod", "namespace": namespace, "name": "web"},
        "reason": "Killing",
        "message": "Stopping container main",
        "type": "Normal",
        "firstTimestamp": "2026-11-28T00:00:00Z",
        "lastTimestamp": "2026-11-28T00:00:00Z",
        "count": 1,
        "source": {"component": "kubelet", "host": "node-1"},
    }


def event(name: str, namespace: str) -> Object:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": name},
        "regarding": {"kind": "Pod", "namespace": namespace, "name": "web"},
        "reason": "Killing",
        "note": "Stopping container main",
        "type": "Normal",
        "eventTime": "2026-11-28T00:00:00.000000Z",
        "action": "Stopping",
        "reportingController": "kubelet",
        "reportingInstance": "node-1",
    }


def disruption_budget(name: str, **spec: Any) -> Object:
    rule = spec or {"minAvailable": 1}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, **rule},
    }


def autoscaler(name: str) -> Object:
    utilization = {"type": "Utilization", "averageUtilization": 60}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": utilization}}],
        },
    }


def network_policy(name: str) -> Object:
    spec = {"podSelector": {"matchLabels": {"app": name}}, "policyTypes": ["Ingress"]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }


def priority_class(name: str) -> Object:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": 1000,
    }


def service_account(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}}


def role(name: str, *rules: Object, kind: str = "Role") -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "rules": list(rules) or [rule("pods", "get")],
    }


def rule(resource: str, *verbs: str, group: str = "", **names: list[str]) -> Object:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs), **names}


def binding(
    name: str, *, role: str, user: str, kind: str = "RoleBinding", role_kind: str = "Role"
) -> Object:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": role_kind, "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }


def definition(plural: str, *, kind: str, group: str = "tests.homeostat.dev") -> Object:
    """Return a definition with a schema, a status and a scale."""
    count = {"type": "integer", "minimum": 0}
    spec = {
        "type": "object",
        "required": ["size"],
        "properties": {
            "size": count,
            "color": {"type": "string", "enum": ["red", "green"], "default": "red"},
            "replicas": count,
        },
    }
    status = {"type": "object", "properties": {"replicas": count, "phase": {"type": "string"}}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "properties": {"spec": spec, "status": status},
            }
        },
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
            },
        },
        "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {
                "plural": plural,
                "singular": kind.lower(),
                "kind": kind,
                "listKind": f"{kind}List",
            },
            "versions": [version],
        },
    }
