"""What the command prints."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from deployments.doctor import Finding, Verdict
from deployments.local import Local, UpState, at_running_ports
from deployments.prefect_api import FlowRun, PrefectApi

MOST_ROWS = 12
CHART = re.compile(r"## Price ahead.*", re.DOTALL)
"""The part of the summary that a terminal cannot draw."""


def finished_run(console: Console, api: PrefectApi, run: FlowRun) -> None:
    """Print a run's state and its artifacts: tables and text; charts are for the UI."""
    color = "green" if run.succeeded else "red"
    console.print(
        f"[{color}]{run.state_name}[/] {run.deployment} [bold]{run.name}[/] in {run.seconds:.1f} s",
        highlight=False,
    )
    if not run.succeeded:
        console.print(run.message, highlight=False, markup=False)
        for line in api.logs(run, limit=15):
            console.print(f"  {line}", highlight=False, markup=False)
    for artifact in api.artifacts(run):
        if artifact["type"] == "markdown":
            console.print(Markdown(CHART.sub("", artifact["data"]).strip()))
        elif artifact["type"] == "table":
            console.print(_table(artifact, width=console.width))


def _table(artifact: dict[str, Any], *, width: int) -> Table:
    rows = artifact["data"]
    rows = json.loads(rows) if isinstance(rows, str) else rows
    shown = rows[:MOST_ROWS]
    columns = list(shown[0]) if shown else []
    fitting = _fitting(columns, shown, width=width)
    table = Table(title=artifact.get("description") or artifact["key"], title_justify="left")
    for column in fitting:
        numeric = all(isinstance(row[column], int | float | None) for row in shown)
        table.add_column(column, justify="right" if numeric else "left", no_wrap=True)
    for row in shown:
        table.add_row(*(_cell(row[column]) for column in fitting))
    left_out = [
        f"{count} more {what}"
        for count, what in (
            (len(rows) - len(shown), "rows"),
            (len(columns) - len(fitting), "columns"),
        )
        if count > 0
    ]
    if left_out:
        table.caption = f"{' and '.join(left_out)} in the UI"
    return table


def _fitting(columns: list[str], rows: list[dict[str, Any]], *, width: int) -> list[str]:
    """Return the leading columns that fit a terminal side by side."""
    taken = 1
    fitting: list[str] = []
    for column in columns:
        taken += 3 + max(len(column), *(len(_cell(row[column])) for row in rows))
        if taken > width and fitting:
            break
        fitting.append(column)
    return fitting


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def welcome(console: Console, local: Local, *, was_up: bool) -> None:
    """Print where everything is and how to stop it."""
    console.print(
        f"\n{'Already up' if was_up else 'Up'}.\n"
        f"  UI        {local.ui_url}  (runs, schedules; a run's page has its artifacts)\n"
        f"  AWS       {local.aws_url}  (embedded; point boto3's endpoint_url here)\n"
        f"  logs      {local.logs}\n"
        f"  run       homeostat run forecast-spot-prices\n"
        f"  stop      homeostat down",
        highlight=False,
        soft_wrap=True,
    )


def foreground(console: Console, local: Local) -> None:
    """Print where everything will be."""
    console.print(f"UI {local.ui_url}, AWS {local.aws_url}; Ctrl-C stops", highlight=False)


def status(
    console: Console, local: Local, state: UpState, runs: list[FlowRun], *, as_json: bool
) -> None:
    """Print services and last runs."""
    local = at_running_ports(local, state)
    if as_json:
        facts = {"ready": True, "ui": local.ui_url, "aws": local.aws_url}
        console.print_json(
            data={**facts, "services": state.services, "runs": [asdict(run) for run in runs]}
        )
        return
    console.print(f"up: UI {local.ui_url}, AWS {local.aws_url}", highlight=False)
    table = Table(title="last runs", title_justify="left")
    for column in ("flow", "run", "state", "seconds"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for run in runs:
        table.add_row(run.deployment, run.name, run.state_name, f"{run.seconds:.1f}")
    console.print(table)


def findings(console: Console, found: list[Finding]) -> None:
    """Print what `doctor` found."""
    colors = {Verdict.OK: "green", Verdict.OPTIONAL: "yellow", Verdict.MISSING: "red"}
    table = Table(show_header=False, box=None)
    for finding in found:
        verdict = f"[{colors[finding.verdict]}]{finding.verdict.value}[/]"
        table.add_row(verdict, finding.subject, finding.detail, finding.remedy)
    console.print(table)
