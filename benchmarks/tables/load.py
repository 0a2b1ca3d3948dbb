"""Tables of load forecasts, drift and promotion."""

from __future__ import annotations

from benchmarks.harness import Metrics
from benchmarks.tables.markdown import figure, table
from benchmarks.tables.targets import Target, of, targets_table

SETS = {
    "bitbrains": "recorded machines (Bitbrains)",
    "azure": "recorded machines (Azure, no clock)",
}
RIVALS = {
    "": "Homeostat",
    "unseen_": "Homeostat, series that nothing was chosen on",
    "last_value_": "last value",
    "weekly_naive_": "same hour a week before",
    "rival_lstm_": "LSTM",
}
AGES = {0: "nothing", 3: "3 h", 12: "12 h", 36: "36 h"}
"""What is known of a young workload, by the hours in the name of its figures."""
LOCAL = {
    "homeostat": "Homeostat",
    "last_value": "last value",
    "theta": "Theta",
    "auto_ets": "AutoETS",
    "mstl": "MSTL",
}
SIZES = {"small": "small", "medium": "medium", "large": "large"}


def forecasts(metrics: Metrics) -> str:
    """Return skill over the daily naive forecast and coverage, by set, then of young workloads."""
    sets = [_set(name, title, metrics) for name, title in SETS.items()]
    return "\n\n".join([*sets, _young(metrics)])


def _set(name: str, title: str, metrics: Metrics) -> str:
    rows = [
        [
            shown,
            *(_first(metrics, name, rival, f"mase_skill_{hours}h") for hours in (4, 24)),
            figure(metrics.get(f"{name}_{rival}coverage_80_24h"), "{:.1%}"),
        ]
        for rival, shown in RIVALS.items()
    ]
    columns = [title, "MASE skill, 4 h", "MASE skill, 24 h", "80 % interval covers, 24 h"]
    return table(columns, rows)


def _young(metrics: Metrics) -> str:
    rows = [
        [
            shown,
            *(figure(metrics.get(f"cold_start_{name}_mase_skill_{age}h")) for name in SETS),
            figure(metrics.get(f"cold_start_coverage_80_{age}h"), "{:.1%}"),
        ]
        for age, shown in AGES.items()
    ]
    columns = [
        "known of a young workload",
        "skill over the best rule, Bitbrains",
        "Azure",
        "80 % interval covers, 24 h",
    ]
    return table(columns, rows)


def part(metrics: Metrics) -> str:
    """Return ours beside forecasters of one series at a time, on the same few series and origins."""
    rows = [
        [
            shown,
            *(
                figure(metrics.get(f"{name}_part_{rival}_mase_skill_{hours}h"))
                for name in SETS
                for hours in (4, 24)
            ),
        ]
        for rival, shown in LOCAL.items()
    ]
    return table(["30 series, four origins", "Bitbrains, 4 h", "24 h", "Azure, 4 h", "24 h"], rows)


def _first(metrics: Metrics, name: str, rival: str, key: str) -> str:
    """Return a figure; the name of the set stands before a rule's name and after a rival's."""
    spelled = (f"{name}_{rival}{key}", f"{rival}{name}_{key}")
    return figure(next((metrics[one] for one in spelled if one in metrics), None))


def retraining(metrics: Metrics) -> str:
    """Return how soon drift is seen, and what is promoted."""
    delays = [
        [
            f"shift, {shown}",
            figure(metrics.get(f"drift_detected_share_{size}"), "{:.0%}"),
            figure(metrics.get(f"drift_delay_days_p50_{size}"), "{:.0f}"),
            figure(metrics.get(f"drift_delay_days_p90_{size}"), "{:.0f}"),
        ]
        for size, shown in SIZES.items()
    ]
    seen = table(["drift", "seen within four weeks", "days, median", "days, 90 %"], delays)
    promoted = [
        [
            shown,
            figure(metrics.get(key), "{:.1%}"),
            figure(metrics.get(f"recorded_{key}"), "{:.1%}"),
            figure(metrics.get(f"baseline_t_test_{key}"), "{:.1%}"),
        ]
        for key, shown in (
            ("null_promoted_share", "a refit, no better"),
            ("promoted_share_at_2_percent_better", "2 % better"),
            ("promoted_share_at_5_percent_better", "5 % better"),
            ("promoted_share_at_10_percent_better", "10 % better"),
            ("promoted_with_worse_group_share", "better, 10 % worse on one group"),
        )
    ]
    columns = ["challenger", "promoted, seeded", "promoted, recorded", "by a plain t test"]
    return f"{seen}\n\n{table(columns, promoted)}"


TARGETS = (
    Target(what="Bitbrains, MASE skill, 4 h", measured=of("bitbrains_mase_skill_4h"), low=0.40),
    Target(what="Bitbrains, MASE skill, 24 h", measured=of("bitbrains_mase_skill_24h"), low=0.22),
    Target(what="Azure, MASE skill, 4 h", measured=of("azure_mase_skill_4h"), low=0.43),
    Target(what="Azure, MASE skill, 24 h", measured=of("azure_mase_skill_24h"), low=0.32),
    Target(
        what="Bitbrains, 80 % interval covers, 24 h",
        measured=of("bitbrains_coverage_80_24h"),
        low=0.77,
        high=0.83,
        template="{:.1%}",
    ),
    Target(
        what="Azure, 80 % interval covers, 24 h",
        measured=of("azure_coverage_80_24h"),
        low=0.77,
        high=0.83,
        template="{:.1%}",
    ),
    Target(
        what="Worst group, error against the best naive rule",
        measured=of("worst_group_vs_best_naive"),
        high=1.02,
    ),
    Target(
        what="Fit and forecast",
        measured=of("series_per_second"),
        low=50.0,
        template="{:.0f} series/s",
    ),
    Target(
        what="False retrains a month",
        measured=of("false_retrains_per_month"),
        high=1.0,
        strict=True,
        template="{:.2f}",
    ),
    Target(
        what="Promoted although no better",
        measured=of("null_promoted_share"),
        high=0.05,
        template="{:.1%}",
    ),
)


def targets(metrics: Metrics) -> str:
    """Return targets beside what was measured."""
    return targets_table(TARGETS, metrics)
