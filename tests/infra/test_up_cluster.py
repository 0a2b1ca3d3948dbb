"""The cluster that `homeostat up` brings: looked at by kubectl, asked by PromQL, broken and mended."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.local import REAL
from deployments.local_cluster.kubeconfig import api_client
from tests.contract.kubectl import Kubectl
from tests.support.installation import (
    UP_SECONDS,
    Installation,
    UpInstallation,
    new_installation,
)
from tests.support.played_cluster import DEPLOYMENTS, SHOP, eventually
from tests.support.reality import ToolPath

pytestmark = [pytest.mark.slow, pytest.mark.embedded("kubernetes"), pytest.mark.timeout(600)]

SECONDS = 120.0
DAY_SECONDS = 86_400


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Installation]:
    with new_installation(tmp_path / "home") as installation:
        yield installation


def _kubectl(program: Path, installation: Installation, home: Path) -> Kubectl:
    assert installation.local.kubeconfig is not None
    return Kubectl(
        program=program, kubeconfig=installation.local.kubeconfig, namespace="shop", home=home
    )


def _query(installation: Installation, query: str, **range_: float) -> Any:
    address = f"{installation.local.prometheus_url}/api/v1/query{'_range' if range_ else ''}"
    answer = httpx.get(address, params={"query": query, **range_}, trust_env=False)
    return answer.raise_for_status().json()["data"]["result"]


def test_up_shows_the_workloads_and_how_to_reach_them(installation: UpInstallation) -> None:
    assert "39 of 39 pods ready, 6 of 6 nodes, faults: none" in installation.output
    assert f"export KUBECONFIG={installation.local.kubeconfig}" in installation.output
    assert f"metrics   {installation.local.prometheus_url} " in installation.output
    assert "break cart memory-demand" in installation.output


@pytest.mark.real("kubectl")
def test_kubectl_sees_the_shop(
    installation: UpInstallation, tool_path: ToolPath, tmp_path: Path
) -> None:
    kubectl = _kubectl(tool_path("kubectl"), installation, tmp_path)

    pods = kubectl("get", "pods").out.splitlines()
    nodes = kubectl("get", "nodes").out.splitlines()

    assert len(pods) == 1 + 39
    assert {line.split()[1:3] == ["1/1", "Running"] for line in pods[1:]} == {True}
    assert {line.split()[1] for line in nodes[1:]} == {"Ready"}


def test_prometheus_knows_a_day_whose_load_has_a_shape(installation: UpInstallation) -> None:
    now = time.time()
    query = 'sum(rate(http_requests_total{namespace="shop",pod=~"web-.*"}[10m]))'

    (found,) = _query(installation, query, start=now - DAY_SECONDS + 3600, end=now, step=600)

    values = [float(value) for _, value in found["values"]]
    assert len(values) > 130
    assert min(values) > 0
    assert max(values) > 1.5 * min(values)
    # What was there before the start goes on where it ended.
    assert abs(values[-1] - values[-3]) < 0.3 * values[-3]


def test_blocks_name_the_cluster_and_its_prometheus(installation: UpInstallation) -> None:
    with installation.api() as api:
        cluster = api.block("homeostat-kubernetes-cluster", "homeostat")
        prometheus = api.block("prometheus-server", "homeostat")

    assert cluster is not None
    assert cluster["kubeconfig_path"] == str(installation.local.kubeconfig)
    assert prometheus is not None
    assert prometheus["url"] == f"{installation.local.prometheus_url}/"


def test_a_workload_is_broken_seen_to_fail_and_mended(installation: UpInstallation) -> None:
    def workload() -> dict[str, Any]:
        code, output = installation.run("workloads", "--json")
        assert code == 0, output
        found: dict[str, Any] = json.loads(output)["workloads"]["shop/reports"]
        return found

    code, output = installation.run("break", "reports", "memory-demand", "factor=6")
    assert code == 0, output
    assert "undo   homeostat mend reports-memory-demand" in output

    assert installation.local.kubeconfig is not None
    with api_client(installation.local.kubeconfig) as api:

        def is_killed() -> bool:
            selector = {"labelSelector": "app.kubernetes.io/name=reports"}
            pods = api.get(f"{SHOP}/pods", params=selector).json()["items"]
            states = [one["status"]["containerStatuses"][0] for one in pods]
            ends = [one["lastState"].get("terminated") or {} for one in states]
            return any(one.get("reason") == "OOMKilled" for one in ends)

        assert eventually(is_killed, seconds=SECONDS)
        assert "reports-memory-demand" in installation.run("faults")[1]

        code, output = installation.run("mend", "reports")
        assert (code, output.strip()) == (0, "withdrawn: reports-memory-demand")
        assert "no fault is in force" in installation.run("faults")[1]

        def is_well() -> bool:
            status = api.get(f"{DEPLOYMENTS}/reports").json()["status"]
            return bool(status.get("availableReplicas") == 2)

        assert eventually(is_well, seconds=SECONDS)
    assert workload()["ready"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("break", "cart", "sabotage"), "nothing broken: 'sabotage' is no kind of fault"),
        (("break", "cart", "slowdown", "factor"), "'factor' is not of the form key=value"),
        (("break", "till", "slowdown"), "'till' is not there; there are shop/web"),
        (("mend", "till"), "no fault 'till' is in force; in force are: "),
        (("mend",), "name faults, or say --all"),
    ],
)
def test_what_cannot_be_broken_or_mended_is_refused_by_its_name(
    installation: UpInstallation, words: tuple[str, ...], said: str
) -> None:
    code, output = installation.run(*words)

    assert code == 1
    assert said in output


def test_kinds_of_faults_are_listed_with_examples(installation: UpInstallation) -> None:
    code, output = installation.run("faults", "--kinds", "--json")

    assert code == 0
    found = json.loads(output)
    assert len(found["faults"]) >= 25
    assert len(found["mistakes"]) >= 8


@pytest.mark.parametrize(
    ("said", "named"),
    [("docker", "'docker' is neither embedded, real or none"), ("/no/such", "'/no/such'")],
)
def test_a_cluster_that_is_none_is_refused(place: Installation, said: str, named: str) -> None:
    code, output = place.run("up", "--cluster", said)

    assert code == 1
    assert named in output
    assert place.processes() == []


@pytest.mark.real("kube-apiserver")
def test_the_shop_runs_on_the_real_control_plane(place: Installation) -> None:
    with_real = replace(place, local=replace(place.local, cluster=REAL))
    with with_real.start(*with_real.up_words("--foreground")) as up:
        assert eventually(lambda: _has_ended(up) or _is_well(with_real), seconds=UP_SECONDS)
        well = _is_well(with_real)
        up.send_signal(signal.SIGINT)
        said, _ = up.communicate(timeout=60)

    assert well, said
    assert (up.returncode, "Traceback" in said) == (0, False), said
    assert with_real.processes() == []


def _has_ended(process: subprocess.Popen[str]) -> bool:
    return process.poll() is not None


def _is_well(installation: Installation) -> bool:
    code, output = installation.run("workloads", "--json")
    return code == 0 and json.loads(output)["pods"].get("ready") == 39
