"""Workloads to raise alarms on, split before anything was chosen.

Constants are chosen on development parts only; figures are reported on the others:

- Seeded workloads: development seeds are 0 to 99, reported seeds 1000 and above.
- `vms_5min_2013-08`: development is even ids, reported is odd ids.
- `azure_vms_5min_cpu_{avg,max}`: development is every other column by name, reported the rest.
- `requests_worldcup98_per_minute` gives shapes of rushes: development before 18 June, reported
  from then on.

A seeded workload is driven by its requests: processor use, latency, memory and egress follow them.
It has a daily and weekly pattern, a slow trend, noise that lasts, blips of one step, a nightly
copy, deploys with a warm-up and a new level, signals that nobody measures, and gaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from tasks.domain.anomalies.alarms import Sample, Signal
from tasks.domain.arrays import BoolArray, FloatArray, IntArray

VMS = Path("load") / "vms_5min_2013-08.parquet"
AZURE = Path("load") / "azure_vms_5min_cpu_avg.parquet"
AZURE_MAX = Path("load") / "azure_vms_5min_cpu_max.parquet"
RUSHES = Path("load") / "requests_worldcup98_per_minute.parquet"

START = datetime(2026, 3, 2, tzinfo=UTC)
STEP = timedelta(minutes=5)
PER_HOUR = 12
PER_DAY = 288
WARM_UP_DAYS = 7
"""Not judged: every detector has a week to learn."""
DAYS = 28
RUSH_SPLIT = pd.Timestamp("1998-06-18")
MIN_RUSH_RATIO = 1.8
UNKNOWN_SHARE = 0.2
"""Of workloads that lack a signal, per signal that can be lacking."""
GAP_SHARE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which half of the data.

    Attributes:
        remainder: Of ids and of column positions divided by 2.
        first_seed: Of seeded workloads.
        late_rushes: Whether shapes of rushes are those from 25 June on.
    """

    remainder: int
    first_seed: int
    late_rushes: bool


DEVELOPMENT = Part(remainder=0, first_seed=0, late_rushes=False)
REPORTED = Part(remainder=1, first_seed=1000, late_rushes=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What was measured of one workload.

    Attributes:
        name: Unique, begins with its source.
        values: By signal (steps,); NaN where it was not measured.
        deployed: (steps,) whether another revision was rolled out.
    """

    name: str
    values: dict[Signal, FloatArray]
    deployed: BoolArray

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.deployed)

    def samples(self, first: int = 0, last: int | None = None) -> list[Sample]:
        """Return samples of the steps; what was not measured is left out."""
        last = len(self) if last is None else last
        columns = {one: value[first:last].tolist() for one, value in self.values.items()}
        return [
            Sample(
                at=START + STEP * (first + row),
                values={one: c[row] for one, c in columns.items() if c[row] == c[row]},
                deployed=bool(self.deployed[first + row]),
            )
            for row in range(last - first)
        ]


def lasting_noise(
    rng: np.random.Generator, steps: int, *, spread: float, memory: float
) -> FloatArray:
    """Return first-order autoregressive noise of a standard deviation."""
    shocks = rng.normal(0.0, spread * np.sqrt(1.0 - memory**2), steps)
    found: FloatArray = lfilter([1.0], [1.0, -memory], shocks)
    return found


def seeded_trace(seed: int, *, days: int = DAYS) -> Trace:
    """Return a workload with nothing wrong."""
    rng = np.random.default_rng([seed, 6])
    steps = days * PER_DAY
    deployed = np.zeros(steps, dtype=bool)
    deployed[rng.choice(steps, size=int(rng.integers(1, 5)), replace=False)] = True
    levels = _levels_after(deployed, rng)
    requests = _requests(rng, steps)
    relative = requests / requests.mean()
    since = _steps_since(deployed)
    cold = np.exp(-since / rng.uniform(2.0, 6.0))
    noise = lasting_noise(rng, steps, spread=rng.uniform(0.02, 0.08), memory=0.7)
    cpu = rng.uniform(0.1, 0.4) * relative * levels[0] * np.exp(noise) * (1.0 + 0.5 * cold) + 0.01
    busy = np.clip(cpu, 0.0, 0.95)
    slow = np.exp(rng.normal(0.0, rng.uniform(0.03, 0.12), steps))
    latency = rng.uniform(0.02, 0.5) * levels[1] * (1.0 + 0.5 * busy / (1.0 - busy)) * slow
    latency *= (1.0 + rng.uniform(0.3, 1.5) * cold) * _blips(rng, steps, share=0.002, size=1.5)
    base = 10 ** rng.uniform(-4.0, -2.0)
    share = np.clip(base * (1.0 + 3.0 * cold) * _blips(rng, steps, share=0.001, size=4.0), 0, 1)
    served = np.maximum(np.round(requests * 300.0), 1.0)
    values = {
        Signal.REQUESTS: requests,
        Signal.CPU: np.clip(cpu, 0.0, 1.0),
        Signal.LATENCY: latency,
        Signal.ERRORS: rng.binomial(served.astype(np.int64), share) / served,
        Signal.MEMORY: _memory(rng, relative, levels[2], since),
        Signal.RESTARTS: 12.0 * rng.poisson(0.0005 + 0.2 * (since < 1), steps),
        Signal.EGRESS: _egress(rng, requests),
        Signal.REFUSED: _refused(rng, steps),
    }
    return Trace(name=f"seeded-{seed}", values=_with_gaps(values, rng), deployed=deployed)


def _requests(rng: np.random.Generator, steps: int) -> FloatArray:
    at = np.arange(steps)
    day = 2.0 * np.pi * (at / PER_DAY - rng.uniform())
    swing = rng.uniform(0.0, 0.7)
    shape = 1.0 + swing * np.sin(day) + 0.3 * swing * np.sin(2.0 * day + rng.uniform(0.0, 6.0))
    weekend = np.where((at // PER_DAY) % 7 >= 5, rng.uniform(0.6, 1.0), 1.0)
    trend = np.exp(np.linspace(0.0, rng.uniform(-0.3, 0.3), steps))
    noise = np.exp(lasting_noise(rng, steps, spread=rng.uniform(0.03, 0.15), memory=0.9))
    level = 10 ** rng.uniform(0.5, 3.0)
    rate = np.maximum(level * np.maximum(shape, 0.05) * weekend * trend * noise, 0.01)
    found: FloatArray = rng.poisson(rate * 300.0) / 300.0
    return found


def _memory(
    rng: np.random.Generator, relative: FloatArray, level: FloatArray, since: FloatArray
) -> FloatArray:
    cache = rng.uniform(0.0, 0.15) * (1.0 - np.exp(-since / rng.uniform(6.0, 36.0)))
    drift = lasting_noise(rng, len(relative), spread=rng.uniform(0.003, 0.02), memory=0.98)
    noise = rng.normal(0.0, rng.uniform(0.001, 0.01), len(relative))
    base = rng.uniform(0.2, 0.5) * level + rng.uniform(0.0, 0.08) * relative
    found: FloatArray = np.clip(base + cache + drift + noise, 0.01, 1.0)
    return found


def _egress(rng: np.random.Generator, requests: FloatArray) -> FloatArray:
    noise = np.exp(rng.normal(0.0, rng.uniform(0.05, 0.2), len(requests)))
    sent = requests * 10 ** rng.uniform(3.0, 5.0) * noise
    if rng.uniform() < 0.5:
        at, long = int(rng.integers(PER_DAY)), int(rng.integers(4, 10))
        copying = ((np.arange(len(requests)) - at) % PER_DAY) < long
        sent = sent + copying * sent.mean() * rng.uniform(2.0, 6.0)
    found: FloatArray = sent
    return found


def _refused(rng: np.random.Generator, steps: int) -> FloatArray:
    rate = 10 ** rng.uniform(-3.0, -1.0) * _blips(rng, steps, share=0.003, size=5.0)
    found: FloatArray = rng.poisson(rate * 300.0) / 300.0
    return found


def _blips(rng: np.random.Generator, steps: int, *, share: float, size: float) -> FloatArray:
    return 1.0 + (rng.uniform(size=steps) < share) * rng.exponential(size, steps)


def _levels_after(deployed: BoolArray, rng: np.random.Generator) -> FloatArray:
    """Return (3, steps) factors: each revision has its own cost, latency and memory."""
    revision = np.cumsum(deployed)
    factors = np.exp(rng.normal(0.0, 0.08, (3, int(revision[-1]) + 1)))
    found: FloatArray = factors[:, revision]
    return found


def _steps_since(deployed: BoolArray) -> FloatArray:
    at: IntArray = np.arange(len(deployed))
    last = np.maximum.accumulate(np.where(deployed, at, -10_000))
    found: FloatArray = (at - last).astype(np.float64)
    return found


def _with_gaps(
    values: dict[Signal, FloatArray], rng: np.random.Generator
) -> dict[Signal, FloatArray]:
    steps = len(values[Signal.REQUESTS])
    gone = rng.uniform(size=steps) < GAP_SHARE
    outage = int(rng.integers(steps))
    gone[outage : outage + int(rng.integers(PER_HOUR, 6 * PER_HOUR))] = True
    lacking = (Signal.RESTARTS, Signal.EGRESS, Signal.REFUSED, Signal.MEMORY, Signal.LATENCY)
    kept = {s: v for s, v in values.items() if s not in lacking or rng.uniform() > UNKNOWN_SHARE}
    return {signal: np.where(gone, np.nan, value) for signal, value in kept.items()}


def vm_traces(data: Path, *, part: Part, count: int, days: int = DAYS) -> list[Trace]:
    """Return recorded machines of which processor, memory and sent bytes are known."""
    frame = pd.read_parquet(data / VMS)
    frame = frame[frame["resource_id"] % 2 == part.remainder]
    grid = pd.date_range("2013-08-01", periods=days * PER_DAY, freq="5min", tz="UTC")
    found = []
    frame = frame[(frame["cores"] > 0) & (frame["memory_capacity_kb"] > 0)]
    for name, rows in frame.groupby("resource_id"):
        means = rows.set_index("timestamp").resample("5min").mean().reindex(grid)
        memory = means["memory_used_kb"] / means["memory_capacity_kb"]
        columns = {
            Signal.CPU: (means["cpu_percent"] / 100.0).clip(0.0, 1.0),
            Signal.MEMORY: memory.clip(0.0, 1.0),
            Signal.EGRESS: means["network_out_kb_per_s"] * 1e3,
        }
        values = {one: column.to_numpy(dtype=np.float64) for one, column in columns.items()}
        if np.isfinite(values[Signal.CPU]).mean() > 0.9:
            still = np.zeros(len(grid), dtype=bool)
            found.append(Trace(name=f"vm-{name}", values=values, deployed=still))
    return found[:count]


def azure_traces(data: Path, *, part: Part, count: int, days: int = DAYS) -> list[Trace]:
    """Return workloads whose requests and processor use move as recorded processor use does.

    Latency follows the recorded 5-minute peak; errors are drawn, for nobody recorded them.
    """
    mean, peak = pd.read_parquet(data / AZURE), pd.read_parquet(data / AZURE_MAX)
    names = sorted(mean.columns)[part.remainder :: 2]
    steps = days * PER_DAY
    found = []
    for at, name in enumerate(names[:count]):
        rng = np.random.default_rng([part.first_seed, at, 7])
        cpu = mean[name].to_numpy(dtype=np.float64)[:steps] / 100.0
        busiest = np.clip(peak[name].to_numpy(dtype=np.float64)[:steps] / 100.0, 0.0, 0.97)
        noise = np.exp(rng.normal(0.0, 0.1, len(cpu)))
        requests = 10 ** rng.uniform(1.0, 3.0) * cpu / np.nanmean(cpu) * noise + 0.1
        served = np.maximum(np.nan_to_num(requests) * 300.0, 1.0).astype(np.int64)
        slow = np.exp(rng.normal(0.0, 0.08, len(cpu)))
        values = {
            Signal.REQUESTS: requests,
            Signal.CPU: cpu,
            Signal.LATENCY: 0.1 * (1.0 + 0.3 * busiest / (1.0 - busiest)) * slow,
            Signal.ERRORS: rng.binomial(served, 10 ** rng.uniform(-4.0, -2.0)) / served,
        }
        still = np.zeros(len(cpu), dtype=bool)
        found.append(Trace(name=f"azure-{name}", values=values, deployed=still))
    return found


def recorded_rushes(data: Path, *, part: Part) -> list[FloatArray]:
    """Return shapes of real rushes: requests over those usual at the time, per 5 minutes, above 1.

    Usual is the median of the same time on the days within a week. A rush begins and ends where
    there is less than a third of its height left.
    """
    frame = pd.read_parquet(data / RUSHES)
    frame["period"] = pd.to_datetime(frame["period"])
    ours = (frame["period"] >= RUSH_SPLIT) == part.late_rushes
    counts = frame[ours].set_index("period")["count"].resample("5min").mean()
    stamps = pd.DatetimeIndex(counts.index)
    table = counts.groupby([stamps.time, stamps.normalize()]).mean().unstack()
    usual = table.T.rolling(13, center=True, min_periods=5).median().T
    ratio = (table / usual).unstack().sort_index(level=[0, 1]).to_numpy()
    ratio = np.nan_to_num(ratio, nan=1.0)
    found = []
    at = 0
    while at < len(ratio):
        if ratio[at] < MIN_RUSH_RATIO:
            at += 1
            continue
        first, last = _bounds(ratio, at)
        shape = ratio[first:last]
        if PER_HOUR // 2 <= len(shape) <= 4 * PER_HOUR:
            found.append(shape)
        at = last + PER_HOUR
    return found


def _bounds(ratio: FloatArray, at: int) -> tuple[int, int]:
    least = 1.0 + (MIN_RUSH_RATIO - 1.0) / 3.0
    first, last = at, at
    while first > 0 and ratio[first - 1] > least:
        first -= 1
    while last < len(ratio) and ratio[last] > least:
        last += 1
    return first, last
