"""A group whose template changes twice while its instances are being replaced."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deployments.embedded.aws.server import EmbeddedAwsConfig, serve_aws
from tests.support.embedded_aws import seeding_client
from tests.support.standin import driving, environment

IMAGE = "ami-03c3da4cfa8e8943a"
pytestmark = pytest.mark.embedded("aws")


def test_a_refresh_takes_the_place_of_one_that_is_under_way() -> None:
    with (
        serve_aws(EmbeddedAwsConfig(refresh_takes=timedelta(minutes=10))) as server,
        driving(environment(server)) as driver,
    ):
        driver.configure(region="us-east-1")
        template = driver.create(
            "aws:ec2/launchTemplate:LaunchTemplate",
            "template",
            {"imageId": IMAGE, "instanceType": "m5.large"},
        )
        inputs = {
            "name": "shop",
            "minSize": 1,
            "maxSize": 2,
            "availabilityZones": ["us-east-1a"],
            "launchTemplate": {"id": template.identity, "version": "$Latest"},
            "instanceRefresh": {"strategy": "Rolling"},
        }
        group = driver.create("aws:autoscaling/group:Group", "shop", inputs)
        for version in ("1", "$Default"):
            changed = {"launchTemplate": {"id": template.identity, "version": version}}
            group = driver.update(group, {**inputs, **changed})
        told = seeding_client(server, "autoscaling").describe_instance_refreshes(
            AutoScalingGroupName="shop"
        )

    states = [one["Status"] for one in told["InstanceRefreshes"]]
    assert states == ["InProgress", "Cancelled"]
