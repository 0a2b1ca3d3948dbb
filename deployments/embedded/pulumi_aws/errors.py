"""Why the stand-in does not do something."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError


class StandInError(Exception):
    """A refusal whose text is for the person in front of the engine."""


class NotLoopbackError(StandInError):
    """The endpoint is not on this machine: the stand-in is not made for a real account."""

    def __init__(self, endpoint: str | None) -> None:
        self.endpoint = endpoint
        found = (
            "AWS_ENDPOINT_URL is not set, so calls would go to AWS"
            if endpoint is None
            else f"AWS_ENDPOINT_URL is {endpoint!r}"
        )
        super().__init__(
            f"{found}; the stand-in for the AWS provider acts on an embedded account on loopback "
            "only. For a real account install the official provider, `pulumi plugin install "
            "resource aws`, and take the stand-in's folder from PATH."
        )


class UnknownTypeError(StandInError):
    """A resource type or function that the stand-in does not have."""

    def __init__(self, token: str, known: str) -> None:
        self.token = token
        super().__init__(
            f"{token} is not embedded; there are {known}. Install the official AWS provider for "
            "everything else."
        )


class UnfinishedError(StandInError):
    """A resource that was made, and whose making then failed on the way.

    Attributes:
        identity: In the account.
    """

    def __init__(self, identity: str, reason: str) -> None:
        self.identity = identity
        super().__init__(reason)


class InjectedError(StandInError):
    """An error on purpose."""


def told(error: Exception) -> str:
    """Return an error in words: which operation AWS refused, and why."""
    if isinstance(error, ClientError):
        found = error.response["Error"]
        return f"{error.operation_name}: {found.get('Code')}: {found.get('Message')}"
    if isinstance(error, BotoCoreError):
        return f"the embedded account could not be asked: {error}"
    return str(error)


def is_code(error: ClientError, *codes: str) -> bool:
    """Return whether AWS refused with one of some codes; "*.NotFound" stands for all of EC2's."""
    code = error.response["Error"].get("Code", "")
    return any(code.endswith(each[1:]) if each[0] == "*" else code == each for each in codes)
