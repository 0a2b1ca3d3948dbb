"""Where the engine finds the stand-in."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

PYTHON_VARIABLE = "HOMEOSTAT_PYTHON"


def plugin_folder() -> Path:
    """Return the folder of `pulumi-resource-aws`, for PATH."""
    return Path(__file__).resolve().parent / "bin"


def plugin_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what to add to an environment, so that the engine in it uses the stand-in.

    Args:
        environ: The environment that the engine would get.
    """
    path = os.pathsep.join([str(plugin_folder()), environ.get("PATH", os.defpath)])
    return {"PATH": path, PYTHON_VARIABLE: sys.executable}
