"""Breaking and mending the simulated cluster, as the commands do it, on the embedded API server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deployments.embedded.workloads.changes import CHANGES
from deployments.embedded.workloads.physics.fault_kinds import KINDS
from deployments.simulator import Simulator, SimulatorError
from tests.support.embedded_kubernetes import ADMIN, EmbeddedKubernetes, embedded_kubernetes
from tests.support.played_cluster import (
    DEPLOYMENTS,
    PlayedCluster,
    eventually,
    played_cluster,
)

pytestmark = [pytest.mark.slow, pytest.mark.embedded("kubernetes")]

SECONDS = 60.0
SUBJECTS = {
    "volume-delay": "database",
    "volume-errors": "database",
    "dependency-down": "database",
    "edge-latency": "checkout",
}
"""Where a kind makes sense that does not everywhere."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[EmbeddedKubernetes]:
    with embedded_kubernetes() as found:
        yield found


@pytest.fixture(scope="module")
def played(cluster: EmbeddedKubernetes) -> Iterator[PlayedCluster]:
    with (
        played_cluster(cluster.url, ADMIN, cluster.connection(), speed=10.0) as found,
    ):
        assert eventually(found.is_well, seconds=SECONDS)
        yield found


@pytest.fixture
def simulator(cluster: EmbeddedKubernetes, played: PlayedCluster) -> Iterator[Simulator]:
    def client(url: str, token: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=url, headers=headers, trust_env=False)

    with (
        client(played.running.control_url, played.running.token) as control,
        client(cluster.url, ADMIN) as api,
    ):
        yield Simulator(control=control, api=api)
        Simulator(control=control, api=api).mend([])


def _template(played: PlayedCluster, name: str) -> Any:
    return played.api.get(f"{DEPLOYMENTS}/{name}")["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_put_in_by_its_name_alone(simulator: Simulator, kind: str) -> None:
    is_of_node = any(
        field["name"] == "node"
        for found in simulator.kinds()
        if found["kind"] == kind
        for field in found["fields"]
    )
    subject = "node-2" if is_of_node else SUBJECTS.get(kind, "cart")

    broken = simulator.break_(subject, kind, {})

    assert broken.name == f"{subject}-{kind}"
    assert broken.subject == (subject if is_of_node else f"shop/{subject}")
    assert broken.sentence == KINDS[kind].sentence
    assert [one["fault"]["kind"] for one in simulator.faults()] == [kind]
    assert simulator.mend([subject]) == [broken.name]
    assert simulator.faults() == []


@pytest.mark.parametrize("kind", CHANGES)
def test_every_mistake_can_be_made_by_its_name_alone(
    simulator: Simulator, played: PlayedCluster, kind: str
) -> None:
    path = f"{DEPLOYMENTS}/recommendations"
    before = _template(played, "recommendations")

    broken = simulator.break_("recommendations", kind, {})

    undo = "kubectl -n shop rollout undo deployment/recommendations --to-revision="
    assert broken.undo.startswith(undo)
    assert broken.undo.removeprefix(undo).isdigit()
    assert _template(played, "recommendations") != before
    managers = played.api.get(path)["metadata"]["managedFields"]
    assert managers
    spoken_for = {one["manager"] for one in managers if one.get("subresource") != "status"}
    # The last is this test, which mends what others of it have broken.
    assert spoken_for <= {"shop-release", "kubectl-edit", "homeostat"}
    played.api.merge(path, {"spec": {"template": {"spec": {"containers": [before]}}}})


def test_values_that_are_said_go_before_examples(simulator: Simulator) -> None:
    simulator.break_("checkout", "edge-latency", {"target": "payments", "milliseconds": 50})

    (found,) = simulator.faults()
    assert found["fault"]["target"] == "shop/payments"
    assert found["fault"]["milliseconds"] == 50


def test_two_edges_of_one_workload_are_two_faults_and_the_same_again_is_one(
    simulator: Simulator,
) -> None:
    simulator.break_("checkout", "edge-latency", {"target": "payments"})
    simulator.break_("checkout", "edge-latency", {"target": "cart"})
    simulator.break_("checkout", "edge-latency", {"target": "cart", "milliseconds": 20})

    found = {one["name"]: one["fault"]["milliseconds"] for one in simulator.faults()}
    assert found == {
        "checkout-edge-latency-payments": 500.0,
        "checkout-edge-latency-cart": 20,
    }


def test_what_is_outside_the_cluster_can_be_down_too(simulator: Simulator) -> None:
    broken = simulator.break_("payments.example.com", "dependency-down", {})

    assert broken.subject == "payments.example.com"
    assert simulator.mend([broken.name]) == ["payments-example-com-dependency-down"]


@pytest.mark.parametrize(
    ("subject", "kind", "values", "said"),
    [
        ("cart", "sabotage", {}, "'sabotage' is no kind.* memory-leak.* image-tag"),
        ("cart", "memory-demand", {"factor": 0}, r"factor.*0.*100"),
        ("cart", "memory-demand", {"power": 1}, "power.*unknown; fields are target"),
        ("basket", "memory-demand", {}, "'basket' is not there; there are .*shop/cart"),
        ("node-9", "node-lost", {}, "'node-9' is not there; there are node-1"),
        ("cart", "edge-loss", {"target": "search"}, "'shop/search' is not there; there are .*cache"),
        ("cart", "image-tag", {"tag": None}, r"tag is None; give a tag such as 2\.5\.0"),
        ("basket", "image-tag", {}, "no deployment 'basket'"),
        ("cart", "slowdown", {"target": "web"}, "target is what was named first, 'shop/cart'"),
        ("cart", "limit", {"resource": "disk"}, "cpu or memory"),
        ("web", "missing-key", {"name": "NONE"}, "'NONE' is not set; there are: .*API_URL"),
    ],
)  # fmt: skip
def test_what_cannot_be_broken_is_refused_and_says_what_can(
    simulator: Simulator, subject: str, kind: str, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(SimulatorError) as refused:
        simulator.break_(subject, kind, values)

    assert re.search(said, str(refused.value))
    assert simulator.faults() == []


def test_mending_what_is_not_broken_withdraws_nothing(simulator: Simulator) -> None:
    simulator.break_("cart", "slowdown", {})

    with pytest.raises(
        SimulatorError, match=r"no fault 'web' is in force; in force are: cart-slow"
    ):
        simulator.mend(["cart", "web"])

    assert len(simulator.faults()) == 1


def test_a_simulator_that_is_gone_is_told_with_what_to_do() -> None:
    with (
        httpx.Client(base_url="http://127.0.0.1:1", trust_env=False) as nowhere,
        pytest.raises(SimulatorError, match=r"127\.0\.0\.1:1 does not answer.*homeostat status"),
    ):
        Simulator(control=nowhere, api=nowhere).faults()
