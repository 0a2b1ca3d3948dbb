"""Ending processes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import psutil


def terminate(processes: list[subprocess.Popen[bytes]], *, timeout_seconds: float) -> None:
    """End processes and their descendants: politely, then not.

    Args:
        processes: Started by this process.
        timeout_seconds: For ending politely.
    """
    family: list[psutil.Process] = []
    for process in processes:
        if process.poll() is not None:
            continue  # its number may be another process's by now
        try:
            parent = psutil.Process(process.pid)
            family += [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    end_processes(family, timeout_seconds=timeout_seconds)
    for process in processes:
        process.wait()


def end_processes(family: list[psutil.Process], *, timeout_seconds: float) -> None:
    """Terminate processes, and kill those that are still there after the timeout."""
    for member in family:
        _signal(member.terminate)
    _, alive = psutil.wait_procs(family, timeout=timeout_seconds)
    for member in alive:
        _signal(member.kill)
    psutil.wait_procs(alive, timeout=5)


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return
