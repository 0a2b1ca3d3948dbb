"""What a report of the contract comes to, and which of its tests are asked of a server."""

from __future__ import annotations

import pytest

from benchmarks import cluster_contract_plugin
from benchmarks.cluster_contract import Verdict, figures, read_report


def report(*cases: str) -> str:
    return f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"


def case(name: str, inside: str = "") -> str:
    return f'<testcase classname="tests.contract.test_x" name="{name}">{inside}</testcase>'


def verdict(*, asked: int = 10, failures: tuple[str, ...] = (), skipped: int = 0) -> Verdict:
    return Verdict(asked=asked, failures=failures, skipped={"no kubectl": skipped})


def test_failures_and_errors_fail_and_what_is_skipped_was_not_asked() -> None:
    found = read_report(
        report(
            case("passes"),
            case("fails", '<failure message="assert"/>'),
            case("breaks", '<error message="set-up"/>'),
            case("waits", '<skipped message="no kubectl"/>'),
        )
    )
    assert found.asked == 3
    assert found.failures == ("tests.contract.test_x::breaks", "tests.contract.test_x::fails")
    assert found.skipped == {"no kubectl": 1}


def test_a_behaviour_whose_tear_down_breaks_too_counts_once() -> None:
    found = read_report(report(case("x"), case("x", "<error/>"), case("y")))
    assert (found.asked, len(found.failures)) == (2, 1)


def test_a_server_that_could_be_asked_nothing_has_no_figure() -> None:
    found = figures({"embedded": verdict(), "real": verdict(asked=0, skipped=10)})
    assert found == {
        "contract_behaviours": 10.0,
        "contract_failures_embedded": 0.0,
        "contract_skipped_embedded": 0.0,
        "contract_failures_real": None,
        "contract_skipped_real": 10.0,
    }


def test_behaviours_are_those_of_the_server_that_was_asked_fewer() -> None:
    asked = {"embedded": verdict(asked=12), "real": verdict(asked=9)}
    assert figures(asked)["contract_behaviours"] == 9.0


def test_without_any_server_there_are_no_behaviours() -> None:
    assert figures({"embedded": verdict(asked=0)})["contract_behaviours"] is None


@pytest.mark.slow
def test_one_server_is_asked_alone_whatever_its_tests_are_called(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(params=["real", "embedded"])
        def cluster(request):
            return request.param

        @pytest.mark.parametrize("word", ["real", "embedded"])
        def test_real_and_embedded(word, cluster):
            assert cluster == "embedded"

        def test_that_needs_no_server_is_not_asked():
            raise AssertionError
        """
    )
    done = pytester.runpytest(
        "-p", cluster_contract_plugin.__name__, "-p", "no:xdist", "--contract-server", "embedded"
    )
    done.assert_outcomes(passed=2, deselected=3)
