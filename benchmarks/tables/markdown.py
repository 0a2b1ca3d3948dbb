"""What tables of every area share: cells, rows, and the line that says where figures come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.harness import Metrics
from benchmarks.results import Result

Table = Callable[[Metrics], str]
"""From figures, perhaps none, to Markdown."""

UNKNOWN = "-"
NOT_MEASURED = "not measured yet"


def figure(value: float | None, template: str = "{:.3f}") -> str:
    """Return a cell, such as "0.213", "79.8%", "12.0 s"; a dash for what is unknown."""
    return UNKNOWN if value is None else template.format(value)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is left-aligned, the others right-aligned.

    A row that has nothing but unknown figures behind its first cell says that they were not
    measured.
    """
    rule = [":--", *["--:"] * (len(columns) - 1)]
    lines = [columns, rule, *(_said(row) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _said(row: Sequence[str]) -> Sequence[str]:
    if len(row) > 1 and all(cell == UNKNOWN for cell in row[1:]):
        return [row[0], NOT_MEASURED, *row[2:]]
    return row


def provenance(area: str, result: Result | None) -> str:
    """Return one paragraph: when, where, on what and how an area was measured."""
    if result is None:
        return f"Not measured yet: `python -m benchmarks.run {area}`."
    machine = result.machine
    sentences = [
        f"Measured on {result.date} on {machine.cpus} cores of {machine.cpu}, {machine.memory_gib:.1f} GiB,"
        f" {machine.os}, Python {machine.python}.",
        f"Data: {', '.join(result.data) or 'none'}.",
        f"Seed: {UNKNOWN if result.seed is None else result.seed}.",
        f"Versions: {', '.join(f'{name} {version}' for name, version in result.versions.items())}.",
        f"Command: `{result.command}`.",
    ]
    if result.quick:
        sentences.insert(0, "**A quick run, on too few origins to judge by.**")
    return " ".join(sentences)
