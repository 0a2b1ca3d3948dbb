"""What is to go wrong between a client and the server, on purpose.

Faults are read and written at /homeostat/faults, by administrators alone:

    PUT [{"verbs": ["update", "patch"], "kinds": ["deployments"], "share": 0.2, "code": 409}]

Codes are refused before anything is done. A drop loses the answer: the request is done, and then its
connection ends, so that the client cannot know. With a code as well nothing is done, as if the request
itself had been lost. A watch ends after its next line, as when a server stops.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import orjson
from aiohttp import web

from deployments.embedded.kubernetes.access import MASTERS, Attempt, User, forbidden
from deployments.embedded.kubernetes.errors import ApiError, bad_request, not_allowed

LONGEST_DELAY_SECONDS = 60.0
WATCH = "watch"
REASONS = {
    409: (
        "Conflict",
        "the object has been modified; please apply your changes to the latest version",
    ),
    410: ("Expired", "The resourceVersion for the provided watch is too old."),
    429: (
        "TooManyRequests",
        "the server has received too many requests and has asked us to try again",
    ),
    500: ("InternalError", "Internal error occurred: injected"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "request did not complete within the allotted timeout"),
}

Do = Callable[[], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        share: Of the requests that fit, 0 to 1.
        verbs: That fit; none is all.
        kinds: Plurals that fit; none is all.
        users: Names of those whose requests fit; none is all.
        code: HTTP status of the refusal, one of REASONS; None for none.
        delay_seconds: Before the answer.
        drop: Whether the connection ends without an answer, after the request was done unless there is a
            code.
    """

    share: float = 1.0
    verbs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    code: int | None = None
    delay_seconds: float = 0.0
    drop: bool = False

    def __post_init__(self) -> None:
        """Check the bounds, for faults come over the wire."""
        if not 0.0 <= self.share <= 1.0:
            msg = f"a share of {self.share} is out of bounds; give 0 to 1"
            raise bad_request(msg)
        if self.code is not None and self.code not in REASONS:
            msg = f"code {self.code} cannot be injected; there are {', '.join(map(str, REASONS))}"
            raise bad_request(msg)
        if not 0.0 <= self.delay_seconds <= LONGEST_DELAY_SECONDS:
            msg = f"a delay of {self.delay_seconds} s is out of bounds; give 0 to {LONGEST_DELAY_SECONDS:g}"
            raise bad_request(msg)

    def fits(self, attempt: Attempt, user: User) -> bool:
        """Return whether the fault is meant for an attempt of somebody."""
        return all(
            not wanted or found in wanted
            for wanted, found in (
                (self.verbs, attempt.verb),
                (self.kinds, attempt.plural),
                (self.users, user.name),
            )
        )


@dataclass(slots=True)
class Faults:
    """The faults that are on.

    Attributes:
        on: In the order they are tried; the first that strikes counts.
    """

    PATH = "/homeostat/faults"

    on: tuple[Fault, ...] = ()
    _random: random.Random = field(default_factory=lambda: random.Random(20))  # noqa: S311

    async def answer(self, request: web.Request, user: User) -> web.StreamResponse:
        """Answer a request for the faults themselves.

        Raises:
            ApiError: To others than administrators, or what is no fault.
        """
        if MASTERS not in user.groups:
            raise forbidden(user, Attempt(verb=request.method.lower(), path=self.PATH))
        match request.method:
            case "PUT":
                self.on = tuple(_fault(one) for one in orjson.loads(await request.read()))
            case "DELETE":
                self.on = ()
            case "GET":
                pass
            case _:
                raise not_allowed()
        return web.json_response([asdict(one) for one in self.on])

    async def meet(
        self, attempt: Attempt, user: User, request: web.Request, do: Do
    ) -> web.StreamResponse:
        """Return the answer to a request, unless something is to go wrong with it.

        Args:
            attempt: What is tried.
            user: By whom.
            request: That asks for it; its connection is what a drop ends.
            do: Does it.

        Raises:
            ApiError: It is refused.
            ConnectionResetError: Nobody is there any more to answer.
        """
        found = self._striking(attempt, user)
        if found is None:
            return await do()
        if found.delay_seconds:
            await asyncio.sleep(found.delay_seconds)
        drop = found.drop and attempt.verb != WATCH
        if found.code is not None and not drop:
            reason, message = REASONS[found.code]
            retry = 1 if found.code == 429 else None
            raise ApiError(found.code, reason, message, retry_after=retry)
        if not drop:
            return await do()
        if found.code is None:
            # A refusal is lost like any other answer.
            with suppress(ApiError):
                await do()
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError

    async def through(
        self, lines: AsyncIterator[bytes], attempt: Attempt, user: User
    ) -> AsyncIterator[bytes]:
        """Yield the lines of a watch until a fault ends it."""
        async for line in lines:
            yield line
            found = self._striking(attempt, user) if line else None
            if found is not None and found.drop:
                return

    def _striking(self, attempt: Attempt, user: User) -> Fault | None:
        fitting = (fault for fault in self.on if fault.fits(attempt, user))
        return next((one for one in fitting if self._random.random() < one.share), None)


def _fault(said: Any) -> Fault:
    known = {one.name for one in fields(Fault)}
    if not isinstance(said, dict) or said.keys() - known:
        msg = f"{said} is no fault; a fault has {', '.join(sorted(known))}"
        raise bad_request(msg)
    lists = {name: tuple(said.get(name) or ()) for name in ("verbs", "kinds", "users")}
    return Fault(**{**said, **lists})
