"""Whether a challenger has proven better than the champion, and nowhere worse where it matters."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.domain.arrays import FloatArray
from tasks.domain.load.forecasts import LEVEL
from tasks.domain.models.paired import Gain, gain


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionPolicy:
    """What a challenger has to show.

    Attributes:
        significance: Largest one-sided p-value of a challenger that is not better by min_better.
        min_better: Refits differ by so much, 0 to 1, without either being better next time.
        confidence: Of the interval of the improvement.
        group_confidence: One-sided, of the bound of each group.
        max_group_worse: By how much a critical group may err more, 0 to 1; what the bound has to
            rule out, so that too little evidence is no permission.
        min_origins: With fewer in common nothing is decided.
        coverage_slack: The challenger's coverage stays so near LEVEL, or as near as the champion's.
        coverage_noise: Coverage this much further off than the champion's is not worse.
    """

    significance: float = 0.025
    min_better: float = 0.005
    confidence: float = 0.95
    group_confidence: float = 0.9
    max_group_worse: float = 0.02
    min_origins: int = 8
    coverage_slack: float = 0.03
    coverage_noise: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupGain:
    """What the challenger does to one group.

    Attributes:
        name: The group.
        better_percent: By how much it errs less; NaN when unknown.
        at_least_percent: Lower bound of it, one-sided; minus infinity when unknown.
        critical: Whether it can stop a promotion.
    """

    name: str
    better_percent: float
    at_least_percent: float
    critical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionVerdict:
    """Whether the challenger takes over, with the evidence.

    Attributes:
        promote: The verdict.
        better_percent: By how much the challenger errs less; NaN when unknown.
        low_percent: Lower end of its interval.
        high_percent: Upper end.
        p_value: One-sided, of a challenger that is not better by the policy's min_better.
        groups: Of every group, the worst lower bound first.
        champion_coverage: Of its intervals, 0 to 1; None when not given.
        challenger_coverage: The same.
        reason: The verdict in words.
    """

    promote: bool
    better_percent: float
    low_percent: float
    high_percent: float
    p_value: float
    groups: tuple[GroupGain, ...]
    champion_coverage: float | None
    challenger_coverage: float | None
    reason: str

    @property
    def worst_group(self) -> GroupGain | None:
        """The group that may have become worst; None without groups."""
        return self.groups[0] if self.groups else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one model made of a window.

    Attributes:
        errors: (origins, series) at least 0, scaled so that series may be added; NaN unknown.
        hits: (origins, series) share of the values within the interval of LEVEL; None without.
    """

    errors: FloatArray
    hits: FloatArray | None = None


def judge_challenger(
    champion: Trial,
    challenger: Trial,
    *,
    groups: Sequence[str] | NDArray[np.str_],
    critical_groups: Collection[str] = (),
    overlap: int = 1,
    policy: PromotionPolicy | None = None,
) -> PromotionVerdict:
    """Return whether the challenger takes over, after both forecast the same origins.

    Args:
        champion: Of the model that serves.
        challenger: Of the model that would; same origins and series.
        groups: (series,) what each series belongs to.
        critical_groups: Those that may not become worse; one without data stops a promotion.
        overlap: Neighbouring origins whose horizons share time, itself included: with a horizon of
            24 h and origins every 6 h it is 4.
        policy: What the challenger has to show.
    """
    policy = policy or PromotionPolicy()
    whole = gain(champion.errors, challenger.errors, overlap=overlap)
    found = _groups(champion, challenger, groups, critical_groups, overlap=overlap, policy=policy)
    coverage = _coverage(champion), _coverage(challenger)
    against = (
        _too_little(whole, policy)
        or _not_better(whole, policy)
        or _worse_group(found, policy)
        or _uncovered(*coverage, policy)
    )
    tail = (1.0 - policy.confidence) / 2.0
    return PromotionVerdict(
        promote=against is None,
        better_percent=100.0 * whole.fraction,
        low_percent=100.0 * whole.bound(1.0 - tail),
        high_percent=100.0 * whole.bound(tail),
        p_value=whole.p_value(above=policy.min_better),
        groups=found,
        champion_coverage=coverage[0],
        challenger_coverage=coverage[1],
        reason=against or _better(whole, found, policy),
    )


def _groups(
    champion: Trial,
    challenger: Trial,
    groups: Sequence[str] | NDArray[np.str_],
    critical: Collection[str],
    *,
    overlap: int,
    policy: PromotionPolicy,
) -> tuple[GroupGain, ...]:
    member = np.asarray(groups, dtype=np.str_)
    found = []
    for name in sorted({str(one) for one in member} | set(critical)):
        ours = member == name
        part = gain(champion.errors[:, ours], challenger.errors[:, ours], overlap=overlap)
        found.append(
            GroupGain(
                name=name,
                better_percent=100.0 * part.fraction,
                at_least_percent=100.0 * part.bound(policy.group_confidence),
                critical=name in critical,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.at_least_percent, one.name)))


def _coverage(trial: Trial) -> float | None:
    if trial.hits is None or not np.isfinite(trial.hits).any():
        return None
    return float(np.nanmean(trial.hits))


def _too_little(whole: Gain, policy: PromotionPolicy) -> str | None:
    if whole.origins >= policy.min_origins and math.isfinite(whole.fraction):
        return None
    return (
        f"not promoted: {whole.origins} origins that both models know, "
        f"at least {policy.min_origins} with an error are needed"
    )


def _not_better(whole: Gain, policy: PromotionPolicy) -> str | None:
    p_value = whole.p_value(above=policy.min_better)
    if p_value <= policy.significance:
        return None
    return (
        f"not promoted: {100 * whole.fraction:+.1f} % better could be chance "
        f"(p {p_value:.2g}, at most {policy.significance:g} is asked for)"
    )


def _worse_group(found: Sequence[GroupGain], policy: PromotionPolicy) -> str | None:
    limit = -100.0 * policy.max_group_worse
    worst = next((one for one in found if one.critical and one.at_least_percent < limit), None)
    if worst is None:
        return None
    if not math.isfinite(worst.better_percent):
        return f"not promoted: nothing is known of the critical group {worst.name}"
    return (
        f"not promoted: the critical group {worst.name} "
        f"may be {-worst.at_least_percent:.1f} % worse "
        f"({worst.better_percent:+.1f} % better measured), at most {-limit:g} % may be possible"
    )


def _uncovered(
    champion: float | None, challenger: float | None, policy: PromotionPolicy
) -> str | None:
    if challenger is None:
        return None
    allowed = policy.coverage_slack
    if champion is not None:
        allowed = max(allowed, abs(champion - LEVEL) + policy.coverage_noise)
    # Rounding: .77 lies within .03 of .8.
    if abs(challenger - LEVEL) <= allowed + 1e-9:
        return None
    return (
        f"not promoted: its {LEVEL:.0%} intervals cover {challenger:.1%}, "
        f"within {allowed:.1%} of {LEVEL:.0%} is asked for"
    )


def _better(whole: Gain, found: Sequence[GroupGain], policy: PromotionPolicy) -> str:
    p_value = whole.p_value(above=policy.min_better)
    text = f"promoted: {100 * whole.fraction:.1f} % better (p {p_value:.2g})"
    critical = [one for one in found if one.critical]
    if critical:
        worst = critical[0]
        text += f", {worst.name} at worst {max(-worst.at_least_percent, 0.0):.1f} % worse"
    return text
