"""The table of spend shows what was measured beside its baselines, and dashes for the rest."""

from __future__ import annotations

from benchmarks.tables.savings import spend


def test_forecasts_and_alarms_stand_beside_their_baselines() -> None:
    text = spend(
        {
            "spend_month_end_mae_share": 0.0151,
            "spend_month_end_mae_share_run_rate": 0.253,
            "spend_month_end_coverage_80": 0.85,
            "spend_anomaly_recall": 0.9,
            "spend_false_alarms_per_service_month": 0.012,
        }
    )
    assert "| over 59 days, month end | 1.5% | 25.3% | - | - | 85% | - |" in text
    assert "| over 59 days, Homeostat | 90% | - | 0.012 | - |" in text


def test_what_was_not_measured_is_said() -> None:
    assert "| new, 14 to 87 days, next month | not measured yet |" in spend({})
