"""Which pods have to go so that a more important one has room."""

from __future__ import annotations

from deployments.embedded.kubernetes.controllers.scheduler import Place, Placed, fewest_victims


def pod(node: str, cpu: float, priority: int) -> Placed:
    return Placed(node, cpu, 0.0, "owner", priority)


def place(*pods: Placed, cpu: float = 4.0) -> Place:
    found = Place(offers=(cpu, 0.0, 10.0))
    for one in pods:
        found.take(one, 1)
    return found


PLACED = {
    ("", "a1"): pod("a", 2.0, 5),
    ("", "a2"): pod("a", 2.0, 1),
    ("", "b1"): pod("b", 4.0, 3),
}
PLACES = {name: place(*(one for one in PLACED.values() if one.node == name)) for name in ("a", "b")}


def test_the_node_whose_most_important_victim_matters_least_is_chosen() -> None:
    assert fewest_victims(pod("", 2.0, 9), PLACES, PLACED) == ("a", [("", "a2")])
    assert fewest_victims(pod("", 4.0, 9), PLACES, PLACED) == ("b", [("", "b1")])


def test_nobody_goes_for_a_pod_that_is_no_more_important() -> None:
    assert fewest_victims(pod("", 2.0, 1), PLACES, PLACED) is None


def test_nobody_goes_where_it_would_not_help() -> None:
    assert fewest_victims(pod("", 5.0, 9), PLACES, PLACED) is None
