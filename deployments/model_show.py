"""What the command prints of models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments.models import SHORT, Model, Version

COLUMNS = ("model", "version", "is", "trained", "backtest")
UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1)))


def models(console: Console, found: Sequence[Model], *, now: datetime, as_json: bool) -> None:
    """Print each model's champion, challenger and earlier champions, and what happened last."""
    if as_json:
        print(json.dumps([asdict(one) for one in found], default=str))  # noqa: T201 - not wrapped
        return
    if not found:
        _plain(console, "no model yet; `homeostat run retrain-models` trains them")
        return
    table = Table()
    for column in COLUMNS:
        table.add_column(column)
    for model in found:
        for version in model.versions:
            table.add_row(*map(Text, _row(model, version, now=now)))
        table.add_section()
    console.print(table)
    for model in found:
        if model.message:
            _plain(console, f"{model.name}: {model.message}")
    for model in found:
        if any(one.role == "previous" for one in model.versions):
            _plain(console, f"bring the earlier one back: homeostat rollback {model.name}")
            break


def rolled_back(console: Console, model: Model, *, now: datetime) -> None:
    """Print which version serves now."""
    for one in model.versions:
        if one.role == "champion":
            line = f"{one.sha256[:SHORT]}, trained {age(now - one.trained_at)} ago, serves"
            _plain(console, f"{model.name}: {line}; {model.message}")


def age(passed: timedelta) -> str:
    """Return how long ago something was, in the largest unit that it is one of."""
    for unit, length in UNITS:
        if passed >= length:
            return f"{passed // length} {unit}"
    return "less than 1 min"


def _row(model: Model, version: Version, *, now: datetime) -> tuple[str, ...]:
    role = version.role
    if role == "challenger" and model.shadow_since is not None:
        role = f"challenger for {age(now - model.shadow_since)}"
    metrics = ", ".join(f"{name} {value:.3g}" for name, value in sorted(version.metrics.items()))
    is_first = version is model.versions[0]
    return (
        model.name if is_first else "",
        version.sha256[:SHORT],
        role,
        f"{age(now - version.trained_at)} ago",
        metrics or "-",
    )


def _plain(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
