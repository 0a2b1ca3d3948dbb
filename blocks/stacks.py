"""Where Pulumi keeps its state and programs, and the state of the stacks area."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from prefect.blocks.core import Block
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from blocks.state import ObjectPointer, StateBlock

StackStatus = Literal[
    "proposed",
    "adopting",
    "adopted",
    "waiting",
    "applying",
    "applied",
    "verified",
    "undoing",
    "undone",
    "undo-failed",
    "refused",
    "failed",
    "released",
]


class PulumiBackend(Block):
    """Where Pulumi keeps its state, and where the generated programs are written."""

    _block_type_name = "Pulumi Backend"
    _block_type_slug = "pulumi-backend"
    _description = "State back end, passphrase and program folder of generated stacks."

    model_config = ConfigDict(validate_assignment=True)

    url: str = Field(
        min_length=1,
        description="As in `pulumi login`: file:///path, s3://bucket, or https:// of a service.",
    )
    passphrase: SecretStr = Field(
        default=SecretStr(""), description="Encrypts secrets in the state; may be empty."
    )
    access_token: SecretStr | None = Field(
        None, description="Of a Pulumi service; None for other back ends."
    )
    programs: str = Field(
        min_length=1, description="Folder for generated programs, one folder a stack."
    )
    plugins: str | None = Field(
        None,
        description="Folder searched for provider plugins before PATH; None uses the official ones.",
    )
    home: str | None = Field(None, description="Pulumi's own folder; None for ~/.pulumi.")


class StackEntry(BaseModel):
    """One stack: how it stands, and pointers to everything about it."""

    model_config = ConfigDict(extra="ignore")

    region: str
    status: StackStatus
    updated_at: datetime
    run_id: str = Field(description="Flow run that works on it, or did last.")
    change_ids: list[str] = Field(default_factory=list)
    resources: list[str] = Field(
        default_factory=list, description="What it changes, as in the opportunities."
    )
    plan: ObjectPointer | None = Field(None, description="Changes and programs, JSON.")
    preview: ObjectPointer | None = Field(None, description="The preview last shown, JSON.")
    approval: ObjectPointer | None = Field(None, description="What was asked, JSON.")
    answer: ObjectPointer | None = Field(None, description="What was answered, JSON.")
    applied: ObjectPointer | None = Field(None, description="What the engine did, JSON.")
    approval_hash: str | None = None
    expires_at: datetime | None = None
    delta_usd_per_month: float | None = None
    applied_at: datetime | None = None
    message: str = Field("", description="Why it stands as it does.")


class ChangeAttempt(BaseModel):
    """A change that was tried, for the back-off."""

    target: str = Field(description="Region and resource.")
    action: str = Field(description="Kind of the change.")
    at: datetime
    outcome: Literal["verified", "ineffective", "inconclusive"]


class StackLedger(StateBlock):
    """Every stack and how it stands. Written by `apply-savings` and `undo-stack`, under one lock."""

    _block_type_name = "Stack Ledger"
    _block_type_slug = "stack-ledger"
    _description = "Stacks with their status, approvals and attempts."

    stacks: dict[str, StackEntry] = Field(default_factory=dict)
    used_requests: list[str] = Field(
        default_factory=list, description="Approval requests that were answered: once each."
    )
    attempts: list[ChangeAttempt] = Field(default_factory=list)


class SavingsRealised(StateBlock):
    """What applied changes really saved. Written by `verify-savings` only."""

    _block_type_name = "Savings Realised"
    _block_type_slug = "savings-realised"
    _description = "Pointer to the realised saving of each applied change, with its interval."

    expected_usd_per_month: float | None = Field(
        None, description="Of all applied changes that stand."
    )
    told_expected_usd_per_month: float | None = Field(
        None, description="Of those with a verdict: what the realised saving compares with."
    )
    realised_usd_per_month: float | None = Field(None, description="Of those with a verdict.")
    realised_low_usd_per_month: float | None = None
    realised_high_usd_per_month: float | None = None
    realised: int = Field(0, ge=0, description="Changes that saved what they should.")
    partly: int = Field(0, ge=0)
    not_realised: int = Field(0, ge=0)
    too_early: int = Field(0, ge=0)
    not_measured: int = Field(0, ge=0)
    undone: int = Field(0, ge=0, description="Changes that were taken back; in no amount.")
    next_look_at: datetime | None = Field(
        None, description="When more can be said of the first that it is too early for."
    )
    details: ObjectPointer | None = Field(None, description="Each change, JSON.")
