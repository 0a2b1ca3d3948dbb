"""When a recording is played: its last row is moved to a stated instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pandas as pd

from deployments.embedded.aws.errors import InvalidInputError

_OFFSET = re.compile(r"(?P<sign>[+-])(?P<count>\d+)(?P<unit>[mhdw])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_HOUR = timedelta(hours=1)


def replay_end(text: str, *, now: datetime) -> datetime:
    """Return the instant that `--replay-ends` names.

    Args:
        text: "now", an offset from now such as "+7d", "-2h" or "+90m" (m, h, d, w), or an
            ISO 8601 instant; without an offset from UTC it is UTC.
        now: Aware.

    Raises:
        InvalidInputError: The text is none of these.
    """
    if text == "now":
        return now
    if match := _OFFSET.fullmatch(text):
        sign = -1 if match["sign"] == "-" else 1
        return now + sign * int(match["count"]) * _UNITS[match["unit"]]
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        message = (
            f"--replay-ends {text!r} is not a time; give now, an offset such as +7d or -2h, "
            "or an ISO 8601 instant such as 2026-01-31T12:00Z"
        )
        raise InvalidInputError(message) from error
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def shift_to_end(frame: pd.DataFrame, *, end: datetime) -> pd.DataFrame:
    """Return the recording moved by whole hours so that its last row falls within the hour to end.

    Minutes and seconds stay: prices that were announced at five past still are.

    Args:
        frame: Has a column "timestamp", aware; at least one row.
        end: Aware; no row comes after it.
    """
    last = frame["timestamp"].max().to_pydatetime()
    return frame.assign(timestamp=frame["timestamp"] + (end - last) // _HOUR * _HOUR)
