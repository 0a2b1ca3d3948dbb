"""Champion and challenger judged by their live scores: promotion, refusal, rollback."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from prefect.logging import get_run_logger

from blocks.models import ModelRegistry
from tasks.adapters.state import load_state
from tasks.chunks import Sealed
from tasks.domain.models.live_trial import live_days, serving_days
from tasks.domain.models.registry import Registry
from tasks.domain.models.rollback import Days, should_roll_back
from tasks.domain.models.shadow import Step, judge_shadow
from tasks.models.documents import registry_of
from tasks.models.registry import promote, roll_back, turn_down
from tasks.retries import remote_task

FEWEST_BACKTEST_DAYS = 3


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What live scores did to a model.

    Attributes:
        registry: Afterwards.
        events: What happened, as whole sentences; also what is waited for.
        degraded: Why the champion was taken back, or would have been; None where it serves well.
    """

    registry: Registry
    events: tuple[str, ...] = ()
    degraded: str | None = None


@remote_task("judge-shadow", run_name="judge the challenger of {name}")
def judge_waiting(
    name: str,
    daily: Sealed[pd.DataFrame],
    critical_groups: Collection[str],
    now: datetime,
) -> Judged:
    """Promote or turn down the challenger that waits, where its live scores say so."""
    registry = registry_of(load_state(ModelRegistry, name))
    champion, challenger = registry.champion, registry.challenger
    since = registry.shadow_since
    if champion is None or challenger is None or since is None:
        return Judged(registry=registry)
    whole = _whole_days(daily.value, now)
    lived = whole[whole["day"] >= pd.Timestamp(since).floor("D")]
    live = live_days(lived, name=name, versions=(champion.sha256, challenger.sha256))
    found = judge_shadow(
        live.trial(0),
        live.trial(1),
        groups=live.groups,
        critical_groups=set(critical_groups) & set(live.groups),
        started_at=since,
        now=now,
    )
    get_run_logger().info("models.shadow.judged name=%s step=%s", name, found.step)
    if found.step is Step.PROMOTE:
        registry = promote(name, challenger.sha256, reason=found.reason, now=now)
    elif found.step is Step.TURN_DOWN:
        registry = turn_down(name, challenger.sha256, reason=found.reason, now=now)
    said = f"Challenger `{challenger.sha256[:12]}`: {found.reason}."
    return Judged(registry=registry, events=(said,))


@remote_task("judge-champion", run_name="judge the champion of {name}")
def judge_serving(
    name: str, daily: Sealed[pd.DataFrame], backtest: Sealed[Days | None], now: datetime
) -> Judged:
    """Take the champion back where live coverage or error say so; without an earlier one, tell it."""
    registry = registry_of(load_state(ModelRegistry, name))
    champion, promised = registry.champion, backtest.value
    if champion is None or promised is None or len(promised.errors) < FEWEST_BACKTEST_DAYS:
        return Judged(registry=registry)
    before = registry.previous[0].sha256 if registry.previous else None
    live = serving_days(
        _whole_days(daily.value, now), name=name, champion=champion.sha256, previous=before
    )
    if not len(live.errors):
        return Judged(registry=registry)
    found = should_roll_back(live, backtest=promised)
    said = f"Champion `{champion.sha256[:12]}`: {found.reason}."
    if not found.roll_back:
        return Judged(registry=registry, events=(said,))
    get_run_logger().error("models.champion.degraded name=%s reason=%s", name, found.reason)
    if not registry.previous:
        said += " There is no earlier champion to go back to: a challenger is trained."
        return Judged(registry=registry, events=(said,), degraded=found.reason)
    registry = roll_back(name, reason=found.reason, now=now, serving=champion.sha256)
    return Judged(registry=registry, events=(said,), degraded=found.reason)


def _whole_days(daily: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Return the sums of days that are over: two hours of today are no day."""
    return daily[daily["day"] < pd.Timestamp(now).floor("D")]
