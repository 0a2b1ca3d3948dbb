"""Operations that answer in pages, read to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tasks.adapters.aws import translated


def items(
    call: Callable[..., Any],
    key: str,
    *,
    operation: str,
    region: str,
    arguments: Mapping[str, Any] | None = None,
    token: tuple[str, str] = ("NextToken", "NextToken"),
) -> Iterator[Any]:
    """Yield what stands under a key of every page.

    Args:
        call: A method of a boto3 client.
        key: For example "Reservations".
        operation: As in an IAM policy, for errors.
        region: Where it is sent, for errors.
        arguments: Of every call.
        token: Names of the token that a call takes and that a page brings.

    Raises:
        TransientError: A page was throttled or failed more often than the client retries.
        PermanentError: The service refused the request.
    """
    taken, brought = token
    sent = dict(arguments or {})
    while True:
        with translated(operation, region=region):
            page = call(**sent)
        yield from page[key]
        if not page.get(brought):
            return
        sent[taken] = page[brought]
