import numpy as np
import pytest

from benchmarks.usage_scoring import agreement, bootstrap_stability, means, name_scores
from tasks.domain.usage.archetypes import Archetype

IDLE, STEADY, UNUSUAL = Archetype.IDLE, Archetype.STEADY, Archetype.UNUSUAL


def test_right_names_score_one() -> None:
    found = name_scores([IDLE, STEADY, IDLE], [IDLE, STEADY, IDLE])
    assert set(found.values()) == {1.0}


def test_swapped_names_keep_the_index_and_lose_every_name() -> None:
    found = name_scores([IDLE, STEADY, IDLE], [STEADY, IDLE, STEADY])
    assert found == {"ari": 1.0, "right_names_share": 0.0, "worst_right_names_share": 0.0}


def test_giving_up_is_as_wrong_as_any_other_name() -> None:
    found = name_scores([IDLE, IDLE, STEADY, STEADY], [IDLE, UNUSUAL, STEADY, STEADY])
    assert found["right_names_share"] == 0.75
    assert found["worst_right_names_share"] == 0.5


def test_one_name_for_everything_is_not_stable() -> None:
    assert agreement([["a", "a", "a"], ["a", "a", "a"]]) == 0.0
    assert agreement([["a", "b", "a"], ["x", "y", "x"]]) == pytest.approx(1.0)
    assert agreement([["a", "b"]]) is None


def test_every_draw_has_as_many_rows_as_there_are_resources() -> None:
    seen: list[int] = []

    def fit(rows: np.ndarray, seed: int) -> list[int]:
        seen.append(len(rows))
        return [0, 1] * 5

    assert bootstrap_stability(10, fit=fit, draws=3, seed=0) == pytest.approx(1.0)
    assert seen == [10, 10, 10]


def test_a_mean_over_an_undefined_score_is_undefined() -> None:
    assert means([{"a": 1.0, "b": None}, {"a": 2.0, "b": 1.0}]) == {"a": 1.5, "b": None}
