"""A container's life, as a kubelet and containerd show it. Expected values are Kubernetes' own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deployments.embedded.workloads.containers import lifecycle, messages, specs, status
from deployments.embedded.workloads.physics.state import EXIT_CODES, Cause

IMAGE = "registry.example.com/shop/web:1"
NAMES = {"pod": "web-abc", "namespace": "shop", "uid": "u-1", "container": "web", "image": IMAGE,
             "address": "10.1.2.3"}  # fmt: skip


def pod(**container: Any) -> dict[str, Any]:
    """Return a pod spec of one container that is up after ten seconds."""
    probe = {"periodSeconds": 5, "timeoutSeconds": 1, "failureThreshold": 3}
    values = {
        "name": "web",
        "image": IMAGE,
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, **probe},
        "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}, **probe},
    }
    merged = values | container
    containers = [{key: value for key, value in merged.items() if value is not None}]
    return {"containers": containers, "terminationGracePeriodSeconds": 30}


class Life:
    """One container that is advanced second by second; the process does what it is told."""

    def __init__(self, spec: dict[str, Any] | None = None, **facts: Any) -> None:
        self.rules = specs.rules_of(
            [specs.read_container(spec or pod())], [replace(specs.Facts(), **facts)]
        )
        self.table = lifecycle.new_table(1)
        self.now = 1000.0
        self.boot_seconds = 10.0
        self.locked = False
        self.dependencies_failed = 0.0
        self.crash: Callable[[float], Cause] = lambda age: Cause.NONE  # noqa: ARG005
        self.seen: list[tuple[float, Any]] = []
        self.phases: list[Any] = []

    def run(self, seconds: int, *, deleting: bool = False) -> Sequence[Any]:
        """Advance so many seconds and return what happened in them."""
        first = len(self.seen)
        for _ in range(seconds):
            self.now += 1.0
            running = bool(lifecycle.running(self.table)[0])
            age = self.now - float(self.table.started_at[0])
            up = running and age >= self.boot_seconds
            cause = self.crash(age) if running else Cause.NONE
            answered = up and not self.locked
            signs = lifecycle.Signs(
                exit_code=np.array([EXIT_CODES.get(cause, -1)]),
                cause=np.array([int(cause)]),
                health_seconds=np.array([0.01 if answered else np.inf]),
                refuses=np.array([running and not up]),
                dependencies_failed=np.array([self.dependencies_failed]),
                machine_on=np.array([True]),
            )
            self.table, happened = lifecycle.advance(
                self.table, self.rules, signs, now_seconds=self.now,
                deleting=np.array([deleting]),
            )  # fmt: skip
            self.seen += [(self.now, one) for one in happened]
            self.phases.append(lifecycle.Phase(int(self.table.phase[0])))
        return [one for _, one in self.seen[first:]]

    def probe_of(self, happening: Any) -> Any:
        """Return the probe that something happened to."""
        return self.rules.specs[0].probes[happening.probe] if happening.probe >= 0 else None

    def events(self) -> list[tuple[str, str, str]]:
        """Return (type, reason, message) of all events so far."""
        return [
            (event.type, event.reason, event.message)
            for _, one in self.seen
            for event in messages.events_of(one, messages.Names(**NAMES), probe=self.probe_of(one))
        ]

    def status(self) -> Any:
        """Return the container status."""
        return status.container_status(self.table, 0, messages.Names(**NAMES), self.rules)

    def starts(self) -> list[float]:
        """Return when the container started."""
        return [at for at, one in self.seen if one.what is lifecycle.What.STARTED]


def test_a_good_container_is_created_started_and_becomes_ready_when_it_answers() -> None:
    life = Life(pod(startupProbe=None))
    life.run(3)
    assert [reason for _, reason, _ in life.events()[:4]] == [
        "Pulling", "Pulled", "Created", "Started",
    ]  # fmt: skip
    assert not life.table.ready[0]
    life.run(20)
    found = life.status()
    assert found["ready"] is True
    assert found["started"] is True
    assert found["restartCount"] == 0
    assert list(found["state"]) == ["running"]


def test_back_off_doubles_from_ten_seconds_to_five_minutes_after_a_first_restart_at_once() -> None:
    life = Life()
    life.crash = lambda age: Cause.BAD_IMAGE if age >= 2 else Cause.NONE
    life.run(1500)
    gaps = np.diff(life.starts())
    # Two seconds until it exits, one or two until the kubelet looks, and the back-off.
    waits = gaps - 2
    assert waits[:8] == pytest.approx([0, 10, 20, 40, 80, 160, 300, 300], abs=3)


def test_back_off_begins_anew_after_ten_minutes() -> None:
    life = Life()
    life.crash = lambda age: Cause.BAD_IMAGE if age >= 2 else Cause.NONE
    life.run(60)
    life.crash = lambda age: Cause.BAD_IMAGE if age >= 700 else Cause.NONE
    life.run(1600)
    gaps = np.diff(life.starts())[-1:]
    assert gaps[0] == pytest.approx(701, abs=3)


@pytest.mark.parametrize(
    ("cause", "code", "reason"),
    [
        (Cause.OUT_OF_MEMORY, 137, "OOMKilled"),
        (Cause.NODE_OUT_OF_MEMORY, 137, "OOMKilled"),
        (Cause.KILLED_BY_HOST, 137, "Error"),
        (Cause.DEPENDENCY, 1, "Error"),
        (Cause.CORRUPT_STATE, 1, "Error"),
    ],
)
def test_an_exit_is_told_by_code_and_reason(cause: Cause, code: int, reason: str) -> None:
    life = Life()
    life.crash = lambda age: cause if age >= 20 else Cause.NONE
    life.run(60)
    found = life.status()
    assert found["restartCount"] >= 1
    ended = found["lastState"].get("terminated") or found["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, reason)


def test_a_crash_loop_is_told_as_the_kubelet_tells_it() -> None:
    life = Life()
    life.crash = lambda age: Cause.DEPENDENCY if age >= 3 else Cause.NONE
    life.run(15)
    found = life.status()
    assert found["state"]["waiting"] == {
        "reason": "CrashLoopBackOff",
        "message": "back-off 10s restarting failed container=web pod=web-abc_shop(u-1)",
    }
    told = ("Warning", "BackOff",
            "Back-off restarting failed container web in pod web-abc_shop(u-1)")  # fmt: skip
    assert told in life.events()
    assert found["ready"] is False


def test_an_image_that_is_missing_is_pulled_again_with_back_off_until_it_is_there() -> None:
    life = Life(pull_ok=False)
    life.run(4)
    assert life.status()["state"]["waiting"]["reason"] in ("ErrImagePull", "ImagePullBackOff")
    life.run(60)
    assert life.status()["state"]["waiting"]["reason"] == "ImagePullBackOff"
    told = [one for one in life.events() if one[1] == "Failed"]
    assert told[0][2].startswith(f'Failed to pull image "{IMAGE}": ')
    assert ("Warning", "Failed", "Error: ErrImagePull") in told
    assert ("Warning", "Failed", "Error: ImagePullBackOff") in told
    assert ("Normal", "BackOff", f'Back-off pulling image "{IMAGE}"') in life.events()
    assert life.starts() == []


def test_a_missing_key_is_a_configuration_error_until_it_is_there() -> None:
    life = Life(config_error="couldn't find key API_URL in ConfigMap shop/web-config")
    life.run(30)
    assert life.status()["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": "couldn't find key API_URL in ConfigMap shop/web-config",
    }
    told = "Error: couldn't find key API_URL in ConfigMap shop/web-config"
    assert ("Warning", "Failed", told) in life.events()
    life.rules = specs.rules_of([specs.read_container(pod())], [specs.Facts()])
    life.run(30)
    assert len(life.starts()) == 1


def test_a_command_that_is_not_there_fails_to_start_and_loops() -> None:
    life = Life(pod(command=["/app/none"]), command_ok=False)
    life.run(60)
    found = life.status()
    ended = found["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
    assert "/app/none" in ended["message"]
    assert found["restartCount"] >= 2


def test_an_exit_carries_its_cause_for_the_log_and_what_never_ran_none() -> None:
    crashed, missing = Life(), Life(pod(command=["/app/none"]), command_ok=False)
    crashed.crash = lambda age: Cause.DISK_FULL if age >= 3 else Cause.NONE
    for life, detail in ((crashed, str(int(Cause.DISK_FULL))), (missing, "")):
        life.run(8)
        told = [one.detail for _, one in life.seen if one.what is lifecycle.What.EXITED]
        assert told[0] == detail


def test_a_deadlock_fails_its_probes_and_is_killed_after_its_grace_period_with_137() -> None:
    life = Life()
    life.run(30)
    life.locked = True
    life.run(20)
    assert life.table.ready[0] == np.False_
    told = [one for one in life.events() if one[1] == "Unhealthy"][-1]
    assert told[2].endswith("context deadline exceeded (Client.Timeout exceeded while awaiting "
                            "headers)")  # fmt: skip
    assert ("Normal", "Killing", "Container web failed liveness probe, will be restarted") in (
        life.events()
    )
    life.run(40)
    ended = life.status()["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (137, "Error")


def test_a_probe_that_calls_a_dependency_fails_with_503_and_kills_the_innocent_with_143() -> None:
    life = Life(live_needs_dependencies=True)
    life.run(30)
    life.dependencies_failed = 1.0
    life.run(20)
    told = ("Warning", "Unhealthy",
            "Liveness probe failed: HTTP probe failed with statuscode: 503")  # fmt: skip
    assert told in life.events()
    ended = life.status()["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (143, "Error")


def test_readiness_that_calls_a_dependency_takes_it_out_and_kills_nothing() -> None:
    life = Life(ready_needs_dependencies=True)
    life.run(30)
    life.dependencies_failed = 1.0
    life.run(60)
    assert life.table.ready[0] == np.False_
    assert life.status()["restartCount"] == 0
    life.dependencies_failed = 0.0
    life.run(10)
    assert life.table.ready[0] == np.True_


def test_a_slow_start_is_killed_by_liveness_unless_a_startup_probe_waits_for_it() -> None:
    impatient = Life()
    impatient.boot_seconds = 60.0
    impatient.run(200)
    assert impatient.status()["restartCount"] >= 1
    startup = {"httpGet": {"path": "/started", "port": 8080}, "periodSeconds": 5,
               "failureThreshold": 20}  # fmt: skip
    patient = Life(pod(startupProbe=startup))
    patient.boot_seconds = 60.0
    patient.run(200)
    assert patient.status()["restartCount"] == 0
    assert patient.table.ready[0] == np.True_
    told = [one[2] for one in patient.events() if one[1] == "Unhealthy"]
    assert told[0] == ('Startup probe failed: Get "http://10.1.2.3:8080/started": dial tcp '
                       "10.1.2.3:8080: connect: connection refused")  # fmt: skip


def test_a_wrong_path_is_404_and_a_wrong_port_refused() -> None:
    for place, told in (
        ({"path": "/nothing", "port": 8080}, "HTTP probe failed with statuscode: 404"),
        ({"path": "/ready", "port": 9}, "connect: connection refused"),
    ):
        life = Life(pod(readinessProbe={"httpGet": place, "periodSeconds": 5}))
        life.run(40)
        assert life.table.ready[0] == np.False_
        assert life.events()[-1][2].endswith(told)
        assert ("dial tcp 10.1.2.3:9:" in life.events()[-1][2]) is (place["port"] == 9)


def test_a_tcp_probe_passes_while_the_process_is_deadlocked() -> None:
    life = Life(pod(livenessProbe={"tcpSocket": {"port": 8080}}, readinessProbe=None))
    life.run(60)
    life.locked = True
    restarts = life.status()["restartCount"]
    life.run(120)
    assert life.status()["restartCount"] == restarts
    assert life.table.ready[0] == np.True_


def test_a_pod_that_is_deleted_stops_and_does_not_start_again() -> None:
    life = Life()
    life.run(30)
    life.run(10, deleting=True)
    assert ("Normal", "Killing", "Stopping container web") in life.events()
    assert life.phases[-1] is lifecycle.Phase.GONE
    assert len(life.starts()) == 1


def test_each_process_has_a_container_of_its_own() -> None:
    life = Life()
    life.run(20)
    first = life.status()["containerID"]
    life.crash = lambda age: Cause.KILLED_BY_HOST if age > 15 else Cause.NONE
    life.run(3)
    life.crash = lambda age: Cause.NONE  # noqa: ARG005
    life.run(5)
    found = life.status()
    assert found["lastState"]["terminated"]["containerID"] == first
    assert found["containerID"] != first


def test_a_restart_begins_probes_anew() -> None:
    life = Life()
    life.run(30)
    life.crash = lambda age: Cause.KILLED_BY_HOST if age > 25 else Cause.NONE
    life.run(3)
    life.crash = lambda age: Cause.NONE  # noqa: ARG005
    assert life.table.ready[0] == np.False_
    life.run(25)
    assert life.table.ready[0] == np.True_
    assert life.status()["restartCount"] == 1


def test_the_same_signs_give_the_same_table_and_nothing_given_is_changed() -> None:
    one, other = Life(), Life()
    for life in (one, other):
        life.crash = lambda age: Cause.OUT_OF_MEMORY if age > 40 else Cause.NONE
        life.run(300)
    assert one.events() == other.events()
    before = {name: np.copy(getattr(one.table, name)) for name in one.table.__slots__}
    kept = one.table
    one.run(1)
    assert all(
        np.array_equal(getattr(kept, name), value, equal_nan=True) for name, value in before.items()
    )
