"""What applied changes saved: before and after, less what happened to everything else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.money import HOURS_PER_MONTH
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.realised.comparison import Prediction
from tasks.domain.savings.realised.controls import comparable
from tasks.domain.savings.realised.deviations import mean_known
from tasks.domain.savings.realised.matching import (
    LEAST_CONTROLS,
    Group,
    group_of,
    prediction_for,
)
from tasks.domain.savings.realised.values import (
    AppliedChange,
    CostPanel,
    Interval,
    Method,
    Realised,
    Verdict,
)
from tasks.domain.savings.realised.verdicts import next_look, verdict_of
from tasks.domain.savings.realised.windows import LEAST_DAYS, Window, window_of

PRICED_ALONE = frozenset({Kind.VOLUME_TYPE, Kind.STOP})
"""Kinds of what may cost the same whether it is used or not: volumes."""
LEAST_HALF_WIDTH = 0.005
"""Of the usual cost: bills are not known better than that."""
SAME_PRICE = 0.98
"""Costs of running hours, over the highest of them, that count as one price."""


def measured(change: AppliedChange, panel: CostPanel) -> Realised:
    """Return what one change saved by the end of a panel.

    Args:
        change: What was done.
        panel: Costs of what was changed and of everything that it may be compared with.
    """
    if change.kind is Kind.COMMITMENT:
        return _not_measured(
            change, "a commitment changes what others cost: see its utilisation in Cost Explorer"
        )
    if change.series not in panel.position:
        return _by_price(change, panel)
    window = window_of(change, panel)
    early = _too_short(change, panel, window)
    if early is not None:
        return early
    return _compared(change, panel, window)


def _not_measured(change: AppliedChange, why: str) -> Realised:
    return Realised(change=change, verdict=Verdict.NOT_MEASURED, method=Method.NONE, notes=(why,))


def _by_price(change: AppliedChange, panel: CostPanel) -> Realised:
    """Return the saving of what costs the same whether it is used or not."""
    before, after = change.usd_per_hour_before, change.usd_per_hour_after
    if before is None or after is None or change.kind not in PRICED_ALONE:
        return _not_measured(change, "nothing tells what it cost by the hour, before and after")
    if change.applied_at > panel.end:
        return _not_measured(change, "it was applied after the last hour that is known")
    usd = (before - after) * HOURS_PER_MONTH
    saving = Interval(low=usd, expected=usd, high=usd)
    return Realised(
        change=change,
        verdict=verdict_of(saving, change.expected),
        method=Method.EXACT,
        saving=saving,
        bill_usd=before * HOURS_PER_MONTH,
        by_price_usd=usd,
        days_after=(panel.end - change.applied_at).days,
        notes=("from its price before and after: it costs that much whether it is used or not",),
    )


def _too_short(change: AppliedChange, panel: CostPanel, window: Window) -> Realised | None:
    """Return why nothing can be said yet, or ever; None when something can."""
    if window.days_before < LEAST_DAYS:
        return _not_measured(
            change,
            f"only {window.days_before} whole days are known before it, undisturbed by other "
            f"changes; {LEAST_DAYS} are needed",
        )
    if window.days_after < LEAST_DAYS and window.cut_short:
        return _not_measured(
            change, f"it was changed again after {window.days_after} whole days; see that change"
        )
    if window.days_after < LEAST_DAYS:
        return _early(
            change, panel, window, f"{window.days_after} of {LEAST_DAYS} whole days have passed"
        )
    row = panel.position[change.series]
    if not comparable(panel.usd[row : row + 1], window)[0]:
        why = "less than half of the hours before or after it are known, or it cost nothing before"
        return _early(change, panel, window, why)
    return None


def _early(change: AppliedChange, panel: CostPanel, window: Window, why: str) -> Realised:
    return Realised(
        change=change,
        verdict=Verdict.TOO_EARLY,
        method=Method.NONE,
        days_before=window.days_before,
        days_after=window.days_after,
        known_at=next_look(change, panel, days_after=window.days_after),
        notes=(why,),
    )


def _compared(change: AppliedChange, panel: CostPanel, window: Window) -> Realised:
    group = group_of(change.series, panel, window)
    prediction = prediction_for(group, window)
    amounts = _amounts(group, window, prediction)
    verdict = verdict_of(amounts.saving, change.expected)
    undecided = verdict is Verdict.TOO_EARLY
    by_price = _saved_by_price(change, amounts.cost_usd)
    return Realised(
        change=change,
        verdict=verdict,
        method=Method.INTERRUPTED_SERIES if group.alone else Method.DIFFERENCE_IN_DIFFERENCES,
        saving=amounts.saving,
        bill_usd=amounts.bill_usd,
        by_price_usd=by_price,
        controls=tuple(group.names[1 + at] for at in prediction.order),
        days_before=window.days_before,
        days_after=window.days_after,
        known_at=next_look(change, panel, days_after=window.days_after) if undecided else None,
        notes=_notes(group, window, amounts, by_price, undecided=undecided),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Amounts:
    """USD a month: what was saved, what it would have cost and what it did cost."""

    saving: Interval
    bill_usd: float
    cost_usd: float


def _amounts(group: Group, window: Window, prediction: Prediction) -> _Amounts:
    level, row = float(group.found.level[0]), group.usd[0]
    cost = float(mean_known(row[window.after_from : window.after_to]))
    usual = cost - float(group.found.after[0]) * level
    middle = usual + prediction.deviation * level
    half = max(prediction.half_width, LEAST_HALF_WIDTH) * level
    most = _ceiling(row[window.before_from : window.before_to])
    without = [float(np.clip(one, 0.0, most)) for one in (middle - half, middle, middle + half)]
    low, expected, high = ((one - cost) * HOURS_PER_MONTH for one in without)
    return _Amounts(
        saving=Interval(low=low, expected=expected, high=high),
        bill_usd=without[1] * HOURS_PER_MONTH,
        cost_usd=cost * HOURS_PER_MONTH,
    )


def _ceiling(before: FloatArray) -> float:
    """Return what one instance costs at most: its price, when it ever cost only that or nothing."""
    running = before[before > 0.0]
    top = float(running.max())
    one_price = bool((running >= SAME_PRICE * top).all())
    return top if one_price else float("inf")


def _saved_by_price(change: AppliedChange, cost_usd: float) -> float | None:
    before, after = change.usd_per_hour_before, change.usd_per_hour_after
    if before is None or after is None or after <= 0.0:
        return None
    return cost_usd / after * (before - after)


def _notes(
    group: Group, window: Window, amounts: _Amounts, by_price: float | None, *, undecided: bool
) -> tuple[str, ...]:
    saving = amounts.saving
    apart = by_price is not None and not saving.low <= by_price <= saving.high
    said = {
        f"fewer than {LEAST_CONTROLS} untouched resources are like it: compared with its own past "
        "alone, so that whatever else happened meanwhile is in the number": group.alone,
        "measured up to the next change of the same resource": window.cut_short,
        "the interval holds both nothing and half of what was expected": undecided,
        "its price alone would give another amount: it ran for other hours than expected": apart,
    }
    return tuple(note for note, holds in said.items() if holds)
