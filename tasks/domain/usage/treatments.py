"""What to look at for each archetype, in words and as kinds of opportunity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.domain.savings.opportunity import Kind
from tasks.domain.usage.archetypes import Archetype


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """A suggestion; nothing is decided by it.

    Attributes:
        text: For people.
        kinds: For the savings step, most promising first; empty where there is nothing to save.
    """

    text: str
    kinds: tuple[Kind, ...]


TREATMENTS: Mapping[Archetype, Treatment] = {
    Archetype.IDLE: Treatment(
        text="Ask the owner whether it is needed; stop it, or replace it by a function.",
        kinds=(Kind.STOP, Kind.SERVERLESS, Kind.RIGHT_SIZE),
    ),
    Archetype.STEADY: Treatment(
        text="Right-size it, then commit to what is left.",
        kinds=(Kind.RIGHT_SIZE, Kind.COMMITMENT),
    ),
    Archetype.DAILY: Treatment(
        text="Scale it ahead of the daily peak; commit to the trough only.",
        kinds=(Kind.PREDICTIVE_SCALING, Kind.RIGHT_SIZE, Kind.COMMITMENT),
    ),
    Archetype.BUSINESS_HOURS: Treatment(
        text="Stop it outside working hours, or scale it ahead of them.",
        kinds=(Kind.SCHEDULE, Kind.PREDICTIVE_SCALING, Kind.RIGHT_SIZE),
    ),
    Archetype.NIGHTLY_BATCH: Treatment(
        text="Run it on spot, and only while the work lasts.",
        kinds=(Kind.SPOT, Kind.SCHEDULE, Kind.SERVERLESS),
    ),
    Archetype.BURSTY: Treatment(
        text="Use a burstable type or a function; keep headroom for the peaks.",
        kinds=(Kind.SERVERLESS, Kind.SPOT, Kind.RIGHT_SIZE),
    ),
    Archetype.MEMORY_BOUND: Treatment(
        text="Move it to a type with more memory per processor; never size it by processor alone.",
        kinds=(Kind.RIGHT_SIZE, Kind.COMMITMENT),
    ),
    Archetype.GROWING: Treatment(
        text="Leave its size alone; plan for the growth and look again in a month.",
        kinds=(Kind.PREDICTIVE_SCALING,),
    ),
    Archetype.UNUSUAL: Treatment(text="Look at it by hand; nothing is suggested.", kinds=()),
}
