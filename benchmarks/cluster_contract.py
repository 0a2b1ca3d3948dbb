"""The contract of a Kubernetes API server, asked of the embedded and of the real one.

Run with `python -m benchmarks.cluster_contract [--quick] [--json]`. `tests/contract/` is run once for
each server, in a process of its own, and its JUnit report is read: a behaviour that failed, or whose
set-up or tear-down did, is a failure. What was skipped was not asked and counts as nothing; a server of
which nothing could be asked has no figure.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.cluster_contract_plugin import OPTION
from benchmarks.cluster_servers import EMBEDDED, REAL
from benchmarks.harness import (
    Metrics,
    Options,
    notice,
    parse_options,
    progress,
    publish,
    show_table,
)
from benchmarks.results import ROOT

CONTRACT = Path("tests/contract")
QUICK_CHAPTER = "test_selectors.py"
PLUGIN = "benchmarks.cluster_contract_plugin"
TESTS_FAILED = 1
NO_TESTS = 5
SHOWN = 20


class ContractError(Exception):
    """The contract could not be asked: its tests cannot be collected, or the run broke off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of the contract on one server.

    Attributes:
        asked: Behaviours that passed or failed.
        failures: Names of those that failed.
        skipped: Reason to a count of the behaviours that were not asked for it.
    """

    asked: int
    failures: tuple[str, ...]
    skipped: Mapping[str, int]


def main(argv: Sequence[str] | None = None) -> None:
    """Ask, print a table, and with --json one line of figures."""
    options = parse_options("cluster_contract", argv, reads_recordings=False)
    publish(options, measure(options))


def measure(options: Options) -> Metrics:
    """Return the figures of both servers; a quick run asks one chapter alone."""
    chapter = QUICK_CHAPTER if options.quick else None
    verdicts = {}
    for server in (EMBEDDED, REAL):
        progress(f"cluster: the contract on the {server} control plane")
        verdicts[server] = asked(server, chapter=chapter)
        _tell(server, verdicts[server])
    metrics = figures(verdicts)
    show_table("Contract", ["", "value"], list(metrics.items()))
    return metrics


def asked(server: str, *, chapter: str | None = None) -> Verdict:
    """Return what came of asking a server.

    Args:
        server: Name of it in `tests/contract/servers.py`.
        chapter: File of the contract; None for all.

    Raises:
        ContractError: There is no report of a whole run.
    """
    tests = ROOT / CONTRACT if chapter is None else ROOT / CONTRACT / chapter
    with tempfile.TemporaryDirectory(prefix="homeostat-bench-") as folder:
        report = Path(folder) / "report.xml"
        chosen = ["-p", PLUGIN, OPTION, server, f"--junitxml={report}"]
        # One after the other: a server that others starve answers late, and that is no failure of it.
        command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *chosen]
        done = subprocess.run(
            [*command, str(tests)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, TESTS_FAILED, NO_TESTS):
            tail = "\n".join(done.stdout.splitlines()[-SHOWN:])
            message = f"pytest ended with {done.returncode} on the {server} server:\n{tail}"
            raise ContractError(message)
        return read_report(report.read_text())


def read_report(text: str) -> Verdict:
    """Return what a JUnit report of pytest says; a test with several entries counts once."""
    # Our own pytest wrote it a moment ago.
    root = ElementTree.fromstring(text)  # noqa: S314
    ran: set[str] = set()
    failures: set[str] = set()
    skipped: dict[str, str] = {}
    for case in root.iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failures.add(name)
        elif skip is not None:
            skipped[name] = skip.get("message") or "no reason given"
        else:
            ran.add(name)
    reasons = Counter(reason for name, reason in skipped.items() if name not in failures)
    return Verdict(asked=len(ran | failures), failures=tuple(sorted(failures)), skipped=reasons)


def figures(verdicts: Mapping[str, Verdict]) -> Metrics:
    """Return behaviours and failures; what could not be asked is unknown.

    Args:
        verdicts: By server.

    Returns:
        `contract_behaviours` is of the server that was asked the fewest, of those that were asked.
    """
    counts = [one.asked for one in verdicts.values() if one.asked]
    metrics: Metrics = {"contract_behaviours": float(min(counts)) if counts else None}
    for server, one in verdicts.items():
        metrics[f"contract_failures_{server}"] = float(len(one.failures)) if one.asked else None
        metrics[f"contract_skipped_{server}"] = float(sum(one.skipped.values()))
    return metrics


def _tell(server: str, verdict: Verdict) -> None:
    for name in verdict.failures[:SHOWN]:
        notice(f"{server}: failed: {name}")
    if len(verdict.failures) > SHOWN:
        notice(f"{server}: and {len(verdict.failures) - SHOWN} more")
    for reason, count in verdict.skipped.items():
        notice(f"{server}: {count} behaviours were not asked: {reason}")
    if not verdict.asked:
        notice(f"{server}: nothing was asked; contract_failures_{server} is unknown")


if __name__ == "__main__":
    main()
