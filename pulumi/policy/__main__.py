"""The rules as a policy pack of the engine: `pulumi preview --policy-pack pulumi/policy`.

The engine does not tell a pack what it is about to do, so what is protected counts as there
before: everything that is adopted is. Each rule is two policies: one that stops an update, and
one, named with "-advice", that does not.
"""

import sys
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
    proxy,
)

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from rules import pack  # noqa: E402
from rules.planned import UNKNOWN, Planned, Rule  # noqa: E402

SETTINGS = pack.read_settings(yaml.safe_load((HERE / "policy.yaml").read_text(encoding="utf-8")))
UNKNOWNS = frozenset(
    value
    for name, value in vars(proxy).items()
    if name.startswith("UNKNOWN_") and name.endswith("_VALUE")
)


def plain(value: Any) -> Any:
    """Return what the SDK hands over without its guards; what is not known becomes UNKNOWN."""
    if type(value).__name__ in ("_DictProxy", "_ListProxy"):
        return plain(value["__target"])
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return UNKNOWN if isinstance(value, str) and value in UNKNOWNS else value


def planned(one: ResourceValidationArgs | PolicyResource) -> Planned:
    """Return a resource as the rules know it."""
    return Planned(
        name=one.name,
        token=one.resource_type,
        operation=None,
        inputs=plain(one.props),
        region=region_of(one),
        protected=one.opts.protect,
    )


def region_of(one: ResourceValidationArgs | PolicyResource) -> str:
    """Return the region of a resource's provider; empty where it is not known."""
    told = plain(one.provider.props).get("region") if one.provider is not None else None
    found = told or pulumi.Config("aws").get("region")
    return found if isinstance(found, str) and found != UNKNOWN else ""


def policy(rule: Rule, *, mandatory: bool) -> Policy:
    """Return one of a rule's two policies."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for found in pack.of_one(rule, planned(args), SETTINGS):
            if found.mandatory is mandatory:
                report(found.message, None)

    def validate_all(args: StackValidationArgs, report: ReportViolation) -> None:
        urns = {one.name: one.urn for one in args.resources}
        for found in pack.of_all(rule, [planned(one) for one in args.resources], SETTINGS):
            if found.mandatory is mandatory:
                report(found.message, urns.get(found.resource))

    name = rule.name if mandatory else f"{rule.name}-advice"
    level = EnforcementLevel.MANDATORY if mandatory else EnforcementLevel.ADVISORY
    if rule.check is None:
        return StackValidationPolicy(name, rule.description, validate_all, level)
    return ResourceValidationPolicy(name, rule.description, validate, level)


if __name__ == "__main__":
    PolicyPack(
        name="homeostat",
        policies=[policy(rule, mandatory=one) for rule in pack.RULES for one in (True, False)],
    )
