"""Requests to one cluster: paths and plain values in, plain values or errors of ours out.

The typed models of the official client cost about as much as the rest of a cycle when lists are long, so
that its transport and credentials are used, and its models are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import urllib3
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException

from blocks.cluster import KubernetesCluster
from tasks.adapters.kubernetes.errors import ClusterUnreachableError, refusal
from tasks.adapters.pace import Pace

Body = dict[str, Any]
JSON = "application/json"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
CONNECT_SECONDS = 5.0
CALL_SECONDS = 30.0
MANAGER = "homeostat"
"""Under which name we own fields."""


def connection_to(cluster: KubernetesCluster) -> ClusterConnection:
    """Return a connection that keeps within the cluster's pace.

    Raises:
        ConfigException: The kubeconfig cannot be read, or has no such context.
    """
    return ClusterConnection(cluster.client(), requests_per_second=cluster.requests_per_second)


class ClusterConnection:
    """Sends requests to one API server.

    Args:
        client: With address and credentials.
        requests_per_second: At most; a cluster shares its server with everybody else in it.
    """

    def __init__(self, client: ApiClient, *, requests_per_second: float = 50.0) -> None:
        self._client = client
        self._pace = Pace(requests_per_second=requests_per_second)
        self.requests = 0

    def get(self, path: str, **query: str | int) -> Body:
        """Return what is at a path.

        Raises:
            InfraError: One of `tasks.adapters.kubernetes.errors`.
        """
        return self._call("GET", path, query)

    def create(self, path: str, body: Body, **query: str | int) -> Body:
        """Create an object in a collection, or an eviction of a pod."""
        return self._call("POST", path, {"fieldManager": MANAGER, **query}, body, content=JSON)

    def replace(self, path: str, body: Body, **query: str | int) -> Body:
        """Replace an object, as long as it is the version that the body names."""
        return self._call("PUT", path, {"fieldManager": MANAGER, **query}, body, content=JSON)

    def merge(self, path: str, patch: Body, **query: str | int) -> Body:
        """Change a part of an object by a merge patch."""
        return self._call("PATCH", path, {"fieldManager": MANAGER, **query}, patch, content=MERGE)

    def apply(self, path: str, wanted: Body, *, force: bool = False, **query: str | int) -> Body:
        """Apply what we want an object to be, under our name; fields of others only by force."""
        said = {"fieldManager": MANAGER, "force": "true" if force else "false", **query}
        return self._call("PATCH", path, said, wanted, content=APPLY)

    def delete(self, path: str, options: Body | None = None) -> Body:
        """Delete an object."""
        return self._call("DELETE", path, {}, options or {}, content=JSON)

    def lines(self, path: str, *, read_seconds: float, **query: str | int) -> Iterator[Body]:
        """Yield what a watch says, until the server ends it or is silent for too long.

        Raises:
            InfraError: The watch is refused, or broke off.
        """
        answer = self._send("GET", path, query, read_seconds=read_seconds)
        rest = b""
        try:
            for part in answer.response.stream(amt=None, decode_content=True):
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    if line:
                        yield json.loads(line)
        except urllib3.exceptions.ReadTimeoutError:
            return
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            msg = f"the watch of {path} broke off: {error}"
            raise ClusterUnreachableError(msg) from error
        finally:
            answer.response.close()

    def text(self, path: str, **query: str | int) -> str:
        """Return what is at a path as it is, for example a container's log."""
        return bytes(self._send("GET", path, query).read()).decode(errors="replace")

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Any = None,
        *,
        content: str = "",
    ) -> Body:
        raw = self._send(method, path, query, body, content=content).read()
        found: Body = json.loads(raw) if raw else {}
        return found

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Any = None,
        *,
        content: str = "",
        read_seconds: float = CALL_SECONDS,
    ) -> Any:
        self._pace.wait(0)
        self.requests += 1
        headers = {"Accept": JSON} | ({"Content-Type": content} if content else {})
        try:
            ready = self._client.param_serialize(
                method,
                path,
                query_params=[(key, value) for key, value in query.items() if value != ""],
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
            )
            answer: Any = self._client.call_api(
                *ready, _request_timeout=(CONNECT_SECONDS, read_seconds)
            )
        except ApiException as error:
            raise _told(error, method, path) from error
        except urllib3.exceptions.HTTPError as error:
            msg = f"{method} {path}: the cluster does not answer: {error}"
            raise ClusterUnreachableError(msg) from error
        if answer.status >= 400:
            raise refusal(answer.status, answer.read(), answer.headers)
        return answer


def _told(error: ApiException, method: str, path: str) -> Exception:
    if not error.status:
        return ClusterUnreachableError(f"{method} {path}: {error.reason}")
    return refusal(int(error.status), error.body or "", error.headers or {})
