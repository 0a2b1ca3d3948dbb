"""What can be said of a workload's pods before asking why: who is ill, how they ended, what was told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tasks.domain.healing.view import ContainerView, End, Note, PodView, WorkloadView

GRACE_SECONDS = 30.0
"""A pod that is not ready for less may be on its way."""
START_SECONDS = 120.0
"""A pod that is younger is still starting, unless its containers say otherwise."""
RECENT_SECONDS = 600.0
"""What was longer ago is over."""
KILLED, TERMINATED = 137, 143
"""Exit codes of SIGKILL and SIGTERM."""
OOM_KILLED = "OOMKilled"

IMAGE_WAITS = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
)
CONFIG_WAITS = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)
START_ENDS = frozenset({"StartError", "ContainerCannotRun"})

_PROBE = re.compile(r"^(Startup|Readiness|Liveness) probe (?:failed|errored)[^:]*: (.*)", re.DOTALL)
_KILLED_BY = re.compile(r"failed (startup|liveness) probe")
_STATUS = re.compile(r"statuscode: (\d{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeNote:
    """A probe that failed.

    Attributes:
        pod: Whose.
        kind: startup, readiness or liveness.
        status: Of HTTP; None where there was no answer.
        timed_out, refused: Why there was none.
        note: The event.
    """

    pod: str
    kind: str
    status: int | None
    timed_out: bool
    refused: bool
    note: Note


def is_ill(pod: PodView, *, now: float) -> bool:
    """Return whether a pod is not what it should be, and had time to be."""
    if pod.deleting_since_seconds is not None or pod.phase == "Succeeded":
        return False
    if pod.phase in ("Failed", "Unknown"):
        return True
    if any(_is_stuck(one) for one in pod.containers):
        return True
    if pod.ready:
        # One that comes up and falls again is ready in between.
        return pod.restarts > 1 and _fell_recently(pod, now=now)
    since = pod.unready_since_seconds or pod.created_seconds
    young = now - pod.created_seconds < START_SECONDS
    return now - since >= GRACE_SECONDS and not (young and not pod.unschedulable)


def _is_stuck(container: ContainerView) -> bool:
    waits = container.waiting
    return waits == "CrashLoopBackOff" or waits in IMAGE_WAITS or waits in CONFIG_WAITS


def _fell_recently(pod: PodView, *, now: float) -> bool:
    return any(
        end.at_seconds is not None and now - end.at_seconds < START_SECONDS
        for end in (one.last_end for one in pod.containers)
        if end is not None and end.exit_code != 0
    )


def ill_pods(workload: WorkloadView, *, now: float) -> tuple[PodView, ...]:
    """Return the pods of a workload that are ill."""
    return tuple(one for one in workload.pods if is_ill(one, now=now))


def fallen(pods: Iterable[PodView]) -> Iterator[tuple[PodView, ContainerView, End]]:
    """Yield pods with the container that failed last and how it ended."""
    for pod in pods:
        ends = [
            (one.last_end.at_seconds or 0.0, at, one, one.last_end)
            for at, one in enumerate(pod.containers)
            if one.last_end is not None and one.last_end.exit_code != 0
        ]
        if ends:
            _, _, container, end = max(ends, key=lambda one: one[:2])
            yield pod, container, end


def probe_notes(
    workload: WorkloadView, pods: Iterable[PodView], *, now: float
) -> tuple[ProbeNote, ...]:
    """Return recent failures of probes of some pods, the newest first."""
    names = {one.name for one in pods}
    found = []
    for note in workload.notes:
        said = _PROBE.match(note.message)
        recent = now - note.last_seconds < RECENT_SECONDS
        if note.name not in names or note.reason != "Unhealthy" or said is None or not recent:
            continue
        status = _STATUS.search(said[2])
        found.append(
            ProbeNote(
                pod=note.name,
                kind=said[1].lower(),
                status=None if status is None else int(status[1]),
                timed_out="deadline exceeded" in said[2] or "timeout" in said[2].lower(),
                refused="connection refused" in said[2],
                note=note,
            )
        )
    return tuple(found)


def killed_by_probe(
    workload: WorkloadView, pods: Iterable[PodView], *, now: float
) -> dict[str, str]:
    """Return pods that their kubelet restarted lately, and the probe for which it did."""
    names = {one.name for one in pods}
    found: dict[str, str] = {}
    for note in workload.notes:
        said = _KILLED_BY.search(note.message)
        recent = now - note.last_seconds < RECENT_SECONDS
        if said is not None and note.reason == "Killing" and note.name in names and recent:
            found.setdefault(note.name, said[1])
    return found


def is_of_new_template(pods: Iterable[PodView], workload: WorkloadView) -> bool:
    """Return whether all pods are of the present template, and an earlier one was there before it."""
    older = [one for one in workload.revisions if one.template != workload.template]
    return bool(older) and all(one.template == workload.template for one in pods)
