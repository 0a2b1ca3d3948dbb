"""The forms in which a client can have an object: whole, its metadata alone, or a row of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import orjson

from deployments.embedded.kubernetes.kinds import Kind
from deployments.embedded.kubernetes.store import Body, Entry
from deployments.embedded.kubernetes.tables import table_of
from deployments.embedded.kubernetes.wire import listed, shown

META = "meta.k8s.io/v1"


class Shape(Enum):
    """What a client wants to see of objects."""

    WHOLE = auto()
    TABLE = auto()
    METADATA = auto()


@dataclass(frozen=True, slots=True)
class Form:
    """How objects are told.

    Attributes:
        shape: What is told of them.
        rows: What a row of a table carries: Metadata, Object or None.
    """

    shape: Shape = Shape.WHOLE
    rows: str = "Metadata"

    def one(self, kind: Kind, entry: Entry) -> bytes:
        """Return one object."""
        match self.shape:
            case Shape.TABLE:
                metadata: Body = {"resourceVersion": str(entry.version)}
                return orjson.dumps(table_of(kind, [entry], metadata, rows=self.rows))
            case Shape.METADATA:
                return orjson.dumps(partial(entry.body()))
            case Shape.WHOLE:
                return shown(kind, entry)

    def many(self, kind: Kind, entries: Sequence[Entry], metadata: Body) -> bytes:
        """Return a list."""
        match self.shape:
            case Shape.TABLE:
                return orjson.dumps(table_of(kind, entries, metadata, rows=self.rows))
            case Shape.METADATA:
                head: Body = {"kind": "PartialObjectMetadataList", "apiVersion": META}
                items = [partial(entry.body()) for entry in entries]
                return orjson.dumps(head | {"metadata": metadata, "items": items})
            case Shape.WHOLE:
                return listed(kind, entries, metadata)


def partial(body: Body) -> Body:
    """Return the metadata of an object as an object of its own."""
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": body["metadata"]}


def form_of(accept: Iterable[str], include: str = "") -> Form:
    """Return the form that a client would rather have, by what it accepts."""
    for one in (part for header in accept for part in header.split(",")):
        if "as=Table" in one:
            return Form(Shape.TABLE, rows=include or "Metadata")
        if "as=PartialObjectMetadata" in one:
            return Form(Shape.METADATA)
        if "application/json" in one or "*/*" in one:
            break
    return Form()
