"""The real control plane starts here, answers its users, and leaves nothing behind."""

from __future__ import annotations

import ssl
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import httpx
import psutil
import pytest
import yaml

from deployments.control_plane import running as running_module
from deployments.control_plane.credentials import (
    ADMIN,
    GUEST,
    READER,
    SIMULATOR,
    make_credentials,
    write_kubeconfig,
)
from deployments.control_plane.programs import free_ports
from deployments.control_plane.run import PROGRAMS, ControlPlane, control_plane
from deployments.control_plane.running import ControlPlaneError

STARTS_AND_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from deployments.control_plane import guard, running

runs = running.Running(Path(sys.argv[1]), flags={})
runs.launch("sleeper", ["sleep", "300"])
pids = [str(pid) for pid in runs.pids.values()]
runs.launch("guard", [sys.executable, "-m", guard.__name__, str(os.getpid()), *pids])
print(*runs.pids.values(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_credentials_are_made_once_and_are_for_this_user_alone(tmp_path: Path) -> None:
    first = make_credentials(tmp_path)

    assert set(first.tokens) == {ADMIN, SIMULATOR, READER, GUEST}
    assert make_credentials(tmp_path) == first
    for path in (first.token_file, first.signing_key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_kubeconfig_has_a_context_for_each_user(tmp_path: Path) -> None:
    tokens = {ADMIN: "a", READER: "r"}

    path = write_kubeconfig(
        tmp_path / "config", url="https://x", ca_file=tmp_path / "ca", tokens=tokens
    )

    config = yaml.safe_load(path.read_text())
    assert [context["name"] for context in config["contexts"]] == [ADMIN, READER]
    assert config["current-context"] == ADMIN
    assert {user["name"]: user["user"]["token"] for user in config["users"]} == tokens


def test_ports_are_different() -> None:
    ports = free_ports()

    assert len({getattr(ports, name) for name in ports.__slots__}) == 5


def test_a_program_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_module, "find_tool", lambda _: None)

    with (
        pytest.raises(ControlPlaneError, match=r"no etcd on PATH or in \.tools/bin; `make tools`"),
        control_plane(tmp_path),
    ):
        pass


def test_a_program_that_ends_is_an_error_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho the disk is full\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(running_module, "find_tool", lambda _: broken)

    with (
        pytest.raises(ControlPlaneError, match=r"etcd ended with code 3(.|\n)*the disk is full"),
        control_plane(tmp_path / "plane"),
    ):
        pass


def test_what_was_started_ends_when_the_one_who_started_it_is_killed(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", STARTS_AND_IS_KILLED, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    pids = [int(pid) for pid in killed.stdout.split()]
    assert len(pids) == 2
    _, alive = psutil.wait_procs(_processes(pids), timeout=60)
    assert alive == []


@pytest.mark.slow
@pytest.mark.real("kube-apiserver")
def test_the_control_plane_answers_its_users_and_leaves_no_process(tmp_path: Path) -> None:
    with control_plane(tmp_path) as plane:
        statuses = {
            ADMIN: _list(plane, plane.tokens[ADMIN], "nodes"),
            SIMULATOR: _list(plane, plane.tokens[SIMULATOR], "nodes"),
            READER: _list(plane, plane.tokens[READER], "nodes"),
            "reader of pods": _list(plane, plane.tokens[READER], "pods"),
            GUEST: _list(plane, plane.tokens[GUEST], "pods"),
            "stranger": _list(plane, "not-a-token", "pods"),
        }
        processes = _processes(plane.pids.values())

    assert statuses == {
        ADMIN: 200,
        SIMULATOR: 200,
        READER: 403,
        "reader of pods": 200,
        GUEST: 403,
        "stranger": 401,
    }
    assert set(plane.pids) == {*PROGRAMS, "guard"}
    assert len(processes) == len(plane.pids)
    assert not any(process.is_running() for process in processes)


@pytest.mark.slow
@pytest.mark.real("kube-apiserver")
def test_a_control_plane_that_is_started_again_has_its_objects(tmp_path: Path) -> None:
    with control_plane(tmp_path) as plane, _client(plane, plane.tokens[ADMIN]) as client:
        created = client.post("/api/v1/namespaces", json={"metadata": {"name": "kept"}})
    with control_plane(tmp_path) as again, _client(again, plane.tokens[ADMIN]) as client:
        read = client.get("/api/v1/namespaces/kept")

    assert (created.status_code, read.status_code) == (201, 200)


def _list(plane: ControlPlane, token: str, plural: str) -> int:
    with _client(plane, token) as client:
        return client.get(f"/api/v1/{plural}").status_code


def _client(plane: ControlPlane, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=plane.url,
        headers={"Authorization": f"Bearer {token}"},
        verify=ssl.create_default_context(cafile=str(plane.ca_file)),
        trust_env=False,
        timeout=30,
    )


def _processes(pids: Iterable[int]) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
