"""A test that acts as a kubelet: it writes what a kubelet writes, and nothing of what others do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from urllib3.exceptions import HTTPError

from tests.contract import official
from tests.contract.api import Api, Object, path

NOW = "2026-11-28T00:00:00Z"


def ready_status(image: str = "app:1", *, since: str = NOW) -> Object:
    """Return the status of a pod whose one container runs and is ready."""
    return {
        "phase": "Running",
        "podIP": "10.1.0.7",
        "startTime": since,
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": since}
            for kind in ("Initialized", "Ready", "ContainersReady")
        ],
        "containerStatuses": [
            {
                "name": "main",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "image": image,
                "imageID": f"sha256:{image}",
                "containerID": "containerd://1",
                "state": {"running": {"startedAt": since}},
            }
        ],
    }


def set_status(api: Api, namespace: str, name: str, status: Object) -> Object:
    url = path("pods", namespace, name, "status")
    return api.patch(url, {"status": status}, "strategic").object()


def make_ready(api: Api, namespace: str, name: str) -> Object:
    return set_status(api, namespace, name, ready_status())


def add_node(
    api: Api, name: str, *, cpu: str = "4", memory: str = "8Gi", pods: str = "20", **node: Any
) -> Object:
    """Make a node that is ready and takes the pods that tolerate its taint."""
    body = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, **node.pop("labels", {})},
        },
        "spec": node,
    }
    api.make("nodes", None, body)
    amounts = {"cpu": cpu, "memory": memory, "pods": pods}
    status = {"capacity": amounts, "allocatable": amounts, "conditions": node_conditions()}
    api.patch(path("nodes", None, name, "status"), {"status": status}, "strategic").object()
    # The server taints every new node; the controller of nodes takes that away when it is ready.
    return api.until(
        path("nodes"),
        name,
        lambda it: not any("not-ready" in t["key"] for t in it["spec"].get("taints", [])),
    )


def node_conditions(ready: str = "True") -> list[Object]:
    kinds = {
        "MemoryPressure": "False",
        "DiskPressure": "False",
        "PIDPressure": "False",
        "Ready": ready,
    }
    return [
        {
            "type": kind,
            "status": status,
            "reason": "Kubelet",
            "message": "kubelet is posting",
            "lastHeartbeatTime": NOW,
            "lastTransitionTime": NOW,
        }
        for kind, status in kinds.items()
    ]


@contextmanager
def kubelet(
    api: Api, namespace: str, *, starts: Callable[[Object], bool] = lambda _: True
) -> Iterator[None]:
    """Make the pods of a namespace ready as they come, and end the ones that are to end.

    Args:
        starts: Says whether a pod's containers get to run.
    """
    stream, ended = official.Watch(), threading.Event()

    def follow() -> None:
        try:
            _follow(stream, api, namespace, starts)
        except HTTPError:
            # Stopping cuts the connection.
            if not ended.is_set():
                raise

    worker = threading.Thread(target=follow, daemon=True)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        stream.stop()
        worker.join(timeout=10)


def _follow(stream: Any, api: Api, namespace: str, starts: Callable[[Object], bool]) -> None:
    for event in stream.stream(api.core.list_namespaced_pod, namespace, timeout_seconds=120):
        seen = event["raw_object"]
        if event["type"] == "DELETED":
            continue
        name = seen["metadata"]["name"]
        url = path("pods", namespace, name)
        if "deletionTimestamp" in seen["metadata"]:
            api.delete(url, gracePeriodSeconds=0)
        elif seen["status"].get("phase") == "Pending" and starts(seen):
            image = seen["spec"]["containers"][0]["image"]
            # The pod may be gone by now.
            api.patch(f"{url}/status", {"status": ready_status(image)}, "strategic")
