"""Where a fleet comes from: `--fleet shipped|none|generated:N|FILE`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from deployments.embedded.aws.errors import InvalidInputError
from deployments.embedded.aws.fleet.description import Fleet
from deployments.embedded.aws.fleet.grid import history_grid

NONE = "none"
SHIPPED = "shipped"
_GENERATED = "generated:"
MOST_GENERATED = 20_000


def read_fleet(text: str, *, now: datetime, end: datetime | None, seed: int) -> Fleet | None:
    """Return the fleet that an option names; None for an empty account.

    Args:
        text: "shipped", "none", "generated:N" with N instances, or a file (see recorded.py).
        now: Aware.
        end: Where the replay ends; None leaves a file's own times.
        seed: Of what is generated.

    Raises:
        InvalidInputError: It is none of these, or the file is not valid.
    """
    if text == NONE:
        return None
    # Each brings its own data and libraries: only the one that is asked for.
    if text == SHIPPED:
        from deployments.embedded.aws.fleet.shipped import shipped_fleet

        return shipped_fleet(grid=history_grid(now=now, end=end), seed=seed)
    if text.startswith(_GENERATED):
        from deployments.embedded.aws.fleet.generated import generated_fleet

        count = _count(text)
        return generated_fleet(count, grid=history_grid(now=now, end=end), seed=seed)
    path = Path(text)
    if path.suffix.lower() not in {".parquet", ".csv"}:
        message = (
            f"--fleet {text!r} is none of shipped, none, generated:N, or a .parquet or .csv file"
        )
        raise InvalidInputError(message)
    from deployments.embedded.aws.fleet.recorded import recorded_fleet

    return recorded_fleet(path, end=end)


def _count(text: str) -> int:
    number = text.removeprefix(_GENERATED)
    if not number.isdecimal() or not 1 <= int(number) <= MOST_GENERATED:
        message = (
            f"--fleet {text!r}: give a number of instances from 1 to {MOST_GENERATED:,}, "
            "for example generated:2000"
        )
        raise InvalidInputError(message)
    return int(number)
