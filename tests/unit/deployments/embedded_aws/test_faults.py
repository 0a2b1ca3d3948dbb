from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployments.embedded.aws.errors import InvalidFileError
from deployments.embedded.aws.faults import (
    FaultKind,
    FaultPlan,
    FaultRule,
    InvalidFaultError,
    fault_rules,
    read_faults,
)

HISTORY = "ec2:DescribeSpotPriceHistory"


def kinds(plan: FaultPlan, operation: str = HISTORY) -> list[FaultKind]:
    return [rule.kind for rule in plan.fire(operation)]


def test_a_rule_meets_its_operation_only() -> None:
    plan = FaultPlan([FaultRule(operation="ec2:Describe*", kind=FaultKind.THROTTLE)])

    assert kinds(plan) == [FaultKind.THROTTLE]
    assert kinds(plan, "ec2:RunInstances") == []
    assert kinds(plan, "pricing:DescribeServices") == []


def test_a_rule_rests_after_its_count() -> None:
    plan = FaultPlan([FaultRule(operation="*", kind=FaultKind.ERROR, count=2)])

    assert [len(kinds(plan)) for _ in range(4)] == [1, 1, 0, 0]
    assert plan.describe()["rules"][0]["fired"] == 2


def test_the_same_seed_draws_the_same_faults_near_its_probability() -> None:
    rule = FaultRule(operation="*", kind=FaultKind.THROTTLE, probability=0.3, seed=5)
    first, second = FaultPlan([rule]), FaultPlan([rule])

    drawn = [len(kinds(first)) for _ in range(1000)]

    assert drawn == [len(kinds(second)) for _ in range(1000)]
    assert 250 < sum(drawn) < 350


def test_delays_come_before_one_other_fault() -> None:
    plan = FaultPlan(
        [
            FaultRule(operation="*", kind=FaultKind.DELAY, seconds=1.0),
            FaultRule(operation="*", kind=FaultKind.THROTTLE),
            FaultRule(operation="*", kind=FaultKind.ERROR),
        ]
    )

    assert kinds(plan) == [FaultKind.DELAY, FaultKind.THROTTLE]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"operation": "ec2:DescribeSpotPricHistory"}, "matches no AWS operation"),
        ({"operation": "nothing:Here"}, "matches no AWS operation"),
        ({"operation": 7}, "operation 7"),
        ({"kind": "explode"}, "kinds are throttle, error, delay, drop"),
        ({"probability": 0}, "probability 0 is not above 0 and at most 1"),
        ({"probability": 1.5}, "probability 1.5"),
        ({"probability": "often"}, "probability 'often'"),
        ({"count": 0}, "count 0 is not a whole number of at least 1"),
        ({"count": 1.5}, "count 1.5"),
        ({"seconds": 5}, "seconds 5 is for the kind delay only"),
        ({"kind": "delay"}, "seconds None is not above 0"),
        ({"kind": "delay", "seconds": 61}, "seconds 61 is not above 0 and at most 60"),
        ({"seed": "x"}, "seed 'x'"),
        ({"chance": 1}, "field 'chance' is unknown"),
    ],
)
def test_a_malformed_rule_is_refused_by_field_and_limit(
    change: dict[str, Any], reason: str
) -> None:
    good = {"operation": HISTORY, "kind": "throttle"}

    with pytest.raises(InvalidFaultError) as refused:
        fault_rules([good, {**good, **change}])

    assert "fault rule 2: " in str(refused.value)
    assert reason in str(refused.value)


@pytest.mark.parametrize("document", [None, 5, {"rules": 1}, [1], [{"operation": "*"}]])
def test_a_document_without_rules_is_refused(document: Any) -> None:
    with pytest.raises(InvalidFaultError):
        fault_rules(document)


def test_rules_are_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("rules:\n  - {operation: '*', kind: delay, seconds: 0.5, count: 3}\n")

    rule = FaultRule(operation="*", kind=FaultKind.DELAY, seconds=0.5, count=3)
    assert read_faults(path) == (rule,)


def test_an_unreadable_fault_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match=r"absent\.yaml"):
        read_faults(tmp_path / "absent.yaml")
