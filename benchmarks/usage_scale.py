"""Features and archetypes of a large fleet: time and memory.

Run with `python -m benchmarks.usage_scale [--quick] [--json]`; `benchmarks.usage` includes it as a
process of its own. Making the fleet is not timed, but its memory counts: the peak is that of the
whole process, with six metrics of four weeks of every resource in it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.harness import (
    Metrics,
    parse_options,
    peak_rss_gib,
    progress,
    publish,
    show_table,
)
from benchmarks.usage_data import seeded_fleet
from benchmarks.usage_scoring import name_scores
from tasks.domain.usage.clustering import usage_archetypes
from tasks.domain.usage.features import usage_features

SEED = 20
RESOURCES = 100_000
QUICK_RESOURCES = 10_000


def scale_metrics(*, resources: int) -> Metrics:
    """Measure seconds and memory, and whether the names are right at that size, too."""
    progress(f"making {resources} resources")
    fleet = seeded_fleet(SEED, count=resources)
    progress("features and archetypes")
    begin = time.perf_counter()
    features = usage_features(fleet.panel, utc_offsets=fleet.utc_offsets)
    between = time.perf_counter()
    found = usage_archetypes(features, seed=SEED)
    end = time.perf_counter()
    return {
        "scale_resources": float(resources),
        "scale_seconds": end - begin,
        "scale_features_seconds": between - begin,
        "scale_archetypes_seconds": end - between,
        "resources_per_second": resources / (end - begin),
        "peak_rss_gib": peak_rss_gib(),
        "scale_ari": name_scores(fleet.archetypes, found.found)["ari"],
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table, and with --json one line of figures."""
    options = parse_options("usage_scale", argv)
    metrics = scale_metrics(resources=QUICK_RESOURCES if options.quick else RESOURCES)
    show_table("Scale", ["", "value"], list(metrics.items()))
    publish(options, metrics)


if __name__ == "__main__":
    main()
