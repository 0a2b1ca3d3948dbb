"""The machine and the packages that figures were measured with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

PACKAGES = (
    "prefect",
    "lightgbm",
    "numpy",
    "pandas",
    "scikit-learn",
    "statsforecast",
    "boto3",
    "pulumi",
    "pulumi-aws",
    "aiohttp",
    "orjson",
)
"""Packages whose version may move a figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where figures were measured.

    Attributes:
        cpus: Processors that the benchmark may use.
        cpu: Model of the processor, as the system names it.
        memory_gib: Installed memory, GiB.
        os: Name and version of the system.
        python: Version of the interpreter.
    """

    cpus: int
    cpu: str
    memory_gib: float
    os: str
    python: str


def this_machine() -> Machine:
    """Return facts about the machine that figures depend on."""
    return Machine(
        cpus=_usable_cpus(),
        cpu=_cpu_model(),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        os=_os_name(),
        python=platform.python_version(),
    )


def package_versions() -> dict[str, str]:
    """Return the versions of PACKAGES that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_model() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return f"{platform.system()} {platform.release()}"
