"""The card of a model: what serves, what was tried, what was decided, and the evidence for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tasks.domain.models.drift import DriftReport
from tasks.domain.models.family import RollingErrors
from tasks.domain.models.promotion import PromotionVerdict
from tasks.domain.models.quality import QualityReport
from tasks.domain.models.registry import ModelVersion, Registry

FOOT = (
    "*Errors are mean absolute ones in units of what each series usually moves in a day, over whole horizons "
    "from several origins that no model compared here was fitted on. The naive forecast is the same hour a day "
    "before for loads, and the last price, held, for prices. The challenger that is compared was fitted without "
    "the days it is judged on; the one that is kept is the same recipe on all days.*"
)
SCORES = "| | error | skill over naive | 80 % interval covers |\n| :-- | --: | --: | --: |"
GROUPS = "| group | challenger is better by | at least | can stop a promotion |\n| :-- | --: | --: | :-- |"
VERSIONS = (
    "| role | version | trained | by run | data | code |\n| :-- | :-- | :-- | :-- | :-- | :-- |"
)
DIGITS = 12
MOST_REFUSED = 3


class Decision(StrEnum):
    """What a run did to a model."""

    UNUSABLE = "data-unusable"
    NO_DRIFT = "no-drift"
    FIRST = "first-champion"
    WAITS = "challenger-waits"
    STILL_WAITS = "challenger-still-waits"
    NOT_BETTER = "not-better"
    NOT_COMPARED = "not-compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Everything a run found out about a model.

    Attributes:
        name: For example "load-cpu".
        made_at: Aware UTC.
        decision: What was done.
        reason: Why, in words.
        quality: Of the window.
        drift: Of inputs and residuals; None where there was nothing to compare with.
        champion: Rolling errors of the model that serves; None where it was not judged.
        challenger: Of the one that was trained; None where none was.
        verdict: Of the comparison; None where there was none.
        registry: After the run.
        events: What happened to champion and challenger by their live scores, as whole sentences.
    """

    name: str
    made_at: datetime
    decision: Decision
    reason: str
    quality: QualityReport
    drift: DriftReport | None
    champion: RollingErrors | None
    challenger: RollingErrors | None
    verdict: PromotionVerdict | None
    registry: Registry
    events: tuple[str, ...] = ()


def card_markdown(card: ModelCard) -> str:
    """Return a card as people read it."""
    parts = [
        f"# `{card.name}`, {card.made_at:%d %b %Y %H:%M} UTC",
        f"**{_said(card.decision)}** {card.reason}",
        "\n".join(f"- {one}" for one in card.events),
        _scores(card),
        _groups(card.verdict),
        f"## Data\n\n{_data(card.quality)}",
        "" if card.drift is None else f"## Drift\n\n{_sentence(card.drift.reason)}",
        f"## Versions\n\n{_versions(card.registry)}",
        FOOT,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _said(decision: Decision) -> str:
    return {
        Decision.UNUSABLE: "Nothing was trained: the data cannot be used.",
        Decision.NO_DRIFT: "Nothing was trained: no drift.",
        Decision.FIRST: "The first model serves.",
        Decision.WAITS: "A challenger waits in its shadow period.",
        Decision.STILL_WAITS: "Nothing was trained: a challenger is in its shadow period.",
        Decision.NOT_BETTER: "The champion stays.",
        Decision.NOT_COMPARED: "The champion stays, without a comparison.",
    }[decision]


def _scores(card: ModelCard) -> str:
    judged = [
        (name, found)
        for name, found in (("champion", card.champion), ("challenger", card.challenger))
        if found is not None
    ]
    if not judged:
        return ""
    lines = [
        f"| {name} | {_number(one.mean_error)} | {_number(one.skill, '+.3f')} | {_share(one.coverage)} |"
        for name, one in judged
    ]
    some = judged[0][1]
    head = (
        f"## Out of sample\n\n{len(some.series):,} series, {len(some.error)} origins, "
        f"{len(some.error_by_hour)} hours ahead."
    )
    return "\n".join([head, "", SCORES, *lines])


def _groups(verdict: PromotionVerdict | None) -> str:
    if verdict is None or not verdict.groups:
        return ""
    lines = [
        f"| {one.name} | {_percent(one.better_percent)} | {_percent(one.at_least_percent)} "
        f"| {'yes' if one.critical else 'no'} |"
        for one in verdict.groups
    ]
    return "\n".join(["## By group", "", GROUPS, *lines])


def _data(quality: QualityReport) -> str:
    age = "" if quality.age is None else f", {quality.age.total_seconds() / 3600.0:.0f} h old"
    facts = (
        f"{quality.series:,} series over {quality.days:.1f} days{age}; {quality.known_share:.0%} of the "
        f"values are known, {len(quality.constant)} series never change, {len(quality.duplicates)} repeat "
        f"another."
    )
    return facts if quality.usable else f"{facts} **Not usable:** {'; '.join(quality.reasons)}."


def _versions(registry: Registry) -> str:
    rows: list[tuple[str, ModelVersion | None]] = [
        ("champion", registry.champion),
        ("challenger", registry.challenger),
        *(("earlier champion", one) for one in registry.previous),
    ]
    lines = [_version(role, one) for role, one in rows if one is not None]
    if not lines:
        return "None yet."
    refused = f"\n\n{_refused(registry.refused)}" if registry.refused else ""
    return "\n".join([VERSIONS, *lines]) + refused


def _version(role: str, one: ModelVersion) -> str:
    return (
        f"| {role} | `{one.sha256[:DIGITS]}` | {one.trained_at:%d %b %Y %H:%M} | `{one.trained_by[:DIGITS]}` "
        f"| `{one.data_sha256[:DIGITS]}` | {one.code_version} |"
    )


def _refused(refused: Mapping[str, str]) -> str:
    latest = list(refused.items())[-MOST_REFUSED:]
    said = "; ".join(f"`{one[:DIGITS]}` ({why})" for one, why in latest)
    return f"Never promoted again: {said}."


def _number(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None or not math.isfinite(value) else format(value, form)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _percent(value: float) -> str:
    return f"{value:+.1f} %" if math.isfinite(value) else "unknown"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
