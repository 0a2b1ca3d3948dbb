"""How tasks that speak to a remote system are tried again.

They carry no `timeout_seconds`: submitted tasks run in threads, which Prefect cannot interrupt and
warns about at every run. Their clients have timeouts of their own, and the flow has one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from tasks.domain.errors import TransientError

ATTEMPTS_AFTER_THE_FIRST = 2
BACK_OFF_SECONDS = exponential_backoff(backoff_factor=2)
JITTER = 0.5

P = ParamSpec("P")
R = TypeVar("R")


def is_transient(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Return whether a failed task may succeed when tried again."""
    del task, run
    return isinstance(state.result(raise_on_failure=False), TransientError)


def remote_task(
    name: str, *, run_name: str | None = None
) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Return a decorator for tasks that speak to a remote system: tried again while that may help.

    Args:
        name: Of the task.
        run_name: Of a run, with parameters in braces; None for the task's name.
    """
    return task(
        name=name,
        task_run_name=run_name,
        cache_policy=NO_CACHE,
        retries=ATTEMPTS_AFTER_THE_FIRST,
        retry_delay_seconds=BACK_OFF_SECONDS,
        retry_jitter_factor=JITTER,
        retry_condition_fn=is_transient,
    )
