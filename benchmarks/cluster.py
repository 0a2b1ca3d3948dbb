"""The cluster to heal: its contract, its speed beside the real control plane, and its physics.

Run with `python -m benchmarks.cluster [--quick] [--json]`. It reads no recordings. Parts can be run
alone: cluster_contract.py, cluster_physics.py, and cluster_comparison.py with the same load on both control
planes, each in processes of its own and over TLS. Figures of the real one begin with `real_`; where its
programs are missing they are unknown, and so is its contract.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import cluster_comparison
from benchmarks.harness import Metrics, measured_apart, notice, parse_options, progress, publish

PROMISED = (
    *("contract_behaviours", "contract_failures_embedded", "contract_failures_real"),
    *("creates_per_second", "list_10k_pods_cpu_seconds", "rss_mib_10k_pods"),
    *("watch_lag_ms_p99", "physics_seconds_per_day"),
)
"""What a run measures, among other figures; null where it could not."""
PARTS = ("cluster_contract", "cluster_physics")
"""Modules with figures of their own."""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("cluster", argv, reads_recordings=False)
    metrics: Metrics = {}
    for part in PARTS:
        progress(f"cluster: {part.removeprefix('cluster_')}")
        metrics |= measured_apart(part, options)
    metrics |= cluster_comparison.measure(quick=options.quick)
    if unknown := [key for key in PROMISED if metrics.get(key) is None]:
        notice(f"not measured: {', '.join(unknown)}; the reasons are above")
    publish(options, metrics)


if __name__ == "__main__":
    main()
