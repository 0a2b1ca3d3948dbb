"""The two programs that serve a cluster are started, found and ended alike."""

from __future__ import annotations

import gc
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from deployments.local import PROJECT_ROOT
from deployments.local_cluster.kubeconfig import api_client
from tests.support.embedded_kubernetes import served_kubernetes
from tests.support.installation import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SECONDS = 60.0
MODULES = [
    pytest.param("deployments.embedded.kubernetes", marks=pytest.mark.embedded("kubernetes")),
    pytest.param("deployments.control_plane", marks=pytest.mark.real("kube-apiserver")),
]


def _start(module: str, folder: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, "--folder", str(folder), "--port", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=PROJECT_ROOT,
    )


@contextmanager
def _serving(module: str, folder: Path, port: int) -> Iterator[None]:
    with _start(module, folder, port) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(f"cluster ready: https://127.0.0.1:{port}"), line
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, "Traceback" in said) == (0, False), said


@pytest.mark.parametrize("module", MODULES)
def test_a_kubeconfig_goes_on_working_after_a_restart(module: str, tmp_path: Path) -> None:
    folder, kept, port = tmp_path / "cluster", tmp_path / "kept", free_port()

    with _serving(module, folder, port):
        written = folder / "kubeconfig"
        assert written.stat().st_mode & 0o077 == 0
        document = yaml.safe_load(written.read_text())
        assert document["current-context"] == "admin"
        users = {one["name"] for one in document["contexts"]}
        assert users == {"admin", "simulator", "reader", "guest"}
        kept.write_text(written.read_text())
    with _serving(module, folder, port), api_client(kept) as client:
        found = client.get("/api/v1/namespaces").raise_for_status().json()["items"]

    assert "kube-system" in {one["metadata"]["name"] for one in found}


@pytest.mark.parametrize("module", MODULES)
def test_a_port_in_use_is_told_in_one_line(module: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with _start(module, tmp_path / "cluster", port) as process:
            said, _ = process.communicate(timeout=SECONDS)

    assert process.returncode == 2, said
    assert "not started: " in said
    assert str(port) in said
    assert "Traceback" not in said


@pytest.mark.embedded("kubernetes")
def test_a_connection_that_its_client_keeps_open_is_closed_with_the_cluster(tmp_path: Path) -> None:
    with ExitStack() as kept:
        with served_kubernetes(tmp_path) as cluster:
            kept.enter_context(cluster.client()).get("/readyz").raise_for_status()
        # What was left open says so when it is collected, and a warning is an error here.
        gc.collect()
