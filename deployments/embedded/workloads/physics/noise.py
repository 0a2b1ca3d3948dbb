"""Noise that is a function of a key and an instant: the same whatever was asked before.

A generator that is drawn from in turn would give other numbers for other step sizes, or when one
replica more is there. Here every number is a hash of who asks, of what, and when.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats, Ints, Keys

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53


def key_of(text: str, *, seed: int = 0) -> int:
    """Return the key of a name, 64 bits; the same on every machine."""
    return int.from_bytes(blake2b(f"{seed}:{text}".encode(), digest_size=8).digest(), "big")


def pod_key(namespace: str, pod: str) -> int:
    """Return the key by which faults find a pod."""
    return key_of(f"{namespace}/{pod}")


def mixed(keys: Keys, counters: Ints | int, *, stream: int) -> Keys:
    """Return a hash of each key, counter and stream (Steele, Lea and Flood 2014, splitmix64).

    Args:
        keys: (n,) or broadcastable.
        counters: Such as the number of a time slot; may be negative.
        stream: Tells uses apart.
    """
    at = np.atleast_1d(np.asarray(counters, dtype=np.int64)).astype(np.uint64)
    offset = np.array([stream], dtype=np.uint64) * _SECOND
    value: Keys = keys + (at + np.uint64(1)) * _GOLDEN + offset
    for _ in range(2):
        value = (value ^ (value >> np.uint64(30))) * _FIRST
        value = (value ^ (value >> np.uint64(27))) * _SECOND
        value = value ^ (value >> np.uint64(31))
    return value


def uniforms(keys: Keys, counters: Ints | int, *, stream: int) -> Floats:
    """Return numbers strictly between 0 and 1, one for each key and counter."""
    bits = mixed(keys, counters, stream=stream) >> np.uint64(11)
    return (bits.astype(np.float64) + 0.5) * _TO_UNIT


def normals(keys: Keys, counters: Ints | int, *, stream: int) -> Floats:
    """Return standard normal numbers, one for each key and counter (Box and Muller 1958)."""
    bits = mixed(keys, counters, stream=stream)
    # One hash gives both uniforms: its halves are independent, and 32 bits reach 6.6 sigma.
    radius = ((bits >> np.uint64(32)).astype(np.float64) + 0.5) * 2.0**-32
    angle = (bits & np.uint64(0xFFFFFFFF)).astype(np.float64) * 2.0**-32
    found: Floats = np.sqrt(-2.0 * np.log(radius)) * np.cos(2.0 * np.pi * angle)
    return found


def wander(keys: Keys, seconds: float, *, knot_seconds: float, stream: int) -> Floats:
    """Return noise that moves slowly: normals at knots, joined by straight lines.

    Args:
        keys: (n,)
        seconds: When.
        knot_seconds: Between knots; above 0.
        stream: Tells uses apart.

    Returns:
        (n,), mean 0, standard deviation between 0.7 and 1.
    """
    place = seconds / knot_seconds
    knot = int(np.floor(place))
    part = place - knot
    both = normals(keys[:, None], np.array([[knot, knot + 1]]), stream=stream)
    return both[:, 0] * (1.0 - part) + both[:, 1] * part
