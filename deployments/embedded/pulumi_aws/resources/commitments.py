"""What is bought for a term: Savings Plans, and reservations of databases and caches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud, wait_for
from deployments.embedded.pulumi_aws.errors import StandInError
from deployments.embedded.pulumi_aws.kinds import NO_TAGS, Kind, Simple
from deployments.embedded.pulumi_aws.resources.shared import found_or_none, smalls
from deployments.embedded.pulumi_aws.resources.tags import given, tag_map, tag_pairs
from deployments.embedded.pulumi_aws.values import Properties

OPERATIONS = (
    "elasticache:AddTagsToResource",
    "elasticache:DescribeReservedCacheNodes",
    "elasticache:ListTagsForResource",
    "elasticache:PurchaseReservedCacheNodesOffering",
    "elasticache:RemoveTagsFromResource",
    "rds:AddTagsToResource",
    "rds:DescribeReservedDBInstances",
    "rds:ListTagsForResource",
    "rds:PurchaseReservedDBInstancesOffering",
    "rds:RemoveTagsFromResource",
    "savingsplans:CreateSavingsPlan",
    "savingsplans:DeleteQueuedSavingsPlan",
    "savingsplans:DescribeSavingsPlans",
    "savingsplans:TagResource",
    "savingsplans:UntagResource",
)
_HELD = ["payment-pending", "active", "queued", "retired", "pending-return", "payment-failed"]


class SavingsPlans(Simple):
    """Buys Savings Plans, and takes back those whose time has not come."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Buy a plan, or queue it for a later time, and wait until it counts as made.

        Raises:
            StandInError: It does not in time. It is bought all the same, and the engine is not told
                its id: the official provider keeps nothing either.
        """
        at = new.get("purchaseTime")
        made = cloud.client("savingsplans").create_savings_plan(
            savingsPlanOfferingId=new["savingsPlanOfferingId"],
            commitment=str(new["commitment"]),
            tags=new.get("tags") or {},
            **given(
                purchaseTime=None if at is None else datetime.fromisoformat(at),
                upfrontPaymentAmount=new.get("upfrontPaymentAmount"),
            ),
        )
        identity = str(made["savingsPlanId"])
        waits = cloud.account.plan_waits
        wait_for(
            lambda: (_plan(cloud, identity) or {}).get("state") in waits.made,
            what=f"Savings Plan {identity}, which is bought, to be {' or '.join(sorted(waits.made))}",
            longest_seconds=waits.seconds,
        )
        return identity

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a plan."""
        del known
        one = _plan(cloud, identity)
        if one is None:
            return None
        return given(
            arn=one["savingsPlanArn"],
            commitment=one["commitment"],
            currency=one["currency"],
            description=one.get("description"),
            ec2InstanceFamily=one.get("ec2InstanceFamily"),
            end=one["end"],
            offeringId=one["offeringId"],
            paymentOption=one["paymentOption"],
            productTypes=one["productTypes"],
            recurringPaymentAmount=one.get("recurringPaymentAmount"),
            region=one.get("region"),
            savingsPlanArn=one["savingsPlanArn"],
            savingsPlanId=identity,
            savingsPlanOfferingId=one["offeringId"],
            savingsPlanType=one["savingsPlanType"],
            start=one["start"],
            state=one["state"],
            tags=tag_map(one.get("tags", {})),
            termDurationInSeconds=one["termDurationInSeconds"],
            upfrontPaymentAmount=one.get("upfrontPaymentAmount"),
        )

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change tags: nothing else of a plan can be changed."""
        del identity, changed
        client, arn = cloud.client("savingsplans"), old["savingsPlanArn"]
        before, after = old.get("tags") or {}, new.get("tags") or {}
        if gone := sorted(before.keys() - after.keys()):
            client.untag_resource(resourceArn=arn, tagKeys=gone)
        if after:
            client.tag_resource(resourceArn=arn, tags=after)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Take back a plan that is queued.

        Raises:
            StandInError: It is active, and paid for until its term ends.
        """
        del old
        one = _plan(cloud, identity)
        if one is None or one["state"] == "retired":
            return
        if one["state"] != "queued":
            message = (
                f"Savings Plan {identity} is {one['state']} and is paid for until {one['end']}; "
                "only a queued one can be deleted. Take it out of the stack with "
                "retain_on_delete, or `pulumi state delete`."
            )
            raise StandInError(message)
        cloud.client("savingsplans").delete_queued_savings_plan(savingsPlanId=identity)


def _plan(cloud: Cloud, identity: str) -> dict[str, Any] | None:
    client = cloud.client("savingsplans")
    found = client.describe_savings_plans(savingsPlanIds=[identity], states=_HELD)
    return found["savingsPlans"][0] if found["savingsPlans"] else None


class DatabaseReservations(Simple):
    """Reserves database instances; a reservation cannot be taken back."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Buy a reservation."""
        made = cloud.client("rds").purchase_reserved_db_instances_offering(
            ReservedDBInstancesOfferingId=new["offeringId"],
            Tags=tag_pairs(new.get("tags")),
            **given(
                DBInstanceCount=new.get("instanceCount"),
                ReservedDBInstanceId=new.get("reservationId"),
            ),
        )
        return str(made["ReservedDBInstance"]["ReservedDBInstanceId"])

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a reservation."""
        del known
        client = cloud.client("rds")
        found = found_or_none(
            lambda: client.describe_reserved_db_instances(ReservedDBInstanceId=identity),
            "ReservedDBInstanceNotFound",
        )
        if not found or not found["ReservedDBInstances"]:
            return None
        one = found["ReservedDBInstances"][0]
        arn = one["ReservedDBInstanceArn"]
        tags = client.list_tags_for_resource(ResourceName=arn)["TagList"]
        return {
            **_reservation(one),
            "arn": arn,
            "currencyCode": one.get("CurrencyCode"),
            "dbInstanceClass": one["DBInstanceClass"],
            "instanceCount": one["DBInstanceCount"],
            "leaseId": one.get("LeaseId"),
            "multiAz": one["MultiAZ"],
            "offeringId": one["ReservedDBInstancesOfferingId"],
            "region": cloud.region,
            "reservationId": identity,
            "tags": tag_map(tags),
        }

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change tags."""
        del identity, changed
        _retag(cloud.client("rds"), old, new)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Leave it: AWS has no way to take a reservation back, and it ends by itself."""


class CacheReservations(Simple):
    """Reserves cache nodes; a reservation cannot be taken back."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Buy a reservation."""
        made = cloud.client("elasticache").purchase_reserved_cache_nodes_offering(
            ReservedCacheNodesOfferingId=new["reservedCacheNodesOfferingId"],
            Tags=tag_pairs(new.get("tags")),
            **given(
                CacheNodeCount=new.get("cacheNodeCount"),
                ReservedCacheNodeId=new.get("elasticacheReservedCacheNodeId"),
            ),
        )
        return str(made["ReservedCacheNode"]["ReservedCacheNodeId"])

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a reservation."""
        del known
        client = cloud.client("elasticache")
        found = found_or_none(
            lambda: client.describe_reserved_cache_nodes(ReservedCacheNodeId=identity),
            "ReservedCacheNodeNotFound",
        )
        if not found or not found["ReservedCacheNodes"]:
            return None
        one = found["ReservedCacheNodes"][0]
        arn = one["ReservationARN"]
        tags = client.list_tags_for_resource(ResourceName=arn)["TagList"]
        return {
            **_reservation(one),
            "arn": arn,
            "cacheNodeCount": one["CacheNodeCount"],
            "cacheNodeType": one["CacheNodeType"],
            "elasticacheReservedCacheNodeId": identity,
            "region": cloud.region,
            "reservedCacheNodesOfferingId": one["ReservedCacheNodesOfferingId"],
            "tags": tag_map(tags),
        }

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change tags."""
        del identity, changed
        _retag(cloud.client("elasticache"), old, new)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Leave it: AWS has no way to take a reservation back, and it ends by itself."""


def _reservation(one: Mapping[str, Any]) -> Properties:
    return {
        "duration": one["Duration"],
        "fixedPrice": one["FixedPrice"],
        "offeringType": one["OfferingType"],
        "productDescription": one["ProductDescription"],
        "recurringCharges": smalls(list(one.get("RecurringCharges", ()))),
        "startTime": one["StartTime"].isoformat(),
        "state": one["State"],
        "usagePrice": one["UsagePrice"],
    }


def _retag(client: Any, old: Properties, new: Properties) -> None:
    before, after = old.get("tags") or {}, new.get("tags") or {}
    if gone := sorted(before.keys() - after.keys()):
        client.remove_tags_from_resource(ResourceName=old["arn"], TagKeys=gone)
    if after:
        client.add_tags_to_resource(ResourceName=old["arn"], Tags=tag_pairs(after))


SAVINGS_PLAN = Kind(
    token="aws:savingsplans/savingsPlan:SavingsPlan",  # noqa: S106 - a type's name
    module="savingsplans",
    name="SavingsPlan",
    actions=SavingsPlans(),
    # Terraform registry, aws_savingsplans_savings_plan: only tags can be changed, and only a queued
    # one can be deleted, https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/savingsplans_savings_plan
    replaces=frozenset(
        {"commitment", "purchaseTime", "savingsPlanOfferingId", "upfrontPaymentAmount"}
    ),
    absent=NO_TAGS,
    unread=frozenset({"purchaseTime", "timeouts"}),
    # What the account writes otherwise: "1.5" comes back as "1.50000000".
    numbers=frozenset({"commitment", "upfrontPaymentAmount"}),
)

RESERVED_INSTANCE = Kind(
    token="aws:rds/reservedInstance:ReservedInstance",  # noqa: S106 - a type's name
    module="rds",
    name="ReservedInstance",
    actions=DatabaseReservations(),
    # Terraform registry, aws_rds_reserved_instance: reservations cannot be deleted; "destroying"
    # takes them out of the state. Each argument but tags makes a new one.
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/rds_reserved_instance
    replaces=frozenset({"instanceCount", "offeringId", "region", "reservationId"}),
    absent={**NO_TAGS, "instanceCount": 1},
)

RESERVED_CACHE_NODE = Kind(
    token="aws:elasticache/reservedCacheNode:ReservedCacheNode",  # noqa: S106 - a type's name
    module="elasticache",
    name="ReservedCacheNode",
    actions=CacheReservations(),
    # Terraform registry, aws_elasticache_reserved_cache_node, as above,
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/elasticache_reserved_cache_node
    replaces=frozenset(
        {"cacheNodeCount", "elasticacheReservedCacheNodeId", "region",
         "reservedCacheNodesOfferingId"}
    ),
    absent={**NO_TAGS, "cacheNodeCount": 1},
    unread=frozenset({"timeouts"}),
)  # fmt: skip
