"""What a run was judged by: real tools, embedded stand-ins, or nothing because it was skipped.

A pytest plugin. It skips `real(tool)` tests whose tool is missing, says at the end of a run what was
judged by what, and, with HOMEOSTAT_REQUIRE_REAL=1, fails a run in which a test of a tool that
`make tools` builds was skipped. Under pytest-xdist the counting is done where the reports arrive.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployments.tools.families import find_tool, read_families

REQUIRE_REAL = "HOMEOSTAT_REQUIRE_REAL"
PROPERTY = "judged_by"
NEITHER = "neither: decisions and plumbing alone"
OTHER_REMEDIES = {"chromium": "install your system's chromium package"}
OTHER_NAMES = {"chromium": ("chromium", "chromium-browser", "google-chrome")}

ToolPath = Callable[[str], Path]


def buildable_tools() -> frozenset[str]:
    """Return the names of the tools that `make tools` builds."""
    return frozenset(tool.name for family in read_families() for tool in family.tools)


def locate(tool: str) -> Path | None:
    """Return a real tool's path, on PATH or in .tools/bin; None where it is missing."""
    found = (find_tool(name) for name in OTHER_NAMES.get(tool, (tool,)))
    return next((path for path in found if path is not None), None)


def how_to_get(tool: str) -> str:
    """Return what to do about a missing tool."""
    if tool in buildable_tools():
        return "`make tools` builds it where Go is installed"
    return OTHER_REMEDIES.get(tool, "install it and put it on PATH")


@dataclass(kw_only=True)
class Tally:
    """Outcomes by what they were judged by.

    Attributes:
        outcomes: `real pulumi`, `embedded aws` or NEITHER, to a count of each outcome.
        reasons: Why tests were skipped, and how many for each reason.
        missing: Tests of buildable real tools that were skipped, with the reason.
    """

    outcomes: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    reasons: Counter[str] = field(default_factory=Counter)
    missing: dict[str, str] = field(default_factory=dict)
    required: frozenset[str] = field(default_factory=buildable_tools)

    def add(self, report: pytest.TestReport) -> None:
        """Count one report; a phase that says nothing about the outcome counts nothing."""
        outcome = _outcome(report)
        if outcome is None:
            return
        judges = [str(value) for name, value in report.user_properties if name == PROPERTY]
        for judge in judges or [NEITHER]:
            self.outcomes[judge][outcome] += 1
        if outcome == "skipped":
            self._add_skip(report.nodeid, _reason(report), judges)

    def add_module(self, report: pytest.CollectReport) -> None:
        """Note a module that skipped itself as a whole."""
        if report.skipped:
            self.reasons[f"{_reason(report)} (all of {report.nodeid})"] = 1

    def _add_skip(self, test: str, reason: str, judges: list[str]) -> None:
        self.reasons[reason] += 1
        if any(judge == f"real {tool}" for judge in judges for tool in self.required):
            self.missing[test] = reason

    def lines(self) -> Iterator[str]:
        """Yield the table, and below it why tests were skipped."""
        columns = ("passed", "failed", "skipped")
        width = max(len(judge) for judge in self.outcomes)
        yield " " * width + "".join(f"{column:>9}" for column in columns)
        for judge, counts in sorted(self.outcomes.items(), key=_real_first):
            yield f"{judge:<{width}}" + "".join(f"{counts[c] or '-':>9}" for c in columns)
        if self.reasons:
            yield "skipped, and why:"
        for reason, count in self.reasons.most_common():
            yield f"  {count} x {reason}"


def _real_first(row: tuple[str, Mapping[str, int]]) -> tuple[int, str]:
    kind = row[0].split()[0]
    return ({"real": 0, "embedded": 1}.get(kind, 2), row[0])


def _outcome(report: pytest.TestReport) -> str | None:
    if report.when == "call":
        expected_failure = report.skipped and hasattr(report, "wasxfail")
        return "passed" if expected_failure else report.outcome
    return None if report.passed else report.outcome


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(text).removeprefix("Skipped: ")


TALLY = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count."""
    config.stash[TALLY] = Tally()
    config.pluginmanager.register(_Counting(config.stash[TALLY]), "homeostat-tally")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Note on each test what judges it; the note travels with its reports."""
    for kind in ("real", "embedded"):
        for marker in item.iter_markers(kind):
            item.user_properties += [(PROPERTY, f"{kind} {name}") for name in marker.args]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose real tool is not there."""
    for marker in item.iter_markers("real"):
        for tool in marker.args:
            if locate(tool) is None:
                pytest.skip(f"no {tool} on PATH or in .tools/bin: {how_to_get(tool)}")


@pytest.fixture(scope="session")
def tool_path() -> ToolPath:
    """Give the path of a real tool; for tests marked `real(tool)`, which run only where it is."""

    def path(tool: str) -> Path:
        found = locate(tool)
        assert found is not None, f"mark the test with @pytest.mark.real({tool!r})"
        return found

    return path


class _Counting:
    """Counts reports in the process where all of them arrive."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.tally.add(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.tally.add_module(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        passed = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if self.tally.missing and passed and _real_is_required():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.tally.outcomes:
            return
        terminalreporter.section("judged by")
        for line in self.tally.lines():
            terminalreporter.line(line)
        if self.tally.missing and _real_is_required():
            for test, reason in self.tally.missing.items():
                terminalreporter.line(f"NOT JUDGED BY ITS REAL TOOL: {test}: {reason}", red=True)
            count = len(self.tally.missing)
            line = (
                f"the run fails: {REQUIRE_REAL}=1 and {count} of the real-tool tests were skipped"
            )
            terminalreporter.line(line, red=True)


def _real_is_required() -> bool:
    return os.environ.get(REQUIRE_REAL, "") not in ("", "0")
