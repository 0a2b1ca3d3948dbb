"""The spot flow over the wire: real Prefect server, unmodified boto3, embedded AWS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.exceptions import ParameterTypeError
from prefect.filesystems import LocalFileSystem
from prefect_aws import S3Bucket

from blocks import SpotOutlook
from deployments.embedded.aws.faults import FaultKind, FaultRule
from deployments.register import REPORT_BUCKET
from flows.spot import forecast_spot_prices
from tasks.adapters.objects import frame_from_parquet, load_object
from tasks.adapters.state import load_state, stored_object
from tasks.domain.spot.report import SpotReport
from tests.flows.builders import RECORDED_NOW, Cloud, embedded_cloud, save_blocks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.usefixtures("prefect_server"),
]

FEW_POOLS = ["c5.2xlarge", "t3a.2xlarge", "r5a.12xlarge"]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with embedded_cloud() as running:
        yield running


@pytest.fixture
def parameters(cloud: Cloud, request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    cloud.clock.now = RECORDED_NOW
    name = request.node.name.replace("_", "-")[:60].strip("-")
    blocks = save_blocks(cloud, name, tmp_path)
    return {**blocks, "as_of": RECORDED_NOW, "instance_types": FEW_POOLS, "window_days": 20}


def run(**parameters: Any) -> tuple[SpotReport, State[Any]]:
    state = forecast_spot_prices(**parameters, return_state=True)
    return state.result(), state


def outlook(parameters: dict[str, Any]) -> SpotOutlook:
    return load_state(SpotOutlook, parameters["outlook"])


def artifacts(state: State[Any]) -> dict[str, Any]:
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        )
    return {str(artifact.key): artifact.data for artifact in found}


def test_a_run_leaves_forecast_table_chart_and_state_behind(parameters: dict[str, Any]) -> None:
    report, state = run(**parameters)
    shown = artifacts(state)
    stored = outlook(parameters)

    assert report.assessment is not None
    assert report.assessment.allocation is not None
    assert "Better than doing nothing?" in shown["spot-outlook"]
    assert "xychart-beta" in shown["spot-outlook"]
    assert str(report.assessment.allocation.pools[0].candidate.pool) in shown["spot-pools"]
    chart = httpx.get(shown["spot-chart"], trust_env=False)
    assert chart.content.startswith(b"\x89PNG")
    assert chart.headers["content-type"] == "image/png"
    assert stored.cutoff == RECORDED_NOW
    assert stored.horizons_hours == [24, 168]


def test_the_next_run_reads_only_what_is_new_and_sees_it(
    cloud: Cloud, parameters: dict[str, Any]
) -> None:
    first, _ = run(**parameters)
    cloud.clock.now = RECORDED_NOW + timedelta(hours=6)
    second, _ = run(**{**parameters, "as_of": cloud.clock.now})

    assert second.rows_fetched < first.rows_fetched / 10
    assert outlook(parameters).cutoff == cloud.clock.now


def test_an_incremental_history_forecasts_like_one_read_at_once(
    cloud: Cloud, parameters: dict[str, Any]
) -> None:
    run(**{**parameters, "as_of": RECORDED_NOW - timedelta(hours=5)})
    run(**parameters)
    grown = outlook(parameters).forecast
    at_once = {**parameters, "outlook": f"{parameters['outlook'][:50]}-at-once"}
    run(**at_once)

    assert outlook(at_once).forecast == grown


@pytest.mark.usefixtures("no_pauses")
def test_throttling_and_server_faults_change_nothing_in_the_result(
    cloud: Cloud, parameters: dict[str, Any]
) -> None:
    run(**parameters)
    undisturbed = outlook(parameters).forecast
    disturbed = {**parameters, "outlook": f"{parameters['outlook'][:50]}-disturbed"}
    cloud.aws.faults.replace(
        (
            FaultRule(operation="*", kind=FaultKind.THROTTLE, probability=0.3, seed=1),
            FaultRule(operation="*", kind=FaultKind.ERROR, probability=0.05, seed=2),
        )
    )
    try:
        run(**disturbed)
    finally:
        cloud.aws.faults.replace(())

    assert outlook(disturbed).forecast == undisturbed


def test_a_lost_history_is_read_again(parameters: dict[str, Any], tmp_path: Path) -> None:
    first, _ = run(**parameters)
    history = outlook(parameters).history
    assert history is not None
    (tmp_path / history.key).unlink()

    again, _ = run(**parameters)

    assert again.rows_fetched == first.rows_fetched
    assert (tmp_path / history.key).exists()


def test_an_older_run_that_ends_late_does_not_replace_the_newer_forecast(
    cloud: Cloud, parameters: dict[str, Any]
) -> None:
    run(**parameters)
    newer = outlook(parameters)

    run(**{**parameters, "as_of": RECORDED_NOW - timedelta(hours=3)})

    assert outlook(parameters).forecast == newer.forecast
    assert outlook(parameters).cutoff == newer.cutoff


def test_the_stored_forecast_is_a_table_of_hourly_quantiles(
    parameters: dict[str, Any], tmp_path: Path
) -> None:
    run(**parameters)
    pointer = outlook(parameters).forecast
    assert pointer is not None
    storage = LocalFileSystem(basepath=str(tmp_path))

    table = frame_from_parquet(load_object(storage, stored_object(pointer)))

    assert sorted(table["horizon_hours"].unique()) == [24, 168]
    day = table[table["horizon_hours"] == 24].iloc[0]
    assert len(day["q10"]) == len(day["q90"]) == 24
    assert (day["q10"] <= day["q90"]).all()


def test_a_bucket_serves_as_storage_like_a_folder(cloud: Cloud, parameters: dict[str, Any]) -> None:
    run(**parameters)
    in_a_folder = outlook(parameters).forecast
    bucket = S3Bucket(bucket_name=REPORT_BUCKET, credentials=cloud.account)
    bucket.save("reports", overwrite=True)
    in_a_bucket = {
        **parameters,
        "storage": "s3-bucket/reports",
        "outlook": f"{parameters['outlook'][:50]}-s3",
    }

    run(**in_a_bucket)
    again, _ = run(**in_a_bucket)

    assert outlook(in_a_bucket).forecast == in_a_folder
    assert again.rows_fetched < 100


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"regions": ["mars-1"]}, "regions"),
        ({"window_days": 3}, "window_days"),
        ({"need": {"vcpu": -4}}, "need.vcpu"),
        ({"need": {"vcpus": 4}}, "need.vcpus"),
        ({"products": ["BeOS"]}, "products"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ParameterTypeError, match=named):
        forecast_spot_prices.validate_parameters(given)


def test_every_parameter_is_described_in_the_run_form() -> None:
    properties = forecast_spot_prices.parameters.properties

    assert [name for name, schema in properties.items() if not schema.get("description")] == []
