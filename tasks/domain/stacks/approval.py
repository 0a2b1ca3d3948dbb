"""What is approved, by whom it has to be, and the hash that binds the two.

The hash is over everything that decides what an update does, and over what a person decided by:

- stack, region, phase: which update.
- The program's hash and the state's serial: what the engine starts from.
- Who says so: an estimate never turns into what was approved.
- Every line that acts, with URN, type, operation, id in the account, diffs and inputs: what is done.
  What stays the same is not in it; as soon as it acts, it is.
- Drift and findings, word by word: what a reviewer saw and accepted.
- Cost of each resource before and after, in whole cents. Any other cent in any line is another
  preview, also when the total is the same: a reviewer may have looked at that line.
- The hash of what is kept of the stack: the undo program, which runs without another question when
  the change does not prove itself, prices that come from the opportunity, and what others may change.
- Id and expiry of the request: one answer serves one request, and until then.

Left out, for a reason: Guardrails and allowed signers, which are looked at again when the change is
applied, so that what was narrowed since then counts at once; version and notes of the engine and the
wording of a cost's arithmetic, which change without anything being done otherwise. A secret's value
is nowhere in a preview; that it changed shows in the program's hash only.

A request carries the hashed document itself, so that a later refusal can name what differs, and so
that a signer can check with `sha256sum` what is signed.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from tasks.domain.errors import PermanentError
from tasks.domain.stacks.canonical import canonical_json
from tasks.domain.stacks.preview import CostDelta, Operation, Preview, ResourceChange, Source

NAMESPACE = "homeostat-approval"
"""Of signatures: one made for another purpose approves nothing."""
FORMAT = 1
"""Of the hashed document: raised when its content changes, which ends open requests."""
PURCHASES = frozenset(
    {
        "savingsplan",
        "reservedinstance",
        "reservedcachenode",
        "provisionedmodelthroughput",
        "registereddomain",
    }
)
"""Pulumi types, by the class in lower case, that commit to pay: no undo gives the money back."""


class UnapprovableError(PermanentError):
    """Something that cannot even be asked about."""

    def __init__(self, subject: str, problem: str) -> None:
        self.subject = subject
        super().__init__(f"{subject} cannot be approved: {problem}")


class Demand(StrEnum):
    """Who has to approve."""

    FORM = "form"
    """Whoever can answer the form in the UI, which does not prove who that was."""
    SIGNATURE = "signature"
    """An allowed signer, over the hash."""
    TWO_SIGNATURES = "two-signatures"
    """Two of them."""
    NOBODY = "nobody"
    """It cannot be approved."""

    @property
    def signers(self) -> int:
        """Signers that it takes at least."""
        return {Demand.SIGNATURE: 1, Demand.TWO_SIGNATURES: 2}.get(self, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """A question put to people, as it is kept until it is answered.

    Attributes:
        hash: SHA-256 of `document`, 64 hexadecimal digits in lower case.
        request_id: Once and never again.
        requested_at: Aware UTC.
        expires_at: An answer counts, and may be carried out, before this instant.
        demand: For people to read; the judge computes it anew.
        document: What is approved, as canonical JSON.
    """

    hash: str
    stack: str
    request_id: str
    requested_at: datetime
    expires_at: datetime
    demand: Demand
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a person answered.

    Attributes:
        hash: That the answer is for.
        approver: As they call themselves: proved by nothing but a signature.
        reason: In their words.
        signatures: In OpenSSH's armour, over `signed_text(hash)`.
        given_at: Aware.
    """

    hash: str
    approver: str
    reason: str
    approved: bool
    signatures: tuple[str, ...]
    given_at: datetime


def ask(
    preview: Preview,
    *,
    request_id: str,
    requested_at: datetime,
    expires_at: datetime,
    record_sha256: str = "",
) -> ApprovalRequest:
    """Return the question whether a previewed update may be done.

    Args:
        preview: Of the engine.
        request_id: For example a UUID; not blank.
        requested_at: Aware.
        expires_at: Aware and later.
        record_sha256: Of what is kept of the stack, the undo program in it; empty where nothing is.

    Raises:
        UnapprovableError: Nobody could approve it, or the times make no sense.
        NotCanonicalError: The preview holds a value that no text stands for.
    """
    if requested_at >= expires_at:
        problem = f"asked at {requested_at}, void from {expires_at}; raise approval_valid_hours"
        raise UnapprovableError(preview.stack, problem)
    why_not = why_nobody(preview)
    if why_not is not None:
        raise UnapprovableError(preview.stack, why_not)
    document = approval_document(
        preview, request_id=request_id, expires_at=expires_at, record_sha256=record_sha256
    )
    return ApprovalRequest(
        hash=sha256(document),
        stack=preview.stack,
        request_id=request_id,
        requested_at=requested_at,
        expires_at=expires_at,
        demand=demanded(preview),
        document=document,
    )


def approval_hash(
    preview: Preview, *, request_id: str, expires_at: datetime, record_sha256: str = ""
) -> str:
    """Return the SHA-256 of `approval_document`, 64 hexadecimal digits in lower case."""
    return sha256(
        approval_document(
            preview, request_id=request_id, expires_at=expires_at, record_sha256=record_sha256
        )
    )


def is_what_was_asked(request: ApprovalRequest, preview: Preview, *, record_sha256: str) -> bool:
    """Return whether a stored preview is the one that a request is about.

    Args:
        request: As it is stored.
        preview: The same.
        record_sha256: Of what is kept of the stack.
    """
    found = approval_hash(
        preview,
        request_id=request.request_id,
        expires_at=request.expires_at,
        record_sha256=record_sha256,
    )
    return found == request.hash


def sha256(document: str) -> str:
    """Return the hash of a canonical document."""
    return hashlib.sha256(document.encode()).hexdigest()


def signed_text(hash_: str) -> bytes:
    """Return what a signer signs: the hash and a newline, as `echo` writes it."""
    return f"{hash_}\n".encode()


def approval_document(
    preview: Preview, *, request_id: str, expires_at: datetime, record_sha256: str = ""
) -> str:
    """Return everything that an approval is bound to, as canonical JSON.

    Equal for lines, diffs, costs and findings in another order, and for the same instant in another
    time zone.

    Raises:
        UnapprovableError: A cost below zero or not a number, a blank request id, or an instant
            without a time zone.
        NotCanonicalError: Another value that no text stands for.
    """
    if not request_id.strip():
        raise UnapprovableError(preview.stack, "the request has no id; give it one of its own")
    if expires_at.tzinfo is None:
        problem = f"the expiry {expires_at} has no time zone; give an aware instant"
        raise UnapprovableError(preview.stack, problem)
    return canonical_json(
        {
            "format": FORMAT,
            "request_id": request_id,
            "expires_at": expires_at.astimezone(UTC).isoformat(),
            "stack": preview.stack,
            "region": preview.region,
            "phase": str(preview.phase),
            "source": str(preview.source),
            "program_sha256": preview.program_sha256,
            "record_sha256": record_sha256,
            "state_serial": preview.state_serial,
            "changes": _ordered(_line(one) for one in preview.acting),
            "drift": _ordered(_line(one) for one in preview.drift),
            "costs": _ordered(_cost(one) for one in preview.costs),
            "findings": _ordered(
                {
                    "rule": one.rule,
                    "resource": one.resource,
                    "message": one.message,
                    "mandatory": one.mandatory,
                }
                for one in preview.findings
            ),
        }
    )


def demanded(preview: Preview) -> Demand:
    """Return who has to approve an update, by the worst that it does."""
    if why_nobody(preview) is not None:
        return Demand.NOBODY
    if preview.doing(Operation.DELETE):
        return Demand.TWO_SIGNATURES
    if any(replaces(one) or purchases(one) for one in preview.acting):
        return Demand.SIGNATURE
    return Demand.FORM


def why_nobody(preview: Preview) -> str | None:
    """Return why nobody can approve a preview; None where somebody can."""
    if preview.source is not Source.ENGINE:
        return "it is an estimate, which has not seen the state and the account; preview by engine"
    broken = [one for one in preview.findings if one.mandatory]
    if broken:
        return f"{broken[0].resource} breaks the rule {broken[0].rule}: {broken[0].message}"
    return None


def replaces(one: ResourceChange) -> bool:
    """Return whether a resource is made anew: by its operation, or by a diff that says so."""
    return one.operation is Operation.REPLACE or any(diff.replaces for diff in one.diffs)


def purchases(one: ResourceChange) -> bool:
    """Return whether a line commits to pay, or changes what was committed to."""
    doing = (Operation.CREATE, Operation.UPDATE, Operation.REPLACE)
    return one.operation in doing and one.token.rpartition(":")[2].lower() in PURCHASES


def cents(amount_usd: float | None, *, name: str) -> int | None:
    """Return what a resource costs in whole cents; None where it is not known.

    Raises:
        UnapprovableError: It is below zero or not a number.
    """
    if amount_usd is None:
        return None
    if not math.isfinite(amount_usd) or amount_usd < 0.0:
        problem = f"{amount_usd} USD a month is no cost; correct the price and preview again"
        raise UnapprovableError(name, problem)
    return round(amount_usd * 100.0)


def _cost(one: CostDelta) -> Mapping[str, object]:
    return {
        "name": one.name,
        "before_cents": cents(one.before_usd, name=one.name),
        "after_cents": cents(one.after_usd, name=one.name),
    }


def _line(one: ResourceChange) -> Mapping[str, object]:
    return {
        "urn": one.urn,
        "name": one.name,
        "token": one.token,
        "operation": str(one.operation),
        "id": one.resource_id,
        "protected": one.protected,
        "diffs": _ordered(
            {
                "path": diff.path,
                "before": diff.before,
                "after": diff.after,
                "replaces": diff.replaces,
            }
            for diff in one.diffs
        ),
        "inputs_before": one.inputs_before,
        "inputs_after": one.inputs_after,
    }


def _ordered(entries: Iterable[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Return entries in the order of their texts: the order they came in means nothing."""
    return sorted(entries, key=canonical_json)
