"""How long requests wait, and how that is spread."""

from __future__ import annotations

import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats

_NEAR_ONE = 1e-4
BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of histogram buckets as Prometheus' client libraries have them."""


def finite_queue(load: Floats, places: Floats) -> tuple[Floats, Floats]:
    """Return what becomes of requests to a server with so many places (M/M/1/K, Kleinrock 1975).

    With processor sharing both hold for any distribution of the work of a request.

    Args:
        load: (n,) work offered per time over what the server can do; at least 0, may be above 1.
        places: (n,) requests that fit in, at least 1.

    Returns:
        (n,) the fraction that finds no place, and (n,) the mean number inside.
    """
    full = load >= 1.0
    # A queue above 1 mirrors the one at 1 / load with free places for requests.
    small = np.minimum(np.where(full, 1.0 / np.maximum(load, 1.0), load), 1.0 - _NEAR_ONE)
    top = small ** (places + 1.0)
    gap = 1.0 - top
    inside = small / (1.0 - small) - (places + 1.0) * top / gap
    blocked_below = (1.0 - small) * small**places / gap
    blocked_above = (1.0 - small) / gap
    return np.where(full, blocked_above, blocked_below), np.where(full, places - inside, inside)


def normal_cdf(z: Floats) -> Floats:
    """Return the probability below z of a standard normal (Abramowitz and Stegun 1964, 26.2.17)."""
    size = np.abs(z)
    t = 1.0 / (1.0 + 0.2316419 * size)
    sum_ = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))  # fmt: skip
    tail: Floats = np.exp(-0.5 * size**2) / np.sqrt(2.0 * np.pi) * sum_
    found: Floats = np.where(z >= 0, 1.0 - tail, tail)
    return found


def latency_buckets(
    mean: Floats, spread: Floats, bounds: tuple[float, ...] = BUCKETS_SECONDS
) -> Floats:
    """Return which fraction of requests is answered within each bound; log-normal.

    Args:
        mean: (n,) seconds, above 0.
        spread: (n,) coefficient of variation, above 0.
        bounds: (b,) seconds, rising.

    Returns:
        (n, b), rising along b, at most 1; the bucket +Inf is not among them.
    """
    place, width = _log_normal(mean, spread)
    return normal_cdf((np.log(np.array(bounds))[None, :] - place[:, None]) / width[:, None])


def latency_quantile(mean: Floats, spread: Floats, *, z: float) -> Floats:
    """Return a quantile of latency in seconds; z is the normal score: 0 the median, 2.326 p99."""
    place, width = _log_normal(mean, spread)
    found: Floats = np.exp(place + z * width)
    return found


def _log_normal(mean: Floats, spread: Floats) -> tuple[Floats, Floats]:
    variance = np.log1p(np.maximum(spread, 1e-3) ** 2)
    return np.log(np.maximum(mean, 1e-6)) - 0.5 * variance, np.sqrt(variance)
