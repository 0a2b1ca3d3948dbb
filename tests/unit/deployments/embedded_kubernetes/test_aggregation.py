"""What of requests is passed on to other servers, and what those have."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from deployments.embedded.kubernetes import discovery
from deployments.embedded.kubernetes.access import Attempt, User
from deployments.embedded.kubernetes.aggregation.discovered import Discovered, resources_of
from deployments.embedded.kubernetes.aggregation.registrations import (
    available_cell,
    local,
    registration_of,
)
from deployments.embedded.kubernetes.aggregation.requests import (
    answered,
    attempt_of,
    headers_for,
    query_of,
)
from deployments.embedded.kubernetes.kinds import Kinds
from deployments.embedded.kubernetes.validation_registrations import registration_causes

ROOT = "/apis/metrics.k8s.io/v1beta1"


@pytest.mark.parametrize(
    ("method", "rest", "query", "expected"),
    [
        pytest.param("GET", "/pods", {}, {"verb": "list", "plural": "pods"}, id="all"),
        pytest.param(
            "GET",
            "/namespaces/shop/pods",
            {"watch": "1"},
            {"verb": "watch", "plural": "pods", "namespace": "shop"},
            id="watch",
        ),
        pytest.param(
            "DELETE", "/nodes", {}, {"verb": "deletecollection", "plural": "nodes"}, id="delete-all"
        ),
        pytest.param("POST", "/nodes", {}, {"verb": "create", "plural": "nodes"}, id="create"),
        pytest.param(
            "PATCH",
            "/namespaces/shop/pods/web/status",
            {},
            {
                "verb": "patch",
                "plural": "pods",
                "namespace": "shop",
                "name": "web",
                "part": "status",
            },
            id="part",
        ),
        pytest.param(
            "GET",
            "/nodes",
            {"fieldSelector": "metadata.name=n-1"},
            {"verb": "list", "plural": "nodes", "name": "n-1"},
            id="one-by-its-name",
        ),
        pytest.param(
            "GET",
            "/namespaces/shop",
            {},
            {"verb": "get", "plural": "namespaces", "namespace": "shop", "name": "shop"},
            id="namespace",
        ),
    ],
)
def test_a_path_tells_what_is_attempted(
    method: str, rest: str, query: dict[str, str], expected: dict[str, str]
) -> None:
    found = attempt_of(method, f"{ROOT}{rest}", query)

    assert found == Attempt(group="metrics.k8s.io", **expected)


def test_the_place_of_a_version_is_a_document() -> None:
    assert attempt_of("GET", ROOT, {}) == Attempt(verb="get", path=ROOT)


def test_a_query_is_passed_on_by_names_in_the_order_of_what_has_several_values() -> None:
    assert query_of([("b", "2 &"), ("a", "z"), ("b", "1")]) == "a=z&b=2+%26&b=1"


def test_who_asks_is_told_and_how_they_proved_it_is_not() -> None:
    sent = CIMultiDictProxy(
        CIMultiDict(
            {
                "Authorization": "Bearer secret",
                "X-Remote-User": "root",
                "X-Remote-Extra-Scope": "all",
                "Connection": "keep-alive, X-Hop",
                "X-Hop": "1",
                "Accept": "application/json",
            }
        )
    )

    found = headers_for(sent, User(name="ann", groups=("ops",)), path=ROOT)

    assert found.getall("X-Remote-User") == ["ann"]
    assert found.getall("X-Remote-Group") == ["ops", "system:authenticated"]
    assert found["Accept"] == "application/json"
    assert not {"Authorization", "X-Remote-Extra-Scope", "X-Hop", "Connection"} & set(found)


def test_an_answer_keeps_its_headers_but_those_of_its_connection() -> None:
    sent = CIMultiDict({"X-Said-By": "it", "Transfer-Encoding": "chunked", "Content-Length": "3"})

    assert dict(answered(CIMultiDictProxy(sent))) == {"X-Said-By": "it"}


def test_parts_of_a_resource_are_told_with_it() -> None:
    rows: list[dict[str, Any]] = [
        {
            "name": "pods",
            "singularName": "pod",
            "namespaced": True,
            "kind": "PodMetrics",
            "verbs": ["get"],
            "shortNames": ["po"],
        },
        {"name": "pods/scale", "kind": "Scale", "group": "autoscaling", "version": "v1"},
    ]

    (pods,) = resources_of({"resources": rows})

    assert pods["scope"] == "Namespaced"
    assert pods["shortNames"] == ["po"]
    assert pods["subresources"] == [
        {
            "subresource": "scale",
            "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
            "verbs": [],
        }
    ]


def test_groups_of_more_weight_come_first() -> None:
    told = [
        Discovered(group="light.example.com", version="v1", priority=100),
        Discovered(group="heavy.example.com", version="v1", priority=17_900),
    ]

    groups = list(discovery.versions(Kinds(), told))

    assert groups[:3] == ["apiregistration.k8s.io", "heavy.example.com", "apps"]
    assert groups[-1] == "light.example.com"


def test_a_group_of_the_server_itself_is_asked_of_nobody() -> None:
    body = local("apps", "v1", "onstart")

    assert registration_of(body) is None
    assert available_cell(body) == "Unknown"
    assert list(registration_causes(body)) == []


def test_what_is_wrong_with_names_is_told_together() -> None:
    spec = {"group": "Bad_Group", "version": "1", "groupPriorityMinimum": 1, "versionPriority": 1}

    causes = list(registration_causes({"metadata": {"name": "1.Bad_Group"}, "spec": spec}))

    assert [field for _, _, field in causes] == ["spec.group", "spec.version"]
