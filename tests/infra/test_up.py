"""`homeostat up` to `homeostat down`, by the real command, on free ports, in a home of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from uuid import uuid4

import httpx
import psutil
import pytest

from deployments.local import LOOPBACK, read_state, supervised_processes, used_ports
from deployments.prefect_api import FINAL_STATES
from tasks.models.degraded import DEGRADED
from tests.support.installation import (
    UP_SECONDS,
    Installation,
    UpInstallation,
    free_port,
    is_free,
    new_installation,
    wait_until,
)

pytestmark = [pytest.mark.slow, pytest.mark.embedded("aws"), pytest.mark.timeout(600)]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Installation]:
    with new_installation(tmp_path / "home") as installation:
        yield installation


def _ports_in_use(installation: Installation) -> list[int]:
    return [port for port, *_ in used_ports(installation.local) if not is_free(port)]


def _awaited_line(process: subprocess.Popen[str], text: str) -> str:
    """Return the first line that has a text; what came before is the reason when none has."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if text in line:
            return line
    pytest.fail(f"ended without {text!r}:\n{''.join(seen)}")


def _pid_when_started(installation: Installation, process: subprocess.Popen[str]) -> int:
    """Return the supervisor's number as soon as it has written it down."""
    wait_until(
        lambda: installation.state() is not None, process=process, timeout_seconds=UP_SECONDS
    )
    state = installation.state()
    assert state is not None
    return state.pid


def test_up_shows_the_first_result_then_where_everything_is_and_how_to_stop(
    installation: UpInstallation,
) -> None:
    output = installation.output

    assert installation.code == 0, output
    order = [
        "Completed forecast-spot-prices",
        f"{installation.local.ui_url}/v2/runs/flow-run/",
        "Spot outlook",
        "Best capacity pools",
        "Completed cluster-usage",
        "resources are used",
        "Completed optimize-costs",
        "can be saved",
        "Opportunities",
        "Completed retrain-models",
        "The first model serves",
        "Completed forecast-load",
        "Load of the next day",
        "Completed publish-scorecard",
        "Forecast scorecard",
        f"UI        {installation.local.ui_url} ",
        f"AWS       {installation.local.aws_url} ",
        "stop      homeostat down",
    ]
    assert all(text in output for text in order), output
    assert sorted(order, key=output.index) == order


def test_everything_listens_on_loopback_only(installation: UpInstallation) -> None:
    listening = [
        connection.laddr
        for process in supervised_processes(installation.local)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    # The engine's own servers listen on the same address by its longer name, while one runs.
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {LOOPBACK}
    ports = {port for port, *_ in used_ports(installation.local)}
    assert ports <= {address.port for address in listening}


def test_nothing_reports_to_anybody(installation: UpInstallation) -> None:
    settings = httpx.get(f"{installation.local.api_url}/admin/settings", trust_env=False).json()
    told_not_to = [
        process.environ().get("DO_NOT_TRACK")
        for process in supervised_processes(installation.local)
    ]

    assert settings["server"]["analytics_enabled"] is False
    assert settings["server"]["ui"]["show_promotional_content"] is False
    assert set(told_not_to) == {"1"}


def test_up_again_starts_nothing_and_shows_what_is_there(installation: UpInstallation) -> None:
    before = installation.state()

    code, output = installation.run("up", "--ui-port", str(free_port()))

    after = installation.state()
    assert code == 0, output
    assert "Already up." in output
    assert f"UI        {installation.local.ui_url} " in output
    assert "started with other options" in output
    assert before is not None
    assert after is not None
    assert (after.pid, after.services) == (before.pid, before.services)


def test_the_foreground_is_refused_where_the_background_has_it(
    installation: UpInstallation,
) -> None:
    code, output = installation.run("up", "--foreground")

    assert code == 1
    assert "`homeostat down` stops it" in output


def test_status_is_there_for_programs_too(installation: UpInstallation) -> None:
    code, output = installation.run("status", "--json")

    facts = json.loads(output)
    assert code == 0
    assert facts["ready"] is True
    assert facts["ui"] == installation.local.ui_url
    assert facts["aws"] == installation.local.aws_url
    services = {"embedded-aws", "cluster", "workloads", "prefect-server", "worker"}
    assert set(facts["services"]) == services
    assert "forecast-spot-prices" in {run["deployment"] for run in facts["runs"]}


def test_a_run_shows_what_it_found_for_its_parameters(installation: UpInstallation) -> None:
    code, output = installation.run("run", "forecast-spot-prices", "need.vcpu=16")

    assert code == 0, output
    assert "For 16 vCPU and 128 GiB" in output
    assert "Best capacity pools" in output


def test_a_model_that_is_told_to_have_degraded_is_trained_again(
    installation: UpInstallation,
) -> None:
    event = {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": DEGRADED,
        "resource": {"prefect.resource.id": "homeostat.model.load-memory"},
        "payload": {"model": "load-memory", "reason": "told by a test"},
    }
    with httpx.Client(base_url=installation.local.api_url, trust_env=False) as server:
        server.post("/events", json=[event]).raise_for_status()
        ended: list[str] = []
        for _ in range(600):
            ended = _ended_runs(server, parameters={"models": ["load-memory"]})
            if ended:
                break
            Event().wait(0.2)

    assert ended == ["COMPLETED"]


def _ended_runs(server: httpx.Client, *, parameters: dict[str, list[str]]) -> list[str]:
    """Return how the runs of `retrain-models` with these parameters ended."""
    of = {"flows": {"name": {"any_": ["retrain-models"]}}}
    runs = server.post("/flow_runs/filter", json=of).raise_for_status().json()
    return [
        run["state_type"]
        for run in runs
        if run["parameters"] == parameters and run["state_type"] in FINAL_STATES
    ]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (
            ("forecast-prices",),
            ["'forecast-prices'", "there are: apply-savings, cluster-usage, forecast-load"],
        ),
        (("forecast-spot-prices", "nede.vcpu=3"), ["no parameter 'nede'", "need,"]),
        (("forecast-spot-prices", "need.vcpu=abc"), ["'need.vcpu'", "'abc' is not of type"]),
        (("forecast-spot-prices", "need.vcpu=0"), ["'need.vcpu'", "minimum of 0"]),
        (("forecast-spot-prices", "regions=[moon-1]"), ["'moon-1'", "'^[a-z]{2}(-[a-z]+)+"]),
        (("forecast-spot-prices", "vcpu"), ["'vcpu'", "need.vcpu=64"]),
    ],
)
def test_what_cannot_be_run_is_refused_by_its_name(
    installation: UpInstallation, words: tuple[str, ...], named: list[str]
) -> None:
    code, output = installation.run("run", *words)

    assert code == 1
    assert output.startswith("not run: ")
    assert [text for text in named if text not in output] == [], output


@pytest.mark.parametrize("option", ["ui_port", "aws_port"])
@pytest.mark.parametrize("more", [(), ("--foreground",)], ids=["background", "foreground"])
def test_a_port_in_use_is_refused_and_nothing_is_started(
    place: Installation, option: str, more: tuple[str, ...]
) -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        occupied = replace(place, local=replace(place.local, **{option: port}))
        code, output = place.run(*occupied.up_words(*more))

    assert code == 1
    assert f"port {port} " in output
    assert f"`--{option.replace('_', '-')} {port + 1}`" in output
    assert place.processes() == []


def test_a_recording_that_cannot_be_read_ends_up_with_its_name_and_no_process(
    place: Installation, tmp_path: Path
) -> None:
    (tmp_path / "prices.csv").write_text("timestamp,price\nyesterday,cheap\n")

    code, output = place.run(*place.up_words("--spot-history", "prices.csv"), cwd=tmp_path)

    assert code == 1
    assert "not up: embedded-aws ended" in output
    assert str(tmp_path / "prices.csv") in output
    assert place.processes() == []
    assert _ports_in_use(place) == []


def test_down_stops_an_installation_that_is_still_starting(place: Installation) -> None:
    with place.start(*place.up_words()) as up:
        _pid_when_started(place, up)
        code, output = place.run("down")
        said, _ = up.communicate(timeout=UP_SECONDS)

    assert (code, output.startswith("stopped ")) == (0, True), output
    assert up.returncode == 1
    assert "not up: the supervisor ended" in said
    assert place.processes() == []


def test_up_tells_at_once_that_its_supervisor_was_killed(place: Installation) -> None:
    with place.start(*place.up_words()) as up:
        os.kill(_pid_when_started(place, up), signal.SIGKILL)
        said, _ = up.communicate(timeout=30)

    assert up.returncode == 1
    assert "not up: the supervisor ended" in said


def test_ctrl_c_ends_a_foreground_that_is_still_starting(place: Installation) -> None:
    with place.start(*place.up_words("--foreground")) as up:
        _awaited_line(up, "starting the embedded cloud")
        up.send_signal(signal.SIGINT)
        said, _ = up.communicate(timeout=60)

    assert (up.returncode, "Traceback" in said) == (0, False), said
    assert place.processes() == []
    assert _ports_in_use(place) == []


def test_what_a_killed_supervisor_leaves_is_found_and_its_runs_are_ended(
    place: Installation,
) -> None:
    with place.start(*place.up_words("--foreground")) as up:
        _awaited_line(up, "forecast-spot-prices")
        with place.api() as api:
            wait_until(lambda: bool(api.active_runs()), process=up, timeout_seconds=UP_SECONDS)
            orphan = api.active_runs()[0]
        up.kill()
        up.wait(timeout=30)
    left = place.processes()
    _, stopped = place.run("down")

    assert len(left) >= 3
    assert stopped.startswith("stopped ")
    assert place.processes() == []
    assert _ports_in_use(place) == []

    with place.start(*place.up_words("--foreground")) as up:
        _awaited_line(up, "forecast-spot-prices")
        with place.api() as api:
            ended = api.run(orphan.id)
            # The next one begins: what was left did not keep its place.
            wait_until(
                lambda: api.latest_runs(limit=1)[0].id != orphan.id,
                process=up,
                timeout_seconds=UP_SECONDS,
            )
        up.send_signal(signal.SIGINT)
        said, _ = up.communicate(timeout=60)

    assert (ended.state_type, "worker was gone" in ended.message) == ("CANCELLED", True)
    assert (up.returncode, "Traceback" in said) == (0, False), said
    state = read_state(place.local)
    assert state is not None
    assert (state.phase, state.services) == ("down", {})
    assert place.processes() == []
    assert _ports_in_use(place) == []
