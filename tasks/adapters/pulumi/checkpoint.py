"""The files of a backend of files: locks, and a checkpoint that cannot be read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from tasks.adapters.pulumi.environment import EngineSettings
from tasks.domain.errors import PermanentError
from tasks.domain.stacks.program import PROJECT

ATTRIBUTES = ".attrs"
"""Ending of the file beside each file of the backend."""


def locks(settings: EngineSettings, *, stack: str) -> tuple[str, ...]:
    """Return who holds the engine's lock, for example "root@host (process 12) since 2026-...".

    Backends other than of files cannot be looked into: one entry says so, and the lock is taken away
    whether there is one or not.
    """
    folder = settings.backend_folder
    if folder is None:
        return ("the backend's lock, if there was one",)
    found = (folder / ".pulumi/locks/organization" / PROJECT / stack).glob("*.json")
    return tuple(_holder(path) for path in sorted(found))


def drop_broken_attributes(settings: EngineSettings, *, stack: str) -> tuple[str, ...]:
    """Remove files of attributes that a kill left half-written, and return their names.

    The backend of files replaces a file in one step, but writes its attributes (type and checksum,
    of which the engine needs neither) in place just before: killed between the two, it leaves a file
    that is whole and that nobody can open ("EOF"). Without attributes it is read as it is.
    """
    folder = settings.backend_folder
    if folder is None:
        return ()
    ours = (
        *(folder / ".pulumi/stacks" / PROJECT).glob(f"{stack}.json*{ATTRIBUTES}"),
        *(
            path
            for place in ("locks/organization", "backups", "history")
            for path in (folder / ".pulumi" / place / PROJECT / stack).glob(f"*{ATTRIBUTES}")
        ),
    )
    broken = sorted(path for path in ours if not _is_json(path))
    for path in broken:
        path.unlink(missing_ok=True)
    return tuple(path.name for path in broken)


def restored_checkpoint(settings: EngineSettings, *, stack: str) -> str | None:
    """Put the newest readable backup in the place of a checkpoint that cannot be read.

    Args:
        settings: Of the engine.
        stack: Its name.

    Returns:
        The backup's file name; None when the checkpoint can be read, or there is none to read.

    Raises:
        PermanentError: Neither the checkpoint nor any backup can be read.
    """
    folder = settings.backend_folder
    if folder is None:
        return None
    path = folder / ".pulumi/stacks" / PROJECT / f"{stack}.json"
    # A stack that was removed has a backup too; one that lost its file in an update is locked.
    if _is_readable(path) or not (path.exists() or locks(settings, stack=stack)):
        return None
    backups = list(_backups(folder, path, stack))
    if not path.exists() and not backups:
        return None
    for backup in backups:
        if _is_readable(backup):
            if path.exists():
                path.replace(path.with_suffix(".json.unreadable"))
            shutil.copyfile(backup, path.with_suffix(".json.restored"))
            path.with_suffix(".json.restored").replace(path)
            return backup.name
    message = (
        f"{stack}: the state in {path} cannot be read and none of its {len(backups)} backups can; "
        "restore the file from your own backup, then recover again"
    )
    raise PermanentError(message)


def _backups(folder: Path, path: Path, stack: str) -> Iterator[Path]:
    # Written before every change of the checkpoint: at most one step older.
    if (last := path.with_suffix(".json.bak")).exists():
        yield last
    yield from sorted(
        (folder / ".pulumi/backups" / PROJECT / stack).glob(f"{stack}.*.json"),
        key=lambda one: one.name,
        reverse=True,
    )


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    except OSError:  # Gone meanwhile: nothing is left to be broken.
        return True
    return True


def _is_readable(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and isinstance(content.get("checkpoint"), dict)


def _holder(path: Path) -> str:
    try:
        told = json.loads(path.read_bytes())
        who = f"{told['username']}@{told['hostname']} (process {told['pid']})"
        return f"{who} since {told['timestamp']}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"a lock that does not say by whom ({path.name})"
