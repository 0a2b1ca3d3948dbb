"""Models from the first training to a judged forecast, on an account whose use was observed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import State

from blocks import ForecastScores, ModelRegistry, UsageProfile
from flows.instants import FutureInstantError
from flows.load import ForecastReport, forecast_loads
from flows.models import RetrainReport, retrain_models
from flows.scorecard import ScorecardReport, publish_scorecard
from flows.usage import cluster_usage
from tasks.adapters.state import load_state
from tasks.domain.models.card import Decision
from tests.flows.builders import Cloud, embedded_fleet, save_blocks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.timeout(900),
]

LOADS = ["load-cpu", "load-memory", "load-requests"]
NAME = "models"


@dataclass(frozen=True, kw_only=True)
class Story:
    """What one account's models went through, run by run."""

    folder: Path
    first: State[RetrainReport]
    forecast: State[ForecastReport]
    second: State[RetrainReport]
    scorecard: State[ScorecardReport]


@pytest.fixture(scope="module")
def cloud(prefect_server: object) -> Iterator[Cloud]:
    for block in (ForecastScores, ModelRegistry):
        block.register_type_and_schema()
    forget_models()
    with embedded_fleet() as running:
        yield running
    forget_models()


def forget_models() -> None:
    """Delete the registries: they are named by model, and other tests' flows would use them."""
    for name in (*LOADS, "spot-24h", "spot-168h"):
        with suppress(ValueError):
            ModelRegistry.delete(name)


PLACES: dict[str, Any] = {"account": NAME, "storage": f"local-file-system/{NAME}", "profile": NAME}


@pytest.fixture(scope="module")
def story(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("objects")
    save_blocks(cloud, NAME, folder)
    cluster_usage(**PLACES)
    then = datetime.now(UTC) - timedelta(days=7)
    first = retrain_models(
        models=LOADS, as_of=then, scores=NAME, outlook=NAME, return_state=True, **PLACES
    )
    forecast = forecast_loads(
        replay_days=6,
        storage=PLACES["storage"],
        profile=NAME,
        scores=NAME,
        series_per_chunk=20,
        return_state=True,
    )
    second = retrain_models(scores=NAME, outlook=NAME, return_state=True, **PLACES)
    scorecard = publish_scorecard(scores=NAME, outlook=NAME, return_state=True, **PLACES)
    return Story(folder=folder, first=first, forecast=forecast, second=second, scorecard=scorecard)


def artifacts(state: State[Any]) -> dict[str, Any]:
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        )
    return {str(artifact.key): artifact.data for artifact in found}


def test_the_first_model_serves_and_its_card_shows_how_good_it_was_out_of_sample(
    story: Story,
) -> None:
    report, shown = story.first.result(), artifacts(story.first)

    assert report.decisions == dict.fromkeys(LOADS, Decision.FIRST)
    card = shown["model-card-load-cpu"]
    assert "**The first model serves.** There was none before it." in card
    assert "| challenger |" in card
    assert httpx.get(shown["model-chart-load-cpu"], trust_env=False).content.startswith(b"\x89PNG")


def test_a_model_knows_nothing_after_the_instant_it_was_trained_for(story: Story) -> None:
    champion = load_state(ModelRegistry, "load-cpu").champion
    observed_at = load_state(UsageProfile, NAME).observed_at
    assert champion is not None
    assert observed_at is not None
    assert timedelta(days=6.9) < observed_at - champion.trained_at < timedelta(days=7.2)
    assert set(champion.metrics) == {
        "backtest_error", "backtest_skill", "backtest_coverage_80",
    }  # fmt: skip


def test_every_workload_is_forecast_and_days_that_are_over_are_judged_at_once(
    story: Story,
) -> None:
    forecast, scored = story.forecast.result(), story.scorecard.result()

    assert forecast.without_model == {}
    assert forecast.workloads["load-cpu"] > 70
    assert 0 < forecast.workloads["load-memory"] < forecast.workloads["load-cpu"]
    assert "Processor of" in artifacts(story.forecast)["load-forecast"]
    assert scored.judged > 6 * 24 * forecast.workloads["load-cpu"] * 0.8
    assert scored.waiting > 0
    assert {one.model for one in scored.scores} == set(LOADS)
    assert all(0.6 < one.coverage < 0.95 for one in scored.scores), scored.scores


def test_a_challenger_is_compared_on_the_days_since_and_nothing_better_is_made_up(
    story: Story,
) -> None:
    report, shown = story.second.result(), artifacts(story.second)

    for name in LOADS:
        assert report.decisions[name] in {Decision.NOT_BETTER, Decision.WAITS}
        card = shown[f"model-card-{name}"]
        assert "| champion |" in card
        assert "| challenger |" in card
        assert "## By group" in card


def test_models_without_data_are_named_and_hide_no_other(story: Story) -> None:
    missing = story.second.result().not_known
    assert set(missing) == {"spot-24h", "spot-168h"}
    assert "run forecast-spot-prices first" in missing["spot-24h"]


def test_without_drift_nothing_is_trained_where_only_drift_is_asked_for(story: Story) -> None:
    before = load_state(ModelRegistry, "load-cpu")
    report = retrain_models(
        models=["load-cpu"], only_on_drift=True, scores=NAME, outlook=NAME, **PLACES
    )
    assert report.decisions == {"load-cpu": Decision.NO_DRIFT}
    assert load_state(ModelRegistry, "load-cpu") == before


def test_a_model_file_that_was_overwritten_is_refused_and_the_run_goes_on(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    champion = load_state(ModelRegistry, "load-memory").champion
    assert champion is not None
    file = story.folder / champion.key
    kept = file.read_bytes()
    file.write_bytes(kept[:-9] + b"poisoned!")
    try:
        with caplog.at_level(logging.ERROR):
            report = forecast_loads(
                loads=["load-memory"], storage=PLACES["storage"], profile=NAME, scores=NAME
            )
    finally:
        file.write_bytes(kept)
    assert report.workloads == {}
    assert "models.refused name=load-memory" in caplog.text
    assert load_state(ModelRegistry, "load-memory").champion == champion


def test_a_model_cannot_be_trained_as_of_tomorrow(cloud: Cloud) -> None:
    with pytest.raises(FutureInstantError):
        retrain_models(as_of=datetime.now(UTC) + timedelta(days=1), scores=NAME, **PLACES)
