"""Every resource type that the stand-in has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from deployments.embedded.pulumi_aws.kinds import Kind
from deployments.embedded.pulumi_aws.resources.commitments import (
    RESERVED_CACHE_NODE,
    RESERVED_INSTANCE,
    SAVINGS_PLAN,
)
from deployments.embedded.pulumi_aws.resources.ebs_volumes import VOLUME
from deployments.embedded.pulumi_aws.resources.ec2_instances import INSTANCE
from deployments.embedded.pulumi_aws.resources.functions import FUNCTION, PERMISSION
from deployments.embedded.pulumi_aws.resources.http_apis import API, INTEGRATION, ROUTE, STAGE
from deployments.embedded.pulumi_aws.resources.instance_states import INSTANCE_STATE
from deployments.embedded.pulumi_aws.resources.launch_templates import LAUNCH_TEMPLATE
from deployments.embedded.pulumi_aws.resources.log_groups import LOG_GROUP
from deployments.embedded.pulumi_aws.resources.roles import ROLE, ROLE_POLICY
from deployments.embedded.pulumi_aws.resources.scaling_groups import GROUP
from deployments.embedded.pulumi_aws.resources.scaling_rules import POLICY, SCHEDULE
from deployments.embedded.pulumi_aws.resources.timed_calls import TIMED_CALL

_ALL = (
    API,
    FUNCTION,
    GROUP,
    INSTANCE,
    INSTANCE_STATE,
    INTEGRATION,
    LAUNCH_TEMPLATE,
    LOG_GROUP,
    PERMISSION,
    POLICY,
    RESERVED_CACHE_NODE,
    RESERVED_INSTANCE,
    ROLE,
    ROLE_POLICY,
    ROUTE,
    SAVINGS_PLAN,
    SCHEDULE,
    STAGE,
    TIMED_CALL,
    VOLUME,
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.token: kind for kind in _ALL})
"""By Pulumi's token."""
