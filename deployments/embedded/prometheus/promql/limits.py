"""How long a question may take: asked between pieces of work, for a thread cannot be stopped from without."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

from deployments.embedded.prometheus.promql.values import QueryError

Check = Callable[[], None]
"""Called between pieces of work; raises `QueryTimeoutError` when there should be no more."""


class QueryTimeoutError(QueryError):
    """A question took too long."""

    kind = "timeout"
    status = 503

    def __init__(self) -> None:
        super().__init__("query timed out in expression evaluation")


def unlimited() -> None:
    """Let everything go on."""


def deadline(seconds: float, *, closing: Event) -> Check:
    """Return a check that ends work after a while, or when the server closes.

    Args:
        seconds: From now on, of a clock that no simulation turns.
        closing: Set by the server.
    """
    ends = time.monotonic() + seconds

    def check() -> None:
        if closing.is_set() or time.monotonic() > ends:
            raise QueryTimeoutError

    return check
