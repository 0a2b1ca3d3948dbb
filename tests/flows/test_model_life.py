"""A champion that is worse than what served before it, judged by live scores in the registry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from prefect import flow
from prefect.filesystems import LocalFileSystem

from blocks.models import ModelRegistry
from flows.load import forecasters_of
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.load.panel import HOUR
from tasks.domain.models.kept import Kept, kept_state
from tasks.domain.models.live import VERSION_DIGITS, Role
from tasks.domain.models.registry import COMPARED_FOR, ModelVersion, Registry
from tasks.domain.models.rollback import Days
from tasks.domain.models.scorecard import daily_sums
from tasks.models.catalogue import load_family
from tasks.models.documents import registry_of
from tasks.models.life import Judged, judge_serving
from tasks.models.registry import Trained, promote, publish_challenger
from tests.flows.builders import make_state_lock
from tests.unit.load.fleet import fleet
from tests.unit.models.scoring_builders import rows

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_server")]

NAME = "load-cpu"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
BACKTEST = Days(errors=np.tile([[0.6], [0.7]], (7, 1)), naive=np.ones((14, 1)))


@pytest.fixture(scope="module")
def storage(prefect_server: object, tmp_path_factory: pytest.TempPathFactory) -> LocalFileSystem:
    make_state_lock()
    ModelRegistry.register_type_and_schema()
    return LocalFileSystem(basepath=str(Path(tmp_path_factory.mktemp("models"))))


@pytest.fixture(scope="module")
def versions(storage: LocalFileSystem) -> Iterator[list[ModelVersion]]:
    """Three versions, the second of which serves after the first, and the third waits."""
    ModelRegistry().save(NAME, overwrite=True)
    family = load_family(NAME)
    found = []
    for day in range(3):
        kept = Kept(model=family.fit(fleet(days=3, seed=day), seed=day), backtest=BACKTEST)
        trained = Trained(
            state=kept_state(family, kept),
            kind=family.kind,
            trained_at=NOW - timedelta(days=40 - 10 * day),
            trained_by="run",
            data_sha256="d" * 64,
        )
        found.append(publish_challenger(storage, NAME, trained, now=trained.trained_at).version)
        if day == 1:
            promote(NAME, found[1].sha256, reason="better", now=trained.trained_at)
    yield found
    # Other tests' flows would be served by it.
    ModelRegistry.delete(NAME)


def daily(version: ModelVersion, *, error: float) -> pd.DataFrame:
    """Three weeks of a version that errs so much where the naive forecast errs 1, both scaled."""
    made = [NOW - timedelta(days=day) for day in range(1, 22)]
    forecasts = pd.concat(
        [rows(made_at=one, version=version.sha256[:VERSION_DIGITS]) for one in made]
    )
    forecasts = forecasts.assign(truth=30.0 + 10.0 * error, naive=40.0 + 10.0 * error)
    assert (forecasts["target_at"] - forecasts["made_at"] == HOUR).all()
    return daily_sums(forecasts)


@flow
def judged(scores: pd.DataFrame) -> Judged:
    return judge_serving(NAME, Sealed(scores), Sealed(BACKTEST), NOW)


@flow
def roles(storage: LocalFileSystem, now: datetime) -> dict[Role, str]:
    return {one.role: one.version.sha256 for one in forecasters_of(storage, NAME, now=now)}


def stored() -> Registry:
    return registry_of(load_state(ModelRegistry, NAME))


def test_the_champion_before_a_new_one_goes_on_forecasting_for_a_while(
    storage: LocalFileSystem, versions: list[ModelVersion]
) -> None:
    champion, challenger, previous = versions[1], versions[2], versions[0]

    both = {Role.CHAMPION: champion.sha256, Role.CHALLENGER: challenger.sha256}
    assert roles(storage, NOW) == both | {Role.PREVIOUS: previous.sha256}
    assert roles(storage, champion.trained_at + COMPARED_FOR + HOUR) == both


def test_one_that_serves_for_a_champion_that_cannot_be_read_forecasts_once(
    storage: LocalFileSystem, versions: list[ModelVersion]
) -> None:
    file = Path(storage.basepath or "") / versions[1].key
    kept = file.read_bytes()
    file.write_bytes(b"poisoned")
    try:
        found = roles(storage, NOW)
    finally:
        file.write_bytes(kept)
    assert found == {Role.CHAMPION: versions[0].sha256, Role.CHALLENGER: versions[2].sha256}


def test_a_champion_that_beats_the_naive_forecast_alone_is_kept(
    versions: list[ModelVersion],
) -> None:
    found = judged(daily(versions[1], error=0.65))
    assert found.degraded is None
    assert stored().champion == versions[1]


def test_one_that_is_clearly_worse_than_what_served_before_is_taken_back_and_the_shadow_begins_anew(
    versions: list[ModelVersion],
) -> None:
    found = judged(pd.concat([daily(versions[1], error=0.65), daily(versions[0], error=0.45)]))
    assert found.degraded is not None
    assert "what served before" in found.degraded
    assert "1.44 of the earlier champion's error" in found.degraded
    assert stored().champion == versions[0]
    assert versions[1].sha256 in stored().refused
    assert (stored().challenger, stored().shadow_since) == (versions[2], NOW)
