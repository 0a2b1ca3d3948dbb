"""What containers and nodes use, as metrics-server would tell it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.metrics_api.bodies import (
    cpu_quantity,
    duration,
    listed,
    memory_quantity,
    pod_metrics,
)
from deployments.embedded.workloads.metrics_api.points import Points, Usage
from deployments.embedded.workloads.metrics_api.registering import registration_manifests
from deployments.embedded.workloads.metrics_api.routes import Measured, metrics_routes
from deployments.embedded.workloads.metrics_api.selectors import (
    SelectorError,
    field_selector,
    label_selector,
)
from deployments.embedded.workloads.physics.fault_kinds import NodeLost
from tests.support.workloads_shop import MONDAY_NOON, Shop

ROOT = "/apis/metrics.k8s.io/v1beta1"


class Read:
    """A shop whose kubelets are read at each step."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.points = Points(self.shop.engine.world)

    def run(self, seconds: float, *, step_seconds: float = 5.0) -> None:
        for _ in range(round(seconds / step_seconds)):
            tick = self.shop.run(step_seconds, step_seconds=step_seconds)
            self.points.on_tick(tick, self.shop.engine.pods, self.shop.seconds)

    def usage(self, name: str) -> list[Usage | None]:
        return [self.points.pod(self.shop.engine.pods[row].uid) for row in self.shop.rows(name)]


@pytest.fixture(scope="module")
def settled() -> Read:
    read = Read()
    read.run(600)
    return read


def test_cpu_is_the_rate_of_the_counter_over_the_last_period(settled: Read) -> None:
    shop = settled.shop
    (row, *_) = shop.rows("checkout")
    before = shop.tick.counters.cpu_seconds[row]
    settled.run(15)

    found = settled.points.pod(shop.engine.pods[row].uid)

    assert found is not None
    assert found.at_seconds - found.since_seconds == 15.0
    used = shop.tick.counters.cpu_seconds[row] - before
    assert found.cpu_cores == pytest.approx(used / 15.0, rel=1e-12)
    assert found.cpu_cores > 0.0
    assert found.memory_bytes == shop.tick.answer.memory_mib[row] * 2.0**20


def test_a_node_uses_what_runs_on_it_and_more(settled: Read) -> None:
    name = settled.shop.engine.world.nodes[1].name
    pods = [settled.points.pod(one.uid) for one in settled.shop.engine.pods if one.node == 1]

    found = settled.points.node(name)

    assert found is not None
    assert found.cpu_cores > sum(one.cpu_cores for one in pods if one is not None)
    assert found.memory_bytes > sum(one.memory_bytes for one in pods if one is not None)


def test_nothing_is_known_before_the_second_reading() -> None:
    read = Read()
    name = read.shop.engine.world.nodes[0].name
    read.run(25)

    assert read.points.node(name) is None
    read.run(5)
    assert read.points.node(name) is not None


def test_a_container_that_ran_for_ten_seconds_is_measured_since_its_start() -> None:
    read = Read()
    read.run(300)
    read.shop.apply("checkout")
    since: set[float] = set()
    for _ in range(60):
        read.run(1, step_seconds=1.0)
        for row, usage in zip(read.shop.rows("checkout"), read.usage("checkout"), strict=True):
            if usage is None:
                continue
            started = float(read.shop.tick.table.started_at[row])
            since.add(usage.since_seconds - started)
            assert usage.at_seconds - usage.since_seconds >= 10.0
            assert usage.since_seconds >= started

    assert since


def test_pods_that_do_not_run_have_no_usage() -> None:
    read = Read()
    read.run(300)
    read.shop.delete("checkout")
    read.run(120)

    assert set(read.usage("checkout")) == {None}


def test_what_was_read_of_a_lost_node_is_forgotten() -> None:
    read = Read()
    read.run(300)
    lost = read.shop.engine.world.nodes[2].name
    read.shop.break_with(NodeLost(node=lost))
    read.run(30)

    known = [read.points.node(one.name) for one in read.shop.engine.world.nodes]

    assert [at for at, one in enumerate(known) if one is None] == [2]
    assert {read.points.pod(one.uid) for one in read.shop.engine.pods if one.node == 2} == {None}


def test_cpu_of_a_node_is_the_mean_of_its_steps() -> None:
    read, used = Read(), 0.0
    read.run(300)
    for _ in range(15):
        read.run(1, step_seconds=1.0)
        used += float(read.shop.tick.answer.node_cpu_cores[0])

    found = read.points.node(read.shop.engine.world.nodes[0].name)

    assert found is not None
    assert found.cpu_cores == pytest.approx(used / 15.0, rel=1e-9)


@pytest.mark.parametrize(
    ("cores", "told"),
    [(0.0, "0"), (0.25, "250m"), (2.0, "2"), (0.123456789, "123456789n"), (1e-6, "1u")],
)
def test_cpu_is_told_to_the_billionth(cores: float, told: str) -> None:
    assert cpu_quantity(cores) == told


@pytest.mark.parametrize(
    ("many", "told"),
    [
        (0, "0"),
        (16_916 * 1024, "16916Ki"),
        (64 * 2**20, "64Mi"),
        (3 * 2**30, "3Gi"),
        (5_000, "4Ki"),
    ],
)
def test_memory_is_told_in_pages(many: float, told: str) -> None:
    assert memory_quantity(many) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0s"),
        (0.25, "250ms"),
        (15.0, "15s"),
        (14.998, "14.998s"),
        (60.5, "1m0.5s"),
        (3_600.0, "1h0m0s"),
    ],
)
def test_times_are_told_as_go_does(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_metrics_bear_the_labels_of_the_pod_and_the_time_of_the_wall() -> None:
    walls = iter([MONDAY_NOON, MONDAY_NOON + 30.0])
    clock = Clock(speed=10.0, wall=lambda: next(walls))
    usage = Usage(
        since_seconds=MONDAY_NOON + 150.0,
        at_seconds=MONDAY_NOON + 165.0,
        cpu_cores=0.5,
        memory_bytes=2.0**20,
    )
    pod = {"metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}}}

    found = pod_metrics(pod, "main", usage, clock)

    assert found == {
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "creationTimestamp": "2026-11-02T12:00:30Z",
            "labels": {"app": "web"},
        },
        "timestamp": "2026-11-02T12:00:16Z",
        "window": "1.5s",
        "containers": [{"name": "main", "usage": {"cpu": "500m", "memory": "1Mi"}}],
    }


LABELS = {"app": "shop", "tier": "web"}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("app=shop", True),
        ("app==shop,tier!=db", True),
        ("app!=shop", False),
        ("app in (shop, bank),tier", True),
        ("app notin (shop)", False),
        ("!old", True),
        ("!app", False),
        ("none!=x", True),
    ],
)
def test_labels_are_selected_as_everywhere(text: str, fits: bool) -> None:
    assert label_selector(text)(LABELS) is fits


@pytest.mark.parametrize("text", ["a b", "app in shop", "=x", "app=a=b"])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(SelectorError, match="unable to parse requirement"):
        label_selector(text)


def test_fields_are_name_and_namespace() -> None:
    assert field_selector("metadata.name=web,metadata.namespace!=x")(
        {"metadata.name": "web", "metadata.namespace": "shop"}
    )
    with pytest.raises(SelectorError, match=r"not supported: spec\.nodeName"):
        field_selector("spec.nodeName=n")


def test_the_registration_leads_to_the_port() -> None:
    service, registration, _ = registration_manifests(4443).values()

    assert service["spec"]["externalName"] == "localhost"
    assert registration["spec"]["service"]["port"] == service["spec"]["ports"][0]["port"] == 4443


def _thing(name: str, namespace: str = "", **labels: str) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"metadata": {"name": name, "labels": labels, **place}}


def _metrics(thing: dict[str, Any]) -> dict[str, Any]:
    used = {"cpu": "1m", "memory": "4Ki"}
    return {**thing, "window": "15s", "containers": [{"name": "main", "usage": used}]}


def _pods() -> list[Measured]:
    web, idle = _thing("web", "shop", app="web"), _thing("idle", "shop", app="web")
    other = _thing("web", "bank", app="bank")
    return [(web, _metrics(web)), (idle, None), (other, _metrics(other))]


def _ask(path: str, *, accept: str = "application/json") -> tuple[int, dict[str, Any]]:
    async def ask() -> tuple[int, dict[str, Any]]:
        application = metrics_routes(pods=_pods, nodes=lambda: ())
        async with TestClient(TestServer(application)) as client:
            answer = await client.get(path, headers={"Accept": accept})
            return answer.status, await answer.json()

    return asyncio.run(ask())


def _names(body: dict[str, Any]) -> Sequence[tuple[str, str]]:
    return [(it["metadata"]["namespace"], it["metadata"]["name"]) for it in body["items"]]


def test_lists_are_ordered_and_leave_out_what_is_not_known() -> None:
    code, body = _ask(f"{ROOT}/pods")

    assert (code, body["kind"]) == (200, "PodMetricsList")
    assert _names(body) == [("bank", "web"), ("shop", "web")]


def test_lists_are_narrowed_by_namespace_labels_and_fields() -> None:
    assert _names(_ask(f"{ROOT}/namespaces/shop/pods")[1]) == [("shop", "web")]
    assert _names(_ask(f"{ROOT}/pods?labelSelector=app%3Dbank")[1]) == [("bank", "web")]
    query = "fieldSelector=metadata.namespace%3Dshop"
    assert _names(_ask(f"{ROOT}/pods?{query}")[1]) == [("shop", "web")]
    assert _ask(f"{ROOT}/pods?labelSelector=a%20b")[0] == 400


def test_one_is_read_by_its_name() -> None:
    code, body = _ask(f"{ROOT}/namespaces/bank/pods/web")

    assert (code, body["kind"], body["window"]) == (200, "PodMetrics", "15s")


def test_what_is_not_known_is_not_found() -> None:
    idle, none = _ask(f"{ROOT}/namespaces/shop/pods/idle"), _ask(f"{ROOT}/nodes/none")

    assert idle[0] == none[0] == 404
    assert idle[1]["message"] == 'pods.metrics.k8s.io "shop/idle" not found'
    assert none[1]["message"] == 'nodes "none" not found'
    assert _ask(f"{ROOT}/others")[1]["reason"] == "NotFound"


def test_people_get_a_table() -> None:
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    code, body = _ask(f"{ROOT}/namespaces/shop/pods", accept=accept)

    assert (code, body["kind"]) == (200, "Table")
    assert [it["name"] for it in body["columnDefinitions"]] == ["Name", "cpu", "memory", "Window"]
    assert body["rows"][0]["cells"] == ["web", "1m", "4Ki", "15s"]


def test_what_it_has_is_discovered() -> None:
    assert _ask("/apis")[1]["groups"][0]["name"] == "metrics.k8s.io"
    assert [it["name"] for it in _ask(ROOT)[1]["resources"]] == ["nodes", "pods"]
    assert listed("NodeMetrics", [])["items"] == []
