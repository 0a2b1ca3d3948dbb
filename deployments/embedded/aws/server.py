"""The embedded AWS as a whole: configuration, assembly, start and end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from moto.moto_api._internal.models import moto_api_backend

from deployments.embedded.aws.billing import Billing
from deployments.embedded.aws.changes.apis import update_stage
from deployments.embedded.aws.changes.group_rows import describe_groups
from deployments.embedded.aws.changes.groups import GroupChanges
from deployments.embedded.aws.changes.instances import InstanceChanges
from deployments.embedded.aws.changes.refreshes import InstanceRefreshes
from deployments.embedded.aws.changes.templates import describe_templates
from deployments.embedded.aws.commitments import EmbeddedCommitments, small_plan
from deployments.embedded.aws.control import Control
from deployments.embedded.aws.cost.account import AccountReader
from deployments.embedded.aws.ec2_reads import describe_instances, describe_volumes
from deployments.embedded.aws.errors import PortInUseError
from deployments.embedded.aws.faults import FaultPlan, FaultRule
from deployments.embedded.aws.fleet.description import Fleet
from deployments.embedded.aws.fleet.off_hours import OffHours
from deployments.embedded.aws.fleet.sources import NONE, read_fleet
from deployments.embedded.aws.http_server import LOOPBACK, LoopbackServer
from deployments.embedded.aws.instance_types import describe_instance_types
from deployments.embedded.aws.metric_reads import MetricReads
from deployments.embedded.aws.metric_store import MetricStore
from deployments.embedded.aws.metric_writes import (
    load_cpu_metrics,
    put_metric_data,
    read_cpu_metrics,
)
from deployments.embedded.aws.overlay import AwsOverlay, Handler
from deployments.embedded.aws.placement import PlacementScores
from deployments.embedded.aws.policy import ACCOUNT, APPLY_POLICY_FILE, USER, read_policy
from deployments.embedded.aws.price_list import (
    describe_services,
    get_products,
    on_demand_types,
)
from deployments.embedded.aws.replay import replay_end, shift_to_end
from deployments.embedded.aws.scaling_forecast import ScalingForecasts
from deployments.embedded.aws.spot_api import SpotPriceHistory
from deployments.embedded.aws.spot_history import SHIPPED_HISTORY, read_spot_history
from deployments.embedded.aws.spot_index import RegionHistory, index_by_region
from tasks.domain.spot.catalogue import synthetic_pools

SIMULATED = "simulated"
SIMULATED_POOLS = 180
SIMULATED_REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
SIMULATED_SPAN = timedelta(days=60)
SIMULATED_FUTURE = timedelta(days=14)


def system_clock() -> datetime:
    """Return now, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedAwsConfig:
    """What an embedded AWS starts with.

    Attributes:
        port: On 127.0.0.1; 0 for any free port.
        spot_history: A file of recorded prices, or "simulated"; None for the shipped extract.
        replay_ends: Where the recordings end on the clock: "now", an offset such as "+7d", or an
            ISO 8601 instant. "recorded" leaves the recorded times.
        seed: Of a simulated history, of a generated fleet and of the bill's invented past.
        faults: In force from the start.
        metrics: A file of recorded CPU utilisation, put into us-east-1.
        fleet: What runs: "shipped", "none", "generated:N", or a file of recorded use.
        commitments: Savings Plans and Reserved Instances that are held; None for a small plan
            beside a fleet, and for nothing without one.
        refresh_takes: For how long an instance refresh is in progress, at least 0.
        clock: Now, aware UTC; nothing later is told.
        pause: Waits some seconds, for delay faults; None for a wait that ends with the server.
    """

    port: int = 0
    spot_history: Path | str | None = None
    replay_ends: str = "now"
    seed: int = 0
    faults: tuple[FaultRule, ...] = ()
    metrics: Path | None = None
    fleet: str = NONE
    commitments: EmbeddedCommitments | None = None
    refresh_takes: timedelta = timedelta(0)
    clock: Callable[[], datetime] = system_clock
    pause: Callable[[float], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedAws:
    """A running embedded AWS.

    Attributes:
        endpoint_url: For boto3's `endpoint_url`.
        faults: May be changed while it runs.
        metrics: The CloudWatch data.
    """

    endpoint_url: str
    faults: FaultPlan
    metrics: MetricStore


@contextmanager
def serve_aws(config: EmbeddedAwsConfig | None = None) -> Iterator[EmbeddedAws]:
    """Run an embedded AWS in this process until the block ends. Instances and buckets start empty.

    moto's state is the process's: of two servers in one process, the second empties the first.

    Raises:
        InvalidInputError: A file or option is not valid, or the port is in use.
    """
    config = config or EmbeddedAwsConfig()
    faults, metrics, stopping = FaultPlan(config.faults), MetricStore(), threading.Event()
    fleet = _fleet(config)
    moto_api_backend.reset()
    if fleet is not None:
        _fill(fleet, metrics)
    # After it is filled: what is stopped or launched from here on is somebody's doing.
    overlay = _overlay(config, faults, metrics, fleet, pause=config.pause or stopping.wait)
    try:
        server = LoopbackServer(config.port, overlay)
    except OSError as error:
        raise PortInUseError(config.port, error.strerror or str(error)) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="embedded-aws")
    thread.start()
    try:
        url = f"http://{LOOPBACK}:{server.server_port}"
        yield EmbeddedAws(endpoint_url=url, faults=faults, metrics=metrics)
    finally:
        stopping.set()
        server.shutdown()
        server.close_connections()
        server.server_close()
        thread.join()


def _overlay(
    config: EmbeddedAwsConfig,
    faults: FaultPlan,
    metrics: MetricStore,
    fleet: Fleet | None,
    *,
    pause: Callable[[float], object],
) -> AwsOverlay:
    end = _replay_end(config)
    changes, source = _history(config, end)
    _load_metrics(config, metrics, end)
    regions = index_by_region(changes)
    billing = Billing(
        _commitments(config), metrics=metrics, spot=regions, clock=config.clock, seed=config.seed
    )
    off_hours = OffHours(clock=config.clock)
    if fleet is not None:
        billing.account.look()
    handlers = {
        **_handlers(regions, metrics, config.clock, off_hours),
        **_changes(metrics, config.clock, refresh_takes=config.refresh_takes),
        **billing.handlers(),
    }
    facts = {
        "history": _facts(changes, source),
        "fleet": NONE if fleet is None else fleet.source,
        "operations": sorted(handlers),
    }
    health = partial(_health, config.clock, facts, metrics)
    return AwsOverlay(
        handlers=handlers,
        policy=read_policy(),
        applying=read_policy().and_also(read_policy(APPLY_POLICY_FILE)),
        faults=faults,
        control=Control(faults=faults, health=health),
        clock=config.clock,
        pause=pause,
        changed=partial(_look, billing.account, off_hours),
    )


def _look(*observers: AccountReader | OffHours) -> None:
    for observer in observers:
        observer.look()


def _replay_end(config: EmbeddedAwsConfig) -> datetime | None:
    if config.replay_ends == "recorded":
        return None
    return replay_end(config.replay_ends, now=config.clock())


def _history(config: EmbeddedAwsConfig, end: datetime | None) -> tuple[pd.DataFrame, str]:
    if config.spot_history == SIMULATED:
        return _simulated(config, end), f"simulated, seed {config.seed}"
    path = Path(config.spot_history or SHIPPED_HISTORY)
    recorded = read_spot_history(path)
    return recorded if end is None else shift_to_end(recorded, end=end), f"recorded, {path.name}"


def _simulated(config: EmbeddedAwsConfig, end: datetime | None) -> pd.DataFrame:
    # Brings SciPy, which a recording does not need.
    from tasks.domain.spot.simulator import simulate_price_changes

    now = config.clock().replace(minute=0, second=0, microsecond=0)
    # A simulation has no recorded end: unless told where to stop, it goes on for two weeks.
    last = now + SIMULATED_FUTURE if end is None or config.replay_ends == "now" else end
    return simulate_price_changes(
        pools=synthetic_pools(SIMULATED_POOLS, regions=SIMULATED_REGIONS),
        start=min(now, last) - SIMULATED_SPAN,
        end=last,
        seed=config.seed,
        on_demand_prices={name: kind.usd_per_hour for name, kind in on_demand_types().items()},
    )


def _load_metrics(config: EmbeddedAwsConfig, store: MetricStore, end: datetime | None) -> None:
    if config.metrics is None:
        return
    frame = read_cpu_metrics(config.metrics)
    load_cpu_metrics(
        store, frame if end is None else shift_to_end(frame, end=end), region="us-east-1"
    )


def _fleet(config: EmbeddedAwsConfig) -> Fleet | None:
    return read_fleet(config.fleet, now=config.clock(), end=_replay_end(config), seed=config.seed)


def _fill(fleet: Fleet, metrics: MetricStore) -> None:
    # Brings moto's models of EC2, a second, which an empty account does without until asked.
    from deployments.embedded.aws.fleet.account import fill_account

    fill_account(fleet, metrics)


def _commitments(config: EmbeddedAwsConfig) -> EmbeddedCommitments:
    if config.commitments is not None:
        return config.commitments
    return EmbeddedCommitments() if config.fleet == NONE else small_plan(config.clock())


def _handlers(
    regions: Mapping[str, RegionHistory],
    metrics: MetricStore,
    clock: Callable[[], datetime],
    off_hours: OffHours,
) -> dict[str, Handler]:
    reads = MetricReads(metrics, clock=clock, reported=off_hours.reported)
    return {
        "autoscaling:GetPredictiveScalingForecast": ScalingForecasts(metrics, clock=clock).describe,
        "ec2:DescribeSpotPriceHistory": SpotPriceHistory(regions, clock=clock).describe,
        "ec2:GetSpotPlacementScores": PlacementScores(regions, clock=clock).describe,
        "ec2:DescribeInstances": describe_instances,
        "ec2:DescribeVolumes": describe_volumes,
        "ec2:DescribeInstanceTypes": describe_instance_types,
        "pricing:DescribeServices": describe_services,
        "pricing:GetProducts": get_products,
        "cloudwatch:GetMetricData": reads.get_metric_data,
        "cloudwatch:GetMetricStatistics": reads.get_metric_statistics,
        "cloudwatch:ListMetrics": reads.list_metrics,
        "cloudwatch:PutMetricData": partial(put_metric_data, store=metrics, clock=clock),
        "sts:GetCallerIdentity": _caller_identity,
    }


def _changes(
    metrics: MetricStore, clock: Callable[[], datetime], *, refresh_takes: timedelta
) -> dict[str, Handler]:
    groups, instances = GroupChanges(), InstanceChanges(metrics, clock=clock)
    refreshes = InstanceRefreshes(metrics, clock=clock, takes=refresh_takes)
    return {
        "apigatewayv2:UpdateStage": update_stage,
        "autoscaling:CancelInstanceRefresh": refreshes.cancel,
        "autoscaling:CreateAutoScalingGroup": groups.create,
        "autoscaling:DescribeAutoScalingGroups": describe_groups,
        "autoscaling:DescribeInstanceRefreshes": refreshes.describe,
        "autoscaling:SetDesiredCapacity": groups.set_desired,
        "autoscaling:StartInstanceRefresh": refreshes.start,
        "autoscaling:UpdateAutoScalingGroup": groups.update,
        "ec2:DescribeLaunchTemplates": describe_templates,
        "ec2:ModifyInstanceAttribute": instances.modify_attribute,
        "ec2:MonitorInstances": instances.monitor,
        "ec2:UnmonitorInstances": instances.unmonitor,
    }


def _caller_identity(call: object, parameters: object) -> dict[str, Any]:
    del call, parameters
    return {"UserId": "AIDAHOMEOSTATEMBEDDED", "Account": ACCOUNT, "Arn": USER}


def _facts(changes: pd.DataFrame, source: str) -> dict[str, Any]:
    pools = changes[["availability_zone", "instance_type", "product_description"]]
    return {
        "rows": len(changes),
        "pools": len(pools.drop_duplicates()),
        "first": changes["timestamp"].min().isoformat(),
        "last": changes["timestamp"].max().isoformat(),
        "source": source,
    }


def _health(
    clock: Callable[[], datetime], facts: Mapping[str, Any], metrics: MetricStore
) -> dict[str, Any]:
    now = clock().isoformat()
    return {"status": "ok", "now": now, **facts, "metric_series": len(metrics)}
