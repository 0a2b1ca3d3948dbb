"""What the operator allows, as a value: the `Guardrails` block without Prefect."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.domain.guardrails.modes import Mode, Scope, most_cautious
from tasks.domain.guardrails.windows import ChangeWindow, next_opening


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailPolicy:
    """Limits of everything that changes the world. Zero means zero.

    Attributes:
        kill_switch: Nothing is changed at all: no apply, no healing, no chaos.
        mode: Of what no scope covers. OFF holds for everything, whatever scopes say.
        scopes: The most cautious of those that cover something holds for it.
        max_resources_per_run: Resources changed by one run.
        max_percent_per_run: Of the resources looked at, 0 to 100; rounded down.
        max_usd_per_run: Sum over resources of how far their monthly cost moves, up or down,
            commitments included: a purchase is not paid for by a saving elsewhere.
        max_replacements_per_run: Resources made anew.
        max_deletions_per_run: Resources deleted, other than those that an undo takes back.
        min_saving_usd: Smallest saving worth a change, USD a month.
        cooldown: Between two attempts at the same; doubled by each in a row that was not verified.
        max_ineffective: Attempts in a row that were not verified, after which a person decides.
        windows: When changes may be made; empty for always.
        approval_valid: From the question until it is void.
        allowed_signers: Text in OpenSSH's allowed_signers format.
        signers_needed: Where signatures are demanded; deletions always take two at least.
        alarm_quiet: For how long no alarm may ring after a change.
    """

    kill_switch: bool = False
    mode: Mode = Mode.OBSERVE
    scopes: tuple[Scope, ...] = ()
    max_resources_per_run: int = 5
    max_percent_per_run: float = 10.0
    max_usd_per_run: float = 500.0
    max_replacements_per_run: int = 0
    max_deletions_per_run: int = 0
    min_saving_usd: float = 5.0
    cooldown: timedelta = timedelta(hours=24)
    max_ineffective: int = 3
    windows: tuple[ChangeWindow, ...] = ()
    approval_valid: timedelta = timedelta(hours=72)
    allowed_signers: str = ""
    signers_needed: int = 1
    alarm_quiet: timedelta = timedelta(minutes=30)


KILLED = "the kill switch is on: nothing is changed; turn it off in the Guardrails block"


def effective_mode(
    policy: GuardrailPolicy,
    *,
    kind: str,
    region: str,
    resource: str,
    names: Iterable[str] = (),
) -> Mode:
    """Return how far something may go.

    Args:
        policy: The operator's.
        kind: Of change, or "healing" or "chaos".
        region: Empty for the whole account.
        resource: Its id.
        names: What else it is called, and the stack it is in.
    """
    if policy.mode is Mode.OFF:
        return Mode.OFF
    called = (resource, *names)
    covering = (
        one.mode for one in policy.scopes if one.covers(kind=kind, region=region, names=called)
    )
    return most_cautious(covering, default=policy.mode)


def closed(policy: GuardrailPolicy, now: datetime) -> str | None:
    """Return why nothing may be changed at this moment; None where it may.

    To be asked again immediately before every apply.
    """
    if policy.kill_switch:
        return KILLED
    opening = next_opening(policy.windows, now)
    if opening is None:
        return "no change window opens in the next two weeks; choose days for one"
    if opening > now:
        return f"outside of the change windows; the next one opens at {opening:%Y-%m-%d %H:%M} UTC"
    return None


def most_resources(policy: GuardrailPolicy, *, population: int) -> int:
    """Return how many resources a run may change, of those it looked at."""
    share = math.floor(policy.max_percent_per_run * population / 100.0 + 1e-9)
    return min(policy.max_resources_per_run, share)
