"""Measured figures with what is needed to measure them again; one file per area."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.harness import Metrics
from benchmarks.machine import Machine

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path("docs/results")
"""Folder of results below the repository."""


class ResultError(ValueError):
    """A text that should hold figures does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One area's figures.

    Attributes:
        area: Name of the benchmark.
        date: ISO day on which it ended, UTC.
        machine: Where it ran.
        versions: By package; what is not installed is left out.
        data: Names of the recordings, or "synthetic"; empty where none is read.
        seed: Seed of every draw; None when nothing is drawn.
        quick: Whether fewer origins and series were measured.
        command: Measures it again from the repository; DIR stands for a folder of recordings.
        metrics: Figures, None where undefined.
    """

    area: str
    date: str
    machine: Machine
    versions: Mapping[str, str]
    data: tuple[str, ...]
    seed: int | None
    quick: bool
    command: str
    metrics: Metrics


def parse_metrics(line: str) -> Metrics:
    """Return the figures of one flat JSON object; only finite numbers and null are figures.

    Raises:
        ResultError: When the line is something else.
    """
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        message = f"the last line is no JSON ({error}): {line[:80]!r}; call harness.publish last"
        raise ResultError(message) from error
    if not isinstance(found, dict):
        message = f"the last line is no JSON object: {line[:80]!r}; call harness.publish last"
        raise ResultError(message)
    wrong = [key for key, value in found.items() if not _is_figure(value)]
    if wrong:
        message = f"not a finite number or null: {', '.join(wrong)}; publish figures flat"
        raise ResultError(message)
    return found


def _is_figure(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return value is None or (isinstance(value, int | float) and math.isfinite(value))


def save_result(result: Result, folder: Path) -> Path | None:
    """Write folder/<area>.json and return it; None when a quick result would replace a full one."""
    path = folder / f"{result.area}.json"
    if result.quick and path.exists() and not load_result(path).quick:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".json.new")
    written.write_text(json.dumps(asdict(result), indent=2) + "\n")
    written.replace(path)
    return path


def load_result(path: Path) -> Result:
    """Return what `save_result` wrote.

    Raises:
        ResultError: When the file holds something else.
    """
    try:
        found = json.loads(path.read_text())
        found["machine"] = Machine(**found["machine"])
        found["data"] = tuple(found["data"])
        return Result(**found)
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} is no result ({error}); measure it again: python -m benchmarks.run"
        raise ResultError(message) from error


def load_results(folder: Path) -> dict[str, Result]:
    """Return the results in a folder by area; none when there is no folder."""
    return {path.stem: load_result(path) for path in sorted(folder.glob("*.json"))}


def recording_names(folder: Path | None, patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the recordings that match, as kind/name; "synthetic" stands in for a missing kind.

    Args:
        folder: Recordings, a folder per kind; None for synthetic data only.
        patterns: Such as "spot_prices/*.parquet"; none where no recording is read.
    """
    if not (patterns := tuple(patterns)):
        return ()
    if folder is None:
        return ("synthetic",)
    names: list[str] = []
    for pattern in patterns:
        found = sorted(f"{file.parent.name}/{file.stem}" for file in folder.glob(pattern))
        names += found or [f"{pattern.partition('/')[0]}/synthetic"]
    return tuple(names)
