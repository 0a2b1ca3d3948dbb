"""What instance types can do, from EC2 DescribeInstanceTypes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.adapters.inventory import architecture
from tasks.adapters.pages import items
from tasks.domain.instances import Architecture, InstanceShape, TypeFacts

OPERATIONS = ("ec2:DescribeInstanceTypes",)

PAGE_TYPES = 100
_MIB_PER_MB = 1e6 / 2**20
_ACCELERATORS = (
    ("GpuInfo", "Gpus"),
    ("FpgaInfo", "Fpgas"),
    ("InferenceAcceleratorInfo", "Accelerators"),
    ("NeuronInfo", "NeuronDevices"),
    ("MediaAcceleratorInfo", "Accelerators"),
)


def type_facts(client: Any, *, region: str) -> dict[str, TypeFacts]:
    """Return the facts of every instance type that a region sells, by name.

    Args:
        client: A boto3 client of EC2.
        region: The client's.

    Raises:
        TransientError: A page was throttled or failed more often than the client retries.
        PermanentError: EC2 refused.
    """
    rows = items(
        client.describe_instance_types,
        "InstanceTypes",
        operation="ec2:DescribeInstanceTypes",
        region=region,
        arguments={"MaxResults": PAGE_TYPES},
    )
    found = (_facts(row) for row in rows)
    return {one.shape.instance_type: one for one in found}


def _facts(item: Mapping[str, Any]) -> TypeFacts:
    shape = InstanceShape(
        instance_type=item["InstanceType"],
        vcpu=float(item["VCpuInfo"]["DefaultVCpus"]),
        memory_gib=item["MemoryInfo"]["SizeInMiB"] / 1024,
        architecture=_architecture(item["ProcessorInfo"].get("SupportedArchitectures", ())),
    )
    return TypeFacts(
        shape=shape,
        current_generation=bool(item.get("CurrentGeneration", True)),
        bare_metal=bool(item.get("BareMetal", False)),
        bursts=bool(item.get("BurstablePerformanceSupported", False)),
        local_storage_gb=float(item.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0.0)),
        accelerators=_accelerators(item),
        network_gbps=_network_gbps(item.get("NetworkInfo", {})),
        ebs_mib_per_second=_ebs_mib_per_second(item.get("EbsInfo", {})),
        # Bare metal names no hypervisor.
        nitro=item.get("Hypervisor") != "xen",
    )


def _architecture(names: tuple[str, ...] | list[str]) -> Architecture:
    # Small old types run 32 bits too; what else they run does not matter.
    known = [architecture(name) for name in names]
    return next((one for one in known if one is not Architecture.ANY), Architecture.ANY)


def _accelerators(item: Mapping[str, Any]) -> int:
    return sum(
        int(one.get("Count", 1))
        for info, devices in _ACCELERATORS
        for one in item.get(info, {}).get(devices, ())
    )


def _network_gbps(info: Mapping[str, Any]) -> float | None:
    lasting = [card.get("BaselineBandwidthInGbps") for card in info.get("NetworkCards", ())]
    if not lasting or any(each is None for each in lasting):
        return None
    return float(sum(lasting))


def _ebs_mib_per_second(info: Mapping[str, Any]) -> float | None:
    lasting = info.get("EbsOptimizedInfo", {}).get("BaselineThroughputInMBps")
    return None if lasting is None else float(lasting) * _MIB_PER_MB
