"""What is done about a cause: the runbook, as a table of choices that look at what was tried before.

Nothing is done to a victim. After three attempts that did not help a person is told, with the story; and
before a limit is raised a second time, it has to be known that raising it helped at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tasks.domain.autonomous import HealingPlan
from tasks.domain.healing.actions import Action, Concern, Fields
from tasks.domain.healing.causes import Cause, Remedy
from tasks.domain.healing.diagnosis import Diagnosis
from tasks.domain.healing.memory import Memory
from tasks.domain.healing.symptoms import is_of_new_template
from tasks.domain.healing.view import ClusterView, WorkloadView

OPERATION = "healing"
MOST_IN_VAIN = 3
"""Attempts in a row that did not help, after which a person is told."""
MEMORY_STEP, MOST_MEMORY = 1.5, 4.0
"""By how much a limit is raised, and at most of the limit that its owner gave it."""
PATIENCE_STEP = 2
MIB = 2.0**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the runbook may use of itself.

    Attributes:
        memory_step: Factor by which a memory limit is raised, 1.1 to 3.
        most_memory: Of the limit that the owner gave, that it is never raised above; 1 to 10.
        largest_node_bytes: Memory that a pod can have at most here; None where it is not known.
        owners_memory_limit: Workload to the limit that its owner gave it, where we have changed it since.
        startup_failures: Workload to what its startup probe forgives; missing where it has none.
    """

    memory_step: float = MEMORY_STEP
    most_memory: float = MOST_MEMORY
    largest_node_bytes: float | None = None
    owners_memory_limit: Mapping[str, float] | None = None
    startup_failures: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a choice looks at."""

    view: ClusterView
    workload: WorkloadView
    diagnosis: Diagnosis
    memory: Memory
    settings: Settings

    def act(self, remedy: Remedy, *, expected: str, fields: Fields | None = None,
            pods: tuple[str, ...] = (), concern: Concern = Concern.HEALTH) -> Action:  # fmt: skip
        """Return an action on the workload."""
        return Action(
            subject=self.workload.key,
            operation=OPERATION,
            remedy=remedy,
            cause=self.diagnosis.cause,
            concern=concern,
            evidence=self.diagnosis.evidence,
            fields=fields or Fields(),
            pods=pods,
            expected=expected,
        )

    def tell(self, reason: str) -> Action:
        """Return that a person is told."""
        return Action(
            subject=self.workload.key,
            operation=OPERATION,
            remedy=Remedy.TELL,
            cause=self.diagnosis.cause,
            evidence=self.diagnosis.evidence,
            reason=reason,
        )

    def tried(self, remedy: Remedy) -> int:
        """Return how often a remedy was tried lately for this cause."""
        now = self.view.now_seconds
        found = self.memory.tried(
            self.workload.key, now=now, cause=self.diagnosis.cause, remedy=remedy
        )
        return len(found)


Chooser = Callable[[Choice], Action]


def remedies(
    view: ClusterView, diagnosis: Diagnosis, memory: Memory, settings: Settings | None = None
) -> HealingPlan[Action]:
    """Return what to do about a diagnosis; nothing while an earlier attempt is not verified yet.

    Args:
        view: Of the cluster.
        diagnosis: Of one of its workloads.
        memory: What was tried.
        settings: Of the runbook.
    """
    workload, now = view.workloads[diagnosis.workload], view.now_seconds
    before = memory.tried(workload.key, now=now)
    if any(one.helped is None and one.remedy is not Remedy.TELL for one in before):
        return HealingPlan()
    choice = Choice(
        view=view,
        workload=workload,
        diagnosis=diagnosis,
        memory=memory,
        settings=settings or Settings(),
    )
    in_vain = memory.in_vain(workload.key, now=now)
    if in_vain >= MOST_IN_VAIN:
        return HealingPlan((choice.tell(_story(choice, in_vain)),))
    return HealingPlan((CHOICES[diagnosis.cause](choice),))


def _story(choice: Choice, in_vain: int) -> str:
    tried = choice.memory.tried(choice.workload.key, now=choice.view.now_seconds)
    names = ", ".join(f"{one.remedy.value} for {one.cause.value}" for one in tried[-in_vain:])
    if choice.diagnosis.cause is Cause.MEMORY_LEAK:
        return f"memory grows whatever the limit; in vain were: {names}"
    return f"{in_vain} attempts did not help: {names}"


def _rolled_back(choice: Choice) -> Action | None:
    """Return the way back to the last revision that was well, where the present one never was."""
    target = choice.memory.last_healthy(choice.workload)
    pods = [one for one in choice.workload.pods if one.name in choice.diagnosis.pods]
    if target is None or not is_of_new_template(pods, choice.workload):
        return None
    return choice.act(
        Remedy.ROLL_BACK,
        fields=Fields(revision=target),
        expected=f"every pod is of revision {target} and ready",
    )


def _change(choice: Choice) -> Action:
    """A change was wrong: back, or to a person where there is no way back."""
    return _rolled_back(choice) or choice.tell(
        f"{choice.diagnosis.cause.value}, and no earlier revision is known to have been healthy"
    )


def _memory(choice: Choice) -> Action:
    back = _rolled_back(choice)
    if back is not None:
        return back
    limit = choice.workload.sizes.memory_limit
    if limit is None:
        return choice.tell("killed for memory without a limit of its own: its node is too small")
    owners = (choice.settings.owners_memory_limit or {}).get(choice.workload.key, limit)
    most = owners * choice.settings.most_memory
    if choice.settings.largest_node_bytes is not None:
        most = min(most, choice.settings.largest_node_bytes)
    wanted = min(limit * choice.settings.memory_step, most)
    if wanted < limit * 1.1:
        return choice.tell(f"its memory limit is {limit / MIB:.0f} MiB, the most that is allowed")
    # Whole MiB, as people write them.
    wanted = float(int(wanted / MIB)) * MIB
    return choice.act(
        Remedy.RESIZE,
        fields=Fields(memory_limit=wanted, memory_request=choice.workload.sizes.memory_request),
        expected=f"no pod is OOMKilled with {wanted / MIB:.0f} MiB",
    )


def _leak(choice: Choice) -> Action:
    # One limit is tried: what looks like a leak may be a cache. After that it buys time only.
    if choice.tried(Remedy.RESTART) and not choice.tried(Remedy.RESIZE):
        found = _memory(choice)
        if found.remedy is Remedy.RESIZE:
            return found
    return _restart(choice)


def _restart(choice: Choice) -> Action:
    return choice.act(
        Remedy.RESTART,
        pods=choice.diagnosis.pods[:1],
        expected="the pod that takes its place is ready",
    )


def _replace(choice: Choice) -> Action:
    return choice.act(
        Remedy.REPLACE,
        pods=choice.diagnosis.pods[:1],
        expected="another pod, on another node where there is one, is ready",
    )


def _probe(choice: Choice) -> Action:
    back = _rolled_back(choice)
    if back is not None:
        return back
    forgiven = (choice.settings.startup_failures or {}).get(choice.workload.key)
    if forgiven is None:
        return choice.tell(
            "a probe ends it before it is up, and it has no startup probe to wait with"
        )
    return choice.act(
        Remedy.PATIENCE,
        fields=Fields(startup_failures=forgiven * PATIENCE_STEP),
        expected="it comes up before its startup probe ends it",
    )


def _dependency(choice: Choice) -> Action:
    about = choice.diagnosis.about
    found = choice.view.workloads.get(about)
    down = found is None or found.replicas.ready == 0
    what = "is down" if down else "cannot be reached"
    return choice.tell(f"a dependency {what}: {about}; the victim is left alone")


def _degraded(choice: Choice) -> Action:
    back = _rolled_back(choice)
    if back is not None:
        return back
    if choice.tried(Remedy.RESTART):
        return choice.tell("errors that no remedy of ours explains")
    return _restart(choice)


def _node(choice: Choice) -> Action:
    """Machines are for the quorum of the node operation; a workload alone says too little."""
    return choice.tell(f"its node {choice.diagnosis.about} reports nothing")


def _outside(choice: Choice) -> Action:
    if choice.tried(Remedy.REPLACE):
        return choice.tell("processes are killed from outside")
    return _replace(choice)


def _disk(choice: Choice) -> Action:
    if choice.tried(Remedy.REPLACE):
        return choice.tell("a disk fills whatever is restarted")
    return _replace(choice)


def _traffic(choice: Choice) -> Action:
    wanted = choice.workload.replicas.wanted
    return choice.act(
        Remedy.SCALE,
        fields=Fields(replicas=wanted + max(1, wanted // 2)),
        concern=Concern.PERFORMANCE,
        expected="latency and errors are as usual",
    )


def _security(choice: Choice) -> Action:
    return choice.act(
        Remedy.ISOLATE, concern=Concern.SAFETY, expected="nothing leaves its pods but answers"
    )


def _unknown(choice: Choice) -> Action:
    return choice.tell("it is not well, and nothing that is known explains it")


CHOICES: Mapping[Cause, Chooser] = {
    Cause.OUT_OF_MEMORY: _memory,
    Cause.MEMORY_LEAK: _leak,
    Cause.IMAGE: _change,
    Cause.CONFIGURATION: _change,
    Cause.PROBE: _probe,
    Cause.CAPACITY: _change,
    Cause.DEPENDENCY: _dependency,
    Cause.DEADLOCK: _restart,
    Cause.CORRUPT_STATE: _replace,
    Cause.KILLED_FROM_OUTSIDE: _outside,
    Cause.NODE_LOST: _node,
    Cause.NODE_PARTITIONED: _node,
    Cause.NODE_PRESSURE: _replace,
    Cause.NOISY_NEIGHBOUR: _replace,
    Cause.DISK: _disk,
    Cause.TRAFFIC: _traffic,
    Cause.DEGRADED: _degraded,
    Cause.SECURITY: _security,
    Cause.UNKNOWN: _unknown,
}
"""One for every cause."""
