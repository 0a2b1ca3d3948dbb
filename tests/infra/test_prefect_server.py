"""The Prefect server that tests share is private, shared, and quick to run flows against."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings

from tests.support.shared_server import PrefectServer

pytestmark = pytest.mark.slow


@flow(name="answer")
def _answer() -> int:
    return 42


def test_a_flow_run_is_recorded_by_the_server_of_the_session(
    prefect_server: PrefectServer,
) -> None:
    run_id = _answer(return_state=True).state_details.flow_run_id
    assert run_id is not None

    with get_client(sync_client=True) as client:
        assert str(client.api_url).rstrip("/") == prefect_server.api_url
        run = client.read_flow_run(run_id)
    assert run.state is not None
    assert run.state.is_completed()


@pytest.mark.usefixtures("prefect_server")
def test_flows_of_tests_have_no_heartbeat_to_wait_for() -> None:
    assert get_current_settings().flows.heartbeat_frequency is None


def test_no_file_of_the_person_who_runs_the_tests_is_used(prefect_server: PrefectServer) -> None:
    home = Path(os.environ["PREFECT_HOME"])

    assert home.parent == Path(prefect_server.log).parent
    assert get_current_settings().home == home
    assert os.environ["PREFECT_API_URL"] == prefect_server.api_url


def test_the_server_sends_no_telemetry(prefect_server: PrefectServer) -> None:
    settings = httpx.get(f"{prefect_server.api_url}/admin/settings", trust_env=False).json()

    assert settings["server"]["analytics_enabled"] is False
