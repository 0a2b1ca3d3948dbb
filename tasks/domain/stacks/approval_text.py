"""What an approver reads above the form: what is asked, of whom, until when, and how to sign."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC

from tasks.domain.stacks.approval import (
    NAMESPACE,
    ApprovalRequest,
    Demand,
    demanded,
    purchases,
    replaces,
)
from tasks.domain.stacks.changes import Change
from tasks.domain.stacks.lines import money
from tasks.domain.stacks.preview import Operation, Preview, ResourceChange
from tasks.domain.stacks.report import Room, preview_markdown
from tasks.domain.stacks.shown import code

MOST_NAMED = 10
ROWS = 50
"""Of each table: a form is read from top to bottom."""
NEEDED = {
    Demand.FORM: "this form",
    Demand.SIGNATURE: "this form and the signature of an allowed signer",
    Demand.TWO_SIGNATURES: "this form and the signatures of two allowed signers",
    Demand.NOBODY: "nothing: nobody can approve it",
}


def approval_text(
    request: ApprovalRequest,
    preview: Preview,
    *,
    changes: Sequence[Change] = (),
    signers_needed: int = 1,
) -> str:
    """Return the Markdown above the form.

    Args:
        request: What is asked.
        preview: That it was made of.
        changes: Of the stack: why each is made.
        signers_needed: By the guardrails, where signatures are demanded.
    """
    demand = demanded(preview)
    parts = [
        f"## Approve {code(preview.stack)}, {preview.phase}?",
        f"- **What:** {_what(preview)} in {code(preview.region)}",
        f"- **Money:** {_money(preview)}",
        f"- **Risk:** {_risk(preview)}",
        f"- **Needed:** {_needed(demand, signers_needed)}",
        f"- **Valid until:** {request.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, applied by then",
        f"- **Hash:** `{request.hash}`",
        "",
        "Whatever differs when it is applied (state, program, drift, a finding, or a cent in any "
        "line of the costs) is refused and asked anew.",
        *_signing(request, demand),
        "",
        _page(preview, changes),
    ]
    return "\n".join(parts)


def _page(preview: Preview, changes: Sequence[Change]) -> str:
    """Return the preview's page without its title: the question above is one."""
    _, _, page = preview_markdown(preview, changes=changes, room=Room(rows=ROWS)).partition("\n")
    return page.strip()


def sign_command(hash_: str) -> str:
    """Return the command that signs a hash; KEY stands for the signer's own key file."""
    return f"echo {hash_} | ssh-keygen -Y sign -n {NAMESPACE} -f KEY"


def _signing(request: ApprovalRequest, demand: Demand) -> Iterator[str]:
    if not demand.signers:
        return
    yield ""
    yield "To sign, run this with your own key (for example `~/.ssh/id_ed25519`) in place of KEY:"
    yield f"\n```sh\n{sign_command(request.hash)}\n```\n"
    yield (
        "and paste what it prints, from `-----BEGIN` to `-----END SSH SIGNATURE-----`, into the "
        "form; several signatures one after the other. What the hash is of is stored with the "
        "request: `sha256sum` of that file gives it."
    )


def _what(preview: Preview) -> str:
    counts = {one: len(preview.doing(one)) for one in Operation if one is not Operation.SAME}
    said = [f"{count} to {one}" for one, count in counts.items() if count]
    return ", ".join(said) or "nothing to do"


def _money(preview: Preview) -> str:
    unknown = preview.unpriced
    extra = f"; not known for {len(unknown)}: {_names(unknown)}" if unknown else ""
    return f"{money(preview.delta_usd)} USD a month{extra}"


def _risk(preview: Preview) -> str:
    found = [
        f"{word} {_names([one.name for one in lines])}"
        for word, lines in (
            ("**deletes**", preview.doing(Operation.DELETE)),
            ("**makes anew**", _those(preview, replaces)),
            ("**commits to pay for**", _those(preview, purchases)),
            ("leaves to themselves", preview.doing(Operation.FORGET)),
        )
        if lines
    ]
    return "; ".join(found) or "nothing is deleted, made anew or bought"


def _those(preview: Preview, rule: Callable[[ResourceChange], bool]) -> tuple[ResourceChange, ...]:
    return tuple(filter(rule, preview.acting))


def _needed(demand: Demand, signers_needed: int) -> str:
    if demand.signers and signers_needed > demand.signers:
        return f"this form and the signatures of {signers_needed} allowed signers"
    return NEEDED[demand]


def _names(names: list[str] | tuple[str, ...]) -> str:
    shown = ", ".join(code(one) for one in names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"
