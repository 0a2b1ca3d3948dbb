"""Targets beside what was measured: reached, or missed and by how much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.harness import Metrics
from benchmarks.tables.markdown import NOT_MEASURED, figure, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What one figure has to reach.

    Attributes:
        what: Name of the figure.
        measured: Returns it; None when it is unknown.
        low: Smallest value that will do; None for no limit.
        high: Largest value that will do; None for no limit.
        strict: Whether the limit itself is missed.
        template: How values are written, such as "{:.1f} s".
    """

    what: str
    measured: Callable[[Metrics], float | None]
    low: float | None = None
    high: float | None = None
    strict: bool = False
    template: str = "{:.3f}"

    def demand(self) -> str:
        """Return the limits in words."""
        low, high = (figure(limit, self.template) for limit in (self.low, self.high))
        if self.low is not None and self.high is not None:
            return f"{low} to {high}"
        if self.low is not None:
            return f"{'above' if self.strict else 'at least'} {low}"
        return f"{'below' if self.strict else 'at most'} {high}"

    def verdict(self, value: float | None) -> str:
        """Return whether a value will do, or by how much it does not."""
        if value is None:
            return NOT_MEASURED
        gap = max(
            [low - value for low in [self.low] if low is not None]
            + [value - high for high in [self.high] if high is not None]
        )
        if gap < 0.0 or (gap == 0.0 and not self.strict):
            return "reached"
        missed = figure(gap, self.template)
        # A gap that vanishes in rounding is a gap.
        just = missed == figure(0.0, self.template)
        return "**just missed**" if just else f"**missed by {missed}**"


def of(key: str) -> Callable[[Metrics], float | None]:
    """Return a reader of one figure."""
    return lambda metrics: metrics.get(key)


def none_in(key: str, *, tried: str, at_least: int) -> Callable[[Metrics], float | None]:
    """Return a reader of what went wrong; nothing wrong in fewer tries than those says nothing.

    Args:
        key: Of the figure that should be zero.
        tried: Key of the number of tries.
        at_least: Tries that are enough.
    """

    def measured(metrics: Metrics) -> float | None:
        enough = (metrics.get(tried) or 0.0) >= at_least
        return metrics.get(key) if enough else metrics.get(key) or None

    return measured


def targets_table(targets: Sequence[Target], metrics: Metrics) -> str:
    """Return one row per target."""
    rows = []
    for target in targets:
        value = target.measured(metrics)
        rows.append(
            [target.what, target.demand(), figure(value, target.template), target.verdict(value)]
        )
    return table(["figure", "target", "measured", ""], rows)
