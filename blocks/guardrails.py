"""What the operator allows: limits of everything that changes the world."""

from __future__ import annotations

import re
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from prefect.blocks.core import Block
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Mode = Literal["off", "observe", "recommend", "approve", "auto"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ScopeKind = Literal[
    "right-size",
    "spot",
    "commitment",
    "serverless",
    "stop",
    "schedule",
    "volume-type",
    "predictive-scaling",
    "healing",
    "chaos",
]
CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
SIGNER = re.compile(r"\S\s+(\S+\s+)?(ssh|ecdsa|sk)-\S+\s+AAAA")
NOTIFICATION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*")


class ModeScope(BaseModel):
    """A mode for a part of what there is. The most cautious of those that cover something holds."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode = Field(description="How far changes of this part may go without a person.")
    kinds: list[ScopeKind] = Field(
        default_factory=list, description="Kinds of change; empty for all."
    )
    regions: list[str] = Field(
        default_factory=list,
        max_length=50,
        description='For example "eu-central-1"; empty for all.',
    )
    pattern: str = Field(
        "*",
        min_length=1,
        max_length=300,
        description="Of a resource's id or name, or of a stack; * and ? stand for any characters.",
    )

    @field_validator("regions")
    @classmethod
    def _known_form(cls, regions: list[str]) -> list[str]:
        for one in regions:
            # A region that never matches would leave its scope without effect.
            if not REGION.fullmatch(one):
                message = f"{one!r} is no region; write it as in 'eu-central-1'"
                raise ValueError(message)
        return regions


class Window(BaseModel):
    """Hours in which changes may be made."""

    model_config = ConfigDict(extra="forbid")

    days: list[Day] = Field(min_length=1, max_length=7, description="On which it opens.")
    start: str = Field(pattern=CLOCK, description='When it opens, for example "22:00".')
    end: str = Field(
        pattern=CLOCK,
        description='When it closes; before the start it means the next day. "24:00" is midnight.',
    )
    time_zone: str = Field(
        "UTC", max_length=60, description='IANA name, for example "Europe/Berlin".'
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            message = f"{name!r} is no time zone here; write it as in 'Europe/Berlin' or 'UTC'"
            raise ValueError(message) from error
        return name

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.start == "24:00":
            message = 'start is "24:00"; write "00:00" of the next day'
            raise ValueError(message)
        if self.start == self.end:
            message = f'opens and closes at {self.start}; for a whole day write "00:00" to "24:00"'
            raise ValueError(message)
        return self


class Guardrails(Block):
    """Limits of everything that changes the world, and the switch that stops it.

    People edit it in the UI; flows only read it, again immediately before every change.
    """

    _block_type_name = "Guardrails"
    _block_type_slug = "guardrails"
    _description = "Kill switch, modes, limits, change windows and signers."

    model_config = ConfigDict(validate_assignment=True)

    kill_switch: bool = Field(
        default=False, description="Stops apply, healing and chaos alike, at once."
    )
    mode: Mode = Field(
        "observe",
        description="How far changes may go that no scope covers: off, observe (log), recommend "
        "(show), approve (wait for people), auto. Off holds for everything, whatever scopes say.",
    )
    scopes: list[ModeScope] = Field(
        default_factory=list,
        max_length=200,
        description="Other modes for parts; the most cautious that covers something holds for it.",
    )
    max_resources_per_run: int = Field(
        5, ge=0, le=1000, description="Resources that one run may change; 0 for none."
    )
    max_percent_per_run: float = Field(
        10.0,
        ge=0,
        le=100,
        description="Of the resources looked at, rounded down: 10 % of 9 resources is none.",
    )
    max_usd_per_run: float = Field(
        500.0,
        ge=0,
        le=10_000_000,
        description="USD a month by which one run may move costs, up and down added together, with "
        "commitments; 0 for none.",
    )
    max_replacements_per_run: int = Field(
        0, ge=0, le=1000, description="Resources that one update may make anew."
    )
    max_deletions_per_run: int = Field(
        0,
        ge=0,
        le=1000,
        description="Resources that one update may delete, other than what an undo takes back.",
    )
    min_saving_usd: float = Field(
        5.0, ge=0, le=1_000_000, description="Smallest saving worth a change, USD a month."
    )
    cooldown_hours: float = Field(
        24.0,
        ge=0,
        le=720,
        description="Between two changes of one kind to one resource; doubled for each in a row "
        "whose effect was not verified, up to 60 days.",
    )
    max_ineffective: int = Field(
        3,
        ge=1,
        le=10,
        description="Changes in a row without verified effect, after which a person decides.",
    )
    windows: list[Window] = Field(
        default_factory=list,
        max_length=50,
        description="When changes may be made; empty for always.",
    )
    approval_valid_hours: float = Field(
        72.0,
        gt=0,
        le=720,
        description="From the question until it is void: what is not applied by then is asked anew.",
    )
    allowed_signers: str = Field(
        "",
        max_length=50_000,
        description="Who may sign approvals, in OpenSSH's allowed_signers format: a line for each "
        "key, 'name key-type key', as in 'ada@example.org ssh-ed25519 AAAA...'. A name may have "
        "several keys, a key has one name.",
    )
    signers_needed: int = Field(
        1,
        ge=1,
        le=10,
        description="Signers of a replacement or purchase; deletions take two at least.",
    )
    alarm_quiet_minutes: float = Field(
        30.0, ge=0, le=180, description="For how long no alarm may ring after a change."
    )
    notify: list[str] = Field(
        default_factory=list,
        max_length=20,
        description='Prefect notification blocks to tell, as "type/name", for example '
        '"slack-webhook/platform-team".',
    )

    @field_validator("allowed_signers")
    @classmethod
    def _are_signers(cls, text: str) -> str:
        if "PRIVATE KEY" in text:
            message = "paste public keys (the .pub files), never a private key"
            raise ValueError(message)
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip() and not line.strip().startswith("#") and not SIGNER.search(line):
                message = f"line {number}: {line[:60]!r}; a line is 'name key-type key'"
                raise ValueError(message)
        return text

    @field_validator("notify")
    @classmethod
    def _are_documents(cls, names: list[str]) -> list[str]:
        for one in names:
            if not NOTIFICATION.fullmatch(one):
                message = f"{one!r} is no block document; write 'block-type/name'"
                raise ValueError(message)
        return names
