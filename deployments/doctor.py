"""What this machine has, what it lacks, and how to get it."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from enum import StrEnum

import psutil

from deployments.local import (
    Local,
    PortInUseError,
    refuse_used_ports,
    running_state,
    used_ports,
)
from deployments.tools.families import find_tool

NEEDED_MEMORY_GIB = 4


class Verdict(StrEnum):
    """What a finding means for `homeostat up`."""

    OK = "ok"
    OPTIONAL = "optional"
    """Something works only where this is there."""
    MISSING = "missing"
    """`up` would fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked for."""

    subject: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def findings(local: Local) -> list[Finding]:
    """Return everything that was looked for, the essential first."""
    return [
        _python(),
        *(_package(name) for name in ("prefect", "boto3", "moto", "lightgbm", "pulumi")),
        _memory(),
        _ports(local),
        _tool("go", "builds the real tools that tests are judged by", "install Go 1.26 or newer"),
        _tool("pulumi", "previews and applies stacks with the real engine", "make tools"),
        _tool("kubectl", "looks at the cluster, and breaks it", "make tools"),
        _tool("kube-apiserver", "lets `up --cluster real` start Kubernetes' own", "make tools"),
        _tool(
            "chromium",
            "lets browser tests run",
            "install your system's chromium package",
            other_names=("chromium-browser", "google-chrome"),
        ),
    ]


def _python() -> Finding:
    version = sys.version.split()[0]
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding(
        subject="Python",
        verdict=Verdict.OK if fits else Verdict.MISSING,
        detail=version,
        remedy="" if fits else "use Python 3.11, 3.12 or 3.13: make venv PYTHON=python3.12",
    )


def _package(name: str) -> Finding:
    spec = importlib.util.find_spec(name)
    # The folder pulumi/ answers too where the package is not installed, but has no origin.
    there = spec is not None and spec.origin is not None
    return Finding(
        subject=f"package {name}",
        verdict=Verdict.OK if there else Verdict.MISSING,
        detail="installed" if there else "not installed",
        remedy="" if there else "make venv",
    )


def _memory() -> Finding:
    free = psutil.virtual_memory().available / 2**30
    enough = free >= NEEDED_MEMORY_GIB
    return Finding(
        subject="memory",
        verdict=Verdict.OK if enough else Verdict.OPTIONAL,
        detail=f"{free:.1f} GiB free",
        remedy="" if enough else f"`up` is meant for {NEEDED_MEMORY_GIB} GiB; close something",
    )


def _ports(local: Local) -> Finding:
    if running_state(local) is not None:
        return Finding(subject="ports", verdict=Verdict.OK, detail="in use by this installation")
    try:
        refuse_used_ports(local)
    except PortInUseError as error:
        return Finding(subject="ports", verdict=Verdict.MISSING, detail="", remedy=str(error))
    return Finding(
        subject="ports",
        verdict=Verdict.OK,
        detail=f"{', '.join(str(port) for port, *_ in used_ports(local))} are free",
    )


def _tool(name: str, purpose: str, remedy: str, *, other_names: tuple[str, ...] = ()) -> Finding:
    paths = (find_tool(known_as) for known_as in (name, *other_names))
    found = next((path for path in paths if path is not None), None)
    return Finding(
        subject=name,
        verdict=Verdict.OK if found else Verdict.OPTIONAL,
        detail=str(found) if found else f"not found; {purpose}",
        remedy="" if found else remedy,
    )
