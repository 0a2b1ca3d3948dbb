"""Which instances and volumes a request chooses, and which page of them it wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from deployments.embedded.aws.errors import AwsError, invalid_value
from deployments.embedded.aws.pages import page_of
from deployments.embedded.aws.spot_filters import matches, wildcard

T = TypeVar("T")
_PAGING = {"MaxResults", "NextToken"}
_TAG_FILTERS = {"tag-key": "Key", "tag-value": "Value"}


def tags_of(one: Any) -> list[dict[str, str]]:
    """Return the tags of one of moto's resources."""
    # Its own way walks through the tags of everything.
    tags = dict(one.ec2_backend.tags.get(one.id, {}))
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def product_of(one: Any) -> str:
    """Return what one of moto's instances is billed as, besides its type."""
    return "Windows" if one.platform == "windows" else "Linux/UNIX"


INSTANCE_FILTERS: dict[str, Callable[[Any], object]] = {
    "architecture": lambda one: one.architecture,
    "availability-zone": lambda one: one.availability_zone,
    "image-id": lambda one: one.image_id,
    "instance-id": lambda one: one.id,
    "instance-lifecycle": lambda one: one.lifecycle,
    "instance-state-code": lambda one: one.state_code,
    "instance-state-name": lambda one: one.state,
    "instance-type": lambda one: one.instance_type,
    "instance.group-id": lambda one: [group.id for group in one.security_groups],
    "instance.group-name": lambda one: [group.name for group in one.security_groups],
    "key-name": lambda one: one.key_name,
    "launch-time": lambda one: f"{one.launch_time:%Y-%m-%dT%H:%M:%S}.000Z",
    "network-interface.private-dns-name": lambda one: one.private_dns_name,
    "platform": lambda one: "windows" if product_of(one) == "Windows" else None,
    "platform-details": product_of,
    "private-dns-name": lambda one: one.private_dns_name,
    "private-ip-address": lambda one: one.private_ip,
    "subnet-id": lambda one: one.subnet_id,
    "tenancy": lambda one: one.placement.tenancy,
    "vpc-id": lambda one: one.vpc_id,
}

VOLUME_FILTERS: dict[str, Callable[[Any], object]] = {
    "attachment.instance-id": lambda one: one.attachment and one.attachment.instance.id,
    "availability-zone": lambda one: one.zone.name,
    "encrypted": lambda one: one.encrypted,
    "size": lambda one: one.size,
    "status": lambda one: one.status,
    "volume-id": lambda one: one.id,
    "volume-type": lambda one: one.volume_type,
}


def filtered(
    rows: list[T],
    parameters: Mapping[str, Any],
    *,
    known: Mapping[str, Callable[[Any], object]],
    resource: Callable[[T], Any],
) -> list[T]:
    """Return the rows that pass every filter of a request; * and ? are wildcards.

    Args:
        rows: All of them.
        parameters: Of the request.
        known: What each filter looks at; those of tags are known beside.
        resource: moto's object of a row.

    Raises:
        AwsError: EC2, or this, has no such filter.
    """
    for item in parameters.get("Filters", ()):
        name = item.get("Name", "")
        if not (name in known or name in _TAG_FILTERS or name.startswith("tag:")):
            raise AwsError(code="InvalidParameterValue", message=f"The filter '{name}' is invalid")
        patterns = [wildcard(value) for value in item.get("Values", ())]
        rows = [
            row
            for row in rows
            if any(matches(text, patterns) for text in _texts(name, resource(row), known))
        ]
    return rows


def _texts(name: str, one: Any, known: Mapping[str, Callable[[Any], object]]) -> list[str]:
    if name.startswith("tag:"):
        return [tag["Value"] for tag in tags_of(one) if tag["Key"] == name[4:]]
    if name in _TAG_FILTERS:
        return [tag[_TAG_FILTERS[name]] for tag in tags_of(one)]
    found = known[name](one)
    return [
        str(item).lower() if isinstance(item, bool) else str(item)
        for item in (found if isinstance(found, list) else [found])
        if item is not None
    ]


def only_named(
    rows: Sequence[T], wanted: Sequence[str], *, identity: Callable[[T], str], noun: str
) -> list[T]:
    """Return the rows with some ids.

    Raises:
        AwsError: There is none with one of them.
    """
    by_id = {identity(row): row for row in rows}
    missing = [one for one in wanted if one not in by_id]
    if missing:
        code = {"instance": "InvalidInstanceID.NotFound", "volume": "InvalidVolume.NotFound"}[noun]
        raise AwsError(code=code, message=f"The {noun} ID '{missing[0]}' does not exist")
    return [by_id[one] for one in dict.fromkeys(wanted)]


def paged(
    rows: Sequence[T], parameters: Mapping[str, Any], *, most: int
) -> tuple[Sequence[T], str | None]:
    """Return the page that a request wants and the token of the next; None after the last.

    Raises:
        AwsError: The page size is out of bounds, or the token is not of this query.
    """
    limit = parameters.get("MaxResults", most)
    if not 5 <= limit <= most:
        expected = f"Expecting a value between 5 and {most}."
        raise invalid_value(limit, parameter="MaxResults", expected=expected)
    query = {key: value for key, value in parameters.items() if key not in _PAGING}
    token = parameters.get("NextToken")
    return page_of(rows, query=query, token=token, limit=limit, code="InvalidParameterValue")
