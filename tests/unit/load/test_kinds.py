"""What is known of a workload before it has run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pytest

from tasks.domain.inventory import Instance, Inventory, Service
from tasks.domain.load.cold_start import ANY
from tasks.domain.load.kinds import archetypes_of
from tasks.domain.usage.panel import Metric, UsagePanel
from tasks.models.catalogue import load_data

NOW = datetime(2026, 11, 1, tzinfo=UTC)
IDS = tuple(f"i-{at}" for at in range(5))


def instance(
    instance_id: str,
    *,
    group: str | None = None,
    instance_type: str = "m5.large",
    tags: Mapping[str, str] | None = None,
) -> Instance:
    return Instance(
        instance_id=instance_id,
        region="eu-west-1",
        availability_zone="eu-west-1a",
        instance_type=instance_type,
        launched_at=NOW,
        group=group,
        tags=tags or {},
    )


def inventory(*instances: Instance, services: tuple[Service, ...] = ()) -> Inventory:
    return Inventory(
        observed_at=NOW, regions=("eu-west-1",), instances=instances, services=services
    )


def five(**facts: object) -> list[Instance]:
    return [instance(one, **facts) for one in IDS]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"group": "web", "tags": {"app": "shop"}}, "group eu-west-1/web"),
        ({"tags": {"Role": "db", "App": "shop", "Name": "x-1"}}, "app shop"),
        ({"tags": {"Service": "", "Name": "web-03"}}, "name web"),
        ({"tags": {"Name": "17"}}, "family m5"),
        ({}, "family m5"),
    ],
)
def test_the_narrowest_thing_that_is_known_counts(facts: dict[str, object], kind: str) -> None:
    assert archetypes_of(inventory(*five(**facts)), IDS) == (kind,) * 5


def test_instances_of_one_target_group_are_of_one_kind() -> None:
    service = Service(
        service_id="targetgroup/web/1", region="eu-west-1", load_balancer=None, instance_ids=IDS
    )
    found = archetypes_of(inventory(*five(tags={"app": "shop"}), services=(service,)), IDS)
    assert found == ("service targetgroup/web/1",) * 5


def test_what_fewer_than_five_share_gives_way_to_something_wider() -> None:
    groups = ("web", "web", "web", "web", None)
    machines = [instance(one, group=group) for one, group in zip(IDS, groups, strict=True)]
    assert archetypes_of(inventory(*machines), IDS) == ("family m5",) * 5
    assert archetypes_of(inventory(*machines), IDS[:4]) == (ANY,) * 4


def test_numbered_names_are_one_name() -> None:
    machines = [instance(one, tags={"Name": f"api_{at}"}) for at, one in enumerate(IDS)]
    assert archetypes_of(inventory(*machines), IDS) == ("name api",) * 5


def test_nothing_is_known_of_what_is_no_instance() -> None:
    assert archetypes_of(inventory(*five()), (*IDS, "targetgroup/web/1"))[-1] == ANY


@pytest.mark.parametrize("told", [True, False])
def test_the_data_of_a_model_carry_what_the_inventory_knows(told: bool) -> None:
    use = UsagePanel(
        resources=("i-4", *IDS[:4], "i-silent"),
        start=NOW,
        values={Metric.CPU_MEAN: np.array([[1.0] * 48] * 5 + [[np.nan] * 48], dtype=np.float32)},
    )
    machines = inventory(*five(group="web"), instance("i-silent", group="web"))
    found = load_data("load-cpu", use, now=use.end, inventory=machines if told else None)
    assert found.series == ("i-4", *IDS[:4])
    assert found.archetypes == (("group eu-west-1/web",) * 5 if told else None)
