"""Tables of usage archetypes."""

from __future__ import annotations

from benchmarks.harness import Metrics
from benchmarks.tables.markdown import figure, table
from benchmarks.tables.targets import Target, of, targets_table

FULL_SCALE_RESOURCES = 100_000
INVENTORY_INSTANCES = 2_000
GB_PER_GIB = 2**30 / 1e9

SETS = {
    "fleet": "seeded fleet, four weeks",
    "two_weeks": "seeded fleet, two weeks",
    "injected_vms_hourly_2013": "laid over recorded machines (2013)",
    "injected_azure": "laid over recorded machines (Azure)",
    "small_fleet": "seeded fleets of 30, 60 and 120",
    "small_injected": "laid over 30, 60 and 120 recorded machines",
}
SCORES = {
    "ari": "names: ARI",
    "right_names_share": "right names",
    "worst_right_names_share": "right names, worst archetype",
    "utc_ari": "ARI without local time",
    "cluster_ari": "ARI of clusters before naming",
    "baseline_kmeans5_ari": "ARI of k-means(5) on mean and p95",
}
"""Keys and headings; ARI is the adjusted Rand index, 1 for the truth and 0 for chance."""
STABILITY = (
    ("Homeostat", "bootstrap_stability", "recorded_names"),
    ("Homeostat, 30, 60 and 120 machines", "small_stability", ""),
    ("Homeostat, the shipped account", "shipped_stability", ""),
    ("k-means(5) on mean and p95, without names", "baseline_kmeans5_bootstrap_stability", ""),
)
"""Name, key of the agreement, key of the number of names."""


def archetypes(metrics: Metrics) -> str:
    """Return the scores on every set whose truth is known, then stability on recorded machines."""
    rows = [
        [name, *(_score(metrics, f"{prefix}_{key}") for key in SCORES)]
        for prefix, name in SETS.items()
    ]
    known = table(["known archetypes", *SCORES.values()], rows)
    stable = [
        [name, figure(metrics.get(key)), figure(metrics.get(names), "{:.0f}")]
        for name, key, names in STABILITY
    ]
    columns = ["recorded machines, resampled", "agreement of answers", "different names"]
    return f"{known}\n\n{table(columns, stable)}"


def _score(metrics: Metrics, key: str) -> str:
    return figure(metrics.get(key), "{:.1%}" if key.endswith("share") else "{:.3f}")


def scale(metrics: Metrics) -> str:
    """Return speed and memory."""
    resources = metrics.get("scale_resources") or FULL_SCALE_RESOURCES
    rows = [
        [f"{resources:,.0f} resources, features", "scale_features_seconds", "{:.1f} s"],
        [f"{resources:,.0f} resources, archetypes", "scale_archetypes_seconds", "{:.1f} s"],
        ["Resources per second", "resources_per_second", "{:,.0f}"],
        ["Memory of the process, metrics included", "peak_rss_gib", "{:.2f} GiB"],
        ["ARI at that size", "scale_ari", "{:.3f}"],
        [
            f"Inventory and metrics of {INVENTORY_INSTANCES:,} instances over HTTP",
            "inventory_seconds_2000",
            "{:.0f} s",
        ],
    ]
    cells = [[label, figure(metrics.get(key), form)] for label, key, form in rows]
    return table(["", "measured"], cells)


def targets(metrics: Metrics) -> str:
    """Return every target with what was measured."""
    return targets_table(TARGETS, metrics)


def _at_full_scale(metrics: Metrics, key: str) -> float | None:
    """Return a figure unless it was measured on fewer resources than its target is about."""
    measured = (metrics.get("scale_resources") or 0.0) >= FULL_SCALE_RESOURCES
    return metrics.get(key) if measured else None


def _memory_gb(metrics: Metrics) -> float | None:
    gib = _at_full_scale(metrics, "peak_rss_gib")
    return None if gib is None else gib * GB_PER_GIB


TARGETS = (
    Target(what="Adjusted Rand index, seeded fleet", measured=of("fleet_ari"), low=0.90),
    Target(what="Adjusted Rand index, injected", measured=of("injected_ari"), low=0.90),
    Target(
        what="Right names, seeded fleet",
        measured=of("fleet_right_names_share"),
        low=0.90,
        template="{:.1%}",
    ),
    Target(
        what="Right names, injected",
        measured=of("injected_right_names_share"),
        low=0.90,
        template="{:.1%}",
    ),
    Target(
        what="Bootstrap stability, recorded machines", measured=of("bootstrap_stability"), low=0.80
    ),
    Target(
        what="Adjusted Rand index, 30 to 120 resources", measured=of("small_fleet_ari"), low=0.90
    ),
    Target(
        what="Adjusted Rand index, injected, 30 to 120",
        measured=of("small_injected_ari"),
        low=0.90,
    ),
    Target(what="Bootstrap stability, 30 to 120", measured=of("small_stability"), low=0.80),
    Target(
        what="Right names, shipped account",
        measured=of("shipped_right_names_share"),
        low=0.90,
        template="{:.1%}",
    ),
    Target(
        what="100,000 resources",
        measured=lambda metrics: _at_full_scale(metrics, "scale_seconds"),
        high=30.0,
        template="{:.1f} s",
    ),
    Target(what="100,000 resources, memory", measured=_memory_gb, high=4.0, template="{:.2f} GB"),
    Target(
        what="Inventory and metrics of 2,000 instances",
        measured=of("inventory_seconds_2000"),
        high=120.0,
        strict=True,
        template="{:.0f} s",
    ),
)
