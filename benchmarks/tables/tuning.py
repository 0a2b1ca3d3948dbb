"""Tables of tuning suggestions."""

from __future__ import annotations

from benchmarks.harness import Metrics
from benchmarks.tables.markdown import figure, table

KINDS = {
    "cpu_request": "CPU request",
    "cpu_limit": "CPU limit",
    "memory_limit": "memory limit",
    "cache_size": "cache size",
    "connection_pool": "connection pool",
    "keep_alive": "keep-alive",
}


def suggestions(metrics: Metrics) -> str:
    """Return how often the effect lay in its interval, and how often a suggestion harmed."""
    rows = [
        [
            shown,
            figure(metrics.get(f"tuning_{key}_coverage_90"), "{:.0%}"),
            figure(metrics.get(f"tuning_{key}_harm_fraction"), "{:.1%}"),
        ]
        for key, shown in KINDS.items()
    ]
    return table(["suggestion", "90 % interval covers", "does harm"], rows)
