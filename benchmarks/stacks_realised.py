"""Realised savings measured where they are known, beside two ways that are usual.

Run with `python -m benchmarks.stacks_realised [--data DIR] [--quick] [--json]`. Effects of -60 to
+20 % are put into costs that follow recorded load (`benchmarks.stacks_realised_data` says how, and
which series settings were chosen on). Figures are of resources whose cost moves: a machine that
runs all the time is measured exactly by anybody, and would only flatter. `did_` figures are of
accounts with 3, 10 and 30 candidates, together; accounts without any, where there is no second
difference, have figures of their own.

Reported series were looked at three times: after the first look (coverage 0.907, mean width 77 % of
the bill) the intervals were made to narrow where placebos are calm, which was chosen on development
and on made-up calm fleets. Accounts of the recordings are wild, and so are the intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from benchmarks.harness import Metrics, notice, parse_options, progress, publish, show_table
from benchmarks.stacks_realised_data import CONTROLS, Case, Shape, Split, cases, reported
from benchmarks.stacks_realised_rivals import before_and_after, two_differences
from benchmarks.stacks_realised_scoring import Answer, Score, scored
from tasks.domain.savings.realised.every import measured_all
from tasks.domain.savings.realised.values import Interval
from tasks.domain.savings.realised.verdicts import verdict_of

CASES, QUICK_CASES = 600, 60
Way = Callable[[Case], Answer]
Rival = Callable[[Case], Interval]
Answers = dict[int, list[Answer]]
COLUMNS = (
    "",
    "cases",
    "covered",
    "bias",
    "error",
    "width",
    "median",
    "false saved",
    "realised",
    "missed",
    "undecided",
)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("stacks_realised", argv)
    publish(options, measure(data=options.data, quick=options.quick))


def measure(*, data: Path | None, quick: bool) -> Metrics:
    """Return every figure.

    Args:
        data: Folder of recordings; None for a made-up fleet.
        quick: A tenth of the cases.
    """
    splits = reported(data)
    if splits[0].name == "synthetic":
        notice("no recorded load: savings are put into a made-up fleet; its figures prove nothing")
    count = QUICK_CASES if quick else CASES
    ways: dict[str, Way] = {
        "did": ours,
        "naive": partial(by_rival, before_and_after),
        "plain_did": partial(by_rival, two_differences),
    }
    answers: dict[str, Answers] = {name: {number: [] for number in CONTROLS} for name in ways}
    steady: list[Answer] = []
    for split in splits:
        progress(f"realised savings: {split.name}")
        of_split = _answers(split, ways, count)
        show(split.name, of_split)
        for name, found in of_split.items():
            for number, said in found.items():
                answers[name][number] += [a for a in said if _moves(a)]
                steady += [a for a in said if name == "did" and not _moves(a)]
    if len(splits) > 1:
        show("together", answers)
    return figures(answers) | {"did_steady_coverage_90": scored(steady).covered}


def ours(case: Case) -> Answer:
    """Return what we say of a case."""
    found = measured_all([case.change], case.panel)[0]
    return Answer(case=case, saving=found.saving, verdict=found.verdict)


def by_rival(rival: Rival, case: Case) -> Answer:
    """Return what a rival says, with our rule for verdicts."""
    saving = rival(case)
    return Answer(case=case, saving=saving, verdict=verdict_of(saving, case.change.expected))


def _answers(split: Split, ways: dict[str, Way], count: int) -> dict[str, Answers]:
    found: dict[str, Answers] = {name: {} for name in ways}
    for number in CONTROLS:
        drawn = list(cases(split, count=count, controls=number))
        for name, way in ways.items():
            found[name][number] = [way(case) for case in drawn]
    return found


def _moves(answer: Answer) -> bool:
    return answer.case.shape is not Shape.STEADY


def figures(answers: dict[str, Answers]) -> Metrics:
    """Return the figures of each way, with candidates together and by their number."""
    found: Metrics = {}
    for name, by_number in answers.items():
        score = scored(_with_controls(by_number))
        found |= {
            f"{name}_cases": score.cases,
            f"{name}_coverage_90": score.covered,
            f"{name}_bias_percent": _percent(score.bias),
            f"{name}_error_percent": _percent(score.error),
            f"{name}_width_percent": _percent(score.width),
            f"{name}_false_saving_share": score.false_realised,
            f"{name}_full_realised_share": score.called_realised,
            f"{name}_full_missed_share": score.called_not,
            f"{name}_undecided_share": score.undecided,
        }
        for number, said in by_number.items():
            one = scored(said)
            found[f"{name}_coverage_90_controls_{number}"] = one.covered
            found[f"{name}_bias_percent_controls_{number}"] = _percent(one.bias)
            found[f"{name}_width_percent_controls_{number}"] = _percent(one.width)
    return found


def _with_controls(by_number: Answers) -> list[Answer]:
    return list(chain.from_iterable(said for number, said in by_number.items() if number > 0))


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def show(name: str, answers: dict[str, Answers]) -> None:
    """Print a table of the ways by number of candidates; amounts are shares of the bill before."""
    rows = []
    for number in CONTROLS:
        for way, found in answers.items():
            rows.append(
                (f"{number} candidates, {way}", *_row([a for a in found[number] if _moves(a)]))
            )
    show_table(f"realised savings, {name}: what moves", COLUMNS, rows)


def _row(answers: list[Answer]) -> list[object]:
    score: Score = scored(answers)
    return [
        score.cases,
        score.covered,
        score.bias,
        score.error,
        score.width,
        score.median_width,
        score.false_realised,
        score.called_realised,
        score.called_not,
        score.undecided,
    ]


if __name__ == "__main__":
    main()
