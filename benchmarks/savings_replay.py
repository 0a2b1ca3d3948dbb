"""The judge of right-sizing: what would have happened with the size that was chosen.

Two figures in tension. The *exceeded share* is the share of machine-hours in which demand was above
the capacity chosen; every machine-hour counts the same. The *slack saved* is the share of the slack,
provisioned minus used unit-hours, that the choice removes. A choice above what is provisioned
counts as keeping what is provisioned: right-sizing may find that more is needed, which is no saving
and no harm here, and demand beyond the present size could not be recorded. Hours that were not
recorded judge nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.savings_data import Replay
from tasks.domain.arrays import FloatArray

TOLERANCE = 1e-6
"""Of capacity, for rounding; recordings are single precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What came of one or several choices of capacity, per machine; (n, k) for k choices.

    Attributes:
        exceeded_hours: Hours with demand above capacity.
        unserved: Unit-hours of demand above capacity.
        removed: Unit-hours of provisioned capacity that the choice removes.
        hours: (n, 1) hours judged.
        slack: (n, 1) unit-hours provisioned and not used.
        used: (n, 1) unit-hours used.
    """

    exceeded_hours: FloatArray
    unserved: FloatArray
    removed: FloatArray
    hours: FloatArray
    slack: FloatArray
    used: FloatArray

    def exceeded_share(self, weights: FloatArray | None = None) -> FloatArray:
        """Return (k,) shares of machine-hours above capacity."""
        return self._share(self.exceeded_hours, self.hours, weights)

    def slack_saved(self, weights: FloatArray | None = None) -> FloatArray:
        """Return (k,) shares of slack removed, every unit-hour counting the same."""
        return self._share(self.removed, self.slack, weights)

    def unserved_share(self) -> FloatArray:
        """Return (k,) shares of demand above capacity."""
        return self._share(self.unserved, self.used, None)

    def slack_saved_per_machine(self) -> FloatArray:
        """Return (k,) mean over machines of their share of slack removed: large ones count no more."""
        return np.asarray((self.removed / np.maximum(self.slack, TOLERANCE)).mean(axis=0))

    def machines_exceeding(self, share: float) -> FloatArray:
        """Return (k,) shares of machines that were above capacity in more than a share of hours."""
        return np.asarray((self.exceeded_hours > share * self.hours).mean(axis=0))

    @staticmethod
    def _share(part: FloatArray, whole: FloatArray, weights: FloatArray | None) -> FloatArray:
        by = np.ones(len(part)) if weights is None else weights
        total = float(by @ whole[:, 0])
        return (by @ part) / total if total > 0.0 else np.full(part.shape[1], np.nan)


def ledger(replay: Replay, choices: Sequence[FloatArray]) -> Ledger:
    """Judge k choices of (n,) capacities by the hours behind the cut."""
    demand, provisioned = replay.judged, replay.provisioned
    known = ~np.isnan(demand)
    hours = known.sum(axis=1).astype(float)[:, None]
    used = np.nansum(demand, axis=1)[:, None]
    kept = np.minimum(np.stack(choices, axis=1), provisioned[:, None])
    over = [np.nan_to_num(demand - kept[:, [k]]) for k in range(kept.shape[1])]
    limit = TOLERANCE * provisioned[:, None]
    return Ledger(
        exceeded_hours=np.stack([(o > limit).sum(axis=1) for o in over], axis=1).astype(float),
        unserved=np.stack([np.maximum(o, 0.0).sum(axis=1) for o in over], axis=1),
        removed=(provisioned[:, None] - kept) * hours,
        hours=hours,
        slack=provisioned[:, None] * hours - used,
        used=used,
    )


def bought(replay: Replay, capacities: FloatArray) -> FloatArray:
    """Return (n,) the smallest size on sale that holds each capacity; what is provisioned at most."""
    sizes = np.asarray(replay.sizes)
    at = np.searchsorted(sizes * (1.0 + TOLERANCE), capacities)
    fits = np.where(at < len(sizes), sizes[np.minimum(at, len(sizes) - 1)], np.inf)
    return np.minimum(fits, replay.provisioned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Our trade-off curve against one rival's point.

    Attributes:
        slack_gain: Share of slack that we remove beyond the rival at its exceeded share.
        exceeded_ratio: Our exceeded share over the rival's where we remove as much slack.
    """

    slack_gain: float
    exceeded_ratio: float


def compare(
    ours: Ledger, rival: Ledger, *, at: int = 0, weights: FloatArray | None = None
) -> Comparison:
    """Compare our curve, from cautious to daring, with the rival's choice number `at`.

    Between two points of the curve we take the straight line, which both ends can reach by choosing
    one of them at random. Beyond its daring end the curve is not continued: its last point counts,
    which favours the rival. Short of its cautious end nothing is known: NaN.
    """
    exceeded, slack = ours.exceeded_share(weights), ours.slack_saved(weights)
    rival_exceeded = float(rival.exceeded_share(weights)[at])
    rival_slack = float(rival.slack_saved(weights)[at])
    order = np.lexsort((slack, exceeded))
    reached = np.interp(rival_exceeded, exceeded[order], slack[order], left=np.nan)
    order = np.lexsort((exceeded, slack))
    needed = np.interp(rival_slack, slack[order], exceeded[order], right=np.nan)
    ratio = float(needed) / rival_exceeded if rival_exceeded > 0.0 else np.nan
    return Comparison(slack_gain=float(reached) - rival_slack, exceeded_ratio=ratio)


def interval(
    ours: Ledger, rival: Ledger, *, draws: int, rng: np.random.Generator
) -> tuple[Comparison, Comparison]:
    """Return the 5 % and 95 % quantiles of the comparison over fleets redrawn with replacement."""
    n = len(ours.hours)
    found = []
    for _ in range(draws):
        weights = rng.multinomial(n, np.full(n, 1.0 / n)).astype(float)
        one = compare(ours, rival, weights=weights)
        found.append((one.slack_gain, one.exceeded_ratio))
    gains, ratios = np.array(found).T
    low, high = (
        Comparison(
            slack_gain=_known_quantile(gains, at), exceeded_ratio=_known_quantile(ratios, at)
        )
        for at in (0.05, 0.95)
    )
    return low, high


def _known_quantile(values: FloatArray, at: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.quantile(known, at)) if len(known) else np.nan


def beaten_share(ours: Ledger, rivals: Ledger) -> float:
    """Return the share of rival choices at whose exceeded share our curve removes more slack.

    Rivals that exceed fewer hours than the cautious end of our curve are not counted at all.
    """
    gains = [compare(ours, rivals, at=k).slack_gain for k in range(rivals.removed.shape[1])]
    known = [gain for gain in gains if not np.isnan(gain)]
    return float(np.mean([gain > 0.0 for gain in known])) if known else np.nan
