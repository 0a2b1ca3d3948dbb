"""Connection pool by Little's law and Erlang's formula; keep-alive by the pauses of clients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from tasks.domain.arrays import FloatArray
from tasks.domain.tuning.cpu import SURE, not_worth_it, too_little
from tasks.domain.tuning.observed import NetworkObserved, TuningBounds
from tasks.domain.tuning.outlook import DRAWS, Outlook, expected_effect, share_kept
from tasks.domain.tuning.suggestions import (
    LEVEL,
    Change,
    Effect,
    Evidence,
    Figure,
    Kind,
    Measure,
    NotSuggested,
    Suggestion,
)

RETRANSMITTED = 0.01
"""From here on the path loses packets, and settings of connections do not help."""
LEAST_PAUSES = 200
KEEP_ALIVES = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds that are usual to set."""
NEAR_BEST = 0.02
LEAST_GAIN = 0.05
UNEXPLAINED = 0.1
"""Difference of measured and computed new connections from which the pauses are not believed."""
POOL_METHOD = (
    "busy connections = requests per second x seconds each holds one (Little, 1961); waiting by "
    "Erlang's C formula, scaled to what was measured at the present size"
)
KEEP_ALIVE_METHOD = "share of recorded pauses between requests of a client that outlast the timeout"


def connection_pool(
    workload: str, seen: NetworkObserved, *, bounds: TuningBounds, rng: np.random.Generator
) -> Suggestion | NotSuggested:
    """Return the smallest pool for which as few requests wait as tolerated."""
    kind = Kind.CONNECTION_POOL
    if seen.pool_size is None:
        return NotSuggested(workload=workload, kind=kind, why="there is no pool")
    busy = seen.requests_per_second * seen.hold_seconds
    refused = too_little(workload, kind, busy, seen.step, bounds) or _lossy(workload, kind, seen)
    if refused is not None:
        return refused
    outlook = Outlook.of(busy, step=seen.step, rng=rng)
    before = _weighted(seen.waited, seen.requests_per_second)
    computed = _weighted(erlang_c(seen.pool_size, busy), seen.requests_per_second)
    # Holding times that vary more or less than an exponential wait more or less often.
    scale = float(np.clip(before / computed, 0.5, 2.0)) if computed > 1e-4 else 1.0

    def waits(size: int) -> FloatArray:
        return outlook.shares(lambda level: np.minimum(scale * erlang_c(size, busy * level), 1.0))

    least = max(int(np.ceil(seen.pool_size * bounds.largest_step_down)), 1)
    most = max(int(seen.pool_size * bounds.largest_step_up), least)
    chosen = _smallest_pool(waits, least, most, bounds.waited)
    refused = not_worth_it(workload, kind, seen.pool_size, chosen, bounds)
    if refused is not None:
        return refused
    drawn = waits(chosen)
    promised = max(bounds.waited, (before + float(drawn.mean())) / 2.0)
    if share_kept(drawn, bounds.waited) >= SURE:
        promised = bounds.waited
    return Suggestion(
        workload=workload,
        change=Change(kind=kind, before=seen.pool_size, after=chosen),
        effect=expected_effect(Measure.WAITED, before=before, drawn=drawn, rare=True),
        promised=promised,
        confidence=share_kept(drawn, promised),
        evidence=Evidence(
            window=len(busy) * seen.step,
            samples=int(np.isfinite(busy).sum()),
            figures=(
                Figure(what="busy connections, mean", value=float(np.nanmean(busy))),
                Figure(what="busy connections, highest step", value=float(np.nanmax(busy))),
                Figure(what="requests that waited", value=before),
            ),
            method=POOL_METHOD,
        ),
    )


def keep_alive(
    workload: str, seen: NetworkObserved, *, bounds: TuningBounds, rng: np.random.Generator
) -> Suggestion | NotSuggested:
    """Return the shortest usual timeout that spares nearly as many connections as the longest."""
    kind = Kind.KEEP_ALIVE
    old, pauses = seen.keep_alive_seconds, seen.pauses_seconds
    refused = too_little(workload, kind, seen.new_per_request, seen.step, bounds)
    refused = refused or _lossy(workload, kind, seen)
    if refused is not None:
        return refused
    if old is None or pauses is None or len(pauses) < LEAST_PAUSES:
        why = "pauses between a client's requests, or the timeout, are not recorded"
        return NotSuggested(workload=workload, kind=kind, why=why)
    before = _weighted(seen.new_per_request, seen.requests_per_second)
    if abs(before - float((pauses >= old).mean())) > UNEXPLAINED:
        why = "recorded pauses do not explain the connections that were opened"
        return NotSuggested(workload=workload, kind=kind, why=why)
    # From "off" there is no factor; the usual values are the bound.
    most = KEEP_ALIVES[-1] if old == 0.0 else old * bounds.largest_step_up
    offered = [one for one in KEEP_ALIVES if old < one <= most]
    if not offered:
        why = "no usual timeout lies between the present one and the largest step up"
        return NotSuggested(workload=workload, kind=kind, why=why)
    left = [float((pauses >= one).mean()) for one in offered]
    chosen = next(
        one for one, share in zip(offered, left, strict=True) if share <= left[-1] + NEAR_BEST
    )
    opened = rng.binomial(len(pauses), float((pauses >= chosen).mean()), DRAWS) / len(pauses)
    gain = before - float(opened.mean())
    if gain < LEAST_GAIN:
        why = f"{chosen:g} s would spare {gain:.1%} of requests a connection"
        return NotSuggested(workload=workload, kind=kind, why=why)
    promised = before - gain / 2.0
    return Suggestion(
        workload=workload,
        change=Change(kind=kind, before=old, after=chosen),
        effect=_sampled(before, opened, size=len(pauses)),
        promised=promised,
        confidence=share_kept(opened, promised),
        evidence=Evidence(
            window=len(seen.new_per_request) * seen.step,
            samples=len(pauses),
            figures=(
                Figure(what="requests that opened a connection", value=before),
                Figure(what="median pause", value=float(np.median(pauses)), unit="seconds"),
            ),
            method=KEEP_ALIVE_METHOD,
        ),
    )


def erlang_c(size: int, busy: FloatArray) -> FloatArray:
    """Return the share of requests that find all connections of a pool busy (Erlang, 1917).

    Args:
        size: Connections, at least 1.
        busy: (n,) requests per second times seconds held; NaN where unknown.

    Returns:
        (n,) 0 to 1; 1 where more is wanted than the pool can carry.
    """
    blocked = np.ones(len(busy))
    for servers in range(1, size + 1):
        blocked = busy * blocked / (servers + busy * blocked)
    use = np.minimum(busy / size, 1.0)
    found = np.where(busy >= size, 1.0, blocked / np.maximum(1.0 - use * (1.0 - blocked), 1e-12))
    return np.where(np.isnan(busy), np.nan, found)


def _smallest_pool(
    waits: Callable[[int], FloatArray], least: int, most: int, tolerated: float
) -> int:
    """Return the smallest size that is surely enough, by bisection; the largest if none is."""
    while least < most:
        middle = (least + most) // 2
        if share_kept(waits(middle), tolerated) >= SURE:
            most = middle
        else:
            least = middle + 1
    return most


def _sampled(before: float, drawn: FloatArray, *, size: int) -> Effect:
    """Return the effect with the error of the sample twice: of what was seen, and of what comes."""
    mean = float(drawn.mean())
    z = float(norm.ppf((1.0 + LEVEL) / 2.0))
    half = z * float(np.sqrt(2.0 * max(mean * (1.0 - mean), 1e-6) / size))
    return Effect(
        measure=Measure.NEW_CONNECTIONS,
        before=before,
        expected=mean,
        low=max(mean - half, 0.0),
        high=min(mean + half, 1.0),
    )


def _lossy(workload: str, kind: Kind, seen: NetworkObserved) -> NotSuggested | None:
    lost = float(np.nanmean(seen.retransmitted)) if np.isfinite(seen.retransmitted).any() else 0.0
    if lost <= RETRANSMITTED:
        return None
    why = f"{lost:.1%} of segments are sent again: the path loses packets; look there first"
    figures = (Figure(what="segments sent again", value=lost),)
    return NotSuggested(workload=workload, kind=kind, why=why, figures=figures)


def _weighted(values: FloatArray, weights: FloatArray) -> float:
    known = np.isfinite(values) & np.isfinite(weights)
    total = float(weights[known].sum())
    return float((values[known] * weights[known]).sum()) / total if total > 0.0 else 0.0
