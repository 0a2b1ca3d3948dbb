"""Run a real control plane: `python -m deployments.control_plane --folder FOLDER --port 6443`."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import psutil
from cyclopts import App, Parameter, validators

from deployments.control_plane.run import control_plane
from deployments.control_plane.running import ControlPlaneError, ToldToEndError

app = App(name="python -m deployments.control_plane", help=__doc__)

EXIT_NOT_STARTED, EXIT_ENDED = 2, 1
LOOK_EVERY_SECONDS = 1.0


@app.default
def serve(
    *,
    folder: Path,
    port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))] = 0,
) -> int:
    """Run etcd, API server, controllers and scheduler until told to end, or until one of them ends.

    Args:
        folder: For kubeconfig, keys, data and logs, which it keeps over starts.
        port: Of the API server; 0 for a free one.
    """
    ended = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: ended.set())
    try:
        with control_plane(folder, port=port, told_to_end=ended) as plane:
            print(f"cluster ready: {plane.url}, kubeconfig {plane.kubeconfig}", flush=True)  # noqa: T201
            while not ended.wait(LOOK_EVERY_SECONDS):
                gone = [name for name, pid in plane.pids.items() if not _runs(pid)]
                if gone:
                    # Without one of them the others would answer as if all were well.
                    print(f"{gone[0]} ended; its log is in {folder}", file=sys.stderr)  # noqa: T201
                    return EXIT_ENDED
    except ToldToEndError:
        return 0
    except (ControlPlaneError, OSError) as error:
        print(f"not started: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_NOT_STARTED
    return 0


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    raise SystemExit(app())
