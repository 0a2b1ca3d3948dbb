"""Containers before the first one and beside it: when each begins, ends and crashes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from deployments.embedded.workloads.containers.companions import Companion, Companions
from deployments.embedded.workloads.containers.specs import Facts, read_container, read_others
from deployments.embedded.workloads.containers.table import Happening, Phase, Reason, What

FIRST = {"name": "web", "image": "registry.example.com/shop/web:2.4.1"}
NOON = 1_793_620_800.0


def companions_of(*, bad: tuple[str, ...] = (), **spec: Any) -> tuple[Companion, ...]:
    found = read_others({"containers": [FIRST], **spec})
    return tuple(
        Companion(spec=one, facts=Facts(image_ok=one.name not in bad), is_init=is_init, stays=stays)
        for one, is_init, stays in found
    )


@dataclass
class OnePod:
    """The companions of one pod, second by second."""

    companions: tuple[Companion, ...]
    all: Companions = field(default_factory=Companions)
    now: float = NOON
    held: list[bool] = field(default_factory=list)
    seen: list[tuple[float, Happening]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.all.set_pods([("u-1", self.companions)])

    def run(self, seconds: int, *, deleting: bool = False, on: bool = True) -> None:
        for _ in range(seconds):
            self.now += 1.0
            happened, held = self.all.step(
                now_seconds=self.now, machine_on=np.array([on]), deleting=np.array([deleting])
            )
            self.held.append(bool(held[0]))
            self.seen += [(self.now - NOON, one) for one in happened]

    def waits(self) -> bool:
        return self.held[-1]

    def times(self, what: What, container: str) -> list[float]:
        return [at for at, one in self.seen if (one.what, one.container) == (what, container)]

    def phase(self, row: int) -> Phase:
        return Phase(int(self.all.now.table.phase[row]))


def test_others_are_init_containers_first_and_have_no_probes() -> None:
    beside = {"name": "agent", "image": "a:1", "livenessProbe": {"httpGet": {"port": 1}}}
    proxy = {"name": "proxy", "image": "p:1", "restartPolicy": "Always"}
    pod = {
        "containers": [FIRST, beside],
        "initContainers": [{"name": "migrate", "image": "m:1"}, proxy],
    }

    found = [(one.name, is_init, stays) for one, is_init, stays in read_others(pod)]

    assert found == [("migrate", True, False), ("proxy", True, True), ("agent", False, True)]
    assert all(one.probes == (None, None, None) for one, _, _ in read_others(pod))
    assert read_container(pod).name == "web"


def test_init_containers_run_one_after_the_other_and_then_the_first_may_begin() -> None:
    names = ({"name": "one", "image": "i:1"}, {"name": "two", "image": "i:1"})
    pod = OnePod(companions_of(initContainers=list(names)))

    pod.run(5)
    assert (pod.times(What.EXITED, "one"), pod.times(What.EXITED, "two")) == ([5.0], [])
    assert pod.waits()

    pod.run(10)
    # A second to be looked at, two to be pulled and made, two of work: the same again.
    assert pod.times(What.STARTED, "one") == [3.0]
    assert pod.times(What.STARTED, "two") == [8.0]
    assert pod.times(What.EXITED, "two") == [10.0]
    assert not pod.waits()

    pod.run(1_000)
    assert pod.times(What.STARTED, "one") == [3.0]
    assert list(pod.all.now.table.restarts) == [0, 0]
    assert list(pod.all.now.table.reason) == [Reason.COMPLETED, Reason.COMPLETED]


def test_an_init_container_that_fails_backs_off_and_holds_everything_after_it() -> None:
    agent = {"name": "agent", "image": "a:1"}
    pod = OnePod(
        companions_of(
            bad=("migrate",),
            initContainers=[{"name": "migrate", "image": "m:1"}],
            containers=[FIRST, agent],
        )
    )

    pod.run(60)

    # Ends after a second; at once again, then after 10 s, then after 20 s, each a second late.
    assert pod.times(What.STARTED, "migrate") == [3.0, 5.0, 16.0, 37.0]
    assert pod.times(What.BACK_OFF, "migrate") == [7.0, 18.0, 39.0]
    assert pod.times(What.STARTED, "agent") == []
    assert pod.waits()
    assert pod.phase(0) is Phase.BACK_OFF
    assert (pod.all.now.table.exit_code[0], pod.all.now.table.reason[0]) == (1, Reason.ERROR)


def test_a_container_beside_that_crashes_holds_nobody() -> None:
    agent = {"name": "agent", "image": "a:1"}
    pod = OnePod(companions_of(bad=("agent",), containers=[FIRST, agent]))

    pod.run(10)

    assert not pod.waits()
    assert len(pod.times(What.EXITED, "agent")) == 2


def test_an_init_container_that_stays_lets_others_begin_once_it_runs() -> None:
    proxy = {"name": "proxy", "image": "p:1", "restartPolicy": "Always"}
    pod = OnePod(companions_of(initContainers=[proxy]))

    pod.run(2)
    assert pod.waits()
    pod.run(1)
    assert not pod.waits()
    pod.run(100)
    assert pod.phase(0) is Phase.RUNNING


@pytest.mark.parametrize("seconds", [1, 20])
def test_containers_of_a_pod_that_is_deleted_are_gone(seconds: int) -> None:
    pod = OnePod(companions_of(containers=[FIRST, {"name": "agent", "image": "a:1"}]))

    pod.run(seconds)
    pod.run(3, deleting=True)

    assert pod.phase(0) is Phase.GONE


def test_what_is_known_of_companions_is_kept_when_pods_come_and_go() -> None:
    pod = OnePod(companions_of(containers=[FIRST, {"name": "agent", "image": "a:1"}]))
    pod.run(20)
    before = pod.all.now

    pod.all.set_pods([("u-0", pod.companions), ("u-1", pod.companions), ("u-2", ())])

    after = pod.all.now
    assert after.table.started_at[1] == before.table.started_at[0]
    assert after.table.started_at[0] == 0.0
    assert list(after.changes) == [0, before.changes[0], 0]
    assert set(after.rows) == {0, 1}
