"""What was found out about the classes of pulumi_aws, kept between the provider's starts.

The provider wants to know the names of some properties. Importing the classes that have them takes
0.4 s of processor time, a third of a provider's whole life, and the engine starts two for each
operation. So what was found out is kept where Python keeps the byte code of the package.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any


def kept(name: str, find: Callable[[], Any], *, by: Path) -> Any:
    """Return what is kept under a name; else find it out and keep it, where that can be done.

    Args:
        name: Of a class and what is asked of it, for example "pulumi_aws.ebs.VolumeArgs-fields".
        find: Returns it as JSON has it.
        by: Source of what finds it out: another source, or another package, finds it out anew.
    """
    folder = _folder()
    if folder is None:
        return find()
    path = folder / f"homeostat-{_digest(by)}-{name}.json"
    with suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    found = find()
    if not sys.dont_write_bytecode:
        _write(path, json.dumps(found))
    return found


def _write(path: Path, text: str) -> None:
    """Write a file at once, or not at all: the package may be another user's."""
    new = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        new.write_text(text, encoding="utf-8")
        new.replace(path)


@cache
def _folder() -> Path | None:
    spec = importlib.util.find_spec("pulumi_aws")  # imports nothing
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    folders = [Path(place) / "__pycache__" for place in places]
    return next((folder for folder in folders if folder.is_dir()), None)


@cache
def _digest(by: Path) -> str:
    of = (version("pulumi"), version("pulumi_aws"), sys.implementation.cache_tag)
    return hashlib.sha256(repr(of).encode() + by.read_bytes()).hexdigest()[:12]
