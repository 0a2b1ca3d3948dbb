"""Functions: aws:lambda/function:Function and aws:lambda/permission:Permission."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.errors import StandInError
from deployments.embedded.pulumi_aws.kinds import NO_TAGS, Kind, Simple
from deployments.embedded.pulumi_aws.resources.shared import capitals, found_or_none, smalls
from deployments.embedded.pulumi_aws.resources.tags import given, tag_map
from deployments.embedded.pulumi_aws.values import ASSET, MARK, Properties, zip_of

OPERATIONS = (
    "iam:PassRole",
    "lambda:AddPermission",
    "lambda:CreateFunction",
    "lambda:DeleteFunction",
    "lambda:DeleteFunctionConcurrency",
    "lambda:GetFunction",
    "lambda:GetPolicy",
    "lambda:PutFunctionConcurrency",
    "lambda:RemovePermission",
    "lambda:TagResource",
    "lambda:UntagResource",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
)
_GONE = "ResourceNotFoundException"
_CODE = frozenset({"architectures", "code", "imageUri", "s3Bucket", "s3Key", "s3ObjectVersion",
                   "sourceCodeHash"})  # fmt: skip
_CONFIGURED = ("description", "environment", "ephemeralStorage", "handler", "kmsKeyArn", "layers",
               "loggingConfig", "memorySize", "role", "runtime", "snapStart", "timeout",
               "tracingConfig", "vpcConfig")  # fmt: skip
_RENAMED = {"kmsKeyArn": "KMSKeyArn", "variables": "Variables"}


class Functions(Simple):
    """Carries out what is asked of functions."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Create a function with its code."""
        cloud.client("lambda").create_function(
            Code=_code(new),
            FunctionName=new["name"],
            Tags=new.get("tags") or {},
            **_configuration(new),
            **given(
                Architectures=new.get("architectures"),
                PackageType=new.get("packageType"),
                Publish=new.get("publish"),
            ),
        )
        return str(new["name"])

    def settle(self, cloud: Cloud, identity: str, new: Properties) -> None:
        """Limit how many run at once."""
        limit = new.get("reservedConcurrentExecutions", -1)
        if limit != -1:
            cloud.client("lambda").put_function_concurrency(
                FunctionName=identity, ReservedConcurrentExecutions=limit
            )

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a function."""
        del known
        client = cloud.client("lambda")
        found = found_or_none(lambda: client.get_function(FunctionName=identity), _GONE)
        if found is None:
            return None
        limit = found.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1)
        return {
            **_described(cloud, found["Configuration"]),
            "reservedConcurrentExecutions": limit,
            "tags": tag_map(found.get("Tags", {})),
        }

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change configuration, code, limit and tags in place."""
        client = cloud.client("lambda")
        if changed & set(_CONFIGURED):
            client.update_function_configuration(
                FunctionName=identity, **_configuration(new, removed=changed - new.keys())
            )
        if changed & _CODE:
            client.update_function_code(
                FunctionName=identity,
                **_code(new),
                **given(Architectures=new.get("architectures")),
            )
        if "reservedConcurrentExecutions" in changed:
            if new.get("reservedConcurrentExecutions", -1) == -1:
                client.delete_function_concurrency(FunctionName=identity)
            else:
                self.settle(cloud, identity, new)
        before, after = old.get("tags") or {}, new.get("tags") or {}
        if gone := sorted(before.keys() - after.keys()):
            client.untag_resource(Resource=old["arn"], TagKeys=gone)
        if after and after != before:
            client.tag_resource(Resource=old["arn"], Tags=after)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete a function, unless the program wants it to stay."""
        client = cloud.client("lambda")
        if not old.get("skipDestroy"):
            found_or_none(lambda: client.delete_function(FunctionName=identity), _GONE)


def _configuration(new: Properties, *, removed: set[str] = frozenset()) -> dict[str, Any]:  # type: ignore[assignment]
    said = {name: new[name] for name in _CONFIGURED if name in new}
    found: dict[str, Any] = {
        _RENAMED.get(name, f"{name[0].upper()}{name[1:]}"): capitals(value)
        for name, value in said.items()
    }
    if "environment" in said:
        # Names of variables are the program's own.
        found["Environment"] = {"Variables": dict(said["environment"].get("variables") or {})}
    if "environment" in removed:
        found["Environment"] = {"Variables": {}}
    if "description" in removed:
        found["Description"] = ""
    return found


def _code(new: Properties) -> dict[str, Any]:
    if "code" in new:
        return {"ZipFile": _zip(new["code"])}
    if "s3Bucket" in new:
        return given(
            S3Bucket=new["s3Bucket"],
            S3Key=new.get("s3Key"),
            S3ObjectVersion=new.get("s3ObjectVersion"),
        )
    if "imageUri" in new:
        return {"ImageUri": new["imageUri"]}
    message = "a function needs code, s3Bucket with s3Key, or imageUri"
    raise StandInError(message)


def _zip(code: Mapping[str, Any]) -> bytes:
    if code.get(MARK) == ASSET:
        return Path(code["path"]).read_bytes()
    return zip_of(code)


def _described(cloud: Cloud, one: Mapping[str, Any]) -> Properties:
    arn = one["FunctionArn"]
    variables = one.get("Environment", {}).get("Variables")
    invoke = f"arn:aws:apigateway:{cloud.region}:lambda:path/2015-03-31/functions"
    return {
        "architectures": one.get("Architectures") or ["x86_64"],
        "arn": arn,
        "codeSha256": one["CodeSha256"],
        "description": one.get("Description", ""),
        "environment": {"variables": variables} if variables else None,
        "ephemeralStorage": smalls(one.get("EphemeralStorage")),
        "handler": one.get("Handler", ""),
        "invokeArn": f"{invoke}/{arn}/invocations",
        "lastModified": one["LastModified"],
        "layers": [each["Arn"] for each in one.get("Layers", ())],
        "memorySize": one["MemorySize"],
        "name": one["FunctionName"],
        "packageType": one.get("PackageType", "Zip"),
        "qualifiedArn": f"{arn}:{one['Version']}",
        "qualifiedInvokeArn": f"{invoke}/{arn}:{one['Version']}/invocations",
        "region": cloud.region,
        "role": one["Role"],
        "runtime": one.get("Runtime", ""),
        "sourceCodeSize": one["CodeSize"],
        "timeout": one["Timeout"],
        "tracingConfig": smalls(one.get("TracingConfig")),
        "version": one["Version"],
    }


class Permissions(Simple):
    """Carries out what is asked of who may call a function."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Add a statement to a function's policy."""
        prefix = new.get("statementIdPrefix", "pulumi-")
        statement = new.get("statementId") or f"{prefix}{uuid.uuid4().hex[:12]}"
        cloud.client("lambda").add_permission(
            Action=new["action"],
            FunctionName=new["function"],
            Principal=new["principal"],
            StatementId=statement,
            **given(
                EventSourceToken=new.get("eventSourceToken"),
                FunctionUrlAuthType=new.get("functionUrlAuthType"),
                PrincipalOrgID=new.get("principalOrgId"),
                Qualifier=new.get("qualifier"),
                SourceAccount=new.get("sourceAccount"),
                SourceArn=new.get("sourceArn"),
            ),
        )
        return str(statement)

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a statement; an import names it as function/statement."""
        function, name = known.get("function"), identity
        if function is None:
            function, _, name = identity.rpartition("/")
        statement = _statement(cloud, str(function), name)
        if statement is None:
            return None
        condition = statement.get("Condition", {})
        principal = statement["Principal"]
        return given(
            id=name,
            action=statement["Action"],
            function=function,
            principal=principal.get("Service") or principal.get("AWS")
            if isinstance(principal, Mapping)
            else principal,
            region=cloud.region,
            sourceAccount=condition.get("StringEquals", {}).get("AWS:SourceAccount"),
            sourceArn=condition.get("ArnLike", {}).get("AWS:SourceArn"),
            statementId=name,
        )

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Do nothing: every change makes a new one."""

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Take the statement out of the function's policy."""
        client = cloud.client("lambda")
        found_or_none(
            lambda: client.remove_permission(FunctionName=old["function"], StatementId=identity),
            _GONE,
        )


def _statement(cloud: Cloud, function: str, name: str) -> dict[str, Any] | None:
    client = cloud.client("lambda")
    found = found_or_none(lambda: client.get_policy(FunctionName=function), _GONE)
    statements = json.loads(found["Policy"])["Statement"] if found else []
    return next((each for each in statements if each["Sid"] == name), None)


FUNCTION = Kind(
    token="aws:lambda/function:Function",  # noqa: S106 - a type's name
    module="lambda_",
    name="Function",
    actions=Functions(),
    # Terraform registry, aws_lambda_function, "Argument Reference": its name and the type of its
    # package force a new one, https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_function
    replaces=frozenset({"name", "packageType", "region"}),
    absent={
        **NO_TAGS,
        "description": "",
        "environment": None,
        "layers": [],
        "memorySize": 128,
        "packageType": "Zip",
        "publish": False,
        "reservedConcurrentExecutions": -1,
        "skipDestroy": False,
        "timeout": 3,
    },
    unread=frozenset(
        {"capacityProviderConfig", "code", "codeSigningConfigArn", "deadLetterConfig",
         "durableConfig", "fileSystemConfig", "imageConfig", "imageUri", "kmsKeyArn",
         "loggingConfig", "publish", "publishTo", "replaceSecurityGroupsOnDestroy",
         "replacementSecurityGroupIds", "s3Bucket", "s3Key", "s3ObjectVersion", "skipDestroy",
         "snapStart", "sourceCodeHash", "sourceKmsKeyArn", "tenancyConfig",
         "useResourceTimeoutForPropagation", "vpcConfig"}
    ),
    moves=frozenset({"codeSha256", "lastModified", "sourceCodeSize"}),
    named=True,
)  # fmt: skip

PERMISSION = Kind(
    token="aws:lambda/permission:Permission",  # noqa: S106 - a type's name
    module="lambda_",
    name="Permission",
    actions=Permissions(),
    # Terraform registry, aws_lambda_permission: every argument forces a new one,
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_permission
    replaces=frozenset(
        {"action", "eventSourceToken", "function", "functionUrlAuthType",
         "invokedViaFunctionUrl", "principal", "principalOrgId", "qualifier", "region",
         "sourceAccount", "sourceArn", "statementId", "statementIdPrefix"}
    ),
    absent={"sourceAccount": None, "sourceArn": None},
    unread=frozenset(
        {"eventSourceToken", "functionUrlAuthType", "invokedViaFunctionUrl", "principalOrgId",
         "qualifier", "statementIdPrefix"}
    ),
)  # fmt: skip
