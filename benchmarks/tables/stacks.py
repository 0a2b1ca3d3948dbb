"""Tables of generated stacks: speed, what was tried against them, and measured savings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.harness import Metrics
from benchmarks.tables.markdown import UNKNOWN, figure, table
from benchmarks.tables.targets import Target, none_in, of, targets_table

HOSTILE_INPUTS = 10_000
KILLS = 50
COULD_DOUBLE = 25
"""Kills that hit an update while it made something which can be there twice."""
COUNT = "{:,.0f}"
PERCENT = "{:.1f}%"

WAYS = {
    "Homeostat": "did",
    "before and after": "naive",
    "simple difference in differences": "plain_did",
}
"""Ways to measure a saving, and the prefix of their figures."""
CANDIDATES = (0, 3, 10, 30)
SCORES = {
    "coverage_90": ("90 % interval covers", "{:.1%}"),
    "width_percent": ("its width", PERCENT),
    "bias_percent": ("bias", "{:+.1f}%"),
    "error_percent": ("error", PERCENT),
    "false_saving_share": ("no effect, called a saving", "{:.1%}"),
    "full_realised_share": ("promise kept, called realised", "{:.1%}"),
    "full_missed_share": ("promise kept, called not", "{:.1%}"),
    "undecided_share": ("too early to say", "{:.1%}"),
}
"""Keys, headings and templates; amounts are of the bill before the change."""


def speed(metrics: Metrics) -> str:
    """Return how long stacks take to write and to preview."""
    return _listed(
        metrics,
        (
            ("1,000 resources: the project is written", "generate_seconds_1000", "{:.2f} s"),
            ("1,000 resources: estimate in process", "preview_seconds_1000", "{:.1f} s"),
            ("100 resources: preview by the engine", "engine_preview_seconds_100", "{:.1f} s"),
        ),
    )


def safety(metrics: Metrics) -> str:
    """Return what was tried against the generator and the approval, and what came of it."""
    tried = table(
        ["", "tried", "succeeded", "otherwise wrong"],
        [
            _tried(
                metrics, "Hostile names and values", "hostile_{}", ("inputs", "executed", "invalid")
            ),
            _tried(
                metrics,
                "Ways to have applied what nobody approved",
                "bypass_{}",
                ("attempts", "succeeded"),
            ),
        ],
    )
    kinds = _listed(
        metrics,
        (
            ("Of them from a table written by hand", "bypass_table_attempts", COUNT),
            ("Of them one value changed at random", "bypass_random_attempts", COUNT),
            ("Of them through storage and ledger", "bypass_stored_attempts", COUNT),
            ("Edited together with the ledger's pointer", "bypass_beyond", COUNT),
            ("Of those approved", "bypass_beyond_approved", COUNT),
        ),
    )
    beside = _listed(
        metrics,
        (
            ("Hostile inputs refused as they should be", "hostile_refused", COUNT),
            ("Honest answers, in another form", "bypass_honest", COUNT),
            ("Of them approved", "bypass_honest_approved", COUNT),
            ("Spot prices moved by less than they may", "bypass_spot_tolerated", COUNT),
            ("Of those approved", "bypass_spot_tolerated_approved", COUNT),
        ),
    )
    return f"{tried}\n\n{kinds}\n\n{beside}"


def _tried(metrics: Metrics, name: str, key: str, kinds: Sequence[str]) -> list[str]:
    cells = [figure(metrics.get(key.format(kind)), COUNT) for kind in kinds]
    return [name, *cells, *[UNKNOWN] * (3 - len(cells))]


def kills(metrics: Metrics) -> str:
    """Return what killed updates left."""
    return _listed(
        metrics,
        (
            ("Updates killed (a kill that came after the end does not count)", "kills", COUNT),
            (
                "Of them, while something was made that can be there twice",
                "kills_that_could_double",
                COUNT,
            ),
            (
                "Of them, the account had it and the state did not",
                "kills_that_left_one_unrecorded",
                COUNT,
            ),
            ("Resources made twice", "kills_applied_twice", COUNT),
            ("Resources in the account that no state knows", "kills_strays", COUNT),
            ("Resources missing or left as they were, once finished", "kills_missing", COUNT),
            ("States that could not be read", "kills_unreadable", COUNT),
            ("Kills that left an operation pending", "kills_that_left_something_pending", COUNT),
            (
                "Finished under the same approval",
                "kills_finished_under_the_same_approval",
                COUNT,
            ),
            ("Recovery, mean", "kills_recovery_seconds", "{:.1f} s"),
        ),
    )


def _listed(metrics: Metrics, rows: Sequence[tuple[str, str, str]]) -> str:
    return table(["", "measured"], [[name, figure(metrics.get(key), t)] for name, key, t in rows])


def realised(metrics: Metrics) -> str:
    """Return every way to measure savings, then coverage beside width by number of candidates."""
    columns = ["", "cases", *(heading for heading, _ in SCORES.values())]
    rows = [
        [
            name,
            figure(metrics.get(f"{way}_cases"), COUNT),
            *(figure(metrics.get(f"{way}_{key}"), form) for key, (_, form) in SCORES.items()),
        ]
        for name, way in WAYS.items()
    ]
    return f"{table(columns, rows)}\n\n{_by_candidates(metrics)}"


def _by_candidates(metrics: Metrics) -> str:
    shown = ("coverage_90", "width_percent", "bias_percent")
    rows = [
        [
            f"{'none' if number == 0 else number}, {name}",
            *(
                figure(metrics.get(f"{way}_{key}_controls_{number}"), SCORES[key][1])
                for key in shown
            ),
        ]
        for number in CANDIDATES
        for name, way in WAYS.items()
    ]
    return table(["candidates", *(SCORES[key][0] for key in shown)], rows)


def targets(metrics: Metrics) -> str:
    """Return every target with what was measured."""
    return targets_table(TARGETS, metrics)


def _honest_refused(metrics: Metrics) -> float | None:
    """Return how much was refused of what is honest and of what is tolerated."""
    given, approved = metrics.get("bypass_honest"), metrics.get("bypass_honest_approved")
    if given is None or approved is None:
        return None
    moved = metrics.get("bypass_spot_tolerated") or 0.0
    return given - approved + moved - (metrics.get("bypass_spot_tolerated_approved") or 0.0)


def _zero(what: str, measured: Callable[[Metrics], float | None]) -> Target:
    return Target(what=what, measured=measured, high=0.0, template=COUNT)


TARGETS = (
    Target(
        what="1,000 resources, written",
        measured=of("generate_seconds_1000"),
        high=1.0,
        template="{:.2f} s",
    ),
    Target(
        what="1,000 resources, estimate in process",
        measured=of("preview_seconds_1000"),
        high=30.0,
        template="{:.1f} s",
    ),
    Target(
        what="Hostile inputs", measured=of("hostile_inputs"), low=HOSTILE_INPUTS, template=COUNT
    ),
    *(
        _zero(what, none_in(key, tried="hostile_inputs", at_least=HOSTILE_INPUTS))
        for what, key in (
            ("Hostile inputs that were executed, or could be", "hostile_executed"),
            ("Hostile inputs with another project or an unclear refusal", "hostile_invalid"),
        )
    ),
    _zero("Approvals got around", of("bypass_succeeded")),
    _zero("Honest answers refused", _honest_refused),
    Target(what="Updates killed", measured=of("kills"), low=KILLS, template=COUNT),
    Target(
        what="Of them, while something was made that can be there twice",
        measured=of("kills_that_could_double"),
        low=COULD_DOUBLE,
        template=COUNT,
    ),
    _zero(
        "Resources made twice",
        none_in("kills_applied_twice", tried="kills_that_could_double", at_least=COULD_DOUBLE),
    ),
    *(
        _zero(what, none_in(key, tried="kills", at_least=KILLS))
        for what, key in (
            ("Strays in the account", "kills_strays"),
            ("Resources missing once finished", "kills_missing"),
            ("States that could not be read", "kills_unreadable"),
        )
    ),
    Target(
        what="Measured savings, 90 % interval covers",
        measured=of("did_coverage_90"),
        low=0.86,
        high=0.94,
        template="{:.1%}",
    ),
    Target(
        what="Measured savings, bias, of the bill",
        measured=of("did_bias_percent"),
        low=-2.0,
        high=2.0,
        strict=True,
        template="{:.2f}%",
    ),
)
