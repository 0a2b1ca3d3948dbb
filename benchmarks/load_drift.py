"""How soon drift is noticed, and how often it is seen where there is none.

Run with `python -m benchmarks.load_drift [--data DIR] [--quick] [--json]`. Stable load and injected
shifts are those of load_drift_data.py, which also says what is kept apart for reporting; the rival
is that of load_drift_rivals.py, and ours without the errors of the forecasts is told apart
("inputs"). Everything is looked at once a day.

- False retrains: on stable paths a model is trained on four weeks, and again on the last four weeks
  whenever drift is seen; each is a false one. `false_retrains_per_month` counts 30 days.
- Delay: a shift two weeks after the training; days until drift is seen, at most four weeks, later
  is never. Paths on which it was seen before the shift are left out.
- The curve: how often a month of stable load alarms at all, against the delay, as the threshold
  moves. Choosing another threshold moves along a curve; only a better test moves the curve.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from benchmarks.harness import Metrics, Options, parse_options, progress, publish, show_table
from benchmarks.load_drift_data import (
    HOURS,
    Kind,
    LoadPath,
    Size,
    Source,
    shifted,
    sources,
    stable_paths,
)
from benchmarks.load_drift_rivals import plain_ks
from tasks.domain.models.drift import DriftPolicy, Observed, check_drift
from tasks.domain.models.drift_features import residual_features
from tasks.domain.models.residuals import DAYS as ERROR_DAYS

TRAINING_DAYS = 28
MONTH_DAYS = 30
MONITORED_DAYS = 90
QUIET_DAYS = 14
"""From the training to the shift."""
PATIENCE_DAYS = 28
COOL_DOWN_DAYS = 7
SERIES = 40
STABLE_PATHS = 12
SHIFTED_PATHS = 4
SEED = 11
OURS = "ours"
OTHER_SHARES = (0.25, 0.3, 0.35, 0.45, 0.5)

Test = Callable[[LoadPath, LoadPath], float]
"""From the training and the days since then to a p-value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """One way to look for drift.

    Attributes:
        name: For tables and keys.
        test: Gives the p-value of one look.
        threshold: Drift is what is at or below.
        others: Further thresholds of the curve.
    """

    name: str
    test: Test
    threshold: float
    others: tuple[float, ...]


RIVAL = Watcher(
    name="plain_ks",
    test=partial(plain_ks, share=DriftPolicy().min_share),
    threshold=0.05,
    others=(1e-3, 1e-6, 1e-12, 1e-24),
)


def watchers() -> tuple[Watcher, ...]:
    """Return ours first, then ours by load alone, then the rival."""
    ours = Watcher(
        name=OURS,
        test=share_left,
        threshold=1.0 - DriftPolicy().min_share,
        others=tuple(1.0 - share for share in OTHER_SHARES),
    )
    return (ours, replace(ours, name="inputs", test=partial(share_left, residuals=False)), RIVAL)


def share_left(training: LoadPath, live: LoadPath, *, residuals: bool = True) -> float:
    """Return 1 less the largest share of series that drifted with enough evidence, else 1.

    The share moves along our curve; at the policy's own share this is the policy's verdict.

    Args:
        training: What the model was trained on.
        live: Days since then.
        residuals: Whether errors of forecasts are looked at, beside the load.
    """
    found = check_drift(
        _observed(training, residuals=residuals),
        _observed(live, residuals=residuals),
        steps_per_day=HOURS,
        policy=DriftPolicy(min_share=min(OTHER_SHARES)),
    )
    return 1.0 - max((one.share for one in found.what), default=0.0)


def _observed(path: LoadPath, *, residuals: bool) -> Observed:
    rows = len(path.values)
    # A backtest is of two weeks, and so is what a look forecasts.
    recent = path.residuals[:, -ERROR_DAYS:]
    return Observed(
        values=path.values.reshape(rows, -1),
        residuals=residual_features(recent) if residuals else None,
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("load_drift", argv)
    publish(options, measure(options))


def measure(options: Options, *, reported: bool = True) -> Metrics:
    """Return the figures of ours, and those of the rivals under their names."""
    found: Metrics = {}
    for watcher in watchers():
        few = options.quick or watcher.name != OURS
        given = sources(options.data, reported=reported)
        # Other days than those that constants were chosen on.
        looked = Looked.at(watcher, given, few=few, seed=SEED + 100 * reported)
        figures = looked.figures()
        found |= figures if watcher.name == OURS else _prefixed(watcher.name, figures)
        show_table(f"Drift: {watcher.name}", ["", "value"], list(figures.items()))
        show_table(f"Delay by kind: {watcher.name}", ["", *Size], looked.by_kind())
        show_table(
            f"Trade-off: {watcher.name}",
            ["threshold", "alarms in a stable month", "detected", "p50 days", "p90 days"],
            [looked.trade_off(one) for one in (watcher.threshold, *watcher.others)],
        )
    return found


def _prefixed(name: str, figures: Metrics) -> Metrics:
    return {f"baseline_{name}_{key}": value for key, value in figures.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one watcher saw.

    Attributes:
        watcher: It.
        false_per_month: By source, with retraining after each.
        stable: (paths, days) p-values of a month without a shift.
        shifted: By kind and size, (paths, days) p-values; the first days are before the shift.
    """

    watcher: Watcher
    false_per_month: Mapping[str, float]
    stable: tuple[tuple[float, ...], ...]
    shifted: Mapping[tuple[Kind, Size], tuple[tuple[float, ...], ...]]

    @classmethod
    def at(cls, watcher: Watcher, given: Sequence[Source], *, few: bool, seed: int) -> Looked:
        """Return what is seen on paths drawn from the sources, fewer of them where asked for."""
        share = 3 if few else 1
        false, stable = {}, []
        changed: dict[tuple[Kind, Size], list[tuple[float, ...]]] = {}
        for source in given:
            paths = stable_paths(
                source,
                days=TRAINING_DAYS + MONITORED_DAYS,
                count=STABLE_PATHS // share,
                series=SERIES,
                seed=seed,
            )
            seen = [stable_looks(path, watcher) for path in paths]
            count = sum(retrains for retrains, _ in seen)
            false[source.name] = count / len(seen) * MONTH_DAYS / MONITORED_DAYS
            stable += [first for _, first in seen]
            progress(f"{watcher.name} {source.name}: {false[source.name]:.2f} false a month")
            days = TRAINING_DAYS + QUIET_DAYS + PATIENCE_DAYS
            for number, path in enumerate(
                stable_paths(
                    source, days=days, count=SHIFTED_PATHS // share, series=SERIES, seed=seed + 1
                )
            ):
                for kind in Kind:
                    for size in Size:
                        other = shifted(
                            path,
                            kind=kind,
                            size=size,
                            day=TRAINING_DAYS + QUIET_DAYS,
                            seed=number,
                        )
                        changed.setdefault((kind, size), []).append(looks(other, watcher))
        return cls(
            watcher=watcher,
            false_per_month=false,
            stable=tuple(stable),
            shifted={key: tuple(found) for key, found in changed.items()},
        )

    def delays(self, threshold: float, *, size: Size | None = None) -> list[float]:
        """Return the days until a shift was seen, infinite where it was not."""
        found = [
            delay(path, threshold)
            for (_, one), paths in self.shifted.items()
            if size is None or one is size
            for path in paths
        ]
        return [one for one in found if one is not None]

    def figures(self) -> Metrics:
        """Return delays and shares by size, and false retrains by source."""
        threshold = self.watcher.threshold
        found: Metrics = {
            "false_retrains_per_month": float(np.mean(list(self.false_per_month.values()))),
            **{f"false_retrains_per_month_{k}": v for k, v in self.false_per_month.items()},
        }
        for size in (None, *Size):
            ending = "" if size is None else f"_{size}"
            waited = self.delays(threshold, size=size)
            found[f"drift_detected_share{ending}"] = _share_seen(waited)
            found[f"drift_delay_days_p50{ending}"] = _quantile(waited, 0.5)
            found[f"drift_delay_days_p90{ending}"] = _quantile(waited, 0.9)
        return found

    def by_kind(self) -> list[tuple[object, ...]]:
        """Return the rows of a table: median days and share seen, by kind and size."""
        rows: list[tuple[object, ...]] = []
        for kind in Kind:
            cells = []
            for size in Size:
                found = [delay(p, self.watcher.threshold) for p in self.shifted[kind, size]]
                waited = [one for one in found if one is not None]
                middle = _quantile(waited, 0.5)
                days = "never" if middle is None else f"{middle:.0f} d"
                cells.append(f"{days} ({_share_seen(waited) or 0.0:.0%})")
            rows.append((str(kind), *cells))
        return rows

    def trade_off(self, threshold: float) -> tuple[object, ...]:
        """Return one point of the curve."""
        alarms = float(np.mean([min(path) <= threshold for path in self.stable]))
        waited = self.delays(threshold)
        p50, p90 = _quantile(waited, 0.5), _quantile(waited, 0.9)
        return f"{threshold:g}", alarms, _share_seen(waited), p50, p90


def stable_looks(path: LoadPath, watcher: Watcher) -> tuple[int, tuple[float, ...]]:
    """Return the retrains of a stable path, and the p-values of its first month."""
    trained, retrains = TRAINING_DAYS, 0
    first: list[float] = []
    for today in range(TRAINING_DAYS + 1, path.days + 1):
        in_first_month = retrains == 0 and len(first) < MONTH_DAYS
        if today - trained < COOL_DOWN_DAYS and not in_first_month:
            continue
        seen = _look(path, watcher, trained=trained, today=today)
        if in_first_month:
            first.append(seen)
        if seen <= watcher.threshold:
            trained, retrains = today, retrains + 1
    return retrains, tuple(first)


def looks(path: LoadPath, watcher: Watcher) -> tuple[float, ...]:
    """Return the p-value of every day after the first training."""
    days = range(TRAINING_DAYS + 1, path.days + 1)
    return tuple(_look(path, watcher, trained=TRAINING_DAYS, today=today) for today in days)


def _look(path: LoadPath, watcher: Watcher, *, trained: int, today: int) -> float:
    if today - trained < COOL_DOWN_DAYS:
        return 1.0
    return watcher.test(
        path.between(trained - TRAINING_DAYS, trained), path.between(trained, today)
    )


def delay(p_values: Sequence[float], threshold: float) -> float | None:
    """Return the days from the shift to the first alarm; None for an alarm before it."""
    if any(p <= threshold for p in p_values[:QUIET_DAYS]):
        return None
    after = p_values[QUIET_DAYS:]
    return next((day + 1.0 for day, p in enumerate(after) if p <= threshold), math.inf)


def _share_seen(waited: Sequence[float]) -> float | None:
    return float(np.mean(np.isfinite(waited))) if waited else None


def _quantile(waited: Sequence[float], level: float) -> float | None:
    if not waited:
        return None
    found = float(np.quantile(waited, level, method="inverted_cdf"))
    return found if math.isfinite(found) else None


if __name__ == "__main__":
    main()
