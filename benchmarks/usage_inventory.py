"""Inventory and a month of hourly metrics of 2,000 instances, over the wire.

Run with `python -m benchmarks.usage_inventory [--quick] [--json]`. The embedded AWS runs generated
instances in a process of its own; processes that read do so through unmodified boto3, in chunks
as the usage flow does, so that the peak memory of each is that of one fleet. Read unpaced: on AWS itself
the quota of 180,000 data points a second sets a floor, which is printed beside.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.harness import (
    Metrics,
    parse_options,
    peak_rss_gib,
    progress,
    publish,
    show_table,
)
from benchmarks.servers import embedded_aws

REGION = "us-east-1"
DAYS = 28
SIZES = (500, 2000)
QUICK_SIZES = (50, 200)
INSTANCES_PER_CHUNK = 250
TARGET_SECONDS = 120.0
_AWS_DATAPOINTS_PER_SECOND = 180_000.0


def inventory_metrics(sizes: Sequence[int]) -> Metrics:
    """Measure reading fleets of some sizes, each by a process of its own; the last one is reported."""
    found = {size: _measured_apart(size) for size in sizes}
    names = list(next(iter(found.values())))
    rows = [(name, *(found[size][name] for size in sizes)) for name in names]
    show_table(
        f"Inventory and {DAYS} days of hourly metrics over the wire",
        ["", *(f"{size} instances" for size in sizes)],
        rows,
    )
    small, large = (found[size] for size in (sizes[0], sizes[-1]))
    beyond = _beyond_arrays(large) - _beyond_arrays(small)
    metrics: Metrics = {
        f"inventory_seconds_{sizes[-1]}": large["total_seconds"],
        "inventory_target_seconds": TARGET_SECONDS,
        "inventory_peak_rss_gib": large["peak_rss_gib"],
        "inventory_peak_rss_growth_gib": beyond,
        "inventory_datapoints": large["datapoints"],
        "inventory_datapoints_per_second": large["datapoints"] / large["metrics_seconds"],
        "inventory_aws_quota_seconds": large["datapoints"] / _AWS_DATAPOINTS_PER_SECOND,
    }
    show_table("Of the largest fleet", ["", "value"], list(metrics.items()))
    return metrics


def _beyond_arrays(found: dict[str, float]) -> float:
    return found["peak_rss_gib"] - found["arrays_gib"]


def _measured_apart(size: int) -> dict[str, float]:
    progress(f"filling an account with {size} instances")
    with embedded_aws(["--fleet", f"generated:{size}"]) as url:
        progress(f"reading {size} instances")
        command = [sys.executable, "-m", "benchmarks.usage_inventory", "--read", url]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if int(found["instances"]) != size:
        message = f"read {found['instances']:.0f} instances of {size}"
        raise RuntimeError(message)
    return found


def read_account(url: str) -> dict[str, float]:
    """Read everything that the usage flow needs; return how long it took and what came."""
    import boto3

    from tasks.adapters.aws import regional_client
    from tasks.adapters.inventory import region_inventory
    from tasks.adapters.metrics import Window
    from tasks.adapters.usage_metrics import (
        Reader,
        instance_panel,
        joined_panel,
        reported_metrics,
    )

    session = boto3.Session(aws_access_key_id="benchmark", aws_secret_access_key="-")  # noqa: S106 - not checked
    begun = time.perf_counter()
    now = datetime.now(UTC)
    inventory = region_inventory(
        lambda service: regional_client(session, service, region=REGION, endpoint_url=url),
        region=REGION,
        observed_at=now,
    )
    listed = time.perf_counter()
    end = now.replace(minute=0, second=0, microsecond=0)
    cloudwatch = regional_client(session, "cloudwatch", region=REGION, endpoint_url=url)
    reader = Reader(
        client=cloudwatch,
        region=REGION,
        window=Window(start=end - timedelta(days=DAYS), end=end),
    )
    reported = reported_metrics(cloudwatch, region=REGION)
    ids = [one.instance_id for one in inventory.instances]
    panel = joined_panel(
        [
            instance_panel(reader, ids[first : first + INSTANCES_PER_CHUNK], reported)
            for first in range(0, len(ids), INSTANCES_PER_CHUNK)
        ]
    )
    done = time.perf_counter()
    values = list(panel.values.values())
    series = sum(len(each) for by_id in reported.series.values() for each in by_id.values())
    # Processor and memory are asked for twice: their mean and their maximum.
    twice = sum(
        len(each)
        for (_, name), by_id in reported.series.items()
        if name in {"CPUUtilization", "mem_used_percent"}
        for each in by_id.values()
    )
    return {
        "total_seconds": done - begun,
        "inventory_seconds": listed - begun,
        "metrics_seconds": done - listed,
        "peak_rss_gib": peak_rss_gib(),
        "arrays_gib": sum(each.nbytes for each in values) / 2**30,
        "instances": float(len(ids)),
        "metrics_asked": float(series + twice),
        "datapoints": float((series + twice) * panel.hours),
        "known_share": float(np.mean([1.0 - np.isnan(each).mean() for each in values])),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments[:1] == ["--read"]:
        print(json.dumps(read_account(arguments[1])), flush=True)
        return
    options = parse_options("usage_inventory", arguments)
    publish(options, inventory_metrics(QUICK_SIZES if options.quick else SIZES))


if __name__ == "__main__":
    main()
