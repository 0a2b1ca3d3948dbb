"""What people see of scaling ahead: a table of groups, and the reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.domain.stacks.predictive.judge import Judgement
from tasks.domain.stacks.predictive.steps import Action, AheadGroup, Step, Trial

NOTHING = "—"


@dataclass(frozen=True, slots=True, kw_only=True)
class AheadLine:
    """One group in a run.

    Attributes:
        judgement: None where nothing could be judged.
        outcome: What became of the step, or why it was not taken; empty where there was none.
        done: It was taken and verified.
        waits: It is taken when a person approves it.
    """

    group: AheadGroup
    trial: Trial
    judgement: Judgement | None
    step: Step
    outcome: str = ""
    done: bool = False
    waits: bool = False


def ahead_rows(lines: Sequence[AheadLine]) -> list[dict[str, str]]:
    """Return a row a group, for a table artifact."""
    return [_row(one) for one in lines]


def _row(line: AheadLine) -> dict[str, str]:
    scores = None if line.judgement is None else line.judgement.scores
    coverage, spare, short, helped = (
        (None, None, None, None)
        if scores is None
        else (scores.coverage, scores.spare, scores.short_now, scores.helped)
    )
    return {
        "region": line.group.region,
        "group": line.group.group,
        "policy": line.group.policy,
        "stage": str(line.group.stage),
        "since": f"{line.trial.since:%Y-%m-%d %H:%M}",
        "verdict": NOTHING if line.judgement is None else str(line.judgement.verdict),
        "hours compared": NOTHING if scores is None else str(scores.hours),
        "hours covered": _percent(coverage),
        "idle of needed": _percent(spare),
        "hours short now": _percent(short),
        "of these covered": _percent(_part(helped, short)),
        "step": str(line.step.action),
        "why": line.step.why,
        "outcome": line.outcome or NOTHING,
        "step id": line.step.step_id if line.step.changes else NOTHING,
    }


def ahead_markdown(lines: Sequence[AheadLine], *, now: datetime, mode: str) -> str:
    """Return a summary: what was done, what waits for people, and why.

    Args:
        lines: Of all groups that were looked at.
        now: When.
        mode: How far the run might go.
    """
    if not lines:
        return (
            f"# Scaling ahead, {now:%d %b %Y %H:%M} UTC\n\nNo group has a predictive policy of "
            "Homeostat, and none asks for one with the tag `homeostat/scale-ahead: true`.\n"
        )
    parts = [f"# Scaling ahead, {now:%d %b %Y %H:%M} UTC", f"{len(lines)} groups, mode `{mode}`."]
    for title, found in (
        ("Steps", [one for one in lines if one.step.changes]),
        ("For a person", [one for one in lines if one.step.action is Action.HAND_OVER]),
        ("Going on", [one for one in lines if one.step.action is Action.WAIT]),
    ):
        if found:
            parts.append(f"## {title}\n\n" + "\n".join(_item(one) for one in found))
    return "\n\n".join(parts) + "\n"


def _item(line: AheadLine) -> str:
    name = f"**{_plain(line.group.group)}** ({line.group.region})"
    step = f"{line.step.action} `{line.step.step_id}`" if line.step.changes else line.group.stage
    outcome = f" → {_plain(line.outcome)}" if line.outcome else ""
    return f"- {name}: {step}: {_plain(line.step.why)}{outcome}"


def _plain(text: str) -> str:
    """Return a text that Markdown takes as it is: names come from the account."""
    one_line = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|!" else c for c in one_line)


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.1%}"


def _part(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole
