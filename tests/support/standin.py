"""The stand-in for Pulumi's AWS provider over its real protocol, driven step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2 as proto
from pulumi.runtime.proto.provider_pb2_grpc import (
    ResourceProviderStub,
    add_ResourceProviderServicer_to_server,
)

from deployments.embedded.aws.policy import SEEDING_KEY
from deployments.embedded.aws.server import EmbeddedAws
from deployments.embedded.pulumi_aws.servicer import StandIn
from deployments.embedded.pulumi_aws.values import Properties, from_struct, to_struct


@dataclass(frozen=True, kw_only=True)
class Made:
    """A resource as the engine's state has it."""

    token: str
    name: str
    identity: str
    inputs: Properties
    state: Properties


@dataclass(frozen=True, kw_only=True)
class Driver:
    """Asks the provider what the engine asks, in its order."""

    stub: Any

    def configure(self, **variables: str) -> None:
        self.stub.Configure(proto.ConfigureRequest(args=to_struct(variables)))

    def check(
        self,
        token: str,
        name: str,
        inputs: Mapping[str, Any],
        olds: Mapping[str, Any] | None = None,
    ) -> tuple[Properties, dict[str, str]]:
        """The checked inputs, and what is wrong by property."""
        answer = self.stub.Check(
            proto.CheckRequest(
                urn=urn(token, name),
                news=to_struct(inputs),
                olds=to_struct(olds or {}),
                randomSeed=b"seed",
            )
        )
        failures = {one.property: one.reason for one in answer.failures}
        return from_struct(answer.inputs), failures

    def preview(self, token: str, name: str, inputs: Mapping[str, Any]) -> Properties:
        checked, failures = self.check(token, name, inputs)
        assert not failures
        request = proto.CreateRequest(
            urn=urn(token, name), properties=to_struct(checked), preview=True
        )
        return from_struct(self.stub.Create(request).properties)

    def create(self, token: str, name: str, inputs: Mapping[str, Any]) -> Made:
        checked, failures = self.check(token, name, inputs)
        assert not failures
        answer = self.stub.Create(
            proto.CreateRequest(urn=urn(token, name), properties=to_struct(checked))
        )
        state = from_struct(answer.properties)
        return Made(token=token, name=name, identity=answer.id, inputs=checked, state=state)

    def imported(self, token: str, name: str, identity: str) -> Made | None:
        answer = self.stub.Read(proto.ReadRequest(id=identity, urn=urn(token, name)))
        return self._read(token, name, answer)

    def refreshed(self, one: Made) -> Made | None:
        answer = self.stub.Read(
            proto.ReadRequest(
                id=one.identity,
                urn=urn(one.token, one.name),
                properties=to_struct(one.state),
                inputs=to_struct(one.inputs),
            )
        )
        return self._read(one.token, one.name, answer)

    def _read(self, token: str, name: str, answer: Any) -> Made | None:
        if not answer.id:
            return None
        return Made(
            token=token,
            name=name,
            identity=answer.id,
            inputs=from_struct(answer.inputs),
            state=from_struct(answer.properties),
        )

    def diff(
        self, one: Made, inputs: Mapping[str, Any], *, ignore: Sequence[str] = ()
    ) -> dict[str, str]:
        """The kind of each difference by path: "UPDATE", "ADD_REPLACE", ..."""
        checked, failures = self.check(one.token, one.name, inputs, one.inputs)
        assert not failures
        answer = self.stub.Diff(
            proto.DiffRequest(
                id=one.identity,
                urn=urn(one.token, one.name),
                olds=to_struct(one.state),
                old_inputs=to_struct(one.inputs),
                news=to_struct(checked),
                ignoreChanges=ignore,
            )
        )
        assert (answer.changes == proto.DiffResponse.DIFF_SOME) == bool(answer.detailedDiff)
        return {
            path: proto.PropertyDiff.Kind.Name(each.kind)
            for path, each in answer.detailedDiff.items()
        }

    def update(self, one: Made, inputs: Mapping[str, Any], *, preview: bool = False) -> Made:
        checked, failures = self.check(one.token, one.name, inputs, one.inputs)
        assert not failures
        answer = self.stub.Update(
            proto.UpdateRequest(
                id=one.identity,
                urn=urn(one.token, one.name),
                olds=to_struct(one.state),
                old_inputs=to_struct(one.inputs),
                news=to_struct(checked),
                preview=preview,
            )
        )
        state = from_struct(answer.properties)
        return Made(
            token=one.token, name=one.name, identity=one.identity, inputs=checked, state=state
        )

    def delete(self, one: Made) -> None:
        self.stub.Delete(
            proto.DeleteRequest(
                id=one.identity, urn=urn(one.token, one.name), properties=to_struct(one.state)
            )
        )


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:dev::homeostat::{token}::{name}"


def environment(server: EmbeddedAws, *, key: str = SEEDING_KEY, **more: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": server.endpoint_url,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": "not checked",
        **more,
    }


@contextmanager
def driving(environ: Mapping[str, str]) -> Iterator[Driver]:
    """A provider that is not configured yet."""
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    add_ResourceProviderServicer_to_server(StandIn(environ), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Driver(stub=ResourceProviderStub(channel))
    finally:
        server.stop(None).wait()
