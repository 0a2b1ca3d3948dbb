"""What counts as a good forecast, as a bad one, and as harm after it was switched on.

While a policy only forecasts, every hour for which a forecast was made beforehand is compared with
what then happened. Capacity is what the group would have with the forecast: rounded up and kept
within its sizes. An hour is covered when that capacity would have kept use at or below the limit.
Need and errors are in whole instances within the group's sizes, as is what two forecasts could do
differently; a mean error below `no_error` counts as none.

| verdict | when |
|---|---|
| NOT_YET | fewer than `least_days` of compared hours, or a group of one size: there is nothing to scale |
| BAD | covered hours below `bad_coverage`; or more idle than `bad_spare` of the need; or an error above `bad_error` times that of the better of "as yesterday" and "as a week ago" |
| GOOD | covered hours at least `good_coverage`, and `good_week_coverage` in each week by itself; idle at most `good_spare` of the need; an error at most that of the better baseline; and of use: it covers at least `useful_share` of hours that are short today, or adds at most `harmless_share` of instance hours to what dynamic scaling has |
| BAD | still neither after `most_days` |
| NOT_YET | otherwise |

Once it scales:

| verdict | when |
|---|---|
| HARMFUL | an alarm of the group rings since the switch |
| HARMFUL | the share of hours above the limit is more than `worse_share` above the share before, in at least `worse_hours` hours |
| HARMFUL | instance hours for each busy one are more than `dearer_share` above those before |
| NOT_YET | fewer than `watch_days` since the switch, or of known hours |
| HARMLESS | otherwise |
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The numbers in the tables above. Shares run from 0 to 1.

    Attributes:
        headroom_share: How far use may go above the target before an hour counts as short.
        no_error: Instances.
    """

    least_days: float = 14.0
    most_days: float = 42.0
    headroom_share: float = 0.15
    good_coverage: float = 0.95
    good_week_coverage: float = 0.90
    good_spare: float = 0.25
    bad_coverage: float = 0.80
    bad_spare: float = 0.60
    bad_error: float = 1.25
    no_error: float = 0.1
    useful_share: float = 0.01
    harmless_share: float = 0.02
    worse_share: float = 0.02
    worse_hours: int = 3
    dearer_share: float = 0.25
    watch_days: float = 7.0
    pause_days: float = 14.0
    """After a forecast was switched off: how long it forecasts again before it may scale."""
    most_reverts: int = 2
    """After so many it is left to a person."""
