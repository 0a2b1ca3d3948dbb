"""Nobody gives away more than he may do himself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deployments.embedded.kubernetes.access import MASTERS, Access, Attempt, User
from deployments.embedded.kubernetes.errors import ApiError, resource_name
from deployments.embedded.kubernetes.kinds import RBAC, Kind

Body = dict[str, Any]
ROLES = frozenset({"roles", "clusterroles"})
BINDINGS = frozenset({"rolebindings", "clusterrolebindings"})


def check_grant(access: Access, user: User, kind: Kind, namespace: str, body: Body) -> None:
    """Check that somebody who writes a role or a binding has what it gives.

    Raises:
        ApiError: 403, with the rules that are not his to give.
    """
    if kind.group != RBAC or kind.plural not in ROLES | BINDINGS or MASTERS in user.groups:
        return
    if kind.plural in BINDINGS:
        reference = body.get("roleRef") or {}
        given = access.role(reference, namespace) if {"kind", "name"} <= reference.keys() else []
        plural = "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
        verb, name = "bind", str(reference.get("name", ""))
    else:
        given, plural = body.get("rules") or [], kind.plural
        verb, name = "escalate", str((body.get("metadata") or {}).get("name", ""))
    attempt = Attempt(verb=verb, group=RBAC, plural=plural, namespace=namespace, name=name)
    if access.allows(user, attempt):
        return
    held = access.rules(user, namespace)
    missing = [one for rule in given for one in _single(rule) if not _is_held(one, held)]
    if missing:
        raise _refused(user, kind, body, missing)


def _single(rule: Body) -> Iterator[Body]:
    """Yield the parts of a rule: one verb on one resource each."""
    for verb in rule.get("verbs") or ():
        for url in rule.get("nonResourceURLs") or ():
            yield {"verbs": [verb], "nonResourceURLs": [url]}
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                found = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
                names = rule.get("resourceNames")
                yield found | ({"resourceNames": names} if names else {})


def _is_held(wanted: Body, held: list[Body]) -> bool:
    return any(
        all(_has(rule, key, wanted[key][0]) for key in wanted if key != "resourceNames")
        and _names(rule, wanted)
        for rule in held
    )


def _has(rule: Body, key: str, value: str) -> bool:
    known = rule.get(key) or ()
    if value in known or "*" in known:
        return True
    return key == "resources" and f"*/{value.partition('/')[2]}" in known and "/" in value


def _names(rule: Body, wanted: Body) -> bool:
    known = rule.get("resourceNames") or ()
    return not known or (
        bool(wanted.get("resourceNames")) and set(wanted["resourceNames"]) <= {*known}
    )


GO_NAMES = {
    "apiGroups": "APIGroups",
    "resources": "Resources",
    "resourceNames": "ResourceNames",
    "nonResourceURLs": "NonResourceURLs",
    "verbs": "Verbs",
}


def _refused(user: User, kind: Kind, body: Body, missing: list[Body]) -> ApiError:
    groups = ", ".join(f'"{one}"' for one in user.all_groups)
    rules = "\n".join(_shown(one) for one in missing)
    name = (body.get("metadata") or {}).get("name", "")
    called = f'{resource_name(kind.plural, kind.group)} "{name}"'
    message = (
        f'{called} is forbidden: user "{user.name}" (groups=[{groups}]) is attempting to grant RBAC '
        f"permissions not currently held:\n{rules}"
    )
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return ApiError(403, "Forbidden", message, details=details)


def _shown(rule: Body) -> str:
    parts = []
    for key, called in GO_NAMES.items():
        if key in rule:
            listed = ", ".join(f'"{one}"' for one in rule[key])
            parts.append(f"{called}:[{listed}]")
    return f"{{{', '.join(parts)}}}"
