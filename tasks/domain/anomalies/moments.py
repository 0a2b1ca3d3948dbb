"""When a step is, as far as expectations care, and how much is learned in it."""

from __future__ import annotations

from dataclasses import dataclass

LEVEL_HALF_LIFE_HOURS = 24.0
STEADY_HALF_LIFE_HOURS = 4.0
SPREAD_HALF_LIFE_HOURS = 48.0
ERROR_HALF_LIFE_HOURS = 72.0
LOAD_HALF_LIFE_HOURS = 96.0
RECENT_HALF_LIFE_HOURS = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How much of a deviation is learned in one step of some hours."""

    hours: float
    level: float
    steady: float
    spread: float
    errors: float
    load: float
    recent: float

    @classmethod
    def per(cls, hours: float) -> Rates:
        """Return rates for steps of a length."""

        def rate(half_life: float) -> float:
            return float(1.0 - 0.5 ** (hours / half_life))

        return cls(
            hours=hours,
            level=rate(LEVEL_HALF_LIFE_HOURS),
            steady=rate(STEADY_HALF_LIFE_HOURS),
            spread=rate(SPREAD_HALF_LIFE_HOURS),
            errors=rate(ERROR_HALF_LIFE_HOURS),
            load=rate(LOAD_HALF_LIFE_HOURS),
            recent=rate(RECENT_HALF_LIFE_HOURS),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a step is.

    Attributes:
        slot: Half hour of the day that it is in, 0 to 47.
        part: Of the way to the next slot, 0 to 1.
        weekend: Whether it is Saturday or Sunday.
        load: Logarithm of requests, what is usual of them where they were not measured; None where
            they never were.
        load_slack: By how much the load may be off; 0 where it was measured.
        rates: For the time since the last step.
        after_deploy: Whether to learn fast.
        frozen: Whether something is going on, from which spreads are not learned.
    """

    slot: int
    part: float
    weekend: bool
    load: float | None
    load_slack: float
    rates: Rates
    after_deploy: bool
    frozen: bool
