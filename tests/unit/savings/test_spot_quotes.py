"""Spot quotes from the stored forecast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.domain.savings.kinds.spot_quotes import spot_quotes


def forecast(**changes: Any) -> pd.DataFrame:
    row = {
        "availability_zone": "us-east-1a",
        "instance_type": "m5.large",
        "product_description": "Linux/UNIX",
        "horizon_hours": 168,
        "mean": np.array([0.03, 0.05]),
        "q90": np.array([0.04, 0.06]),
        "interruptions_per_hour": 0.001,
        "risk_evidence": "prior",
    }
    return pd.DataFrame([row, {**row, "horizon_hours": 24, "mean": np.array([9.0, 9.0])}]).assign(
        **changes
    )


def test_a_quote_is_the_mean_of_the_longest_forecast_and_its_highest_quantile() -> None:
    (quote,) = spot_quotes(forecast())["us-east-1", "m5.large"]

    assert quote.usd_per_hour == pytest.approx(0.04)
    assert quote.high_usd_per_hour == pytest.approx(0.06)
    assert quote.interruptions_per_month == pytest.approx(0.73)
    assert quote.risk_is_prior


def test_a_pool_of_unknown_risk_gives_no_quote() -> None:
    assert spot_quotes(forecast(interruptions_per_hour=np.nan)) == {}


def test_a_forecast_of_an_older_release_gives_no_quotes() -> None:
    assert spot_quotes(forecast().drop(columns="interruptions_per_hour")) == {}


def test_other_products_are_not_quoted_as_linux() -> None:
    assert spot_quotes(forecast(product_description="Windows")) == {}
