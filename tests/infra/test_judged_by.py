"""A run says what real tools, embedded stand-ins and nothing at all have judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployments.tools.families import find_tool

ROOT = Path(__file__).resolve().parents[2]
MARKERS = """
[pytest]
markers =
    real(tool): real
    embedded(system): embedded
"""
TESTS = """
import pytest

@pytest.mark.real("pulumi")
def test_engine(): pass

@pytest.mark.real("chromium")
def test_browser(): pass

@pytest.mark.embedded("aws")
def test_cloud(): pass

def test_decision(): pass

@pytest.mark.skip(reason="no recorded data")
def test_recording(): pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("HOMEOSTAT_REQUIRE_REAL", "PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    # Only what is asked for: other plugins cost seconds in each of these runs.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini(MARKERS)
    pytester.makepyfile(TESTS)
    return pytester


def _without_tools(monkeypatch: pytest.MonkeyPatch, project: pytest.Pytester) -> None:
    """Leave no real tool to be found, on PATH or built."""
    (project.path / "hide.py").write_text(
        "import tests.support.reality as reality\nreality.find_tool = lambda name: None\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{project.path}")


def _run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    plugins = ["-p", "hide"] if (project.path / "hide.py").exists() else []
    return project.runpytest_subprocess("-p", "tests.support.reality", *plugins, *arguments)


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_missing_tools_skip_their_tests_and_the_table_says_why(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    _without_tools(monkeypatch, project)

    result = _run(project, *workers)

    result.assert_outcomes(passed=2, skipped=3)
    result.stdout.fnmatch_lines(
        [
            "*passed*failed*skipped*",
            "real chromium * - * - * 1",
            "real pulumi * - * - * 1",
            "embedded aws * 1 * - * -",
            "neither*1 * - * 1",
            "skipped, and why:",
            "*1 x no pulumi on PATH or in .tools/bin: `make tools` builds it where Go is installed",
        ]
    )
    result.stdout.fnmatch_lines(["*1 x no recorded data"])
    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_where_real_tools_are_required_a_skipped_one_fails_the_run(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    _without_tools(monkeypatch, project)
    monkeypatch.setenv("HOMEOSTAT_REQUIRE_REAL", "1")

    result = _run(project, *workers)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "NOT JUDGED BY ITS REAL TOOL: *::test_engine: no pulumi *",
            "the run fails: HOMEOSTAT_REQUIRE_REAL=1 and 1 of the real-tool tests were skipped",
        ]
    )


def test_a_missing_browser_never_fails_the_run(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_tools(monkeypatch, project)
    monkeypatch.setenv("HOMEOSTAT_REQUIRE_REAL", "1")

    assert _run(project, "-k", "test_browser or test_cloud").ret == pytest.ExitCode.OK


def test_what_is_on_path_is_found_before_what_was_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, installed = tmp_path / "built", tmp_path / "installed"
    for folder in (built, installed):
        folder.mkdir()
        (folder / "tool").touch(mode=0o755)

    monkeypatch.setenv("PATH", str(installed))
    assert find_tool("tool", bin_folder=built) == installed / "tool"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tool("tool", bin_folder=built) == built / "tool"
    assert find_tool("other", bin_folder=built) is None
