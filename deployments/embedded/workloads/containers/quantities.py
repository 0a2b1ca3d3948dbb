"""Kubernetes quantities as numbers."""

from __future__ import annotations

import re

_FACTORS = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "E": 1e18, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50,
    "Ei": 2.0**60,
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(?:[eE]([+-]?\d+)|([A-Za-z]*))")


class InvalidQuantityError(ValueError):
    """Text that is no Kubernetes quantity."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no quantity; give such as 250m, 1.5 or 512Mi")
        self.text = text


def quantity(text: str | float) -> float:
    """Return the number of a quantity such as 250m, 1.5, 1e3 or 512Mi.

    Raises:
        InvalidQuantityError: It is none.
    """
    found = _QUANTITY.fullmatch(str(text))
    if found is None or (found[3] or "") not in _FACTORS:
        raise InvalidQuantityError(str(text))
    return float(found[1]) * (10.0 ** int(found[2]) if found[2] else _FACTORS[found[3] or ""])


def cores(text: str | float) -> float:
    """Return processor cores; raises as `quantity`."""
    return quantity(text)


def mebibytes(text: str | float) -> float:
    """Return MiB; raises as `quantity`."""
    return quantity(text) / 2.0**20
