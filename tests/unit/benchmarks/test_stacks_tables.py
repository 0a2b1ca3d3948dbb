"""Tables of generated stacks."""

from __future__ import annotations

import pytest

from benchmarks import stacks_realised
from benchmarks.harness import Metrics
from benchmarks.stacks import PROMISED
from benchmarks.stacks_kill_scenarios import KILLS
from benchmarks.stacks_realised_data import CONTROLS
from benchmarks.tables import stacks

GOOD: Metrics = {
    "generate_seconds_1000": 0.8,
    "preview_seconds_1000": 12.0,
    "engine_preview_seconds_100": 20.0,
    "hostile_inputs": 10_000.0,
    "hostile_executed": 0.0,
    "hostile_invalid": 0.0,
    "bypass_attempts": 2_000.0,
    "bypass_succeeded": 0.0,
    "bypass_honest": 180.0,
    "bypass_honest_approved": 180.0,
    "kills": 50.0,
    "kills_that_could_double": 30.0,
    "kills_applied_twice": 0.0,
    "kills_strays": 0.0,
    "kills_missing": 0.0,
    "kills_unreadable": 0.0,
    "did_coverage_90": 0.9,
    "did_bias_percent": -1.5,
}


def rows(markdown: str) -> dict[str, list[str]]:
    """Return the cells behind the first of each row, by the first."""
    found = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in markdown.splitlines()
        if line.startswith("|")
    ]
    return {first: rest for first, *rest in found}


def verdict(target: str, **changes: float) -> str:
    """Return what is said of one target when some figures differ from good ones."""
    return rows(stacks.targets({**GOOD, **changes}))[target][-1]


def test_every_target_says_that_nothing_was_measured_without_figures() -> None:
    assert stacks.targets({}).count("not measured yet") == len(stacks.TARGETS)


def test_good_figures_reach_every_target() -> None:
    assert stacks.targets(GOOD).count("| reached |") == len(stacks.TARGETS)


def test_whatever_is_promised_is_shown_in_a_table() -> None:
    shown = "".join(
        one(dict.fromkeys(PROMISED, 1234.5))
        for one in (stacks.speed, stacks.safety, stacks.kills, stacks.realised)
    )
    texts = ("1234.5", "1234.50", "1,234", "123450.0%", "+1234.5%")
    assert sum(shown.count(f"| {text} ") for text in texts) == len(PROMISED)


def test_the_table_of_savings_reads_figures_that_are_measured_under_these_names() -> None:
    nothing: dict[str, stacks_realised.Answers] = {
        way: {number: [] for number in CONTROLS} for way in stacks.WAYS.values()
    }
    measured: Metrics = dict.fromkeys(stacks_realised.figures(nothing), 0.5)
    text = stacks.realised(measured)
    assert "| - |" not in text
    assert "not measured" not in text


def test_coverage_stands_beside_width_for_every_way_and_number_of_candidates() -> None:
    text = stacks.realised(
        {
            "naive_coverage_90": 0.333,
            "naive_width_percent": 39.0,
            "did_coverage_90_controls_10": 0.943,
            "did_width_percent_controls_10": 76.25,
        }
    )
    assert rows(text)["before and after"][1:3] == ["33.3%", "39.0%"]
    assert rows(text)["10, Homeostat"][:2] == ["94.3%", "76.2%"]
    assert {f"{n or 'none'}, {way}" for n in CONTROLS for way in stacks.WAYS} <= set(rows(text))


def test_what_was_tried_stands_beside_what_succeeded() -> None:
    found = rows(stacks.safety({**GOOD, "hostile_executed": 3.0, "hostile_invalid": 2.0}))
    assert found["Hostile names and values"] == ["10,000", "3", "2"]
    assert found["Ways to have applied what nobody approved"] == ["2,000", "0", "-"]


def test_attempts_by_hand_at_random_and_through_storage_stand_apart() -> None:
    kinds = {"bypass_table_attempts": 9.0, "bypass_random_attempts": 8.0}
    found = rows(stacks.safety({**GOOD, **kinds, "bypass_stored_attempts": 7.0}))
    assert [cells for name, cells in found.items() if name.startswith("Of them ")][:3] == [
        ["9"],
        ["8"],
        ["7"],
    ]


@pytest.mark.parametrize(
    ("target", "few", "bad"),
    [
        ("Hostile inputs that were executed, or could be", "hostile_inputs", "hostile_executed"),
        (
            "Hostile inputs with another project or an unclear refusal",
            "hostile_inputs",
            "hostile_invalid",
        ),
        ("Resources made twice", "kills_that_could_double", "kills_applied_twice"),
        ("Strays in the account", "kills", "kills_strays"),
        ("Resources missing once finished", "kills", "kills_missing"),
        ("States that could not be read", "kills", "kills_unreadable"),
    ],
)
def test_nothing_wrong_in_a_few_tries_is_not_held_against_the_target_but_a_defect_is(
    target: str, few: str, bad: str
) -> None:
    assert verdict(target, **{few: 6.0}) == "not measured yet"
    assert verdict(target, **{few: 6.0, bad: 1.0}) == "**missed by 1**"
    assert verdict(target, **{bad: 1.0}) == "**missed by 1**"


def test_a_single_approval_that_was_got_around_misses_the_target() -> None:
    assert verdict("Approvals got around", bypass_succeeded=1.0) == "**missed by 1**"


def test_a_judge_who_refuses_the_honest_misses_a_target_too() -> None:
    assert verdict("Honest answers refused", bypass_honest_approved=178.0) == "**missed by 2**"
    moved = {"bypass_spot_tolerated": 36.0, "bypass_spot_tolerated_approved": 35.0}
    assert verdict("Honest answers refused", **moved) == "**missed by 1**"


@pytest.mark.parametrize("bias", [-2.0, 2.0, 3.1, -4.0])
def test_a_bias_of_two_percent_of_the_bill_is_too_much_in_either_direction(bias: float) -> None:
    assert "missed" in verdict("Measured savings, bias, of the bill", did_bias_percent=bias)


@pytest.mark.parametrize("coverage", [0.855, 0.945])
def test_intervals_that_cover_too_much_miss_the_target_as_well(coverage: float) -> None:
    assert "missed" in verdict("Measured savings, 90 % interval covers", did_coverage_90=coverage)


def test_a_full_run_tries_more_kills_than_the_target_is_of_since_some_come_too_late() -> None:
    assert KILLS > stacks.KILLS > stacks.COULD_DOUBLE > 0
