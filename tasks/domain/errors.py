"""Errors, split by what the caller does next: retry, or stop and report."""

from __future__ import annotations


class InfraError(Exception):
    """Anything Homeostat raises on purpose."""


class TransientError(InfraError):
    """The same call may succeed later: retry."""


class PermanentError(InfraError):
    """The same call will fail again: stop and report."""


class InsufficientHistoryError(PermanentError):
    """There is too little recorded history for the decision asked for."""

    def __init__(self, *, found_hours: int, needed_hours: int, subject: str) -> None:
        self.found_hours = found_hours
        self.needed_hours = needed_hours
        super().__init__(
            f"{subject}: found {found_hours} h of history, needs at least {needed_hours} h; "
            "widen the window or wait until more has been recorded"
        )
