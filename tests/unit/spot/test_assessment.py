from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.errors import PermanentError
from tasks.domain.instances import Architecture
from tasks.domain.spot.assessment import Assessment, assess_pools, forecasts_for
from tasks.domain.spot.capacity import CapacityNeed
from tests.unit.spot.builders import POOLS, small_forecasts, small_offers, small_panel


def need(**changes: object) -> CapacityNeed:
    fields: dict[str, object] = {"vcpu": 8.0, "memory_gib": 16.0, **changes}
    return CapacityNeed(**fields)  # type: ignore[arg-type]


def assessed(asked: CapacityNeed, **changes: object) -> Assessment:
    fields: dict[str, object] = {
        "offers": small_offers(),
        "product": "Linux/UNIX",
        "placement_scores": {},
        "observed": {},
        **changes,
    }
    return assess_pools(small_panel(), small_forecasts(), need=asked, **fields)  # type: ignore[arg-type]


def test_the_shortest_forecast_that_reaches_the_need_is_cut_to_it() -> None:
    chosen = forecasts_for(
        need(horizon=timedelta(hours=6)), [small_forecasts(168), small_forecasts()]
    )

    assert chosen.quantiles.shape == (3, 6, 3)
    np.testing.assert_array_equal(chosen.mean, small_forecasts().mean[:, :6])


def test_a_need_beyond_every_forecast_is_refused_with_both_numbers() -> None:
    with pytest.raises(PermanentError, match=r"need\.horizon is 200 h, forecasts reach 168 h"):
        forecasts_for(need(horizon=timedelta(hours=200)), [small_forecasts(168)])


def test_the_cheapest_pool_that_serves_is_chosen() -> None:
    allocation = assessed(need()).allocation

    assert allocation is not None
    assert [(part.candidate.pool, part.instances) for part in allocation.pools] == [(POOLS[1], 2)]


def test_a_pool_of_unknown_size_is_forecast_but_not_ranked() -> None:
    offers = small_offers()
    del offers[POOLS[1]]

    found = assessed(need(), offers=offers)

    assert found.summaries[POOLS[1]].saving_fraction is None
    assert found.allocation is not None
    assert POOLS[1] not in {place.candidate.pool for place in found.allocation.ranking}


def test_a_need_that_nothing_serves_is_a_stated_problem_not_an_error() -> None:
    found = assessed(need(architecture=Architecture.ARM64))

    assert found.allocation is None
    assert found.losses == ()
    assert found.problem is not None
    assert "arm64" in found.problem


def test_losing_one_is_at_least_as_likely_as_losing_half_or_all() -> None:
    losses = assessed(need(vcpu=24.0, max_share=0.5, min_pools=2)).losses

    assert [one.at_least for one in losses] == [1, 3, 6]
    assert losses[0].probability >= losses[1].probability >= losses[2].probability > 0.0


def test_a_low_placement_score_raises_the_risk() -> None:
    calm = assessed(need(), placement_scores={POOLS[0]: 10}).risks[POOLS[0]]
    strained = assessed(need(), placement_scores={POOLS[0]: 1}).risks[POOLS[0]]

    assert strained.rate_per_hour > calm.rate_per_hour
