"""Boosted trees of all series together: what simple anchors miss, and how far off it can be."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.load.features import Matrix

MAX_BINS = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Size of one boosted ensemble."""

    leaves: int
    rows_per_leaf: int
    rounds: int
    learning_rate: float


MEDIAN = Trees(leaves=31, rows_per_leaf=60, rounds=50, learning_rate=0.12)
TAIL = Trees(leaves=15, rows_per_leaf=100, rounds=45, learning_rate=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One ensemble to fit.

    Attributes:
        rows: Cases to learn from.
        anchor: (m,) of all cases, what the trees correct.
        quantile: Of the target; strictly between 0 and 1.
        seed: Of feature and case sampling.
    """

    rows: IntArray
    anchor: FloatArray
    quantile: float
    seed: int


def fit_boosters(
    features: Matrix, target: FloatArray, weight: FloatArray, jobs: Sequence[Job], *, threads: int
) -> list[lgb.Booster]:
    """Return one ensemble a job; they are fitted side by side, each on one thread.

    Equal arguments give equal ensembles, whatever the threads.
    """
    # LightGBM's number of threads is one for the whole process, and its buffers are as large as it was
    # when they were made: whatever runs beside a fit has to ask for the same.
    binning = {"max_bin": MAX_BINS, "verbosity": -1, "num_threads": 1}
    data = lgb.Dataset(features, target, weight=weight, params=binning).construct()

    def part_of(job: Job) -> lgb.Dataset:
        # A subset shares the bins, whose making takes a fifth of the time of a fit.
        part = data.subset(job.rows.tolist(), params=binning).construct()
        part.set_label(target[job.rows] - job.anchor[job.rows])
        return part

    def fit(job: Job, part: lgb.Dataset) -> lgb.Booster:
        return lgb.train(_settings(job), part, num_boost_round=_size(job).rounds)

    # Side by side with a fit, the making of a subset was seen to end the process.
    parts = [part_of(job) for job in jobs]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(fit, jobs, parts))


def _size(job: Job) -> Trees:
    return MEDIAN if job.quantile == 0.5 else TAIL


def _settings(job: Job) -> dict[str, str | float]:
    size = _size(job)
    return {
        "objective": "l1" if job.quantile == 0.5 else "quantile",
        "alpha": job.quantile,
        "num_leaves": size.leaves,
        "min_data_in_leaf": size.rows_per_leaf,
        "learning_rate": size.learning_rate,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "max_bin": MAX_BINS,
        "seed": job.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def predictions(
    boosters: Sequence[lgb.Booster], features: Matrix, *, threads: int
) -> list[FloatArray]:
    """Return (m,) for each ensemble."""

    def predict(booster: lgb.Booster) -> FloatArray:
        return np.asarray(booster.predict(features, num_threads=1), dtype=np.float64)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(predict, boosters))
