"""What the guardrails say immediately before an update, whoever approved it."""

from __future__ import annotations

from tasks.adapters.pulumi import engine as pulumi_engine
from tasks.adapters.pulumi.environment import engine_version
from tasks.domain.errors import InfraError
from tasks.domain.guardrails.check import check
from tasks.domain.guardrails.policy import closed
from tasks.domain.guardrails.previews import check_preview
from tasks.domain.stacks.preview import Preview
from tasks.domain.stacks.record import StackRecord
from tasks.stacks.site import Site
from tasks.stacks.verifying import now_utc


def guarded(
    site: Site, record_: StackRecord, seen: Preview, *, population: int | None
) -> tuple[str, ...]:
    """Return everything that stands against an update now; nothing where it may be done.

    Modes, windows and limits may have been narrowed since it was planned: each change has to pass
    them again. Its own cooldown does not count, since it has not been tried yet.

    Args:
        site: With guardrails that were read just now.
        record_: The stack.
        seen: Previewed just now.
        population: Resources that were looked at; None where that is not known: then percentages are
            not asked again.
    """
    now = now_utc()
    many = population if population is not None else 10**9
    checked = check(
        record_.changes, site.policy, population=many, now=now, history=(), names=record_.names
    )
    refused = tuple(f"{one.resource}: {one.why}" for one in checked.refused)
    shut = closed(site.policy, now)
    found = (*(() if shut is None else (shut,)), *refused, *check_preview(seen, site.policy))
    return tuple(dict.fromkeys(found))


def release(site: Site, stack: str, region: str) -> None:
    """Forget the state of a stack that changed nothing: what it adopted stays as it is.

    A state that is left behind would be taken for drift when the same changes are proposed again.
    """
    settings = site.engine(region)
    try:
        if engine_version(settings) is not None:
            pulumi_engine.forget(settings, stack=stack)
    except InfraError:
        return  # There was none; or the next proposal says what is wrong with it.
