"""Volumes that become gp3."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import stack_fleet as fleet
from tests.support.stack_fleet import DISK, planned, refusal


def test_a_volume_gets_its_kind_and_speed_in_place() -> None:
    plan = planned(fleet.volume(DISK, iops=3200, throughput=128.4))
    (before,), (after,) = plan.adopt.resources, plan.change.resources

    assert before.inputs["type"] == "gp2"
    assert "iops" not in before.inputs
    # Rounded up: nothing gets slower.
    assert [after.inputs[key] for key in ("type", "iops", "throughput")] == ["gp3", 3200, 129]
    assert after.import_id == DISK


@pytest.mark.parametrize(
    ("iops", "throughput", "why"),
    [
        (2999, 125.0, "2999 IOPS is outside of gp3's 3000 to 16000"),
        (16001, 125.0, "16001 IOPS is outside"),
        (3000, 124.0, "124 MiB/s is outside of gp3's 125 to 1000"),
        (3000, 1000.0, "1000 MiB/s needs 4000 IOPS or more"),
        (3000, float("nan"), "nan MiB/s is outside"),
    ],
)
def test_speed_that_gp3_has_not_is_refused(iops: int, throughput: float, why: str) -> None:
    assert why in refusal(fleet.volume(DISK, iops=iops, throughput=throughput))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "gp3"}, "it is gp3 now"),
        ({"multi_attach": True}, "several instances share it"),
        ({"state": "deleting"}, "it is deleting"),
    ],
)
def test_a_volume_that_is_otherwise_than_it_was_is_left_alone(
    changes: dict[str, Any], why: str
) -> None:
    live = fleet.account(volumes={DISK: fleet.live_volume(DISK, **changes)})

    assert why in refusal(fleet.volume(DISK), live=live)
