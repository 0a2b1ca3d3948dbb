"""The provider as the engine speaks to it: one method a step of the life of a resource."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from deployments.embedded.pulumi_aws.account import Account, account_from, checked_endpoint
from deployments.embedded.pulumi_aws.answers import FAILURES, abort, answering
from deployments.embedded.pulumi_aws.catalogue import KINDS
from deployments.embedded.pulumi_aws.diffs import Difference, Step, differences
from deployments.embedded.pulumi_aws.errors import (
    StandInError,
    UnfinishedError,
    UnknownTypeError,
    told,
)
from deployments.embedded.pulumi_aws.faults import Faults, faults_from
from deployments.embedded.pulumi_aws.kinds import Kind
from deployments.embedded.pulumi_aws.lookups import LOOKUPS
from deployments.embedded.pulumi_aws.naming import given_name
from deployments.embedded.pulumi_aws.plan_waits import plan_waits_from
from deployments.embedded.pulumi_aws.shapes import problems
from deployments.embedded.pulumi_aws.states import imported, preview_of, refreshed, told_state
from deployments.embedded.pulumi_aws.values import (
    Properties,
    from_struct,
    has_unknown,
    kept_secret,
    plain,
    to_struct,
)

VERSION = version("pulumi_aws")
CONFIGURATION = frozenset(
    {"region", "accessKey", "secretKey", "token", "version", "skipCredentialsValidation",
     "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId"}
)  # fmt: skip
"""What the provider can be told; the rest is the official provider's."""

_DIFF = provider_pb2.PropertyDiff
_STEPS = {
    (Step.ADD, False): _DIFF.ADD,
    (Step.ADD, True): _DIFF.ADD_REPLACE,
    (Step.DELETE, False): _DIFF.DELETE,
    (Step.DELETE, True): _DIFF.DELETE_REPLACE,
    (Step.UPDATE, False): _DIFF.UPDATE,
    (Step.UPDATE, True): _DIFF.UPDATE_REPLACE,
}


class StandIn(ResourceProviderServicer):
    """Answers the engine.

    Args:
        environ: Endpoint, credentials and faults.
        kinds: Resource types by token.
    """

    def __init__(
        self, environ: Mapping[str, str] = os.environ, *, kinds: Mapping[str, Kind] = KINDS
    ) -> None:
        self._environ = environ
        self._kinds = kinds
        self._faults = Faults()
        self._account: Account | None = None

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        """Say what is understood: secrets come in their envelopes."""
        del request, context
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=False, accept_outputs=False
        )

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Say that it is of the version that programs use: its types are theirs."""
        del request, context
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Return next to nothing: programs use pulumi_aws, which has it all."""
        del request, context
        return provider_pb2.GetSchemaResponse(schema=f'{{"name": "aws", "version": "{VERSION}"}}')

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Refuse a configuration that only the official provider understands."""
        with answering(context, "provider"):
            checked_endpoint(self._environ.get("AWS_ENDPOINT_URL"))
            faults_from(self._environ)
            plan_waits_from(self._environ)
        given = plain(from_struct(request.news))
        known = ", ".join(sorted(CONFIGURATION))
        failures = [
            provider_pb2.CheckFailure(
                property=name, reason=f"is not understood by the stand-in, which has {known}"
            )
            for name in sorted(given)
            if name not in CONFIGURATION and not name.startswith("__")
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Say that another region is another provider."""
        del context
        old, new = (plain(from_struct(each)).get("region") for each in (request.olds, request.news))
        changed = bool(old and new and old != new)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME
            if changed
            else provider_pb2.DiffResponse.DIFF_NONE,
            replaces=["region"] if changed else [],
        )

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Find the account; refuse one that is not on this machine."""
        given = plain(from_struct(request.args))
        prefix = "aws:config:"
        given |= {
            key.removeprefix(prefix): value
            for key, value in request.variables.items()
            if key.startswith(prefix) and key.removeprefix(prefix) not in given
        }
        with answering(context, "provider"):
            self._faults = faults_from(self._environ)
            if not has_unknown(given):
                self._account = account_from(self._environ, given, faults=self._faults)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Refuse what pulumi_aws does not have, and give a name where one is needed."""
        kind = self._kind(request.urn, context)
        news, olds = from_struct(request.news), plain(from_struct(request.olds))
        if kind.named and "name" not in news:
            news["name"] = given_name(
                kind, news, olds, name=_name(request.urn), seed=request.randomSeed
            )
        failures = [
            provider_pb2.CheckFailure(property=path, reason=f"{path} {reason}")
            for path, reason in problems(kind.inputs, plain(news))
        ]
        return provider_pb2.CheckResponse(inputs=to_struct(news), failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Say what an update would change."""
        kind = self._kind(request.urn, context)
        found = self._differences(kind, request)
        replaces = sorted({one.path for one in found if one.replaces})
        response = provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME
            if found
            else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted({one.top for one in found}),
            replaces=replaces,
            # Two of a name cannot be there at once.
            deleteBeforeReplace=bool(replaces) and kind.named,
            hasDetailedDiff=True,
        )
        for one in found:
            response.detailedDiff[one.path].kind = _STEPS[one.step, one.replaces]
        return response

    def _differences(self, kind: Kind, request: Any) -> tuple[Difference, ...]:
        new = plain(from_struct(request.news))
        state = plain(from_struct(request.olds))
        inputs = plain(from_struct(request.old_inputs)) or state
        found = differences(kind, state=state, inputs=inputs, new=new)
        ignored = {each.split(".")[0].split("[")[0] for each in request.ignoreChanges}
        return tuple(one for one in found if one.top not in ignored)

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Make a resource, or say in a preview what is known of it before."""
        kind = self._kind(request.urn, context)
        inputs = from_struct(request.properties)
        new = plain(inputs)
        if request.preview:
            made = kept_secret(preview_of(kind, new), inputs)
            return provider_pb2.CreateResponse(properties=to_struct(made))
        with self._working("create", request.urn, context):
            identity = self._make(kind, new)
        with self._answering_for(request.urn, context):
            state = self._read_back(kind, identity, new)
        return provider_pb2.CreateResponse(
            id=identity, properties=to_struct(kept_secret(state, inputs))
        )

    def _make(self, kind: Kind, new: Properties) -> str:
        cloud = self._cloud(new)
        identity = kind.actions.create(cloud, new)
        try:
            kind.actions.settle(cloud, identity, new)
        except FAILURES as error:
            raise UnfinishedError(identity, told(error)) from error
        return identity

    def _read_back(self, kind: Kind, identity: str, new: Properties) -> Properties:
        found = kind.actions.read(self._cloud(new), identity, new)
        if found is None:
            message = f"{identity} was made and is not there; somebody deleted it at once"
            raise StandInError(message)
        return told_state(kind, found, new)

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Return what the account has, for a refresh and for an import; no id when it has none."""
        kind = self._kind(request.urn, context)
        state, inputs = from_struct(request.properties), from_struct(request.inputs)
        known = plain(state)
        with self._working("read", request.urn, context):
            found = kind.actions.read(self._cloud(known), request.id, known)
        if found is None:
            return provider_pb2.ReadResponse(id="")
        identity = str(found.pop("id", request.id))
        now = told_state(kind, found, plain(inputs) or known)
        told_inputs = refreshed(kind, now, plain(inputs)) if inputs else imported(kind, now)
        return provider_pb2.ReadResponse(
            id=identity,
            properties=to_struct(kept_secret(now, inputs or state)),
            inputs=to_struct(kept_secret(told_inputs, inputs)),
        )

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Change a resource in place, or say in a preview what it will be."""
        kind = self._kind(request.urn, context)
        old, inputs = plain(from_struct(request.olds)), from_struct(request.news)
        new = plain(inputs)
        changed = {one.top for one in self._differences(kind, request)}
        if request.preview:
            made = kept_secret(preview_of(kind, new, old=old, changed=changed), inputs)
            return provider_pb2.UpdateResponse(properties=to_struct(made))
        with self._working("update", request.urn, context):
            kind.actions.update(self._cloud(old), request.id, old, new, changed)
            state = self._read_back(kind, request.id, {**_places(kind, old), **new})
            _check_done(kind, state, new, changed)
        return provider_pb2.UpdateResponse(properties=to_struct(kept_secret(state, inputs)))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Delete a resource; one that is gone already is no error."""
        kind = self._kind(request.urn, context)
        old = plain(from_struct(request.properties))
        with self._working("delete", request.urn, context):
            kind.actions.delete(self._cloud(old), request.id, old)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Answer the few look-ups that are embedded."""
        look_up = LOOKUPS.get(request.tok)
        if look_up is None:
            error = UnknownTypeError(request.tok, ", ".join(sorted(LOOKUPS)))
            abort(context, grpc.StatusCode.UNIMPLEMENTED, str(error))
        with answering(context, request.tok):
            found = look_up(self._cloud({}), plain(from_struct(request.args)))
        return provider_pb2.InvokeResponse(**{"return": to_struct(found)})

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Let what is under way end: it is short."""
        del request, context
        return empty_pb2.Empty()

    def _cloud(self, properties: Properties) -> Any:
        if self._account is None:
            message = "the provider was not configured; its region is not known yet"
            raise StandInError(message)
        return self._account.cloud(properties.get("region"))

    def _kind(self, urn: str, context: Any) -> Kind:
        token = _token(urn)
        if token not in self._kinds:
            error = UnknownTypeError(token, ", ".join(sorted(self._kinds)))
            abort(context, grpc.StatusCode.UNIMPLEMENTED, str(error))
        return self._kinds[token]

    @contextmanager
    def _working(self, operation: str, urn: str, context: Any) -> Iterator[None]:
        with (
            self._answering_for(urn, context),
            self._faults.around(operation, token=_token(urn), name=_name(urn)),
        ):
            yield

    def _answering_for(self, urn: str, context: Any) -> Any:
        return answering(context, f"{_token(urn)} {_name(urn)!r}")


def _check_done(kind: Kind, state: Properties, new: Properties, changed: set[str]) -> None:
    """Refuse to call done what the account did not take: better now than at every preview to come."""
    left = differences(kind, state=state, inputs=new, new=new)
    missing = sorted(one.path for one in left if one.top in changed)
    if missing:
        message = (
            f"{', '.join(missing)} is not as the program says after the update: the embedded "
            "account does not take it. Leave it out, or use the official provider with an account."
        )
        raise StandInError(message)


def _places(kind: Kind, old: Properties) -> Properties:
    """Return where a resource is, which an update does not change and a program need not say."""
    return {key: old[key] for key in ("region", "name") if key in old and key in kind.outputs}


def _token(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _name(urn: str) -> str:
    return "::".join(urn.split("::")[3:])
