"""Which hours a fleet covers, and which fleet an option names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.embedded.aws.errors import InvalidFileError, InvalidInputError
from deployments.embedded.aws.fleet.description import Fleet
from deployments.embedded.aws.fleet.grid import Grid, history_grid
from deployments.embedded.aws.fleet.recorded import NUMBERS, REQUIRED
from deployments.embedded.aws.fleet.sources import read_fleet
from tasks.domain.inventory import Lifecycle

NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
END = NOW.replace(minute=0)


def fleet(text: str, *, end: datetime | None = NOW, seed: int = 0) -> Fleet:
    found = read_fleet(text, now=NOW, end=end, seed=seed)
    assert found is not None
    return found


def recording(folder: Path, *lines: str, header: str = "timestamp,resource_id,cpu_percent") -> str:
    path = folder / "use.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return str(path)


def test_history_is_28_whole_days_and_today() -> None:
    grid = history_grid(now=NOW, end=None)

    assert grid.start == datetime(2026, 2, 4, tzinfo=UTC)
    assert grid.hours == 28 * 24 + 16  # the hour that has begun is there too
    assert grid.instant(grid.now_hour) == END


def test_a_replay_that_goes_on_has_hours_to_come() -> None:
    grid = history_grid(now=NOW, end=NOW + timedelta(days=7))

    assert grid.start == datetime(2026, 2, 4, tzinfo=UTC)
    assert grid.hours == 35 * 24 + 16
    assert grid.instant(grid.now_hour) == END


def test_a_replay_that_ended_has_its_month_before_that() -> None:
    grid = history_grid(now=NOW, end=NOW - timedelta(days=10))

    assert grid.start == datetime(2026, 1, 25, tzinfo=UTC)
    assert grid.now_hour == grid.hours - 1


@given(hours=st.integers(1, 3000), recorded=st.integers(28 * 24, 800))
def test_past_its_end_a_recording_goes_on_as_four_weeks_before(hours: int, recorded: int) -> None:
    grid = Grid(start=END, hours=hours, now_hour=0)

    found = grid.wrapped(recorded)

    assert found.min() >= 0
    assert found.max() < recorded
    np.testing.assert_array_equal((np.arange(hours) - found) % (28 * 24), 0)
    np.testing.assert_array_equal(found[:recorded], np.arange(min(hours, recorded)))


def test_none_is_an_empty_account() -> None:
    assert read_fleet("none", now=NOW, end=NOW, seed=0) is None


@pytest.mark.parametrize("text", ["generated:0", "generated:many", "generated:20001", "generated:"])
def test_a_number_of_instances_that_cannot_be_made_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=f"--fleet '{text}': give a number of instances"):
        fleet(text)


def test_what_is_no_fleet_is_refused_with_what_is() -> None:
    with pytest.raises(
        InvalidInputError, match=r"none of shipped, none, generated:N, or a \.parquet"
    ):
        fleet("everything")


def test_a_generated_fleet_is_the_same_for_the_same_seed() -> None:
    one, again, other = fleet("generated:30"), fleet("generated:30"), fleet("generated:30", seed=1)

    assert [i.instance_type for i in one.instances] == [i.instance_type for i in again.instances]
    assert [i.instance_type for i in one.instances] != [i.instance_type for i in other.instances]
    np.testing.assert_array_equal(one.instances[7].usage.cpu_max, again.instances[7].usage.cpu_max)
    assert {i.lifecycle for i in one.instances} == {Lifecycle.ON_DEMAND, Lifecycle.SPOT}
    assert all(i.launched_at < one.start for i in one.instances)
    assert any(i.usage.memory_mean is None for i in one.instances)


def test_a_start_some_hours_later_shows_the_same_fleet() -> None:
    early, late = (
        read_fleet("generated:30", now=now, end=now, seed=0)
        for now in (NOW, NOW + timedelta(hours=5))
    )
    assert early is not None
    assert late is not None
    assert late.hours == early.hours + 5

    for one, other in zip(early.instances, late.instances, strict=True):
        np.testing.assert_array_equal(one.usage.cpu_mean, other.usage.cpu_mean[: early.hours])


def test_a_recording_is_moved_to_the_hour_of_the_end(tmp_path: Path) -> None:
    path = recording(
        tmp_path,
        "2013-07-01T00:00,7,10",
        "2013-07-01T02:00,7,30",
        "2013-07-01T02:30,7,50",
        "2013-07-01T01:00,8,1",
    )
    found = fleet(path)
    seven, eight = found.instances

    assert (found.start, found.hours) == (END - timedelta(hours=3), 3)
    assert found.end == END
    np.testing.assert_array_equal(seven.usage.cpu_mean, np.array([10, np.nan, 40], np.float32))
    np.testing.assert_array_equal(seven.usage.cpu_max, np.array([10, np.nan, 50], np.float32))
    np.testing.assert_array_equal(eight.usage.cpu_mean, np.array([np.nan, 1, np.nan], np.float32))
    assert seven.launched_at == found.start - timedelta(hours=1)
    assert seven.usage.memory_mean is None
    assert seven.usage.network_in is None
    assert seven.instance_type == "m5.large"


def test_recorded_times_stay_when_asked(tmp_path: Path) -> None:
    path = recording(tmp_path, "2013-07-01T00:00,7,10")

    assert fleet(path, end=None).start == datetime(2013, 7, 1, tzinfo=UTC)


def test_a_recorded_machine_gets_the_cheapest_type_that_holds_it(tmp_path: Path) -> None:
    gib = 1024 * 1024
    path = recording(
        tmp_path,
        f"2013-07-01T00:00,small,10,2,{3.9 * gib},{gib}",
        f"2013-07-01T00:00,wide,10,8,{8 * gib},{gib}",
        f"2013-07-01T00:00,tall,10,2,{16 * gib},{gib}",
        f"2013-07-01T00:00,vast,10,500,{gib},{gib}",
        header=",".join([*REQUIRED, "cores", "memory_capacity_kb", "memory_used_kb"]),
    )
    found = {one.name: one.instance_type for one in fleet(path).instances}

    assert found == {
        "recorded-small": "t3.medium",
        "recorded-wide": "t3.2xlarge",
        "recorded-tall": "r5.large",
        "recorded-vast": "m5.large",  # nothing holds it
    }


def test_memory_is_known_where_the_agent_runs_and_the_file_has_it(tmp_path: Path) -> None:
    path = recording(
        tmp_path,
        *(f"2013-07-01T00:00,{number},10,200,{number}" for number in range(1, 101)),
        header=",".join([*REQUIRED, "memory_capacity_kb", "memory_used_kb"]),
    )
    found = [one.usage.memory_mean for one in fleet(path).instances]
    known = [each for each in found if each is not None]

    assert 45 <= len(known) <= 75  # three in five
    assert all(0.0 < each[0] <= 50.0 for each in known)


def test_an_unknown_column_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    path = recording(tmp_path, "2013-07-01T00:00,7,10,3", header=",".join([*REQUIRED, "watts"]))

    with pytest.raises(InvalidFileError, match="column 'watts' is not known") as refused:
        fleet(path)
    assert all(name in str(refused.value) for name in (*REQUIRED, *NUMBERS))


@pytest.mark.parametrize(
    ("header", "line", "reason"),
    [
        ("timestamp,resource_id", "2013-07-01,7", "column 'cpu_percent' is missing"),
        ("timestamp,resource_id,cpu_percent", "2013-07-01,7,", "row 1: cpu_percent ''"),
        ("timestamp,resource_id,cpu_percent", "2013-07-01,7,-1", "row 1: cpu_percent '-1'"),
        ("timestamp,resource_id,cpu_percent,cores", "2013-07-01,7,1,x", "row 1: cores 'x'"),
    ],
)
def test_a_malformed_recording_is_refused_by_row(
    tmp_path: Path, header: str, line: str, reason: str
) -> None:
    with pytest.raises(InvalidFileError, match=reason):
        fleet(recording(tmp_path, line, header=header))


def test_a_number_that_was_not_recorded_is_unknown(tmp_path: Path) -> None:
    path = recording(
        tmp_path,
        "2013-07-01T00:00,7,10,",
        "2013-07-01T01:00,7,10,4",
        header=",".join([*REQUIRED, "network_in_kb_per_s"]),
    )
    (only,) = fleet(path).instances

    assert only.usage.network_in is not None
    np.testing.assert_array_equal(only.usage.network_in, np.array([np.nan, 4096], np.float32))
