"""What metrics say of workloads, pods and nodes: one query for each figure, whatever their number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from tasks.adapters.prometheus import PrometheusClient, Samples
from tasks.domain.healing.symptoms import ill_pods
from tasks.domain.healing.view import ClusterView, NodeView, PodWork, Work, WorkloadView

RATE = "2m"
USUAL, USUAL_ENDS = "1h", "10m"
"""The hour that is compared with, which ended before what is looked at began."""
HISTORY, HISTORY_STEP = timedelta(minutes=30), timedelta(seconds=15)
MOST_IN_PATTERN = 200
"""Pods that one query for histories names."""

Place = tuple[str, str]
"""Namespace and pod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMetrics:
    """How programs name what they serve; by default as most middlewares do.

    Attributes:
        requests: Counter of requests.
        failed: Matchers of those that failed.
        duration: Histogram of seconds, without its suffix.
    """

    requests: str = "http_requests_total"
    failed: str = 'code=~"5.."'
    duration: str = "http_request_duration_seconds"


HTTP = RequestMetrics()
QUEUE = RequestMetrics(
    requests="messages_processed_total",
    failed='outcome="error"',
    duration="message_duration_seconds",
)


def queries(kinds: Iterable[RequestMetrics] = (HTTP, QUEUE)) -> dict[str, str]:
    """Return every query of a cycle by the name of its figure."""
    those = tuple(kinds)
    found = {
        "cpu": _by_pod(f'rate(container_cpu_usage_seconds_total{{container!=""}}[{RATE}])'),
        "throttled": _by_pod(f"rate(container_cpu_cfs_throttled_periods_total[{RATE}])")
        + " / "
        + _by_pod(f"rate(container_cpu_cfs_periods_total[{RATE}])"),
        "memory": _by_pod('container_memory_working_set_bytes{container!=""}'),
        "sent": _by_pod(f"rate(container_network_transmit_bytes_total[{RATE}])"),
        "answers": 'max by (namespace, pod) (up{pod!=""})',
        "nodes": 'max by (node) (up{job="kubelet"})',
    }
    for name, window in (("", f"[{RATE}]"), ("usual_", f"[{USUAL}] offset {USUAL_ENDS}")):
        asked = [_requests(one, window) for one in those]
        found[f"{name}rps"] = " or ".join(one[0] for one in asked)
        found[f"{name}errors"] = " or ".join(one[1] for one in asked)
        found[f"{name}latency"] = " or ".join(one[2] for one in asked)
    return found


def _by_pod(what: str) -> str:
    return f"sum by (namespace, pod) ({what})"


def _requests(one: RequestMetrics, window: str) -> tuple[str, str, str]:
    buckets = f"sum by (namespace, job, le) (rate({one.duration}_bucket{window}))"
    return (
        f"sum by (namespace, job, pod) (rate({one.requests}{window}))",
        f"sum by (namespace, job, pod) (rate({one.requests}{{{one.failed}}}{window}))",
        f"histogram_quantile(0.95, {buckets})",
    )


def with_metrics(view: ClusterView, prometheus: PrometheusClient) -> ClusterView:
    """Return the view with what metrics say at its time.

    Args:
        view: Of the cluster.
        prometheus: That watches it.

    Raises:
        InfraError: Prometheus does not answer, or refuses a query.
    """
    at = datetime.fromtimestamp(view.now_seconds, tz=UTC)
    found = {name: prometheus.instant(query, at=at) for name, query in queries().items()}
    histories = _histories(view, prometheus, at)
    figures = {name: _by_place(found[name]) for name in _POD_FIGURES}
    jobs = _jobs(found["rps"]) | _jobs(found["usual_rps"])
    workloads = {
        key: _with_work(one, figures, histories, _work(one, found, jobs))
        for key, one in view.workloads.items()
    }
    return replace(view, workloads=workloads, nodes=_nodes(view, found, figures["answers"]))


_POD_FIGURES = ("cpu", "throttled", "memory", "sent", "answers", "rps", "errors")


def _by_place(samples: Samples) -> dict[Place, float]:
    return {
        (labels.get("namespace", ""), labels.get("pod", "")): float(value)
        for labels, value in zip(samples.labels, samples.values[:, -1], strict=True)
        if np.isfinite(value)
    }


def _jobs(samples: Samples) -> dict[Place, str]:
    return {
        (labels.get("namespace", ""), labels.get("pod", "")): labels.get("job", "")
        for labels in samples.labels
    }


def _with_work(
    workload: WorkloadView,
    figures: Mapping[str, Mapping[Place, float]],
    histories: Mapping[Place, tuple[np.ndarray, np.ndarray]],
    work: Work,
) -> WorkloadView:
    pods: dict[str, PodWork] = {}
    for pod in workload.pods:
        place = workload.namespace, pod.name
        times, values = histories.get(place, (None, None))
        answers = figures["answers"].get(place)
        pods[pod.name] = PodWork(
            cpu_cores=figures["cpu"].get(place),
            throttled_share=figures["throttled"].get(place),
            memory_bytes=figures["memory"].get(place),
            memory_times=times,
            memory_values=values,
            rps=figures["rps"].get(place),
            sent_bytes=figures["sent"].get(place),
            answers=None if answers is None else answers > 0.0,
        )
    return replace(workload, work=work, pod_work=pods)


def _work(workload: WorkloadView, found: Mapping[str, Samples], jobs: Mapping[Place, str]) -> Work:
    """Return the figures of a workload; those of the usual hour are of pods that may be gone."""
    names = {jobs[place] for place in _places(workload) if place in jobs}
    if not names:
        return Work()
    rps, errors, usual_rps, usual_errors = (
        _total(found[name], workload.namespace, names)
        for name in ("rps", "errors", "usual_rps", "usual_errors")
    )
    latency, usual = (
        _total(found[name], workload.namespace, names) for name in ("latency", "usual_latency")
    )
    return Work(
        rps=rps,
        error_share=_share(errors, rps),
        latency_p95_seconds=latency,
        usual_rps=usual_rps,
        usual_error_share=_share(usual_errors, usual_rps),
        usual_latency_p95_seconds=usual,
    )


def _places(workload: WorkloadView) -> list[Place]:
    return [(workload.namespace, pod.name) for pod in workload.pods]


def _total(samples: Samples, namespace: str, jobs: set[str]) -> float | None:
    values = [
        float(value)
        for labels, value in zip(samples.labels, samples.values[:, -1], strict=True)
        if labels.get("namespace") == namespace and labels.get("job") in jobs and np.isfinite(value)
    ]
    return sum(values) if values else None


def _share(part: float | None, whole: float | None) -> float | None:
    if not whole:
        return None
    return min((part or 0.0) / whole, 1.0)


def _nodes(
    view: ClusterView, found: Mapping[str, Samples], answers: Mapping[Place, float]
) -> dict[str, NodeView]:
    scraped = {
        labels.get("node", ""): bool(value > 0.0)
        for labels, value in zip(found["nodes"].labels, found["nodes"].values[:, -1], strict=True)
    }
    on: dict[str, list[float]] = {}
    for workload in view.workloads.values():
        for pod in workload.pods:
            place = workload.namespace, pod.name
            if pod.node and place in answers:
                on.setdefault(pod.node, []).append(answers[place])
    return {
        name: replace(
            node,
            scraped=scraped.get(name),
            pods_answer=float(np.mean(on[name])) if name in on else None,
        )
        for name, node in view.nodes.items()
    }


def _histories(
    view: ClusterView, prometheus: PrometheusClient, at: datetime
) -> dict[Place, tuple[np.ndarray, np.ndarray]]:
    """Return memory of pods that are ill, since their process before this one began or for half an hour."""
    ill = sorted(
        (one.namespace, pod.name)
        for one in view.workloads.values()
        for pod in ill_pods(one, now=view.now_seconds)
    )
    found: dict[Place, tuple[np.ndarray, np.ndarray]] = {}
    for first in range(0, len(ill), MOST_IN_PATTERN):
        # Names of pods have nothing but dots that a pattern would read otherwise.
        names = "|".join(name for _, name in ill[first : first + MOST_IN_PATTERN])
        query = _by_pod(f'container_memory_working_set_bytes{{container!="",pod=~"{names}"}}')
        samples = prometheus.range(query, start=at - HISTORY, end=at, step=HISTORY_STEP)
        for labels, values in zip(samples.labels, samples.values, strict=True):
            place = labels.get("namespace", ""), labels.get("pod", "")
            found[place] = _last_life(samples.times, values)
    return found


def _last_life(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return memory of the longest life of late: it falls when a process ends."""
    known = np.isfinite(values)
    times, values = times[known], values[known]
    drops = np.flatnonzero(values[1:] < 0.6 * values[:-1]) + 1
    lives = np.split(np.arange(len(values)), drops)
    longest = max(lives[-2:], key=len)
    return times[longest], values[longest]
