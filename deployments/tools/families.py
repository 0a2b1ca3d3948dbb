"""Which tools there are to build, and where a built or installed one is found.

A family is a folder beside this module with `go.mod` and `go.sum`: its `tool` directives say what is
built and its `require` lines at which version. A comment after a tool names the program where the
last part of the path does not (`tool go.etcd.io/etcd/server/v3 // etcd`). An optional file `ldflags`
is given to the linker; `{module}` in it becomes that module's pinned version. An optional file
`scripts` names files that are taken from a module as they are: a module and a path a line. An
optional file `exact` says why programs of that name on PATH are not taken: their version decides.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

FAMILIES = Path(__file__).resolve().parent
PROJECT_ROOT = FAMILIES.parent.parent
TOOLS_BIN = PROJECT_ROOT / ".tools" / "bin"

_BLOCK = re.compile(r"^tool \(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
_SINGLE = re.compile(r"^tool (?!\()(.+)$", re.MULTILINE)
_REQUIRED = re.compile(r"^(?:require )?\s*(\S+) (v\S+)", re.MULTILINE)
_MAJOR_VERSION = re.compile(r"v\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One program.

    Attributes:
        name: Of the program's file.
        package: Import path of its Go main package.
        family: Name of the folder that pins it.
    """

    name: str
    package: str
    family: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A file of a module that is put beside the programs as it is.

    Attributes:
        module: Required in go.mod.
        path: In the module.
        fingerprint: Changes with the module's version and the path.
    """

    module: str
    path: str
    fingerprint: str

    @property
    def name(self) -> str:
        """Of the file."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Tools that are pinned together.

    Attributes:
        folder: Where go.mod is.
        tools: In the order of go.mod.
        ldflags: For the linker, versions filled in; may be empty.
        fingerprint: Changes whenever anything that decides the result of a build does.
        scripts: Copied, not built.
        exact: Whether only what is built from the pins will do, whatever PATH has.
    """

    folder: Path
    tools: tuple[Tool, ...]
    ldflags: str
    fingerprint: str
    scripts: tuple[Script, ...] = ()
    exact: bool = False

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name


def read_families(folder: Path = FAMILIES) -> tuple[Family, ...]:
    """Return every family in a folder, by name."""
    return tuple(read_family(path.parent) for path in sorted(folder.glob("*/go.mod")))


def read_family(folder: Path) -> Family:
    """Return what a family's files say.

    Raises:
        ValueError: There is no tool in go.mod, or `ldflags` or `scripts` name a module that it does
            not require.
    """
    module = (folder / "go.mod").read_text()
    flags = _text_or_empty(folder / "ldflags")
    pins = module + _text_or_empty(folder / "go.sum") + flags
    versions = dict(_REQUIRED.findall(module))
    return Family(
        folder=folder,
        tools=_tools(module, family=folder.name),
        ldflags=_with_versions(flags.strip(), versions=versions),
        fingerprint=hashlib.sha256(pins.encode()).hexdigest(),
        scripts=_scripts(_text_or_empty(folder / "scripts"), versions=versions),
        exact=(folder / "exact").exists(),
    )


def find_tool(name: str, *, bin_folder: Path = TOOLS_BIN, families: Path = FAMILIES) -> Path | None:
    """Return a program's path, what is on PATH first; None where it is not installed.

    Of a family that is marked `exact` only what was built counts.
    """
    search = [str(bin_folder)]
    if name not in _exact_names(families):
        search.insert(0, os.environ.get("PATH", os.defpath))
    found = shutil.which(name, path=os.pathsep.join(search))
    return Path(found) if found else None


@functools.cache
def _exact_names(families: Path) -> frozenset[str]:
    exact = (family for family in read_families(families) if family.exact)
    return frozenset(tool.name for family in exact for tool in family.tools)


def _text_or_empty(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _tools(module: str, *, family: str) -> tuple[Tool, ...]:
    lines = [line for block in _BLOCK.findall(module) for line in block.splitlines()]
    tools = [_tool(line, family=family) for line in [*_SINGLE.findall(module), *lines]]
    if not tools:
        message = f"{family}/go.mod has no tool directive; add `tool <main package>`"
        raise ValueError(message)
    return tuple(tools)


def _tool(line: str, *, family: str) -> Tool:
    package, _, comment = (part.strip() for part in line.partition("//"))
    parts = [part for part in package.split("/") if not _MAJOR_VERSION.fullmatch(part)]
    return Tool(name=comment or parts[-1], package=package, family=family)


def _scripts(text: str, *, versions: dict[str, str]) -> tuple[Script, ...]:
    found = []
    for module, path in (line.split() for line in text.splitlines() if line.strip()):
        if module not in versions:
            message = f"scripts name {module}, which go.mod does not require"
            raise ValueError(message)
        pin = f"{module} {versions[module]} {path}"
        found.append(
            Script(module=module, path=path, fingerprint=hashlib.sha256(pin.encode()).hexdigest())
        )
    return tuple(found)


def _with_versions(flags: str, *, versions: dict[str, str]) -> str:
    def version(match: re.Match[str]) -> str:
        if match[1] not in versions:
            message = f"ldflags name {match[1]}, which go.mod does not require"
            raise ValueError(message)
        return versions[match[1]]

    return re.sub(r"\{(\S+?)\}", version, flags)
