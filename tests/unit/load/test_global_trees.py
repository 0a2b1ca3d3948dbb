import numpy as np
import pytest

from tasks.domain.load.global_trees import Job, fit_boosters, predictions

CASES = 3_000


def test_each_job_learns_its_own_rows_anchor_and_quantile() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(CASES, 4)).astype(np.float32)
    target = np.where(features[:, 0] > 0.0, 5.0, 1.0) + rng.normal(0.0, 0.2, CASES)
    late = np.arange(CASES) >= 2_000
    target[late] += 100.0
    early, every = np.flatnonzero(~late), np.arange(CASES)
    nothing = np.zeros(CASES)
    jobs = [
        Job(rows=early, anchor=nothing, quantile=0.5, seed=1),
        Job(rows=early, anchor=nothing + 3.0, quantile=0.5, seed=1),
        Job(rows=early, anchor=nothing, quantile=0.9, seed=1),
        Job(rows=every, anchor=nothing, quantile=0.9, seed=1),
    ]
    boosters = fit_boosters(features, target, np.ones(CASES), jobs, threads=2)
    median, moved, high, above = predictions(boosters, features[early], threads=1)
    assert np.abs(median - target[early]).mean() < 0.3
    assert moved == pytest.approx(median - 3.0, abs=0.3)
    assert (target[early] <= high).mean() == pytest.approx(0.9, abs=0.04)
    assert above.mean() > 50.0
