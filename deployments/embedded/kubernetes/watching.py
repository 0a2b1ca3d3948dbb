"""Changes as they happen, one line each, for as long as somebody listens.

A watch keeps its place in the log of its kind and reads on from there whenever something happened, so
that a slow listener costs no memory; one that falls behind what is remembered is told so and ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson

from deployments.embedded.kubernetes.errors import ApiError
from deployments.embedded.kubernetes.forms import Form
from deployments.embedded.kubernetes.requests import Listing, Target
from deployments.embedded.kubernetes.store import Change, Store

BOOKMARK_SECONDS = 15.0
LONGEST_SECONDS = 1800.0
WHOLE = Form()
INITIAL_END = "k8s.io/initial-events-end"


async def lines(
    store: Store, target: Target, wanted: Listing, form: Form = WHOLE
) -> AsyncIterator[bytes]:
    """Yield the lines of a watch, several at once where several are there."""
    shelf, place = store.shelf(target.stored), wanted.version or 0
    loop = asyncio.get_running_loop()
    end = loop.time() + min(wanted.seconds or LONGEST_SECONDS, LONGEST_SECONDS)
    if not place or wanted.initial:
        place = store.version
        yield _there(store, target, wanted, form)
    told_at = loop.time()
    while True:
        waiting = shelf.waiting
        try:
            happened = shelf.since(place)
        except ApiError as error:
            yield b'{"type":"ERROR","object":' + orjson.dumps(error.status()) + b"}\n"
            return
        if happened:
            place = happened[-1].entry.version
            seen = [
                (change, one)
                for one in happened
                if (change := one.seen_by(wanted.labels, wanted.fields, target.namespace))
            ]
            if seen:
                told_at = loop.time()
                yield b"".join(
                    _line(change, form.one(target.kind, one.told(change))) for change, one in seen
                )
            continue
        now = loop.time()
        if now >= end:
            if wanted.bookmarks:
                yield _bookmark(target, store.version)
            return
        if wanted.bookmarks and now - told_at >= BOOKMARK_SECONDS:
            told_at, place = now, max(place, store.version)
            yield _bookmark(target, place)
        try:
            async with asyncio.timeout(min(end - now, BOOKMARK_SECONDS)):
                await waiting.wait()
        except TimeoutError:
            continue


def _there(store: Store, target: Target, wanted: Listing, form: Form) -> bytes:
    """Return what is there as if it had just been added, and that this is all, where that is asked."""
    found = store.list(target.stored, target.namespace, labels=wanted.labels, fields=wanted.fields)
    told = [
        _line(Change.ADDED, form.one(target.kind, entry))
        for entry in sorted(found, key=lambda one: one.version)
    ]
    if wanted.initial:
        told.append(_bookmark(target, store.version, initial=True))
    return b"".join(told)


def _line(change: Change, data: bytes) -> bytes:
    return b'{"type":"' + change.value.encode() + b'","object":' + data + b"}\n"


def _bookmark(target: Target, version: int, *, initial: bool = False) -> bytes:
    metadata: dict[str, object] = {"resourceVersion": str(version)}
    if initial:
        metadata["annotations"] = {INITIAL_END: "true"}
    body = {"kind": target.kind.name, "apiVersion": target.kind.api_version, "metadata": metadata}
    return b'{"type":"BOOKMARK","object":' + orjson.dumps(body) + b"}\n"
