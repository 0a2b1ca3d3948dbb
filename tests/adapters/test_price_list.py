from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from deployments.embedded.aws.price_list import on_demand_types
from deployments.embedded.aws.server import EmbeddedAws, EmbeddedAwsConfig, serve_aws
from tasks.adapters.price_list import (
    function_price,
    offer_from,
    on_demand_offers,
    volume_prices,
)
from tasks.domain.instances import Architecture
from tasks.domain.savings.money import VolumePrice
from tests.support.embedded_aws import Clock, aws_client


def document(price: str = "0.0960000000", unit: str = "Hrs", **attributes: str) -> dict[str, Any]:
    """A price list document, cut down to what is read of it."""
    return {
        "product": {
            "attributes": {
                "instanceType": "m5.large",
                "vcpu": "2",
                "memory": "8 GiB",
                "physicalProcessor": "Intel Xeon Platinum 8175",
                **attributes,
            }
        },
        "terms": {
            "OnDemand": {
                "X.JRTCKXETXF": {
                    "priceDimensions": {
                        "X.JRTCKXETXF.6YS6EN2CT7": {"unit": unit, "pricePerUnit": {"USD": price}}
                    }
                }
            }
        },
    }


def test_an_offer_has_price_and_shape() -> None:
    offer = offer_from(document())

    assert offer is not None
    assert offer.price_usd_per_hour == 0.096
    assert (offer.shape.vcpu, offer.shape.memory_gib) == (2.0, 8.0)
    assert offer.shape.architecture is Architecture.X86_64


def test_thousands_in_the_memory_are_read() -> None:
    offer = offer_from(document(memory="1,952 GiB"))

    assert offer is not None
    assert offer.shape.memory_gib == 1952.0


def test_graviton_is_arm64() -> None:
    offer = offer_from(document(physicalProcessor="AWS Graviton2 Processor"))

    assert offer is not None
    assert offer.shape.architecture is Architecture.ARM64


@pytest.mark.parametrize("changes", [{"price": "0.0000000000"}, {"unit": "Quantity"}])
def test_a_document_without_an_hourly_price_is_no_offer(changes: dict[str, str]) -> None:
    assert offer_from(document(**changes)) is None


def test_a_product_the_price_list_does_not_know_has_no_offers() -> None:
    assert on_demand_offers(None, region="us-east-1", product="Plan 9") == {}


class Shelf:
    """A price list that holds some documents, given on one page."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self._documents = documents

    def get_products(self, **arguments: Any) -> dict[str, Any]:
        wanted = {item["Field"]: item["Value"] for item in arguments["Filters"]}
        family = wanted.get("productFamily")
        found = [
            json.dumps(one)
            for one in self._documents
            if family is None or one["product"]["productFamily"] == family
        ]
        return {"PriceList": found}


def volume(usage: str, price: str, unit: str, *, family: str, kind: str = "gp3") -> dict[str, Any]:
    """A price list document about a volume."""
    found = document(price, unit, volumeApiName=kind, usagetype=usage)
    found["product"]["productFamily"] = family
    return found


GP3_SIZE = volume("EBS:VolumeUsage.gp3", "0.08", "GB-Mo", family="Storage")
GP3_IOPS = volume("EBS:VolumeP-IOPS.gp3", "0.005", "IOPS-Mo", family="System Operation")


@pytest.mark.parametrize(("price", "unit"), [("40.96", "GiBps-mo"), ("0.04", "MiBps-Mo")])
def test_throughput_is_read_in_either_unit(price: str, unit: str) -> None:
    throughput = volume("EBS:VolumeP-Throughput.gp3", price, unit, family="Provisioned Throughput")

    found = volume_prices(Shelf(GP3_SIZE, GP3_IOPS, throughput), region="us-east-1")

    assert found["gp3"].usd_per_mib_per_second == pytest.approx(0.04)


def test_a_volume_without_one_of_its_prices_is_left_out_and_the_rest_kept() -> None:
    gp2 = volume("EBS:VolumeUsage.gp2", "0.1", "GB-Mo", family="Storage", kind="gp2")

    found = volume_prices(Shelf(GP3_SIZE, GP3_IOPS, gp2), region="us-east-1")

    assert found == {"gp2": VolumePrice(usd_per_gib=0.1)}


def test_no_price_of_functions_is_unknown() -> None:
    assert function_price(Shelf(), region="us-east-1") is None


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedAws]:
    with serve_aws(EmbeddedAwsConfig(clock=Clock(datetime(2026, 3, 1, tzinfo=UTC)))) as running:
        yield running


@pytest.mark.embedded("aws")
def test_volumes_have_their_list_prices(server: EmbeddedAws) -> None:
    found = volume_prices(aws_client(server, "pricing"), region="us-east-1")

    assert found == {
        "gp2": VolumePrice(usd_per_gib=0.10),
        "gp3": VolumePrice(
            usd_per_gib=0.08,
            usd_per_iops=0.005,
            free_iops=3000.0,
            usd_per_mib_per_second=0.04,
            free_mib_per_second=125.0,
        ),
        "io1": VolumePrice(usd_per_gib=0.125, usd_per_iops=0.065),
        "io2": VolumePrice(usd_per_gib=0.125, usd_per_iops=0.065),
        "sc1": VolumePrice(usd_per_gib=0.015),
        "st1": VolumePrice(usd_per_gib=0.045),
    }


@pytest.mark.embedded("aws")
def test_another_region_has_its_own_prices_and_an_unknown_one_none(server: EmbeddedAws) -> None:
    client = aws_client(server, "pricing")

    assert volume_prices(client, region="eu-west-1")["gp3"].usd_per_gib > 0.08
    assert volume_prices(client, region="mars-1") == {}
    assert function_price(client, region="mars-1") is None


@pytest.mark.embedded("aws")
def test_functions_have_the_price_of_the_first_tier(server: EmbeddedAws) -> None:
    found = function_price(aws_client(server, "pricing"), region="us-east-1")

    assert found is not None
    assert found.usd_per_request == pytest.approx(0.20e-6)
    assert found.usd_per_gib_second == {
        Architecture.X86_64: 0.0000166667,
        Architecture.ARM64: 0.0000133334,
    }
    assert found.usd_per_api_request == pytest.approx(1.00e-6)


@pytest.mark.embedded("aws")
def test_instances_are_not_mixed_with_volumes(server: EmbeddedAws) -> None:
    found = on_demand_offers(
        aws_client(server, "pricing"), region="us-east-1", product="Linux/UNIX"
    )

    assert found.keys() == on_demand_types().keys()
    assert found["m5.large"].price_usd_per_hour == 0.096
