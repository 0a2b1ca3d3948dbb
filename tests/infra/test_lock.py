"""requirements.lock installs exactly what was reviewed, from whichever index a machine uses."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
NOT_LOCKED = {"baselines"}
"""A rival for one benchmark, whose packages nobody else should have to install."""
PYTHONS = ("3.11", "3.12", "3.13")


def _entries() -> Iterator[str]:
    """Yield each requirement with its hashes, comments left out."""
    lines = [line for line in LOCK.splitlines() if not line.lstrip().startswith("#")]
    return iter(re.split(r"\n(?=\S)", "\n".join(lines).strip()))


def _requirement(entry: str) -> Requirement:
    return Requirement(entry.partition("\\")[0].strip())


def _wanted() -> Iterable[str]:
    project = PROJECT["project"]
    extras = [
        text
        for name, extra in project["optional-dependencies"].items()
        if name not in NOT_LOCKED
        for text in extra
    ]
    return [
        *PROJECT["build-system"]["requires"],
        *project["dependencies"],
        *extras,
        *PROJECT["dependency-groups"]["dev"],
    ]


def _locked_versions(name: str, *, python: str) -> list[str]:
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    requirements = [_requirement(entry) for entry in _entries()]
    return [
        str(r.specifier).removeprefix("==")
        for r in requirements
        if canonicalize_name(r.name) == canonicalize_name(name)
        and (r.marker is None or r.marker.evaluate(environment))
    ]


def test_every_requirement_is_one_version_with_hashes() -> None:
    for entry in _entries():
        assert re.match(r"^[\w.\[\],-]+==\S+", entry), entry.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry.splitlines()[0]


def test_no_address_is_in_the_lock() -> None:
    assert "://" not in LOCK
    assert not re.search(
        r"--(extra-)?index-url|--find-links|--trusted-host|^-i ", LOCK, re.MULTILINE
    )


@pytest.mark.parametrize("python", PYTHONS)
def test_whatever_the_project_names_is_locked_within_its_bounds(python: str) -> None:
    for text in _wanted():
        wanted = Requirement(text)
        locked = _locked_versions(wanted.name, python=python)
        assert len(locked) == 1, f"{text}: {locked or 'not locked'} on {python}; run `make lock`"
        assert wanted.specifier.contains(locked[0], prereleases=True), f"{text}: {locked[0]}"
