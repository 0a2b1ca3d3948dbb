"""How tasks that read a remote system are tried again."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from tasks.domain.errors import TransientError


def is_transient(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Return whether a failed task may succeed when tried again."""
    del task, run
    return isinstance(state.result(raise_on_failure=False), TransientError)


ATTEMPTS_AFTER_THE_FIRST = 4
BACK_OFF_SECONDS = exponential_backoff(backoff_factor=2)
JITTER = 0.5
