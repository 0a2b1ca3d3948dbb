"""Roles: aws:iam/role:Role and aws:iam/rolePolicy:RolePolicy."""

from __future__ import annotations

import json
from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.diffs import same_document
from deployments.embedded.pulumi_aws.kinds import NO_TAGS, Kind, Simple
from deployments.embedded.pulumi_aws.resources.shared import found_or_none
from deployments.embedded.pulumi_aws.resources.tags import given, tag_map, tag_pairs
from deployments.embedded.pulumi_aws.values import Properties

OPERATIONS = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
)
_GONE = "NoSuchEntity"


class Roles(Simple):
    """Carries out what is asked of roles."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Create a role."""
        cloud.client("iam").create_role(
            AssumeRolePolicyDocument=_document(new["assumeRolePolicy"]),
            RoleName=new["name"],
            Tags=tag_pairs(new.get("tags")),
            **given(
                Description=new.get("description"),
                MaxSessionDuration=new.get("maxSessionDuration"),
                Path=new.get("path"),
                PermissionsBoundary=new.get("permissionsBoundary"),
            ),
        )
        return str(new["name"])

    def settle(self, cloud: Cloud, identity: str, new: Properties) -> None:
        """Attach policies and put those that are written into it."""
        client = cloud.client("iam")
        for arn in new.get("managedPolicyArns") or ():
            client.attach_role_policy(RoleName=identity, PolicyArn=arn)
        for one in new.get("inlinePolicies") or ():
            client.put_role_policy(
                RoleName=identity, PolicyName=one["name"], PolicyDocument=one["policy"]
            )

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a role and what is attached to it."""
        del known
        client = cloud.client("iam")
        found = found_or_none(lambda: client.get_role(RoleName=identity), _GONE)
        if found is None:
            return None
        one = found["Role"]
        attached = client.list_attached_role_policies(RoleName=identity)["AttachedPolicies"]
        return {
            "arn": one["Arn"],
            "assumeRolePolicy": json.dumps(one["AssumeRolePolicyDocument"]),
            "createDate": one["CreateDate"].isoformat(),
            "description": one.get("Description", ""),
            "managedPolicyArns": [each["PolicyArn"] for each in attached],
            "maxSessionDuration": one.get("MaxSessionDuration") or 3600,
            "name": one["RoleName"],
            "path": one["Path"],
            "permissionsBoundary": one.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "tags": tag_map(one.get("Tags", ())),
            "uniqueId": one["RoleId"],
        }

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change who may take the role, how long, and what is attached."""
        client = cloud.client("iam")
        if "assumeRolePolicy" in changed:
            client.update_assume_role_policy(
                RoleName=identity, PolicyDocument=_document(new["assumeRolePolicy"])
            )
        if changed & {"description", "maxSessionDuration"}:
            client.update_role(
                RoleName=identity,
                Description=new.get("description", ""),
                MaxSessionDuration=new.get("maxSessionDuration", 3600),
            )
        if "managedPolicyArns" in changed:
            before, after = (set(each.get("managedPolicyArns") or ()) for each in (old, new))
            for arn in sorted(before - after):
                client.detach_role_policy(RoleName=identity, PolicyArn=arn)
            for arn in sorted(after - before):
                client.attach_role_policy(RoleName=identity, PolicyArn=arn)
        _retag(client, identity, old, new)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete a role; what the program attached goes first."""
        client = cloud.client("iam")
        for arn in old.get("managedPolicyArns") or ():
            found_or_none(_detached(client, identity, arn), _GONE)
        force = old.get("forceDetachPolicies") or old.get("inlinePolicies")
        if force and found_or_none(lambda: client.get_role(RoleName=identity), _GONE):
            for name in client.list_role_policies(RoleName=identity)["PolicyNames"]:
                client.delete_role_policy(RoleName=identity, PolicyName=name)
        found_or_none(lambda: client.delete_role(RoleName=identity), _GONE)


def _detached(client: Any, role: str, arn: str) -> Any:
    return lambda: client.detach_role_policy(RoleName=role, PolicyArn=arn)


def _retag(client: Any, role: str, old: Properties, new: Properties) -> None:
    before, after = old.get("tags") or {}, new.get("tags") or {}
    if gone := sorted(before.keys() - after.keys()):
        client.untag_role(RoleName=role, TagKeys=gone)
    if after and after != before:
        client.tag_role(RoleName=role, Tags=tag_pairs(after))


def _document(said: Any) -> str:
    return said if isinstance(said, str) else json.dumps(said)


class RolePolicies(Simple):
    """Carries out what is asked of the policies that are written into a role."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Put a policy."""
        _put(cloud, new)
        return f"{new['role']}:{new['name']}"

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a policy; its id is role:name."""
        role, _, name = identity.partition(":")
        client = cloud.client("iam")
        found = found_or_none(lambda: client.get_role_policy(RoleName=role, PolicyName=name), _GONE)
        if found is None:
            return None
        document = json.dumps(found["PolicyDocument"])
        said = known.get("policy")
        policy = said if said is not None and same_document(said, document) else document
        return {"name": name, "policy": policy, "role": role}

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Put a policy in the place of the one of its name."""
        del old, changed
        _put(cloud, {**new, "name": identity.partition(":")[2]})

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete a policy."""
        del old
        role, _, name = identity.partition(":")
        client = cloud.client("iam")
        found_or_none(lambda: client.delete_role_policy(RoleName=role, PolicyName=name), _GONE)


def _put(cloud: Cloud, new: Properties) -> None:
    cloud.client("iam").put_role_policy(
        RoleName=new["role"], PolicyName=new["name"], PolicyDocument=_document(new["policy"])
    )


ROLE = Kind(
    token="aws:iam/role:Role",  # noqa: S106 - a type's name
    module="iam",
    name="Role",
    actions=Roles(),
    # Terraform registry, aws_iam_role, "Argument Reference": name and path force a new role,
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role
    replaces=frozenset({"name", "namePrefix", "path"}),
    absent={
        **NO_TAGS,
        "description": "",
        "forceDetachPolicies": False,
        "maxSessionDuration": 3600,
        "path": "/",
        "permissionsBoundary": None,
    },
    unread=frozenset({"forceDetachPolicies", "inlinePolicies", "namePrefix"}),
    sets=frozenset({"managedPolicyArns"}),
    documents=frozenset({"assumeRolePolicy"}),
    named=True,
)

ROLE_POLICY = Kind(
    token="aws:iam/rolePolicy:RolePolicy",  # noqa: S106 - a type's name
    module="iam",
    name="RolePolicy",
    actions=RolePolicies(),
    # Terraform registry, aws_iam_role_policy, "Argument Reference": name and role force a new one,
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role_policy
    replaces=frozenset({"name", "namePrefix", "role"}),
    unread=frozenset({"namePrefix"}),
    documents=frozenset({"policy"}),
    named=True,
)
