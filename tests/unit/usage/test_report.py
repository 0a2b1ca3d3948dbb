import re
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.chart import profile_chart
from tasks.domain.usage.clustering import ArchetypeProfile, UsageArchetypes
from tasks.domain.usage.features import Feature
from tasks.domain.usage.membership import Membership
from tasks.domain.usage.report import usage_markdown, usage_rows, week_chart

END = datetime(2026, 3, 30, tzinfo=UTC)


def profile(
    archetype: Archetype,
    *,
    resources: int = 4,
    memory_known: int = 4,
    stability: float | None = 0.95,
    middle: Mapping[Feature, float] | None = None,
) -> ArchetypeProfile:
    medians = dict.fromkeys(Feature, 10.0) | dict(middle or {})
    return ArchetypeProfile(
        archetype=archetype,
        resources=resources,
        stability=stability,
        clusters=1,
        week_percent=np.full(168, 12.5),
        quartiles={f: np.array([0.5, 1.0, 2.0]) * value for f, value in medians.items()},
        memory_known=memory_known,
    )


def found(
    *profiles: ArchetypeProfile,
    reasons: Mapping[str, str] | None = None,
    moved: Mapping[str, Archetype] | None = None,
    held: tuple[str, ...] = (),
) -> UsageArchetypes:
    names = tuple(p.archetype for p in profiles for _ in range(p.resources))
    resources = tuple(f"i-{row}" for row in range(len(names)))
    return UsageArchetypes(
        resources=resources,
        found=names,
        memberships={
            resource: Membership(archetype=name, margin=1.0)
            for resource, name in zip(resources, names, strict=True)
        },
        margins=np.ones(len(names)),
        clusters=np.zeros(len(names), dtype=np.int64),
        reasons=reasons or {},
        profiles=profiles,
        cluster_count=8 if any(p.stability is not None for p in profiles) else 0,
        agreement={8: 0.5},
        name_agreement=0.87,
        moved=moved or {},
        held=held,
    )


def summary(archetypes: UsageArchetypes) -> str:
    return usage_markdown(archetypes, end=END, days=28, chart=week_chart(archetypes))


def test_each_archetype_is_a_line_with_its_numbers_and_a_suggestion() -> None:
    office = profile(Archetype.BUSINESS_HOURS, middle={Feature.P95: 55.0, Feature.PEAK_HOUR: 13.2})
    text = summary(found(office, profile(Archetype.STEADY)))
    assert "| **business-hours** | 4 | 10 % | 55 % | 13:00 | 0.95 | Stop it outside" in text
    assert "All names together agree 0.87" in text


def test_peaks_are_told_by_the_busiest_hours_that_make_them() -> None:
    peaks = {Feature.LEVEL: 4.0, Feature.P95: 4.5, Feature.P99: 62.0}
    text = summary(found(profile(Archetype.BURSTY, middle=peaks)))
    assert "| **bursty** | 4 | 4.0 % | 62 % (busiest 1 %) |" in text


def test_a_single_name_has_nothing_to_agree_with() -> None:
    assert "together agree" not in summary(found(profile(Archetype.STEADY)))


def test_unknown_memory_is_said_and_never_zero() -> None:
    unknown = profile(Archetype.STEADY, memory_known=1, middle={Feature.MEMORY: float("nan")})
    archetypes = found(unknown)
    assert "Memory is unknown for 3 of 4" in summary(archetypes)
    row = usage_rows(archetypes)[0]
    assert row["memory"] == "-"
    assert row["memory known"] == "1 of 4"


def test_nothing_is_said_to_be_unknown_when_all_is_known() -> None:
    assert "Not known" not in summary(found(profile(Archetype.STEADY)))


def test_too_little_history_and_no_name_are_told_apart() -> None:
    reasons = {
        "i-0": "10 of 672 hours are known, needs 252",
        "i-1": "20 of 672 hours are known, needs 252",
        "i-3": "hardly any processor, but 5.0 MB/s of network or disk",
        "i-2": "no rule fits it",
    }
    text = summary(found(profile(Archetype.UNUSUAL, stability=0.7), reasons=reasons))
    assert "Too little history to say anything: 2 resources." in text
    assert "much network or disk, so not idle: 1 resource." in text
    assert "Like nothing that has a name here: 1 resource." in text


def test_moves_are_counted_and_listed() -> None:
    moved = {"i-1": Archetype.IDLE}
    text = summary(found(profile(Archetype.DAILY), moved=moved, held=("i-2",)))
    assert "1 moved since the last run; 1 look different now and stay" in text
    assert "- `i-1`: idle before, daily now" in text


def test_what_is_hardly_stable_is_named() -> None:
    text = summary(found(profile(Archetype.DAILY, stability=0.4), profile(Archetype.IDLE)))
    assert "**Least sure: daily.**" in text


def test_a_fleet_without_history_says_that_nothing_was_compared() -> None:
    text = summary(found(profile(Archetype.UNUSUAL, stability=None)))
    assert "**Nothing was compared:**" in text
    assert "| archetype |" not in text


def test_a_row_gives_ranges_with_units_and_what_to_look_for() -> None:
    row = usage_rows(found(profile(Archetype.IDLE, middle={Feature.LEVEL: 1.2})))[0]
    assert row["processor, mean"] == "1.2 % (half of them: 0.6 % to 2.4 %)"
    assert row["look for"] == "stop, serverless, right-size"
    assert row["busiest around"] == "-"


def test_a_change_that_rounds_to_nothing_has_no_minus() -> None:
    row = usage_rows(found(profile(Archetype.STEADY, middle={Feature.TREND: -0.0001})))[0]
    assert row["change a week"] == "+0.0%"


def test_the_chart_of_the_week_has_a_line_and_a_colour_for_at_most_four() -> None:
    many = (Archetype.STEADY, Archetype.DAILY, Archetype.BURSTY, Archetype.GROWING)
    text = week_chart(found(*map(profile, many), profile(Archetype.BUSINESS_HOURS)))
    assert len(re.findall(r"^  line \[", text, re.MULTILINE)) == 4
    assert "Blue: steady; orange: daily; green: bursty; violet: growing." in text
    assert len(re.findall(r"12\.5", text)) == 4 * 56


def test_there_is_no_chart_of_what_is_idle() -> None:
    assert week_chart(found(profile(Archetype.IDLE))) == ""


def test_the_picture_is_a_png_even_where_an_hour_was_never_seen() -> None:
    gap = profile(Archetype.STEADY)
    gap.week_percent[5] = np.nan
    assert profile_chart([gap], title="A week").startswith(b"\x89PNG")
    blank = profile(Archetype.UNUSUAL, middle={Feature.P95: float("nan")})
    blank.week_percent[:] = np.nan
    assert profile_chart([blank], title="A week").startswith(b"\x89PNG")
