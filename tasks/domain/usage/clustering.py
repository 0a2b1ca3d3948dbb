"""The archetypes of a fleet: who belongs to which, how sure that is, and what each looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tasks.domain.arrays import BoolArray, FloatArray, IntArray
from tasks.domain.usage.archetypes import Archetype
from tasks.domain.usage.clock import HOURS_PER_DAY, HOURS_PER_WEEK
from tasks.domain.usage.clusters import Votes, votes_on
from tasks.domain.usage.features import Feature, UsageFeatures
from tasks.domain.usage.membership import Membership, settled
from tasks.domain.usage.names import ORDER, naming_table
from tasks.domain.usage.space import coordinates_of, scaling_of
from tasks.domain.usage.treatments import TREATMENTS, Treatment

MIN_KNOWN_HOURS = 252
"""Three quarters of two weeks; with less, a weekend cannot be told from an accident."""
MIN_RESOURCES = 2
MOVES_BYTES_PER_SECOND = 1e6
"""Mean network or disk from which on nothing is called idle, however little processor it uses."""


@dataclass(frozen=True, kw_only=True)
class ArchetypeProfile:
    """One archetype as found in a fleet.

    Attributes:
        resources: Number of its resources, in this run's finding.
        stability: Mean overlap (Jaccard) of its members between a resample's fit and the vote, 0
            to 1; None for resources of which too little is known.
        clusters: Of the first fit, merged under this name; 0 when only other fits have it.
        week_percent: (168,) mean processor percent by local hour of the week, Monday first; NaN
            where no resource was seen.
        quartiles: By feature, (3,): quartiles over the resources that know it; NaN if none does.
        memory_known: Resources whose memory is known.
    """

    archetype: Archetype
    resources: int
    stability: float | None
    clusters: int
    week_percent: FloatArray
    quartiles: Mapping[Feature, FloatArray]
    memory_known: int

    @property
    def treatment(self) -> Treatment:
        """What to look at."""
        return TREATMENTS[self.archetype]


@dataclass(frozen=True, kw_only=True)
class UsageArchetypes:
    """What a run found.

    Attributes:
        resources: (n,) ids.
        found: By row, this run's finding.
        memberships: By resource, after comparing with earlier runs; what acts goes by these. A
            resource of which too little is known keeps what it was, and has none if it was new.
        margins: (n,) share of votes for the name found, less the next one's; NaN: not voted on.
        clusters: (n,) cluster in the first fit; -1: not clustered.
        reasons: By resource, why it is UNUSUAL.
        profiles: Of the names found, largest first.
        cluster_count: Number of clusters chosen; 0 when nothing could be clustered.
        agreement: By number of clusters tried, agreement of the clusters' names between resamples.
        name_agreement: Agreement of the resources' names between voters; None without clusters.
        moved: Resources whose archetype changed against earlier runs, with the old one.
        held: Resources that keep theirs although this run found another.
    """

    resources: tuple[str, ...]
    found: tuple[Archetype, ...]
    memberships: Mapping[str, Membership]
    margins: FloatArray
    clusters: IntArray
    reasons: Mapping[str, str]
    profiles: tuple[ArchetypeProfile, ...]
    cluster_count: int
    agreement: Mapping[int, float]
    moved: Mapping[str, Archetype]
    held: tuple[str, ...]
    name_agreement: float | None = None

    @property
    def stability(self) -> float | None:
        """Mean adjusted Rand index of the names between voters; None without clusters."""
        return self.name_agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vote:
    """Findings of the resources with enough history.

    Attributes:
        names: (m,) positions in ORDER.
        margins: (m,).
        stability: By position in ORDER.
    """

    names: IntArray
    margins: FloatArray
    stability: Mapping[int, float]


def usage_archetypes(
    features: UsageFeatures, *, seed: int, previous: Mapping[str, Membership] | None = None
) -> UsageArchetypes:
    """Return the archetypes of a fleet; the order of its resources does not matter.

    Args:
        features: Of all resources.
        seed: Of resampling and k-means; the same seed gives the same answer.
        previous: Memberships after the last run; None for a first run.
    """
    enough = features.of(Feature.KNOWN_HOURS) >= MIN_KNOWN_HOURS
    rows = np.flatnonzero(enough)
    votes = archetype_votes(features.take(rows), seed=seed) if len(rows) >= MIN_RESOURCES else None
    count = len(features)
    names = np.full(count, ORDER.index(Archetype.UNUSUAL), dtype=np.int64)
    margins, clusters = np.full(count, np.nan), np.full(count, -1, dtype=np.int64)
    stability: Mapping[int, float] = {}
    if votes is not None:
        vote = _counted(votes)
        names[rows], margins[rows], clusters[rows] = vote.names, vote.margins, votes.labels
        stability = vote.stability
    moves = (names == ORDER.index(Archetype.IDLE)) & (
        _bytes_per_second(features) >= MOVES_BYTES_PER_SECOND
    )
    names[moves] = ORDER.index(Archetype.UNUSUAL)
    found = tuple(ORDER[at] for at in names.tolist())
    voted = ~np.isnan(margins)
    now = _settled(features.resources, found, margins, previous or {})
    return UsageArchetypes(
        resources=features.resources,
        found=found,
        memberships=now,
        margins=margins,
        clusters=clusters,
        reasons=_reasons(features, found, enough, moves),
        profiles=_profiles(features, names, stability, votes, voted),
        cluster_count=0 if votes is None else votes.clusters,
        agreement={} if votes is None else votes.agreement,
        name_agreement=None if votes is None else votes.name_agreement,
        moved=_moved(now, previous or {}),
        held=tuple(one for one, kept in now.items() if kept.challenger is not None),
    )


def archetype_votes(features: UsageFeatures, *, seed: int, drawn: IntArray | None = None) -> Votes:
    """Return the votes on every resource, all of which need enough history.

    Args:
        features: Of the resources.
        seed: Of resampling and k-means.
        drawn: Rows to scale by and to fit to, perhaps some twice; None for all.
    """
    coordinates = coordinates_of(features)
    scaling = scaling_of(coordinates if drawn is None else coordinates[drawn])
    return votes_on(scaling(coordinates), naming_table(features), seed=seed, drawn=drawn)


def majority(votes: Votes) -> tuple[IntArray, FloatArray]:
    """Return the (n,) names voted for, positions in ORDER, and their margins.

    Of a tie, the name that comes first in ORDER; its margin is 0.
    """
    tally = np.stack([(votes.names == name).sum(axis=0) for name in range(len(ORDER))], axis=1)
    first_two = np.sort(tally, axis=1)[:, -2:]
    return np.argmax(tally, axis=1), (first_two[:, 1] - first_two[:, 0]) / len(votes.names)


def _counted(votes: Votes) -> _Vote:
    winner, margins = majority(votes)
    stability = {
        int(name): float(np.mean([_overlap(one == name, winner == name) for one in votes.names]))
        for name in np.unique(winner)
    }
    return _Vote(names=winner, margins=margins, stability=stability)


def _overlap(one: BoolArray, other: BoolArray) -> float:
    return float((one & other).sum() / max(int((one | other).sum()), 1))


def _settled(
    resources: tuple[str, ...],
    found: tuple[Archetype, ...],
    margins: FloatArray,
    previous: Mapping[str, Membership],
) -> dict[str, Membership]:
    now: dict[str, Membership] = {}
    for resource, name, margin in zip(resources, found, margins.tolist(), strict=True):
        before = previous.get(resource)
        if not np.isnan(margin):
            now[resource] = settled(before, name, margin=margin)
        elif before is not None:
            now[resource] = before
    return now


def _moved(
    now: Mapping[str, Membership], previous: Mapping[str, Membership]
) -> dict[str, Archetype]:
    return {
        resource: previous[resource].archetype
        for resource, one in now.items()
        if resource in previous and previous[resource].archetype is not one.archetype
    }


def _bytes_per_second(features: UsageFeatures) -> FloatArray:
    """Return (n,) the larger of mean network and disk; NaN where neither is known."""
    found: FloatArray = np.fmax(features.of(Feature.NETWORK), features.of(Feature.DISK))
    return found


def _reasons(
    features: UsageFeatures,
    found: tuple[Archetype, ...],
    enough: BoolArray,
    moves: BoolArray,
) -> dict[str, str]:
    known = features.of(Feature.KNOWN_HOURS)
    reasons = {}
    for row in np.flatnonzero([one is Archetype.UNUSUAL for one in found]).tolist():
        reasons[features.resources[row]] = (
            f"{known[row]:.0f} of {features.history_hours} hours are known, needs "
            f"{MIN_KNOWN_HOURS} (three quarters of two weeks)"
            if not enough[row]
            else "no rule fits it"
        )
    traffic = _bytes_per_second(features)
    for row in np.flatnonzero(moves).tolist():
        reasons[features.resources[row]] = (
            f"hardly any processor, but {traffic[row] / 1e6:.1f} MB/s of network or disk"
        )
    if enough.sum() < MIN_RESOURCES:
        alone = np.flatnonzero(enough).tolist()
        reasons |= {features.resources[row]: "nothing to compare it with" for row in alone}
    return reasons


def _profiles(
    features: UsageFeatures,
    names: IntArray,
    stability: Mapping[int, float],
    votes: Votes | None,
    voted: BoolArray,
) -> tuple[ArchetypeProfile, ...]:
    merged = () if votes is None else votes.cluster_names
    found = []
    for at in np.unique(names).tolist():
        members = np.flatnonzero(names == at)
        known = bool(voted[members].any())
        found.append(
            _profile(
                features,
                members,
                archetype=ORDER[at],
                stability=stability.get(at) if known else None,
                clusters=merged.count(ORDER[at]),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.resources, ORDER.index(one.archetype))))


def _profile(
    features: UsageFeatures,
    members: IntArray,
    *,
    archetype: Archetype,
    stability: float | None,
    clusters: int,
) -> ArchetypeProfile:
    return ArchetypeProfile(
        archetype=archetype,
        resources=len(members),
        stability=stability,
        clusters=clusters,
        week_percent=_mean_week(features, members),
        quartiles={f: _quartiles(features.of(f)[members], f) for f in Feature},
        memory_known=int((~np.isnan(features.of(Feature.MEMORY)[members])).sum()),
    )


def _mean_week(features: UsageFeatures, members: IntArray) -> FloatArray:
    weeks = features.profiles[members]
    known = ~np.isnan(weeks)
    total = np.where(known, weeks, np.float32(0.0)).sum(axis=0, dtype=np.float64)
    number = known.sum(axis=0)
    found: FloatArray = total / np.where(number > 0, number, np.nan)
    return found.reshape(HOURS_PER_WEEK)


def _quartiles(values: FloatArray, feature: Feature) -> FloatArray:
    known = values[~np.isnan(values)]
    if not len(known):
        return np.full(3, np.nan)
    if feature is Feature.PEAK_HOUR:
        return _circular_quartiles(known)
    return np.quantile(known, [0.25, 0.5, 0.75])


def _circular_quartiles(hours: FloatArray) -> FloatArray:
    """Return quartiles of hours of the day around their mean direction, so that 23 is near 1."""
    angle = hours * (2.0 * np.pi / HOURS_PER_DAY)
    middle = np.arctan2(np.sin(angle).mean(), np.cos(angle).mean()) * HOURS_PER_DAY / (2.0 * np.pi)
    apart = (hours - middle + HOURS_PER_DAY / 2) % HOURS_PER_DAY - HOURS_PER_DAY / 2
    found: FloatArray = (np.quantile(apart, [0.25, 0.5, 0.75]) + middle) % HOURS_PER_DAY
    return found
