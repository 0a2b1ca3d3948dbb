"""A cluster for each worker of a run, a namespace for each module."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from tests.contract import manifests
from tests.contract.api import Api
from tests.contract.kubectl import Kubectl
from tests.contract.servers import SERVERS, STARTS, Cluster
from tests.support.reality import ToolPath

_NUMBERS = count(1)


@pytest.fixture(scope="session", params=SERVERS)
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A server of which every behaviour of the contract is asked."""
    with STARTS[request.param](tmp_path_factory.mktemp(f"cluster-{request.param}")) as started:
        yield started


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Iterator[Api]:
    """The API for the administrator."""
    with closing(Api(cluster, token=cluster.tokens["admin"])) as administrator:
        yield administrator


@pytest.fixture(scope="module")
def namespace(request: pytest.FixtureRequest, api: Api) -> str:
    """A namespace that no other module uses; it goes with the cluster."""
    chapter = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    name = f"{chapter}-{next(_NUMBERS)}"
    api.make("namespaces", None, manifests.namespace(name))
    return name


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses, and that tells where it comes from."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))
    return f"{words[:30].strip('-')}-{next(_NUMBERS)}"


@pytest.fixture
def kubectl(
    cluster: Cluster, namespace: str, tool_path: ToolPath, tmp_path_factory: pytest.TempPathFactory
) -> Kubectl:
    """The command, for the administrator."""
    home = tmp_path_factory.getbasetemp() / f"kubectl-{cluster.kind}"
    home.mkdir(exist_ok=True)
    return Kubectl(
        program=tool_path("kubectl"),
        kubeconfig=cluster.kubeconfig,
        namespace=namespace,
        home=home,
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the contract out of the fast tests: a real server is started for it."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
