"""Tables of right-sizing."""

from __future__ import annotations

import numpy as np

from benchmarks.savings import replay_metrics
from benchmarks.savings_data import synthetic_cpu
from benchmarks.tables import savings


def test_every_figure_of_the_curve_and_of_the_rules_has_its_key() -> None:
    found = replay_metrics(synthetic_cpu(seed=1, machines=8), prefix="", draws=3)
    required = ("exceeded_hours_share", "slack_saved_share")
    for prefix in ("", "p95_plus_15_", "max_plus_15_"):
        assert all(found[f"{prefix}{key}"] is not None for key in required)
    finite = {key: None if np.isnan(value or 0.0) else value for key, value in found.items()}
    text = savings.curve(finite)
    assert "not measured" not in text
    assert "budget 0.5 % (default)" in text


def test_a_comparison_shows_its_interval() -> None:
    metrics: dict[str, float | None] = {
        "slack_gain_at_p95_exceeded": 0.175,
        "slack_gain_at_p95_exceeded_low": 0.129,
        "slack_gain_at_p95_exceeded_high": 0.21,
    }
    assert "+17.5% (+12.9% to +21.0%)" in savings.ahead(metrics)


def test_being_behind_misses_the_target() -> None:
    assert "missed by 3.8%" in savings.targets({"slack_gain_at_max_exceeded": -0.038})
