"""Requests to one cluster: paths and plain values in, plain values or errors of ours out.

The typed models of the official client cost about as much as the rest of a cycle when lists are long, so
that its transport and credentials are used, and its models are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import urllib3
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException

from blocks.cluster import KubernetesCluster
from tasks.adapters.kubernetes.errors import (
    ClusterUnreachableError,
    refusal,
    watch_refusal,
)
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
        client: With address and credentials; from now on it sends each request once.
        requests_per_second: At most; a cluster shares its server with everybody else in it.
    """

    def __init__(self, client: ApiClient, *, requests_per_second: float = 50.0) -> None:
        self._client = _without_retries(client)
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

    def watch(self, path: str, *, read_seconds: float, **query: str | int) -> Watch:
        """Return a watch that has begun; close it.

        Args:
            path: Of a collection.
            read_seconds: How long the server may be silent until the connection counts as broken.
            query: Of the watch, for example its first version.

        Raises:
            InfraError: The watch is refused.
        """
        said = {"watch": "true", **query}
        return Watch(path, self._send("GET", path, said, read_seconds=read_seconds).response)

    def text(self, path: str, **query: str | int) -> str:
        """Return what is at a path as it is, for example a container's log."""
        return self._read("GET", path, query).decode(errors="replace")

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Any = None,
        *,
        content: str = "",
    ) -> Body:
        raw = self._read(method, path, query, body, content=content)
        try:
            found: Body = json.loads(raw) if raw else {}
        except ValueError as error:
            said = raw[:200].decode(errors="replace")
            msg = f"{method} {path}: who answers is no cluster: {said}"
            raise ClusterUnreachableError(msg) from error
        return found

    def _read(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int],
        body: Any = None,
        *,
        content: str = "",
    ) -> bytes:
        answer = self._send(method, path, query, body, content=content)
        with _translated(method, path):
            return bytes(answer.read())

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
        with _translated(method, path):
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
            if answer.status >= 300:
                raise refusal(answer.status, answer.read(), answer.headers)
        return answer


class Watch:
    """What one watch says: its events, until the server ends it or it is closed.

    One thread reads it; another may close it.
    """

    def __init__(self, path: str, response: Any) -> None:
        self._path = path
        self._response = response

    def __iter__(self) -> Iterator[Body]:
        """Yield events.

        Raises:
            InfraError: It broke off, was closed, or ended with an event ERROR.
        """
        rest = b""
        try:
            for part in self._response.stream(amt=None, decode_content=True):
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    if line:
                        yield self._event(json.loads(line))
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            msg = f"the watch of {self._path} broke off: {error}"
            raise ClusterUnreachableError(msg) from error
        finally:
            self._response.close()

    def close(self) -> None:
        """End it; whoever waits for its next event waits no longer."""
        # Closing would wait for the reader; this wakes it. It has nothing to say where all is read.
        with suppress(ValueError, RuntimeError, OSError):
            self._response.shutdown()

    def _event(self, said: Body) -> Body:
        if said["type"] == "ERROR":
            raise watch_refusal(said["object"])
        return said


def _without_retries(client: ApiClient) -> ApiClient:
    # urllib3 would send a write again whose answer was lost, and wait where we are asked to, neither within
    # the pace nor counted; pools made from now on do not. The client's own retries are off by default.
    settings: Any = client
    settings.configuration.retries = False
    settings.configuration.client_go_retries = False
    settings.rest_client.pool_manager.connection_pool_kw["retries"] = False
    return client


@contextmanager
def _translated(method: str, path: str) -> Iterator[None]:
    try:
        yield
    except ApiException as error:
        raise _told(error, method, path) from error
    except urllib3.exceptions.HTTPError as error:
        msg = f"{method} {path}: the cluster does not answer: {error}"
        raise ClusterUnreachableError(msg) from error


def _told(error: ApiException, method: str, path: str) -> Exception:
    if not error.status:
        return ClusterUnreachableError(f"{method} {path}: {error.reason}")
    return refusal(int(error.status), error.body or "", error.headers or {})
