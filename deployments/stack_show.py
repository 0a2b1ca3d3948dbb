"""What the command prints of stacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from deployments.stacks import Stack, StackCommandError

if TYPE_CHECKING:
    from tasks.domain.stacks.preview import Preview


def stacks(console: Console, found: Sequence[Stack], *, as_json: bool) -> None:
    """Print how every stack stands."""
    if as_json:
        console.print_json(data=[asdict(one) for one in found])
        return
    if not found:
        console.print("no stack yet; `homeostat run apply-savings` makes one")
        return
    table = Table()
    for column in ("stack", "status", "USD/month", "message"):
        table.add_column(column, justify="right" if column == "USD/month" else "left")
    for one in found:
        delta = "-" if one.delta_usd_per_month is None else f"{one.delta_usd_per_month:,.2f}"
        table.add_row(*(Text(cell) for cell in (one.name, one.status, delta, one.message[:100])))
    console.print(table)
    for one in found:
        if one.status == "waiting":
            line = f"answer: homeostat approve {one.name} --approver NAME"
            console.print(line, highlight=False, soft_wrap=True)


def preview(console: Console, seen: Preview, *, comment: Path | None, as_json: bool) -> None:
    """Print a preview, and write the comment of a pull request where that is wanted."""
    # Late: `homeostat --help` needs none of it.
    from tasks.domain.stacks.report import comment_markdown, preview_markdown
    from tasks.domain.stacks.report_data import preview_json

    if comment is not None:
        comment.write_text(comment_markdown(seen), encoding="utf-8")
    if as_json:
        print(preview_json(seen))  # noqa: T201 - rich would wrap and colour it
    else:
        console.print(Markdown(preview_markdown(seen)))


def is_expected(error: Exception) -> bool:
    """Return whether an error is one that its message explains."""
    from tasks.domain.errors import InfraError

    return isinstance(error, InfraError | StackCommandError | OSError)
