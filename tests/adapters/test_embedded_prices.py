from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deployments.embedded.aws.price_list import REGIONS, on_demand_types
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tests.support.embedded_aws import Clock, aws_client, seeding_client

pytestmark = pytest.mark.embedded("aws")

LINUX: dict[str, Any] = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
}


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(datetime(2026, 3, 1, tzinfo=UTC)))) as running:
        yield running


@pytest.fixture(scope="module")
def pricing(server: EmbeddedAws) -> Any:
    return aws_client(server, "pricing")


@pytest.fixture(scope="module")
def ec2(server: EmbeddedAws) -> Any:
    return seeding_client(server, "ec2")


def products(client: Any, *, pages_of: int = 100, **terms: Any) -> list[dict[str, Any]]:
    filters = [
        {"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in terms.items()
    ]
    pages = client.get_paginator("get_products").paginate(
        ServiceCode="AmazonEC2",
        FormatVersion="aws_v1",
        Filters=filters,
        PaginationConfig={"PageSize": pages_of},
    )
    return [json.loads(document) for page in pages for document in page["PriceList"]]


def hourly_usd(document: dict[str, Any]) -> float:
    (offer,) = document["terms"]["OnDemand"].values()
    (dimension,) = offer["priceDimensions"].values()
    assert dimension["unit"] == "Hrs"
    return float(dimension["pricePerUnit"]["USD"])


def code_of(client: Any, operation: str, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**arguments)
    return str(refused.value.response["Error"]["Code"])


def test_the_on_demand_price_of_a_type_in_a_region(pricing: Any) -> None:
    (found,) = products(pricing, regionCode="us-east-1", instanceType="m5.large", **LINUX)

    assert hourly_usd(found) == 0.096
    assert found["product"]["attributes"]["vcpu"] == "2"
    assert found["product"]["attributes"]["memory"] == "8 GiB"


def test_a_location_is_a_region_by_its_other_name(pricing: Any) -> None:
    (found,) = products(pricing, location="EU (Ireland)", instanceType="a1.large", **LINUX)

    assert found["product"]["attributes"]["regionCode"] == "eu-west-1"
    assert "Graviton" in found["product"]["attributes"]["physicalProcessor"]


def test_every_product_comes_once_over_pages(pricing: Any) -> None:
    found = products(pricing, pages_of=70, regionCode="us-east-1", **LINUX)
    kinds = [document["product"]["attributes"]["instanceType"] for document in found]

    assert kinds == sorted(on_demand_types())


@pytest.mark.parametrize(
    "terms",
    [
        {"instanceType": "m99.large"},
        {"operatingSystem": "Windows"},
        {"tenancy": "Dedicated"},
        {"regionCode": "mars-1"},
        {"colour": "red"},
    ],
)
def test_an_unknown_price_is_an_empty_list(pricing: Any, terms: dict[str, Any]) -> None:
    assert products(pricing, **terms) == []


def test_other_tests_of_a_field(pricing: Any) -> None:
    answer = pricing.get_products(
        ServiceCode="AmazonEC2",
        Filters=[
            {"Type": "ANY_OF", "Field": "instanceType", "Value": "m5.large,c5.large,r5.large"},
            {"Type": "NONE_OF", "Field": "instanceType", "Value": "r5.large"},
            {"Type": "CONTAINS", "Field": "regionCode", "Value": "us-east"},
        ],
    )

    assert len(answer["PriceList"]) == 2 * 2  # two types in us-east-1 and us-east-2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"ServiceCode": "AmazonRDS"}, "InvalidParameterException"),
        ({"ServiceCode": "AmazonEC2", "MaxResults": 101}, "InvalidParameterException"),
        ({"ServiceCode": "AmazonEC2", "NextToken": "made up"}, "InvalidNextTokenException"),
    ],
)
def test_what_the_price_list_does_not_allow_is_refused(
    pricing: Any, arguments: dict[str, Any], code: str
) -> None:
    assert code_of(pricing, "get_products", **arguments) == code


def test_the_services_and_their_attributes_are_described(server: EmbeddedAws) -> None:
    owner = seeding_client(server, "pricing")
    (service,) = owner.describe_services(ServiceCode="AmazonEC2")["Services"]
    every = [found["ServiceCode"] for found in owner.describe_services()["Services"]]

    assert {"instanceType", "regionCode", "vcpu", "volumeApiName"} <= set(service["AttributeNames"])
    assert every == ["AWSLambda", "AmazonApiGateway", "AmazonEC2"]


def test_instance_types_are_described_with_their_shape(ec2: Any) -> None:
    found = ec2.describe_instance_types(InstanceTypes=["m6g.large", "p2.xlarge"])["InstanceTypes"]

    shapes = [
        (
            kind["InstanceType"],
            kind["VCpuInfo"]["DefaultVCpus"],
            kind["MemoryInfo"]["SizeInMiB"],
            kind["ProcessorInfo"]["SupportedArchitectures"],
        )
        for kind in found
    ]
    assert shapes == [("m6g.large", 2, 8192, ["arm64"]), ("p2.xlarge", 4, 62464, ["x86_64"])]


def test_instance_types_are_filtered_and_paged(ec2: Any) -> None:
    pages = ec2.get_paginator("describe_instance_types").paginate(
        Filters=[
            {"Name": "processor-info.supported-architecture", "Values": ["arm64"]},
            {"Name": "vcpu-info.default-vcpus", "Values": ["4"]},
            {"Name": "instance-type", "Values": ["c*", "m*"]},
        ],
        PaginationConfig={"PageSize": 5},
    )
    sizes, names = [], []
    for page in pages:
        sizes.append(len(page["InstanceTypes"]))
        names += [kind["InstanceType"] for kind in page["InstanceTypes"]]

    assert {"c6g.xlarge", "m6g.xlarge"} <= set(names)
    assert "r6g.xlarge" not in names
    assert len(set(names)) == len(names) > 5
    assert max(sizes) == 5


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"InstanceTypes": ["m99.large"]}, "InvalidInstanceType"),
        ({"MaxResults": 101}, "InvalidParameterValue"),
        ({"Filters": [{"Name": "colour", "Values": ["red"]}]}, "InvalidParameterValue"),
        ({"NextToken": "made up"}, "InvalidParameterValue"),
    ],
)
def test_impossible_instance_types_are_refused(
    ec2: Any, arguments: dict[str, Any], code: str
) -> None:
    assert code_of(ec2, "describe_instance_types", **arguments) == code


def test_scores_rank_zones_and_fall_with_the_capacity_wanted(ec2: Any) -> None:
    def scores(capacity: int) -> dict[str, int]:
        answer = ec2.get_spot_placement_scores(
            InstanceTypes=["m5.8xlarge", "c5.2xlarge", "r5a.12xlarge"],
            TargetCapacity=capacity,
            SingleAvailabilityZone=True,
        )
        return {row["AvailabilityZoneId"]: row["Score"] for row in answer["SpotPlacementScores"]}

    few, many = scores(1), scores(5000)

    assert all(zone.startswith("use1-az") for zone in few)
    assert all(1 <= many[zone] < few[zone] <= 10 for zone in few)
    assert list(few.values()) == sorted(few.values(), reverse=True)


def test_a_region_has_one_score_and_regions_without_history_none(ec2: Any) -> None:
    answer = ec2.get_spot_placement_scores(
        InstanceTypes=["m5.8xlarge"], TargetCapacity=10, RegionNames=["us-east-1", "eu-west-1"]
    )["SpotPlacementScores"]

    assert [set(row) for row in answer] == [{"Region", "Score"}]
    assert answer[0]["Region"] == "us-east-1"


def test_every_region_has_a_stated_price_level() -> None:
    assert all(1.0 <= level <= 1.7 for _, level in REGIONS.values())
