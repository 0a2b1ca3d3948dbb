"""Generated projects judged: hostile names and values, and how long a thousand resources take.

Run with `python -m benchmarks.stacks_generate [--quick] [--json]`. Hostile inputs go through the
generator in every place of a plan. A program that does not parse, declares something else, holds
more than declarations, or runs anything when it is executed counts; so does a README or a manifest
in which an input became markup, and a refusal that is none: of what must be carried, by another
error than the refusal's own, or without saying what is allowed and what to do.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from benchmarks.harness import parse_options, publish, show_table
from benchmarks.stacks_execution import FiredError, UnlikeError, judge_source
from benchmarks.stacks_hostile import NAMES, Hostile, hostile_inputs
from benchmarks.stacks_plans import plan_of_size, plan_with
from tasks.domain.stacks.changes import Phase
from tasks.domain.stacks.program import StackPlan
from tasks.domain.stacks.source.errors import ProgramRefusedError
from tasks.domain.stacks.source.project import FOLDERS, project_files

SEED = 5
INPUTS, QUICK_INPUTS = 10_000, 1_000
BATCH = 20
RUNS = 5
MESSAGE_LETTERS = 900
MARKUP = frozenset({"link_open", "image", "html_block", "html_inline"})
AUTOLINKS = ("http:", "https:", "ftp:", "www.", "@", "<")
"""What GitHub makes links or HTML of without any markup."""


def measure(*, quick: bool) -> dict[str, float]:
    """Return the figures of the generator.

    Returns:
        `generate_seconds_1000`, of the processor, the median of five runs; `hostile_inputs`; of those
        `hostile_executed`, that ran something or could; `hostile_invalid`, that gave another
        project than was meant or a wrong refusal; and `hostile_refused`, rightly.
    """
    inputs = hostile_inputs(QUICK_INPUTS if quick else INPUTS, seed=SEED)
    found = Counter(outcome for outcome, _ in judged(inputs))
    return {
        "generate_seconds_1000": generate_seconds(1000),
        "hostile_inputs": float(len(inputs)),
        "hostile_executed": float(found["executed"]),
        "hostile_invalid": float(found["invalid"]),
        "hostile_refused": float(found["refused"]),
    }


def generate_seconds(resources: int) -> float:
    """Return the median time to write a project of so many resources, seconds of the processor.

    It computes in one thread and waits for nothing: on an idle machine that is the time it takes.
    """
    plan = plan_of_size(resources, seed=SEED)
    taken: list[float] = []
    for _ in range(RUNS):
        begin = time.process_time()
        project_files(plan)
        taken.append(time.process_time() - begin)
    return sorted(taken)[RUNS // 2]


def judged(inputs: Sequence[Hostile]) -> Iterator[tuple[str, str]]:
    """Yield what became of each input, and why where it is wrong."""
    together = [one for one in inputs if one.carried and one.place not in NAMES]
    alone = [one for one in inputs if not one.carried or one.place in NAMES]
    for begin in range(0, len(together), BATCH):
        batch = together[begin : begin + BATCH]
        outcome, why = outcome_of(batch)
        if outcome == "carried":
            yield from ((outcome, why) for _ in batch)
        else:
            yield from (outcome_of([one]) for one in batch)
    yield from (outcome_of([one]) for one in alone)


def outcome_of(inputs: Sequence[Hostile]) -> tuple[str, str]:
    """Return "carried", "refused", "executed" or "invalid" of inputs in one project, and why."""
    plan = plan_with(inputs)
    carried = all(one.carried for one in inputs)
    try:
        files = project_files(plan)
        judge_project(files, plan)
    except ProgramRefusedError as error:
        return ("invalid", f"refused: {error}") if carried else _refusal(error)
    except FiredError as error:
        return "executed", str(error)
    except Exception as error:  # noqa: BLE001 - any other error is a defect to be counted
        return "invalid", f"{type(error).__name__}: {error!s:.500}"
    return ("carried", "") if carried else ("invalid", f"carried: {inputs!r:.500}")


def _refusal(error: ProgramRefusedError) -> tuple[str, str]:
    text = str(error)
    clear = text.isprintable() and len(text) <= MESSAGE_LETTERS and error.next_step in text
    return ("refused", "") if clear and error.allowed else ("invalid", f"unclear: {text!r:.500}")


def judge_project(files: Mapping[str, bytes], plan: StackPlan) -> None:
    """Judge a whole project.

    Raises:
        FiredError: Something in it does more than declare, or an input became markup.
        UnlikeError: It is not what it was generated from.
    """
    for phase, folder in FOLDERS.items():
        judge_source(files[f"{folder}__main__.py"].decode(), plan.program(phase))
        settings = yaml.safe_load(files[f"{folder}Pulumi.yaml"])
        _expect({"name", "description", "runtime"} <= settings.keys(), "Pulumi.yaml has its keys")
        _expect(
            (settings["name"], settings["runtime"], settings.get("stackConfigDir"))
            == ("homeostat", "python", None if phase is Phase.CHANGE else ".."),
            "Pulumi.yaml says what it should",
        )
    config = yaml.safe_load(files[f"Pulumi.{plan.stack}.yaml"])
    _expect(config == {"config": {"aws:region": plan.region}}, "the stack's region is set")
    _judge_manifest(json.loads(files["stack.json"]), plan)
    judge_markdown(files["README.md"].decode())


def _judge_manifest(found: dict[str, object], plan: StackPlan) -> None:
    changes, refused = found["changes"], found["refused"]
    if not isinstance(changes, list) or not isinstance(refused, list):
        message = "the manifest has no lists"
        raise UnlikeError(message)
    said = [(one["summary"], one["owner"], one["reason"]) for one in changes]
    meant = [(one.summary, one.owner, one.reason) for one in plan.changes]
    _expect(said == meant, "the manifest carries the changes")
    _expect([one["why"] for one in refused] == [one.why for one in plan.refused], "and the refused")


def judge_markdown(text: str) -> None:
    """Judge a page: no links, images or HTML, and only the headings that the generator writes.

    Raises:
        FiredError: An input became markup.
    """
    for token in _tokens(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)):
        if token.type in MARKUP or token.type in {"s_open", "em_open"}:
            message = f"markup in the README: {token.type} {token.content!r:.200}"
            raise FiredError(message)
        if token.type == "text" and any(one in token.content.lower() for one in AUTOLINKS):
            message = f"a link in the README: {token.content!r:.200}"
            raise FiredError(message)
        if token.type == "heading_open" and token.level > 0:
            message = "a heading within a list of the README"
            raise FiredError(message)


def _tokens(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _tokens(token.children or ())


def _expect(holds: bool, what: str) -> None:
    if not holds:
        message = f"it does not hold that {what}"
        raise UnlikeError(message)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table, and with --json one line of figures."""
    options = parse_options("stacks_generate", argv)
    metrics = measure(quick=options.quick)
    show_table("Generated stacks", ["", "value"], list(metrics.items()))
    publish(options, dict(metrics))


if __name__ == "__main__":
    main()
