"""What a program registers, without an engine: `python -m tasks.adapters.pulumi.mock_worker`.

A process of its own, like every operation of the engine: the SDK holds one program's settings in
globals, so a second program in the same process would register into the first one's stack. The
request is the first line of stdin, the answer one line of the first stdout.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from pulumi.runtime import mocks, set_all_config
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_pulumi_func

from tasks.adapters.pulumi.worker import run_program

Request = Mapping[str, Any]


class Unanswered(mocks.Mocks):
    """Functions of a provider: without one, nothing they return is known."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        """Return what was asked with; everything else stays unknown."""
        return dict(args.args), None

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Return no id and what was registered; the monitor below does not come here."""
        return None, args.inputs


class Recorder(mocks.MockMonitor):
    """A resource monitor that writes down what is registered.

    What a resource is asked for beyond its inputs is missing in the answer, which the SDK takes for
    "known after apply" in a preview.
    """

    def __init__(self) -> None:
        super().__init__(Unanswered())
        self.registered: list[dict[str, Any]] = []

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Return the engine's URN, in which the stack is no parent."""
        above = parent if "::pulumi:pulumi:Stack::" not in parent else ""
        return super().make_urn(above, type_, name)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name on the wire
        """Record a resource and answer with its own inputs."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type != "pulumi:pulumi:Stack":
            self.registered.append(
                {
                    "urn": urn,
                    "type": request.type,
                    "name": request.name,
                    "id": request.importId or None,
                    "protect": bool(request.protect),
                    "retain": bool(request.retainOnDelete),
                    "ignore": list(request.ignoreChanges),
                    "inputs": json_format.MessageToDict(request.object),
                }
            )
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=request.importId, object=request.object
        )


def main() -> int:
    """Answer one request."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    try:
        answer: dict[str, Any] = {"result": {"registered": registered(request)}}
    except BaseException as error:  # noqa: BLE001 - the edge of the process: all of it is told
        answer = {"error": {"type": type(error).__name__, "message": str(error)}}
    answers.write(json.dumps(answer) + "\n")
    answers.close()
    return 0


def registered(request: Request) -> list[dict[str, Any]]:
    """Return every resource that a program registers, in the order of its calls."""
    # A failed call is told by the exception; the log would tell it once more, as a traceback.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    recorder = Recorder()
    set_all_config({"aws:region": request["region"]})
    mocks.set_mocks(
        Unanswered(),
        project=request["project"],
        stack=request["stack"],
        preview=True,
        monitor=recorder,
    )
    loop.run_until_complete(run_pulumi_func(lambda: run_program(request)))
    return recorder.registered


if __name__ == "__main__":
    sys.exit(main())
