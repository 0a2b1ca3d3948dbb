"""Spot models that wait, or grew too old to act on, forecast too: they are judged by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.filesystems import LocalFileSystem

from blocks import SpotOutlook
from blocks.models import ModelRegistry
from blocks.scores import ForecastScores
from flows.spot import forecast_spot_prices
from tasks.adapters.objects import frame_from_parquet, load_object
from tasks.adapters.state import load_state, stored_object
from tasks.domain.models.kept import Kept, kept_state
from tasks.domain.models.live import Role, made_by
from tasks.domain.models.registry import ModelVersion
from tasks.domain.spot.family import Prices, SpotFamily
from tasks.models.registry import Trained, publish_challenger
from tests.flows.builders import RECORDED_NOW, Cloud, embedded_cloud, save_blocks

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded("aws"),
    pytest.mark.usefixtures("prefect_server"),
]

MODEL, NAME = "spot-24h", "spot-shadow"
HOURS = 20 * 24


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with embedded_cloud() as running:
        yield running


@pytest.fixture(autouse=True)
def forgotten(cloud: Cloud) -> Iterator[None]:
    """Registries are named by model: other tests' flows would use this one."""
    ModelRegistry.register_type_and_schema()
    yield
    with suppress(ValueError):
        ModelRegistry.delete(MODEL)


def published(storage: LocalFileSystem, *, days_old: int) -> ModelVersion:
    """Publish a model of what was known some days ago; the first serves, the second waits."""
    state = load_state(SpotOutlook, NAME)
    assert state.history is not None
    changes = frame_from_parquet(load_object(storage, stored_object(state.history)))
    family, cutoff = SpotFamily(24), RECORDED_NOW - timedelta(days=days_old)
    model = family.fit(Prices(changes=changes, cutoff=cutoff, hours=HOURS), seed=20)
    trained = Trained(
        state=kept_state(family, Kept(model=model, backtest=None)),
        kind=family.kind,
        trained_at=cutoff,
        trained_by="a test",
        data_sha256="d" * 64,
        metrics={},
    )
    found = publish_challenger(storage, MODEL, trained, now=RECORDED_NOW).version
    assert found is not None
    return found


def test_a_champion_too_old_to_act_on_and_its_challenger_forecast_side_by_side(
    cloud: Cloud, tmp_path: Path
) -> None:
    cloud.clock.now = RECORDED_NOW
    places: dict[str, Any] = save_blocks(cloud, NAME, tmp_path)
    few: dict[str, Any] = {"instance_types": ["c5.2xlarge", "t3a.2xlarge"], "window_days": 20}
    forecast_spot_prices(**places, **few, as_of=RECORDED_NOW, scores=NAME)
    storage = LocalFileSystem(basepath=str(tmp_path))
    champion = published(storage, days_old=15)
    challenger = published(storage, days_old=1)

    forecast_spot_prices(**places, **few, as_of=RECORDED_NOW, scores=NAME)

    pointers = load_state(ForecastScores, NAME).appended
    (kept,) = [frame_from_parquet(load_object(storage, stored_object(one))) for one in pointers]
    made = set(zip(kept["role"], kept["version"], strict=True))
    assert made == {
        (role.value, made_by(version, role).version)
        for role, version in ((Role.CHAMPION, champion), (Role.CHALLENGER, challenger))
    }
