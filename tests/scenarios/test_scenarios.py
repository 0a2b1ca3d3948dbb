"""What goes wrong in the simulated cluster, seen through the API of both servers as a person sees it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from deployments.embedded.workloads.changes import CHANGES
from deployments.embedded.workloads.physics.fault_kinds import KINDS
from tests.scenarios.acts import NAMES, DeleteFailed, Fault, Mistake, Undo, Withdraw
from tests.scenarios.servers import SERVERS, STARTS
from tests.scenarios.sights import Measured, Sight
from tests.scenarios.stage import Stage
from tests.scenarios.table import SCENARIOS, Scenario
from tests.support.played_cluster import PlayedCluster, assert_unnamed, eventually

pytestmark = pytest.mark.slow

SECONDS = 60.0
"""On a machine that others use as well."""


@pytest.fixture(scope="session", params=SERVERS)
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PlayedCluster]:
    """One cluster for all scenarios of a server."""
    with STARTS[request.param](tmp_path_factory.mktemp(f"cluster-{request.param}")) as found:
        assert eventually(found.is_well, seconds=SECONDS)
        yield found


def test_every_fault_and_every_mistake_has_its_scenario() -> None:
    acts = [act for one in SCENARIOS for act in one.acts]

    assert {act.kind for act in acts if isinstance(act, Fault)} == set(KINDS)
    assert {act.change.kind for act in acts if isinstance(act, Mistake)} == set(CHANGES)


def is_over(sight: Sight, stage: Stage) -> bool:
    """Return whether something is seen no more."""
    return not sight.seen(stage)


def is_well(scenario: Scenario, stage: Stage) -> bool:
    """Return whether nothing is the matter any more."""
    for act in scenario.remedy:
        # What was being put out when the cause went is only then told.
        if isinstance(act, DeleteFailed):
            act.do(stage)
    return not stage.troubles()


@pytest.mark.parametrize("scenario", [pytest.param(one, id=one.name) for one in SCENARIOS])
def test_it_is_seen_while_it_lasts_and_well_after_its_remedy(
    played: PlayedCluster, scenario: Scenario
) -> None:
    stage = Stage.of(played, scenario.subject)
    try:
        for act in scenario.acts:
            act.do(stage)
        for sight in scenario.sights:
            assert eventually(partial(sight.seen, stage), seconds=SECONDS), (
                f"{sight} is not seen; {stage.measures()}; {stage.troubles()}"
            )
        if scenario.is_secret:
            assert_unnamed(played, NAMES)
        for act in scenario.remedy:
            act.do(stage)
        for sight in scenario.sights:
            if isinstance(sight, Measured) and not sight.stays:
                assert eventually(partial(is_over, sight, stage), seconds=SECONDS), sight
        assert eventually(partial(is_well, scenario, stage), seconds=SECONDS), stage.troubles()
    finally:
        Withdraw().do(stage)
        if not stage.is_node:
            Undo().do(stage)
