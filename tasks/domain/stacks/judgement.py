"""Whether an answer lets an update be applied, and everything that stands against it.

Asked twice: when the answer comes, and with a fresh preview immediately before applying. What the
request says of itself is believed only as far as the hash in the answer covers it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from tasks.domain.errors import PermanentError
from tasks.domain.guardrails.modes import Mode
from tasks.domain.guardrails.policy import GuardrailPolicy, closed, effective_mode
from tasks.domain.guardrails.previews import check_preview
from tasks.domain.stacks.approval import (
    ApprovalRequest,
    Demand,
    Given,
    approval_document,
    demanded,
    sha256,
    why_nobody,
)
from tasks.domain.stacks.changes import Change
from tasks.domain.stacks.differences import differences
from tasks.domain.stacks.preview import Operation, Preview

CLOCK_SKEW = timedelta(minutes=1)
"""By which the clocks of two workers may be apart."""
ASK_AGAIN = "preview it and ask again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """It may be applied.

    Attributes:
        signers: Who signed; nobody where the form is enough.
    """

    demand: Demand
    signers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """It must not be applied.

    Attributes:
        why: Everything found, at least one sentence.
    """

    why: tuple[str, ...]


Verdict: TypeAlias = Approved | Denied


def judge(
    request: ApprovalRequest,
    given: Given,
    *,
    preview_now: Preview,
    now: datetime,
    verified_signers: frozenset[str],
    used: frozenset[str],
    signers_needed: int = 1,
    record_sha256: str = "",
) -> Verdict:
    """Return whether what is previewed now may be applied on this answer.

    Args:
        request: As it was kept.
        given: The answer to it.
        preview_now: Made now, by the engine.
        now: Aware.
        verified_signers: Allowed signers who signed `signed_text(request.hash)`, now: one name for
            each person, from `signatures.verified_signers`.
        used: Ids of requests that were carried out, or are being carried out.
        signers_needed: By the guardrails, where signatures are demanded: more than the demand says,
            never less.
        record_sha256: Of what is kept of the stack, as it is now.
    """
    edited = tuple(_edited(request))
    if edited:
        return Denied(why=edited)
    demand = demanded(preview_now)
    needed = max(demand.signers, signers_needed) if demand.signers else 0
    why = (
        *_answer(request, given, used=used),
        *_times(request, given, now=now),
        *_otherwise(request, preview_now, record_sha256=record_sha256),
        *_signers(given, verified_signers, needed=needed),
    )
    return Denied(why=why) if why else Approved(demand=demand, signers=verified_signers)


def auto_approved(
    preview: Preview, policy: GuardrailPolicy, *, changes: Sequence[Change], now: datetime
) -> Verdict:
    """Return whether an update may be applied without asking anybody.

    Only where the form would be enough, everything can be taken back, every change's mode is
    `auto`, and no guardrail is touched at this moment.

    Args:
        preview: Made now, by the engine.
        policy: The operator's, read now.
        changes: That the stack was generated from; at least one.
        now: Aware.
    """
    why = (*_not_automatic(preview, policy, changes), *check_preview(preview, policy))
    shut = closed(policy, now)
    if shut is not None and shut not in why:
        why = (shut, *why)
    return Denied(why=why) if why else Approved(demand=Demand.FORM)


def _not_automatic(
    preview: Preview, policy: GuardrailPolicy, changes: Sequence[Change]
) -> Iterator[str]:
    demand = demanded(preview)
    if demand is not Demand.FORM:
        yield f"it needs {demand}, which nobody gives automatically: ask for approval"
    if preview.doing(Operation.FORGET):
        yield "something would leave the stack, and the next run would not know it: ask for approval"
    if not changes:
        yield "nobody knows which changes it is made of: ask for approval"
    for one in changes:
        mode = effective_mode(
            policy,
            kind=one.kind,
            region=one.region,
            resource=one.resource,
            names=[preview.stack],
        )
        if mode is not Mode.AUTO:
            yield f"{one.change_id} has mode {mode}: ask for approval"
        if not one.reversible:
            yield f"{one.change_id} cannot be taken back: ask for approval"


def _edited(request: ApprovalRequest) -> Iterator[str]:
    """Yield what in a request is not what its hash is of."""
    if sha256(request.document) != request.hash:
        yield f"the request was edited: its document has not the hash it names; {ASK_AGAIN}"
        return
    try:
        document = json.loads(request.document)
        expires_at = datetime.fromisoformat(document["expires_at"])
        same = (document["request_id"], document["stack"]) == (request.request_id, request.stack)
    except (ValueError, TypeError, KeyError, RecursionError):
        yield f"the request's document is none; {ASK_AGAIN}"
        return
    if request.requested_at.tzinfo is None or request.expires_at.tzinfo is None:
        yield f"the request has times without a time zone; {ASK_AGAIN}"
    elif expires_at != request.expires_at:
        yield f"the request was edited: what it asks is void from {expires_at}; {ASK_AGAIN}"
    if not same:
        yield f"the request was edited: it asks about another stack or has another id; {ASK_AGAIN}"


def _answer(request: ApprovalRequest, given: Given, *, used: frozenset[str]) -> Iterator[str]:
    if not given.approved:
        yield f"{given.approver or 'somebody'} rejected it: {given.reason or 'no reason given'}"
    if not given.approver.strip():
        yield "the answer does not say who approves; give a name"
    if given.hash != request.hash:
        yield (
            f"the answer is for hash {given.hash[:70]!r}, asked was {request.hash!r}; "
            "answer the latest request, with its hash unchanged"
        )
    if request.request_id in used:
        yield f"request {request.request_id} was carried out already; {ASK_AGAIN}"


def _times(request: ApprovalRequest, given: Given, *, now: datetime) -> Iterator[str]:
    if now.tzinfo is None or given.given_at.tzinfo is None:
        yield "an instant has no time zone, so nothing can be said about expiry; give aware times"
        return
    if now >= request.expires_at:
        yield f"the approval was valid until {request.expires_at}, now is {now}; {ASK_AGAIN}"
    if given.given_at >= request.expires_at:
        yield f"answered at {given.given_at}, valid until {request.expires_at}; {ASK_AGAIN}"
    if given.given_at > now + CLOCK_SKEW:
        yield f"answered at {given.given_at}, which is yet to come; correct the clock of the worker"
    if given.given_at < request.requested_at - CLOCK_SKEW:
        yield f"answered at {given.given_at}, before it was asked at {request.requested_at}"


def _otherwise(request: ApprovalRequest, preview: Preview, *, record_sha256: str) -> Iterator[str]:
    """Yield why what is previewed now is not what was approved, or can never be."""
    nobody = why_nobody(preview)
    if nobody is not None:
        yield f"nobody can approve it: {nobody}"
    try:
        document = approval_document(
            preview,
            request_id=request.request_id,
            expires_at=request.expires_at,
            record_sha256=record_sha256,
        )
    except (PermanentError, TypeError) as error:  # stored previews may hold wrong types
        yield f"what is previewed now cannot be compared: {error}"
        return
    if sha256(document) != request.hash:
        approved: Mapping[str, object] = json.loads(request.document)
        yield from differences(approved, json.loads(document))
        yield f"so it is not what was approved; {ASK_AGAIN}"


def _signers(given: Given, signers: frozenset[str], *, needed: int) -> Iterator[str]:
    made = len(set(given.signatures))
    if len(signers) > made:
        yield f"{len(signers)} signers of {made} signatures: verify those of this answer"
    elif len(signers) < needed:
        known = ", ".join(sorted(signers)) or "nobody"
        yield (
            f"needs signatures of {needed} allowed signers over this hash, has {made} signatures "
            f"that count for {known}; sign it as the request says, or add a key to allowed_signers"
        )
