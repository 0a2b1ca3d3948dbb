"""Pages of a list, with tokens that belong to one query."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from deployments.embedded.aws.errors import AwsError

T = TypeVar("T")


def page_of(
    rows: Sequence[T], *, query: Mapping[str, Any], token: str | None, limit: int, code: str
) -> tuple[Sequence[T], str | None]:
    """Return one page and the token of the next; None after the last.

    Args:
        rows: All of them, in the same order for every page.
        query: What was asked, without token and page size.
        token: Of the page; empty or None for the first.
        limit: Rows on a page, at least 1.
        code: Of the refusal of a token.

    Raises:
        AwsError: The token is none of ours, or of another query.
    """
    digest = zlib.crc32(json.dumps(query, sort_keys=True, default=str).encode())
    first = _offset(token, digest, code) if token else 0
    end = first + limit
    return rows[first:end], _token(digest, end) if end < len(rows) else None


def _token(digest: int, offset: int) -> str:
    # The plain alphabet: these services' tokens have no - or _.
    return base64.b64encode(json.dumps([digest, offset]).encode()).decode()


def _offset(token: str, digest: int, code: str) -> int:
    try:
        found, offset = json.loads(base64.b64decode(token.encode(), validate=True))
    except (binascii.Error, ValueError, TypeError) as error:
        raise AwsError(code=code, message="The pagination token is invalid.") from error
    if found != digest or not isinstance(offset, int) or offset < 0:
        message = "The pagination token belongs to a request with other parameters."
        raise AwsError(code=code, message=message)
    return offset
