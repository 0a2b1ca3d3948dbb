"""Tables in README and docs, rendered from docs/results/*.json.

Run with `python -m benchmarks.render [--check]`. A table stands between a line
`<!-- results:NAME -->` and a line `<!-- /results -->`; `--check` writes nothing and fails when a
file differs from the results.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.results import RESULTS, ROOT, Result, ResultError, load_results
from benchmarks.tables import (
    anomalies,
    cluster,
    load,
    load_more,
    markdown,
    savings,
    spot,
    stacks,
    tuning,
    usage,
)

TABLES: dict[str, markdown.Table] = {
    "spot-summary": spot.summary,
    "spot-targets": spot.targets,
    "spot-availability": spot.availability,
    "spot-scale": spot.scale,
    "usage-archetypes": usage.archetypes,
    "usage-targets": usage.targets,
    "usage-scale": usage.scale,
    "savings-curve": savings.curve,
    "savings-ahead": savings.ahead,
    "savings-bill": savings.bill,
    "savings-spend": savings.spend,
    "savings-targets": savings.targets,
    "stacks-speed": stacks.speed,
    "stacks-safety": stacks.safety,
    "stacks-kills": stacks.kills,
    "stacks-realised": stacks.realised,
    "stacks-targets": stacks.targets,
    "load-forecasts": load.forecasts,
    "load-steps": load_more.steps,
    "load-requests": load_more.requests,
    "load-ageing": load_more.ageing,
    "load-part": load.part,
    "load-retraining": load.retraining,
    "load-targets": load.targets,
    "anomalies-benchmark": anomalies.benchmark,
    "anomalies-recall": anomalies.recall,
    "anomalies-workloads": anomalies.workloads,
    "anomalies-targets": anomalies.targets,
    "tuning-suggestions": tuning.suggestions,
    "cluster-targets": cluster.targets,
    "cluster-contract": cluster.contract,
    "cluster-comparison": cluster.comparison,
    "cluster-physics": cluster.physics,
}
"""Tables by name; the area whose figures one shows is the part before the first dash."""

PROVENANCE = "provenance"
"""`<area>-provenance` says when, where and on what an area was measured."""

OPENING = re.compile(r"^<!-- results:[^\n]* -->$", re.MULTILINE)
CLOSING = re.compile(r"^<!-- /results -->$", re.MULTILINE)
BLOCK = re.compile(
    r"^<!-- results:(?P<name>[^\n]*) -->$(?P<body>.*?)^<!-- /results -->$", re.MULTILINE | re.DOTALL
)


class MarkerError(ValueError):
    """Markers that name no table, or do not pair."""


def rendered(text: str, *, results: Mapping[str, Result]) -> str:
    """Return a Markdown text with every marked table made anew.

    Args:
        text: Any Markdown; what stands outside markers is left as it is.
        results: By area; the tables of a missing area say that nothing was measured.

    Raises:
        MarkerError: When a marker names no table or has no partner.
    """
    counts = [len(pattern.findall(text)) for pattern in (OPENING, BLOCK, CLOSING)]
    if len(set(counts)) > 1:
        message = (
            f"{counts[0]} lines <!-- results:NAME --> and {counts[2]} lines <!-- /results -->, "
            f"of which {counts[1]} pair; close each table before the next"
        )
        raise MarkerError(message)
    return BLOCK.sub(lambda found: _block(found["name"], results), text)


def _block(name: str, results: Mapping[str, Result]) -> str:
    return f"<!-- results:{name} -->\n\n{_content(name, results)}\n\n<!-- /results -->"


def _content(name: str, results: Mapping[str, Result]) -> str:
    area, _, kind = name.partition("-")
    result = results.get(area)
    if kind == PROVENANCE:
        return markdown.provenance(area, result)
    if name not in TABLES:
        message = f"no table is named {name}; there are: {', '.join(TABLES)}, AREA-{PROVENANCE}"
        raise MarkerError(message)
    return TABLES[name]({} if result is None else result.metrics)


def changed_documents(root: Path) -> dict[Path, str]:
    """Return README.md and docs/*.md below root that differ from the results, with what they say.

    Raises:
        MarkerError: When a document's markers are wrong; names the document.
    """
    results = load_results(root / RESULTS)
    changed = {}
    for document in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        if not document.exists():
            continue
        text = document.read_text()
        try:
            fresh = rendered(text, results=results)
        except MarkerError as error:
            message = f"{document.relative_to(root)}: {error}"
            raise MarkerError(message) from error
        if fresh != text:
            changed[document] = fresh
    return changed


def main(argv: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Render what differs, or with --check name it and return 1; so for wrong markers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.render")
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    check = parser.parse_args(argv).check
    try:
        changed = changed_documents(root)
    except (MarkerError, ResultError) as error:
        print(error, file=sys.stderr)
        return 1
    for document, text in changed.items():
        if check:
            print(f"{document.relative_to(root)} differs from {RESULTS}; run `make docs`")
        else:
            document.write_text(text)
            print(f"{document.relative_to(root)} rendered")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
