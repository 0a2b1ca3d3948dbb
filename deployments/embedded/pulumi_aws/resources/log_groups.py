"""Log groups: aws:cloudwatch/logGroup:LogGroup."""

from __future__ import annotations

from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.kinds import NO_TAGS, Kind, Simple
from deployments.embedded.pulumi_aws.resources.shared import found_or_none
from deployments.embedded.pulumi_aws.resources.tags import given, tag_map
from deployments.embedded.pulumi_aws.values import Properties

OPERATIONS = (
    "logs:CreateLogGroup",
    "logs:DeleteLogGroup",
    "logs:DeleteRetentionPolicy",
    "logs:DescribeLogGroups",
    "logs:ListTagsForResource",
    "logs:PutRetentionPolicy",
    "logs:TagResource",
    "logs:UntagResource",
)
_GONE = "ResourceNotFoundException"


class LogGroups(Simple):
    """Carries out what is asked of log groups."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Create a log group."""
        arguments = given(
            kmsKeyId=new.get("kmsKeyId"),
            logGroupClass=new.get("logGroupClass"),
            tags=new.get("tags") or None,
        )
        cloud.client("logs").create_log_group(logGroupName=new["name"], **arguments)
        return str(new["name"])

    def settle(self, cloud: Cloud, identity: str, new: Properties) -> None:
        """Say how long logs are kept."""
        if new.get("retentionInDays"):
            cloud.client("logs").put_retention_policy(
                logGroupName=identity, retentionInDays=new["retentionInDays"]
            )

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a log group."""
        del known
        client = cloud.client("logs")
        found = client.describe_log_groups(logGroupNamePrefix=identity)["logGroups"]
        one = next((each for each in found if each["logGroupName"] == identity), None)
        if one is None:
            return None
        arn = one["arn"].removesuffix(":*")
        tags: dict[str, Any] = client.list_tags_for_resource(resourceArn=arn)["tags"]
        return {
            "arn": arn,
            "kmsKeyId": one.get("kmsKeyId", ""),
            "logGroupClass": one.get("logGroupClass") or "STANDARD",
            "name": identity,
            "region": cloud.region,
            "retentionInDays": one.get("retentionInDays", 0),
            "tags": tag_map(tags),
        }

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change how long logs are kept, and tags."""
        client = cloud.client("logs")
        if "retentionInDays" in changed and not new.get("retentionInDays"):
            client.delete_retention_policy(logGroupName=identity)
        elif "retentionInDays" in changed:
            self.settle(cloud, identity, new)
        before, after = old.get("tags") or {}, new.get("tags") or {}
        if gone := sorted(before.keys() - after.keys()):
            client.untag_resource(resourceArn=old["arn"], tagKeys=gone)
        if after and after != before:
            client.tag_resource(resourceArn=old["arn"], tags=after)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete a log group with its logs, unless the program wants it to stay."""
        client = cloud.client("logs")
        if not old.get("skipDestroy"):
            found_or_none(lambda: client.delete_log_group(logGroupName=identity), _GONE)


LOG_GROUP = Kind(
    token="aws:cloudwatch/logGroup:LogGroup",  # noqa: S106 - a type's name
    module="cloudwatch",
    name="LogGroup",
    actions=LogGroups(),
    # Terraform registry, aws_cloudwatch_log_group, "Argument Reference": name and class force a new
    # one, https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudwatch_log_group
    replaces=frozenset({"logGroupClass", "name", "namePrefix", "region"}),
    absent={**NO_TAGS, "kmsKeyId": "", "retentionInDays": 0, "skipDestroy": False},
    unread=frozenset({"deletionProtectionEnabled", "namePrefix", "skipDestroy"}),
    named=True,
)
