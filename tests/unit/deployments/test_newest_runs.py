"""What `status` shows: the last run of each flow, however often others ran since."""

from __future__ import annotations

import json
from typing import Any

import httpx

from deployments.prefect_api import PrefectApi

ADDRESS = "http://127.0.0.1:4200/api"
DEPLOYMENTS = [{"id": "s", "name": "settle-stacks"}, {"id": "f", "name": "forecast-load"}]


def run(at: int, deployment: str) -> dict[str, Any]:
    return {
        "id": f"run-{at}",
        "name": f"run {at}",
        "state": {"type": "COMPLETED", "name": "Completed", "message": ""},
        "state_type": "COMPLETED",
        "state_name": "Completed",
        "total_run_time": 1.0,
        "deployment_id": deployment,
    }


def test_a_flow_that_runs_often_hides_no_other() -> None:
    newest_first = [*(run(at, "s") for at in range(40)), run(40, "f"), run(41, "s")]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/deployments/filter"):
            return httpx.Response(200, json=DEPLOYMENTS)
        return httpx.Response(200, json=newest_first[: json.loads(request.content)["limit"]])

    with PrefectApi(ADDRESS) as api:
        api._http = httpx.Client(base_url=ADDRESS, transport=httpx.MockTransport(answer))
        shown = [(one.deployment, one.id) for one in api.newest_of_each()]

    assert shown == [("settle-stacks", "run-0"), ("forecast-load", "run-40")]
