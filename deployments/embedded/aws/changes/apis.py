"""API Gateway UpdateStage, which moto lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployments.embedded.aws.calls import Call
from deployments.embedded.aws.errors import AwsError
from deployments.embedded.aws.policy import ACCOUNT

_ATTRIBUTES = {
    "AccessLogSettings": "access_log_settings",
    "AutoDeploy": "auto_deploy",
    "ClientCertificateId": "client_certificate_id",
    "DefaultRouteSettings": "default_route_settings",
    "Description": "description",
    "RouteSettings": "route_settings",
    "StageVariables": "stage_variables",
}


def update_stage(call: Call, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer UpdateStage: what is not said stays.

    Raises:
        AwsError: There is no such stage.
    """
    # Loads moto's models: only when somebody asks.
    from moto.apigatewayv2.exceptions import ApiNotFound, StageNotFound
    from moto.apigatewayv2.models import apigatewayv2_backends

    backend = apigatewayv2_backends[ACCOUNT][call.region]
    try:
        stage = backend.get_stage(parameters["ApiId"], parameters["StageName"])
    except (ApiNotFound, StageNotFound) as error:
        message = f"Invalid stage identifier specified: {parameters['StageName']}"
        raise AwsError(code="NotFoundException", message=message, status=404) from error
    for name, attribute in _ATTRIBUTES.items():
        if name in parameters:
            setattr(stage, attribute, _small(parameters[name]))
    return {"StageName": stage.name, "AutoDeploy": bool(stage.auto_deploy)}


def _small(value: Any) -> Any:
    # moto keeps settings by the names on the wire; variables have names of their own.
    if isinstance(value, Mapping) and all(str(key)[:1].isupper() for key in value):
        return {f"{key[0].lower()}{key[1:]}": each for key, each in value.items()}
    return value
