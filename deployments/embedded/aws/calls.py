"""What a request asks for: service, operation, region and who asks."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

from deployments.embedded.aws.errors import AwsError

Environ = dict[str, Any]

DEFAULT_REGION = "us-east-1"
_SCOPE = re.compile(
    r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]*)/(?P<service>[^/]+)/aws4_request"
)
_CBOR_PATH = re.compile(r"/service/(?P<service>\w+)/operation/(?P<operation>\w+)")

# Signing names that differ from the name in policies; most services have one name for both.
_POLICY_NAME = {"monitoring": "cloudwatch"}
# Policy names that differ from the name of botocore's service model.
_MODEL_NAME = {
    "elasticloadbalancing": "elbv2",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}


class Protocol(StrEnum):
    """How a request and its answer are written."""

    EC2 = "ec2"
    QUERY = "query"
    JSON = "json"
    CBOR = "cbor"
    REST_JSON = "rest-json"
    REST_XML = "rest-xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request.

    Attributes:
        service: Name in policies, for example "cloudwatch".
        operation: As AWS spells it; None where the request names none that the service has.
        protocol: How it is written.
        region: From the signature's scope.
        access_key: Who asks; None when unsigned.
        body: Decompressed.
        form: Parameters of the query protocols.
        resource: Names in the request's path, for services with REST protocols.
        headers: WSGI environment.
    """

    service: str
    operation: str | None
    protocol: Protocol
    region: str
    access_key: str | None
    body: bytes = b""
    form: Mapping[str, str] = field(default_factory=dict)
    resource: Mapping[str, str] = field(default_factory=dict)
    headers: Environ = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For example "ec2:DescribeRegions"."""
        return f"{self.service}:{self.operation or 'Unknown'}"

    @property
    def wants_query_errors(self) -> bool:
        """Whether the client expects the older query protocol's error codes beside the new."""
        return self.headers.get("HTTP_X_AMZN_QUERY_MODE") == "true"


def call_from(environ: Environ) -> Call:
    """Return what a WSGI request asks for, and leave its body readable.

    Raises:
        AwsError: The body cannot be decompressed.
    """
    query = _query(environ)
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", "")) or _SCOPE.search(
        "Credential=" + unquote(query.get("X-Amz-Credential", ""))
    )
    signing_name = scope["service"].lower() if scope else "s3"
    common: dict[str, Any] = {
        "service": _service(signing_name, environ["PATH_INFO"]),
        "region": (scope["region"] if scope else "") or DEFAULT_REGION,
        # boto3 presigns with the older scheme, which names the key only, unless told otherwise.
        "access_key": scope["key"] if scope else query.get("AWSAccessKeyId"),
        "headers": environ,
    }
    if signing_name == "s3":
        return _rest_call(environ, common)
    body = _decompressed_body(environ)
    return _rpc_call(environ, body, common) or _rest_call(environ, {**common, "body": body})


def _service(signing_name: str, path: str) -> str:
    # Two services sign with one name; the second one's paths begin with its version.
    if signing_name == "apigateway" and path.startswith("/v2/"):
        return "apigatewayv2"
    return _POLICY_NAME.get(signing_name, signing_name)


def model_name(service: str) -> str:
    """Return the name of botocore's service model for a name in policies."""
    return _MODEL_NAME.get(service, service)


def _rpc_call(environ: Environ, body: bytes, common: Mapping[str, Any]) -> Call | None:
    if match := _CBOR_PATH.fullmatch(environ["PATH_INFO"]):
        return Call(operation=match["operation"], protocol=Protocol.CBOR, body=body, **common)
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        operation = target.rpartition(".")[2]
        return Call(operation=operation, protocol=Protocol.JSON, body=body, **common)
    form = _query(environ)
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form |= dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    if "Action" not in form:
        return None
    protocol = Protocol.EC2 if common["service"] == "ec2" else Protocol.QUERY
    return Call(operation=form["Action"], protocol=protocol, body=body, form=form, **common)


def _rest_call(environ: Environ, common: Mapping[str, Any]) -> Call:
    operation, resource = None, {}
    protocol = Protocol.REST_XML if common["service"] == "s3" else Protocol.REST_JSON
    match = _router(model_name(common["service"]))
    if match is not None:
        # The router may look at the body, which is still to be read by whoever answers.
        probe = {**environ, "wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"}
        try:
            model, resource = match(Request(probe))
            operation = str(model.name)
        except HTTPException:
            pass
    return Call(operation=operation, protocol=protocol, resource=resource, **common)


@cache
def _router(service: str) -> Callable[[Request], Any] | None:
    from botocore.exceptions import UnknownServiceError

    try:
        if not get_service_model(service).protocol.startswith("rest"):
            return None
        return get_service_router(service).match
    except UnknownServiceError:
        return None


def _query(environ: Environ) -> dict[str, str]:
    return dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))


def _decompressed_body(environ: Environ) -> bytes:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if environ.get("HTTP_CONTENT_ENCODING", "") == "gzip":
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error) as error:
            message = "The request body is not valid gzip."
            raise AwsError(code="SerializationException", message=message) from error
        environ.pop("HTTP_CONTENT_ENCODING")
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return bytes(body)
