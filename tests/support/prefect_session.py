"""One Prefect server for all tests of a run that ask for it, shared by pytest-xdist's workers.

A pytest plugin. The first test that needs the fixture `prefect_server` starts the server, on a copy of
a database that was migrated once; the process that began the run stops it. Tests never see the
Prefect settings, profiles or server of the person who runs them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deployments.local import QUIET_PREFECT
from tests.support.shared_server import BEGUN_BY, PrefectServer, join_server, stop_server

SESSION_FOLDER = "HOMEOSTAT_TEST_SESSION"
"""Folder of this run: database, logs and the server's address. Inherited by xdist's workers."""


def pytest_configure(config: pytest.Config) -> None:
    """Shut the person's own Prefect out, and give this process a Prefect home of its own."""
    begins_here = not hasattr(config, "workerinput")
    if begins_here:
        os.environ[BEGUN_BY] = str(os.getpid())
        os.environ[SESSION_FOLDER] = tempfile.mkdtemp(prefix="homeostat-tests-")
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    home = session_folder() / os.environ.get("PYTEST_XDIST_WORKER", "main")
    os.environ |= QUIET_PREFECT | {"PREFECT_HOME": str(home)}


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove this run's files, where the run began."""
    if hasattr(config, "workerinput") or SESSION_FOLDER not in os.environ:
        return
    folder = session_folder()
    stop_server(folder)
    shutil.rmtree(folder, ignore_errors=True)
    del os.environ[SESSION_FOLDER]


def session_folder() -> Path:
    """Return the folder of this run."""
    return Path(os.environ[SESSION_FOLDER])


@pytest.fixture(scope="session")
def prefect_server(pytestconfig: pytest.Config) -> Iterator[PrefectServer]:
    """Give a running Prefect server, with PREFECT_API_URL set to it for the rest of the session."""
    server = join_server(session_folder(), cache=_cache_folder(pytestconfig))
    with ExitStack() as undo:
        patch = undo.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("PREFECT_API_URL", server.api_url)
        _enter_settings(undo, server)
        _register_blocks_once(session_folder())
        yield server


def _register_blocks_once(folder: Path) -> None:
    """Register the block types in one process: two at once on an empty server disturb each other."""
    from prefect.filesystems import LocalFileSystem  # late, as above

    from deployments.register import BLOCKS

    done = folder / "blocks.registered"
    with (folder / "blocks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            for block in (*BLOCKS, LocalFileSystem):
                block.register_type_and_schema()
            done.touch()


def _enter_settings(undo: ExitStack, server: PrefectServer) -> None:
    # Late: tests that need no server need not wait a second for this import.
    import prefect.settings as ps

    undo.enter_context(
        ps.temporary_settings(
            {
                ps.PREFECT_API_URL: server.api_url,
                # A synchronous flow waits a second for its heartbeat to end; no variable turns it off.
                ps.PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
                ps.PREFECT_LOGGING_TO_API_ENABLED: False,
            }
        )
    )


def _cache_folder(config: pytest.Config) -> Path:
    cache: pytest.Cache | None = getattr(config, "cache", None)
    return session_folder() if cache is None else cache.mkdir("prefect-databases")
