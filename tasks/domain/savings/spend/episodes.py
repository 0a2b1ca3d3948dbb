"""Days on which spend is above its own pattern, as episodes; one setting for every group.

A day is compared with the median of four weeks before it, times its weekday, plus the lumps of its day
of the month, all as they were known on that day. An episode opens on one day that is far above, on
three days in a row that are well above, or when the last days have crept away from a month ago. While
it is open its days do not enter the level; after `ADOPT_DAYS` the new level is taken for normal, so a
change that stays is told once. Groups that are billed now and then are compared on the days that they
are billed; how often that happens is not judged. Groups under `WARM_UP_DAYS` old are not judged, and
those under `YOUNG_DAYS` only by twice the evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tasks.domain.arrays import FloatArray
from tasks.domain.savings.spend.panel import SpendPanel
from tasks.domain.savings.spend.pattern import MAD_TO_SD, Calendar, filled, spend_pattern

WATCHED_DAYS = 90
"""Days that are judged again in each run; what is told comes from the second half of them."""
WARM_UP_DAYS = 28
FIT_DAYS = 120
REFIT_DAYS = 7
ADOPT_DAYS = 30
LEAST_REFERENCE_DAYS = 5

FAR_SHARE, FAR_SPREADS = 0.35, 6.0
"""Above the expected: one such day opens an episode."""
WELL_SHARE, WELL_SPREADS = 0.2, 2.5
"""Three such days in a row open one."""
CREPT_SHARE, RISING_SHARE = 0.22, 0.05
"""Five days on average above a month ago, and still rising from week to week."""
BACK_SHARE = 0.1
"""Two days below this close an episode."""
LEAST_SPREAD = 0.03
LUMP_SPREAD = 0.15
YOUNG_DAYS, YOUNG_EVIDENCE = 56, 2.0
"""Below so many days of history the limits are so many times as high, and nothing counts as creeping:
a pattern of a few weeks cannot tell growth from an accident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedGroup:
    """One group as it was seen day by day; arrays are (days,), shares of a level are of the base.

    Attributes:
        base: Spend without weekdays and lumps; NaN on days that are not judged.
        factor: Weekday factor.
        lump: Expected on that day, USD.
        begun: Column of the first day.
    """

    usd: FloatArray
    base: FloatArray
    factor: FloatArray
    lump: FloatArray
    begun: int


@dataclass(slots=True)
class Episode:
    """Days (columns) from first to last, and the level that they are compared with, USD of base."""

    first: int
    last: int
    level: float
    ongoing: bool = True
    crept: bool = False


def watched_groups(panel: SpendPanel) -> list[WatchedGroup]:
    """Return each group with the pattern that was known on each day."""
    usd, days = filled(panel.usd), Calendar.of(panel.calendar())
    factor, lump = np.ones_like(usd), np.zeros_like(usd)
    start = max(WARM_UP_DAYS, panel.days - WATCHED_DAYS)
    # Refits fall on the same dates in every run, so that runs agree on what was known when.
    offset = (panel.first_day.toordinal() + start) % REFIT_DAYS
    fits = [start, *range(start + REFIT_DAYS - offset, panel.days, REFIT_DAYS)]
    for fit, end in zip(fits, [*fits[1:], panel.days], strict=True):
        if fit >= end:
            continue
        begin = max(0, fit - FIT_DAYS)
        pattern = spend_pattern(usd[:, begin:fit], days[begin:fit])
        span = slice(0 if fit == start else fit, end)
        factor[:, span] = pattern.weekday[:, days.weekday[span]]
        lump[:, span] = pattern.lumps_usd[:, days.day[span]]
    rare = np.mean(usd > 0.0, axis=1) < 0.8
    unjudged = np.isnan(panel.usd) | (rare[:, None] & (usd <= lump))
    base = np.where(unjudged, np.nan, (usd - lump) / factor)
    return [
        WatchedGroup(
            usd=usd[row], base=base[row], factor=factor[row], lump=lump[row], begun=panel.begun[row]
        )
        for row in range(len(usd))
    ]


def episodes(seen: WatchedGroup) -> list[Episode]:
    """Return the episodes of a group, from left to right; a day is judged by what was before it."""
    clean, found = seen.base.copy(), list[Episode]()
    days = len(clean)
    for day in range(max(seen.begun + WARM_UP_DAYS, days - WATCHED_DAYS), days):
        if np.isnan(clean[day]):
            continue
        current = found[-1] if found and found[-1].ongoing else None
        if current is None:
            current = _opened(seen, clean, day, after=found[-1].last if found else -1)
            if current is not None:
                found.append(current)
                clean[current.first : day + 1] = current.level
        else:
            _continued(current, seen, clean, day)
    return found


def _continued(current: Episode, seen: WatchedGroup, clean: FloatArray, day: int) -> None:
    """Add a day to an episode, or close it: over, or taken for normal."""
    if seen.base[day] > current.level * (1.0 + BACK_SHARE):
        current.last = day
        clean[day] = current.level
    elif day - current.last >= 2:
        current.ongoing = False
        clean[current.last + 1 : day + 1] = seen.base[current.last + 1 : day + 1]
    if current.ongoing and day - current.first >= ADOPT_DAYS:
        current.ongoing = False
        clean[: day + 1] = np.nan
        clean[day - 13 : day + 1] = seen.base[day - 13 : day + 1]


def _opened(seen: WatchedGroup, clean: FloatArray, day: int, *, after: int) -> Episode | None:
    level = _level(clean, day)
    if level is None:
        return None
    share = seen.base[after + 1 : day + 1] / level - 1.0
    is_young = day - seen.begun < YOUNG_DAYS
    if share[-1] > WELL_SHARE:
        spread = _spread(clean, day, level)
        evidence = YOUNG_EVIDENCE if is_young else 1.0
        doubt = LUMP_SPREAD * seen.lump[day] / (level * seen.factor[day])
        far = share[-1] > evidence * max(FAR_SHARE, FAR_SPREADS * spread) + 3.0 * doubt
        least = evidence * max(WELL_SHARE, WELL_SPREADS * spread)
        well = len(share) >= 3 and bool(np.all(share[-3:] > least))
        if far or well:
            first = _begin(share, day, BACK_SHARE + spread)
            return Episode(first=first, last=day, level=level)
    return None if is_young else _crept(seen, clean, day, after=after)


def _begin(share: FloatArray, day: int, least: float) -> int:
    """Return the first day of the run that ends today and was above throughout."""
    above = share[::-1] > least
    run = len(above) if bool(above.all()) else int(np.argmin(above))
    return day - max(run, 1) + 1


def _crept(seen: WatchedGroup, clean: FloatArray, day: int, *, after: int) -> Episode | None:
    """Return an episode of spend that rose a little each day, week after week."""
    first = max(after + 1, day - 56)
    if day - first < 42:
        return None
    level = _median(clean[first : day - 20])
    now = _mean(seen.base, day)
    if not (level > 0.0 and now > level * (1.0 + CREPT_SHARE)):
        return None
    spread = _spread(clean, day, level)
    before, earlier = _mean(seen.base, day - 7), _mean(seen.base, day - 14)
    noise = max(RISING_SHARE, spread) * level
    rising = now - before > noise and before - earlier > 0.5 * noise
    if not (rising and now > level * (1.0 + CREPT_SHARE + spread)):
        return None
    share = pd.Series(seen.base[after + 1 : day + 1] / level - 1.0)
    begin = _begin(share.rolling(5, min_periods=1).mean().to_numpy(), day, 0.04)
    return Episode(first=max(begin, day - 27), last=day, level=level, crept=True)


def _middle(known: FloatArray) -> float:
    """Return the median of at least one number; a sort beats numpy's median on a few dozen."""
    ordered = np.sort(known)
    half = len(ordered) // 2
    return float(ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2.0)


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return _middle(known) if known.size else 0.0


def _mean(base: FloatArray, day: int) -> float:
    """Return the mean of five days; NaN when none was judged."""
    week = base[day - 4 : day + 1]
    known = week[np.isfinite(week)]
    return float(known.mean()) if known.size else np.nan


def _level(clean: FloatArray, day: int) -> float | None:
    """Return the level before a day, slow to rise and quick to fall; None when it is not known."""
    before = clean[max(0, day - 29) : day - 1]
    before = before[np.isfinite(before)]
    if len(before) < LEAST_REFERENCE_DAYS:
        return None
    level = min(_middle(before), 1.08 * _middle(before[-7:]))
    return level if level > 0.0 else None


def _spread(clean: FloatArray, day: int, level: float) -> float:
    """Return the usual distance of a day from the level, as a share of it."""
    before = clean[max(0, day - 42) : day]
    before = before[np.isfinite(before)]
    apart = _middle(np.abs(before - _middle(before)))
    return max(MAD_TO_SD * apart / level, LEAST_SPREAD)
