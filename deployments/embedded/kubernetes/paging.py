"""Lists in pages: later pages show what was there when the first one was asked for."""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from deployments.embedded.kubernetes.errors import bad_request, expired
from deployments.embedded.kubernetes.store import Entry

FORMAT = "meta.k8s.io/v1"
KEPT = 32
"""Lists that are kept for their next pages, at most."""
KEPT_ENTRIES = 30_000
"""Objects in all of them, besides the newest: each may hold versions that nobody else holds any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list.

    Attributes:
        entries: In the order of their keys.
        version: Of the whole list.
        token: Of the next page; empty on the last one.
        remaining: After this page; None on the last one.
    """

    entries: Sequence[Entry]
    version: int
    token: str = ""
    remaining: int | None = None


@dataclass(slots=True)
class Pages:
    """Lists of which pages are still to come."""

    _kept: OrderedDict[int, tuple[int, list[Entry]]] = field(default_factory=OrderedDict)
    _count: int = 0

    def first(self, entries: list[Entry], *, version: int, limit: int) -> Page:
        """Return the first page of a list, at most `limit` long; 0 is no limit."""
        if not limit or len(entries) <= limit:
            return Page(entries=entries, version=version)
        self._count += 1
        self._kept[self._count] = (version, entries)
        while len(self._kept) > KEPT or (len(self._kept) > 1 and self._size() > KEPT_ENTRIES):
            self._kept.popitem(last=False)
        return self._page(self._count, begin=0, limit=limit)

    def _size(self) -> int:
        return sum(len(entries) for _, entries in self._kept.values())

    def next(self, token: str, *, limit: int) -> Page:
        """Return the page of a token.

        Raises:
            ApiError: 400 for what is no token, 410 for one whose list is no longer kept.
        """
        try:
            found = orjson.loads(base64.urlsafe_b64decode(token.encode() + b"=="))
            number, begin, version = (int(found[key]) for key in ("list", "begin", "rv"))
        except (binascii.Error, ValueError, KeyError, TypeError) as error:
            message = f"invalid continue token: continue key is not valid: {error}"
            raise bad_request(message) from error
        # The lists of a server before this one had the same numbers.
        if self._kept.get(number, (None,))[0] != version:
            msg = (
                "The provided continue parameter is too old to display a consistent list result. "
                "You can start a new list without the continue parameter."
            )
            raise expired(msg)
        return self._page(number, begin=begin, limit=limit)

    def _page(self, number: int, *, begin: int, limit: int) -> Page:
        version, entries = self._kept[number]
        end = min(begin + (limit or len(entries)), len(entries))
        if end == len(entries):
            return Page(entries=entries[begin:end], version=version)
        said = {"v": FORMAT, "rv": version, "list": number, "begin": end}
        token = base64.urlsafe_b64encode(orjson.dumps(said))
        return Page(
            entries=entries[begin:end],
            version=version,
            token=token.decode().rstrip("="),
            remaining=len(entries) - end,
        )
