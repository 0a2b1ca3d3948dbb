"""Nothing is opened to everybody."""

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .planned import (
    LAUNCH_TEMPLATE,
    UNKNOWN,
    Broken,
    Planned,
    Problems,
    brought,
    get,
    is_true,
    items,
)
from .settings import Settings
from .storage import WITH_DEVICES

EVERYBODY_PREFIX_BITS = 8
"""A public range this wide or wider is everybody's: 10.0.0.0/8 is as wide as a private one gets."""
WIDEST_RANGE_PORTS = 1000
"""More ports at once are not opened, whatever `open_ports` has."""


def ingress(planned: Planned, settings: Settings) -> Broken:
    """Break on a way in that is open to everybody."""
    reader = INGRESS.get(planned.token)
    return iter(()) if reader is None else brought(planned, lambda inputs: reader(inputs, settings))


def _group(inputs: Mapping[str, Any], settings: Settings) -> Problems:
    for rule in items(inputs.get("ingress")):
        ranges = [*items(get(rule, "cidrBlocks")), *items(get(rule, "ipv6CidrBlocks"))]
        yield from _open_ranges(ranges, rule, settings)


def _group_rule(inputs: Mapping[str, Any], settings: Settings) -> Problems:
    if inputs.get("type", "ingress") != "ingress":
        return
    ranges = [*items(inputs.get("cidrBlocks")), *items(inputs.get("ipv6CidrBlocks"))]
    yield from _open_ranges(
        [*ranges, inputs.get("cidrIpv4"), inputs.get("cidrIpv6")], inputs, settings
    )


def _open_ranges(ranges: Iterable[Any], rule: Any, settings: Settings) -> Problems:
    first, last = get(rule, "fromPort"), get(rule, "toPort")
    protocol = get(rule, "protocol") or get(rule, "ipProtocol")
    if protocol in ("tcp", "6") and _all_open(first, last, settings):
        return
    where = "every port" if protocol in ("-1", -1) else f"{protocol} {first} to {last}"
    for text in ranges:
        if text == UNKNOWN:
            yield f"{where}?", f"who may reach {where} is not known before the apply"
        elif text is not None and _is_everybody(str(text)):
            yield f"{text} {where}", f"{where} is open to everybody ({text}); name who needs it"


def _all_open(first: Any, last: Any, settings: Settings) -> bool:
    if not isinstance(first, (int, float)) or not isinstance(last, (int, float)):
        return False
    if not 0 <= first <= last < first + WIDEST_RANGE_PORTS:
        return False
    return set(range(int(first), int(last) + 1)) <= set(settings.open_ports)


def _is_everybody(text: str) -> bool:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    wide = network.prefixlen <= EVERYBODY_PREFIX_BITS
    return wide and not (network.prefixlen == EVERYBODY_PREFIX_BITS and network.is_private)


def _unauthorized(inputs: Mapping[str, Any], settings: Settings) -> Problems:
    kind = inputs.get("authorizationType") or inputs.get("authorization") or "NONE"
    if kind == UNKNOWN:
        yield "authorization?", "its authorization is not known before the apply"
    elif kind == "NONE" and not settings.public_routes:
        yield "authorization", "anybody may call it: its authorization is NONE; set AWS_IAM or JWT"


def _unauthorized_url(inputs: Mapping[str, Any], _: Settings) -> Problems:
    return _unauthorized(inputs, Settings())


def _permission(inputs: Mapping[str, Any], _: Settings) -> Problems:
    narrowed = any(inputs.get(key) for key in ("sourceArn", "sourceAccount", "principalOrgId"))
    if inputs.get("principal") == "*" and not narrowed:
        yield "principal", "everybody may invoke it; name a principal, or narrow it by sourceArn"


def _database(inputs: Mapping[str, Any], _: Settings) -> Problems:
    if inputs.get("publiclyAccessible") == UNKNOWN:
        yield "publiclyAccessible?", "publiclyAccessible is not known before the apply"
    elif is_true(inputs.get("publiclyAccessible")):
        yield "publiclyAccessible", "it is reachable from the internet; unset publiclyAccessible"


INGRESS: Mapping[str, Callable[[Mapping[str, Any], Settings], Problems]] = {
    "aws:ec2/securityGroup:SecurityGroup": _group,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _group,
    "aws:ec2/securityGroupRule:SecurityGroupRule": _group_rule,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _group_rule,
    "aws:lambda/functionUrl:FunctionUrl": _unauthorized_url,
    "aws:apigatewayv2/route:Route": _unauthorized,
    "aws:apigateway/method:Method": _unauthorized,
    "aws:lambda/permission:Permission": _permission,
    "aws:rds/instance:Instance": _database,
    "aws:rds/clusterInstance:ClusterInstance": _database,
}


def public_image(planned: Planned, _: Settings) -> Broken:
    """Break on an image, a snapshot or a bucket that is everybody's."""
    return brought(planned, lambda inputs: _public(planned.token, inputs))


def _public(token: str, inputs: Mapping[str, Any]) -> Problems:
    if token.endswith(":AmiLaunchPermission") and inputs.get("group") == "all":
        yield "group", "the image would be everybody's; name accounts, or an organization"
    if token.endswith(":BucketAcl") and str(inputs.get("acl")).startswith("public"):
        yield "acl", "the bucket would be everybody's; use private"


def instance_metadata(planned: Planned, _: Settings) -> Broken:
    """Break on instance metadata that answers without a token."""
    has = planned.token in WITH_DEVICES or planned.token == LAUNCH_TEMPLATE
    return brought(planned, _tokenless) if has else iter(())


def _tokenless(inputs: Mapping[str, Any]) -> Problems:
    tokens = get(inputs, "metadataOptions", "httpTokens")
    endpoint = get(inputs, "metadataOptions", "httpEndpoint")
    if UNKNOWN in (tokens, endpoint):
        yield "metadataOptions?", "metadataOptions is not known before the apply"
    elif tokens != "required" and endpoint != "disabled":
        yield (
            "metadataOptions",
            "instance metadata answers without a token; set metadataOptions.httpTokens to required",
        )
