from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.results import Result, load_result
from benchmarks.run import AREAS, AreaFailedError, Request, last_line, measure_area, run_areas
from tests.unit.benchmarks.builders import result


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def measure(area: str) -> Result:
    """Only the area named "sick" fails."""
    if area == "sick":
        message = "ended with exit code 3"
        raise AreaFailedError(message)
    return result(area=area)


def test_a_failing_area_is_named_and_costs_no_other_area_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_areas(["first", "sick", "last"], measure=measure, folder=tmp_path)

    assert code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.json", "last.json"]
    assert "failed: sick: ended with exit code 3" in capsys.readouterr().err


def test_the_exit_code_is_zero_when_every_area_was_measured(tmp_path: Path) -> None:
    assert run_areas(["first"], measure=measure, folder=tmp_path) == 0


def test_quick_figures_are_printed_where_full_ones_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_areas(["spot"], measure=lambda _: result(), folder=tmp_path)
    quick = result(quick=True, metrics={"mae_skill_24h": 0.5})
    code = run_areas(["spot"], measure=lambda _: quick, folder=tmp_path)

    assert code == 0
    assert load_result(tmp_path / "spot.json") == result()
    assert '{"mae_skill_24h": 0.5}' in capsys.readouterr().out


def test_tables_are_passed_on_and_the_last_line_is_taken(
    capfd: pytest.CaptureFixture[str],
) -> None:
    line = last_line(python("""print('a table'); print('its end'); print('{"a": 1.5}')"""))
    assert line == '{"a": 1.5}'
    assert capfd.readouterr().out == "a table\nits end\n"


def test_a_command_that_fails_has_all_of_its_output_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(AreaFailedError, match="exit code 3"):
        last_line(python("print('a table'); print('the end'); raise SystemExit(3)"))
    assert capfd.readouterr().out == "a table\nthe end\n"


def test_a_command_that_says_nothing_gives_no_line() -> None:
    assert last_line(python("pass")) == ""


class FakeBenchmark:
    """Keeps the commands it was run with, and ends with the same line each time."""

    def __init__(self, line: str = '{"mae_skill_24h": 0.25}') -> None:
        self.line = line
        self.commands: list[list[str]] = []

    def __call__(self, command: Sequence[str]) -> str:
        self.commands.append(list(command))
        return self.line


def test_a_result_names_recordings_and_never_the_folder_they_are_in(tmp_path: Path) -> None:
    (tmp_path / "spot_prices").mkdir()
    (tmp_path / "spot_prices" / "mine.parquet").touch()
    benchmark = FakeBenchmark()

    request = Request(areas=("spot",), data=tmp_path, quick=True)
    found = measure_area("spot", request, launch=benchmark)

    assert benchmark.commands[0][-2:] == ["--data", str(tmp_path)]
    assert found.data == ("spot_prices/mine", "spot_availability/synthetic")
    assert found.command == "python -m benchmarks.spot --json --quick --data DIR"
    assert str(tmp_path) not in repr(found)


def test_a_result_holds_figures_seed_and_versions() -> None:
    request = Request(areas=("spot",), data=None, quick=False)
    found = measure_area("spot", request, launch=FakeBenchmark())
    assert found.metrics == {"mae_skill_24h": 0.25}
    assert found.seed == 20
    assert found.command == "python -m benchmarks.spot --json"
    assert {"numpy", "prefect"} <= set(found.versions)


def test_a_benchmark_that_ends_without_figures_has_failed() -> None:
    request = Request(areas=("spot",), data=None, quick=False)
    with pytest.raises(AreaFailedError, match=r"no JSON .*'done'"):
        measure_area("spot", request, launch=FakeBenchmark("done"))


def test_all_areas_are_measured_unless_some_are_named() -> None:
    assert run.parse_request([]).areas == tuple(AREAS)
    assert run.parse_request(["spot", "--quick"]) == Request(areas=("spot",), data=None, quick=True)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(["spots"], "no benchmark of spots; there are: spot"), (["--data", "nowhere"], "nowhere")],
)
def test_what_cannot_be_measured_is_refused(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run.parse_request(arguments)
    assert reason in capsys.readouterr().err


def test_every_area_has_its_benchmark_and_says_what_it_reads() -> None:
    here = Path(run.__file__).parent
    assert [area for area in AREAS if not (here / f"{area}.py").exists()] == []
    assert [area for area, reads in AREAS.items() if not reads] == ["cluster"]
