"""What kubelets know and write, without a server."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from deployments.embedded.workloads.__main__ import CONTROL_FILE, write_control_file
from deployments.embedded.workloads.containers.messages import Event
from deployments.embedded.workloads.containers.table import Happening, What, new_table
from deployments.embedded.workloads.demonstration import PARTS, demonstration_nodes
from deployments.embedded.workloads.kubelet.addresses import Addresses
from deployments.embedded.workloads.kubelet.client import Client, RefusedError
from deployments.embedded.workloads.kubelet.clock import Clock
from deployments.embedded.workloads.kubelet.fault_book import MOST, FaultBook
from deployments.embedded.workloads.kubelet.kubelets import OTHER, Kubelets, with_other
from deployments.embedded.workloads.kubelet.logbook import LINES_OF_ONE, Logbook
from deployments.embedded.workloads.kubelet.nodes import NodeVoice
from deployments.embedded.workloads.kubelet.owners import volume_for
from deployments.embedded.workloads.kubelet.pod_events import BURST, REFILL_SECONDS, PodEvents
from deployments.embedded.workloads.kubelet.reader import Reader
from deployments.embedded.workloads.kubelet.roster import Resident, Roster, workload_of
from deployments.embedded.workloads.kubelet.running import RunningKubelets
from deployments.embedded.workloads.kubelet.statuses import on_wall
from deployments.embedded.workloads.kubelet.writes import Rank, Send, Writes
from deployments.embedded.workloads.manifests import config_map, deployment
from deployments.embedded.workloads.physics.arrays import InvalidValueError
from deployments.embedded.workloads.physics.profiles import NodeProfile
from deployments.embedded.workloads.physics.world import World

NOW = 1_793_620_800.0
WORLD = World.of(with_other([part.profile for part in PARTS]), demonstration_nodes(), seed=7)
HEARD = [False] * len(WORLD.nodes)
WEB = next(part for part in PARTS if part.name == "web")
Body = dict[str, Any]


def still_clock() -> Clock:
    return Clock(wall=lambda: NOW)


def roster() -> Roster:
    at = WORLD.workload_index(OTHER.name)
    assert at is not None
    made = Roster(WORLD, other=at, clock=still_clock())
    made.config_map(None, config_map(WEB))
    return made


def web_pod(uid: str = "u-1", **status: Any) -> Body:
    owner = {"kind": "ReplicaSet", "name": "web-abc", "uid": "r", "controller": True}
    return {
        "metadata": {
            "name": f"web-abc-{uid}",
            "namespace": "shop",
            "uid": uid,
            "creationTimestamp": "2026-11-02T12:00:00Z",
            "labels": {"pod-template-hash": "abc"},
            "ownerReferences": [owner],
        },
        "spec": deployment(WEB)["spec"]["template"]["spec"] | {"nodeName": "node-2"},
        "status": status,
    }


def resident(uid: str = "u-1") -> Resident:
    made = roster()
    made.pod(None, web_pod(uid))
    return made.told(HEARD)[0]


@dataclass
class Recorded:
    """A client that remembers what was written, and refuses what it is told to."""

    written: list[tuple[str, str, Body]] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    said: str = "no"

    async def write(self, method: str, path: str, body: Body, **_: str) -> Body:
        self.written.append((method, path, body))
        if self.codes and (code := self.codes.pop(0)):
            raise RefusedError(code, self.said)
        return body


@dataclass
class AtOnce:
    """A queue of writes that the test empties."""

    sends: dict[Hashable, Send] = field(default_factory=dict)

    def want(self, key: Hashable, send: Send, *, rank: Rank) -> None:
        del rank
        self.sends[key] = send

    def empty(self) -> None:
        for key in list(self.sends):
            asyncio.run(cast("Any", self.sends.pop(key)()))


async def turns() -> None:
    """Let everything go on until it can go no further."""
    for _ in range(500):
        await asyncio.sleep(0)


def test_a_fast_clock_tells_the_time_of_the_wall_of_what_it_did() -> None:
    wall = [NOW]
    clock = Clock(speed=10.0, wall=lambda: wall[0])

    wall[0] = NOW + 6.0

    assert clock.now() == NOW + 60.0
    assert clock.on_wall(NOW + 60.0) == pytest.approx(NOW + 6.0)
    assert clock.of_wall(NOW - 5.0) == clock.on_wall(NOW - 5.0) == NOW - 5.0
    table = new_table(1)
    table.started_at[0] = NOW + 60.0
    shown = on_wall(table, clock)
    assert shown.started_at[0] == pytest.approx(NOW + 6.0)
    assert shown.finished_at[0] == 0.0


def test_a_clock_that_does_not_go_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="speed is 0"):
        Clock(speed=0)


def test_a_pod_belongs_to_its_deployment_its_owner_or_itself() -> None:
    pod = web_pod()
    assert workload_of(pod) == "shop/web"

    pod["metadata"]["ownerReferences"][0]["kind"] = "StatefulSet"
    assert workload_of(pod) == "shop/web-abc"
    del pod["metadata"]["ownerReferences"]
    assert workload_of(pod) == "shop/web-abc-u-1"


def test_pods_of_others_and_on_other_nodes_are_told_apart() -> None:
    made, foreign = roster(), web_pod("u-2")
    foreign["metadata"]["ownerReferences"][0]["name"] = "stranger-abc"
    made.pod(None, web_pod())
    made.pod(None, foreign)
    made.pod(None, web_pod("u-3") | {"spec": {"nodeName": "elsewhere"}})

    profiles = [WORLD.workloads[one.pod.workload].name for one in made.told(HEARD)]

    assert profiles == ["shop/web", OTHER.name]


def test_a_config_map_that_goes_is_missed_by_what_reads_it() -> None:
    made = roster()
    made.pod(None, web_pod())
    assert made.told(HEARD)[0].pod.facts.config_error is None

    made.config_map(config_map(WEB), None)

    assert made.changed
    assert made.told(HEARD)[0].pod.facts.config_error == 'configmap "web-config" not found'


def test_a_node_that_hears_nothing_goes_on_with_the_pods_it_had() -> None:
    made, pod = roster(), web_pod()
    deaf = [one.name == "node-2" for one in WORLD.nodes]
    pod["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
    made.pod(None, pod)
    assert made.told(HEARD)[0].pod.listed

    leaving = pod | {"metadata": pod["metadata"] | {"deletionTimestamp": "2026-11-02T13:00:00Z"}}
    made.pod(pod, leaving)
    made.pod(None, web_pod("u-2"))
    found = made.told(deaf)
    assert [(one.pod.uid, one.pod.deleting, one.pod.listed) for one in found] == [
        ("u-1", False, False)
    ]
    made.pod(leaving, None)
    assert [one.pod.uid for one in made.told(deaf)] == ["u-1"]

    assert [one.pod.uid for one in made.told(HEARD)] == ["u-2"]


def test_the_grace_of_a_deletion_replaces_that_of_the_pod() -> None:
    made, pod = roster(), web_pod()
    pod["metadata"] |= {
        "deletionTimestamp": "2026-11-02T13:00:00Z",
        "deletionGracePeriodSeconds": 3,
    }
    made.pod(None, pod)

    assert made.told(HEARD)[0].pod.spec.grace_seconds == 3.0


def test_a_kubelet_that_begins_anew_counts_restarts_on() -> None:
    made = roster()
    made.pod(
        None,
        web_pod(
            containerStatuses=[{"name": "web", "containerID": "containerd://a", "restartCount": 4}]
        ),
    )
    made.pod(None, web_pod("u-2"))

    assert [one.restarts_before for one in made.told(HEARD)] == [{"web": 5}, {}]


def test_what_has_ended_for_good_is_only_deleted() -> None:
    made, pod = roster(), web_pod(phase="Failed")
    made.pod(None, pod)
    assert not made.finished

    pod["metadata"]["deletionTimestamp"] = "2026-11-02T13:00:00Z"
    made.pod(None, pod)

    assert made.finished == [pod]
    assert made.told(HEARD) == []


def test_addresses_are_unique_and_not_used_again_at_once() -> None:
    made = Addresses()

    first, second, other = made.take(0), made.take(0), made.take(1)
    made.give_back(0, first)

    assert made.take(0) not in (first, second, other)
    assert made.take(0, first) == first
    assert made.take(0, first) != first


def test_an_event_that_comes_again_is_counted() -> None:
    client, writes = Recorded(), AtOnce()
    events = PodEvents(cast("Client", client), writes, clock=still_clock())
    event = Event(type="Normal", reason="Pulled", message="done")
    one = resident()

    events.tell(one, event, node="node-2", now=NOW)
    writes.empty()
    events.tell(one, event, node="node-2", now=NOW + 5)
    writes.empty()

    (_, path, made), (method, changed, patch) = client.written
    assert (path, made["count"]) == ("/api/v1/namespaces/shop/events", 1)
    assert made["source"] == {"component": "kubelet", "host": "node-2"}
    assert (method, changed) == ("PATCH", f"{path}/{made['metadata']['name']}")
    assert patch == {"count": 2, "lastTimestamp": "2026-11-02T12:00:05Z"}


def test_an_event_that_was_forgotten_is_made_again() -> None:
    client, writes = Recorded(codes=[0, 404]), AtOnce()
    events = PodEvents(cast("Client", client), writes, clock=still_clock())
    event = Event(type="Normal", reason="Pulled", message="done")
    one = resident()

    for at in range(2):
        events.tell(one, event, node="node-2", now=NOW + at)
        writes.empty()

    assert [method for method, _, _ in client.written] == ["POST", "PATCH", "POST"]
    assert client.written[2][2]["count"] == 2


def test_an_event_of_which_only_the_answer_was_lost_is_counted_from_then_on() -> None:
    client = Recorded(codes=[409], said='events "web.1" already exists')
    writes, one = AtOnce(), resident()
    events = PodEvents(cast("Client", client), writes, clock=still_clock())
    event = Event(type="Normal", reason="Pulled", message="done")

    for at in range(2):
        events.tell(one, event, node="node-2", now=NOW + at)
        writes.empty()

    assert [method for method, _, _ in client.written] == ["POST", "PATCH"]


def test_one_pod_may_not_flood_the_cluster_with_events() -> None:
    client, writes = Recorded(), AtOnce()
    events = PodEvents(cast("Client", client), writes, clock=still_clock())
    one = resident()

    for at in range(100):
        event = Event(type="Warning", reason="Unhealthy", message=str(at))
        events.tell(one, event, node="node-2", now=NOW)
    event = Event(type="Warning", reason="Unhealthy", message="later")
    events.tell(one, event, node="node-2", now=NOW + REFILL_SECONDS)

    assert len(writes.sends) == BURST + 1


def test_writes_of_one_object_are_sent_once_and_nodes_go_first() -> None:
    sent: list[str] = []

    async def work() -> None:
        writes = Writes()

        def want(key: str, text: str, rank: Rank) -> None:
            async def send() -> None:
                sent.append(text)

            writes.want(key, send, rank=rank)

        want("event", "event", Rank.EVENT)
        want("pod", "old", Rank.POD)
        want("pod", "new", Rank.POD)
        want("node", "lease", Rank.NODE)
        working = asyncio.create_task(writes.run())
        await turns()
        assert not len(writes)
        working.cancel()

    asyncio.run(work())

    assert sent == ["lease", "new", "event"]


def test_a_write_is_sent_again_when_the_server_was_away_and_not_when_the_object_is_gone() -> None:
    codes = {"away": [503, 0], "gone": [404, 0], "wrong": [422, 0]}
    seen: list[str] = []

    async def work() -> Writes:
        writes = Writes(retry_seconds=0.0)

        def want(key: str) -> None:
            async def send() -> None:
                seen.append(key)
                if code := codes[key].pop(0):
                    raise RefusedError(code, key)

            writes.want(key, send, rank=Rank.POD)

        for key in codes:
            want(key)
        working = asyncio.create_task(writes.run())
        await turns()
        working.cancel()
        return writes

    writes = asyncio.run(work())

    assert seen == ["away", "gone", "wrong", "away"]
    assert (writes.done, writes.failed) == (1, 1)


def test_a_reader_tells_of_a_pod_that_was_replaced_as_gone_and_new() -> None:
    told: list[tuple[str, str]] = []

    def name(body: Body | None) -> str:
        return "" if body is None else str(body["metadata"]["uid"])

    @dataclass
    class Server:
        pages: list[list[Body]]

        async def get(self, path: str, query: Body) -> Body:
            del path, query
            return {"items": self.pages.pop(0), "metadata": {"resourceVersion": "1"}}

        async def watch(self, path: str, **query: str) -> Any:
            del path, query
            if self.pages:
                raise RefusedError(410, "too old")
            await asyncio.Event().wait()
            yield {}

    first, second = web_pod(), web_pod()
    second["metadata"]["uid"] = "u-2"
    server = Server(pages=[[first, web_pod("x")], [second]])

    async def work() -> None:
        reader = Reader(cast("Client", server), "/p", lambda a, b: told.append((name(a), name(b))))
        task = asyncio.create_task(reader.run())
        await turns()
        task.cancel()

    asyncio.run(work())

    assert told == [("", "u-1"), ("", "x"), ("x", ""), ("u-1", ""), ("", "u-2")]


def book(*pods: str) -> FaultBook:
    return FaultBook(WORLD, pods_of=lambda _: pods)


def test_a_fault_that_hits_once_is_bound_to_the_pods_there_are() -> None:
    content = b'{"kind": "host-kill", "target": "shop/web", "share": 0.5}'

    found = book("web-1", "web-2", "web-3").put("a", content, now=NOW)

    assert found.since_seconds == NOW
    assert getattr(found.fault, "pods", None) == ("web-1", "web-2")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("A b", "{}", "name is 'A b'"),
        ("a", "[]", "document is no object"),
        ("a", '{"kind": "nope"}', "kind is 'nope'"),
        ("a", '{"kind": "node-lost", "node": "n"}', "'n' is not there; there are node-1"),
        ("a", '{"kind": "dependency-down", "target": "x"}', "payments.example.com"),
        ("a", '{"kind": "slowdown", "target": "mail.example.com", "factor": 2}', "shop/web"),
        (
            "a",
            '{"kind": "edge-partition", "source": "shop/cart", "target": "shop/web"}',
            "'shop/web' is not there; there are *, shop/cache",
        ),
    ],
)
def test_a_fault_of_what_is_not_there_is_refused(name: str, content: str, said: str) -> None:
    made = book()

    with pytest.raises(InvalidValueError, match=said.replace("*", r"\*")):
        made.put(name, content.encode(), now=NOW)

    assert made.active == ()


def test_faults_in_force_are_counted_and_replaced_by_name() -> None:
    made = book()
    content = b'{"kind": "node-lost", "node": "node-1"}'
    for at in range(MOST):
        made.put(f"a-{at}", content, now=NOW)
    made.put("a-0", content, now=NOW + 1)

    with pytest.raises(InvalidValueError, match="one more than the 100"):
        made.put("more", content, now=NOW)

    assert len(made.active) == MOST
    assert made.active[-1].since_seconds == NOW + 1
    assert made.drop("a-0")
    assert not made.drop("a-0")


def test_a_log_is_bounded_and_the_process_before_is_kept() -> None:
    made, one = Logbook(WORLD, clock=still_clock()), resident()
    made.keep([one])
    log = made.of("shop", one.pod.name)
    assert log is not None
    assert (log.begun, log.previous()) == (False, None)

    def happened(what: What, detail: str = "") -> None:
        made.happened(
            one, Happening(row=0, what=what, detail=detail), now=NOW, faults=(), failed={}
        )

    happened(What.STARTED)
    for _ in range(LINES_OF_ONE):
        happened(What.EXITED, "7")
    assert len(log.lines) == LINES_OF_ONE
    # What ended last is at once the last and the one before, until another begins.
    assert log.previous() == log.lines

    happened(What.STARTED)
    before = log.previous()
    assert before is not None
    assert before[-1][1].endswith("FATAL cannot write log, exiting")
    assert len(log.lines) == 2
    made.keep([resident("u-2")])
    assert made.of("shop", one.pod.name) is None


def test_a_node_reports_what_it_is_short_of_and_since_when() -> None:
    voice = NodeVoice(profile=NodeProfile(name="node-1", zone="zone-a"), port=10250)

    def conditions(wall: float) -> dict[str, tuple[str, str]]:
        found = voice.status(wall)["status"]["conditions"]
        return {one["type"]: (one["status"], one["lastTransitionTime"][-4:-1]) for one in found}

    assert conditions(NOW)["MemoryPressure"] == ("False", ":00")
    voice.short = {"memory": True}
    assert conditions(NOW + 5)["MemoryPressure"] == ("True", ":05")
    assert conditions(NOW + 9) == {
        "MemoryPressure": ("True", ":05"),
        "DiskPressure": ("False", ":00"),
        "PIDPressure": ("False", ":00"),
        "Ready": ("True", ":00"),
    }
    allocatable = voice.status(NOW)["status"]["allocatable"]
    assert allocatable["cpu"] == "3900m"
    assert allocatable["memory"] == f"{(16_384 - 700 - 100) * 1024}Ki"


def test_a_world_without_a_profile_for_strangers_is_refused() -> None:
    world = World.of([WEB.profile], demonstration_nodes(), seed=1)

    with pytest.raises(ValueError, match="kube-system/other"):
        Kubelets(world, cast("Client", Recorded()), clock=still_clock(), port=1)


def test_a_claim_has_a_volume_of_its_own() -> None:
    claim = {
        "metadata": {"name": "data", "namespace": "shop"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }

    found = volume_for(claim)["spec"]

    assert found["capacity"] == {"storage": "1Gi"}
    assert (found["claimRef"]["namespace"], found["claimRef"]["name"]) == ("shop", "data")


def test_where_the_control_server_is_is_for_the_eyes_of_its_user_alone(tmp_path: Path) -> None:
    running = RunningKubelets(
        kubelets=cast("Any", None), control_url="http://x", token="t", task=cast("Any", None)
    )
    (tmp_path / CONTROL_FILE).touch(mode=0o644)

    path = write_control_file(tmp_path / "config", running, prometheus_url="http://y")

    found = {"url": "http://x", "token": "t", "prometheus": "http://y"}
    assert json.loads(path.read_text()) == found
    assert path == tmp_path / CONTROL_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_times_of_many_containers_are_told_at_once() -> None:
    wall = [NOW]
    clock = Clock(speed=4.0, wall=lambda: wall[0])

    found = clock.on_wall_all(np.array([0.0, NOW, NOW + 8.0]))

    assert found.tolist() == [0.0, NOW, NOW + 2.0]
