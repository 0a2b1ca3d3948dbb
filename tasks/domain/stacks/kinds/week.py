"""Hours of the week in words, and the rules of a clock that switches by them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.domain.savings.kinds.schedule import DAYS
from tasks.domain.savings.money import HOURS_PER_WEEK

HOURS_PER_DAY = 24
_DAY = re.compile(r"(?P<day>[A-Z][a-z]{2})(?P<spans>(?: \d{2}-\d{2})+)")

Week = tuple[bool, ...]
"""Of 168 hours from Monday 00:00 UTC, whether each is used."""


class InvalidWeekError(ValueError):
    """A text does not say hours of the week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """On which days something is done, at one full hour UTC.

    Attributes:
        hour: 0 to 23.
        days: 0 for Monday to 6, ascending.
    """

    hour: int
    days: tuple[int, ...]

    @property
    def cron(self) -> str:
        """As EventBridge Scheduler writes it."""
        return f"cron(0 {self.hour} ? * {','.join(DAYS[day].upper() for day in self.days)} *)"

    @property
    def unix_cron(self) -> str:
        """As Auto Scaling writes it: Sunday is 0."""
        return f"0 {self.hour} * * {','.join(str(day) for day in sorted((d + 1) % 7 for d in self.days))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When something is switched on and off."""

    on: tuple[Rule, ...]
    off: tuple[Rule, ...]


def week_of(text: str) -> Week:
    """Return the hours that a text names, as `week_text` writes them.

    Args:
        text: For example "Mon 07-19, Tue 00-05 07-24".

    Raises:
        InvalidWeekError: It is something else.
    """
    used = [False] * HOURS_PER_WEEK
    seen: set[str] = set()
    for part in text.split(", ") if text else ():
        found = _DAY.fullmatch(part)
        if found is None or found["day"] not in DAYS or found["day"] in seen:
            msg = f'{part[:40]!r} is no day with its hours, such as "Mon 07-19"'
            raise InvalidWeekError(msg)
        seen.add(found["day"])
        for span in found["spans"].split():
            first, last = (int(each) for each in span.split("-"))
            if not 0 <= first < last <= HOURS_PER_DAY:
                msg = f"{span!r} is no span of hours from 00 to 24"
                raise InvalidWeekError(msg)
            start = HOURS_PER_DAY * DAYS.index(found["day"])
            used[start + first : start + last] = [True] * (last - first)
    return tuple(used)


def clock_of(used: Week) -> Clock:
    """Return when to switch on and off so that exactly the used hours run.

    Args:
        used: The week repeats: Sunday's last hour comes before Monday's first.

    Raises:
        InvalidWeekError: All or none are used, so that there is nothing to switch.
    """
    if all(used) or not any(used):
        msg = f"{sum(used)} of {HOURS_PER_WEEK} hours are used: there is nothing to switch"
        raise InvalidWeekError(msg)
    on: dict[int, list[int]] = defaultdict(list)
    off: dict[int, list[int]] = defaultdict(list)
    for at in range(HOURS_PER_WEEK):
        if used[at] != used[at - 1]:
            (on if used[at] else off)[at % HOURS_PER_DAY].append(at // HOURS_PER_DAY)
    return Clock(on=_rules(on), off=_rules(off))


def _rules(days_by_hour: Mapping[int, list[int]]) -> tuple[Rule, ...]:
    return tuple(Rule(hour=hour, days=tuple(days_by_hour[hour])) for hour in sorted(days_by_hour))
