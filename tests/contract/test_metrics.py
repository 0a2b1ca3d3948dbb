"""Groups that another server answers for, as the one of metrics: registered, found and passed on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from tests.contract import manifests
from tests.contract.acting import add_node
from tests.contract.api import DEADLINE_SECONDS, GROUPS, Api, Object, Reply, path
from tests.contract.extension import VERSION, Extension, Resource, extension_server
from tests.contract.kubectl import Kubectl
from tests.contract.servers import Cluster

GROUPS["apiservices"] = "/apis/apiregistration.k8s.io/v1"
SYSTEM = "kube-system"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
GAUGES = Resource(
    kind="Gauge",
    plural="gauges",
    namespaced=True,
    items=[{"metadata": {"name": "first", "namespace": "default"}, "reading": 7}],
)
UNAVAILABLE = "service unavailable"


@pytest.fixture(scope="module")
def extension(api: Api) -> Iterator[Extension]:
    """A server of gauges that is registered and available."""
    with extension_server("figures.homeostat.dev", GAUGES) as served, registered(api, served):
        yield served


@contextmanager
def registered(api: Api, served: Extension) -> Iterator[Object]:
    """Apply what a person would, wait until requests are passed on, and take it away again."""
    name = served.group.replace(".", "-")
    api.make("services", SYSTEM, external_name(name, port=served.port))
    api.make("apiservices", None, registration(served.group, service=name, port=served.port))
    yield availability(api, served.group, "Passed")
    api.delete(path("apiservices", None, served.service))
    api.delete(path("services", SYSTEM, name))


def external_name(name: str, *, port: int) -> Object:
    spec = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def registration(group: str, *, service: str, port: int = 443, **spec: Any) -> Object:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{VERSION}.{group}"},
        "spec": {
            "group": group,
            "version": VERSION,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"namespace": SYSTEM, "name": service, "port": port},
            **spec,
        },
    }


def availability(api: Api, group: str, reason: str) -> Object:
    """Return the condition of a registration once it has a reason, and requests go by it."""
    found = api.until(
        path("apiservices"),
        f"{VERSION}.{group}",
        # A service that was made a moment before may not be seen yet.
        lambda it: any(one["reason"] == reason for one in _conditions(it)),
    )
    # The status is written first; what passes requests on, and what tells of groups, go by it later.
    served = reason == "Passed"
    eventually(lambda: api.get(f"/apis/{group}/{VERSION}"), lambda it: (it.status == 200) == served)
    fresh = "Current" if served else "Stale"
    eventually(
        lambda: api.call("GET", "/apis", accept=AGGREGATED),
        lambda it: [one["freshness"] for one in versions_of(it, group)] == [fresh],
    )
    return _conditions(found)[0]


def versions_of(document: Reply, group: str) -> list[Object]:
    """Return what the one document of all groups tells of a group."""
    for one in document.object()["items"]:
        if one["metadata"].get("name") == group:
            versions: list[Object] = one["versions"]
            return versions
    return []


def _conditions(thing: Object) -> list[Object]:
    found: list[Object] = thing.get("status", {}).get("conditions") or []
    return found


def eventually(ask: Callable[[], Reply], is_met: Callable[[Reply], object]) -> Reply:
    """Return the first answer that meets a condition."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_met(reply := ask()):
        assert time.monotonic() < deadline, reply
    return reply


def test_an_extension_that_answers_is_available(api: Api, extension: Extension) -> None:
    found = api.get(path("apiservices", None, extension.service)).object()

    condition = _conditions(found)[0]
    del condition["lastTransitionTime"]
    assert condition == {
        "type": "Available",
        "status": "True",
        "reason": "Passed",
        "message": "all checks passed",
    }


def test_its_group_is_listed_behind_those_of_the_server(api: Api, extension: Extension) -> None:
    groups = {it["name"]: it for it in api.get("/apis").object()["groups"]}

    version = {"groupVersion": f"{extension.group}/{VERSION}", "version": VERSION}
    named = {"name": extension.group, "versions": [version], "preferredVersion": version}
    assert groups[extension.group] == named
    assert list(groups).index(extension.group) > list(groups).index("coordination.k8s.io")
    assert api.get(f"/apis/{extension.group}").object() == {
        "kind": "APIGroup",
        "apiVersion": "v1",
        **named,
    }


def test_newer_clients_find_its_resources_in_the_one_document(
    api: Api, extension: Extension
) -> None:
    document = api.call("GET", "/apis", accept=AGGREGATED)

    gauges = {
        "resource": "gauges",
        "responseKind": {"group": "", "version": "", "kind": "Gauge"},
        "scope": "Namespaced",
        "singularResource": "gauge",
        "verbs": ["create", "get", "list"],
    }
    assert versions_of(document, extension.group) == [
        {"version": VERSION, "resources": [gauges], "freshness": "Current"},
    ]


def test_what_it_answers_comes_back_as_it_was(api: Api, extension: Extension) -> None:
    found = api.get(f"{extension.root}/namespaces/default/gauges/first")
    missing = api.get(f"{extension.root}/namespaces/default/gauges/second")

    assert (found.status, found.body["reading"]) == (200, 7)
    assert found.headers["X-Said-By"] == "the extension"
    assert (missing.status, missing.body["message"]) == (
        404,
        "second is nowhere, says the extension",
    )


def test_query_and_body_arrive(api: Api, extension: Extension) -> None:
    url = f"{extension.root}/namespaces/default/gauges"

    api.get(url, labelSelector="app=shop,tier!=test", limit=5)
    made = api.post(url, {"reading": 8})

    # The API server asks what there is whenever it likes, also after these.
    read, written = [one for one in extension.asked if one.path.startswith(url)][-2:]
    assert read.path == f"{url}?labelSelector=app%3Dshop%2Ctier%21%3Dtest&limit=5"
    assert (written.method, written.body) == ("POST", '{"reading": 8}')
    assert (made.status, made.body) == (201, {"reading": 8})


def test_it_is_told_who_asks_and_not_how_they_proved_it(api: Api, extension: Extension) -> None:
    api.get(f"{extension.root}/gauges")

    asked = extension.last(f"{extension.root}/gauges")
    assert asked.headers["x-remote-user"] == "admin"
    assert asked.groups == ("system:masters", "system:authenticated")
    assert "authorization" not in asked.headers


def test_nobody_can_say_that_they_are_somebody_else(api: Api, extension: Extension) -> None:
    url = f"{extension.root}/namespaces/default/gauges"
    request = api.client.param_serialize(
        "GET",
        url,
        header_params={"X-Remote-User": "somebody", "X-Remote-Group": "others"},
        auth_settings=["BearerToken"],
    )

    api.client.call_api(*request).read()

    asked = extension.last(url)
    assert asked.headers["x-remote-user"] == "admin"
    assert "others" not in asked.groups


def test_who_has_no_role_is_refused_before_it_is_asked(
    cluster: Cluster, extension: Extension
) -> None:
    url = f"{extension.root}/namespaces/default/gauges/unasked"
    with closing(Api(cluster, token=cluster.tokens["guest"])) as guest:
        reply = guest.get(url)

    assert (reply.status, reply.body["reason"]) == (403, "Forbidden")
    assert reply.body["message"] == (
        f'gauges.{extension.group} "unasked" is forbidden: User "guest" cannot get resource "gauges" '
        f'in API group "{extension.group}" in the namespace "default"'
    )
    assert all(it.path != url for it in extension.asked)


def test_a_role_for_its_group_opens_it(
    api: Api, cluster: Cluster, extension: Extension, name: str
) -> None:
    rule = manifests.rule("gauges", "list", group=extension.group)
    api.make("clusterroles", None, manifests.role(name, rule, kind="ClusterRole"))
    bound = manifests.binding(
        name, role=name, user="guest", kind="ClusterRoleBinding", role_kind="ClusterRole"
    )
    api.make("clusterrolebindings", None, bound)

    with closing(Api(cluster, token=cluster.tokens["guest"])) as guest:
        reply = eventually(
            lambda: guest.get(f"{extension.root}/gauges"), lambda it: it.status == 200
        )

    assert reply.body["kind"] == "GaugeList"
    assert extension.last(f"{extension.root}/gauges").headers["x-remote-user"] == "guest"


def test_a_role_that_joins_those_who_view_opens_it_to_them(
    api: Api, cluster: Cluster, extension: Extension, name: str
) -> None:
    rule = manifests.rule("gauges", "get", group=extension.group)
    body = manifests.role(name, rule, kind="ClusterRole")
    body["metadata"]["labels"] = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    url = f"{extension.root}/namespaces/default/gauges/first"
    with closing(Api(cluster, token=cluster.tokens["reader"])) as reader:
        before = reader.get(url)
        api.make("clusterroles", None, body)
        eventually(lambda: reader.get(url), lambda it: it.status == 200)
        seen = api.get(path("clusterroles", None, "view")).object()
        api.delete(path("clusterroles", None, name))
        eventually(lambda: reader.get(url), lambda it: it.status == 403)

    assert before.status == 403
    (selector,) = seen["aggregationRule"]["clusterRoleSelectors"]
    assert selector == {"matchLabels": body["metadata"]["labels"]}
    assert body["rules"][0] in seen["rules"]


@pytest.mark.parametrize("role", ["edit", "admin"])
def test_who_may_edit_may_view_what_joins(api: Api, role: str, name: str) -> None:
    body = manifests.role(name, manifests.rule("gauges", "get", group=name), kind="ClusterRole")
    body["metadata"]["labels"] = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    api.make("clusterroles", None, body)

    eventually(
        lambda: api.get(path("clusterroles", None, role)),
        lambda it: body["rules"][0] in it.object()["rules"],
    )

    api.delete(path("clusterroles", None, name))


def test_one_whose_service_is_not_there_is_unavailable(api: Api, name: str) -> None:
    group = f"{name}.homeostat.dev"
    api.make("apiservices", None, registration(group, service="nowhere"))

    condition = availability(api, group, "ServiceNotFound")
    replies = [api.get(f"/apis/{group}/{VERSION}{rest}") for rest in ("", "/gauges")]

    api.delete(path("apiservices", None, f"{VERSION}.{group}"))
    assert condition["status"] == "False"
    assert condition["message"] == 'service/nowhere in "kube-system" is not present'
    assert [(it.status, it.body.strip()) for it in replies] == [(503, UNAVAILABLE)] * 2


def test_a_port_that_its_service_has_not_got_makes_it_unavailable(api: Api, name: str) -> None:
    group = f"{name}.homeostat.dev"
    api.make("services", SYSTEM, manifests.service(name))
    api.make("apiservices", None, registration(group, service=name, port=81))

    condition = availability(api, group, "ServicePortError")

    api.delete(path("apiservices", None, f"{VERSION}.{group}"))
    assert condition["message"] == f'service/{name} in "kube-system" is not listening on port 81'


def test_one_that_nobody_serves_is_unavailable(api: Api, name: str) -> None:
    group = f"{name}.homeostat.dev"
    api.make("services", SYSTEM, external_name(name, port=1))
    api.make("apiservices", None, registration(group, service=name, port=1))

    condition = availability(api, group, "FailedDiscoveryCheck")
    reply = api.get(f"/apis/{group}/{VERSION}/gauges")

    api.delete(path("apiservices", None, f"{VERSION}.{group}"))
    assert condition["message"].startswith(
        f"failing or missing response from https://localhost:1/apis/{group}/{VERSION}: "
    )
    assert (reply.status, reply.body.strip()) == (503, UNAVAILABLE)


def test_one_that_does_not_know_its_group_is_unavailable(
    api: Api, extension: Extension, name: str
) -> None:
    group = f"{name}.homeostat.dev"
    service = extension.group.replace(".", "-")
    api.make("apiservices", None, registration(group, service=service, port=extension.port))

    condition = availability(api, group, "FailedDiscoveryCheck")

    api.delete(path("apiservices", None, f"{VERSION}.{group}"))
    url = f"https://localhost:{extension.port}/apis/{group}/{VERSION}"
    assert condition["message"] == (
        f"failing or missing response from {url}: bad status from {url}: 404"
    )


def test_its_certificate_is_verified_unless_that_is_waived(
    api: Api, extension: Extension, name: str
) -> None:
    group = f"{name}.homeostat.dev"
    service = extension.group.replace(".", "-")
    body = registration(group, service=service, port=extension.port)
    del body["spec"]["insecureSkipTLSVerify"]
    api.make("apiservices", None, body)

    condition = availability(api, group, "FailedDiscoveryCheck")

    api.delete(path("apiservices", None, f"{VERSION}.{group}"))
    assert "certificate" in condition["message"]


def test_one_that_stops_answering_is_told_of_with_503(api: Api, name: str) -> None:
    group = f"{name}.homeostat.dev"
    with extension_server(group, GAUGES) as served:
        api.make("services", SYSTEM, external_name(name, port=served.port))
        api.make("apiservices", None, registration(group, service=name, port=served.port))
        availability(api, group, "Passed")

    reply = eventually(lambda: api.get(f"{served.root}/gauges"), lambda it: it.status != 200)

    api.delete(path("apiservices", None, served.service))
    assert reply.status == 503


def test_an_unavailable_one_is_found_as_stale(api: Api, name: str) -> None:
    group = f"{name}.homeostat.dev"
    api.make("apiservices", None, registration(group, service="nowhere"))
    availability(api, group, "ServiceNotFound")

    document = api.call("GET", "/apis", accept=AGGREGATED)

    api.delete(path("apiservices", None, f"{VERSION}.{group}"))
    assert versions_of(document, group) == [{"version": VERSION, "freshness": "Stale"}]


def test_one_that_is_taken_away_leaves_nothing(api: Api, name: str) -> None:
    group = f"{name}.homeostat.dev"
    with extension_server(group, GAUGES) as served, registered(api, served):
        pass

    reply = eventually(lambda: api.get(f"{served.root}/gauges"), lambda it: it.status == 404)

    assert reply.body.strip() == "404 page not found"
    eventually(lambda: api.get(f"/apis/{group}"), lambda it: it.status == 404)
    assert group not in {it["name"] for it in api.get("/apis").object()["groups"]}


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        pytest.param(
            {"group": "other.homeostat.dev"},
            "metadata.name",
            'must be `spec.version+"."+spec.group`: "v1beta1.other.homeostat.dev"',
            id="name",
        ),
        pytest.param(
            {"groupPriorityMinimum": 0},
            "spec.groupPriorityMinimum",
            "Invalid value: 0: must be positive and less than 20000",
            id="priority-of-the-group",
        ),
        pytest.param(
            {"versionPriority": 1001},
            "spec.versionPriority",
            "Invalid value: 1001: must be positive and less than 1000",
            id="priority-of-the-version",
        ),
        pytest.param(
            {"caBundle": "YWJj"},
            "spec.insecureSkipTLSVerify",
            "Invalid value: true: may not be true if caBundle is present",
            id="verified-or-not",
        ),
        pytest.param(
            {"service": {"namespace": SYSTEM, "name": "it", "port": 0}},
            "spec.service.port",
            "port is not valid: must be between 1 and 65535, inclusive",
            id="port",
        ),
        pytest.param(
            {"service": {"namespace": SYSTEM, "name": ""}},
            "spec.service.name",
            "Required value",
            id="name-of-the-service",
        ),
        pytest.param(
            {"service": None},
            "spec.insecureSkipTLSVerify",
            "local APIServices may not have insecureSkipTLSVerify",
            id="local",
        ),
    ],
)
def test_an_impossible_registration_is_invalid(
    api: Api, name: str, change: Object, field: str, words: str
) -> None:
    body = registration(f"{name}.homeostat.dev", service="it")
    body["spec"] |= change

    reply = api.post(path("apiservices"), body)

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    causes = {it["field"]: it["message"] for it in reply.body["details"]["causes"]}
    assert list(causes) == [field]
    assert words in causes[field]


def test_the_port_of_a_registration_is_that_of_tls(api: Api, name: str) -> None:
    body = registration(f"{name}.homeostat.dev", service="nowhere")
    del body["spec"]["service"]["port"]

    made = api.make("apiservices", None, body)

    api.delete(path("apiservices", None, made["metadata"]["name"]))
    assert made["spec"]["service"] == {"namespace": SYSTEM, "name": "nowhere", "port": 443}


def test_a_replacement_of_a_registration_needs_its_version(api: Api, extension: Extension) -> None:
    url = path("apiservices", None, extension.service)
    body = api.get(url).object()
    del body["metadata"]["resourceVersion"]

    reply = api.put(url, body)

    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    assert "metadata.resourceVersion" in reply.body["message"]


def test_the_groups_of_the_server_itself_are_registered_as_local(api: Api) -> None:
    found = api.get(path("apiservices", None, "v1.apps")).object()

    condition = _conditions(found)[0]
    del condition["lastTransitionTime"]
    assert found["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "onstart"}
    assert found["spec"] == {
        "group": "apps",
        "version": "v1",
        "groupPriorityMinimum": 17800,
        "versionPriority": 15,
    }
    assert condition == {
        "type": "Available",
        "status": "True",
        "reason": "Local",
        "message": "Local APIServices are always available",
    }


def test_kubectl_lists_registrations(kubectl: Kubectl, extension: Extension) -> None:
    said = kubectl("get", "apiservices", "v1.apps", extension.service)

    rows = [row.split() for row in said.out.splitlines()]
    assert rows[0] == ["NAME", "SERVICE", "AVAILABLE", "AGE"]
    assert rows[1][:3] == ["v1.apps", "Local", "True"]
    service = f"{SYSTEM}/{extension.group.replace('.', '-')}"
    assert rows[2][:3] == [extension.service, service, "True"]


def test_kubectl_reads_what_an_extension_has(kubectl: Kubectl, extension: Extension) -> None:
    said = kubectl("get", f"gauges.{extension.group}", "first", "-n", "default", "-o", "json")

    assert said.json["reading"] == 7


USAGE = {"timestamp": "2026-11-28T10:00:00Z", "window": "15.0s"}


def metrics_of(node: str, namespace: str, pod: str) -> tuple[Resource, Resource]:
    """Return what metrics-server has of a node and of a pod on it."""
    used = {"cpu": "250m", "memory": "64Mi"}
    of_node = {"metadata": {"name": node}, **USAGE, "usage": {"cpu": "1", "memory": "2Gi"}}
    of_pod = {
        "metadata": {"name": pod, "namespace": namespace},
        **USAGE,
        "containers": [{"name": "main", "usage": used}],
    }
    return (
        Resource(kind="NodeMetrics", plural="nodes", namespaced=False, items=[of_node]),
        Resource(kind="PodMetrics", plural="pods", namespaced=True, items=[of_pod]),
    )


def test_kubectl_and_the_official_client_read_metrics(
    api: Api, kubectl: Kubectl, namespace: str, name: str
) -> None:
    # Nobody plays its kubelet: pods of other tests would stay on it for ever.
    taint = {"key": "metrics", "value": "only", "effect": "NoSchedule"}
    add_node(api, name, cpu="4", memory="8Gi", taints=[taint])
    with (
        extension_server("metrics.k8s.io", *metrics_of(name, namespace, "worker")) as served,
        registered(api, served),
    ):
        nodes = kubectl("top", "nodes", name, "--no-headers").out.split()
        pods = kubectl("top", "pods", "--no-headers").out.split()
        listed = api.custom.list_namespaced_custom_object(
            "metrics.k8s.io", VERSION, namespace, "pods"
        )

    assert nodes == [name, "1000m", "25%", "2048Mi", "25%"]
    assert pods == ["worker", "250m", "64Mi"]
    assert listed["items"][0]["containers"][0]["usage"] == {"cpu": "250m", "memory": "64Mi"}
