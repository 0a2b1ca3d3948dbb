"""Launch templates: aws:ec2/launchTemplate:LaunchTemplate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.kinds import NO_TAGS, Kind, Simple
from deployments.embedded.pulumi_aws.resources.shared import (
    capitals,
    found_or_none,
    smalls,
    truth,
)
from deployments.embedded.pulumi_aws.resources.tags import (
    given,
    retag,
    tag_map,
    tag_pairs,
    tag_specifications,
)
from deployments.embedded.pulumi_aws.values import Properties

OPERATIONS = (
    "ec2:CreateLaunchTemplate",
    "ec2:CreateLaunchTemplateVersion",
    "ec2:CreateTags",
    "ec2:DeleteLaunchTemplate",
    "ec2:DeleteTags",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeLaunchTemplates",
    "ec2:ModifyLaunchTemplate",
)
_GONE = (
    "InvalidLaunchTemplateId.Malformed",
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateName.NotFoundException",
)
_RENAMED = {
    "vpcSecurityGroupIds": "SecurityGroupIds",
    "securityGroupNames": "SecurityGroups",
    "ebs": "Ebs",
}
# Of the template and not of a version of it.
_OUTSIDE = frozenset(
    {"arn", "defaultVersion", "description", "latestVersion", "name", "namePrefix", "region",
     "tags", "tagsAll", "updateDefaultVersion"}
)  # fmt: skip


class LaunchTemplates(Simple):
    """Carries out what is asked of launch templates."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Create a template with its first version."""
        made = cloud.client("ec2").create_launch_template(
            LaunchTemplateName=new["name"],
            LaunchTemplateData=_data(new),
            TagSpecifications=tag_specifications("launch-template", new.get("tags")),
            **given(VersionDescription=new.get("description")),
        )
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a template and its latest version."""
        del known
        client = cloud.client("ec2")
        found = found_or_none(
            lambda: client.describe_launch_templates(LaunchTemplateIds=[identity]), *_GONE
        )
        if not found or not found["LaunchTemplates"]:
            return None
        one = found["LaunchTemplates"][0]
        versions = client.describe_launch_template_versions(
            LaunchTemplateId=identity, Versions=["$Latest"]
        )
        latest = versions["LaunchTemplateVersions"][0]
        return {
            **_described(latest["LaunchTemplateData"]),
            "arn": f"arn:aws:ec2:{cloud.region}:{cloud.number}:launch-template/{identity}",
            "defaultVersion": one["DefaultVersionNumber"],
            "description": latest.get("VersionDescription") or "",
            "latestVersion": one["LatestVersionNumber"],
            "name": one["LaunchTemplateName"],
            "region": cloud.region,
            "tags": tag_map(one.get("Tags", ())),
        }

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Make a new version of a template; versions are never changed."""
        client = cloud.client("ec2")
        latest = old["latestVersion"]
        if changed - (_OUTSIDE - {"description"}):
            made = client.create_launch_template_version(
                LaunchTemplateId=identity,
                LaunchTemplateData=_data(new),
                **given(VersionDescription=new.get("description")),
            )
            latest = made["LaunchTemplateVersion"]["VersionNumber"]
        wanted = latest if new.get("updateDefaultVersion") else new.get("defaultVersion")
        if wanted is not None and wanted != old["defaultVersion"]:
            client.modify_launch_template(LaunchTemplateId=identity, DefaultVersion=str(wanted))
        retag(cloud, identity, old, new)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete a template with all its versions."""
        del old
        client = cloud.client("ec2")
        found_or_none(lambda: client.delete_launch_template(LaunchTemplateId=identity), *_GONE)


def _data(new: Properties) -> dict[str, Any]:
    data: dict[str, Any] = capitals(
        {key: value for key, value in new.items() if key not in _OUTSIDE}, _RENAMED
    )
    # Truths that the provider takes as text, because they may be left open.
    _convert(data, "EbsOptimized")
    for mapping in data.get("BlockDeviceMappings", ()):
        for name in ("DeleteOnTermination", "Encrypted"):
            _convert(mapping.get("Ebs", {}), name)
    for one in data.get("NetworkInterfaces", ()):
        for name in ("AssociatePublicIpAddress", "DeleteOnTermination"):
            _convert(one, name)
        if "SecurityGroups" in one:
            one["Groups"] = one.pop("SecurityGroups")
    for one, said in zip(
        data.get("TagSpecifications", ()), new.get("tagSpecifications") or (), strict=True
    ):
        one["Tags"] = tag_pairs(said.get("tags"))
    return data


def _convert(data: dict[str, Any], name: str) -> None:
    if name in data:
        data[name] = truth(data[name])


def _described(data: Mapping[str, Any]) -> Properties:
    found: Properties = smalls(data, _RENAMED)
    found["tagSpecifications"] = [
        {"resourceType": one["ResourceType"], "tags": tag_map(one.get("Tags", ()))}
        for one in data.get("TagSpecifications", ())
        # moto lists the template's own tags among those of what is launched from it.
        if one["ResourceType"] != "launch-template"
    ]
    for mapping in found.get("blockDeviceMappings", ()):
        for name in ("deleteOnTermination", "encrypted"):
            _write(mapping.get("ebs", {}), name)
    _write(found, "ebsOptimized")
    for one in found.get("networkInterfaces", ()):
        for name in ("associatePublicIpAddress", "deleteOnTermination"):
            _write(one, name)
        if "groups" in one:
            one["securityGroups"] = one.pop("groups")
    return found


def _write(found: dict[str, Any], name: str) -> None:
    if name in found:
        found[name] = "true" if found[name] else "false"


LAUNCH_TEMPLATE = Kind(
    token="aws:ec2/launchTemplate:LaunchTemplate",  # noqa: S106 - a type's name
    module="ec2",
    name="LaunchTemplate",
    actions=LaunchTemplates(),
    # Terraform registry, aws_launch_template, "Argument Reference": but for its name, everything is
    # changed by a new version, https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/launch_template
    replaces=frozenset({"name", "namePrefix", "region"}),
    absent={
        **NO_TAGS,
        "blockDeviceMappings": [],
        "description": "",
        "disableApiStop": False,
        "disableApiTermination": False,
        "ebsOptimized": "",
        "iamInstanceProfile": None,
        "imageId": "",
        "instanceInitiatedShutdownBehavior": "",
        "instanceMarketOptions": None,
        "instanceRequirements": None,
        "instanceType": "",
        "kernelId": "",
        "keyName": "",
        "monitoring": None,
        "networkInterfaces": [],
        "placement": None,
        "ramDiskId": "",
        "securityGroupNames": [],
        "tagSpecifications": [],
        "updateDefaultVersion": False,
        "userData": "",
        "vpcSecurityGroupIds": [],
    },
    unread=frozenset({"namePrefix", "updateDefaultVersion"}),
    sets=frozenset({"securityGroupNames", "vpcSecurityGroupIds"}),
    moves=frozenset({"defaultVersion", "latestVersion"}),
    named=True,
)
