"""HTTP APIs: aws:apigatewayv2/{api:Api,integration:Integration,route:Route,stage:Stage}."""

from __future__ import annotations

from typing import Any

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.kinds import NO_TAGS, Kind, Simple
from deployments.embedded.pulumi_aws.resources.api_shapes import (
    api_arguments,
    stage_arguments,
    told_names,
)
from deployments.embedded.pulumi_aws.resources.shared import found_or_none, smalls
from deployments.embedded.pulumi_aws.resources.tags import tag_map
from deployments.embedded.pulumi_aws.values import Properties

OPERATIONS = (
    "apigatewayv2:CreateApi",
    "apigatewayv2:CreateIntegration",
    "apigatewayv2:CreateRoute",
    "apigatewayv2:CreateStage",
    "apigatewayv2:DeleteApi",
    "apigatewayv2:DeleteIntegration",
    "apigatewayv2:DeleteRoute",
    "apigatewayv2:DeleteStage",
    "apigatewayv2:GetApi",
    "apigatewayv2:GetIntegration",
    "apigatewayv2:GetRoute",
    "apigatewayv2:GetStage",
    "apigatewayv2:TagResource",
    "apigatewayv2:UntagResource",
    "apigatewayv2:UpdateApi",
    "apigatewayv2:UpdateIntegration",
    "apigatewayv2:UpdateRoute",
    "apigatewayv2:UpdateStage",
)
_GONE = "NotFoundException"
_DEFAULT_STAGE = "$default"


class Apis(Simple):
    """Carries out what is asked of APIs."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Create an API."""
        client = cloud.client("apigatewayv2")
        made = client.create_api(Tags=new.get("tags") or {}, **api_arguments(new))
        return str(made["ApiId"])

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return an API."""
        del known
        client = cloud.client("apigatewayv2")
        one = found_or_none(lambda: client.get_api(ApiId=identity), _GONE)
        if one is None:
            return None
        return {
            **told_names(cloud, one, "apiKeySelectionExpression", "description", "ipAddressType",
                    "name", "protocolType", "routeSelectionExpression", "version"),
            "apiEndpoint": one["ApiEndpoint"],
            "arn": f"arn:aws:apigateway:{cloud.region}::/apis/{identity}",
            "corsConfiguration": smalls(one.get("CorsConfiguration")) or None,
            "disableExecuteApiEndpoint": one.get("DisableExecuteApiEndpoint", False),
            "executionArn": f"arn:aws:execute-api:{cloud.region}:{cloud.number}:{identity}",
            "tags": tag_map(one.get("Tags", {})),
        }  # fmt: skip

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change an API in place."""
        client = cloud.client("apigatewayv2")
        if wanted := api_arguments({key: new[key] for key in changed & new.keys()}):
            client.update_api(ApiId=identity, **wanted)
        _retag(client, old, new)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete an API with everything in it."""
        del old
        client = cloud.client("apigatewayv2")
        found_or_none(lambda: client.delete_api(ApiId=identity), _GONE)


class Integrations(Simple):
    """Carries out what is asked of what answers for an API."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Create an integration."""
        made = cloud.client("apigatewayv2").create_integration(**api_arguments(new))
        return str(made["IntegrationId"])

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return an integration; an import names it as api/integration."""
        api, name = _api_and_name(identity, known)
        client = cloud.client("apigatewayv2")
        one = found_or_none(lambda: client.get_integration(ApiId=api, IntegrationId=name), _GONE)
        if one is None:
            return None
        return {
            **told_names(cloud, one, "connectionId", "connectionType", "credentialsArn", "description",
                    "integrationMethod", "integrationSubtype", "integrationType",
                    "integrationUri", "passthroughBehavior", "payloadFormatVersion"),
            "apiId": api,
            "id": name,
            "requestParameters": dict(one.get("RequestParameters") or {}),
            "timeoutMilliseconds": one.get("TimeoutInMillis"),
        }  # fmt: skip

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change an integration in place."""
        wanted = api_arguments({key: new[key] for key in changed & new.keys()})
        cloud.client("apigatewayv2").update_integration(
            **{**wanted, "ApiId": old["apiId"], "IntegrationId": identity}
        )

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete an integration."""
        client, api = cloud.client("apigatewayv2"), old["apiId"]
        found_or_none(lambda: client.delete_integration(ApiId=api, IntegrationId=identity), _GONE)


class Routes(Simple):
    """Carries out what is asked of the routes of an API."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Create a route."""
        return str(cloud.client("apigatewayv2").create_route(**api_arguments(new))["RouteId"])

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a route; an import names it as api/route."""
        api, name = _api_and_name(identity, known)
        client = cloud.client("apigatewayv2")
        one = found_or_none(lambda: client.get_route(ApiId=api, RouteId=name), _GONE)
        if one is None:
            return None
        return {
            **told_names(cloud, one, "authorizerId", "modelSelectionExpression", "operationName",
                    "routeKey", "target"),
            "apiId": api,
            "apiKeyRequired": one.get("ApiKeyRequired", False),
            "authorizationType": one.get("AuthorizationType") or "NONE",
            "id": name,
        }  # fmt: skip

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change a route in place."""
        wanted = api_arguments({key: new[key] for key in changed & new.keys()})
        cloud.client("apigatewayv2").update_route(
            **{**wanted, "ApiId": old["apiId"], "RouteId": identity}
        )

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete a route."""
        client, api = cloud.client("apigatewayv2"), old["apiId"]
        found_or_none(lambda: client.delete_route(ApiId=api, RouteId=identity), _GONE)


class Stages(Simple):
    """Carries out what is asked of the stages of an API."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Create a stage."""
        client = cloud.client("apigatewayv2")
        client.create_stage(Tags=new.get("tags") or {}, **stage_arguments(new))
        return str(new["name"])

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return a stage; an import names it as api/stage."""
        api, name = _api_and_name(identity, known)
        client = cloud.client("apigatewayv2")
        one = found_or_none(lambda: client.get_stage(ApiId=api, StageName=name), _GONE)
        if one is None:
            return None
        host = f"{api}.execute-api.{cloud.region}.amazonaws.com"
        path = "" if name == _DEFAULT_STAGE else name
        return {
            **told_names(cloud, one, "clientCertificateId", "deploymentId", "description"),
            "accessLogSettings": smalls(one.get("AccessLogSettings")) or None,
            "apiId": api,
            "arn": f"arn:aws:apigateway:{cloud.region}::/apis/{api}/stages/{name}",
            "autoDeploy": one.get("AutoDeploy", False),
            "executionArn": f"arn:aws:execute-api:{cloud.region}:{cloud.number}:{api}/{name}",
            "id": name,
            "invokeUrl": f"https://{host}/{path}",
            "name": name,
            "stageVariables": dict(one.get("StageVariables") or {}),
            "tags": tag_map(one.get("Tags") or {}),
        }

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change a stage in place."""
        client = cloud.client("apigatewayv2")
        wanted = stage_arguments({key: new[key] for key in changed & new.keys()})
        if wanted:
            client.update_stage(**{**wanted, "ApiId": old["apiId"], "StageName": identity})
        _retag(client, old, new)

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete a stage."""
        client, api = cloud.client("apigatewayv2"), old["apiId"]
        found_or_none(lambda: client.delete_stage(ApiId=api, StageName=identity), _GONE)


def _api_and_name(identity: str, known: Properties) -> tuple[str, str]:
    if "apiId" in known:
        return str(known["apiId"]), identity
    api, _, name = identity.partition("/")
    return api, name


def _retag(client: Any, old: Properties, new: Properties) -> None:
    before, after = old.get("tags") or {}, new.get("tags") or {}
    if gone := sorted(before.keys() - after.keys()):
        client.untag_resource(ResourceArn=old["arn"], TagKeys=gone)
    if after and after != before:
        client.tag_resource(ResourceArn=old["arn"], Tags=after)


API = Kind(
    token="aws:apigatewayv2/api:Api",  # noqa: S106 - a type's name
    module="apigatewayv2",
    name="Api",
    actions=Apis(),
    # Terraform registry, aws_apigatewayv2_api, "Argument Reference": the protocol forces a new API,
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/apigatewayv2_api
    replaces=frozenset({"credentialsArn", "protocolType", "region", "routeKey", "target"}),
    absent={
        **NO_TAGS,
        "corsConfiguration": None,
        "description": "",
        "disableExecuteApiEndpoint": False,
        "version": "",
    },
    unread=frozenset({"body", "credentialsArn", "failOnWarnings", "routeKey", "target"}),
    named=True,
)

INTEGRATION = Kind(
    token="aws:apigatewayv2/integration:Integration",  # noqa: S106 - a type's name
    module="apigatewayv2",
    name="Integration",
    actions=Integrations(),
    # Terraform registry, aws_apigatewayv2_integration, "Argument Reference",
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/apigatewayv2_integration
    replaces=frozenset({"apiId", "integrationSubtype", "integrationType", "region"}),
    absent={
        "connectionId": "",
        "connectionType": "INTERNET",
        "credentialsArn": "",
        "description": "",
        "payloadFormatVersion": "1.0",
        "requestParameters": {},
    },
    unread=frozenset(
        {"contentHandlingStrategy", "requestTemplates", "responseParameters",
         "templateSelectionExpression", "tlsConfig"}
    ),
)  # fmt: skip

ROUTE = Kind(
    token="aws:apigatewayv2/route:Route",  # noqa: S106 - a type's name
    module="apigatewayv2",
    name="Route",
    actions=Routes(),
    # Terraform registry, aws_apigatewayv2_route, "Argument Reference": its API forces a new route,
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/apigatewayv2_route
    replaces=frozenset({"apiId", "region"}),
    absent={
        "apiKeyRequired": False,
        "authorizationType": "NONE",
        "authorizerId": "",
        "operationName": "",
        "target": "",
    },
    unread=frozenset(
        {"authorizationScopes", "requestModels", "requestParameters",
         "routeResponseSelectionExpression"}
    ),
)  # fmt: skip

STAGE = Kind(
    token="aws:apigatewayv2/stage:Stage",  # noqa: S106 - a type's name
    module="apigatewayv2",
    name="Stage",
    actions=Stages(),
    # Terraform registry, aws_apigatewayv2_stage, "Argument Reference": API and name force a new one,
    # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/apigatewayv2_stage
    replaces=frozenset({"apiId", "name", "region"}),
    absent={
        **NO_TAGS,
        "accessLogSettings": None,
        "autoDeploy": False,
        "clientCertificateId": "",
        "description": "",
        "stageVariables": {},
    },
    unread=frozenset({"defaultRouteSettings", "routeSettings"}),
    named=True,
)
