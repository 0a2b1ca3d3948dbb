"""Interruption risk: stated priors, updates by observation, and honest labels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import exp, log

import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.spot.interruption import (
    AdvisorBand,
    EvidenceKind,
    InterruptionRisk,
    PoolSignals,
    RiskEvidence,
    interruption_outlook,
    interruption_prior,
    interruption_risk,
)
from tasks.domain.spot.pools import Pool

MONTH = timedelta(hours=730)


def risk(*, shape: float, hours: float) -> InterruptionRisk:
    evidence = RiskEvidence(kind=EvidenceKind.PRIOR, text="", inputs=())
    return InterruptionRisk(shape=shape, hours=hours, evidence=evidence)


def test_probability_averages_over_the_unknown_rate() -> None:
    # shape 1, 3 h of exposure: 1 - 3 / (3 + 1)
    assert risk(shape=1, hours=3).probability(timedelta(hours=1)) == pytest.approx(0.25)


def test_the_interval_of_an_exponential_belief() -> None:
    found = risk(shape=1, hours=10)
    assert found.rate_per_hour == pytest.approx(0.1)
    assert found.low_per_hour == pytest.approx(-log(0.9) / 10)
    assert found.high_per_hour == pytest.approx(-log(0.1) / 10)
    low, high = found.interval(timedelta(hours=10))
    assert (low, high) == pytest.approx((0.1, 0.9))


def test_no_time_carries_no_risk() -> None:
    assert risk(shape=2, hours=5).probability(timedelta(0)) == 0.0


def test_an_unknown_pool_gets_the_bare_prior_and_says_so() -> None:
    found = interruption_prior(PoolSignals())
    assert found.rate_per_hour == pytest.approx(-log(0.9) / 730)
    assert found.evidence.kind is EvidenceKind.PRIOR
    assert (
        found.evidence.text
        == "prior, not fitted: 10.0% a month, adjusted for nothing about the pool"
    )
    assert found.evidence.inputs == ()
    assert found.high_per_hour > 10 * found.low_per_hour


@pytest.mark.parametrize(
    ("band", "low", "high"),
    [
        (AdvisorBand.BELOW_5, 0.0, 0.05),
        (AdvisorBand.FROM_5, 0.05, 0.10),
        (AdvisorBand.FROM_10, 0.10, 0.15),
        (AdvisorBand.FROM_15, 0.15, 0.20),
        (AdvisorBand.ABOVE_20, 0.20, 1.0),
    ],
)
def test_the_priors_monthly_rate_lies_in_the_advisors_band(
    band: AdvisorBand, low: float, high: float
) -> None:
    rate = interruption_prior(PoolSignals(advisor_band=band)).rate_per_hour
    assert low < 1 - exp(-rate * 730) < high


def test_all_strain_lifts_a_middling_pool_into_the_highest_band() -> None:
    strained = PoolSignals(price_to_on_demand=1.0, daily_volatility=0.05, placement_score=1)
    assert interruption_prior(strained).probability(MONTH) > 0.2


def test_a_price_below_half_of_on_demand_says_nothing() -> None:
    cheap, half = (interruption_prior(PoolSignals(price_to_on_demand=r)) for r in (0.1, 0.5))
    assert (
        cheap.rate_per_hour == half.rate_per_hour == interruption_prior(PoolSignals()).rate_per_hour
    )


def test_observation_updates_the_prior() -> None:
    prior = interruption_prior(PoolSignals())
    found = interruption_risk(PoolSignals(interruptions=6, instance_hours=300))
    assert found.shape == pytest.approx(prior.shape + 2)
    assert found.hours == pytest.approx(prior.hours + 100)
    assert found.evidence.kind is EvidenceKind.FITTED
    assert ("interruptions", 6.0) in found.evidence.inputs


def test_time_without_interruptions_is_evidence_too() -> None:
    found = interruption_risk(PoolSignals(instance_hours=5000))
    assert found.rate_per_hour < interruption_prior(PoolSignals()).rate_per_hour


@pytest.mark.parametrize(
    ("interruptions", "instance_hours", "kind"),
    [
        (0, 1.0, EvidenceKind.PRIOR),
        (1, 600.0, EvidenceKind.PRIOR),
        (6, 600.0, EvidenceKind.FITTED),
        (0, 60_000.0, EvidenceKind.FITTED),
    ],
)
def test_a_risk_is_called_fitted_only_where_observations_outweigh_the_prior(
    interruptions: int, instance_hours: float, kind: EvidenceKind
) -> None:
    signals = PoolSignals(interruptions=interruptions, instance_hours=instance_hours)

    assert interruption_risk(signals).evidence.kind is kind


def test_much_observation_outweighs_the_prior() -> None:
    found = interruption_risk(PoolSignals(interruptions=10_000, instance_hours=1_000_000))
    assert found.rate_per_hour == pytest.approx(0.01, rel=0.05)


def test_the_outlook_covers_pools_without_signals() -> None:
    known, unknown = (Pool(availability_zone=z, instance_type="m5.large") for z in ("a", "b"))
    found = interruption_outlook((known, unknown), {known: PoolSignals(instance_hours=10)})
    assert list(found) == [known, unknown]
    assert found[unknown] == interruption_prior(PoolSignals())
    assert interruption_outlook((), {}) == {}


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        (lambda: PoolSignals(placement_score=11), "placement_score is 11, allowed is 1 to 10"),
        (lambda: PoolSignals(price_to_on_demand=float("nan")), "price_to_on_demand is nan"),
        (lambda: PoolSignals(daily_volatility=-0.1), "allowed is at least 0"),
        (lambda: PoolSignals(interruptions=2), "give the hours observed"),
    ],
)
def test_impossible_signals_are_refused(signals: Callable[[], PoolSignals], message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        signals()
