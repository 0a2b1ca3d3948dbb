"""Stack savings-account-96e8bf4b in us-east-1, phase undo.

Everything as it was before the change.
"""

import pulumi
import pulumi_aws as aws

# hs-30806c15aa39: Buy a Compute Savings Plan of 1.235 USD/h (1 year, no upfront).
# | Saves 299.30 USD a month (239.44 to 299.30). Owner: nobody is named. Nothing restarts. It is not
# | undone.
savings_plan_purchase = aws.savingsplans.SavingsPlan(
    "savings-plan-purchase",
    aws.savingsplans.SavingsPlanArgs(
        commitment="1.23456",
        purchase_time="2026-03-06T00:00:00Z",
        savings_plan_offering_id="0c7a4a5a-1111-4222-8333-c0ffee000001",
        tags={
            "homeostat/change-id": "hs-30806c15aa39",
            "homeostat/resource": "savings-plan-purchase",
            "homeostat/reason": (
                "commitment saves 299.30 USD a month seen over 28 days to 2026-03-04"
            ),
            "homeostat/estimated-saving-usd-per-month": "299.30",
        },
    ),
    opts=pulumi.ResourceOptions(
        protect=True,
        ignore_changes=["commitment", "purchase_time"],
    ),
)

# hs-36af334758b6: Reserve 3 caches of the offering 31798c62-ab1c-4c7f-8b5c-2f0d9b3a6c11 in
# | us-east-1.
# | Saves 46.72 USD a month (46.72 to 46.72). Owner: nobody is named. Nothing restarts. It is not
# | undone.
reserved_31798c62_ab1c_4c7f_8b5c_2f__2b377905bf_ = aws.elasticache.ReservedCacheNode(
    "reserved-31798c62-ab1c-4c7f-8b5c-2f0d9b3a6c11-caches",
    aws.elasticache.ReservedCacheNodeArgs(
        reserved_cache_nodes_offering_id="31798c62-ab1c-4c7f-8b5c-2f0d9b3a6c11",
        cache_node_count=3,
        elasticache_reserved_cache_node_id="hs-36af334758b6",
        tags={
            "homeostat/change-id": "hs-36af334758b6",
            "homeostat/resource": "reserved-31798c62-ab1c-4c7f-8b5c-2f0d9b3a6c11-caches",
            "homeostat/reason": "commitment saves 46.72 USD a month from prices of 2026-03-04",
            "homeostat/estimated-saving-usd-per-month": "46.72",
        },
    ),
    opts=pulumi.ResourceOptions(
        protect=True,
    ),
)

# hs-7d168d0d6192: Reserve 2 databases of the offering 438012d3-4052-4cc7-b2e3-8d3372e0e706 in
# | us-east-1.
# | Saves 87.60 USD a month (87.60 to 87.60). Owner: nobody is named. Nothing restarts. It is not
# | undone.
reserved_438012d3_4052_4cc7_b2e3_8d__3303afec65_ = aws.rds.ReservedInstance(
    "reserved-438012d3-4052-4cc7-b2e3-8d3372e0e706-databases",
    aws.rds.ReservedInstanceArgs(
        offering_id="438012d3-4052-4cc7-b2e3-8d3372e0e706",
        instance_count=2,
        reservation_id="homeostat-hs-7d168d0d6192-database",
        tags={
            "homeostat/change-id": "hs-7d168d0d6192",
            "homeostat/resource": "reserved-438012d3-4052-4cc7-b2e3-8d3372e0e706-databases",
            "homeostat/reason": "commitment saves 87.60 USD a month from prices of 2026-03-04",
            "homeostat/estimated-saving-usd-per-month": "87.60",
        },
    ),
    opts=pulumi.ResourceOptions(
        protect=True,
    ),
)
