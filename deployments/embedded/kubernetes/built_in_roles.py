"""The roles that every cluster has, as far as its kinds go (bootstrap policy of Kubernetes 1.36)."""

from __future__ import annotations

from typing import Any

from deployments.embedded.kubernetes.access import AUTHENTICATED, MASTERS, UNAUTHENTICATED
from deployments.embedded.kubernetes.kinds import RBAC

Manifest = dict[str, Any]
READ = ["get", "list", "watch"]
WRITE = ["create", "delete", "deletecollection", "patch", "update"]
EVENTS = "events.k8s.io"
HEALTH = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
DOCUMENTS = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"]


def _rule(groups: str | list[str], resources: list[str], verbs: list[str]) -> Manifest:
    named = [groups] if isinstance(groups, str) else groups
    return {"apiGroups": named, "resources": resources, "verbs": verbs}


def _parts(*plurals: str) -> list[str]:
    return [one for plural in plurals for one in (plural, f"{plural}/status")]


VIEW = [
    _rule("", [
        "configmaps", "endpoints", *_parts("persistentvolumeclaims"), "pods", "serviceaccounts",
        *_parts("services"), "bindings", "limitranges", "namespaces", "namespaces/status", "pods/log",
        "pods/status", *_parts("resourcequotas"),
    ], READ),
    _rule(["", EVENTS], ["events"], READ),
    _rule("apps", [
        *_parts("deployments", "replicasets"), "deployments/scale", "replicasets/scale",
    ], READ),
    _rule("autoscaling", _parts("horizontalpodautoscalers"), READ),
    _rule("batch", _parts("cronjobs", "jobs"), READ),
    _rule("policy", _parts("poddisruptionbudgets"), READ),
    _rule("networking.k8s.io", ["networkpolicies"], READ),
]  # fmt: skip
EDIT = [
    _rule("", [
        "pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy",
    ], READ),
    _rule("", ["serviceaccounts"], ["impersonate"]),
    _rule("", ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"], WRITE),
    _rule("", ["pods/eviction", "serviceaccounts/token"], ["create"]),
    _rule("", [
        "configmaps", "persistentvolumeclaims", "secrets", "serviceaccounts", "services",
        "services/proxy",
    ], WRITE),
    _rule(["", EVENTS], ["events"], WRITE),
    _rule("apps", [
        "deployments", "deployments/rollback", "deployments/scale", "replicasets", "replicasets/scale",
    ], WRITE),
    _rule("autoscaling", ["horizontalpodautoscalers"], WRITE),
    _rule("batch", ["cronjobs", "jobs"], WRITE),
    _rule("policy", ["poddisruptionbudgets"], WRITE),
    _rule("networking.k8s.io", ["networkpolicies"], WRITE),
    _rule("coordination.k8s.io", ["leases"], [*READ, *WRITE]),
]  # fmt: skip
ADMIN = [
    _rule("authorization.k8s.io", ["localsubjectaccessreviews"], ["create"]),
    _rule(RBAC, ["rolebindings", "roles"], [*READ, *WRITE]),
]
ROLES: dict[str, list[Manifest]] = {
    "cluster-admin": [
        _rule("*", ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
    "admin": [*ADMIN, *EDIT, *VIEW],
    "edit": [*EDIT, *VIEW],
    "view": VIEW,
    "system:aggregate-to-admin": ADMIN,
    "system:aggregate-to-edit": EDIT,
    "system:aggregate-to-view": VIEW,
    "system:basic-user": [
        _rule(
            "authorization.k8s.io", ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]
        ),
    ],
    "system:discovery": [{"nonResourceURLs": [*DOCUMENTS, *HEALTH], "verbs": ["get"]}],
    "system:public-info-viewer": [{"nonResourceURLs": HEALTH, "verbs": ["get"]}],
}  # fmt: skip
BINDINGS: dict[str, tuple[str, ...]] = {
    "cluster-admin": (MASTERS,),
    "system:basic-user": (AUTHENTICATED,),
    "system:discovery": (AUTHENTICATED,),
    "system:public-info-viewer": (AUTHENTICATED, UNAUTHENTICATED),
}
"""Role to the groups that have it."""
LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
JOINED = ("admin", "edit", "view")
"""Roles that others join by a label."""
JOINS = {
    "edit": "admin",
    "view": "edit",
    **{f"system:aggregate-to-{name}": name for name in JOINED},
}
"""Role to the one that it joins."""


def role_manifests() -> list[tuple[str, Manifest]]:
    """Return the roles and their bindings, each with the plural of its kind."""
    roles = [("clusterroles", _role(name, rules)) for name, rules in ROLES.items()]
    return roles + [
        ("clusterrolebindings", _binding(role, groups)) for role, groups in BINDINGS.items()
    ]


def _role(name: str, rules: list[Manifest]) -> Manifest:
    labels = dict(LABELS) | (_joining(JOINS[name]) if name in JOINS else {})
    found: Manifest = {"metadata": {"name": name, "labels": labels}, "rules": rules}
    if name in JOINED:
        found["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": _joining(name)}]}
    return found


def _joining(role: str) -> dict[str, str]:
    return {f"{RBAC}/aggregate-to-{role}": "true"}


def _binding(role: str, groups: tuple[str, ...]) -> Manifest:
    return {
        "metadata": {"name": role, "labels": dict(LABELS)},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": one} for one in groups],
    }
