"""Log lines that name somebody else: a dependency that is refused, late, unknown or not trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.domain.healing.view import ClusterView, WorkloadView

_TROUBLE = re.compile(
    r"connection refused|connection reset|no such host|name or service not known|timed? ?out"
    r"|deadline exceeded|unreachable|certificate (?:has expired|verify failed)|service unavailable"
    r"|bad gateway|no route to host|temporary failure in name resolution|broken pipe",
    re.IGNORECASE,
)
_HOST = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)+")
_CONFIGURATION = re.compile(
    r"(?:required|missing|undefined|unknown|invalid) (?:environment|env|config|setting|option|flag)"
    r"|environment variable \S+ (?:is )?(?:not set|required|missing)|KeyError|no such option",
    re.IGNORECASE,
)
_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A dependency that logs complain of.

    Attributes:
        dependency: As in `WorkloadView.calls`.
        line: The last that does.
        lines: How many do.
    """

    dependency: str
    line: str
    lines: int


def complaints(workload: WorkloadView) -> tuple[Complaint, ...]:
    """Return what the logs of ill pods complain of, the loudest first.

    A line counts when it tells of a failed call and names one of what the workload calls.
    """
    names = {host: call for call in workload.calls for host in _hosts(call)}
    found: dict[str, list[str]] = {}
    for lines in workload.logs.values():
        for line in lines:
            if _TROUBLE.search(line):
                for host in dict.fromkeys(_HOST.findall(line.lower())):
                    if host in names:
                        found.setdefault(names[host], []).append(line)
    loudest = sorted(found.items(), key=lambda one: -len(one[1]))
    return tuple(
        Complaint(dependency=name, line=lines[-1].strip(), lines=len(lines))
        for name, lines in loudest
    )


def _hosts(call: str) -> tuple[str, ...]:
    namespace, slash, name = call.rpartition("/")
    if not slash:
        return (name,)
    inside = f"{name}.{namespace}"
    return inside, f"{inside}.svc", f"{inside}.svc.cluster.local"


def told_of(logs: Mapping[str, Iterable[str]], what: re.Pattern[str]) -> str:
    """Return the last line that tells of something; empty when none does."""
    return next(
        (
            line.strip()
            for lines in logs.values()
            for line in reversed(list(lines))
            if what.search(line)
        ),
        "",
    )


def configuration_line(workload: WorkloadView) -> str:
    """Return the last log line that tells of a wrong setting; empty when none does."""
    return told_of(workload.logs, _CONFIGURATION)


def full_line(workload: WorkloadView) -> str:
    """Return the last log line that tells of a full disk; empty when none does."""
    return told_of(workload.logs, _FULL)


def is_down(view: ClusterView, dependency: str) -> bool:
    """Return whether a dependency inside the cluster has nobody who is ready; False for those outside."""
    found = view.workloads.get(dependency)
    return found is not None and found.replicas.wanted > 0 and found.replicas.ready == 0
