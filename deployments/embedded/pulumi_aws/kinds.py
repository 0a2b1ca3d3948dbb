"""A resource type as data: what forces a new one, what the account decides, and who carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from deployments.embedded.pulumi_aws.account import Cloud
from deployments.embedded.pulumi_aws.shapes import Fields, fields_of, outputs_of
from deployments.embedded.pulumi_aws.values import Properties

NO_TAGS: Mapping[str, Any] = {"tags": {}}


class Actions(Protocol):
    """What can be done with the resources of a type. Values are plain, names are Pulumi's."""

    def create(self, cloud: Cloud, new: Properties) -> str:
        """Make one and return its id; one call, so that it is made or not."""
        ...

    def settle(self, cloud: Cloud, identity: str, new: Properties) -> None:
        """Do what else belongs to the making of one that is there."""
        ...

    def read(self, cloud: Cloud, identity: str, known: Properties) -> Properties | None:
        """Return everything that the account tells; None when there is none.

        Args:
            cloud: Where.
            identity: Id, or what an import gives instead: then "id" is in the answer.
            known: State as far as it is known; empty for an import.
        """
        ...

    def update(
        self, cloud: Cloud, identity: str, old: Properties, new: Properties, changed: set[str]
    ) -> None:
        """Change what differs; `changed` has the names of the differing properties."""
        ...

    def delete(self, cloud: Cloud, identity: str, old: Properties) -> None:
        """Delete one; one that is gone is no error."""
        ...


class Simple:
    """Actions of a type whose making is one call."""

    def settle(self, cloud: Cloud, identity: str, new: Properties) -> None:
        """Do nothing: everything is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A resource type.

    Attributes:
        token: Pulumi's name of it.
        module, name: Of its class in pulumi_aws.
        actions: Who carries it out.
        replaces: Properties, or paths of nested ones, that force a new resource.
        absent: What it means to leave a property out. One that is not in here is "optional and
            computed": left out, it is what the account has, and makes no difference.
        unread: What the account does not tell: taken from the program.
        sets: Lists whose order says nothing.
        documents: Texts that hold JSON, compared by what they say.
        numbers: Texts that hold a number, compared by its value.
        moves: Outputs that an update may change.
        named: Has a name that is made up where the program gives none.
    """

    token: str
    module: str
    name: str
    actions: Actions
    replaces: frozenset[str] = frozenset()
    absent: Mapping[str, Any] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    moves: frozenset[str] = frozenset()
    named: bool = False

    @property
    def inputs(self) -> Fields:
        """What a program may give."""
        return fields_of(f"pulumi_aws.{self.module}", f"{self.name}Args")

    @property
    def outputs(self) -> frozenset[str]:
        """Every property of the resource."""
        return outputs_of(f"pulumi_aws.{self.module}", self.name)
