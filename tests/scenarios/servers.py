"""The servers that the scenarios are played on, each with the demonstration on it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from kubernetes.client import ApiClient, Configuration

from deployments.control_plane.run import control_plane
from deployments.embedded.kubernetes import defaults
from deployments.embedded.kubernetes.controllers import nodes
from tasks.adapters.kubernetes.connection import ClusterConnection
from tests.support.embedded_kubernetes import ADMIN, embedded_kubernetes
from tests.support.played_cluster import PlayedCluster, played_cluster

SPEED = 30.0
"""Seconds of the world in one second: back-off and probes keep their lengths in the world."""
GRACE_SECONDS, LOOK_SECONDS, TOLERATED_SECONDS = 5, 1, 2
"""Of nodes that say nothing, on the wall: a lost node is noticed after seconds, not minutes."""


@contextmanager
def _embedded(folder: Path) -> Iterator[PlayedCluster]:
    del folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes, "GRACE_SECONDS", float(GRACE_SECONDS))
        patch.setattr(nodes.Nodes, "every_seconds", float(LOOK_SECONDS))
        patch.setattr(defaults, "TOLERATED_SECONDS", TOLERATED_SECONDS)
        with (
            embedded_kubernetes() as cluster,
            played_cluster(cluster.url, ADMIN, cluster.connection(), speed=SPEED) as found,
        ):
            yield found


@contextmanager
def _real(folder: Path) -> Iterator[PlayedCluster]:
    flags = {
        "kube-apiserver": [
            f"--default-not-ready-toleration-seconds={TOLERATED_SECONDS}",
            f"--default-unreachable-toleration-seconds={TOLERATED_SECONDS}",
        ],
        "kube-controller-manager": [
            f"--node-monitor-grace-period={GRACE_SECONDS}s",
            f"--node-monitor-period={LOOK_SECONDS}s",
            # Of a pod in ten seconds: nodes of a large cluster do not go all at once.
            "--node-eviction-rate=10",
        ],
    }
    with control_plane(folder, flags=flags) as plane:
        settings = Configuration()
        settings.host, settings.ssl_ca_cert = plane.url, str(plane.ca_file)
        settings.api_key = {"BearerToken": f"Bearer {plane.tokens['admin']}"}
        api = ClusterConnection(ApiClient(settings), requests_per_second=10_000.0)
        tls = ssl.create_default_context(cafile=str(plane.ca_file))
        with played_cluster(plane.url, plane.tokens["admin"], api, speed=SPEED, tls=tls) as found:
            yield found


Start = Callable[[Path], AbstractContextManager[PlayedCluster]]

STARTS: Mapping[str, Start] = {"embedded": _embedded, "real": _real}
SERVERS = [
    pytest.param("embedded", marks=pytest.mark.embedded("kubernetes")),
    pytest.param("real", marks=pytest.mark.real("kube-apiserver")),
]
"""Parameters of the fixture `played`: every scenario is played on each."""
