"""Refusals, as the `Status` objects that clients read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ApiError(Exception):
    """A request that is refused.

    Attributes:
        code: HTTP status.
        reason: One of Kubernetes' reasons, such as NotFound; empty where it has none.
        message: For people.
        details: What the message is about; empty where nothing is.
        tells_details: Whether they are told even where there are none.
        retry_after: Seconds after which to try again; None for no hint.
        plain: Whether it is told as text instead of an object.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
        plain: bool = False,
        tells_details: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        self.retry_after = retry_after
        self.plain = plain
        self.tells_details = tells_details

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
        }
        if self.reason:
            found["reason"] = self.reason
        if details or self.tells_details:
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
    called, about = resource_name(kind, group), {"name": name, "group": group, "kind": kind}
    return ApiError(
        422,
        "Invalid",
        f'{called} "{name}" is invalid: {joined}',
        details={key: value for key, value in about.items() if value}
        | {
            "causes": [
                {"reason": reason, "message": message, "field": field}
                for reason, message, field in causes
            ],
        },
    )


def bad_request(message: str) -> ApiError:
    """Return the refusal of a request that nobody could answer."""
    return ApiError(400, "BadRequest", message)


def unexplained(message: str) -> ApiError:
    """Return the refusal of what Kubernetes has no code for."""
    return ApiError(500, "", message)


def expired(message: str) -> ApiError:
    """Return the refusal of a version that is no longer known."""
    return ApiError(410, "Expired", message)


def too_new(wanted: int, there: int) -> ApiError:
    """Return the refusal of a version that is still to come."""
    message = f"Timeout: Too large resource version: {wanted}, current: {there}"
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return ApiError(504, "Timeout", message, details={"causes": [cause]}, retry_after=1)


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


def no_page() -> ApiError:
    """Return the refusal of a path that no group has."""
    return ApiError(404, "NotFound", "404 page not found", plain=True)


def invalid_options(options: str, *causes: tuple[str, str]) -> ApiError:
    """Return the refusal of parameters.

    Args:
        options: Kind of the parameters, for example ListOptions.
        causes: Name and what is wrong with it.
    """
    said = ", ".join(f"{name}: {message}" for name, message in causes)
    told = said if len(causes) == 1 else f"[{said}]"
    called = f"{options}.meta.k8s.io"
    details = {
        "group": "meta.k8s.io",
        "kind": options,
        "causes": [
            {"reason": _reason(message), "message": message, "field": name}
            for name, message in causes
        ],
    }
    return ApiError(422, "Invalid", f'{called} "" is invalid: {told}', details=details)


_REASONS = {
    "Required value": "FieldValueRequired",
    "Forbidden": "FieldValueForbidden",
    "Unsupported value": "FieldValueNotSupported",
}


def _reason(message: str) -> str:
    return _REASONS.get(message.partition(":")[0], "FieldValueInvalid")
