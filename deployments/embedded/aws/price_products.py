"""One product of the price list, and the document that AWS would write about it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

_OFFER_TERM, _RATE = "JRTCKXETXF", "6YS6EN2CT7"  # AWS's codes for on demand


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something with a price in one region.

    Attributes:
        service: Service code, for example "AmazonEC2".
        family: Product family, for example "Storage".
        attributes: As the price list names them, `regionCode` and `usagetype` among them.
        unit: What is counted, for example "Hrs".
        tiers: (units from which it holds, USD per unit), the first from 0; above 0 USD.
        what: What one unit is, for the description.
    """

    service: str
    family: str
    attributes: Mapping[str, str]
    unit: str
    tiers: tuple[tuple[float, float], ...]
    what: str

    @property
    def fields(self) -> dict[str, str]:
        """What filters look at: attributes, and the family by its name among filters."""
        return {**self.attributes, "productFamily": self.family}

    @property
    def sku(self) -> str:
        """Identifier of 16 characters, as AWS's have; a fixed function of the product."""
        region, usage = self.attributes["regionCode"], self.attributes["usagetype"]
        halves = (zlib.crc32(f"{salt}{region}{usage}".encode()) for salt in "ab")
        return "".join(f"{half:08X}" for half in halves)

    def document(self) -> str:
        """Return the price list's JSON."""
        sku = self.sku
        term = f"{sku}.{_OFFER_TERM}"
        offer = {
            "effectiveDate": "2021-03-01T00:00:00Z",
            "offerTermCode": _OFFER_TERM,
            "priceDimensions": self._dimensions(term),
            "sku": sku,
            "termAttributes": {},
        }
        document = {
            "product": {
                "attributes": dict(self.attributes),
                "productFamily": self.family,
                "sku": sku,
            },
            "publicationDate": "2021-03-01T00:00:00Z",
            "serviceCode": self.service,
            "terms": {"OnDemand": {term: offer}},
            "version": "20210301000000",
        }
        return json.dumps(document, separators=(",", ":"))

    def _dimensions(self, term: str) -> dict[str, dict[str, object]]:
        ends = [f"{start:.0f}" for start, _ in self.tiers[1:]] + ["Inf"]
        return {
            f"{term}.{_RATE if at == 0 else f'{_RATE[:-1]}{at}'}": {
                "appliesTo": [],
                "beginRange": f"{start:.0f}",
                "description": f"${price:.10g} per {self.what}",
                "endRange": end,
                "pricePerUnit": {"USD": f"{price:.10f}"},
                "rateCode": f"{term}.{_RATE if at == 0 else f'{_RATE[:-1]}{at}'}",
                "unit": self.unit,
            }
            for at, ((start, price), end) in enumerate(zip(self.tiers, ends, strict=True))
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedRegion:
    """A region as the price list sees it.

    Attributes:
        location: Its name in the price list, for example "EU (Ireland)".
        level: Price relative to us-east-1.
        prefix: Of usage types, "" in us-east-1.
    """

    code: str
    location: str
    level: float
    prefix: str

    def attributes(self, *, service: str, name: str, usage: str) -> dict[str, str]:
        """Return the attributes that every product has."""
        return {
            "location": self.location,
            "locationType": "AWS Region",
            "regionCode": self.code,
            "servicecode": service,
            "servicename": name,
            "usagetype": f"{self.prefix}{usage}",
        }
