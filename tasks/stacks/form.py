"""The form in which a person answers, and its answer as the judge knows it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from prefect.input import RunInput
from pydantic import Field

from tasks.domain.guardrails.signers import signatures_in
from tasks.domain.stacks.approval import Given


class Approval(RunInput):
    """Whether what is shown may be applied."""

    decision: Literal["reject", "approve"] = Field(
        "reject", description="approve applies exactly what is shown above, and nothing else."
    )
    approver: str = Field("", max_length=200, description="Your name; required to approve.")
    reason: str = Field("", max_length=2000, description="Kept with the approval.")
    hash: str = Field("", max_length=200, description="Of what is approved: leave it as it is.")
    signatures: str = Field(
        "",
        max_length=40_000,
        description="Where signatures are asked for: what `ssh-keygen -Y sign` wrote, one after the "
        "other.",
    )


def given_answer(form: Approval, *, now: datetime) -> Given:
    """Return a filled-in form as an answer.

    Args:
        form: As it came.
        now: When it came, aware UTC.
    """
    return Given(
        hash=form.hash,
        approver=form.approver,
        reason=form.reason,
        approved=form.decision == "approve",
        signatures=signatures_in([form.signatures]),
        given_at=now,
    )
