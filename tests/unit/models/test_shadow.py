"""When a challenger leaves its shadow period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tasks.domain.models.promotion import Trial
from tasks.domain.models.shadow import (
    ShadowPolicy,
    ShadowVerdict,
    Step,
    judge_shadow,
    significance_of_look,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
GROUPS = ["steady"] * 20


def judged(
    *, days: float, factor: float, noise: float = 0.05, origins: int | None = None
) -> ShadowVerdict:
    rng = np.random.default_rng(0)
    shape = (int(days) if origins is None else origins, 20)
    champion = np.exp(0.5 * rng.standard_normal(shape))
    challenger = factor * champion * np.exp(noise * rng.standard_normal(shape))
    return judge_shadow(
        Trial(errors=champion),
        Trial(errors=challenger),
        groups=GROUPS,
        critical_groups={"steady"},
        started_at=START,
        now=START + timedelta(days=days),
    )


def test_nothing_is_decided_in_the_first_week() -> None:
    found = judged(days=6.5, factor=0.1)
    assert found.step is Step.WAIT
    assert found.evidence is None
    assert found.reason == "keep waiting: in its shadow for 6.5 days, at least 7.0 days"


def test_a_clearly_better_challenger_is_promoted_before_the_end() -> None:
    assert judged(days=10, factor=0.8).step is Step.PROMOTE


def test_a_clearly_worse_challenger_is_turned_down_before_the_end() -> None:
    found = judged(days=10, factor=1.25)
    assert found.step is Step.TURN_DOWN
    assert "% worse" in found.reason


def test_what_proves_nothing_waits_until_the_last_day_and_is_turned_down_then() -> None:
    assert judged(days=27, factor=1.0).step is Step.WAIT
    found = judged(days=28, factor=1.0)
    assert found.step is Step.TURN_DOWN
    assert found.reason.startswith("turned down after 28.0 days: not promoted")


def test_a_shadow_without_any_score_waits_and_ends() -> None:
    assert judged(days=14, factor=0.5, origins=0).step is Step.WAIT
    assert judged(days=28, factor=0.5, origins=0).step is Step.TURN_DOWN


@pytest.mark.parametrize("longest", [8, 28, 60])
def test_the_looks_of_a_period_share_its_significance(longest: int) -> None:
    policy = ShadowPolicy(longest=timedelta(days=longest))
    looks = [
        significance_of_look(timedelta(days=day), policy=policy) for day in range(7, longest + 1)
    ]
    assert sum(looks) == pytest.approx(policy.significance)
    assert looks[-1] == pytest.approx(policy.significance / 2.0)
    assert looks[:-1] == sorted(looks[:-1])


def test_a_look_after_the_end_may_ask_for_what_the_last_one_may() -> None:
    late = significance_of_look(timedelta(days=40), policy=ShadowPolicy())
    assert late == significance_of_look(timedelta(days=28), policy=ShadowPolicy())
