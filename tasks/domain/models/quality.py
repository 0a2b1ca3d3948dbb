"""Whether a window of data is fit to train on, before anything is trained on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from tasks.domain.arrays import FloatArray

SHOWN = 3
"""Names of series that a reason lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityPolicy:
    """What a window must offer.

    Attributes:
        min_series: Series with enough known values.
        min_days: Days between the first and the last step.
        min_known_share: Of the values of a series for it to count, and of the whole window.
        max_constant_share: Of the series that never change.
        max_duplicate_share: Of the series that repeat another, value by value.
        max_impossible_share: Of the known values that are negative or above the highest possible.
        highest: Largest possible value, for example 100 for percent; None where there is none.
        max_age: Between the end of the window and now.
    """

    min_series: int = 1
    min_days: float = 14.0
    min_known_share: float = 0.7
    max_constant_share: float = 0.5
    max_duplicate_share: float = 0.1
    max_impossible_share: float = 0.001
    highest: float | None = None
    max_age: timedelta = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """What a window looks like, and whether it is usable.

    Attributes:
        usable: The verdict.
        reasons: Each limit that is broken, with the value found; empty when usable.
        series: Series of the window.
        enough: Of them those with enough known values.
        days: Length of the window.
        known_share: Of its values, 0 to 1; 0 for an empty window.
        constant: Names of series that never change where known.
        duplicates: Names of series that repeat an earlier one; constant ones are not among them.
        impossible_share: Of the known values, 0 to 1.
        age: From the end of the window to now; None without a clock.
    """

    usable: bool
    reasons: tuple[str, ...]
    series: int
    enough: int
    days: float
    known_share: float
    constant: tuple[str, ...]
    duplicates: tuple[str, ...]
    impossible_share: float
    age: timedelta | None


def check_window(
    values: FloatArray,
    *,
    series: Sequence[str],
    step: timedelta,
    end: datetime | None = None,
    now: datetime | None = None,
    policy: QualityPolicy | None = None,
) -> QualityReport:
    """Return whether a window of load can be trained on, with every limit that it breaks.

    Args:
        values: (n, steps), NaN where unknown; infinite values are impossible ones.
        series: (n,) names.
        step: Time between values.
        end: End of the last step, aware UTC; None without a wall clock.
        now: Aware UTC; a window that ends after it is refused, for its clock is wrong.
        policy: The limits.
    """
    policy = policy or QualityPolicy()
    known = ~np.isnan(values)
    measured = int(known.sum())
    too_high = np.inf if policy.highest is None else policy.highest
    with np.errstate(invalid="ignore"):
        impossible = int(((values < 0.0) | (values > too_high) | np.isinf(values)).sum())
    constant = _constant(values, known)
    repeats = _repeats(values, known & ~constant[:, None])
    by_series = known.mean(axis=1) if values.size else np.zeros(len(values))
    report = QualityReport(
        usable=True,
        reasons=(),
        series=len(values),
        enough=int((by_series >= policy.min_known_share).sum()),
        days=values.shape[1] * (step / timedelta(days=1)),
        known_share=measured / values.size if values.size else 0.0,
        constant=tuple(name for name, is_so in zip(series, constant, strict=True) if is_so),
        duplicates=tuple(series[row] for row in repeats),
        impossible_share=impossible / measured if measured else 0.0,
        age=None if end is None or now is None else now - end,
    )
    reasons = tuple(text for rule in _RULES if (text := rule(report, policy)) is not None)
    return replace(report, usable=not reasons, reasons=reasons)


Rule = Callable[[QualityReport, QualityPolicy], str | None]


def _few_series(found: QualityReport, limit: QualityPolicy) -> str | None:
    if found.enough >= limit.min_series:
        return None
    return (
        f"{found.enough} of {found.series} series have "
        f"{limit.min_known_share:.0%} of their values, at least {limit.min_series} must"
    )


def _short(found: QualityReport, limit: QualityPolicy) -> str | None:
    if found.days >= limit.min_days:
        return None
    return f"{found.days:.1f} days of data, at least {limit.min_days:g} are needed"


def _unknown(found: QualityReport, limit: QualityPolicy) -> str | None:
    if found.known_share >= limit.min_known_share:
        return None
    return (
        f"{found.known_share:.0%} of the values are known, "
        f"at least {limit.min_known_share:.0%} must be"
    )


def _unchanging(found: QualityReport, limit: QualityPolicy) -> str | None:
    if len(found.constant) <= limit.max_constant_share * found.series:
        return None
    share = len(found.constant) / found.series
    return (
        f"{share:.0%} of the series never change ({_some(found.constant)}), "
        f"at most {limit.max_constant_share:.0%} may"
    )


def _repeated(found: QualityReport, limit: QualityPolicy) -> str | None:
    if len(found.duplicates) <= limit.max_duplicate_share * found.series:
        return None
    share = len(found.duplicates) / found.series
    return (
        f"{share:.0%} of the series repeat another one ({_some(found.duplicates)}), "
        f"at most {limit.max_duplicate_share:.0%} may"
    )


def _impossible(found: QualityReport, limit: QualityPolicy) -> str | None:
    if found.impossible_share <= limit.max_impossible_share:
        return None
    above = "" if limit.highest is None else f" or above {limit.highest:g}"
    return (
        f"{found.impossible_share:.2%} of the known values are below 0{above}, "
        f"at most {limit.max_impossible_share:.2%} may be"
    )


def _mistimed(found: QualityReport, limit: QualityPolicy) -> str | None:
    if found.age is None:
        return None
    if found.age < timedelta(0):
        return f"the window ends {-found.age} after now; a clock is wrong"
    if found.age > limit.max_age:
        return f"the window ended {found.age} ago, at most {limit.max_age} may have passed"
    return None


_RULES: tuple[Rule, ...] = (
    _few_series,
    _short,
    _unknown,
    _unchanging,
    _repeated,
    _impossible,
    _mistimed,
)


def _constant(values: FloatArray, known: np.ndarray) -> np.ndarray:
    low = np.where(known, values, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=1, initial=-np.inf)
    return np.asarray(known.any(axis=1) & (low == high))


def _repeats(values: FloatArray, known: np.ndarray) -> list[int]:
    """Return rows with the values of an earlier one; rows without known values are none."""
    seen: set[bytes] = set()
    rows = []
    for row in np.flatnonzero(known.any(axis=1)):
        # Negative and positive zero are one value, NaN has one bit pattern.
        text = np.where(known[row], values[row] + 0.0, np.nan).tobytes()
        if text in seen:
            rows.append(int(row))
        seen.add(text)
    return rows


def _some(names: Sequence[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
