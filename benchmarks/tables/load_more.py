"""Tables of load beside the hourly figures of machines: steps of five minutes, a lone site's requests."""

from __future__ import annotations

from benchmarks.harness import Metrics
from benchmarks.tables.markdown import figure, table

FINE = {
    "bitbrains_fine_": "recorded machines (Bitbrains), 5 minutes",
    "azure_fine_": "recorded machines (Azure, no clock), 5 minutes",
}
REQUESTS = {
    "worldcup_": "Homeostat, one series",
    "worldcup_months_": "Homeostat, its earlier months as series of their own",
    "worldcup_last_value_": "last value",
    "worldcup_weekly_naive_": "same hour a week before",
}
AGEING = {"bitbrains": "Bitbrains", "azure": "Azure"}
CHANGES = {
    "as_it_is": "as recorded",
    "wilder": "twice as wild after a week",
    "calmer": "half as wild after a week",
}
FIGURES = (
    ("MASE skill, 4 h", "mase_skill_4h", "{:.3f}"),
    ("MASE skill, 24 h", "mase_skill_24h", "{:.3f}"),
    ("80 % interval covers, 4 h", "coverage_80_4h", "{:.1%}"),
    ("80 % interval covers, 24 h", "coverage_80_24h", "{:.1%}"),
)


def steps(metrics: Metrics) -> str:
    """Return skill over the same step a day before, and coverage, by set."""
    return _rows("steps", FINE, metrics)


def requests(metrics: Metrics) -> str:
    """Return skill over the same hour a day before, and coverage, ours and naive rules."""
    return _rows("requests of a site (WorldCup 98)", REQUESTS, metrics)


def ageing(metrics: Metrics) -> str:
    """Return how far coverage is off while a model ages, as it was fitted and adapted."""
    rows = [
        [
            f"{title}, {change}",
            *(
                figure(metrics.get(f"{name}_{key}_{way}_{what}"), form)
                for what, form in (("coverage_gap", "{:.1%}"), ("width", "{:.2f}"))
                for way in ("fixed", "adaptive")
            ),
        ]
        for name, title in AGEING.items()
        for key, change in CHANGES.items()
    ]
    columns = [
        "a model that ages",
        "gap to 80 %, as fitted",
        "adapted",
        "width, as fitted",
        "adapted",
    ]
    return table(columns, rows)


def _rows(title: str, shown: dict[str, str], metrics: Metrics) -> str:
    rows = [
        [name, *(figure(metrics.get(f"{prefix}{key}"), form) for _, key, form in FIGURES)]
        for prefix, name in shown.items()
    ]
    return table([title, *(column for column, _, _ in FIGURES)], rows)
