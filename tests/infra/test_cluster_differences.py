"""Where the embedded cluster differs from the real one, asked of both as docs/cluster-differences.md says it.

A difference that has gone fails here, and so does one that the document does not have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from deployments.control_plane.run import control_plane
from deployments.local_cluster.served import LocalCluster
from deployments.tools.families import PROJECT_ROOT
from tests.contract import manifests
from tests.support.embedded_kubernetes import served_kubernetes
from tests.support.played_cluster import eventually

DOCUMENT = PROJECT_ROOT / "docs" / "cluster-differences.md"
ROW = re.compile(r"^\| (?P<what>[^|]+) \|.*\| (?P<asserted>yes|no) \|$", re.MULTILINE)
CORE, DEFAULT = "/api/v1", "/api/v1/namespaces/default"
AS_TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
STATUS_PATCH = {"Content-Type": "application/strategic-merge-patch+json"}
PATIENCE_SECONDS = {"real": 60.0, "embedded": 1.0}
"""For what a controller of the real server does after a while, and one of the embedded never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A cluster that is asked.

    Attributes:
        admin: A client for its administrator.
        patience_seconds: For what may never come.
    """

    admin: httpx.Client
    patience_seconds: float

    def status(self, path: str, **headers: str) -> int:
        """Return with which status a path is read."""
        return self.admin.get(path, headers=headers).status_code

    def made(self, path: str, body: dict[str, Any]) -> int:
        """Return with which status something is made."""
        return self.admin.post(path, json=body).status_code

    def read(self, path: str, **headers: str) -> Any:
        """Return what is at a path."""
        return self.admin.get(path, headers=headers).raise_for_status().json()

    def comes(self, what: Callable[[], bool]) -> bool:
        """Return whether something comes true."""
        return eventually(what, seconds=self.patience_seconds)


Question = Callable[[Asked], Any]


def _owned_fields(asked: Asked) -> Any:
    asked.made(f"{DEFAULT}/configmaps", manifests.config_map("owned"))
    found = asked.read(f"{DEFAULT}/configmaps/owned")
    return found["metadata"]["managedFields"][0]["fieldsV1"]["f:data"]


def _breaking_a_rule(asked: Asked) -> int:
    definition = manifests.definition("widgets", kind="Widget")
    group, (version,) = definition["spec"]["group"], definition["spec"]["versions"]
    version["schema"]["openAPIV3Schema"]["properties"]["spec"] = {
        "type": "object",
        "properties": {"size": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.size > 3", "message": "too small"}],
    }
    asked.made("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    path = f"/apis/{group}/{version['name']}/namespaces/default/widgets"
    assert eventually(lambda: asked.status(path) == 200, seconds=60.0)
    body = {"apiVersion": f"{group}/{version['name']}", "kind": "Widget", "spec": {"size": 1}}
    return asked.made(path, body | {"metadata": {"name": "small"}})


def _admission(asked: Asked) -> list[int]:
    group = "/apis/admissionregistration.k8s.io/v1"
    kinds = ("validatingwebhookconfigurations", "validatingadmissionpolicies")
    return [asked.status(f"{group}/{one}") for one in kinds]


def _is_job_begun(asked: Asked) -> bool:
    template = {"spec": {"restartPolicy": "Never", **manifests.pod_spec()}}
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    asked.made(jobs, {"metadata": {"name": "job"}, "spec": {"template": template}})
    return asked.comes(lambda: "startTime" in asked.read(f"{jobs}/job").get("status", {}))


def _parts_and_versions(asked: Asked) -> list[int]:
    asked.made(f"{DEFAULT}/pods", manifests.pod("unchanged", nodeSelector={"nobody": "has"}))
    paths = (
        "/apis/autoscaling/v1/horizontalpodautoscalers", f"{DEFAULT}/pods/unchanged/resize",
        f"{DEFAULT}/pods/unchanged/ephemeralcontainers",
    )  # fmt: skip
    return [asked.status(path) for path in paths]


def _scale_applied(asked: Asked) -> int:
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    asked.made(deployments, manifests.deployment("scaled", replicas=0))
    scale = {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {"name": "scaled"},
        "spec": {"replicas": 0},
    }
    return asked.admin.patch(
        f"{deployments}/scaled/scale",
        params={"fieldManager": "tests", "force": "true"},
        content=orjson.dumps(scale),
        headers={"Content-Type": "application/apply-patch+yaml"},
    ).status_code


def _kinds(asked: Asked) -> set[int]:
    return {
        asked.status(path)
        for path in (
            "/apis/apps/v1/daemonsets", "/apis/apps/v1/statefulsets",
            "/apis/networking.k8s.io/v1/ingresses", "/apis/discovery.k8s.io/v1/endpointslices",
            "/apis/storage.k8s.io/v1/storageclasses", f"{CORE}/persistentvolumes",
            f"{CORE}/endpoints", f"{CORE}/limitranges", f"{CORE}/replicationcontrollers",
        )
    }  # fmt: skip


def _scheduled(asked: Asked, name: str, **spec: Any) -> str:
    """Return what the scheduler says of a pod; empty where it found a node for it."""
    _node(asked)
    asked.made(f"{DEFAULT}/pods", manifests.pod(name, **spec))

    def condition() -> dict[str, Any]:
        found = asked.read(f"{DEFAULT}/pods/{name}")["status"].get("conditions", ())
        return next((one for one in found if one["type"] == "PodScheduled"), {})

    assert eventually(lambda: bool(condition()), seconds=60.0)
    return str(condition().get("message", ""))


def _node(asked: Asked) -> None:
    """Make a node that takes pods, once."""
    if asked.made(f"{CORE}/nodes", {"metadata": {"name": "node"}}) == 409:
        return
    room = {"cpu": "2", "memory": "4Gi", "pods": "20"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}
    status = {"capacity": room, "allocatable": room, "conditions": [ready]}
    url = f"{CORE}/nodes/node"
    asked.admin.patch(f"{url}/status", json={"status": status}, headers=STATUS_PATCH)
    assert eventually(lambda: not asked.read(url)["spec"].get("taints"), seconds=60.0)


def _preemption(asked: Asked) -> list[str]:
    request = {"resources": {"requests": {"cpu": "9"}}}
    container = {"name": "main", "image": "app:1", **request}
    return re.findall("no new claims|preemption:", _scheduled(asked, "big", containers=[container]))


def _weighed(asked: Asked) -> list[bool]:
    """Return of affinity, spreading and resources of other names whether they keep a pod away."""
    term = {"matchExpressions": [{"key": "nobody-has", "operator": "Exists"}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    spread = {"maxSkew": 1, "topologyKey": "nobody-has", "whenUnsatisfiable": "DoNotSchedule"}
    device = {"requests": {"example.dev/gpu": "1"}, "limits": {"example.dev/gpu": "1"}}
    container = {"name": "main", "image": "app:1", "resources": device}
    return [
        bool(_scheduled(asked, "near", affinity={"nodeAffinity": required})),
        bool(_scheduled(asked, "spread", topologySpreadConstraints=[spread | _LABELLED])),
        bool(_scheduled(asked, "device", containers=[container])),
    ]


_LABELLED = {"labelSelector": {"matchLabels": {"app": "spread"}}}


def _reached(asked: Asked) -> set[int]:
    asked.made(f"{DEFAULT}/pods", manifests.pod("unreached", nodeSelector={"nobody": "has"}))
    parts = ("exec?command=ls&stdout=true", "attach?stdout=true", "portforward")
    return {asked.made(f"{DEFAULT}/pods/unreached/{one}", {}) for one in parts}


def _tables(asked: Asked) -> list[bool]:
    paths = (
        "/apis/batch/v1/jobs", "/apis/batch/v1/cronjobs", f"{CORE}/persistentvolumeclaims",
        f"{CORE}/resourcequotas",
    )  # fmt: skip
    found = [asked.read(path, **AS_TABLE)["columnDefinitions"] for path in paths]
    return [len(columns) > 2 for columns in found]


def _accounts(asked: Asked) -> list[Any]:
    asked.made(f"{DEFAULT}/serviceaccounts", {"metadata": {"name": "mine"}})
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return [
        asked.comes(lambda: asked.status(f"{DEFAULT}/serviceaccounts/default") == 200),
        asked.comes(lambda: asked.status(f"{DEFAULT}/configmaps/kube-root-ca.crt") == 200),
        asked.made(f"{DEFAULT}/serviceaccounts/mine/token", request),
    ]


def _formats(asked: Asked) -> list[Any]:
    protobuf = {"Accept": "application/vnd.kubernetes.protobuf"}
    found = asked.admin.get(f"{CORE}/pods", headers=protobuf).headers["content-type"]
    return [found, asked.status(f"{CORE}/pods", Accept="application/cbor")]


def _are_services_charged(asked: Asked) -> bool:
    hard = {"spec": {"hard": {"services": "0"}}}
    asked.made(f"{CORE}/namespaces", manifests.namespace("charged"))
    quotas = f"{CORE}/namespaces/charged/resourcequotas"
    asked.made(quotas, {"metadata": {"name": "none"}, **hard})
    asked.comes(lambda: bool(asked.read(f"{quotas}/none").get("status", {}).get("used")))
    return asked.made(f"{CORE}/namespaces/charged/services", manifests.service("web")) == 403


def _pages(asked: Asked) -> set[int]:
    paths = ("/openapi/v2", "/metrics", "/livez/ping", "/.well-known/openid-configuration")
    return {asked.status(path) for path in paths}


def _priority_classes(asked: Asked) -> bool:
    path = "/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical"
    return asked.comes(lambda: asked.status(path) == 200)


def _headers(asked: Asked) -> list[bool]:
    found = asked.admin.get(f"{CORE}/pods").headers
    return ["audit-id" in found, "x-kubernetes-pf-flowschema-uid" in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A question that the two answer differently.

    Attributes:
        ask: It.
        real: The answer of the real server.
        embedded: The other one.
    """

    ask: Question
    real: Any
    embedded: Any


DIFFERENCES = {
    "`managedFields` of an update": Difference(
        ask=_owned_fields, real={".": {}, "f:key": {}}, embedded={"f:key": {}}
    ),
    "validation rules of definitions in CEL": Difference(
        ask=_breaking_a_rule, real=422, embedded=201
    ),
    "webhooks of admission, and the policies in CEL": Difference(
        ask=_admission, real=[200, 200], embedded=[404, 404]
    ),
    "Jobs, CronJobs, PersistentVolumeClaims, HorizontalPodAutoscalers": Difference(
        ask=_is_job_begun, real=True, embedded=False
    ),
    "parts and versions that nothing of ours uses": Difference(
        ask=_parts_and_versions, real=[200] * 3, embedded=[404] * 3
    ),
    "applying a scale": Difference(ask=_scale_applied, real=200, embedded=400),
    "kinds that nothing of ours uses": Difference(ask=_kinds, real={200}, embedded={404}),
    "what the scheduler says of preemption": Difference(
        ask=_preemption, real=["no new claims", "preemption:"], embedded=[]
    ),
    "affinity, spreading and extended resources of pods": Difference(
        ask=_weighed, real=[True] * 3, embedded=[False] * 3
    ),
    "tables of Jobs, CronJobs, claims and quotas": Difference(
        ask=_tables, real=[True] * 4, embedded=[False] * 4
    ),
    "`exec`, `attach`, `port-forward`": Difference(ask=_reached, real={400}, embedded={404}),
    "service accounts": Difference(
        ask=_accounts, real=[True, True, 201], embedded=[False, False, 404]
    ),
    "impersonation": Difference(
        ask=lambda asked: asked.status(f"{CORE}/pods", **{"Impersonate-User": "guest"}),
        real=403,
        embedded=200,
    ),
    "answers in protobuf and CBOR": Difference(
        ask=_formats,
        real=["application/vnd.kubernetes.protobuf", 406],
        embedded=["application/json", 200],
    ),
    "quotas": Difference(ask=_are_services_charged, real=True, embedded=False),
    "pages beside the API": Difference(ask=_pages, real={200}, embedded={404}),
    "priority classes of the system": Difference(ask=_priority_classes, real=True, embedded=False),
    "headers of audit and of priority": Difference(
        ask=_headers, real=[True, True], embedded=[False, False]
    ),
}

Start = Callable[[Path], AbstractContextManager[LocalCluster]]
STARTS: dict[str, Start] = {"real": control_plane, "embedded": served_kubernetes}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("real", marks=pytest.mark.real("kube-apiserver")),
        pytest.param("embedded", marks=pytest.mark.embedded("kubernetes")),
    ],
)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Asked]]:
    folder = tmp_path_factory.mktemp(f"differences-{request.param}")
    with STARTS[request.param](folder) as cluster, cluster.client() as admin:
        seconds = PATIENCE_SECONDS[request.param]
        yield request.param, Asked(admin=admin, patience_seconds=seconds)


@pytest.mark.slow
@pytest.mark.parametrize("what", DIFFERENCES)
def test_they_differ_as_it_is_written(server: tuple[str, Asked], what: str) -> None:
    kind, asked = server
    difference = DIFFERENCES[what]

    assert difference.ask(asked) == getattr(difference, kind)


def test_the_document_has_a_row_for_each_difference_that_is_asserted() -> None:
    rows = [(one["what"], one["asserted"]) for one in ROW.finditer(DOCUMENT.read_text())]

    assert sorted(what for what, asserted in rows if asserted == "yes") == sorted(DIFFERENCES)
    assert len({what for what, _ in rows}) == len(rows)
