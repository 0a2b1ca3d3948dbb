"""What is tracked is the same on every machine, and can be set up on each."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Written in pieces, so that this file does not hold what it looks for.
HOMES = ("/" + r"home/[a-z]", "/" + r"Users/[A-Za-z]", r"[A-Z]:" + r"\\Users\\", "/" + "root/")
MACHINE_PATH = re.compile("|".join([*HOMES, re.escape(f"{ROOT}/")]))
INDEX_ADDRESS = re.compile(
    "|".join(["pypi" + r"\.org", "proxy" + r"\.golang", "files" + r"\.pythonhosted"])
)
LARGEST_BYTES = 2_000_000


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout, so what is tracked is unknown")
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("pattern", [MACHINE_PATH, INDEX_ADDRESS], ids=["paths", "addresses"])
def test_no_tracked_file_names_a_machine(pattern: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _tracked()
        if (match := pattern.search(_text(path))) is not None
    ]

    assert found == []


def test_no_tracked_file_is_too_large_to_review() -> None:
    large = {
        str(path.relative_to(ROOT)): path.stat().st_size
        for path in _tracked()
        if path.stat().st_size > LARGEST_BYTES
    }

    assert large == {}


@pytest.mark.parametrize("script", [".ci/run", "deployments/venv.sh"])
def test_a_script_is_executable_and_parses(script: str) -> None:
    path = ROOT / script

    assert path.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0


def test_every_target_of_the_makefile_says_what_it_does() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    phony = {line.split()[1] for line in lines if line.startswith(".PHONY:")}
    described = {line.partition(":")[0] for line in lines if re.match(r"[a-z]+:.*## \S", line)}

    assert phony == described
    needed = {"up", "down", "test", "check", "venv", "bench", "tools", "lock", "clean", "help"}
    assert phony >= needed


def test_each_package_says_in_one_line_what_it_holds() -> None:
    for package in ("flows", "tasks", "tasks/domain", "tasks/adapters", "deployments"):
        text = (ROOT / package / "__init__.py").read_text()
        assert text.startswith('"""'), f"{package}/__init__.py has no docstring"


def test_the_workflow_may_only_read_and_pins_every_action_by_hash() -> None:
    workflow = (ROOT / "deployments" / "ci" / "github-actions.yml").read_text()

    assert "permissions:\n  contents: read\n" in workflow
    actions = re.findall(r"uses: (\S+)", workflow)
    assert actions
    assert all(re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", action) for action in actions), actions
