"""What every benchmark shares: its options, its tables, and one machine-readable last line."""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RECORDED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Where recordings are looked for when --data is not given: ../shared/data."""

Metrics = dict[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run a benchmark.

    Attributes:
        data: Folder in the layout of the data README; None for a seeded synthetic set.
        quick: Fewer origins and series, about a minute.
        as_json: Print one flat JSON object as the last line of stdout.
    """

    data: Path | None
    quick: bool
    as_json: bool


def parse_options(
    area: str, argv: Sequence[str] | None = None, *, reads_recordings: bool = True
) -> Options:
    """Return the options of `python -m benchmarks.<area>`; a missing --data folder is refused.

    Args:
        area: Name of the module.
        argv: Arguments; None for those of the command.
        reads_recordings: Whether recordings are looked for when --data is not given, and missed.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{area}")
    parser.add_argument("--data", type=Path, help="folder of recordings [../shared/data]")
    parser.add_argument("--quick", action="store_true", help="fewer origins, about a minute")
    parser.add_argument(
        "--json", action="store_true", help="last line of stdout is one JSON object"
    )
    found = parser.parse_args(argv)
    if found.data is not None and not found.data.is_dir():
        parser.error(f"--data {found.data} is not a folder; leave it out for synthetic data")
    data = found.data or (_recorded() if reads_recordings else None)
    return Options(data=data, quick=found.quick, as_json=found.json)


def _recorded() -> Path | None:
    if RECORDED_DATA.is_dir():
        return RECORDED_DATA
    notice("no recorded data found: using a seeded synthetic set; its figures prove nothing")
    return None


def notice(text: str) -> None:
    """Print a remark that belongs to the figures."""
    print(f"note: {text}", flush=True)


def progress(text: str) -> None:
    """Print what is being measured now, to stderr."""
    print(text, file=sys.stderr, flush=True)


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; numbers get three decimals, unknown values a dash."""
    table = Table(title=title, title_justify="left")
    for position, column in enumerate(columns):
        table.add_column(
            column, justify="left" if position == 0 else "right", no_wrap=position == 0
        )
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    Console(width=140).print(table)


def publish(options: Options, metrics: Mapping[str, float | None]) -> None:
    """Print the metrics as the last line when asked for; what is undefined becomes null."""
    if options.as_json:
        sys.stdout.flush()
        print(json.dumps({key: _plain(value) for key, value in metrics.items()}), flush=True)


def measured_apart(module: str, options: Options) -> Metrics:
    """Run `python -m benchmarks.<module>` as a process of its own and return its figures.

    Raises:
        subprocess.CalledProcessError: It ended with an error.
    """
    arguments = ["--json", *(["--quick"] if options.quick else [])]
    arguments += ["--data", str(options.data)] if options.data is not None else []
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    *shown, last = done.stdout.rstrip().splitlines()
    print("\n".join(shown), flush=True)
    found: Metrics = json.loads(last)
    return found


def peak_rss_gib() -> float:
    """Return the largest resident memory of this process so far, GiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return peak * unit / 2**30


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _plain(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), 5)
