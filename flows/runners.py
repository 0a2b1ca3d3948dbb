"""Where a flow's chunks run: in this process, or on Dask workers; a setting, not a branch."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Any

from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Executor(StrEnum):
    """What runs the chunks of a flow."""

    THREADS = "threads"
    DASK = "dask"


class RunnerSettings(BaseSettings):
    """Read from HOMEOSTAT_EXECUTOR, HOMEOSTAT_WORKERS and HOMEOSTAT_DASK_ADDRESS.

    Set them in the environment of the worker, or in a deployment's job variables.
    """

    model_config = SettingsConfigDict(env_prefix="HOMEOSTAT_", extra="ignore")

    executor: Executor = Field(Executor.THREADS, description="threads, or dask.")
    workers: int = Field(
        default_factory=lambda: (os.cpu_count() or 1) + 1,
        ge=1,
        le=512,
        description="Threads, or processes of a local cluster; one more than there are CPUs.",
    )
    dask_address: str | None = Field(
        None, description="Scheduler of a running cluster; None starts a local one for the run."
    )


def chosen_runner(settings: RunnerSettings | None = None) -> TaskRunner[Any]:
    """Return the task runner that the settings ask for.

    Raises:
        RuntimeError: Dask is asked for and not installed.
    """
    settings = settings or RunnerSettings()
    if settings.executor is Executor.THREADS:
        return ThreadPoolTaskRunner(max_workers=settings.workers)
    try:
        from prefect_dask.task_runners import DaskTaskRunner  # late: importing Dask takes a second
    except ImportError as error:
        message = "HOMEOSTAT_EXECUTOR=dask needs the dask extra: pip install 'homeostat[dask]'"
        raise RuntimeError(message) from error
    if settings.dask_address is not None:
        return DaskTaskRunner(address=settings.dask_address)
    cluster = {
        "n_workers": settings.workers,
        "threads_per_worker": 1,
        "dashboard_address": None,
        "host": "127.0.0.1",
    }
    return DaskTaskRunner(cluster_kwargs=cluster)
