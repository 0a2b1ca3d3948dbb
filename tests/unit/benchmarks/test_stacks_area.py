"""The benchmark of stacks: what its parts are given, and what becomes of their figures."""

from __future__ import annotations

import os
import pickle
from functools import partial
from pathlib import Path

import pytest

from benchmarks.harness import Options
from benchmarks.stacks import apart, measured, parts
from benchmarks.stacks_generate import INPUTS
from benchmarks.tables.stacks import HOSTILE_INPUTS


def options(*, data: Path | None = None, quick: bool = True) -> Options:
    return Options(data=data, quick=quick, as_json=True)


@pytest.mark.parametrize("quick", [True, False])
def test_every_part_is_told_whether_it_is_to_be_quick_and_can_be_sent_elsewhere(
    quick: bool,
) -> None:
    for part in parts(options(quick=quick)).values():
        sent = pickle.loads(pickle.dumps(part))
        assert sent.keywords["quick"] is quick


def test_recordings_are_given_to_measured_savings(tmp_path: Path) -> None:
    given = {name: part.keywords for name, part in parts(options(data=tmp_path)).items()}  # type: ignore[attr-defined]
    assert [name for name, keywords in given.items() if keywords.get("data") == tmp_path] == [
        "savings"
    ]


def test_a_full_run_tries_as_many_hostile_inputs_as_its_target_is_about() -> None:
    assert INPUTS >= HOSTILE_INPUTS


@pytest.mark.slow
def test_work_apart_is_done_in_a_process_of_its_own() -> None:
    assert apart(os.getpid) != os.getpid()


@pytest.mark.slow
def test_figures_of_all_parts_are_put_together() -> None:
    assert measured({"one": partial(dict, a=1.0), "two": partial(dict, b=None)}) == {
        "a": 1.0,
        "b": None,
    }


@pytest.mark.slow
def test_two_parts_with_one_figure_are_refused() -> None:
    with pytest.raises(ValueError, match="two measures a a second time"):
        measured({"one": partial(dict, a=1.0), "two": partial(dict, a=2.0)})


@pytest.mark.slow
def test_a_part_that_fails_ends_the_benchmark_without_figures() -> None:
    with pytest.raises(FileNotFoundError):
        measured({"one": partial(os.stat, "no such file")})  # type: ignore[dict-item]
