"""The Guardrails block as the domain knows it."""

from __future__ import annotations

from datetime import timedelta

from blocks import Guardrails
from tasks.domain.guardrails.modes import Mode, Scope
from tasks.domain.guardrails.policy import GuardrailPolicy
from tasks.domain.guardrails.windows import MINUTES_PER_DAY, ChangeWindow

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def guardrail_policy(block: Guardrails) -> GuardrailPolicy:
    """Return what the operator allows."""
    return GuardrailPolicy(
        kill_switch=block.kill_switch,
        mode=Mode(block.mode),
        scopes=tuple(
            Scope(
                mode=Mode(one.mode),
                kinds=frozenset(one.kinds),
                regions=frozenset(one.regions),
                pattern=one.pattern,
            )
            for one in block.scopes
        ),
        max_resources_per_run=block.max_resources_per_run,
        max_percent_per_run=block.max_percent_per_run,
        max_usd_per_run=block.max_usd_per_run,
        max_replacements_per_run=block.max_replacements_per_run,
        max_deletions_per_run=block.max_deletions_per_run,
        min_saving_usd=block.min_saving_usd,
        cooldown=timedelta(hours=block.cooldown_hours),
        max_ineffective=block.max_ineffective,
        windows=tuple(
            ChangeWindow(
                days=frozenset(map(_DAYS.index, one.days)),
                start_minute=minute_of_day(one.start),
                end_minute=minute_of_day(one.end),
                zone=one.time_zone,
            )
            for one in block.windows
        ),
        approval_valid=timedelta(hours=block.approval_valid_hours),
        allowed_signers=block.allowed_signers,
        signers_needed=block.signers_needed,
        alarm_quiet=timedelta(minutes=block.alarm_quiet_minutes),
    )


def minute_of_day(clock: str) -> int:
    """Return minutes after midnight of "HH:MM", 0 to 1440; "24:00" and "00:00" are its two ends."""
    hours, minutes = clock.split(":")
    return min(int(hours) * 60 + int(minutes), MINUTES_PER_DAY)
