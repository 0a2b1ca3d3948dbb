"""The demonstration: a shop that is well as long as nobody breaks it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.cluster_physics_stage import demonstration_stage, many_pods_stage
from deployments.embedded.workloads.containers.quantities import (
    InvalidQuantityError,
    cores,
    mebibytes,
    quantity,
)
from deployments.embedded.workloads.demonstration import (
    GATEWAY,
    MAIL,
    PARTS,
    demonstration_manifests,
    demonstration_world,
)


def test_a_day_without_faults_ends_nothing_and_fails_next_to_nobody() -> None:
    stage = demonstration_stage()
    stage.run(60)
    for _ in range(48):
        answer = stage.run(30, step_seconds=60.0)
        assert (answer.exit_code < 0).all()
        failed = answer.workload_failed_rps.sum() / answer.workload_offered_rps.sum()
        assert failed < 0.005
        assert (answer.memory_mib < 0.9 * stage.placement.memory_limit_mib).all()
        assert (answer.cpu_cores < 0.7 * stage.placement.cpu_limit_cores).all()
        assert answer.backlog.max() < 60


def test_it_has_twelve_workloads_and_about_forty_replicas_in_three_zones() -> None:
    world = demonstration_world()
    assert len(world.workloads) == 12
    assert 35 <= sum(part.replicas for part in PARTS) <= 45
    assert {node.zone for node in world.nodes} == {"zone-a", "zone-b", "zone-c"}
    assert set(world.services[12:]) == {GATEWAY, MAIL}
    assert not world.edges.circular


def test_manifests_are_json_and_point_at_what_is_there() -> None:
    made = demonstration_manifests()
    assert json.loads(json.dumps(made)) == list(made)
    maps = {one["metadata"]["name"]: one["data"] for one in made if one["kind"] == "ConfigMap"}
    deployments = [one for one in made if one["kind"] == "Deployment"]
    assert len(deployments) == 12
    for one in deployments:
        template = one["spec"]["template"]
        labels = template["metadata"]["labels"]
        assert one["spec"]["selector"]["matchLabels"].items() <= labels.items()
        for variable in template["spec"]["containers"][0]["env"]:
            reference = variable["valueFrom"]["configMapKeyRef"]
            assert reference["key"] in maps[reference["name"]]


def test_most_owners_let_their_workload_be_healed_and_its_namespace_does() -> None:
    made = demonstration_manifests()
    enabled = [
        one["metadata"].get("annotations", {}).get("autonomous/enabled")
        for one in made
        if one["kind"] == "Deployment"
    ]
    assert enabled.count("true") == 10
    assert made[0]["kind"] == "Namespace"
    assert made[0]["metadata"]["labels"] == {"autonomous-enabled": "true"}


def test_nothing_in_the_manifests_tells_of_faults_or_of_the_simulator() -> None:
    text = json.dumps(demonstration_manifests()).lower()
    assert not [word for word in ("fault", "simul", "inject", "chaos", "break") if word in text]


def test_many_pods_are_copies_that_call_only_their_own() -> None:
    stage = many_pods_stage(100)
    answer = stage.run(30)
    assert stage.replicas == 117
    assert np.isfinite(answer.latency_seconds).all()
    half = answer.workload_offered_rps.reshape(3, 12)
    assert half.std(axis=0).max() < 0.3 * half.mean()


@pytest.mark.parametrize(
    ("text", "value"),
    [("250m", 0.25), ("2", 2.0), (1.5, 1.5), ("1e3", 1000.0), ("512Mi", 512 * 2**20), ("1k", 1e3)],
)
def test_a_quantity_is_read(text: str, value: float) -> None:
    assert quantity(text) == pytest.approx(value)


def test_units_are_cores_and_mebibytes() -> None:
    assert cores("1500m") == 1.5
    assert mebibytes("1Gi") == 1024.0


@pytest.mark.parametrize("text", ["", "abc", "5 Mi", "1Q"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuantityError, match="is no quantity"):
        quantity(text)
