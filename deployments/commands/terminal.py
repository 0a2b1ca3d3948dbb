"""What all commands say alike: errors, and runs that are waited for."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from deployments import show
from deployments.prefect_api import FlowRun, PrefectApi

RUN_TIMEOUT_SECONDS = 900

console = Console()
errors = Console(stderr=True)


def complain(problem: str, error: Exception) -> int:
    """Print an error as it is, brackets and long lines too, and return the exit code."""
    errors.print(Text.assemble((f"{problem}: ", "red"), str(error)), soft_wrap=True)
    return 1


def run_and_show(
    api: PrefectApi, deployment: str, parameters: dict[str, object] | None = None
) -> FlowRun:
    """Run a flow, wait for its end and print what it found; return how it ended."""
    return watch_and_show(api, api.start_run(deployment, parameters))


def watch_and_show(api: PrefectApi, run: FlowRun) -> FlowRun:
    """Wait for the end of a run and print what it found; return how it ended."""
    with console.status(f"{run.deployment}: waiting for the worker") as status:
        for seen in api.watch(run, timeout_seconds=RUN_TIMEOUT_SECONDS):
            run = seen
            status.update(f"{run.deployment}: {run.name} {run.state_name.lower()}")
    show.finished_run(console, api, run)
    return run
