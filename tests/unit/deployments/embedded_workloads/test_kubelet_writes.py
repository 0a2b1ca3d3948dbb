"""Which refused writes are sent again."""

from __future__ import annotations

import asyncio

import pytest

from deployments.embedded.workloads.kubelet.client import RefusedError
from deployments.embedded.workloads.kubelet.writes import Rank, Writes

FIELDS_CHANGED = "the object has been modified; please apply your changes to the latest version"
OTHER_UID = (
    "the UID in the precondition (a) does not match the UID in record (b). The object might have been "
    "deleted and then recreated"
)
OTHER_UID_STORED = "Precondition failed: UID in precondition: a, UID in object meta: b"
MADE_BEFORE = 'events "web.1" already exists'


def sent(code: int, message: str, *, refused: int = 2) -> tuple[int, Writes]:
    """Return how often a write was sent that was refused at first, and what the queue counted."""
    times = 0

    async def send() -> None:
        nonlocal times
        times += 1
        if times <= refused:
            raise RefusedError(code, message)

    async def work() -> Writes:
        writes = Writes(retry_seconds=0.0)
        writes.want("it", send, rank=Rank.POD)
        working = asyncio.create_task(writes.run())
        for _ in range(500):
            await asyncio.sleep(0)
        working.cancel()
        return writes

    writes = asyncio.run(work())
    return times, writes


def test_a_write_that_met_another_writer_is_sent_until_it_is_taken() -> None:
    times, writes = sent(409, FIELDS_CHANGED)

    assert (times, writes.done, writes.failed, len(writes)) == (3, 1, 0, 0)


@pytest.mark.parametrize("message", [OTHER_UID, OTHER_UID_STORED, MADE_BEFORE])
def test_a_write_about_another_object_is_over_and_no_failure(message: str) -> None:
    times, writes = sent(409, message)

    assert (times, writes.done, writes.failed, len(writes)) == (1, 0, 0, 0)
