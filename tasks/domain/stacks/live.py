"""What an account has now of what would be changed, as the inputs that adopt it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.domain.instances import TypeFacts
from tasks.domain.inventory import InstanceState, Lifecycle
from tasks.domain.stacks.program import Input

PURCHASE_REGION = "us-east-1"
"""Savings Plans are of no region; their service answers there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveResource:
    """Something that exists, as Pulumi would take it over.

    Attributes:
        token: Pulumi's type.
        import_id: What `pulumi import` asks for.
        inputs: As the account has them, in snake_case; tags that AWS sets are not in them.
        tags: The same tags as a mapping, whatever form the inputs have them in.
        unknown: Settings that have no input here: adopted without them, they would be lost.
    """

    token: str
    import_id: str
    inputs: Mapping[str, Input]
    tags: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveInstance:
    """An EC2 instance.

    Attributes:
        architecture: As EC2 names it, for example "x86_64".
        root_device: "ebs" or "instance-store".
        group: Name of its auto scaling group; None outside of one.
        root_volume: Id of its root; None where it is on no volume.
        data_volumes: Ids of the volumes besides its root.
        services: Target groups that it is registered with; None where that was not read.
        stop_protected: None where that was not read.
        keys: That its volumes are encrypted with, as ARNs: of the account or of AWS, which EC2 does
            not tell apart.
    """

    resource: LiveResource
    state: InstanceState
    instance_type: str
    availability_zone: str
    architecture: str = "x86_64"
    lifecycle: Lifecycle = Lifecycle.ON_DEMAND
    root_device: str = "ebs"
    group: str | None = None
    root_volume: str | None = None
    data_volumes: tuple[str, ...] = ()
    services: tuple[str, ...] | None = None
    stop_protected: bool | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTemplate:
    """A launch template: its latest version, which is the one that Pulumi adopts.

    Attributes:
        used: Version that a group uses, by the group's name, as a number.
        same_as_latest: Whether a version says the same as the latest, by its number.
    """

    resource: LiveResource
    latest: int
    used: Mapping[str, int] = field(default_factory=dict)
    same_as_latest: Mapping[int, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePolicy:
    """A scaling policy of a group.

    Attributes:
        policy_type: For example "TargetTrackingScaling".
        metric: That a target tracking policy follows, of those AWS predefines; None otherwise.
        target: Its target; None otherwise.
    """

    resource: LiveResource
    name: str
    policy_type: str
    metric: str | None = None
    target: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveGroup:
    """An auto scaling group.

    Attributes:
        template_id: Of the launch template that it uses, also in a mixed policy; None for a launch
            configuration.
        version: As the group names it: a number, "$Latest" or "$Default".
        mixed: Whether it has a mixed instances policy.
        overridden: Instance types that its mixed policy names.
        suspended: Processes that are suspended.
    """

    resource: LiveResource
    min_size: int
    max_size: int
    desired: int
    template_id: str | None = None
    version: str | None = None
    mixed: bool = False
    overridden: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()
    policies: tuple[LivePolicy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveVolume:
    """An EBS volume, also the root of an instance that another is to take over from."""

    resource: LiveResource
    kind: str
    size_gib: int
    state: str = "in-use"
    multi_attach: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOffering:
    """A Savings Plan as it is sold.

    Attributes:
        plan_type: For example "Compute".
        payment: For example "No Upfront".
        currency: For example "USD".
    """

    offering_id: str
    plan_type: str
    payment: str
    years: int
    currency: str = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRegion:
    """What was read of one region, by id; groups by name. What is not in it does not exist.

    Attributes:
        types: Facts of the instance types that are used and wanted.
        template_users: Names of all groups of the region by template id, with the version that
            each names.
    """

    region: str
    instances: Mapping[str, LiveInstance] = field(default_factory=dict)
    volumes: Mapping[str, LiveVolume] = field(default_factory=dict)
    groups: Mapping[str, LiveGroup] = field(default_factory=dict)
    templates: Mapping[str, LiveTemplate] = field(default_factory=dict)
    types: Mapping[str, TypeFacts] = field(default_factory=dict)
    template_users: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAccount:
    """What was read of an account.

    Attributes:
        account_id: Twelve digits.
        partition: "aws", "aws-cn" or "aws-us-gov".
        regions: By name.
        plan_offerings: None where they could not be read.
        plans_unread: Why they could not be read; empty where they were.
    """

    account_id: str
    partition: str
    regions: Mapping[str, LiveRegion]
    plan_offerings: tuple[PlanOffering, ...] | None = None
    plans_unread: str = ""
