from benchmarks.harness import Metrics
from benchmarks.tables import usage


def test_every_target_says_that_nothing_was_measured_without_figures() -> None:
    assert usage.targets({}).count("not measured yet") == len(usage.TARGETS)


def test_speed_on_fewer_resources_is_not_held_against_the_target() -> None:
    small: Metrics = {"scale_resources": 10_000.0, "scale_seconds": 1.0, "peak_rss_gib": 0.1}
    assert "| 100,000 resources | at most 30.0 s | - | not measured yet |" in usage.targets(small)


def test_a_score_below_its_target_is_missed() -> None:
    row = "| Adjusted Rand index, injected | at least 0.900 | 0.850 | **missed by 0.050** |"
    assert row in usage.targets({"injected_ari": 0.85})


def test_memory_is_compared_in_gigabytes() -> None:
    text = usage.targets({"scale_resources": 100_000.0, "peak_rss_gib": 3.8})
    assert (
        "| 100,000 resources, memory | at most 4.00 GB | 4.08 GB | **missed by 0.08 GB** |" in text
    )


def test_each_set_has_a_row_with_shares_as_percentages() -> None:
    text = usage.archetypes({"fleet_ari": 0.99, "fleet_right_names_share": 0.995})
    assert "| seeded fleet, four weeks | 0.990 | 99.5% | - | - | - | - |" in text
    assert text.count("not measured yet") == 5 + 4


def test_stability_stands_beside_the_rivals() -> None:
    both: Metrics = {
        "bootstrap_stability": 0.88,
        "recorded_names": 6.0,
        "baseline_kmeans5_bootstrap_stability": 0.89,
    }
    text = usage.archetypes(both)
    assert "| Homeostat | 0.880 | 6 |" in text
    assert "| k-means(5) on mean and p95, without names | 0.890 | - |" in text
