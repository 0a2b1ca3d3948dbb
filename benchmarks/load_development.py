"""Scores on the development half, the only ones that constants of the load forecaster are chosen by.

Run with `python -m benchmarks.load_development [--data DIR] [--quick] [--json]`.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.harness import parse_options, publish
from benchmarks.load import QUICK, Stopwatch, judge, shown_metrics
from benchmarks.load_data import load_recordings


def main(argv: Sequence[str] | None = None) -> None:
    """Judge half of the series at the earlier origins."""
    options = parse_options("load_development", argv)
    watch, every = Stopwatch(), QUICK.every if options.quick else 1
    judged = {
        one.name: judge(one, every=every, later=False, watch=watch)
        for one in load_recordings(options.data)
    }
    metrics = shown_metrics(judged)
    metrics["series_per_cpu_second"] = watch.series / watch.cpu_seconds
    publish(options, metrics)


if __name__ == "__main__":
    main()
