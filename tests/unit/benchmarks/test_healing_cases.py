"""The table that judges healing asks for what can be made, and for enough that misleads."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from benchmarks.healing_cases import CASES, Case
from deployments.embedded.workloads.changes import CHANGES
from deployments.embedded.workloads.demonstration import PARTS, demonstration_nodes
from deployments.embedded.workloads.physics.fault_kinds import KINDS
from tasks.domain.healing.causes import Cause, Remedy

WORKLOADS = {part.profile.name for part in PARTS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_can_be_made(case: Case) -> None:
    kind = KINDS.get(case.kind) or CHANGES[case.kind]
    nodes = {one.name for one in demonstration_nodes()}

    assert set(case.values) <= {entry.name for entry in dataclasses.fields(kind)}
    assert (
        f"shop/{case.subject}" in WORKLOADS
        or case.subject in nodes
        or case.subject == "payments.example.com"
    )
    assert case.spared <= WORKLOADS
    assert case.causes
    assert Cause.UNKNOWN not in case.causes
    assert Remedy.TELL not in case.remedies


def test_most_have_to_be_healed_and_the_others_say_why_not() -> None:
    healed = [case for case in CASES if not case.escalates]

    assert len({case.kind for case in CASES}) >= 14
    assert len({case.kind for case in healed}) >= 11
    # A mistake goes by nothing but what is done about it.
    assert all(case.lasts_seconds == 0.0 for case in CASES if case.kind in CHANGES)
    assert all(case.remedies for case in healed)


def test_a_third_of_the_faults_look_like_something_else() -> None:
    faults = [case for case in CASES if case.kind in KINDS]
    disguised = [case for case in faults if KINDS[case.kind].disguise]

    assert len(disguised) >= len(faults) / 3


def test_no_cause_and_no_remedy_is_right_everywhere() -> None:
    causes = Counter(cause for case in CASES for cause in case.causes)
    remedies = Counter(remedy for case in CASES for remedy in case.remedies)

    assert causes.most_common(1)[0][1] <= len(CASES) / 4
    assert remedies.most_common(1)[0][1] <= len(CASES) / 2
    assert len({case.name for case in CASES}) == len(CASES)
