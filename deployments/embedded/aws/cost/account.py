"""Reads what is billed from moto's backends and from the metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from deployments.embedded.aws.commitments import EmbeddedPlan
from deployments.embedded.aws.cost.ledger import Ledger
from deployments.embedded.aws.cost.lines import BALANCING, EC2_OTHER, FUNCTIONS
from deployments.embedded.aws.cost.measured import DailyMetrics, noon_prices
from deployments.embedded.aws.cost.snapshot import (
    AccountSnapshot,
    BilledHourly,
    BilledInstance,
    BilledUse,
    BilledVolume,
    DaySeries,
    Tags,
)
from deployments.embedded.aws.cost.table import TRANSFER, first_day_of
from deployments.embedded.aws.function_prices import USD_PER_GB_SECOND, USD_PER_REQUEST
from deployments.embedded.aws.metric_store import MetricKey, MetricStore
from deployments.embedded.aws.policy import ACCOUNT
from deployments.embedded.aws.price_list import REGIONS, USAGE_PREFIX
from deployments.embedded.aws.spot_index import RegionHistory

INTERNET_SHARE = 0.1
"""Of what instances send, assumed to leave AWS; the rest stays in its region, without charge."""

USD_PER_GB_OUT = 0.09
"""To the internet, first 10 TB of a month, us-east-1; its free 100 GB are left out."""

USD_PER_BALANCER_HOUR = 0.0225
"""Of an application load balancer; its capacity units are left out."""

LONGEST_STOPPED = timedelta(days=30)
"""How long what was stopped when the account was opened is taken to have been stopped."""

GROUP_TAG = "aws:autoscaling:groupName"
_NETWORK_OUT = ("AWS/EC2", "NetworkOut", "InstanceId")
_INVOCATIONS = ("AWS/Lambda", "Invocations", "FunctionName")
_DURATION = ("AWS/Lambda", "Duration", "FunctionName")
_GROUPS = ("AWS/AutoScaling", "GroupInServiceInstances")
_BYTES_PER_GB = 1024.0**3


class AccountReader:
    """Takes snapshots of the account.

    Args:
        metrics: What was measured.
        spot: Price history by region.
        plans: Gives the Savings Plans that are held.
        clock: Now, aware; when the reader is made, the account is opened.
    """

    def __init__(
        self,
        *,
        metrics: MetricStore,
        spot: Mapping[str, RegionHistory],
        plans: Callable[[], tuple[EmbeddedPlan, ...]],
        clock: Callable[[], datetime],
    ) -> None:
        self._daily = DailyMetrics(metrics, clock=clock)
        self._spot = spot
        self._plans = plans
        self._clock = clock
        self._opened_at = clock()
        # moto stamps what it does by the machine's clock, which a test's need not follow.
        self._machine_opened_at = datetime.now(UTC)
        self._ledger = Ledger()
        self._lock = threading.Lock()

    def look(self) -> None:
        """Note what has changed, so that it is billed from now on and not from the next question."""
        with self._lock:
            self._seen(self._backends())

    def snapshot(self) -> AccountSnapshot:
        """Return the account as it is now, and what was billed before."""
        with self._lock:
            backends = self._backends()
            instances, volumes = self._seen(backends)
        regions = [region for region, _ in backends]
        return AccountSnapshot(
            opened_at=self._opened_at,
            instances=tuple(instances),
            volumes=tuple(volumes),
            hourly=tuple(self._balancers(regions)),
            uses=(*self._transfers(instances), *self._functions(regions)),
            in_service=dict(self._in_service(regions)),
            spot_usd=self._spot_prices(instances),
            plans=self._plans(),
        )

    def _backends(self) -> list[tuple[str, Any]]:
        # A second: only when somebody asks.
        from moto.ec2.models import ec2_backends

        of_account = ec2_backends[ACCOUNT]
        return [(region, of_account[region]) for region in REGIONS if region in list(of_account)]

    def _seen(
        self, backends: list[tuple[str, Any]]
    ) -> tuple[list[BilledInstance], list[BilledVolume]]:
        now = self._clock()
        instances = (
            self._instance(region, one)
            for region, backend in backends
            for reservation in list(backend.reservations.values())
            for one in list(reservation.instances)
        )
        volumes = (
            self._volume(region, one)
            for region, backend in backends
            for one in list(backend.volumes.values())
        )
        return self._ledger.instances(instances, now=now), self._ledger.volumes(volumes, now=now)

    def _instance(self, region: str, one: Any) -> BilledInstance:
        tags = dict(one.ec2_backend.tags.get(one.id, {}))
        launched_at = self._on_our_clock(_aware(one.launch_time))
        return BilledInstance(
            identity=str(one.id),
            region=region,
            zone=str(one.availability_zone),
            instance_type=str(one.instance_type),
            product="Windows" if one.platform == "windows" else "Linux/UNIX",
            spot=one.lifecycle == "spot",
            launched_at=launched_at,
            # When it ended is what the ledger notes, but for what was stopped from the start.
            ended_at=None
            if one.state == "running"
            else max(launched_at, self._opened_at - LONGEST_STOPPED),
            group=tags.get(GROUP_TAG),
            tags=_allocation_tags(tags),
        )

    def _on_our_clock(self, at: datetime) -> datetime:
        """Return when something happened by the account's clock, which may be set and moved."""
        if at < self._machine_opened_at:
            return at
        return max(self._opened_at, self._clock() - (datetime.now(UTC) - at))

    def _volume(self, region: str, one: Any) -> BilledVolume:
        return BilledVolume(
            identity=str(one.id),
            region=region,
            kind=str(one.volume_type),
            size_gib=float(one.size),
            iops=one.iops,
            mib_per_second=one.throughput,
            created_at=self._on_our_clock(_aware(one.create_time)),
            tags=_allocation_tags(dict(one.ec2_backend.tags.get(one.id, {}))),
        )

    def _balancers(self, regions: list[str]) -> Iterator[BilledHourly]:
        from moto.elbv2.models import elbv2_backends

        for region in regions:
            backend = elbv2_backends[ACCOUNT].get(region)
            for one in list(backend.load_balancers.values()) if backend else ():
                yield BilledHourly(
                    identity=str(one.arn),
                    service=BALANCING,
                    usage_type=f"{USAGE_PREFIX[region]}LoadBalancerUsage",
                    region=region,
                    usd_per_hour=USD_PER_BALANCER_HOUR * REGIONS[region][1],
                    # Made while the account was filled; older than that for all we know.
                    created_at=self._opened_at - LONGEST_STOPPED,
                )

    def _transfers(self, instances: Sequence[BilledInstance]) -> Iterator[BilledUse]:
        # Versions of one instance share its metrics.
        for one in {each.identity: each for each in instances}.values():
            sent = self._daily.sums(_key(one.region, *_NETWORK_OUT, one.identity))
            if sent is None:
                continue
            gigabytes = sent.values * INTERNET_SHARE / _BYTES_PER_GB
            yield BilledUse(
                identity=one.identity,
                service=EC2_OTHER,
                usage_type=f"{USAGE_PREFIX[one.region]}{TRANSFER}",
                region=one.region,
                usd_per_unit=USD_PER_GB_OUT * REGIONS[one.region][1],
                quantity=DaySeries(first=sent.first, values=gigabytes),
                unit="GB",
                tags=one.tags,
            )

    def _functions(self, regions: list[str]) -> Iterator[BilledUse]:
        from moto.awslambda.models import lambda_backends

        for region in regions:
            backend = lambda_backends[ACCOUNT].get(region)
            for one in list(backend.list_functions()) if backend else ():
                yield from self._function(region, one)

    def _function(self, region: str, one: Any) -> Iterator[BilledUse]:
        name, architecture = str(one.function_name), one.architectures[0]
        calls = self._daily.sums(_key(region, *_INVOCATIONS, name))
        took = self._daily.means(_key(region, *_DURATION, name))
        if calls is None or took is None:
            return
        seconds = calls.values * np.nan_to_num(took.on(calls.first, len(calls.values))) / 1000.0
        gib_seconds = seconds * one.memory_size / 1024.0
        usd_per_second = USD_PER_GB_SECOND[architecture][0][1]
        ending = "-ARM" if architecture == "arm64" else ""
        for usage, quantity, usd, unit in (
            (f"Request{ending}", calls.values, USD_PER_REQUEST, "Requests"),
            (f"Lambda-GB-Second{ending}", gib_seconds, usd_per_second, "Lambda-GB-Second"),
        ):
            yield BilledUse(
                identity=name,
                service=FUNCTIONS,
                usage_type=f"{USAGE_PREFIX[region]}{usage}",
                region=region,
                usd_per_unit=usd,
                quantity=DaySeries(first=calls.first, values=quantity),
                unit=unit,
                tags=_allocation_tags(one.tags),
            )

    def _in_service(self, regions: list[str]) -> Iterator[tuple[tuple[str, str], DaySeries]]:
        for region in regions:
            for key in self._daily.keys(region=region, namespace=_GROUPS[0], name=_GROUPS[1]):
                series = self._daily.means(key)
                if series is not None:
                    yield (region, key.dimensions[0][1]), series

    def _spot_prices(
        self, instances: Sequence[BilledInstance]
    ) -> dict[tuple[str, str, str], DaySeries]:
        wanted = {
            (one.region, (one.zone, one.instance_type, one.product))
            for one in instances
            if one.spot and one.region in self._spot
        }
        now = self._clock()
        days = range(first_day_of(now).toordinal(), now.date().toordinal() + 1)
        return {pool: noon_prices(self._spot[region], pool, days) for region, pool in wanted}


def _key(region: str, namespace: str, name: str, dimension: str, value: str) -> MetricKey:
    return MetricKey(
        region=region, namespace=namespace, name=name, dimensions=((dimension, value),)
    )


def _allocation_tags(tags: Mapping[str, str]) -> Tags:
    # Names differ on everything and AWS's own are not activated: nobody allocates cost by them.
    kept = {
        key: value for key, value in tags.items() if key != "Name" and not key.startswith("aws:")
    }
    return tuple(sorted(kept.items()))


def _aware(at: Any) -> datetime:
    found = datetime.fromisoformat(at.replace("Z", "+00:00")) if isinstance(at, str) else at
    aware: datetime = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware
