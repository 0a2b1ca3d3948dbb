"""A node that is heard of is not taken for silent, whichever of its signs of life comes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deployments.embedded.kubernetes.cluster import WRITER
from deployments.embedded.kubernetes.controllers.nodes import GRACE_SECONDS, LEASES, Nodes
from deployments.embedded.kubernetes.kinds import Kinds
from deployments.embedded.kubernetes.objects import Objects
from deployments.embedded.kubernetes.store import Store

LATE = 2.0 * GRACE_SECONDS


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("reported", "renewed", "ready"),
    [(LATE, LATE, "Unknown"), (LATE, 1.0, "True"), (1.0, LATE, "True"), (1.0, 1.0, "True")],
)
def test_only_a_node_of_which_nothing_is_heard_is_unknown(
    reported: float, renewed: float, ready: str
) -> None:
    objects = Objects(Store(), Kinds())
    nodes = objects.kinds.built_in("", "v1", "nodes")
    leases = objects.kinds.built_in("coordination.k8s.io", "v1", "leases")
    namespaces = objects.kinds.built_in("", "v1", "namespaces")
    objects.create(namespaces, "", {"metadata": {"name": LEASES}}, WRITER)
    condition = {"type": "Ready", "status": "True", "lastHeartbeatTime": ago(reported)}
    made = objects.create(nodes, "", {"metadata": {"name": "one"}}, WRITER)
    objects.store.put(nodes, made.body() | {"status": {"conditions": [condition]}})
    spec = {"holderIdentity": "one", "renewTime": ago(renewed)}
    objects.create(leases, LEASES, {"metadata": {"name": "one"}, "spec": spec}, WRITER)
    controller = Nodes(objects)

    controller.reconcile(("", "one"))

    found = objects.store.get(nodes, "", "one")
    assert found is not None
    conditions: dict[str, Any] = {one["type"]: one for one in found.body()["status"]["conditions"]}
    assert conditions["Ready"]["status"] == ready
    assert conditions["Ready"]["lastHeartbeatTime"] == condition["lastHeartbeatTime"]
