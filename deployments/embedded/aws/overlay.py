"""The WSGI application in front of moto: answers, refuses, injects faults, passes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import UnknownServiceError
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from deployments.embedded.aws.calls import Call, Environ, Protocol, call_from, model_name
from deployments.embedded.aws.control import CONTROL_PREFIX, Control
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.faults import (
    ConnectionDroppedError,
    FaultKind,
    FaultPlan,
    fault_error,
)
from deployments.embedded.aws.policy import Policy, check_allowed, check_not_expired
from deployments.embedded.aws.wire import Reply, error_reply, parameters_of, result_reply

Handler = Callable[[Call, Mapping[str, Any]], Mapping[str, Any] | Reply | None]
"""None leaves the call to moto: there was something to check, or it is not about ours."""

StartResponse = Callable[..., Any]

_log = logging.getLogger(__name__)

_OURS = {"connection", "date", "server", "transfer-encoding"}
"""Headers that the HTTP server writes."""

_PHRASES = {200: "OK", 400: "Bad Request", 403: "Forbidden", 412: "Precondition Failed"}


class _Moto(DomainDispatcherApplication):
    """moto's application, which prints advice to its developers for services it lacks."""

    def get_backend_for_host(self, host: str | None) -> Any:
        url = f"http://{host}"
        is_unknown = "amazonaws.com" in url and not any(
            pattern.match(url) for _, pattern in self.backend_url_patterns
        )
        return None if is_unknown else super().get_backend_for_host(host)


class AwsOverlay:
    """One endpoint for every service.

    Args:
        handlers: What is answered here, by "service:Operation"; moto answers the rest.
        policy: What callers may do.
        applying: What the caller with the key for changes may do; None for the same.
        faults: What goes wrong on purpose.
        control: Answers the embedded cloud's own addresses.
        clock: Now, aware; presigned addresses expire by it.
        pause: Waits some seconds, for delays.
        changed: Told after every call that changed what runs.
    """

    def __init__(
        self,
        *,
        handlers: Mapping[str, Handler],
        policy: Policy,
        faults: FaultPlan,
        control: Control,
        clock: Callable[[], datetime],
        pause: Callable[[float], object],
        changed: Callable[[], object] = lambda: None,
        applying: Policy | None = None,
    ) -> None:
        self._handlers = handlers
        self._policy = policy
        self._applying = applying
        self._faults = faults
        self._control = control
        self._clock = clock
        self._pause = pause
        self._changed = changed
        self._moto = _Moto(create_backend_app)
        # moto's backends are plain dictionaries.
        self._moto_lock = threading.RLock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request.

        Raises:
            ConnectionDroppedError: A fault wants the connection closed without an answer.
        """
        if environ["PATH_INFO"].startswith(CONTROL_PREFIX):
            return _send(self._control.answer(environ), start_response)
        call = Call(
            service="aws", operation=None, protocol=Protocol.JSON, region="", access_key=None
        )
        try:
            call = call_from(environ)
            self._inject(call)
            reply = self._answer(call, environ)
        except AwsError as error:
            reply = error_reply(call, error)
        except ConnectionDroppedError:
            raise
        # The edge: a client should see an error of AWS's shape whatever went wrong here.
        except Exception:  # noqa: BLE001 - logged with its trace, answered as a 500
            _log.exception("aws.overlay.failed operation=%s", call.name)
            message = "The embedded AWS failed; its log has the reason."
            reply = error_reply(call, AwsError(code="InternalFailure", message=message, status=500))
        return _send(reply, start_response)

    def _inject(self, call: Call) -> None:
        for fault in self._faults.fire(call.name):
            if fault.kind is FaultKind.DELAY:
                self._pause(fault.seconds or 0.0)
            elif fault.kind is FaultKind.DROP:
                raise ConnectionDroppedError(call.name)
            else:
                raise fault_error(call, fault.kind)

    def _answer(self, call: Call, environ: Environ) -> Reply:
        if not _exists(call):
            raise _unknown(call, reason="is not an operation of AWS")
        check_not_expired(call, now=self._clock())
        check_allowed(call, self._policy, applying=self._applying)
        handler = self._handlers.get(call.name)
        if handler is None:
            return self._from_moto(call, environ)
        parameters = parameters_of(call)
        if parameters.get("DryRun"):
            message = "Request would have succeeded, but DryRun flag is set."
            raise AwsError(code="DryRunOperation", message=message, status=412)
        if not _changes(call):
            return self._replied(handler(call, parameters), call, environ)
        with self._moto_lock:
            reply = self._replied(handler(call, parameters), call, environ)
        self._changed()
        return reply

    def _replied(
        self, result: Mapping[str, Any] | Reply | None, call: Call, environ: Environ
    ) -> Reply:
        if result is None:
            return self._from_moto(call, environ)
        return result if isinstance(result, Reply) else result_reply(call, result)

    def _from_moto(self, call: Call, environ: Environ) -> Reply:
        status, headers = 500, {}

        def start_response(line: str, pairs: list[tuple[str, str]], _: Any = None) -> None:
            nonlocal status, headers
            status = int(line.partition(" ")[0])
            headers = {name: value for name, value in pairs if name.lower() not in _OURS}

        try:
            with self._moto_lock:
                body = b"".join(self._moto(environ, start_response))
        # moto has no common error: unknown services and operations fail in many ways.
        except Exception as error:
            _log.warning("aws.moto.failed operation=%s error=%r", call.name, error)
            raise _unknown(call, reason="is not embedded") from error
        if status >= 400 and b"<html" in body[:200].lower():
            raise _unknown(call, reason="is not embedded")
        if status == 403 and not body and environ["REQUEST_METHOD"] != "HEAD":
            raise AwsError(code="AccessDenied", message="Access Denied", status=403)
        if status < 400 and _changes(call):
            self._changed()
        return Reply(body=body, status=status, headers=headers)


def _changes(call: Call) -> bool:
    reads = (call.operation or "").startswith(("Describe", "Get", "List"))
    return call.service in {"ec2", "autoscaling"} and not reads


def _exists(call: Call) -> bool:
    if call.service == "s3":
        return True  # paths are open: S3 itself says what it does not know
    try:
        return call.operation in get_service_model(model_name(call.service)).operation_names
    except UnknownServiceError:
        return False


def _unknown(call: Call, *, reason: str) -> AwsError:
    message = f"{call.name} {reason}; /_homeostat/health lists what is answered besides moto's."
    if call.protocol in {Protocol.EC2, Protocol.QUERY}:
        return AwsError(code="InvalidAction", message=message)
    if call.protocol is Protocol.REST_XML:
        return AwsError(code="NotImplemented", message=message, status=501)
    return AwsError(code="UnknownOperationException", message=message)


def _send(reply: Reply, start_response: StartResponse) -> Iterable[bytes]:
    headers = {**reply.headers}
    headers.setdefault("Content-Length", str(len(reply.body)))
    line = f"{reply.status} {_PHRASES.get(reply.status, 'Answer')}"
    start_response(line, list(headers.items()))
    return [reply.body]
