"""A fleet changed through the API. Each test has a server of its own, which empties others' accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from botocore.exceptions import ClientError

from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.inventory import instances, volumes
from tasks.adapters.metrics import Window
from tasks.adapters.usage_metrics import Reader, instance_panel, reported_metrics
from tasks.domain.inventory import InstanceState, Volume
from tasks.domain.usage.panel import Metric
from tests.support.embedded_aws import Clock, aws_client, seeding_client

pytestmark = pytest.mark.embedded("aws")

REGION = "us-east-1"
NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)


def named_volume(server: EmbeddedAws, volume_id: str) -> Volume:
    (found,) = (
        one
        for one in volumes(aws_client(server, "ec2"), region=REGION)
        if one.volume_id == volume_id
    )
    return found


def test_what_the_api_changes_shows_in_the_next_inventory() -> None:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW), fleet="generated:3")) as server:
        first, second, third = instances(aws_client(server, "ec2"), region=REGION)
        (disk,) = (
            one
            for one in volumes(aws_client(server, "ec2"), region=REGION)
            if one.attached_to == first.instance_id
        )
        writer = seeding_client(server, "ec2")
        writer.stop_instances(InstanceIds=[first.instance_id])
        writer.modify_instance_attribute(
            InstanceId=first.instance_id, InstanceType={"Value": "m5.24xlarge"}
        )
        writer.terminate_instances(InstanceIds=[second.instance_id])
        writer.modify_volume(VolumeId=disk.volume_id, VolumeType="gp3", Size=99)

        found = instances(aws_client(server, "ec2"), region=REGION)
        changed = named_volume(server, disk.volume_id)

    assert [one.instance_id for one in found] == [first.instance_id, third.instance_id]
    assert (found[0].state, found[0].instance_type) == (InstanceState.STOPPED, "m5.24xlarge")
    assert (changed.kind, changed.size_gib) == ("gp3", 99.0)


def test_what_is_stopped_reports_nothing_until_it_is_started_again() -> None:
    clock = Clock(NOW)
    config = EmbeddedAwsConfig(clock=clock, fleet="generated:2", replay_ends="+2d")
    with serve_aws(config) as server:
        stopped, kept = (
            one.instance_id for one in instances(aws_client(server, "ec2"), region=REGION)
        )
        writer = seeding_client(server, "ec2")
        writer.stop_instances(InstanceIds=[stopped])
        clock.now = NOW + timedelta(hours=6)
        writer.start_instances(InstanceIds=[stopped])
        clock.now = NOW + timedelta(hours=10)
        client = aws_client(server, "cloudwatch")
        end = clock.now.replace(minute=0)
        window = Window(start=end - timedelta(hours=12), end=end)
        reader = Reader(client=client, region=REGION, window=window)
        panel = instance_panel(reader, [stopped, kept], reported_metrics(client, region=REGION))

    off, on = np.isnan(panel.of(Metric.CPU_MEAN))
    # From 13:00: stopped at 15:20 and started at 21:20; hours that had begun were reported.
    assert off.tolist() == [False] * 3 + [True] * 6 + [False] * 3
    assert on.sum() == 0


def test_an_account_without_a_fleet_is_empty() -> None:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(NOW))) as server:
        ec2 = aws_client(server, "ec2")

        assert ec2.describe_instances()["Reservations"] == []
        assert ec2.describe_volumes()["Volumes"] == []
        with pytest.raises(ClientError, match="The filter 'colour' is invalid"):
            ec2.describe_volumes(Filters=[{"Name": "colour", "Values": ["red"]}])
