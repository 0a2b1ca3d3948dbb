"""How an account is cut into parts to read."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.domain.inventory import Instance, Inventory, ScalingGroup
from tasks.usage.observe import chunks_of, pace_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def account(*, here: int, there: int) -> Inventory:
    instances = tuple(
        Instance(
            instance_id=f"i-{region}-{number}",
            region=region,
            availability_zone=f"{region}a",
            instance_type="m5.large",
            launched_at=NOW,
        )
        for region, count in (("us-east-1", here), ("eu-west-1", there))
        for number in range(count)
    )
    group = ScalingGroup(name="web", region="us-east-1", min_size=1, max_size=2, desired=1)
    return Inventory(
        observed_at=NOW, regions=("us-east-1", "eu-west-1"), instances=instances, groups=(group,)
    )


def test_every_instance_of_a_region_is_in_one_part_and_no_other_regions() -> None:
    parts = chunks_of(account(here=5, there=3), "us-east-1", per_chunk=2)
    read = [one.instance_id for _, part in parts for one in part.instances]

    assert read == [f"i-us-east-1-{number}" for number in range(5)]
    assert [name for name, _ in parts] == [
        "instances 1 to 2",
        "instances 3 to 4",
        "instances 5 to 5",
        "groups and services",
    ]


def test_a_region_without_groups_and_services_has_no_part_for_them() -> None:
    assert len(chunks_of(account(here=5, there=3), "eu-west-1", per_chunk=10)) == 1


def test_a_region_where_nothing_runs_has_nothing_to_read() -> None:
    assert chunks_of(account(here=5, there=0), "eu-west-1", per_chunk=10) == []


def test_chunks_of_a_region_share_its_pace() -> None:
    assert pace_of("us-east-1") is pace_of("us-east-1")
    assert pace_of("us-east-1") is not pace_of("eu-west-1")
