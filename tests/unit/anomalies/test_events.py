from __future__ import annotations

from tasks.domain.anomalies.events import Events


def _occasion(events: Events, *, peak: float, steps: int) -> None:
    for _ in range(steps):
        events.update(peak, share=0.01, hours=0.25)
    for _ in range(8):
        events.update(0.1, share=0.8, hours=0.25)


def test_a_long_occasion_counts_once() -> None:
    short, long = Events(), Events()
    _occasion(short, peak=3.0, steps=1)
    _occasion(long, peak=3.0, steps=40)
    assert short.rarity.total == long.rarity.total == 1.0


def test_an_occasion_is_over_after_an_hour_without_anything_unusual() -> None:
    events = Events()
    events.update(3.0, share=0.01, hours=0.5)
    assert not events.update(0.1, share=0.8, hours=0.5)
    assert events.update(0.1, share=0.8, hours=0.5)


def test_what_came_often_is_expected_often() -> None:
    events = Events()
    before = events.per_week(4.0)
    for _ in range(30):
        _occasion(events, peak=4.0, steps=2)
    assert before < 0.3
    assert events.per_week(4.0) > 3.0


def test_quiet_weeks_make_the_same_peak_rarer() -> None:
    events = Events()
    _occasion(events, peak=3.0, steps=2)
    before = events.per_week(3.0)
    for _ in range(4 * 168):
        events.update(0.1, share=0.8, hours=1.0)
    assert events.per_week(3.0) < 0.3 * before
