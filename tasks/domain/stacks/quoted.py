"""The prices that a stack was reckoned with, as a file of its project.

A preview elsewhere, as under a pull request, needs no price list: it says what a change costs at the
prices of the day on which it was generated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from tasks.domain.errors import PermanentError
from tasks.domain.savings.money import VolumePrice
from tasks.domain.stacks.stack_prices import StackPrices

PRICES_FILE = "prices.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """Prices of a project.

    Attributes:
        quoted_on: Day on which they were read, for example "2026-11-28".
        given: USD a month before and after, by logical name, where the opportunity knows.
    """

    quoted_on: str
    prices: StackPrices
    given: Mapping[str, tuple[float, float]]


def prices_text(quoted: Quoted, programs: Iterable[str]) -> str:
    """Return the file's content: only of what the programs name.

    Args:
        quoted: Prices of the whole region.
        programs: Their texts.
    """
    text = "\n".join(programs)
    prices = quoted.prices
    document = {
        "schema_version": SCHEMA,
        "quoted_on": quoted.quoted_on,
        "on_demand_usd_per_hour": [
            [name, product, usd]
            for (name, product), usd in sorted(prices.on_demand.items())
            if f'"{name}"' in text
        ],
        "spot_usd_per_hour": {
            name: usd for name, usd in sorted(prices.spot.items()) if f'"{name}"' in text
        },
        "volumes": {kind: asdict(one) for kind, one in sorted(prices.volumes.items())},
        "products": {
            name: product
            for name, product in sorted(prices.products.items())
            if f'"{name}"' in text
        },
        "product": prices.product,
        "given_usd_per_month": {name: list(pair) for name, pair in sorted(quoted.given.items())},
    }
    return json.dumps(document, indent=1) + "\n"


def read_prices(text: str) -> Quoted:
    """Return what `prices_text` wrote.

    Raises:
        PermanentError: It is not that.
    """
    try:
        document = json.loads(text)
        if document["schema_version"] != SCHEMA:
            message = f"{PRICES_FILE} has schema version {document['schema_version']}, not {SCHEMA}"
            raise PermanentError(message)
        return Quoted(
            quoted_on=str(document["quoted_on"]),
            prices=StackPrices(
                on_demand={(n, p): float(usd) for n, p, usd in document["on_demand_usd_per_hour"]},
                spot={n: float(usd) for n, usd in document["spot_usd_per_hour"].items()},
                volumes={
                    kind: VolumePrice(**{name: float(usd) for name, usd in found.items()})
                    for kind, found in document["volumes"].items()
                },
                products=dict(document["products"]),
                product=document["product"],
            ),
            given={
                n: (float(a), float(b)) for n, (a, b) in document["given_usd_per_month"].items()
            },
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        message = f"{PRICES_FILE} is not as it was generated ({error!r}); generate the stack again"
        raise PermanentError(message) from error
