"""What the users of a cluster of this machine may do, beside the administrator."""

from __future__ import annotations

from typing import Any

from deployments.local_cluster.credentials import READER, SIMULATOR

RBAC = "rbac.authorization.k8s.io"
SIMULATOR_ROLE = "homeostat:simulator"

Manifest = dict[str, Any]


def role_manifests() -> list[Manifest]:
    """Return the roles and bindings, as bodies for `POST`."""
    return [
        _cluster_role(SIMULATOR_ROLE, rules=_kubelet_rules()),
        _binding(SIMULATOR, role=SIMULATOR_ROLE),
        _binding(READER, role="view"),
    ]


def _kubelet_rules() -> list[Manifest]:
    # Narrower than system:node has it in one way: no secrets, since nothing is mounted.
    read = ["get", "list", "watch"]
    write = ["create", "update", "patch", "delete"]
    return [
        {"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": [*read, *write]},
        {
            "apiGroups": [""],
            "resources": ["nodes/status", "pods/status"],
            "verbs": ["update", "patch"],
        },
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": [*read, *write]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": [*read, *write],
        },
        {"apiGroups": [""], "resources": ["configmaps", "namespaces"], "verbs": read},
        {"apiGroups": ["apps"], "resources": ["deployments", "replicasets"], "verbs": read},
    ]


def _cluster_role(name: str, *, rules: list[Manifest]) -> Manifest:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    }


def _binding(user: str, *, role: str) -> Manifest:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"homeostat:{user}"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }
