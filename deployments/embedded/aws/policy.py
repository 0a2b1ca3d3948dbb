"""What the credentials of Homeostat may do: the IAM policy it asks users to attach."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import translate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from deployments.embedded.aws.calls import Call, Protocol
from deployments.embedded.aws.errors import AwsError, InvalidFileError

POLICY_FILE = Path(__file__).parents[2] / "aws" / "policy.json"
APPLY_POLICY_FILE = POLICY_FILE.with_name("apply-policy.json")
ACCOUNT = "123456789012"
USER = f"arn:aws:iam::{ACCOUNT}:user/homeostat"
SEEDING_KEY = "seed"
"""Access key that the policy does not bind: tests and tools put instances and metrics in with it."""
APPLYING_KEY = "homeostat-apply"
"""Access key that may change what stacks change: bound by the policy for that and by the other."""

# IAM's action for an S3 operation, where it is not the operation itself.
_S3_ACTIONS = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "UploadPart": "PutObject",
}
# API Gateway's actions are methods of HTTP; its second version has those of the first.
_METHODS = {"Create": "POST", "Delete": "DELETE", "Get": "GET", "Import": "PUT", "Tag": "POST",
            "Untag": "DELETE", "Update": "PATCH"}  # fmt: skip
_WORD = re.compile(r"[A-Z][a-z]+")
# Who gives a role to a service needs `iam:PassRole` on it besides.
_PASSES_ROLE = frozenset(
    {"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration", "scheduler:CreateSchedule",
     "scheduler:UpdateSchedule"}
)  # fmt: skip
# AWS answers it whoever asks, even against an explicit deny.
_ALWAYS_ALLOWED = "sts:GetCallerIdentity"
_KNOWN_ELEMENTS = {"Sid", "Effect", "Action", "Resource"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a policy; patterns are regular expressions."""

    allows: bool
    actions: tuple[re.Pattern[str], ...]
    resources: tuple[re.Pattern[str], ...]

    def covers(self, action: str, resource: str) -> bool:
        """Return whether the statement speaks of an action on a resource."""
        return _any_match(self.actions, action) and _any_match(self.resources, resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An identity-based policy: what is not allowed is denied, and a deny wins."""

    statements: tuple[Statement, ...]

    def allows(self, action: str, resource: str = "*") -> bool:
        """Return whether an action, for example "ec2:DescribeRegions", is allowed."""
        effects = {s.allows for s in self.statements if s.covers(action, resource)}
        return effects == {True}

    def and_also(self, other: Policy) -> Policy:
        """Return what somebody may do to whom both are attached."""
        return Policy(statements=(*self.statements, *other.statements))


def read_policy(path: Path = POLICY_FILE) -> Policy:
    """Return the policy in an IAM policy document.

    Raises:
        InvalidFileError: It is not one, or uses an element that is not understood here; ignoring
            a condition would allow what AWS refuses.
    """
    try:
        document = json.loads(path.read_text())
        statements = tuple(_statement(item, path) for item in document["Statement"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidFileError(path, f"is not an IAM policy: {error!r}") from error
    return Policy(statements=statements)


def _statement(item: Mapping[str, Any], path: Path) -> Statement:
    unknown = sorted(set(item) - _KNOWN_ELEMENTS)
    if unknown:
        known = ", ".join(sorted(_KNOWN_ELEMENTS))
        raise InvalidFileError(path, f"element {unknown[0]!r} is not understood; use {known}")
    return Statement(
        allows={"Allow": True, "Deny": False}[item["Effect"]],
        actions=_patterns(item["Action"], flags=re.IGNORECASE),
        resources=_patterns(item["Resource"]),
    )


def _patterns(value: str | Sequence[str], *, flags: int = 0) -> tuple[re.Pattern[str], ...]:
    texts = [value] if isinstance(value, str) else value
    # IAM knows * and ? only; fnmatch's brackets do not occur in actions or ARNs.
    return tuple(re.compile(translate(text), flags) for text in texts)


def _any_match(patterns: Iterable[re.Pattern[str]], text: str) -> bool:
    return any(pattern.match(text) for pattern in patterns)


def check_allowed(call: Call, policy: Policy, *, applying: Policy | None = None) -> None:
    """Check that whoever calls may do so.

    Args:
        call: The request.
        policy: Of everybody.
        applying: Of whoever has the key for changes; None for the same as everybody.

    Raises:
        AwsError: They may not; worded as AWS words it.
    """
    if call.access_key is None:
        if _may_be_public(call):
            return  # a public object, or a refusal by S3 itself
        raise _unsigned(call)
    if call.access_key == SEEDING_KEY:
        return
    if applying is not None and call.access_key == APPLYING_KEY:
        policy = applying
    action = action_of(call.service, call.operation or "Unknown")
    for needed, resource in ((action, _resource(call)), *_passed(call)):
        if needed != _ALWAYS_ALLOWED and not policy.allows(needed, resource):
            raise _refusal(call, needed, resource)


def _passed(call: Call) -> tuple[tuple[str, str], ...]:
    if call.name not in _PASSES_ROLE:
        return ()
    said = _body(call)
    role = said.get("Role") or said.get("Target", {}).get("RoleArn")
    return (("iam:PassRole", role),) if isinstance(role, str) else ()


def _body(call: Call) -> Mapping[str, Any]:
    try:
        said = json.loads(call.body or b"{}")
    except ValueError:
        return {}  # whoever answers refuses it
    return said if isinstance(said, Mapping) else {}


def check_not_expired(call: Call, *, now: datetime) -> None:
    """Check that a presigned address may still be used.

    Raises:
        AwsError: Its time is over.
    """
    query = dict(parse_qsl(call.headers.get("QUERY_STRING", "")))
    try:
        expires_at = _expires_at(query)
    except (KeyError, ValueError, OverflowError) as error:
        code, message = "AuthorizationQueryParametersError", "The expiry is missing or invalid"
        raise AwsError(code=code, message=message) from error
    if expires_at is not None and now > expires_at:
        raise AwsError(code="AccessDenied", message="Request has expired", status=403)


def _expires_at(query: Mapping[str, str]) -> datetime | None:
    if "X-Amz-Expires" in query:
        signed_at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return signed_at + timedelta(seconds=int(query["X-Amz-Expires"]))
    if "AWSAccessKeyId" in query:  # the older scheme
        return datetime.fromtimestamp(int(query["Expires"]), UTC)
    return None


def _may_be_public(call: Call) -> bool:
    preflight = call.headers.get("REQUEST_METHOD") == "OPTIONS"
    return call.service == "s3" and (preflight or call.operation in {"GetObject", "HeadObject"})


def action_of(service: str, operation: str) -> str:
    """Return the IAM action that allows an operation, for example "s3:GetObject" for HeadObject."""
    if service == "apigatewayv2":
        word = _WORD.match(operation)
        return f"apigateway:{_METHODS.get(word[0] if word else '', operation)}"
    return f"{service}:{_S3_ACTIONS.get(operation, operation) if service == 's3' else operation}"


def _resource(call: Call) -> str:
    if call.service == "iam" and "RoleName" in call.form:
        return f"arn:aws:iam::{ACCOUNT}:role/{call.form['RoleName']}"
    if call.name == "iam:CreateServiceLinkedRole":
        service = call.form.get("AWSServiceName", "")
        return f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}/AWSServiceRole"
    if call.service == "lambda":
        return _function(call)
    if call.service != "s3" or "Bucket" not in call.resource:
        return "*"
    path = [call.resource["Bucket"]]
    if call.operation == "DeleteObjects":
        path.append("*")  # the keys are in the body; the bucket decides
    elif "Key" in call.resource:
        path.append(call.resource["Key"])
    return f"arn:aws:s3:::{'/'.join(path)}"


def _function(call: Call) -> str:
    named = call.resource.get("FunctionName") or _body(call).get("FunctionName")
    named = named or unquote(call.resource.get("Resource", ""))  # an ARN, where tags are written
    if not named:
        return "*"
    name = str(named).rpartition("function:")[2].partition(":")[0]
    return f"arn:aws:lambda:{call.region}:{ACCOUNT}:function:{name}"


def _refusal(call: Call, action: str, resource: str) -> AwsError:
    on_resource = "" if resource == "*" else f' on resource: "{resource}"'
    message = (
        f"User: {USER} is not authorized to perform: {action}{on_resource} "
        f"because no identity-based policy allows the {action} action"
    )
    if call.protocol is Protocol.EC2:
        message = f"You are not authorized to perform this operation. {message}"
        return AwsError(code="UnauthorizedOperation", message=message, status=403)
    if call.protocol in {Protocol.QUERY, Protocol.REST_XML}:
        return AwsError(code="AccessDenied", message=message, status=403)
    status = 403 if call.protocol is Protocol.REST_JSON else 400
    return AwsError(code="AccessDeniedException", message=message, status=status)


def _unsigned(call: Call) -> AwsError:
    if call.service == "s3":
        return AwsError(code="AccessDenied", message="Access Denied", status=403)
    message = "Request is missing Authentication Token"
    return AwsError(code="MissingAuthenticationToken", message=message, status=403)
