"""What people read of a run: a short summary with a chart in it, and a table of archetypes."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.clock import HOURS_PER_DAY, HOURS_PER_WEEK
from tasks.domain.usage.clustering import ArchetypeProfile, UsageArchetypes
from tasks.domain.usage.features import Feature

SHAKY_BELOW = 0.6
"""Stability below which the table says so."""
CLOCKED = (Archetype.DAILY, Archetype.BUSINESS_HOURS, Archetype.NIGHTLY_BATCH)
"""Archetypes of which an hour of the day is worth telling."""
MOST_MOVES = 10
MOST_LINES = 4
COLOURS = ("#1d4ed8", "#c2570c", "#15803d", "#7e22ce")
COLOUR_WORDS = ("blue", "orange", "green", "violet")


def usage_markdown(archetypes: UsageArchetypes, *, end: datetime, days: float, chart: str) -> str:
    """Return the summary of a run.

    Args:
        archetypes: What was found.
        end: End of the last hour seen, aware UTC.
        days: Of history looked at.
        chart: Mermaid text, from `week_chart`; empty for none.
    """
    parts = [
        f"# How {len(archetypes.resources):,} resources are used, {end:%d %b %Y %H:%M} UTC",
        f"By {days:g} days of hourly use. Hours are the local time of each region; summer time is "
        "left out, and people who are elsewhere have other hours.",
        *_found(archetypes),
        *_unknown(archetypes),
        *_moves(archetypes),
        *([f"## A mean week\n\n{chart}"] if chart else []),
    ]
    return "\n\n".join(parts) + "\n"


def _found(archetypes: UsageArchetypes) -> list[str]:
    if not archetypes.cluster_count:
        return ["**Nothing was compared:** fewer than two resources have enough history."]
    head = (
        "| archetype | resources | processor, typical | in busy hours | around | sure | suggestion |"
        "\n|---|--:|--:|--:|--:|--:|---|"
    )
    lines = [_line(one) for one in archetypes.profiles if one.stability is not None]
    return ["\n".join([head, *lines]), _sureness(archetypes)]


def _line(one: ArchetypeProfile) -> str:
    level, busy = one.quartiles[Feature.LEVEL][1], _percent(one.quartiles[Feature.P95][1])
    if one.archetype is Archetype.BURSTY:  # peaks may be rarer than one hour in twenty
        busy = f"{_percent(one.quartiles[Feature.P99][1])} (busiest 1 %)"
    also = ""
    if one.archetype is Archetype.GROWING:
        also = f" ({one.quartiles[Feature.TREND][1]:+.0%} a week)"
    if one.archetype is Archetype.MEMORY_BOUND:
        also = f" ({_percent(one.quartiles[Feature.MEMORY][1])} of memory)"
    return (
        f"| **{one.archetype}** | {one.resources:,} | {_percent(level)}{also} | {busy} "
        f"| {_busiest(one)} | {one.stability or 0.0:.2f} | {one.treatment.text} |"
    )


def _sureness(archetypes: UsageArchetypes) -> str:
    shaky = [
        one.archetype.value
        for one in archetypes.profiles
        if one.stability is not None and one.stability < SHAKY_BELOW
    ]
    said = (
        '"Typical" is the median of the resources, "busy hours" the busiest 5 %. "Sure" is how '
        "much of an archetype stays the same when it is found anew on random samples of the fleet, "
        "its limits read with an error of a tenth: "
        f"1 is all, 0 nothing.{_together(archetypes)}"
    )
    return said + (f" **Least sure: {', '.join(shaky)}.**" if shaky else "")


def _together(archetypes: UsageArchetypes) -> str:
    """Return how far all names agree; empty where there is one name, which agrees by itself."""
    if archetypes.stability is None or len(set(archetypes.found)) < 2:
        return ""
    return f" All names together agree {archetypes.stability:.2f}, where 0 is chance."


def _unknown(archetypes: UsageArchetypes) -> list[str]:
    count = len(archetypes.resources)
    known = sum(one.memory_known for one in archetypes.profiles)
    said = []
    if known < count:
        said.append(
            f"Memory is unknown for {count - known:,} of {count:,}: without an agent nobody can "
            "tell whether they are memory-bound."
        )
    reasons = Counter(archetypes.reasons.values())
    short = sum(number for why, number in reasons.items() if "hours are known" in why)
    moves = sum(number for why, number in reasons.items() if "network or disk" in why)
    other = sum(reasons.values()) - short - moves
    if short:
        said.append(f"Too little history to say anything: {_count(short)}.")
    if moves:
        said.append(
            f"Hardly any processor, but much network or disk, so not idle: {_count(moves)}."
        )
    if other:
        said.append(f"Like nothing that has a name here: {_count(other)}.")
    return ["## Not known\n\n" + " ".join(said)] if said else []


def _moves(archetypes: UsageArchetypes) -> list[str]:
    if not archetypes.moved and not archetypes.held:
        return []
    lines = [
        f"- `{resource}`: {old} before, {archetypes.memberships[resource].archetype} now"
        for resource, old in sorted(archetypes.moved.items())[:MOST_MOVES]
    ]
    more = len(archetypes.moved) - MOST_MOVES
    lines += [f"- and {more:,} more"] if more > 0 else []
    said = f"{len(archetypes.moved):,} moved since the last run"
    if archetypes.held:
        said += f"; {len(archetypes.held):,} look different now and stay until it is seen again"
    return ["\n".join([f"## Changes\n\n{said}.\n", *lines])]


def usage_rows(archetypes: UsageArchetypes) -> list[dict[str, object]]:
    """Return the table of archetypes, largest first; a dash for what is unknown."""
    return [_row(one, len(archetypes.resources)) for one in archetypes.profiles]


def _row(one: ArchetypeProfile, count: int) -> dict[str, object]:
    return {  # the most telling first: a narrow screen shows as many as fit
        "archetype": one.archetype.value,
        "resources": one.resources,
        "share": f"{one.resources / count:.0%}",
        "sure (0 to 1)": None if one.stability is None else round(one.stability, 2),
        "processor, mean": _range(one.quartiles[Feature.LEVEL]),
        "processor, busy hours": _range(one.quartiles[Feature.P95]),
        "memory": _range(one.quartiles[Feature.MEMORY]),
        "memory known": f"{one.memory_known:,} of {one.resources:,}",
        "busiest around": _busiest(one),
        "hours below 5 %": _share(one.quartiles[Feature.IDLE_SHARE][1]),
        "change a week": _signed(one.quartiles[Feature.TREND][1]),
        "suggestion": one.treatment.text,
        "look for": ", ".join(one.treatment.kinds) or "-",
    }


def week_chart(archetypes: UsageArchetypes) -> str:
    """Return a Mermaid chart of a mean week of the largest archetypes; empty when there is none.

    Points are means of three hours. It shows where no bucket for the PNG is at hand; Mermaid has
    no legend for lines, so the text under it is one.
    """
    shown = [
        one
        for one in archetypes.profiles
        if one.archetype not in (Archetype.UNUSUAL, Archetype.IDLE)
        and bool(np.isfinite(one.week_percent).all())
    ][:MOST_LINES]
    if not shown:
        return ""
    lines = [one.week_percent.reshape(-1, 3).mean(axis=1) for one in shown]
    highest = max(float(line.max()) for line in lines)
    drawn = "\n".join(f"  line [{', '.join(f'{value:.1f}' for value in line)}]" for line in lines)
    named = "; ".join(
        f"{word}: {one.archetype}" for word, one in zip(COLOUR_WORDS, shown, strict=False)
    )
    return "\n".join(
        [
            "```mermaid",
            _theme(),
            "xychart-beta",
            '  title "Mean processor use, percent"',
            f'  x-axis "days from Monday 00:00, local time" 0 --> {HOURS_PER_WEEK // HOURS_PER_DAY}',
            f"  y-axis 0 --> {1.1 * highest:.1f}",
            drawn,
            "```",
            "",
            f"{named[0].upper()}{named[1:]}.",
        ]
    )


def _theme() -> str:
    colours = (
        '"backgroundColor": "#fbfbfd", "titleColor": "#1f2430", "xAxisLabelColor": "#4b5563", '
        '"yAxisLabelColor": "#4b5563", "xAxisTitleColor": "#4b5563", '
        '"yAxisTitleColor": "#4b5563", "xAxisLineColor": "#9ca3af", "yAxisLineColor": "#9ca3af", '
        '"xAxisTickColor": "#9ca3af", "yAxisTickColor": "#9ca3af", '
        f'"plotColorPalette": "{", ".join(COLOURS)}"'
    )
    return f'%%{{init: {{"theme": "base", "themeVariables": {{"xyChart": {{{colours}}}}}}}}}%%'


def _busiest(one: ArchetypeProfile) -> str:
    """Return the local hour around which a clocked archetype is busiest."""
    hour = one.quartiles[Feature.PEAK_HOUR][1]
    if one.archetype not in CLOCKED or np.isnan(hour):
        return "-"
    return f"{round(hour) % HOURS_PER_DAY:02d}:00"


def _range(quartiles: FloatArray) -> str:
    low, middle, high = quartiles.tolist()
    if np.isnan(middle):
        return "-"
    return f"{_percent(middle)} (half of them: {_percent(low)} to {_percent(high)})"


def _percent(value: float) -> str:
    return "unknown" if np.isnan(value) else f"{value:.1f} %" if value < 9.95 else f"{value:.0f} %"


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.0%}"


def _signed(value: float) -> str:
    # Adding zero makes a rounded -0.0 positive.
    return "-" if np.isnan(value) else f"{round(value, 3) + 0.0:+.1%}"


def _count(number: int) -> str:
    return f"{number:,} resource{'' if number == 1 else 's'}"
