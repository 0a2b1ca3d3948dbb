"""The physics imports numpy and nothing else; what is built on it needs no server."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import deployments.embedded.workloads as package

HOME = "deployments.embedded.workloads"
FOLDER = Path(package.__file__).parent
PURE = sorted([
    *FOLDER.glob("physics/*.py"), *FOLDER.glob("containers/*.py"),
    *(FOLDER / f"{name}.py" for name in ("changes", "demonstration", "engine", "manifests", "parts")),
])  # fmt: skip


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, names of the standard library left out."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return {name for name in found if name.split(".")[0] not in sys.stdlib_module_names}


@pytest.mark.parametrize("path", PURE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_pure_module_imports_numpy_and_its_own_kind(path: Path) -> None:
    others = {name for name in imported(path) if not name.startswith((HOME, "numpy"))}
    assert others == set()
    if path.parent.name == "physics":
        inside = {name for name in imported(path) if not name.startswith("numpy")}
        assert all(name.startswith(f"{HOME}.physics") for name in inside)


@pytest.mark.parametrize("path", PURE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_pure_module_asks_neither_the_clock_nor_a_generator_nor_a_file(path: Path) -> None:
    text = path.read_text()
    forbidden = ("time.time", "datetime.now", "default_rng", "import random", "open(")
    assert not [word for word in forbidden if word in text]
