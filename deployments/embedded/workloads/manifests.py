"""Kubernetes manifests of a demonstration, as plain dictionaries in the order to apply them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deployments.embedded.workloads.parts import Part

PORT = 8080
STARTED_PATH, READY_PATH, LIVE_PATH = "/started", "/ready", "/live"
"""What every program here answers on; another path is answered with 404."""
Manifest = dict[str, Any]


def manifests_of(parts: Sequence[Part]) -> tuple[Manifest, ...]:
    """Return namespaces, ConfigMaps, volume claims, Deployments, Services and disruption budgets."""
    namespaces = sorted({part.namespace for part in parts})
    made = [_namespace(name) for name in namespaces]
    made += [config_map(part) for part in parts]
    made += [_claim(part) for part in parts if part.profile.volume_mib is not None]
    made += [deployment(part) for part in parts]
    made += [_service(part) for part in parts if not part.profile.queue]
    made += [_budget(part) for part in parts if part.replicas > 2]
    return tuple(made)


def config_map(part: Part) -> Manifest:
    """Return the ConfigMap that the program's environment is read from."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(part, f"{part.name}-config"),
        "data": dict(part.config),
    }


def deployment(part: Part) -> Manifest:
    """Return the Deployment, with probes that fit how the program starts."""
    metadata = _metadata(part, part.name)
    if part.enabled:
        metadata["annotations"] = {"autonomous/enabled": "true"}
    with_volume = part.profile.volume_mib is not None
    # Two pods must not write one volume: the old one ends before the new one starts.
    surge = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": part.replicas,
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            "strategy": {"type": "Recreate"} if with_volume else surge,
            "selector": {"matchLabels": _labels(part)},
            "template": {"metadata": {"labels": _labels(part)}, "spec": _pod(part)},
        },
    }


def _pod(part: Part) -> Manifest:
    spec: Manifest = {
        "terminationGracePeriodSeconds": part.grace_seconds,
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": _labels(part)},
            }
        ],
        "containers": [_container(part)],
    }
    if part.profile.volume_mib is not None:
        claim = {"claimName": f"{part.name}-data"}
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": claim}]
    return spec


def _container(part: Part) -> Manifest:
    limits = {"memory": part.memory_limit}
    if part.cpu_limit is not None:
        limits["cpu"] = part.cpu_limit
    container: Manifest = {
        "name": part.name,
        "image": part.image,
        "ports": [{"name": "http", "containerPort": PORT}],
        "env": [_variable(part, key) for key, _ in part.config],
        "resources": {
            "requests": {"cpu": part.cpu_request, "memory": part.memory_request},
            "limits": limits,
        },
        # Three times the usual start, before liveness has a say.
        "startupProbe": _probe(
            STARTED_PATH, period=5, failures=max(6, int(part.profile.startup_seconds * 3 // 5))
        ),
        "readinessProbe": _probe(READY_PATH, period=5, failures=3),
        "livenessProbe": _probe(
            LIVE_PATH, period=10, failures=3, timeout=part.liveness_timeout_seconds
        ),
    }
    if part.profile.volume_mib is not None:
        container["volumeMounts"] = [{"name": "data", "mountPath": "/var/lib/data"}]
    return container


def _variable(part: Part, key: str) -> Manifest:
    reference = {"name": f"{part.name}-config", "key": key}
    return {"name": key, "valueFrom": {"configMapKeyRef": reference}}


def _probe(path: str, *, period: int, failures: int, timeout: int = 1) -> Manifest:
    return {
        "httpGet": {"path": path, "port": PORT},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def _namespace(name: str) -> Manifest:
    labels = {"autonomous-enabled": "true"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _claim(part: Part) -> Manifest:
    size = f"{int(part.profile.volume_mib or 0)}Mi"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _metadata(part, f"{part.name}-data"),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }


def _service(part: Part) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(part, part.name),
        "spec": {"selector": _labels(part), "ports": [{"port": PORT, "targetPort": PORT}]},
    }


def _budget(part: Part) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(part, part.name),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": _labels(part)}},
    }


def _metadata(part: Part, name: str) -> Manifest:
    return {"name": name, "namespace": part.namespace, "labels": _labels(part)}


def _labels(part: Part) -> dict[str, str]:
    return {"app.kubernetes.io/name": part.name, "app.kubernetes.io/part-of": part.namespace}
