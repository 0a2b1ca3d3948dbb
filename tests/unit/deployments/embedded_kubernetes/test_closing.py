"""How a server ends whose connections are half closed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import web

from deployments.embedded.kubernetes.cluster import close


class Leaving(asyncio.Transport):
    """A TLS transport that was closed twice: it has let go of what could tell about it."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        raise AttributeError(name)

    def abort(self) -> None:
        self.aborted = True


def test_a_connection_that_is_closed_already_does_not_stop_the_server_from_ending() -> None:
    transport, cleaned = Leaving(), []

    async def cleanup() -> None:
        cleaned.append(True)

    connections = [SimpleNamespace(transport=one) for one in (transport, None)]
    runner = SimpleNamespace(server=SimpleNamespace(connections=connections), cleanup=cleanup)

    asyncio.run(close(cast("web.AppRunner", runner), secure=True))

    assert (cleaned, transport.aborted) == ([True], True)
