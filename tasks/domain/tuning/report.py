"""Tuning suggestions as Markdown: what to set, what it does, how sure, and what undoes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tasks.domain.tuning.suggestions import (
    HORIZON,
    LEVEL,
    Effect,
    Figure,
    NotSuggested,
    Suggestion,
)

UNSET = "none"
LARGEST_UNITS = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"))


def tuning_report(answers: Sequence[Suggestion | NotSuggested]) -> str:
    """Return the suggestions, most confident first, and below them why other settings stay."""
    found = [one for one in answers if isinstance(one, Suggestion)]
    kept = [one for one in answers if isinstance(one, NotSuggested)]
    lines = ["# Tuning suggestions", ""]
    if found:
        lines += _table(sorted(found, key=lambda one: (-one.confidence, one.workload)))
    else:
        lines += ["Nothing is suggested."]
    if kept:
        lines += ["", "## Left as they are", "", "| workload | setting | why |", "|---|---|---|"]
        lines += [_row(one.workload, one.kind, _why(one)) for one in kept]
    return "\n".join(lines) + "\n"


def _table(found: Sequence[Suggestion]) -> list[str]:
    return [
        f"Effects are of the {HORIZON.days} days after the change; the interval holds the outcome "
        f"in {LEVEL:.0%} of resamples. Confidence is the share of resamples that keep the promise.",
        "",
        "| workload | setting | now | set to | effect | promise | confidence | undo |",
        "|---|---|--:|--:|---|---|--:|---|",
        *(
            _row(
                one.workload,
                one.change.kind,
                amount(one.change.before, one.change.unit),
                amount(one.change.after, one.change.unit),
                _effect(one.effect),
                f"at most {_share(one.promised)}",
                f"{one.confidence:.0%}",
                f"set to {amount(one.change.inverse.after, one.change.unit)}",
            )
            for one in found
        ),
        "",
        "## Evidence",
        "",
        "| workload | setting | window | samples | figures | method |",
        "|---|---|--:|--:|---|---|",
        *(
            _row(
                one.workload,
                one.change.kind,
                _days(one.evidence.window),
                f"{one.evidence.samples:,}",
                "; ".join(_figure(figure) for figure in one.evidence.figures),
                one.evidence.method,
            )
            for one in found
        ),
    ]


def amount(value: float | None, unit: str) -> str:
    """Return a setting with its unit; bytes in the largest binary unit that they fill."""
    if value is None:
        return UNSET
    if unit != "bytes":
        return f"{value:.4g} {unit}".rstrip() if value < 1e4 else f"{value:,.0f} {unit}".rstrip()
    for size, name in LARGEST_UNITS:
        if value >= size:
            return f"{value / size:.2f} {name}"
    return f"{value:.0f} bytes"


def _effect(effect: Effect) -> str:
    return (
        f"{effect.measure}: {_share(effect.before)} → {_share(effect.expected)} "
        f"({_share(effect.low)} to {_share(effect.high)})"
    )


def _share(value: float) -> str:
    """Return a share in percent; what is above zero is never shown as zero."""
    return "< 0.01 %" if 0.0 < value < 5e-5 else f"{value * 100.0:.3g} %"


def _figure(figure: Figure) -> str:
    return f"{figure.what} {amount(figure.value, figure.unit)}"


def _why(one: NotSuggested) -> str:
    figures = "; ".join(_figure(figure) for figure in one.figures)
    return f"{one.why} ({figures})" if figures else one.why


def _days(window: timedelta) -> str:
    return f"{window / timedelta(days=1):.1f} days"


def _row(*cells: str) -> str:
    # Names of workloads come from outside: a bar in one must not open another column.
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
