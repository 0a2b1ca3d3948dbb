"""What runs where, how large, how long its logs are kept, and whose it is."""

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .planned import (
    FUNCTION,
    GROUP,
    INSTANCE,
    LAUNCH_TEMPLATE,
    LOG_GROUP,
    UNKNOWN,
    Broken,
    Planned,
    Problems,
    brought,
    get,
    items,
)
from .settings import Settings
from .storage import PURCHASES

TAGGED = PURCHASES | {
    INSTANCE,
    LAUNCH_TEMPLATE,
    GROUP,
    FUNCTION,
    LOG_GROUP,
    "aws:ebs/volume:Volume",
    "aws:ebs/snapshot:Snapshot",
    "aws:rds/instance:Instance",
    "aws:iam/role:Role",
    "aws:apigatewayv2/api:Api",
    "aws:apigatewayv2/stage:Stage",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:s3/bucket:Bucket",
}


def tags(planned: Planned, settings: Settings) -> Broken:
    """Break on what is created or changed without saying why; the adopted keeps what it has."""
    # Not told what is done to what was there: it may be an adoption, which changes no tag.
    untold = planned.operation is None and planned.protected
    acted_on = planned.new or planned.changed
    if planned.token not in TAGGED or planned.undo or not (acted_on or untold):
        return
    found = get(planned.inputs, "tags")
    wanted = ", ".join(settings.required_tags)
    if found == UNKNOWN:
        yield f"its tags are not known before the apply; {wanted} are needed", False
        return
    held = {key for key, value in _pairs(found) if value not in (None, "")}
    if missing := [tag for tag in settings.required_tags if tag not in held]:
        yield f"tags missing or empty: {', '.join(missing)}; add them", acted_on


def _pairs(found: Any) -> Iterable[tuple[str, Any]]:
    """Return tags by name; a group has them as a list."""
    if isinstance(found, Mapping):
        return [(str(key), value) for key, value in found.items()]
    return [(str(get(one, "key")), get(one, "value")) for one in items(found)]


def regions(planned: Planned, settings: Settings) -> Broken:
    """Break on a region that is not allowed."""
    if planned.inputs is None or not settings.regions:
        return
    region = planned.inputs.get("region") or planned.region
    if region and region != UNKNOWN and region not in settings.regions:
        allowed = ", ".join(settings.regions)
        yield (
            f"region {region} is not allowed; allowed are {allowed}",
            planned.new or planned.changed,
        )


SIZES_VCPUS = {"nano": 2, "micro": 2, "small": 2, "medium": 2, "large": 2, "xlarge": 4}
TYPE = re.compile(r"(?:db\.|cache\.)?[a-z][a-z0-9-]*\.(?P<size>[a-z0-9-]+)")
MANY = re.compile(r"(?P<count>\d{1,3})xlarge|metal-(?P<metal>\d{1,3})xl")


def vcpus(instance_type: str) -> int | None:
    """Return the most vCPUs that types of this size have; None for a size that does not say."""
    found = TYPE.fullmatch(instance_type)
    if found is None:
        return None
    many = MANY.fullmatch(found["size"])
    if many is None:
        return SIZES_VCPUS.get(found["size"])
    return 4 * int(many["count"] or many["metal"])


def instance_size(planned: Planned, settings: Settings) -> Broken:
    """Break on a type that is larger than allowed; a smaller one than before is always allowed."""
    before = dict.fromkeys(_types(planned.before or {}))
    largest_before = max((vcpus(one) or 0 for one in before), default=None)
    for kind in dict.fromkeys(_types(planned.inputs or {})):
        size = vcpus(kind)
        within = size is not None and size <= settings.largest_vcpus
        if within or any(fnmatch.fnmatchcase(kind, one) for one in settings.allowed_types):
            continue
        grows = size is None or largest_before is None or size > largest_before
        has = "of a size that is not known" if size is None else f"with up to {size} vCPUs"
        yield (
            f"{kind} is a type {has}; allowed are {settings.largest_vcpus}: choose a smaller one, or "
            "add it to allowed_types",
            kind != UNKNOWN and (planned.new or (planned.changed and grows and kind not in before)),
        )


def _types(inputs: Mapping[str, Any]) -> Iterator[str]:
    overrides = items(get(inputs, "mixedInstancesPolicy", "launchTemplate", "overrides"))
    for place in [inputs, *overrides, *items(inputs.get("launchSpecifications"))]:
        for name in ("instanceType", "instanceClass", "nodeType"):
            if isinstance(value := get(place, name), str):
                yield value


def log_retention(planned: Planned, settings: Settings) -> Broken:
    """Break on logs that are kept for ever, or for too long."""
    most = settings.longest_retention_days

    def problems(inputs: Mapping[str, Any]) -> Problems:
        days = inputs.get("retentionInDays")
        if days == UNKNOWN:
            yield "retentionInDays?", "retentionInDays is not known before the apply"
        elif not isinstance(days, (int, float)) or not 1 <= days <= most:
            kept = f"{days:.0f} days" if isinstance(days, (int, float)) and days else "for ever"
            yield "retentionInDays", f"logs are kept {kept}; set retentionInDays to 1 to {most}"

    return brought(planned, problems) if planned.token == LOG_GROUP else iter(())


BY_PRICE_ALONE = ("lowest-price", "lowestPrice")


def spot_allocation(planned: Planned, _: Settings) -> Broken:
    """Break on spot capacity that is chosen by price alone."""

    def problems(inputs: Mapping[str, Any]) -> Problems:
        for path, strategy in _strategies(planned.token, inputs):
            if strategy == UNKNOWN:
                yield f"{path}?", f"{path} is not known before the apply"
            elif strategy is None or strategy in BY_PRICE_ALONE:
                found = strategy or "not set, which means lowest-price"
                yield path, f"{path} is {found}; set price-capacity-optimized"

    return brought(planned, problems)


def _strategies(token: str, inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if token == GROUP:
        spread = get(inputs, "mixedInstancesPolicy", "instancesDistribution")
        share = get(spread, "onDemandPercentageAboveBaseCapacity")
        # Where it is left out, all of the group is on demand.
        if share not in (None, 100):
            yield "spotAllocationStrategy", get(spread, "spotAllocationStrategy")
    elif token.endswith(":SpotFleetRequest"):
        yield "allocationStrategy", inputs.get("allocationStrategy")
    elif token.endswith(":Fleet") and inputs.get("spotOptions") is not None:
        yield "spotOptions.allocationStrategy", get(inputs, "spotOptions", "allocationStrategy")


def function_logs(every: Sequence[Planned]) -> Iterator[tuple[str, str, bool]]:
    """Break on a new function for which AWS would make a log group that keeps everything."""
    groups = [one for one in every if one.token == LOG_GROUP]
    names = [get(one.inputs, "name") for one in groups]
    for one in every:
        if one.token != FUNCTION or one.inputs is None or not one.new:
            continue
        own = f"/aws/lambda/{one.inputs.get('name')}"
        chosen = get(one.inputs, "loggingConfig", "logGroup")
        if chosen is None and own not in names and UNKNOWN not in names:
            yield (
                one.name,
                f"log group {own} is not in the stack: AWS would make one that keeps logs for ever",
                False,
            )
