"""A model looked at and trained anew: data, drift, trial, and what is kept of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from tasks.adapters.objects import Storage
from tasks.chunks import Sealed
from tasks.domain.arrays import FloatArray
from tasks.domain.models.drift import DriftReport
from tasks.domain.models.family import Family, RollingErrors, Window
from tasks.domain.models.kept import Kept, backtest_days, kept_state, read_kept
from tasks.domain.models.quality import QualityReport, check_window
from tasks.domain.models.residuals import backtest_residuals, of_both, residuals_since
from tasks.domain.models.since import drift_since, hours_since
from tasks.domain.models.trial import Tried, run_trial, step_hours
from tasks.models.registry import (
    Published,
    Served,
    Trained,
    promote,
    publish_challenger,
    served,
    served_before,
)
from tasks.retries import remote_task

HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One model to look at.

    Attributes:
        name: Of its registry, for example "load-cpu".
        family: What it is.
        data: What is known by now; of the family's kind.
        critical_groups: Groups of series that a challenger may not make worse.
    """

    name: str
    family: Family[Any, Any]
    data: Any
    critical_groups: Collection[str] = ()


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What is known before anything is trained.

    Attributes:
        window: Of the data.
        quality: Whether it can be trained on.
        drift: Of what came since the champion was trained; None where nothing can be said.
        age_hours: Hours of the window that the champion was not trained on; None without one.
    """

    window: Window
    quality: QualityReport
    drift: DriftReport | None
    age_hours: int | None


@remote_task("load-champion", run_name="load the champion of {name}")
def load_champion(
    storage: Storage, name: str, family: Sealed[Family[Any, Any]]
) -> Served[Kept[Any]] | None:
    """Return the model that serves; None before the first, and where none can be read."""
    return served(storage, name, read=partial(read_kept, family.value), kinds=(family.value.kind,))


@remote_task("load-previous", run_name="load the earlier champion of {name}")
def load_previous(
    storage: Storage, name: str, family: Sealed[Family[Any, Any]], now: datetime
) -> Served[Kept[Any]] | None:
    """Return the champion before a new one, which the new one is held to; None where there is none."""
    kind = family.value
    read = partial(read_kept, kind)
    return served_before(storage, name, read=read, kinds=(kind.kind,), now=now)


@task(name="look-at-data", task_run_name="look at the data of {name}", cache_policy=NO_CACHE)
def look_at_data(
    name: str, subject: Sealed[Subject], champion: Sealed[Served[Kept[Any]] | None], now: datetime
) -> Looked:
    """Return whether a window can be trained on, and whether it has drifted since the last training."""
    family, known = subject.value.family, champion.value
    window = family.window(subject.value.data)
    quality = check_window(
        window.values,
        series=window.series,
        step=HOUR,
        end=window.end,
        now=now,
        policy=family.quality,
    )
    trained_at = None if known is None else known.version.trained_at
    age = None if trained_at is None else hours_since(window, trained_at)
    drift = None
    if known is not None and age is not None:
        drift = drift_since(
            window,
            known.version.trained_at,
            now=now,
            residuals=_residuals(family, subject.value.data, known.model, window, age_hours=age),
        )
    get_run_logger().info(
        "models.data.looked name=%s usable=%s series=%d days=%.1f drift=%s",
        name,
        quality.usable,
        quality.series,
        quality.days,
        "unknown" if drift is None else drift.drifted,
    )
    return Looked(window=window, quality=quality, drift=drift, age_hours=age)


def _residuals(
    family: Family[Any, Any], data: object, champion: Kept[Any], window: Window, *, age_hours: int
) -> tuple[FloatArray, FloatArray] | None:
    """Return the daily errors of the champion's backtest and of its forecasts since, where known."""
    before = champion.residuals
    if before is None:
        return None
    hours = window.values.shape[1]
    since = residuals_since(family, data, champion.model, hours=hours, since_hours=age_hours)
    return None if since is None else of_both(before, since)


@task(name="try-challenger", task_run_name="try a challenger of {name}", cache_policy=NO_CACHE)
def try_challenger(
    name: str,
    subject: Sealed[Subject],
    champion: Sealed[Served[Kept[Any]] | None],
    age_hours: int | None,
    seed: int,
) -> Tried:
    """Fit the recipe without the last days, and compare it there with the model that serves."""
    known = champion.value
    tried = run_trial(
        subject.value.family,
        subject.value.data,
        None if known is None else known.model.model,
        champion_age_hours=age_hours,
        critical_groups=subject.value.critical_groups,
        seed=seed,
    )
    get_run_logger().info(
        "models.challenger.tried name=%s verdict=%s",
        name,
        tried.reason if tried.verdict is None else tried.verdict.reason,
    )
    return tried


@task(name="fit-model", task_run_name="fit {name}", cache_policy=NO_CACHE)
def fit_model(
    name: str, subject: Sealed[Subject], tried: Sealed[Tried], seed: int
) -> Sealed[dict[str, Any]]:
    """Fit the recipe on everything that is known; return it with its backtest, as plain values."""
    del name  # for the run's name
    family, found = subject.value.family, tried.value.challenger
    data, step = subject.value.data, step_hours(family.horizon_hours)
    hours = family.window(data).values.shape[1]
    kept = Kept(
        model=family.fit(data, seed=seed),
        backtest=None if found is None else backtest_days(found, step_hours=step),
        residuals=backtest_residuals(family, data, hours=hours, seed=seed),
    )
    return Sealed(kept_state(family, kept))


@remote_task("publish-model", run_name="publish {name}")
def publish_model(
    storage: Storage, name: str, trained: Sealed[Trained], now: datetime, *, serve: bool = False
) -> Published:
    """Store a model and let it wait as challenger, or serve where it is the first.

    Args:
        storage: Where models lie.
        name: Of the model.
        trained: What to store.
        now: Aware UTC.
        serve: None of those that are registered can be read, as after an upgrade: beside a champion
            that forecasts nothing a challenger would wait for ever.
    """
    found = publish_challenger(storage, name, trained.value, now=now)
    if not serve:
        return found
    reason = "no model before it can be read"
    registry = promote(name, found.version.sha256, reason=reason, now=now)
    return Published(version=found.version, registry=registry)


def metrics_of(errors: RollingErrors | None) -> dict[str, float]:
    """Return what a backtest said, as a registry keeps it; what is undefined is left out."""
    if errors is None:
        return {}
    found = {
        "backtest_error": errors.mean_error,
        "backtest_skill": errors.skill,
        "backtest_coverage_80": errors.coverage,
    }
    return {key: value for key, value in found.items() if value is not None}
