"""Savings where Cost Explorer does not answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

import flows.savings
from tasks.domain.errors import PermanentError, TransientError
from tasks.savings.report import spend_part


class Unanswered:
    """A future whose task failed."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def result(self) -> object:
        raise self.error


@pytest.fixture
def costs_or_none(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    import logging

    # Outside of a run Prefect has no logger to give.
    monkeypatch.setattr(flows.savings, "get_run_logger", logging.getLogger)
    return flows.savings.costs_or_none


@pytest.mark.parametrize("error", [TransientError("throttled"), PermanentError("refused")])
def test_savings_go_on_without_costs(costs_or_none: Callable[[Any], Any], error: Exception) -> None:
    assert costs_or_none(cast("Any", Unanswered(error))) is None


def test_a_fault_of_ours_is_not_taken_for_unknown_costs(
    costs_or_none: Callable[[Any], Any],
) -> None:
    with pytest.raises(ZeroDivisionError):
        costs_or_none(cast("Any", Unanswered(ZeroDivisionError())))


def test_the_summary_says_that_the_bill_is_unknown() -> None:
    assert "The bill so far is unknown" in spend_part(None)
