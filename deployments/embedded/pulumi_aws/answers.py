"""How the engine is told what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Never

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from deployments.embedded.pulumi_aws.errors import StandInError, UnfinishedError, told

FAILURES = (StandInError, ClientError, BotoCoreError, ValueError, OSError)
"""What is told to the engine in words; anything else is a fault of the stand-in."""


@contextmanager
def answering(context: Any, what: str) -> Iterator[None]:
    """Tell the engine in words what fails in the block.

    Args:
        context: Of the call.
        what: Was asked for, as the message begins.
    """
    try:
        yield
    except UnfinishedError as error:
        _abort_unfinished(context, error, what)
    except FAILURES as error:
        abort(context, grpc.StatusCode.UNKNOWN, f"{what}: {told(error)}")


def abort(context: Any, code: Any, message: str) -> Never:
    """End the call with an error."""
    context.abort(code, message)
    raise AssertionError(message)  # abort has raised


def _abort_unfinished(context: Any, error: UnfinishedError, what: str) -> Never:
    """Tell the engine the id of what was made, so that it stands in the state."""
    detail = any_pb2.Any()
    detail.Pack(provider_pb2.ErrorResourceInitFailed(id=error.identity, reasons=[str(error)]))
    message = f"{what}: made as {error.identity}, and then: {error}"
    status = status_pb2.Status(code=2, message=message, details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    abort(context, grpc.StatusCode.UNKNOWN, message)
