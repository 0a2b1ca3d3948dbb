"""The few calls of Prefect's REST API that the command needs.

Importing `prefect` takes a second; the command answers faster without it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

PARAMETERS_REFUSED = (409, 422)
BUSY_PAUSES_SECONDS = (0.5, 1.0, 2.0)
FINAL_STATES = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


class PrefectApiError(Exception):
    """The server refused a request or does not answer."""


class RefusedError(PrefectApiError):
    """The server refused a request.

    Attributes:
        status: HTTP status.
        detail: The server's reason.
    """

    def __init__(self, method: str, path: str, *, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(f"Prefect refused {method} {path} ({status}): {detail}")


class ParametersRefusedError(PrefectApiError):
    """A flow does not take the parameters it was given."""

    def __init__(self, deployment: str, *, reason: str) -> None:
        super().__init__(f"{deployment} {reason}")


class UnknownDeploymentError(PrefectApiError):
    """No deployment has that name."""

    def __init__(self, name: str, *, known: list[str]) -> None:
        super().__init__(
            f"no flow or deployment is called {name!r}; there are: {', '.join(sorted(known))}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRun:
    """One run, as last seen."""

    id: str
    name: str
    state_type: str
    state_name: str
    message: str
    seconds: float
    deployment: str = ""

    @property
    def page(self) -> str:
        """Path of its page in Prefect's UI."""
        return f"/v2/runs/flow-run/{self.id}"

    @property
    def is_final(self) -> bool:
        """Whether the run has ended."""
        return self.state_type in FINAL_STATES

    @property
    def is_waiting(self) -> bool:
        """Whether the run waits for a person."""
        return self.state_type == "PAUSED"

    @property
    def succeeded(self) -> bool:
        """Whether the run ended well."""
        return self.state_type == "COMPLETED"


class PrefectApi:
    """A connection to one Prefect server.

    Args:
        api_url: For example "http://127.0.0.1:4200/api".
    """

    def __init__(self, api_url: str) -> None:
        self._http = httpx.Client(base_url=api_url, timeout=20, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    @property
    def url(self) -> str:
        """Where the server's API is."""
        return str(self._http.base_url).rstrip("/")

    def page_of(self, run: FlowRun) -> str:
        """Return the address of a run's page, for a browser."""
        return self.url.removesuffix("/api") + run.page

    def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            response = self._http.request(method, path, **options)
            for pause in BUSY_PAUSES_SECONDS:
                if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    break
                # Its database was locked: nothing was done, whatever was asked.
                time.sleep(pause)
                response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            message = f"the Prefect server at {self._http.base_url} does not answer: {error}"
            raise PrefectApiError(message) from error
        if response.is_error:
            detail = _detail(response)
            raise RefusedError(method, path, status=response.status_code, detail=detail)
        return response.json() if response.content else None

    def deployments(self) -> dict[str, str]:
        """Return deployment ids by name."""
        return {name: found["id"] for name, found in self._deployments().items()}

    def _deployments(self) -> dict[str, dict[str, Any]]:
        found = self._call("POST", "/deployments/filter", json={"limit": 200})
        return {deployment["name"]: deployment for deployment in found}

    def start_run(self, deployment: str, parameters: dict[str, Any] | None = None) -> FlowRun:
        """Start a run of a deployment.

        Raises:
            UnknownDeploymentError: There is none of that name.
            ParametersRefusedError: A parameter is not what the flow takes.
        """
        known = self._deployments()
        if deployment not in known:
            raise UnknownDeploymentError(deployment, known=list(known))
        given = parameters or {}
        _refuse_unknown(given, known[deployment])
        body = {"parameters": given, "state": {"type": "SCHEDULED"}}
        path = f"/deployments/{known[deployment]['id']}/create_flow_run"
        try:
            run = self._call("POST", path, json=body)
        except RefusedError as error:
            if error.status not in PARAMETERS_REFUSED:
                raise
            reason = error.detail.removeprefix("Error creating flow run: ")
            reason = f"does not take these parameters: {reason}"
            raise ParametersRefusedError(deployment, reason=reason) from error
        return _run(run, deployment=deployment)

    def run(self, run_id: str, *, deployment: str = "") -> FlowRun:
        """Return a run as it stands."""
        return _run(self._call("GET", f"/flow_runs/{run_id}"), deployment=deployment)

    def latest_runs(self, *, limit: int = 20) -> list[FlowRun]:
        """Return the runs that have started, newest first."""
        names = {v: k for k, v in self.deployments().items()}
        body = {
            "sort": "START_TIME_DESC",
            "limit": limit,
            "flow_runs": {"start_time": {"is_null_": False}},
        }
        found = self._call("POST", "/flow_runs/filter", json=body)
        return [_run(run, deployment=names.get(run["deployment_id"], "")) for run in found]

    def newest_of_each(self) -> list[FlowRun]:
        """Return the newest run of each deployment that has started lately, newest first.

        One that runs every few minutes does not push those of once a day out of the list.
        """
        newest: dict[str, FlowRun] = {}
        for run in self.latest_runs(limit=200):
            newest.setdefault(run.deployment, run)
        return list(newest.values())

    def active_runs(self) -> list[FlowRun]:
        """Return the runs that a stopped worker would leave behind."""
        states = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
        found = self._call("POST", "/flow_runs/filter", json={"flow_runs": states, "limit": 200})
        return [_run(run) for run in found]

    def mark_cancelled(self, run: FlowRun, *, reason: str) -> None:
        """Set a run whose process is gone to its final state."""
        state = {"type": "CANCELLED", "name": "Cancelled", "message": reason}
        self._call("POST", f"/flow_runs/{run.id}/set_state", json={"state": state, "force": True})

    def resume(self, run_id: str, answer: dict[str, Any]) -> None:
        """Resume a run that waits for a person, with what its form asks.

        Raises:
            RefusedError: It does not wait, or the form does not take the answer.
        """
        method, path = "POST", f"/flow_runs/{run_id}/resume"
        found = self._call(method, path, json={"run_input": answer})
        if found["status"] != "ACCEPT":
            detail = str((found.get("details") or {}).get("reason") or found)
            raise RefusedError(method, path, status=200, detail=detail)

    def block(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return a block document's fields, secrets masked; None where there is none.

        Args:
            kind: Slug of its type, for example "stack-ledger".
            name: Of the document.
        """
        path = f"/block_types/slug/{kind}/block_documents/name/{name}"
        try:
            found: dict[str, Any] = self._call("GET", path)["data"]
        except RefusedError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return found

    def blocks(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the fields of every document of a type by name, secrets masked."""
        try:
            found = self._call("GET", f"/block_types/slug/{kind}/block_documents")
        except RefusedError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return {}
            raise
        return {document["name"]: document["data"] for document in found}

    def watch(self, run: FlowRun, *, timeout_seconds: float) -> Iterator[FlowRun]:
        """Yield a run each time its state changes, until it ended, waits for a person, or time is up."""
        deadline = time.monotonic() + timeout_seconds
        last = None
        while True:
            run = self.run(run.id, deployment=run.deployment)
            if run.state_name != last:
                last = run.state_name
                yield run
            if run.is_final or run.is_waiting or time.monotonic() > deadline:
                return
            time.sleep(0.5)

    def logs(self, run: FlowRun, *, limit: int = 200) -> list[str]:
        """Return the run's newest log messages, oldest first."""
        body = {
            "logs": {"flow_run_id": {"any_": [run.id]}},
            "sort": "TIMESTAMP_DESC",
            "limit": limit,
        }
        found = self._call("POST", "/logs/filter", json=body)
        return [entry["message"] for entry in reversed(found)]

    def artifacts(self, run: FlowRun) -> list[dict[str, Any]]:
        """Return the artifacts of a run, oldest first, with their data."""
        body = {
            "artifacts": {"flow_run_id": {"any_": [run.id]}},
            "sort": "UPDATED_DESC",
            "limit": 50,
        }
        found: list[dict[str, Any]] = self._call("POST", "/artifacts/filter", json=body)
        return sorted(found, key=lambda artifact: artifact["created"])

    def online_workers(self, pool: str) -> int:
        """Return how many workers of a pool have reported lately."""
        found = self._call("POST", f"/work_pools/{pool}/workers/filter", json={})
        return sum(worker["status"] == "ONLINE" for worker in found)


def _refuse_unknown(parameters: dict[str, Any], deployment: dict[str, Any]) -> None:
    """Refuse now what Prefect lets pass, and what would crash the run before it starts."""
    schema = deployment.get("parameter_openapi_schema") or {}
    taken = schema.get("properties")
    if taken is None:
        return
    unknown = [name for name in parameters if name not in taken]
    if unknown:
        reason = f"has no parameter {unknown[0]!r}; it takes: {', '.join(taken)}"
        raise ParametersRefusedError(deployment["name"], reason=reason)


def _run(data: dict[str, Any], *, deployment: str = "") -> FlowRun:
    state = data.get("state") or {}
    return FlowRun(
        id=data["id"],
        name=data["name"],
        state_type=state.get("type", "SCHEDULED"),
        state_name=state.get("name", "Scheduled"),
        message=state.get("message") or "",
        seconds=float(data.get("total_run_time") or 0.0),
        deployment=deployment,
    )


def _detail(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return response.text[:300]
    detail = body.get("detail") or body.get("exception_detail") or body
    return str(detail)[:600]
