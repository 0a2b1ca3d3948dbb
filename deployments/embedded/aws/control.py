"""The embedded cloud's own addresses: health, and faults at run time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from deployments.embedded.aws.calls import Environ
from deployments.embedded.aws.faults import FaultPlan, InvalidFaultError, fault_rules
from deployments.embedded.aws.wire import Reply

CONTROL_PREFIX = "/_homeostat/"


class Control:
    """Answers `GET /_homeostat/health` and GET, PUT and DELETE `/_homeostat/faults`.

    Args:
        faults: The plan that PUT and DELETE change.
        health: What is to be said of the state.
    """

    def __init__(self, *, faults: FaultPlan, health: Callable[[], Mapping[str, Any]]) -> None:
        self._faults = faults
        self._health = health

    def answer(self, environ: Environ) -> Reply:
        """Answer one request."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(CONTROL_PREFIX)
        if (method, path) == ("GET", "health"):
            return _json(self._health())
        if path == "faults":
            return self._answer_faults(method, environ)
        return _json({"error": f"{method} {environ['PATH_INFO']} does not exist"}, status=404)

    def _answer_faults(self, method: str, environ: Environ) -> Reply:
        if method == "PUT":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            try:
                self._faults.replace(fault_rules(yaml.safe_load(body)))
            except (InvalidFaultError, yaml.YAMLError) as error:
                return _json({"error": str(error)}, status=400)
        elif method == "DELETE":
            self._faults.replace(())
        elif method != "GET":
            return _json({"error": f"{method} is not GET, PUT or DELETE"}, status=405)
        return _json(self._faults.describe())


def _json(content: Any, *, status: int = 200) -> Reply:
    body = json.dumps(content, default=str).encode()
    return Reply(body=body, status=status, headers={"Content-Type": "application/json"})
