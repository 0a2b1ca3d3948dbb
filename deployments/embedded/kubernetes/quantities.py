"""Amounts as Kubernetes writes them: 250m processors, 512Mi of memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_QUANTITY = re.compile(r"^([+-]?[0-9.]+)([eE][+-]?[0-9]+|[a-zA-Z]*)$")
SUFFIXES = {
    "": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50,
}  # fmt: skip


def amount(text: Any) -> float:
    """Return an amount in its basic unit.

    Raises:
        ValueError: It is none.
    """
    found = _QUANTITY.match(str(text).strip())
    if not found:
        msg = f"{text!r} is no quantity; write 250m, 2, or 512Mi"
        raise ValueError(msg)
    number, suffix = found.groups()
    if suffix[:1] in ("e", "E") and suffix[1:]:
        return float(number + suffix)
    if suffix not in SUFFIXES:
        msg = f"{text!r} has the unknown suffix {suffix!r}; there are {', '.join(filter(None, SUFFIXES))}"
        raise ValueError(msg)
    return float(number) * SUFFIXES[suffix]


def requested(spec: Mapping[str, Any], resource: str) -> float:
    """Return how much of a resource a pod's containers ask for."""
    return sum(
        amount(((one.get("resources") or {}).get("requests") or {}).get(resource, 0))
        for one in spec.get("containers") or ()
    )
