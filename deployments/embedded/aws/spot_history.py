"""Spot price histories from files: read, checked, sorted."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from deployments.embedded.aws.tables import instants, read_table, refuse_first
from tasks.domain.spot.pools import PRICE_CHANGE_COLUMNS

DATA = Path(__file__).parent / "data"
SHIPPED_HISTORY = DATA / "spot_us-east-1_2021.parquet"

_REGION = r"(?P<region>[a-z]{2}(?:-[a-z]+)+-\d+)"
# A region, its zone "a", a local zone "-bos-1a" or a wavelength zone "-wl1-bos-wlz-1".
_ZONE = re.compile(rf"{_REGION}(?:[a-z]|-[a-z]{{3}}-\d+[a-z]|-wl\d+-[a-z]{{3}}-wlz-\d+)?")
_INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")


def region_of(zone: str) -> str | None:
    """Return the region of an availability zone or region name; None where it is neither."""
    match = _ZONE.fullmatch(zone)
    return match["region"] if match else None


def read_spot_history(path: Path) -> pd.DataFrame:
    """Return a recorded history with PRICE_CHANGE_COLUMNS, oldest first.

    Args:
        path: Parquet or CSV (by suffix). Timestamps without an offset are read as UTC. The zone
            of a region-level price is the region itself. Further columns are ignored.

    Raises:
        InvalidFileError: The file or one of its rows is not a history; names the first bad row.
    """
    frame = read_table(path, columns=PRICE_CHANGE_COLUMNS)
    text = ["instance_type", "availability_zone", "product_description"]
    checked = pd.DataFrame(
        {
            "timestamp": instants(frame["timestamp"], path),
            **{name: _checked_text(frame[name], name, path) for name in text},
            "price_usd_per_hour": _prices(frame["price_usd_per_hour"], path),
        }
    )
    return checked[list(PRICE_CHANGE_COLUMNS)].sort_values(
        ["timestamp", "availability_zone", "instance_type", "product_description"],
        kind="stable",
        ignore_index=True,
    )


def _prices(values: pd.Series, path: Path) -> pd.Series:
    prices = pd.to_numeric(values, errors="coerce").astype(np.float64)
    bad = ~(np.isfinite(prices) & (prices > 0))
    refuse_first(bad, values, path, "price_usd_per_hour {!r} is not a number above 0")
    return prices


def _checked_text(values: pd.Series, name: str, path: Path) -> pd.Series:
    # Hundreds of names in a million rows: look at each name once.
    text = values.astype(object).where(values.notna(), None)
    codes, names = pd.factorize(text, use_na_sentinel=False)
    bad_names = np.array([not _is_valid(name, value) for value in names])
    reasons = {
        "instance_type": "{!r} is not an instance type such as m5.large",
        "availability_zone": "{!r} is neither a zone such as us-east-1a nor a region",
        "product_description": "{!r} is not a product description such as Linux/UNIX",
    }
    refuse_first(bad_names[codes], values, path, f"{name} {reasons[name]}")
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(names)).astype(str))


def _is_valid(column: str, value: object) -> bool:
    if not isinstance(value, str):
        return False
    if column == "availability_zone":
        return region_of(value) is not None
    if column == "instance_type":
        return _INSTANCE_TYPE.fullmatch(value) is not None
    return bool(value.strip())
