"""A plugin for pytest that leaves of the contract what is asked of one server: `--contract-server NAME`."""

from __future__ import annotations

import pytest

FIXTURE = "cluster"
"""Whose parameter is the server."""
OPTION = "--contract-server"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption(OPTION, required=True, help="the server to ask, such as embedded or real")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop what is asked of another server, or of none."""
    wanted = config.getoption(OPTION)
    kept = [item for item in items if server_of(item) == wanted]
    config.hook.pytest_deselected(items=[item for item in items if server_of(item) != wanted])
    items[:] = kept


def server_of(item: pytest.Item) -> str | None:
    """Return the server that a test is asked of; None where it needs none."""
    parameters = getattr(item, "callspec", None)
    return None if parameters is None else parameters.params.get(FIXTURE)
