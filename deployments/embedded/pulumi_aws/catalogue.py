"""Every resource type that the stand-in has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from deployments.embedded.pulumi_aws.kinds import Kind
from deployments.embedded.pulumi_aws.resources.ebs_volumes import VOLUME
from deployments.embedded.pulumi_aws.resources.ec2_instances import INSTANCE

KINDS: Mapping[str, Kind] = MappingProxyType({kind.token: kind for kind in (INSTANCE, VOLUME)})
"""By Pulumi's token."""
