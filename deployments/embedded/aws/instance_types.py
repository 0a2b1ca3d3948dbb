"""EC2 DescribeInstanceTypes, from moto's catalogue."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError, invalid_value
from deployments.embedded.aws.price_list import OnDemandType, on_demand_types
from deployments.embedded.aws.spot_filters import matches, wildcard

MOST_RESULTS = 100


def describe_instance_types(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer DescribeInstanceTypes: a page of types, by name.

    Raises:
        AwsError: A type or filter does not exist, or a page size is out of bounds.
    """
    del call
    limit = parameters.get("MaxResults", MOST_RESULTS)
    if not 5 <= limit <= MOST_RESULTS:
        expected = f"Expecting a value between 5 and {MOST_RESULTS}."
        raise invalid_value(limit, parameter="MaxResults", expected=expected)
    wanted = _filtered(_named(parameters.get("InstanceTypes", ())), parameters.get("Filters", ()))
    first = _offset(parameters.get("NextToken"))
    answer: dict[str, Any] = {"InstanceTypes": wanted[first : first + limit]}
    if first + limit < len(wanted):
        answer["NextToken"] = base64.urlsafe_b64encode(str(first + limit).encode()).decode()
    return answer


@cache
def _catalogue() -> Mapping[str, dict[str, Any]]:
    # A second and 60 MB: only when somebody asks.
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    # moto dropped types that AWS retired; recordings and the price list still have them.
    retired = {name: _entry(name, kind) for name, kind in on_demand_types().items()}
    return dict(sorted({**retired, **INSTANCE_TYPES}.items()))


def _entry(name: str, kind: OnDemandType) -> dict[str, Any]:
    return {
        "InstanceType": name,
        "CurrentGeneration": False,
        "BareMetal": name.endswith(".metal"),
        "Hypervisor": "xen",
        "SupportedUsageClasses": ["on-demand", "spot"],
        "ProcessorInfo": {"SupportedArchitectures": [kind.architecture]},
        "VCpuInfo": {"DefaultVCpus": kind.vcpu},
        "MemoryInfo": {"SizeInMiB": int(kind.memory_gib * 1024)},
    }


def _named(names: list[str]) -> list[dict[str, Any]]:
    catalogue = _catalogue()
    unknown = [name for name in names if name not in catalogue]
    if unknown:
        message = f"The following supplied instance types do not exist: [{', '.join(unknown)}]"
        raise AwsError(code="InvalidInstanceType", message=message)
    return [catalogue[name] for name in sorted(set(names) or catalogue)]


def _filtered(
    kinds: list[dict[str, Any]], filters: list[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    for item in filters:
        name = item.get("Name", "")
        path = name.split(".")
        if not any(True for kind in _catalogue().values() for _ in _values(kind, path)):
            raise AwsError(code="InvalidParameterValue", message=f"The filter '{name}' is invalid")
        patterns = [wildcard(value) for value in item.get("Values", ())]
        kinds = [k for k in kinds if any(matches(v, patterns) for v in _values(k, path))]
    return kinds


def _values(node: Any, path: list[str]) -> Iterator[str]:
    """Yield what stands at a filter's path: "vcpu-info.default-vcpus" is VCpuInfo.DefaultVCpus."""
    if isinstance(node, list):
        for item in node:
            yield from _values(item, path)
    elif path and isinstance(node, dict):
        for key, item in node.items():
            if _plain(key) == _plain(path[0]):
                yield from _values(item, path[1:])
    elif not path and not isinstance(node, dict):
        yield str(node).lower() if isinstance(node, bool) else str(node)


def _plain(name: str) -> str:
    return name.replace("-", "").lower().removesuffix("s")


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError) as error:
        message = "Unable to parse pagination token"
        raise AwsError(code="InvalidParameterValue", message=message) from error
