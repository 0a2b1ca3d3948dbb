"""The benchmark of the cluster, in its quick form: everything that it promises comes out of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import aiohttp
import pytest

from benchmarks.cluster import PROMISED
from benchmarks.cluster_load import Size, created, listed, populate
from benchmarks.cluster_servers import Server, ServerError, answer, embedded_server
from benchmarks.cluster_watch import watched
from benchmarks.harness import Metrics
from benchmarks.results import ROOT
from benchmarks.tables import cluster as tables

pytestmark = [pytest.mark.slow, pytest.mark.embedded("kubernetes")]

SMALL = Size(creates=20, deployments=2, replicas=3, watch_seconds=0.2)


Work = Callable[[Server, aiohttp.ClientSession], Awaitable[Metrics]]


def with_server(work: Work) -> Metrics:
    async def run(server: Server) -> Metrics:
        async with server.session() as session:
            return await work(server, session)

    with embedded_server() as server:
        return asyncio.run(run(server))


@pytest.mark.real("kube-apiserver")
def test_a_quick_run_measures_all_that_is_promised_and_all_that_tables_show() -> None:
    command = [sys.executable, "-m", "benchmarks.cluster", "--quick", "--json"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    shown = [key for _, key, _ in tables.ROWS]
    wanted = [*PROMISED, *shown, *(f"real_{key}" for key in shown)]
    assert [key for key in wanted if found.get(key) is None] == []
    assert found["contract_failures_embedded"] == 0
    assert found["contract_failures_real"] == 0


def test_every_change_of_a_pod_is_read_after_it_was_sent() -> None:
    async def work(server: Server, session: aiohttp.ClientSession) -> Metrics:
        await populate(session, SMALL)
        return await watched(server, session, seconds=0.2)

    found = with_server(work)
    assert found["watch_changes"] == 40.0
    assert 0.0 < (found["watch_lag_ms_p50"] or 0.0) <= (found["watch_lag_ms_max"] or 0.0)


def test_a_list_of_another_number_of_pods_is_no_measurement() -> None:
    with pytest.raises(ServerError, match="a list has 0 pods in place of 6"):
        with_server(partial(listed, pods=6))


def test_a_refused_create_ends_the_measurement() -> None:
    async def work(server: Server, session: aiohttp.ClientSession) -> Metrics:
        await created(server, session, 1, group="same")
        return await created(server, session, 1, group="same")

    with pytest.raises(ExceptionGroup) as found:
        with_server(work)
    assert found.group_contains(ServerError, match="was refused with 409")


def test_memory_and_processor_time_are_those_of_the_server() -> None:
    async def work(server: Server, session: aiohttp.ClientSession) -> Metrics:
        before = server.cpu_seconds()
        for _ in range(50):
            await answer(session, "GET", "/api/v1/namespaces")
        return {"cpu": server.cpu_seconds() - before, "rss": server.rss_mib("server")}

    found = with_server(work)
    assert (found["cpu"] or 0.0) > 0.0
    assert 20.0 < (found["rss"] or 0.0) < 500.0
