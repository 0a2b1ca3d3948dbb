"""What is done about each cause, and what is not: peers' open complaints are cases of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.healing_cases import CASES, Case
from deployments.embedded.workloads.changes import CHANGES
from tasks.domain.healing.actions import Action
from tasks.domain.healing.causes import Cause, Remedy
from tasks.domain.healing.diagnosis import Diagnosis
from tasks.domain.healing.memory import FORGET_SECONDS, Attempt, Memory, is_healthy
from tasks.domain.healing.remedies import CHOICES, MOST_IN_VAIN, Settings, remedies
from tasks.domain.healing.view import Replicas, Revision, Sizes, WorkloadView
from tests.support.sick import MIB, NEW, NOW, OLD, cluster, container, looping, pod, workload

KEY = "shop/app"


def diagnosis(cause: Cause, *, pods: tuple[str, ...] = ("app-0",), about: str = "") -> Diagnosis:
    return Diagnosis(workload=KEY, cause=cause, pods=pods, evidence=("seen",), about=about)


def chosen(
    cause: Cause, memory: Memory | None = None, *, sick: WorkloadView | None = None,
    settings: Settings | None = None, about: str = "", others: tuple[WorkloadView, ...] = (),
) -> Action | None:  # fmt: skip
    seen = sick or workload(pod(0, looping(1)), pod(1))
    plan = remedies(
        cluster(seen, *others), diagnosis(cause, about=about), memory or Memory(), settings
    )
    return plan.actions[0] if plan else None


def tried(
    *remedies_: Remedy, cause: Cause = Cause.MEMORY_LEAK, helped: bool | None = False
) -> Memory:
    memory = Memory()
    for at, remedy in enumerate(remedies_):
        when = NOW - 600.0 + 60.0 * at
        memory = memory.with_attempt(
            Attempt(subject=KEY, cause=cause, remedy=remedy, at_seconds=when, helped=helped)
        )
    return memory


def released(**changes: object) -> WorkloadView:
    sick = workload(pod(0, looping(1), template=NEW), pod(1), changed=True)
    return replace(sick, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("cause", Cause)
def test_there_is_a_choice_for_every_cause_and_it_says_why(cause: Cause) -> None:
    assert cause in CHOICES

    action = chosen(cause)

    assert action is not None
    assert (action.cause, action.evidence, action.subject) == (cause, ("seen",), KEY)
    assert bool(action.reason) == (action.remedy is Remedy.TELL)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_first_remedy_of_a_case_is_one_that_is_allowed(case: Case) -> None:
    # A mistake came with a new revision; a fault of the world did not.
    sick = released() if case.kind in CHANGES else workload(pod(0, looping(1)), pod(1))
    settings = Settings(startup_failures={KEY: 10})

    for cause in case.causes:
        action = chosen(cause, Memory(healthy={KEY: (OLD,)}), sick=sick, settings=settings)
        assert action is not None
        assert action.remedy in {*case.remedies, Remedy.TELL}
        if not case.escalates and case.kind in CHANGES:
            assert action.remedy is Remedy.ROLL_BACK


def test_a_wrong_change_goes_back_to_the_last_revision_that_was_healthy() -> None:
    revisions = (
        Revision(number=7, template=NEW, replicas=1, ready=0, created_seconds=NOW - 60.0),
        Revision(number=6, template="hash-worse", replicas=0, ready=0, created_seconds=NOW - 900.0),
        Revision(number=5, template=OLD, replicas=2, ready=2, created_seconds=NOW - 9e4),
    )
    sick = released(revisions=revisions)

    action = chosen(Cause.IMAGE, Memory(healthy={KEY: (OLD,)}), sick=sick)

    assert action is not None
    assert (action.remedy, action.fields.revision) == (Remedy.ROLL_BACK, 5)
    nowhere = chosen(Cause.IMAGE, Memory(healthy={KEY: ("hash-gone",)}), sick=sick)
    assert nowhere is not None
    assert nowhere.remedy is Remedy.TELL


def test_a_victim_is_not_touched_and_its_dependency_is_named() -> None:
    down = workload(pod(0, looping(1)), name="database")
    up = workload(name="database")

    for database, said in ((down, "is down"), (up, "cannot be reached")):
        action = chosen(Cause.DEPENDENCY, about="shop/database", others=(database,))
        assert action is not None
        assert (action.remedy, action.pods) == (Remedy.TELL, ())
        assert f"a dependency {said}: shop/database" in action.reason


def test_nothing_more_is_done_while_it_is_not_known_whether_the_last_thing_helped() -> None:
    assert chosen(Cause.DEADLOCK, tried(Remedy.RESTART, helped=None)) is None
    assert chosen(Cause.DEADLOCK, tried(Remedy.RESTART, helped=True)) is not None


def test_a_leak_is_never_given_limits_without_end_and_is_told_at_the_third_vain_attempt() -> None:
    memory, limits, names = Memory(), [256.0 * MIB], []
    for at in range(5):
        sick = workload(pod(0, looping(137, "OOMKilled")), sizes=Sizes(memory_limit=limits[-1]))
        action = chosen(Cause.MEMORY_LEAK, memory, sick=sick)
        assert action is not None
        names.append(action.remedy)
        if action.fields.memory_limit is not None:
            limits.append(action.fields.memory_limit)
        memory = memory.with_attempt(
            Attempt(
                subject=KEY, cause=Cause.MEMORY_LEAK, remedy=action.remedy,
                at_seconds=NOW - 600.0 + at, helped=False,
            )
        )  # fmt: skip

    assert names[MOST_IN_VAIN] is Remedy.TELL
    assert names.count(Remedy.RESIZE) == 1
    assert limits[-1] <= 1.5 * limits[0]
    last = chosen(Cause.MEMORY_LEAK, memory)
    assert last is not None
    assert "memory grows whatever the limit" in last.reason


def test_a_limit_is_raised_in_steps_and_never_above_what_its_owner_gave_by_so_much() -> None:
    sick = workload(pod(0, looping(137, "OOMKilled")), sizes=Sizes(memory_limit=256.0 * MIB))
    first = chosen(Cause.OUT_OF_MEMORY, sick=sick)
    assert first is not None
    assert first.fields.memory_limit == 384.0 * MIB

    settings = Settings(owners_memory_limit={KEY: 64.0 * MIB})
    most = chosen(Cause.OUT_OF_MEMORY, sick=sick, settings=settings)
    assert most is not None
    assert "256 MiB, the most that is allowed" in most.reason
    small = chosen(
        Cause.OUT_OF_MEMORY, sick=sick, settings=Settings(largest_node_bytes=300.0 * MIB)
    )
    assert small is not None
    assert small.fields.memory_limit == 300.0 * MIB


def test_a_limit_that_a_release_lowered_is_taken_back_rather_than_raised() -> None:
    action = chosen(Cause.OUT_OF_MEMORY, Memory(healthy={KEY: (OLD,)}), sick=released())

    assert action is not None
    assert action.remedy is Remedy.ROLL_BACK


def test_one_pod_is_ended_at_a_time() -> None:
    sick = workload(pod(0, looping(1)), pod(1, looping(1)), pod(2))
    found = remedies(
        cluster(sick), diagnosis(Cause.DEADLOCK, pods=("app-0", "app-1")), Memory()
    ).actions

    assert [one.pods for one in found] == [("app-0",)]


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (Cause.KILLED_FROM_OUTSIDE, "processes are killed from outside"),
        (Cause.DISK, "a disk fills whatever is restarted"),
    ],
)
def test_what_comes_again_after_a_pod_was_replaced_is_told(cause: Cause, reason: str) -> None:
    first = chosen(cause)
    again = chosen(cause, tried(Remedy.REPLACE, cause=cause, helped=True))

    assert first is not None
    assert again is not None
    assert (first.remedy, again.reason) == (Remedy.REPLACE, reason)


def test_a_start_that_takes_longer_is_waited_for_where_there_is_a_probe_to_wait_with() -> None:
    with_probe = chosen(Cause.PROBE, settings=Settings(startup_failures={KEY: 10}))
    without = chosen(Cause.PROBE)

    assert with_probe is not None
    assert without is not None
    assert with_probe.fields.startup_failures == 20
    assert without.remedy is Remedy.TELL


def test_what_was_tried_long_ago_is_forgotten() -> None:
    old = Attempt(
        subject=KEY, cause=Cause.DEADLOCK, remedy=Remedy.RESTART,
        at_seconds=NOW - FORGET_SECONDS - 1.0, helped=False,
    )  # fmt: skip
    memory = Memory(attempts=(old, old, old))

    assert memory.in_vain(KEY, now=NOW) == 0
    assert len(memory.with_attempt(replace(old, at_seconds=NOW)).attempts) == 1


def test_a_success_ends_a_row_of_vain_attempts() -> None:
    memory = tried(Remedy.RESTART, Remedy.RESTART)
    assert memory.in_vain(KEY, now=NOW) == 2

    helped = memory.with_attempt(
        Attempt(subject=KEY, cause=Cause.MEMORY_LEAK, remedy=Remedy.RESTART,
                at_seconds=NOW - 1.0, helped=True)
    )  # fmt: skip
    assert helped.in_vain(KEY, now=NOW) == 0


def test_revisions_are_remembered_as_healthy_once_every_pod_was_ready_for_a_while() -> None:
    well = workload()
    young = workload(*(pod(at, container(), created_seconds=NOW - 5.0) for at in range(3)))
    unfinished = replace(
        well, replicas=Replicas(wanted=3, there=4, ready=3, available=3, updated=1)
    )

    assert is_healthy(well, now=NOW)
    assert not is_healthy(young, now=NOW)
    assert not is_healthy(unfinished, now=NOW)
    assert not is_healthy(workload(pod(0, looping(1)), pod(1)), now=NOW)
    memory = Memory(healthy={"shop/gone": (OLD,)}).with_view(cluster(well))
    assert memory.healthy == {KEY: (OLD,)}
    assert memory.last_healthy(well) is None
    assert memory.last_healthy(released()) == 1
