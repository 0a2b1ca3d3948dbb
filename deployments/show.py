"""What the command prints."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console, JustifyMethod
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from deployments.doctor import Finding, Verdict
from deployments.local import DOWN, Local, UpState, at_running_ports
from deployments.prefect_api import FlowRun, PrefectApi

COMMAND = "homeostat"
MOST_ROWS = 12
LEAST_CUT_TEXT = 20
"""Characters of a text that are worth showing."""
TRACEBACK = "Traceback (most recent call last)"
CHART = re.compile(r"(## Price ahead|## A mean week|## Resources).*", re.DOTALL)
"""The part of the summary that a terminal cannot draw."""


def finished_run(console: Console, api: PrefectApi, run: FlowRun) -> None:
    """Print a run's state, its summary and its tables; charts and long texts are for the UI."""
    run_line(console, api, run)
    if run.is_waiting:
        _plain(
            console, "waits for an answer: its page has the form, `homeostat stacks` the command"
        )
    elif not run.succeeded:
        _plain(console, run.message or "still under way; its page shows how it ends")
        for line in short_log(api.logs(run, limit=15)):
            _plain(console, f"  {line}")
    shown: set[str] = set()
    also: list[str] = []
    for artifact in sorted(api.artifacts(run), key=_outcome_first):
        kind = artifact["type"]
        if kind in shown:
            # One summary and one table are what a terminal is good for.
            also.append(artifact.get("description") or artifact["key"])
        elif kind == "table":
            _show_table(console, artifact)
        elif kind == "markdown":
            console.print(Markdown(CHART.sub("", artifact["data"]).strip()))
        shown.add(kind)
    if also:
        _plain(console, f"also in the UI: {'; '.join(one.rstrip('.').lower() for one in also)}")


def _outcome_first(artifact: dict[str, Any]) -> bool:
    """Return a key that puts how it ended before what it was about."""
    return not str(artifact.get("key")).endswith("-outcome")


def run_line(console: Console, api: PrefectApi, run: FlowRun) -> None:
    """Print how a run stands, and where its page is."""
    color = "green" if run.succeeded else "red" if run.is_final else "yellow"
    took = f" in {run.seconds:.1f} s" if run.is_final else ""
    line = Text.assemble(
        (run.state_name, color), f" {run.deployment} ", (run.name, "bold"), f"{took}\n"
    )
    console.print(line, f" {api.page_of(run)}", highlight=False, soft_wrap=True)


def _plain(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def short_log(messages: list[str], *, most_lines: int = 12) -> list[str]:
    """Return the last lines of a log, with tracebacks cut down to what was raised."""
    short: list[str] = []
    for message in messages:
        lines = message.rstrip().splitlines() or [""]
        short += lines if TRACEBACK not in message else dict.fromkeys((lines[0], lines[-1]))
    return short[-most_lines:]


def _show_table(console: Console, artifact: dict[str, Any]) -> None:
    rows = artifact["data"]
    rows = json.loads(rows) if isinstance(rows, str) else rows
    shown = rows[:MOST_ROWS]
    columns = list(shown[0]) if shown else []
    fitting, room = _fitting(columns, shown, width=console.width)
    # Title and note are lines of their own: in a table they are squeezed to its width.
    _plain(console, artifact.get("description") or artifact["key"])
    if shown:
        console.print(_table(fitting, shown, room=room))
    left_out = {"rows": len(rows) - len(shown), "columns": len(columns) - len(fitting)}
    more = " and ".join(f"{count} more {what}" for what, count in left_out.items() if count)
    if more or not shown:
        _plain(console, f"{more} in the UI" if more else "no rows")


def _table(columns: list[str], rows: list[dict[str, Any]], *, room: int | None) -> Table:
    table = Table()
    for column in columns:
        most = room if column == columns[-1] else None
        numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
        justify: JustifyMethod = "right" if numeric else "left"
        table.add_column(Text(column), justify=justify, no_wrap=True, max_width=most)
    for row in rows:
        table.add_row(*(Text(_cell(row.get(column))) for column in columns))
    return table


def _fitting(
    columns: list[str], rows: list[dict[str, Any]], *, width: int
) -> tuple[list[str], int | None]:
    """Return the leading columns that fit a terminal side by side, and the width of the last one.

    The last one may be a text that is cut short; None where nothing has to be.
    """
    taken = 1
    fitting: list[str] = []
    for column in columns:
        needed = 3 + max(len(column), *(len(_cell(row.get(column))) for row in rows))
        room = width - taken - 3
        if taken + needed > width and fitting:
            is_text = all(isinstance(row.get(column), str) for row in rows)
            if is_text and room >= LEAST_CUT_TEXT:
                return [*fitting, column], room
            break
        taken += needed
        fitting.append(column)
    return fitting, None


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def command_name() -> str:
    """Return how this command is called here: by its path where that is not searched."""
    called = Path(sys.argv[0])
    return str(called) if called.name == COMMAND and shutil.which(COMMAND) is None else COMMAND


def welcome(console: Console, local: Local, *, was_up: bool) -> None:
    """Print where everything is and how to stop it."""
    _plain(
        console,
        f"\n{'Already up' if was_up else 'Up'}.\n"
        f"  UI        {local.ui_url}  (runs, schedules; a run's page has its artifacts)\n"
        f"  AWS       {local.aws_url}  (embedded; point boto3's endpoint_url here)\n"
        f"{_cluster_lines(local)}"
        f"  logs      {local.logs}\n"
        f"  run       {command_name()} run optimize-costs  (or apply-savings, cluster-usage, ...)\n"
        f"  stacks    {command_name()} stacks  (what waits for an answer, and how to give it)\n"
        f"  stop      {command_name()} down",
    )


def _cluster_lines(local: Local) -> str:
    """Return how the cluster is reached, and what to try with it."""
    if local.kubeconfig is None:
        return ""
    lines = f"  cluster   export KUBECONFIG={shlex.quote(str(local.kubeconfig))}"
    if not local.has_own_cluster:
        known = local.prometheus_url or "none known; `homeostat up --prometheus-url` names one"
        return f"{lines}  (yours)\n  metrics   {known}\n"
    return (
        f"{lines}  (then kubectl -n shop get pods)\n"
        f"  metrics   {local.prometheus_url}  (Prometheus' API)\n"
        f"  break     {command_name()} break cart memory-demand  (then {command_name()} workloads)\n"
    )


def foreground(console: Console, local: Local) -> None:
    """Print where everything will be."""
    _plain(console, f"UI {local.ui_url}, AWS {local.aws_url}; Ctrl-C stops")


def not_up(console: Console, state: UpState | None, *, alive: bool, as_json: bool) -> None:
    """Print why nothing can be used: down, starting, stopping or failed.

    Args:
        console: Where to.
        state: What a supervisor last wrote; None where there was none.
        alive: It still runs.
        as_json: For programs.
    """
    phase = DOWN if state is None or not alive else state.phase
    error = None if state is None else state.error
    if as_json:
        console.print_json(data={"ready": False, "phase": phase, "error": error})
    else:
        _plain(console, phase if error is None else f"{phase}; it could not start: {error}")


def status(
    console: Console, local: Local, state: UpState, runs: list[FlowRun], *, as_json: bool
) -> None:
    """Print services, and the last run of each flow."""
    local = at_running_ports(local, state)
    if as_json:
        facts = {
            "ready": True,
            "phase": state.phase,
            "ui": local.ui_url,
            "aws": local.aws_url,
            "kubeconfig": local.kubeconfig and str(local.kubeconfig),
            "prometheus": local.prometheus_url,
        }
        console.print_json(
            data={**facts, "services": state.services, "runs": [asdict(run) for run in runs]}
        )
        return
    console.print(f"up: UI {local.ui_url}, AWS {local.aws_url}", highlight=False)
    if local.kubeconfig is not None:
        _plain(console, f"cluster: {local.kubeconfig}")
    table = Table(title="last run of each flow", title_justify="left")
    for column in ("flow", "run", "state", "seconds"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for run in runs:
        cells = (run.deployment, run.name, run.state_name, f"{run.seconds:.1f}")
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)


def findings(console: Console, found: list[Finding]) -> None:
    """Print what `doctor` found."""
    colors = {Verdict.OK: "green", Verdict.OPTIONAL: "yellow", Verdict.MISSING: "red"}
    table = Table(show_header=False, box=None)
    for finding in found:
        verdict = Text(finding.verdict.value, style=colors[finding.verdict])
        table.add_row(verdict, *map(Text, (finding.subject, finding.detail, finding.remedy)))
    console.print(table)
