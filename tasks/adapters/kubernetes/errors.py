"""What a cluster refuses, as errors that say what to do next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tasks.domain.errors import PermanentError, TransientError


class ClusterUnreachableError(TransientError):
    """The cluster does not answer, or breaks off.

    Attributes:
        retry_after_seconds: That it asks for; None for no hint.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class ThrottledError(TransientError):
    """The cluster asks for patience.

    Attributes:
        retry_after_seconds: That it asks for; None for no hint.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class EvictionRefusedError(TransientError):
    """A disruption budget has nothing left right now."""


class StaleWriteError(TransientError):
    """The object changed since it was read: read it again, and decide again."""


class OwnedByOthersError(PermanentError):
    """Somebody else has set these fields to something else.

    Attributes:
        causes: What the server says, one a field.
    """

    def __init__(self, message: str, *, causes: tuple[str, ...]) -> None:
        self.causes = causes
        super().__init__(message)


class ExpiredError(TransientError):
    """The version, or the next page, is no longer known: list again."""


class NotThereError(PermanentError):
    """There is no such object, or no such kind."""


class ForbiddenError(PermanentError):
    """The role that we have does not allow it."""


class RefusedError(PermanentError):
    """The cluster refuses the request as it is.

    Attributes:
        code: HTTP status.
        reason: In Kubernetes' words, for example Invalid.
    """

    def __init__(self, message: str, *, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(message)


def refusal(code: int, body: bytes | str, headers: Mapping[str, str]) -> Exception:
    """Return the error of an answer that is no success.

    Args:
        code: HTTP status, 300 or more: a redirect is somebody's login page, not a cluster.
        body: As it came; a `Status` object where the server itself answered.
        headers: Of the answer.
    """
    return _refusal(code, _status(body), headers)


def watch_refusal(status: Mapping[str, Any]) -> Exception:
    """Return the error that a watch ends with.

    Args:
        status: Object of an event ERROR; its code is the one that an answer would have.
    """
    code = status.get("code")
    return _refusal(code if isinstance(code, int) and code >= 400 else 500, status, {})


def _refusal(code: int, status: Mapping[str, Any], headers: Mapping[str, str]) -> Exception:
    message = f"{status.get('message') or 'no reason given'} (HTTP {code})"
    reason, details = status.get("reason", ""), status.get("details") or {}
    causes = tuple(one.get("message", "") for one in details.get("causes") or ())
    match code:
        case 404:
            return NotThereError(message)
        case 401 | 403:
            return ForbiddenError(f"{message}; see the roles in deployments/")
        case 409 if any(one.startswith("conflict with") for one in causes):
            return OwnedByOthersError(message, causes=causes)
        case 409 if reason != "AlreadyExists":
            return StaleWriteError(message)
        case 410:
            return ExpiredError(message)
        case 429 if "disruption budget" in message:
            return EvictionRefusedError(message)
        case 429:
            return ThrottledError(message, retry_after_seconds=_retry_after(headers, details))
        case _ if code >= 500:
            after = _retry_after(headers, details)
            return ClusterUnreachableError(message, retry_after_seconds=after)
    return RefusedError(message, code=code, reason=reason)


def _retry_after(headers: Mapping[str, str], details: Mapping[str, Any]) -> float | None:
    # Inside a watch there is no header; a Status says it too, with zero for no hint.
    said = headers.get("Retry-After") or str(details.get("retryAfterSeconds") or "")
    return float(said) if said.isdigit() else None


def _status(body: bytes | str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        text = body.decode(errors="replace") if isinstance(body, bytes) else body
        return {"message": text.strip()[:300]}
    return found if isinstance(found, dict) else {}
