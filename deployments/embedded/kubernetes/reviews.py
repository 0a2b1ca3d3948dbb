"""Questions about what somebody may do, which are asked by creating an object that is not kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.kubernetes.access import Access, Attempt, User
from deployments.embedded.kubernetes.errors import not_allowed

Body = dict[str, Any]
GROUP = "authorization.k8s.io"
PATH = f"/apis/{GROUP}/v1/"
KINDS: Mapping[str, str] = {
    "selfsubjectaccessreviews": "SelfSubjectAccessReview",
    "subjectaccessreviews": "SubjectAccessReview",
    "selfsubjectrulesreviews": "SelfSubjectRulesReview",
}
"""Plural to kind."""


def review_of(path: str) -> str:
    """Return the plural of the review at a path; empty for another path."""
    plural = path.removeprefix(PATH)
    return plural if path.startswith(PATH) and plural in KINDS else ""


def answered(access: Access, user: User, plural: str, method: str, body: Body) -> Body:
    """Return a review with its answer.

    Raises:
        ApiError: 403 where somebody may not ask about others, 405 for anything but creating one.
    """
    if method != "POST":
        raise not_allowed()
    access.check(user, Attempt(verb="create", group=GROUP, plural=plural))
    spec = body.get("spec") or {}
    found = {"kind": KINDS[plural], "apiVersion": f"{GROUP}/v1", "metadata": {}, "spec": spec}
    if plural == "selfsubjectrulesreviews":
        return found | {"status": _rules(access, user, spec)}
    if plural == "subjectaccessreviews":
        user = User(name=spec.get("user", ""), groups=tuple(spec.get("groups") or ()))
    return found | {"status": {"allowed": access.allows(user, _attempt(spec))}}


def _attempt(spec: Mapping[str, Any]) -> Attempt:
    path = spec.get("nonResourceAttributes")
    if path is not None:
        return Attempt(verb=path.get("verb", ""), path=path.get("path", ""))
    asked = spec.get("resourceAttributes") or {}
    return Attempt(
        verb=asked.get("verb", ""),
        group=asked.get("group", ""),
        plural=asked.get("resource", ""),
        part=asked.get("subresource", ""),
        namespace=asked.get("namespace", ""),
        name=asked.get("name", ""),
    )


def _rules(access: Access, user: User, spec: Mapping[str, Any]) -> Body:
    rules = access.rules(user, spec.get("namespace", ""))
    kept = ("verbs", "apiGroups", "resources", "resourceNames")
    return {
        "resourceRules": [
            {key: rule[key] for key in kept if key in rule} for rule in rules if "resources" in rule
        ],
        "nonResourceRules": [
            {"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]}
            for rule in rules
            if "nonResourceURLs" in rule
        ],
        "incomplete": False,
    }
