"""The fleet that ships: its recorded part, and that there is some of everything in the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from deployments.embedded.aws.fleet.description import Fleet, FleetInstance
from deployments.embedded.aws.fleet.grid import history_grid
from deployments.embedded.aws.fleet.shipped import recorded_machines, shipped_fleet
from deployments.embedded.aws.make_data import MACHINES, MACHINES_FILE, machine_extract
from deployments.embedded.aws.price_list import on_demand_types
from deployments.embedded.aws.spot_history import DATA
from tasks.domain.inventory import InstanceState, Lifecycle
from tasks.domain.savings.policy import ARCHITECTURE_TAG, SCHEDULE_TAG, SPOT_TAG
from tasks.domain.usage.archetypes import Archetype

NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return shipped_fleet(grid=history_grid(now=NOW, end=NOW + timedelta(days=7)), seed=0)


def one(fleet: Fleet, name: str) -> FleetInstance:
    (found,) = (each for each in fleet.instances if each.name == name)
    return found


def test_the_extract_is_of_the_busiest_machines() -> None:
    steps = 24
    average = pd.DataFrame({"vm_1_p24": [1.0] * steps, "vm_2_p8": [5.0] * 12 + [7.123] * 12})
    highest = average + 10.0
    highest.loc[3, "vm_2_p8"] = 99.0

    found = machine_extract(average.assign(vm_2_p1=average["vm_2_p8"]), highest)

    assert found["machine"].tolist() == ["vm_1", "vm_1", "vm_2", "vm_2"]
    assert found["hour"].tolist() == [0, 1, 0, 1]
    assert found["cpu_mean_percent"].tolist() == pytest.approx([1.0, 1.0, 5.0, 7.12])
    assert found["cpu_max_percent"].tolist() == pytest.approx([11.0, 11.0, 99.0, 17.12])


def test_the_shipped_machines_are_forty_over_29_days() -> None:
    table = pd.read_parquet(DATA / MACHINES_FILE)

    assert table["machine"].nunique() == MACHINES
    assert (table.groupby("machine")["hour"].nunique() >= 29 * 24).all()
    assert table["cpu_mean_percent"].between(0, 100).all()
    assert (table["cpu_mean_percent"] <= table["cpu_max_percent"] + 0.01).all()


def test_a_recorded_machine_shows_what_was_recorded_and_nothing_else() -> None:
    grid = history_grid(now=NOW, end=NOW)
    machine = next(each for each in recorded_machines(grid) if each.name == "vm-7438")
    table = pd.read_parquet(DATA / MACHINES_FILE)
    recorded = table[table["machine"] == "vm_7438"].sort_values("hour")["cpu_max_percent"]

    np.testing.assert_array_equal(machine.usage.cpu_max, recorded.to_numpy()[: grid.hours])
    assert machine.usage.memory_mean is None
    assert machine.usage.network_in is None
    assert machine.archetype is None  # nobody knows


def test_names_are_unique_and_types_have_prices(fleet: Fleet) -> None:
    names = [each.name for each in fleet.instances]

    assert len(set(names)) == len(names)
    assert {each.instance_type for each in fleet.instances} <= set(on_demand_types())
    assert all(
        each.architecture.value == on_demand_types()[each.instance_type].architecture
        for each in fleet.instances
    )


def test_every_series_has_every_hour(fleet: Fleet) -> None:
    arrays = [
        values
        for each in fleet.instances
        for values in vars(each.usage).values()
        if values is not None
    ]
    arrays += [each.requests for each in fleet.services]
    arrays += [each.in_service for each in fleet.groups]

    assert {array.shape for array in arrays} == {(fleet.hours,)}
    assert all(array.dtype == np.float32 for array in arrays)


def test_there_is_some_of_everything(fleet: Fleet) -> None:
    archetypes = {each.archetype for each in fleet.instances}
    families = {each.instance_type.partition(".")[0] for each in fleet.instances}
    kinds = {volume.kind for each in fleet.instances for volume in each.volumes}
    tags = {(key, value) for each in fleet.instances for key, value in each.tags.items()}

    assert set(Archetype) - {Archetype.UNUSUAL} <= archetypes
    assert {"m3", "m4", "c4", "m6g", "t3"} <= families
    assert {"gp2", "gp3", "io1"} <= kinds
    assert {
        (ARCHITECTURE_TAG, "any"),
        (SPOT_TAG, "allowed"),
        (SPOT_TAG, "never"),
        (SCHEDULE_TAG, "never"),
    } <= tags
    assert {each.lifecycle for each in fleet.instances} == {Lifecycle.ON_DEMAND, Lifecycle.SPOT}
    assert one(fleet, "old-build").state is InstanceState.STOPPED
    assert len(fleet.loose_volumes) == 2
    assert len(fleet.functions) == 2


def test_a_group_has_the_instances_that_it_says_it_has(fleet: Fleet) -> None:
    now_hour = history_grid(now=NOW, end=NOW).now_hour
    for group in fleet.groups:
        members = [each for each in fleet.instances if each.group == group.name]

        assert len(members) == group.in_service[now_hour]
        assert group.min_size <= group.in_service.min() <= group.in_service.max() <= group.max_size
        assert bool(group.in_service.min() < group.in_service.max()) is (group.name != "transcoder")
        assert all(each.launched_at <= NOW for each in members)
        assert all(
            np.isnan(each.usage.cpu_mean[: max(0, _hour(fleet, each.launched_at))]).all()
            for each in members
        )


def _hour(fleet: Fleet, instant: datetime) -> int:
    return (instant - fleet.start) // timedelta(hours=1)


def test_one_service_is_rarely_used_and_one_too_slow_for_a_function(fleet: Fleet) -> None:
    found = {each.name: each for each in fleet.services}

    assert found["reports"].requests.mean() < 50 < 50_000 < found["search"].requests.mean()
    assert found["reports"].response_seconds.max() < 1.0
    assert found["export"].response_seconds.min() > 30.0
    assert set(found["storefront"].instances) == {
        each.name for each in fleet.instances if each.group == "storefront"
    }
