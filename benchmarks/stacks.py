"""Generated stacks: speed, hostile inputs, ways around an approval, killed updates, measured savings.

Run with `python -m benchmarks.stacks [--data DIR] [--quick] [--json]`. Each part is a process of its
own and can be run alone (`python -m benchmarks.stacks_generate`): stacks_generate.py, stacks_preview.py,
stacks_bypass.py, stacks_realised.py and stacks_kills.py say what is judged and how. Recordings are
read for measured savings only. Updates are killed, and previews by the engine are timed, where there
is a `pulumi` command; elsewhere those figures are left out.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TypeVar

from benchmarks import (
    stacks_bypass,
    stacks_generate,
    stacks_kills,
    stacks_preview,
    stacks_realised,
)
from benchmarks.harness import (
    Metrics,
    Options,
    notice,
    parse_options,
    progress,
    publish,
    show_table,
)

SEED = 5
"""Of hostile inputs, attempts and kills; each set of recorded load has one of its own."""
PROMISED = (
    *("generate_seconds_1000", "preview_seconds_1000", "engine_preview_seconds_100"),
    *("hostile_inputs", "hostile_executed", "bypass_attempts", "bypass_succeeded"),
    *("bypass_table_attempts", "bypass_random_attempts", "bypass_stored_attempts"),
    *("kills", "kills_that_could_double", "kills_applied_twice", "kills_strays"),
    *("did_coverage_90", "did_bias_percent"),
)
"""What a full run on a machine with the engine measures, among other figures."""

Part = Callable[[], Mapping[str, float | None]]
T = TypeVar("T")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("stacks", argv)
    metrics = measured(parts(options))
    if missing := [key for key in PROMISED if key not in metrics]:
        why = "a quick run measures less, and some need a `pulumi` command (`make tools`)"
        notice(f"not measured: {', '.join(missing)}; {why}")
    publish(options, metrics)


def parts(options: Options) -> dict[str, Part]:
    """Return what is measured, by name; what takes longest comes last."""
    quick = options.quick
    return {
        "generator": partial(generator, quick=quick),
        "previews": partial(stacks_preview.measure, quick=quick),
        "approvals": partial(stacks_bypass.measure, quick=quick),
        "savings": partial(stacks_realised.measure, data=options.data, quick=quick),
        "kills": partial(stacks_kills.measure, quick=quick),
    }


def generator(*, quick: bool) -> Mapping[str, float | None]:
    """Return the figures of the generator, and show them."""
    figures = stacks_generate.measure(quick=quick)
    show_table("Generated stacks", ["", "value"], list(figures.items()))
    return figures


def measured(some: Mapping[str, Part]) -> Metrics:
    """Return the figures of all parts, one after the other.

    Raises:
        ValueError: Two parts have a figure of the same name.
    """
    found: Metrics = {}
    for name, part in some.items():
        progress(f"stacks: {name}")
        figures = apart(part)
        if twice := sorted(found.keys() & figures.keys()):
            message = (
                f"{name} measures {', '.join(twice)} a second time; name figures by their part"
            )
            raise ValueError(message)
        found |= figures
    return found


def apart(work: Callable[[], T]) -> T:
    """Return what some work comes to in a fresh process: it warms up nothing for the next, and leaves nothing.

    Args:
        work: Can be pickled. What it prints is printed as usual.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work).result()


if __name__ == "__main__":
    main()
