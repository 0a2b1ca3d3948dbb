"""Stack savings-us-east-1-8ed5a1d1 in us-east-1, phase undo.

Everything as it was before the change.
"""

import pulumi
import pulumi_aws as aws

# hs-a4fa1b806541: Change vol-0bbbbbbbbbbbbbbb1 from gp2 to gp3.
# | Saves 9.88 USD a month (7.90 to 9.88). Owner: nobody is named. Nothing restarts. The undo
# | program brings everything back.
volume_vol_0bbbbbbbbbbbbbbb1 = aws.ebs.Volume(
    "volume-vol-0bbbbbbbbbbbbbbb1",
    aws.ebs.VolumeArgs(
        availability_zone="us-east-1a",
        size=500,
        type="gp2",
        encrypted=False,
    ),
    opts=pulumi.ResourceOptions(
        import_="vol-0bbbbbbbbbbbbbbb1",
        protect=True,
        retain_on_delete=True,
    ),
)

# hs-6823db78d598: Scale search at a target of 60% processor use, with a forecast first.
# | Saves 90.00 USD a month (72.00 to 90.00). Owner: shop. Nothing restarts. The undo program brings
# | everything back.
group_search = aws.autoscaling.Group(
    "group-search",
    aws.autoscaling.GroupArgs(
        name="search",
        min_size=2,
        max_size=8,
        desired_capacity=4,
        vpc_zone_identifiers=["subnet-0123456789abcdef0"],
        launch_template=aws.autoscaling.GroupLaunchTemplateArgs(
            id="lt-0123456789abcdef1",
            version="3",
        ),
        tags=[aws.autoscaling.GroupTagArgs(key="owner", value="shop", propagate_at_launch=True)],
    ),
    opts=pulumi.ResourceOptions(
        import_="search",
        protect=True,
        retain_on_delete=True,
        ignore_changes=["desired_capacity"],
    ),
)

# hs-d23e280144a9: Stop i-0aaaaaaaaaaaaaaa2, which has done nothing for 28 days.
# | Saves 70.08 USD a month (56.06 to 70.08). Owner: mobile. Something restarts. The undo program
# | brings everything back.
instance_i_0aaaaaaaaaaaaaaa2 = aws.ec2.Instance(
    "instance-i-0aaaaaaaaaaaaaaa2",
    aws.ec2.InstanceArgs(
        ami="ami-0123456789abcdef0",
        instance_type="m5.xlarge",
        availability_zone="us-east-1a",
        subnet_id="subnet-0123456789abcdef0",
        vpc_security_group_ids=["sg-0123456789abcdef0"],
        tags={
            "Name": "web",
            "team": "mobile",
        },
    ),
    opts=pulumi.ResourceOptions(
        import_="i-0aaaaaaaaaaaaaaa2",
        protect=True,
        retain_on_delete=True,
    ),
)

# hs-652ef291596c: Run i-0aaaaaaaaaaaaaaa3 in its hours only.
# | Saves 90.10 USD a month (72.08 to 90.10). Owner: mobile. Something restarts. The undo program
# | brings everything back.
instance_i_0aaaaaaaaaaaaaaa3 = aws.ec2.Instance(
    "instance-i-0aaaaaaaaaaaaaaa3",
    aws.ec2.InstanceArgs(
        ami="ami-0123456789abcdef0",
        instance_type="m5.xlarge",
        availability_zone="us-east-1a",
        subnet_id="subnet-0123456789abcdef0",
        vpc_security_group_ids=["sg-0123456789abcdef0"],
        tags={
            "Name": "web",
            "team": "mobile",
        },
    ),
    opts=pulumi.ResourceOptions(
        import_="i-0aaaaaaaaaaaaaaa3",
        protect=True,
        retain_on_delete=True,
    ),
)

# hs-c14141b44ebb: Change i-0aaaaaaaaaaaaaaa1 from m5.xlarge to m5.large.
# | Saves 70.08 USD a month (56.06 to 70.08). Owner: mobile. Something restarts. The undo program
# | brings everything back.
instance_i_0aaaaaaaaaaaaaaa1 = aws.ec2.Instance(
    "instance-i-0aaaaaaaaaaaaaaa1",
    aws.ec2.InstanceArgs(
        ami="ami-0123456789abcdef0",
        instance_type="m5.xlarge",
        availability_zone="us-east-1a",
        subnet_id="subnet-0123456789abcdef0",
        vpc_security_group_ids=["sg-0123456789abcdef0"],
        tags={
            "Name": "web",
            "team": "mobile",
        },
    ),
    opts=pulumi.ResourceOptions(
        import_="i-0aaaaaaaaaaaaaaa1",
        protect=True,
        retain_on_delete=True,
    ),
)

# hs-889fa701097e: Change shop from m5.xlarge to m6i.xlarge.
# | Saves 70.08 USD a month (56.06 to 70.08). Owner: shop. Something restarts. The undo program
# | brings everything back.
template_lt_0123456789abcdef0 = aws.ec2.LaunchTemplate(
    "template-lt-0123456789abcdef0",
    aws.ec2.LaunchTemplateArgs(
        name="of-lt-0123456789abcdef0",
        image_id="ami-0123456789abcdef0",
        instance_type="m5.xlarge",
        user_data="IyEvYmluL3NoCg==",
    ),
    opts=pulumi.ResourceOptions(
        import_="lt-0123456789abcdef0",
        protect=True,
        retain_on_delete=True,
    ),
)

group_shop = aws.autoscaling.Group(
    "group-shop",
    aws.autoscaling.GroupArgs(
        name="shop",
        min_size=2,
        max_size=8,
        desired_capacity=4,
        vpc_zone_identifiers=["subnet-0123456789abcdef0"],
        launch_template=aws.autoscaling.GroupLaunchTemplateArgs(
            id="lt-0123456789abcdef0",
            version="3",
        ),
        tags=[aws.autoscaling.GroupTagArgs(key="owner", value="shop", propagate_at_launch=True)],
        instance_refresh=aws.autoscaling.GroupInstanceRefreshArgs(
            strategy="Rolling",
            preferences=aws.autoscaling.GroupInstanceRefreshPreferencesArgs(
                min_healthy_percentage=100,
                max_healthy_percentage=110,
            ),
        ),
    ),
    opts=pulumi.ResourceOptions(
        import_="shop",
        protect=True,
        retain_on_delete=True,
        depends_on=[template_lt_0123456789abcdef0],
        ignore_changes=["desired_capacity"],
    ),
)

# hs-da18d12a4c1e: Run 100% of i-0aaaaaaaaaaaaaaa4 on spot, spread over 3 pools.
# | Saves 78.66 USD a month (62.93 to 78.66). Owner: mobile. Something restarts. The undo program
# | brings everything back.
instance_i_0aaaaaaaaaaaaaaa4 = aws.ec2.Instance(
    "instance-i-0aaaaaaaaaaaaaaa4",
    aws.ec2.InstanceArgs(
        ami="ami-0123456789abcdef0",
        instance_type="m5.xlarge",
        availability_zone="us-east-1a",
        subnet_id="subnet-0123456789abcdef0",
        vpc_security_group_ids=["sg-0123456789abcdef0"],
        tags={
            "Name": "web",
            "team": "mobile",
        },
    ),
    opts=pulumi.ResourceOptions(
        import_="i-0aaaaaaaaaaaaaaa4",
        protect=True,
        retain_on_delete=True,
    ),
)

# hs-d23e280144a9: Stop i-0aaaaaaaaaaaaaaa2, which has done nothing for 28 days.
# | Saves 70.08 USD a month (56.06 to 70.08). Owner: mobile. Something restarts. The undo program
# | brings everything back.
instance_i_0aaaaaaaaaaaaaaa2_state = aws.ec2transitgateway.InstanceState(
    "instance-i-0aaaaaaaaaaaaaaa2-state",
    aws.ec2transitgateway.InstanceStateArgs(
        instance_id="i-0aaaaaaaaaaaaaaa2",
        state="running",
    ),
)

# hs-652ef291596c: Run i-0aaaaaaaaaaaaaaa3 in its hours only.
# | Saves 90.10 USD a month (72.08 to 90.10). Owner: mobile. Something restarts. The undo program
# | brings everything back.
instance_i_0aaaaaaaaaaaaaaa3_state = aws.ec2transitgateway.InstanceState(
    "instance-i-0aaaaaaaaaaaaaaa3-state",
    aws.ec2transitgateway.InstanceStateArgs(
        instance_id="i-0aaaaaaaaaaaaaaa3",
        state="running",
    ),
)

# hs-da18d12a4c1e: Run 100% of i-0aaaaaaaaaaaaaaa4 on spot, spread over 3 pools.
# | Saves 78.66 USD a month (62.93 to 78.66). Owner: mobile. Something restarts. The undo program
# | brings everything back.
instance_i_0aaaaaaaaaaaaaaa4_spot = aws.ec2.Instance(
    "instance-i-0aaaaaaaaaaaaaaa4-spot",
    aws.ec2.InstanceArgs(
        ami="ami-0123456789abcdef0",
        instance_type="m5.xlarge",
        availability_zone="us-east-1a",
        subnet_id="subnet-0123456789abcdef0",
        vpc_security_group_ids=["sg-0123456789abcdef0"],
        metadata_options=aws.ec2.InstanceMetadataOptionsArgs(
            http_endpoint="enabled",
            http_tokens="required",
        ),
        root_block_device=aws.ec2.InstanceRootBlockDeviceArgs(encrypted=True),
        instance_market_options=aws.ec2.InstanceInstanceMarketOptionsArgs(
            market_type="spot",
            spot_options=aws.ec2.InstanceInstanceMarketOptionsSpotOptionsArgs(
                spot_instance_type="persistent",
                instance_interruption_behavior="stop",
            ),
        ),
        tags={
            "Name": "web",
            "team": "mobile",
            "homeostat/change-id": "hs-da18d12a4c1e",
            "homeostat/resource": "instance-i-0aaaaaaaaaaaaaaa4-spot",
            "homeostat/owner": "mobile",
            "homeostat/reason": "spot saves 78.66 USD a month seen over 28 days to 2026-03-04",
            "homeostat/estimated-saving-usd-per-month": "78.66",
        },
    ),
    opts=pulumi.ResourceOptions(
        protect=True,
    ),
)

instance_i_0aaaaaaaaaaaaaaa4_state = aws.ec2transitgateway.InstanceState(
    "instance-i-0aaaaaaaaaaaaaaa4-state",
    aws.ec2transitgateway.InstanceStateArgs(
        instance_id="i-0aaaaaaaaaaaaaaa4",
        state="running",
    ),
)

instance_i_0aaaaaaaaaaaaaaa4_spot_state = aws.ec2transitgateway.InstanceState(
    "instance-i-0aaaaaaaaaaaaaaa4-spot-state",
    aws.ec2transitgateway.InstanceStateArgs(
        instance_id=instance_i_0aaaaaaaaaaaaaaa4_spot.id,
        state="stopped",
    ),
    opts=pulumi.ResourceOptions(
        depends_on=[instance_i_0aaaaaaaaaaaaaaa4_state],
    ),
)
