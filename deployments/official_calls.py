"""What the official AWS provider is known to call of our resource types beside what the stand-in calls.

Not checked against a run of it: what is missing here it says itself, as a refusal.
"""

OFFICIAL_READS = (
    "autoscaling:DescribeInstanceRefreshes",
    "autoscaling:DescribeLifecycleHooks",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeWarmPool",
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceCreditSpecifications",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotInstanceRequests",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:DescribeVolumesModifications",
    "ec2:DescribeVpcs",
    "iam:GetInstanceProfile",
    "iam:ListInstanceProfilesForRole",
    "lambda:GetFunctionCodeSigningConfig",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:ListTags",
    "lambda:ListVersionsByFunction",
    "savingsplans:ListTagsForResource",
    "scheduler:ListTagsForResource",
    "sts:GetCallerIdentity",
)

OFFICIAL_WRITES = (
    "autoscaling:CancelInstanceRefresh",
    "ec2:CancelSpotInstanceRequests",
    "iam:CreateServiceLinkedRole",
)
"""A refresh that is under way gives way to another, a request for spot is cancelled, and in a new account
spot and auto scaling have no role of their own yet."""
