"""What is measured after a change: series of the fleet go on, on what there is from then on.

A fleet's series are written until the replay ends, whatever happens; these rewrite what is to come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from deployments.embedded.aws.metric_store import Columns, MetricKey, MetricStore
from deployments.embedded.aws.price_list import OnDemandType

_FOREVER = 2**62
_PERCENT = np.float32(100.0)


def scale_use(
    store: MetricStore,
    region: str,
    instance: str,
    *,
    before: OnDemandType,
    after: OnDemandType,
    now: int,
) -> None:
    """Make an instance of another type as busy as its work makes it: half the processors, twice the use.

    Args:
        store: Where its series are.
        region: The instance's.
        instance: Its id.
        before: Its type until now.
        after: Its type from now on.
        now: Seconds since 1970.
    """
    for name, factor in (
        ("CPUUtilization", before.vcpu / after.vcpu),
        ("mem_used_percent", before.memory_gib / after.memory_gib),
    ):
        for key in store.keys(region=region, name=name, dimensions={"InstanceId": instance}):
            _from(store, key, now, partial(_times, factor=factor))


def hand_over(store: MetricStore, region: str, *, old: str, new: str, now: int) -> None:
    """Let an instance report from now on what the one that it replaces would have reported.

    Args:
        store: Where the series are.
        region: Of both.
        old: Id of the one that goes.
        new: Id of the one that comes.
        now: Seconds since 1970.
    """
    for key in store.keys(region=region, dimensions={"InstanceId": old}):
        dimensions = tuple(
            sorted((name, new if name == "InstanceId" else value) for name, value in key.dimensions)
        )
        points = store.read(key)
        to_come = points.between(now, _FOREVER)
        if not len(to_come.seconds):
            continue  # nothing is known of what was to come
        store.load_columns(replace(key, dimensions=dimensions), to_come)
        store.rewrite(key, points.outside(now, _FOREVER))


def _from(
    store: MetricStore, key: MetricKey, now: int, change: Callable[[Columns], Columns]
) -> None:
    points = store.read(key)
    past, to_come = points.outside(now, _FOREVER), points.between(now, _FOREVER)
    changed = change(to_come)
    store.rewrite(
        key,
        Columns(
            seconds=np.concatenate([past.seconds, changed.seconds]),
            total=np.concatenate([past.total, changed.total]),
            count=np.concatenate([past.count, changed.count]),
            low=np.concatenate([past.low, changed.low]),
            high=np.concatenate([past.high, changed.high]),
        ),
    )


def _times(points: Columns, factor: float) -> Columns:
    by = np.float32(factor)
    return replace(
        points,
        total=np.minimum(points.total * by, points.count * _PERCENT),
        low=np.minimum(points.low * by, _PERCENT),
        high=np.minimum(points.high * by, _PERCENT),
    )
