"""Tables of anomaly detection."""

from __future__ import annotations

from benchmarks.harness import Metrics
from benchmarks.tables.markdown import figure, table
from benchmarks.tables.targets import Target, of, targets_table

KINDS = {
    "memory_leak": "memory leak",
    "traffic_spike": "traffic spike",
    "error_rate": "error rate",
    "performance_degradation": "degradation",
    "security_signal": "security signal",
    "unknown": "unknown",
}


def benchmark(metrics: Metrics) -> str:
    """Return the scores of the Numenta benchmark beside rivals measured in the same run."""
    rows = [
        [
            "Homeostat, shipped settings",
            *(
                figure(metrics.get(f"nab_{one}"), "{:.1f}")
                for one in ("standard", "low_fp", "low_fn")
            ),
        ],
        [
            "Homeostat, settings from the other half of the series",
            figure(metrics.get("nab_cross_half"), "{:.1f}"),
            figure(metrics.get("nab_cross_half_low_fp"), "{:.1f}"),
            figure(metrics.get("nab_cross_half_low_fn"), "{:.1f}"),
        ],
    ]
    ours = table(["", "standard", "low FP", "low FN"], rows)
    rivals = [
        [shown, figure(metrics.get(plain), "{:.1f}"), figure(metrics.get(rested), "{:.1f}")]
        for shown, plain, rested in RIVALS
    ]
    return (
        f"{ours}\n\n{table(['standard profile', 'as it is', 'with the same rest period'], rivals)}"
    )


RIVALS = (
    (
        "windowed Gaussian, threshold from the other half",
        "windowed_gaussian_cross_half",
        "windowed_gaussian_with_rest_cross_half",
    ),
    (
        "IsolationForest on windows, threshold from the other half",
        "isolation_forest_cross_half",
        "isolation_forest_with_rest_cross_half",
    ),
    (
        "IsolationForest on lags and rolling statistics, its own threshold",
        "rival_isolation_forest_nab_standard",
        "rival_isolation_forest_nab_standard_with_rest",
    ),
    (
        "autoencoder, its own threshold",
        "rival_autoencoder_nab_standard",
        "rival_autoencoder_nab_standard_with_rest",
    ),
)
"""Name, and keys of the scores without and with rest."""


def recall(metrics: Metrics) -> str:
    """Return the share of windows found at equal numbers of alarms, by detector."""
    rows = [
        [shown, figure(metrics.get(f"{key}recall_at_half_alarm_per_1000"), "{:.0%}")]
        for key, shown in (
            ("", "Homeostat"),
            ("windowed_gaussian_", "windowed Gaussian"),
            ("isolation_forest_", "IsolationForest"),
        )
    ]
    return table(["at half an alarm per 1,000 rows", "windows found"], rows)


def workloads(metrics: Metrics) -> str:
    """Return recall, kind and delay of injected effects, and alarms on untouched series."""
    kinds = [
        [
            shown,
            figure(metrics.get(f"workload_recall_{key}"), "{:.0%}"),
            figure(metrics.get(f"workload_delay_minutes_{key}"), "{:.0f}"),
        ]
        for key, shown in KINDS.items()
    ]
    whole = [
        ["all kinds, found", figure(metrics.get("workload_recall"), "{:.0%}")],
        ["of those, right kind", figure(metrics.get("workload_kind_accuracy"), "{:.0%}")],
        ["alarms per workload-week on untouched series", figure(metrics.get("workload_alarms_per_week"), "{:.2f}")],
    ]  # fmt: skip
    return f"{table(['injected', 'found', 'median delay, minutes'], kinds)}\n\n{table(['', 'measured'], whole)}"


TARGETS = (
    Target(
        what="NAB, standard, settings from the other half",
        measured=of("nab_cross_half"),
        low=70.0,
        template="{:.1f}",
    ),
    Target(
        what="NAB, standard, shipped settings",
        measured=of("nab_standard"),
        low=75.0,
        template="{:.1f}",
    ),
    Target(
        what="Recall at half an alarm per 1,000 rows",
        measured=of("recall_at_half_alarm_per_1000"),
        low=0.80,
        template="{:.1%}",
    ),
    Target(
        what="10,000 points of a series",
        measured=of("seconds_per_10k_points"),
        high=1.0,
        template="{:.2f} s",
    ),
)


def targets(metrics: Metrics) -> str:
    """Return targets beside what was measured."""
    return targets_table(TARGETS, metrics)
