"""The servers that the contract is tried on: the one list, and how each of them is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployments.control_plane.run import control_plane


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
        yield Cluster(
            kind="real",
            url=plane.url,
            ca_file=plane.ca_file,
            tokens=plane.tokens,
            kubeconfig=plane.kubeconfig,
        )


Start = Callable[[Path], AbstractContextManager[Cluster]]

STARTS: Mapping[str, Start] = {"real": _real}

SERVERS = [pytest.param("real", marks=pytest.mark.real("kube-apiserver"))]
"""Parameters of the fixture `cluster`: every behaviour is tried on each."""
