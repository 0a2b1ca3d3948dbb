"""The first idea's IsolationForest on lags and rolling statistics, for the record.

Run with `python -m benchmarks.anomalies_forest [--data DIR] [--quick] [--json]`. How it is judged is
in anomalies_originals.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.anomalies_originals import measured
from benchmarks.anomalies_rivals import isolation_forest
from benchmarks.harness import Metrics, Options, parse_options, publish

SEED = 20


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table, and with --json one line of figures."""
    options = parse_options("anomalies_forest", argv)
    publish(options, measure(options))


def measure(options: Options) -> Metrics:
    """Return the figures of the forest, keys starting with rival_isolation_forest_."""
    return measured("isolation_forest", lambda values: isolation_forest(values, seed=SEED), options)


if __name__ == "__main__":
    main()
