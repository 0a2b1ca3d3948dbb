"""The real control plane starts here, answers its users, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from deployments.control_plane import running as running_module
from deployments.control_plane.programs import free_ports
from deployments.control_plane.run import PROGRAMS, ControlPlane, control_plane
from deployments.control_plane.running import GUARD, ControlPlaneError
from deployments.local_cluster.credentials import ADMIN, GUEST, READER, SIMULATOR
from deployments.local_cluster.served import client_of
from deployments.tools.families import PROJECT_ROOT

END_SECONDS = 60.0
STARTS_AND_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from deployments.control_plane import running

runs = running.Running(Path(sys.argv[1]), flags={})
runs.launch("sleeper", ["sleep", "300"])
print(*runs.pids.values(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


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
@pytest.mark.parametrize("begun", [GUARD, *PROGRAMS])
def test_killed_at_any_moment_it_leaves_no_process(begun: str, tmp_path: Path) -> None:
    with _begun_program(tmp_path, until=begun) as program:
        known = psutil.Process(program.pid).children(recursive=True)
        program.kill()

    assert _left_in(tmp_path, known) == []


@pytest.mark.slow
@pytest.mark.real("kube-apiserver")
@pytest.mark.parametrize("begun", PROGRAMS)
def test_told_to_end_before_it_is_ready_it_ends_without_a_fault(begun: str, tmp_path: Path) -> None:
    with _begun_program(tmp_path, until=begun) as program:
        known = psutil.Process(program.pid).children(recursive=True)
        program.send_signal(signal.SIGTERM)
        said, _ = program.communicate(timeout=END_SECONDS)

    assert (program.returncode, said) == (0, "")
    assert _left_in(tmp_path, known) == []


@pytest.mark.slow
@pytest.mark.real("kube-apiserver")
def test_a_program_that_ends_ends_the_others(tmp_path: Path) -> None:
    with _begun_program(tmp_path, until="") as program:
        assert program.stdout is not None
        assert program.stdout.readline().startswith("cluster ready: https://")
        known = psutil.Process(program.pid).children(recursive=True)
        next(one for one in known if one.name() == "kube-scheduler").kill()
        said, _ = program.communicate(timeout=END_SECONDS)

    assert program.returncode == 1
    assert said == f"kube-scheduler ended; its log is in {tmp_path}\n"
    assert _left_in(tmp_path, known) == []


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


@pytest.mark.real(*PROGRAMS)
@pytest.mark.slow
def test_etcd_speaks_with_nobody_but_the_api_server(tmp_path: Path) -> None:
    with control_plane(tmp_path) as plane:
        listening = [
            one.laddr.port
            for one in psutil.Process(plane.pids["etcd"]).net_connections("inet")
            if one.status == psutil.CONN_LISTEN
        ]
        answers = []
        for port in listening:
            for scheme in ("http", "https"):
                with pytest.raises(httpx.HTTPError) as refused:
                    httpx.post(
                        f"{scheme}://127.0.0.1:{port}/v3/kv/range", json={"key": "Lw=="},
                        verify=False, trust_env=False,  # noqa: S501 - whoever it is
                    ).raise_for_status()  # fmt: skip
                answers.append(refused)

    assert len(answers) == 4


@pytest.mark.slow
@pytest.mark.real("kube-apiserver")
def test_a_control_plane_that_is_started_again_has_its_objects(tmp_path: Path) -> None:
    with control_plane(tmp_path) as plane, plane.client() as client:
        created = client.post("/api/v1/namespaces", json={"metadata": {"name": "kept"}})
    with control_plane(tmp_path) as again, again.client() as client:
        read = client.get("/api/v1/namespaces/kept")

    assert (created.status_code, read.status_code) == (201, 200)


@contextmanager
def _begun_program(folder: Path, *, until: str) -> Iterator[subprocess.Popen[str]]:
    """Start `python -m deployments.control_plane`, and go on as soon as one of its logs is there."""
    command = [sys.executable, "-m", "deployments.control_plane", "--folder", str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=PROJECT_ROOT
    ) as program:
        try:
            while until and not (folder / f"{until}.log").exists():
                assert program.poll() is None, program.communicate()
                time.sleep(0.001)
            yield program
        finally:
            program.kill()


def _left_in(folder: Path, known: list[psutil.Process]) -> list[list[str]]:
    """Return the command lines of processes that are still there, also such as nobody knew of."""
    psutil.wait_procs(known, timeout=END_SECONDS)
    deadline = time.monotonic() + END_SECONDS
    while (left := _with_word(str(folder))) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left + [one.cmdline() for one in known if one.is_running()]


def _with_word(part: str) -> list[list[str]]:
    commands = [one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])]
    return [command for command in commands if any(part in word for word in command)]


def _list(plane: ControlPlane, token: str, plural: str) -> int:
    with client_of(plane.url, ca_file=plane.ca_file, token=token) as client:
        return client.get(f"/api/v1/{plural}").status_code


def _processes(pids: Iterable[int]) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
