"""The servers that the contract is tried on: the one list, and how each of them is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployments.control_plane.run import control_plane
from deployments.local_cluster.served import LocalCluster
from tests.support.embedded_kubernetes import served_kubernetes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where a server answers, and to whom.

    Attributes:
        kind: `real`, or the name of what imitates it.
        url: Of the API.
        ca_file: To verify it with; None where it speaks plain HTTP.
        tokens: User (`admin`, `simulator`, `reader`, `guest`) to bearer token.
        kubeconfig: For kubectl; the administrator's context is current.
    """

    kind: str
    url: str
    ca_file: Path | None
    tokens: Mapping[str, str]
    kubeconfig: Path


@contextmanager
def _real(folder: Path) -> Iterator[Cluster]:
    # Nobody sends heartbeats for nodes that a test made, and tests are not about their loss.
    flags = {"kube-controller-manager": ["--node-monitor-grace-period=2h"]}
    with control_plane(folder, flags=flags) as plane:
        yield _cluster("real", plane)


@contextmanager
def _embedded(folder: Path) -> Iterator[Cluster]:
    with served_kubernetes(folder) as served:
        yield _cluster("embedded", served)


def _cluster(kind: str, local: LocalCluster) -> Cluster:
    return Cluster(
        kind=kind,
        url=local.url,
        ca_file=local.ca_file,
        tokens=local.tokens,
        kubeconfig=local.kubeconfig,
    )


Start = Callable[[Path], AbstractContextManager[Cluster]]

STARTS: Mapping[str, Start] = {"real": _real, "embedded": _embedded}

SERVERS = [
    pytest.param("real", marks=pytest.mark.real("kube-apiserver")),
    pytest.param("embedded", marks=pytest.mark.embedded("kubernetes")),
]
"""Parameters of the fixture `cluster`: every behaviour is tried on each."""
