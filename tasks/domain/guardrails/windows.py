"""When changes may be made: by the clocks of the people who watch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTES_PER_DAY = 24 * 60
LOOK_AHEAD = timedelta(days=15)
"""A window opens every week; a day may fall away where clocks skip over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWindow:
    """Hours of some days of the week.

    Clocks that are put forward or back make a window shorter or longer, as they do a shift of
    people. What begins in the hour that is skipped begins as much later; of an hour that comes
    twice, the first counts: 02:15 to 02:45 is open once.

    Attributes:
        days: 0 for Monday to 6 for Sunday: when it opens.
        start_minute: After midnight, 0 to 1439.
        end_minute: After midnight, 1 to 1440; not after the start means the next day.
        zone: IANA name, for example "Europe/Berlin".
    """

    days: frozenset[int]
    start_minute: int
    end_minute: int
    zone: str

    def spans(self, *, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield every opening that touches a range, as aware UTC from and (excluded) to."""
        zone = ZoneInfo(self.zone)
        day = since.astimezone(zone).date() - timedelta(days=1)
        last = until.astimezone(zone).date()
        while day <= last:
            if day.weekday() in self.days:
                opens, closes = self._span(day, zone)
                if opens < closes and since < closes and opens <= until:
                    yield opens, closes
            day += timedelta(days=1)

    def _span(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        overnight = self.end_minute <= self.start_minute
        return (
            _instant(day, self.start_minute, zone),
            _instant(day + timedelta(days=1) if overnight else day, self.end_minute, zone),
        )


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return when a clock shows a time for the first time that day."""
    ahead, rest = divmod(minute, MINUTES_PER_DAY)
    clock = time(rest // 60, rest % 60, tzinfo=zone)
    return datetime.combine(day + timedelta(days=ahead), clock).astimezone(UTC)


def in_window(windows: Iterable[ChangeWindow], now: datetime) -> bool:
    """Return whether changes may be made now: always where there are no windows.

    Args:
        windows: One that is open is enough.
        now: Aware.
    """
    return next_opening(windows, now) == now


def next_opening(windows: Iterable[ChangeWindow], now: datetime) -> datetime | None:
    """Return when changes may next be made, UTC: now where a window is open or there is none.

    None where none opens within LOOK_AHEAD, for example because no day is chosen.
    """
    every = tuple(windows)
    if not every:
        return now
    found = (
        max(opens, now)
        for one in every
        for opens, _ in one.spans(since=now, until=now + LOOK_AHEAD)
    )
    return min(found, default=None)
