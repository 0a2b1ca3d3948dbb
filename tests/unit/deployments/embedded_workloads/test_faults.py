"""Faults as values: bounds, JSON, and what `homeostat faults` can say of them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.embedded.workloads.physics.arrays import InvalidValueError
from deployments.embedded.workloads.physics.effects import effects_of, no_effects
from deployments.embedded.workloads.physics.fault_kinds import (
    KINDS,
    Deadlock,
    HostKill,
    MemoryLeak,
    NodePartitioned,
    NodePressure,
    from_json,
)
from deployments.embedded.workloads.physics.faults import (
    ActiveFault,
    EdgeFault,
    Fault,
    resolved,
    to_json,
)
from deployments.embedded.workloads.physics.profiles import Dependency
from tests.support.workloads_stage import plain, staged

SAMPLES: dict[str, object] = {
    "target": "shop/web",
    "source": "shop/web",
    "node": "node-0",
    "resource": "disk",
}


def sample(kind: type[Fault]) -> Fault:
    """Return a fault of a kind, every number that it needs 1.5, which is within all bounds."""
    given: dict[str, object] = {"kind": kind.kind}
    for name, entry in kind.__dataclass_fields__.items():
        if name in SAMPLES:
            given[name] = SAMPLES[name]
        elif "low" in entry.metadata and not entry.metadata.get("optional"):
            given[name] = min(1.5, entry.metadata["high"])
    return from_json(json.dumps(given))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_fault_survives_json(kind: type[Fault]) -> None:
    fault = sample(kind)
    assert from_json(to_json(fault)) == fault


@given(rate=st.floats(1e-6, 1e6), pods=st.lists(st.text(min_size=1), max_size=3))
def test_numbers_and_names_survive_json_bit_for_bit(rate: float, pods: list[str]) -> None:
    fault = MemoryLeak(target="shop/web", mib_per_hour=rate, pods=tuple(pods))
    assert from_json(to_json(fault)) == fault


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_each_kind_says_what_it_does_in_a_sentence(kind: type[Fault]) -> None:
    assert kind.sentence.endswith(".")
    assert kind.sentence[0].isupper()
    assert not kind.disguise.endswith(".")


def test_there_are_many_kinds_and_a_third_misleads() -> None:
    misleading = [kind for kind in KINDS.values() if kind.disguise]
    assert len(KINDS) >= 18
    assert len(misleading) >= len(KINDS) / 3


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "is no JSON"),
        ("[]", "is no object"),
        ('{"kind": "gremlin"}', "is 'gremlin'; kinds are "),
        ('{"kind": "memory-leak", "target": "shop/web"}', "mib_per_hour is missing"),
        ('{"kind": "memory-leak", "target": "shop/web", "mib_per_hour": 0}', "above 0"),
        ('{"kind": "memory-leak", "target": "", "mib_per_hour": 1}', "give a name"),
        ('{"kind": "memory-leak", "target": "a/b", "mib_per_hour": 1, "x": 1}', "x is unknown"),
        ('{"kind": "memory-leak", "target": "a/b", "mib_per_hour": "1"}', "give a finite number"),
        ('{"kind": "memory-leak", "target": "a/b", "mib_per_hour": NaN}', "give a finite number"),
        ('{"kind": "error-rate", "target": "a/b", "fraction": 1.1}', "at most 1"),
        ('{"kind": "deadlock", "target": "a/b", "share": 0}', "above 0"),
        ('{"kind": "deadlock", "target": "a/b", "pods": "web-1"}', "give names of pods"),
        ('{"kind": "node-pressure", "node": "n", "resource": "luck", "fraction": 1}', "memory or"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_by_field_and_limit(document: str, told: str) -> None:
    with pytest.raises(InvalidValueError, match=told):
        from_json(document)


def test_a_share_of_what_is_hit_once_becomes_names_rounded_up() -> None:
    fault = Deadlock(target="shop/web", share=0.4)
    assert resolved(fault, ("a", "b", "c")) == Deadlock(
        target="shop/web", share=0.4, pods=("a", "b")
    )
    leak = MemoryLeak(target="shop/web", mib_per_hour=1.0, share=0.4)
    assert resolved(leak, ("a", "b", "c")) is leak
    assert resolved(NodePartitioned(node="a"), ("a",)) == NodePartitioned(node="a")


def test_a_fault_acts_on_its_share_of_replicas_and_on_no_other_workload() -> None:
    stage = staged(plain("shop/web"), plain("shop/store"), counts=(4, 2), settle_seconds=5)
    leak = MemoryLeak(target="shop/web", mib_per_hour=60.0, share=0.5)
    active = ActiveFault(name="leak", fault=leak, since_seconds=stage.seconds)
    found = effects_of(stage.world, stage.placement, [active], now_seconds=stage.seconds)
    assert sorted(found.leak_mib_per_hour[:4]) == [0.0, 0.0, 60.0, 60.0]
    assert list(found.leak_mib_per_hour[4:]) == [0.0, 0.0]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_each_kind_has_an_effect_and_none_before_it_begins(kind: type[Fault]) -> None:
    web = plain("shop/web", dependencies=plain_dependencies())
    stage = staged(web, plain("shop/store"), counts=(2, 2), settle_seconds=60)
    fault = sample(kind)
    if isinstance(fault, EdgeFault):
        fault = replace(fault, target="shop/store")
    if kind.kind == "clock-skew":
        fault = kind(node="node-0", seconds=600)  # type: ignore[call-arg]
    neutral = no_effects(stage.world, len(stage.placement))

    def changed(since: float) -> bool:
        active = ActiveFault(name="one", fault=fault, since_seconds=since)
        found = effects_of(stage.world, stage.placement, [active], now_seconds=stage.seconds)
        return not all(
            np.array_equal(getattr(found, name), getattr(neutral, name))
            for name in neutral.__slots__
        )

    # Corrupt files are seen by the next process of a pod that was there before.
    restarted = kind.kind == "corrupt-state"
    assert changed(stage.seconds - (60.0 if restarted else 1.0)) or restarted
    assert not changed(stage.seconds + 1.0)


def plain_dependencies() -> tuple[Dependency, ...]:
    return (Dependency(name="shop/store"),)


def test_a_kill_that_repeats_spares_who_started_since_the_last() -> None:
    stage = staged(plain(), counts=(1,))
    stage.break_with(HostKill(target="shop/web", every_seconds=60.0))
    stage.run(300)
    # At its beginning and after each of five minutes.
    assert len(stage.exits) == 6


def test_pressure_may_be_of_disk() -> None:
    stage = staged(plain())
    before = stage.step()
    stage.break_with(NodePressure(node="node-1", resource="disk", fraction=0.5))
    after = stage.step()
    grown = after.node_disk_mib - before.node_disk_mib
    assert list(np.round(grown)) == [0.0, 51_200.0, 0.0]
