"""What the loop remembers between cycles: what was tried, with what result, and which revisions were well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tasks.domain.healing.causes import Cause, Remedy
from tasks.domain.healing.symptoms import ill_pods
from tasks.domain.healing.view import ClusterView, WorkloadView

FORGET_SECONDS = 6 * 3_600.0
"""After which what was tried no longer counts against a remedy."""
MOST_REVISIONS = 10
"""Of a workload that are remembered as healthy, as many as a Deployment keeps by default."""
WELL_SECONDS = 60.0
"""That every pod of a revision has to be ready for it to count as healthy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Something that was tried.

    Attributes:
        subject: Of the action.
        cause: For which.
        remedy: What.
        at_seconds: When, Unix time.
        helped: What came of it; None while it is not known.
    """

    subject: str
    cause: Cause
    remedy: Remedy
    at_seconds: float
    helped: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Everything that is remembered.

    Attributes:
        attempts: The oldest first.
        healthy: Workload to hashes of templates of which every pod was ready, the latest last.
    """

    attempts: tuple[Attempt, ...] = ()
    healthy: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def tried(
        self, subject: str, *, now: float, cause: Cause | None = None, remedy: Remedy | None = None
    ) -> tuple[Attempt, ...]:
        """Return what was tried lately on a subject, for a cause and by a remedy where they are named."""
        return tuple(
            one
            for one in self.attempts
            if one.subject == subject
            and now - one.at_seconds < FORGET_SECONDS
            and (cause is None or one.cause is cause)
            and (remedy is None or one.remedy is remedy)
        )

    def in_vain(self, subject: str, *, now: float, cause: Cause | None = None) -> int:
        """Return how many attempts in a row did not help; what is not known yet is not counted."""
        count = 0
        for one in reversed(self.tried(subject, now=now, cause=cause)):
            if one.helped:
                break
            count += one.helped is False
        return count

    def with_attempt(self, attempt: Attempt) -> Memory:
        """Return the memory with one more attempt, without those that are forgotten."""
        kept = (
            one for one in self.attempts if attempt.at_seconds - one.at_seconds < FORGET_SECONDS
        )
        return replace(self, attempts=(*kept, attempt))

    def with_view(self, view: ClusterView) -> Memory:
        """Return the memory with the revisions that are seen healthy; workloads that are gone are forgotten."""
        healthy = {key: known for key, known in self.healthy.items() if key in view.workloads}
        for key, workload in view.workloads.items():
            if is_healthy(workload, now=view.now_seconds):
                known = [one for one in healthy.get(key, ()) if one != workload.template]
                healthy[key] = (*known, workload.template)[-MOST_REVISIONS:]
        return replace(self, healthy=healthy)

    def last_healthy(self, workload: WorkloadView) -> int | None:
        """Return the number of the last revision that was healthy and is not the present one.

        None where none is remembered, or the one that is remembered is no longer kept.
        """
        numbers = {one.template: one.number for one in workload.revisions}
        for template in reversed(self.healthy.get(workload.key, ())):
            if template != workload.template and template in numbers:
                return numbers[template]
        return None


def is_healthy(workload: WorkloadView, *, now: float) -> bool:
    """Return whether a workload's present revision is rolled out, and every pod of it was ready for a while."""
    numbers = workload.replicas
    rolled_out = numbers.observed and numbers.wanted > 0
    rolled_out = rolled_out and numbers.updated == numbers.available == numbers.wanted
    if not rolled_out or not workload.template or ill_pods(workload, now=now):
        return False
    mine = [one for one in workload.pods if one.template == workload.template]
    return len(mine) >= numbers.wanted and all(
        one.ready and now - one.created_seconds >= WELL_SECONDS for one in mine
    )
