"""Why a workload is ill: rules over what is seen, the first that fits, with its evidence.

Rules are in an order in which a later one may take for granted that no earlier one fits: what the
kubelet says in so many words, then what a change explains, then who else is ill, then what processes
say by how they end, and at last what metrics say of those that run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tasks.domain.healing.causes import Cause
from tasks.domain.healing.complaints import (
    complaints,
    configuration_line,
    full_line,
    is_down,
)
from tasks.domain.healing.symptoms import (
    CONFIG_WAITS,
    IMAGE_WAITS,
    KILLED,
    OOM_KILLED,
    START_ENDS,
    fallen,
    ill_pods,
    is_of_new_template,
    killed_by_probe,
    probe_notes,
)
from tasks.domain.healing.view import ClusterView, PodView, PodWork, WorkloadView

NEAR_LIMIT = 0.8
"""Of its memory limit, below which a process was not killed for its own memory."""
IDLE_CORES = 0.01
LEAK_MINUTES = 4.0
"""Over which memory has to grow steadily."""
LEAK_FIT = 0.9
"""Of the variance of memory that a line explains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What ails a workload.

    Attributes:
        workload: Its key.
        cause: The first that fits.
        pods: Those concerned, by name.
        evidence: Sentences, the strongest first.
        about: What else is concerned: a dependency, a node, a revision; empty for nothing.
    """

    workload: str
    cause: Cause
    pods: tuple[str, ...]
    evidence: tuple[str, ...]
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a rule looks at."""

    view: ClusterView
    workload: WorkloadView
    ill: tuple[PodView, ...]

    @property
    def now(self) -> float:
        """When it was seen, Unix seconds."""
        return self.view.now_seconds

    def found(
        self, cause: Cause, *evidence: str, pods: tuple[PodView, ...] | None = None, about: str = ""
    ) -> Diagnosis:
        """Return a diagnosis of this workload."""
        return Diagnosis(
            workload=self.workload.key,
            cause=cause,
            pods=tuple(one.name for one in (self.ill if pods is None else pods)),
            evidence=evidence,
            about=about,
        )


Rule = Callable[[Case], Diagnosis | None]


def diagnose(view: ClusterView, key: str) -> Diagnosis | None:
    """Return what ails a workload whose pods are ill; None when none is.

    Args:
        view: Of the cluster.
        key: Of the workload.
    """
    workload = view.workloads[key]
    ill = ill_pods(workload, now=view.now_seconds)
    if not ill:
        return None
    case = Case(view=view, workload=workload, ill=ill)
    found = (rule(case) for rule in RULES)
    return next((one for one in found if one is not None), case.found(Cause.UNKNOWN, *_seen(case)))


def _seen(case: Case) -> tuple[str, ...]:
    """Return what can be said where no rule fits."""
    ends = [f"{pod.name} ended with {end.exit_code}" for pod, _, end in fallen(case.ill)]
    return (f"{len(case.ill)} of {len(case.workload.pods)} pods are not well", *ends[:3])


def _image(case: Case) -> Diagnosis | None:
    pods = tuple(p for p in case.ill if any(c.waiting in IMAGE_WAITS for c in p.containers))
    if not pods:
        return None
    said = next(c for c in pods[0].containers if c.waiting in IMAGE_WAITS)
    return case.found(
        Cause.IMAGE, f"{said.waiting}: {said.waiting_message or case.workload.image}", pods=pods
    )


def _capacity(case: Case) -> Diagnosis | None:
    pods = tuple(p for p in case.ill if p.unschedulable and not p.node)
    return case.found(Cause.CAPACITY, pods[0].unschedulable, pods=pods) if pods else None


def _evicted(case: Case) -> Diagnosis | None:
    pods = tuple(p for p in case.ill if p.phase == "Failed" and p.reason == "Evicted")
    if not pods:
        return None
    said = next(
        (n.message for n in case.workload.notes if n.reason == "Evicted"), "evicted by its node"
    )
    disk = "ephemeral-storage" in said or "disk" in said.lower()
    cause = Cause.DISK if disk else Cause.NODE_PRESSURE
    return case.found(cause, said, pods=pods)


def _node(case: Case) -> Diagnosis | None:
    """Pods whose machine is silent; whether it is lost is for the quorum to say."""
    silent = {name for name, node in case.view.nodes.items() if node.ready is not True}
    pods = tuple(p for p in case.ill if p.node in silent)
    if not pods or len(pods) < len(case.ill):
        return None
    name = pods[0].node
    alive = case.view.nodes[name].pods_answer
    if alive:
        why = f"{name} reports nothing, and {alive:.0%} of its pods answer"
        return case.found(Cause.NODE_PARTITIONED, why, pods=pods, about=name)
    return case.found(
        Cause.NODE_LOST, f"{name} reports nothing, nor does any pod on it", pods=pods, about=name
    )


def _configuration(case: Case) -> Diagnosis | None:
    for pod in case.ill:
        for one in pod.containers:
            if one.waiting in CONFIG_WAITS:
                return case.found(Cause.CONFIGURATION, f"{one.waiting}: {one.waiting_message}")
            end = one.last_end
            if end is not None and (end.reason in START_ENDS or end.exit_code in (126, 127)):
                return case.found(Cause.CONFIGURATION, f"{end.reason}: {end.message or pod.name}")
    line = configuration_line(case.workload)
    if line and any(end.exit_code not in (KILLED, 0) for _, _, end in fallen(case.ill)):
        return case.found(Cause.CONFIGURATION, line)
    return None


def _full(case: Case) -> Diagnosis | None:
    line = full_line(case.workload)
    return case.found(Cause.DISK, line) if line and any(fallen(case.ill)) else None


def _dependency(case: Case) -> Diagnosis | None:
    found = complaints(case.workload)
    if found:
        first = found[0]
        return case.found(
            Cause.DEPENDENCY, first.line, f"{first.lines} such lines", about=first.dependency
        )
    down = [one for one in case.workload.calls if is_down(case.view, one)]
    unready = not any(fallen(case.ill))
    said = [one for one in probe_notes(case.workload, case.ill, now=case.now) if one.status == 503]
    if down and (said or unready):
        return case.found(Cause.DEPENDENCY, f"nobody of {down[0]} is ready", about=down[0])
    return None


def _memory(case: Case) -> Diagnosis | None:
    killed = tuple((pod, end) for pod, _, end in fallen(case.ill) if end.reason == OOM_KILLED)
    if not killed:
        return None
    pods = tuple(pod for pod, _ in killed)
    limit = case.workload.sizes.memory_limit
    peaks = [_peak(case.workload.pod_work.get(pod.name)) for pod in pods]
    known = [one for one in peaks if one is not None]
    pressed = [pod.node for pod in pods if _is_pressed(case.view, pod.node)]
    if limit and known and max(known) < NEAR_LIMIT * limit and pressed:
        why = f"killed at {max(known) / limit:.0%} of its limit, on a node short of memory"
        return case.found(Cause.NODE_PRESSURE, why, pods=pods, about=pressed[0])
    ran = [end.ran_seconds for _, end in killed if end.ran_seconds is not None]
    shown = f"{len(pods)} pods OOMKilled" + (f" after {np.median(ran):.0f} s" if ran else "")
    for pod in pods:
        slope = leak_rate(case.workload.pod_work.get(pod.name))
        if slope is not None:
            why = f"memory of {pod.name} grows by {slope * 3600 / 2**20:.0f} MiB an hour"
            return case.found(Cause.MEMORY_LEAK, why, shown, pods=pods)
    return case.found(Cause.OUT_OF_MEMORY, shown, pods=pods)


def _is_pressed(view: ClusterView, node: str) -> bool:
    found = view.nodes.get(node)
    return found is not None and "MemoryPressure" in found.pressures


def _peak(work: PodWork | None) -> float | None:
    if work is None or work.memory_values is None or not np.isfinite(work.memory_values).any():
        return None
    return float(np.nanmax(work.memory_values))


def leak_rate(work: PodWork | None) -> float | None:
    """Return by how many bytes a second a process's memory grows; None where it does not, steadily.

    A line by least squares over the life of the process has to explain `LEAK_FIT` of the variance, over
    `LEAK_MINUTES` at least, and half of it as well: a cache that fills bends.
    """
    if work is None or work.memory_times is None or work.memory_values is None:
        return None
    known = np.isfinite(work.memory_values)
    times, values = work.memory_times[known], work.memory_values[known]
    if len(times) < 8 or times[-1] - times[0] < 60.0 * LEAK_MINUTES:
        return None
    half = len(times) // 2
    whole, late = (_line(times[part], values[part]) for part in (slice(None), slice(half, None)))
    grows = whole[0] > 0.0 and whole[1] >= LEAK_FIT
    return whole[0] if grows and late[0] > 0.5 * whole[0] else None


def _line(times: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Return slope and share of the variance that a line explains."""
    x, y = times - times.mean(), values - values.mean()
    spread = float((x * x).sum() * (y * y).sum())
    if spread <= 0.0:
        return 0.0, 0.0
    both = float((x * y).sum())
    return both / float((x * x).sum()), both * both / spread


def _probe(case: Case) -> Diagnosis | None:
    notes = probe_notes(case.workload, case.ill, now=case.now)
    killed = killed_by_probe(case.workload, case.ill, now=case.now)
    wrong = [one for one in notes if one.status in (404, 405)]
    if wrong:
        return case.found(Cause.PROBE, wrong[0].note.message)
    if "startup" in killed.values():
        return case.found(Cause.PROBE, "killed by its startup probe before it was up")
    never_up = [pod for pod in case.ill if pod.name in killed and not _ever_ready(case, pod)]
    if never_up and is_of_new_template(case.ill, case.workload):
        return case.found(
            Cause.PROBE, "killed by its liveness probe before it was ready", pods=tuple(never_up)
        )
    silent = [one for one in notes if one.timed_out and one.kind in ("liveness", "readiness")]
    locked = tuple(
        pod
        for pod in case.ill
        if any(one.pod == pod.name for one in silent) and _is_idle(case, pod)
    )
    if locked:
        why = f"{silent[0].note.message}; it runs and uses no processor"
        return case.found(Cause.DEADLOCK, why, pods=locked)
    elsewhere = [one for one in notes if one.refused and _runs_long(case, one.pod)]
    if elsewhere:
        return case.found(Cause.PROBE, elsewhere[0].note.message)
    return None


def _ever_ready(case: Case, pod: PodView) -> bool:
    return pod.ready or (case.workload.pod_work.get(pod.name) or PodWork()).rps not in (None, 0.0)


def _is_idle(case: Case, pod: PodView) -> bool:
    cores = (case.workload.pod_work.get(pod.name) or PodWork()).cpu_cores
    return cores is not None and cores < IDLE_CORES


def _runs_long(case: Case, name: str) -> bool:
    pod = next((one for one in case.ill if one.name == name), None)
    main = None if pod is None else pod.main
    since = None if main is None else main.started_seconds
    return since is not None and case.now - since > 300.0


def _killed(case: Case) -> Diagnosis | None:
    by_probe = killed_by_probe(case.workload, case.ill, now=case.now)
    pods = tuple(
        pod
        for pod, _, end in fallen(case.ill)
        if end.exit_code == KILLED and end.reason != OOM_KILLED and pod.name not in by_probe
    )
    if not pods:
        return None
    return case.found(
        Cause.KILLED_FROM_OUTSIDE, "exit 137, neither for its memory nor by a probe", pods=pods
    )


def _change(case: Case) -> Diagnosis | None:
    pods = tuple(pod for pod, _, end in fallen(case.ill) if end.exit_code != KILLED)
    if not pods or not is_of_new_template(pods, case.workload):
        return None
    well = [p for p in case.workload.pods if p.ready and p.template == case.workload.template]
    if well:
        return None
    return case.found(
        Cause.CONFIGURATION, "every pod of the new revision ends by itself, none of it is ready",
        pods=pods, about=case.workload.template,
    )  # fmt: skip


def _corrupt(case: Case) -> Diagnosis | None:
    pods = tuple(pod for pod, _, end in fallen(case.ill) if end.exit_code not in (KILLED, 0))
    alike = {one.template for one in pods}
    well = [one for one in case.workload.pods if one.ready and one.template in alike]
    if not pods or not well or len(pods) > len(well):
        return None
    return case.found(
        Cause.CORRUPT_STATE, f"{len(pods)} end at their start, {len(well)} of the same template are well",
        pods=pods,
    )  # fmt: skip


RULES: tuple[Rule, ...] = (
    _image, _capacity, _evicted, _node, _configuration, _full, _memory, _dependency, _probe,
    _killed, _change, _corrupt,
)  # fmt: skip
"""Of pods that are ill, in their order."""
