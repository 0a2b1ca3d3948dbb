"""The folder pulumi/ never stands in for the installed package of the same name."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
import pytest

from tests.support.reality import ToolPath

if TYPE_CHECKING:
    from pulumi.automation import Stack

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "pulumi"
REPORT = "import pulumi; assert pulumi.Output; print(pulumi.__file__)"
LOAD_FLOW = """
from prefect.flows import load_flow_from_entrypoint
print(load_flow_from_entrypoint("{entrypoint}").fn())
"""
FLOW = """
import pulumi
from prefect import flow

@flow(name="where-pulumi-is")
def where_pulumi_is() -> str:
    assert pulumi.Output
    return str(pulumi.__file__)
"""


def _printed_by(*arguments: str, cwd: Path, **environment: str) -> Path:
    """Return the path that a Python program prints last."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


def _assert_installed(found: Path) -> None:
    assert "site-packages" in found.parts, f"import pulumi gave {found}"
    assert not found.is_relative_to(FOLDER)


def test_the_folder_is_no_package() -> None:
    assert FOLDER.is_dir()
    assert not (FOLDER / "__init__.py").exists()


def test_no_wheel_holds_the_folder(tmp_path: Path) -> None:
    """A wheel that did would install its files into the real package."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)

    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        folders = {name.partition("/")[0] for name in wheel.namelist()}
    packages = {name for name in folders if not name.endswith(".dist-info")}
    assert packages == {"flows", "tasks", "blocks", "deployments"}


def test_under_pytest_the_package_is_imported() -> None:
    assert pulumi.__file__ is not None
    _assert_installed(Path(pulumi.__file__))


def test_from_the_root_a_command_imports_the_package() -> None:
    _assert_installed(_printed_by("-c", REPORT, cwd=ROOT))


def test_from_the_root_a_module_imports_the_package(tmp_path: Path) -> None:
    (tmp_path / "reporting_module.py").write_text(REPORT)

    found = _printed_by("-m", "reporting_module", cwd=ROOT, PYTHONPATH=f"{ROOT}:{tmp_path}")

    _assert_installed(found)


def test_a_script_with_the_root_on_its_path_imports_the_package(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(REPORT)

    _assert_installed(_printed_by(str(script), cwd=ROOT, PYTHONPATH=str(ROOT)))


@pytest.mark.parametrize("form", ["file", "dotted"])
def test_from_a_prefect_entrypoint_the_package_is_imported(form: str, tmp_path: Path) -> None:
    (tmp_path / "flow_of_test.py").write_text(FLOW)
    module = f"{tmp_path}/flow_of_test.py:" if form == "file" else "flow_of_test."
    program = LOAD_FLOW.format(entrypoint=f"{module}where_pulumi_is")

    found = _printed_by("-c", program, cwd=ROOT, PYTHONPATH=f"{ROOT}:{tmp_path}")

    _assert_installed(found)


def test_an_editable_install_elsewhere_imports_the_package(tmp_path: Path) -> None:
    """The project's own packages come from the checkout, which holds pulumi/ as well."""
    environment = {"PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
    flows = _printed_by("-c", "import flows; print(flows.__file__)", cwd=tmp_path, **environment)
    assert flows.is_relative_to(ROOT), "the project is installed editable"

    _assert_installed(_printed_by("-c", REPORT, cwd=tmp_path, **environment))


@pytest.mark.slow
@pytest.mark.real("pulumi")
def test_the_real_engine_previews_a_program_from_the_root(
    tool_path: ToolPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def program() -> None:
        import pulumi as of_program

        seen.append(str(of_program.__file__))
        of_program.export("answer", of_program.Output.from_input(42))

    monkeypatch.chdir(ROOT)
    result = _local_stack(program, tool_path("pulumi"), tmp_path, monkeypatch).preview()

    assert seen, "the engine never ran the program"
    _assert_installed(Path(seen[0]))
    assert result.change_summary == {"create": 1}, "the stack itself, no more"


def _local_stack(
    program: Callable[[], None], cli: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Stack:
    # Late: where the folder has taken the package's place, the tests above are to say so.
    from pulumi.automation import LocalWorkspaceOptions, create_stack

    monkeypatch.setenv("PATH", f"{cli.parent}{os.pathsep}{os.environ['PATH']}")
    (folder / "state").mkdir()
    options = LocalWorkspaceOptions(
        env_vars={
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        },
    )
    return create_stack("dev", project_name="guard", program=program, opts=options)
