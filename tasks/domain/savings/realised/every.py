"""All applied changes at once, so that no dollar is counted twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tasks.domain.savings.money import Usd
from tasks.domain.savings.realised.measure import measured
from tasks.domain.savings.realised.values import AppliedChange, CostPanel, Interval, Realised
from tasks.domain.savings.realised.windows import day_of


def measured_all(changes: Iterable[AppliedChange], panel: CostPanel) -> tuple[Realised, ...]:
    """Return what each change saved, in the order of the changes.

    What was changed is no control while it was. Of changes of one resource on different days each
    is measured up to the next one; on the same day they are measured as one, and what they saved
    is dealt out by what was expected of each.
    """
    every = tuple(changes)
    touched = {name: set(times) for name, times in panel.touched.items()}
    for one in every:
        touched.setdefault(one.series, set()).add(one.applied_at)
    told = replace(panel, touched={name: tuple(sorted(at)) for name, at in touched.items()})
    return tuple(_one_of(every, one, told) for one in every)


def _one_of(every: Sequence[AppliedChange], one: AppliedChange, panel: CostPanel) -> Realised:
    same = [
        other
        for other in every
        if other.series == one.series
        and day_of(other.applied_at, panel) == day_of(one.applied_at, panel)
    ]
    if len(same) == 1 or one.series not in panel.position:
        return measured(one, panel)
    return _share(_joint(same), same, one, panel)


def _joint(same: Sequence[AppliedChange]) -> AppliedChange:
    """Return changes of one day as one: from the price before the first to that after the last."""
    ordered = sorted(same, key=lambda one: one.applied_at)
    return replace(
        ordered[-1],
        expected=Usd.total(one.expected for one in ordered),
        usd_per_hour_before=ordered[0].usd_per_hour_before,
    )


def _share(
    joint: AppliedChange, same: Sequence[AppliedChange], one: AppliedChange, panel: CostPanel
) -> Realised:
    found = measured(joint, panel)
    expected = joint.expected.expected
    share = one.expected.expected / expected if expected > 0.0 else 1.0 / len(same)
    others = ", ".join(sorted(str(other.kind) for other in same if other is not one))
    note = f"measured together with {others} of the same day: its share of what was expected"
    return replace(
        found,
        change=one,
        saving=None if found.saving is None else _part(found.saving, share),
        bill_usd=None if found.bill_usd is None else found.bill_usd * share,
        by_price_usd=None if found.by_price_usd is None else found.by_price_usd * share,
        notes=(*found.notes, note),
    )


def _part(saving: Interval, share: float) -> Interval:
    low, high = sorted((saving.low * share, saving.high * share))
    return Interval(low=low, expected=saving.expected * share, high=high)
