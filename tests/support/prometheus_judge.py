"""A real Prometheus with known samples, to hold the embedded one against, and what both are asked.

Samples lie at 3 s after multiples of 15 s and questions at multiples of 10 s with ranges that are
multiples of 30 s, so that no sample lies on the edge of a range: releases before 3 take it in.
"""

from __future__ import annotations

import math
import re
import socket
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from deployments.embedded.workloads.physics.arrays import Floats

BEGIN = 1_760_000_400.0
STEP = 15.0
COUNT = 480
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, math.inf)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series.

    Attributes:
        name: Of the metric.
        labels: Others.
        times: (n,) Unix time, rising.
        values: (n,)
    """

    name: str
    labels: Mapping[str, str]
    times: Floats
    values: Floats


def samples() -> list[Series]:
    """Return two hours of a few pods: restarts, gaps, ends, late beginnings and odd numbers."""
    rng = np.random.default_rng(20_261_128)
    grid: Floats = BEGIN + 3.0 + STEP * np.arange(COUNT, dtype=np.float64)
    found: list[Series] = []
    for at in range(5):
        pod = {"namespace": "shop", "pod": f"web-{at}"}
        keep = _kept(at)
        found += _requests(rng, pod, grid, keep)
        found += _durations(rng, pod, grid, keep)
        memory = 2e8 + 1e6 * np.cumsum(rng.normal(size=COUNT))
        resource = pod | {"container": "web"}
        found.append(_of("container_memory_working_set_bytes", resource, grid, memory, keep))
        found.append(
            _of("kube_pod_info", pod | {"node": f"node-{at % 2}"}, grid, np.ones(COUNT), keep)
        )
        limit = np.full(COUNT, 268_435_456.0 + 1e6 * at)
        for kind, size in (("memory", limit), ("cpu", np.full(COUNT, 0.5))):
            labels = resource | {"resource": kind}
            found.append(_of("kube_pod_container_resource_limits", labels, grid, size, keep))
    for at in range(3):
        flaps = (rng.random(COUNT) > 0.1 * at).astype(float)
        labels = {"job": "kubelet", "instance": f"node-{at}:10250"}
        found.append(_of("up", labels, grid, flaps, np.ones(COUNT, dtype=bool)))
    for at, odd in enumerate((math.nan, math.inf, -math.inf)):
        values = np.where(np.arange(COUNT) % 7 == at, odd, np.arange(COUNT) - 200.0)
        found.append(_of("odd", {"kind": f"odd-{at}"}, grid, values, np.ones(COUNT, dtype=bool)))
    return found


def _kept(at: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which samples a pod has: one ends, one begins late, one has gaps."""
    number = np.arange(COUNT)
    rules = {
        1: number < 200,
        2: number >= 160,
        3: ~(((number >= 90) & (number < 106)) | ((number >= 250) & (number < 290))),
    }
    return rules.get(at, np.ones(COUNT, dtype=bool))


def _requests(
    rng: np.random.Generator, pod: Mapping[str, str], grid: Floats, keep: Any
) -> list[Series]:
    found = []
    for code, mean in (("200", 300.0), ("500", 2.0)):
        # Far from zero: how a counter near zero is extended changed between releases.
        total = 50_000.0 + np.cumsum(rng.poisson(mean, COUNT)).astype(float)
        if pod["pod"] == "web-0":
            total[300:] -= total[300] - 40_000.0
        labels = {**pod, "job": "shop/web", "code": code}
        found.append(_of("http_requests_total", labels, grid, total, keep))
    return found


def _durations(
    rng: np.random.Generator, pod: Mapping[str, str], grid: Floats, keep: Any
) -> list[Series]:
    seconds = rng.lognormal(-3.0, 0.8, (COUNT, 60))
    found = []
    for bound in BOUNDS:
        total = 10_000.0 * (bound >= 0.05) + np.cumsum((seconds <= bound).sum(axis=1))
        labels = {**pod, "job": "shop/web", "le": "+Inf" if bound == math.inf else f"{bound:g}"}
        found.append(_of("http_request_duration_seconds_bucket", labels, grid, total, keep))
    return found


def _of(name: str, labels: Mapping[str, str], grid: Floats, values: Floats, keep: Any) -> Series:
    made = np.asarray(values, dtype=float)
    return Series(name=name, labels=dict(labels), times=grid[keep], values=made[keep])


def openmetrics(found: Sequence[Series]) -> str:
    """Return the samples as text that promtool makes blocks of."""
    lines = []
    for one in found:
        labels = ",".join(f'{name}="{value}"' for name, value in one.labels.items())
        lines += [
            f"{one.name}{{{labels}}} {_number(value)} {when:.3f}"
            for when, value in zip(one.times.tolist(), one.values.tolist(), strict=True)
        ]
    return "\n".join([*lines, "# EOF", ""])


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else f"{'+' if value > 0 else '-'}Inf"


@contextmanager
def real_prometheus(prometheus: Path, promtool: Path, folder: Path) -> Iterator[str]:
    """Run a real server over the samples until the block ends; gives its address."""
    text = folder / "samples.txt"
    text.write_text(openmetrics(samples()))
    data = folder / "data"
    backfill = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=720h"]
    subprocess.run([promtool, *backfill, text, data], check=True, capture_output=True, timeout=60.0)
    with prometheus_server(prometheus, folder, "global: {}\n") as url:
        remote_write(url, pausing())
        yield url


@contextmanager
def prometheus_server(prometheus: Path, folder: Path, config: str) -> Iterator[str]:
    """Run a real server until the block ends; gives its address.

    Args:
        prometheus: The program.
        folder: For its files; what is in `data` there it knows.
        config: Text of its configuration.
    """
    file = folder / "prometheus.yml"
    file.write_text(config)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "prometheus.log").open("w")
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [
            prometheus,
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--storage.tsdb.retention.time=50y",
            "--web.enable-remote-write-receiver",
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(20.0)
        log.close()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        try:
            if httpx.get(f"{url}/-/ready", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    msg = f"{url} did not become ready"
    raise AssertionError(msg)


LATER = BEGIN + 10_800.0
"""Of what is written to the server rather than backfilled, which knows no markers of staleness."""
PAUSE = slice(20, 40)
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def pausing() -> list[Series]:
    """Return one series that goes on, and one that ends, begins again, and holds a NaN."""
    grid: Floats = LATER + 3.0 + STEP * np.arange(80, dtype=np.float64)
    steady, other = np.cumsum(np.arange(80.0)), 100.0 + np.arange(80.0) ** 2
    other[60] = math.nan
    keep = np.ones(80, dtype=bool)
    keep[PAUSE] = False
    return [
        _of("going", {"kind": "steady"}, grid, steady, np.ones(80, dtype=bool)),
        _of("going", {"kind": "pausing"}, grid, other, keep),
    ]


def remote_write(url: str, found: Sequence[Series]) -> None:
    """Write samples to a server, with a marker of staleness where a series leaves out a sample."""
    grid = found[0].times
    message = b""
    for one in found:
        values = dict(zip(one.times.tolist(), one.values.tolist(), strict=True))
        labels = sorted((("__name__", one.name), *one.labels.items()))
        body = b"".join(
            _field(1, _field(1, name.encode()) + _field(2, value.encode()))
            for name, value in labels
        )
        told = True
        for when in grid.tolist():
            if when in values or told:
                # struct keeps the bits of the marker, which arithmetic would not.
                number = struct.pack("<d", values.get(when, STALE))
                body += _field(2, b"\x09" + number + b"\x10" + _varint(round(when * 1000)))
            told = when in values
        message += _field(1, body)
    headers = {
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    content = _uncompressed_snappy(message)
    answer = httpx.post(f"{url}/api/v1/write", content=content, headers=headers, trust_env=False)
    assert answer.is_success, answer.text


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _uncompressed_snappy(content: bytes) -> bytes:
    """Return content in snappy's block format, as literals of up to 64 KiB."""
    parts = [content[at : at + 65_536] for at in range(0, len(content), 65_536)]
    literals = [b"\xf4" + struct.pack("<H", len(part) - 1) + part for part in parts]
    return _varint(len(content)) + b"".join(literals)


LATER_RANGE = {"start": f"{LATER:.3f}", "end": f"{LATER + 1500.0:.3f}", "step": "10"}
LATER_QUERIES = (
    "going",
    "count(going)",
    "rate(going[2m])",
    "irate(going[1m])",
    "increase(going[6m])",
    "last_over_time(going[3m])",
    "sum_over_time(going[4m])",
    "count_over_time(going[4m])",
    "max_over_time(going[4m])",
    "changes(going[5m])",
    "quantile_over_time(0.5, going[5m])",
    "timestamp(going)",
    "absent(going{kind='pausing'})",
    "going{kind='steady'} - on () going{kind='pausing'}",
)
"""Asked about series that end and begin again."""
INSTANTS = (BEGIN + 1800.0, BEGIN + 3600.0, BEGIN + 4000.0)
RANGE = {"start": f"{BEGIN + 600.0:.3f}", "end": f"{BEGIN + 7000.0:.3f}", "step": "50"}

_REQUESTS = "http_requests_total"
_MEMORY = "container_memory_working_set_bytes"
_LIMITS = "kube_pod_container_resource_limits"
_BUCKETS = "http_request_duration_seconds_bucket"
LABEL_OF_ANY_NAME = 'label_replace(up, "a-b", "$1", "instance", "(.*)")'
QUERIES = (
    "http_requests_total",
    'http_requests_total{code="200",pod!="web-1"}',
    '{__name__=~"kube_.*", pod=~"web-[02]"}',
    'http_requests_total{pod!~"web-(1|2)", code=~"5.."}',
    'http_requests_total{nothing=""} offset 10m',
    "up offset -2m",
    "rate(http_requests_total[5m])",
    "rate(http_requests_total[2m] offset 7m)",
    "irate(http_requests_total[3m])",
    "increase(http_requests_total[10m])",
    "rate(http_requests_total[30s])",
    "delta(container_memory_working_set_bytes[10m])",
    "avg_over_time(up[10m])",
    "min_over_time(container_memory_working_set_bytes[10m])",
    "max_over_time(odd[2m])",
    "min_over_time(odd[2m])",
    "sum_over_time(up[1h])",
    "count_over_time(up[4m])",
    "last_over_time(http_requests_total[12m])",
    "changes(up[20m])",
    "resets(http_requests_total[20m])",
    "quantile_over_time(0.3, container_memory_working_set_bytes[10m])",
    "quantile_over_time(1.5, up[10m])",
    "deriv(container_memory_working_set_bytes[10m])",
    "predict_linear(container_memory_working_set_bytes[10m], 3600)",
    f"histogram_quantile(0.99, sum by (le) (rate({_BUCKETS}[5m])))",
    f"histogram_quantile(0.5, rate({_BUCKETS}[5m]))",
    f'histogram_quantile(0.9, sum by (le, pod) (rate({_BUCKETS}{{le!="+Inf"}}[5m])))',
    f"histogram_quantile(0.9999, sum by (le, job) (increase({_BUCKETS}[10m])))",
    "sum(rate(http_requests_total[5m]))",
    "sum by (code) (rate(http_requests_total[5m]))",
    "sum without (pod, code) (rate(http_requests_total[5m]))",
    "avg by (pod) (http_requests_total)",
    "max(container_memory_working_set_bytes) by (namespace)",
    "min by (missing) (container_memory_working_set_bytes)",
    "count(up == 1)",
    "count by (job) (up)",
    "max(odd)",
    "sum(odd)",
    "quantile(0.75, container_memory_working_set_bytes)",
    "quantile by (job) (0.1, rate(http_requests_total[5m]))",
    "topk(2, container_memory_working_set_bytes)",
    "bottomk by (container) (1, container_memory_working_set_bytes)",
    f"100 * sum(rate({_REQUESTS}{{code=~'5..'}}[5m])) / sum(rate({_REQUESTS}[5m]))",
    f'{_MEMORY} / on (namespace, pod, container) {_LIMITS}{{resource="memory"}} > 0.7',
    f'{_MEMORY} / ignoring (resource) {_LIMITS}{{resource="memory"}}',
    f"{_MEMORY} * on (namespace, pod) group_left (node) kube_pod_info",
    f"sum by (node) ({_MEMORY} * on (namespace, pod) group_left (node) kube_pod_info)",
    f"kube_pod_info * on (pod) group_right (node) {_LIMITS}",
    f"{_LIMITS} > on (pod) group_left () {_MEMORY}",
    "container_memory_working_set_bytes > 2e8",
    "container_memory_working_set_bytes > bool 2e8",
    "2e8 < container_memory_working_set_bytes",
    "up == bool on (instance) up offset 1m",
    "up != 1",
    "-up + 3 ^ 2 % 4",
    "up - 0.5 * up / 0",
    "odd % 3",
    "kube_pod_info and on (pod) rate(http_requests_total{code='500'}[5m]) > 0.15",
    "kube_pod_info unless on (pod) http_requests_total",
    "http_requests_total{code='500'} or up",
    "up or on (job) http_requests_total",
    "absent(up)",
    'absent(up{job="nobody", instance=~"x.*"})',
    "absent(sum(nobody))",
    "clamp_min(up, 0.5)",
    "clamp_max(container_memory_working_set_bytes, 2.01e8)",
    "clamp(odd, -10, 10)",
    'label_replace(up, "node", "$1", "instance", "(.*):.*")',
    'label_replace(up{instance=~".*-0:.*"}, "instance", "", "job", "kube.*")',
    'label_replace(up, "job", "other", "job", "nothing")',
    "time()",
    "time() - 5",
    "1 + 2 * 3 > bool 4",
    "vector(7)",
    "scalar(sum(up)) * up",
    "scalar(up)",
    "abs(odd)",
    "ceil(rate(http_requests_total[5m]))",
    "floor(-rate(http_requests_total[5m]))",
    "round(container_memory_working_set_bytes / 7, 0.5)",
    "sqrt(container_memory_working_set_bytes)",
    "timestamp(up)",
    "time() - timestamp(http_requests_total)",
    "sum by (code) (increase(http_requests_total[1h]))",
    "stddev_over_time(up[10m])",
    "idelta(container_memory_working_set_bytes[3m])",
    "group by (pod) (up or http_requests_total)",
    "exp(up)",
    "ln(up)",
    "log2(up)",
    "log10(up)",
    "sgn(odd)",
    "count(kube_pod_info) by (node) > 2",
    "avg(odd)",
    "min(odd)",
    "quantile(0.5, odd)",
    "topk(2, odd)",
    "sum(up) or vector(0)",
    "rate(http_requests_total[5m]) > bool 18",
    "clamp(up, 2, 1)",
    "up % 0",
    "up ^ 0.5",
    "histogram_quantile(-1, rate(http_request_duration_seconds_bucket[5m]))",
    "histogram_quantile(2, rate(http_request_duration_seconds_bucket[5m]))",
    "histogram_quantile(0.5, up)",
    "label_replace(kube_pod_info, 'n', '${1}-$0-$$', 'node', 'node-(.*)')",
    "(time() - timestamp(up)) < 9",
    "sum without (instance) (up) / on (job) group_left () count by (job) (up)",
    "avg_over_time(odd[3m])",
    "quantile_over_time(0.5, odd[3m])",
    "changes(odd[3m])",
    "predict_linear(up[10m] offset 5m, 60)",
    "-1 ^ 2",
    "1 / 0",
    "up == up",
    "max_over_time(http_requests_total[1m] offset 3m)",
    "http_requests_total and on () (up == 1)",
    "up * on (instance) group_right () up",
    LABEL_OF_ANY_NAME,
)
"""Both have to answer these alike."""

SINCE = {
    # Infinity at a rank of its own is itself; before, it was multiplied by zero (#19899).
    "quantile(0.5, odd)": (3, 16),
    # Names of labels may be any text (#15974).
    LABEL_OF_ANY_NAME: (3, 3),
}
"""Of what the embedded server answers as a release of Prometheus does which not every judge is."""

REFUSED = (
    ('label_replace(up, "instance", "", "job", "kube.*")', "execution"),
    ("rate(up)", "bad_data"),
    ("sum(up", "bad_data"),
    ("nonsense(up)", "bad_data"),
    ("{}", "bad_data"),
    ("up and 1", "bad_data"),
    ("1 == 1", "bad_data"),
    ("http_requests_total / on (pod) container_memory_working_set_bytes", "execution"),
    ("container_memory_working_set_bytes / on (pod) http_requests_total", "execution"),
    (
        "container_memory_working_set_bytes / on (pod) group_left () http_requests_total",
        "execution",
    ),
    ('label_replace(up, "", "$1", "instance", "(.*)")', "execution"),
    ('label_replace(up, "instance", "x", "instance", ".*")', "execution"),
)
"""Both have to refuse these, for the same kind of reason."""


def release(client: httpx.Client) -> tuple[int, int]:
    """Return major and minor version of a server."""
    build = client.get("/api/v1/status/buildinfo").json()["data"]
    major, minor, *_ = build["version"].split(".")
    return int(major), int(minor)


def program_release(prometheus: Path) -> tuple[int, int]:
    """Return major and minor version of a program."""
    done = subprocess.run([prometheus, "--version"], check=True, capture_output=True, text=True)
    found = re.search(r"version (\d+)\.(\d+)", done.stdout + done.stderr)
    assert found is not None, done.stdout + done.stderr
    return int(found[1]), int(found[2])


def asked(client: httpx.Client, path: str, **said: str) -> Json:
    """Return what a server says to a question."""
    found: Json = client.get(f"/api/v1/{path}", params=said).json()
    return found


def difference(one: Json, other: Json) -> str | None:
    """Return the first thing in which two answers differ by more than 1e-9; None for none.

    Series of a result have no order unless topk gives them one, which is not compared.
    """
    if one.get("status") != "success" or other.get("status") != "success":
        return f"{one.get('error')!r} and {other.get('error')!r}"
    here, there = one["data"], other["data"]
    if here["resultType"] != there["resultType"]:
        return f"{here['resultType']} and {there['resultType']}"
    if here["resultType"] == "scalar":
        return _pairs_differ([here["result"]], [there["result"]])
    mine, theirs = _by_labels(here["result"]), _by_labels(there["result"])
    if mine.keys() != theirs.keys():
        return f"series {sorted(mine.keys() ^ theirs.keys())[:4]} are on one side only"
    for key in mine:
        found = _pairs_differ(mine[key], theirs[key])
        if found:
            return f"{dict(key)}: {found}"
    return None


def _by_labels(result: Sequence[Json]) -> dict[tuple[tuple[str, str], ...], Any]:
    return {
        tuple(sorted(one["metric"].items())): one.get("values") or [one["value"]] for one in result
    }


def _pairs_differ(mine: Sequence[Any], theirs: Sequence[Any]) -> str | None:
    times = [[when for when, _ in pairs] for pairs in (mine, theirs)]
    if times[0] != times[1]:
        return f"times {sorted(set(times[0]) ^ set(times[1]))[:4]} are on one side only"
    for (when, one), (_, other) in zip(mine, theirs, strict=True):
        same = one == other or math.isclose(float(one), float(other), rel_tol=1e-9)
        if not same:
            return f"at {when} {one} and {other}"
    return None
