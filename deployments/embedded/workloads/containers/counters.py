"""Counters that only rise, as cAdvisor and programs' own metrics have them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats, Ints
from deployments.embedded.workloads.physics.cores import PERIOD_SECONDS
from deployments.embedded.workloads.physics.queueing import BUCKETS_SECONDS, latency_buckets
from deployments.embedded.workloads.physics.state import Answer, Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Totals, one row for each pod.

    All but the network's are of the process or its cgroup: they begin at zero with each restart, as
    a reader of rates has to expect. The network belongs to the pod.

    Attributes:
        restarts: (R,) that the row counts from.
        cpu_seconds: (R,) container_cpu_usage_seconds_total.
        periods: (R,) container_cpu_cfs_periods_total; only with a limit.
        throttled_periods: (R,) container_cpu_cfs_throttled_periods_total.
        served: (R,) requests answered well.
        failed: (R,) requests not.
        latency_seconds: (R,) sum over answered requests.
        latency_buckets: (R, B) answered requests within each of `BUCKETS_SECONDS`.
        received_bytes: (R,) container_network_receive_bytes_total.
        sent_bytes: (R,) container_network_transmit_bytes_total.
    """

    restarts: Ints
    cpu_seconds: Floats
    periods: Floats
    throttled_periods: Floats
    served: Floats
    failed: Floats
    latency_seconds: Floats
    latency_buckets: Floats
    received_bytes: Floats
    sent_bytes: Floats

    def realigned(self, rows: Ints) -> Counters:
        """Return the counters for another list of pods; -1 in `rows` is one that is new."""
        changed = {}
        for entry in fields(self):
            old = getattr(self, entry.name)
            made = np.zeros((len(rows), *old.shape[1:]), dtype=old.dtype)
            made[rows >= 0] = old[rows[rows >= 0]]
            changed[entry.name] = made
        return Counters(**changed)

    def after(self, placement: Placement, answer: Answer, *, step_seconds: float) -> Counters:
        """Return the counters a step later.

        Args:
            placement: Of the step.
            answer: What happened in it.
            step_seconds: Its length.
        """
        same = self.restarts == placement.restarts
        served = answer.served_rps * step_seconds
        limited = np.isfinite(placement.cpu_limit_cores) & placement.running
        periods = limited * (step_seconds / PERIOD_SECONDS)
        within = latency_buckets(answer.latency_seconds, answer.latency_spread)
        return replace(
            self,
            restarts=placement.restarts,
            cpu_seconds=self.cpu_seconds * same + answer.cpu_cores * step_seconds,
            periods=self.periods * same + periods,
            throttled_periods=self.throttled_periods * same + periods * answer.throttled_fraction,
            served=self.served * same + served,
            failed=self.failed * same + answer.failed_rps * step_seconds,
            latency_seconds=self.latency_seconds * same + served * answer.latency_seconds,
            latency_buckets=self.latency_buckets * same[:, None] + served[:, None] * within,
            received_bytes=self.received_bytes + answer.network_in_bytes * step_seconds,
            sent_bytes=self.sent_bytes + answer.network_out_bytes * step_seconds,
        )


def new_counters(count: int) -> Counters:
    """Return counters at zero for so many pods."""
    names = [entry.name for entry in fields(Counters)]
    plain = {name: np.zeros(count) for name in names if name not in ("restarts", "latency_buckets")}
    return Counters(
        restarts=np.zeros(count, dtype=np.int64),
        latency_buckets=np.zeros((count, len(BUCKETS_SECONDS))),
        **plain,
    )
