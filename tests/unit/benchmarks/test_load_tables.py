from __future__ import annotations

from benchmarks.harness import Metrics
from benchmarks.tables import load_more


def test_steps_of_a_set_are_one_row_and_what_is_missing_was_not_measured() -> None:
    metrics: Metrics = {
        "azure_fine_mase_skill_4h": 0.339,
        "azure_fine_mase_skill_24h": 0.312,
        "azure_fine_coverage_80_4h": 0.821,
        "azure_fine_coverage_80_24h": None,
    }
    rows = load_more.steps(metrics).splitlines()
    assert rows[2].endswith("(Bitbrains), 5 minutes | not measured yet | - | - | - |")
    assert rows[3].endswith("5 minutes | 0.339 | 0.312 | 82.1% | - |")


def test_a_lone_site_is_shown_beside_its_naive_rules() -> None:
    metrics: Metrics = {
        "worldcup_mase_skill_4h": -0.2,
        "worldcup_months_mase_skill_4h": 0.3,
        "worldcup_last_value_mase_skill_4h": -0.5,
    }
    first = [row.split("|")[2].strip() for row in load_more.requests(metrics).splitlines()[2:]]
    assert first == ["-0.200", "0.300", "-0.500", "not measured yet"]
