from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.machine import this_machine
from benchmarks.results import (
    ResultError,
    load_result,
    load_results,
    parse_metrics,
    recording_names,
    save_result,
)
from tests.unit.benchmarks.builders import result


def test_a_saved_result_loads_as_it_was(tmp_path: Path) -> None:
    path = save_result(result(), tmp_path / "new" / "folder")
    assert path is not None
    assert load_result(path) == result()
    assert load_results(path.parent) == {"spot": result()}


def test_no_folder_is_no_results(tmp_path: Path) -> None:
    assert load_results(tmp_path / "nowhere") == {}


def test_a_quick_result_stands_until_there_is_a_full_one(tmp_path: Path) -> None:
    quick = result(quick=True)
    assert save_result(quick, tmp_path) is not None
    assert save_result(result(), tmp_path) is not None
    assert save_result(quick, tmp_path) is None
    assert not load_results(tmp_path)["spot"].quick


@pytest.mark.parametrize("text", ["", "[]", '{"area": "spot"}', '{"machine": {}}'])
def test_a_file_that_is_no_result_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "spot.json").write_text(text)
    with pytest.raises(ResultError, match=r"spot\.json is no result .*python -m benchmarks\.run"):
        load_results(tmp_path)


def test_figures_are_numbers_or_unknown() -> None:
    assert parse_metrics('{"a": 1, "b": 0.5, "c": null}') == {"a": 1, "b": 0.5, "c": None}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "no JSON"),
        ("done", "no JSON"),
        ("[1]", "no JSON object"),
        ('{"a": {"b": 1}}', "not a finite number or null: a"),
        ('{"a": 1, "b": NaN, "c": "fast"}', "not a finite number or null: b, c"),
        ('{"a": true}', "not a finite number or null: a"),
    ],
)
def test_what_is_no_figure_is_refused_by_name(line: str, reason: str) -> None:
    with pytest.raises(ResultError, match=reason):
        parse_metrics(line)


def test_recordings_are_named_in_order_and_missing_ones_are_synthetic(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    for name in ("b.parquet", "a.parquet", "notes.txt"):
        (tmp_path / "prices" / name).touch()
    names = recording_names(tmp_path, ["prices/*.parquet", "traces/*.json"])
    assert names == ("prices/a", "prices/b", "traces/synthetic")
    assert recording_names(None, ["prices/*.parquet"]) == ("synthetic",)


@pytest.mark.parametrize("folder", [None, Path("anywhere")])
def test_who_reads_no_recordings_names_none_and_makes_none_up(folder: Path | None) -> None:
    assert recording_names(folder, ()) == ()


def test_the_machine_is_described_in_full() -> None:
    machine = this_machine()
    assert machine.cpus >= 1
    assert machine.memory_gib > 0.1
    assert all((machine.cpu, machine.os, machine.python))
