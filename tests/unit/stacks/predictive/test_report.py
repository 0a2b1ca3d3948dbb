"""What people see of scaling ahead."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.domain.stacks.predictive.configuration import first_configuration
from tasks.domain.stacks.predictive.judge import judge_forecast
from tasks.domain.stacks.predictive.limits import Limits
from tasks.domain.stacks.predictive.report import AheadLine, ahead_markdown, ahead_rows
from tasks.domain.stacks.predictive.steps import AheadGroup, Trial, next_step
from tests.unit.stacks.predictive.cases import WEEK, followed

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def line(name: str = "web", *, weeks: int = 2, outcome: str = "") -> AheadLine:
    group = AheadGroup(
        region="us-east-1",
        group=name,
        policy="homeostat-1-forecast",
        configuration=first_configuration(0.7),
        min_size=1,
        max_size=40,
    )
    trial = Trial(stage=group.stage, since=NOW)
    judgement = judge_forecast(followed(weeks * WEEK), limits=Limits())
    step = next_step(group, trial, judgement, now=NOW, limits=Limits())
    return AheadLine(group=group, trial=trial, judgement=judgement, step=step, outcome=outcome)


def test_a_row_has_what_the_verdict_rests_on_and_what_to_approve() -> None:
    one = line(outcome="done and verified")
    (row,) = ahead_rows([one])
    assert (row["verdict"], row["step"]) == ("good", "switch-on")
    assert row["hours compared"] == "336"
    assert row["hours covered"] == "100.0%"
    assert row["of these covered"] == "100.0%"
    assert row["step id"] == one.step.step_id
    assert row["outcome"] == "done and verified"


def test_what_is_not_known_is_a_dash_and_not_zero() -> None:
    one = line()
    unjudged = AheadLine(group=one.group, trial=one.trial, judgement=None, step=one.step)
    (row,) = ahead_rows([unjudged])
    assert (row["verdict"], row["hours covered"], row["outcome"]) == ("—", "—", "—")


def test_the_summary_sorts_steps_from_what_goes_on() -> None:
    found = ahead_markdown([line("fast"), line("slow", weeks=1)], now=NOW, mode="approve")
    assert found.index("## Steps") < found.index("**fast**") < found.index("## Going on")
    assert found.index("## Going on") < found.index("**slow**")
    assert "7.0 days of its forecasts can be compared, 14 are needed" in found


def test_names_from_the_account_are_text_and_not_markdown() -> None:
    hostile = "x](http://evil)\n# heading <script>`"
    found = ahead_markdown([line(hostile)], now=NOW, mode="auto")
    assert "\n# heading" not in found
    assert "<script>" not in found.replace("\\<", "")
    assert "x\\](http://evil) \\# heading" in found


def test_without_groups_it_says_how_to_begin() -> None:
    assert "homeostat/scale-ahead: true" in ahead_markdown([], now=NOW, mode="observe")
