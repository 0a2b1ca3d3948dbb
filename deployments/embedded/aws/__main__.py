"""`python -m deployments.embedded.aws`: the embedded AWS as a program."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, validators

from deployments.embedded.aws.errors import InvalidInputError
from deployments.embedded.aws.faults import read_faults
from deployments.embedded.aws.fleet.sources import SHIPPED
from deployments.embedded.aws.server import EmbeddedAwsConfig, serve_aws

app = App(name="python -m deployments.embedded.aws", help=__doc__)

EXIT_NOT_STARTED = 2


@app.default
def main(
    *,
    port: Annotated[int, Parameter(validator=validators.Number(gte=0, lte=65535))] = 4290,
    spot_history: str | None = None,
    replay_ends: Annotated[str, Parameter(allow_leading_hyphen=True)] = "now",
    seed: int = 0,
    faults: Path | None = None,
    metrics: Path | None = None,
    fleet: str = SHIPPED,
) -> int:
    """Serve an embedded AWS on 127.0.0.1 until SIGTERM or Ctrl-C.

    Args:
        port: To listen on; 0 for any free one.
        spot_history: Recorded prices (Parquet or CSV), or "simulated". A shipped extract of
            recorded prices by default.
        replay_ends: Where on the clock the recording ends: "now", an offset such as "+7d" or
            "-2h", an ISO 8601 instant, or "recorded" to leave its times.
        seed: Of a simulated history.
        faults: YAML or JSON file of faults to inject.
        metrics: Recorded CPU utilisation (Parquet or CSV) for CloudWatch.
        fleet: What runs: "shipped" (part recorded, part generated), "none", "generated:N" for N
            generated instances, or a file of recorded use (Parquet or CSV).
    """
    try:
        config = EmbeddedAwsConfig(
            port=port,
            spot_history=spot_history,
            replay_ends=replay_ends,
            seed=seed,
            faults=read_faults(faults) if faults else (),
            metrics=metrics,
            fleet=fleet,
        )
        with serve_aws(config) as server:
            print(f"embedded AWS ready: {server.endpoint_url}", flush=True)  # noqa: T201
            _await_signal()
    except InvalidInputError as error:
        print(f"not started: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_NOT_STARTED
    return 0


def _await_signal() -> None:
    ended = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: ended.set())
    ended.wait()


if __name__ == "__main__":
    app()
