"""Metrics from Prometheus: instant and range queries over its HTTP API, as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlencode

import httpx
import numpy as np

from blocks.cluster import PrometheusServer
from tasks.domain.arrays import FloatArray
from tasks.domain.errors import PermanentError, TransientError

MOST_POINTS = 11_000
"""Of one series in one answer; the server refuses more."""
LONGEST_IN_URL = 1500
"""Characters of a query that is sent in the address; longer ones are posted, as servers and proxies ask."""
FORM = "application/x-www-form-urlencoded"
PARTIAL = "the server says that its answer is partial"


class PrometheusUnreachableError(TransientError):
    """The server does not answer, is starting, or took too long."""


class QueryRefusedError(PermanentError):
    """The server cannot answer the query.

    Attributes:
        kind: In Prometheus' words, for example bad_data.
    """

    def __init__(self, message: str, *, kind: str) -> None:
        self.kind = kind
        super().__init__(message)


def client_of(server: PrometheusServer) -> PrometheusClient:
    """Return a client for a server; close it, or use it as a context."""
    return PrometheusClient(
        str(server.url),
        headers=server.all_headers(),
        login=server.login(),
        timeout_seconds=server.timeout_seconds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Series on one grid.

    Attributes:
        labels: (n,) of each series.
        times: (steps,) seconds since 1970.
        values: (n, steps); NaN where the series has no sample.
        warnings: Why something may be missing, in the server's words; empty where the answer is whole.
    """

    labels: tuple[Mapping[str, str], ...]
    times: FloatArray
    values: FloatArray
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


class PrometheusClient:
    """Asks one server.

    Args:
        url: Of the server, without /api.
        headers: Sent with each request.
        login: User and password.
        timeout_seconds: Of one request.
        transport: Of httpx, for tests.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        login: tuple[str, str] | None = None,
        timeout_seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            headers=dict(headers or {}),
            auth=login,
            timeout=timeout_seconds,
            transport=transport,
        )
        self.queries = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def instant(self, query: str, *, at: datetime | None = None) -> Samples:
        """Return the value of each series at one instant, now by default.

        Raises:
            QueryRefusedError: The query is no PromQL, or answers with a text or with native histograms.
            PrometheusUnreachableError: Nobody answers.
        """
        said = {"query": query} | ({} if at is None else {"time": f"{at.timestamp():.3f}"})
        answer = self._ask("/query", said)
        rows = _rows(answer.data, "value")
        when = at or datetime.now(UTC)
        pairs = [one["value"] for one in rows]
        times = np.array([float(pairs[0][0]) if pairs else when.timestamp()])
        values = np.array([[float(value)] for _, value in pairs]).reshape(len(rows), 1)
        labels = tuple(one["metric"] for one in rows)
        return Samples(labels=labels, times=times, values=values, warnings=answer.warnings)

    def range(self, query: str, *, start: datetime, end: datetime, step: timedelta) -> Samples:
        """Return each series from start to end, both included, on a grid of steps.

        Asked for in as many pieces as the server's limit of points asks for.

        Raises:
            QueryRefusedError: The query is no PromQL, answers with native histograms, or the grid is empty.
            PrometheusUnreachableError: Nobody answers.
        """
        seconds = step.total_seconds()
        if seconds <= 0.0 or end < start:
            msg = f"from {start} to {end} in steps of {step} is no grid; give a later end and a step above 0"
            raise QueryRefusedError(msg, kind="bad_data")
        count = math.floor((end - start) / step + 1e-9) + 1
        grid: FloatArray = start.timestamp() + seconds * np.arange(count, dtype=np.float64)
        found: dict[tuple[tuple[str, str], ...], FloatArray] = {}
        warnings: dict[str, None] = {}
        for first in range(0, count, MOST_POINTS):
            part = grid[first : first + MOST_POINTS]
            said = {
                "query": query,
                "start": f"{part[0]:.3f}",
                "end": f"{part[-1]:.3f}",
                "step": f"{seconds:.3f}",
            }
            answer = self._ask("/query_range", said)
            warnings |= dict.fromkeys(answer.warnings)
            for one in _rows(answer.data, "values"):
                key = tuple(sorted(one["metric"].items()))
                values = found.setdefault(key, np.full(count, np.nan))
                _fill(values, one["values"], begin=float(grid[0]), step=seconds)
        return Samples(
            labels=tuple(dict(key) for key in found),
            times=grid,
            values=np.array(list(found.values())).reshape(len(found), count),
            warnings=tuple(warnings),
        )

    def series(
        self, matchers: Sequence[str], *, start: datetime, end: datetime
    ) -> list[dict[str, str]]:
        """Return the labels of every series that fits one of the matchers in a time."""
        said = [("match[]", one) for one in matchers]
        said += [("start", f"{start.timestamp():.3f}"), ("end", f"{end.timestamp():.3f}")]
        found: list[dict[str, str]] = self._ask("/series", said).data
        return found

    def label_values(self, label: str) -> list[str]:
        """Return every value of a label."""
        found: list[str] = self._ask(f"/label/{label}/values", {}).data
        return found

    def _ask(self, path: str, said: Mapping[str, str] | list[tuple[str, str]]) -> _Answer:
        pairs = list(said.items() if isinstance(said, Mapping) else said)
        self.queries += 1
        try:
            if sum(len(value) for _, value in pairs) > LONGEST_IN_URL:
                # Pairs, not a mapping: a name such as match[] comes as often as there are matchers.
                headers = {"Content-Type": FORM}
                answer = self._http.post(path, content=urlencode(pairs), headers=headers)
            else:
                answer = self._http.get(path, params=[*pairs])
        except httpx.HTTPError as error:
            msg = f"Prometheus at {self._http.base_url} does not answer: {str(error) or type(error).__name__}"
            raise PrometheusUnreachableError(msg) from error
        return self._told(answer)

    def _told(self, answer: httpx.Response) -> _Answer:
        try:
            found = answer.json()
        except ValueError:
            found = {}
        if answer.is_success and found.get("status") == "success":
            return _Answer(data=found["data"], warnings=_warnings(found))
        kind = found.get("errorType", "")
        said = found.get("error") or answer.text[:200] or answer.reason_phrase
        message = f"Prometheus refused {answer.request.url.path} ({answer.status_code}): {said}"
        # A query that takes too long is refused with 503 as well; asked again it may be answered.
        if answer.status_code >= 500 or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise PrometheusUnreachableError(message)
        raise QueryRefusedError(message, kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    data: Any
    warnings: tuple[str, ...]


def _warnings(found: Mapping[str, Any]) -> tuple[str, ...]:
    # VictoriaMetrics only sets a flag where Thanos and Prometheus give reasons.
    said = tuple(str(one) for one in found.get("warnings") or ())
    return said or ((PARTIAL,) if found.get("isPartial") else ())


def _rows(data: Any, numbers: str) -> list[Any]:
    """Return the series of an answer; `numbers` is the key of what each must have, and have alone."""
    match data.get("resultType"):
        case "vector" | "matrix":
            rows: list[Any] = list(data["result"])
            for one in rows:
                _refuse_histograms(one, numbers)
            return rows
        case "scalar":
            return [{"metric": {}, "value": data["result"]}]
    msg = f"the query answers with a {data.get('resultType')}, not with series of numbers"
    raise QueryRefusedError(msg, kind="bad_data")


def _refuse_histograms(row: Mapping[str, Any], numbers: str) -> None:
    if "histogram" in row or "histograms" in row or numbers not in row:
        msg = (
            f"the query answers with native histograms of {row.get('metric')}, not with numbers; "
            "ask for histogram_quantile, histogram_count or histogram_sum of them"
        )
        raise QueryRefusedError(msg, kind="bad_data")


def _fill(values: FloatArray, pairs: Sequence[Sequence[Any]], *, begin: float, step: float) -> None:
    times = np.array([float(when) for when, _ in pairs])
    at = np.rint((times - begin) / step).astype(np.int64)
    values[at] = [float(value) for _, value in pairs]
