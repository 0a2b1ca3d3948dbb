"""Mistakes in specifications, and how a pod with one is read."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from deployments.embedded.workloads.changes import CHANGES, change_of
from deployments.embedded.workloads.containers.specs import Facts, facts_of, read_container
from deployments.embedded.workloads.demonstration import PARTS
from deployments.embedded.workloads.manifests import Manifest, deployment
from deployments.embedded.workloads.physics.arrays import InvalidValueError

PART = next(part for part in PARTS if part.name == "checkout")
VALUES: dict[str, dict[str, object]] = {
    "image-tag": {"tag": "2.5.0"},
    "missing-key": {"name": "DATABASE_URL"},
    "dropped-variable": {"name": "DATABASE_URL"},
    "limit": {"resource": "memory", "quantity": "64Mi"},
}


def read(manifest: Manifest) -> Facts:
    maps = {"checkout-config": dict(PART.config)}
    spec = read_container(manifest["spec"]["template"]["spec"])
    return facts_of(PART.profile, spec, namespace="shop", config_maps=maps)


@pytest.mark.parametrize("kind", CHANGES)
def test_a_mistake_changes_the_template_and_leaves_what_it_was_given(kind: str) -> None:
    before = deployment(PART)
    kept = copy.deepcopy(before)
    after = change_of(kind, VALUES.get(kind, {})).of(before)
    assert before == kept
    assert after["metadata"] == before["metadata"]
    assert after["spec"]["template"] != before["spec"]["template"]
    assert CHANGES[kind].sentence.endswith(".")


def test_a_good_deployment_is_read_as_good() -> None:
    assert read(deployment(PART)) == Facts()
    spec = read_container(deployment(PART)["spec"]["template"]["spec"])
    assert (spec.cpu_request_cores, spec.cpu_limit_cores) == (0.2, 1.0)
    assert (spec.memory_request_mib, spec.memory_limit_mib) == (256.0, 512.0)
    assert [probe is not None for probe in spec.probes] == [True, True, True]
    assert spec.grace_seconds == 30.0


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("image-tag", {"tag": "2.5.0"}, {"image_ok": False}),
        ("image-tag", {"tag": "2.5.1-rc1"}, {"pull_ok": False}),
        ("dropped-variable", {"name": "DATABASE_URL"}, {"config_ok": False}),
        ("command", {}, {"command_ok": False}),
        (
            "missing-key",
            {"name": "DATABASE_URL"},
            {"config_error": "couldn't find key DATABASE_URL_V2 in ConfigMap shop/checkout-config"},
        ),
    ],
)
def test_a_mistake_is_read_as_what_it_is(
    kind: str, values: dict[str, object], expected: dict[str, object]
) -> None:
    found = read(change_of(kind, values).of(deployment(PART)))
    assert {name: getattr(found, name) for name in expected} == expected


def test_a_config_map_that_is_not_there_is_named() -> None:
    spec = read_container(deployment(PART)["spec"]["template"]["spec"])
    found = facts_of(PART.profile, spec, namespace="shop", config_maps={})
    assert found.config_error == 'configmap "checkout-config" not found'


def test_what_is_not_given_is_as_the_server_fills_it_in() -> None:
    spec = read_container({
        "containers": [
            {"name": "a", "image": "b:1", "resources": {"limits": {"cpu": "500m"}},
             "ports": [{"name": "http", "containerPort": 8080}],
             "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}}}
        ]
    })  # fmt: skip
    assert spec.cpu_request_cores == 0.5
    assert spec.memory_limit_mib == np.inf
    assert spec.probes[0] is None
    live = spec.probes[2]
    assert live is not None
    assert (live.port, live.period_seconds, live.timeout_seconds) == (8080, 10.0, 1.0)
    assert (live.failure_threshold, live.success_threshold) == (3, 1)


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        ("gremlin", {}, "is unknown; kinds are image-tag"),
        ("image-tag", {}, "tag is missing"),
        ("image-tag", {"tag": "1", "x": 1}, "x is unknown"),
        ("limit", {"resource": "luck", "quantity": "1"}, "give cpu or memory"),
        ("request", {"cores": 0}, "at least 1"),
    ],
)
def test_a_mistake_that_cannot_be_made_is_refused(
    kind: str, values: dict[str, object], told: str
) -> None:
    with pytest.raises(InvalidValueError, match=told):
        change_of(kind, values)


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        ("dropped-variable", {"name": "NOT_THERE"}, "'NOT_THERE' is not set; there are: "),
        ("probe-place", {"probe": "noProbe"}, "'noProbe' is not in the container"),
    ],
)
def test_a_mistake_that_finds_no_place_says_so(
    kind: str, values: dict[str, object], told: str
) -> None:
    with pytest.raises(InvalidValueError, match=told):
        change_of(kind, values).of(deployment(PART))
