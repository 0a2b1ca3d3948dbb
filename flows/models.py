"""Look at every model's data, train challengers, and let only what is proven better serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, cast

import pandas as pd
from prefect import flow
from prefect.blocks.core import Block
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import AwareDatetime, Field

from blocks import AwsAccount, SpotOutlook, UsageProfile
from flows.blocks import block_of
from flows.due import reason_to_skip
from flows.instants import instant
from flows.parameters import BlockName, StorageName
from flows.runners import chosen_runner
from tasks.adapters.objects import Storage
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.models.card import Decision, ModelCard
from tasks.domain.models.decision import after_trial, before_training
from tasks.domain.models.kept import Kept
from tasks.domain.models.registry import Registry
from tasks.domain.models.trial import Tried
from tasks.models.card import show_card
from tasks.models.catalogue import LOADS, SPOT, load_subject, spot_subject
from tasks.models.life import judge_serving, judge_waiting
from tasks.models.registry import Served, Trained
from tasks.models.scoring import waiting_forecasts
from tasks.models.training import (
    Looked,
    Subject,
    fit_model,
    load_champion,
    look_at_data,
    metrics_of,
    publish_model,
    try_challenger,
)
from tasks.savings.opportunities import UseUnknownError, load_use
from tasks.spot.history import held_history

STALE_AFTER = timedelta(hours=12)
"""A scheduled run that starts later than this is skipped: the next one is due."""
OLDEST_USE = timedelta(days=3)

ModelName = Literal["load-cpu", "load-memory", "load-requests", "spot-24h", "spot-168h"]


@dataclass(frozen=True, kw_only=True)
class RetrainReport:
    """What a run decided, in short; the rest is on the model cards and in the registry blocks.

    Attributes:
        decisions: By model.
        reasons: By model, in words.
        not_known: Models of which there is no data, with the reason.
        skipped: Why nothing was done; None otherwise.
    """

    decisions: dict[str, Decision] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    not_known: dict[str, str] = field(default_factory=dict)
    skipped: str | None = None


def run_name() -> str:
    """Return a name that tells runs apart in a list."""
    return f"models-{datetime.now(UTC):%d%b-%H%M}".lower()


@flow(
    name="retrain-models",
    flow_run_name=run_name,
    task_runner=chosen_runner(),
    timeout_seconds=3600,
)
def retrain_models(
    models: Annotated[list[ModelName], Field(min_length=1)] = [  # noqa: B006 - Prefect copies it
        "load-cpu",
        "load-memory",
        "load-requests",
        "spot-24h",
        "spot-168h",
    ],
    only_on_drift: bool = False,
    as_of: AwareDatetime | None = None,
    account: BlockName = "homeostat",
    storage: StorageName = "local-file-system/homeostat",
    profile: BlockName = "homeostat",
    outlook: BlockName = "homeostat",
    scores: BlockName = "homeostat",
    seed: Annotated[int, Field(ge=0)] = 20,
) -> RetrainReport:
    """Train challengers of the models that serve, and let only what is proven better serve.

    For each model: is the data fit to train on, has it drifted, does the same recipe on today's
    data forecast better than the champion on days that neither saw, and do live scores say that a
    waiting challenger takes over or that the champion has to go. A challenger that passes waits in
    a shadow period; it forecasts, and nobody acts on it. Changes nothing in AWS but one chart a
    model in the report bucket.

    Args:
        models: Which to look at.
        only_on_drift: Train only where what a model sees has drifted since it was trained; its
            live scores are judged in any case.
        as_of: Train as if it were this instant, with its offset from UTC, not in the future; empty
            for now.
        account: Name of the AwsAccount block, for the charts.
        storage: Storage block for models and what was observed, as type/name.
        profile: Name of the UsageProfile block to read.
        outlook: Name of the SpotOutlook block to read.
        scores: Name of the ForecastScores block to read.
        seed: Same seed and data, same models.
    """
    if (reason := reason_to_skip(STALE_AFTER)) is not None:
        get_run_logger().warning("models.run.skipped reason=%s", reason)
        return RetrainReport(skipped=reason)
    clock = datetime.now(UTC)
    now = instant(as_of, clock=clock)
    store = cast("Storage", Block.load(storage))
    subjects, not_known = subjects_of(store, models, profile=profile, outlook=outlook, now=now)
    aws = block_of(AwsAccount, account)
    daily = waiting_forecasts(store, scores, clock).daily
    cards = []
    for subject in subjects:
        card = retrain(store, subject, daily, only_on_drift=only_on_drift, now=now, seed=seed)
        show_card(aws, Sealed(card))
        cards.append(card)
    return report_of(cards, not_known=not_known)


def retrain(
    storage: Storage,
    subject: Subject,
    daily: pd.DataFrame,
    *,
    only_on_drift: bool,
    now: datetime,
    seed: int,
) -> ModelCard:
    """Look at one model, train a challenger where that is due, and judge both by what they did."""
    name, sealed = subject.name, Sealed(subject)
    champion = load_champion(storage, name, Sealed(subject.family))
    serving = judge_serving(
        name, Sealed(daily), Sealed(None if champion is None else champion.model.backtest), now
    )
    if serving.degraded is not None:
        champion = load_champion(storage, name, Sealed(subject.family))
    waiting = judge_waiting(name, Sealed(daily), list(subject.critical_groups), now)

    looked = look_at_data(name, sealed, Sealed(champion), now)
    # A champion that no longer keeps its promise is as good a reason as drift.
    on_drift = only_on_drift and serving.degraded is None
    decided = before_training(
        looked.quality,
        looked.drift,
        has_champion=champion is not None,
        only_on_drift=on_drift,
        waiting=waiting.registry.challenger is not None,
    )
    tried, registry = Tried(), waiting.registry
    if decided is None:
        tried = try_challenger(name, sealed, Sealed(champion), looked.age_hours, seed)
        decided = after_trial(tried, has_champion=champion is not None)
        if decided.keeps:
            first = champion is None
            registry = keep(storage, subject, looked, tried, first=first, now=now, seed=seed)
    return ModelCard(
        name=name,
        made_at=now,
        decision=decided.decision,
        reason=decided.reason,
        quality=looked.quality,
        drift=looked.drift,
        champion=tried.champion,
        challenger=tried.challenger,
        verdict=tried.verdict,
        registry=registry,
        events=(
            *degraded_notes(champion),
            *serving.events,
            *waiting.events,
        ),
    )


def degraded_notes(champion: Served[Kept[Any]] | None) -> tuple[str, ...]:
    """Return why another model than the champion serves; empty where the champion does."""
    if champion is None or champion.degraded_reason is None:
        return ()
    return (f"**{champion.degraded_reason}.**",)


def keep(
    storage: Storage,
    subject: Subject,
    looked: Looked,
    tried: Tried,
    *,
    first: bool,
    now: datetime,
    seed: int,
) -> Registry:
    """Fit the recipe on everything that is known, store it, and return the registry afterwards.

    The first one that can be read serves at once.
    """
    state = fit_model(subject.name, Sealed(subject), Sealed(tried), seed)
    trained = Trained(
        state=state.value,
        kind=subject.family.kind,
        trained_at=looked.window.end or now,
        trained_by=str(flow_run.id),
        data_sha256=looked.window.sha256,
        metrics=metrics_of(tried.challenger),
    )
    return publish_model(storage, subject.name, Sealed(trained), now, serve=first).registry


def subjects_of(
    storage: Storage, models: Sequence[str], *, profile: str, outlook: str, now: datetime
) -> tuple[list[Subject], dict[str, str]]:
    """Return the models of which something is known, and why nothing is known of the others."""
    subjects: list[Subject] = []
    missing: dict[str, str] = {}
    loads = [name for name in models if name in LOADS]
    if loads:
        try:
            use = load_use(
                storage, profile, load_state(UsageProfile, profile), datetime.now(UTC), OLDEST_USE
            )
            subjects += [
                load_subject(name, use.panel, now=now, inventory=use.inventory) for name in loads
            ]
        except UseUnknownError as error:
            missing |= dict.fromkeys(loads, str(error))
    spot = [name for name in models if name in SPOT]
    if spot:
        known = load_state(SpotOutlook, outlook)
        changes = held_history(storage, known)
        if changes is None or known.cutoff is None:
            reason = f"spot-outlook/{outlook} holds no prices; run forecast-spot-prices first"
            missing |= dict.fromkeys(spot, reason)
        else:
            cutoff = min(now, known.cutoff)
            subjects += [spot_subject(name, changes, cutoff=cutoff) for name in spot]
    for name, reason in missing.items():
        get_run_logger().warning("models.data.unknown name=%s reason=%s", name, reason)
    return subjects, missing


def report_of(cards: Sequence[ModelCard], *, not_known: dict[str, str]) -> RetrainReport:
    """Return a run in short."""
    return RetrainReport(
        decisions={card.name: card.decision for card in cards},
        reasons={card.name: card.reason for card in cards},
        not_known=not_known,
    )


if __name__ == "__main__":
    retrain_models()
