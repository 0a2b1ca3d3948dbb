"""Another kind of an EBS volume, while it is in use."""

from __future__ import annotations

from tasks.domain.savings.kinds.volumes import (
    GP3_LEAST_IOPS,
    GP3_LEAST_MIB_PER_SECOND,
    GP3_MOST_IOPS,
    GP3_MOST_MIB_PER_SECOND,
    MIB_PER_SECOND_PER_IOPS,
)
from tasks.domain.stacks.changes import Refused
from tasks.domain.stacks.kinds.made import Edit, Made, Work
from tasks.domain.stacks.kinds.names import logical_name
from tasks.domain.stacks.live import LiveVolume
from tasks.domain.stacks.program import Input

GP3 = "gp3"
_REPLACED = frozenset({"gp2", "io1"})


def volume_type(work: Work) -> Made | Refused:
    """Return what makes a volume gp3, or why that is not done."""
    one = work.region.volumes.get(work.resource)
    if one is None:
        return work.refused(f"{work.resource} is not there any more: look for savings again")
    iops, throughput = work.fact("iops"), work.fact("throughput_mib_per_second")
    if isinstance(iops, str) or isinstance(throughput, str) or iops is None or throughput is None:
        return work.refused("its target names no operations and throughput")
    why = _cannot(one, str(work.fact("kind"))) or _outside(iops, throughput)
    if why:
        return work.refused(why)
    # Rounded up, but never above what gp3 has: nothing gets slower.
    patch: dict[str, Input] = {"type": GP3, "iops": _whole(iops), "throughput": _whole(throughput)}
    name = logical_name("volume", work.resource)
    return Made(
        edits=(Edit(name=name, live=one.resource, patch=patch),),
        notes=("a volume can be changed once in 6 hours: undo has to wait as long",),
    )


def _whole(value: float) -> int:
    return int(value) if value == int(value) else int(value) + 1


def _cannot(one: LiveVolume, wanted: str) -> str:
    if wanted != GP3:
        return f"its target kind {wanted!r} is not known here"
    if one.kind not in _REPLACED:
        return f"it is {one.kind} now: look for savings again"
    if one.multi_attach:
        return "several instances share it, which gp3 cannot do"
    if one.state not in {"in-use", "available"}:
        return f"it is {one.state}, not in use or available"
    return ""


def _outside(iops: float, throughput: float) -> str:
    if not GP3_LEAST_IOPS <= iops <= GP3_MOST_IOPS:
        return f"{iops:g} IOPS is outside of gp3's {GP3_LEAST_IOPS:g} to {GP3_MOST_IOPS:g}"
    if not GP3_LEAST_MIB_PER_SECOND <= throughput <= GP3_MOST_MIB_PER_SECOND:
        limits = f"{GP3_LEAST_MIB_PER_SECOND:g} to {GP3_MOST_MIB_PER_SECOND:g}"
        return f"{throughput:g} MiB/s is outside of gp3's {limits}"
    if throughput > MIB_PER_SECOND_PER_IOPS * iops:
        return f"{throughput:g} MiB/s needs {throughput / MIB_PER_SECOND_PER_IOPS:g} IOPS or more"
    return ""
