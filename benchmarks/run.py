"""Every benchmark, one after the other; figures go to docs/results/<area>.json.

Run with `python -m benchmarks.run [--quick] [--data DIR] [AREA ...]`. Each area is a process of its
own, so that one's memory and failures are not another's.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.harness import RECORDED_DATA, notice
from benchmarks.machine import package_versions, this_machine
from benchmarks.results import (
    RESULTS,
    ROOT,
    Result,
    ResultError,
    parse_metrics,
    recording_names,
    save_result,
)

AREAS: dict[str, tuple[str, ...]] = {
    "spot": ("spot_prices/*.parquet", "spot_availability/*.json"),
    "usage": ("load/vms_hourly_2013.parquet", "load/azure_vms_5min_cpu_avg.parquet"),
    "savings": ("load/vms_hourly_2013.parquet", "load/azure_vms_5min_cpu_avg.parquet"),
    "stacks": ("load/vms_hourly_2013.parquet", "load/azure_vms_5min_cpu_avg.parquet"),
    "load": (
        "load/vms_hourly_2013.parquet",
        "load/azure_vms_5min_cpu_avg.parquet",
        "load/vms_5min_2013-08.parquet",
        "load/requests_worldcup98_per_minute.parquet",
    ),
    "anomalies": ("nab/*.json", "load/*.parquet"),
    "tuning": ("load/vms_5min_2013-08.parquet",),
    "cluster": (),
}
"""Each area, and the recordings it reads below the data folder; none where it reads none."""


class AreaFailedError(RuntimeError):
    """A benchmark ended without figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to measure.

    Attributes:
        areas: Names out of AREAS.
        data: Folder given by --data; None when it was not given.
        quick: Fewer origins and series.
    """

    areas: tuple[str, ...]
    data: Path | None
    quick: bool

    @property
    def recordings(self) -> Path | None:
        """Folder that the benchmarks will read; None when they have to make data up."""
        return self.data or (RECORDED_DATA if RECORDED_DATA.is_dir() else None)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the areas named, or all; return 1 when one failed."""
    request = parse_request(argv)
    return run_areas(request.areas, measure=lambda area: measure_area(area, request))


def parse_request(argv: Sequence[str] | None = None) -> Request:
    """Return what the command line asks for; an unknown area or a missing folder is refused."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("areas", metavar="AREA", nargs="*", help=f"of {', '.join(AREAS)} [all]")
    parser.add_argument("--data", type=Path, help="folder of recordings [../shared/data]")
    parser.add_argument("--quick", action="store_true", help="about a minute per area")
    found = parser.parse_args(argv)
    unknown = [area for area in found.areas if area not in AREAS]
    if unknown:
        parser.error(f"no benchmark of {', '.join(unknown)}; there are: {', '.join(AREAS)}")
    if found.data is not None and not found.data.is_dir():
        parser.error(f"--data {found.data} is not a folder; leave it out for synthetic data")
    data = None if found.data is None else found.data.resolve()
    return Request(areas=tuple(found.areas or AREAS), data=data, quick=found.quick)


def run_areas(
    areas: Sequence[str], *, measure: Callable[[str], Result], folder: Path = ROOT / RESULTS
) -> int:
    """Measure and save one area after the other; a failure costs no other area its figures.

    Args:
        areas: Names out of AREAS.
        measure: Returns an area's result, or raises AreaFailedError.
        folder: Where results are kept.

    Returns:
        0, or 1 when an area failed.
    """
    failures: list[str] = []
    for area in areas:
        try:
            result = measure(area)
        except AreaFailedError as error:
            failures.append(f"{area}: {error}")
        else:
            _report(result, save_result(result, folder))
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr, flush=True)
    return 1 if failures else 0


def _report(result: Result, kept: Path | None) -> None:
    if kept is not None:
        notice(f"{RESULTS / kept.name} is written; `make docs` puts it into README and docs")
        return
    print(json.dumps(result.metrics), flush=True)
    notice(f"quick figures of {result.area} do not replace the full ones")


def measure_area(
    area: str, request: Request, *, launch: Callable[[Sequence[str]], str] | None = None
) -> Result:
    """Return what `python -m benchmarks.<area> --json` measures; its tables are printed meanwhile.

    Args:
        area: Name out of AREAS.
        request: How to measure.
        launch: Runs a command and returns its last line; None for `last_line`.

    Raises:
        AreaFailedError: When it ends with an error or without figures.
    """
    options = ["--json", *(["--quick"] if request.quick else [])]
    given = [] if request.data is None else ["--data", str(request.data)]
    command = [sys.executable, "-m", f"benchmarks.{area}", *options, *given]
    line = (launch or last_line)(command)
    try:
        metrics = parse_metrics(line)
    except ResultError as error:
        raise AreaFailedError(str(error)) from error
    named = [] if request.data is None else ["--data", "DIR"]
    return Result(
        area=area,
        date=datetime.now(UTC).date().isoformat(),
        machine=this_machine(),
        versions=package_versions(),
        data=recording_names(request.recordings, AREAS[area]),
        seed=getattr(importlib.import_module(f"benchmarks.{area}"), "SEED", None),
        quick=request.quick,
        # Never the folder itself: a result is published.
        command=shlex.join(["python", "-m", f"benchmarks.{area}", *options, *named]),
        metrics=metrics,
    )


def last_line(command: Sequence[str]) -> str:
    """Run a command, print its stdout as it comes, and return the last line instead of printing it.

    Raises:
        AreaFailedError: When its exit code is not 0; then the last line is printed too.
    """
    held = ""
    # Unbuffered, or tables and progress would come in another order than they were printed.
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            print(held, end="", flush=True)
            held = line
    if process.returncode != 0:
        print(held, end="", flush=True)
        message = f"ended with exit code {process.returncode}; the reason is above"
        raise AreaFailedError(message)
    return held.strip()


if __name__ == "__main__":
    sys.exit(main())
