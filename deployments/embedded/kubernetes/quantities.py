"""Amounts as Kubernetes writes them: 250m processors, 512Mi of memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
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


PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_EXACT = re.compile(r"^([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+|[a-zA-Z]*)$")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_SIGNED = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_POWERS = {exponent: suffix for suffix, exponent in _BINARY.items()}
SMALLEST = Fraction(1, 10**9)


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """Return a quantity in its short form: without a fraction, with the largest suffix that allows it.

    Raises:
        ValueError: It is none.
    """
    found = _EXACT.match(text)
    if found is None or not _is_suffix(found[3]):
        msg = f"quantities must match the regular expression '{PATTERN}'"
        raise ValueError(msg)
    sign, digits, suffix = found.groups()
    number = Fraction(digits if digits[0] != "." else f"0{digits}")
    number = -number if sign == "-" else number
    if not number:
        return "0"
    if suffix in _BINARY:
        number *= 2 ** _BINARY[suffix]
        if number.denominator == 1 and abs(number) >= 1024:
            return _short_binary(int(number))
    elif suffix[:1] in ("e", "E") and suffix != "E":
        number *= Fraction(10) ** int(suffix[1:])
        return _short_exponent(number)
    else:
        number *= Fraction(10) ** _DECIMAL[suffix]
    return _short_decimal(number)


def _is_suffix(suffix: str) -> bool:
    return suffix in _DECIMAL or suffix in _BINARY or suffix[:1] in ("e", "E")


def _short_binary(number: int) -> str:
    power = max((p for p in _POWERS if number % 2**p == 0), default=0)
    return f"{number >> power}{_POWERS.get(power, '')}"


def _short_decimal(number: Fraction) -> str:
    # What is smaller than a billionth is rounded up to one, away from zero.
    scaled = -((-abs(number)) // SMALLEST)
    exponent = -9
    while exponent < 18 and scaled % 1000 == 0:
        scaled //= 1000
        exponent += 3
    return f"{'-' if number < 0 else ''}{scaled}{_SIGNED[exponent]}"


def _short_exponent(number: Fraction) -> str:
    scaled = -((-abs(number)) // SMALLEST)
    exponent = -9
    while scaled % 1000 == 0:
        scaled //= 1000
        exponent += 3
    return f"{'-' if number < 0 else ''}{scaled}{f'e{exponent}' if exponent else ''}"
