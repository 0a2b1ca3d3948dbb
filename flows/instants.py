"""The instant that a run looks from."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.domain.errors import PermanentError


def instant(as_of: datetime | None, *, clock: datetime) -> datetime:
    """Return the instant to forecast from, UTC.

    Raises:
        FutureInstantError: It has not come yet; prices held would be called complete until then.
    """
    if as_of is not None and as_of > clock:
        raise FutureInstantError(as_of, clock=clock)
    return (as_of or clock).astimezone(UTC)


class FutureInstantError(PermanentError):
    """A forecast is asked for as of an instant that has not come."""

    def __init__(self, as_of: datetime, *, clock: datetime) -> None:
        self.as_of = as_of
        super().__init__(
            f"as_of is {as_of:%Y-%m-%d %H:%M %Z}, now is {clock:%Y-%m-%d %H:%M} UTC; "
            "leave it out to forecast from now"
        )
