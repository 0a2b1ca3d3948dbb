"""Laws of usage features, clusters and memberships."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.clustering import usage_archetypes
from tasks.domain.usage.clusters import OPEN_SHARE, VOTERS, left_open, readings
from tasks.domain.usage.features import Feature, UsageFeatures, usage_features
from tasks.domain.usage.fleet import synthetic_fleet
from tasks.domain.usage.membership import Membership, settled
from tasks.domain.usage.names import ORDER, naming_table
from tasks.domain.usage.panel import Metric, UsagePanel

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 2 * 168

cpu_rows = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 3), st.just(HOURS)),
    elements=st.one_of(st.floats(0.125, 100.0, width=32), st.just(float("nan")), st.just(0.0)),
    fill=st.just(12.5),
)
names = st.sampled_from(list(Archetype))
margins = st.floats(0.0, 1.0)

SHARES = (Feature.NIGHT_SHARE, Feature.BUSY_SHARE, Feature.IDLE_SHARE)
UNIT_FREE = (
    Feature.PEAK_TO_MEAN,
    Feature.REGULAR,
    Feature.BURSTINESS,
    Feature.PEAK_HOUR,
    Feature.WEEKEND_DROP,
    Feature.NIGHT_SHARE,
    Feature.BUSY_SHARE,
    Feature.TREND,
    Feature.TREND_CONSISTENCY,
)


def features_of(cpu: np.ndarray, offset: int = 0) -> UsageFeatures:
    resources = tuple(f"i-{row}" for row in range(len(cpu)))
    panel = UsagePanel(resources=resources, start=MONDAY, values={Metric.CPU_MEAN: cpu})
    return usage_features(panel, utc_offsets=np.full(len(cpu), offset))


@settings(max_examples=40, deadline=None)
@given(cpu=cpu_rows)
def test_features_keep_their_bounds(cpu: np.ndarray) -> None:
    found = features_of(cpu)
    for feature in SHARES:
        known = found.of(feature)[~np.isnan(found.of(feature))]
        assert ((known >= -1e-9) & (known <= 1.0 + 1e-9)).all()
    for feature in (Feature.WEEKEND_DROP, Feature.TREND_CONSISTENCY):
        known = found.of(feature)[~np.isnan(found.of(feature))]
        assert (np.abs(known) <= 1.0 + 1e-9).all()
    ordered = [found.of(f) for f in (Feature.MEDIAN, Feature.P95, Feature.P99, Feature.HIGHEST)]
    for low, high in pairwise(ordered):
        assert not (low > high).any()


@settings(max_examples=40, deadline=None)
@given(cpu=cpu_rows)
def test_what_the_clock_explains_and_what_it_does_not_add_up(cpu: np.ndarray) -> None:
    found = features_of(cpu)
    level = found.of(Feature.LEVEL)
    whole = (found.of(Feature.REGULAR) ** 2 + found.of(Feature.BURSTINESS) ** 2) * level**2
    for row, total in zip(cpu.astype(np.float64), whole, strict=True):
        known = row[~np.isnan(row)]
        if len(known) and known.mean() > 0:
            np.testing.assert_allclose(total, known.var(), rtol=1e-3, atol=1e-3)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), power=st.integers(-3, 0))
def test_shapes_do_not_depend_on_the_unit(seed: int, power: int) -> None:
    fleet = synthetic_fleet(4, start=MONDAY, hours=HOURS, seed=seed)
    cpu = fleet.panel.of(Metric.CPU_MEAN)
    # Powers of two: the same digits, so that only the unit differs.
    one, other = features_of(cpu), features_of(cpu * np.float32(2.0**power))
    for feature in UNIT_FREE:
        np.testing.assert_allclose(one.of(feature), other.of(feature), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        one.of(Feature.LEVEL) * 2.0**power, other.of(Feature.LEVEL), rtol=1e-5
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), offset=st.integers(-11, 12))
def test_local_time_is_all_that_an_offset_changes(seed: int, offset: int) -> None:
    cpu = synthetic_fleet(3, start=MONDAY, hours=HOURS, seed=seed).panel.of(Metric.CPU_MEAN)
    here, there = features_of(cpu), features_of(cpu, offset)
    for feature in (Feature.LEVEL, Feature.P95, Feature.DAILY, Feature.TREND):
        np.testing.assert_allclose(here.of(feature), there.of(feature), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.roll(here.profiles, offset, axis=1), there.profiles, rtol=1e-5)


@pytest.mark.slow
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_resources_does_not_matter(seed: int) -> None:
    fleet = synthetic_fleet(40, start=MONDAY, hours=HOURS, seed=seed)
    features = usage_features(fleet.panel, utc_offsets=fleet.utc_offsets)
    order = np.random.default_rng(seed).permutation(40)
    one = usage_archetypes(features, seed=seed)
    other = usage_archetypes(features.take(order), seed=seed)
    assert dict(zip(other.resources, other.found, strict=True)) == dict(
        zip(one.resources, one.found, strict=True)
    )
    assert other.cluster_count == one.cluster_count
    assert other.memberships == one.memberships


votes = arrays.arrays(np.int64, (VOTERS, 4), elements=st.integers(0, len(ORDER) - 1))


@given(clustered=votes, read=votes)
def test_no_cluster_gives_a_name_that_the_hours_of_the_resource_do_not(
    clustered: np.ndarray, read: np.ndarray
) -> None:
    found = left_open(clustered, read)
    for row in range(read.shape[1]):
        counts = np.bincount(read[:, row], minlength=len(ORDER))
        assert set(found[:, row]) <= set(read[:, row])
        taken = found[:, row] != read[:, row]
        assert (counts[found[taken, row]] >= OPEN_SHARE * VOTERS).all()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_what_a_resource_reads_does_not_depend_on_the_others(seed: int) -> None:
    fleet = synthetic_fleet(6, start=MONDAY, hours=HOURS, seed=seed)
    table = naming_table(usage_features(fleet.panel, utc_offsets=fleet.utc_offsets))
    np.testing.assert_array_equal(readings(table)[:, :2], readings(table[:2]))


@given(findings=st.lists(st.tuples(names, margins), min_size=1, max_size=30), first=names)
def test_a_resource_moves_only_to_what_was_found_twice_in_a_row(
    findings: list[tuple[Archetype, float]], first: Archetype
) -> None:
    now = Membership(archetype=first, margin=1.0)
    last: Archetype | None = None
    for found, margin in findings:
        after = settled(now, found, margin=margin)
        if after.archetype is not now.archetype:
            assert after.archetype is found
            assert now.archetype is Archetype.UNUSUAL or last is found
        now, last = after, found


@given(previous=names, found=names, margin=margins)
def test_finding_the_same_for_long_enough_always_settles_it(
    previous: Archetype, found: Archetype, margin: float
) -> None:
    now = Membership(archetype=previous, margin=1.0)
    for _ in range(5):
        now = settled(now, found, margin=margin)
    assert now == Membership(archetype=found, margin=margin)
