"""How much of what machines do is answering the requests of a service."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.domain.arrays import FloatArray
from tasks.domain.inventory import Service
from tasks.domain.savings.evidence import Evidence
from tasks.domain.savings.kinds.predictive import busy_instances
from tasks.domain.savings.machines import Machines
from tasks.domain.usage.panel import Metric

SYSTEM_SHARE = 0.05
"""Of each processor: what a system and its agents use without any request."""
EXPLAINED_SHARE = 0.5
"""Of the processor use above that, that requests have to explain."""


def other_work(service: Service, hosts: Sequence[Machines], evidence: Evidence) -> str | None:
    """Return why its machines do more than answer requests, which functions would not take over.

    A request keeps at most one processor busy while it is answered, so that requests a second
    times seconds are the most processors that they can explain. What machines use above 5 % of
    each processor, hour by hour, has to be explained at least half.

    Args:
        service: Whose requests.
        hosts: Everything that answers for it.
        evidence: Requests, response times and processor use.

    Returns:
        None where the requests explain enough.
    """
    requests = evidence.panel.row(Metric.REQUESTS, service.service_id)
    seconds = evidence.panel.row(Metric.RESPONSE, service.service_id)
    if requests is None or seconds is None:
        return "its requests or their response times are unknown"
    answering = np.where(requests > 0.0, requests.astype(np.float64) * seconds / 3_600.0, 0.0)
    busy = np.zeros(evidence.panel.hours)
    for host in hosts:
        extra = _busy_processors(host, evidence)
        if extra is None:
            return f"the processor use of {host.name} is unknown, so what else it does is too"
        busy = busy + extra
    known = np.isfinite(busy) & np.isfinite(answering) & np.isfinite(requests)
    if not known.any():
        return "requests and processor use are never known in the same hour"
    explained = float(np.minimum(busy, answering)[known].sum())
    total = float(busy[known].sum())
    if explained >= EXPLAINED_SHARE * total:
        return None
    return (
        f"its requests explain {explained / total:.0%} of its processor use above "
        f"{SYSTEM_SHARE:.0%}, {EXPLAINED_SHARE:.0%} are needed: it does other work as well"
    )


def _busy_processors(host: Machines, evidence: Evidence) -> FloatArray | None:
    """Return (hours,) processors in use above what the system takes; None where that is unknown."""
    facts = [evidence.prices.types.get(one.instance_type) for one in host.instances]
    sizes = [one.shape.vcpu for one in facts if one is not None]
    if len(sizes) < len(facts):
        return None
    if host.group is not None:
        busy = busy_instances(host.group, evidence)
        count = evidence.panel.row(Metric.INSTANCES, host.series)
        if isinstance(busy, str) or count is None:
            return None
        return np.maximum(busy - SYSTEM_SHARE * count.astype(np.float64), 0.0) * max(sizes)
    row = evidence.panel.row(Metric.CPU_MEAN, host.series)
    if row is None:
        return None
    return np.maximum(row.astype(np.float64) / 100.0 - SYSTEM_SHARE, 0.0) * max(sizes)
