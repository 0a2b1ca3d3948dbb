"""The objects by which a cluster finds the server of metrics, as a person would apply them."""

from __future__ import annotations

import logging
from typing import Any

from deployments.embedded.workloads.kubelet.client import APPLY, Client, RefusedError
from deployments.embedded.workloads.metrics_api.bodies import GROUP, VERSION

Manifest = dict[str, Any]
MANAGER = "metrics-server"
NAMESPACE, NAME = "kube-system", "metrics-server"
SERVICE_PATH = f"/api/v1/namespaces/{NAMESPACE}/services/{NAME}"
REGISTRATION_PATH = f"/apis/apiregistration.k8s.io/v1/apiservices/{VERSION}.{GROUP}"
READER = "system:aggregated-metrics-reader"
READER_PATH = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{READER}"
_LABELS = {"k8s-app": NAME}

_log = logging.getLogger(__name__)


def registration_manifests(port: int) -> dict[str, Manifest]:
    """Return, by path, the objects that lead to a server on a port of this machine."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": _LABELS},
        "spec": {
            "type": "ExternalName",
            "externalName": "localhost",
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
        },
    }
    registration = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{VERSION}.{GROUP}", "labels": _LABELS},
        "spec": {
            "group": GROUP,
            "version": VERSION,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            # The server makes its certificate itself, and listens on loopback alone.
            "insecureSkipTLSVerify": True,
            "service": {"namespace": NAMESPACE, "name": NAME, "port": port},
        },
    }
    shown_to = {f"rbac.authorization.k8s.io/aggregate-to-{one}": "true" for one in _READERS}
    reader = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": READER, "labels": _LABELS | shown_to},
        "rules": [
            {
                "apiGroups": [GROUP],
                "resources": ["pods", "nodes"],
                "verbs": ["get", "list", "watch"],
            }
        ],
    }
    return {SERVICE_PATH: service, REGISTRATION_PATH: registration, READER_PATH: reader}


_READERS = ("view", "edit", "admin")


async def register(client: Client, port: int) -> None:
    """Apply the objects; what somebody has no right to apply is told and left.

    Raises:
        RefusedError: The API server does not answer now.
    """
    for path, manifest in registration_manifests(port).items():
        try:
            await client.write(
                "PATCH", f"{path}?force=true", manifest, content=APPLY, manager=MANAGER
            )
        except RefusedError as error:
            if error.transient:
                raise
            _log.warning("metrics-api.not-registered path=%s reason=%s", path, error)


async def unregister(client: Client) -> None:
    """Take away what leads to a server that ends: without it nobody waits for its answers.

    Raises:
        RefusedError: The API server does not answer now.
    """
    for path in (REGISTRATION_PATH, SERVICE_PATH):
        try:
            await client.delete(path, {})
        except RefusedError as error:
            if error.transient:
                raise
            _log.info("metrics-api.not-unregistered path=%s reason=%s", path, error)
