from __future__ import annotations

from typing import Any

import pytest

from deployments.embedded.aws.server import EmbeddedAwsConfig, serve_aws
from tasks.adapters.instance_types import type_facts
from tasks.domain.instances import Architecture, InstanceShape, TypeFacts
from tests.support.embedded_aws import aws_client

REGION = "us-east-1"


class Ec2:
    """Sells what it is told."""

    def __init__(self, *kinds: dict[str, Any]) -> None:
        self._kinds = kinds

    def describe_instance_types(self, **_: Any) -> dict[str, Any]:
        return {"InstanceTypes": list(self._kinds)}


def kind(**more: Any) -> dict[str, Any]:
    return {
        "InstanceType": "x9.large",
        "VCpuInfo": {"DefaultVCpus": 2},
        "MemoryInfo": {"SizeInMiB": 1536},
        "ProcessorInfo": {"SupportedArchitectures": ["i386", "x86_64"]},
        **more,
    }


def facts(**more: Any) -> TypeFacts:
    return type_facts(Ec2(kind(**more)), region=REGION)["x9.large"]


def test_what_ec2_leaves_out_is_unknown_or_none() -> None:
    shape = InstanceShape(
        instance_type="x9.large", vcpu=2.0, memory_gib=1.5, architecture=Architecture.X86_64
    )

    assert facts() == TypeFacts(shape=shape)


def test_lasting_speeds_are_read_and_peaks_are_not() -> None:
    cards = [{"BaselineBandwidthInGbps": 50.0, "PeakBandwidthInGbps": 100.0}] * 2
    ebs = {"BaselineThroughputInMBps": 2**20 / 1e6, "MaximumThroughputInMBps": 500.0}

    found = facts(NetworkInfo={"NetworkCards": cards}, EbsInfo={"EbsOptimizedInfo": ebs})

    assert found.network_gbps == 100.0
    assert found.ebs_mib_per_second == pytest.approx(1.0)


def test_a_card_without_a_lasting_speed_makes_it_unknown() -> None:
    cards = [{"BaselineBandwidthInGbps": 50.0}, {"NetworkPerformance": "High"}]

    assert facts(NetworkInfo={"NetworkCards": cards}).network_gbps is None


def test_accelerators_of_every_kind_are_counted() -> None:
    found = facts(
        GpuInfo={"Gpus": [{"Count": 2}, {"Count": 1}]},
        NeuronInfo={"NeuronDevices": [{"Count": 4}]},
    )

    assert found.accelerators == 7


def test_xen_is_told_from_nitro_and_bare_metal() -> None:
    assert not facts(Hypervisor="xen").nitro
    assert facts(Hypervisor="nitro").nitro
    assert facts(BareMetal=True).nitro


@pytest.mark.slow
@pytest.mark.embedded("aws")
def test_every_type_that_a_region_sells_tells_what_it_can_do() -> None:
    with serve_aws(EmbeddedAwsConfig()) as server:
        found = type_facts(aws_client(server, "ec2"), region=REGION)
    large, small, old, gpu = (
        found[name] for name in ("m5.large", "t3.micro", "m3.large", "g4dn.12xlarge")
    )

    assert len(found) > 1000
    assert (large.shape.vcpu, large.shape.memory_gib) == (2.0, 8.0)
    assert large.network_gbps == 0.75
    assert large.ebs_mib_per_second == pytest.approx(81.25e6 / 2**20)
    assert (large.nitro, old.nitro) == (True, False)
    assert (large.bursts, small.bursts) == (False, True)
    assert (gpu.accelerators, large.accelerators) == (4, 0)
    assert old.local_storage_gb > 0 == large.local_storage_gb
    assert found["m6g.large"].shape.architecture is Architecture.ARM64
    assert found["m5.metal"].bare_metal
