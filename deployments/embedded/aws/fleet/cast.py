"""Who is in the generated part of the shipped fleet, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deployments.embedded.aws.fleet.description import LINUX, WINDOWS, FleetVolume
from tasks.domain.inventory import Lifecycle
from tasks.domain.savings.policy import ARCHITECTURE_TAG, SCHEDULE_TAG, SPOT_TAG
from tasks.domain.usage.archetypes import Archetype


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some instances that are alike.

    Attributes:
        types: Dealt out in turn.
        agent: Whether the agent may report memory; the generator leaves some without.
        days_old: Launched that many days ago; None for long before history begins.
        stopped_days: Stopped that many days ago; None for running.
    """

    name: str
    archetype: Archetype
    count: int
    types: tuple[str, ...]
    agent: bool = True
    product: str = LINUX
    lifecycle: Lifecycle = Lifecycle.ON_DEMAND
    days_old: int | None = None
    stopped_days: int | None = None
    volumes: tuple[FleetVolume, ...] = (FleetVolume(),)
    tags: Mapping[str, str] = field(default_factory=dict)


_GP2 = (FleetVolume(kind="gp2", size_gib=100),)
_DATABASE = (
    FleetVolume(kind="gp3", size_gib=50),
    FleetVolume(kind="gp2", size_gib=500),
    FleetVolume(kind="io1", size_gib=200, iops=3000),
)

PARTS = (
    # Nobody uses them; the last one has to run all the same.
    Part(
        name="proof-of-concept",
        archetype=Archetype.IDLE,
        count=3,
        types=("m5.large", "t3.large", "m4.large"),
        volumes=_GP2,
        tags={"team": "research", "env": "dev"},
    ),
    Part(
        name="license-server",
        archetype=Archetype.IDLE,
        count=1,
        types=("m5.large",),
        tags={"team": "platform", "env": "prod", SCHEDULE_TAG: "never", SPOT_TAG: "never"},
    ),
    # People work on them by day.
    Part(
        name="workstation",
        archetype=Archetype.BUSINESS_HOURS,
        count=5,
        types=("m5.xlarge", "m5.2xlarge", "c5.xlarge"),
        volumes=_GP2,
        tags={"team": "mobile", "env": "dev"},
    ),
    Part(
        name="training-room",
        archetype=Archetype.BUSINESS_HOURS,
        count=1,
        types=("m5.xlarge",),
        product=WINDOWS,
        agent=False,
        tags={"team": "research", "env": "dev"},
    ),
    # Bought for the processor, used for the memory.
    Part(
        name="cache",
        archetype=Archetype.MEMORY_BOUND,
        count=3,
        types=("c5.2xlarge", "m5.2xlarge", "c5.4xlarge"),
        tags={"team": "payments", "env": "prod", ARCHITECTURE_TAG: "any"},
    ),
    Part(
        name="database",
        archetype=Archetype.MEMORY_BOUND,
        count=1,
        types=("r5.2xlarge",),
        volumes=_DATABASE,
        tags={"team": "payments", "env": "prod", SPOT_TAG: "never", SCHEDULE_TAG: "never"},
    ),
    # Can be interrupted and tried again.
    Part(
        name="nightly-report",
        archetype=Archetype.NIGHTLY_BATCH,
        count=2,
        types=("m5.2xlarge", "c5.2xlarge"),
        tags={"team": "search", "env": "prod", SPOT_TAG: "allowed", ARCHITECTURE_TAG: "any"},
    ),
    Part(
        name="crawler",
        archetype=Archetype.BURSTY,
        count=2,
        types=("c5.xlarge", "c4.xlarge"),
        tags={"team": "search", "env": "prod", SPOT_TAG: "allowed"},
    ),
    Part(
        name="indexer",
        archetype=Archetype.STEADY,
        count=2,
        types=("c5.xlarge",),
        lifecycle=Lifecycle.SPOT,
        tags={"team": "search", "env": "prod", SPOT_TAG: "allowed"},
    ),
    # The floor that commitments cover.
    Part(
        name="queue",
        archetype=Archetype.STEADY,
        count=4,
        types=("m5.xlarge", "m6i.large"),
        volumes=_GP2,
        tags={"team": "platform", "env": "prod"},
    ),
    Part(
        name="signups",
        archetype=Archetype.GROWING,
        count=2,
        types=("m5.large", "m4.xlarge"),
        tags={"team": "mobile", "env": "prod"},
    ),
    Part(
        name="on-graviton",
        archetype=Archetype.DAILY,
        count=2,
        types=("m6g.xlarge",),
        tags={"team": "platform", "env": "prod"},
    ),
    # Too young to be judged.
    Part(
        name="new-search",
        archetype=Archetype.IDLE,
        count=1,
        types=("m5.4xlarge",),
        days_old=5,
        tags={"team": "search", "env": "prod"},
    ),
    # Costs its volumes only.
    Part(
        name="old-build",
        archetype=Archetype.IDLE,
        count=1,
        types=("m3.large",),
        stopped_days=9,
        volumes=(FleetVolume(kind="gp2", size_gib=200),),
        tags={"team": "platform", "env": "dev"},
    ),
)


def loose_volumes() -> tuple[tuple[str, FleetVolume], ...]:
    """Return volumes that are attached to nothing, by zone."""
    return (
        ("us-east-1a", FleetVolume(kind="gp2", size_gib=250, tags={"Name": "forgotten"})),
        ("us-east-1b", FleetVolume(kind="gp3", size_gib=80, tags={"team": "research"})),
    )
