"""Requests through the transport of the official client, answered with what was on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kubernetes import client

from tests.contract import official
from tests.contract.servers import Cluster

Object = dict[str, Any]
DEADLINE_SECONDS = 60

GROUPS = {
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "horizontalpodautoscalers": "/apis/autoscaling/v2",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "priorityclasses": "/apis/scheduling.k8s.io/v1",
    "customresourcedefinitions": "/apis/apiextensions.k8s.io/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1",
    "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
    "clusterroles": "/apis/rbac.authorization.k8s.io/v1",
    "clusterrolebindings": "/apis/rbac.authorization.k8s.io/v1",
    "selfsubjectaccessreviews": "/apis/authorization.k8s.io/v1",
    "subjectaccessreviews": "/apis/authorization.k8s.io/v1",
    "events.k8s.io": "/apis/events.k8s.io/v1",
}
PATCHES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


def path(plural: str, namespace: str | None = None, *rest: str) -> str:
    """Return the path of a collection, or with a name and a subresource in `rest` of a part.

    `events` are those of the core group, `events.k8s.io` the same ones of their own group.
    """
    prefix = GROUPS.get(plural, "/api/v1")
    scope = f"/namespaces/{namespace}" if namespace else ""
    return "/".join([f"{prefix}{scope}", plural.removesuffix(".k8s.io"), *rest])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server answered."""

    status: int
    body: Any
    headers: dict[str, str]

    def object(self) -> Object:
        """Return the body of a success."""
        assert self.status < 300, self.body
        assert isinstance(self.body, dict)
        return self.body


class Api:
    """The API of a cluster for one user, who is nobody where there is no token."""

    def __init__(self, cluster: Cluster, *, token: str | None) -> None:
        settings = client.Configuration(host=cluster.url)
        settings.ssl_ca_cert = str(cluster.ca_file) if cluster.ca_file else None
        settings.proxy = None
        # What the server refuses for now is a behaviour too.
        settings.retries = False
        if token is not None:
            settings.api_key["authorization"] = token
            settings.api_key_prefix["authorization"] = "Bearer"
        self.client: Any = client.ApiClient(settings)
        self.core = official.CoreV1Api(self.client)
        self.apps = official.AppsV1Api(self.client)
        self.custom = official.CustomObjectsApi(self.client)

    def close(self) -> None:
        self.client.close()

    def call(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: Object | None = None,
        accept: str = "application/json",
    ) -> Reply:
        answer = self._send(method, url, body, content_type, query or {}, accept)
        text = answer.read().decode()
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return Reply(
            status=answer.status,
            body=json.loads(text) if is_json else text,
            headers=dict(answer.headers),
        )

    def get(self, url: str, **query: Any) -> Reply:
        return self.call("GET", url, query=query)

    def post(self, url: str, body: Any, **query: Any) -> Reply:
        return self.call("POST", url, body, query=query)

    def put(self, url: str, body: Any, **query: Any) -> Reply:
        return self.call("PUT", url, body, query=query)

    def delete(self, url: str, body: Any = None, **query: Any) -> Reply:
        return self.call("DELETE", url, body, query=query)

    def patch(self, url: str, body: Any, kind: str = "merge", **query: Any) -> Reply:
        return self.call("PATCH", url, body, content_type=PATCHES[kind], query=query)

    def make(self, plural: str, namespace: str | None, body: Object) -> Object:
        """Create an object that must be accepted."""
        return self.post(path(plural, namespace), body).object()

    def watch(
        self, url: str, *, timeout_seconds: int = DEADLINE_SECONDS, **query: Any
    ) -> Iterator[Object]:
        """Yield events until the server ends the watch; a refusal is an event ERROR."""
        query = {"watch": "true", "timeoutSeconds": timeout_seconds, **query}
        answer = self._send("GET", url, None, "application/json", query, "application/json")
        stream = answer.response
        try:
            if answer.status != 200:
                yield {"type": "ERROR", "object": json.loads(answer.read())}
                return
            for line in official.response_lines(stream):
                yield json.loads(line)
        finally:
            stream.close()
            stream.release_conn()

    def until(
        self, url: str, name: str, is_met: Callable[[Object], object], **query: Any
    ) -> Object:
        """Return an object's first state from now on that meets a condition.

        One that does not exist, or no more, is an empty object.
        """
        query["fieldSelector"] = f"metadata.name={name}"
        listed = self.get(url, **query).object()
        last: Object = next(iter(listed["items"]), {})
        if is_met(last):
            return last
        version = listed["metadata"]["resourceVersion"]
        for event in self.watch(url, resourceVersion=version, **query):
            last = {} if event["type"] == "DELETED" else event["object"]
            if is_met(last):
                return last
        message = f"{url}/{name} did not get there in {DEADLINE_SECONDS} s; last: {last}"
        raise AssertionError(message)

    def until_listed(
        self, url: str, is_met: Callable[[list[Object]], object], **query: Any
    ) -> list[Object]:
        """Return the first state of a list, ordered by name, that meets a condition."""
        listed = self.get(url, **query).object()
        items = {item["metadata"]["uid"]: item for item in listed["items"]}
        if is_met(_by_name(items)):
            return _by_name(items)
        version = listed["metadata"]["resourceVersion"]
        for event in self.watch(url, resourceVersion=version, **query):
            uid = event["object"]["metadata"]["uid"]
            if event["type"] == "DELETED":
                items.pop(uid, None)
            else:
                items[uid] = event["object"]
            if is_met(_by_name(items)):
                return _by_name(items)
        message = f"{url} did not get there in {DEADLINE_SECONDS} s; last: {_by_name(items)}"
        raise AssertionError(message)

    def _send(
        self, method: str, url: str, body: Any, content_type: str, query: Object, accept: str
    ) -> Any:
        request = self.client.param_serialize(
            method,
            url,
            query_params=[(name, value) for name, value in query.items() if value is not None],
            header_params={"Accept": accept, "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        return self.client.call_api(*request, _request_timeout=(10, DEADLINE_SECONDS + 10))


def _by_name(items: dict[str, Object]) -> list[Object]:
    return sorted(items.values(), key=lambda item: str(item["metadata"]["name"]))
