import math

from benchmarks.harness import Metrics
from benchmarks.tables import cluster

FULL: Metrics = {
    "pods": 10_000.0,
    "populate_seconds_10k_pods": 9.0,
    "list_10k_pods_cpu_seconds": 0.3,
    "rss_mib_10k_pods": 480.0,
    "watch_lag_ms_p99": 40.0,
    "watch_changes_per_second": 199.0,
}


def row(text: str, first: str) -> str:
    [found] = [line for line in text.splitlines() if line.startswith(f"| {first} |")]
    return found


def test_every_target_says_that_nothing_was_measured_without_figures() -> None:
    assert cluster.targets({}).count("not measured yet") == len(cluster.TARGETS)


def test_no_failure_among_too_few_behaviours_says_nothing() -> None:
    few: Metrics = {"contract_behaviours": 149.0, "contract_failures_embedded": 0.0}
    enough = few | {"contract_behaviours": 150.0}
    name = "Of them failed on the embedded one"
    assert "not measured yet" in row(cluster.targets(few), name)
    assert "reached" in row(cluster.targets(enough), name)


def test_failures_count_among_any_number_of_behaviours() -> None:
    few: Metrics = {"contract_behaviours": 10.0, "contract_failures_real": 2.0}
    assert "**missed by 2**" in row(cluster.targets(few), "Of them failed on the real one")


def test_a_server_that_was_not_asked_has_no_failures_and_no_zero() -> None:
    metrics: Metrics = {"contract_behaviours": 300.0, "contract_failures_real": None}
    assert "not measured yet" in row(cluster.targets(metrics), "Of them failed on the real one")
    assert row(cluster.contract(metrics), "real") == "| real | not measured yet | - |"


def test_figures_of_fewer_pods_are_not_held_against_the_targets() -> None:
    text = cluster.targets(FULL | {"pods": 300.0})
    for name in ("1,000 Deployments, 10,000 pods on nodes", "Memory with them"):
        assert "not measured yet" in row(text, name)


def test_memory_is_compared_in_megabytes() -> None:
    said = "| Memory with them | at most 500 MB | 503 MB | **missed by 3 MB** |"
    assert said in cluster.targets(FULL)


def test_a_lag_below_its_limit_is_reached_and_at_it_missed() -> None:
    name = "Events of 200 changes a second, 99th percentile"
    assert "| 40 ms | reached |" in row(cluster.targets(FULL), name)
    assert "**just missed**" in row(cluster.targets(FULL | {"watch_lag_ms_p99": 100.0}), name)


def test_a_lag_at_a_slower_pace_of_changes_is_missed() -> None:
    slow = FULL | {"watch_changes_per_second": 120.0}
    name = "Events of 200 changes a second, 99th percentile"
    assert f"**missed by {math.inf:.0f} ms**" in row(cluster.targets(slow), name)


def test_both_control_planes_stand_beside_each_other() -> None:
    text = cluster.comparison({"start_seconds": 0.4, "real_start_seconds": 3.0})
    assert "| Start until ready | 0.4 s | 3.0 s |" in text
