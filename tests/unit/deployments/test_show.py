from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deployments import show
from deployments.doctor import Finding, Verdict
from deployments.local import Local, UpState
from deployments.prefect_api import FlowRun, PrefectApi

ROWS = [
    {"rank": 1, "pool": "m5.large/us-east-1a", "run here": 2, "saving": "70%"},
    {"rank": 12, "pool": "c5.large/us-east-1b", "run here": None, "saving": "8%"},
]


class StoredRun(PrefectApi):
    """A server that holds one run's artifacts and log."""

    def __init__(
        self, *, artifacts: list[dict[str, Any]] | None = None, log: list[str] | None = None
    ) -> None:
        super().__init__("http://127.0.0.1:4200/api")
        self._artifacts = artifacts or []
        self._log = log or []

    def artifacts(self, run: FlowRun) -> list[dict[str, Any]]:
        return self._artifacts

    def logs(self, run: FlowRun, *, limit: int = 200) -> list[str]:
        return self._log[-limit:]


def _console(width: int = 80) -> Console:
    return Console(file=StringIO(), width=width, force_terminal=False)


def _text(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def _run(state: str = "COMPLETED", *, message: str = "") -> FlowRun:
    return FlowRun(
        id="7",
        name="spot-1",
        state_type=state,
        state_name=state.capitalize(),
        message=message,
        seconds=1.25,
        deployment="forecast",
    )


def _printed(rows: list[dict[str, Any]], *, width: int, description: str = "Best") -> str:
    artifact = {"type": "table", "key": "pools", "description": description}
    api = StoredRun(artifacts=[artifact | {"data": json.dumps(rows)}])
    console = _console(width)
    show.finished_run(console, api, _run())
    return _text(console)


def test_a_wide_terminal_shows_every_column() -> None:
    text = _printed(ROWS, width=100)

    assert all(column in text for column in ROWS[0])
    assert "in the UI" not in text


def test_a_narrow_terminal_shows_the_leading_columns_whole_and_counts_the_rest() -> None:
    text = _printed(ROWS, width=44)

    assert "m5.large/us-east-1a" in text
    assert "run here" in text
    assert "saving" not in text
    assert "1 more columns in the UI" in text
    assert max(len(line) for line in text.splitlines() if line[0] in "┏┃│└") <= 44


def test_the_first_column_is_shown_however_narrow_the_terminal_is() -> None:
    assert "3 more columns in the UI" in _printed(ROWS, width=6)


@pytest.mark.parametrize(("taken", "width"), [(2, 33), (1, 32)])
def test_a_column_fits_when_its_frame_does_too(taken: int, width: int) -> None:
    # 1 + (3 + 4) for rank, + (3 + 19) for pool, makes 30; then 3 more for a column of nothing.
    columns = ["rank", "pool", ""]
    rows = [{"rank": 1, "pool": "m5.large/us-east-1a", "": ""}]

    fitting, cut_to = show._fitting(columns, rows, width=width)

    assert (len(fitting), cut_to) == (taken + 1, None)


def test_a_long_text_is_cut_short_rather_than_left_out() -> None:
    rows = [{"resource": "i-1", "why not": "it saves too little for a restart of what it is"}]
    text = _printed(rows, width=40)

    assert "it saves too little" in text
    assert "more columns" not in text
    assert max(len(line) for line in text.splitlines() if line[0] in "┏┃│└") <= 40


def test_one_summary_and_one_table_are_printed_and_the_rest_is_named() -> None:
    artifacts = [
        {"type": "markdown", "key": "summary", "description": "Short.", "data": "the gist"},
        {"type": "table", "key": "best", "description": "Best", "data": json.dumps(ROWS)},
        {"type": "markdown", "key": "long", "description": "Every step.", "data": "steps"},
        {"type": "table", "key": "rest", "description": "Rejected", "data": json.dumps(ROWS)},
    ]
    console = _console(100)
    show.finished_run(console, StoredRun(artifacts=artifacts), _run())

    assert "the gist" in _text(console)
    assert "steps" not in _text(console)
    assert "also in the UI: every step; rejected" in _text(console)


def test_more_rows_than_fit_are_counted() -> None:
    text = _printed([{"rank": rank} for rank in range(1, 16)], width=80)

    assert f"{15 - show.MOST_ROWS} more rows in the UI" in text
    assert "12 │" in text
    assert "13 │" not in text


def test_a_row_without_a_column_and_an_unknown_value_show_a_dash() -> None:
    text = _printed(
        [{"pool": "a", "count": 1}, {"pool": "b"}, {"pool": "c", "count": None}], width=80
    )

    assert text.count("-") >= 2


def test_an_empty_table_says_so() -> None:
    assert "Best\nno rows\n" in _printed([], width=80)


def test_brackets_are_text_and_not_markup() -> None:
    text = _printed([{"[red]": "[/nothing] [a-z]"}], width=80, description="Best [bold]")

    assert "[red]" in text
    assert "[/nothing] [a-z]" in text
    assert "Best [bold]" in text


def test_a_failed_run_says_why_with_the_end_of_its_log_and_its_page() -> None:
    console = _console()
    log = [
        "begun",
        "Encountered exception\nTraceback (most recent call last)\n  File\n[x]Error: no",
    ]

    show.finished_run(console, StoredRun(log=log), _run("FAILED", message="no pools [a-z]"))

    lines = _text(console).splitlines()
    assert lines[0] == "Failed forecast spot-1 in 1.2 s"
    assert lines[1].strip() == "http://127.0.0.1:4200/v2/runs/flow-run/7"
    assert lines[2] == "no pools [a-z]"
    assert lines[3:] == ["  begun", "  Encountered exception", "  [x]Error: no"]


def test_a_run_that_goes_on_is_not_said_to_have_taken_any_time() -> None:
    console = _console()

    show.finished_run(console, StoredRun(), _run("RUNNING"))

    assert _text(console).startswith("Running forecast spot-1\n")
    assert "still under way" in _text(console)


def test_a_terminal_is_not_shown_the_source_of_a_drawing() -> None:
    artifact = {"type": "markdown", "data": "# Outlook\n\n## Price ahead\n\n```mermaid\nx\n```\n"}
    console = _console()

    show.finished_run(console, StoredRun(artifacts=[artifact]), _run())

    assert "Outlook" in _text(console)
    assert "mermaid" not in _text(console)


def test_only_the_last_lines_of_a_log_are_shown() -> None:
    assert show.short_log([f"{n}\n" for n in range(20)], most_lines=3) == ["17", "18", "19"]


def test_where_things_are_stays_on_one_line_however_long_the_path(tmp_path: Path) -> None:
    home = tmp_path / ("very-long-" * 12) / "[x]"
    console = _console()

    show.welcome(console, Local(home=home), was_up=False)

    assert f"  logs      {home}/logs" in _text(console).splitlines()


@pytest.mark.parametrize(
    ("state", "alive", "phase", "error"),
    [
        (None, False, "down", None),
        ({"phase": "up", "ready": True}, False, "down", None),
        ({"phase": "registering"}, True, "registering", None),
        ({"phase": "failed", "error": "[x] no"}, True, "failed", "[x] no"),
        ({"phase": "down", "error": "[x] no"}, False, "down", "[x] no"),
    ],
)
def test_what_is_not_up_says_why(
    state: dict[str, Any] | None, alive: bool, phase: str, error: str | None
) -> None:
    written = UpState(pid=1, started_at=0.0, ui_port=1, aws_port=2, **state) if state else None
    people, programs = _console(), _console()

    show.not_up(people, written, alive=alive, as_json=False)
    show.not_up(programs, written, alive=alive, as_json=True)

    assert _text(people).startswith(phase)
    assert (error or phase) in _text(people)
    assert json.loads(_text(programs)) == {"ready": False, "phase": phase, "error": error}


def test_findings_show_verdict_subject_detail_and_remedy() -> None:
    console = _console()
    finding = Finding(subject="go", verdict=Verdict.OPTIONAL, detail="[no]", remedy="get it")

    show.findings(console, [finding])

    assert _text(console).split() == ["optional", "go", "[no]", "get", "it"]
