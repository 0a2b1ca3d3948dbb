"""The `Guardrails` block as the domain knows it."""

from __future__ import annotations

from datetime import timedelta

from blocks.guardrails import Guardrails, ModeScope, Window
from tasks.domain.guardrails.modes import Mode, Scope
from tasks.domain.guardrails.policy import GuardrailPolicy
from tasks.domain.guardrails.windows import ChangeWindow

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def guardrail_policy(settings: Guardrails) -> GuardrailPolicy:
    """Return a block's settings as a value; whom to notify stays with the flow."""
    return GuardrailPolicy(
        kill_switch=settings.kill_switch,
        mode=Mode(settings.mode),
        scopes=tuple(map(_scope, settings.scopes)),
        max_resources_per_run=settings.max_resources_per_run,
        max_percent_per_run=settings.max_percent_per_run,
        max_usd_per_run=settings.max_usd_per_run,
        max_replacements_per_run=settings.max_replacements_per_run,
        max_deletions_per_run=settings.max_deletions_per_run,
        min_saving_usd=settings.min_saving_usd,
        cooldown=timedelta(hours=settings.cooldown_hours),
        max_ineffective=settings.max_ineffective,
        windows=tuple(map(_window, settings.windows)),
        approval_valid=timedelta(hours=settings.approval_valid_hours),
        allowed_signers=settings.allowed_signers,
        signers_needed=settings.signers_needed,
        alarm_quiet=timedelta(minutes=settings.alarm_quiet_minutes),
    )


def _scope(one: ModeScope) -> Scope:
    return Scope(
        mode=Mode(one.mode),
        kinds=frozenset(map(str, one.kinds)),
        regions=frozenset(one.regions),
        pattern=one.pattern,
    )


def _window(one: Window) -> ChangeWindow:
    return ChangeWindow(
        days=frozenset(map(DAYS.index, one.days)),
        start_minute=_minute(one.start),
        end_minute=_minute(one.end),
        zone=one.time_zone,
    )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
