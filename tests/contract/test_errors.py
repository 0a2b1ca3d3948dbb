"""What is refused, with which code, reason, details and words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import manifests
from tests.contract.api import Api, Object, path

POD = manifests.pod("web")


def _pod(**changes: Any) -> Object:
    return {**manifests.pod("web"), **changes}


def _metadata(**metadata: Any) -> Object:
    return _pod(metadata=metadata)


def _container(**fields: Any) -> Object:
    return manifests.pod("web", containers=[{"name": "main", "image": "app:1", **fields}])


def _deployment(**spec: Any) -> Object:
    return manifests.deployment("web", **spec)


@pytest.mark.parametrize(
    ("plural", "message"),
    [
        ("pods", 'pods "absent" not found'),
        ("configmaps", 'configmaps "absent" not found'),
        ("deployments", 'deployments.apps "absent" not found'),
        ("leases", 'leases.coordination.k8s.io "absent" not found'),
        ("poddisruptionbudgets", 'poddisruptionbudgets.policy "absent" not found'),
    ],
)
def test_what_is_not_there_is_named_with_its_group(
    api: Api, namespace: str, plural: str, message: str
) -> None:
    reply = api.get(path(plural, namespace, "absent"))

    group = message.split(maxsplit=1)[0].partition(".")[2]
    details = {"name": "absent", "kind": plural} | ({"group": group} if group else {})
    assert reply.status == 404
    assert reply.body == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "NotFound",
        "details": details,
        "code": 404,
    }


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_is_not_there_can_be_neither_changed_nor_deleted(
    api: Api, namespace: str, method: str
) -> None:
    url = path("configmaps", namespace, "absent")
    if method == "PATCH":
        reply = api.patch(url, {"data": {}})
    else:
        body = manifests.config_map("absent") if method == "PUT" else None
        reply = api.call(method, url, body)
    # A ConfigMap, unlike most kinds, cannot be created by a replacement.
    assert (reply.status, reply.body["reason"]) == (404, "NotFound")


def test_a_lease_is_created_by_replacing_one_that_is_not_there(
    api: Api, namespace: str, name: str
) -> None:
    reply = api.put(path("leases", namespace, name), manifests.lease(name))

    assert reply.status == 201


def test_a_path_that_no_resource_has_is_not_found_in_plain_text(api: Api, namespace: str) -> None:
    reply = api.get("/apis/none.dev/v1/things")

    assert reply.status == 404
    assert reply.body == "404 page not found\n"


def test_a_resource_that_a_group_does_not_have_is_not_found(api: Api, namespace: str) -> None:
    reply = api.get(path("gadgets", namespace))

    assert (reply.status, reply.body["message"]) == (
        404,
        "the server could not find the requested resource",
    )


def test_a_namespace_that_is_not_there_takes_nothing(api: Api) -> None:
    reply = api.post(path("configmaps", "nowhere"), manifests.config_map("web"))

    assert (reply.status, reply.body["reason"]) == (404, "NotFound")
    assert reply.body["message"] == 'namespaces "nowhere" not found'


def test_a_method_that_a_resource_does_not_have_is_not_allowed(api: Api, namespace: str) -> None:
    reply = api.post(path("pods", namespace, "web"), POD)

    assert (reply.status, reply.body["reason"]) == (405, "MethodNotAllowed")
    assert (
        reply.body["message"] == "the server does not allow this method on the requested resource"
    )


@pytest.mark.parametrize(
    ("body", "field", "reason", "words"),
    [
        pytest.param(
            _metadata(name="Not_A_Name"),
            "metadata.name",
            "FieldValueInvalid",
            "a lowercase RFC 1123 subdomain must consist of",
            id="name",
        ),
        pytest.param(
            _metadata(labels={"app": "x"}),
            "metadata.name",
            "FieldValueRequired",
            "Required value: name or generateName is required",
            id="no name",
        ),
        pytest.param(
            _metadata(name="web", labels={"a b": "x"}),
            "metadata.labels",
            "FieldValueInvalid",
            "name part must consist of alphanumeric characters",
            id="label key",
        ),
        pytest.param(
            _metadata(name="web", labels={"a": "x y"}),
            "metadata.labels",
            "FieldValueInvalid",
            "a valid label must be an empty string or consist of alphanumeric characters",
            id="label value",
        ),
        pytest.param(
            manifests.pod("web", containers=[]),
            "spec.containers",
            "FieldValueRequired",
            "Required value",
            id="no containers",
        ),
        pytest.param(
            _container(image=""),
            "spec.containers[0].image",
            "FieldValueRequired",
            "Required value",
            id="no image",
        ),
        pytest.param(
            _container(name=""),
            "spec.containers[0].name",
            "FieldValueRequired",
            "Required value",
            id="no container name",
        ),
        pytest.param(
            manifests.pod("web", containers=2 * [{"name": "main", "image": "app:1"}]),
            "spec.containers[1].name",
            "FieldValueDuplicate",
            'Duplicate value: "main"',
            id="two containers of a name",
        ),
        pytest.param(
            manifests.pod("web", restartPolicy="Sometimes"),
            "spec.restartPolicy",
            "FieldValueNotSupported",
            'Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
            id="restart policy",
        ),
        pytest.param(
            _container(imagePullPolicy="Maybe"),
            "spec.containers[0].imagePullPolicy",
            "FieldValueNotSupported",
            'Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"',
            id="pull policy",
        ),
        pytest.param(
            _container(ports=[{"containerPort": 0}]),
            "spec.containers[0].ports[0].containerPort",
            "FieldValueRequired",
            "Required value",
            id="no port",
        ),
        pytest.param(
            _container(ports=[{"containerPort": 99999}]),
            "spec.containers[0].ports[0].containerPort",
            "FieldValueInvalid",
            "Invalid value: 99999: must be between 1 and 65535, inclusive",
            id="port",
        ),
        pytest.param(
            _container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
            "spec.containers[0].resources.requests",
            "FieldValueInvalid",
            'Invalid value: "2": must be less than or equal to cpu limit of 1',
            id="requests above limits",
        ),
        pytest.param(
            _container(resources={"requests": {"cpu": "-1"}}),
            "spec.containers[0].resources.requests[cpu]",
            "FieldValueInvalid",
            'Invalid value: "-1": must be greater than or equal to 0',
            id="negative request",
        ),
        pytest.param(
            _deployment(replicas=-1),
            "spec.replicas",
            "FieldValueInvalid",
            "Invalid value: -1: must be greater than or equal to 0",
            id="negative replicas",
        ),
        pytest.param(
            _deployment(selector={"matchLabels": {"app": "other"}}),
            "spec.template.metadata.labels",
            "FieldValueInvalid",
            "`selector` does not match template `labels`",
            id="selector of other labels",
        ),
        pytest.param(
            _deployment(selector={}),
            "spec.selector",
            "FieldValueInvalid",
            "empty selector is invalid for deployment",
            id="empty selector",
        ),
        pytest.param(
            _deployment(
                strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
            ),
            "spec.strategy.rollingUpdate.maxUnavailable",
            "FieldValueInvalid",
            "may not be 0 when `maxSurge` is 0",
            id="a rollout that cannot move",
        ),
        pytest.param(
            _deployment(
                template={
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"restartPolicy": "Never", **manifests.pod_spec()},
                }
            ),
            "spec.template.spec.restartPolicy",
            "FieldValueNotSupported",
            'supported values: "Always"',
            id="template that does not restart",
        ),
        pytest.param(
            {**manifests.service("web"), "spec": {"ports": []}},
            "spec.ports",
            "FieldValueRequired",
            "Required value",
            id="service without ports",
        ),
        pytest.param(
            manifests.disruption_budget("web", minAvailable=1, maxUnavailable=1),
            "spec",
            "FieldValueInvalid",
            "minAvailable and maxUnavailable cannot be both set",
            id="budget of two rules",
        ),
        pytest.param(
            {
                **manifests.autoscaler("web"),
                "spec": {**manifests.autoscaler("web")["spec"], "minReplicas": 9},
            },
            "spec.maxReplicas",
            "FieldValueInvalid",
            "must be greater than or equal to `minReplicas`",
            id="autoscaler upside down",
        ),
        pytest.param(
            {**manifests.lease("web"), "spec": {"leaseDurationSeconds": 0}},
            "spec.leaseDurationSeconds",
            "FieldValueInvalid",
            "must be greater than 0",
            id="lease of no length",
        ),
        pytest.param(
            manifests.config_map("web", **{"a b": "x"}),
            "data[a b]",
            "FieldValueInvalid",
            "a valid config key must consist of alphanumeric characters",
            id="key of a config map",
        ),
    ],
)
def test_an_invalid_object_is_refused_with_the_field_as_cause(
    api: Api, namespace: str, body: Object, field: str, reason: str, words: str
) -> None:
    plural = {
        "Pod": "pods",
        "Deployment": "deployments",
        "Service": "services",
        "PodDisruptionBudget": "poddisruptionbudgets",
        "HorizontalPodAutoscaler": "horizontalpodautoscalers",
        "Lease": "leases",
        "ConfigMap": "configmaps",
    }[body["kind"]]

    reply = api.post(path(plural, namespace), body)

    assert (reply.status, reply.body["reason"], reply.body["code"]) == (422, "Invalid", 422)
    details = reply.body["details"]
    causes = [cause for cause in details["causes"] if cause["field"] == field]
    assert [cause["reason"] for cause in causes][:1] == [reason], reply.body
    assert words in causes[0]["message"]
    assert details["kind"] == body["kind"]
    named = body["metadata"].get("name", "")
    group = body["apiVersion"].rpartition("/")[0]
    kind = f"{body['kind']}.{group}" if group else body["kind"]
    assert reply.body["message"].startswith(f'{kind} "{named}" is invalid: ')


@pytest.mark.parametrize(
    ("url", "body", "words"),
    [
        pytest.param(
            "pods",
            {**POD, "kind": "Deployment"},
            'Deployment in version "v1" cannot be handled as a Pod',
            id="another kind",
        ),
        pytest.param(
            "pods",
            {**POD, "apiVersion": "apps/v1"},
            'Pod in version "v1" cannot be handled as a Pod: no kind "Pod" is registered for version "apps/v1"',
            id="another version",
        ),
        pytest.param(
            "pods",
            _metadata(name="web", namespace="elsewhere"),
            "the namespace of the provided object does not match the namespace sent on the request",
            id="another namespace",
        ),
        pytest.param(
            "pods",
            {**POD, "spec": {"containers": "none"}},
            "cannot unmarshal string into Go struct field",
            id="a text for a list",
        ),
        pytest.param(
            "deployments",
            _deployment(replicas="three"),
            'Deployment in version "v1" cannot be handled as a Deployment',
            id="a text for a number",
        ),
        pytest.param(
            "pods",
            _container(resources={"requests": {"cpu": "a lot"}}),
            "quantities must match the regular expression",
            id="quantity",
        ),
    ],
)
def test_a_body_that_cannot_be_understood_is_a_bad_request(
    api: Api, namespace: str, url: str, body: Object, words: str
) -> None:
    reply = api.post(path(url, namespace), body)

    assert (reply.status, reply.body["reason"]) == (400, "BadRequest")
    assert words in reply.body["message"]


def test_what_is_new_has_no_version_yet(api: Api, namespace: str, name: str) -> None:
    body = manifests.config_map(name)
    body["metadata"]["resourceVersion"] = "7"

    reply = api.post(path("configmaps", namespace), body)

    # Odd, and what clients see: no code of theirs, and no reason.
    assert (reply.status, "reason" in reply.body) == (500, False)
    assert reply.body["message"] == "resourceVersion should not be set on objects to be created"


def test_no_body_at_all_is_a_bad_request(api: Api, namespace: str) -> None:
    reply = api.post(path("pods", namespace), None)

    assert (reply.status, reply.body["reason"]) == (400, "BadRequest")
    assert "unexpected end of JSON input" in reply.body["message"]


def test_a_body_of_an_unknown_format_is_not_supported(api: Api, namespace: str) -> None:
    reply = api.call("POST", path("pods", namespace), "{", content_type="text/plain")

    assert (reply.status, reply.body["reason"]) == (415, "UnsupportedMediaType")
    assert reply.body["message"].startswith(
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json"
    )


def test_another_name_than_that_of_the_path_is_a_bad_request(
    api: Api, namespace: str, name: str
) -> None:
    api.make("configmaps", namespace, manifests.config_map(name))

    reply = api.put(path("configmaps", namespace, name), manifests.config_map("other"))

    assert reply.status == 400
    assert (
        reply.body["message"]
        == f"the name of the object (other) does not match the name on the URL ({name})"
    )


def test_what_is_unknown_in_a_body_is_dropped_with_a_warning(
    api: Api, namespace: str, name: str
) -> None:
    body = {**manifests.config_map(name), "extra": 1}

    reply = api.post(path("configmaps", namespace), body, fieldValidation="Warn")

    assert reply.status == 201
    assert "extra" not in reply.body
    assert reply.headers["Warning"] == r'299 - "unknown field \"extra\""'


def test_what_is_unknown_in_a_body_is_refused_where_that_is_asked_for(
    api: Api, namespace: str, name: str
) -> None:
    body = manifests.deployment(name, replica=3)

    reply = api.post(path("deployments", namespace), body, fieldValidation="Strict")

    assert (reply.status, reply.body["reason"]) == (400, "BadRequest")
    assert 'strict decoding error: unknown field "spec.replica"' in reply.body["message"]


@pytest.mark.parametrize(
    ("plural", "body", "patch", "field", "words"),
    [
        pytest.param(
            "deployments",
            manifests.deployment("fixed", replicas=0),
            {
                "spec": {
                    "selector": {"matchLabels": {"new": "x"}},
                    "template": {"metadata": {"labels": {"new": "x"}}},
                }
            },
            "spec.selector",
            "field is immutable",
            id="selector of a deployment",
        ),
        pytest.param(
            "pods",
            manifests.pod("fixed"),
            {"spec": {"restartPolicy": "Never"}},
            "spec",
            "Forbidden: pod updates may not change fields other than",
            id="restart policy of a pod",
        ),
        pytest.param(
            "services",
            manifests.service("fixed"),
            {"spec": {"clusterIP": "10.0.0.250", "clusterIPs": ["10.0.0.250"]}},
            "spec.clusterIPs[0]",
            "may not change once set",
            id="address of a service",
        ),
        pytest.param(
            "configmaps",
            {**manifests.config_map("fixed"), "immutable": True},
            {"data": {"key": "new"}},
            "data",
            "field is immutable when `immutable` is set",
            id="immutable config map",
        ),
        pytest.param(
            "secrets",
            manifests.secret("fixed"),
            {"type": "other"},
            "type",
            "field is immutable",
            id="type of a secret",
        ),
        pytest.param(
            "configmaps",
            manifests.config_map("fixed-uid"),
            {"metadata": {"uid": "11111111-1111-1111-1111-111111111111"}},
            "metadata.uid",
            "field is immutable",
            id="identity",
        ),
        pytest.param(
            "rolebindings",
            manifests.binding("fixed", role="a", user="x"),
            {"roleRef": {"name": "b"}},
            "roleRef",
            "cannot change roleRef",
            id="role of a binding",
        ),
    ],
)
def test_what_may_not_change_is_refused(
    api: Api,
    namespace: str,
    plural: str,
    body: Object,
    patch: Object,
    field: str,
    words: str,
) -> None:
    api.make(plural, namespace, body)

    reply = api.patch(path(plural, namespace, body["metadata"]["name"]), patch)

    causes = {cause["field"]: cause["message"] for cause in reply.body["details"].get("causes", [])}
    assert (reply.status, reply.body["reason"]) == (422, "Invalid")
    assert words in causes[field]


def test_the_image_of_a_running_pod_may_change(api: Api, namespace: str, name: str) -> None:
    api.make("pods", namespace, manifests.pod(name))
    patch = {"spec": {"containers": [{"name": "main", "image": "app:2"}]}}

    patched = api.patch(path("pods", namespace, name), patch, "strategic").object()

    assert patched["spec"]["containers"][0]["image"] == "app:2"


def test_a_dry_run_answers_as_if_and_keeps_nothing(api: Api, namespace: str, name: str) -> None:
    reply = api.post(path("configmaps", namespace), manifests.config_map(name), dryRun="All")

    assert reply.status == 201
    assert "uid" in reply.body["metadata"]
    assert api.get(path("configmaps", namespace, name)).status == 404


def test_a_generated_name_is_the_prefix_and_five_characters(api: Api, namespace: str) -> None:
    body = {**manifests.config_map("x"), "metadata": {"generateName": "made-"}}

    names = {api.make("configmaps", namespace, body)["metadata"]["name"] for _ in range(5)}

    assert len(names) == 5
    # Without vowels and what looks like them, so that no word comes of it.
    assert all(
        set(name.removeprefix("made-")) <= set("bcdfghjklmnpqrstvwxz2456789") for name in names
    )
    assert {len(name) for name in names} == {10}
