"""How fast workloads can be stepped: a day of the demonstration, and 10,000 pods.

Run with `python -m benchmarks.cluster_physics [--quick] [--json]`. It needs no data. Targets: the day
of 17,280 steps in 60 s, and a step of 10,000 pods well under a second; processor time is measured,
for the machine is shared.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.cluster_physics_stage import (
    demonstration_stage,
    many_pods_engine,
    many_pods_stage,
)
from benchmarks.harness import Metrics, Options, parse_options, publish, show_table
from deployments.embedded.workloads.engine import Engine

STEP_SECONDS = 5.0
DAY_STEPS = 17_280
QUICK_STEPS = 1_440
PODS = 10_000
LARGE_STEPS = 20
START_STEPS = 90


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table, and with --json one line of figures."""
    options = parse_options("cluster_physics", argv, reads_recordings=False)
    publish(options, measure(options))


def measure(options: Options) -> Metrics:
    """Return processor seconds of a day of the demonstration and of steps of 10,000 pods.

    The steps with containers begin when all pods do: nearly every one has something to do.
    """
    steps = QUICK_STEPS if options.quick else DAY_STEPS
    stage = demonstration_stage()
    started = time.process_time()
    stage.run(steps)
    day = (time.process_time() - started) * DAY_STEPS / steps
    large = many_pods_stage(PODS)
    large.run(2)
    started = time.process_time()
    large.run(LARGE_STEPS)
    step = (time.process_time() - started) / LARGE_STEPS
    engine, seconds = many_pods_engine(PODS)
    with_containers, worst = _engine_steps(engine, seconds)
    metrics: Metrics = {
        "physics_seconds_per_day": day,
        "physics_replicas": float(stage.replicas),
        "step_seconds_10k_pods": step,
        "kubelet_step_seconds_10k_pods": with_containers,
        "kubelet_worst_step_seconds_10k_pods": worst,
    }
    show_table("physics", ["", "CPU seconds"], list(metrics.items()))
    return metrics


def _engine_steps(engine: Engine, seconds: float) -> tuple[float, float]:
    """Return mean and worst processor seconds of a step, from the start of all pods at once."""
    spent = []
    for at in range(1, START_STEPS + 1):
        started = time.process_time()
        engine.step(now_seconds=seconds + at, step_seconds=1.0)
        spent.append(time.process_time() - started)
    return sum(spent) / len(spent), max(spent)


if __name__ == "__main__":
    main()
