"""Stack savings-account-96e8bf4b in us-east-1, phase adopt.

What exists comes under the stack as it is: nothing in the account changes.
"""

import pulumi
import pulumi_aws as aws
