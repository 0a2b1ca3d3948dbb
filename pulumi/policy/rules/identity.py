"""Functions have a role, and roles are allowed named actions only."""

import fnmatch
import json
import re
from collections.abc import Mapping
from typing import Any

from .planned import FUNCTION, UNKNOWN, Broken, Planned, Problems, brought, get, items
from .settings import Settings

POLICY_INPUTS = ("policy", "assumeRolePolicy")
BROAD_POLICIES = ("*/AdministratorAccess", "*/PowerUserAccess", "*FullAccess")


def function_role(planned: Planned, _: Settings) -> Broken:
    """Break on a function without a role."""
    return brought(planned, _roleless) if planned.token == FUNCTION else iter(())


def _roleless(inputs: Mapping[str, Any]) -> Problems:
    if not inputs.get("role"):
        yield "role", "the function has no role; give it one of its own"


def policy_wildcard(planned: Planned, _: Settings) -> Broken:
    """Break on a policy that allows more than named actions to named principals."""
    return brought(planned, _broad) if planned.token.startswith("aws:iam/") else iter(())


def _broad(inputs: Mapping[str, Any]) -> Problems:
    for name in POLICY_INPUTS:
        yield from _broad_policy(name, inputs.get(name))
    for one in items(inputs.get("inlinePolicies")):
        yield from _broad_policy("inlinePolicies", get(one, "policy"))
    for arn in [inputs.get("policyArn"), *items(inputs.get("managedPolicyArns"))]:
        if any(fnmatch.fnmatchcase(str(arn), broad) for broad in BROAD_POLICIES):
            yield (
                f"policyArn {arn}",
                f"{arn} allows more than is needed; write a policy of named actions",
            )


def _broad_policy(name: str, policy: Any) -> Problems:
    if policy is None:
        return
    try:
        document = policy if isinstance(policy, Mapping) else json.loads(policy)
    except (TypeError, ValueError, RecursionError):
        yield (
            f"{name}?",
            f"{name} is not known before the apply; it must not hold a wildcard action",
        )
        return
    for one in as_list(get(document, "Statement")):
        if get(one, "Effect") == "Allow":
            yield from _broad_statement(name, one)


def _broad_statement(name: str, statement: Any) -> Problems:
    for other in ("NotAction", "NotPrincipal"):
        if get(statement, other) is not None:
            yield f"{name} {other}", f"{name} allows all but some ({other}); name what is needed"
    for action in as_list(get(statement, "Action")):
        if action != UNKNOWN and re.search(r"[*?]", str(action)):
            yield f"{name} {action}", f"{name} allows {action}; name each action that is needed"
    principal = get(statement, "Principal")
    everybody = principal == "*" or "*" in as_list(get(principal, "AWS"))
    if everybody and not get(statement, "Condition"):
        yield f"{name} Principal", f"{name} lets everybody in; name the principal"


def as_list(value: Any) -> list[Any]:
    """Return a policy's one or many as many."""
    return [] if value is None else items(value) or [value]
