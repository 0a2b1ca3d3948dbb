"""Commands about stacks: list, preview, propose, approve, undo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deployments import stack_show
from deployments import stacks as of_stacks
from deployments.commands.runs import run
from deployments.commands.terminal import complain, console, watch_and_show
from deployments.lifecycle import NotUpError, running_api
from deployments.local import Local, at_running_ports, default_home, running_state
from deployments.prefect_api import PrefectApiError


def stacks(*, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
    """List the stacks: how each stands, what it saves, and what waits for an answer."""
    try:
        with running_api(Local(home=default_home())) as api:
            found = of_stacks.stacks(api)
    except (NotUpError, PrefectApiError) as error:
        return complain("no answer", error)
    stack_show.stacks(console, found, as_json=as_json)
    return 0


def preview(
    stack: str,
    *,
    folder: Path | None = None,
    comment: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Preview a generated stack, with its money and the verdict of the policy pack.

    Ends with 1 when a mandatory rule is broken. Without the `pulumi` command it is an estimate.

    Args:
        stack: Its name.
        folder: Of its project; pulumi/STACK or that of the local installation by default.
        comment: File to write a pull request's comment to.
        as_json: For programs.
    """
    local = Local(home=default_home())
    state = running_state(local)
    local = local if state is None else at_running_ports(local, state)
    try:
        place = of_stacks.project_folder(stack, folder=folder, local=local)
        seen = of_stacks.preview(stack, place, local=local)
    except Exception as error:
        if not stack_show.is_expected(error):
            raise
        return complain("not previewed", error)
    stack_show.preview(console, seen, comment=comment, as_json=as_json)
    return 1 if any(one.mandatory for one in seen.findings) else 0


def propose(
    stack: str,
    *,
    folder: Path | None = None,
    repository: Path = Path(),
    branch: str | None = None,
    base: str = "main",
    push_to: str | None = None,
) -> int:
    """Put a generated stack on a git branch, for a pull request; the working tree stays as it is.

    Args:
        stack: Its name.
        folder: Of its project; that of the local installation by default.
        repository: Anywhere in it.
        branch: stacks/STACK by default.
        base: What the branch begins from.
        push_to: Remote to push the branch to, never by force; none by default.
    """
    # Late: `homeostat --help` needs none of it.
    from deployments.propose import ProposeError
    from deployments.propose import propose as put_on_branch
    from tasks.domain.errors import TransientError

    name = branch or f"stacks/{stack}"
    try:
        place = of_stacks.project_folder(stack, folder=folder, local=Local(home=default_home()))
        commit = put_on_branch(
            of_stacks.project_files(place),
            stack=stack,
            repository=repository,
            branch=name,
            base=base,
            message=f"Apply savings: {stack}",
            author=of_stacks.git_author(),
            remote=push_to,
        )
    except (ProposeError, TransientError, of_stacks.StackCommandError) as error:
        return complain("not proposed", error)
    console.print(f"{name} is at {commit[:12]}", highlight=False)
    return 0


def approve(
    stack: str,
    *,
    approver: str,
    reason: str = "",
    key: tuple[Path, ...] = (),
    signature: tuple[Path, ...] = (),
    reject: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Answer a stack that waits for approval, as the form in the UI does.

    Args:
        stack: Its name; `homeostat stacks` lists those that wait.
        approver: Your name.
        reason: Kept with the approval.
        key: Private SSH keys to sign with, where signatures are asked for.
        signature: Files with signatures that others made.
        reject: Refuse it.
    """
    try:
        with running_api(Local(home=default_home())) as api:
            found = of_stacks.waiting_stack(api, stack)
            signatures = [of_stacks.signature(found.approval_hash or "", one) for one in key]
            signatures += [one.read_text() for one in signature]
            of_stacks.answer(
                api,
                found,
                approved=not reject,
                approver=approver,
                reason=reason,
                signatures=signatures,
            )
            run = watch_and_show(api, api.run(found.run_id, deployment="apply-savings"))
    except (NotUpError, PrefectApiError, of_stacks.StackCommandError, OSError) as error:
        return complain("not answered", error)
    return 0 if run.succeeded or run.is_waiting else 1


def undo(stack: str) -> int:
    """Bring back what a stack changed, verified; the same as `homeostat run undo-stack`."""
    return run("undo-stack", f"stack={stack}")
