from __future__ import annotations

from typing import Any

import pytest

from tasks.adapters.price_list import offer_from, on_demand_offers
from tasks.domain.instances import Architecture


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
