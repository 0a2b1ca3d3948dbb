"""How likely a running spot instance is to be interrupted, and what that belief rests on.

The rate of interruptions of a pool is unknown, so it is a gamma distribution. It starts as a prior
and is updated by what was observed (Gamma-Poisson conjugacy; Gelman et al., 2013, section 2.6).

The prior is stated, not fitted: nobody publishes interruptions per pool. Its mean is the middle of
the monthly band that AWS's Spot Instance Advisor gives for the type where the caller knows it, else of
all bands; its shape says how little that is. Signals of strain multiply the mean: a spot price near the
on-demand price, a price that moves, a low placement score. Their sizes are judgement, chosen so
that all at their worst lift a middling pool into the advisor's highest band. The interval is wide
on purpose, and whatever is shown must say `evidence.kind`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import exp, log, log1p

from scipy.special import gammaincinv

from tasks.domain.errors import PermanentError
from tasks.domain.spot.pools import Pool

HOURS_PER_MONTH = 730.0
KNOWN_BAND_SHAPE = 3.0
"""80 % of the prior lies within a factor of about 5: bands are per type and region, not per zone."""
UNKNOWN_BAND_SHAPE = 1.2
"""80 % lies within a factor of about 20."""
PRICE_EFFECT = 1.2
"""Log factor from half the on-demand price up to all of it."""
VOLATILITY_EFFECT = 0.6
"""Log factor from a still price to a mean daily change of 5 % and more."""
VOLATILITY_CEILING = 0.05
PLACEMENT_EFFECT = 0.8
"""Log factor from placement score 10 down to 1; half of it when there is no score."""
BURST_SIZE = 3.0
"""Interruptions of a pool come nearly together: so many count as one independent event."""


class EvidenceKind(StrEnum):
    """What a risk rests on."""

    PRIOR = "prior"
    """A stated belief, which outweighs what was observed of this pool, if anything was."""
    FITTED = "fitted"
    """Observed interruptions of this pool, or the time without any, outweigh the stated belief."""


class AdvisorBand(StrEnum):
    """Share of instances interrupted in a month, as the Spot Instance Advisor publishes it."""

    BELOW_5 = "<5%"
    FROM_5 = "5-10%"
    FROM_10 = "10-15%"
    FROM_15 = "15-20%"
    ABOVE_20 = ">20%"


MONTHLY_SHARE = {
    AdvisorBand.BELOW_5: 0.025,
    AdvisorBand.FROM_5: 0.075,
    AdvisorBand.FROM_10: 0.125,
    AdvisorBand.FROM_15: 0.175,
    AdvisorBand.ABOVE_20: 0.30,
}
UNKNOWN_MONTHLY_SHARE = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSignals:
    """What is known of a pool; None is unknown.

    Attributes:
        price_to_on_demand: Spot price over the on-demand price, at least 0.
        daily_volatility: Mean absolute change of the price over a day, relative, at least 0.
        placement_score: 1 (unlikely to be served) to 10.
        advisor_band: Of the type in the region.
        interruptions: Observed interruptions of instances in the pool, at least 0.
        instance_hours: Observed running time, at least 0; 0 is nothing observed.
    """

    price_to_on_demand: float | None = None
    daily_volatility: float | None = None
    placement_score: int | None = None
    advisor_band: AdvisorBand | None = None
    interruptions: int = 0
    instance_hours: float = 0.0

    def __post_init__(self) -> None:
        _check("price_to_on_demand", self.price_to_on_demand, low=0.0)
        _check("daily_volatility", self.daily_volatility, low=0.0)
        _check("placement_score", self.placement_score, low=1.0, high=10.0)
        _check("interruptions", self.interruptions, low=0.0)
        _check("instance_hours", self.instance_hours, low=0.0)
        if self.interruptions > 0 and self.instance_hours == 0.0:
            msg = f"{self.interruptions} interruptions in 0 instance hours; give the hours observed"
            raise PermanentError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskEvidence:
    """Why the risk is what it is.

    Attributes:
        kind: Prior or fitted.
        text: One line for people.
        inputs: Names and values that went in, only those that were known.
    """

    kind: EvidenceKind
    text: str
    inputs: tuple[tuple[str, float | str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptionRisk:
    """A gamma belief about the interruption rate of one instance.

    Attributes:
        shape: Of the gamma, above 0; it counts independent events.
        hours: Of exposure behind it (the gamma's rate), above 0.
        evidence: What it rests on.
    """

    shape: float
    hours: float
    evidence: RiskEvidence

    @property
    def rate_per_hour(self) -> float:
        """Mean rate of interruptions, per instance and hour."""
        return self.shape / self.hours

    @property
    def low_per_hour(self) -> float:
        """The rate's 10 % quantile."""
        return float(gammaincinv(self.shape, 0.1)) / self.hours

    @property
    def high_per_hour(self) -> float:
        """The rate's 90 % quantile."""
        return float(gammaincinv(self.shape, 0.9)) / self.hours

    def probability(self, horizon: timedelta) -> float:
        """Return P(at least one interruption within the horizon), averaged over the belief."""
        hours = _hours(horizon)
        return 1.0 - exp(-self.shape * log1p(hours / self.hours))

    def interval(self, horizon: timedelta) -> tuple[float, float]:
        """Return that probability at the rate's 10 % and 90 % quantiles."""
        hours = _hours(horizon)
        return 1.0 - exp(-self.low_per_hour * hours), 1.0 - exp(-self.high_per_hour * hours)


def interruption_prior(signals: PoolSignals) -> InterruptionRisk:
    """Return the stated prior: never below a calmer pool's, whatever else is equal.

    Observed interruptions are ignored here; `interruption_risk` adds them.
    """
    band = signals.advisor_band
    share = UNKNOWN_MONTHLY_SHARE if band is None else MONTHLY_SHARE[band]
    shape = UNKNOWN_BAND_SHAPE if band is None else KNOWN_BAND_SHAPE
    rate = -log(1.0 - share) / HOURS_PER_MONTH * exp(_strain(signals))
    inputs = _inputs(signals)
    known = ", ".join(f"{name} {value}" for name, value in inputs) or "nothing about the pool"
    text = f"prior, not fitted: {share:.1%} a month, adjusted for {known}"
    evidence = RiskEvidence(kind=EvidenceKind.PRIOR, text=text, inputs=inputs)
    return InterruptionRisk(shape=shape, hours=shape / rate, evidence=evidence)


def interruption_risk(signals: PoolSignals) -> InterruptionRisk:
    """Return the prior, updated by the observed interruptions where there is anything observed."""
    prior = interruption_prior(signals)
    if signals.instance_hours == 0.0:
        return prior
    observed = (
        ("interruptions", float(signals.interruptions)),
        ("instance_hours", signals.instance_hours),
    )
    text = (
        f"{signals.interruptions} interruptions in {signals.instance_hours:.0f} instance hours, "
        f"on a prior worth {prior.hours * BURST_SIZE:.0f} h"
    )
    # Bursts: n interruptions in t hours say as much as n/3 independent ones in t/3 hours.
    return InterruptionRisk(
        shape=prior.shape + signals.interruptions / BURST_SIZE,
        hours=prior.hours + signals.instance_hours / BURST_SIZE,
        evidence=RiskEvidence(
            kind=_kind(signals, prior), text=text, inputs=prior.evidence.inputs + observed
        ),
    )


def _kind(signals: PoolSignals, prior: InterruptionRisk) -> EvidenceKind:
    """Return fitted where what was observed outweighs the prior, by events or by time."""
    events = signals.interruptions / BURST_SIZE
    outweighs = events >= prior.shape or signals.instance_hours / BURST_SIZE >= prior.hours
    return EvidenceKind.FITTED if outweighs else EvidenceKind.PRIOR


def interruption_outlook(
    pools: Sequence[Pool], signals: Mapping[Pool, PoolSignals]
) -> dict[Pool, InterruptionRisk]:
    """Return the risk of each pool; a pool without signals gets the bare prior."""
    nothing = PoolSignals()
    return {pool: interruption_risk(signals.get(pool, nothing)) for pool in pools}


def _strain(signals: PoolSignals) -> float:
    """Return the log factor on the prior's mean; an unknown signal counts as a middling one."""
    strain = 0.0
    if signals.price_to_on_demand is not None:
        strain += PRICE_EFFECT * min(max(2.0 * signals.price_to_on_demand - 1.0, 0.0), 1.0)
    if signals.daily_volatility is not None:
        strain += VOLATILITY_EFFECT * min(signals.daily_volatility / VOLATILITY_CEILING, 1.0)
    if signals.placement_score is not None:
        strain += PLACEMENT_EFFECT * ((10 - signals.placement_score) / 9.0 - 0.5)
    return strain


def _inputs(signals: PoolSignals) -> tuple[tuple[str, float | str], ...]:
    found: list[tuple[str, float | str]] = []
    if signals.advisor_band is not None:
        found.append(("advisor_band", str(signals.advisor_band)))
    for name in ("price_to_on_demand", "daily_volatility", "placement_score"):
        value = getattr(signals, name)
        if value is not None:
            found.append((name, round(float(value), 4)))
    return tuple(found)


def _hours(horizon: timedelta) -> float:
    hours = horizon / timedelta(hours=1)
    _check("horizon in hours", hours, low=0.0)
    return hours


def _check(name: str, value: float | None, *, low: float, high: float | None = None) -> None:
    if value is None:
        return
    # Written so that NaN, which compares false, is refused as well.
    if not value >= low or (high is not None and not value <= high):
        allowed = f"at least {low:g}" if high is None else f"{low:g} to {high:g}"
        msg = f"{name} is {value}, allowed is {allowed}; leave it out when it is unknown"
        raise PermanentError(msg)
