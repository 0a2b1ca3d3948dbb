"""A case in which everything is in order: asked about, approved, about to be applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from tasks.domain.stacks.approval import NAMESPACE, ApprovalRequest, Demand, Given, ask, sha256
from tasks.domain.stacks.preview import (
    Preview,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OTHER_HASH = sha256("something else that was once signed")
UNDO = sha256("undo")
SIGNERS = {Demand.FORM: 0, Demand.SIGNATURE: 1, Demand.TWO_SIGNATURES: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature to be made.

    Attributes:
        key: ada, ada-2 (hers as well), bob and cleo are allowed; mallory is not, and dora's
            permission has ended.
        text: What is signed instead of the request's hash with a newline.
    """

    key: str
    text: str | None = None
    namespace: str = NAMESPACE


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything that is judged at the moment of applying."""

    preview: Preview
    request: ApprovalRequest
    given: Given
    signed: tuple[Signed, ...]
    now: datetime = NOW
    used: frozenset[str] = frozenset({"another-request"})
    record_sha256: str = UNDO
    shape: Callable[[tuple[str, ...]], tuple[str, ...]] = tuple
    """What happens to the armour of the signatures on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One way.

    Attributes:
        change: Returns the changed case, or None where the case has nothing to change.
    """

    group: str
    name: str
    change: Callable[[Case, Random], Case | None]


def case_in_order(preview: Preview, demand: Demand, *, record_sha256: str = UNDO) -> Case:
    """Return a preview that is asked about, approved and about to be applied.

    Args:
        preview: Of the engine.
        demand: Who has to approve it, said by whoever made it: the judge is not asked.
        record_sha256: Of what is kept of the stack.
    """
    request = ask(
        preview,
        request_id=f"request-{sha256(preview.stack)[:8]}",
        requested_at=NOW - timedelta(hours=2),
        expires_at=NOW + timedelta(hours=2),
        record_sha256=record_sha256,
    )
    return Case(
        preview=preview,
        request=request,
        given=Given(
            hash=request.hash,
            approver="ada",
            reason="looked at it",
            approved=True,
            signatures=(),
            given_at=NOW - timedelta(hours=1),
        ),
        record_sha256=record_sha256,
        signed=tuple(Signed(key=key) for key in ("ada", "bob")[: SIGNERS[demand]]),
    )
