"""How tasks that read a remote system are tried again.

Submitted tasks carry no `timeout_seconds`: they run in threads, which Prefect cannot interrupt and
warns about at every run. Their clients have timeouts of their own, and the flow has one.
"""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from tasks.domain.errors import TransientError


def is_transient(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Return whether a failed task may succeed when tried again."""
    del task, run
    return isinstance(state.result(raise_on_failure=False), TransientError)


ATTEMPTS_AFTER_THE_FIRST = 2
BACK_OFF_SECONDS = exponential_backoff(backoff_factor=2)
JITTER = 0.5
