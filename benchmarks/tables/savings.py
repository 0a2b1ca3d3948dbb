"""Right-sizing: our trade-off curve beside the rivals' points, and the targets."""

from __future__ import annotations

from benchmarks.harness import Metrics
from benchmarks.tables.markdown import figure, table
from benchmarks.tables.targets import Target, of, targets_table

SETS = {
    "processors, July to August": "",
    "memory, July to August": "memory_",
    "Azure, 14 days to the next 15": "azure_",
}
"""What was replayed, and the prefix of its figures."""
SOLD = {"any capacity": "", "sizes on sale": "_on_sale"}
RISKS_PERMILLE = ("1", "2", "5", "10", "20", "40", "80")
DEFAULT_PERMILLE = "5"
ACCOUNTS = {
    "over 59 days": "spend_",
    "new, 14 to 87 days": "new_spend_",
    "recorded shapes, 28 to 55 days": "recorded_spend_",
}
"""How much history forecasts are made from, and the prefix of their figures."""
FORECAST_ERRORS = {
    "mae_share": "Homeostat",
    "mae_share_run_rate": "run rate",
    "mae_share_last_month": "last month",
    "mae_share_trailing": "so far + 28-day mean",
}
RULES = {"p95 + 15 %": "p95_plus_15", "max + 15 %": "max_plus_15"}


def curve(metrics: Metrics) -> str:
    """Return exceeded hours and slack saved at each risk setting, of processors."""
    rows = []
    for permille in RISKS_PERMILLE:
        name = f"budget {float(permille) / 10:g} %"
        keys = [f"curve_{{}}_{permille}_permille{sold}" for sold in SOLD.values()]
        rows.append([f"{name} (default)" if permille == DEFAULT_PERMILLE else name,
                     *_points(metrics, keys)])  # fmt: skip
    for rule, key in RULES.items():
        rows.append([rule, *_points(metrics, [f"{key}_{{}}{sold}" for sold in SOLD.values()])])
    columns = [f"{what}, {sold}" for sold in SOLD for what in ("exceeded hours", "slack saved")]
    return table(["", *columns], rows)


def _points(metrics: Metrics, keys: list[str]) -> list[str]:
    return [
        figure(metrics.get(key.format(what)), template)
        for key in keys
        for what, template in (("exceeded_hours_share", "{:.2%}"), ("slack_saved_share", "{:.1%}"))
    ]


def ahead(metrics: Metrics) -> str:
    """Return how far our curve is ahead of each rule, with intervals over machines."""
    rows = [
        [f"{name}, {sold}, {rule}",
         _ranged(metrics, f"{prefix}slack_gain_at_{label}_exceeded", suffix, "{:+.1%}"),
         _ranged(metrics, f"{prefix}exceeded_ratio_at_{label}_slack", suffix, "{:.2f}")]
        for name, prefix in SETS.items()
        for sold, suffix in SOLD.items()
        for rule, label in (("p95 + 15 %", "p95"), ("max + 15 %", "max"))
    ]  # fmt: skip
    columns = ["", "slack saved beyond it at its risk", "exceeded hours, of its, at its slack"]
    return table(columns, rows)


def _ranged(metrics: Metrics, key: str, suffix: str, template: str) -> str:
    value, low, high = (
        figure(metrics.get(f"{key}{end}{suffix}"), template) for end in ("", "_low", "_high")
    )
    return value if value == "-" else f"{value} ({low} to {high})"


def bill(metrics: Metrics) -> str:
    """Return what each rule saves of a bill in EC2 types, and how often they are too small."""
    names = {"Homeostat": "bill"} | {rule: f"{key}_bill" for rule, key in RULES.items()}
    rows = [
        [name,
         figure(metrics.get(f"{key}_saved_share"), "{:.1%}"),
         figure(metrics.get(f"{key}_exceeded_hours_share"), "{:.3%}"),
         figure(metrics.get(f"{key}_memory_exceeded_hours_share"), "{:.3%}")]
        for name, key in names.items()
    ]  # fmt: skip
    return table(["EC2 types", "bill saved", "exceeded hours", "of memory"], rows)


def spend(metrics: Metrics) -> str:
    """Return forecasts of the bill beside naive ones, then alarms beside mean + 3 sd."""
    return f"{_forecasts(metrics)}\n\n{_alarms(metrics)}"


def _forecasts(metrics: Metrics) -> str:
    rows = [
        [f"{name}, {what}",
         *(figure(metrics.get(f"{prefix}{target}_{key}"), "{:.1%}") for key in FORECAST_ERRORS),
         figure(metrics.get(f"{prefix}{target}_coverage_80"), "{:.0%}"),
         figure(metrics.get(f"{prefix}{target}_width_share"), "{:.0%}")]
        for name, prefix in ACCOUNTS.items()
        for what, target in (("month end", "month_end"), ("next month", "next_month"))
        if (prefix, target) != ("recorded_spend_", "next_month")
    ]  # fmt: skip
    return table(
        ["mean error of the total", *FORECAST_ERRORS.values(), "80 % covers", "width"], rows
    )


def _alarms(metrics: Metrics) -> str:
    rows = []
    for name, prefix in ACCOUNTS.items():
        ours, simple = f"{prefix}anomaly_", f"{prefix}three_sigma_"
        for who, key, false in (
            ("Homeostat", ours, f"{prefix}false_alarms_per_service_month"),
            ("mean + 3 sd", simple, f"{simple}false_per_service_month"),
        ):
            shares = [
                figure(metrics.get(f"{key}{what}"), "{:.0%}") for what in ("recall", "precision")
            ]
            delay = figure(metrics.get(f"{key}delay_days"), "{:.1f} days")
            rows.append([f"{name}, {who}", *shares, figure(metrics.get(false)), delay])
    return table(["alarms", "found", "of alarms", "false per service and month", "delay"], rows)


def targets(metrics: Metrics) -> str:
    """Return every target with what was measured."""
    return targets_table(TARGETS, metrics)


TARGETS = (
    Target(
        what="Slack saved beyond p95 + 15 % at its exceeded hours",
        measured=of("slack_gain_at_p95_exceeded"),
        low=0.0,
        strict=True,
        template="{:.1%}",
    ),
    Target(
        what="Exceeded hours, of those of p95 + 15 %, at its slack",
        measured=of("exceeded_ratio_at_p95_slack"),
        high=1.0,
        strict=True,
        template="{:.2f}",
    ),
    Target(
        what="Slack saved beyond max + 15 % at its exceeded hours",
        measured=of("slack_gain_at_max_exceeded"),
        low=0.0,
        strict=True,
        template="{:.1%}",
    ),
    Target(
        what="Exceeded hours, of those of max + 15 %, at its slack",
        measured=of("exceeded_ratio_at_max_slack"),
        high=1.0,
        strict=True,
        template="{:.2f}",
    ),
)
