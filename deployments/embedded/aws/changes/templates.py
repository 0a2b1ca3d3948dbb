"""EC2 DescribeLaunchTemplates, in which moto tells the tags of a template as they were at first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.policy import ACCOUNT


def describe_templates(call: Call, parameters: Mapping[str, Any]) -> None:
    """Let the templates have the tags that they have by now; moto does the rest."""
    # Loads moto's models of EC2: only when somebody asks.
    from moto.ec2.models import ec2_backends

    del parameters
    for one in list(ec2_backends[ACCOUNT][call.region].launch_templates.values()):
        one.tags = one.get_tags()
