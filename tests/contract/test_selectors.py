"""Which objects a selector of labels or of fields means, and which selectors there are not."""

from __future__ import annotations

import pytest

from tests.contract import manifests
from tests.contract.acting import set_status
from tests.contract.api import Api, path

LABELS = {
    "red-1": {"color": "red", "size": "1", "on": ""},
    "red-2": {"color": "red", "size": "2"},
    "blue-1": {"color": "blue", "size": "1"},
    "plain": {"other": "x"},
}


@pytest.fixture(scope="module")
def labelled(api: Api, namespace: str) -> str:
    for name, labels in LABELS.items():
        body = manifests.lease(name)
        body["metadata"]["labels"] = labels
        api.make("leases", namespace, body)
    return path("leases", namespace)


@pytest.fixture(scope="module")
def pods(api: Api, namespace: str) -> str:
    for name, node in {"bound": "far-node", "free": None}.items():
        spec = {"nodeName": node} if node else {}
        api.make("pods", namespace, manifests.pod(name, **spec))
    set_status(api, namespace, "bound", {"phase": "Running"})
    return path("pods", namespace)


@pytest.fixture(scope="module")
def events(api: Api, namespace: str) -> str:
    for name, reason in {"one": "Killing", "two": "Pulled"}.items():
        body = manifests.core_event(name, namespace)
        body["reason"] = reason
        body["involvedObject"]["name"] = f"pod-{name}"
        body["involvedObject"]["uid"] = f"uid-{name}"
        body["type"] = "Warning" if name == "two" else "Normal"
        if name == "two":
            body["reportingComponent"] = "kubelet"
        api.make("events", namespace, body)
    return path("events", namespace)


def _listed(api: Api, url: str, **query: str) -> set[str]:
    return {item["metadata"]["name"] for item in api.get(url, **query).object()["items"]}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("color=red", {"red-1", "red-2"}),
        ("color==red", {"red-1", "red-2"}),
        ("color!=red", {"blue-1", "plain"}),
        ("color in (red, blue)", {"red-1", "red-2", "blue-1"}),
        ("color notin (red)", {"blue-1", "plain"}),
        ("color", {"red-1", "red-2", "blue-1"}),
        ("!color", {"plain"}),
        ("color=red,size=1", {"red-1"}),
        ("color=red,size!=1", {"red-2"}),
        ("color,size in (1),color notin (blue)", {"red-1"}),
        ("on=", {"red-1"}),
        ("on", {"red-1"}),
        ("size>1", {"red-2"}),
        ("size<2", {"red-1", "blue-1"}),
        ("color=green", set()),
        ("", set(LABELS)),
    ],
)
def test_labels_select(api: Api, labelled: str, selector: str, expected: set[str]) -> None:
    assert _listed(api, labelled, labelSelector=selector) == expected


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ("color=red=blue", "found '=', expected: ',' or 'end of string'"),
        ("color in red", "unable to parse requirement: found 'red' expected: '('"),
        ("=red", "found '=', expected: !, identifier, or 'end of string'"),
        ("a b", "found 'b', expected: in, notin, =, ==, !=, gt, lt"),
    ],
)
def test_a_selector_that_cannot_be_read_is_a_bad_request(
    api: Api, labelled: str, selector: str, words: str
) -> None:
    reply = api.get(labelled, labelSelector=selector)

    assert (reply.status, reply.body["reason"]) == (400, "BadRequest")
    assert words in reply.body["message"]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("metadata.name=red-1", {"red-1"}),
        ("metadata.name==red-1", {"red-1"}),
        ("metadata.name!=red-1", {"red-2", "blue-1", "plain"}),
        ("metadata.name=red-1,metadata.name=red-2", set()),
    ],
)
def test_names_select(api: Api, labelled: str, selector: str, expected: set[str]) -> None:
    assert _listed(api, labelled, fieldSelector=selector) == expected


def test_a_namespace_selects_over_all_namespaces(api: Api, namespace: str, labelled: str) -> None:
    found = _listed(api, path("leases"), fieldSelector=f"metadata.namespace={namespace}")

    assert found == set(LABELS)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("spec.nodeName=far-node", {"bound"}),
        ("spec.nodeName=", {"free"}),
        ("spec.nodeName!=", {"bound"}),
        ("status.phase=Running", {"bound"}),
        ("status.phase!=Running", {"free"}),
        ("status.phase=Pending,spec.nodeName=", {"free"}),
        ("spec.restartPolicy=Always", {"bound", "free"}),
        ("spec.schedulerName=default-scheduler", {"bound", "free"}),
    ],
)
def test_fields_of_pods_select(api: Api, pods: str, selector: str, expected: set[str]) -> None:
    assert _listed(api, pods, fieldSelector=selector) == expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("involvedObject.name=pod-one", {"one"}),
        ("involvedObject.kind=Pod,involvedObject.name=pod-two", {"two"}),
        ("involvedObject.uid=uid-two", {"two"}),
        ("reason=Killing", {"one"}),
        ("type=Warning", {"two"}),
        ("type!=Normal", {"two"}),
        ("source=kubelet", {"one", "two"}),
        ("reportingComponent=kubelet", {"two"}),
    ],
)
def test_fields_of_events_select(api: Api, events: str, selector: str, expected: set[str]) -> None:
    mine = "involvedObject.namespace!=none"

    assert _listed(api, events, fieldSelector=f"{selector},{mine}") & {"one", "two"} == expected


def test_labels_and_fields_select_together(api: Api, labelled: str) -> None:
    found = _listed(api, labelled, labelSelector="color=red", fieldSelector="metadata.name!=red-1")

    assert found == {"red-2"}


@pytest.mark.parametrize(
    ("plural", "selector", "message"),
    [
        (
            "configmaps",
            "data.key=x",
            '"data.key" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("pods", "spec.image=x", "field label not supported: spec.image"),
        (
            "deployments",
            "status.replicas=1",
            '"status.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
    ],
)
def test_a_field_that_selects_nothing_is_a_bad_request(
    api: Api, namespace: str, plural: str, selector: str, message: str
) -> None:
    reply = api.get(path(plural, namespace), fieldSelector=selector)

    assert (reply.status, reply.body["reason"]) == (400, "BadRequest")
    assert message in reply.body["message"]
