"""Roles allow what they say, and nobody gives away more than he has."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.embedded.kubernetes import built_in_roles
from deployments.embedded.kubernetes.access import MASTERS, NOBODY, Access, Attempt, User
from deployments.embedded.kubernetes.cluster import WRITER
from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.escalation import check_grant
from deployments.embedded.kubernetes.kinds import RBAC, Kinds
from deployments.embedded.kubernetes.objects import Objects
from deployments.embedded.kubernetes.store import Store

READER, ADMIN = User(name="reader"), User(name="admin", groups=(MASTERS,))


@pytest.fixture
def objects() -> Objects:
    found = Objects(Store(), Kinds())
    found.create(
        found.kinds.built_in("", "v1", "namespaces"), "", {"metadata": {"name": "a"}}, WRITER
    )
    for plural, manifest in built_in_roles.role_manifests():
        found.create(found.kinds.built_in(RBAC, "v1", plural), "", manifest, WRITER)
    return found


@pytest.fixture
def access(objects: Objects) -> Access:
    return Access(objects.store, objects.kinds, {"token": READER})


def bind(objects: Objects, role: str, user: str = "reader") -> None:
    body = {
        "metadata": {"name": role},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }
    objects.create(objects.kinds.built_in(RBAC, "v1", "rolebindings"), "a", body, WRITER)


def attempt(verb: str, plural: str, **said: Any) -> Attempt:
    return Attempt(verb=verb, plural=plural, **{"namespace": "a", **said})


def test_a_role_counts_from_the_moment_it_is_bound(objects: Objects, access: Access) -> None:
    assert not access.allows(READER, attempt("list", "pods"))
    bind(objects, "view")
    assert access.allows(READER, attempt("list", "pods"))
    assert access.allows(READER, attempt("get", "pods", part="log"))
    for refused in (
        attempt("delete", "pods"),
        attempt("get", "secrets"),
        attempt("list", "pods", namespace="b"),
        attempt("list", "nodes", namespace=""),
    ):
        assert not access.allows(READER, refused)


def test_everybody_may_ask_for_health_and_only_the_known_for_kinds(access: Access) -> None:
    assert access.allows(NOBODY, Attempt(verb="get", path="/readyz"))
    assert not access.allows(NOBODY, Attempt(verb="get", path="/apis/apps"))
    assert access.allows(READER, Attempt(verb="get", path="/apis/apps"))
    assert not access.allows(READER, Attempt(verb="get", path="/metrics"))


def test_who_sends_no_token_is_nobody_and_a_wrong_one_is_refused(access: Access) -> None:
    assert access.user("") is NOBODY
    assert access.user("Bearer token") is READER
    with pytest.raises(ApiError, match="Unauthorized"):
        access.user("Bearer other")


def test_nobody_gives_away_more_than_he_has(objects: Objects, access: Access) -> None:
    bind(objects, "admin")
    roles = objects.kinds.built_in(RBAC, "v1", "roles")
    held = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "delete"]}
    more = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}
    check_grant(access, READER, roles, "a", {"metadata": {"name": "x"}, "rules": [held]})
    check_grant(access, ADMIN, roles, "a", {"metadata": {"name": "x"}, "rules": [more]})
    with pytest.raises(ApiError) as refused:
        check_grant(access, READER, roles, "a", {"metadata": {"name": "x"}, "rules": [held, more]})
    assert refused.value.message.endswith(
        'permissions not currently held:\n{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}'
    )
