"""The archetypes of use: their names, what each looks like, and what to do with one."""

from __future__ import annotations

from enum import StrEnum


class Archetype(StrEnum):
    """How a resource is used. Times are those of the resource's region."""

    IDLE = "idle"
    """Hardly any processor, network or disk, all the time."""
    STEADY = "steady"
    """A level that hardly changes, by day and by week."""
    DAILY = "daily"
    """A swing every day, weekends too."""
    BUSINESS_HOURS = "business-hours"
    """Busy on working days, quiet at night and on weekends."""
    NIGHTLY_BATCH = "nightly-batch"
    """A short block of work at the same time every day, mostly at night; quiet otherwise."""
    BURSTY = "bursty"
    """Short peaks at no fixed time, quiet otherwise."""
    MEMORY_BOUND = "memory-bound"
    """Much memory and little processor."""
    GROWING = "growing"
    """A level that rises by the week."""
    UNUSUAL = "unusual"
    """None of the above, or too little is known."""
