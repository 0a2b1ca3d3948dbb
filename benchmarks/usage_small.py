"""Archetypes of small accounts: 30 to 120 resources, and the fleet that the embedded account ships.

Run with `python -m benchmarks.usage_small [--data DIR] [--quick] [--json]`; `benchmarks.usage`
includes it. Most accounts are this small, and a cluster of three is no crowd to learn a name from.

- Seeded fleets, and archetypes laid over as many recorded machines, drawn anew for each seed.
- Stability: recorded machines, that many drawn for each seed, each set resampled.
- The shipped fleet, its generated half: instances whose archetype is known and of which enough
  hours are. Left out are members of groups that scale: the archetype is that of their group's
  load, and scaling is there to keep it from the instances.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.harness import Metrics, Options, notice, parse_options, publish, show_table
from benchmarks.usage_data import (
    AZURE,
    HOURS,
    REPORTED,
    SMALL_REPORTED_SEEDS,
    VMS,
    Part,
    recorded_azure,
    recorded_vms,
    seeded_fleet,
)
from benchmarks.usage_scoring import bootstrap_stability, means, name_scores
from deployments.embedded.aws.fleet.description import Fleet as Account
from deployments.embedded.aws.fleet.grid import Grid
from deployments.embedded.aws.fleet.shipped import shipped_fleet
from tasks.domain.arrays import IntArray
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.clock import utc_offset_hours
from tasks.domain.usage.clustering import (
    MIN_KNOWN_HOURS,
    archetype_votes,
    majority,
    usage_archetypes,
)
from tasks.domain.usage.features import Feature, UsageFeatures, usage_features
from tasks.domain.usage.fleet import Fleet
from tasks.domain.usage.injection import injected_fleet
from tasks.domain.usage.names import ORDER
from tasks.domain.usage.panel import Float32Array, Metric, UsagePanel

SEED = 20
SIZES = (30, 60, 120)
QUICK_SEEDS = 4
DRAWS = 8
SHIPPED_START = datetime(2026, 10, 27, tzinfo=UTC)
SHIPPED_HOURS = HOURS + 14
"""Four weeks and a day's first half, as the account starts with."""
SHIPPED_SEEDS = (20, 21, 22, 23)
"""The seed that it ships with, and others of the same cast."""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table, and with --json one line of figures."""
    options = parse_options("usage_small", argv)
    publish(options, small_metrics(options))


def small_metrics(options: Options) -> Metrics:
    """Score names and stability of small fleets."""
    seeds = SMALL_REPORTED_SEEDS[: QUICK_SEEDS if options.quick else None]
    metrics = _scores("small_fleet", [f for s in seeds for f in small_fleets(s)])
    metrics |= _recorded(options.data, part=REPORTED, seeds=seeds)
    metrics |= shipped_metrics(SHIPPED_SEEDS[: 1 if options.quick else None])
    show_table("Small accounts", ["", "value"], list(metrics.items()))
    return metrics


def small_fleets(seed: int) -> list[Fleet]:
    """Return one seeded fleet of each size."""
    return [seeded_fleet(1_000 * seed + size, count=size) for size in SIZES]


def small_injections(recorded: UsagePanel, seed: int) -> list[Fleet]:
    """Return known archetypes over as many recorded machines as each size says."""
    return [injected_fleet(few, seed=1_000 * seed + len(few)) for few in _drawn(recorded, seed)]


def _drawn(recorded: UsagePanel, seed: int) -> list[UsagePanel]:
    rng = np.random.default_rng([seed, 5])
    known = (~np.isnan(recorded.of(Metric.CPU_MEAN)[:, -HOURS:])).sum(axis=1)
    rows = np.flatnonzero(known >= HOURS // 2)
    return [recorded.take(rng.permutation(rows)[:size].tolist()) for size in SIZES]


def _recorded(data: Path | None, *, part: Part, seeds: Sequence[int]) -> Metrics:
    if data is None or not ((data / VMS).exists() and (data / AZURE).exists()):
        notice(f"no {VMS.name} and {AZURE.name}: small_injected_* and small_stability are unknown")
        return {"small_injected_ari": None, "small_stability": None}
    machines = recorded_vms(data, part=part)
    sources = (machines, recorded_azure(data, part=part))
    fleets = [fleet for one in sources for seed in seeds for fleet in small_injections(one, seed)]
    # A few sets tell as much as all: each is resampled and fitted several times.
    drawn = [usage_features(few) for seed in seeds[:QUICK_SEEDS] for few in _drawn(machines, seed)]
    stable = [stability(features) or 0.0 for features in drawn]
    return _scores("small_injected", fleets) | {
        "small_stability": float(np.mean(stable)),
        "small_lowest_stability": min(stable),
    }


def _scores(name: str, fleets: Sequence[Fleet]) -> Metrics:
    found = [_judged(fleet) for fleet in fleets]
    scores = {f"{name}_{key}": value for key, value in means(found).items()}
    return scores | {f"{name}_lowest_ari": min(one["ari"] or 0.0 for one in found)}


def _judged(fleet: Fleet) -> Metrics:
    features = usage_features(fleet.panel, utc_offsets=fleet.utc_offsets)
    return name_scores(fleet.archetypes, usage_archetypes(features, seed=SEED).found)


def stability(features: UsageFeatures) -> float | None:
    """Return how far names depend on which of the resources with enough history were looked at."""
    features = features.take(features.of(Feature.KNOWN_HOURS) >= MIN_KNOWN_HOURS)

    def fit(drawn: IntArray, seed: int) -> Sequence[object]:
        return list(drawn_names(features, seed=seed, drawn=drawn))

    return bootstrap_stability(len(features), fit=fit, draws=DRAWS, seed=SEED)


def shipped_metrics(seeds: Sequence[int]) -> Metrics:
    """Score the generated half of the shipped fleet, and the stability of all of it."""
    shares, stable = [], []
    for seed in seeds:
        grid = Grid(start=SHIPPED_START, hours=SHIPPED_HOURS, now_hour=SHIPPED_HOURS - 1)
        account = shipped_fleet(grid=grid, seed=seed)
        features = account_features(account)
        found = usage_archetypes(features, seed=SEED)
        truth = known_archetypes(account, features)
        right = [found.found[row] is archetype for row, archetype in truth.items()]
        shares.append(float(np.mean(right)))
        stable.append(stability(features) or 0.0)
    return {
        "shipped_right_names_share": shares[0],
        "shipped_other_seeds_right_names_share": float(np.mean(shares[1:])) if shares[1:] else None,
        "shipped_stability": float(np.mean(stable)),
    }


def account_features(account: Account) -> UsageFeatures:
    """Return the features of an account's instances by the hours that it is filled with."""
    rows = {
        Metric.CPU_MEAN: ("cpu_mean",),
        Metric.CPU_MAX: ("cpu_max",),
        Metric.MEMORY_MEAN: ("memory_mean",),
        Metric.NETWORK: ("network_in", "network_out"),
        Metric.DISK: ("disk_read", "disk_write"),
    }
    panel = UsagePanel(
        resources=tuple(one.name for one in account.instances),
        start=account.start,
        values={metric: _series(account, names) for metric, names in rows.items()},
    )
    offsets = utc_offset_hours([account.region] * len(panel))
    return usage_features(panel, utc_offsets=offsets)


def _series(account: Account, names: Sequence[str]) -> Float32Array:
    unknown = np.full(account.hours, np.nan, dtype=np.float32)
    rows = []
    for one in account.instances:
        parts = [getattr(one.usage, name) for name in names]
        rows.append(unknown if any(part is None for part in parts) else np.sum(parts, axis=0))
    return np.array(rows, dtype=np.float32)


def known_archetypes(account: Account, features: UsageFeatures) -> dict[int, Archetype]:
    """Return the archetype by row of the instances that can be judged."""
    scales = {group.name for group in account.groups if group.min_size < group.max_size}
    known = features.of(Feature.KNOWN_HOURS)
    return {
        row: one.archetype
        for row, one in enumerate(account.instances)
        if one.archetype is not None and one.group not in scales and known[row] >= MIN_KNOWN_HOURS
    }


def drawn_names(features: UsageFeatures, *, seed: int, drawn: IntArray) -> Sequence[Archetype]:
    """Return the names that a fit to the rows drawn gives to every resource."""
    names, _ = majority(archetype_votes(features, seed=seed, drawn=drawn))
    return [ORDER[at] for at in names.tolist()]


if __name__ == "__main__":
    main()
