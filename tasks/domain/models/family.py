"""What models of one kind have in common, so that training and judging are written once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.models.drift_features import residual_features
from tasks.domain.models.quality import QualityPolicy

Data = TypeVar("Data")
Model = TypeVar("Model")


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingErrors:
    """How far forecasts from several origins were off, on what came after each.

    Attributes:
        series: (n,) names.
        groups: (n,) what each series counts among, by what was known at the first origin.
        error: (origins, n) mean absolute error over the horizon in units of the series' scale; NaN
            where no truth is known.
        naive_error: (origins, n) likewise of the naive forecast.
        covered: (origins, n) share of values inside the 80 % interval, 0 to 1; NaN likewise.
        error_by_hour: (H,) mean over origins and series, at each hour ahead; NaN where unknown.
        naive_by_hour: (H,) likewise.
        covered_by_hour: (H,) likewise.
    """

    series: tuple[str, ...]
    groups: tuple[str, ...]
    error: FloatArray
    naive_error: FloatArray
    covered: FloatArray
    error_by_hour: FloatArray
    naive_by_hour: FloatArray
    covered_by_hour: FloatArray

    @property
    def mean_error(self) -> float | None:
        """Over all origins and series."""
        return known_mean(self.error)

    @property
    def coverage(self) -> float | None:
        """Share of values inside the 80 % interval."""
        return known_mean(self.covered)

    @property
    def skill(self) -> float | None:
        """1 - error / naive error; None where that is undefined."""
        ours, naive = self.mean_error, known_mean(self.naive_error)
        return None if ours is None or not naive else 1.0 - ours / naive


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """What forecasts of the day ahead were off by, day by day.

    Attributes:
        series: (n,) names.
        days: (n, features, days) in the order of RESIDUALS, of truth minus median, in a unit in which
            they stay alike while the model holds; NaN where unknown.
    """

    series: tuple[str, ...]
    days: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a model is trained on, as quality and drift are asked of it.

    Attributes:
        series: (n,) names.
        values: (n, hours) as observed; NaN where unknown.
        moves: (n, hours) what has to stay alike for the model to hold; the values themselves where
            they do not wander.
        end: Of the last hour, aware UTC; None without a wall clock.
        sha256: Of everything that is trained on.
    """

    series: tuple[str, ...]
    values: FloatArray
    moves: FloatArray
    end: datetime | None
    sha256: str


class Family(Protocol[Data, Model]):
    """Models of one kind.

    `Data` is what they are trained on and forecast from, with an end that can be moved back.
    """

    kind: str
    """What is stored; changes when the stored form does."""
    horizon_hours: int
    quality: QualityPolicy
    """What a window has to offer to be trained on."""

    def window(self, data: Data) -> Window:
        """Return what is looked at before anything is trained."""
        ...

    def fit(self, data: Data, *, seed: int) -> Model:
        """Return a model of data."""
        ...

    def state(self, model: Model) -> dict[str, Any]:
        """Return a model as plain values."""
        ...

    def read(self, state: Mapping[str, Any]) -> Model:
        """Return the model that `state` was given."""
        ...

    def before(self, data: Data, *, hours: int) -> Data:
        """Return what was known so many hours before the end."""
        ...

    def rolling_errors(
        self, data: Data, model: Model, *, hours_back: Sequence[int]
    ) -> RollingErrors:
        """Return how a model, fitted before the earliest origin, forecasts what is known by now.

        Args:
            data: All that is known; the truth of every origin lies in it.
            model: What forecasts.
            hours_back: Of each origin, before the end; at least 1 each.
        """
        ...

    def residuals(
        self, data: Data, model: Model, *, hours_back: Sequence[int], most_series: int
    ) -> Residuals:
        """Return what a model, trained before the earliest origin, is off by on the day after each.

        Args:
            data: All that is known; the day after every origin lies in it.
            model: What forecasts.
            hours_back: Of each origin, before the end; at least 24 each, the earliest first.
            most_series: Of more series the same ones every time, by the hash of their names.
        """
        ...


def sha256_of(series: Sequence[str], *parts: FloatArray) -> str:
    """Return the hash of named series and of what is known of them."""
    found = hashlib.sha256("\n".join(series).encode())
    for part in parts:
        found.update(repr(part.shape).encode())
        found.update(np.ascontiguousarray(part, dtype="<f8").tobytes())
    return found.hexdigest()


def known_mean(values: FloatArray) -> float | None:
    """Return the mean of what is known; None where nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def mean_over(values: FloatArray, *, axis: int | tuple[int, ...]) -> FloatArray:
    """Return means of what is known along axes; NaN where nothing is, without a warning."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def residuals_of(
    *, series: Sequence[str], actual: Sequence[FloatArray], median: Sequence[FloatArray]
) -> Residuals:
    """Return residuals from what came and what was forecast.

    Args:
        series: (n,) names.
        actual: For each origin (n, steps of a day) values, NaN where unknown.
        median: For each origin likewise.
    """
    off = np.stack(actual, axis=1) - np.stack(median, axis=1)
    return Residuals(series=tuple(series), days=residual_features(off))


def rolling_errors_of(
    *,
    series: Sequence[str],
    groups: Sequence[str],
    actual: Sequence[FloatArray],
    quantiles: Sequence[FloatArray],
    naive: Sequence[FloatArray],
    scale: FloatArray,
) -> RollingErrors:
    """Return errors from forecasts and what came.

    Args:
        series: (n,) names.
        groups: (n,).
        actual: For each origin (n, H) values, NaN where unknown or not come yet.
        quantiles: For each origin (n, H, 3).
        naive: For each origin (n, H).
        scale: (n,) above 0; what an error is measured by.
    """
    truth, found, plain = (np.stack(one) for one in (actual, quantiles, naive))
    unit = scale[None, :, None]
    error = np.abs(truth - found[..., 1]) / unit
    naive_error = np.abs(truth - plain) / unit
    inside = ((found[..., 0] <= truth) & (truth <= found[..., 2])).astype(np.float64)
    inside[np.isnan(truth)] = np.nan
    return RollingErrors(
        series=tuple(series),
        groups=tuple(groups),
        error=mean_over(error, axis=2),
        naive_error=mean_over(naive_error, axis=2),
        covered=mean_over(inside, axis=2),
        error_by_hour=mean_over(error, axis=(0, 1)),
        naive_by_hour=mean_over(naive_error, axis=(0, 1)),
        covered_by_hour=mean_over(inside, axis=(0, 1)),
    )
