"""Keeping within a service's quota by waiting before asking, not by being refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Lets requests through no faster than a service takes them. Safe to use from several threads.

    CloudWatch takes 50 GetMetricData requests a second and, where data is older than three hours,
    180,000 data points a second; both for a region of an account, so that whoever else reads
    needs a share of them.

    Args:
        requests_per_second: Above 0.
        datapoints_per_second: Above 0; what is asked for counts, not what is there.
        clock: Seconds that only grow.
        sleep: Waits some seconds.
    """

    def __init__(
        self,
        *,
        requests_per_second: float = 50.0,
        datapoints_per_second: float = 180_000.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._seconds_per_request = 1.0 / requests_per_second
        self._seconds_per_datapoint = 1.0 / datapoints_per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = clock()

    def wait(self, datapoints: int) -> None:
        """Wait until a request for that many data points may be sent."""
        cost = max(self._seconds_per_request, datapoints * self._seconds_per_datapoint)
        with self._lock:
            now = self._clock()
            begin = max(now, self._free_at)
            self._free_at = begin + cost
        if begin > now:
            self._sleep(begin - now)
