"""Lines of container logs: what a program says before it ends, and while its calls fail.

They are what an operator has to go by, and they say what the program believes: killed programs say
nothing, and a corrupt file reads like a wrong configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from deployments.embedded.workloads.containers.status import timestamp
from deployments.embedded.workloads.physics.fault_kinds import (
    CertificateExpired,
    DependencyDown,
    DnsFailure,
    EdgeLatency,
    EdgeLoss,
    EdgePartition,
)
from deployments.embedded.workloads.physics.faults import ActiveFault, EdgeFault, Fault
from deployments.embedded.workloads.physics.noise import key_of
from deployments.embedded.workloads.physics.profiles import Need, WorkloadProfile
from deployments.embedded.workloads.physics.state import Cause

_PAGES = ("/", "/items", "/items/4711", "/basket", "/orders")


class Trouble(StrEnum):
    """How a call to a dependency fails, as a client library tells it; {host} and {port} are its."""

    REFUSED = "dial tcp: connect: connection refused"
    TIMEOUT = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    CERTIFICATE = (
        "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"
    )
    NO_HOST = "dial tcp: lookup {host}: no such host"
    UNAVAILABLE = "unexpected status 503 Service Unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A dependency that a program complains of.

    Attributes:
        dependency: Its name.
        trouble: How calls fail.
    """

    dependency: str
    trouble: Trouble


def complaints(
    profile: WorkloadProfile,
    faults: Sequence[ActiveFault],
    *,
    failed: Mapping[tuple[str, str], float],
    least: float = 0.05,
) -> tuple[Complaint, ...]:
    """Return what a program complains of, one for each dependency that fails, in its order.

    Args:
        profile: Of the program.
        faults: In force: they choose the words, never whether there are any.
        failed: Fraction of calls that fail on each edge, by caller and called.
        least: Below that fraction nobody complains.
    """
    found = []
    for to in profile.dependencies:
        share = failed.get((profile.name, to.name), 0.0)
        if share < least:
            continue
        on_edge = [_of_edge(one.fault, profile.name, to.name) for one in faults]
        trouble = next((one for one in on_edge if one is not None), None)
        if trouble is None:
            trouble = Trouble.REFUSED if share >= 1.0 - 1e-6 else Trouble.UNAVAILABLE
        found.append(Complaint(dependency=to.name, trouble=trouble))
    return tuple(found)


_OF_EDGES: tuple[tuple[type[EdgeFault], Trouble], ...] = (
    (EdgePartition, Trouble.TIMEOUT),
    (EdgeLoss, Trouble.TIMEOUT),
    (EdgeLatency, Trouble.TIMEOUT),
    (CertificateExpired, Trouble.CERTIFICATE),
)


def _of_edge(fault: Fault, source: str, target: str) -> Trouble | None:
    if isinstance(fault, DependencyDown) and fault.target == target:
        return Trouble.REFUSED
    if isinstance(fault, DnsFailure) and fault.target == source:
        return Trouble.NO_HOST
    for kind, trouble in _OF_EDGES:
        if isinstance(fault, kind) and fault.source == source and fault.target in ("*", target):
            return trouble
    return None


def request_line(profile: WorkloadProfile, *, seconds: float, key: int, latency: float) -> str:
    """Return a line of ordinary work; key chooses among them."""
    at = timestamp(seconds)
    if profile.queue:
        return f"{at} INFO  message processed id={key % 10_000_000} duration_ms={latency * 1e3:.0f}"
    page = _PAGES[key % len(_PAGES)]
    return f"{at} INFO  request method=GET path={page} status=200 duration_ms={latency * 1e3:.0f}"


def complaint_line(complaint: Complaint, *, seconds: float) -> str:
    """Return the line that a failed call leaves."""
    host, place = _place(complaint.dependency)
    trouble = complaint.trouble.value.format(host=host)
    return f"{timestamp(seconds)} ERROR call failed dependency={host} url={place} error={trouble!r}"


def _place(dependency: str) -> tuple[str, str]:
    if "/" not in dependency:
        return dependency, f"https://{dependency}"
    space, name = dependency.split("/")
    host = f"{name}.{space}.svc.cluster.local"
    return host, f"http://{host}:8080"


def start_lines(profile: WorkloadProfile, *, seconds: float, tag: str) -> tuple[str, ...]:
    """Return what a program says when it starts."""
    return (
        start_line(profile.name.split("/")[1], seconds=seconds, tag=tag),
        f"{timestamp(seconds)} INFO  configuration loaded keys={len(profile.required_keys)}",
    )


def start_line(name: str, *, seconds: float, tag: str) -> str:
    """Return what a program of a name says first."""
    return f"{timestamp(seconds)} INFO  starting {name} version={tag}"


def last_lines(
    profile: WorkloadProfile,
    cause: Cause,
    *,
    seconds: float,
    key: int,
    complaints: Sequence[Complaint] = (),
    latency: float = 0.02,
    missing: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return the last lines of a process that ended.

    Args:
        profile: Of the program.
        cause: Why it ended; NONE when it was asked to.
        seconds: When, Unix time.
        key: Chooses numbers in the lines; the key of the pod does.
        complaints: Of its dependencies.
        latency: Seconds of an ordinary request.
        missing: Keys that the program did not find.
    """
    at = timestamp(seconds)
    # The kernel asks nobody: what is killed stops in the middle of its work.
    if cause in (Cause.OUT_OF_MEMORY, Cause.NODE_OUT_OF_MEMORY, Cause.KILLED_BY_HOST):
        keys = [key_of(f"{key}:{seconds}", seed=part) for part in range(3)]
        return tuple(
            request_line(profile, seconds=seconds - 2 + part, key=one, latency=latency)
            for part, one in enumerate(keys)
        )
    if cause is Cause.DEPENDENCY:
        needed = next((to.name for to in profile.dependencies if to.need is Need.CRASH), "")
        mine = [one for one in complaints if one.dependency == needed]
        told = mine[0] if mine else Complaint(dependency=needed, trouble=Trouble.REFUSED)
        line = complaint_line(told, seconds=seconds - 1)
        host = _place(needed)[0]
        return (line, f"{at} FATAL cannot continue without {host}, exiting")
    if cause is Cause.MISSING_CONFIG:
        name = (*missing, *sorted(profile.required_keys), "CONFIG")[0]
        return (f"{at} FATAL required environment variable {name} is not set",)
    return plain_last_lines(profile.name.split("/")[1], cause, seconds=seconds)


def plain_last_lines(name: str, cause: Cause, *, seconds: float) -> tuple[str, ...]:
    """Return the last lines of a program whose name is all that they say of it.

    Args:
        name: Of the program.
        cause: `NONE` when it was asked to end, or one of an image, a file or a volume.
        seconds: When, Unix time.
    """
    at = timestamp(seconds)
    return tuple(line.format(at=at, name=name) for line in _LAST[cause])


_LAST: dict[Cause, tuple[str, ...]] = {
    Cause.NONE: ("{at} INFO  received signal terminated, shutting down",),
    Cause.BAD_IMAGE: (
        "panic: runtime error: invalid memory address or nil pointer dereference",
        "[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x6f1c2e]",
        "goroutine 1 [running]:",
        "main.main()",
        "\t/src/cmd/{name}/main.go:71 +0x1a5",
    ),
    # A half-written file reads like a wrong configuration, and is none.
    Cause.CORRUPT_STATE: (
        "{at} INFO  restoring state from /var/lib/{name}/state.json",
        "{at} FATAL cannot load settings: unexpected end of JSON input",
    ),
    Cause.DISK_FULL: (
        "{at} ERROR write /var/lib/data/segment-000217: no space left on device",
        "{at} FATAL cannot write log, exiting",
    ),
}
