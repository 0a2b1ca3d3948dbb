from __future__ import annotations

import socket
import sys
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from deployments import doctor
from deployments.doctor import Finding, Verdict
from deployments.local import LOOPBACK, Local, UpState


def _found(local: Local, subject: str) -> Finding:
    return next(one for one in doctor.findings(local) if one.subject == subject)


@pytest.fixture
def local(tmp_path: Path) -> Local:
    with socket.socket() as first, socket.socket() as second:
        first.bind((LOOPBACK, 0))
        second.bind((LOOPBACK, 0))
        ports = [probe.getsockname()[1] for probe in (first, second)]
    return Local(home=tmp_path, ui_port=ports[0], aws_port=ports[1])


def test_what_is_there_needs_no_remedy(local: Local) -> None:
    fine = [one for one in doctor.findings(local) if one.verdict is Verdict.OK]

    assert {"Python", "package prefect", "ports"} <= {one.subject for one in fine}
    assert {one.remedy for one in fine} == {""}


def test_everything_that_is_not_there_has_a_remedy(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "find_tool", {}.get)

    tools = [_found(local, name) for name in ("go", "pulumi", "chromium")]

    assert {one.verdict for one in tools} == {Verdict.OPTIONAL}
    assert all(one.remedy for one in tools)


Version = namedtuple("Version", "major minor micro releaselevel serial")


@pytest.mark.parametrize(
    ("minor", "verdict"),
    [(10, Verdict.MISSING), (11, Verdict.OK), (13, Verdict.OK), (14, Verdict.MISSING)],
)
def test_python_fits_from_3_11_to_3_13(
    local: Local, monkeypatch: pytest.MonkeyPatch, minor: int, verdict: Verdict
) -> None:
    monkeypatch.setattr(sys, "version_info", Version(3, minor, 0, "final", 0))

    assert doctor._python().verdict is verdict


def test_a_package_that_is_not_installed_is_missing() -> None:
    assert doctor._package("no_such_package").verdict is Verdict.MISSING


def test_a_folder_of_a_packages_name_is_not_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_a_folder").mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    finding = doctor._package("only_a_folder")

    assert (finding.verdict, finding.remedy) == (Verdict.MISSING, "make venv")


@pytest.mark.parametrize(("gib", "verdict"), [(4.0, Verdict.OK), (3.9, Verdict.OPTIONAL)])
def test_little_memory_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, gib: float, verdict: Verdict
) -> None:
    free = SimpleNamespace(available=int(gib * 2**30))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)

    finding = doctor._memory()

    assert (finding.verdict, finding.detail) == (verdict, f"{gib:.1f} GiB free")


def test_a_port_in_use_means_that_up_would_fail(local: Local) -> None:
    with socket.create_server((LOOPBACK, local.aws_port)):
        finding = _found(local, "ports")

    assert finding.verdict is Verdict.MISSING
    assert f"port {local.aws_port}" in finding.remedy


def test_the_ports_of_the_running_installation_are_its_own(local: Local) -> None:
    me = psutil.Process()
    UpState(pid=me.pid, started_at=me.create_time(), ui_port=1, aws_port=2).write(local.state_file)

    with socket.create_server((LOOPBACK, local.aws_port)):
        assert _found(local, "ports").verdict is Verdict.OK


def test_a_browser_is_found_by_any_of_its_names(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = {"google-chrome": Path("/opt/google-chrome")}
    monkeypatch.setattr(doctor, "find_tool", only.get)

    assert _found(local, "chromium").detail == "/opt/google-chrome"
