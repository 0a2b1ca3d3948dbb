"""A seeded bill, with anomalies whose truth is known.

The process is made up from how cloud bills behave in general; it is not fitted to any account.

1. A service costs a level times a weekday pattern times growth, a slow random walk of the log level
   and noise, all proportional to the level.
2. Fleets change: now and then the level moves by up to 12 %, and rarely falls by a third. That is
   ordinary business and not an anomaly.
3. Fees are billed on the first of the month, other lumps on a day of their own each month.
4. Batch services are billed now and then only; rows of other services go missing now and then.
5. Injected on top: spikes of 1 to 3 days, steps of a quarter and more that last, and leaks that
   grow by a share of the level each day until somebody fixes them.
6. Yesterday and today are reported incomplete and as estimated; the day before in one of five cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from tasks.domain.arrays import BoolArray, FloatArray
from tasks.domain.savings.spend.panel import AnomalyKind

MONTH_DAYS = 30.4
LARGEST_FLEET_CHANGE = 0.12
SPACING_DAYS = 45
"""Between anomalies of one service, so that each has a pattern before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How one service is billed.

    Attributes:
        usd_per_day: Largest level it may start at; the smallest is a fifth of it.
        weekend: Spend of a weekend day over that of a working day, range.
        billed_share: Of days with any spend; 1 for every day.
        lump_usd: Once a month.
        lump_day: Of the month; 0 draws one.
    """

    group: str
    usd_per_day: float = 0.0
    weekend: tuple[float, float] = (0.9, 1.0)
    billed_share: float = 1.0
    lump_usd: float = 0.0
    lump_day: int = 1


SERVICES = (
    Service(group="Amazon EC2", usd_per_day=900.0, weekend=(0.6, 1.0)),
    Service(group="Amazon EKS", usd_per_day=120.0),
    Service(group="Amazon RDS", usd_per_day=400.0),
    Service(group="Amazon S3", usd_per_day=150.0),
    Service(group="Amazon CloudFront", usd_per_day=250.0, weekend=(0.7, 1.3)),
    Service(group="AWS Lambda", usd_per_day=60.0, weekend=(0.3, 0.9)),
    Service(group="Amazon OpenSearch", usd_per_day=200.0, lump_usd=800.0, lump_day=0),
    Service(group="EC2 other", usd_per_day=180.0, weekend=(0.7, 1.0)),
    Service(group="Amazon SageMaker", usd_per_day=300.0, billed_share=0.35),
    Service(group="AWS Support", lump_usd=2500.0),
    Service(group="Tax", lump_usd=4000.0),
    Service(group="AWS Marketplace", lump_usd=1500.0, lump_day=0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendProcess:
    """Parameters of the simulated bill; ranges are drawn from uniformly, for each service."""

    services: tuple[Service, ...] = SERVICES
    growth_per_month: tuple[float, float] = (-0.01, 0.06)
    noise: tuple[float, float] = (0.01, 0.07)
    """Standard deviation of a day's spend, as a share of the level."""
    walk_per_day: float = 0.004
    """Standard deviation of a day's step of the log level."""
    fleet_changes_per_month: float = 0.15
    lump_noise: float = 0.03
    missing_share: float = 0.004
    anomalies_per_month: float = 0.1
    """Of each service that is billed daily."""
    spike: tuple[float, float] = (0.5, 2.0)
    step: tuple[float, float] = (0.25, 0.8)
    leak_per_day: tuple[float, float] = (0.01, 0.03)
    quiet_days: int = 60
    """Without injected anomalies, at the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedAnomaly:
    """The truth about one anomaly.

    Attributes:
        last_day: Included.
        excess_usd: Over the whole episode.
    """

    group: str
    kind: AnomalyKind
    first_day: date
    last_day: date
    excess_usd: float


@dataclass(frozen=True, kw_only=True)
class SimulatedSpend:
    """A bill as it finally was, and how it looked on the way.

    Attributes:
        usd: (groups, days), complete.
        reported: (groups, days), where a row is ever reported.
    """

    groups: tuple[str, ...]
    first_day: date
    usd: FloatArray
    reported: BoolArray
    anomalies: tuple[InjectedAnomaly, ...]
    seed: int

    def seen_on(self, today: date) -> pd.DataFrame:
        """Return SPEND_COLUMNS as Cost Explorer shows them on a day: the last days incomplete."""
        last = min((today - self.first_day).days, self.usd.shape[1] - 1)
        share = np.ones(last + 1)
        rng = np.random.default_rng([self.seed, today.toordinal()])
        yesterday, now, before = rng.uniform(0.6, 1.0), rng.uniform(0.1, 0.6), rng.uniform(0.9, 1.0)
        lag = (today - self.first_day).days - np.arange(last + 1)
        late = rng.random() < 0.2
        share[lag == 0], share[lag == 1] = now, yesterday
        share[(lag == 2) & late] = before
        estimated = (lag <= 1) | ((lag == 2) & late)
        return self._frame(share, estimated)

    def _frame(self, share: FloatArray, estimated: BoolArray) -> pd.DataFrame:
        days = len(share)
        row, column = np.nonzero(self.reported[:, :days])
        calendar = pd.date_range(self.first_day, periods=days, freq="D")
        return pd.DataFrame(
            {
                "day": calendar[column],
                "group": np.array(self.groups, dtype=object)[row],
                "usd": self.usd[row, column] * share[column],
                "is_estimated": estimated[column],
            }
        )


def simulate_spend(
    *,
    first_day: date,
    days: int,
    seed: int,
    process: SpendProcess | None = None,
    usage: Mapping[str, FloatArray] | None = None,
) -> SimulatedSpend:
    """Return a bill of some days.

    Args:
        first_day: Of the bill.
        days: At least 1.
        seed: Equal arguments and seed give equal bills.
        process: None for the documented default.
        usage: Recorded shape by group, (days,), mean near 1, that takes the place of pattern, growth,
            walk, fleet changes and noise.
    """
    process = process or SpendProcess()
    rng = np.random.default_rng(seed)
    calendar = pd.date_range(first_day, periods=days, freq="D")
    usd, reported = np.zeros((len(process.services), days)), np.ones((len(process.services), days))
    truth: list[InjectedAnomaly] = []
    for row, service in enumerate(process.services):
        recorded = (usage or {}).get(service.group)
        level = _level(service, calendar, process, recorded, rng)
        excess = _anomalies(service, level, calendar, process, rng, truth)
        billed = rng.random(days) < service.billed_share
        usd[row] = (level + excess) * billed + _lumps(service, calendar, process, rng)
        kept = rng.random(days) >= process.missing_share
        reported[row] = (usd[row] > 0) & (kept | (service.billed_share < 1))
    return SimulatedSpend(
        groups=tuple(service.group for service in process.services),
        first_day=first_day,
        usd=usd,
        reported=reported.astype(np.bool_),
        anomalies=tuple(truth),
        seed=seed,
    )


def _level(
    service: Service,
    calendar: pd.DatetimeIndex,
    process: SpendProcess,
    recorded: FloatArray | None,
    rng: np.random.Generator,
) -> FloatArray:
    days = len(calendar)
    start = service.usd_per_day * rng.uniform(0.2, 1.0)
    weekend = np.where(calendar.day_of_week >= 5, rng.uniform(*service.weekend), 1.0)
    growth = np.log1p(rng.uniform(*process.growth_per_month)) / MONTH_DAYS * np.arange(days)
    walk = np.cumsum(rng.normal(0.0, process.walk_per_day, days))
    noise = rng.normal(0.0, rng.uniform(*process.noise), days)
    path = np.exp(growth + walk + _fleet_changes(days, process, rng)) * weekend
    if recorded is not None:
        return np.asarray(start * recorded, dtype=np.float64)
    return np.asarray(start * path * np.maximum(1.0 + noise, 0.1), dtype=np.float64)


def _fleet_changes(days: int, process: SpendProcess, rng: np.random.Generator) -> FloatArray:
    """Return the log of the level that changes of the fleet lead to."""
    happens = rng.random(days) < process.fleet_changes_per_month / MONTH_DAYS
    usual = rng.uniform(-LARGEST_FLEET_CHANGE, LARGEST_FLEET_CHANGE, days)
    size = np.where(rng.random(days) < 0.1, -0.33, usual)
    return np.asarray(np.cumsum(np.where(happens, np.log1p(size), 0.0)), dtype=np.float64)


def _lumps(
    service: Service, calendar: pd.DatetimeIndex, process: SpendProcess, rng: np.random.Generator
) -> FloatArray:
    day = service.lump_day or int(rng.integers(2, 29))
    size = service.lump_usd * rng.uniform(0.3, 1.0)
    noise = 1.0 + rng.normal(0.0, process.lump_noise, len(calendar))
    return np.asarray(np.where(calendar.day == day, size * noise, 0.0), dtype=np.float64)


def _anomalies(
    service: Service,
    level: FloatArray,
    calendar: pd.DatetimeIndex,
    process: SpendProcess,
    rng: np.random.Generator,
    truth: list[InjectedAnomaly],
) -> FloatArray:
    """Return the excess of each day, and add what was injected to the truth."""
    excess = np.zeros(len(level))
    at = process.quiet_days
    while service.billed_share == 1.0 and service.usd_per_day and process.anomalies_per_month:
        at += int(rng.exponential(MONTH_DAYS / process.anomalies_per_month))
        if at >= len(level) - 3:
            break
        kind = AnomalyKind(rng.choice(list(AnomalyKind)))
        shape = _shape(kind, process, rng)[: len(level) - at]
        excess[at : at + len(shape)] = shape * level[at : at + len(shape)]
        truth.append(
            InjectedAnomaly(
                group=service.group,
                kind=kind,
                first_day=calendar[at].date(),
                last_day=calendar[at].date() + timedelta(days=len(shape) - 1),
                excess_usd=float(excess[at : at + len(shape)].sum()),
            )
        )
        at += len(shape) + SPACING_DAYS
    return excess


def _shape(kind: AnomalyKind, process: SpendProcess, rng: np.random.Generator) -> FloatArray:
    """Return the excess of each day as a share of the level."""
    if kind is AnomalyKind.SPIKE:
        return rng.uniform(*process.spike) * np.ones(int(rng.integers(1, 4)))
    if kind is AnomalyKind.STEP:
        return rng.uniform(*process.step) * np.ones(int(rng.integers(20, 61)))
    return rng.uniform(*process.leak_per_day) * np.arange(1.0, rng.integers(14, 31) + 1.0)
