from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from deployments.local import (
    EMBEDDED,
    LOOPBACK,
    NO_CLUSTER,
    REAL,
    SUPERVISED,
    Local,
    PortInUseError,
    SamePortError,
    UpState,
    default_home,
    read_state,
    refuse_used_ports,
    running_state,
    supervised_processes,
)


@pytest.fixture
def local(tmp_path: Path) -> Local:
    return Local(home=tmp_path, ui_port=1, aws_port=2)


def _state(pid: int = os.getpid()) -> UpState:
    started_at = psutil.Process(pid).create_time()
    return UpState(pid=pid, started_at=started_at, ui_port=1, aws_port=2)


def test_a_state_is_read_as_it_was_written(local: Local) -> None:
    state = replace(_state(), services={"worker": 7}, aws_arguments=("--seed", "3"), phase="up")

    state.write(local.state_file)

    assert read_state(local) == state
    assert running_state(local) == state


def test_a_state_of_an_older_version_is_read_with_what_it_lacks(local: Local) -> None:
    _state().write(local.state_file)
    fields = json.loads(local.state_file.read_text())
    del fields["aws_arguments"]
    local.state_file.write_text(json.dumps(fields))

    state = read_state(local)

    assert state is not None
    assert state.aws_arguments == ()


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"pid": 1}', '{"unheard": "of"}'])
def test_a_state_that_cannot_be_read_is_none(local: Local, text: str) -> None:
    local.state_file.write_text(text)

    assert read_state(local) is None


def test_no_state_file_is_no_state(local: Local) -> None:
    assert read_state(local) is None


def test_a_number_that_another_process_has_now_is_not_alive(local: Local) -> None:
    replace(_state(), started_at=_state().started_at - 60).write(local.state_file)

    assert running_state(local) is None


def test_a_process_that_ended_is_not_alive_though_its_parent_has_not_looked(local: Local) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        state = _state(process.pid)
        alive = state.is_alive()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        as_zombie = state.is_alive()

    assert (alive, as_zombie, state.is_alive()) == (True, False, False)


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ({"phase": "up", "ready": True}, False),
        ({"phase": "restarting worker"}, False),
        ({"phase": "stopping"}, True),
        ({"phase": "down"}, True),
        ({"phase": "failed", "error": "no"}, True),
    ],
)
def test_a_supervisor_ends_when_it_stops_or_has_failed(
    changes: dict[str, object], ending: bool
) -> None:
    assert replace(_state(), **changes).is_ending is ending  # type: ignore[arg-type]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in held]


@pytest.mark.parametrize(
    ("option", "service"),
    [
        ("ui_port", "Prefect server"),
        ("aws_port", "embedded AWS endpoint"),
        ("cluster_port", "cluster's API server"),
        ("prometheus_port", "cluster's Prometheus"),
    ],
)
def test_a_port_in_use_is_refused_with_the_option_to_change(option: str, service: str) -> None:
    names = ("ui_port", "aws_port", "cluster_port", "prometheus_port")
    ports: dict[str, Any] = dict(zip(names, _free_ports(4), strict=True))
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        ports[option] = port
        with pytest.raises(PortInUseError) as refused:
            refuse_used_ports(Local(home=Path("home"), **ports))

    assert refused.value.port == port
    assert f"port {port} for the {service} is in use" in str(refused.value)
    free = next(one for one in range(port + 1, port + 9) if one not in ports.values())
    assert f"`--{option.replace('_', '-')} {free}`" in str(refused.value)


def test_one_port_for_two_services_is_refused() -> None:
    with pytest.raises(SamePortError, match=r"port 5000 is given twice.*`--aws-port 5001`"):
        refuse_used_ports(Local(home=Path("home"), ui_port=5000, aws_port=5000))


def test_ports_of_a_cluster_that_is_not_started_may_be_in_use() -> None:
    ui_port, aws_port = _free_ports(2)
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        refuse_used_ports(
            Local(
                home=Path("home"), ui_port=ui_port, aws_port=aws_port, cluster=NO_CLUSTER,
                cluster_port=port, prometheus_port=port,
            )
        )  # fmt: skip


def test_settings_reach_another_process_whole(tmp_path: Path) -> None:
    local = Local(
        home=tmp_path, ui_port=5, aws_arguments=("--seed", "3"), cluster=REAL, cluster_port=7
    )

    assert Local.from_json(local.to_json()) == local


@pytest.mark.parametrize(
    ("cluster", "kubeconfig"),
    [
        (EMBEDDED, "home/cluster/embedded/kubeconfig"),
        (REAL, "home/cluster/real/kubeconfig"),
        (NO_CLUSTER, None),
        ("/somebody/config", "/somebody/config"),
    ],
)
def test_the_kubeconfig_is_ours_theirs_or_none(cluster: str, kubeconfig: str | None) -> None:
    found = Local(home=Path("home"), cluster=cluster).kubeconfig

    assert found == (kubeconfig and Path(kubeconfig))


def test_processes_of_one_home_are_found_and_no_others(local: Local, tmp_path: Path) -> None:
    def asleep(home: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "print(flush=True); input()"]
        environment = {**os.environ, SUPERVISED: str(home)}
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )

    with asleep(tmp_path) as mine, asleep(tmp_path / "another") as other:
        for process in (mine, other):
            assert process.stdout is not None
            process.stdout.readline()  # it runs Python by now, with its environment
        found = supervised_processes(local)
        mine.kill()
        other.kill()

    assert [process.pid for process in found] == [mine.pid]


def test_what_the_person_set_for_prefect_does_not_reach_the_installation(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "of another server")
    monkeypatch.setenv("PREFECT_API_URL", "https://elsewhere.example/api")

    environment = local.environment()

    assert "PREFECT_API_KEY" not in environment
    assert environment["PREFECT_API_URL"] == local.api_url
    assert environment["DO_NOT_TRACK"] == "1"
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_the_home_is_the_one_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOMEOSTAT_HOME", str(tmp_path / "a" / ".." / "b"))
    assert default_home() == tmp_path / "b"

    monkeypatch.setenv("HOMEOSTAT_HOME", "")
    assert default_home().name == ".homeostat"
