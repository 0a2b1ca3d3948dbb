from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tasks.domain.tuning.network import connection_pool, erlang_c, keep_alive
from tasks.domain.tuning.observed import NetworkObserved, TuningBounds
from tasks.domain.tuning.suggestions import NotSuggested, Suggestion

HOURS = 8 * 24


def observed(*, pool: int = 40, waited: float = 0.0) -> NetworkObserved:
    """A hundred requests a second of a tenth of a second each: ten busy connections."""
    pauses = np.concatenate([np.full(700, 3.0), np.full(300, 1_000.0)])
    return NetworkObserved(
        step=timedelta(hours=1),
        requests_per_second=np.full(HOURS, 100.0),
        hold_seconds=np.full(HOURS, 0.1),
        waited=np.full(HOURS, waited),
        new_per_request=np.full(HOURS, 1.0),
        retransmitted=np.zeros(HOURS),
        pool_size=pool,
        keep_alive_seconds=0.0,
        pauses_seconds=pauses,
    )


def pooled(seen: NetworkObserved) -> Suggestion | NotSuggested:
    return connection_pool("shop", seen, bounds=TuningBounds(), rng=np.random.default_rng(0))


def kept_alive(seen: NetworkObserved) -> Suggestion | NotSuggested:
    return keep_alive("shop", seen, bounds=TuningBounds(), rng=np.random.default_rng(0))


def test_erlangs_formula_gives_the_published_values() -> None:
    # One server waits as often as it is busy; two servers at load one: 1/3.
    assert erlang_c(1, np.array([0.3]))[0] == pytest.approx(0.3)
    assert erlang_c(2, np.array([1.0]))[0] == pytest.approx(1 / 3)
    assert erlang_c(2, np.array([2.5]))[0] == 1.0
    assert np.isnan(erlang_c(2, np.array([np.nan]))[0])


def test_an_oversized_pool_shrinks_to_what_littles_law_needs_with_room_for_waiting() -> None:
    found = pooled(observed(pool=40))
    assert isinstance(found, Suggestion)
    assert found.change.after is not None
    assert found.change.after == 20.0
    assert found.evidence.figures[0].value == pytest.approx(10.0)
    assert found.effect.high <= 0.01


def test_a_pool_as_large_as_the_busy_connections_grows() -> None:
    found = pooled(observed(pool=11, waited=0.68))
    assert isinstance(found, Suggestion)
    assert found.change.after is not None
    assert 17 <= found.change.after <= 22
    assert found.effect.before == pytest.approx(0.68)


def test_lost_packets_are_looked_at_before_pools() -> None:
    seen = replace(observed(), retransmitted=np.full(HOURS, 0.05))
    for found in (pooled(seen), kept_alive(seen)):
        assert isinstance(found, NotSuggested)
        assert "5.0% of segments" in found.why


def test_keep_alive_takes_the_shortest_timeout_that_spares_what_can_be_spared() -> None:
    found = kept_alive(observed())
    assert isinstance(found, Suggestion)
    assert found.change.after == 5.0
    assert found.effect.expected == pytest.approx(0.3, abs=0.01)
    assert found.effect.low < 0.3 < found.effect.high


def test_pauses_that_do_not_explain_the_connections_are_not_believed() -> None:
    found = kept_alive(replace(observed(), keep_alive_seconds=5.0))
    assert isinstance(found, NotSuggested)
    assert "do not explain" in found.why


def test_without_recorded_pauses_nothing_is_said_of_keep_alive() -> None:
    assert isinstance(kept_alive(replace(observed(), pauses_seconds=None)), NotSuggested)
