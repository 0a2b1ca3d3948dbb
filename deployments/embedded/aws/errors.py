"""Errors as AWS answers them, and what the embedded cloud refuses to start with."""

from __future__ import annotations

from pathlib import Path


class AwsError(Exception):
    """A refusal that the client sees as an error code and a message.

    Args:
        code: As AWS spells it, for example "InvalidParameterValue".
        message: For people.
        status: HTTP status.
    """

    def __init__(self, *, code: str, message: str, status: int = 400) -> None:
        self.code = code
        self.message = message
        self.status = status
        super().__init__(f"{code}: {message}")


def invalid_value(value: object, *, parameter: str, expected: str) -> AwsError:
    """Return EC2's refusal of a parameter's value."""
    message = f"Value ( {value} ) for parameter {parameter} is invalid. {expected}"
    return AwsError(code="InvalidParameterValue", message=message)


class InvalidInputError(Exception):
    """A file or option that the embedded cloud cannot start with."""


class PortInUseError(InvalidInputError):
    """Another program listens on the port, or this one may not."""

    def __init__(self, port: int, reason: str) -> None:
        self.port = port
        super().__init__(
            f"port {port} cannot be used ({reason}); stop the program that uses it "
            "or choose another with --port"
        )


class InvalidFileError(InvalidInputError):
    """A file that is not what it should be.

    Args:
        path: The file.
        reason: What was found and what was expected.
        row: Data row, counted from 1 without the header; None for the file as a whole.
    """

    def __init__(self, path: Path, reason: str, *, row: int | None = None) -> None:
        self.path = path
        self.row = row
        place = str(path) if row is None else f"{path}, row {row}"
        super().__init__(f"{place}: {reason}")
