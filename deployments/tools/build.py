"""Build the pinned tools that this machine lacks: `python -m deployments.tools.build [FAMILY ...]`.

Uses the standard library alone, so that it works before anything is installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from deployments.tools.families import TOOLS_BIN, Family, Script, Tool, read_families

NO_GO = (
    "Go is not installed, so no tool is built. Everything works without them except the tests that\n"
    "need one: they are skipped and say so. Install Go 1.26 or newer and run `make tools` again."
)


class BuildFailedError(Exception):
    """Go refused to build a tool or to fetch its module; its own words were printed before."""

    def __init__(self, tool: str, *, code: int, command: str = "go build") -> None:
        super().__init__(
            f"{tool}: `{command}` ended with code {code}; the reason is above. Go fetches modules "
            f"from $GOPROXY the first time: can it be reached?"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Build families by name, all by default.

    Returns:
        The exit code: 0 also where Go is missing, since everything else works without tools.
    """
    wanted = list(sys.argv[1:] if arguments is None else arguments)
    families = read_families()
    unknown = set(wanted) - {family.name for family in families}
    if unknown:
        known = ", ".join(family.name for family in families)
        _say(f"no such family: {', '.join(sorted(unknown))}; there are {known}")
        return 2
    chosen = [family for family in families if not wanted or family.name in wanted]
    try:
        for family in chosen:
            ensure_family(family, bin_folder=TOOLS_BIN, go=shutil.which("go"))
    except BuildFailedError as error:
        _say(str(error))
        return 1
    return 0


def ensure_family(family: Family, *, bin_folder: Path, go: str | None) -> None:
    """Build those of a family's tools that are neither on PATH nor built at the pinned version.

    Args:
        family: What to build.
        bin_folder: Where programs are put; made when missing.
        go: The Go command; None where it is not installed, which is said and is no error.

    Raises:
        BuildFailedError: A build failed.
    """
    for tool in family.tools:
        on_path = None if family.exact else shutil.which(tool.name)
        if on_path is not None and Path(on_path).parent != bin_folder:
            _say(f"{tool.name}: on PATH at {on_path}, used as it is")
        elif is_built(tool, family=family, bin_folder=bin_folder):
            _say(f"{tool.name}: built already")
        elif go is None:
            _say(f"{tool.name}: not built. {NO_GO}")
        else:
            _build(tool, family=family, bin_folder=bin_folder, go=go)
    for script in family.scripts:
        _ensure_script(script, family=family, bin_folder=bin_folder, go=go)


def _ensure_script(script: Script, *, family: Family, bin_folder: Path, go: str | None) -> None:
    stamp = bin_folder / f".{script.name}.fingerprint"
    there = (bin_folder / script.name).exists() and stamp.exists()
    if there and stamp.read_text() == script.fingerprint:
        _say(f"{script.name}: copied already")
    elif go is None:
        _say(f"{script.name}: not copied. {NO_GO}")
    else:
        target = bin_folder / script.name
        shutil.copyfile(_module_folder(script, family=family, go=go) / script.path, target)
        target.chmod(0o755)
        stamp.write_text(script.fingerprint)
        _say(f"{script.name}: copied from {script.module}")


def _module_folder(script: Script, *, family: Family, go: str) -> Path:
    # Fetched already where the family's programs were built here; otherwise now.
    command = [go, "mod", "download", "-json", script.module]
    done = subprocess.run(
        command, cwd=family.folder, env=_environment(), check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        _say(done.stderr)
        raise BuildFailedError(script.name, code=done.returncode, command="go mod download")
    return Path(json.loads(done.stdout)["Dir"])


def is_built(tool: Tool, *, family: Family, bin_folder: Path) -> bool:
    """Return whether a tool is there, built from exactly what its family pins now."""
    stamp = _stamp(tool, bin_folder=bin_folder)
    there = (bin_folder / tool.name).exists() and stamp.exists()
    return there and stamp.read_text() == family.fingerprint


def _build(tool: Tool, *, family: Family, bin_folder: Path, go: str) -> None:
    _say(f"{tool.name}: building {tool.package}; the first time takes minutes")
    bin_folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    # -mod=readonly: a build never changes what was reviewed. No cgo: no C compiler is needed.
    command = [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false"]
    command += ["-ldflags", f"-s -w {family.ldflags}".strip()]
    command += ["-o", str(bin_folder / tool.name), tool.package]
    done = subprocess.run(command, cwd=family.folder, env=_environment(), check=False)
    if done.returncode != 0:
        raise BuildFailedError(tool.name, code=done.returncode)
    _stamp(tool, bin_folder=bin_folder).write_text(family.fingerprint)
    _say(f"{tool.name}: built in {time.monotonic() - started:.0f} s")


def _environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}


def _stamp(tool: Tool, *, bin_folder: Path) -> Path:
    return bin_folder / f".{tool.name}.fingerprint"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
