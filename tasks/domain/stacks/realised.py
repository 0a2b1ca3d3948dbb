"""What the changes of all stacks really saved, those that were undone included.

The comparison itself knows changes, costs and prices (`tasks.domain.savings.realised`). Here is what
stacks add to it: changes that are taken back, machines that take the place of others, prices as they
are now, and what was measured before the hours of then were forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from tasks.domain.inventory import Inventory
from tasks.domain.savings.kinds.volumes import volume_usd
from tasks.domain.savings.machines import Machines, machines_of
from tasks.domain.savings.money import HOURS_PER_MONTH, PriceBook
from tasks.domain.savings.opportunity import Kind
from tasks.domain.savings.realised.costs import cost_panel
from tasks.domain.savings.realised.every import measured_all
from tasks.domain.savings.realised.measure import PRICED_ALONE
from tasks.domain.savings.realised.report import COUNTED
from tasks.domain.savings.realised.values import AppliedChange, Method, Realised, Verdict
from tasks.domain.savings.realised.windows import LEAST_DAYS
from tasks.domain.stacks.dated import Dated, undo_times
from tasks.domain.usage.panel import Metric, UsagePanel

AGAIN_AFTER = timedelta(days=1)
KEPT = "as an earlier run measured it: too few hours from before the change are observed now"


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What is known of an account when savings are measured.

    Attributes:
        inventory: As it was listed last.
        panel: Use by the hour, until then.
        prices: As they are now.
        peers: What an instance is alike with, by id: its archetype.
        touched: When series were changed by others than the changes that are told of.
    """

    inventory: Inventory
    panel: UsagePanel
    prices: PriceBook
    peers: Mapping[str, str] = field(default_factory=dict)
    touched: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)


def realised_changes(
    dated: Sequence[Dated], observed: Observed, earlier: Iterable[Realised] = ()
) -> tuple[Realised, ...]:
    """Return what each change saved, in the order of the changes.

    Args:
        dated: Every change that was applied, whatever became of it.
        observed: The account now.
        earlier: What the last run said.
    """
    now = prices_now(observed)
    sure = [_as_priced_now(one, dated, observed, now) for one in dated if not one.doubt]
    measurable = [one for one in sure if one.undone_at is None or _stood_days(one) >= LEAST_DAYS]
    backwards = [_reversal(one, at) for one in sure if (at := one.undone_at) is not None]
    costs = cost_panel(
        spliced(observed.panel, sure),
        observed.inventory,
        observed.prices,
        [*(one.change for one in sure), *backwards],
        touched=_all_touched(dated, observed),
        peers=observed.peers,
    )
    found = zip(measurable, measured_all((d.change for d in measurable), costs), strict=True)
    by_key = {_key(one.change): result for one, result in found}
    before = {_key(one.change): one for one in earlier}
    return tuple(
        _said(one, by_key.get(_key(one.change)), before.get(_key(one.change)), end=costs.end)
        for one in dated
    )


def prices_now(observed: Observed) -> dict[str, float]:
    """Return USD of one running hour as things are now, by series; of volumes by their id."""
    machines, _ = machines_of(observed.inventory, observed.panel, observed.prices)
    found = {one.series: usd for one in machines if (usd := _hour_of(one)) is not None}
    for volume in observed.inventory.volumes:
        month = volume_usd(volume, observed.prices.volumes.get((volume.region, volume.kind)))
        if month is not None:
            found[volume.volume_id] = month / HOURS_PER_MONTH
    return found


def _hour_of(one: Machines) -> float | None:
    hours = one.hours_per_month
    return one.spend.usd / hours if hours > 0.0 else one.usd_per_hour


def spliced(panel: UsagePanel, dated: Iterable[Dated]) -> UsagePanel:
    """Return the panel with the use of a machine that took another's place in the row of that one.

    Otherwise the one that was stopped would seem to have saved all that it cost.
    """
    values = panel.of(Metric.CPU_MEAN).copy()
    for one in dated:
        old, new = panel.position.get(one.change.series), panel.position.get(one.moved_to or "")
        if old is not None and new is not None:
            values[old] = np.where(np.isfinite(values[new]), values[new], values[old])
    return replace(panel, values={**panel.values, Metric.CPU_MEAN: values})


def _as_priced_now(
    one: Dated, dated: Sequence[Dated], observed: Observed, now: Mapping[str, float]
) -> Dated:
    """Return a change with the price that its resource really has since, where that can be seen.

    It can where the change stands, is the last of its resource, and the account was listed after it.
    """
    change = one.change
    if one.moved_to is not None and one.moved_to not in observed.panel.position:
        # What it costs now is not in its row: without a price it has none.
        return replace(one, change=replace(change, usd_per_hour_before=None))
    last = max(d.change.applied_at for d in dated if d.change.series == change.series)
    seen = change.applied_at < min(observed.inventory.observed_at, observed.panel.end)
    usd = now.get(one.moved_to or change.series)
    gone = change.kind is Kind.STOP and change.usd_per_hour_after == 0.0
    if one.undone_at is not None or change.applied_at < last or not seen or usd is None or gone:
        return one
    return replace(one, change=replace(change, usd_per_hour_after=usd))


def _reversal(one: Dated, at: datetime) -> AppliedChange:
    """Return an undo as a change, so that hours have their old price from then on."""
    change = one.change
    return replace(
        change,
        applied_at=at,
        usd_per_hour_before=change.usd_per_hour_after or change.usd_per_hour_before,
        usd_per_hour_after=change.usd_per_hour_before,
    )


def _all_touched(dated: Sequence[Dated], observed: Observed) -> Mapping[str, tuple[datetime, ...]]:
    found: dict[str, set[datetime]] = {}
    for series, times in [*observed.touched.items(), *undo_times(dated).items()]:
        found.setdefault(series, set()).update(times)
    for one in dated:
        found.setdefault(one.change.series, set()).add(one.change.applied_at)
    return {series: tuple(sorted(times)) for series, times in found.items()}


def _said(one: Dated, new: Realised | None, old: Realised | None, *, end: datetime) -> Realised:
    """Return what is said of a change, now that it was measured, or could not be."""
    if one.doubt:
        return _bare(one, one.doubt)
    found = _bare(one, "") if new is None else new
    if old is not None and _is_less(found, old):
        notes = (*(note for note in old.notes if note != KEPT), KEPT)
        found = replace(old, change=found.change, known_at=None, notes=notes)
    if one.undone_at is not None:
        return _undone(one, found, one.undone_at)
    if one.change.applied_at >= end and _will_be_told(one) and found.known_at is None:
        again = one.change.applied_at + AGAIN_AFTER
        return replace(found, verdict=Verdict.TOO_EARLY, known_at=again)
    return found


def _will_be_told(one: Dated) -> bool:
    """Return whether a change only waits for the account to be looked at again."""
    told = (one.change.usd_per_hour_before, one.change.usd_per_hour_after)
    return one.moved_to is not None or (one.change.kind in PRICED_ALONE and None not in told)


def _is_less(new: Realised, old: Realised) -> bool:
    """Return whether an earlier measurement rests on more, as hours of before are forgotten."""
    if old.saving is None:
        return False
    if new.verdict is Verdict.NOT_MEASURED:
        return True
    fewer = new.days_before < old.days_before
    return old.verdict in COUNTED and new.verdict is Verdict.TOO_EARLY and fewer


def _undone(one: Dated, found: Realised, at: datetime) -> Realised:
    when = f"undone on {at:%d %b %Y %H:%M} UTC"
    if found.saving is None:
        days = _stood_days(one)
        stood = f"it stood for {days} whole day{'' if days == 1 else 's'}"
        notes: tuple[str, ...] = (f"{when}; {stood}, and what it saved was not measured",)
    else:
        others = (note for note in found.notes if not note.startswith("undone on "))
        notes = (f"{when}; what it saved is of the time until then", *others)
    return replace(found, verdict=Verdict.UNDONE, known_at=None, notes=notes)


def _stood_days(one: Dated) -> int:
    until = one.change.applied_at if one.undone_at is None else one.undone_at
    return max((until - one.change.applied_at) // timedelta(days=1), 0)


def _bare(one: Dated, note: str) -> Realised:
    notes = (note,) if note else ()
    return Realised(
        change=one.change, verdict=Verdict.NOT_MEASURED, method=Method.NONE, notes=notes
    )


def _key(change: AppliedChange) -> tuple[str, datetime]:
    return change.change_id, change.applied_at
