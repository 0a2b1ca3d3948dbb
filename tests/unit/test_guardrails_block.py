"""The block in which people set guardrails, and the same as a value."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from blocks.guardrails import Guardrails, ModeScope, ScopeKind, Window
from tasks.domain.guardrails.modes import Mode, Scope
from tasks.domain.guardrails.policy import GuardrailPolicy
from tasks.domain.guardrails.windows import ChangeWindow
from tasks.domain.savings.opportunity import Kind
from tasks.guardrails import guardrail_policy


def test_the_defaults_are_safe_and_those_of_the_domain() -> None:
    policy = guardrail_policy(Guardrails())

    assert policy == GuardrailPolicy()
    assert policy.mode is Mode.OBSERVE
    assert (policy.max_deletions_per_run, policy.max_replacements_per_run) == (0, 0)


def test_every_setting_arrives_in_the_domain() -> None:
    policy = guardrail_policy(
        Guardrails(
            kill_switch=True,
            mode="auto",
            scopes=[
                ModeScope(mode="off", kinds=["spot"], regions=["eu-central-1"], pattern="db-*")
            ],
            max_resources_per_run=7,
            max_percent_per_run=12.5,
            max_usd_per_run=900.0,
            max_replacements_per_run=1,
            max_deletions_per_run=2,
            min_saving_usd=0.0,
            cooldown_hours=1.5,
            max_ineffective=2,
            windows=[
                Window(days=["mon", "sun"], start="22:00", end="24:00", time_zone="Europe/Berlin")
            ],
            approval_valid_hours=4.0,
            allowed_signers="# ours\nada ssh-ed25519 AAAA",
            signers_needed=2,
            alarm_quiet_minutes=10.0,
        )
    )

    assert policy == GuardrailPolicy(
        kill_switch=True,
        mode=Mode.AUTO,
        scopes=(
            Scope(
                mode=Mode.OFF,
                kinds=frozenset({"spot"}),
                regions=frozenset({"eu-central-1"}),
                pattern="db-*",
            ),
        ),
        max_resources_per_run=7,
        max_percent_per_run=12.5,
        max_usd_per_run=900.0,
        max_replacements_per_run=1,
        max_deletions_per_run=2,
        min_saving_usd=0.0,
        cooldown=timedelta(minutes=90),
        max_ineffective=2,
        windows=(
            ChangeWindow(
                days=frozenset({0, 6}), start_minute=1320, end_minute=1440, zone="Europe/Berlin"
            ),
        ),
        approval_valid=timedelta(hours=4),
        allowed_signers="# ours\nada ssh-ed25519 AAAA",
        signers_needed=2,
        alarm_quiet=timedelta(minutes=10),
    )
    default = GuardrailPolicy()
    for field in dataclasses.fields(GuardrailPolicy):
        assert getattr(policy, field.name) != getattr(default, field.name), field.name


def test_every_kind_of_saving_can_be_scoped() -> None:
    assert set(map(str, Kind)) | {"healing", "chaos"} == set(ScopeKind.__args__)  # type: ignore[attr-defined]


def test_modes_of_the_block_are_those_of_the_domain() -> None:
    for mode in Mode:
        assert guardrail_policy(Guardrails(mode=mode.value)).mode is mode


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mode": "yolo"}, "observe"),
        ({"max_resources_per_run": -1}, "greater than or equal to 0"),
        ({"max_percent_per_run": 101}, "less than or equal to 100"),
        ({"max_usd_per_run": float("nan")}, "less than or equal to"),
        ({"max_usd_per_run": float("inf")}, "less than or equal to"),
        ({"cooldown_hours": -1}, "greater than or equal to 0"),
        ({"approval_valid_hours": 0}, "greater than 0"),
        ({"signers_needed": 0}, "greater than or equal to 1"),
        ({"allowed_signers": "# ours\nada"}, "line 2: 'ada'"),
        ({"allowed_signers": "ada AAAA"}, "a line is 'name key-type key'"),
        ({"allowed_signers": "-----BEGIN OPENSSH PRIVATE KEY-----"}, "never a private key"),
        ({"notify": ["slack"]}, "write 'block-type/name'"),
        ({"notify": ["slack-webhook/../x"]}, "write 'block-type/name'"),
        ({"scopes": [{"mode": "auto", "regions": ["EU-CENTRAL-1"]}]}, "is no region"),
        ({"scopes": [{"mode": "auto", "region": "eu-central-1"}]}, "Extra inputs"),
        ({"scopes": [{"mode": "auto", "kinds": ["rightsize"]}]}, "right-size"),
        ({"scopes": [{"mode": "auto", "pattern": ""}]}, "at least 1 character"),
        ({"windows": [{"days": [], "start": "1:00", "end": "02:00"}]}, "at least 1 item"),
        ({"windows": [{"days": ["mon"], "start": "25:00", "end": "02:00"}]}, "pattern"),
        ({"windows": [{"days": ["mon"], "start": "09:00", "end": "09:00"}]}, "for a whole day"),
        ({"windows": [{"days": ["mon"], "start": "24:00", "end": "09:00"}]}, "of the next day"),
        (
            {"windows": [{"days": ["mon"], "start": "08:00", "end": "9:00"}]},
            "pattern",
        ),
        (
            {
                "windows": [
                    {"days": ["mon"], "start": "08:00", "end": "09:00", "time_zone": "CEST+2"}
                ]
            },
            "is no time zone here",
        ),
        (
            {"windows": [{"days": ["mon"], "start": "08:00", "end": "09:00", "time_zone": "../x"}]},
            "is no time zone here",
        ),
        (
            {"windows": [{"days": ["mon"], "start": "08:00", "end": "09:00", "time_zone": ""}]},
            "is no time zone here",
        ),
    ],
)
def test_a_slip_of_the_pen_is_said_when_the_block_is_saved(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        Guardrails(**fields)


def test_every_field_says_what_it_means() -> None:
    for model in (Guardrails, ModeScope, Window):
        for name, field in model.model_fields.items():
            assert field.description or name == "block_type_slug", name
