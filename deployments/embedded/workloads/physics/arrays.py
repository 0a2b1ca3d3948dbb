"""The types of arrays, and checks of numbers that all values here share."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Keys = NDArray[np.uint64]


class InvalidValueError(ValueError):
    """A value of a profile, a fault or a change that is out of its bounds.

    Attributes:
        owner: What the field belongs to, such as "memory-leak".
        field: Its name.
    """

    def __init__(self, owner: str, field: str, reason: str) -> None:
        super().__init__(f"{owner}: {field} {reason}")
        self.owner = owner
        self.field = field


def check_number(
    owner: str, field: str, value: object, *, low: float, high: float, above: bool = False
) -> None:
    """Check that a number is finite and within its limits.

    Args:
        owner: Names the value in the message.
        field: Names the field in the message.
        value: What was given.
        low: Smallest that is allowed; the limit itself is not with `above`.
        high: Largest that is allowed.
        above: The number must be above `low`.

    Raises:
        InvalidValueError: It is no number, or out of the limits.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidValueError(owner, field, f"is {value!r}; give a finite number")
    if value > high or value < low or (above and value == low):
        least = "above" if above else "at least"
        reason = f"is {value!r}; give a number {least} {low:g} and at most {high:g}"
        raise InvalidValueError(owner, field, reason)
