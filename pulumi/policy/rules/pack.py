"""Every rule, and what resources break of them."""

from collections.abc import Iterator, Sequence
from typing import Any

from . import exposure, identity, running, storage
from .planned import Planned, Rule, Violation
from .settings import Settings, settings_of

RULES = (
    Rule(
        name="encryption",
        description="Storage is created encrypted.",
        check=storage.encryption,
    ),
    Rule(
        name="stateful-kept",
        description="What holds state is neither deleted nor made anew.",
        check=storage.kept,
    ),
    Rule(
        name="stateful-protected",
        description="What holds state is protected.",
        check=storage.protected,
    ),
    Rule(
        name="ingress",
        description="Nothing is opened to everybody.",
        check=exposure.ingress,
    ),
    Rule(
        name="public-image",
        description="No image and no bucket is everybody's.",
        check=exposure.public_image,
    ),
    Rule(
        name="instance-metadata",
        description="Instance metadata needs a token (IMDSv2).",
        check=exposure.instance_metadata,
    ),
    Rule(
        name="function-role",
        description="A function has a role.",
        check=identity.function_role,
    ),
    Rule(
        name="policy-wildcard",
        description="Policies allow named actions to named principals.",
        check=identity.policy_wildcard,
    ),
    Rule(
        name="tags",
        description="What is created or changed says why, and by which change.",
        check=running.tags,
    ),
    Rule(
        name="regions",
        description="Resources stay in the allowed regions.",
        check=running.regions,
    ),
    Rule(
        name="instance-size",
        description="No instance grows beyond the largest size allowed.",
        check=running.instance_size,
    ),
    Rule(
        name="log-retention",
        description="Logs are kept for a time that ends.",
        check=running.log_retention,
    ),
    Rule(
        name="spot-allocation",
        description="Spot capacity is not chosen by price alone.",
        check=running.spot_allocation,
    ),
    Rule(
        name="function-logs",
        description="A function's log group is in the stack.",
        check_all=running.function_logs,
    ),
)


def read_settings(document: Any) -> Settings:
    """Return the settings of a parsed policy.yaml.

    Raises:
        SettingsError: With the setting, what was found and what it may be.
    """
    return settings_of(document, rules=[rule.name for rule in RULES])


def violations(every: Sequence[Planned], settings: Settings) -> Iterator[Violation]:
    """Yield what resources break, each by itself and all together."""
    for planned in every:
        for rule in RULES:
            yield from of_one(rule, planned, settings)
    for rule in RULES:
        yield from of_all(rule, every, settings)


def of_one(rule: Rule, planned: Planned, settings: Settings) -> Iterator[Violation]:
    """Yield what one resource breaks of one rule."""
    if rule.check is not None:
        for message, mandatory in rule.check(planned, settings):
            yield from _at_level(rule, planned.name, message, mandatory, settings)


def of_all(rule: Rule, every: Sequence[Planned], settings: Settings) -> Iterator[Violation]:
    """Yield what all resources break of one rule."""
    if rule.check_all is not None:
        for resource, message, mandatory in rule.check_all(every):
            yield from _at_level(rule, resource, message, mandatory, settings)


def _at_level(
    rule: Rule, resource: str, message: str, mandatory: bool, settings: Settings
) -> Iterator[Violation]:
    level = settings.levels.get(rule.name, "mandatory")
    if level != "off":
        yield Violation(
            rule=rule.name,
            resource=resource,
            message=message,
            mandatory=mandatory and level == "mandatory",
        )
