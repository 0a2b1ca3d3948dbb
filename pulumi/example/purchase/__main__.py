"""Stack savings-account-dbb2ee92 in us-east-1, phase change.

The changes that were chosen, and what is new for them.
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
