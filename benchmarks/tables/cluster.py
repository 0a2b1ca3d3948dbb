"""Tables of the cluster to heal: its contract, and its speed beside the real control plane."""

from __future__ import annotations

import math

from benchmarks.harness import Metrics
from benchmarks.tables.markdown import figure, table
from benchmarks.tables.targets import Target, none_in, of, targets_table

BEHAVIOURS = 150
PODS = 10_000
CHANGES_PER_SECOND = 200.0
ENOUGH = 0.95
"""Of the changes a second that a lag is about."""
MB_PER_MIB = 2**20 / 1e6

ROWS = (
    ("Start until ready", "start_seconds", "{:.1f} s"),
    ("Creates a second, nothing else there", "creates_per_second", "{:,.0f}"),
    ("The same per processor second of the server", "creates_per_server_cpu_second", "{:,.0f}"),
    ("Creates a second beside the pods", "creates_per_second_10k_pods", "{:,.0f}"),
    ("Pods, in Deployments of 10", "pods", "{:,.0f}"),
    ("Until all are there and on nodes", "populate_seconds_10k_pods", "{:.1f} s"),
    ("Processor time of that", "populate_cpu_seconds_10k_pods", "{:.1f} s"),
    ("A list of all pods", "list_10k_pods_seconds", "{:.2f} s"),
    ("Its processor time in the server", "list_10k_pods_cpu_seconds", "{:.2f} s"),
    ("Its size", "list_10k_pods_mb", "{:.0f} MB"),
    ("Memory, all programs", "rss_mib_10k_pods", "{:,.0f} MiB"),
    ("Memory, API server and store", "api_rss_mib_10k_pods", "{:,.0f} MiB"),
    ("Memory, 8 clients listed all and stay", "rss_mib_10k_pods_8_clients", "{:,.0f} MiB"),
    ("Changes a second under a watch", "watch_changes_per_second", "{:.0f}"),
    ("Event read after its change was sent, median", "watch_lag_ms_p50", "{:.1f} ms"),
    ("Event read, 99th percentile", "watch_lag_ms_p99", "{:.0f} ms"),
    ("Event read, latest", "watch_lag_ms_max", "{:.0f} ms"),
    ("Change answered, 99th percentile", "watch_write_ms_p99", "{:.0f} ms"),
    ("Processors taken by that", "watch_server_cpu_fraction", "{:.2f}"),
)
"""Name, key and template; of the real control plane the key has a prefix."""


def comparison(metrics: Metrics) -> str:
    """Return the figures of the embedded control plane beside those of the real one."""
    rows = [
        [name, figure(metrics.get(key), form), figure(metrics.get(f"real_{key}"), form)]
        for name, key, form in ROWS
    ]
    return table(["", "embedded", "real"], rows)


def contract(metrics: Metrics) -> str:
    """Return how many behaviours were asked, and how many of them failed."""
    keys = ("contract_failures_{}", "contract_skipped_{}")
    rows = [
        [name, *(figure(metrics.get(key.format(server)), "{:,.0f}") for key in keys)]
        for name, server in (("embedded", "embedded"), ("real", "real"))
    ]
    asked = figure(metrics.get("contract_behaviours"), "{:,.0f}")
    return table([f"of {asked} behaviours", "failed", "not asked"], rows)


def physics(metrics: Metrics) -> str:
    """Return processor seconds of the simulator's steps."""
    rows = (
        ("A day of the demonstration, physics alone", "physics_seconds_per_day", "{:.1f} s"),
        ("A step of 10,000 pods", "step_seconds_10k_pods", "{:.3f} s"),
        ("The same with containers", "kubelet_step_seconds_10k_pods", "{:.3f} s"),
        ("The worst of those", "kubelet_worst_step_seconds_10k_pods", "{:.3f} s"),
    )
    cells = [[name, figure(metrics.get(key), form)] for name, key, form in rows]
    return table(["processor time", "measured"], cells)


def targets(metrics: Metrics) -> str:
    """Return every target with what was measured."""
    return targets_table(TARGETS, metrics)


def _at_full_scale(metrics: Metrics, key: str) -> float | None:
    """Return a figure unless it was measured with fewer pods than its target is about."""
    return metrics.get(key) if (metrics.get("pods") or 0.0) >= PODS else None


def _memory_mb(metrics: Metrics) -> float | None:
    mib = _at_full_scale(metrics, "rss_mib_10k_pods")
    return None if mib is None else mib * MB_PER_MIB


def _lag_ms(metrics: Metrics) -> float | None:
    """Return how late events are; for ever where the changes did not keep their pace."""
    lag, pace = _at_full_scale(metrics, "watch_lag_ms_p99"), metrics.get("watch_changes_per_second")
    if lag is None or pace is None:
        return None
    return lag if pace >= ENOUGH * CHANGES_PER_SECOND else math.inf


TARGETS = (
    Target(
        what="Behaviours asked of both control planes",
        measured=of("contract_behaviours"),
        low=BEHAVIOURS,
        template="{:,.0f}",
    ),
    *(
        Target(
            what=f"Of them failed on the {server} one",
            measured=none_in(
                f"contract_failures_{server}", tried="contract_behaviours", at_least=BEHAVIOURS
            ),
            high=0.0,
            template="{:,.0f}",
        )
        for server in ("embedded", "real")
    ),
    Target(
        what="Creates a second",
        measured=of("creates_per_second"),
        low=1_500.0,
        template="{:,.0f}",
    ),
    Target(
        what="1,000 Deployments, 10,000 pods on nodes",
        measured=lambda metrics: _at_full_scale(metrics, "populate_seconds_10k_pods"),
        high=30.0,
        template="{:.1f} s",
    ),
    Target(
        what="A list of them, processor time of the server",
        measured=lambda metrics: _at_full_scale(metrics, "list_10k_pods_cpu_seconds"),
        high=1.0,
        template="{:.2f} s",
    ),
    Target(what="Memory with them", measured=_memory_mb, high=500.0, template="{:.0f} MB"),
    Target(
        what="Events of 200 changes a second, 99th percentile",
        measured=_lag_ms,
        high=100.0,
        strict=True,
        template="{:.0f} ms",
    ),
    Target(
        what="A day of the demonstration, physics alone",
        measured=of("physics_seconds_per_day"),
        high=60.0,
        template="{:.1f} s",
    ),
)
