"""Refusals, as the `Status` objects that clients read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ApiError(Exception):
    """A request that is refused.

    Attributes:
        code: HTTP status.
        reason: One of Kubernetes' reasons, such as NotFound.
        message: For people.
        details: What the message is about; empty where nothing is.
        retry_after: Seconds after which to try again; None for no hint.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        self.retry_after = retry_after

    def status(self) -> dict[str, Any]:
        """Return the refusal as the object that goes over the wire."""
        details = dict(self.details)
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        found: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if details:
            found["details"] = details
        return found | {"code": self.code}


def resource_name(plural: str, group: str) -> str:
    """Return how messages call a resource, for example deployments.apps."""
    return f"{plural}.{group}" if group else plural


def not_found(plural: str, group: str, name: str) -> ApiError:
    """Return the refusal of something that is not there."""
    message = f'{resource_name(plural, group)} "{name}" not found'
    return ApiError(404, "NotFound", message, details=_details(plural, group, name))


def already_exists(plural: str, group: str, name: str) -> ApiError:
    """Return the refusal to make something twice."""
    message = f'{resource_name(plural, group)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, details=_details(plural, group, name))


def conflict(plural: str, group: str, name: str, why: str) -> ApiError:
    """Return the refusal of a write that rests on something old."""
    message = f'Operation cannot be fulfilled on {resource_name(plural, group)} "{name}": {why}'
    return ApiError(409, "Conflict", message, details=_details(plural, group, name))


MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


def invalid(kind: str, group: str, name: str, causes: Sequence[tuple[str, str, str]]) -> ApiError:
    """Return the refusal of an impossible object.

    Args:
        kind: For example Deployment.
        group: Of the kind.
        name: Of the object.
        causes: Reason, message and field of each, for example FieldValueRequired.
    """
    said = [f"{field}: {message}" for _, message, field in causes]
    joined = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    called = resource_name(kind, group)
    return ApiError(
        422,
        "Invalid",
        f'{called} "{name}" is invalid: {joined}',
        details={
            "name": name,
            "group": group,
            "kind": kind,
            "causes": [
                {"reason": reason, "message": message, "field": field}
                for reason, message, field in causes
            ],
        },
    )


def bad_request(message: str) -> ApiError:
    """Return the refusal of a request that nobody could answer."""
    return ApiError(400, "BadRequest", message)


def expired(message: str) -> ApiError:
    """Return the refusal of a version that is no longer known."""
    return ApiError(410, "Expired", message)


def not_allowed() -> ApiError:
    """Return the refusal of what this server has not got."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message)


def nowhere() -> ApiError:
    """Return the refusal of a path that leads nowhere."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def _details(plural: str, group: str, name: str) -> dict[str, Any]:
    found = {"name": name, "kind": plural}
    return found | {"group": group} if group else found
