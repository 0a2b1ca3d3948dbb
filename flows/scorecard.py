"""Publish how good our own forecasts were, against what came true."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, cast

from prefect import flow
from prefect.blocks.core import Block
from prefect.logging import get_run_logger
from pydantic import Field

from blocks import AwsAccount, SpotOutlook, UsageProfile
from flows.blocks import block_of
from flows.due import reason_to_skip
from flows.parameters import BlockName, StorageName
from flows.runners import chosen_runner
from tasks.adapters.objects import Storage
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.models.live_scores import LiveScore
from tasks.domain.models.scorecard_report import NOTHING, Scorecard, headline, scorecard
from tasks.models.degraded import tell_of_degraded
from tasks.models.scorecard import lost_notes, show_scorecard, show_scorecard_chart
from tasks.models.scoring import judge_forecasts, waiting_forecasts
from tasks.models.truth import read_truth

STALE_AFTER = timedelta(days=2)
"""A scheduled run that starts later than this is skipped: the next one is due."""


@dataclass(frozen=True, kw_only=True)
class ScorecardReport:
    """What a run found, in short; the rest is in artifacts and in the ForecastScores block.

    Attributes:
        judged: Values judged by this run.
        waiting: Values that wait for their truth.
        waiting_until: When the last of them is due; None for none.
        expired: Values that were never judged, since the first forecast.
        scores: One a model and role, over all horizons and groups.
        degraded: Why champions are to be trained again, by model; each was told as an event.
        message: Why it ended so.
        skipped: Why nothing was done; None otherwise.
    """

    judged: int = 0
    waiting: int = 0
    waiting_until: datetime | None = None
    expired: int = 0
    scores: tuple[LiveScore, ...] = ()
    degraded: dict[str, str] = field(default_factory=dict)
    message: str = ""
    skipped: str | None = None


def run_name() -> str:
    """Return a name that tells runs apart in a list."""
    return f"scorecard-{datetime.now(UTC):%d%b-%H%M}".lower()


@flow(
    name="publish-scorecard",
    flow_run_name=run_name,
    task_runner=chosen_runner(),
    timeout_seconds=1800,
)
def publish_scorecard(
    window_days: Annotated[int, Field(ge=7, le=400)] = 56,
    account: BlockName = "homeostat",
    storage: StorageName = "local-file-system/homeostat",
    profile: BlockName = "homeostat",
    outlook: BlockName = "homeostat",
    scores: BlockName = "homeostat",
) -> ScorecardReport:
    """Judge every stored forecast whose hour has come, and say how good forecasts were.

    Forecasts of load are judged by what `cluster-usage` observed, forecasts of spot prices by what
    `forecast-spot-prices` read. Each value is judged once; what is not known yet waits four weeks.
    Shown are the error against the naive forecast, how many values the 80 % interval held, and the
    bias, with a verdict where there is enough to tell. A champion that forecast worse than the naive
    forecast lately, or whose intervals were too narrow, is told as an event, on which `retrain-models`
    starts. Changes nothing in AWS but one chart in the
    report bucket.

    Args:
        window_days: Days whose forecasts count.
        account: Name of the AwsAccount block, for the chart.
        storage: Storage block for forecasts and what was observed, as type/name.
        profile: Name of the UsageProfile block to read.
        outlook: Name of the SpotOutlook block to read.
        scores: Name of the ForecastScores block to read and write.
    """
    if (reason := reason_to_skip(STALE_AFTER)) is not None:
        get_run_logger().warning("scorecard.run.skipped reason=%s", reason)
        return ScorecardReport(message=reason, skipped=reason)
    store, now = cast("Storage", Block.load(storage)), datetime.now(UTC)
    stored = waiting_forecasts(store, scores, now)
    if stored.empty:
        get_run_logger().info("scorecard.run.nothing block=%s", scores)
        show_scorecard(scorecard(stored.daily, stored.held.rows, now=now, window_days=window_days))
        return ScorecardReport(message=NOTHING)
    aws = block_of(AwsAccount, account)
    truth = read_truth(
        store,
        Sealed(stored.held.rows),
        profile=load_state(UsageProfile, profile),
        outlook=load_state(SpotOutlook, outlook),
    )
    done = judge_forecasts(store, scores, Sealed(truth.values), now, window_days)
    degraded = tell_of_degraded(Sealed(done.daily), now)
    card = scorecard(
        done.daily,
        done.waiting,
        now=now,
        window_days=window_days,
        judged=done.judged,
        expired=done.state.expired,
        notes=(*degraded_notes(degraded), *lost_notes(done.lost, truth.notes)),
    )
    show_scorecard(card)
    show_scorecard_chart(aws, Sealed(done.daily), now=now, window_days=window_days)
    return report_of(card, degraded=degraded)


def degraded_notes(degraded: dict[str, str]) -> tuple[str, ...]:
    """Return what a run has to say of models that serve worse than they may."""
    return tuple(
        f"`{name}` is to be trained again: {reason}." for name, reason in sorted(degraded.items())
    )


def report_of(card: Scorecard, *, degraded: dict[str, str]) -> ScorecardReport:
    """Return a run in short."""
    return ScorecardReport(
        judged=card.judged,
        waiting=sum(one.count for one in card.waiting),
        waiting_until=max((one.last_target_at for one in card.waiting), default=None),
        expired=card.expired,
        scores=card.models,
        degraded=degraded,
        message=" ".join(headline(one) for one in card.models) or "not enough yet",
    )


if __name__ == "__main__":
    publish_scorecard()
