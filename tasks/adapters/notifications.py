"""Messages to people by whatever notification blocks they set up; a deaf receiver stops nothing."""

from __future__ import annotations

import asyncio
import re
import smtplib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any
from urllib.parse import quote, unquote

import httpx
from prefect.blocks.abstract import NotificationBlock, NotificationError
from prefect.blocks.core import Block
from prefect.exceptions import ObjectNotFound
from pydantic import SecretBytes, SecretStr

# Prefect knows a block's class only when its module has been imported.
from blocks.notifications import EmailNotification
from tasks.domain.stacks.shown import plain

__all__ = ["Delivery", "EmailNotification", "deliver", "notify"]

PAUSES_SECONDS = (0.5, 2.0)
MOST_REASON = 300
SHORTEST_SECRET = 4
"""Parts of a secret that are shorter are in every text."""
REDACTED = "***"
ADDRESS = re.compile(
    r"(?P<place>[a-z][a-z0-9+.-]*://)(?:[^\s/@]*@)?(?P<host>[^\s/?#'\"]*)[^\s'\"]*", re.I
)
SECRET_PLACES = ("url", "headers", "cookies", "params", "json_data", "form_data")
"""Fields of Prefect's own blocks in which people put tokens although they are no secrets there."""
NOT_AGAIN = range(400, 500)
BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a message at one receiver.

    Attributes:
        block: "type/name".
        delivered: The receiver took it.
        attempts: How often it was tried; 0 where the block could not be loaded.
        reason: Why it was not taken, without a secret; empty where it was.
    """

    block: str
    delivered: bool
    attempts: int
    reason: str = ""


def notify(
    blocks: Sequence[str],
    *,
    subject: str,
    body: str,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[Delivery, ...]:
    """Return what became of a message at each receiver; nothing that goes wrong is raised.

    Args:
        blocks: As "type/name", for example "slack-webhook/ops"; each once.
        subject: One line.
        body: Plain text.
        pause: Waits so many seconds.
    """
    found = []
    for name in dict.fromkeys(blocks):
        loaded = _loaded(name)
        if isinstance(loaded, str):
            found.append(Delivery(block=name, delivered=False, attempts=0, reason=loaded))
        else:
            found.append(deliver(loaded, block=name, subject=subject, body=body, pause=pause))
    return tuple(found)


def deliver(
    receiver: NotificationBlock,
    *,
    block: str,
    subject: str,
    body: str,
    pause: Callable[[float], None] = time.sleep,
) -> Delivery:
    """Return what became of a message at one receiver, tried again where that may help.

    A receiver that took it and did not say so gets it twice.
    """
    attempts, reason = 0, ""
    for wait in (*PAUSES_SECONDS, None):
        attempts += 1
        try:
            _send(receiver, subject=subject, body=body)
        except Exception as error:  # noqa: BLE001 - blocks of anybody; none may stop a run
            reason = _without(_secrets(receiver), _reason(error))
            if wait is None or not _may_help(error):
                break
            pause(wait)
        else:
            return Delivery(block=block, delivered=True, attempts=attempts)
    return Delivery(block=block, delivered=False, attempts=attempts, reason=reason)


def _loaded(name: str) -> NotificationBlock | str:
    """Return a block, or why there is none."""
    if not re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", name):
        return f"{plain(name, most=100)} is no block; name one as type/name"
    try:
        loaded = Block.load(name, _sync=True)  # type: ignore[call-arg]
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the run goes on
        if isinstance(error.__cause__, ObjectNotFound):
            return f"there is no block {name}; make it under Blocks in the Prefect UI"
        # A block that cannot be read may be quoted in the error, with all that is in it.
        return f"block {name} cannot be loaded ({type(error).__name__}); save it anew"
    if not isinstance(loaded, NotificationBlock):
        return f"block {name} cannot notify; name a notification block"
    return loaded


def _send(receiver: NotificationBlock, *, subject: str, body: str) -> None:
    # Apart from any running loop: within one, Prefect's blocks of chats return without having sent.
    with ThreadPoolExecutor(max_workers=1) as apart:
        apart.submit(_send_here, receiver, subject, body).result()


def _send_here(receiver: NotificationBlock, subject: str, body: str) -> None:
    with receiver.raise_on_failure():
        told: Any = receiver.notify(body, subject)
        if isawaitable(told):
            asyncio.run(_awaited(told))


async def _awaited(told: Any) -> None:
    await told


def _may_help(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        return status in BUSY or status not in NOT_AGAIN
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return False
    # Either its log is all there is to know, or some recipients have the message.
    if isinstance(error, NotificationError):
        return not re.search(r"error=4(?!08|25|29)\d\d\b|not taken for", str(error.log))
    return not isinstance(error, ValueError | TypeError | KeyError | smtplib.SMTPRecipientsRefused)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"the receiver answered {error.response.status_code}"
    text = str(error.log) if isinstance(error, NotificationError) else str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _without(secrets: Iterable[str], reason: str) -> str:
    """Return a reason in one line, without secrets, and of every address only where it is."""
    for secret in sorted(secrets, key=len, reverse=True):
        reason = reason.replace(secret, REDACTED)
    reason = ADDRESS.sub(lambda found: f"{found['place']}{found['host']}", reason)
    return plain(reason, most=MOST_REASON)


def _secrets(receiver: NotificationBlock) -> set[str]:
    """Return every secret of a block, whole, in its parts, and as an address has them."""
    texts = set()
    for name, value in receiver:
        for text in _texts(value, secret=name in SECRET_PLACES):
            parts = re.split(r"[\s/?&=:@,;]+", text)
            texts |= {text, *parts}
    spelled = texts | {quote(text, safe="") for text in texts} | {unquote(text) for text in texts}
    return {text for text in spelled if len(text) >= SHORTEST_SECRET} - _common(receiver)


def _common(receiver: NotificationBlock) -> set[str]:
    """Return what stands in the address of a receiver and is no secret."""
    url = getattr(receiver, "url", "")
    text = url.get_secret_value() if isinstance(url, SecretStr) else str(url)
    found = ADDRESS.match(text)
    host = "" if found is None else found["host"].partition(":")[0]
    return {"http", "https", "json", "slack", "Bearer", "application", host} - {""}


def _texts(value: object, *, secret: bool) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, SecretBytes):
        yield value.get_secret_value().decode(errors="replace")
    elif hasattr(value, "get_secret_value"):
        yield from _texts(value.get_secret_value(), secret=True)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one, secret=secret)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one, secret=secret)
    elif secret and isinstance(value, str):
        yield value
