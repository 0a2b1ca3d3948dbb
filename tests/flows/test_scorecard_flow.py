"""Live scoring through real state: stored, judged once, published; also with two runs at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.filesystems import LocalFileSystem
from prefect.logging import disable_run_logger

import tasks.models.scoring as scoring
from blocks import HistorySpan, ObjectPointer, SpotOutlook, UsageProfile
from blocks.scores import ForecastScores
from flows.scorecard import ScorecardReport, publish_scorecard
from tasks.adapters.objects import frame_to_parquet, store_object
from tasks.adapters.state import load_state, object_pointer
from tasks.chunks import Sealed
from tasks.domain.errors import TransientError
from tasks.domain.load.forecasts import LoadForecasts
from tasks.domain.load.panel import HOUR, Load
from tasks.domain.models.live import Kept, MadeBy, forecast_rows
from tasks.domain.models.live_scores import Worth
from tasks.domain.models.scorecard_report import NOTHING
from tasks.domain.spot.forecasts import PoolForecasts, Source
from tasks.domain.spot.pools import Pool
from tasks.domain.usage.panel import Metric, UsagePanel
from tasks.domain.usage.panel_frames import panel_frame
from tests.flows.builders import Cloud, embedded_cloud, save_blocks
from tests.unit.models.scoring_builders import rows, truth_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.timeout(900),
]

NOW = datetime.now(UTC)
LAST_HOUR = NOW.replace(minute=0, second=0, microsecond=0)
DAYS = 8
SERIES = ("i-0", "i-1", "i-2")
MAKER = MadeBy(version="abc123")
POOL = Pool(availability_zone="us-east-1a", instance_type="m5.large")
PARTS = 2
Work = tuple[str, str, str, int, datetime]
"""What to do, on which block, in which folder, with which rows, and when: other processes have other
clocks."""


@pytest.fixture(scope="module")
def cloud(prefect_server: object) -> Iterator[Cloud]:
    ForecastScores.register_type_and_schema()
    with embedded_cloud() as running:
        yield running


@dataclass(frozen=True, kw_only=True)
class Place:
    """Blocks of one test, and what flows before it would have left."""

    name: str
    folder: Path
    parameters: dict[str, str]
    use: np.ndarray = field(
        default_factory=lambda: np.random.default_rng(20).uniform(
            20.0, 40.0, (len(SERIES), DAYS * 24)
        )
    )

    @property
    def storage(self) -> LocalFileSystem:
        return LocalFileSystem(basepath=str(self.folder))

    @property
    def state(self) -> ForecastScores:
        return load_state(ForecastScores, self.name)

    def stored(self, frame: pd.DataFrame) -> ObjectPointer:
        content = frame_to_parquet(frame)
        return object_pointer(store_object(self.storage, content, prefix="seen", suffix=".parquet"))

    def observe_use(self) -> None:
        panel = UsagePanel(
            resources=SERIES,
            start=LAST_HOUR - timedelta(days=DAYS),
            values={Metric.CPU_MEAN: self.use.astype(np.float32)},
        )
        profile = UsageProfile(observed_at=NOW, metrics=self.stored(panel_frame(panel)))
        profile.save(self.name, overwrite=True)

    def observe_prices(self) -> None:
        start = LAST_HOUR - timedelta(days=10)
        changes = pd.DataFrame(
            {
                "timestamp": pd.to_datetime([start], utc=True),
                "instance_type": POOL.instance_type,
                "availability_zone": POOL.availability_zone,
                "product_description": POOL.product_description,
                "price_usd_per_hour": [0.05],
            }
        )
        span = HistorySpan(start=start, end=LAST_HOUR)
        SpotOutlook(
            observed_at=NOW,
            history=self.stored(changes),
            history_spans={"us-east-1|Linux/UNIX|*": span},
        ).save(self.name, overwrite=True)

    def forecast_loads(self) -> None:
        """Store a forecast a day, ten points too high at most, and one of the next day."""
        for day in range(DAYS + 1):
            made = LAST_HOUR - timedelta(days=DAYS - day)
            truth = self.use[:, day * 24 : (day + 1) * 24]
            known = truth if truth.size else np.full((len(SERIES), 24), 30.0)
            self.remember(forecast_rows(load_forecast(made, known), MAKER, scale=np.full(3, 10.0)))

    def forecast_prices(self) -> None:
        made = LAST_HOUR - timedelta(hours=30)
        rows = forecast_rows(price_forecast(made), MAKER, scale=np.full(1, 0.01), kept=Kept())
        self.remember(rows)

    def remember(self, rows: pd.DataFrame, now: datetime = NOW) -> int:
        with disable_run_logger():
            taken: int = scoring.remember_forecasts.fn(self.storage, self.name, Sealed(rows), now)
        return taken

    def run(self, **more: Any) -> tuple[ScorecardReport, dict[str, Any]]:
        state = publish_scorecard(**{**self.parameters, **more}, return_state=True)
        report: ScorecardReport = state.result()
        return report, artifacts(state)


@pytest.fixture
def place(cloud: Cloud, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    name = re.sub(r"[^a-z0-9]+", "-", str(request.node.name))[:60].strip("-")
    parameters = {**save_blocks(cloud, name, tmp_path), "profile": name, "scores": name}
    return Place(name=name, folder=tmp_path, parameters=parameters)


def load_forecast(made_at: datetime, truth: np.ndarray) -> LoadForecasts:
    middle = truth + 4.0
    # Of the 24 hours five are outside.
    low = np.where(np.arange(24) < 5, middle - 1.0, middle - 8.0)
    return LoadForecasts(
        load=Load.CPU,
        series=SERIES,
        step=HOUR,
        cutoff=made_at,
        quantiles=np.stack([low, middle, middle + 8.0], axis=-1),
        naive=truth + 10.0,
        method=np.array(["global"] * len(SERIES)),
        confidence=np.full(len(SERIES), 0.8),
    )


def price_forecast(made_at: datetime) -> PoolForecasts:
    quantiles = np.broadcast_to(np.array([0.04, 0.05, 0.06]), (1, 24, 3)).copy()
    return PoolForecasts(
        pools=(POOL,),
        cutoff=made_at,
        quantiles=quantiles,
        mean=quantiles[:, :, 1],
        last_value=np.array([0.05]),
        naive_quantiles=quantiles,
        source=np.array([Source.STILL]),
        moved=np.array([False]),
    )


def artifacts(state: State[Any]) -> dict[str, Any]:
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        )
    return {str(artifact.key): artifact.data for artifact in found}


@pytest.mark.embedded("aws")
def test_stored_forecasts_meet_their_truth_and_a_second_run_changes_nothing(place: Place) -> None:
    place.observe_use()
    place.observe_prices()
    place.forecast_loads()
    place.forecast_prices()
    report, shown = place.run()
    after = place.state
    again, _ = place.run()

    loads, prices = report.scores
    assert (loads.model, loads.count, prices.model, prices.count) == (
        "load-cpu", DAYS * 24 * 3, "spot-24h", 24,
    )  # fmt: skip
    assert report.judged == after.judged == DAYS * 24 * 3 + 24
    assert (report.waiting, report.waiting_until) == (72, LAST_HOUR + timedelta(days=1))
    assert loads.worth is Worth.BETTER
    assert loads.skill == pytest.approx(0.6, abs=1e-4)
    assert loads.bias == pytest.approx(0.4, abs=1e-4)
    assert loads.coverage == pytest.approx(19 / 24)
    assert "`load-cpu`: beats the naive forecast" in shown["scorecard"]
    assert "| spot-24h | up to 4 h | 4 on" in shown["scorecard"]
    assert "not enough yet" in shown["scorecard"]
    assert httpx.get(shown["scorecard-days"], trust_env=False).content.startswith(b"\x89PNG")
    assert [(one.model, one.count, one.enough) for one in after.figures] == [
        ("load-cpu", DAYS * 24 * 3, True), ("spot-24h", 24, False),
    ]  # fmt: skip
    assert (after.appended, after.waiting_rows) == ([], 72)
    assert (again.judged, again.scores) == (0, report.scores)
    assert place.state.daily == after.daily


def test_with_nothing_stored_a_run_says_so_and_ends_well_without_an_account(place: Place) -> None:
    report, shown = place.run(account="nobody-made", profile="nobody-made", outlook="nobody-made")

    assert report == ScorecardReport(message=NOTHING)
    assert shown == {"scorecard": f"# Forecast scorecard\n\n{NOTHING}\n"}
    assert place.state.observed_at is None


@pytest.mark.embedded("aws")
def test_forecasts_wait_where_nothing_was_observed_and_the_reason_is_told(place: Place) -> None:
    place.forecast_loads()
    place.forecast_prices()
    report, shown = place.run(profile="nobody-observed", outlook="nobody-observed")

    assert (report.judged, report.waiting) == (0, (DAYS + 1) * 72 + 24)
    assert "run cluster-usage; loads wait until then." in shown["scorecard"]
    assert "run forecast-spot-prices; prices wait until then." in shown["scorecard"]
    assert "**Not enough yet:**" in shown["scorecard"]


@pytest.mark.embedded("aws")
def test_an_object_that_is_lost_is_told_and_hides_nothing_else(place: Place) -> None:
    place.observe_use()
    place.forecast_loads()
    (place.folder / place.state.appended[0].key).unlink()
    report, shown = place.run()

    assert report.judged == (DAYS - 1) * 72
    assert "1 stored object is gone or damaged" in shown["scorecard"]


def test_the_same_forecast_twice_counts_once_also_after_it_was_judged(place: Place) -> None:
    stored = rows([1, 2], made_at=NOW - timedelta(hours=3))
    place.remember(stored)
    once = place.state
    place.remember(stored)
    assert place.state.appended == once.appended

    place.remember(stored.iloc[:1])
    judged(place.name, str(place.folder), stored)
    place.remember(stored)
    judged(place.name, str(place.folder), stored)

    assert (place.state.judged, place.state.waiting_rows) == (2, 0)


def test_forecasts_not_made_lately_are_not_taken(place: Place) -> None:
    assert place.remember(rows(made_at=NOW - timedelta(days=15))) == 0
    assert place.state == ForecastScores()


def test_many_parts_become_one_and_nothing_is_lost(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "MOST_PARTS", 2)
    for hours in range(4):
        place.remember(rows([1, 2], made_at=NOW - timedelta(hours=hours)))

    assert (len(place.state.appended), place.state.waiting_rows) == (1, 6)
    assert judged(place.name, str(place.folder), rows([1])) == 0
    assert place.state.waiting_rows == 8


def judged(name: str, folder: str, stored: pd.DataFrame) -> int:
    """Judge what waits by a truth of 32 for some rows; return how many were."""
    truth = Sealed(truth_of(stored, 32.0))
    with disable_run_logger():
        done = scoring.judge_forecasts.fn(LocalFileSystem(basepath=folder), name, truth, NOW, 56)
    return done.judged


def judge_or_remember(work: Work, attempts: int = 3) -> int:
    """Do it, again where the lock was not to be had in time, as the task does."""
    try:
        return done_once(work)
    except TransientError:
        if attempts == 1:
            raise
        return judge_or_remember(work, attempts - 1)


def done_once(work: Work) -> int:
    what, name, folder, part, now = work
    if what == "judge":
        return judged(name, folder, pd.concat([many_rows(each, now) for each in range(PARTS)]))
    with disable_run_logger():
        taken: int = scoring.remember_forecasts.fn(
            LocalFileSystem(basepath=folder), name, Sealed(many_rows(part, now)), now
        )
    return taken


def many_rows(part: int, now: datetime = NOW) -> pd.DataFrame:
    return rows(range(1, 25), made_at=now - timedelta(hours=30), series=f"cpu_percent/i-{part}")


def test_runs_at_once_judge_each_value_once_and_lose_none(place: Place) -> None:
    name, folder = place.name, str(place.folder)
    stored: list[Work] = [("remember", name, folder, part, NOW) for part in range(PARTS)]
    judge: Work = ("judge", name, folder, 0, NOW)
    works = [stored[0], judge, *stored[1:], judge, stored[0]]
    # Processes, as runs are: Prefect shares one lock service among a process's threads.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as runs:
        found = list(runs.map(judge_or_remember, works))
    last = judge_or_remember(judge)

    counted = sum(count for (what, *_), count in zip(works, found, strict=True) if what == "judge")
    assert counted + last == place.state.judged == PARTS * 24
    assert (place.state.waiting_rows, place.state.appended) == (0, [])


def test_what_another_run_left_meanwhile_is_judged_not_what_was_read(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run comes between the reading and the lock."""
    place.remember(many_rows(0))
    before = place.state
    place.remember(many_rows(1))
    judged(place.name, str(place.folder), many_rows(0))
    monkeypatch.setattr(scoring, "load_state", lambda *_: before)

    assert judged(place.name, str(place.folder), many_rows(0)) == 0
    assert (place.state.judged, place.state.waiting_rows) == (24, 24)
