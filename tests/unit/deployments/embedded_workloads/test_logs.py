"""Logs: what a program says of itself, which is not always what is wrong."""

from __future__ import annotations

import pytest

from deployments.embedded.workloads.containers.logs import (
    Complaint,
    Trouble,
    complaint_line,
    complaints,
    last_lines,
    request_line,
    start_lines,
)
from deployments.embedded.workloads.demonstration import PARTS
from deployments.embedded.workloads.physics.fault_kinds import (
    KINDS,
    CertificateExpired,
    DnsFailure,
    EdgeLatency,
    EdgePartition,
)
from deployments.embedded.workloads.physics.faults import ActiveFault, Fault
from deployments.embedded.workloads.physics.state import Cause

CHECKOUT = next(part.profile for part in PARTS if part.name == "checkout")
NOON = 1_793_620_800.0


def words(cause: Cause, **more: object) -> str:
    return "\n".join(last_lines(CHECKOUT, cause, seconds=NOON, key=1, **more))  # type: ignore[arg-type]


def test_what_is_killed_stops_in_the_middle_of_its_work_whoever_killed_it() -> None:
    killed = {words(cause) for cause in (Cause.OUT_OF_MEMORY, Cause.KILLED_BY_HOST)}
    assert len(killed) == 1
    assert all("status=200" in line for line in killed.pop().splitlines())


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (Cause.BAD_IMAGE, "panic: "),
        (Cause.MISSING_CONFIG, "required environment variable CACHE_X is not set"),
        (Cause.CORRUPT_STATE, "cannot load settings"),
        (Cause.DISK_FULL, "no space left on device"),
        (Cause.DEPENDENCY, "database.shop.svc.cluster.local"),
        (Cause.NONE, "received signal terminated"),
    ],
)
def test_last_words_say_what_the_program_believes(cause: Cause, told: str) -> None:
    assert told in words(cause, missing=("CACHE_X",))


def test_no_line_names_a_fault_or_the_simulator() -> None:
    text = "\n".join(
        [words(cause) for cause in Cause]
        + [
            complaint_line(Complaint(dependency="a/b", trouble=one), seconds=NOON)
            for one in Trouble
        ]
        + list(start_lines(CHECKOUT, seconds=NOON, tag="1"))
        + [request_line(CHECKOUT, seconds=NOON, key=3, latency=0.01)]
    )
    assert not [kind for kind in KINDS if kind in text]
    assert not [word for word in ("simul", "inject", "fault", "chaos") if word in text.lower()]


def active(fault: Fault) -> list[ActiveFault]:
    return [ActiveFault(name="one", fault=fault, since_seconds=0.0)]


@pytest.mark.parametrize(
    ("fault", "dependency", "trouble"),
    [
        (EdgePartition(source="shop/checkout", target="shop/cart"), "shop/cart", Trouble.TIMEOUT),
        (
            CertificateExpired(source="shop/checkout", target="shop/payments"),
            "shop/payments",
            Trouble.CERTIFICATE,
        ),
    ],
)
def test_a_program_complains_of_the_edge_that_fails(
    fault: Fault, dependency: str, trouble: Trouble
) -> None:
    found = complaints(CHECKOUT, active(fault), failed={("shop/checkout", dependency): 1.0})
    assert found == (Complaint(dependency=dependency, trouble=trouble),)


def test_without_names_it_complains_of_everything_it_calls() -> None:
    failed = {("shop/checkout", to.name): 1.0 for to in CHECKOUT.dependencies}
    found = complaints(CHECKOUT, active(DnsFailure(target="shop/checkout")), failed=failed)
    assert [one.trouble for one in found] == [Trouble.NO_HOST] * len(CHECKOUT.dependencies)
    assert "lookup cart.shop.svc.cluster.local: no such host" in complaint_line(
        found[0], seconds=NOON
    )


def test_a_dependency_that_fails_by_itself_is_refused_or_unavailable() -> None:
    cart, payments = ("shop/checkout", "shop/cart"), ("shop/checkout", "shop/payments")
    found = complaints(CHECKOUT, [], failed={cart: 1.0, payments: 0.3})
    assert [one.trouble for one in found] == [Trouble.REFUSED, Trouble.UNAVAILABLE]
    assert complaints(CHECKOUT, [], failed={cart: 0.01}) == ()


def test_a_fault_of_an_edge_that_fails_no_call_is_not_complained_of() -> None:
    fault = EdgeLatency(source="shop/checkout", target="shop/payments", milliseconds=1.0)

    assert (
        complaints(CHECKOUT, active(fault), failed={("shop/checkout", "shop/payments"): 0.0}) == ()
    )


def test_a_line_says_the_trouble_in_a_client_librarys_words_and_no_name_of_ours() -> None:
    line = complaint_line(Complaint(dependency="shop/cart", trouble=Trouble.REFUSED), seconds=NOON)
    assert "error='dial tcp: connect: connection refused'" in line
    assert "Trouble" not in line
