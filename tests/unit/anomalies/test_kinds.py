from __future__ import annotations

import pytest

from tasks.domain.anomalies.alarms import Kind, Reason, Remedy, Signal
from tasks.domain.anomalies.kinds import Evidence, kind_of, remedy_for


def off(signal: Signal, distance: float = 9.0, *, value: float = 4.0) -> Reason:
    return Reason(signal=signal, value=value, expected=2.0, distance=distance)


@pytest.mark.parametrize(
    ("leading", "kind"),
    [
        ([off(Signal.REQUESTS)], Kind.TRAFFIC_SPIKE),
        ([off(Signal.LATENCY), off(Signal.REQUESTS)], Kind.TRAFFIC_SPIKE),
        ([off(Signal.ERRORS), off(Signal.REQUESTS)], Kind.TRAFFIC_SPIKE),
        ([off(Signal.EGRESS)], Kind.SECURITY),
        ([off(Signal.ERRORS), off(Signal.REFUSED)], Kind.SECURITY),
        ([off(Signal.LATENCY), off(Signal.ERRORS)], Kind.ERROR_RATE),
        ([off(Signal.LATENCY)], Kind.DEGRADATION),
        ([off(Signal.CPU)], Kind.DEGRADATION),
        ([off(Signal.MEMORY)], Kind.UNKNOWN),
        ([off(Signal.RESTARTS)], Kind.UNKNOWN),
        ([off(Signal.REQUESTS, -9.0)], Kind.UNKNOWN),
        ([off(Signal.REQUESTS, -9.0), off(Signal.CPU)], Kind.UNKNOWN),
        ([off(Signal.REQUESTS, -9.0), off(Signal.ERRORS)], Kind.ERROR_RATE),
        ([off(Signal.LATENCY, -9.0)], Kind.UNKNOWN),
    ],
)
def test_the_first_row_of_the_table_that_fits_is_the_kind(
    leading: list[Reason], kind: Kind
) -> None:
    assert kind_of(Evidence(leading=leading)) is kind


def test_memory_is_a_leak_only_where_it_grows_steadily() -> None:
    leading = [off(Signal.MEMORY)]
    assert kind_of(Evidence(leading=leading, growing=True)) is Kind.MEMORY_LEAK
    assert kind_of(Evidence(leading=leading)) is Kind.UNKNOWN


def test_latency_at_twice_the_requests_is_traffic_though_requests_do_not_lead() -> None:
    leading = [off(Signal.LATENCY)]
    busy = off(Signal.REQUESTS, 1.2, value=4.0)
    usual = off(Signal.REQUESTS, 1.2, value=2.4)
    assert kind_of(Evidence(leading=leading, requests=busy)) is Kind.TRAFFIC_SPIKE
    assert kind_of(Evidence(leading=leading, requests=usual)) is Kind.DEGRADATION


@pytest.mark.parametrize(
    ("kind", "evidence", "remedy"),
    [
        (Kind.TRAFFIC_SPIKE, Evidence(leading=[off(Signal.REQUESTS)]), Remedy.SURGE),
        (Kind.SECURITY, Evidence(leading=[off(Signal.EGRESS)], after_deploy=True), Remedy.ISOLATE),
        (Kind.MEMORY_LEAK, Evidence(leading=[off(Signal.MEMORY)]), Remedy.RESTART),
        (
            Kind.MEMORY_LEAK,
            Evidence(leading=[off(Signal.MEMORY)], after_deploy=True),
            Remedy.ROLL_BACK,
        ),
        (Kind.ERROR_RATE, Evidence(leading=[off(Signal.ERRORS)]), Remedy.LOOK),
        (Kind.ERROR_RATE, Evidence(leading=[off(Signal.ERRORS)], cpu=0.95), Remedy.SURGE),
        (
            Kind.ERROR_RATE,
            Evidence(leading=[off(Signal.ERRORS)], after_deploy=True),
            Remedy.ROLL_BACK,
        ),
        (Kind.DEGRADATION, Evidence(leading=[off(Signal.LATENCY)], cpu=0.3), Remedy.RESTART),
        (Kind.DEGRADATION, Evidence(leading=[off(Signal.LATENCY)], cpu=0.9), Remedy.SURGE),
        (Kind.UNKNOWN, Evidence(leading=[off(Signal.RESTARTS)], memory=0.97), Remedy.RESIZE),
        (Kind.UNKNOWN, Evidence(leading=[off(Signal.RESTARTS)], memory=0.5), Remedy.LOOK),
        (Kind.UNKNOWN, Evidence(leading=[off(Signal.RESTARTS)]), Remedy.LOOK),
    ],
)
def test_each_kind_has_its_remedy(kind: Kind, evidence: Evidence, remedy: Remedy) -> None:
    assert remedy_for(kind, evidence) is remedy
