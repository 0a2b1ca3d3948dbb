"""Parameters from a request and answers to it, in each of AWS's protocols."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from botocore.utils import parse_timestamp
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SERIALIZERS, SerializationContext
from moto.core.utils import get_service_model
from werkzeug.datastructures import MultiDict

from deployments.embedded.aws import cbor
from deployments.embedded.aws.calls import Call, Protocol, model_name
from deployments.embedded.aws.errors import AwsError

XML = "text/xml;charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, ready to send."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": XML})


def request_id() -> str:
    """Return a new request id."""
    return str(uuid.uuid4())


def parameters_of(call: Call) -> dict[str, Any]:
    """Return the parameters by the names of botocore's service model; timestamps are aware.

    Raises:
        AwsError: A value is not of the parameter's type.
    """
    operation = get_service_model(model_name(call.service)).operation_model(call.operation)
    try:
        if call.protocol is Protocol.CBOR:
            return dict(cbor.decode(call.body) if call.body else {})
        parser = PROTOCOL_PARSERS[str(call.protocol)](operation, timestamp_parser=_instant)
        request: Any = {
            "body": call.body,
            "values": MultiDict(call.form),
            "headers": {},  # no operation that is answered here has parameters in them
            "url_params": call.resource,
        }
        return dict(parser.parse(request))
    except (ValueError, TypeError, AttributeError) as error:
        message = f"The request of {call.name} could not be read: {error}"
        code = "InvalidParameterValue" if call.form else "SerializationException"
        raise AwsError(code=code, message=message) from error


def _instant(value: Any) -> datetime:
    parsed = parse_timestamp(value)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def result_reply(call: Call, result: Mapping[str, Any]) -> Reply:
    """Return an operation's result as the call's protocol writes it."""
    if call.protocol is Protocol.JSON:
        body = json.dumps(result, default=_epoch).encode()
        return Reply(body=body, headers={"Content-Type": _json_type(call)})
    if call.protocol is Protocol.CBOR:
        return Reply(body=cbor.encode(result), headers=_CBOR_HEADERS)
    operation = get_service_model(model_name(call.service)).operation_model(call.operation)
    serializer = SERIALIZERS[str(call.protocol)](operation, SerializationContext(request_id()))
    written = serializer.serialize(result)
    kind = _json_type(call) if call.protocol is Protocol.REST_JSON else XML
    return Reply(
        body=str(written["body"]).encode(),
        status=written["status_code"],
        headers={"Content-Type": kind},
    )


def error_reply(call: Call, error: AwsError) -> Reply:
    """Return a refusal as the call's protocol writes it."""
    if call.protocol in {Protocol.EC2, Protocol.QUERY, Protocol.REST_XML}:
        return Reply(body=_xml_error(call.protocol, error).encode(), status=error.status)
    content = {"__type": error.code, "message": error.message, "Message": error.message}
    headers = {"x-amzn-ErrorType": error.code}
    if call.wants_query_errors:
        fault = "Sender" if error.status < 500 else "Receiver"
        headers["x-amzn-query-error"] = f"{error.code};{fault}"
    if call.protocol is Protocol.CBOR:
        body = cbor.encode(content)
        return Reply(body=body, status=error.status, headers={**headers, **_CBOR_HEADERS})
    headers["Content-Type"] = _json_type(call)
    return Reply(body=json.dumps(content).encode(), status=error.status, headers=headers)


_CBOR_HEADERS = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}


def _xml_error(protocol: Protocol, error: AwsError) -> str:
    inner = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    identity = request_id()
    if protocol is Protocol.EC2:
        errors = f"<Errors><Error>{inner}</Error></Errors><RequestID>{identity}</RequestID>"
        return f"{head}<Response>{errors}</Response>"
    if protocol is Protocol.QUERY:
        kind = "Sender" if error.status < 500 else "Receiver"
        body = f"<Error><Type>{kind}</Type>{inner}</Error><RequestId>{identity}</RequestId>"
        return f"{head}<ErrorResponse>{body}</ErrorResponse>"
    return f"{head}<Error>{inner}<RequestId>{identity}</RequestId></Error>"


def _json_type(call: Call) -> str:
    return str(call.headers.get("CONTENT_TYPE") or "application/x-amz-json-1.1")


def _epoch(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    message = f"{type(value).__name__} cannot be written as JSON"
    raise TypeError(message)
