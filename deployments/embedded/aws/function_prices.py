"""List prices of Lambda and of HTTP APIs, and the products that the price list makes of them."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.embedded.aws.price_products import PricedRegion, Product

LAMBDA, API_GATEWAY = "AWSLambda", "AmazonApiGateway"

USD_PER_REQUEST = 0.20 / 1_000_000
USD_PER_GB_SECOND = {
    "x86_64": ((0, 0.0000166667), (6e9, 0.000015), (15e9, 0.0000133334)),
    "arm64": ((0, 0.0000133334), (7.5e9, 0.0000120001), (18.75e9, 0.0000106667)),
}
"""From so many GB-seconds a month on."""

USD_PER_API_REQUEST = ((0, 1.00e-6), (300e6, 0.90e-6))
"""HTTP APIs, us-east-1."""

_SUFFIX = {"x86_64": "", "arm64": "-ARM"}


def lambda_products(region: PricedRegion) -> Iterator[Product]:
    """Yield a region's products of Lambda, which has one price in all the regions here."""
    for architecture, tiers in USD_PER_GB_SECOND.items():
        end = _SUFFIX[architecture]
        yield _lambda(region, f"Request{end}", f"AWS-Lambda-Requests{end}", "Requests", None)
        usage, group = f"Lambda-GB-Second{end}", f"AWS-Lambda-Duration{end}"
        yield _lambda(region, usage, group, "Lambda-GB-Second", tiers)


def _lambda(
    region: PricedRegion,
    usage: str,
    group: str,
    unit: str,
    tiers: tuple[tuple[float, float], ...] | None,
) -> Product:
    return Product(
        service=LAMBDA,
        family="Serverless",
        attributes={
            **region.attributes(service=LAMBDA, name="AWS Lambda", usage=usage),
            "group": group,
        },
        unit=unit,
        tiers=tiers or ((0, USD_PER_REQUEST),),
        what=f"{unit.removesuffix('s')} of AWS Lambda ({group})",
    )


def api_products(region: PricedRegion) -> Iterator[Product]:
    """Yield a region's product for requests to HTTP APIs."""
    usage = "ApiGatewayHttpRequest"
    yield Product(
        service=API_GATEWAY,
        family="API Calls",
        attributes={
            **region.attributes(service=API_GATEWAY, name="Amazon API Gateway", usage=usage),
            "operation": "ApiGatewayHttpApi",
        },
        unit="Requests",
        tiers=tuple((start, round(usd * region.level, 12)) for start, usd in USD_PER_API_REQUEST),
        what="HTTP API request",
    )
