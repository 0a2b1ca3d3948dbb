"""Groups that no program could take in as they are, or whose instances would not follow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.domain.savings.selection.selection import Chosen
from tests.support import stack_fleet as fleet
from tests.support.stack_fleet import planned, refusal

SCHEDULE = fleet.schedule("shop", "Mon 07-19")
PREDICTIVE = fleet.predictive("shop")
ADOPTING = {
    "right-size": fleet.right_size("shop", "m5.xlarge", "m6i.xlarge"),
    "spot": fleet.spot("shop", fleet.POOLS, 0.25),
    "schedule": SCHEDULE,
    "predictive-scaling": PREDICTIVE,
}


@pytest.mark.parametrize("wanted", ADOPTING.values(), ids=ADOPTING)
def test_a_group_with_settings_that_would_be_lost_is_left_alone(wanted: Chosen) -> None:
    plain = fleet.group("shop")
    group = replace(plain, resource=replace(plain.resource, unknown=("InstanceRequirements",)))

    assert "the group sets InstanceRequirements, which would be lost" in refusal(
        wanted, live=fleet.account(groups={"shop": group})
    )


@pytest.mark.parametrize("process", ["Launch", "Terminate", "ReplaceUnhealthy"])
@pytest.mark.parametrize("wanted", ADOPTING.values(), ids=ADOPTING)
def test_a_group_whose_instances_would_not_follow_is_left_alone(
    wanted: Chosen, process: str
) -> None:
    group = fleet.group("shop", suspended=(process,))

    assert f"its process {process} is suspended" in refusal(
        wanted, live=fleet.account(groups={"shop": group})
    )


@pytest.mark.parametrize(
    ("wanted", "process"),
    [
        (SCHEDULE, "ScheduledActions"),
        (PREDICTIVE, "ScheduledActions"),
        (PREDICTIVE, "AlarmNotification"),
    ],
)
def test_what_a_suspended_process_would_keep_from_happening_is_not_promised(
    wanted: Chosen, process: str
) -> None:
    group = fleet.group("shop", suspended=(process,))

    assert f"its process {process} is suspended" in refusal(
        wanted, live=fleet.account(groups={"shop": group})
    )


def test_a_process_that_a_change_does_not_need_may_be_suspended() -> None:
    live = fleet.account(groups={"shop": fleet.group("shop", suspended=("AZRebalance",))})

    assert planned(SCHEDULE, live=live).refused == ()
