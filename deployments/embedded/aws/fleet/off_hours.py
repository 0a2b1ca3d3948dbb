"""When instances did not run: what is stopped through the API reports nothing from then on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from deployments.embedded.aws.metric_store import Columns, MetricKey
from deployments.embedded.aws.policy import ACCOUNT

_FOREVER = 2**62
Span = tuple[int, int]
"""From, included, to, excluded; seconds since 1970."""


class OffHours:
    """Notes who is stopped and who runs whenever something changed. Safe to use from threads.

    Series of a fleet go on until the replay ends, whatever happens to the instance: this takes
    out what an instance that is off cannot have reported.

    Args:
        clock: Now, aware.
    """

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._spans: dict[str, list[Span]] = {}

    def look(self) -> None:
        """Note what runs now."""
        # A second, and loaded already where something has changed.
        from moto.ec2.models import ec2_backends

        now = int(self._clock().timestamp())
        running = {
            str(one.id): one.state == "running"
            for backend in list(ec2_backends[ACCOUNT].values())
            for reservation in list(backend.reservations.values())
            for one in list(reservation.instances)
        }
        with self._lock:
            for identity, runs in running.items():
                self._note(identity, runs, now)

    def _note(self, identity: str, runs: bool, now: int) -> None:
        spans = self._spans.get(identity, [])
        is_off = bool(spans) and spans[-1][1] == _FOREVER
        if runs and is_off:
            spans[-1] = (spans[-1][0], now)
        elif not runs and not is_off:
            self._spans[identity] = [*spans, (now, _FOREVER)]

    def reported(self, key: MetricKey, points: Columns) -> Columns:
        """Return the points of a series that its instance can have reported."""
        dimensions = dict(key.dimensions)
        with self._lock:
            spans = tuple(self._spans.get(dimensions.get("InstanceId", ""), ()))
        for start, end in spans:
            points = points.outside(start, end)
        return points
