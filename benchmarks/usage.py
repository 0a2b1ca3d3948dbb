"""Usage archetypes against known truth, on resamples of recordings, and at scale.

Run with `python -m benchmarks.usage [--data DIR] [--quick] [--json]`. How answers are scored is in
usage_scoring.py, what is kept apart for reporting in usage_data.py. The rival is k-means with five
clusters on mean and 95th percentile.
"""

from __future__ import annotations

import importlib.util
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.harness import (
    Metrics,
    Options,
    measured_apart,
    notice,
    parse_options,
    progress,
    publish,
    show_table,
)
from benchmarks.usage_data import (
    AZURE,
    REPORTED,
    SHORT_HOURS,
    VMS,
    Part,
    injected_fleets,
    recorded_vms,
    seeded_fleet,
)
from benchmarks.usage_rivals import kmeans5
from benchmarks.usage_scoring import bootstrap_stability, cluster_score, means, name_scores
from benchmarks.usage_small import small_metrics
from tasks.domain.arrays import IntArray
from tasks.domain.usage.clustering import (
    MIN_KNOWN_HOURS,
    archetype_votes,
    majority,
    usage_archetypes,
)
from tasks.domain.usage.features import Feature, UsageFeatures, usage_features
from tasks.domain.usage.fleet import Fleet

SEED = 20
FLEET = 2_000
DRAWS = 20
QUICK_DRAWS = 5
INVENTORY = "usage_inventory"
"""Measures inventory and metrics through the embedded endpoint."""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("usage", argv)
    metrics = truth_metrics(options)
    metrics |= stability_metrics(options)
    metrics |= small_metrics(options)
    for module in ("usage_scale", INVENTORY):
        if importlib.util.find_spec(f"benchmarks.{module}") is None:
            notice(f"benchmarks.{module} does not exist; its figures are unknown")
            continue
        # Processes of their own: their memory is a figure, and ours is not part of it.
        metrics |= measured_apart(module, options)
    publish(options, metrics)


def truth_metrics(options: Options) -> Metrics:
    """Score names and clusters where the truth is known: seeded fleets and injections."""
    part = replace(REPORTED, seeds=REPORTED.seeds[:1]) if options.quick else REPORTED
    cases = [("fleet", seeded_fleet(seed, count=FLEET)) for seed in part.seeds]
    cases += [
        ("two_weeks", seeded_fleet(seed, count=FLEET, hours=SHORT_HOURS)) for seed in part.seeds
    ]
    cases += _injections(options.data, part)
    scores: dict[str, list[Metrics]] = defaultdict(list)
    for name, fleet in cases:
        found = judged(fleet)
        progress(f"{name}: ARI {found['ari']:.3f}")
        scores[name].append(found)
        if name.startswith("injected"):
            scores["injected"].append(found)
    summary = {name: means(found) for name, found in scores.items()}
    show_table(
        "Known archetypes",
        ["", *next(iter(summary.values()))],
        [(name, *found.values()) for name, found in summary.items()],
    )
    named = {f"{name}_{key}": v for name, found in summary.items() for key, v in found.items()}
    lowest = {
        f"{name}_lowest_ari": min(one["ari"] or 0.0 for one in scores[name])
        for name in ("fleet", "injected")
        if scores[name]
    }
    return named | lowest


def _injections(data: Path | None, part: Part) -> list[tuple[str, Fleet]]:
    if data is None or not ((data / VMS).exists() and (data / AZURE).exists()):
        notice(f"no {VMS.name} and {AZURE.name}: nothing to inject into, injected_* are unknown")
        return []
    return [(f"injected_{name}", fleet) for name, fleet in injected_fleets(data, part=part)]


def judged(fleet: Fleet) -> Metrics:
    """Return the scores of one fleet, with the rival's and those without local time."""
    features = usage_features(fleet.panel, utc_offsets=fleet.utc_offsets)
    found = usage_archetypes(features, seed=SEED)
    in_utc = usage_archetypes(usage_features(fleet.panel), seed=SEED)
    scores = name_scores(fleet.archetypes, found.found)
    return scores | {
        "cluster_ari": cluster_score(fleet.archetypes, found.clusters),
        "clusters": float(found.cluster_count),
        "utc_ari": name_scores(fleet.archetypes, in_utc.found)["ari"],
        "baseline_kmeans5_ari": cluster_score(fleet.archetypes, kmeans5(features, seed=SEED)),
    }


def stability_metrics(options: Options) -> Metrics:
    """Score how far names on recorded machines depend on which machines were looked at."""
    if options.data is None or not (options.data / VMS).exists():
        notice(f"no {VMS.name}: bootstrap_stability is unknown")
        return {"bootstrap_stability": None, "baseline_kmeans5_bootstrap_stability": None}
    features = usage_features(recorded_vms(options.data, part=REPORTED))
    # What is UNUSUAL for want of history is so in every draw; it would only flatter.
    features = features.take(features.of(Feature.KNOWN_HOURS) >= MIN_KNOWN_HOURS)
    draws = QUICK_DRAWS if options.quick else DRAWS
    progress(f"{draws} resamples of {len(features)} recorded machines")
    metrics: Metrics = {
        "recorded_machines": float(len(features)),
        "bootstrap_stability": _stability(features, draws=draws, rival=False),
        "baseline_kmeans5_bootstrap_stability": _stability(features, draws=draws, rival=True),
        "recorded_names": float(len(set(usage_archetypes(features, seed=SEED).found))),
    }
    show_table("Recorded machines", ["", "value"], list(metrics.items()))
    return metrics


def _stability(features: UsageFeatures, *, draws: int, rival: bool) -> float | None:
    def fit(drawn: IntArray, seed: int) -> Sequence[object]:
        if rival:
            return list(kmeans5(features, seed=seed, drawn=drawn))
        names, _ = majority(archetype_votes(features, seed=seed, drawn=drawn))
        return list(names)

    return bootstrap_stability(len(features), fit=fit, draws=draws, seed=SEED)


if __name__ == "__main__":
    main()
