"""Young workloads: forecasts by what their kind does, against rules over the few hours known of them.

Run with `python -m benchmarks.load_cold [--data DIR] [--quick] [--json]`. At each later origin a fifth
of the series, another one each time, is young: all but its last 0, 3, 12 or 36 hours are hidden.
Profiles are made of the other four fifths, a day and five hours before the origin, as by a model that
was trained the day before. The recordings tell no kinds, so that all series are of one.

- `cold_start_[<set>_]mase_skill_<age>h`: of the next 24 h, over whichever rule did best at that age: the
  last value, the mean so far, the same hour a day before, or, where nothing is known, the median level
  of the others.
- `cold_start_[<set>_]coverage_80[_<age>h]`: share of values within the 80 % interval, and
  `cold_start_[<set>_]told_coverage_80`: what the profiles say of that.

Hidden hours are those of workloads that have settled: what starting up looks like is not judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.harness import (
    Metrics,
    Options,
    notice,
    parse_options,
    publish,
    show_table,
)
from benchmarks.load_data import HORIZON, Recording, load_recordings, usable_rows
from benchmarks.load_scoring import naive_forecasts, scales
from tasks.domain.arrays import FloatArray, IntArray
from tasks.domain.load.cold_start import (
    ANY,
    ArchetypeProfiles,
    archetype_profiles,
    cold_start_confidence,
    cold_start_forecast,
)
from tasks.domain.scores import skill

AGES = (0, 3, 12, 36)
FIFTHS = 5
FOLD_SEED = 5
PROFILES_AGE_HOURS = 29
FEWEST_USABLE = 0.5
OURS = "ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Young series of one age at one origin.

    Attributes:
        errors: By forecaster, (n, HORIZON) scaled; NaN where nobody knows what happened.
        inside: (n, HORIZON) 1 where our interval held, 0 where not, NaN where nobody knows.
        told: (n,) how often it was told to hold.
    """

    errors: Mapping[str, FloatArray]
    inside: FloatArray
    told: FloatArray


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a table, and with --json one line of figures."""
    options = parse_options("load_cold", argv)
    publish(options, measure(options))


def measure(options: Options, *, later: bool = True) -> Metrics:
    """Return the figures of every set and of all together; constants are chosen with later=False."""
    found: Metrics = {}
    everything: dict[int, list[Case]] = {age: [] for age in AGES}
    for recording in load_recordings(options.data):
        judged = cases_of(recording, every=6 if options.quick else 1, later=later)
        found |= {f"cold_start_{recording.name}_{k}": v for k, v in figures(judged).items()}
        for age in AGES:
            everything[age] += judged[age]
    found |= {f"cold_start_{key}": value for key, value in figures(everything).items()}
    show_table("Young workloads", ["", "value"], list(found.items()))
    return found


def cases_of(recording: Recording, *, every: int = 1, later: bool = True) -> dict[int, list[Case]]:
    """Return the cases of each age, at the later origins or, of half of the series, the earlier."""
    rows = np.arange(len(recording.panel)) if later else recording.development_rows()
    fold = np.random.default_rng(FOLD_SEED).permutation(len(recording.panel))[rows] % FIFTHS
    found: dict[int, list[Case]] = {age: [] for age in AGES}
    for turn, origin in enumerate(recording.origins(later=later)[::every]):
        values = recording.seen(origin).values[rows]
        usable = usable_rows(values)
        if usable.mean() < FEWEST_USABLE:
            notice(f"{recording.name}: too much is unknown around hour {origin}, it is no origin")
            continue
        of_others, of_young = fold != turn % FIFTHS, fold == turn % FIFTHS
        young = rows[usable & of_young]
        for age, one in judged_at(recording, origin, rows[of_others], young).items():
            found[age].append(one)
    return found


def judged_at(
    recording: Recording, origin: int, others: IntArray, young: IntArray
) -> dict[int, Case]:
    """Return the case of each age at one origin."""
    before = recording.seen(origin - PROFILES_AGE_HOURS).take(others.tolist())
    profiles = archetype_profiles(before, np.full(len(others), ANY))
    known = before.values[before.known > 0]
    level = float(np.median(np.nanmean(known, axis=1)))
    history = recording.seen(origin).values[young]
    actual, scale = recording.truth(origin)[young], scales(history)[:, None]
    found = {}
    for age in AGES:
        recent = history[:, history.shape[1] - age :]
        ours = ours_of(profiles, recent)
        forecasts = {OURS: ours[..., 1]} | rules_of(recent, level)
        held = (ours[..., 0] <= actual) & (actual <= ours[..., 2])
        found[age] = Case(
            errors={name: np.abs(actual - one) / scale for name, one in forecasts.items()},
            inside=np.where(np.isnan(actual), np.nan, held.astype(np.float64)),
            told=cold_start_confidence(profiles, recent),
        )
    return found


def ours_of(profiles: ArchetypeProfiles, recent: FloatArray) -> FloatArray:
    """Return (n, HORIZON, 3) quantiles of young series, of which (n, age) hours are known."""
    return cold_start_forecast(
        profiles, recent, horizon_steps=HORIZON, steps_since=PROFILES_AGE_HOURS
    )


def rules_of(recent: FloatArray, level: float) -> dict[str, FloatArray]:
    """Return (n, HORIZON) of each rule that the known hours allow."""
    if not recent.shape[1]:
        return {"usual_level": np.full((len(recent), HORIZON), level)}
    naive = naive_forecasts(recent, horizon=HORIZON)
    mean = np.repeat(np.nanmean(recent, axis=1)[:, None], HORIZON, axis=1)
    return {
        "last_value": naive["last_value"],
        "mean_so_far": mean,
        "daily_naive": naive["daily_naive"],
    }


def figures(judged: Mapping[int, Sequence[Case]]) -> Metrics:
    """Return the skill and coverage of each age, and the coverage of all."""
    found: Metrics = {}
    for age, cases in judged.items():
        if not cases:
            continue
        means = {
            name: float(np.nanmean(np.concatenate([one.errors[name] for one in cases])))
            for name in cases[0].errors
        }
        ours = means.pop(OURS)
        found[f"mase_skill_{age}h"] = skill(ours, reference_error=min(means.values()))
        found[f"coverage_80_{age}h"] = _coverage(cases)
    every = [one for cases in judged.values() for one in cases]
    found["coverage_80"] = _coverage(every) if every else None
    found["told_coverage_80"] = (
        float(np.mean(np.concatenate([one.told for one in every]))) if every else None
    )
    return found


def _coverage(cases: Sequence[Case]) -> float:
    return float(np.nanmean(np.concatenate([one.inside.ravel() for one in cases])))


if __name__ == "__main__":
    main()
