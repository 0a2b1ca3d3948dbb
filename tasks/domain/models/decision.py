"""What becomes of a model after it was looked at and a challenger was tried."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.domain.models.card import Decision
from tasks.domain.models.drift import DriftReport
from tasks.domain.models.quality import QualityReport
from tasks.domain.models.trial import Tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision and its reason.

    Attributes:
        decision: What is done.
        reason: Why, as a whole sentence.
    """

    decision: Decision
    reason: str

    @property
    def keeps(self) -> bool:
        """Whether the recipe is fitted on everything and kept, as champion or challenger."""
        return self.decision in {Decision.FIRST, Decision.WAITS}


def before_training(
    quality: QualityReport,
    drift: DriftReport | None,
    *,
    has_champion: bool,
    only_on_drift: bool,
    waiting: bool = False,
) -> Decided | None:
    """Return why nothing is trained; None where something is.

    A model is trained for the first time whether or not anything drifted; where nothing can be said
    about drift, a run that asks for it trains nothing. While a challenger waits no other one is
    trained, whatever drifted: it would begin a shadow period of its own, and while drift lasts none
    would ever end. A waiting one is judged within four weeks.
    """
    if not quality.usable:
        return Decided(decision=Decision.UNUSABLE, reason=_sentence("; ".join(quality.reasons)))
    if not has_champion:
        return None
    if waiting:
        return Decided(decision=Decision.STILL_WAITS, reason="It is judged by its live scores.")
    if not only_on_drift or (drift is not None and drift.drifted):
        return None
    said = "too little has come since the training to tell" if drift is None else drift.reason
    return Decided(decision=Decision.NO_DRIFT, reason=_sentence(said))


def after_trial(tried: Tried, *, has_champion: bool) -> Decided:
    """Return whether a challenger is kept.

    Without a champion the recipe serves at once: it holds the naive forecast where its own backtest
    says so. A comparison that could not be made promotes nothing.
    """
    if not has_champion:
        return Decided(decision=Decision.FIRST, reason="There was none before it.")
    if tried.verdict is None:
        return Decided(decision=Decision.NOT_COMPARED, reason=_sentence(tried.reason))
    decision = Decision.WAITS if tried.verdict.promote else Decision.NOT_BETTER
    return Decided(decision=decision, reason=_sentence(tried.verdict.reason))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
