from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployments.local import Local, read_state, running_state
from deployments.prefect_api import ParametersRefusedError, _refuse_unknown
from deployments.services import EMBEDDED_AWS, Service
from deployments.supervisor import (
    MOST_RESTARTS,
    STEADY_SECONDS,
    ServiceFailedError,
    Supervisor,
)

ENDS = [sys.executable, "-c", ""]
WAITS = ["cat"]


@dataclass(slots=True, kw_only=True)
class Watching(Supervisor):
    """A supervisor whose services are programs of a test, and which registers nothing."""

    registered: int = 0
    phases: list[str] = field(default_factory=list)

    def _register(self) -> None:
        self.registered += 1

    def _cancel_orphaned_runs(self, reason: str) -> None:
        return


@pytest.fixture
def supervisor(tmp_path: Path) -> Watching:
    return Watching(local=Local(home=tmp_path))


def _service(name: str = "worker", *, restarts: int = 0, ready: bool = True) -> Service:
    return Service(name=name, command=ENDS, is_ready=lambda: ready, restarts=restarts)


def _launch_and_let_end(supervisor: Watching, service: Service) -> None:
    supervisor._launch(service)
    assert service.process is not None
    service.process.wait(timeout=30)


def test_a_supervisor_is_found_before_it_has_started_anything(supervisor: Watching) -> None:
    state = running_state(supervisor.local)

    assert state is not None
    assert (state.pid, state.ready) == (os.getpid(), False)


def test_a_service_that_ended_is_started_again(supervisor: Watching) -> None:
    service = _service()
    _launch_and_let_end(supervisor, service)
    first = service.process

    supervisor._restart_ended()

    assert first is not None
    assert service.process is not None
    assert service.process.pid != first.pid
    assert supervisor.state.services == {"worker": service.process.pid}
    assert supervisor.registered == 0
    supervisor.stop()


@pytest.mark.parametrize(("ready", "phase"), [(True, "up"), (False, "restarting worker")])
def test_it_is_up_again_only_when_the_service_is_ready(
    supervisor: Watching, ready: bool, phase: str
) -> None:
    _launch_and_let_end(supervisor, _service(ready=ready))

    supervisor._restart_ended()

    state = read_state(supervisor.local)
    assert state is not None
    assert state.phase == phase
    supervisor.stop()


def test_an_embedded_cloud_started_again_gets_its_bucket_again(supervisor: Watching) -> None:
    _launch_and_let_end(supervisor, _service(EMBEDDED_AWS))

    supervisor._restart_ended()

    assert supervisor.registered == 1
    supervisor.stop()


def test_a_service_that_ends_again_and_again_is_given_up_with_its_log(
    supervisor: Watching,
) -> None:
    service = _service(restarts=MOST_RESTARTS)
    _launch_and_let_end(supervisor, service)
    (supervisor.local.logs / "worker.log").write_text("no memory\n")

    with pytest.raises(ServiceFailedError, match=r"worker ended 6 times(.|\n)*no memory"):
        supervisor._restart_ended()


def test_restarts_before_a_long_quiet_time_are_forgotten(supervisor: Watching) -> None:
    service = _service(restarts=MOST_RESTARTS)
    service.launched_at = time.monotonic() - STEADY_SECONDS - 1

    supervisor._count_restart(service)

    assert service.restarts == 1


def test_a_step_that_fails_says_its_code_and_the_end_of_its_log(supervisor: Watching) -> None:
    with pytest.raises(ServiceFailedError, match=r"register ended with code 1(.|\n)*no such"):
        supervisor._once("register", ["-c", "raise SystemExit('no such block')"])


def test_a_step_is_given_up_when_everything_is_to_stop(supervisor: Watching) -> None:
    supervisor.request_stop()

    with pytest.raises(ServiceFailedError, match="register was stopped"):
        supervisor._once("register", ["-c", "import threading; threading.Event().wait()"])


def test_stop_ends_every_service(supervisor: Watching) -> None:
    service = Service(name="prefect-server", command=WAITS, is_ready=lambda: True)
    service.process = subprocess.Popen(WAITS, stdin=subprocess.PIPE)
    supervisor.services.append(service)

    supervisor.stop()

    assert service.has_ended
    state = read_state(supervisor.local)
    assert state is not None
    assert (state.phase, state.ready, state.services) == ("down", False, {})
    assert service.process.stdin is not None
    service.process.stdin.close()


def test_a_failure_is_written_down_and_outlives_the_stop(supervisor: Watching) -> None:
    class Failing(Watching):
        def start(self) -> None:
            service = _service(restarts=MOST_RESTARTS)
            service.launched_at = time.monotonic()
            self._count_restart(service)
            pytest.fail("it was to give up")

    with pytest.raises(ServiceFailedError), Failing(local=supervisor.local) as failing:
        failing.run()

    state = read_state(supervisor.local)
    assert state is not None
    assert state.phase == "down"
    assert state.error is not None
    assert state.error.startswith("worker ended 6 times")


def test_a_parameter_that_the_flow_does_not_take_is_refused_by_name() -> None:
    deployment = {"name": "forecast", "parameter_openapi_schema": {"properties": {"need": {}}}}

    with pytest.raises(ParametersRefusedError, match=r"forecast has no parameter 'nede'.*: need$"):
        _refuse_unknown({"need": 1, "nede": 2}, deployment)


@pytest.mark.parametrize("schema", [None, {}, {"properties": {"need": {}}}])
def test_where_nothing_is_known_of_parameters_the_server_decides(
    schema: dict[str, object] | None,
) -> None:
    _refuse_unknown({"need": 1}, {"name": "forecast", "parameter_openapi_schema": schema})
