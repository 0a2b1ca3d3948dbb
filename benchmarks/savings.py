"""Right-sizing replayed on recorded machines: decided on one month, judged on the next.

Run with `python -m benchmarks.savings [--data DIR] [--quick] [--json]`. Every policy sees the hours
before the cut and nothing behind it; `benchmarks.savings_replay` says what is counted. Figures
without a prefix are of the processors of the Bitbrains machines: July decides, August judges.

The budget is no promise. Planned for 0.5 % of hours (any capacity, processors), five overlapping
stretches inside July came to 0.33 to 0.84 %, mean 0.53 %: no bias there, where the constants were
chosen, but a month apart from it August came to 0.97 %. Nothing was adjusted after August was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.harness import (
    Metrics,
    measured_apart,
    notice,
    parse_options,
    publish,
    show_table,
)
from benchmarks.savings_bill import bill_metrics
from benchmarks.savings_data import (
    AZURE,
    BITBRAINS,
    Replay,
    azure_cpu,
    bitbrains_cpu,
    bitbrains_memory,
    synthetic_cpu,
)
from benchmarks.savings_ours import DEFAULT_RISK, RISKS, curve, curve_with_fixed_limit
from benchmarks.savings_replay import Ledger, beaten_share, bought, compare, interval, ledger
from benchmarks.savings_rivals import GRID, NAMED, SizingPolicy

SEED = 4
DRAWS, QUICK_DRAWS = 1000, 100
MANY_HOURS = 0.05
"""A machine above its capacity in more than this share of hours is counted apart."""
SHOWN_RISKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables, and with --json one line of figures."""
    options = parse_options("savings", argv)
    draws = QUICK_DRAWS if options.quick else DRAWS
    metrics: Metrics = {}
    for prefix, replay in replays(options.data):
        metrics |= replay_metrics(replay, prefix=prefix, draws=draws)
    if options.data is not None and (options.data / BITBRAINS).is_file():
        metrics |= bill_metrics(options.data)
    metrics |= measured_apart("savings_spend", options)
    publish(options, metrics)


def replays(folder: Path | None) -> list[tuple[str, Replay]]:
    """Return what is replayed with the prefix of its figures; a made-up fleet without recordings."""
    found: list[tuple[str, Replay]] = []
    if folder is not None and (folder / BITBRAINS).is_file():
        found += [("", bitbrains_cpu(folder)), ("memory_", bitbrains_memory(folder))]
    if folder is not None and (folder / AZURE).is_file():
        found.append(("azure_" if found else "", azure_cpu(folder)))
    if not found:
        notice("no recorded machines: a made-up fleet is replayed; its figures prove nothing")
        found.append(("", synthetic_cpu(seed=SEED)))
    return found


def replay_metrics(replay: Replay, *, prefix: str, draws: int) -> Metrics:
    """Judge every policy on one replay, by any capacity and by sizes on sale."""
    found: Metrics = {f"{prefix}machines": len(replay.demand)}
    for suffix, on_sale in (("", False), ("_on_sale", True)):
        judge = partial(judged, replay, on_sale=on_sale)
        ours = judge(curve(on_sale=on_sale))
        limited = judge(curve_with_fixed_limit(on_sale=on_sale))
        rivals = {name: judge([policy]) for name, policy in NAMED.items()}
        figures = point_metrics("", ours, at=RISKS.index(DEFAULT_RISK))
        figures |= curve_metrics(ours)
        for name, rival in rivals.items():
            figures |= point_metrics(f"{name}_", rival, at=0)
            figures |= comparison_metrics(name, ours, rival, draws=draws)
            figures |= comparison_metrics(f"{name}_limited", limited, rival, draws=draws)
        figures["rivals_beaten_share"] = beaten_share(ours, judge(GRID))
        show(replay, ours, rivals, figures, on_sale=on_sale)
        found |= {f"{prefix}{key}{suffix}": value for key, value in figures.items()}
    return found


def judged(replay: Replay, policies: Sequence[SizingPolicy], *, on_sale: bool) -> Ledger:
    """Return what came of each policy; with `on_sale` every choice is rounded up to a size."""
    choices = [policy.capacities(replay) for policy in policies]
    return ledger(replay, [bought(replay, one) for one in choices] if on_sale else choices)


def point_metrics(prefix: str, found: Ledger, *, at: int) -> Metrics:
    """Return every figure of one choice."""
    return {
        f"{prefix}exceeded_hours_share": float(found.exceeded_share()[at]),
        f"{prefix}slack_saved_share": float(found.slack_saved()[at]),
        f"{prefix}slack_saved_per_machine_share": float(found.slack_saved_per_machine()[at]),
        f"{prefix}unserved_demand_share": float(found.unserved_share()[at]),
        f"{prefix}machines_exceeding_often_share": float(found.machines_exceeding(MANY_HOURS)[at]),
    }


def curve_metrics(ours: Ledger) -> Metrics:
    """Return our curve at the risk settings that are shown."""
    found: Metrics = {}
    for risk in SHOWN_RISKS:
        at, label = RISKS.index(risk), f"{risk * 1000:g}_permille"
        found[f"curve_exceeded_hours_share_{label}"] = float(ours.exceeded_share()[at])
        found[f"curve_slack_saved_share_{label}"] = float(ours.slack_saved()[at])
    return found


def comparison_metrics(name: str, ours: Ledger, rival: Ledger, *, draws: int) -> Metrics:
    """Return how far we are ahead of one rival on the curve, with the 90 % interval."""
    label = name.replace("_plus_15", "")
    one = compare(ours, rival)
    low, high = interval(ours, rival, draws=draws, rng=np.random.default_rng(SEED))
    found: Metrics = {}
    for end, suffix in ((one, ""), (low, "_low"), (high, "_high")):
        found[f"slack_gain_at_{label}_exceeded{suffix}"] = end.slack_gain
        found[f"exceeded_ratio_at_{label}_slack{suffix}"] = end.exceeded_ratio
    return found


def show(
    replay: Replay, ours: Ledger, rivals: dict[str, Ledger], figures: Metrics, *, on_sale: bool
) -> None:
    """Print our curve with the rivals' points, then the comparison."""
    sold = "sizes on sale" if on_sale else "any capacity"
    title = f"{replay.name}, {sold}: {len(replay.demand)} machines, {replay.unit}"
    rows = [(f"risk {risk:.1%}", *_row(ours, RISKS.index(risk))) for risk in SHOWN_RISKS]
    rows += [(name, *_row(rival, 0)) for name, rival in rivals.items()]
    columns = ["", "exceeded hours", "slack saved", "per machine", "demand unserved", "> 5 % hours"]
    show_table(title, columns, rows)
    compared = [(key, value) for key, value in figures.items() if "_at_" in key or "beaten" in key]
    show_table(f"{replay.name}, {sold}: our curve against the rivals", ["", "value"], compared)


def _row(found: Ledger, at: int) -> list[str]:
    return [
        f"{value:.4f}" for value in point_metrics("", found, at=at).values() if value is not None
    ]


if __name__ == "__main__":
    main()
